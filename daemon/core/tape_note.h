/*
 * Notes on a tape: what the hub knew when it judged a room's messages. A replay needs it to judge
 * them in the same way, anywhere and with other rules.
 *
 * A note is a message among the others, whose topic begins with '$': no device's does. It is
 * written when what it says has changed, and each minute, so that a part of a tape is enough.
 * Directly behind a message and of the same time, it says what held already when that one was
 * judged. Its payload is JSON; it names no person.
 *
 *   $session   the session of the room: phase, limits of the plan that hold now, the client's own
 *              ranges, as rules ask for them
 *   $neutral   a device's zero, as ingest takes it off its angles
 *   $account   all that the store has of the session (io/session_text.h): what a database is
 *              rebuilt from, and no replay needs. It is longer than a message may be, so it comes
 *              in pieces, a note each: a line with the session, the piece's number from 0 and how
 *              many there are, and then a piece of the JSON. The last one that is whole holds.
 *
 * Pure; believes nothing that it reads.
 */
#ifndef LUMBAR_CORE_TAPE_NOTE_H
#define LUMBAR_CORE_TAPE_NOTE_H

#include "base/text.h"
#include "core/calibration.h"
#include "core/derive.h"
#include "core/sessions.h"
#include "core/tape_pack.h"

#define NOTE_SESSION  "$session"
#define NOTE_NEUTRAL  "$neutral"
#define NOTE_ACCOUNT  "$account"
#define NOTE_PIECE    8192 /* bytes of it in one note */
#define NOTE_EACH_MS  60000
#define NOTE_BYTES    4096
#define NOTE_ENDS_MAX PLAN_BANDS_MAX

struct note_ends {
    uint32_t metric;  /* number through all drivers */
    double low, high; /* NaN: open to this side */
};

struct note_session {
    struct derive_session session;
    bool running;      /* not paused */
    const char *phase; /* its kind, of core/plan.h; "" between phases */
    struct note_ends limits[NOTE_ENDS_MAX], own[NOTE_ENDS_MAX];
    uint32_t limit_count, own_count;
};

bool note_is(const struct tape_message *message, const char *note); /* NULL: any note */

/* The session that the room has now. */
void note_write_session(struct text *out, const struct sessions *sessions, uint32_t room,
                        const struct drivers *drivers);
void note_write_neutral(struct text *out, const struct device *device,
                        const struct neutral_zero *zero);

/* A piece of an account; the text is within the message. */
struct note_account {
    uint64_t session;
    unsigned part, parts;
    const char *text;
    size_t bytes;
};
void note_write_account(struct text *out, const struct note_account *piece);
bool note_read_account(struct note_account *out, const struct tape_message *message);

/* False: it cannot be read. Metrics that the drivers do not have are passed over. */
bool note_read_session(struct note_session *out, const struct tape_message *message,
                       const struct drivers *drivers);

/* Whose zero it is is put into `driver` and `name`; its taken_ms is 0 where there is none. */
bool note_read_neutral(struct neutral_zero *out, const struct tape_message *message,
                       const struct drivers *drivers, const struct driver **driver,
                       char name[DEVICE_NAME_BYTES]);

/* Of the ends of this metric, the one to a side; false: there is none. */
bool note_find(const struct note_ends *list, uint32_t count, uint32_t metric, double *low,
               double *high);

#endif
