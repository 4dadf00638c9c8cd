#include "io/store_load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alarm_life.h"
#include "io/store_state.h"

struct reading {
    struct store *store;
    int64_t from_ms, to_ms;
    struct load *load;
    int rc; /* SQLite's, or SQLITE_DONE */
    store_load_cb *on_load;
    void *user;
    uv_work_t work;
};

/* Each alarm of the span, and when it was acknowledged for the first time. */
static const char question[] =
    "SELECT rule, raised_ms, presence, (SELECT min(at_ms) FROM alarm_transition"
    "    WHERE alarm = number AND what = ?3)"
    "  FROM alarm WHERE raised_ms >= ?1 AND raised_ms < ?2 ORDER BY raised_ms, number";

static int read_rows(struct reading *reading, sqlite3_stmt *statement)
{
    int rc;
    sqlite3_bind_int64(statement, 1, reading->from_ms);
    sqlite3_bind_int64(statement, 2, reading->to_ms);
    sqlite3_bind_text(statement, 3, alarm_deed_word(DEED_ACK), -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const struct load_alarm alarm = {
            .rule = (const char *)sqlite3_column_text(statement, 0),
            .raised_ms = sqlite3_column_int64(statement, 1),
            .acked_ms = sqlite3_column_int64(statement, 3),
            .over = sqlite3_column_int64(statement, 2) == 0,
        };
        if (alarm.rule == NULL || load_add(reading->load, &alarm) != 0)
            return SQLITE_NOMEM;
    }
    return rc;
}

static void on_work(uv_work_t *work)
{
    struct reading *reading = work->data;
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    reading->rc = store_read_open(&db, reading->store);
    if (reading->rc == SQLITE_OK)
        reading->rc = sqlite3_prepare_v2(db, question, -1, &statement, NULL);
    if (reading->rc == SQLITE_OK)
        reading->rc = read_rows(reading, statement);
    sqlite3_finalize(statement);
    store_read_close(db, reading->store, reading->rc);
}

static void after_work(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    struct load_report report;
    (void)status;
    if (reading->rc == SQLITE_DONE) {
        load_finish(reading->load, &report);
        reading->on_load(reading->user, &report, "");
    } else {
        reading->on_load(reading->user, NULL, sqlite3_errstr(reading->rc));
    }
    load_destroy(reading->load);
    free(reading);
}

int store_load_of(struct store *store, uv_loop_t *loop, int64_t from_ms, int64_t to_ms,
                  uint32_t limit, store_load_cb *on_load, void *user)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return ERR_MEMORY;
    *reading = (struct reading){.from_ms = from_ms,
                                .to_ms = to_ms,
                                .load = load_create(from_ms, to_ms, limit),
                                .on_load = on_load,
                                .user = user};
    reading->work.data = reading;
    reading->store = store;
    if (reading->load != NULL && uv_queue_work(loop, &reading->work, on_work, after_work) == 0)
        return 0;
    load_destroy(reading->load);
    free(reading);
    return ERR_MEMORY;
}
