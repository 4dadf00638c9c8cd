/*
 * Pauses: for a short time a room calls nobody.
 *
 * AUDIO paused: screens make no sound for it; an alarm that begins there ends it. ALARM paused: its
 * alarms are shown and call nobody at all, by no sound and no flashing, they grow no more urgent and
 * nobody outside is told. That an alarm is acknowledged is a third thing, and the alarm's own.
 * A pause ends by itself. Time is given. Memory: the struct, zeroed: nothing is paused. Pure.
 */
#ifndef LUMBAR_CORE_PAUSES_H
#define LUMBAR_CORE_PAUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/alarms.h"
#include "core/config.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 600000

enum pause_kind { PAUSE_AUDIO, PAUSE_ALARM, PAUSE_KINDS_ };

struct pauses {
    struct pause {
        int64_t until_ms; /* 0: it is not */
        struct alarm_hand hand;
    } rooms[CONFIG_ROOMS_MAX + 1][PAUSE_KINDS_]; /* by the room's number, from 1 */
    uint64_t change;                             /* grows with each change */
};

const char *pause_word(enum pause_kind kind); /* "audio", "alarm" */
bool pause_find(const char *word, enum pause_kind *kind);

/* Begins one, or another in its place. */
void pauses_begin(struct pauses *pauses, uint32_t room, enum pause_kind kind, int64_t now_ms,
                  int64_t until_ms, const char *who);
bool pauses_end(struct pauses *pauses, uint32_t room, enum pause_kind kind); /* false: it was not */
bool pauses_has(const struct pauses *pauses, uint32_t room, enum pause_kind kind);

/* Ends what is over; on_end is called for each, after it. */
typedef void pauses_end_cb(void *user, uint32_t room, enum pause_kind kind);
void pauses_tick(struct pauses *pauses, int64_t now_ms, pauses_end_cb *on_end, void *user);

/* Another configuration: each goes on in the room of its name, or ends with it. */
void pauses_adopt(struct pauses *pauses, const struct config *old, const struct config *config);

#endif
