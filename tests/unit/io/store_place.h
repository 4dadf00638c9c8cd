/*
 * A folder with a store in it, of one sensor, for the tests of io/store.
 */
#ifndef LUMBAR_TESTS_STORE_PLACE_H
#define LUMBAR_TESTS_STORE_PLACE_H

#include "../core/sensor.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/log.h"
#include "io/store.h"

#define NOW    INT64_C(1700000000000)
#define MINUTE (NOW / 60000)
#define RING   UINT64_C(0xfeedfacecafebeef) /* beyond what a signed number holds */

static char folder[64], file[96];

struct world {
    struct drivers drivers;
    struct devices *devices;
    struct device *device;
    struct store_options options;
    struct store *store;
};

static inline int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    log_set_level((enum log_level)0);
    snprintf(folder, sizeof(folder), "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/history.db", folder);
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    world->devices = devices_create(4, 1000);
    world->device = devices_hear(world->devices, &world->drivers.list[0], "s-1", 3);
    world->options = (struct store_options){.file = file,
                                            .history_bytes = 1 << 20,
                                            .max_devices = 4,
                                            .drivers = &world->drivers,
                                            .devices = world->devices,
                                            .seconds_days = 90,
                                            .size_bytes = INT64_C(1) << 40,
                                            .patience_ms = 60000,
                                            .ring = RING,
                                            .tail = 65536,
                                            .head = 1 << 30};
    *state = world;
    return 0;
}

static inline int close_world(void **state)
{
    struct world *world = *state;
    if (world->store != NULL) {
        store_stop(world->store, NOW, 0);
        store_close(world->store);
    }
    devices_destroy(world->devices);
    drivers_fini(&world->drivers);
    free(world);
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
    return rmdir(folder);
}

static inline void open_store(struct world *world)
{
    struct diag diag = {0};
    if (store_open(&world->store, &world->options, NOW, &diag) != 0)
        fail_msg("%s", diag.text);
}

static inline void start_store(struct world *world)
{
    struct diag diag = {0};
    open_store(world);
    assert_int_equal(store_start(world->store, NULL, NULL, &diag), 0);
}

static inline void stop_store(struct world *world, uint64_t done)
{
    store_stop(world->store, NOW, done);
    store_close(world->store);
    world->store = NULL;
}

static inline void say(struct world *world, int64_t at_ms, double value)
{
    struct lumbar_series series = {ANGLE, 1, &at_ms, &value};
    struct lumbar_batch batch = {.series = &series, .series_count = 1};
    history_add(store_history(world->store), world->device, &batch, 0);
}

static inline sqlite3 *open_file(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

static inline void run_sql(const char *sql)
{
    sqlite3 *db = open_file();
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

static inline int64_t number_of(const char *sql)
{
    sqlite3 *db = open_file();
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* The block of a minute (second), or of an hour (minute), of the one device's angle. */
static inline struct block stored(const char *table, int64_t number)
{
    char sql[160];
    struct block block = {0};
    sqlite3 *db = open_file();
    sqlite3_stmt *statement;
    snprintf(sql, sizeof(sql), "SELECT block FROM %s WHERE %s = %lld", table,
             strcmp(table, "second") == 0 ? "minute" : "hour", (long long)number);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        assert_true(block_unpack(&block, sqlite3_column_blob(statement, 0),
                                 (size_t)sqlite3_column_bytes(statement, 0)));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return block;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
