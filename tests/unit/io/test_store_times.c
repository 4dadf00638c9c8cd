/* Times that were told by a wrong clock: every one of the file is moved, and none twice. */
#include "store_place.h"

#include <string.h>

#include "base/text.h"
#include "io/store_times.h"

#define FROM INT64_C(1000000)
#define TOLD INT64_C(2000000)
#define BY   INT64_C(300000)

/* What is no instant, or stays as it was told. */
static bool is_left(const char *table, const char *column)
{
    return (strcmp(table, "session_phase") == 0 && strcmp(column, "target_ms") == 0) ||
           strcmp(table, "audit") == 0 || strcmp(table, "audit_anchor") == 0 ||
           strcmp(table, "moved") == 0;
}

/* For each column that is named as a time: table, column. */
static unsigned each_time(sqlite3 *db,
                          void (*each)(sqlite3 *db, const char *table, const char *name))
{
    unsigned count = 0;
    sqlite3_stmt *rows;
    assert_int_equal(sqlite3_prepare_v2(
                         db,
                         "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c "
                         "WHERE m.type = 'table' AND c.name LIKE '%\\_ms' ESCAPE '\\'",
                         -1, &rows, NULL),
                     SQLITE_OK);
    for (; sqlite3_step(rows) == SQLITE_ROW; count++)
        each(db, (const char *)sqlite3_column_text(rows, 0),
             (const char *)sqlite3_column_text(rows, 1));
    sqlite3_finalize(rows);
    return count;
}

/* A row whose every time is TOLD, whatever else the table asks for. */
static void fill(sqlite3 *db, const char *table, const char *column)
{
    char sql[1200];
    sqlite3_stmt *columns;
    struct text text = text_in(sql, sizeof(sql));
    (void)column;
    text_add(&text, "INSERT OR REPLACE INTO %s VALUES (", table);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name, type FROM pragma_table_info(?)", -1, &columns, NULL),
        SQLITE_OK);
    sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC);
    for (bool more = false; sqlite3_step(columns) == SQLITE_ROW; more = true) {
        const char *name = (const char *)sqlite3_column_text(columns, 0);
        size_t length = strlen(name);
        bool is_time = length > 3 && strcmp(name + length - 3, "_ms") == 0;
        bool is_text = strcmp((const char *)sqlite3_column_text(columns, 1), "TEXT") == 0;
        text_add(&text, "%s%s", more ? ", " : "", is_time ? "2000000" : is_text ? "'{}'" : "1");
    }
    sqlite3_finalize(columns);
    text_add(&text, ")");
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

static void look(sqlite3 *db, const char *table, const char *column)
{
    char sql[200];
    sqlite3_stmt *row;
    struct text text = text_in(sql, sizeof(sql));
    text_add(&text, "SELECT max(%s) FROM %s", column, table);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t ms = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    if (ms != (is_left(table, column) ? TOLD : TOLD + BY))
        fail_msg("%s.%s is %lld", table, column, (long long)ms);
}

static void every_time_of_the_file_is_moved(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    start_store(world);
    stop_store(world, 70000);
    sqlite3 *db = open_file();
    assert_true(each_time(db, fill) > 30);
    sqlite3_close(db);
    open_store(world);
    for (int i = 0; i < 2; i++) { /* the second one asks again for what is done */
        bool again;
        int64_t by_ms = BY + i;
        assert_int_equal(store_move_times(world->store, FROM, &by_ms, &again, &diag), 0);
        assert_int_equal(again, i);
        assert_int_equal(by_ms, BY);
    }
    store_close(world->store);
    world->store = NULL;
    db = open_file();
    each_time(db, look);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_time_of_the_file_is_moved, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
