#include "io/store_stay.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/store_state.h"

static int add(struct store_stay **list, size_t *count, sqlite3_stmt *row)
{
    struct store_stay *grown = realloc(*list, (*count + 1) * sizeof(*grown));
    if (grown == NULL)
        return SQLITE_NOMEM;
    *list = grown;
    struct store_stay *stay = &grown[(*count)++];
    snprintf(stay->kind, sizeof(stay->kind), "%s", (const char *)sqlite3_column_text(row, 0));
    snprintf(stay->name, sizeof(stay->name), "%s", (const char *)sqlite3_column_text(row, 1));
    stay->from_ms = sqlite3_column_int64(row, 2);
    stay->to_ms = sqlite3_column_int64(row, 3);
    return SQLITE_OK;
}

int store_stays(const char *file, uint64_t session, struct store_stay **list, size_t *count,
                struct diag *diag)
{
    static const char sql[] =
        "SELECT d.kind, d.name, d.from_ms, coalesce(d.to_ms, s.ended_ms, 9223372036854775807)"
        " FROM session s JOIN session_device d ON d.session = s.id WHERE s.id = ?1";
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    *list = NULL;
    *count = 0;
    int rc = store_read_open_file(&db, file);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(rows, 1, (int64_t)session);
    while (rc == SQLITE_OK && (rc = sqlite3_step(rows)) == SQLITE_ROW)
        rc = add(list, count, rows);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    if (rc != SQLITE_DONE)
        return diag_set(diag, ERR_IO, "%s cannot be read: %s", file, sqlite3_errstr(rc));
    if (*count == 0)
        return diag_set(diag, ERR_UNKNOWN, "%s knows of no device in session %llu", file,
                        (unsigned long long)session);
    return 0;
}
