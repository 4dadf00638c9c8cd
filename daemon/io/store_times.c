#include "io/store_times.h"

#include <stdlib.h>

#include "base/text.h"
#include "io/store_state.h"

#define MINUTE_MS INT64_C(60000)

/* Every column that holds an instant. */
static const struct {
    const char *table, *column;
} instants[] = {
    {"session", "created_ms"},
    {"session", "started_ms"},
    {"session", "ended_ms"},
    {"session_device", "from_ms"},
    {"session_device", "to_ms"},
    {"session_phase", "started_ms"},
    {"session_phase", "ended_ms"},
    {"session_note", "at_ms"},
    {"calibration", "at_ms"},
    {"calibration", "expires_ms"},
    {"client", "created_ms"},
    {"client", "archived_ms"},
    {"plan", "created_ms"},
    {"plan", "archived_ms"},
    {"alarm", "raised_ms"},
    {"alarm", "since_ms"},
    {"alarm", "waits_ms"},
    {"alarm", "lost_ms"},
    {"alarm", "acked_ms"},
    {"alarm", "shelved_ms"},
    {"alarm", "shelved_until_ms"},
    {"alarm_transition", "at_ms"},
    {"pause", "at_ms"},
    {"pause", "until_ms"},
    {"placement", "at_ms"},
    {"gap", "from_ms"},
    {"gap", "to_ms"},
    {"erasure", "at_ms"},
    {"repeat", "at_ms"},
    {"spool", "sealed_ms"},
    {"spool", "heard_ms"},
    {"account", "created_ms"},
    {"account", "seen_ms"},
    {"pass", "made_ms"},
    {"pass", "used_ms"},
    {"pass", "until_ms"},
    {"glass", "at_ms"},
    {"glass", "until_ms"},
    {"glass", "seen_ms"},
    {"pass", "glass_ms"},
    {"amendment", "at_ms"},
    {"lack", "from_ms"},
    {"lack", "to_ms"},
};

int64_t store_newest_ms(struct store *store)
{
    struct store_mark mark = {0};
    if (store->db.db == NULL || store_read_mark(&store->db, &mark) != 0)
        return 0;
    return mark.heard_ms > mark.sealed_ms ? mark.heard_ms : mark.sealed_ms;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int move_instants(sqlite3 *db, int64_t from_ms, int64_t by_ms)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]) && rc == SQLITE_OK; i++) {
        char sql[200];
        struct text text = text_in(sql, sizeof(sql));
        const char *column = instants[i].column;
        text_add(&text, "UPDATE %s SET %s = %s + %lld WHERE %s >= %lld", instants[i].table, column,
                 column, (long long)by_ms, column, (long long)from_ms);
        rc = run(db, sql);
    }
    if (rc != SQLITE_OK)
        return rc;
    /* Of a session under way: since when it has run. */
    char sql[300];
    struct text text = text_in(sql, sizeof(sql));
    text_add(&text,
             "UPDATE session SET body = json_set(body, '$.resumed_ms',"
             "  json_extract(body, '$.resumed_ms') + %lld)"
             "  WHERE json_valid(body) AND json_extract(body, '$.resumed_ms') >= %lld",
             (long long)by_ms, (long long)from_ms);
    return run(db, sql);
}

/* By way of numbers that no minute has, for one that moves may not take the place of one that has
 * yet to. Hours are then made of their minutes again. */
static int move_minutes(sqlite3 *db, int64_t from_ms, int64_t by_ms)
{
    int64_t minutes = (by_ms + (by_ms < 0 ? -1 : 1) * MINUTE_MS / 2) / MINUTE_MS;
    int64_t from = from_ms / MINUTE_MS, first = minutes < 0 ? from + minutes : from;
    int64_t hour = first / 60, hour_begins = hour * 60;
    char sql[600];
    struct text text = text_in(sql, sizeof(sql));
    text_add(&text,
             "UPDATE second SET minute = -(minute + %lld) WHERE minute >= %lld;"
             "UPDATE OR REPLACE second SET minute = -minute WHERE minute < 0;"
             "DELETE FROM minute WHERE hour >= %lld;"
             "INSERT OR IGNORE INTO rollup SELECT DISTINCT minute / 60 FROM second"
             "  WHERE minute >= %lld;",
             (long long)minutes, (long long)from, (long long)hour, (long long)hour_begins);
    return run(db, sql);
}

/* With the times themselves: whoever asks again, for he was killed before he had noted it, is told
 * what was done. */
static int note_move(sqlite3 *db, int64_t from_ms, int64_t by_ms)
{
    char sql[120];
    struct text text = text_in(sql, sizeof(sql));
    text_add(&text, "INSERT INTO moved VALUES (%lld, %lld, 0)", (long long)from_ms,
             (long long)by_ms);
    return run(db, sql);
}

static int look_for_move(sqlite3 *db, int64_t from_ms, int64_t *by_ms, bool *found)
{
    sqlite3_stmt *row;
    int rc = sqlite3_prepare_v2(db, "SELECT by_ms FROM moved WHERE from_ms = ?", -1, &row, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_int64(row, 1, from_ms);
    rc = sqlite3_step(row);
    *found = rc == SQLITE_ROW;
    if (*found)
        *by_ms = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int store_move_times(struct store *store, int64_t from_ms, int64_t *by_ms, bool *again,
                     struct diag *diag)
{
    sqlite3 *db = store->db.db;
    if (store->full || db == NULL)
        return diag_set(diag, ERR_IO, "%s cannot be written", store->file);
    *again = false;
    int rc = run(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = look_for_move(db, from_ms, by_ms, again);
    if (rc == SQLITE_OK && !*again)
        rc = note_move(db, from_ms, *by_ms);
    if (rc == SQLITE_OK && !*again)
        rc = move_instants(db, from_ms, *by_ms);
    if (rc == SQLITE_OK && !*again)
        rc = move_minutes(db, from_ms, *by_ms);
    if (rc == SQLITE_OK)
        rc = run(db, "COMMIT");
    if (rc == SQLITE_OK)
        return 0;
    diag_set(diag, ERR_IO, "%s: %s", store->file, sqlite3_errmsg(db));
    run(db, "ROLLBACK");
    return diag->code;
}
