#include "base/ring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

#define PATH_BYTES 512

/* Odd and without pattern: neighbouring positions differ in all bits of the checksum. */
#define POSITION_MIX 0x9e3779b97f4a7c15u

uint64_t ring_area_checksum(const struct ring_area *area, const struct ring_record *record)
{
    const void *from = &record->wall_ms;
    size_t bytes = sizeof(*record) - offsetof(struct ring_record, wall_ms) + record->topic_bytes +
                   record->payload_bytes;
    return XXH3_64bits(from, bytes) ^ (area->id + record->position * POSITION_MIX);
}

uint64_t ring_header_checksum(const void *header, size_t bytes)
{
    return XXH3_64bits(header, bytes);
}

bool ring_area_is_record(const struct ring_area *area, uint64_t position, uint64_t end)
{
    uint64_t rest = area->size - position % area->size;
    if (end - position < rest)
        rest = end - position;
    const struct ring_record *record = ring_area_at(area, position);
    if (rest < sizeof(*record) || record->position != position)
        return false;
    if (record->topic_bytes > RING_TOPIC_MAX || record->payload_bytes > RING_PAYLOAD_MAX)
        return false;
    return ring_record_bytes(record->topic_bytes, record->payload_bytes) <= rest &&
           record->checksum == ring_area_checksum(area, record);
}

uint64_t ring_area_step(const struct ring_area *area, uint64_t position)
{
    const struct ring_record *record = ring_area_at(area, position);
    if (record->position == position)
        return ring_record_bytes(record->topic_bytes, record->payload_bytes);
    if (record->position == (position | RING_SKIP_LAP))
        return area->size - position % area->size;
    return 8;
}

uint64_t ring_area_find_end(const struct ring_area *area, uint64_t from, uint64_t to)
{
    uint64_t end = from;
    for (uint64_t at = from; at < to;) {
        if (ring_area_is_record(area, at, to)) {
            at += ring_area_step(area, at);
            end = at;
        } else {
            at += 8;
        }
    }
    return end;
}

static bool is_skip(uint64_t word, uint64_t position)
{
    return word == (position | RING_SKIP_LAP) || word == (position | RING_SKIP_WORD);
}

struct ring_mended ring_area_mend(struct ring_area *area, uint64_t from, uint64_t to, bool exact)
{
    struct ring_mended found = {.first = to};
    bool sure = exact; /* does something begin here? Only then is a skip word to be believed */
    for (uint64_t at = from; at < to;) {
        uint64_t *word = &ring_area_at(area, at)->position;
        uint64_t step = ring_area_step(area, at);
        if (ring_area_is_record(area, at, to)) {
            if (found.first == to)
                found.first = at;
            sure = true;
            at += step;
        } else if (sure && is_skip(*word, at) && step <= to - at) {
            at += step;
        } else {
            if (sure)
                found.torn++;
            sure = false;
            *word = at | RING_SKIP_WORD;
            at += 8;
        }
    }
    return found;
}

uint64_t ring_area_settle(struct ring_area *area, uint64_t from, uint64_t to, uint64_t *done)
{
    uint64_t waiting = 0;
    *done = to;
    for (uint64_t at = from; at < to; at += ring_area_step(area, at)) {
        struct ring_record *record = ring_area_at(area, at);
        if (record->position != at)
            continue;
        uint32_t outcome = atomic_load(&record->outcome);
        if (outcome > RING_REFUSED || (outcome != RING_REFUSED && waiting > 0))
            outcome = RING_WAITING;
        atomic_store(&record->outcome, outcome);
        if (outcome != RING_WAITING)
            continue;
        if (waiting++ == 0)
            *done = at;
        else
            atomic_store(&record->begun, 0);
    }
    return waiting;
}

uint64_t ring_fresh_id(void)
{
    uint64_t id = 0;
    while (id == 0)
        if (getrandom(&id, sizeof(id), 0) != sizeof(id))
            id = 0;
    return id;
}

int ring_size_check(size_t size_bytes, const char *file, struct diag *diag)
{
    if (size_bytes < RING_SIZE_MIN || size_bytes % 4096 != 0)
        return diag_set(diag, ERR_RANGE, "%s: %zu is no multiple of 4096 from %u on", file,
                        size_bytes, RING_SIZE_MIN);
    return 0;
}

static int complain(struct diag *diag, const char *what, const char *file)
{
    int number = errno;
    bool disk = number == ENOSPC || number == EDQUOT || number == EIO || number == EROFS;
    return diag_set(diag, disk ? ERR_FULL : ERR_IO, "cannot %s %s: %s", what, file,
                    strerror(number));
}

/* Does the name still stand for what was opened? Another hub may have replaced it meanwhile. */
static bool is_named(int fd, const char *file)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(file, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static int lock(int fd, const char *file, struct diag *diag)
{
    int rc = lock_take(fd, file, diag);
    if (rc == 0 && !is_named(fd, file))
        return diag_set(diag, ERR_TAKEN, "%s was replaced by another program", file);
    return rc;
}

int ring_file_open(const char *file, int *fd, struct diag *diag)
{
    *fd = open(file, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0 && errno == EROFS)
        *fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT ? 0 : complain(diag, "open", file);
    int rc = 0;
    struct stat status;
    if (fstat(*fd, &status) != 0)
        rc = complain(diag, "look at", file);
    else if (!S_ISREG(status.st_mode))
        rc = diag_set(diag, ERR_IO, "%s is not a file", file);
    else
        rc = lock(*fd, file, diag);
    if (rc != 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

static int new_name(const char *file, char name[PATH_BYTES], struct diag *diag)
{
    if (snprintf(name, PATH_BYTES, "%s.new", file) >= PATH_BYTES - 32)
        return diag_set(diag, ERR_LIMIT, "the name %s is too long", file);
    return 0;
}

int ring_file_make(const char *file, uint64_t bytes, int *fd, struct diag *diag)
{
    char name[PATH_BYTES];
    int rc = new_name(file, name, diag);
    if (rc != 0)
        return rc;
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return complain(diag, "make", name);
    rc = lock(*fd, name, diag);
    if (rc == 0 && ftruncate(*fd, 0) != 0)
        rc = complain(diag, "empty", name);
    if (rc == 0) {
        errno = posix_fallocate(*fd, 0, (off_t)bytes);
        if (errno != 0) {
            rc = complain(diag, "reserve the room for", name);
            unlink(name);
        }
    }
    if (rc != 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

/* A new name survives a power cut only if its folder is synced too. */
static void sync_folder(const char *file)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof(folder), "%s", file);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof(folder), ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        log_warn("cannot sync the folder %s: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
}

int ring_file_publish(const char *file, struct diag *diag)
{
    char name[PATH_BYTES];
    int rc = new_name(file, name, diag);
    if (rc != 0)
        return rc;
    if (rename(name, file) != 0)
        return complain(diag, "name", file);
    sync_folder(file);
    return 0;
}

void ring_file_unmake(const char *file)
{
    char name[PATH_BYTES];
    struct diag diag = {0};
    if (new_name(file, name, &diag) == 0)
        unlink(name);
}

int ring_file_set_aside(const char *file, const char *why, struct diag *diag)
{
    char name[PATH_BYTES + 64];
    long long seconds = clock_wall_ms() / 1000;
    for (int attempt = 0; attempt < 100; attempt++, seconds++) {
        snprintf(name, sizeof(name), "%s.damaged-%lld", file, seconds);
        int rc = renameat2(AT_FDCWD, file, AT_FDCWD, name, RENAME_NOREPLACE);
        /* Not every file system knows NOREPLACE; the lock keeps other hubs out meanwhile. */
        if (rc != 0 && errno == EINVAL && access(name, F_OK) != 0)
            rc = rename(file, name);
        if (rc == 0) {
            log_error("%s: %s; it is kept as %s", file, why, name);
            return 0;
        }
        if (errno != EEXIST && errno != EINVAL)
            break;
    }
    return complain(diag, "set aside the damaged", file);
}

bool ring_file_read(int fd, void *out, size_t bytes, uint64_t offset)
{
    for (size_t got = 0; got < bytes;) {
        ssize_t n = pread(fd, (char *)out + got, bytes - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

bool ring_file_write(int fd, const void *from, size_t bytes, uint64_t offset)
{
    for (size_t put = 0; put < bytes;) {
        ssize_t n = pwrite(fd, (const char *)from + put, bytes - put, (off_t)(offset + put));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        put += (size_t)n;
    }
    return true;
}

void ring_boot_now(char boot[RING_BOOT_BYTES])
{
    clock_boot(boot);
}

bool ring_boot_is_now(const char boot[RING_BOOT_BYTES])
{
    char now[RING_BOOT_BYTES];
    ring_boot_now(now);
    return now[0] != '\0' && memcmp(now, boot, RING_BOOT_BYTES) == 0;
}
