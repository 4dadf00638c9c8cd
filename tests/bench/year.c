#include "year.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/store.h"
#include "io/store_rows.h"
#include "made.h"

#define DAY_MS        INT64_C(86400000)
#define OPENS_HOUR    7 /* UTC */
#define MADE_MAX      8
#define HISTORY_BYTES (32u << 20)
#define MINUTES       30  /* of a batch */
#define SECOND_MOST   200 /* samples of a value in a second that are told */

/* The year as it grows. */
struct making {
    const struct year_options *options;
    struct year *year;
    struct devices *devices;
    struct made_day made[MADE_MAX];
    struct store *store;
    uint64_t position;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-history: %s\n", what);
    exit(2);
}

bool year_day(const struct year_options *options, const struct year *year, unsigned day,
              int64_t *begin_ms)
{
    *begin_ms = year->from_ms + day * DAY_MS + OPENS_HOUR * INT64_C(3600000);
    return day % 7 < options->days_a_week;
}

static const struct made_day *made_of(const struct making *making, unsigned day)
{
    return &making->made[day % making->options->made_days];
}

/* ---- what is older has its minutes ---- */

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
}

static int64_t ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        give_up(sqlite3_errmsg(db));
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Names get the keys of their order, as the store gives them when it first meets them. */
static void put_names(const struct making *making, sqlite3 *db)
{
    const struct drivers *drivers = &making->options->setup->drivers;
    char *sql;
    for (uint32_t id = 1; id <= devices_count(making->devices); id++) {
        const struct device *device = devices_at(making->devices, id);
        sql = sqlite3_mprintf("INSERT INTO device (id, kind, name) VALUES (%u, %Q, %Q)", id,
                              device->driver->plugin->kind, device->name);
        run(db, sql);
        sqlite3_free(sql);
    }
    for (uint32_t number = 0; number < drivers->metric_count; number++) {
        const struct driver *driver;
        const struct lumbar_metric *metric = drivers_metric(drivers, number, &driver);
        sql = sqlite3_mprintf("INSERT INTO metric (id, kind, name, unit, min, step)"
                              " VALUES (%u, %Q, %Q, %Q, %!.17g, %!.17g)",
                              number + 1, driver->plugin->kind, metric->name, metric->unit,
                              metric->min, metric_step(metric));
        run(db, sql);
        sqlite3_free(sql);
    }
}

/* As the roll-up does it (store_upkeep.c): each minute's seconds as one bucket of the hour. */
static bool hour_of(const struct made_day *day, const struct made_series *series, unsigned hour,
                    struct block *block)
{
    bool any = false;
    memset(block, 0, sizeof(*block));
    for (unsigned minute = 0; minute < 60; minute++) {
        struct block seconds;
        if (!made_block(day, series, hour * 60 + minute, &seconds))
            continue;
        block->slots[minute] = block_sum(&seconds);
        any = true;
    }
    return any;
}

static void put_hours(const struct made_day *day, int64_t begin_ms, sqlite3_stmt *insert)
{
    uint8_t packed[BLOCK_MAX_BYTES];
    struct block block;
    for (unsigned hour = 0; hour < day->hours; hour++)
        for (unsigned i = 0; i < day->count; i++) {
            const struct made_series *series = &day->series[i];
            if (!hour_of(day, series, hour, &block))
                continue;
            sqlite3_bind_int64(insert, 1, series->device);
            sqlite3_bind_int64(insert, 2, series->metric + 1);
            sqlite3_bind_int64(insert, 3, begin_ms / 3600000 + hour);
            sqlite3_bind_blob(insert, 4, packed, (int)block_pack(&block, packed), SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE)
                give_up("a minute cannot be written");
            sqlite3_reset(insert);
        }
}

static void put_older(struct making *making)
{
    const struct year_options *options = making->options;
    sqlite3 *db;
    sqlite3_stmt *insert;
    if (sqlite3_open_v2(options->file, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO minute VALUES (?1, ?2, ?3, ?4)", -1, &insert, NULL) !=
            SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    run(db, "BEGIN");
    put_names(making, db);
    for (unsigned day = 0; day + options->seconds_days < options->days; day++) {
        int64_t begin_ms;
        if (!year_day(options, making->year, day, &begin_ms))
            continue;
        put_hours(made_of(making, day), begin_ms, insert);
        making->year->days++;
    }
    run(db, "COMMIT");
    sqlite3_finalize(insert);
    sqlite3_close(db);
}

/* ---- and the rest its seconds ---- */

static void open_store(struct making *making)
{
    const struct year_options *options = making->options;
    struct store_options of = {.file = options->file,
                               .history_bytes = HISTORY_BYTES,
                               .max_devices = 2 * options->rooms,
                               .drivers = &options->setup->drivers,
                               .devices = making->devices,
                               .seconds_days = 36500,
                               .size_bytes = INT64_C(1) << 40,
                               .patience_ms = 3600000,
                               .ring = 1,
                               .tail = 4096,
                               .head = UINT64_MAX / 4};
    struct diag diag = {0};
    if (store_open(&making->store, &of, clock_wall_ms(), &diag) != 0 ||
        store_start(making->store, NULL, NULL, &diag) != 0)
        give_up(diag.text);
}

static void close_store(struct making *making)
{
    store_stop(making->store, clock_wall_ms(), making->position);
    store_close(making->store);
    making->store = NULL;
}

/* Samples that make this bucket: its least, its greatest, and between them what leaves the mean. */
static uint32_t tell_second(const struct bucket *bucket, const struct lumbar_metric *metric,
                            int64_t second_ms, int64_t *time_ms, double *value)
{
    const double step = metric_step(metric);
    uint32_t count = bucket->count < SECOND_MOST ? bucket->count : SECOND_MOST;
    int64_t rest = (int64_t)bucket->mean * count - bucket->min - bucket->max;
    for (uint32_t i = 0; i < count; i++) {
        int64_t quantised = i == 0 ? bucket->min : bucket->max;
        if (i > 1) {
            quantised = rest / (count - i);
            rest -= quantised;
        }
        time_ms[i] = second_ms + i * 1000 / count;
        value[i] = metric->min + (double)quantised * step;
    }
    return count;
}

static void tell_minute(struct making *making, const struct made_series *series,
                        const struct block *block, int64_t minute_ms)
{
    static int64_t time_ms[BLOCK_SLOTS * SECOND_MOST];
    static double value[BLOCK_SLOTS * SECOND_MOST];
    struct device *device = devices_at(making->devices, series->device);
    struct lumbar_series of = {.metric = series->metric - device->driver->first_metric,
                               .time_ms = time_ms,
                               .value = value};
    for (unsigned slot = 0; slot < BLOCK_SLOTS; slot++)
        if (block->slots[slot].count > 0)
            of.count +=
                tell_second(&block->slots[slot], &device->driver->metrics[of.metric],
                            minute_ms + slot * INT64_C(1000), &time_ms[of.count], &value[of.count]);
    struct lumbar_batch batch = {.series = &of, .series_count = 1};
    struct history *history = store_history(making->store);
    if (history == NULL)
        give_up("a batch is more than was reckoned with");
    history_add(history, device, &batch, 0);
    making->year->samples += of.count;
    making->year->blocks++;
}

/* A batch goes while the next one is told. */
static void seal(struct making *making, int64_t now_ms)
{
    static const struct timespec rest = {0, 1000000};
    uint64_t batch = store_batch(making->store);
    making->position += 4096;
    while (store_batch(making->store) == batch) {
        store_turn(making->store, now_ms, making->position, STORE_NONE, false);
        nanosleep(&rest, NULL);
    }
}

static void tell_day(struct making *making, const struct made_day *day, int64_t begin_ms)
{
    struct block block;
    for (unsigned minute = 0; minute < day->hours * 60; minute++) {
        int64_t minute_ms = begin_ms + minute * HISTORY_MINUTE_MS;
        for (unsigned i = 0; i < day->count; i++)
            if (made_block(day, &day->series[i], minute, &block))
                tell_minute(making, &day->series[i], &block, minute_ms);
        if (minute % MINUTES == MINUTES - 1)
            seal(making, minute_ms + DAY_MS); /* it is old enough */
    }
}

static void tell_seconds(struct making *making)
{
    const struct year_options *options = making->options;
    open_store(making);
    for (unsigned day = options->days - options->seconds_days; day < options->days; day++) {
        int64_t begin_ms;
        if (!year_day(options, making->year, day, &begin_ms))
            continue;
        tell_day(making, made_of(making, day), begin_ms);
        making->year->days++;
        making->year->second_days++;
        printf("\r  %u of %u days have their seconds", making->year->second_days,
               (options->seconds_days * options->days_a_week + 6) / 7);
        fflush(stdout);
    }
    putchar('\n');
}

/* The writer does it an hour at a time, beside its work. */
static void await_roll_up(struct making *making)
{
    static const struct timespec rest = {0, 200000000};
    sqlite3 *db;
    if (sqlite3_open_v2(making->options->file, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    for (int64_t left; (left = ask(db, "SELECT count(*) FROM rollup")) > 0;) {
        printf("\r  %lld hours wait for their minutes  ", (long long)left);
        fflush(stdout);
        nanosleep(&rest, NULL);
    }
    putchar('\n');
    sqlite3_close(db);
}

/* ---- all of it ---- */

void year_find(struct year *year, const struct year_options *options)
{
    sqlite3 *db;
    if (sqlite3_open_v2(options->file, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    int64_t last_hour = ask(db, "SELECT max(hour) FROM minute WHERE device = 1 AND metric = 1");
    sqlite3_close(db);
    /* Its last day is the last one of treatment, or one of those of rest behind it. */
    int64_t last_day = last_hour / 24;
    *year = (struct year){.to_ms = (last_day + 1) * DAY_MS};
    for (unsigned day = options->days; day-- > 0 && day % 7 >= options->days_a_week;)
        year->to_ms += DAY_MS;
    year->from_ms = year->to_ms - options->days * DAY_MS;
}

static void weigh(const struct year_options *options, struct year *year)
{
    struct stat status;
    sqlite3 *db;
    if (sqlite3_open_v2(options->file, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        give_up(sqlite3_errmsg(db));
    year->second_bytes = ask(db, "SELECT sum(length(block)) FROM second");
    year->minute_bytes = ask(db, "SELECT sum(length(block)) FROM minute");
    sqlite3_close(db); /* its log goes with it */
    if (stat(options->file, &status) != 0)
        give_up(strerror(errno));
    year->file_bytes = status.st_size;
}

/* ---- who was treated ---- */

/* Four sessions a day in each room, of which each client has two a week; rows as the hub writes
 * them. */
static void put_people(const struct making *making)
{
    const struct year_options *options = making->options;
    const unsigned sessions = options->rooms * 4 * options->days;
    char sql[2048];
    sqlite3 *db;
    if (sqlite3_open(options->file, &db) != SQLITE_OK)
        give_up("the file cannot be opened for its clients");
    run(db, "BEGIN");
    snprintf(sql, sizeof(sql),
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
             " INSERT INTO client SELECT i, 'c-' || i, %lld, NULL,"
             " json_object('name', 'c-' || i, 'goals', json_array(), 'own', json_array()) FROM n",
             YEAR_CLIENTS, (long long)making->year->from_ms);
    run(db, sql);
    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n(i, at) AS (SELECT 1, %lld UNION ALL"
        "  SELECT i + 1, at + %lld FROM n WHERE i < %u)"
        " INSERT INTO session SELECT i, 1 + i %% %u, NULL, 'room-' || (1 + i %% %u), 'AB',"
        " 'done', NULL, at, at, at + 1800000, 6 - i %% 3, 4 - i %% 3, NULL, 40 - i %% 20, NULL,"
        " json_object('phase', 0, 'lost_bands', 0, 'resumed_ms', at, 'active_ms', at, 'idle',"
        "  json('false'), 'pain_during', -1, 'ask_to_stop', json('false'), 'plan', NULL, 'bands',"
        "  json_array(), 'doses', json_object('lower_back_left', json_array(900000, 36e6)),"
        "  'devices', json_array()) FROM n",
        (long long)making->year->from_ms, (long long)(options->days * DAY_MS / sessions), sessions,
        YEAR_CLIENTS, options->rooms);
    run(db, sql);
    run(db, "COMMIT");
    sqlite3_close(db);
}

void year_make(struct year *year, const struct year_options *options)
{
    static struct making making;
    making = (struct making){.options = options, .year = year, .position = 8192};
    making.devices = devices_create(2 * options->rooms, 100000);
    if (making.devices == NULL || options->made_days < 1 || options->made_days > MADE_MAX ||
        options->seconds_days > options->days)
        give_up("a year cannot be made so");
    *year = (struct year){.to_ms = clock_wall_ms() / DAY_MS * DAY_MS};
    year->from_ms = year->to_ms - options->days * DAY_MS;
    for (unsigned i = 0; i < options->made_days; i++)
        made_day_make(&making.made[i], (struct setup *)options->setup, making.devices,
                      options->rooms, options->hours, i);
    open_store(&making); /* it makes the file */
    close_store(&making);
    put_older(&making);
    tell_seconds(&making);
    await_roll_up(&making);
    close_store(&making);
    put_people(&making);
    for (unsigned i = 0; i < options->made_days; i++)
        made_day_free(&making.made[i]);
    devices_destroy(making.devices);
    weigh(options, year);
}
