#include "io/store_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_session_rows.h"

#define STOOD_MS INT64_C(86400000)

struct reader {
    struct store_record record;
    struct store *store;
    uint64_t session;
    struct session_reading reading;
    sqlite3 *db;
    store_record_cb *on_record;
    void *user;
    uv_work_t work;
};

/* ---- the pool's part ---- */

static int rows_of(void *user, enum store_table table, const char *where, store_row_cb *each,
                   void *reading)
{
    const struct reader *reader = user;
    int rc = store_rows_read(reader->db, table, where, each, reading);
    return rc == SQLITE_DONE ? 0 : rc;
}

static double real_of(const struct store_value *value)
{
    return value->type == STORE_REAL  ? value->real
           : value->type == STORE_INT ? (double)value->integer
                                      : NAN;
}

/* Was the device in the session while the alarm stood? */
static bool was_in(const struct report *report, const char *device, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < report->session.device_count; i++) {
        const struct session_device *stay = &report->session.devices[i];
        if (strcmp(report->devices[i], device) == 0 && to_ms > stay->from_ms &&
            (stay->to_ms == 0 || from_ms < stay->to_ms))
            return true;
    }
    return false;
}

static void on_alarm(void *user, const struct store_value *values, unsigned count)
{
    struct report *report = ((struct reader *)user)->record.report;
    struct report_alarm alarm = {.number = (uint64_t)values[0].integer,
                                 .priority = (int)store_integer(&values[6]),
                                 .technical = store_integer(&values[7]) != 0,
                                 .raised_ms = store_integer(&values[9]),
                                 .value = real_of(&values[11]),
                                 .worst = real_of(&values[27])};
    (void)count;
    if (values[2].type != STORE_TEXT || values[3].type != STORE_TEXT)
        return;
    snprintf(alarm.device, sizeof(alarm.device), "%s/%s", values[2].text, values[3].text);
    if (store_integer(&values[8]) == 0) /* its presence: off */
        alarm.ended_ms = store_integer(&values[10]);
    if (!was_in(report, alarm.device, alarm.raised_ms,
                alarm.ended_ms != 0 ? alarm.ended_ms + 1 : INT64_MAX))
        return;
    if (report->alarm_count == REPORT_ALARMS_MAX) {
        report->alarms_more++;
        return;
    }
    store_copy_text(&values[1], alarm.rule, sizeof(alarm.rule));
    store_copy_text(&values[5], alarm.metric, sizeof(alarm.metric));
    store_copy_text(&values[19], alarm.acked_by, sizeof(alarm.acked_by));
    report->alarms[report->alarm_count++] = alarm;
}

static void on_calibration(void *user, const struct store_value *values, unsigned count)
{
    struct report *report = ((struct reader *)user)->record.report;
    (void)count;
    if (report->range_count < REPORT_RANGES_MAX &&
        session_read_range(values, &report->ranges[report->range_count]))
        report->range_count++;
}

/* The newest, where there are more than have a place. */
static void on_change(void *user, const struct store_value *values, unsigned count)
{
    struct report *report = ((struct reader *)user)->record.report;
    (void)count;
    if (report->change_count == REPORT_CHANGES_MAX)
        memmove(&report->changes[0], &report->changes[1],
                --report->change_count * sizeof(report->changes[0]));
    struct report_change *change = &report->changes[report->change_count++];
    change->at_ms = store_integer(&values[1]);
    store_copy_text(&values[2], change->what, sizeof(change->what));
    change->number = (int)store_integer(&values[3]);
    store_copy_text(&values[4], change->text, sizeof(change->text));
    store_copy_text(&values[5], change->who, sizeof(change->who));
}

static int count_lost(struct reader *reader, int64_t from_ms, int64_t to_ms)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(reader->db,
                                "SELECT count(*) FROM gap WHERE to_ms >= ?1 AND from_ms < ?2", -1,
                                &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_int64(statement, 1, from_ms);
    sqlite3_bind_int64(statement, 2, to_ms);
    if (sqlite3_step(statement) == SQLITE_ROW)
        reader->record.report->lost = (uint64_t)sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement); /* which gives what the step had to complain of */
}

/* What came with it: alarms of its devices, what was calibrated, what history lost. */
static int read_more(struct reader *reader)
{
    const struct session *session = &reader->record.report->session;
    int64_t to_ms = session->ended_ms != 0 ? session->ended_ms : INT64_MAX;
    char where[256];
    /* Those that stood already are of the session, too; one that ended is not looked for further
     * back than STOOD_MS, for there may be years of them. */
    snprintf(where, sizeof(where),
             "(raised_ms >= %lld AND raised_ms < %lld AND (presence <> 0 OR since_ms >= %lld))"
             " OR (presence <> 0 AND raised_ms < %lld)",
             (long long)(session->opened_ms - STOOD_MS), (long long)to_ms,
             (long long)session->opened_ms, (long long)session->opened_ms);
    int rc = rows_of(reader, STORE_ALARM, where, on_alarm, reader);
    snprintf(where, sizeof(where), "session = %llu", (unsigned long long)session->id);
    if (rc == 0)
        rc = rows_of(reader, STORE_CALIBRATION, where, on_calibration, reader);
    if (rc == 0)
        rc = rows_of(reader, STORE_AMENDMENT, where, on_change, reader);
    if (rc == 0)
        rc = count_lost(reader, session->opened_ms, to_ms);
    return rc;
}

static int read_all(struct reader *reader)
{
    struct store_record *record = &reader->record;
    struct report *report = record->report;
    int rc = store_read_open(&reader->db, reader->store);
    if (rc == SQLITE_OK)
        rc = session_read(&reader->reading, reader->session, rows_of, reader);
    if (rc != SQLITE_OK)
        return rc;
    record->found = reader->reading.session.id != 0;
    record->client = reader->reading.client;
    memcpy(record->room, reader->reading.room, sizeof(record->room));
    report->session = reader->reading.session;
    memcpy(report->devices, reader->reading.devices, sizeof(report->devices));
    return record->found ? read_more(reader) : 0;
}

static void on_work(uv_work_t *work)
{
    struct reader *reader = work->data;
    int rc = read_all(reader);
    if (rc != SQLITE_OK) {
        reader->record.code = ERR_IO;
        snprintf(reader->record.words, sizeof(reader->record.words),
                 "the session cannot be read: %s", sqlite3_errstr(rc));
    }
    store_read_close(reader->db, reader->store, rc);
}

/* ---- the loop's part ---- */

static void after_work(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    (void)status;
    reader->on_record(reader->user, &reader->record);
    free(reader->record.report);
    free(reader);
}

int store_record(struct store *store, uv_loop_t *loop, uint64_t session,
                 const struct drivers *drivers, const struct body *body, store_record_cb *on_record,
                 void *user)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    struct report *report = calloc(1, sizeof(*report));
    if (reader == NULL || report == NULL) {
        free(reader);
        free(report);
        return ERR_MEMORY;
    }
    reader->record.report = report;
    report->drivers = reader->reading.drivers = drivers;
    report->body = reader->reading.body = body;
    reader->session = session;
    reader->on_record = on_record;
    reader->user = user;
    reader->work.data = reader;
    reader->store = store;
    if (uv_queue_work(loop, &reader->work, on_work, after_work) == 0)
        return 0;
    free(report);
    free(reader);
    return ERR_MEMORY;
}
