/*
 * Erasing a client: all rows go in the transaction of their batch, and what was measured of the
 * devices in the sessions is taken out of its blocks. Copies that SQLite left of them elsewhere in
 * the file go afterwards (store_scrub.c).
 */
#include <stdio.h>
#include <string.h>

#include "io/store_state.h"

#define MINUTE_MS INT64_C(60000)

/* ---- statements that are rare ---- */

static int run(sqlite3 *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int run(sqlite3 *db, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *sql = sqlite3_vmprintf(format, values);
    va_end(values);
    int rc = sql != NULL ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc;
}

/* ---- what was measured ---- */

struct stay {
    int64_t device, from_ms, to_ms;
};

/* Is nothing of it left? */
static bool is_empty(const struct block *block)
{
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        if (block->slots[i].count > 0)
            return false;
    return true;
}

static int put_second(struct store_db *db, int64_t minute, int64_t device, int64_t metric,
                      const struct block *block)
{
    uint8_t packed[BLOCK_MAX_BYTES];
    if (is_empty(block))
        return run(db->db,
                   "DELETE FROM second WHERE minute = %lld AND device = %lld AND metric = %lld",
                   (long long)minute, (long long)device, (long long)metric);
    int bytes = (int)block_pack(block, packed);
    return store_step(
        store_bind(db, ON_SECOND_WRITE, "iiib", minute, device, metric, packed, bytes));
}

/* SQLITE_ROW, SQLITE_DONE with an empty block where there is none, or what is wrong. One that
 * cannot be read is empty: there is nothing in it to be left. */
static int read_block(sqlite3_stmt *read, struct block *block)
{
    int rc = sqlite3_step(read);
    memset(block, 0, sizeof(*block));
    if (rc == SQLITE_ROW &&
        !block_unpack(block, sqlite3_column_blob(read, 0), (size_t)sqlite3_column_bytes(read, 0)))
        memset(block, 0, sizeof(*block));
    sqlite3_reset(read);
    return rc;
}

/* Into an empty block where there is none. */
static int get_second(struct store_db *db, int64_t minute, int64_t device, int64_t metric,
                      struct block *block)
{
    sqlite3_stmt *read = store_bind(db, ON_SECOND_READ, "iii", minute, device, metric);
    int rc = read_block(read, block);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

/* A minute that lies in the stay in part: its seconds of the stay go. */
static int cut_minute(struct store_db *db, const struct stay *stay, int64_t minute, int64_t metric)
{
    struct block block;
    int rc = get_second(db, minute, stay->device, metric, &block);
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        int64_t at_ms = minute * MINUTE_MS + i * INT64_C(1000);
        if (at_ms + 1000 > stay->from_ms && at_ms < stay->to_ms)
            block.slots[i] = (struct bucket){.count = 0};
    }
    return rc == 0 ? put_second(db, minute, stay->device, metric, &block) : rc;
}

/* Minute by minute: the rows of a span are mostly those of others. */
static int drop_between(struct store_db *db, const struct stay *stay, int64_t first, int64_t last)
{
    return run(db->db,
               "WITH RECURSIVE whole(minute) AS"
               " (SELECT %lld UNION ALL SELECT minute + 1 FROM whole WHERE minute < %lld)"
               " DELETE FROM second WHERE minute IN (SELECT minute FROM whole) AND device = %lld",
               (long long)first, (long long)last, (long long)stay->device);
}

static int cut_seconds(struct store_db *db, const struct stay *stay, int64_t metrics)
{
    int64_t first = stay->from_ms / MINUTE_MS, last = (stay->to_ms - 1) / MINUTE_MS;
    int rc = last - first > 1 ? drop_between(db, stay, first + 1, last - 1) : 0;
    for (int64_t metric = 1; metric <= metrics && rc == 0; metric++) {
        rc = cut_minute(db, stay, first, metric);
        if (rc == 0 && last != first)
            rc = cut_minute(db, stay, last, metric);
    }
    return rc;
}

/* The minutes of an hour: those of the stay go; of one that lies in it in part, what its seconds
 * still say is left. */
static int cut_hour(struct store_db *db, const struct stay *stay, int64_t hour, int64_t metric,
                    struct block *block)
{
    uint8_t packed[BLOCK_MAX_BYTES];
    int rc = 0;
    for (unsigned i = 0; i < BLOCK_SLOTS && rc == 0; i++) {
        int64_t minute = hour * 60 + i, at_ms = minute * MINUTE_MS;
        if (at_ms + MINUTE_MS <= stay->from_ms || at_ms >= stay->to_ms)
            continue;
        struct block seconds = {0};
        if (at_ms < stay->from_ms || at_ms + MINUTE_MS > stay->to_ms)
            rc = get_second(db, minute, stay->device, metric, &seconds);
        block->slots[i] = block_sum(&seconds);
    }
    if (rc != 0)
        return rc;
    if (is_empty(block))
        return run(db->db,
                   "DELETE FROM minute WHERE device = %lld AND metric = %lld AND hour = %lld",
                   (long long)stay->device, (long long)metric, (long long)hour);
    int bytes = (int)block_pack(block, packed);
    return store_step(
        store_bind(db, ON_MINUTE_WRITE, "iiib", stay->device, metric, hour, packed, bytes));
}

static int cut_minutes(struct store_db *db, const struct stay *stay, int64_t metrics)
{
    int64_t first = stay->from_ms / MINUTE_MS / 60, last = (stay->to_ms - 1) / MINUTE_MS / 60;
    int rc = 0;
    for (int64_t metric = 1; metric <= metrics; metric++)
        for (int64_t hour = first; hour <= last && rc == 0; hour++) {
            struct block block = {0};
            sqlite3_stmt *read = store_bind(db, ON_MINUTE_READ, "iii", stay->device, metric, hour);
            rc = read_block(read, &block);
            if (rc == SQLITE_ROW)
                rc = cut_hour(db, stay, hour, metric, &block);
            else if (rc == SQLITE_DONE)
                rc = 0;
        }
    return rc;
}

static int cut_stay(struct store_db *db, const struct stay *stay, int64_t metrics)
{
    int rc = cut_seconds(db, stay, metrics);
    return rc == 0 ? cut_minutes(db, stay, metrics) : rc;
}

static int cut_stays(struct store_db *db)
{
    static const char sql[] =
        "SELECT device, from_ms, to_ms FROM temp.stay WHERE device IS NOT NULL";
    sqlite3_stmt *list, *most;
    int64_t metrics = 0;
    int rc = sqlite3_prepare_v2(db->db, "SELECT max(id) FROM metric", -1, &most, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(most)) == SQLITE_ROW) {
        metrics = sqlite3_column_int64(most, 0);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(most);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db->db, sql, -1, &list, NULL);
    if (rc != SQLITE_OK)
        return rc;
    while (rc == SQLITE_OK && (rc = sqlite3_step(list)) == SQLITE_ROW) {
        struct stay stay = {sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1),
                            sqlite3_column_int64(list, 2)};
        rc = stay.to_ms > stay.from_ms ? cut_stay(db, &stay, metrics) : 0;
    }
    sqlite3_finalize(list);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- rows ---- */

/* Which sessions, which stays of devices in them, which alarms of those that are over. */
static int choose(sqlite3 *db, int64_t client)
{
    return run(db,
               "DROP TABLE IF EXISTS temp.erased; DROP TABLE IF EXISTS temp.stay;"
               "DROP TABLE IF EXISTS temp.spoken;"
               "CREATE TEMP TABLE erased AS SELECT id FROM main.session WHERE client = %lld;"
               "CREATE TEMP TABLE stay AS SELECT d.id AS device, s.kind AS kind, s.name AS name,"
               "  s.from_ms AS from_ms, coalesce(s.to_ms, o.ended_ms, s.from_ms) AS to_ms"
               "  FROM main.session_device s JOIN main.session o ON o.id = s.session"
               "  LEFT JOIN main.device d ON d.kind = s.kind AND d.name = s.name"
               "  WHERE s.session IN (SELECT id FROM temp.erased);"
               "CREATE TEMP TABLE spoken AS SELECT DISTINCT a.number AS number"
               "  FROM temp.stay s JOIN main.alarm a"
               "  ON a.raised_ms >= s.from_ms AND a.raised_ms < s.to_ms"
               "  AND a.kind = s.kind AND a.device = s.name"
               "  WHERE a.presence = 0 AND a.shelved_until_ms IS NULL;",
               (long long)client);
}

static int delete_rows(sqlite3 *db, int64_t client)
{
    return run(db,
               "DELETE FROM alarm_transition WHERE alarm IN (SELECT number FROM temp.spoken);"
               "DELETE FROM alarm WHERE number IN (SELECT number FROM temp.spoken);"
               "DELETE FROM amendment WHERE session IN (SELECT id FROM temp.erased);"
               "DELETE FROM session_note WHERE session IN (SELECT id FROM temp.erased);"
               "DELETE FROM session_phase WHERE session IN (SELECT id FROM temp.erased);"
               "DELETE FROM session_device WHERE session IN (SELECT id FROM temp.erased);"
               "DELETE FROM calibration WHERE client = %lld"
               "  OR session IN (SELECT id FROM temp.erased);"
               "DELETE FROM session WHERE client = %lld;"
               "DELETE FROM plan WHERE client = %lld;"
               "DELETE FROM client WHERE id = %lld;",
               (long long)client, (long long)client, (long long)client, (long long)client);
}

int store_erase_client(struct store_db *db, int64_t client, int64_t at_ms)
{
    int rc = choose(db->db, client);
    if (rc == SQLITE_OK)
        rc = cut_stays(db);
    if (rc == SQLITE_OK)
        rc = run(db->db,
                 "INSERT INTO erasure SELECT NULL, %lld, %lld, count(*) FROM temp.erased;"
                 "INSERT OR REPLACE INTO scrub VALUES (1, 1);",
                 (long long)client, (long long)at_ms);
    if (rc == SQLITE_OK)
        rc = delete_rows(db->db, client);
    return rc == SQLITE_OK ? run(db->db, "DROP TABLE temp.erased; DROP TABLE temp.stay;"
                                         "DROP TABLE temp.spoken;")
                           : rc;
}
