#include "io/store_course.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_session_rows.h"

struct reader {
    struct store_course answer;
    struct store *store;
    uint64_t client;
    int64_t from_ms, to_ms;
    const struct drivers *drivers;
    const struct body *body;
    struct course_session *sessions;
    struct course_range *ranges;
    size_t session_room, range_room; /* places that are there */
    bool no_memory;
    store_course_cb *on_read, *on_course;
    void *user;
    uv_work_t work;
};

/* ---- the pool's part ---- */

/* Room for one more; NULL without memory. The list is the caller's to keep. */
static void *grown(struct reader *reader, void *list, size_t count, size_t *room, size_t bytes)
{
    if (count < *room)
        return list;
    size_t more = *room == 0 ? 64 : *room * 2;
    void *larger = realloc(list, more * bytes);
    if (larger == NULL) {
        reader->no_memory = true;
        return NULL;
    }
    *room = more;
    return larger;
}

void session_read_course(const struct store_value *values, const struct body *body,
                         struct course_session *session)
{
    *session = (struct course_session){
        .id = (uint64_t)values[ID].integer,
        .opened_ms = store_integer(&values[CREATED]),
        .started_ms = store_integer(&values[STARTED]),
        .ended_ms = store_integer(&values[ENDED]),
        .state = values[STATE].type == STORE_TEXT ? session_state_named(values[STATE].text)
                                                  : SESSION_NONE,
        .pain = {session_score(&values[PAIN_BEFORE]), SESSION_NO_SCORE,
                 session_score(&values[PAIN_AFTER])},
        .rmdq = session_score(&values[RMDQ]),
        .odi = session_score(&values[ODI]),
        .adverse = values[ADVERSE].type == STORE_TEXT,
    };
    store_copy_text(&values[ROOM], session->room, sizeof(session->room));
    store_copy_text(&values[THERAPIST], session->therapist, sizeof(session->therapist));
    json_t *json = values[BODY].type == STORE_TEXT ? json_loads(values[BODY].text, 0, NULL) : NULL;
    const char *title = json_string_value(json_object_get(json_object_get(json, "plan"), "title"));
    snprintf(session->plan, sizeof(session->plan), "%s", title != NULL ? title : "");
    if (body != NULL)
        session_read_doses(json, body, session->doses);
    json_decref(json);
}

static void on_session(void *user, const struct store_value *values, unsigned count)
{
    struct reader *reader = user;
    size_t *have = &reader->answer.course.session_count;
    (void)count;
    void *list =
        grown(reader, reader->sessions, *have, &reader->session_room, sizeof(*reader->sessions));
    if (list == NULL)
        return;
    reader->sessions = list;
    struct course_session *session = &reader->sessions[(*have)++];
    session_read_course(values, reader->body, session);
}

static void on_range(void *user, const struct store_value *values, unsigned count)
{
    struct reader *reader = user;
    size_t *have = &reader->answer.course.range_count;
    (void)count;
    void *list = grown(reader, reader->ranges, *have, &reader->range_room, sizeof(*reader->ranges));
    if (list == NULL)
        return;
    reader->ranges = list;
    struct course_range *range = &reader->ranges[*have];
    range->session = (uint64_t)store_integer(&values[2]);
    *have += session_read_range(values, &range->of);
}

static int read_table(struct reader *reader, sqlite3 *db, enum store_table table, const char *time,
                      const char *name, store_row_cb *each)
{
    char where[320];
    snprintf(where, sizeof(where),
             "id IN (SELECT id FROM %s WHERE client = %llu AND %s >= %lld AND %s < %lld"
             " ORDER BY id DESC LIMIT %d)",
             name, (unsigned long long)reader->client, time, (long long)reader->from_ms, time,
             (long long)reader->to_ms, STORE_COURSE_MAX + 1);
    int rc = store_rows_read(db, table, where, each, reader);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int read_all(struct reader *reader)
{
    sqlite3 *db = NULL;
    int rc = store_read_open(&db, reader->store);
    if (rc == SQLITE_OK)
        rc = read_table(reader, db, STORE_SESSION, "created_ms", "session", on_session);
    if (rc == SQLITE_OK)
        rc = read_table(reader, db, STORE_CALIBRATION, "at_ms", "calibration", on_range);
    store_read_close(db, reader->store, rc);
    return rc;
}

static void on_work(uv_work_t *work)
{
    struct reader *reader = work->data;
    struct course *course = &reader->answer.course;
    int rc = read_all(reader);
    if (rc != SQLITE_OK || reader->no_memory) {
        reader->answer.code = rc != SQLITE_OK ? ERR_IO : ERR_MEMORY;
        snprintf(reader->answer.words, sizeof(reader->answer.words),
                 "the course cannot be read: %s",
                 rc != SQLITE_OK ? sqlite3_errstr(rc) : "no memory");
    }
    course->sessions = reader->sessions;
    course->ranges = reader->ranges;
    reader->answer.more = course->session_count > STORE_COURSE_MAX;
    if (reader->answer.more) { /* one that was only looked for */
        course->sessions++;
        course->session_count--;
    }
    if (reader->on_read != NULL)
        reader->on_read(reader->user, &reader->answer);
}

/* ---- the loop's part ---- */

static void after_work(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    (void)status;
    reader->on_course(reader->user, &reader->answer);
    free(reader->sessions);
    free(reader->ranges);
    free(reader);
}

int store_course(struct store *store, uv_loop_t *loop, uint64_t client, int64_t from_ms,
                 int64_t to_ms, const struct drivers *drivers, const struct body *body,
                 store_course_cb *on_read, store_course_cb *on_course, void *user)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return ERR_MEMORY;
    reader->client = client;
    reader->from_ms = from_ms;
    reader->to_ms = to_ms;
    reader->drivers = drivers;
    reader->body = body;
    reader->on_read = on_read;
    reader->on_course = on_course;
    reader->user = user;
    reader->work.data = reader;
    reader->store = store;
    if (uv_queue_work(loop, &reader->work, on_work, after_work) == 0)
        return 0;
    free(reader);
    return ERR_MEMORY;
}
