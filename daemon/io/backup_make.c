/* Made: the store as it is at one moment, copied beside the hub that writes it. */
#include "io/backup_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/backup_sql.h"
#include "io/store_state.h"

#define SPARE_BYTES (UINT64_C(512) << 20) /* the hub lives on that disk, too */

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
    return room->gone || backup_is_stopped(room->pace);
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
        code = backup_sum(fd, facts->bytes, -1, pace, &facts->checksum, diag);
    }
    if (code == 0) {
        backup_trailer_write(trailer, facts);
        if (!backup_write_all(fd, trailer, sizeof(trailer)) || fsync(fd) != 0)
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
    int code = backup_open(path, &fd, &base, &why);
    if (code == 0) {
        code = backup_verify_open(fd, -1, pace, &base, &why);
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
