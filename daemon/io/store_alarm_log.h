/*
 * What became of alarms: each that was raised in a span, with its transitions, as they are kept.
 *
 * Read in uv's pool on a read-only connection of its own; what waits in the open batch is not yet
 * seen. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_ALARM_LOG_H
#define LUMBAR_IO_STORE_ALARM_LOG_H

#include <uv.h>

#include "core/alarms.h"
#include "io/store.h"

#define STORE_LOG_ROOM_BYTES 64

/* Which ones: the newest first, `limit` of them at most. Copied. */
struct store_log_wish {
    int64_t from_ms, to_ms;  /* raised in [from, to) */
    uint64_t before;         /* with a lower number; 0: whichever */
    const char *room, *rule; /* of this name only; NULL: of all */
    const char *rooms;       /* of those only: a name a line; NULL: of all, and of none */
    uint32_t limit;
};

struct store_log_alarm {
    uint64_t number;
    const char *rule, *kind, *device, *room, *metric; /* room: "" of none */
    enum rule_priority priority;                      /* as it was last, escalated or not */
    enum alarm_state state;
    bool technical;
    int64_t raised_ms, since_ms; /* since: of its presence as it is */
    double value, worst;         /* NaN: none */
    uint32_t escalated;
};

struct store_log_transition {
    int64_t at_ms;
    const char *what;      /* alarm_deed_word() */
    const char *who, *why; /* "" of nobody */
};

/* Called in the pool, in order: each alarm, then its transitions, the oldest first. Strings go with
 * the call. */
struct store_log_reader {
    void (*on_alarm)(void *user, const struct store_log_alarm *alarm);
    void (*on_transition)(void *user, const struct store_log_transition *transition);
    /* From the loop, not before store_alarm_log() returns. `next`: what to give as `before` for
     * more; 0: there is none. `words`: why they cannot be read; NULL: they were. */
    void (*on_end)(void *user, uint64_t next, const char *words);
    void *user;
};

/* 0, or ERR_MEMORY. */
int store_alarm_log(struct store *store, uv_loop_t *loop, const struct store_log_wish *wish,
                    const struct store_log_reader *reader);

#endif
