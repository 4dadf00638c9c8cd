#include <string.h>

#include "base/clock.h"
#include "io/store_state.h"

/*
 * What has no hurry, in steps of some milliseconds, so that a batch never waits for long: an hour
 * that is over gets its minutes, what is too old or too much goes, the log is taken into the file.
 */

#define MINUTE_MS       INT64_C(60000)
#define DAY_MINUTES     INT64_C(1440)
#define ROLLUP_LATE     2     /* minutes: so long the end of an hour may still be on its way */
#define CHECKPOINT_AT   1000  /* pages in the log: 4 MB, twenty minutes of a large clinic */
#define CHECKPOINT_MUST 8000  /* pages: readers have been holding it for long */
#define LOOK_MS         60000 /* between two looks for a damaged file that was set aside */
#define CHECK_STEPS     1000  /* of the virtual machine, between two looks whether to stop */

/* ---- an hour's minutes ---- */

/* Puts a minute's seconds into its slot of the hour: in place of what is there, or, where the
 * seconds that made it were dropped for their age, beside it. */
static int take_minute(struct store *store, int64_t minute, int64_t device, int64_t metric,
                       struct block *hour)
{
    struct block seconds;
    sqlite3_stmt *read = store_bind(&store->db, ON_SECOND_READ, "iii", minute, device, metric);
    int rc = sqlite3_step(read);
    if (rc == SQLITE_ROW && block_unpack(&seconds, sqlite3_column_blob(read, 0),
                                         (size_t)sqlite3_column_bytes(read, 0))) {
        struct bucket *slot = &hour->slots[minute % BLOCK_SLOTS], sum = block_sum(&seconds);
        if (minute < store->seconds_from)
            bucket_add(slot, &sum);
        else
            *slot = sum;
    }
    sqlite3_reset(read);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static int roll_up_series(struct store *store, int64_t hour, int64_t device, int64_t metric)
{
    struct block block = {0};
    uint8_t packed[BLOCK_MAX_BYTES];
    sqlite3_stmt *read = store_bind(&store->db, ON_MINUTE_READ, "iii", device, metric, hour);
    int rc = sqlite3_step(read);
    if (rc == SQLITE_ROW)
        block_unpack(&block, sqlite3_column_blob(read, 0), (size_t)sqlite3_column_bytes(read, 0));
    sqlite3_reset(read);
    rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
    for (int64_t minute = hour * 60; minute < hour * 60 + 60 && rc == 0; minute++)
        rc = take_minute(store, minute, device, metric, &block);
    if (rc != 0)
        return rc;
    int bytes = (int)block_pack(&block, packed);
    return store_step(
        store_bind(&store->db, ON_MINUTE_WRITE, "iiib", device, metric, hour, packed, bytes));
}

static int roll_up_hour(struct store *store, int64_t hour)
{
    sqlite3_stmt *list = store_bind(&store->db, ON_ROLLUP_SERIES, "ii", hour * 60, hour * 60 + 60);
    int rc, failed = 0;
    while (failed == 0 && (rc = sqlite3_step(list)) == SQLITE_ROW)
        failed = roll_up_series(store, hour, sqlite3_column_int64(list, 0),
                                sqlite3_column_int64(list, 1));
    sqlite3_reset(list);
    if (failed != 0 || rc != SQLITE_DONE)
        return failed != 0 ? failed : rc;
    /* What came so late is in its minutes now; its seconds' time is over. */
    int64_t end = hour * 60 + 60 < store->seconds_from ? hour * 60 + 60 : store->seconds_from;
    if (end > hour * 60)
        rc = store_step(store_bind(&store->db, ON_SECONDS_DROP, "ii", hour * 60, end));
    else
        rc = 0;
    return rc == 0 ? store_step(store_bind(&store->db, ON_ROLLUP_DONE, "i", hour)) : rc;
}

static int in_transaction(struct store *store, int (*work)(struct store *, int64_t), int64_t of)
{
    int rc = store_step(store_bind(&store->db, ON_BEGIN, ""));
    if (rc == 0)
        rc = work(store, of);
    return rc == 0 ? store_step(store_bind(&store->db, ON_COMMIT, "")) : rc;
}

/* A number that a statement gives; `none` where it gives no row, or NULL. */
static int read_number(sqlite3_stmt *statement, int64_t none, int64_t *number)
{
    int rc = sqlite3_step(statement);
    *number = none;
    if (rc == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static int roll_up(struct store *store, int64_t now_minute, bool *did)
{
    int64_t hour;
    int rc = read_number(
        store_bind(&store->db, ON_ROLLUP_NEXT, "i", (now_minute - ROLLUP_LATE) / 60), -1, &hour);
    *did = rc == 0 && hour >= 0;
    return *did ? in_transaction(store, roll_up_hour, hour) : rc;
}

/* ---- what is too old, or too much ---- */

static int drop_minute(struct store *store, int64_t minute)
{
    int rc = store_step(store_bind(&store->db, ON_OLDEST_DROP, "i", minute));
    return rc == 0 ? store_step(store_bind(&store->db, ON_SECONDS_FROM, "i", minute + 1)) : rc;
}

static int64_t ask(struct store *store, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t number = 0;
    if (sqlite3_prepare_v2(store->db.db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* What is in the file; what was dropped leaves room in it that is used again. */
static int64_t content_bytes(struct store *store)
{
    return (ask(store, "PRAGMA page_count") - ask(store, "PRAGMA freelist_count")) *
           ask(store, "PRAGMA page_size");
}

static void note_content(struct store *store, int64_t bytes, bool at_least)
{
    pthread_mutex_lock(&store->mutex);
    store->stats.content_bytes = (uint64_t)bytes;
    store->stats.at_least = at_least;
    pthread_mutex_unlock(&store->mutex);
}

/* Said where it is for their size, once for each day that is lost by it. */
static void note_dropped(struct store *store, int64_t minute, bool aged)
{
    pthread_mutex_lock(&store->mutex);
    store->stats.dropped++;
    pthread_mutex_unlock(&store->mutex);
    if (aged || minute / DAY_MINUTES == store->dropped_day)
        return;
    store->dropped_day = minute / DAY_MINUTES;
    log_notice("store: %s is as large as it may be: seconds of the day %lld days ago go, their "
               "minutes stay",
               store->file,
               (long long)(clock_wall_ms() / MINUTE_MS / DAY_MINUTES - store->dropped_day));
}

/* The oldest minute's seconds, where their hour has its minutes already. */
static int drop_seconds(struct store *store, int64_t now_minute, int64_t keep_days,
                        int64_t most_bytes, bool *did)
{
    int64_t oldest, waiting;
    *did = false;
    int rc = read_number(store_bind(&store->db, ON_OLDEST, ""), INT64_MAX, &oldest);
    if (rc == 0)
        rc = read_number(store_bind(&store->db, ON_ROLLUP_NEXT, "i", oldest / 60 + 1), INT64_MAX,
                         &waiting);
    int64_t content = content_bytes(store);
    bool none = rc == 0 && (oldest == INT64_MAX || waiting <= oldest / 60);
    note_content(store, content, none && content > most_bytes);
    if (rc != 0 || none)
        return rc;
    bool aged = oldest < now_minute - keep_days * DAY_MINUTES;
    if (!aged && content <= most_bytes)
        return 0;
    rc = in_transaction(store, drop_minute, oldest);
    if (rc == 0 && oldest + 1 > store->seconds_from)
        store->seconds_from = oldest + 1;
    if (rc == 0)
        note_dropped(store, oldest, aged);
    *did = rc == 0;
    return rc;
}

/* One value of one device a step, round and round: for each it is one range of the table. */
static int drop_minutes(struct store *store, int64_t now_minute, int64_t keep_days)
{
    if (keep_days == 0)
        return 0;
    if (store->swept_metric == 0) {
        int64_t devices = ask(store, "SELECT max(id) FROM device");
        store->swept_metric = (uint64_t)ask(store, "SELECT max(id) FROM metric");
        store->swept_device = (int64_t)store->swept_device < devices ? store->swept_device + 1 : 1;
        if (store->swept_metric == 0)
            return 0;
    }
    return store_step(store_bind(&store->db, ON_MINUTES_DROP, "iii", (int64_t)store->swept_device,
                                 (int64_t)store->swept_metric--,
                                 (now_minute - keep_days * DAY_MINUTES) / 60));
}

/* ---- the log ---- */

static int checkpoint(struct store *store)
{
    int pages = store->log_pages, done = 0;
    if (pages < CHECKPOINT_AT)
        return 0;
    int mode = pages >= CHECKPOINT_MUST ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    int rc = sqlite3_wal_checkpoint_v2(store->db.db, NULL, mode, &pages, &done);
    if (rc == SQLITE_OK && pages == done)
        store->log_pages = 0;                   /* the next batch begins it anew */
    return (rc & 0xff) == SQLITE_BUSY ? 0 : rc; /* a reader is in the way: the next time */
}

static int on_commit(void *user, sqlite3 *db, const char *name, int pages)
{
    struct store *store = user;
    (void)db, (void)name;
    store->log_pages = pages;
    return SQLITE_OK;
}

void store_watch_log(struct store *store)
{
    sqlite3_wal_hook(store->db.db, on_commit, store);
}

/* Is a damaged one still there, and is this one in doubt? One look through it at a time. */
static void look_after_file(struct store *store, int64_t wall_ms)
{
    if (wall_ms - store->looked_ms >= LOOK_MS || wall_ms < store->looked_ms) {
        store->looked_ms = wall_ms;
        store_look_aside(store);
    }
    if (store->checking && !atomic_load(&store->checked))
        return;
    if (!store->started || !atomic_exchange(&store->doubted, false))
        return;
    if (store->checking)
        pthread_join(store->checker, NULL);
    atomic_store(&store->checked, false);
    store->checking = pthread_create(&store->checker, NULL, store_check, store) == 0;
}

enum store_outcome store_upkeep(struct store *store, int64_t wall_ms, bool *more)
{
    int64_t now_minute = wall_ms / MINUTE_MS;
    *more = false;
    if (store->db.db == NULL)
        return STORE_DONE;
    if (atomic_exchange(&store->found_damage, false))
        return STORE_DAMAGED;
    look_after_file(store, wall_ms);
    pthread_mutex_lock(&store->mutex);
    int64_t seconds_days = store->seconds_days, minutes_days = store->minutes_days;
    int64_t size_bytes = store->size_bytes;
    pthread_mutex_unlock(&store->mutex);
    int rc = checkpoint(store);
    if (rc == 0)
        rc = store_scrub(store, more);
    if (rc == 0 && !*more)
        rc = store_merge_step(store, more);
    if (rc == 0 && !*more)
        rc = roll_up(store, now_minute, more);
    if (rc == 0 && !*more)
        rc = drop_seconds(store, now_minute, seconds_days, size_bytes, more);
    if (rc == 0 && !*more)
        rc = store_drop_records(store, wall_ms, more);
    if (rc == 0 && !*more)
        rc = drop_minutes(store, now_minute, minutes_days);
    if (rc != 0)
        log_warn("store: upkeep of %s has to wait: %s", store->file, sqlite3_errstr(rc));
    return store_outcome_of(rc);
}

/* ---- is it sound? ---- */

static int on_progress(void *user)
{
    struct store *store = user;
    return atomic_load(&store->check_stop);
}

/*
 * The whole file is read, which takes as long as the disk does: so a hub does it beside its work,
 * on a connection of its own, and only where the run before was killed, or the power cut, or where
 * somebody met damage. A file that was closed in order was sound then; what a disk spoils later is
 * met when it is read, at the latest by the next backup, which reads all of it.
 */
void *store_check(void *user)
{
    struct store *store = user;
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_open_v2(store->file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_progress_handler(db, CHECK_STEPS, on_progress, store);
        rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (store_outcome_of(rc) == STORE_DAMAGED ||
        (rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)) {
        log_error("store: %s: %s", store->file,
                  rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0)
                                   : sqlite3_errmsg(db));
        atomic_store(&store->found_damage, true);
    } else if (rc == SQLITE_ROW) {
        log_info("store: %s was looked through, and is sound", store->file);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    pthread_mutex_lock(&store->mutex);
    atomic_store(&store->checked, true);
    pthread_cond_signal(&store->due);
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}
