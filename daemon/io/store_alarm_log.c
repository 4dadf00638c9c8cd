#include "io/store_alarm_log.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_state.h"

struct reading {
    struct store_log_wish wish;
    struct store_log_reader reader;
    struct store *store;
    char *room, *rule, *rooms; /* the wish's, owned */
    uint64_t next;
    int rc;
    uv_work_t work;
};

/* ---- the pool's part ---- */

static const char alarms[] =
    "SELECT number, rule, kind, device, coalesce(room, ''), metric, priority, state, technical,"
    "    raised_ms, since_ms, value, worst, escalated FROM alarm"
    "  WHERE raised_ms >= ?1 AND raised_ms < ?2 AND number < ?3 AND (?4 IS NULL OR room = ?4)"
    "    AND (?5 IS NULL OR rule = ?5) ORDER BY number DESC";

static const char transitions[] =
    "SELECT at_ms, coalesce(what, ''), coalesce(who, ''), coalesce(why, '')"
    "  FROM alarm_transition WHERE alarm = ?1 ORDER BY change";

static const char *text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? text : "";
}

static double real_of(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
                                                           : sqlite3_column_double(row, column);
}

/* Is it a line of this text? */
static bool is_line(const char *lines, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *at = lines; (at = strstr(at, name)) != NULL; at += bytes)
        if (bytes > 0 && (at == lines || at[-1] == '\n') && at[bytes] == '\n')
            return true;
    return false;
}

static int give_transitions(const struct reading *reading, sqlite3_stmt *statement, uint64_t number)
{
    int rc;
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
        reading->reader.on_transition(reading->reader.user,
                                      &(struct store_log_transition){
                                          .at_ms = sqlite3_column_int64(statement, 0),
                                          .what = text_of(statement, 1),
                                          .who = text_of(statement, 2),
                                          .why = text_of(statement, 3),
                                      });
    return rc;
}

static void give_alarm(const struct reading *reading, sqlite3_stmt *row)
{
    int state = sqlite3_column_int(row, 7);
    reading->reader.on_alarm(
        reading->reader.user,
        &(struct store_log_alarm){
            .number = (uint64_t)sqlite3_column_int64(row, 0),
            .rule = text_of(row, 1),
            .kind = text_of(row, 2),
            .device = text_of(row, 3),
            .room = text_of(row, 4),
            .metric = text_of(row, 5),
            .priority = (enum rule_priority)sqlite3_column_int(row, 6),
            .state = state >= 0 && state < STATES_ ? (enum alarm_state)state : STATE_OFF,
            .technical = sqlite3_column_int(row, 8) != 0,
            .raised_ms = sqlite3_column_int64(row, 9),
            .since_ms = sqlite3_column_int64(row, 10),
            .value = real_of(row, 11),
            .worst = real_of(row, 12),
            .escalated = (uint32_t)sqlite3_column_int(row, 13),
        });
}

static int read_rows(struct reading *reading, sqlite3_stmt *rows, sqlite3_stmt *of)
{
    const struct store_log_wish *wish = &reading->wish;
    uint64_t last = 0;
    uint32_t given = 0;
    int rc;
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        if (wish->rooms != NULL && !is_line(wish->rooms, text_of(rows, 4)))
            continue;
        if (given++ == wish->limit) {
            reading->next = last;
            return SQLITE_DONE;
        }
        last = (uint64_t)sqlite3_column_int64(rows, 0);
        give_alarm(reading, rows);
        int code = give_transitions(reading, of, last);
        if (code != SQLITE_DONE)
            return code;
    }
    return rc;
}

static void on_work(uv_work_t *work)
{
    struct reading *reading = work->data;
    const struct store_log_wish *wish = &reading->wish;
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL, *of = NULL;
    reading->rc = store_read_open(&db, reading->store);
    if (reading->rc == SQLITE_OK)
        reading->rc = sqlite3_prepare_v2(db, alarms, -1, &rows, NULL);
    if (reading->rc == SQLITE_OK)
        reading->rc = sqlite3_prepare_v2(db, transitions, -1, &of, NULL);
    if (reading->rc == SQLITE_OK) {
        sqlite3_bind_int64(rows, 1, wish->from_ms);
        sqlite3_bind_int64(rows, 2, wish->to_ms);
        sqlite3_bind_int64(rows, 3, wish->before != 0 ? (int64_t)wish->before : INT64_MAX);
        sqlite3_bind_text(rows, 4, reading->room, -1, SQLITE_STATIC); /* NULL is NULL */
        sqlite3_bind_text(rows, 5, reading->rule, -1, SQLITE_STATIC);
        reading->rc = read_rows(reading, rows, of);
    }
    sqlite3_finalize(of);
    sqlite3_finalize(rows);
    store_read_close(db, reading->store, reading->rc);
}

/* ---- the loop's part ---- */

static void destroy(struct reading *reading)
{
    free(reading->room);
    free(reading->rule);
    free(reading->rooms);
    free(reading);
}

static void after_work(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    (void)status;
    reading->reader.on_end(reading->reader.user, reading->next,
                           reading->rc == SQLITE_DONE ? NULL : sqlite3_errstr(reading->rc));
    destroy(reading);
}

static bool copy(const char *text, char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

int store_alarm_log(struct store *store, uv_loop_t *loop, const struct store_log_wish *wish,
                    const struct store_log_reader *reader)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return ERR_MEMORY;
    *reading = (struct reading){.wish = *wish, .reader = *reader};
    reading->work.data = reading;
    reading->store = store;
    bool copied = copy(wish->room, &reading->room) && copy(wish->rule, &reading->rule) &&
                  copy(wish->rooms, &reading->rooms);
    reading->wish.rooms = reading->rooms;
    if (copied && uv_queue_work(loop, &reading->work, on_work, after_work) == 0)
        return 0;
    destroy(reading);
    return ERR_MEMORY;
}
