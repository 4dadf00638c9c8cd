#include "io/recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_at(int fd, const void *bytes, size_t count, uint64_t offset)
{
    for (size_t have = 0; have < count;) {
        ssize_t n = pwrite(fd, (const uint8_t *)bytes + have, count - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static bool read_at(int fd, void *bytes, size_t count, uint64_t offset)
{
    for (size_t have = 0; have < count;) {
        ssize_t n = pread(fd, (uint8_t *)bytes + have, count - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

/* Nothing half-written stays behind; whatever fails now was failing anyway. */
static bool undo(struct recorder_file *file)
{
    int error = errno;
    if (ftruncate(file->fd, (off_t)file->offset) != 0)
        errno = error;
    errno = error;
    return false;
}

/* ---- the index in memory ---- */

static bool note(struct recorder_file *file, const struct tape_block *block, size_t bytes)
{
    if (file->count == file->room) {
        uint32_t more = file->room == 0 ? 128 : file->room * 2;
        struct tape_entry *grown = realloc(file->entries, more * sizeof(*grown));
        if (grown == NULL) {
            errno = ENOMEM;
            return false;
        }
        file->entries = grown;
        file->room = more;
    }
    file->entries[file->count++] = (struct tape_entry){file->offset, block->first_ms,
                                                       block->last_ms, block->kind, block->count};
    if (block->kind == TAPE_MESSAGES) {
        if (file->first_ms == 0)
            file->first_ms = block->first_ms;
        file->last_ms = block->last_ms;
    }
    file->newest = *block;
    file->offset += bytes;
    return true;
}

/* ---- make, take up ---- */

bool recorder_file_make(struct recorder_file *file, int folder, const struct tape_header *header,
                        int64_t after_ms)
{
    uint8_t bytes[TAPE_HEADER_BYTES];
    *file = (struct recorder_file){.fd = -1, .header = *header, .offset = TAPE_HEADER_BYTES};
    file->name.start_ms = header->start_ms > after_ms ? header->start_ms : after_ms + 1;
    file->name.open = true;
    snprintf(file->name.room, sizeof(file->name.room), "%s", header->room);
    for (int tries = 0; tries < 1000 && file->fd < 0; tries++, file->name.start_ms++) {
        tape_name_write(&file->name);
        file->fd = openat(folder, file->name.file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (file->fd < 0 && errno != EEXIST)
            return false;
        if (file->fd >= 0)
            break;
    }
    if (file->fd < 0)
        return false;
    file->salt = tape_write_header(bytes, header);
    if (write_at(file->fd, bytes, sizeof(bytes), 0) && fdatasync(file->fd) == 0 &&
        fsync(folder) == 0)
        return true;
    int error = errno;
    unlinkat(folder, file->name.file, 0);
    recorder_file_close(file);
    errno = error;
    return false;
}

/* Reads the block at file->offset and notes it; false: there is no whole one. */
static bool take_block(struct recorder_file *file, uint64_t size, uint8_t *memory)
{
    uint8_t head[TAPE_HEAD_BYTES];
    struct tape_block block;
    if (size - file->offset < sizeof(head) ||
        !read_at(file->fd, head, sizeof(head), file->offset) ||
        !tape_read_head(head, &block, file->salt) || block.number != file->count ||
        block.kind == TAPE_INDEX)
        return false;
    uint64_t at = file->offset + sizeof(head);
    return size - at >= block.stored_bytes && read_at(file->fd, memory, block.stored_bytes, at) &&
           tape_sum(memory, block.stored_bytes) == block.checksum &&
           note(file, &block, sizeof(head) + block.stored_bytes);
}

bool recorder_file_take_up(struct recorder_file *file, int folder, const struct tape_name *name,
                           uint64_t *torn_bytes)
{
    uint8_t header[TAPE_HEADER_BYTES];
    struct stat status;
    struct diag diag = {0};
    *file = (struct recorder_file){.name = *name, .offset = TAPE_HEADER_BYTES};
    *torn_bytes = 0;
    uint8_t *memory = malloc(TAPE_STORED_MAX);
    file->fd = openat(folder, name->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (memory == NULL || file->fd < 0 || fstat(file->fd, &status) != 0)
        goto refused;
    errno = 0;
    if (!read_at(file->fd, header, sizeof(header), 0) ||
        tape_read_header(header, sizeof(header), &file->header, &file->salt, &diag) != 0)
        goto refused;
    while (take_block(file, (uint64_t)status.st_size, memory))
        ;
    *torn_bytes = (uint64_t)status.st_size - file->offset;
    if (*torn_bytes > 0 &&
        (ftruncate(file->fd, (off_t)file->offset) != 0 || fdatasync(file->fd) != 0))
        goto refused;
    free(memory);
    return true;

refused:
    free(memory);
    int error = errno;
    recorder_file_close(file);
    errno = error;
    return false;
}

bool recorder_file_drop_begun(int folder, const struct tape_name *name)
{
    struct stat status;
    return fstatat(folder, name->file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && status.st_size < TAPE_HEADER_BYTES &&
           unlinkat(folder, name->file, 0) == 0;
}

bool recorder_file_newest(int folder, const struct tape_name *name, struct tape_block *newest)
{
    uint8_t header[TAPE_HEADER_BYTES], trailer[TAPE_TRAILER_BYTES], bytes[TAPE_HEAD_BYTES];
    struct tape_header of;
    struct tape_block index;
    struct tape_entry entry;
    struct stat status;
    struct diag diag = {0};
    uint64_t salt, at = 0;
    int fd = openat(folder, name->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool known =
        fd >= 0 && fstat(fd, &status) == 0 && status.st_size > TAPE_HEADER_BYTES &&
        read_at(fd, header, sizeof(header), 0) &&
        tape_read_header(header, sizeof(header), &of, &salt, &diag) == 0 &&
        read_at(fd, trailer, sizeof(trailer), (uint64_t)status.st_size - sizeof(trailer)) &&
        (at = tape_read_trailer(trailer, salt)) != 0 && read_at(fd, bytes, sizeof(bytes), at) &&
        tape_read_head(bytes, &index, salt) && index.kind == TAPE_INDEX && index.count > 0;
    if (known) {
        at += TAPE_HEAD_BYTES + (uint64_t)(index.count - 1) * TAPE_ENTRY_BYTES;
        known = read_at(fd, bytes, TAPE_ENTRY_BYTES, at);
        tape_read_entry(bytes, &entry);
        known = known && read_at(fd, bytes, sizeof(bytes), entry.offset) &&
                tape_read_head(bytes, newest, salt);
    }
    if (fd >= 0)
        close(fd);
    return known;
}

/* ---- add, finish ---- */

bool recorder_file_add(struct recorder_file *file, const struct tape_block *block,
                       const uint8_t *bytes, size_t count)
{
    /* After a failed sync the kernel believes that it wrote: it has to be written anew. */
    if (!write_at(file->fd, bytes, count, file->offset) || fdatasync(file->fd) != 0 ||
        !note(file, block, count))
        return undo(file);
    return true;
}

bool recorder_file_add_gap(struct recorder_file *file, struct tape_block *gap)
{
    uint8_t head[TAPE_HEAD_BYTES];
    gap->kind = TAPE_GAP;
    gap->number = file->count;
    gap->stored_bytes = gap->raw_bytes = 0;
    gap->checksum = tape_sum("", 0);
    tape_write_head(head, gap, file->salt);
    return recorder_file_add(file, gap, head, sizeof(head));
}

static bool put_index(struct recorder_file *file)
{
    size_t bytes = tape_index_bytes(file->count);
    uint8_t *index = malloc(bytes);
    if (index == NULL) {
        errno = ENOMEM;
        return false;
    }
    tape_write_index(index, file->entries, file->count, file->offset, file->salt);
    bool done = write_at(file->fd, index, bytes, file->offset) && fdatasync(file->fd) == 0;
    free(index);
    return done ? true : undo(file);
}

bool recorder_file_finish(struct recorder_file *file, int folder)
{
    struct tape_name last = file->name;
    last.open = false;
    tape_name_write(&last);
    if (!put_index(file) || renameat(folder, file->name.file, folder, last.file) != 0)
        return false;
    fsync(folder); /* if the old name comes back with a power cut, it is taken up and finished */
    recorder_file_close(file);
    return true;
}

void recorder_file_close(struct recorder_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->entries);
    file->entries = NULL;
    file->count = file->room = 0;
    file->fd = -1;
}
