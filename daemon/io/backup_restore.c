/* Put back: the store as it was, in the place of one that no hub has open. */
#include "io/backup_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "io/backup_sql.h"

#define KEPT_MOST 100 /* stores put aside in one second */

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
    int code = backup_open(path, &from, &facts, diag);
    if (code != 0)
        return code;
    unlink(part);
    to = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (to < 0)
        code = diag_set(&why, ERR_IO, "cannot write %s: %s", part, strerror(errno));
    if (code == 0)
        code = backup_verify_open(from, to, NULL, &facts, &why);
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
        code = backup_verify_alone(path, NULL, &facts, diag);
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
