/*
 * A damaged file is set aside, never deleted, and a new one is begun at once, for rooms go on. From
 * the newest good backup it has all that people know of (clients, plans, sessions, alarms ...), in
 * one transaction. What was measured follows in small steps (store_merge.c), and what the backup
 * is too old for, from recordings: the file says of which time it lacks something (table lack).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "io/backup_file.h"
#include "io/store_state.h"

/* What is not taken as it is: of the old file alone, or large. */
#define LEFT_OUT "'spool', 'second', 'minute', 'scrub', 'merge', 'lack'"

#define COLUMNS_BYTES 1024

/* ---- the records of a backup ---- */

int store_run_sql(sqlite3 *db, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *sql = sqlite3_vmprintf(format, values);
    va_end(values);
    int rc = sql != NULL ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return rc;
}

/* The columns that both have: it may be of an older version. */
static int common_columns(sqlite3 *db, const char *table, char out[COLUMNS_BYTES])
{
    static const char sql[] =
        "SELECT group_concat(name) FROM pragma_table_info(?1, 'main') WHERE name IN"
        " (SELECT name FROM pragma_table_info(?1, 'old'))";
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    out[0] = '\0';
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW &&
        sqlite3_column_text(statement, 0) != NULL)
        snprintf(out, COLUMNS_BYTES, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int copy_table(sqlite3 *db, const char *table)
{
    char columns[COLUMNS_BYTES];
    int rc = common_columns(db, table, columns);
    if (rc != SQLITE_OK || columns[0] == '\0')
        return rc;
    return store_run_sql(db, "INSERT OR REPLACE INTO main.\"%w\" (%s) SELECT %s FROM old.\"%w\"",
                         table, columns, columns, table);
}

static int copy_tables(sqlite3 *db)
{
    static const char sql[] =
        "SELECT name FROM old.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT IN (" LEFT_OUT ") AND name IN"
        " (SELECT name FROM main.sqlite_master WHERE type = 'table') ORDER BY name = 'numbered'";
    sqlite3_stmt *list;
    int copied = SQLITE_OK, rc = sqlite3_prepare_v2(db, sql, -1, &list, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(list);
        if (rc == SQLITE_ROW)
            copied = copy_table(db, (const char *)sqlite3_column_text(list, 0));
        if (copied != SQLITE_OK)
            break;
    }
    sqlite3_finalize(list);
    return copied != SQLITE_OK ? copied : rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A hub at work knows what is under way and what stands, and puts it anew. What the backup alone
 * knows of that is over. */
static int end_what_went_on(sqlite3 *db)
{
    return store_run_sql(
        db, "UPDATE session SET state = 'aborted', reason = 'its end was in a damaged file',"
            "  ended_ms = coalesce(started_ms, created_ms)"
            "  WHERE state IN ('planned', 'running', 'paused');"
            "UPDATE alarm SET presence = 0, state = 0, shelved_until_ms = NULL"
            "  WHERE presence <> 0 OR shelved_until_ms IS NOT NULL;"
            "DELETE FROM pause; DELETE FROM placement;");
}

/* In one transaction: all of it, or the new file stays empty. */
static int copy_records(struct store *store, const char *path, int64_t heard_ms)
{
    sqlite3 *db = store->db.db;
    int rc = store_run_sql(db, "ATTACH %Q AS old", path);
    if (rc != SQLITE_OK)
        return rc;
    rc = store_run_sql(db, "BEGIN IMMEDIATE");
    if (rc == SQLITE_OK)
        rc = copy_tables(db);
    if (rc == SQLITE_OK && store->started)
        rc = end_what_went_on(db);
    if (rc == SQLITE_OK) /* the place in the spool: of a hub at work the next batch has it */
        rc = store_run_sql(db,
                           "UPDATE main.spool SET (ring, position, batch, sealed_ms, clean,"
                           " seconds_from, heard_ms) = (SELECT ring, position, batch,"
                           " sealed_ms, 0, seconds_from, %lld FROM old.spool);"
                           "INSERT INTO merge VALUES (%Q, 0, 0, 0, 0, 0)",
                           (long long)heard_ms, path);
    if (rc == SQLITE_OK)
        rc = store_run_sql(db, "COMMIT");
    if (rc != SQLITE_OK)
        store_run_sql(db, "ROLLBACK");
    store_run_sql(db, "DETACH old");
    return rc;
}

/* The newest that can be read. Its checksum is looked at before its history is taken. */
static bool take_backup(struct store *store, int64_t *heard_ms)
{
    struct backup_name *list;
    size_t count;
    struct diag diag = {0};
    bool taken = false;
    *heard_ms = 0;
    if (store->options.backups == NULL ||
        backup_folder_list(store->options.backups, &list, &count, &diag) != 0)
        return false;
    for (size_t i = count; i-- > 0 && !taken;) {
        char path[PATH_MAX], base[PATH_MAX];
        struct backup_facts facts;
        struct diag why = {0};
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - 100, store->options.backups,
                 list[i].file);
        int rc = SQLITE_OK;
        if (backup_read(path, &facts, &why) == 0 && backup_base(path, &facts, base, &why) == 0)
            rc = copy_records(store, path, facts.heard_ms);
        taken = why.code == 0 && rc == SQLITE_OK;
        if (taken)
            *heard_ms = facts.heard_ms;
        log_line(taken ? LOG_NOTICE : LOG_ERROR_, "store: %s %s%s%s",
                 taken ? "rebuilt from backup" : "a backup cannot be used:", list[i].file,
                 taken ? ": records at once, history by and by" : ": ",
                 taken           ? ""
                 : why.code != 0 ? why.text
                                 : sqlite3_errstr(rc));
    }
    free(list);
    return taken;
}

/* ---- what it lacks then ---- */

int store_note_lack(struct store *store, int64_t from_ms, bool renewed)
{
    int64_t to_ms = atomic_load(&store->stored_heard_ms);
    char to[24] = "NULL";
    if (store->started && to_ms <= from_ms)
        return SQLITE_OK;
    if (store->started)
        snprintf(to, sizeof(to), "%lld", (long long)to_ms);
    int rc = store_run_sql(store->db.db,
                           "INSERT OR REPLACE INTO lack SELECT %lld, %s,"
                           " CASE WHEN %d THEN coalesce(max(number), 0) + 1 ELSE 0 END FROM alarm",
                           (long long)from_ms, to, renewed);
    store_read_lack(store);
    return rc;
}

void store_read_lack(struct store *store)
{
    sqlite3_stmt *statement;
    struct store_lack lack = {0};
    int rc = sqlite3_prepare_v2(store->db.db,
                                "SELECT from_ms, to_ms, alarms FROM lack ORDER BY 1 LIMIT 1", -1,
                                &statement, NULL);
    if (rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        lack = (struct store_lack){
            .is_there = true,
            .open = sqlite3_column_type(statement, 1) == SQLITE_NULL,
            .from_ms = sqlite3_column_int64(statement, 0),
            .to_ms = sqlite3_column_int64(statement, 1),
            .alarms = (uint64_t)sqlite3_column_int64(statement, 2),
        };
    sqlite3_finalize(statement);
    pthread_mutex_lock(&store->mutex);
    store->lack = lack;
    pthread_mutex_unlock(&store->mutex);
    if (!store->started)
        store->lack_open = lack.is_there && lack.open;
}

/* The first message that the file has not ends what it lacks, with the batch that has it. */
void store_close_lack(struct store *store, int64_t received_ms)
{
    struct store_lack lack;
    store_lack(store, &lack);
    const struct store_value row[] = {store_int(lack.from_ms), store_int(received_ms - 1),
                                      store_int((int64_t)lack.alarms)};
    bool nothing = received_ms - 1 <= lack.from_ms;
    if (nothing ? !store_remove(store, STORE_LACK, row, 1) : !store_put(store, STORE_LACK, row, 3))
        return; /* with the next one, then */
    store->lack_open = false;
    pthread_mutex_lock(&store->mutex);
    store->lack.open = false;
    store->lack.is_there = !nothing;
    store->lack.to_ms = received_ms - 1;
    pthread_mutex_unlock(&store->mutex);
}

void store_lack(struct store *store, struct store_lack *lack)
{
    pthread_mutex_lock(&store->mutex);
    *lack = store->lack;
    pthread_mutex_unlock(&store->mutex);
}

/* By way of the open batch, as any row: the writer finds it there. */
bool store_fill(struct store *store, const char *rebuilt)
{
    struct store_lack lack;
    store_lack(store, &lack);
    const struct store_value from = store_int(lack.from_ms),
                             row[] = {store_text(rebuilt), store_int(1),
                                      store_int(0),        store_int((int64_t)lack.alarms),
                                      store_int(0),        store_int(0)};
    if (rebuilt != NULL && !store_put(store, STORE_MERGE, row, 6))
        return false;
    if (!store_remove(store, STORE_LACK, &from, 1))
        return false;
    atomic_store(&store->filled, store->open->number);
    pthread_mutex_lock(&store->mutex);
    store->lack = (struct store_lack){.is_there = false};
    pthread_mutex_unlock(&store->mutex);
    return true;
}

unsigned store_renewals(const struct store *store)
{
    return atomic_load(&store->renewals);
}

bool store_is_rebuilding(struct store *store)
{
    struct store_lack lack;
    store_lack(store, &lack);
    return atomic_load(&store->merging) || lack.is_there ||
           atomic_load(&store->merged) < atomic_load(&store->filled);
}

/* ---- the damaged file ---- */

bool store_damaged(struct store *store, char name[STORE_NAME_BYTES])
{
    pthread_mutex_lock(&store->mutex);
    memcpy(name, store->aside, STORE_NAME_BYTES);
    pthread_mutex_unlock(&store->mutex);
    return name[0] != '\0';
}

/* The newest that lies there; it is complained of until somebody has taken it away. */
void store_look_aside(struct store *store)
{
    char folder[PATH_MAX], newest[STORE_NAME_BYTES] = "";
    snprintf(folder, sizeof(folder), "%s", store->file);
    char *slash = strrchr(folder, '/');
    const char *base = slash != NULL ? slash + 1 : folder;
    char part[PATH_MAX];
    snprintf(part, sizeof(part), "%.*s.damaged-", PATH_MAX - 16, base);
    if (slash != NULL)
        *slash = '\0';
    DIR *entries = opendir(slash == NULL ? "." : *folder != '\0' ? folder : "/");
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        size_t bytes = strlen(part);
        if (strncmp(entry->d_name, part, bytes) == 0 &&
            strspn(entry->d_name + bytes, "0123456789") == strlen(entry->d_name + bytes) &&
            strcmp(entry->d_name, newest) > 0)
            snprintf(newest, sizeof(newest), "%s", entry->d_name);
    }
    if (entries != NULL)
        closedir(entries);
    pthread_mutex_lock(&store->mutex);
    snprintf(store->aside, sizeof(store->aside), "%s", newest);
    pthread_mutex_unlock(&store->mutex);
}

/* ---- anew ---- */

static void forget(struct store *store)
{
    for (uint32_t i = 0; i < store->options.max_devices; i++)
        store->devices[i].key = 0;
    memset(store->metrics, 0, store->options.drivers->metric_count * sizeof(*store->metrics));
    store->seconds_from = 0;
}

static int note_damage(struct store *store, int64_t heard_ms)
{
    int rc = store_note_lack(store, heard_ms, true);
    return rc == SQLITE_OK
               ? store_run_sql(store->db.db,
                               "INSERT INTO gap (from_ms, to_ms, messages, why) VALUES (%lld, %lld,"
                               " NULL, 'damaged; what was recorded of it comes back')",
                               (long long)heard_ms, (long long)clock_wall_ms())
               : rc;
}

int store_begin_anew(struct store *store, const char *why, struct diag *diag)
{
    struct store_mark mark = {0};
    int64_t heard_ms = 0;
    store_merge_close(store);
    store_file_close(&store->db);
    atomic_store(&store->merging, true); /* until there is nothing more to be taken over */
    int code = store_file_set_aside(store->file, why, diag);
    if (code == 0)
        code = store_file_open(&store->db, store->file, diag);
    forget(store);
    if (code != 0)
        return code;
    if (!take_backup(store, &heard_ms))
        log_error("store: there is no backup to rebuild %s from", store->file);
    int rc = note_damage(store, heard_ms);
    if (rc == SQLITE_OK && (rc = store_read_mark(&store->db, &mark)) == SQLITE_OK)
        store->seconds_from = mark.seconds_from;
    if (rc != SQLITE_OK)
        return diag_set(diag, ERR_IO, "%s: %s", store->file, sqlite3_errmsg(store->db.db));
    store_watch_log(store);
    store_look_aside(store);
    atomic_fetch_add(&store->renewals, 1);
    return 0;
}
