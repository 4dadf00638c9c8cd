/*
 * Recordings of a time that the store lacks, through the real pipeline (replay.h) and into a file
 * of the store's own kind, which the store then takes over (store_fill()): what was measured, the
 * alarms that the present rules find, and each session, as its last account on the tape has it
 * (core/tape_note.h): phases, doses, pain, scores, adverse event and notes. Of a tape without one,
 * of an earlier hub, it is which room, when, and with which devices. Who was treated is on no tape,
 * but as a number; calibrations and who amended what are not.
 *
 * On a thread of its own, with a configuration, plugins, rules and devices of its own: the running
 * hub's are not touched. Which messages the store has is told by when they were received; where a
 * new run took what waited in the spool, its clock may tell another time, so those are told by what
 * they say. Loop thread, but for what says otherwise.
 */
#ifndef LUMBAR_REBUILD_H
#define LUMBAR_REBUILD_H

#include "base/err.h"
#include "io/store.h"

#define REBUILD_SLACK_MS 2000 /* so much later a message may seem in another run */

/* What a message says, as one number. */
uint64_t rebuild_sum(const char *topic, size_t topic_bytes, const uint8_t *payload,
                     size_t payload_bytes);

struct rebuild_options {
    const char *config_file, *recordings; /* borrowed until it has ended */
    const char *file;                     /* to be made; what was there is removed */
    struct store_lack lack;
    const uint64_t *taken; /* rising sums of messages that were taken already; borrowed, too */
    size_t taken_count;
    void (*wake)(void *user); /* it has ended; any thread */
    void *user;
};

struct rebuild;

int rebuild_start(struct rebuild **out, const struct rebuild_options *options, struct diag *diag);

/* Has it ended? Then what it came to: recordings that were gone through, messages that were taken,
 * and 0 or why it failed. Sessions are found in recordings that have none of those messages, too.
 */
bool rebuild_has_ended(const struct rebuild *rebuild, unsigned *tapes, uint64_t *messages,
                       struct diag *diag);
void rebuild_destroy(struct rebuild *rebuild); /* one that goes on is given up */

/* The highest number of a session that has a recording in the folder; 0: none has. */
uint64_t rebuild_newest_session(const char *recordings);

#endif
