/*
 * Sessions that are over, by room, client and time, a page at a time, the newest first.
 *
 * Read in uv's pool on a read-only connection of its own. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_PAST_H
#define LUMBAR_IO_STORE_PAST_H

#include <uv.h>

#include "core/course.h"
#include "io/store.h"

#define STORE_PAST_MAX 200 /* in an answer */

struct store_past_wanted {
    uint64_t client;        /* its number; 0: anybody */
    const char *room;       /* its name (a label); NULL: any */
    const char *rooms;      /* names of those that may be told of, a line each; NULL: all */
    int64_t from_ms, to_ms; /* of when it was opened; to not included */
    uint64_t before;        /* its number is below this one */
    unsigned most;          /* 1..STORE_PAST_MAX */
};

struct store_past {
    int code; /* 0, or why there is nothing: then words say it */
    char words[160];
    struct course_session *sessions; /* goes with the call; doses are not read */
    uint64_t *clients;               /* the client's number of each, 0: nobody */
    size_t count;
    bool more; /* there are older ones */
};

typedef void store_past_cb(void *user, const struct store_past *past);

/* `on_past` is called from the loop, not before this returns. 0, or ERR_MEMORY. */
int store_past(struct store *store, uv_loop_t *loop, const struct store_past_wanted *wanted,
               store_past_cb *on_past, void *user);

#endif
