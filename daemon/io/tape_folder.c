#include "io/tape_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define SUFFIX      ".rec"
#define OPEN_SUFFIX ".rec.part"
#define STAMP       "20260102T030405.678Z"
#define STAMP_BYTES (sizeof(STAMP) - 1)

/* ---- names ---- */

void tape_name_write(struct tape_name *name)
{
    int64_t ms = name->start_ms < 0 ? 0 : name->start_ms;
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    char stamp[32];
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", gmtime_r(&seconds, &utc));
    snprintf(name->file, sizeof(name->file), "%s_%s.%03dZ%s", name->room, stamp, (int)(ms % 1000),
             name->open ? OPEN_SUFFIX : SUFFIX);
}

static bool ends_with(const char *string, size_t length, const char *end)
{
    size_t bytes = strlen(end);
    return length >= bytes && memcmp(string + length - bytes, end, bytes) == 0;
}

static bool parse_stamp(const char *stamp, int64_t *start_ms)
{
    for (size_t i = 0; i < STAMP_BYTES; i++) {
        bool digit = stamp[i] >= '0' && stamp[i] <= '9';
        if (STAMP[i] >= '0' && STAMP[i] <= '9' ? !digit : stamp[i] != STAMP[i])
            return false;
    }
    struct tm utc = {0};
    if (strptime(stamp, "%Y%m%dT%H%M%S", &utc) == NULL)
        return false;
    *start_ms = (int64_t)timegm(&utc) * 1000 + atoi(stamp + 16);
    return true;
}

bool tape_name_parse(struct tape_name *name, const char *file)
{
    size_t length = strlen(file);
    memset(name, 0, sizeof(*name));
    name->open = ends_with(file, length, OPEN_SUFFIX);
    if (length >= TAPE_NAME_BYTES || (!name->open && !ends_with(file, length, SUFFIX)))
        return false;
    memcpy(name->file, file, length + 1);
    length -= strlen(name->open ? OPEN_SUFFIX : SUFFIX);
    if (length < STAMP_BYTES + 2 || file[length - STAMP_BYTES - 1] != '_' ||
        !parse_stamp(file + length - STAMP_BYTES, &name->start_ms))
        return false;
    length -= STAMP_BYTES + 1;
    if (!text_is_label(file, length))
        return false;
    memcpy(name->room, file, length);
    /* A day that there is not is taken for another one, which has a name of its own. */
    struct tape_name again = *name;
    tape_name_write(&again);
    return strcmp(again.file, file) == 0;
}

/* ---- the folder ---- */

static int by_start(const void *a, const void *b)
{
    const struct tape_name *left = a, *right = b;
    if (left->began_ms != right->began_ms)
        return left->began_ms < right->began_ms ? -1 : 1;
    return strcmp(left->file, right->file);
}

static int add_name(struct tape_name **list, size_t *count, size_t *room,
                    const struct tape_name *name)
{
    if (*count == *room) {
        size_t more = *room == 0 ? 64 : *room * 2;
        struct tape_name *grown = realloc(*list, more * sizeof(*grown));
        if (grown == NULL)
            return ERR_MEMORY;
        *list = grown;
        *room = more;
    }
    (*list)[(*count)++] = *name;
    return 0;
}

/* When they began by a clock that was right. What was noted of it and cannot be read costs the
 * order only. */
static void right_starts(const char *folder, struct tape_name *list, size_t count)
{
    struct tape_moved moved;
    struct tape_moves moves;
    struct diag diag = {0};
    tape_moved_read(&moved, folder, &diag);
    for (size_t i = 0; i < count; i++) {
        tape_moved_of(&moved, list[i].file, &moves);
        list[i].began_ms = tape_moved_ms(&moves, 0, list[i].start_ms);
    }
    free(moved.lines);
}

int tape_folder_list(const char *folder, struct tape_name **list, size_t *count, struct diag *diag)
{
    *list = NULL;
    *count = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return diag_set(diag, ERR_IO, "cannot read the folder of recordings %s: %s", folder,
                        strerror(errno));
    size_t room = 0;
    int code = 0;
    for (const struct dirent *entry; code == 0 && (entry = readdir(entries)) != NULL;) {
        struct tape_name name;
        if (tape_name_parse(&name, entry->d_name))
            code = add_name(list, count, &room, &name);
    }
    closedir(entries);
    if (code != 0) {
        free(*list);
        *list = NULL;
        return diag_set(diag, code, "no memory to list the folder of recordings");
    }
    right_starts(folder, *list, *count);
    if (*count > 0)
        qsort(*list, *count, sizeof(**list), by_start);
    return 0;
}

/* ---- one file ---- */

static int refuse(struct diag *diag, const char *path)
{
    return diag_set(diag, ERR_IO, "cannot read %s: %s", path, strerror(errno));
}

static bool read_at(int fd, void *bytes, size_t count, uint64_t offset)
{
    for (size_t have = 0; have < count;) {
        ssize_t n = pread(fd, (uint8_t *)bytes + have, count - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ESPIPE : errno;
            return false;
        }
        have += (size_t)n;
    }
    return true;
}

/* O_NONBLOCK: a pipe in the place of the file must not hang who asks. */
static int open_file(const char *path, int *fd, uint64_t *bytes, struct diag *diag)
{
    struct stat status;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return refuse(diag, path);
    int code = 0;
    if (fstat(*fd, &status) != 0)
        code = refuse(diag, path);
    else if (!S_ISREG(status.st_mode))
        code = diag_set(diag, ERR_IO, "cannot read %s: not a regular file", path);
    else if ((uint64_t)status.st_size > TAPE_FILE_MAX)
        code = diag_set(diag, ERR_LIMIT, "cannot read %s: larger than 1 GiB", path);
    if (code == 0)
        *bytes = (uint64_t)status.st_size;
    else
        close(*fd);
    return code;
}

int tape_file_load(const char *path, uint8_t **bytes, size_t *count, struct diag *diag)
{
    int fd;
    uint64_t size = 0;
    *bytes = NULL;
    int code = open_file(path, &fd, &size, diag);
    if (code != 0)
        return code;
    *count = (size_t)size;
    *bytes = malloc(*count + 1);
    if (*bytes == NULL)
        code = diag_set(diag, ERR_MEMORY, "no memory to read %s", path);
    else if (!read_at(fd, *bytes, *count, 0))
        code = diag_set(diag, ERR_IO, "cannot read %s: it changed meanwhile", path);
    close(fd);
    if (code != 0) {
        free(*bytes);
        *bytes = NULL;
    }
    return code;
}

static int moves_of(const char *path, struct tape_moves *moves, struct diag *diag)
{
    char folder[PATH_MAX];
    struct tape_moved moved;
    struct text text = text_in(folder, sizeof(folder));
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        text_add(&text, ".");
    else
        text_add(&text, "%.*s", (int)(slash - path) + 1, path);
    int code = tape_moved_read(&moved, folder, diag);
    tape_moved_of(&moved, slash == NULL ? path : slash + 1, moves);
    free(moved.lines);
    return code;
}

int tape_file_open(const char *path, struct tape_reader *reader, uint8_t **bytes, struct diag *diag)
{
    size_t count;
    struct diag why = {0};
    int code = tape_file_load(path, bytes, &count, diag);
    if (code != 0)
        return code;
    code = tape_open(reader, *bytes, count, &why);
    if (code == 0)
        code = moves_of(path, &reader->moves, &why);
    if (code == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return diag_set(diag, code, "%s: %s", path, why.text);
}

/* ---- a summary ---- */

static void count_block(struct tape_summary *summary, const struct tape_entry *block)
{
    summary->blocks++;
    if (block->kind == TAPE_GAP) {
        summary->gaps++;
        summary->lost += block->count;
        return;
    }
    int64_t first_ms = tape_moved_ms(&summary->moves, block->offset, block->first_ms);
    int64_t last_ms = tape_moved_ms(&summary->moves, block->offset, block->last_ms);
    if (summary->messages == 0 || first_ms < summary->first_ms)
        summary->first_ms = first_ms;
    if (summary->messages == 0 || last_ms > summary->last_ms)
        summary->last_ms = last_ms;
    summary->messages += block->count;
}

static bool summarise_index(struct tape_summary *summary, int fd, uint64_t salt)
{
    uint8_t trailer[TAPE_TRAILER_BYTES], head[TAPE_HEAD_BYTES];
    struct tape_block block;
    if (summary->file_bytes < TAPE_HEADER_BYTES + tape_index_bytes(0) ||
        !read_at(fd, trailer, sizeof(trailer), summary->file_bytes - sizeof(trailer)))
        return false;
    uint64_t at = tape_read_trailer(trailer, salt);
    if (at == 0 || !read_at(fd, head, sizeof(head), at) || !tape_read_head(head, &block, salt) ||
        block.kind != TAPE_INDEX || at + tape_index_bytes(block.count) != summary->file_bytes)
        return false;
    uint8_t *stored = malloc(block.stored_bytes + 1);
    bool sound = stored != NULL && read_at(fd, stored, block.stored_bytes, at + TAPE_HEAD_BYTES) &&
                 tape_sum(stored, block.stored_bytes) == block.checksum;
    for (uint32_t i = 0; sound && i < block.count; i++) {
        struct tape_entry entry;
        tape_read_entry(stored + (size_t)i * TAPE_ENTRY_BYTES, &entry);
        count_block(summary, &entry);
    }
    free(stored);
    return sound;
}

static int summarise_blocks(struct tape_summary *summary, const char *path, struct diag *diag)
{
    uint8_t *bytes;
    size_t count;
    struct tape_reader reader;
    struct tape_part part;
    int code = tape_file_load(path, &bytes, &count, diag);
    if (code != 0)
        return code;
    code = tape_open(&reader, bytes, count, diag);
    for (enum tape_step step; code == 0 && (step = tape_next(&reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK)
            count_block(summary,
                        &(struct tape_entry){part.offset, part.block.first_ms, part.block.last_ms,
                                             part.block.kind, part.block.count});
        summary->damaged_bytes += step == TAPE_DAMAGED ? part.bytes : 0;
        summary->torn_bytes += step == TAPE_TORN ? part.bytes : 0;
    }
    free(bytes);
    return code;
}

bool tape_file_header(const char *path, struct tape_header *header)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t bytes[TAPE_HEADER_BYTES];
    uint64_t salt;
    struct diag diag = {0};
    bool is_one = fd >= 0 && read(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) &&
                  tape_read_header(bytes, sizeof(bytes), header, &salt, &diag) == 0;
    if (fd >= 0)
        close(fd);
    return is_one;
}

int tape_file_summary(const char *path, struct tape_summary *summary, struct diag *diag)
{
    int fd;
    uint64_t salt;
    uint8_t header[TAPE_HEADER_BYTES];
    memset(summary, 0, sizeof(*summary));
    int code = open_file(path, &fd, &summary->file_bytes, diag);
    if (code != 0)
        return code;
    size_t bytes = summary->file_bytes < sizeof(header) ? 0 : sizeof(header);
    if (!read_at(fd, header, bytes, 0))
        code = refuse(diag, path);
    if (code == 0)
        code = tape_read_header(header, bytes, &summary->header, &salt, diag);
    if (code == 0)
        code = moves_of(path, &summary->moves, diag);
    if (code == 0)
        summary->whole = summarise_index(summary, fd, salt);
    close(fd);
    return code != 0 || summary->whole ? code : summarise_blocks(summary, path, diag);
}
