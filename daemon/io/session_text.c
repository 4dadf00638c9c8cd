#include "io/session_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/shelf.h"
#include "core/tape.h"
#include "io/store_session_rows.h"

static const enum store_table tables[] = {STORE_SESSION, STORE_SESSION_DEVICE, STORE_SESSION_PHASE,
                                          STORE_SESSION_NOTE};

struct session_text {
    json_t *json;
    struct session_text_facts facts;
};

/* ---- written ---- */

static json_t *value_json(const struct store_value *value)
{
    switch (value->type) {
    case STORE_INT:
        return json_integer((json_int_t)value->integer);
    case STORE_REAL:
        return json_real(value->real);
    case STORE_TEXT:
        return json_stringn(value->text, value->bytes);
    case STORE_NULL:
        break;
    }
    return NULL;
}

static bool add_row(void *user, enum store_table table, const struct store_value *row,
                    unsigned count)
{
    json_t *all = user, *list = json_object_get(all, store_table_name(table));
    json_t *one = json_object();
    if (list == NULL && json_object_set_new(all, store_table_name(table), json_array()) == 0)
        list = json_object_get(all, store_table_name(table));
    for (unsigned i = 0; i < count; i++)
        if (row[i].type != STORE_NULL &&
            json_object_set_new(one, store_columns(table)[i], value_json(&row[i])) != 0) {
            json_decref(one);
            return false;
        }
    return json_array_append_new(list, one) == 0;
}

char *session_text_write(const struct session *session, const struct store_clinic *clinic)
{
    json_t *all = json_object();
    const struct shelf_entry *client = session->client.name[0] != '\0'
                                           ? shelf_find(clinic->clients, 0, session->client.name)
                                           : NULL;
    bool done = session_put_rows(session, clinic, add_row, all);
    if (done && client != NULL)
        done = json_object_set_new(all, "client_ms", json_integer(client->created_ms)) == 0;
    char *text = done ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    return text;
}

/* ---- read ---- */

static struct store_value read_value(const json_t *json)
{
    if (json_is_integer(json))
        return store_int(json_integer_value(json));
    if (json_is_real(json))
        return store_real(json_real_value(json));
    return store_text(json_string_value(json));
}

static unsigned read_row(const json_t *json, enum store_table table,
                         struct store_value row[STORE_COLUMNS_MAX])
{
    const char *const *columns = store_columns(table);
    unsigned count = 0;
    for (; columns[count] != NULL; count++)
        row[count] = read_value(json_object_get(json, columns[count]));
    return count;
}

static int give_rows(void *user, enum store_table table, const char *where, store_row_cb *each,
                     void *reading)
{
    const json_t *list = json_object_get((const json_t *)user, store_table_name(table));
    (void)where;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct store_value row[STORE_COLUMNS_MAX];
        each(reading, row, read_row(json_array_get(list, i), table, row));
    }
    return 0;
}

/* What a row has to begin with, as the schema wants it: i a number, t a text, anything else is what
 * it likes. */
static const char *const needed[STORE_TABLES_] = {[STORE_SESSION] = "i  t t i",
                                                  [STORE_SESSION_DEVICE] = "iitti",
                                                  [STORE_SESSION_PHASE] = "iit",
                                                  [STORE_SESSION_NOTE] = "iiit"};

static bool is_sound(const json_t *json, enum store_table table, uint64_t session)
{
    struct store_value row[STORE_COLUMNS_MAX];
    read_row(json, table, row);
    for (size_t i = 0; needed[table][i] != '\0'; i++)
        if ((needed[table][i] == 'i' && row[i].type != STORE_INT) ||
            (needed[table][i] == 't' && row[i].type != STORE_TEXT))
            return false;
    return row[0].integer == (int64_t)session;
}

/* Are all rows of this session, and is there one of its own? */
static bool is_of(const json_t *json, uint64_t session)
{
    if (json_array_size(json_object_get(json, store_table_name(STORE_SESSION))) != 1)
        return false;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        const json_t *list = json_object_get(json, store_table_name(tables[t]));
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!is_sound(json_array_get(list, i), tables[t], session))
                return false;
    }
    return true;
}

static struct session_text_facts facts_of(const struct session_reading *reading, const json_t *json)
{
    const struct session *session = &reading->session;
    bool over = session->state == SESSION_DONE || session->state == SESSION_ABORTED;
    return (struct session_text_facts){.state = session->state,
                                       .opened_ms = session->opened_ms,
                                       .ended_ms = over ? session->ended_ms : 0,
                                       .notes = session->note_count,
                                       .client = reading->client,
                                       .client_ms =
                                           json_integer_value(json_object_get(json, "client_ms"))};
}

int session_text_read(struct session_text **out, uint64_t session, const char *text, size_t bytes,
                      const struct drivers *drivers, const struct body *body, struct diag *diag)
{
    json_t *json = json_loadb(text, bytes, 0, NULL);
    struct session_reading *reading = calloc(1, sizeof(*reading));
    struct session_text *read = calloc(1, sizeof(*read));
    *out = NULL;
    int code = reading == NULL || read == NULL ? ERR_MEMORY : 0;
    if (code == 0 && is_of(json, session)) {
        reading->drivers = drivers;
        reading->body = body;
        session_read(reading, session, give_rows, json);
    }
    if (code == 0 && (reading->session.id != session || reading->session.state == SESSION_NONE))
        code = ERR_MALFORMED;
    if (code == 0) {
        *read = (struct session_text){.json = json, .facts = facts_of(reading, json)};
        *out = read;
    } else {
        json_decref(json);
        free(read);
    }
    free(reading);
    return code == 0 ? 0 : diag_set(diag, code, "%s", err_words(code));
}

void session_text_destroy(struct session_text *text)
{
    if (text == NULL)
        return;
    json_decref(text->json);
    free(text);
}

void session_text_facts(const struct session_text *text, struct session_text_facts *facts)
{
    *facts = text->facts;
}

/* ---- moved ---- */

/* Columns that hold an instant, as io/store_times.c has them. */
static const char *const instants[] = {"created_ms", "started_ms", "ended_ms",
                                       "from_ms",    "to_ms",      "at_ms"};

static int64_t moved(const struct tape_moves *moves, uint64_t place, int64_t ms)
{
    return ms != 0 ? tape_moved_ms(moves, place, ms) : 0;
}

void session_text_move(struct session_text *text, const struct tape_moves *moves, uint64_t place)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]) && moves->count > 0; t++) {
        json_t *list = json_object_get(text->json, store_table_name(tables[t]));
        for (size_t i = 0; i < json_array_size(list); i++)
            for (size_t c = 0; c < sizeof(instants) / sizeof(instants[0]); c++) {
                json_t *at = json_object_get(json_array_get(list, i), instants[c]);
                if (json_is_integer(at))
                    json_integer_set(at, moved(moves, place, json_integer_value(at)));
            }
    }
    text->facts.opened_ms = moved(moves, place, text->facts.opened_ms);
    text->facts.ended_ms = moved(moves, place, text->facts.ended_ms);
    text->facts.client_ms = moved(moves, place, text->facts.client_ms);
}

/* ---- its rows ---- */

static bool is_number(const struct store_value *value)
{
    return store_integer(value) != 0;
}

/* What went on when it was written is over. */
static void end_row(const struct session_text *text, enum store_table table,
                    struct store_value *row, int64_t ended_ms)
{
    if (table == STORE_SESSION && text->facts.ended_ms == 0) {
        row[ENDED] = store_int(ended_ms);
        row[STATE] = store_text(session_state_name(SESSION_DONE));
    } else if (table == STORE_SESSION_DEVICE && !is_number(&row[5])) {
        row[5] = store_int(ended_ms);
    } else if (table == STORE_SESSION_PHASE && is_number(&row[4]) && !is_number(&row[5])) {
        row[5] = store_int(ended_ms);
    }
}

void session_text_rows(const struct session_text *text, int64_t ended_ms, session_text_row *each,
                       void *user)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        const json_t *list = json_object_get(text->json, store_table_name(tables[t]));
        for (size_t i = 0; i < json_array_size(list); i++) {
            struct store_value row[STORE_COLUMNS_MAX];
            unsigned count = read_row(json_array_get(list, i), tables[t], row);
            end_row(text, tables[t], row, ended_ms);
            each(user, tables[t], row, count);
        }
    }
}
