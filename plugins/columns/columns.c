#include "columns.h"

#include <math.h>

/* Beyond this a cumulative time could overflow; 2^53 ms is 285,000 years. */
#define START_MAX_MS (INT64_C(1) << 53)

static void *arena_alloc(void *scratch, size_t bytes)
{
    return lumbar_scratch_alloc(scratch, bytes);
}

static void arena_free(void *scratch, void *pointer)
{
    (void)scratch;
    (void)pointer;
}

ProtobufCAllocator columns_allocator(struct lumbar_scratch *scratch)
{
    return (ProtobufCAllocator){arena_alloc, arena_free, scratch};
}

struct columns columns_begin(struct lumbar_scratch *scratch, uint32_t room)
{
    struct columns columns = {.scratch = scratch, .room = room};
    columns.series = lumbar_scratch_alloc(scratch, room * sizeof(*columns.series));
    columns.broken = columns.series == NULL;
    return columns;
}

void columns_rows(struct columns *columns, bool has_start, int64_t start_ms, const uint32_t *dt_ms,
                  size_t count)
{
    if (count == 0 || columns->broken)
        return;
    int64_t *times = NULL;
    if (has_start && count <= COLUMNS_ROWS_MAX && start_ms >= -START_MAX_MS &&
        start_ms <= START_MAX_MS)
        times = lumbar_scratch_alloc(columns->scratch, count * sizeof(*times));
    if (times == NULL) {
        columns->broken = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        times[i] = start_ms += dt_ms[i];
    columns->times = times;
    columns->rows = (uint32_t)count;
}

int64_t columns_now(struct columns *columns, bool has_now, int64_t now_ms)
{
    if (!has_now)
        now_ms = columns->rows > 0 ? columns->times[columns->rows - 1] : 0;
    int64_t *now = lumbar_scratch_alloc(columns->scratch, sizeof(*now));
    if (now == NULL)
        columns->broken = true;
    else
        *now = now_ms;
    columns->now = now;
    return now_ms;
}

/* A series of `count` values at these times; returns where they go, NULL when broken. */
static double *add_series(struct columns *columns, uint32_t metric, const int64_t *times,
                          size_t count)
{
    double *values = NULL;
    if (!columns->broken && columns->count < columns->room)
        values = lumbar_scratch_alloc(columns->scratch, count * sizeof(*values));
    if (values == NULL) {
        columns->broken = true;
        return NULL;
    }
    columns->series[columns->count++] = (struct lumbar_series){
        .metric = metric, .count = (uint32_t)count, .time_ms = times, .value = values};
    return values;
}

/* A column of the rows; NULL when it is empty, or broken. */
static double *add_column(struct columns *columns, uint32_t metric, size_t count)
{
    if (count == 0)
        return NULL;
    if (count != columns->rows) {
        columns->broken = true;
        return NULL;
    }
    return add_series(columns, metric, columns->times, count);
}

void columns_scaled(struct columns *columns, const void *message, const struct scaled_column *table,
                    size_t table_count)
{
    const char *base = message;
    for (const struct scaled_column *at = table; at < table + table_count; at++) {
        size_t count = *(const size_t *)(const void *)(base + at->count_at);
        const int32_t *from = *(const int32_t *const *)(const void *)(base + at->values_at);
        double *values = add_column(columns, at->metric, count);
        for (size_t i = 0; values != NULL && i < count; i++)
            values[i] = from[i] == INT32_MIN ? NAN : from[i] / at->divisor;
    }
}

static double label_of(int32_t value, int32_t first, uint32_t labels)
{
    int64_t index = (int64_t)value - first;
    return index >= 0 && index < labels ? (double)index : NAN;
}

void columns_enums(struct columns *columns, uint32_t metric, const int32_t *from, size_t count,
                   int32_t first, uint32_t labels)
{
    double *values = add_column(columns, metric, count);
    for (size_t i = 0; values != NULL && i < count; i++)
        values[i] = label_of(from[i], first, labels);
}

double *columns_events(struct columns *columns, uint32_t metric, size_t count)
{
    if (count != 1 &&
        !columns->broken) { /* the one time of "now" is shared by single values only */
        int64_t *times = NULL;
        if (count <= COLUMNS_ROWS_MAX)
            times = lumbar_scratch_alloc(columns->scratch, count * sizeof(*times));
        for (size_t i = 0; times != NULL && i < count; i++)
            times[i] = *columns->now;
        columns->broken = times == NULL;
        return add_series(columns, metric, times, count);
    }
    return add_series(columns, metric, columns->now, count);
}

void columns_value(struct columns *columns, uint32_t metric, bool has, double value)
{
    if (!has)
        return;
    double *values = add_series(columns, metric, columns->now, 1);
    if (values != NULL)
        *values = value;
}

void columns_enum(struct columns *columns, uint32_t metric, bool has, int32_t value, int32_t first,
                  uint32_t labels)
{
    columns_value(columns, metric, has, label_of(value, first, labels));
}

int columns_end(const struct columns *columns, struct lumbar_batch *batch)
{
    if (columns->broken)
        return LUMBAR_MALFORMED;
    batch->series = columns->series;
    batch->series_count = columns->count;
    return LUMBAR_DECODED;
}
