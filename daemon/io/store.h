/*
 * The store: history, sessions and alarms in one SQLite file, written by one thread.
 *
 * The loop gathers into the open batch: samples (store_history), and rows of tables (store_put). A
 * batch is sealed each minute, at once where rows wait or the spool fills, and goes to the disk in
 * one synced transaction together with the place of the spool that it covers: of all messages below
 * store_position() everything is there, of the others nothing. While one batch is on its way the
 * next is gathered. What a kill left in the spool beyond that place is taken again.
 *
 * When the disk refuses, live goes on: the batch is tried again, the next one gathers while it has
 * room; after `patience_ms` the spool is let go, and what finds no place any more is counted and
 * noted as a gap. A damaged file is set aside under another name, said loudly, and a new one begun,
 * from the newest good backup (store_renew.c): then store_renewals() grows, and who knows something
 * puts it anew. What was measured follows by and by; of what the backup is too old for, the file
 * says what it lacks (store_lack()), until somebody has filled it.
 * Memory: two batches of `history_bytes` and STORE_ROWS_BYTES, reserved at open, resident as used.
 * Threads: the loop's, but for what says otherwise.
 */
#ifndef LUMBAR_IO_STORE_H
#define LUMBAR_IO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/history.h"

#define STORE_NONE       UINT64_MAX        /* no place of the spool is needed */
#define STORE_ROWS_BYTES (2 * 1024 * 1024) /* all alarms that may stand, raised at once */

struct store_options {
    const char *file;
    size_t history_bytes; /* of one batch */
    uint32_t max_devices;
    const struct drivers *drivers; /* they and the devices are borrowed */
    struct devices *devices;
    int64_t seconds_days, minutes_days; /* kept so long; 0: for ever */
    int64_t sessions_days, alarms_days; /* those that are over; 0: for ever */
    int64_t size_bytes;                 /* of the file's content; beyond it the oldest seconds go */
    int64_t patience_ms;
    const char *backups; /* folder to rebuild a damaged file from; NULL: there is none */
    /* Called before a batch is sealed: what is to be as it is at its place of the spool is put into
     * it here. NULL: nothing is. */
    void (*gather)(void *user);
    void *user;
    uint64_t ring, tail, head; /* the spool: id, oldest place, where the next message comes */
};

struct store;

/* Opens or makes the file and brings it up to date. ERR_VERSION: a newer program made it;
 * ERR_TAKEN: another hub has it ("<file>.lock" is locked). */
int store_open(struct store **out, const struct store_options *options, int64_t now_ms,
               struct diag *diag);
/* `wake` is called from the writer's thread when a batch is on the disk. */
int store_start(struct store *store, void (*wake)(void *user), void *user, struct diag *diag);
void store_limit(struct store *store, int64_t size_bytes); /* another bound on the content */

/* Messages below this place of the spool are stored; 0: nothing ever was. */
uint64_t store_position(const struct store *store);

/* Is that what was made of the message at this place? `used`: the spool says that it was used; a
 * power cut may have left it only what is older. */
bool store_has(const struct store *store, uint64_t position, bool used);

/* Where samples go now; NULL: there is no room, the message is lost to history. Ask for each. */
struct history *store_history(struct store *store);
/* Is there room, or no use in waiting for it? Else take no message before the next turn. */
bool store_can_take(const struct store *store, int64_t now_ms);
void store_lose(struct store *store, int64_t now_ms); /* counts one that found no room */

/* Seals when it is due and hands over; call after each drain and each 250 ms. `done`: all messages
 * below are in the open batch or before it; `synced`: places below are in the spool's copy, which a
 * batch never goes beyond (STORE_NONE: do not wait); `hurry`: the spool needs its places. True: it
 * sealed one just now, which waits for the copy. */
bool store_turn(struct store *store, int64_t now_ms, uint64_t done, uint64_t synced, bool hurry);

/* Seals at `done` and waits until it is on the disk, or refused. Only at start and in tests. */
bool store_flush(struct store *store, int64_t now_ms, uint64_t done);

uint64_t store_needs(const struct store *store); /* the lowest place that is still needed */
bool store_is_safe(const struct store *store);   /* the disk takes what it is given */
int64_t
store_turned_ms(const struct store *store); /* mono ms of the writer's last turn: watchdog */

/* ---- a damaged file ---- */

void store_doubt(struct store *store); /* any thread: it may be damaged, and is looked through */
unsigned store_renewals(const struct store *store); /* how often it was begun anew */
bool store_is_rebuilding(struct store *store);

/* The file that was set aside, without its folder, as long as it lies there; false: none does. */
#define STORE_NAME_BYTES 256
bool store_damaged(struct store *store, char name[STORE_NAME_BYTES]);

/* What messages the file has not, that came after `from` and up to `to`. While it is open, `to` is
 * not yet known: it ends where the first message comes that the file has not. */
struct store_lack {
    bool is_there, open;
    int64_t from_ms, to_ms;
    uint64_t alarms; /* the first number for those that were lost; 0: they are left out */
};
void store_lack(struct store *store, struct store_lack *lack);

/* All that is to be had of it is in this file, which another store made (NULL: there is nothing).
 * It is taken over by and by, and removed then. False: as store_put(). */
bool store_fill(struct store *store, const char *rebuilt);

/* The message that is taken now was received then: until a batch is sealed, the newest in it. */
void store_heard(struct store *store, int64_t received_ms);

struct store_stats {
    uint64_t batches, blocks, samples, rows; /* on the disk */
    uint64_t lost;                           /* messages that history has not */
    uint64_t failures;                       /* of the disk */
    uint64_t dropped;       /* minutes of seconds, sessions and alarms, for their age or too much */
    uint64_t content_bytes; /* of the file */
    uint32_t held_blocks, most_blocks; /* gathered of history, not yet handed to the writer */
    size_t held_row_bytes;             /* of rows, of STORE_ROWS_BYTES */
    bool at_least;                     /* there are no seconds that could go */
};
void store_stats(const struct store *store, struct store_stats *stats);

/* Seals everything at `done`, waits until it is written or refused once more, ends the thread. */
void store_stop(struct store *store, int64_t now_ms, uint64_t done);
void store_close(struct store *store);

#endif
