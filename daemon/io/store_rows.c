#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/store_state.h"

/* The columns as migration and store_put() have them; the first `keys` are the table's key. */
static const struct table {
    const char *name;
    unsigned keys;
    const char *columns[STORE_COLUMNS_MAX + 1];
} tables[STORE_TABLES_] = {
    [STORE_CLIENT] = {"client", 1, {"id", "alias", "created_ms", "archived_ms", "body"}},
    [STORE_PLAN] = {"plan",
                    1,
                    {"id", "client", "template", "name", "created_ms", "archived_ms", "body"}},
    [STORE_SESSION] = {"session",
                       1,
                       {"id", "client", "plan", "room", "therapist", "state", "reason",
                        "created_ms", "started_ms", "ended_ms", "pain_before", "pain_after", "rmdq",
                        "odi", "adverse", "body"}},
    [STORE_SESSION_DEVICE] = {"session_device",
                              2,
                              {"session", "number", "kind", "name", "from_ms", "to_ms"}},
    [STORE_SESSION_PHASE] = {"session_phase",
                             2,
                             {"session", "number", "name", "target_ms", "started_ms", "ended_ms",
                              "body"}},
    [STORE_SESSION_NOTE] = {"session_note",
                            2,
                            {"session", "number", "at_ms", "kind", "author", "text"}},
    [STORE_CALIBRATION] = {"calibration",
                           1,
                           {"id", "client", "session", "kind", "device", "metric", "at_ms",
                            "expires_ms", "body"}},
    [STORE_ALARM] = {"alarm",
                     1,
                     {"number",    "rule",       "kind",       "device",      "room",
                      "metric",    "priority",   "technical",  "presence",    "raised_ms",
                      "since_ms",  "value",      "passed",     "change",      "state",
                      "escalated", "waits_ms",   "lost_ms",    "acked_ms",    "acked_by",
                      "acked_why", "shelved_ms", "shelved_by", "shelved_why", "shelved_until_ms",
                      "phase",     "behind",     "worst"}},
    [STORE_ALARM_TRANSITION] = {"alarm_transition",
                                2,
                                {"alarm", "change", "at_ms", "presence", "value", "what", "who",
                                 "why"}},
    [STORE_DERIVED] = {"derived", 2, {"kind", "name", "body"}},
    [STORE_PAUSE] = {"pause", 2, {"room", "what", "at_ms", "until_ms", "who"}},
    [STORE_PLACEMENT] = {"placement", 2, {"kind", "name", "room", "configured", "at_ms", "who"}},
    [STORE_REPEAT] = {"repeat", 1, {"place", "key", "request", "at_ms", "kind", "id"}},
    [STORE_AMENDMENT] = {"amendment",
                         2,
                         {"session", "at_ms", "what", "number", "text", "who", "done"}},
    [STORE_HEARD] = {"heard", 2, {"kind", "name", "body"}},
    [STORE_ACCOUNT] = {"account",
                       1,
                       {"id", "name", "role", "rooms", "disabled", "sealed", "totp", "totp_step",
                        "created_ms", "seen_ms"}},
    [STORE_PASS] = {"pass",
                    1,
                    {"id", "kind", "account", "token", "hash", "made_ms", "used_ms", "until_ms",
                     "name", "role", "rooms", "reads", "glass_ms", "why"}},
    [STORE_AUDIT] = {"audit",
                     1,
                     {"id", "at_ms", "who", "role", "door", "what", "about", "outcome", "why",
                      "hash"}},
    [STORE_AUDIT_HEAD] = {"audit_head", 1, {"one", "id", "hash"}},
    [STORE_GLASS] = {"glass",
                     1,
                     {"id", "who", "role", "why", "at_ms", "until_ms", "seen_by", "seen_ms"}},
    [STORE_LACK] = {"lack", 1, {"from_ms", "to_ms", "alarms"}},
    [STORE_AUDIT_ANCHOR] = {"audit_anchor", 1, {"one", "id", "hash", "at_ms"}},
    [STORE_MOVED] = {"moved", 1, {"from_ms", "by_ms", "told"}},
    [STORE_MERGE] = {"merge", 1, {"path", "records", "stage", "a", "b", "c"}},
};

static unsigned columns_of(enum store_table table)
{
    unsigned count = 0;
    while (tables[table].columns[count] != NULL)
        count++;
    return count;
}

const char *store_table_name(enum store_table table)
{
    return tables[table].name;
}

const char *const *store_columns(enum store_table table)
{
    return tables[table].columns;
}

/* ---- Values ---- */

struct store_value store_null(void)
{
    return (struct store_value){.type = STORE_NULL};
}

struct store_value store_int(int64_t integer)
{
    return (struct store_value){.type = STORE_INT, .integer = integer};
}

struct store_value store_real(double real)
{
    return isnan(real) ? store_null() : (struct store_value){.type = STORE_REAL, .real = real};
}

struct store_value store_text(const char *text)
{
    return text == NULL
               ? store_null()
               : (struct store_value){.type = STORE_TEXT, .text = text, .bytes = strlen(text)};
}

/* ---- Into the open batch: a record is its head and its values, one after the other ---- */

struct head {
    uint8_t table, count;
    bool removes;
};

/* A value is its type in a byte, and its number, or the length of its text and the text. */
#define ERASES UINT8_MAX /* in the place of a table: a client is erased */

static size_t bytes_of(const struct store_value *value)
{
    switch (value->type) {
    case STORE_INT:
        return 1 + sizeof(value->integer);
    case STORE_REAL:
        return 1 + sizeof(value->real);
    case STORE_TEXT:
        return 1 + sizeof(value->bytes) + value->bytes;
    case STORE_NULL:
        break;
    }
    return 1;
}

static unsigned char *write_value(unsigned char *at, const struct store_value *value)
{
    unsigned char *end = at + bytes_of(value);
    *at++ = (unsigned char)value->type;
    if (value->type == STORE_INT)
        memcpy(at, &value->integer, sizeof(value->integer));
    else if (value->type == STORE_REAL)
        memcpy(at, &value->real, sizeof(value->real));
    else if (value->type == STORE_TEXT) {
        memcpy(at, &value->bytes, sizeof(value->bytes));
        memcpy(at + sizeof(value->bytes), value->text, value->bytes);
    }
    return end;
}

/* The text points to where it lies. */
static const unsigned char *read_value(const unsigned char *at, struct store_value *value)
{
    const unsigned char *begin = at;
    *value = (struct store_value){.type = *at++};
    if (value->type == STORE_INT)
        memcpy(&value->integer, at, sizeof(value->integer));
    else if (value->type == STORE_REAL)
        memcpy(&value->real, at, sizeof(value->real));
    else if (value->type == STORE_TEXT) {
        memcpy(&value->bytes, at, sizeof(value->bytes));
        value->text = (const char *)at + sizeof(value->bytes);
    }
    return begin + bytes_of(value);
}

/* Said once a minute: a disk that refuses may do so for long. */
static void complain(struct store *store, enum store_table table)
{
    uint64_t times = log_limit_hit(&store->rows_complaint, clock_mono_ns() / 1000000);
    if (times > 0)
        log_error("store: a row of %s finds no room, %u wait for the disk (%llu of them)",
                  table < STORE_TABLES_ ? tables[table].name : "an erasure",
                  store->open->rows.count, (unsigned long long)times);
}

static bool put(struct store *store, struct head head, const struct store_value *values)
{
    struct store_rows *rows = &store->open->rows;
    size_t bytes = sizeof(head);
    for (unsigned i = 0; i < head.count; i++)
        bytes += bytes_of(&values[i]);
    if (bytes > STORE_ROWS_BYTES - rows->used) {
        store->refused_rows++;
        complain(store, (enum store_table)head.table);
        return false;
    }
    unsigned char *at = rows->bytes + rows->used;
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    for (unsigned i = 0; i < head.count; i++)
        at = write_value(at, &values[i]);
    rows->used += bytes;
    rows->count++;
    return true;
}

bool store_put(struct store *store, enum store_table table, const struct store_value *values,
               unsigned count)
{
    assert(count == columns_of(table));
    return put(store, (struct head){(uint8_t)table, (uint8_t)count, false}, values);
}

bool store_remove(struct store *store, enum store_table table, const struct store_value *keys,
                  unsigned count)
{
    assert(count > 0 && count <= tables[table].keys);
    return put(store, (struct head){(uint8_t)table, (uint8_t)count, true}, keys);
}

uint64_t store_refused_rows(const struct store *store)
{
    return store->refused_rows;
}

bool store_erase(struct store *store, uint64_t client)
{
    const struct store_value values[] = {store_int((int64_t)client), store_int(clock_wall_ms())};
    bool done = put(store, (struct head){ERASES, 2, false}, values);
    if (done)
        store->erased = store->open->number;
    return done;
}

bool store_erased_all(const struct store *store)
{
    return atomic_load(&store->scrubbed) >= store->erased;
}

/* ---- From a batch into the file ---- */

int store_rows_prepare(struct store_db *db)
{
    for (int t = 0; t < STORE_TABLES_; t++) {
        const struct table *table = &tables[t];
        unsigned count = columns_of((enum store_table)t);
        char buffer[2048];
        struct text sql = text_in(buffer, sizeof(buffer));
        text_add(&sql, "INSERT INTO %s (", table->name);
        for (unsigned i = 0; i < count; i++)
            text_add(&sql, "%s%s", i > 0 ? ", " : "", table->columns[i]);
        text_add(&sql, ") VALUES (");
        for (unsigned i = 0; i < count; i++)
            text_add(&sql, "%s?%u", i > 0 ? ", " : "", i + 1);
        text_add(&sql, ") ON CONFLICT (%s%s%s) DO UPDATE SET ", table->columns[0],
                 table->keys > 1 ? ", " : "", table->keys > 1 ? table->columns[1] : "");
        for (unsigned i = table->keys; i < count; i++)
            text_add(&sql, "%s%s = excluded.%s", i > table->keys ? ", " : "", table->columns[i],
                     table->columns[i]);
        assert(!sql.cut && table->keys <= 2);
        int rc =
            sqlite3_prepare_v3(db->db, buffer, -1, SQLITE_PREPARE_PERSISTENT, &db->puts[t], NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

static void bind(sqlite3_stmt *statement, int at, const struct store_value *value)
{
    switch (value->type) {
    case STORE_NULL:
        sqlite3_bind_null(statement, at);
        break;
    case STORE_INT:
        sqlite3_bind_int64(statement, at, value->integer);
        break;
    case STORE_REAL:
        sqlite3_bind_double(statement, at, value->real);
        break;
    case STORE_TEXT:
        sqlite3_bind_text(statement, at, value->text, (int)value->bytes, SQLITE_STATIC);
        break;
    }
}

/* Rare (a client is erased), so it is prepared each time. */
static int prepare_remove(struct store_db *db, const struct head *head, sqlite3_stmt **statement)
{
    char buffer[256];
    struct text sql = text_in(buffer, sizeof(buffer));
    text_add(&sql, "DELETE FROM %s", tables[head->table].name);
    for (unsigned i = 0; i < head->count; i++)
        text_add(&sql, "%s%s = ?%u", i > 0 ? " AND " : " WHERE ", tables[head->table].columns[i],
                 i + 1);
    return sqlite3_prepare_v2(db->db, buffer, -1, statement, NULL);
}

static int write_erasure(struct store_db *db, const unsigned char **at)
{
    struct store_value client, at_ms;
    *at = read_value(*at, &client);
    *at = read_value(*at, &at_ms);
    return store_erase_client(db, client.integer, at_ms.integer);
}

static int write_row(struct store_db *db, const unsigned char **at)
{
    struct head head;
    memcpy(&head, *at, sizeof(head));
    *at += sizeof(head);
    if (head.table == ERASES)
        return write_erasure(db, at);
    sqlite3_stmt *statement = db->puts[head.table];
    int rc = head.removes ? prepare_remove(db, &head, &statement) : SQLITE_OK;
    if (rc != SQLITE_OK)
        return rc;
    for (unsigned i = 0; i < head.count; i++) {
        struct store_value value;
        *at = read_value(*at, &value);
        bind(statement, (int)i + 1, &value);
    }
    rc = store_step(statement);
    if (head.removes)
        sqlite3_finalize(statement);
    /* A row that contradicts another one (an alias twice) is the caller's fault: it is said, and
     * holds up nothing. */
    if ((rc & 0xff) == SQLITE_CONSTRAINT) {
        log_error("store: a row of %s was not taken: %s", tables[head.table].name,
                  sqlite3_errmsg(db->db));
        return SQLITE_OK;
    }
    return rc;
}

int store_rows_write(struct store_db *db, const struct store_rows *rows)
{
    const unsigned char *at = rows->bytes;
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < rows->count && rc == SQLITE_OK; i++)
        rc = write_row(db, &at);
    return rc;
}

/* ---- Loading ---- */

static struct store_value value_of(sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return store_int(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
        return store_real(sqlite3_column_double(statement, column));
    case SQLITE_NULL:
        return store_null();
    default:
        return store_text((const char *)sqlite3_column_text(statement, column));
    }
}

int store_rows_read(sqlite3 *db, enum store_table table, const char *where, store_row_cb *each,
                    void *user)
{
    const struct table *of = &tables[table];
    struct store_value values[STORE_COLUMNS_MAX];
    unsigned count = columns_of(table);
    sqlite3_str *sql = sqlite3_str_new(db);
    for (unsigned i = 0; i < count; i++)
        sqlite3_str_appendf(sql, "%s%s", i > 0 ? ", " : "SELECT ", of->columns[i]);
    sqlite3_str_appendf(sql, " FROM %s%s%s ORDER BY 1, 2", of->name, where != NULL ? " WHERE " : "",
                        where != NULL ? where : "");
    char *written = sqlite3_str_finish(sql);
    if (written == NULL)
        return SQLITE_NOMEM;
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, written, -1, &statement, NULL);
    sqlite3_free(written);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        for (unsigned i = 0; rc == SQLITE_ROW && i < count; i++)
            values[i] = value_of(statement, (int)i);
        if (rc == SQLITE_ROW)
            each(user, values, count);
    }
    sqlite3_finalize(statement);
    return rc;
}

/* What a start cannot read: of a damaged file a new one is begun, and the start with it. */
static int cannot_load(struct store *store, int rc, struct diag *diag)
{
    char words[160];
    snprintf(words, sizeof(words), "%s", sqlite3_errmsg(store->db.db));
    if (store_outcome_of(rc) == STORE_DAMAGED) {
        int code = store_begin_anew(store, words, diag);
        return code == 0 ? diag_set(diag, ERR_AGAIN, "%s: a new one was begun", store->file) : code;
    }
    return diag_set(diag, ERR_IO, "%s: %s", store->file, words);
}

int store_load(struct store *store, enum store_table table, const char *where, store_row_cb *each,
               void *user, struct diag *diag)
{
    assert(!store->started);
    if (store->db.db == NULL) /* a full disk, and no file */
        return 0;
    int rc = store_rows_read(store->db.db, table, where, each, user);
    return rc == SQLITE_DONE ? 0 : cannot_load(store, rc, diag);
}

int store_load_numbers(struct store *store, uint64_t *client, uint64_t *plan, struct diag *diag)
{
    /* Of a client whose own row found no room there may be others. */
    static const char sql[] = "SELECT max((SELECT newest FROM numbered WHERE what = 'client'),"
                              "           (SELECT coalesce(max(client), 0) FROM session),"
                              "           (SELECT coalesce(max(client), 0) FROM calibration)),"
                              "       (SELECT newest FROM numbered WHERE what = 'plan')";
    sqlite3_stmt *statement;
    assert(!store->started);
    *client = *plan = 0;
    if (store->db.db == NULL)
        return 0;
    int rc = sqlite3_prepare_v2(store->db.db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *client = (uint64_t)sqlite3_column_int64(statement, 0);
        *plan = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? 0 : cannot_load(store, rc, diag);
}
