/*
 * A device's accounting: what its own numbering and clock tell. Private to devices.c and account.c.
 */
#ifndef LUMBAR_CORE_ACCOUNT_H
#define LUMBAR_CORE_ACCOUNT_H

#include "core/devices.h"

/* Which sequences of one boot were seen. */
struct account_window {
    uint64_t first, newest;
    uint64_t whole; /* all up to here were seen, or are no longer held by the device */
    uint64_t seen[DEVICE_WINDOW / 64]; /* bit of sequence % DEVICE_WINDOW, for those near newest */
};

/* The device's clock against the hub's. */
struct account_clock {
    bool known;
    int64_t lowest[2];   /* of received - now: in this half window, in the one before */
    int64_t half_ms;     /* time heard in this half */
    int64_t settled_ms;  /* time heard since the estimate began */
    int64_t received_ms; /* of the last message */
    int64_t now_ms;      /* of the device, in its newest message that has a sequence */
};

/* "All up to this sequence is kept at or before this place of the spool." */
struct account_mark {
    uint64_t sequence, position;
};

/* What is owed to the device. Positions only grow, so a mark is on disk when the place is.
 *
 * What was heard is not always kept: while the disk refuses, the spool frees messages that never
 * were on it. Of which sequences they were nobody knows then, so of a boot that lost any, all that
 * is not yet on disk has to come again: it is a repeat to `window`, and is kept by `kept`. */
struct account_ack {
    struct account_window kept;
    struct account_mark reached; /* the newest */
    struct account_mark waiting; /* an older one, kept so that the goal does not run away */
    uint64_t first, last;        /* places of those records not yet found on disk; 0: none */
    uint64_t safe;               /* sequence that is on disk */
    uint64_t said;               /* sequence last acknowledged */
    int64_t said_ms;
    bool repeated; /* the device sends again what was acknowledged: it has not heard it */
};

/* Sequences that were heard, and of which something is not kept: see device_miss(). */
struct account_missed {
    uint64_t from, to;
    unsigned what; /* enum device_missing */
};

/* A number that is too far off to be believed alone. */
struct account_doubt {
    uint64_t sequence, held_from; /* 0: there is none */
    uint64_t position;
};

struct account_boot {
    bool known;
    bool alone; /* one message is all that is known of it */
    uint64_t id;
    struct account_window window;
    struct account_clock clock;
    struct account_ack ack;
    struct account_doubt doubt;
    struct account_missed missed[DEVICE_MISSED_MAX]; /* in the order in which they came */
    unsigned missed_count;
};

struct device_account {
    struct account_boot
        boot[2]; /* the present one, and the one before: its messages may still come */
    struct account_boot *heard; /* of the last message; NULL: it had no sequence */
    uint64_t heard_sequence;
    unsigned missing;  /* of the last message, which came again: enum device_missing */
    uint64_t given_up; /* spans of `missed` that found no place */
    bool news;         /* something was accounted that is not yet kept: account_kept.h */
    bool restored;     /* what was kept before a restart is in it */
    int64_t tokens;    /* thousandths of a message */
    int64_t tokens_ms;
};

#endif
