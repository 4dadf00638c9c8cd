/*
 * History as it is asked for: one value of one device, any span, in as many buckets as the screen
 * has room for, with what is not yet on the disk.
 *
 * A query runs in uv's pool, on a read-only connection of its own, and sees one moment: a batch
 * that is on its way counts once. Short spans come from seconds, long ones, and those whose seconds
 * were dropped for their age, from minutes. Where nothing was heard there is no bucket: a gap.
 * Times are UTC; a bucket begins at a multiple of the step since 1970. Memory: allocated for a
 * query, freed after the callback. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_QUERY_H
#define LUMBAR_IO_STORE_QUERY_H

#include <uv.h>

#include "io/store.h"

#define STORE_POINTS_MAX 20000

struct store_wanted {
    const char *kind, *device, *metric; /* "posture", "p-01", "lumbar_flexion" */
    int64_t from_ms, to_ms;             /* from included, to not */
    unsigned points;                    /* buckets at most, 1..STORE_POINTS_MAX */
};

struct store_point {
    int64_t from_ms;
    uint64_t count;
    double min, mean, max; /* in the metric's unit */
};

/* A span of which it was noted that messages were lost to history. */
struct store_lost {
    int64_t from_ms, to_ms;
    uint64_t messages; /* 0: their number is not known */
    char why[64];
};

#define STORE_LOST_MAX 50 /* spans in an answer, the newest */

struct store_answer {
    int code; /* 0, or why there is nothing: then words say it */
    char words[160];
    bool known;      /* somebody has heard of the device */
    int64_t step_ms; /* of a bucket: 1 s, 2 s, 5 s ... 1 min ... 1 day and multiples of it */
    const struct store_point *points; /* those that are there, in order of time */
    size_t count;
    const struct store_lost *lost;
    size_t lost_count;
};

typedef void store_answer_cb(void *user, const struct store_answer *answer);

/* `on_read` (or NULL) is called in the pool's thread, for work on the answer that the loop should
 * not be kept with; then `on_answer` from the loop, not before this returns. ERR_RANGE where the
 * span makes no sense, else 0: a name that nobody knows has an empty answer. */
int store_query(struct store *store, uv_loop_t *loop, const struct store_wanted *wanted,
                store_answer_cb *on_read, store_answer_cb *on_answer, void *user);

/* Several, one after the other in the pool's thread: the answers in the order of what was wanted.
 */
typedef void store_answers_cb(void *user, const struct store_answer *answers, unsigned count);
int store_queries(struct store *store, uv_loop_t *loop, const struct store_wanted *wanted,
                  unsigned count, store_answers_cb *on_read, store_answers_cb *on_answer,
                  void *user);

/* The same at once, in the caller's thread; for tools and tests. The answer holds until
 * store_query_free(). */
struct store_query;
struct store_query *store_query_now(struct store *store, const struct store_wanted *wanted,
                                    struct store_answer *answer);
void store_query_free(struct store_query *query);

#endif
