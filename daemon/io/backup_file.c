#include "io/backup_parts.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/backup_sql.h"
#include "io/store_state.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define PREFIX      "lumbar-"
#define WHOLE       ".backup"
#define CHANGES     ".changes"
#define STAMP       "20261126T064500Z"
#define STAMP_BYTES (sizeof(STAMP) - 1)
#define FORMAT      1 /* of a whole one; of changes, */
#define OF_CHANGES  2
#define PIECE       65536

/* ---- names ---- */

void backup_name_write(char out[BACKUP_NAME_BYTES], int64_t made_ms, bool changes)
{
    time_t seconds = (time_t)(made_ms / 1000);
    struct tm utc;
    char stamp[32];
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &utc));
    snprintf(out, BACKUP_NAME_BYTES, PREFIX "%.20s%s", stamp, changes ? CHANGES : WHOLE);
}

bool backup_name_parse(struct backup_name *name, const char *file)
{
    struct tm utc = {0};
    char again[BACKUP_NAME_BYTES];
    *name = (struct backup_name){.bytes = 0};
    if (strlen(file) < strlen(PREFIX STAMP) || strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
        strptime(file + strlen(PREFIX), "%Y%m%dT%H%M%SZ", &utc) == NULL)
        return false;
    name->made_ms = (int64_t)timegm(&utc) * 1000;
    name->changes = strcmp(file + strlen(PREFIX STAMP), CHANGES) == 0;
    backup_name_write(again, name->made_ms, name->changes);
    memcpy(name->file, again, sizeof(again));
    return strcmp(again, file) == 0;
}

static int by_time(const void *a, const void *b)
{
    const struct backup_name *left = a, *right = b;
    return (left->made_ms > right->made_ms) - (left->made_ms < right->made_ms);
}

static bool add_name(struct backup_name **list, size_t *count, const struct backup_name *name)
{
    struct backup_name *grown = realloc(*list, (*count + 1) * sizeof(**list));
    if (grown == NULL)
        return false;
    *list = grown;
    grown[(*count)++] = *name;
    return true;
}

int backup_folder_list(const char *folder, struct backup_name **list, size_t *count,
                       struct diag *diag)
{
    *list = NULL;
    *count = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL && errno == ENOENT)
        return 0;
    if (entries == NULL)
        return diag_set(diag, ERR_IO, "cannot read the folder of backups %s: %s", folder,
                        strerror(errno));
    bool room = true;
    for (const struct dirent *entry; room && (entry = readdir(entries)) != NULL;) {
        struct backup_name name;
        struct stat status;
        if (!backup_name_parse(&name, entry->d_name) ||
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        name.bytes = (uint64_t)status.st_size;
        room = add_name(list, count, &name);
    }
    closedir(entries);
    if (*count > 0)
        qsort(*list, *count, sizeof(**list), by_time);
    if (room)
        return 0;
    free(*list);
    *list = NULL;
    *count = 0;
    return diag_set(diag, ERR_MEMORY, "no memory to list the folder of backups");
}

/* ---- the trailer: magic 0, format 8, schema 12, made 16, heard 24, bytes 32, sum 40, version 48,
 * base made 80, its sum 88, its own checksum 120 ---- */

static const char magic[8] = {'L', 'U', 'M', 'B', 'A', 'K', 'U', 'P'};

static void put(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

static uint64_t get(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

void backup_trailer_write(uint8_t out[BACKUP_TRAILER_BYTES], const struct backup_facts *facts)
{
    memset(out, 0, BACKUP_TRAILER_BYTES);
    memcpy(out, magic, sizeof(magic));
    put(out + 8,
        (facts->base_ms != 0 ? OF_CHANGES : FORMAT) | (uint64_t)(unsigned)facts->schema << 32);
    put(out + 16, (uint64_t)facts->made_ms);
    put(out + 24, (uint64_t)facts->heard_ms);
    put(out + 32, facts->bytes);
    put(out + 40, facts->checksum);
    memcpy(out + 48, facts->version, strnlen(facts->version, sizeof(facts->version) - 1));
    put(out + 80, (uint64_t)facts->base_ms);
    put(out + 88, facts->base);
    put(out + 120, XXH3_64bits(out, 120));
}

static int read_trailer(const uint8_t in[BACKUP_TRAILER_BYTES], uint64_t file_bytes,
                        struct backup_facts *facts, struct diag *diag)
{
    if (memcmp(in, magic, sizeof(magic)) != 0)
        return diag_set(diag, ERR_MALFORMED, "it is no backup, or its end is missing");
    if (get(in + 120) != XXH3_64bits(in, 120))
        return diag_set(diag, ERR_MALFORMED, "it is damaged: its trailer is not what was written");
    uint64_t format = get(in + 8) & UINT32_MAX;
    if (format != FORMAT && format != OF_CHANGES)
        return diag_set(diag, ERR_VERSION, "it is of a format that this version does not read");
    *facts = (struct backup_facts){
        .schema = (int)(get(in + 8) >> 32),
        .made_ms = (int64_t)get(in + 16),
        .heard_ms = (int64_t)get(in + 24),
        .bytes = get(in + 32),
        .checksum = get(in + 40),
    };
    if (format == OF_CHANGES) {
        facts->base_ms = (int64_t)get(in + 80);
        facts->base = get(in + 88);
        if (facts->base_ms == 0)
            return diag_set(diag, ERR_MALFORMED, "it is damaged: it does not say of what it tells");
    }
    memcpy(facts->version, in + 48, sizeof(facts->version) - 1);
    if (facts->bytes + BACKUP_TRAILER_BYTES != file_bytes)
        return diag_set(diag, ERR_MALFORMED, "it is damaged: its size is not what was written");
    if (facts->schema > store_file_version())
        return diag_set(diag, ERR_VERSION,
                        "it was made by a newer version of Lumbar (%s, schema %d; this one knows "
                        "up to %d)",
                        facts->version, facts->schema, store_file_version());
    return 0;
}

/* ---- reading ---- */

int backup_open(const char *path, int *fd, struct backup_facts *facts, struct diag *diag)
{
    struct stat status;
    struct diag why = {0};
    uint8_t trailer[BACKUP_TRAILER_BYTES];
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe in its place hangs nobody */
    if (*fd < 0)
        return diag_set(diag, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    int code = 0;
    if (fstat(*fd, &status) != 0 || !S_ISREG(status.st_mode))
        code = diag_set(&why, ERR_MALFORMED, "it is no file");
    else if (status.st_size < BACKUP_TRAILER_BYTES ||
             pread(*fd, trailer, sizeof(trailer), status.st_size - BACKUP_TRAILER_BYTES) !=
                 BACKUP_TRAILER_BYTES)
        code = diag_set(&why, ERR_MALFORMED, "it is no backup, or its end is missing");
    else
        code = read_trailer(trailer, (uint64_t)status.st_size, facts, &why);
    if (code == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return diag_set(diag, code, "%s: %s", path, why.text);
}

int backup_read(const char *path, struct backup_facts *facts, struct diag *diag)
{
    int fd;
    int code = backup_open(path, &fd, facts, diag);
    if (code == 0)
        close(fd);
    return code;
}

int backup_base(const char *path, const struct backup_facts *facts, char base[PATH_MAX],
                struct diag *diag)
{
    char name[BACKUP_NAME_BYTES];
    struct backup_facts found;
    base[0] = '\0';
    if (facts->base_ms == 0)
        return 0;
    const char *slash = strrchr(path, '/');
    backup_name_write(name, facts->base_ms, false);
    if (snprintf(base, PATH_MAX, "%.*s%s", slash != NULL ? (int)(slash + 1 - path) : 0, path,
                 name) >= PATH_MAX)
        return diag_set(diag, ERR_LIMIT, "the path of %s is too long", path);
    if (access(base, F_OK) != 0)
        return diag_set(diag, ERR_UNKNOWN,
                        "%s tells what has changed since %s, which is not beside it", path, name);
    int code = backup_read(base, &found, diag);
    if (code == 0 && (found.checksum != facts->base || found.schema != facts->schema))
        code = diag_set(diag, ERR_UNKNOWN,
                        "%s tells what has changed since another %s than is beside it", path, name);
    return code;
}

bool backup_is_stopped(const struct backup_pace *pace)
{
    return pace != NULL && pace->stop(pace->user);
}

bool backup_write_all(int fd, const uint8_t *bytes, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t wrote = write(fd, bytes + done, count - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

int backup_sum(int fd, uint64_t bytes, int to, const struct backup_pace *pace, uint64_t *sum,
               struct diag *diag)
{
    uint8_t *piece = malloc(PIECE);
    XXH3_state_t *state = XXH3_createState();
    int code = piece == NULL || state == NULL ? diag_set(diag, ERR_MEMORY, "no memory") : 0;
    if (code == 0)
        XXH3_64bits_reset(state);
    for (uint64_t at = 0; code == 0 && at < bytes;) {
        size_t most = bytes - at < PIECE ? (size_t)(bytes - at) : PIECE;
        ssize_t have = pread(fd, piece, most, (off_t)at);
        if (have < 0 && errno == EINTR)
            continue;
        if (backup_is_stopped(pace))
            code = diag_set(diag, ERR_LIMIT, "it was ended");
        else if (have <= 0)
            code = diag_set(diag, ERR_IO, "cannot be read: %s",
                            have == 0 ? "it ends too soon" : strerror(errno));
        else if (to >= 0 && !backup_write_all(to, piece, (size_t)have))
            code = diag_set(diag, ERR_IO, "cannot be copied: %s", strerror(errno));
        else
            XXH3_64bits_update(state, piece, (size_t)have);
        at += have > 0 ? (uint64_t)have : 0;
    }
    if (code == 0)
        *sum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(piece);
    return code;
}

int backup_verify_open(int fd, int to, const struct backup_pace *pace,
                       const struct backup_facts *facts, struct diag *diag)
{
    uint64_t sum;
    int code = backup_sum(fd, facts->bytes, to, pace, &sum, diag);
    if (code == 0 && sum != facts->checksum)
        code = diag_set(diag, ERR_MALFORMED, "it is damaged: its checksum is another one");
    return code;
}

/* ---- verified ---- */

int backup_verify_alone(const char *path, const struct backup_pace *pace,
                        struct backup_facts *facts, struct diag *diag)
{
    int fd;
    struct diag why = {0};
    struct backup_facts seen = {0};
    int code = backup_open(path, &fd, facts, diag);
    if (code != 0)
        return code;
    code = backup_verify_open(fd, -1, pace, facts, &why);
    close(fd);
    if (code == 0)
        code = backup_sql_check(path, pace, &seen, &why);
    if (code == 0 && seen.schema != facts->schema)
        code = diag_set(&why, ERR_MALFORMED, "its trailer is that of another one");
    return code == 0 ? 0 : diag_set(diag, code, "%s: %s", path, why.text);
}

int backup_verify(const char *path, const struct backup_pace *pace, struct backup_facts *facts,
                  struct diag *diag)
{
    char base[PATH_MAX];
    struct backup_facts of_base;
    int code = backup_verify_alone(path, pace, facts, diag);
    if (code == 0)
        code = backup_base(path, facts, base, diag);
    return code == 0 && base[0] != '\0' ? backup_verify_alone(base, pace, &of_base, diag) : code;
}

int backup_rules(const char *path, char **rules, struct diag *diag)
{
    struct diag why = {0};
    int code = backup_sql_rules(path, rules, &why);
    return code == 0 ? 0 : diag_set(diag, code, "%s: %s", path, why.text);
}
