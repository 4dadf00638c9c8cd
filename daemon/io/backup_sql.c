#include "io/backup_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_state.h"

#define STEPS 4000 /* of SQLite's machine, between two looks */
#define RULES "page_rules"

static int on_progress(void *user)
{
    const struct backup_pace *pace = user;
    return pace->stop(pace->user);
}

static void follow(sqlite3 *db, const struct backup_pace *pace)
{
    if (pace != NULL)
        sqlite3_progress_handler(db, STEPS, on_progress, (void *)(uintptr_t)pace);
}

static int complain(sqlite3 *db, int rc, struct diag *diag)
{
    int code = store_outcome_of(rc) == STORE_DAMAGED ? ERR_MALFORMED
               : (rc & 0xff) == SQLITE_INTERRUPT     ? ERR_LIMIT
                                                     : ERR_IO;
    return diag_set(diag, code, "%s",
                    db == NULL || rc == SQLITE_NOMEM ? sqlite3_errstr(rc) : sqlite3_errmsg(db));
}

/* The text that a query gives, "" where it gives none. */
static int ask(sqlite3 *db, const char *sql, char *out, size_t bytes)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    out[0] = '\0';
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        snprintf(out, bytes, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- all of it ---- */

int backup_sql_copy(const char *store, const char *to, const struct backup_pace *pace,
                    struct diag *diag)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_open_v2(
        store, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA cache_size = -1024", NULL, NULL,
                          NULL);
    follow(db, pace);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_DONE)
        rc = SQLITE_OK;
    int code = rc == SQLITE_OK ? 0 : complain(db, rc, diag);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return code;
}

/* ---- changes ---- */

/* Does it for each table of a database, given its name and how it was made. */
static int each_table(sqlite3 *db, const char *database,
                      int (*one)(sqlite3 *db, const char *table, const char *made))
{
    char sql[160];
    sqlite3_stmt *list;
    snprintf(sql, sizeof(sql),
             "SELECT name, sql FROM %s.sqlite_master WHERE type = 'table'"
             " AND name NOT LIKE 'sqlite_%%' AND name NOT LIKE 'gone_%%' AND name <> '" RULES "'",
             database);
    int done = SQLITE_OK, rc = sqlite3_prepare_v2(db, sql, -1, &list, NULL);
    while (rc == SQLITE_OK && done == SQLITE_OK && (rc = sqlite3_step(list)) == SQLITE_ROW) {
        done = one(db, (const char *)sqlite3_column_text(list, 0),
                   (const char *)sqlite3_column_text(list, 1));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(list);
    return done != SQLITE_OK ? done : rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static const struct large {
    const char *table, *keys, *same; /* same: the keys of s and b are */
} large[] = {
    {"second", "minute, device, metric",
     "b.minute = s.minute AND b.device = s.device AND b.metric = s.metric"},
    {"minute", "device, metric, hour",
     "b.device = s.device AND b.metric = s.metric AND b.hour = s.hour"},
};
enum { LARGE = sizeof(large) / sizeof(large[0]) };

static bool is_large(const char *table)
{
    for (unsigned i = 0; i < LARGE; i++)
        if (strcmp(table, large[i].table) == 0)
            return true;
    return false;
}

static int write_table(sqlite3 *db, const char *table, const char *made)
{
    int rc = store_run_sql(db, "%s", made);
    if (rc == SQLITE_OK && !is_large(table))
        rc = store_run_sql(db, "INSERT INTO main.\"%w\" SELECT * FROM store.\"%w\"", table, table);
    return rc;
}

static int write_large(sqlite3 *db, const struct large *of)
{
    int rc =
        store_run_sql(db,
                      "INSERT INTO main.%s SELECT s.* FROM store.%s s LEFT JOIN base.%s b ON %s"
                      " WHERE b.block IS NOT s.block",
                      of->table, of->table, of->table, of->same);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "CREATE TABLE gone_%s (%s, PRIMARY KEY (%s)) WITHOUT ROWID",
                           of->table, of->keys, of->keys);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db,
                           "INSERT INTO main.gone_%s SELECT %s FROM base.%s b"
                           " WHERE NOT EXISTS (SELECT 1 FROM store.%s s WHERE %s)",
                           of->table, of->keys, of->table, of->table, of->same);
    return rc;
}

/* In one transaction: the store is seen as it is at one moment. */
static int write_changes(sqlite3 *db, int schema)
{
    int rc = store_run_sql(db, "BEGIN");
    if (rc == SQLITE_OK)
        rc = each_table(db, "store", write_table);
    for (unsigned i = 0; rc == SQLITE_OK && i < LARGE; i++)
        rc = write_large(db, &large[i]);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "PRAGMA main.user_version = %d; COMMIT", schema);
    return rc;
}

/* Nothing of it counts before it is sealed: it needs no journal. */
#define NEW_FILE "PRAGMA main.journal_mode = OFF; PRAGMA main.synchronous = OFF;"

int backup_sql_changes(const char *store, const char *base, const char *to,
                       const struct backup_pace *pace, struct diag *diag)
{
    sqlite3 *db = NULL;
    char schema[24] = "", of_base[24] = "";
    int rc = sqlite3_open_v2(to, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_EXRESCODE,
                             NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db,
                           "ATTACH %Q AS store; ATTACH %Q AS base;" NEW_FILE
                           "PRAGMA cell_size_check = ON; PRAGMA main.cache_size = -512;"
                           "PRAGMA store.cache_size = -512; PRAGMA base.cache_size = -512",
                           store, base);
    follow(db, pace);
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA store.user_version", schema, sizeof(schema));
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA base.user_version", of_base, sizeof(of_base));
    int code = 0;
    if (rc == SQLITE_OK && strcmp(schema, of_base) != 0)
        code = diag_set(diag, ERR_VERSION, "its base is of another version");
    else if (rc == SQLITE_OK)
        rc = write_changes(db, (int)strtol(schema, NULL, 10));
    if (rc != SQLITE_OK)
        code = complain(db, rc, diag);
    sqlite3_close(db);
    return code;
}

static int apply_table(sqlite3 *db, const char *table, const char *made)
{
    (void)made;
    return is_large(table) ? SQLITE_OK
                           : store_run_sql(db,
                                           "DELETE FROM main.\"%w\";"
                                           "INSERT INTO main.\"%w\" SELECT * FROM later.\"%w\"",
                                           table, table, table);
}

static int apply_large(sqlite3 *db, const struct large *of)
{
    return store_run_sql(db,
                         "DELETE FROM main.%s WHERE (%s) IN (SELECT %s FROM later.gone_%s);"
                         "INSERT OR REPLACE INTO main.%s SELECT * FROM later.%s",
                         of->table, of->keys, of->keys, of->table, of->table, of->table);
}

/* A connection to a copy that nobody else has, and that nothing is lost with. */
static int open_copy(const char *to, sqlite3 **db)
{
    int rc = sqlite3_open_v2(
        to, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return rc == SQLITE_OK ? store_run_sql(*db, NEW_FILE "PRAGMA cell_size_check = ON") : rc;
}

static int close_copy(sqlite3 *db, int rc, struct diag *diag)
{
    int code = rc == SQLITE_OK ? 0 : complain(db, rc, diag);
    sqlite3_close(db);
    return code;
}

/* The store's triggers have done then what they do. */
int backup_sql_apply(const char *changes, const char *to, struct diag *diag)
{
    sqlite3 *db = NULL;
    int rc = open_copy(to, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (rc == SQLITE_OK)
        rc =
            store_run_sql(db, "ATTACH %Q AS later; PRAGMA main.secure_delete = ON; BEGIN", changes);
    if (rc == SQLITE_OK)
        rc = each_table(db, "later", apply_table);
    for (unsigned i = 0; rc == SQLITE_OK && i < LARGE; i++)
        rc = apply_large(db, &large[i]);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "COMMIT");
    return close_copy(db, rc, diag);
}

/* ---- what the page changed of the rules ---- */

int backup_sql_put_rules(const char *part, const char *text, struct diag *diag)
{
    sqlite3 *db = NULL;
    int rc = open_copy(part, &db);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db,
                           "CREATE TABLE " RULES " (text TEXT NOT NULL);"
                           "INSERT INTO " RULES " VALUES (%Q)",
                           text);
    return close_copy(db, rc, diag);
}

int backup_sql_rules(const char *file, char **text, struct diag *diag)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    *text = NULL;
    int rc = sqlite3_open_v2(
        file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE name = '" RULES "'", -1,
                                &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    sqlite3_finalize(statement);
    statement = NULL;
    if (rc == SQLITE_ROW)
        rc = sqlite3_prepare_v2(db, "SELECT text FROM " RULES, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        const unsigned char *column = sqlite3_column_text(statement, 0);
        *text = column != NULL ? strdup((const char *)column) : NULL;
        rc = *text != NULL ? SQLITE_ROW : SQLITE_NOMEM;
    }
    sqlite3_finalize(statement);
    return close_copy(db, rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc, diag);
}

int backup_sql_strip(const char *to, struct diag *diag)
{
    sqlite3 *db = NULL;
    int rc = open_copy(to, &db);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "DROP TABLE IF EXISTS " RULES);
    return close_copy(db, rc, diag);
}

/* ---- seen whole ---- */

int backup_sql_view(sqlite3 *db, const char *base)
{
    int rc = store_run_sql(db, "ATTACH %Q AS base", base);
    for (unsigned i = 0; rc == SQLITE_OK && i < LARGE; i++) {
        const struct large *of = &large[i];
        rc = store_run_sql(db,
                           "CREATE TEMP VIEW %s AS SELECT %s, block FROM main.%s UNION ALL"
                           " SELECT %s, block FROM base.%s b"
                           " WHERE NOT EXISTS (SELECT 1 FROM main.%s s WHERE %s)"
                           " AND NOT EXISTS (SELECT 1 FROM main.gone_%s s WHERE %s)",
                           of->table, of->keys, of->table, of->keys, of->table, of->table, of->same,
                           of->table, of->same);
    }
    return rc;
}

/* ---- looked through ---- */

int backup_sql_check(const char *file, const struct backup_pace *pace, struct backup_facts *facts,
                     struct diag *diag)
{
    sqlite3 *db = NULL;
    char said[200] = "", schema[24] = "", heard[24] = "";
    int rc = sqlite3_open_v2(
        file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    follow(db, pace);
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA integrity_check(1)", said, sizeof(said));
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA user_version", schema, sizeof(schema));
    if (rc == SQLITE_OK) /* older ones do not have it */
        ask(db, "SELECT heard_ms FROM spool", heard, sizeof(heard));
    int code = rc == SQLITE_OK ? 0 : complain(db, rc, diag);
    if (code == 0 && strcmp(said, "ok") != 0)
        code = diag_set(diag, ERR_MALFORMED, "it is damaged: %s", said);
    if (code == 0) {
        facts->schema = (int)strtol(schema, NULL, 10);
        facts->heard_ms = strtoll(heard, NULL, 10);
    }
    sqlite3_close(db);
    return code;
}
