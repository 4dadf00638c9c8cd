#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS 500000000L
#define NAP_NS  5000000L

/* A killed program's child may hold the lock a moment longer than its parent lived: it dies of the
 * parent's death, but not at once. */
static int try_lock(int fd)
{
    int rc = flock(fd, LOCK_EX | LOCK_NB);
    for (int naps = 0; rc != 0 && errno == EWOULDBLOCK && naps < WAIT_NS / NAP_NS; naps++) {
        nanosleep(&(struct timespec){0, NAP_NS}, NULL);
        rc = flock(fd, LOCK_EX | LOCK_NB);
    }
    return rc;
}

int lock_take(int fd, const char *what, struct diag *diag)
{
    if (try_lock(fd) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return diag_set(diag, ERR_TAKEN, "%s is in use by another program", what);
    return diag_set(diag, ERR_IO, "cannot lock %s: %s", what, strerror(errno));
}

int lock_beside(const char *file, int *fd, struct diag *diag)
{
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%s.lock", file);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (*fd < 0)
        return diag_set(diag, ERR_IO, "cannot make %s: %s", name, strerror(errno));
    int code = lock_take(*fd, file, diag);
    if (code != 0) {
        close(*fd);
        *fd = -1;
    }
    return code;
}
