/*
 * What is inside the store: shared by store*.c only.
 */
#ifndef LUMBAR_IO_STORE_STATE_H
#define LUMBAR_IO_STORE_STATE_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/log.h"
#include "io/store.h"
#include "io/store_rows.h"

/* ---- the file (store_file.c) ---- */

enum store_outcome { STORE_DONE, STORE_REFUSED, STORE_DAMAGED };

enum store_statement {
    ON_BEGIN,
    ON_COMMIT,
    ON_ROLLBACK,
    ON_MARK, /* the place of the spool */
    ON_MARK_READ,
    ON_DEVICE_ADD,
    ON_DEVICE_FIND,
    ON_METRIC_ADD,
    ON_METRIC_FIND,
    ON_SECOND_READ,
    ON_SECOND_WRITE,
    ON_ROLLUP_ADD,
    ON_GAP,
    ON_ROLLUP_NEXT,
    ON_ROLLUP_SERIES,
    ON_ROLLUP_DONE,
    ON_MINUTE_READ,
    ON_MINUTE_WRITE,
    ON_OLDEST,
    ON_OLDEST_DROP,
    ON_SECONDS_DROP, /* of one hour that was added to its minutes */
    ON_SECONDS_FROM,
    ON_MINUTES_DROP,
    ON_STATEMENTS_
};

struct store_db {
    sqlite3 *db;
    sqlite3_stmt *statements[ON_STATEMENTS_];
    sqlite3_stmt *puts[STORE_TABLES_];
};

/* What the file says of the spool. */
struct store_mark {
    uint64_t ring, position, batch;
    int64_t sealed_ms;
    bool clean;           /* the run before was ended, not killed */
    int64_t seconds_from; /* minute: seconds before it were dropped for their age */
    int64_t heard_ms;     /* when the newest message was received that is in it; 0: not known */
};

int store_file_open(struct store_db *db, const char *file, struct diag *diag);
/* Only for reading, before anything else has it; where there is none, db->db is NULL. */
int store_file_open_full(struct store_db *db, const char *file, struct diag *diag);
void store_file_close(struct store_db *db);
int store_file_migrate(sqlite3 *db, const char *file, struct diag *diag); /* store_schema.c */
int store_file_version(void); /* that this program makes of each */
/* A connection that only reads, and sees one moment: for the pool's threads. *db is to be closed
 * whatever it gives, with what the reading came to: where that is damage, the store is looked
 * through. */
int store_read_open(sqlite3 **db, const struct store *store);
int store_read_open_file(sqlite3 **db, const char *file);
void store_read_close(sqlite3 *db, struct store *store, int rc);
int store_file_set_aside(const char *file, const char *why, struct diag *diag);
enum store_outcome store_outcome_of(int code);

/* A prepared statement, reset and bound: 'i' int64_t, 'd' double, 't' text and bytes (int), 'b'
 * blob and bytes (int). */
sqlite3_stmt *store_bind(struct store_db *db, enum store_statement which, const char *types, ...);
int store_step(sqlite3_stmt *statement); /* one that gives no row: 0, or SQLite's code */
int store_read_mark(struct store_db *db, struct store_mark *mark);

/* ---- rows (store_rows.c) ---- */

struct store_rows {
    unsigned char *bytes;
    size_t used;
    unsigned count;
};

int store_rows_prepare(struct store_db *db);
int store_rows_write(struct store_db *db, const struct store_rows *rows);
/* Any connection; SQLITE_DONE, or what went wrong. */
int store_rows_read(sqlite3 *db, enum store_table table, const char *where, store_row_cb *each,
                    void *user);

/* ---- erasing a client; the writer's ---- */

/* In the transaction of a batch (store_erase.c). */
int store_erase_client(struct store_db *db, int64_t client, int64_t at_ms);
/* A step of upkeep towards that no copy is left of it (store_scrub.c). *more: there is further
 * work. */
int store_scrub(struct store *store, bool *more);

/* ---- a batch ---- */

struct store_gap {
    int64_t from_ms, to_ms;
    uint64_t messages; /* 0: their number is not known */
    const char *why;
};

struct store_batch {
    struct history *history;
    struct store_rows rows;
    uint64_t number, position;
    int64_t begun_ms, sealed_ms;
    int64_t heard_ms;     /* when its newest message was received; 0: nobody knows */
    struct store_gap gap; /* why NULL: none */
    uint32_t devices;     /* names up to this one are known */
    bool clean;           /* the last of a run */
};

/* A device's name and its key in the file; written by the loop before a batch names it. */
struct store_device {
    char kind[LUMBAR_NAME_MAX + 1], name[DEVICE_NAME_BYTES];
    int64_t key; /* the writer's; 0: not yet looked for */
};

struct store {
    struct store_options options;
    char file[PATH_MAX], backups[PATH_MAX];
    int lock; /* keeps other hubs from the file; -1: there is none */
    struct store_batch batches[2];
    struct store_batch *open; /* the loop's */
    bool sealed;              /* the other batch waits for the spool's copy: the loop's */
    int64_t rows_sealed_ms, sealed_at_ms;
    uint64_t position; /* of the newest batch on the disk */
    bool another;      /* the run before had another spool: of what waits in this one it had none */
    struct store_gap losing;
    int64_t heard_ms; /* store_heard() */
    bool lack_open;   /* the first message that comes ends what the file lacks; the loop's */
    uint64_t lost, refused_rows;
    uint64_t erased; /* number of the last batch that erases somebody; the loop's */
    struct log_limit complaint, rows_complaint;

    struct store_device *devices; /* by id - 1 */

    /* The writer's. */
    struct store_db db;
    int64_t *metrics; /* keys in the file, by number through all drivers; 0: not yet looked for */
    uint32_t *order;  /* of the blocks of a batch */
    int64_t seconds_from;
    int log_pages; /* of the write-ahead log */
    uint64_t swept_device, swept_metric;
    int64_t reported_ms, looked_ms;
    int64_t dropped_day; /* of which seconds went last for their size; since 1970 */
    struct store_merge *merge; /* NULL: none is under way */

    pthread_t thread, checker;
    bool full; /* the disk refused when the file was opened: the writer tries again */
    _Atomic bool started;
    bool checking;        /* the run before was killed, and the file is looked through */
    _Atomic bool checked; /* it has ended */
    _Atomic bool check_stop, found_damage, doubted;
    void (*wake)(void *user);
    void *wake_user;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t due, finished;
    struct store_batch *job; /* handed over; NULL when the writer is done with it */
    bool stop, given_up;
    int64_t seconds_days, minutes_days, size_bytes;
    struct store_stats stats;
    struct store_lack lack;
    char aside[STORE_NAME_BYTES]; /* the damaged file; "": there is none */

    _Atomic uint64_t committed;  /* number of the newest batch on the disk */
    _Atomic uint64_t scrubbed;   /* of what batches up to this one erased, no copy is left */
    _Atomic int64_t refusing_ms; /* mono: since when the disk refuses; 0: it does not */
    _Atomic int64_t turned_ms;
    _Atomic int64_t stored_heard_ms; /* of the newest batch on the disk */
    _Atomic unsigned renewals;
    _Atomic bool merging;
    _Atomic uint64_t filled; /* number of the batch that says with what the lack is filled */
    _Atomic uint64_t merged; /* all that batches up to this one noted is taken over */
};

/* Where the other batch is. */
static inline struct store_batch *store_other(const struct store *store)
{
    return (struct store_batch *)(store->open == &store->batches[0] ? &store->batches[1]
                                                                    : &store->batches[0]);
}

/* ---- a damaged file (store_renew.c, store_merge.c); the writer's, and before it runs ---- */

/* Sets the file aside and begins a new one. */
int store_begin_anew(struct store *store, const char *why, struct diag *diag);
/* That it lacks what came after; to what was last on the disk, or, before it runs, to what comes
 * first. Where the file is another one, numbers of alarms are left for those of that time. */
int store_note_lack(struct store *store, int64_t from_ms, bool renewed);
void store_read_lack(struct store *store);
void store_look_aside(struct store *store);                      /* is a damaged file there? */
void store_close_lack(struct store *store, int64_t received_ms); /* the loop's */
int store_run_sql(sqlite3 *db, const char *format, ...);         /* of sqlite3_mprintf() */
/* Some rows more of another file; *more: there may be further ones. */
int store_merge_step(struct store *store, bool *more);
void store_merge_close(struct store *store);

/* ---- the writer (store_write.c, store_upkeep.c) ---- */

void *store_run(void *user);
void store_undo(struct store *store); /* what a failed transaction left */
/* One small step of what has no hurry: hours of minutes, age, size, checkpoint. *more: there is
 * further work. */
void *store_check(void *user);             /* the checker */
void store_watch_log(struct store *store); /* after each open of the file */
enum store_outcome store_upkeep(struct store *store, int64_t wall_ms, bool *more);
/* Sessions and alarms that are too old, some of them (store_ages.c). */
int store_drop_records(struct store *store, int64_t wall_ms, bool *more);

#endif
