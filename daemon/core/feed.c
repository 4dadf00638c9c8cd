#include "core/feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FEED_MIN_BYTES   ((size_t)64 * 1024)
#define RECORD_MAX_BYTES ((size_t)16 * 1024) /* so that its points fit into one frame */
#define CHUNK_VALUES     1024 /* of one column, where a batch does not fit one record */
#define MARKS            64   /* places of the ring whose time is known, for feed_since() */

/*
 * A record, followed by its columns: each a struct column and its values. A column that has times
 * of its own is followed by them first. All 2-byte aligned; a record begins at a multiple of 8 and
 * does not run over the end of the ring: a filler (device 0) closes the place that is left there.
 */
struct record {
    uint32_t bytes; /* all of it, a multiple of 8 */
    uint32_t device;
    int64_t pushed_ms, start_ms;
    uint32_t column_count;
    uint32_t columns_bytes;
};

struct column {
    uint16_t metric;
    uint16_t count;
    uint16_t times; /* where its times stand: distance from the columns' begin, in 2 bytes */
};

struct mark {
    uint64_t position; /* of the first record that began in this part of the ring */
    int64_t pushed_ms;
};

struct feed {
    unsigned char *ring;
    uint64_t size;
    uint64_t head, tail;
    uint64_t mark_bytes; /* of the ring, from one mark to the next */
    struct mark marks[MARKS];
};

_Static_assert(sizeof(struct record) % 8 == 0, "records follow each other");
_Static_assert(RECORD_MAX_BYTES / 2 <= UINT16_MAX, "column.times reaches all of a record");

struct feed *feed_create(size_t bytes)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    if (bytes < FEED_MIN_BYTES)
        bytes = FEED_MIN_BYTES;
    feed->mark_bytes = bytes / MARKS / 8 * 8;
    feed->size = feed->mark_bytes * MARKS;
    feed->ring = calloc(1, feed->size); /* pages that were never written cost nothing */
    if (feed->ring == NULL) {
        free(feed);
        return NULL;
    }
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (feed == NULL)
        return;
    free(feed->ring);
    free(feed);
}

uint64_t feed_head(const struct feed *feed)
{
    return feed->head;
}

uint64_t feed_tail(const struct feed *feed)
{
    return feed->tail;
}

static struct record *record_at(const struct feed *feed, uint64_t position)
{
    return (struct record *)(void *)(feed->ring + position % feed->size);
}

/* ---- Writing ---- */

static void forget_until(struct feed *feed, uint64_t end)
{
    while (end - feed->tail > feed->size)
        feed->tail += record_at(feed, feed->tail)->bytes;
}

/* Room for `bytes` in one piece, its record begun. The oldest are overwritten. */
static struct record *record_begin(struct feed *feed, uint32_t bytes)
{
    uint64_t left = feed->size - feed->head % feed->size;
    if (left < bytes) {
        /* A rest too small for a header is possible only in multiples of 8: `bytes` is what is
         * read of a filler, and those first 8 bytes always fit. */
        forget_until(feed, feed->head + left);
        struct record *filler = record_at(feed, feed->head);
        filler->bytes = (uint32_t)left;
        filler->device = 0;
        feed->head += left;
    }
    forget_until(feed, feed->head + bytes);
    return record_at(feed, feed->head);
}

static void record_end(struct feed *feed, const struct record *record)
{
    uint64_t part = feed->head / feed->mark_bytes;
    struct mark *mark = &feed->marks[part % MARKS];
    if (mark->position / feed->mark_bytes != part || feed->head == 0) {
        mark->position = feed->head;
        mark->pushed_ms = record->pushed_ms;
    }
    feed->head += record->bytes;
}

static void put_times(uint16_t *out, const int64_t *time_ms, uint32_t count, int64_t start_ms)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = (uint16_t)(time_ms[i] - start_ms);
}

/* As metric_quantise(), with what is the same for all values done once. That they are within the
 * metric's range or NaN is known: driver_decode() saw to it. */
static void put_values(uint16_t *out, const struct lumbar_metric *metric, const double *value,
                       uint32_t count)
{
    double min = metric->min, step = metric_step(metric);
    for (uint32_t i = 0; i < count; i++) {
        double steps = (value[i] - min) / step + 0.5;
        out[i] = steps < METRIC_NONE ? (uint16_t)(int32_t)steps : METRIC_NONE; /* NaN is not less */
    }
}

/* Writes one record of series whose times all lie within FEED_SPAN_MAX_MS of start_ms. */
static void put_record(struct feed *feed, const struct device *device,
                       const struct lumbar_series *series, uint32_t series_count, uint32_t bytes,
                       int64_t start_ms, int64_t offset_ms, int64_t now_ms)
{
    const struct lumbar_metric *metrics = device->driver->metrics;
    struct record *record = record_begin(feed, bytes);
    uint16_t *begin = (uint16_t *)(void *)(record + 1), *at = begin;
    const int64_t *times = NULL;
    uint32_t times_count = 0;
    uint16_t times_at = 0;

    for (uint32_t i = 0; i < series_count; i++) {
        uint32_t count = series[i].count;
        struct column *column = (struct column *)(void *)at;
        at += sizeof(*column) / sizeof(*at);
        if (series[i].time_ms != times || count > times_count) {
            times = series[i].time_ms;
            times_count = count;
            times_at = (uint16_t)(at - begin);
            put_times(at, times, count, start_ms);
            at += count;
        }
        *column = (struct column){(uint16_t)series[i].metric, (uint16_t)count, times_at};
        put_values(at, &metrics[series[i].metric], series[i].value, count);
        at += count;
    }
    record->bytes = bytes;
    record->device = device->id;
    record->pushed_ms = now_ms;
    record->start_ms = start_ms + offset_ms;
    record->column_count = series_count;
    record->columns_bytes = (uint32_t)((unsigned char *)at - (unsigned char *)begin);
    record_end(feed, record);
}

/* What put_record() needs for these series, and the first and last time in them. */
struct footprint {
    uint64_t bytes;
    int64_t first_ms, last_ms;
};

static struct footprint footprint_of(const struct lumbar_series *series, uint32_t series_count)
{
    struct footprint footprint = {sizeof(struct record), INT64_MAX, INT64_MIN};
    const int64_t *times = series[0].time_ms;
    uint32_t times_count = 0; /* of them that are counted */
    for (uint32_t i = 0; i < series_count; i++) {
        uint32_t count = series[i].count;
        footprint.bytes += sizeof(struct column) + count * sizeof(uint16_t);
        if (series[i].time_ms == times && count <= times_count)
            continue;
        times = series[i].time_ms;
        times_count = count;
        footprint.bytes += count * sizeof(uint16_t);
        if (series[i].time_ms[0] < footprint.first_ms)
            footprint.first_ms = series[i].time_ms[0];
        if (series[i].time_ms[count - 1] > footprint.last_ms)
            footprint.last_ms = series[i].time_ms[count - 1];
    }
    footprint.bytes = (footprint.bytes + 7) & ~(uint64_t)7;
    return footprint;
}

/* A series too long, in bytes or in time, for the record that it should share: a record for each
 * stretch that fits. */
static void put_in_chunks(struct feed *feed, const struct device *device,
                          const struct lumbar_series *series, int64_t offset_ms, int64_t now_ms)
{
    for (uint32_t from = 0; from < series->count;) {
        uint32_t count = 1;
        int64_t start_ms = series->time_ms[from];
        while (from + count < series->count && count < CHUNK_VALUES &&
               series->time_ms[from + count] - start_ms <= FEED_SPAN_MAX_MS)
            count++;
        struct lumbar_series chunk = {series->metric, count, series->time_ms + from,
                                      series->value + from};
        put_record(feed, device, &chunk, 1, (uint32_t)footprint_of(&chunk, 1).bytes, start_ms,
                   offset_ms, now_ms);
        from += count;
    }
}

void feed_push(struct feed *feed, struct device *device, const struct lumbar_batch *batch,
               int64_t offset_ms, int64_t now_ms)
{
    if (batch->series_count == 0)
        return;
    struct footprint footprint = footprint_of(batch->series, batch->series_count);
    if (footprint.last_ms - footprint.first_ms <= FEED_SPAN_MAX_MS &&
        footprint.bytes <= RECORD_MAX_BYTES)
        put_record(feed, device, batch->series, batch->series_count, (uint32_t)footprint.bytes,
                   footprint.first_ms, offset_ms, now_ms);
    else
        for (uint32_t i = 0; i < batch->series_count; i++)
            put_in_chunks(feed, device, &batch->series[i], offset_ms, now_ms);
    device->news = feed->head;
}

/* ---- Reading ---- */

/* The newest mark still in the ring that lies before this place and time; else the tail. */
static uint64_t mark_before(const struct feed *feed, uint64_t position, int64_t pushed_ms)
{
    uint64_t best = feed->tail;
    for (unsigned i = 0; i < MARKS; i++) {
        const struct mark *mark = &feed->marks[i];
        if (mark->position > best && mark->position < position && mark->pushed_ms < pushed_ms)
            best = mark->position;
    }
    return best;
}

uint64_t feed_since(const struct feed *feed, int64_t pushed_ms)
{
    uint64_t at = mark_before(feed, feed->head, pushed_ms);
    while (at < feed->head) {
        const struct record *record = record_at(feed, at);
        if (record->device != 0 && record->pushed_ms >= pushed_ms)
            break;
        at += record->bytes;
    }
    return at;
}

uint64_t feed_align(const struct feed *feed, uint64_t position)
{
    if (position < feed->tail)
        return position;
    uint64_t at = mark_before(feed, position, INT64_MAX);
    while (at < feed->head && at < position)
        at += record_at(feed, at)->bytes;
    return at;
}

bool feed_read(const struct feed *feed, uint64_t *cursor, struct feed_record *out, bool *missed,
               feed_filter_cb *wanted, void *user)
{
    if (*cursor < feed->tail || *cursor > feed->head) {
        *missed = true;
        *cursor = feed->tail;
    }
    while (*cursor < feed->head) {
        const struct record *record = record_at(feed, *cursor);
        *cursor += record->bytes;
        if (record->device == 0 || (wanted != NULL && !wanted(user, record->device)))
            continue;
        *out = (struct feed_record){
            .device = record->device,
            .pushed_ms = record->pushed_ms,
            .start_ms = record->start_ms,
            .column_count = record->column_count,
            .columns = (const unsigned char *)(record + 1),
            .columns_bytes = record->columns_bytes,
        };
        return true;
    }
    return false;
}

bool feed_column(const struct feed_record *record, uint32_t *position, struct feed_column *out)
{
    if (*position >= record->columns_bytes)
        return false;
    const struct column *column = (const void *)(record->columns + *position);
    const uint16_t *begin = (const uint16_t *)(const void *)record->columns;
    const uint16_t *values = (const uint16_t *)(const void *)(column + 1);
    if (begin + column->times == values) /* its times stand first */
        values += column->count;
    *out = (struct feed_column){
        .metric = column->metric,
        .count = column->count,
        .dt_ms = begin + column->times,
        .value = values,
    };
    *position = (uint32_t)((const unsigned char *)(values + column->count) - record->columns);
    return true;
}
