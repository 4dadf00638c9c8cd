/*
 * A client's sessions and tests over a span, as they are kept: for the course (core/course.h).
 *
 * Read in uv's pool on a read-only connection of its own. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_COURSE_H
#define LUMBAR_IO_STORE_COURSE_H

#include <uv.h>

#include "core/course.h"
#include "io/store.h"

#define STORE_COURSE_MAX 2000 /* sessions; of more, the newest. As many tests of range */

struct store_course {
    int code; /* 0, or why there is nothing: then words say it */
    char words[160];
    struct course course; /* its lists go with the call */
    bool more;            /* there are older ones */
};

typedef void store_course_cb(void *user, const struct store_course *course);

/* Of the client of this number, what was opened in [from, to). `on_read` is called in the pool's
 * thread, for work that the loop should not be kept with; then `on_course` from the loop, not
 * before this returns. 0, or ERR_MEMORY. */
int store_course(struct store *store, uv_loop_t *loop, uint64_t client, int64_t from_ms,
                 int64_t to_ms, const struct drivers *drivers, const struct body *body,
                 store_course_cb *on_read, store_course_cb *on_course, void *user);

#endif
