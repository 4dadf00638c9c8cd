#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/store_state.h"

static const char *const statement_texts[ON_STATEMENTS_] = {
    [ON_BEGIN] = "BEGIN IMMEDIATE",
    [ON_COMMIT] = "COMMIT",
    [ON_ROLLBACK] = "ROLLBACK",
    [ON_MARK] = "UPDATE spool SET ring = ?1, position = ?2, batch = ?3, sealed_ms = ?4, clean = ?5,"
                " heard_ms = ?6",
    [ON_MARK_READ] = "SELECT ring, position, batch, sealed_ms, clean, seconds_from, heard_ms"
                     " FROM spool",
    [ON_DEVICE_ADD] = "INSERT OR IGNORE INTO device (kind, name) VALUES (?1, ?2)",
    [ON_DEVICE_FIND] = "SELECT id FROM device WHERE kind = ?1 AND name = ?2",
    [ON_METRIC_ADD] = "INSERT OR IGNORE INTO metric (kind, name, unit, min, step)"
                      " VALUES (?1, ?2, ?3, ?4, ?5)",
    [ON_METRIC_FIND] = "SELECT id FROM metric WHERE kind = ?1 AND name = ?2 AND min = ?3"
                       " AND step = ?4",
    [ON_SECOND_READ] = "SELECT block FROM second WHERE minute = ?1 AND device = ?2 AND metric = ?3",
    [ON_SECOND_WRITE] = "INSERT INTO second VALUES (?1, ?2, ?3, ?4)"
                        " ON CONFLICT DO UPDATE SET block = excluded.block",
    [ON_ROLLUP_ADD] = "INSERT OR IGNORE INTO rollup VALUES (?1)",
    [ON_GAP] = "INSERT INTO gap (from_ms, to_ms, messages, why) VALUES (?1, ?2, nullif(?3, 0), ?4)",
    [ON_ROLLUP_NEXT] = "SELECT hour FROM rollup WHERE hour < ?1 ORDER BY hour LIMIT 1",
    [ON_ROLLUP_SERIES] = "SELECT DISTINCT device, metric FROM second"
                         " WHERE minute >= ?1 AND minute < ?2",
    [ON_ROLLUP_DONE] = "DELETE FROM rollup WHERE hour = ?1",
    [ON_MINUTE_READ] = "SELECT block FROM minute WHERE device = ?1 AND metric = ?2 AND hour = ?3",
    [ON_MINUTE_WRITE] = "INSERT INTO minute VALUES (?1, ?2, ?3, ?4)"
                        " ON CONFLICT DO UPDATE SET block = excluded.block",
    [ON_OLDEST] = "SELECT min(minute) FROM second",
    [ON_OLDEST_DROP] = "DELETE FROM second WHERE minute = ?1",
    [ON_SECONDS_DROP] = "DELETE FROM second WHERE minute >= ?1 AND minute < ?2",
    [ON_SECONDS_FROM] = "UPDATE spool SET seconds_from = max(seconds_from, ?1)",
    [ON_MINUTES_DROP] = "DELETE FROM minute WHERE device = ?1 AND metric = ?2 AND hour < ?3",
};

/* The file is not to be trusted: no schema of it may call what we did not ask for. */
static int set_up(sqlite3 *db)
{
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* One process has it: a lock that is kept saves four system calls a transaction, but readers
     * must get in. Commits are few, so each is synced. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db,
                          "PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                          "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -512;"
                          "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF;"
                          "PRAGMA secure_delete = ON", /* what is deleted is overwritten */
                          NULL, NULL, NULL);
    return rc;
}

enum store_outcome store_outcome_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STORE_DONE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_DAMAGED;
    default:
        return STORE_REFUSED;
    }
}

static int prepare(struct store_db *db)
{
    for (int i = 0; i < ON_STATEMENTS_; i++) {
        int rc = sqlite3_prepare_v3(db->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &db->statements[i], NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return store_rows_prepare(db);
}

static int complain(const struct store_db *db, const char *file, int rc, struct diag *diag)
{
    /* A table that is not there, in a file that says it has it, is damage too. */
    bool damaged = store_outcome_of(rc) == STORE_DAMAGED || (rc & 0xff) == SQLITE_ERROR;
    return diag_set(diag, damaged ? ERR_MALFORMED : ERR_IO, "%s: %s", file,
                    db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
}

int store_file_open(struct store_db *db, const char *file, struct diag *diag)
{
    memset(db, 0, sizeof(*db));
    int rc = sqlite3_open_v2(file, &db->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_EXRESCODE,
                             NULL);
    if (rc == SQLITE_OK)
        rc = set_up(db->db);
    int code =
        rc == SQLITE_OK ? store_file_migrate(db->db, file, diag) : complain(db, file, rc, diag);
    if (code == 0 && (rc = prepare(db)) != SQLITE_OK)
        code = complain(db, file, rc, diag);
    if (code != 0)
        store_file_close(db);
    return code;
}

/* Can a file be made there, but for the room on the disk? */
static bool may_be_made(const char *file)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", file);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    return access(slash != NULL ? folder : ".", W_OK | X_OK) == 0;
}

/* Where nothing can be written: alone with the file, SQLite keeps the index of its log in memory.
 */
int store_file_open_full(struct store_db *db, const char *file, struct diag *diag)
{
    struct stat status;
    memset(db, 0, sizeof(*db));
    bool is_there = stat(file, &status) == 0 && status.st_size > 0;
    if (!is_there && may_be_made(file))
        return 0;
    int rc = sqlite3_open_v2(
        file, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON", NULL,
                          NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db->db, statement_texts[ON_MARK_READ], -1,
                                &db->statements[ON_MARK_READ], NULL);
    if (rc == SQLITE_OK)
        return 0;
    int code = complain(db, file, rc, diag);
    store_file_close(db);
    return code;
}

void store_file_close(struct store_db *db)
{
    for (int i = 0; i < ON_STATEMENTS_; i++)
        sqlite3_finalize(db->statements[i]);
    for (int i = 0; i < STORE_TABLES_; i++)
        sqlite3_finalize(db->puts[i]);
    sqlite3_close(db->db);
    memset(db, 0, sizeof(*db));
}

int store_read_open(sqlite3 **db, const struct store *store)
{
    return store_read_open_file(db, store->file);
}

int store_read_open_file(sqlite3 **db, const char *file)
{
    int rc = sqlite3_open_v2(
        file, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(*db, "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; BEGIN", NULL,
                          NULL, NULL);
    return rc;
}

void store_read_close(sqlite3 *db, struct store *store, int rc)
{
    sqlite3_close(db);
    if (store_outcome_of(rc) == STORE_DAMAGED)
        store_doubt(store);
}

int store_file_set_aside(const char *file, const char *why, struct diag *diag)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char from[PATH_MAX + 8], to[PATH_MAX + 64];
    long long now = (long long)(clock_wall_ms() / 1000);
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(from, sizeof(from), "%s%s", file, parts[i]);
        snprintf(to, sizeof(to), "%s.damaged-%lld%s", file, now, parts[i]);
        if (rename(from, to) != 0 && (i == 0 || errno != ENOENT))
            return diag_set(diag, ERR_IO, "%s is damaged, and cannot be set aside: %s", from,
                            strerror(errno));
    }
    log_error("store: %s is damaged (%s); it is kept as %s.damaged-%lld, and a new one is begun",
              file, why, file, now);
    return 0;
}

sqlite3_stmt *store_bind(struct store_db *db, enum store_statement which, const char *types, ...)
{
    sqlite3_stmt *statement = db->statements[which];
    va_list values;
    sqlite3_reset(statement);
    va_start(values, types);
    for (int i = 1; types[i - 1] != '\0'; i++) {
        const void *bytes;
        switch (types[i - 1]) {
        case 'd':
            sqlite3_bind_double(statement, i, va_arg(values, double));
            break;
        case 't':
            bytes = va_arg(values, const char *);
            sqlite3_bind_text(statement, i, bytes, -1, SQLITE_STATIC);
            break;
        case 'b':
            bytes = va_arg(values, const void *);
            sqlite3_bind_blob(statement, i, bytes, va_arg(values, int), SQLITE_STATIC);
            break;
        default:
            sqlite3_bind_int64(statement, i, va_arg(values, int64_t));
            break;
        }
    }
    va_end(values);
    return statement;
}

int store_step(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    sqlite3_reset(statement);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : rc;
}

int store_read_mark(struct store_db *db, struct store_mark *mark)
{
    sqlite3_stmt *statement = store_bind(db, ON_MARK_READ, "");
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *mark = (struct store_mark){
            .ring = (uint64_t)sqlite3_column_int64(statement, 0),
            .position = (uint64_t)sqlite3_column_int64(statement, 1),
            .batch = (uint64_t)sqlite3_column_int64(statement, 2),
            .sealed_ms = sqlite3_column_int64(statement, 3),
            .clean = sqlite3_column_int(statement, 4) != 0,
            .seconds_from = sqlite3_column_int64(statement, 5),
            .heard_ms = sqlite3_column_int64(statement, 6),
        };
    sqlite3_reset(statement);
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}
