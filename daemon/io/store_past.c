#include "io/store_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/store_session_rows.h"

struct reader {
    struct store_past answer;
    struct store *store;
    char *where;
    unsigned most;
    store_past_cb *on_past;
    void *user;
    uv_work_t work;
};

/* ---- the pool's part ---- */

static void on_session(void *user, const struct store_value *values, unsigned count)
{
    struct reader *reader = user;
    struct store_past *past = &reader->answer;
    (void)count;
    if (past->count > reader->most)
        return;
    struct course_session *session = &past->sessions[past->count];
    session_read_course(values, NULL, session);
    past->clients[past->count++] = (uint64_t)store_integer(&values[CLIENT]);
}

/* They come by their number; the newest is told first. */
static void turn_round(struct store_past *past)
{
    for (size_t low = 0, high = past->count; low + 1 < high; low++) {
        struct course_session session = past->sessions[low];
        uint64_t client = past->clients[low];
        past->sessions[low] = past->sessions[--high];
        past->clients[low] = past->clients[high];
        past->sessions[high] = session;
        past->clients[high] = client;
    }
}

static void on_work(uv_work_t *work)
{
    struct reader *reader = work->data;
    struct store_past *past = &reader->answer;
    sqlite3 *db = NULL;
    int rc = store_read_open(&db, reader->store);
    if (rc == SQLITE_OK)
        rc = store_rows_read(db, STORE_SESSION, reader->where, on_session, reader);
    store_read_close(db, reader->store, rc);
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        past->code = ERR_IO;
        snprintf(past->words, sizeof(past->words), "the sessions cannot be read: %s",
                 sqlite3_errstr(rc));
    }
    turn_round(past);
    past->more = past->count > reader->most;
    if (past->more)
        past->count = reader->most;
}

/* ---- the loop's part ---- */

static void reader_free(struct reader *reader)
{
    free(reader->answer.sessions);
    free(reader->answer.clients);
    free(reader->where);
    free(reader);
}

static void after_work(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    (void)status;
    reader->on_past(reader->user, &reader->answer);
    reader_free(reader);
}

/* Names of rooms are labels: there is nothing in them that would have to be quoted. */
static void add_rooms(FILE *out, const char *rooms)
{
    const char *between = "";
    fputs(" AND room IN (", out);
    for (const char *at = rooms; *at != '\0'; at += strcspn(at, "\n") + 1) {
        int length = (int)strcspn(at, "\n");
        if (text_is_label(at, (size_t)length)) {
            fprintf(out, "%s'%.*s'", between, length, at);
            between = ", ";
        }
    }
    fputs(")", out);
}

static char *condition(const struct store_past_wanted *wanted)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return NULL;
    fprintf(out,
            "id IN (SELECT id FROM session WHERE ended_ms IS NOT NULL AND id < %lld"
            " AND created_ms >= %lld AND created_ms < %lld",
            (long long)(wanted->before < INT64_MAX ? wanted->before : INT64_MAX),
            (long long)wanted->from_ms, (long long)wanted->to_ms);
    if (wanted->client != 0)
        fprintf(out, " AND client = %lld", (long long)wanted->client);
    if (wanted->room != NULL)
        add_rooms(out, wanted->room);
    if (wanted->rooms != NULL)
        add_rooms(out, wanted->rooms);
    fprintf(out, " ORDER BY id DESC LIMIT %u)", wanted->most + 1);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

int store_past(struct store *store, uv_loop_t *loop, const struct store_past_wanted *wanted,
               store_past_cb *on_past, void *user)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return ERR_MEMORY;
    reader->most = wanted->most;
    reader->answer.sessions = calloc(wanted->most + 1, sizeof(*reader->answer.sessions));
    reader->answer.clients = calloc(wanted->most + 1, sizeof(*reader->answer.clients));
    reader->where = condition(wanted);
    reader->on_past = on_past;
    reader->user = user;
    reader->work.data = reader;
    reader->store = store;
    if (reader->answer.sessions != NULL && reader->answer.clients != NULL &&
        reader->where != NULL && uv_queue_work(loop, &reader->work, on_work, after_work) == 0)
        return 0;
    reader_free(reader);
    return ERR_MEMORY;
}
