/*
 * Sessions and alarms that are older than people want them kept: some at a time, with all that
 * belongs to each. The newest of each stays, whatever its age: numbers go on from it.
 */
#include <stdio.h>

#include "io/store_state.h"

#define DAY_MS INT64_C(86400000)

/* By the indexes over time: what is younger is not looked at. */
#define OLD_SESSIONS                                                                               \
    "INSERT INTO temp.old SELECT id FROM (SELECT id FROM session WHERE started_ms < ?1 AND "       \
    "ended_ms IS NOT NULL"                                                                         \
    "   AND id < (SELECT max(id) FROM session) ORDER BY started_ms LIMIT 10)"                      \
    " UNION ALL SELECT id FROM (SELECT id FROM session WHERE started_ms IS NULL"                   \
    "   AND ended_ms < ?1 AND id < (SELECT max(id) FROM session) LIMIT 10)"
#define OLD_ALARMS                                                                                 \
    "INSERT INTO temp.old SELECT number FROM alarm WHERE raised_ms < ?1 AND presence = 0"          \
    " AND shelved_until_ms IS NULL AND number < (SELECT max(number) FROM alarm)"                   \
    " AND change < (SELECT max(change) FROM alarm) ORDER BY raised_ms LIMIT 100"

/* Which, and then each table that has something of them; they themselves last. */
static const struct kind {
    const char *name, *choose, *tables[6]; /* "table WHERE column"; NULL ends them */
} kinds[] = {
    {"sessions",
     OLD_SESSIONS,
     {"session_note WHERE session", "session_phase WHERE session", "session_device WHERE session",
      "calibration WHERE session", "session WHERE id"}},
    {"alarms", OLD_ALARMS, {"alarm_transition WHERE alarm", "alarm WHERE number"}},
};

static int choose(sqlite3 *db, const char *sql, int64_t before_ms)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 1, before_ms);
    if (rc == SQLITE_OK)
        rc = store_step(statement);
    sqlite3_finalize(statement);
    return rc;
}

static int drop(struct store *store, const struct kind *kind, int64_t before_ms, int *dropped)
{
    sqlite3 *db = store->db.db;
    int rc = store_run_sql(db, "BEGIN IMMEDIATE; CREATE TEMP TABLE IF NOT EXISTS old (id INTEGER);"
                               "DELETE FROM temp.old");
    if (rc == SQLITE_OK)
        rc = choose(db, kind->choose, before_ms);
    *dropped = rc == SQLITE_OK ? sqlite3_changes(db) : 0;
    for (unsigned i = 0; rc == SQLITE_OK && *dropped > 0 && kind->tables[i] != NULL; i++)
        rc = store_run_sql(db, "DELETE FROM main.%s IN (SELECT id FROM temp.old)", kind->tables[i]);
    return rc == SQLITE_OK ? store_run_sql(db, "COMMIT") : rc;
}

static int drop_kind(struct store *store, const struct kind *kind, int64_t wall_ms, int64_t days,
                     bool *more)
{
    int dropped = 0;
    if (days == 0)
        return 0;
    int rc = drop(store, kind, wall_ms - days * DAY_MS, &dropped);
    if (rc != SQLITE_OK)
        return rc;
    if (dropped > 0)
        log_info("store: %d %s were older than history.%s_days, and are removed", dropped,
                 kind->name, kind->name);
    pthread_mutex_lock(&store->mutex);
    store->stats.dropped += (uint64_t)dropped;
    pthread_mutex_unlock(&store->mutex);
    *more = dropped > 0;
    return 0;
}

int store_drop_records(struct store *store, int64_t wall_ms, bool *more)
{
    *more = false;
    int rc = drop_kind(store, &kinds[0], wall_ms, store->options.sessions_days, more);
    return rc != 0 || *more
               ? rc
               : drop_kind(store, &kinds[1], wall_ms, store->options.alarms_days, more);
}
