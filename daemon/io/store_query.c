#include "io/store_query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_state.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    INT64_C(86400000)
#define TIME_MOST INT64_C(253402300800000) /* the year 10000 */

/* One metric of the file: its range may have changed from one version of a plugin to the next. */
struct scale {
    int64_t key;
    double min, step;
};

#define SCALES_MAX 8

/* A minute that is gathered and was not on the disk when the query began. */
struct pending {
    uint64_t batch;
    int64_t minute;
    struct block block;
};

struct sum {
    uint64_t count;
    double min, max, sum;
};

struct store_query {
    struct store *store; /* told of damage, from the pool's thread */
    char kind[LUMBAR_NAME_MAX + 1], device[DEVICE_NAME_BYTES], metric[LUMBAR_NAME_MAX + 1];
    int64_t from_ms, to_ms, step_ms;
    unsigned points;

    struct pending *pending;
    uint32_t pending_count;
    struct scale gathered; /* of what is pending */

    struct sum *sums; /* a step each */
    size_t sum_count;
    struct store_point *answer_points;
    struct store_lost lost[STORE_LOST_MAX];
    struct store_answer answer;

    uv_work_t work;
    store_answer_cb *on_read, *on_answer;
    void *user;

    sqlite3 *db;
    sqlite3_stmt *second, *minute, *rollup;
    int rc; /* the first thing that went wrong in the file: what cannot be read is no silence */
};

/* ---- steps ---- */

/* The finest step of which the span has no more than `points`. */
static int64_t step_for(int64_t span_ms, unsigned points)
{
    static const int64_t steps[] = {
        SECOND_MS, 2 * SECOND_MS, 5 * SECOND_MS, 10 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS,
        MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS,
        HOUR_MS,   2 * HOUR_MS,   3 * HOUR_MS,   6 * HOUR_MS,    12 * HOUR_MS,   DAY_MS,
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (span_ms <= steps[i] * points)
            return steps[i];
    int64_t days = (span_ms + DAY_MS * points - 1) / (DAY_MS * points);
    return days * DAY_MS;
}

static int64_t step_at(const struct store_query *query, int64_t at_ms)
{
    return at_ms / query->step_ms - query->from_ms / query->step_ms;
}

static bool make_sums(struct store_query *query)
{
    query->sum_count = (size_t)step_at(query, query->to_ms - 1) + 1;
    query->sums = calloc(query->sum_count, sizeof(*query->sums));
    return query->sums != NULL;
}

static void add_bucket(struct store_query *query, const struct scale *scale, int64_t at_ms,
                       int64_t bucket_ms, const struct bucket *bucket)
{
    if (bucket->count == 0 || at_ms + bucket_ms <= query->from_ms || at_ms >= query->to_ms)
        return;
    int64_t step = step_at(query, at_ms < query->from_ms ? query->from_ms : at_ms);
    struct sum *sum = &query->sums[step];
    double min = scale->min + bucket->min * scale->step;
    double max = scale->min + bucket->max * scale->step;
    if (sum->count == 0 || min < sum->min)
        sum->min = min;
    if (sum->count == 0 || max > sum->max)
        sum->max = max;
    sum->count += bucket->count;
    sum->sum += (scale->min + bucket->mean * scale->step) * bucket->count;
}

static void add_seconds(struct store_query *query, const struct scale *scale, int64_t minute,
                        const struct block *block)
{
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        add_bucket(query, scale, minute * MINUTE_MS + i * SECOND_MS, SECOND_MS, &block->slots[i]);
}

static void add_minutes(struct store_query *query, const struct scale *scale, int64_t hour,
                        const struct block *block)
{
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        add_bucket(query, scale, hour * HOUR_MS + i * MINUTE_MS, MINUTE_MS, &block->slots[i]);
}

/* ---- what is gathered: the loop's part, before the query leaves its thread ---- */

static void copy_batch(struct store_query *query, const struct store_batch *batch, uint32_t device,
                       uint32_t metric)
{
    int64_t first = query->from_ms / MINUTE_MS, last = (query->to_ms - 1) / MINUTE_MS;
    for (uint32_t i = 0; i < history_count(batch->history); i++) {
        struct history_block of = history_key(batch->history, i);
        if (of.device != device || of.metric != metric || of.minute < first || of.minute > last)
            continue;
        struct pending *pending = &query->pending[query->pending_count++];
        history_at(batch->history, i, &pending->block);
        pending->batch = batch->number;
        pending->minute = of.minute;
    }
}

static uint32_t blocks_of(const struct history *history, uint32_t device, uint32_t metric)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < history_count(history); i++) {
        struct history_block of = history_key(history, i);
        count += of.device == device && of.metric == metric;
    }
    return count;
}

static bool copy_gathered(struct store_query *query, struct store *store)
{
    const struct drivers *drivers = store->options.drivers;
    for (uint32_t d = 0; d < drivers->count; d++) {
        const struct driver *driver = &drivers->list[d];
        const struct device *device = strcmp(driver->plugin->kind, query->kind) != 0
                                          ? NULL
                                          : devices_find(store->options.devices, driver,
                                                         query->device, strlen(query->device));
        query->answer.known |= device != NULL;
        for (uint32_t m = 0; device != NULL && m < driver->metric_count; m++) {
            const struct lumbar_metric *metric = &driver->metrics[m];
            if (strcmp(metric->name, query->metric) != 0)
                continue;
            uint32_t number = driver->first_metric + m;
            size_t most = blocks_of(store->batches[0].history, device->id, number) +
                          (size_t)blocks_of(store->batches[1].history, device->id, number);
            query->pending = malloc((most + 1) * sizeof(*query->pending));
            if (query->pending == NULL)
                return false;
            query->gathered = (struct scale){0, metric->min, metric_step(metric)};
            copy_batch(query, store_other(store), device->id, number);
            copy_batch(query, store->open, device->id, number);
        }
    }
    return true;
}

/* ---- the file: the pool's part ---- */

static void note_error(struct store_query *query, int rc)
{
    if (query->rc == SQLITE_OK)
        query->rc = rc;
}

static bool prepare(struct store_query *query, const char *sql, sqlite3_stmt **statement)
{
    int rc = sqlite3_prepare_v2(query->db, sql, -1, statement, NULL);
    note_error(query, rc);
    return rc == SQLITE_OK;
}

/* Is there a row, or another one? */
static bool next_row(struct store_query *query, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        note_error(query, rc);
    return rc == SQLITE_ROW;
}

static bool unpack(struct store_query *query, sqlite3_stmt *row, int column, struct block *block)
{
    bool good = block_unpack(block, sqlite3_column_blob(row, column),
                             (size_t)sqlite3_column_bytes(row, column));
    if (!good)
        note_error(query, SQLITE_CORRUPT);
    return good;
}

static int64_t number_in(struct store_query *query, const char *sql, const char *a, const char *b,
                         int64_t none)
{
    sqlite3_stmt *statement;
    int64_t number = none;
    if (!prepare(query, sql, &statement))
        return none;
    if (a != NULL)
        sqlite3_bind_text(statement, 1, a, -1, SQLITE_STATIC);
    if (b != NULL)
        sqlite3_bind_text(statement, 2, b, -1, SQLITE_STATIC);
    if (next_row(query, statement))
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static int find_scales(struct store_query *query, struct scale *scales)
{
    sqlite3_stmt *statement;
    int count = 0;
    if (!prepare(query,
                 "SELECT id, min, step FROM metric WHERE kind = ?1 AND name = ?2 ORDER BY id DESC",
                 &statement))
        return 0;
    sqlite3_bind_text(statement, 1, query->kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, query->metric, -1, SQLITE_STATIC);
    while (count < SCALES_MAX && next_row(query, statement))
        scales[count++] =
            (struct scale){sqlite3_column_int64(statement, 0), sqlite3_column_double(statement, 1),
                           sqlite3_column_double(statement, 2)};
    sqlite3_finalize(statement);
    return count;
}

/* The minute's seconds; false: there are none. */
static bool read_seconds(struct store_query *query, int64_t minute, int64_t device, int64_t metric,
                         struct block *block)
{
    sqlite3_reset(query->second);
    sqlite3_bind_int64(query->second, 1, minute);
    sqlite3_bind_int64(query->second, 2, device);
    sqlite3_bind_int64(query->second, 3, metric);
    return next_row(query, query->second) && unpack(query, query->second, 0, block);
}

static void read_span_of_seconds(struct store_query *query, int64_t device,
                                 const struct scale *scale)
{
    struct block block;
    for (int64_t minute = query->from_ms / MINUTE_MS; minute * MINUTE_MS < query->to_ms; minute++)
        if (read_seconds(query, minute, device, scale->key, &block))
            add_seconds(query, scale, minute, &block);
}

/* Is the hour's block of minutes still to come, at least in part? */
static bool is_waiting(struct store_query *query, int64_t hour)
{
    sqlite3_reset(query->rollup);
    sqlite3_bind_int64(query->rollup, 1, hour);
    return next_row(query, query->rollup);
}

/* As the writer will do it: a minute's seconds stand in place of what the hour has of them. */
static void overlay_seconds(struct store_query *query, int64_t hour, int64_t device,
                            const struct scale *scale, int64_t seconds_from, struct block *block)
{
    struct block seconds;
    for (int64_t minute = hour * 60; minute < hour * 60 + 60; minute++) {
        if (!read_seconds(query, minute, device, scale->key, &seconds))
            continue;
        struct bucket sum = block_sum(&seconds), *slot = &block->slots[minute % BLOCK_SLOTS];
        if (minute < seconds_from)
            bucket_add(slot, &sum);
        else
            *slot = sum;
    }
}

static void read_hours_that_wait(struct store_query *query, int64_t device,
                                 const struct scale *scale, int64_t seconds_from)
{
    sqlite3_stmt *list, *one;
    if (!prepare(query, "SELECT hour FROM rollup WHERE hour BETWEEN ?1 AND ?2", &list))
        return;
    if (!prepare(query, "SELECT block FROM minute WHERE device = ?1 AND metric = ?2 AND hour = ?3",
                 &one)) {
        sqlite3_finalize(list);
        return;
    }
    sqlite3_bind_int64(list, 1, query->from_ms / HOUR_MS);
    sqlite3_bind_int64(list, 2, (query->to_ms - 1) / HOUR_MS);
    while (next_row(query, list)) {
        struct block block = {0};
        int64_t hour = sqlite3_column_int64(list, 0);
        sqlite3_reset(one);
        sqlite3_bind_int64(one, 1, device);
        sqlite3_bind_int64(one, 2, scale->key);
        sqlite3_bind_int64(one, 3, hour);
        if (next_row(query, one))
            unpack(query, one, 0, &block);
        overlay_seconds(query, hour, device, scale, seconds_from, &block);
        add_minutes(query, scale, hour, &block);
    }
    sqlite3_finalize(one);
    sqlite3_finalize(list);
}

static void read_span_of_minutes(struct store_query *query, int64_t device,
                                 const struct scale *scale, int64_t seconds_from)
{
    struct block block;
    sqlite3_reset(query->minute);
    sqlite3_bind_int64(query->minute, 1, device);
    sqlite3_bind_int64(query->minute, 2, scale->key);
    sqlite3_bind_int64(query->minute, 3, query->from_ms / HOUR_MS);
    sqlite3_bind_int64(query->minute, 4, (query->to_ms - 1) / HOUR_MS);
    while (next_row(query, query->minute)) {
        int64_t hour = sqlite3_column_int64(query->minute, 0);
        if (!is_waiting(query, hour) && unpack(query, query->minute, 1, &block))
            add_minutes(query, scale, hour, &block);
    }
    read_hours_that_wait(query, device, scale, seconds_from);
}

/* Gathered minutes that the file does not have: those of batches beyond its newest. */
static void add_pending(struct store_query *query, uint64_t stored)
{
    for (uint32_t i = 0; i < query->pending_count; i++)
        if (query->pending[i].batch > stored)
            add_seconds(query, &query->gathered, query->pending[i].minute,
                        &query->pending[i].block);
}

/* What the file says was lost while the disk refused, or the hub was down for too long. */
static void read_lost(struct store_query *query)
{
    static const char sql[] = "SELECT from_ms, to_ms, messages, why FROM gap"
                              " WHERE to_ms >= ?1 AND from_ms < ?2 ORDER BY id DESC LIMIT ?3";
    sqlite3_stmt *statement;
    if (!prepare(query, sql, &statement))
        return;
    sqlite3_bind_int64(statement, 1, query->from_ms);
    sqlite3_bind_int64(statement, 2, query->to_ms);
    sqlite3_bind_int(statement, 3, STORE_LOST_MAX);
    while (next_row(query, statement)) {
        struct store_lost *lost = &query->lost[query->answer.lost_count++];
        lost->from_ms = sqlite3_column_int64(statement, 0);
        lost->to_ms = sqlite3_column_int64(statement, 1);
        lost->messages = (uint64_t)sqlite3_column_int64(statement, 2);
        snprintf(lost->why, sizeof(lost->why), "%s", sqlite3_column_text(statement, 3));
    }
    sqlite3_finalize(statement);
    query->answer.lost = query->lost;
}

static bool open_for_reading(struct store_query *query)
{
    static const char second[] =
        "SELECT block FROM second WHERE minute = ?1 AND device = ?2 AND metric = ?3";
    static const char minute[] = "SELECT hour, block FROM minute WHERE device = ?1 AND metric = ?2"
                                 " AND hour BETWEEN ?3 AND ?4";
    static const char rollup[] = "SELECT 1 FROM rollup WHERE hour = ?1";
    note_error(query, store_read_open(&query->db, query->store));
    return query->rc == SQLITE_OK && prepare(query, second, &query->second) &&
           prepare(query, minute, &query->minute) && prepare(query, rollup, &query->rollup);
}

static void close_after_reading(struct store_query *query)
{
    sqlite3_finalize(query->second);
    sqlite3_finalize(query->minute);
    sqlite3_finalize(query->rollup);
    store_read_close(query->db, query->store, query->rc);
    query->db = NULL;
}

static void read_file(struct store_query *query)
{
    struct scale scales[SCALES_MAX];
    uint64_t stored = (uint64_t)number_in(query, "SELECT batch FROM spool", NULL, NULL, 0);
    int64_t seconds_from = number_in(query, "SELECT seconds_from FROM spool", NULL, NULL, 0);
    int64_t device = number_in(query, "SELECT id FROM device WHERE kind = ?1 AND name = ?2",
                               query->kind, query->device, 0);
    int count = device != 0 ? find_scales(query, scales) : 0;
    query->answer.known |= device != 0;
    if (query->step_ms < MINUTE_MS && query->from_ms / MINUTE_MS < seconds_from)
        query->step_ms = MINUTE_MS;
    if (!make_sums(query)) {
        query->answer.code = ERR_MEMORY;
        return;
    }
    for (int i = 0; i < count; i++) {
        if (query->step_ms < MINUTE_MS)
            read_span_of_seconds(query, device, &scales[i]);
        else
            read_span_of_minutes(query, device, &scales[i], seconds_from);
    }
    add_pending(query, stored);
    read_lost(query);
}

static void write_answer(struct store_query *query)
{
    struct store_answer *answer = &query->answer;
    query->answer_points = malloc((query->sum_count + 1) * sizeof(*query->answer_points));
    if (query->answer_points == NULL) {
        answer->code = ERR_MEMORY;
        return;
    }
    int64_t first = query->from_ms / query->step_ms;
    for (size_t i = 0; i < query->sum_count; i++) {
        const struct sum *sum = &query->sums[i];
        if (sum->count > 0)
            query->answer_points[answer->count++] =
                (struct store_point){(first + (int64_t)i) * query->step_ms, sum->count, sum->min,
                                     sum->sum / (double)sum->count, sum->max};
    }
    answer->points = query->answer_points;
    answer->step_ms = query->step_ms;
}

static void run_query(struct store_query *query)
{
    struct store_answer *answer = &query->answer;
    if (open_for_reading(query))
        read_file(query);
    if (query->rc != SQLITE_OK && answer->code == 0) {
        answer->code = ERR_IO;
        snprintf(answer->words, sizeof(answer->words), "the history cannot be read: %s",
                 sqlite3_errstr(query->rc));
    }
    close_after_reading(query);
    if (answer->code == 0)
        write_answer(query);
    if (answer->code == ERR_MEMORY)
        snprintf(answer->words, sizeof(answer->words), "no memory for the answer");
}

/* ---- asking ---- */

static int make_query(struct store_query **out, struct store *store,
                      const struct store_wanted *wanted)
{
    *out = NULL;
    if (wanted->from_ms < 0 || wanted->to_ms <= wanted->from_ms || wanted->to_ms > TIME_MOST ||
        wanted->points == 0 || wanted->points > STORE_POINTS_MAX)
        return ERR_RANGE;
    struct store_query *query = calloc(1, sizeof(*query));
    if (query == NULL)
        return ERR_MEMORY;
    query->store = store;
    snprintf(query->kind, sizeof(query->kind), "%s", wanted->kind);
    snprintf(query->device, sizeof(query->device), "%s", wanted->device);
    snprintf(query->metric, sizeof(query->metric), "%s", wanted->metric);
    query->from_ms = wanted->from_ms;
    query->to_ms = wanted->to_ms;
    query->points = wanted->points;
    query->step_ms = step_for(wanted->to_ms - wanted->from_ms, wanted->points);
    if (!copy_gathered(query, store)) {
        store_query_free(query);
        return ERR_MEMORY;
    }
    *out = query;
    return 0;
}

void store_query_free(struct store_query *query)
{
    if (query == NULL)
        return;
    free(query->answer_points);
    free(query->sums);
    free(query->pending);
    free(query);
}

static void on_work(uv_work_t *work)
{
    struct store_query *query = work->data;
    run_query(query);
    if (query->on_read != NULL)
        query->on_read(query->user, &query->answer);
}

static void after_work(uv_work_t *work, int status)
{
    struct store_query *query = work->data;
    (void)status;
    query->on_answer(query->user, &query->answer);
    store_query_free(query);
}

int store_query(struct store *store, uv_loop_t *loop, const struct store_wanted *wanted,
                store_answer_cb *on_read, store_answer_cb *on_answer, void *user)
{
    struct store_query *query;
    int code = make_query(&query, store, wanted);
    if (code != 0)
        return code;
    query->on_read = on_read;
    query->on_answer = on_answer;
    query->user = user;
    query->work.data = query;
    if (uv_queue_work(loop, &query->work, on_work, after_work) == 0)
        return 0;
    store_query_free(query);
    return ERR_MEMORY;
}

/* ---- several at once ---- */

struct queries {
    uv_work_t work;
    unsigned count;
    struct store_query **list;
    struct store_answer *answers;
    store_answers_cb *on_read, *on_answer;
    void *user;
};

static void queries_free(struct queries *queries)
{
    for (unsigned i = 0; i < queries->count && queries->list != NULL; i++)
        store_query_free(queries->list[i]);
    free(queries->answers);
    free(queries->list);
    free(queries);
}

static void on_works(uv_work_t *work)
{
    struct queries *queries = work->data;
    for (unsigned i = 0; i < queries->count; i++) {
        run_query(queries->list[i]);
        queries->answers[i] = queries->list[i]->answer;
    }
    queries->on_read(queries->user, queries->answers, queries->count);
}

static void after_works(uv_work_t *work, int status)
{
    struct queries *queries = work->data;
    (void)status;
    queries->on_answer(queries->user, queries->answers, queries->count);
    queries_free(queries);
}

int store_queries(struct store *store, uv_loop_t *loop, const struct store_wanted *wanted,
                  unsigned count, store_answers_cb *on_read, store_answers_cb *on_answer,
                  void *user)
{
    struct queries *queries = calloc(1, sizeof(*queries));
    if (queries == NULL)
        return ERR_MEMORY;
    *queries = (struct queries){.count = count,
                                .list = calloc((size_t)count + 1, sizeof(*queries->list)),
                                .answers = calloc((size_t)count + 1, sizeof(*queries->answers)),
                                .on_read = on_read,
                                .on_answer = on_answer,
                                .user = user};
    queries->work.data = queries;
    int code = queries->list != NULL && queries->answers != NULL ? 0 : ERR_MEMORY;
    for (unsigned i = 0; i < count && code == 0; i++)
        code = make_query(&queries->list[i], store, &wanted[i]);
    if (code == 0 && uv_queue_work(loop, &queries->work, on_works, after_works) != 0)
        code = ERR_MEMORY;
    if (code != 0)
        queries_free(queries);
    return code;
}

struct store_query *store_query_now(struct store *store, const struct store_wanted *wanted,
                                    struct store_answer *answer)
{
    struct store_query *query;
    *answer = (struct store_answer){.code = make_query(&query, store, wanted)};
    if (query == NULL)
        return NULL;
    run_query(query);
    *answer = query->answer;
    return query;
}
