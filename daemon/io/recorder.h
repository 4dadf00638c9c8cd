/*
 * The recorder: a room's messages, as they came, into tapes (core/tape.h) on the disk.
 *
 * The loop gives each message once it was used, with its place in the spool; a thread of the
 * recorder's own packs, writes and syncs, a block a minute or when one is full. A tape is of one
 * session, or, where rooms are recorded without, of an hour. recorder_needs() says which places of
 * the spool must not be given away yet: what was killed between the two is given again by
 * spool_recover(), and whatever a block covers already is passed over. So each message is there
 * once. What was refused is recorded while the hub lives, but not given again.
 *
 * Memory: blocks for twice the rooms, and a few; all of it reserved at open. When none is free, or
 * the disk refuses for longer than `patience_ms`, live goes on: messages are counted as lost, and
 * their gap is noted on the tape as soon as it can be. When the hub is ended in between, the gap is
 * noted without a number.
 * Threads: the loop's, but for what says otherwise.
 */
#ifndef LUMBAR_IO_RECORDER_H
#define LUMBAR_IO_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RECORDER_NONE UINT64_MAX /* recorder_needs(): nothing */

struct recorder_options {
    const char *folder;        /* made if it is not there */
    unsigned rooms;            /* as many as may be recorded at a time */
    int64_t days;              /* finished tapes are kept so long, */
    uint64_t size_bytes;       /* and so much of them, the oldest going first */
    int64_t patience_ms;       /* so long the disk may refuse before the spool is let go */
    uint64_t ring, tail, head; /* the spool: id, oldest place, where the next message comes */
};

struct recorder_stats {
    uint64_t messages, lost;           /* written; counted as lost */
    uint64_t blocks, bytes;            /* written */
    uint64_t failures;                 /* of the disk */
    uint64_t kept_bytes;               /* in the folder, when it was last looked at */
    unsigned held_blocks, most_blocks; /* being filled, or on their way to the disk */
    uint64_t removed;                  /* recordings that were too old, or too many */
    unsigned tracks, most_tracks;      /* rooms, and those that a reload took away */
    uint64_t tracks_refused;           /* rooms that found no place, and are not recorded */
};

struct recorder;

/* Takes up what a run before left: a torn tail is cut off, and said. ERR_TAKEN: another hub has the
 * folder. */
int recorder_open(struct recorder **out, const struct recorder_options *options, struct diag *diag);
int recorder_start(struct recorder *recorder, struct diag *diag);

/* The rooms that there are, room 1 first; tapes of others end. Again after each reload. */
void recorder_rooms(struct recorder *recorder, const char *const *names, unsigned count);
void recorder_keep(struct recorder *recorder, int64_t days, uint64_t size_bytes);

struct recorder_message {
    unsigned room;    /* from 1 */
    uint64_t session; /* 0: of none */
    const char *topic;
    size_t topic_bytes;
    const uint8_t *payload;
    size_t payload_bytes;
    int64_t received_ms; /* hub time */
    uint64_t position;   /* in the spool */
    bool again;          /* it was used by a run before */
    bool patient;        /* rather wait for a free block than lose it */
};

/* False: there is no place for it. It is counted as lost, and may be given again when it comes
 * again. */
bool recorder_take(struct recorder *recorder, const struct recorder_message *message);

/* The room's tape ends, if it has one. */
void recorder_end(struct recorder *recorder, unsigned room);

/* Hands over what is old enough, and ends tapes that hear nothing; call every 250 ms or so. */
void recorder_tick(struct recorder *recorder, int64_t now_ms);

/* Hands over everything: the spool needs its places. Not while blocks wait for the disk already:
 * more of them, nearly empty, would not be written sooner, and then none is free. */
void recorder_flush(struct recorder *recorder);

/* The spool's places below it are on disk. A block that goes beyond is not yet written: after a
 * power cut its messages would come again, for the spool does not know them. RECORDER_NONE: do not
 * wait, as before the first call. */
void recorder_synced(struct recorder *recorder, uint64_t below);

/* The lowest place of the spool that is still needed. `unwritten` (NULL: not wanted) gets the
 * lowest that is not on a tape yet, though nobody waits for the disk any more. */
uint64_t recorder_needs(struct recorder *recorder, uint64_t *unwritten);

bool recorder_is_safe(struct recorder *recorder);            /* the disk takes what it is given */
int64_t recorder_turned_ms(const struct recorder *recorder); /* mono: its thread's last turn */
void recorder_stats(struct recorder *recorder, struct recorder_stats *stats);

/* Hands over everything, and waits until it is written (or refused once more); tapes stay open for
 * the next run. */
void recorder_stop(struct recorder *recorder);
void recorder_close(struct recorder *recorder);

#endif
