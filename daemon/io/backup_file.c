#include "io/backup_file.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
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
#define KEPT_MOST   100                   /* stores put aside in one second */
#define SPARE_BYTES (UINT64_C(512) << 20) /* the hub lives on that disk, too */

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

static void write_trailer(uint8_t out[BACKUP_TRAILER_BYTES], const struct backup_facts *facts)
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

static int open_backup(const char *path, int *fd, struct backup_facts *facts, struct diag *diag)
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
    int code = open_backup(path, &fd, facts, diag);
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

static bool is_stopped(const struct backup_pace *pace)
{
    return pace != NULL && pace->stop(pace->user);
}

static bool write_all(int fd, const uint8_t *bytes, size_t count)
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

/* Sums the first bytes of a file, and copies them where there is somewhere to (-1: there is not).
 */
static int sum_bytes(int fd, uint64_t bytes, int to, const struct backup_pace *pace, uint64_t *sum,
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
        if (is_stopped(pace))
            code = diag_set(diag, ERR_LIMIT, "it was ended");
        else if (have <= 0)
            code = diag_set(diag, ERR_IO, "cannot be read: %s",
                            have == 0 ? "it ends too soon" : strerror(errno));
        else if (to >= 0 && !write_all(to, piece, (size_t)have))
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

/* Is every byte what was written? They go to `to` as well, where there is somewhere to (-1). */
static int verify_open(int fd, int to, const struct backup_pace *pace,
                       const struct backup_facts *facts, struct diag *diag)
{
    uint64_t sum;
    int code = sum_bytes(fd, facts->bytes, to, pace, &sum, diag);
    if (code == 0 && sum != facts->checksum)
        code = diag_set(diag, ERR_MALFORMED, "it is damaged: its checksum is another one");
    return code;
}

/* ---- made ---- */

/* How much has to stay free while one is made, and how it goes. */
struct room {
    const char *folder;
    const struct backup_pace *pace; /* who else may end it; NULL: nobody */
    uint64_t spare;
    bool gone;
};

static uint64_t free_bytes(const char *folder)
{
    struct statvfs disk;
    return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

static int say_full(uint64_t left, uint64_t needed, struct diag *diag)
{
    return diag_set(diag, ERR_FULL, "%llu MiB are left there, and %llu are needed",
                    (unsigned long long)(left >> 20), (unsigned long long)(needed >> 20) + 1);
}

/* How large changes become is not known before they are written: of them only the spare is. */
static int check_room(struct room *room, const char *store, bool changes, struct diag *diag)
{
    struct stat status;
    if (stat(store, &status) != 0)
        return diag_set(diag, ERR_IO, "%s", strerror(errno));
    uint64_t bytes = (uint64_t)status.st_size, left = free_bytes(room->folder);
    room->spare = bytes < SPARE_BYTES ? bytes : SPARE_BYTES;
    uint64_t needed = room->spare + (changes ? 0 : bytes);
    return left >= needed ? 0 : say_full(left, needed, diag);
}

static bool on_room(void *user)
{
    struct room *room = user;
    room->gone = free_bytes(room->folder) < room->spare;
    return room->gone || is_stopped(room->pace);
}

/* What lies there is sound: so says its trailer from now on. */
static int seal(const char *part, int64_t now_ms, const struct backup_pace *pace,
                struct backup_facts *facts, struct diag *diag)
{
    struct stat status;
    uint8_t trailer[BACKUP_TRAILER_BYTES];
    int code = backup_sql_check(part, pace, facts, diag);
    if (code != 0)
        return code;
    int fd = open(part, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        code = diag_set(diag, ERR_IO, "%s", strerror(errno));
    } else {
        facts->made_ms = now_ms;
        facts->bytes = (uint64_t)status.st_size;
        snprintf(facts->version, sizeof(facts->version), "%s", LUMBAR_VERSION);
        code = sum_bytes(fd, facts->bytes, -1, pace, &facts->checksum, diag);
    }
    if (code == 0) {
        write_trailer(trailer, facts);
        if (!write_all(fd, trailer, sizeof(trailer)) || fsync(fd) != 0)
            code = diag_set(diag, ERR_IO, "%s", strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return code;
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Whether it is what it was is seen each time: what is told of a base that is damaged is lost. */
static int check_base(const char *path, const struct backup_pace *pace, struct backup_facts *facts,
                      struct diag *diag)
{
    int fd;
    struct diag why = {0};
    struct backup_facts base;
    int code = open_backup(path, &fd, &base, &why);
    if (code == 0) {
        code = verify_open(fd, -1, pace, &base, &why);
        close(fd);
    }
    if (code == ERR_LIMIT)
        return diag_set(diag, code, "%s", why.text);
    if (code != 0)
        return diag_set(diag, ERR_UNKNOWN, "its base cannot be used: %s", why.text);
    if (base.base_ms != 0 || base.schema != store_file_version())
        return diag_set(diag, ERR_UNKNOWN, "its base is of another version");
    facts->base_ms = base.made_ms;
    facts->base = base.checksum;
    return 0;
}

static int copy_store(const char *store, const char *folder, const struct backup_name *base,
                      const char *part, const struct backup_pace *pace, struct backup_facts *facts,
                      struct diag *diag)
{
    char path[PATH_MAX];
    unlink(part); /* what a kill left: it must be empty */
    if (base == NULL)
        return backup_sql_copy(store, part, pace, diag);
    snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - BACKUP_NAME_BYTES - 1, folder, base->file);
    int code = check_base(path, pace, facts, diag);
    return code == 0 ? backup_sql_changes(store, path, part, pace, diag) : code;
}

int backup_make(const char *store, const char *rules, const char *folder,
                const struct backup_name *base, int64_t now_ms, const struct backup_pace *pace,
                struct backup_name *made, struct diag *diag)
{
    char part[PATH_MAX], path[PATH_MAX];
    struct backup_facts facts = {0};
    struct diag why = {0};
    struct room room = {.folder = folder, .pace = pace};
    const struct backup_pace within = {on_room, &room};
    *made = (struct backup_name){.made_ms = now_ms / 1000 * 1000, .changes = base != NULL};
    backup_name_write(made->file, now_ms, base != NULL);
    if (snprintf(path, sizeof(path), "%s/%s", folder, made->file) >= (int)sizeof(path) - 5)
        return diag_set(diag, ERR_LIMIT, "the path of %s is too long", folder);
    snprintf(part, sizeof(part), "%.*s.part", PATH_MAX - 6, path);
    int code = mkdir(folder, 0750) != 0 && errno != EEXIST
                   ? diag_set(&why, ERR_IO, "%s", strerror(errno))
                   : check_room(&room, store, base != NULL, &why);
    if (code == 0)
        code = copy_store(store, folder, base, part, &within, &facts, &why);
    if (code == 0 && rules != NULL)
        code = backup_sql_put_rules(part, rules, &why);
    if (code == ERR_LIMIT && room.gone) {
        why = (struct diag){0};
        code = say_full(free_bytes(folder), room.spare, &why);
    }
    if (code == 0)
        code = seal(part, now_ms, pace, &facts, &why);
    if (code == 0 && rename(part, path) != 0)
        code = diag_set(&why, ERR_IO, "%s", strerror(errno));
    if (code != 0) {
        unlink(part);
        return diag_set(diag, code, "no backup in %s: %s", folder, why.text);
    }
    sync_folder(folder);
    made->bytes = facts.bytes + BACKUP_TRAILER_BYTES;
    return 0;
}

/* ---- verified, restored ---- */

static int verify_file(const char *path, const struct backup_pace *pace, struct backup_facts *facts,
                       struct diag *diag)
{
    int fd;
    struct diag why = {0};
    struct backup_facts seen = {0};
    int code = open_backup(path, &fd, facts, diag);
    if (code != 0)
        return code;
    code = verify_open(fd, -1, pace, facts, &why);
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
    int code = verify_file(path, pace, facts, diag);
    if (code == 0)
        code = backup_base(path, facts, base, diag);
    return code == 0 && base[0] != '\0' ? verify_file(base, pace, &of_base, diag) : code;
}

int backup_rules(const char *path, char **rules, struct diag *diag)
{
    struct diag why = {0};
    int code = backup_sql_rules(path, rules, &why);
    return code == 0 ? 0 : diag_set(diag, code, "%s: %s", path, why.text);
}

/* The owner of the folder owns what is in it, whoever puts it there. */
static bool give_to_owner(int fd, const char *store)
{
    char folder[PATH_MAX];
    struct stat of_folder, of_file;
    snprintf(folder, sizeof(folder), "%s", store);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    if (stat(slash != NULL ? folder : ".", &of_folder) != 0 || fstat(fd, &of_file) != 0)
        return false;
    return (of_folder.st_uid == of_file.st_uid && of_folder.st_gid == of_file.st_gid) ||
           fchown(fd, of_folder.st_uid, of_folder.st_gid) == 0;
}

/* Verified as it is copied. */
static int copy_back(const char *path, const char *part, const char *store, struct diag *diag)
{
    int from, to;
    struct backup_facts facts;
    struct diag why = {0};
    int code = open_backup(path, &from, &facts, diag);
    if (code != 0)
        return code;
    unlink(part);
    to = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (to < 0)
        code = diag_set(&why, ERR_IO, "cannot write %s: %s", part, strerror(errno));
    if (code == 0)
        code = verify_open(from, to, NULL, &facts, &why);
    if (code == 0 && !give_to_owner(to, store))
        code = diag_set(&why, ERR_IO, "cannot write %s: %s", part, strerror(errno));
    if (to >= 0)
        close(to);
    close(from);
    return code == 0 ? 0 : diag_set(diag, code, "%s: %s", path, why.text);
}

static int sync_file(const char *path, struct diag *diag)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int code = fd >= 0 && fsync(fd) == 0
                   ? 0
                   : diag_set(diag, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return code;
}

/* What the store was: the base, and what had changed since. Looked through where it lies then. */
static int put_together(const char *path, const char *part, const char *store, struct diag *diag)
{
    char base[PATH_MAX];
    struct backup_facts facts, seen = {0};
    struct diag why = {0};
    int code = backup_read(path, &facts, diag);
    if (code == 0)
        code = backup_base(path, &facts, base, diag);
    if (code == 0 && base[0] != '\0')
        code = verify_file(path, NULL, &facts, diag);
    if (code == 0)
        code = copy_back(base[0] != '\0' ? base : path, part, store, diag);
    if (code != 0)
        return code;
    if (base[0] != '\0')
        code = backup_sql_apply(path, part, &why);
    if (code == 0)
        code = backup_sql_strip(part, &why);
    if (code == 0)
        code = sync_file(part, &why);
    if (code == 0)
        code = backup_sql_check(part, NULL, &seen, &why);
    return code == 0 ? 0 : diag_set(diag, code, "%s: %s", path, why.text);
}

/* Under a name that says when, and the how manieth of that second; no link of it is ever lost. */
static int keep_aside(const char *store, char kept[PATH_MAX], struct diag *diag)
{
    long long now = (long long)(clock_wall_ms() / 1000);
    for (unsigned i = 1; i <= KEPT_MOST; i++) {
        int length = snprintf(kept, PATH_MAX, "%s.before-%lld", store, now);
        if (i > 1 && length < PATH_MAX)
            length += snprintf(kept + length, PATH_MAX - (size_t)length, "-%u", i);
        if (length >= PATH_MAX)
            return diag_set(diag, ERR_LIMIT, "the path of %s is too long", store);
        if (link(store, kept) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return diag_set(diag, ERR_IO, "cannot keep %s as %s: %s", store, kept, strerror(errno));
}

/* The log goes first: it is of the old file, and would be taken for the new one's. */
static int exchange(const char *part, const char *store, char kept[PATH_MAX], struct diag *diag)
{
    static const char *const logs[] = {"-wal", "-shm"};
    char from[PATH_MAX + 8], to[PATH_MAX + 8];
    kept[0] = '\0';
    int code = access(store, F_OK) == 0 ? keep_aside(store, kept, diag) : 0;
    for (unsigned i = 0; code == 0 && i < sizeof(logs) / sizeof(logs[0]); i++) {
        snprintf(from, sizeof(from), "%s%s", store, logs[i]);
        snprintf(to, sizeof(to), "%s%s", kept[0] != '\0' ? kept : store, logs[i]);
        if ((kept[0] != '\0' ? rename(from, to) : unlink(from)) != 0 && errno != ENOENT)
            code = diag_set(diag, ERR_IO, "cannot put %s aside: %s", from, strerror(errno));
    }
    if (code == 0 && rename(part, store) != 0)
        code = diag_set(diag, ERR_IO, "cannot write %s: %s", store, strerror(errno));
    return code;
}

int backup_restore(const char *path, const char *store, char kept[PATH_MAX], struct diag *diag)
{
    char part[PATH_MAX];
    int lock;
    kept[0] = '\0';
    if (snprintf(part, sizeof(part), "%s.restored", store) >= (int)sizeof(part))
        return diag_set(diag, ERR_LIMIT, "the path of %s is too long", store);
    int code = lock_beside(store, &lock, diag);
    if (code == 0) {
        give_to_owner(lock, store); /* where it cannot be, the copy cannot either */
        code = put_together(path, part, store, diag);
        if (code == 0)
            code = exchange(part, store, kept, diag);
        if (code != 0)
            unlink(part);
        close(lock);
    }
    return code;
}
