/*
 * Locks that keep a second program from files of ours: advisory ones (flock), which the system
 * takes back when we are killed. Any thread.
 */
#ifndef LUMBAR_BASE_LOCK_H
#define LUMBAR_BASE_LOCK_H

#include "base/err.h"

/* Locks what is open, a file or a folder, until it is closed. ERR_TAKEN: another program has it;
 * `what` is named in the sentence. */
int lock_take(int fd, const char *what, struct diag *diag);

/* Locks "<file>.lock", which is made if need be and stays, for a file that others replace or lock
 * in ways of their own. *fd is what to close at the end, -1 where there is no lock. ERR_TAKEN as
 * above; ERR_IO: it cannot be made. */
int lock_beside(const char *file, int *fd, struct diag *diag);

#endif
