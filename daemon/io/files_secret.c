/* Files with secrets: of whom they are, and where systemd has put them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"

#define CREDENTIAL "credential:"

static int place_of(const char *path, char out[PATH_MAX], struct diag *diag)
{
    const char *name = path + strlen(CREDENTIAL), *folder = getenv("CREDENTIALS_DIRECTORY");
    if (strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) != 0) {
        snprintf(out, PATH_MAX, "%s", path);
        return 0;
    }
    if (*name == '\0' || strchr(name, '/') != NULL || *name == '.')
        return diag_set(diag, ERR_SYNTAX, "'%s' is no name of a credential", path);
    if (folder == NULL)
        return diag_set(diag, ERR_IO, "%s: systemd has given no credentials (LoadCredential=)",
                        path);
    snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return 0;
}

/* Of the file that is open, not of the path, which may mean another one meanwhile. */
static int check_mode(int fd, const char *path, struct stat *info, struct diag *diag)
{
    if (fstat(fd, info) != 0)
        return diag_set(diag, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(info->st_mode))
        return diag_set(diag, ERR_IO, "cannot read %s: not a regular file", path);
    if ((info->st_mode & (S_IROTH | S_IWOTH)) != 0)
        return diag_set(diag, ERR_CONFLICT,
                        "%s holds a secret, and everybody on this machine may read it: chmod 0600 "
                        "or 0640",
                        path);
    if (info->st_size > FILES_SECRET_BYTES)
        return diag_set(diag, ERR_LIMIT, "cannot read %s: larger than 64 KiB", path);
    return 0;
}

/* Pages of their own, so that they can be left out of core dumps and swap. */
static char *make_room(void)
{
    void *room = mmap(NULL, FILES_SECRET_BYTES + 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return NULL;
    madvise(room, FILES_SECRET_BYTES + 1, MADV_DONTDUMP);
    mlock(room, FILES_SECRET_BYTES + 1); /* where the limit lets it */
    return room;
}

static int read_whole(int fd, const char *path, char *room, size_t bytes, struct diag *diag)
{
    size_t have = 0;
    while (have < bytes) {
        ssize_t count = read(fd, room + have, bytes - have);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return diag_set(diag, ERR_IO, "cannot read %s: %s", path,
                            count < 0 ? strerror(errno) : "it changed meanwhile");
        have += (size_t)count;
    }
    return 0;
}

int files_read_secret(const char *path, char **text, size_t *bytes, struct diag *diag)
{
    char place[PATH_MAX];
    struct stat info;
    *text = NULL;
    *bytes = 0;
    int code = place_of(path, place, diag);
    if (code != 0)
        return code;
    int fd = open(place, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    code = check_mode(fd, path, &info, diag);
    char *room = code == 0 ? make_room() : NULL;
    if (code == 0 && room == NULL)
        code = diag_set(diag, ERR_MEMORY, "cannot read %s: out of memory", path);
    else if (code == 0)
        code = read_whole(fd, path, room, (size_t)info.st_size, diag);
    close(fd);
    if (code != 0 || room == NULL) {
        files_free_secret(room, FILES_SECRET_BYTES);
        return code != 0 ? code : ERR_MEMORY;
    }
    *text = room;
    *bytes = (size_t)info.st_size;
    return 0;
}

int files_check_secret(const char *path, struct diag *diag)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return diag_set(diag, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    int code = check_mode(fd, path, &info, diag);
    close(fd);
    return code;
}

int files_read_secret_line(const char *path, char *line, size_t bytes, struct diag *diag)
{
    char *text;
    size_t count;
    int code = files_read_secret(path, &text, &count, diag);
    if (code != 0 || text == NULL)
        return code;
    size_t length = strcspn(text, "\r\n");
    if (length >= bytes)
        code = diag_set(diag, ERR_LIMIT, "the first line of %s is too long", path);
    else
        snprintf(line, bytes, "%.*s", (int)length, text);
    files_free_secret(text, count);
    return code;
}

void files_free_secret(char *text, size_t bytes)
{
    if (text == NULL)
        return;
    explicit_bzero(text, bytes);
    munmap(text, FILES_SECRET_BYTES + 1);
}
