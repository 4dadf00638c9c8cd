#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ring_file.h"
#include "base/ring_image.h"

#define LINE_BYTES 128 /* two cache lines: some processors fetch them in pairs */
#define RING_MAGIC "LUMRING1"

/* As it lies in the file. Threads write to lines of their own. Where decoding stands is not kept
 * here: the outcomes of the records say it, and cannot contradict themselves. */
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): lines apart are what it is for
struct ring_header {
    char magic[8];
    uint32_t format, unused;
    uint64_t size, id;
    uint64_t checksum;  /* of all above; what follows changes */
    uint64_t boot_from; /* records from here on came in this boot of the machine: */
    char boot[RING_BOOT_BYTES];
    alignas(LINE_BYTES) _Atomic uint64_t head; /* producer */
    _Atomic uint64_t tail;
    alignas(LINE_BYTES) _Atomic uint64_t synced; /* copier */
    _Atomic uint64_t settled;
};
static_assert(sizeof(struct ring_header) <= RING_DATA_OFFSET, "the header lies before the data");

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the same
struct ring {
    struct ring_area area;
    struct ring_header *header;
    int fd;
    uint64_t waiting, torn;                  /* at open */
    alignas(LINE_BYTES) uint64_t head, tail; /* the producer's own */
    alignas(LINE_BYTES) uint64_t head_seen;  /* the consumer's own */
    _Atomic uint64_t done;
};

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_acquire);
}

/* What is wrong with a header, NULL if nothing. It may hold anything. */
static const char *examine(const struct ring_header *header, uint64_t file_bytes)
{
    uint64_t head = load(&header->head), tail = load(&header->tail);
    if (memcmp(header->magic, RING_MAGIC, 8) != 0)
        return "it is no ring of this program";
    if (header->format != RING_FORMAT)
        return "it is of another format";
    if (header->checksum != ring_header_checksum(header, offsetof(struct ring_header, checksum)))
        return "its header is damaged";
    if (file_bytes != RING_DATA_OFFSET + header->size || header->size < RING_SIZE_MIN ||
        header->size % 4096 != 0)
        return "it is cut short";
    if (head % 8 != 0 || tail % 8 != 0 || tail < header->size || head < tail ||
        head - tail > header->size || head > UINT64_MAX / 4)
        return "its head and tail contradict each other";
    return NULL;
}

/* The same before it is mapped. *size_bytes: the size wanted, 0 for any; then the one that it has.
 */
static const char *examine_file(int fd, uint64_t *size_bytes)
{
    struct ring_header header;
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size < RING_DATA_OFFSET)
        return "it is no ring of this program";
    if (!ring_file_read(fd, &header, sizeof(header), 0))
        return "it cannot be read";
    const char *why = examine(&header, (uint64_t)status.st_size);
    if (why == NULL && *size_bytes != 0 && header.size != *size_bytes)
        why = "it is of another size";
    *size_bytes = header.size;
    return why;
}

/* Takes over the descriptor; NULL: no memory. */
static struct ring *map(int fd, uint64_t size_bytes, struct diag *diag)
{
    struct ring *ring = aligned_alloc(LINE_BYTES, sizeof(*ring));
    void *memory =
        mmap(NULL, RING_DATA_OFFSET + size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == NULL || memory == MAP_FAILED) {
        if (memory != MAP_FAILED)
            munmap(memory, RING_DATA_OFFSET + size_bytes);
        free(ring);
        close(fd);
        diag_set(diag, ERR_MEMORY, "no memory for a ring of %llu bytes",
                 (unsigned long long)size_bytes);
        return NULL;
    }
    memset(ring, 0, sizeof(*ring));
    ring->fd = fd;
    ring->header = memory;
    ring->area.data = (uint8_t *)memory + RING_DATA_OFFSET;
    ring->area.size = size_bytes;
    return ring;
}

/* Believes the header's head and tail, and nothing between them that does not prove itself. */
static void settle(struct ring *ring)
{
    struct ring_header *header = ring->header;
    uint64_t done;
    ring->area.id = header->id;
    ring->head = ring->head_seen = load(&header->head);
    struct ring_mended mended = ring_area_mend(&ring->area, load(&header->tail), ring->head, true);
    ring->tail = mended.first;
    ring->torn += mended.torn;
    ring->waiting = ring_area_settle(&ring->area, ring->tail, ring->head, &done);
    atomic_store(&ring->done, done);
    atomic_store(&header->tail, ring->tail);
    if (load(&header->synced) > ring->head || load(&header->settled) > done)
        ring_set_copied(ring, ring->tail, ring->tail);
}

/* In this order: killed between the two, the ring is of another boot, which asks for less trust. */
static void claim_for_boot(struct ring_header *header, uint64_t boot_from)
{
    header->boot_from = boot_from;
    atomic_signal_fence(memory_order_seq_cst);
    ring_boot_now(header->boot);
}

int ring_open(struct ring **out, const char *file, size_t size_bytes, struct diag *diag)
{
    *out = NULL;
    uint64_t bytes = size_bytes;
    int fd, rc = bytes == 0 ? 0 : ring_size_check(size_bytes, file, diag);
    if (rc == 0)
        rc = ring_file_open(file, &fd, diag);
    if (rc != 0 || fd < 0)
        return rc;
    const char *why = examine_file(fd, &bytes);
    if (why != NULL) {
        rc = ring_file_set_aside(file, why, diag);
        close(fd);
        return rc;
    }
    struct ring *ring = map(fd, bytes, diag);
    if (ring == NULL)
        return ERR_MEMORY;
    settle(ring);
    if (!ring_boot_is_now(ring->header->boot))
        claim_for_boot(ring->header, ring->head);
    *out = ring;
    return 0;
}

static void fill(struct ring *ring, const struct ring_image *image)
{
    struct ring_header *header = ring->header;
    uint64_t size = ring->area.size;
    memcpy(header->magic, RING_MAGIC, 8);
    header->format = RING_FORMAT;
    header->size = size;
    header->id = image != NULL ? image->area.id : ring_fresh_id();
    header->checksum = ring_header_checksum(header, offsetof(struct ring_header, checksum));
    atomic_store(&header->head, image != NULL ? image->end : size);
    atomic_store(&header->tail, image != NULL ? image->first : size);
    atomic_store(&header->synced, image != NULL ? image->first : size);
    atomic_store(&header->settled, image != NULL ? image->first : size);
    claim_for_boot(header, image != NULL ? image->boot_from : size);
    if (image != NULL) {
        memcpy(ring->area.data, image->area.data, size);
        ring->torn = image->torn;
    }
    settle(ring);
}

int ring_make(struct ring **out, const char *file, size_t size_bytes,
              const struct ring_image *image, struct diag *diag)
{
    *out = NULL;
    int fd, rc = ring_size_check(size_bytes, file, diag);
    if (rc == 0)
        rc = ring_file_make(file, RING_DATA_OFFSET + size_bytes, &fd, diag);
    if (rc != 0)
        return rc;
    struct ring *ring = map(fd, size_bytes, diag);
    if (ring != NULL) {
        fill(ring, image);
        rc = ring_file_publish(file, diag);
    }
    if (ring == NULL || rc != 0) {
        ring_file_unmake(file);
        ring_close(ring);
        return ring == NULL ? ERR_MEMORY : rc;
    }
    *out = ring;
    return 0;
}

void ring_close(struct ring *ring)
{
    if (ring == NULL)
        return;
    munmap(ring->header, RING_DATA_OFFSET + ring->area.size);
    close(ring->fd);
    free(ring);
}

uint64_t ring_waiting(const struct ring *ring)
{
    return ring->waiting;
}

uint64_t ring_torn(const struct ring *ring)
{
    return ring->torn;
}

/* Moves the tail until the ring holds nothing beyond one lap before `end`. */
static bool make_room(struct ring *ring, uint64_t end, uint64_t free_below)
{
    uint64_t tail = ring->tail;
    if (end - tail <= ring->area.size)
        return true;
    while (end - tail > ring->area.size) {
        uint64_t next = tail + ring_area_step(&ring->area, tail);
        if (next > free_below)
            break;
        tail = next;
    }
    if (end - tail > ring->area.size)
        return false;
    ring->tail = tail;
    atomic_store_explicit(&ring->header->tail, tail, memory_order_release);
    /* Killed after this, the file must not count a record that was being overwritten; and a copier
     * that has read what overwrites it must see the tail. */
    atomic_thread_fence(memory_order_release);
    return true;
}

bool ring_put(struct ring *ring, const struct ring_message *message, uint64_t free_below)
{
    if (message->topic_bytes > RING_TOPIC_MAX || message->payload_bytes > RING_PAYLOAD_MAX)
        return false;
    struct ring_area *area = &ring->area;
    uint64_t bytes = ring_record_bytes(message->topic_bytes, message->payload_bytes);
    uint64_t at = ring->head, rest = area->size - at % area->size;
    uint64_t skip = rest < bytes ? rest : 0;
    if (!make_room(ring, at + skip + bytes, free_below))
        return false;
    if (skip != 0) {
        ring_area_at(area, at)->position = at | RING_SKIP_LAP;
        at += skip;
    }
    struct ring_record *record = ring_area_at(area, at);
    record->position = at;
    atomic_store_explicit(&record->outcome, RING_WAITING, memory_order_relaxed);
    atomic_store_explicit(&record->begun, 0, memory_order_relaxed);
    record->wall_ms = message->wall_ms;
    record->mono_ns = message->mono_ns;
    record->payload_bytes = (uint32_t)message->payload_bytes;
    record->topic_bytes = (uint16_t)message->topic_bytes;
    record->flags = message->flags;
    if (message->topic_bytes != 0)
        memcpy(record + 1, message->topic, message->topic_bytes);
    if (message->payload_bytes != 0)
        memcpy((char *)(record + 1) + message->topic_bytes, message->payload,
               message->payload_bytes);
    record->checksum = ring_area_checksum(area, record);
    ring->head = at + bytes;
    /* Sequentially consistent, for a producer that looks next whether the consumer dozes. */
    atomic_store(&ring->header->head, ring->head);
    return true;
}

struct ring_record *ring_peek(struct ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->done, memory_order_relaxed);
    for (;;) {
        if (at == ring->head_seen) {
            /* Sequentially consistent, for a consumer that has just said that it dozes. */
            ring->head_seen = atomic_load(&ring->header->head);
            if (at == ring->head_seen)
                return NULL;
        }
        struct ring_record *record = ring_area_at(&ring->area, at);
        if (record->position == at &&
            atomic_load_explicit(&record->outcome, memory_order_relaxed) == RING_WAITING)
            return record;
        at += ring_area_step(&ring->area, at);
        atomic_store_explicit(&ring->done, at, memory_order_release);
    }
}

void ring_end(struct ring *ring, struct ring_record *record, enum ring_outcome outcome)
{
    assert(outcome != RING_WAITING);
    atomic_store_explicit(&record->outcome, outcome, memory_order_release);
    uint64_t bytes = ring_record_bytes(record->topic_bytes, record->payload_bytes);
    atomic_store_explicit(&ring->done, record->position + bytes, memory_order_release);
}

uint64_t ring_head(const struct ring *ring)
{
    return load(&ring->header->head);
}

uint64_t ring_tail(const struct ring *ring)
{
    return load(&ring->header->tail);
}

uint64_t ring_done(const struct ring *ring)
{
    return load(&ring->done);
}

uint64_t ring_synced(const struct ring *ring)
{
    return load(&ring->header->synced);
}

uint64_t ring_settled(const struct ring *ring)
{
    return load(&ring->header->settled);
}

void ring_set_copied(struct ring *ring, uint64_t synced, uint64_t settled)
{
    atomic_store_explicit(&ring->header->settled, settled, memory_order_release);
    atomic_store_explicit(&ring->header->synced, synced, memory_order_release);
}

struct ring_record *ring_next(struct ring *ring, uint64_t *position)
{
    uint64_t head = ring_head(ring);
    while (*position < head) {
        struct ring_record *record = ring_area_at(&ring->area, *position);
        bool is_record = record->position == *position;
        *position += ring_area_step(&ring->area, *position);
        if (is_record)
            return record;
    }
    return NULL;
}

const struct ring_area *ring_area(const struct ring *ring)
{
    return &ring->area;
}

uint64_t ring_id(const struct ring *ring)
{
    return ring->area.id;
}

uint64_t ring_boot_from(const struct ring *ring)
{
    return ring->header->boot_from;
}

void ring_make_readonly(struct ring *ring)
{
    mprotect(ring->header, RING_DATA_OFFSET + ring->area.size, PROT_READ);
}

static int walk_memory(uint8_t *bytes, uint64_t size, const char *file,
                       void (*each)(void *user, const struct ring_record *record), void *user,
                       struct diag *diag)
{
    const struct ring_header *header = (const struct ring_header *)(void *)bytes;
    const char *why = examine(header, size);
    if (why != NULL)
        return diag_set(diag, ERR_MALFORMED, "%s: %s", file, why);
    struct ring_area area = {bytes + RING_DATA_OFFSET, header->size, header->id};
    uint64_t head = load(&header->head), tail = load(&header->tail);
    struct ring_mended mended = ring_area_mend(&area, tail, head, true);
    for (uint64_t at = mended.first; at < head; at += ring_area_step(&area, at))
        if (ring_area_at(&area, at)->position == at)
            each(user, ring_area_at(&area, at));
    return 0;
}

int ring_walk(const char *file, void (*each)(void *user, const struct ring_record *record),
              void *user, struct diag *diag)
{
    int rc, fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "cannot open %s: %s", file, strerror(errno));
    /* A private copy: the file may change under us, and may be cut short. */
    uint8_t *bytes = NULL;
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < RING_DATA_OFFSET)
        rc = diag_set(diag, ERR_MALFORMED, "%s: it is no ring of this program", file);
    else if ((bytes = aligned_alloc(LINE_BYTES, ((size_t)status.st_size + LINE_BYTES - 1) /
                                                    LINE_BYTES * LINE_BYTES)) == NULL)
        rc = diag_set(diag, ERR_MEMORY, "no memory to read %s", file);
    else if (!ring_file_read(fd, bytes, (size_t)status.st_size, 0))
        rc = diag_set(diag, ERR_IO, "cannot read %s: %s", file, strerror(errno));
    else
        rc = walk_memory(bytes, (uint64_t)status.st_size, file, each, user, diag);
    free(bytes);
    close(fd);
    return rc;
}
