/*
 * What was measured, out of another file of the same kind (a backup, or what was rebuilt from
 * recordings) into the store's own: some rows at a time, so that no batch waits. Where the store
 * has something of the same minute already, both are one. How far it came is noted in the
 * transaction of each step (table merge), so a kill costs nothing.
 *
 * Names of devices and metrics have other numbers there. Before anything is taken of a backup, it
 * is read whole against its checksum, by a thread of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/backup_file.h"
#include "io/backup_sql.h"
#include "io/store_state.h"

#define STEP_ROWS 1000 /* some milliseconds */
#define KEYS_MAX  100000

enum stage { VERIFY, SECONDS, MINUTES, DONE };

struct store_merge {
    char path[PATH_MAX];
    bool records; /* it has sessions and alarms that the store has not */
    enum stage stage;
    int64_t at[3]; /* the key of the last row */
    sqlite3 *db;
    int64_t *devices, *metrics; /* our keys, by theirs */
    int64_t device_count, metric_count;

    pthread_t verifier;
    bool verifying;
    _Atomic bool stop;
    _Atomic int verified; /* 0: not yet; 1: it is sound; below: the code */
    struct diag why;      /* the verifier's until it has said that it is done */
};

void store_merge_close(struct store *store)
{
    struct store_merge *merge = store->merge;
    if (merge == NULL)
        return;
    atomic_store(&merge->stop, true);
    if (merge->verifying)
        pthread_join(merge->verifier, NULL);
    sqlite3_close(merge->db);
    free(merge->devices);
    free(merge->metrics);
    free(merge);
    store->merge = NULL;
}

/* ---- whose numbers ---- */

static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static int find_key(sqlite3_stmt *bound, int64_t *key)
{
    int rc = sqlite3_step(bound);
    if (rc == SQLITE_ROW)
        *key = sqlite3_column_int64(bound, 0);
    sqlite3_reset(bound);
    return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int learn_device(struct store *store, sqlite3_stmt *from, int64_t *key)
{
    const char *kind = (const char *)sqlite3_column_text(from, 1);
    const char *name = (const char *)sqlite3_column_text(from, 2);
    int rc = store_step(store_bind(&store->db, ON_DEVICE_ADD, "tt", kind, name));
    return rc == 0 ? find_key(store_bind(&store->db, ON_DEVICE_FIND, "tt", kind, name), key) : rc;
}

static int learn_metric(struct store *store, sqlite3_stmt *from, int64_t *key)
{
    const char *kind = (const char *)sqlite3_column_text(from, 1);
    const char *name = (const char *)sqlite3_column_text(from, 2);
    const char *unit = (const char *)sqlite3_column_text(from, 3);
    double min = sqlite3_column_double(from, 4), step = sqlite3_column_double(from, 5);
    int rc =
        store_step(store_bind(&store->db, ON_METRIC_ADD, "tttdd", kind, name, unit, min, step));
    return rc == 0 ? find_key(store_bind(&store->db, ON_METRIC_FIND, "ttdd", kind, name, min, step),
                              key)
                   : rc;
}

/* Our key of each of theirs, 0 where they have none. What cannot be read of the source is noted,
 * and says nothing of our own file. */
static int learn(struct store *store, const char *most, const char *all,
                 int (*one)(struct store *store, sqlite3_stmt *from, int64_t *key), int64_t **keys,
                 int64_t *count)
{
    sqlite3_stmt *list;
    *count = number_of(store->merge->db, most);
    if (*count < 0 || *count > KEYS_MAX) {
        store->merge->why.code = SQLITE_CORRUPT;
        return SQLITE_OK;
    }
    *keys = calloc((size_t)*count + 1, sizeof(**keys));
    if (*keys == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_prepare_v2(store->merge->db, all, -1, &list, NULL), failed = 0;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(list);
        int64_t id = rc == SQLITE_ROW ? sqlite3_column_int64(list, 0) : 0;
        if (id > 0 && id <= *count && (failed = one(store, list, *keys + id)) != 0)
            break;
    }
    sqlite3_finalize(list);
    if (failed == 0 && rc != SQLITE_DONE)
        store->merge->why.code = rc;
    return failed;
}

static int learn_all(struct store *store)
{
    struct store_merge *merge = store->merge;
    int rc = store_step(store_bind(&store->db, ON_BEGIN, ""));
    if (rc == 0)
        rc = learn(store, "SELECT coalesce(max(id), 0) FROM device",
                   "SELECT id, kind, name FROM device", learn_device, &merge->devices,
                   &merge->device_count);
    if (rc == 0)
        rc = learn(store, "SELECT coalesce(max(id), 0) FROM metric",
                   "SELECT id, kind, name, unit, min, step FROM metric", learn_metric,
                   &merge->metrics, &merge->metric_count);
    return rc == 0 ? store_step(store_bind(&store->db, ON_COMMIT, "")) : rc;
}

/* ---- is it whole? ---- */

static bool is_stopped(void *user)
{
    struct store_merge *merge = user;
    return atomic_load(&merge->stop);
}

static void *verify(void *user)
{
    struct store_merge *merge = user;
    struct backup_facts facts;
    const struct backup_pace pace = {is_stopped, merge};
    int code = backup_verify(merge->path, &pace, &facts, &merge->why);
    atomic_store(&merge->verified, code == 0 ? 1 : code);
    return NULL;
}

static int begin_verify(struct store_merge *merge)
{
    if (merge->records) { /* this hub has just made it */
        atomic_store(&merge->verified, 1);
        return 0;
    }
    merge->verifying = pthread_create(&merge->verifier, NULL, verify, merge) == 0;
    return merge->verifying ? 0 : SQLITE_NOMEM;
}

/* ---- begin, go on ---- */

/* Of a backup that tells changes only, the rest is in its base. */
static int join_base(struct store_merge *merge)
{
    struct backup_facts facts;
    char base[PATH_MAX];
    struct diag why = {0};
    if (merge->records) /* it is no backup */
        return SQLITE_OK;
    if (backup_read(merge->path, &facts, &why) != 0 ||
        backup_base(merge->path, &facts, base, &why) != 0)
        return SQLITE_CANTOPEN;
    return base[0] != '\0' ? backup_sql_view(merge->db, base) : SQLITE_OK;
}

static int open_source(struct store *store)
{
    struct store_merge *merge = store->merge;
    int rc =
        sqlite3_open_v2(merge->path, &merge->db,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = join_base(merge);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(merge->db, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON", NULL,
                          NULL, NULL);
    if (rc != SQLITE_OK)
        merge->why.code = rc;
    return rc == SQLITE_OK ? learn_all(store) : SQLITE_OK;
}

/* The first that is noted; NULL where there is none. */
static int begin(struct store *store)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(store->db.db,
                                "SELECT path, records, stage, a, b, c FROM merge ORDER BY rowid"
                                " LIMIT 1",
                                -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW && (store->merge = calloc(1, sizeof(*store->merge))) != NULL) {
        struct store_merge *merge = store->merge;
        snprintf(merge->path, sizeof(merge->path), "%s", sqlite3_column_text(statement, 0));
        merge->records = sqlite3_column_int(statement, 1) != 0;
        merge->stage = (enum stage)sqlite3_column_int(statement, 2);
        for (int i = 0; i < 3; i++)
            merge->at[i] = sqlite3_column_int64(statement, 3 + i);
    }
    sqlite3_finalize(statement);
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
    return store->merge == NULL ? SQLITE_NOMEM : begin_verify(store->merge);
}

static int note(struct store *store)
{
    const struct store_merge *merge = store->merge;
    return store_run_sql(store->db.db,
                         "UPDATE merge SET stage = %d, a = %lld, b = %lld, c = %lld"
                         " WHERE path = %Q",
                         (int)merge->stage, (long long)merge->at[0], (long long)merge->at[1],
                         (long long)merge->at[2], merge->path);
}

static int next_stage(struct store *store)
{
    struct store_merge *merge = store->merge;
    merge->stage++;
    memset(merge->at, 0, sizeof(merge->at));
    return note(store);
}

static int end(struct store *store, const char *how)
{
    struct store_merge *merge = store->merge;
    int rc = store_run_sql(store->db.db, "DELETE FROM merge WHERE path = %Q", merge->path);
    if (rc != SQLITE_OK)
        return rc;
    log_line(*how == '\0' ? LOG_NOTICE : LOG_ERROR_, "store: %s of %s is in the history%s%s",
             *how == '\0' ? "all" : "not all", merge->path, *how != '\0' ? ": " : "", how);
    if (merge->records)
        unlink(merge->path);
    store_merge_close(store);
    return SQLITE_OK;
}

/* ---- rows ---- */

static int read_block(sqlite3_stmt *read, struct block *block, bool *found)
{
    int rc = sqlite3_step(read);
    *found = rc == SQLITE_ROW && block_unpack(block, sqlite3_column_blob(read, 0),
                                              (size_t)sqlite3_column_bytes(read, 0));
    sqlite3_reset(read);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

/* Of an hour that this makes another one, the minutes are made anew. */
static int take_second(struct store *store, int64_t minute, int64_t device, int64_t metric,
                       struct block *block)
{
    struct block ours;
    uint8_t packed[BLOCK_MAX_BYTES];
    bool found;
    int rc = read_block(store_bind(&store->db, ON_SECOND_READ, "iii", minute, device, metric),
                        &ours, &found);
    if (rc != 0)
        return rc;
    if (found)
        block_add(block, &ours);
    int bytes = (int)block_pack(block, packed);
    rc = store_step(
        store_bind(&store->db, ON_SECOND_WRITE, "iiib", minute, device, metric, packed, bytes));
    if (rc == 0 && (found || store->merge->records))
        rc = store_step(store_bind(&store->db, ON_ROLLUP_ADD, "i", minute / 60));
    return rc;
}

/* What seconds say is made of them later; where those were dropped for their age, both count. */
static int take_minute(struct store *store, int64_t hour, int64_t device, int64_t metric,
                       struct block *block)
{
    struct block ours = {0};
    uint8_t packed[BLOCK_MAX_BYTES];
    bool found;
    int rc = read_block(store_bind(&store->db, ON_MINUTE_READ, "iii", device, metric, hour), &ours,
                        &found);
    if (rc != 0)
        return rc;
    for (unsigned i = 0; found && i < BLOCK_SLOTS; i++) {
        if (block->slots[i].count == 0)
            block->slots[i] = ours.slots[i];
        else if (hour * 60 + i < store->seconds_from)
            bucket_add(&block->slots[i], &ours.slots[i]);
    }
    int bytes = (int)block_pack(block, packed);
    return store_step(
        store_bind(&store->db, ON_MINUTE_WRITE, "iiib", device, metric, hour, packed, bytes));
}

static int64_t ours_of(const int64_t *keys, int64_t count, int64_t theirs)
{
    return theirs > 0 && theirs <= count ? keys[theirs] : 0;
}

static int take_row(struct store *store, sqlite3_stmt *row)
{
    struct store_merge *merge = store->merge;
    struct block block;
    bool seconds = merge->stage == SECONDS;
    for (int i = 0; i < 3; i++)
        merge->at[i] = sqlite3_column_int64(row, i);
    /* minute, device, metric; or device, metric, hour: as their keys are */
    int64_t time = merge->at[seconds ? 0 : 2];
    int64_t device = ours_of(merge->devices, merge->device_count, merge->at[seconds ? 1 : 0]);
    int64_t metric = ours_of(merge->metrics, merge->metric_count, merge->at[seconds ? 2 : 1]);
    if (device == 0 || metric == 0 ||
        !block_unpack(&block, sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3)))
        return 0; /* it belongs to nothing, or is damaged: what was ours already stays */
    return seconds ? take_second(store, time, device, metric, &block)
                   : take_minute(store, time, device, metric, &block);
}

static int take_rows(struct store *store, bool *any)
{
    static const char *const texts[] = {
        [SECONDS] = "SELECT minute, device, metric, block FROM second"
                    " WHERE (minute, device, metric) > (?1, ?2, ?3) ORDER BY 1, 2, 3 LIMIT ?4",
        [MINUTES] = "SELECT device, metric, hour, block FROM minute"
                    " WHERE (device, metric, hour) > (?1, ?2, ?3) ORDER BY 1, 2, 3 LIMIT ?4",
    };
    struct store_merge *merge = store->merge;
    sqlite3_stmt *rows;
    *any = false;
    int failed = 0, rc = sqlite3_prepare_v2(merge->db, texts[merge->stage], -1, &rows, NULL);
    for (int i = 0; rc == SQLITE_OK && i < 3; i++)
        rc = sqlite3_bind_int64(rows, i + 1, merge->at[i]);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int(rows, 4, STEP_ROWS);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        *any |= rc == SQLITE_ROW;
        if (rc == SQLITE_ROW && (failed = take_row(store, rows)) != 0)
            break;
    }
    sqlite3_finalize(rows);
    /* What cannot be read of the source says nothing of our own file. */
    if (failed == 0 && rc != SQLITE_DONE)
        merge->why.code = rc;
    return failed;
}

/* ---- sessions and alarms that were rebuilt ---- */

/* A session is its client's where that one is known (STORE_WHOSE). Alarms get numbers that nobody
 * has, from the first one that was left for them (0: none are taken); and are over. */
static const char take_sql[] =
    "CREATE TEMP TABLE fresh AS SELECT id FROM old.session"
    "  WHERE id NOT IN (SELECT id FROM main.session);"
    "INSERT INTO main.session SELECT * FROM old.session WHERE id IN (SELECT id FROM fresh);"
    "INSERT OR IGNORE INTO main.session_device SELECT * FROM old.session_device"
    "  WHERE session IN (SELECT id FROM fresh);"
    "INSERT OR IGNORE INTO main.session_phase SELECT * FROM old.session_phase"
    "  WHERE session IN (SELECT id FROM fresh);"
    "INSERT OR IGNORE INTO main.session_note SELECT * FROM old.session_note"
    "  WHERE session IN (SELECT id FROM fresh);"
    "CREATE TEMP TABLE whose (it INTEGER PRIMARY KEY, id INTEGER);"
    "INSERT OR IGNORE INTO whose"
    "  SELECT " STORE_WHOSE_SQL ", id FROM main.client;"
    "UPDATE main.session SET client = (SELECT id FROM whose WHERE it = client)"
    "  WHERE id IN (SELECT id FROM fresh);"
    "CREATE TEMP TABLE risen AS SELECT * FROM old.alarm;"
    "CREATE TEMP TABLE turned AS SELECT * FROM old.alarm_transition;"
    "DELETE FROM risen WHERE %lld < 0; DELETE FROM turned WHERE %lld < 0;"
    "UPDATE risen SET number = number + %lld, presence = 0, state = 0, shelved_until_ms = NULL;"
    "UPDATE turned SET alarm = alarm + %lld;"
    "DELETE FROM turned WHERE alarm IN (SELECT number FROM main.alarm);"
    "INSERT OR IGNORE INTO main.alarm SELECT * FROM risen;"
    "INSERT OR IGNORE INTO main.alarm_transition SELECT * FROM turned;"
    "DROP TABLE fresh; DROP TABLE whose; DROP TABLE risen; DROP TABLE turned;";

/* With the next stage in one transaction: none of it is taken twice. */
static int take_records(struct store *store)
{
    sqlite3 *db = store->db.db;
    int64_t base = store->merge->at[0] - 1;
    int rc = store_run_sql(db, "ATTACH %Q AS old", store->merge->path);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, take_sql, (long long)base, (long long)base, (long long)base,
                           (long long)base);
    if (rc == SQLITE_OK)
        rc = next_stage(store);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "COMMIT");
    if (rc != SQLITE_OK)
        log_error("store: sessions and alarms of %s cannot be taken: %s", store->merge->path,
                  sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db))
        store_run_sql(db, "ROLLBACK");
    store_run_sql(db, "DETACH old");
    return rc;
}

/* ---- a step ---- */

static int first_step(struct store *store)
{
    struct store_merge *merge = store->merge;
    int verified = atomic_load(&merge->verified);
    if (verified == 0)
        return 0;
    if (verified < 0)
        return end(store, merge->why.text);
    return merge->records ? take_records(store) : next_stage(store);
}

static int row_step(struct store *store)
{
    bool any = true;
    struct store_merge *merge = store->merge;
    int rc = merge->db == NULL ? open_source(store) : 0;
    if (rc == 0 && merge->why.code != 0)
        return end(store, sqlite3_errstr(merge->why.code));
    if (rc == 0)
        rc = store_step(store_bind(&store->db, ON_BEGIN, ""));
    if (rc == 0)
        rc = take_rows(store, &any);
    if (rc == 0)
        rc = any ? note(store) : next_stage(store);
    if (rc == 0)
        rc = store_step(store_bind(&store->db, ON_COMMIT, ""));
    if (rc == 0 && merge->why.code != 0)
        return end(store, sqlite3_errstr(merge->why.code));
    return rc;
}

int store_merge_step(struct store *store, bool *more)
{
    uint64_t committed = atomic_load(&store->committed);
    int rc = store->merge == NULL ? begin(store) : 0;
    struct store_merge *merge = store->merge;
    *more = false;
    if (rc == 0 && merge != NULL) {
        *more = true;
        rc = merge->stage == VERIFY ? first_step(store)
             : merge->stage == DONE ? end(store, "")
                                    : row_step(store);
    }
    /* What a transaction that failed has noted is not so: it is begun anew from what the file says.
     */
    if (rc != 0)
        store_merge_close(store);
    if (rc == 0 && merge == NULL) /* of all that was noted up to then, nothing is left */
        atomic_store(&store->merged, committed);
    atomic_store(&store->merging, rc != 0 || merge != NULL);
    return rc;
}
