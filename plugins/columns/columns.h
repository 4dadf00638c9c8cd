/*
 * Columns: from the packed columns of a protobuf message to the series of a batch.
 *
 * Shared by the plugins of this tree whose messages follow the same plan (proto/posture.proto,
 * proto/massage.proto): rows sampled together, `dt_ms` for their times, one packed column a metric,
 * and single values that stand "now". Linked into each of them; no part of the contract.
 * Memory: all from the message's arena. The first thing that is wrong (a column of another length,
 * an arena that is used up) makes every later step do nothing; columns_end() tells.
 */
#ifndef LUMBAR_COLUMNS_H
#define LUMBAR_COLUMNS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lumbar/plugin.h"

#define COLUMNS_ROWS_MAX 1024 /* rows of one message */

/* A protobuf allocator over the arena; freeing is nothing. `scratch` must outlive it. */
ProtobufCAllocator columns_allocator(struct lumbar_scratch *scratch);

/* A column of scaled integers in a message: where it is, and what one unit is divided into. */
struct scaled_column {
    uint32_t metric;
    size_t count_at, values_at; /* offsets in the C struct: size_t, int32_t * */
    double divisor;             /* 100: the wire counts in 0.01 */
};

struct columns {
    struct lumbar_scratch *scratch;
    struct lumbar_series *series;
    uint32_t count, room;
    const int64_t *times; /* of the rows, shared by all their columns */
    uint32_t rows;
    const int64_t *now; /* of all single values */
    bool broken;
};

/* Begins a batch of at most `room` series. */
struct columns columns_begin(struct lumbar_scratch *scratch, uint32_t room);

/* The rows: dt_ms of each since the row before, the first since start_ms. */
void columns_rows(struct columns *columns, bool has_start, int64_t start_ms, const uint32_t *dt_ms,
                  size_t count);

/* The clock when the message was sent, else the time of the last row: what single values get.
 * After columns_rows(). Returns it. */
int64_t columns_now(struct columns *columns, bool has_now, int64_t now_ms);

/* A column for each of the table that is not empty; INT32_MIN becomes NaN. */
void columns_scaled(struct columns *columns, const void *message, const struct scaled_column *table,
                    size_t table_count);

/* A column of enumerators of which the first label's is `first`; others become NaN: unknown, or of
 * a newer firmware. */
void columns_enums(struct columns *columns, uint32_t metric, const int32_t *values, size_t count,
                   int32_t first, uint32_t labels);

/* A single value, now; nothing unless `has`. */
void columns_value(struct columns *columns, uint32_t metric, bool has, double value);

/* A single enumerator, as columns_enums() has it. */
void columns_enum(struct columns *columns, uint32_t metric, bool has, int32_t value, int32_t first,
                  uint32_t labels);

/* Room for `count` values that all happened now; NULL when something is wrong. */
double *columns_events(struct columns *columns, uint32_t metric, size_t count);

/* Puts the series into the batch; a lumbar_result. */
int columns_end(const struct columns *columns, struct lumbar_batch *batch);

#endif
