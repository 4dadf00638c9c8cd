/*
 * Work for another process: what takes long, or runs code that might not come back, and must
 * neither keep the hub waiting nor end it.
 *
 * The process is this program again, with other arguments. It reads its task from its standard
 * input and says its answer on its output; its complaints go where ours do. One works at a time,
 * CHILD_WAITING more wait, and a further one is refused. One that takes too long, or says too much,
 * is killed. Loop thread. Memory: a task and an answer each, CHILD_ANSWER_BYTES at most.
 */
#ifndef LUMBAR_IO_CHILD_H
#define LUMBAR_IO_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define CHILD_WAITING      1
#define CHILD_ANSWER_BYTES (256 * 1024)

enum child_end {
    CHILD_ANSWERED, /* it ended well: with its answer */
    CHILD_FAILED,   /* it could not be begun, or did not end well */
    CHILD_LATE,     /* it was killed */
    CHILD_STOPPED,  /* child_stop() came first */
};
typedef void child_done_cb(void *user, uint64_t ticket, enum child_end end, const char *answer,
                           size_t bytes);

struct child;

/* `arguments` are behind the program's name, NULL at the end, and lent, with their strings. */
int child_create(struct child **out, uv_loop_t *loop, const char *const *arguments,
                 unsigned patience_ms, child_done_cb *on_done, void *user, struct diag *diag);

/* Takes the task, which came from malloc. Its end is told by on_done, not before this returns.
 * False: too many wait; the task stays the caller's. */
bool child_begin(struct child *child, uint64_t ticket, char *task, size_t bytes);

struct child_stats {
    unsigned held;    /* the one that works, and those that wait: 1 + CHILD_WAITING at most */
    uint64_t refused; /* since the start */
};
void child_stats(const struct child *child, struct child_stats *out);

/* Kills, tells those that wait, and closes: then the loop runs empty. */
void child_stop(struct child *child);
void child_destroy(struct child *child); /* NULL is fine */

#endif
