#include "io/store_client.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/store_state.h"

#define OF_SESSIONS " IN (SELECT id FROM session WHERE client = ?1)"

/* Alarms of the devices, raised while they were in the client's sessions. */
#define ALARMS                                                                                     \
    "SELECT DISTINCT a.number FROM session_device d JOIN session s ON s.id = d.session"            \
    " JOIN alarm a ON a.kind = d.kind AND a.device = d.name AND a.raised_ms >= d.from_ms"          \
    " AND a.raised_ms < coalesce(d.to_ms, s.ended_ms, d.from_ms) WHERE s.client = ?1"

static const struct part {
    const char *name, *sql;
} parts[] = {
    {"client", "SELECT alias, created_ms, body FROM client WHERE id = ?1"},
    {"plans", "SELECT name, created_ms, body FROM plan WHERE client = ?1 ORDER BY id"},
    {"sessions", "SELECT * FROM session WHERE client = ?1 ORDER BY id"},
    {"session_devices", "SELECT * FROM session_device WHERE session" OF_SESSIONS},
    {"session_phases", "SELECT * FROM session_phase WHERE session" OF_SESSIONS},
    {"session_notes", "SELECT * FROM session_note WHERE session" OF_SESSIONS},
    {"amendments", "SELECT * FROM amendment WHERE session" OF_SESSIONS},
    {"calibrations", "SELECT * FROM calibration WHERE client = ?1 OR session" OF_SESSIONS},
    {"alarms", "SELECT * FROM alarm WHERE number IN (" ALARMS ")"},
    {"alarm_transitions", "SELECT * FROM alarm_transition WHERE alarm IN (" ALARMS ")"},
};

/* ---- rows ---- */

static json_t *value_of(sqlite3_stmt *row, int column)
{
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
        return json_real(sqlite3_column_double(row, column));
    case SQLITE_NULL:
        return json_null();
    default:
        break;
    }
    const char *text = (const char *)sqlite3_column_text(row, column);
    json_t *body =
        strcmp(sqlite3_column_name(row, column), "body") == 0 ? json_loads(text, 0, NULL) : NULL;
    return body != NULL ? body : json_string(text);
}

static int read_part(sqlite3 *db, const char *sql, uint64_t client, json_t *list)
{
    sqlite3_stmt *rows;
    int rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(rows, 1, (int64_t)client);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        if (rc != SQLITE_ROW)
            break;
        json_t *object = json_object();
        for (int column = 0; column < sqlite3_column_count(rows); column++)
            json_object_set_new(object, sqlite3_column_name(rows, column), value_of(rows, column));
        json_array_append_new(list, object);
    }
    sqlite3_finalize(rows);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int complain(int rc, struct diag *diag)
{
    return diag_set(diag, ERR_IO, "what is kept of the client cannot be read: %s",
                    sqlite3_errstr(rc));
}

int store_client_document(struct store *store, uint64_t client, json_t **document,
                          struct diag *diag)
{
    sqlite3 *db = NULL;
    int rc = store_read_open(&db, store);
    *document = json_object();
    for (unsigned i = 0; rc == SQLITE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_t *list = json_array();
        rc = read_part(db, parts[i].sql, client, list);
        json_object_set_new(*document, parts[i].name, list);
    }
    store_read_close(db, store, rc);
    if (rc == SQLITE_OK)
        return 0;
    json_decref(*document);
    *document = NULL;
    return complain(rc, diag);
}

/* ---- sessions, recordings ---- */

static bool add_id(struct store_sessions *sessions, uint64_t id)
{
    uint64_t *grown = realloc(sessions->ids, (sessions->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    sessions->ids = grown;
    grown[sessions->count++] = id;
    return true;
}

int store_client_sessions(struct store *store, uint64_t client, struct store_sessions *sessions,
                          struct diag *diag)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    *sessions = (struct store_sessions){.count = 0};
    int rc = store_read_open(&db, store);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT id FROM session WHERE client = ?1 ORDER BY id", -1,
                                &rows, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(rows, 1, (int64_t)client);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(rows);
        if (rc == SQLITE_ROW && !add_id(sessions, (uint64_t)sqlite3_column_int64(rows, 0)))
            rc = SQLITE_NOMEM;
    }
    sqlite3_finalize(rows);
    store_read_close(db, store, rc);
    return rc == SQLITE_DONE ? 0 : complain(rc, diag);
}

static bool is_among(const struct store_sessions *sessions, uint64_t id)
{
    for (size_t i = 0; i < sessions->count; i++)
        if (sessions->ids[i] == id)
            return true;
    return false;
}

static int add_tape(struct store_tapes *tapes, const struct tape_name *name, uint64_t session,
                    uint64_t bytes)
{
    struct store_tape *grown = realloc(tapes->list, (tapes->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return ERR_MEMORY;
    tapes->list = grown;
    grown[tapes->count] = (struct store_tape){.session = session, .bytes = bytes};
    memcpy(grown[tapes->count++].file, name->file, sizeof(name->file));
    tapes->open |= name->open;
    return 0;
}

int store_client_tapes(const char *folder, const struct store_sessions *sessions,
                       struct store_tapes *tapes, struct diag *diag)
{
    struct tape_name *list;
    size_t count;
    struct stat status;
    *tapes = (struct store_tapes){.count = 0};
    if (stat(folder, &status) != 0) /* nothing was ever recorded */
        return 0;
    int code = tape_folder_list(folder, &list, &count, diag);
    for (size_t i = 0; code == 0 && i < count; i++) {
        char path[PATH_MAX];
        struct tape_header header;
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - TAPE_NAME_BYTES - 2, folder,
                 list[i].file);
        if (!tape_file_header(path, &header) || header.session == 0 ||
            !is_among(sessions, header.session))
            continue;
        uint64_t bytes = stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
        if (add_tape(tapes, &list[i], header.session, bytes) != 0)
            code = diag_set(diag, ERR_MEMORY, "no memory for the list of recordings");
    }
    if (count > 0)
        free(list);
    return code;
}
