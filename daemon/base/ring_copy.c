#include "base/ring_copy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ring_bundle.h"

#define BLOCK_BYTES  4096 /* a header has a disk's block of its own */
#define BOUNCE_BYTES RING_BUNDLE_MOST
#define COPY_MAGIC   "LUMCOPY1"

static_assert(2 * BLOCK_BYTES == RING_DATA_OFFSET, "both headers lie before the data");

struct copy_header {
    char magic[8];
    uint32_t format, unused;
    uint64_t size, id;
    uint64_t number; /* the header with the higher one counts */
    uint64_t head;   /* everything below it had been written */
    uint64_t boot_from;
    char boot[RING_BOOT_BYTES];
    uint64_t checksum; /* of all above */
};

struct copy_file {
    int fd;                    /* -1: no file */
    struct copy_header header; /* the newest; all zero without a file */
    struct copy_header synced; /* the newest that is on disk for certain */
};

struct ring_copy {
    char *file;
    struct copy_file now;
    uint64_t reached; /* anything below it may lie in the file already */
    struct ring_bundler *bundler;
    uint64_t bounce[BOUNCE_BYTES / 8];
};

static uint64_t header_checksum(const struct copy_header *header)
{
    return ring_header_checksum(header, offsetof(struct copy_header, checksum));
}

static bool header_is_sound(const struct copy_header *header)
{
    return memcmp(header->magic, COPY_MAGIC, 8) == 0 && header->format == RING_FORMAT &&
           header->checksum == header_checksum(header) && header->size >= RING_SIZE_MIN &&
           header->size % 4096 == 0 && header->head >= header->size && header->head % 8 == 0 &&
           header->head < UINT64_MAX / 4;
}

/* Reads the newer sound header; says why there is none, NULL if there is. */
static const char *read_header(struct copy_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0 || status.st_size < RING_DATA_OFFSET)
        return "it is no copy of a spool";
    bool found = false;
    for (unsigned i = 0; i < 2; i++) {
        struct copy_header header;
        if (!ring_file_read(file->fd, &header, sizeof(header), (uint64_t)i * BLOCK_BYTES))
            return "its header cannot be read";
        if (!header_is_sound(&header))
            continue;
        if (!found || header.number > file->header.number)
            file->header = header;
        found = true;
    }
    if (!found)
        return "its header is damaged or of another format";
    if ((uint64_t)status.st_size - RING_DATA_OFFSET != file->header.size)
        return "it is cut short";
    file->synced = file->header;
    return NULL;
}

static void drop_file(struct copy_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct copy_file){.fd = -1};
}

int ring_copy_open(struct ring_copy **out, const char *file, struct diag *diag)
{
    *out = NULL;
    struct ring_copy *copy = calloc(1, sizeof(*copy));
    char *name = strdup(file);
    struct ring_bundler *bundler = ring_bundler_create();
    if (copy == NULL || name == NULL || bundler == NULL) {
        free(copy);
        free(name);
        ring_bundler_destroy(bundler);
        return diag_set(diag, ERR_MEMORY, "no memory for the copy of the spool");
    }
    copy->file = name;
    copy->bundler = bundler;
    int rc = ring_file_open(file, &copy->now.fd, diag);
    if (rc == 0 && copy->now.fd >= 0) {
        const char *why = read_header(&copy->now);
        if (why != NULL)
            rc = ring_copy_set_aside(copy, why, diag);
    }
    if (rc != 0) {
        ring_copy_close(copy);
        return rc;
    }
    *out = copy;
    return 0;
}

void ring_copy_close(struct ring_copy *copy)
{
    if (copy == NULL)
        return;
    drop_file(&copy->now);
    ring_bundler_destroy(copy->bundler);
    free(copy->file);
    free(copy);
}

bool ring_copy_exists(const struct ring_copy *copy)
{
    return copy->now.fd >= 0;
}

uint64_t ring_copy_id(const struct ring_copy *copy)
{
    return copy->now.header.id;
}

/* What is in the file of [from, to), with what is bundled taken apart. A record may begin in one
 * bundle and end in another, or in none. */
static void take_apart(const struct ring_area *file, uint64_t from, uint64_t to,
                       struct ring_image *image)
{
    struct ring_area *area = &image->area;
    for (uint64_t at = from; at < to;) {
        uint64_t bytes = 8, bundle = ring_bundle_end(file, at, to);
        if (bundle != 0 && ring_bundle_open(file, at, area)) {
            at = bundle;
            if (bundle > image->bundled)
                image->bundled = bundle;
            continue;
        }
        if (ring_area_is_record(file, at, to))
            bytes = ring_area_step(file, at);
        memcpy(area->data + at % area->size, file->data + at % area->size, bytes);
        at += bytes;
    }
}

int ring_copy_read(const struct ring_copy *copy, struct ring_image *image, struct diag *diag)
{
    const struct copy_header *header = &copy->now.header;
    *image = (struct ring_image){.area = {.size = header->size, .id = header->id}};
    struct ring_area file = image->area;
    image->area.data = calloc(1, header->size);
    file.data = malloc(header->size);
    int rc = 0;
    if (image->area.data == NULL || file.data == NULL)
        rc = diag_set(diag, ERR_MEMORY, "no memory to read %s", copy->file);
    else if (!ring_file_read(copy->now.fd, file.data, header->size, RING_DATA_OFFSET))
        rc = diag_set(diag, ERR_IO, "cannot read %s: %s", copy->file, strerror(errno));
    if (rc != 0) {
        free(file.data);
        ring_image_fini(image);
        return rc;
    }
    /* Headers are seldom: the newest records lie beyond this one's head, at most a lap of them. */
    uint64_t from = header->head, to = from + header->size;
    take_apart(&file, from, to, image);
    image->end = ring_area_find_end(&image->area, from, to);
    take_apart(&file, image->end - header->size, from, image);
    free(file.data);
    struct ring_mended mended =
        ring_area_mend(&image->area, image->end - header->size, image->end, false);
    image->first = mended.first;
    image->torn = mended.torn;
    image->boot_from = ring_boot_is_now(header->boot) ? header->boot_from : image->end;
    return 0;
}

int ring_copy_set_aside(struct ring_copy *copy, const char *why, struct diag *diag)
{
    int rc = ring_file_set_aside(copy->file, why, diag);
    drop_file(&copy->now);
    return rc;
}

/* The older of the two headers is overwritten: the newer one stays until this one is whole. */
static bool write_header(struct copy_file *file, uint64_t head)
{
    struct copy_header header = file->header;
    header.number++;
    header.head = head;
    header.checksum = header_checksum(&header);
    if (!ring_file_write(file->fd, &header, sizeof(header), header.number % 2 * BLOCK_BYTES))
        return false;
    file->header = header;
    return true;
}

int ring_copy_begin(struct ring_copy *copy, const struct ring_area *area, uint64_t from,
                    uint64_t to, uint64_t boot_from, struct diag *diag)
{
    struct copy_file before = copy->now, fresh = {.fd = -1};
    int rc = ring_file_make(copy->file, RING_DATA_OFFSET + area->size, &fresh.fd, diag);
    if (rc != 0)
        return rc;
    fresh.header = (struct copy_header){.magic = COPY_MAGIC,
                                        .format = RING_FORMAT,
                                        .size = area->size,
                                        .id = area->id,
                                        .head = from,
                                        .boot_from = boot_from};
    ring_boot_now(fresh.header.boot);
    copy->now = fresh;
    if (ring_copy_write(copy, area, from, to, 0) && write_header(&copy->now, to) &&
        ring_copy_sync(copy)) {
        rc = ring_file_publish(copy->file, diag);
    } else {
        rc = diag_set(diag, ERR_FULL, "cannot write %s: %s", copy->file, strerror(errno));
        ring_file_unmake(copy->file);
    }
    if (rc == 0) {
        drop_file(&before);
    } else {
        drop_file(&copy->now);
        copy->now = before;
    }
    return rc;
}

void ring_copy_continue(struct ring_copy *copy, uint64_t boot_from, uint64_t head)
{
    copy->reached = head;
    ring_boot_now(copy->now.header.boot);
    copy->now.header.boot_from = boot_from;
    copy->now.synced = copy->now.header;
}

/* Takes words out of the ring while others may write to them: the loop outcomes; and the producer
 * whole records, where what is copied once more has been freed meanwhile, or the disk was given up.
 * What is taken then is torn, known for it by its checksum, and needed by nobody any more. Thread
 * sanitizer cannot know that this is meant; volatile keeps the loop from becoming a memcpy() that
 * it looks into. */
__attribute__((no_sanitize("thread"))) static void take_words(uint64_t *out, const uint8_t *from,
                                                              size_t bytes)
{
    const volatile uint64_t *words = (const volatile uint64_t *)(const volatile void *)from;
    for (size_t i = 0; i < bytes / 8; i++)
        out[i] = words[i];
    /* A tail that is read after this tells of all that was overwritten before. */
    atomic_thread_fence(memory_order_acquire);
}

/* What is written at once: of one kind, in one lap. */
struct piece {
    uint64_t from, to;
    bool bundled;
};

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The piece that begins at `from`; [fresh, settled) may be bundled. */
static struct piece next_piece(const struct ring_area *area, uint64_t from, uint64_t to,
                               uint64_t fresh, uint64_t settled)
{
    struct piece piece = {from, lower(to, from - from % area->size + area->size), false};
    uint64_t edge = ring_bundle_edge(area->size);
    piece.bundled = from >= fresh && from < settled;
    if (piece.bundled)
        piece.to = lower(piece.to, lower(settled, ring_bundle_floor(area->size, from) + edge));
    else if (from < fresh)
        piece.to = lower(piece.to, fresh);
    piece.to = lower(piece.to, from + BOUNCE_BYTES);
    return piece;
}

static bool write_piece(struct ring_copy *copy, const struct ring_area *area,
                        const struct piece *piece)
{
    const uint64_t offset = piece->from % area->size;
    const void *bytes = copy->bounce;
    size_t count = (size_t)(piece->to - piece->from), bundle = 0;
    take_words(copy->bounce, area->data + offset, count);
    if (piece->bundled)
        bundle = ring_bundle_make(copy->bundler, area, piece->from, piece->to, bytes, &bytes);
    return ring_file_write(copy->now.fd, bytes, bundle != 0 ? bundle : count,
                           RING_DATA_OFFSET + offset);
}

bool ring_copy_write(struct ring_copy *copy, const struct ring_area *area, uint64_t from,
                     uint64_t to, uint64_t settled)
{
    uint64_t since = to - copy->now.header.head, fresh = copy->reached;
    if (to > copy->reached)
        copy->reached = to; /* first: nobody knows what a failure leaves */
    for (uint64_t at = from; at < to;) {
        struct piece piece = next_piece(area, at, to, fresh, settled);
        if (!write_piece(copy, area, &piece))
            return false;
        at = piece.to;
    }
    /* A reader looks one lap beyond the header's head, so it must never be farther behind. */
    return since < area->size / 8 || write_header(&copy->now, to);
}

bool ring_copy_sync(struct ring_copy *copy)
{
    struct copy_file *file = &copy->now;
    if (fdatasync(file->fd) == 0) {
        file->synced = file->header;
        return true;
    }
    /* A kernel that could not write a block takes it for clean from then on: a header among them
     * would never come to the disk, and the next one overwrite the only good one. */
    file->header = file->synced;
    return false;
}

bool ring_copy_finish(struct ring_copy *copy, uint64_t head)
{
    struct copy_file *file = &copy->now;
    return file->header.head == head || (write_header(file, head) && ring_copy_sync(copy));
}
