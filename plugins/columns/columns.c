#include "columns.h"

#include <math.h>
#include <stdbool.h>

/* Beyond this a cumulative time could overflow; 2^53 ms is 285,000 years. */
#define START_MAX_MS (INT64_C(1) << 53)

/* What single values need: the time they share, and a place for each. */
struct singles {
    int64_t now_ms;
    double values[WIRE_FIELDS];
};

/* A message being decoded. A field gives one series at most, so there is always room. */
struct decoding {
    struct lumbar_scratch *scratch;
    struct lumbar_batch *batch;
    struct lumbar_series *series; /* where the next one goes, of WIRE_FIELDS */
    struct singles *singles;
    double *single;               /* where the next one goes */
    int64_t *times, *event_times; /* of the rows, shared by all their columns; of events */
    int64_t start_ms;
    uint32_t rows, event_count;
    bool has_boot, has_sequence, has_now, has_start, wall_clock;
};

static inline void add_series(struct decoding *decoding, uint32_t metric, uint32_t count,
                              const int64_t *times, const double *values)
{
    *decoding->series++ =
        (struct lumbar_series){.metric = metric, .count = count, .time_ms = times, .value = values};
}

static inline void add_single(struct decoding *decoding, uint32_t metric, double value)
{
    *decoding->single = value;
    add_series(decoding, metric, 1, &decoding->singles->now_ms, decoding->single++);
}

static inline double label_of(const struct column *column, uint64_t value)
{
    int64_t label = (int64_t)(int32_t)(uint32_t)value - column->first;
    return label >= 0 && label < column->labels ? (double)label : NAN;
}

/* The functions below take one kind of field each. False: malformed. */

static bool take_rows(struct decoding *decoding, struct wire_span span)
{
    if (span.at == span.end)
        return true;
    if (!decoding->has_start || decoding->start_ms < -START_MAX_MS ||
        decoding->start_ms > START_MAX_MS || !wire_closed(span))
        return false;
    size_t most = (size_t)(span.end - span.at); /* a varint has a byte at least */
    if (most > COLUMNS_ROWS_MAX)
        most = COLUMNS_ROWS_MAX;
    int64_t *times = lumbar_scratch_alloc(decoding->scratch, most * sizeof(*times));
    if (times == NULL)
        return false;
    int64_t time_ms = decoding->start_ms;
    uint32_t rows = 0;
    for (const uint8_t *at = span.at; at < span.end; rows++) {
        uint64_t dt_ms;
        at = wire_packed_varint(at, span.end, &dt_ms);
        if (at == NULL || rows == most)
            return false;
        times[rows] = time_ms += (uint32_t)dt_ms;
    }
    decoding->times = times;
    decoding->rows = rows;
    return true;
}

/* A column has a value a row and ends with the last; NULL: no room for them. */
static inline double *add_column(struct decoding *decoding, const struct column *column)
{
    double *values = lumbar_scratch_alloc(decoding->scratch, decoding->rows * sizeof(*values));
    add_series(decoding, column->metric, decoding->rows, decoding->times, values);
    return values;
}

static bool take_scaled(struct decoding *decoding, const struct column *column,
                        struct wire_span span)
{
    double *values = add_column(decoding, column);
    if (values == NULL || !wire_closed(span))
        return false;
    double divisor = column->divisor, *last = values + decoding->rows;
    const uint8_t *at = span.at;
    for (; at < span.end && values < last; values++) {
        uint64_t value;
        at = wire_packed_varint(at, span.end, &value);
        if (at == NULL)
            return false;
        int32_t scaled = wire_sint32(value);
        *values = scaled / divisor;
        if (scaled == INT32_MIN)
            *values = NAN;
    }
    return at == span.end && values == last;
}

static bool take_labels(struct decoding *decoding, const struct column *column,
                        struct wire_span span)
{
    double *values = add_column(decoding, column);
    if (values == NULL || !wire_closed(span))
        return false;
    double *last = values + decoding->rows;
    const uint8_t *at = span.at;
    for (; at < span.end && values < last; values++) {
        uint64_t value;
        at = wire_packed_varint(at, span.end, &value);
        if (at == NULL)
            return false;
        *values = label_of(column, value);
    }
    return at == span.end && values == last;
}

static bool take_events(struct decoding *decoding, const struct column *column,
                        struct wire_span span)
{
    size_t most = (size_t)(span.end - span.at);
    if (most > COLUMNS_ROWS_MAX)
        most = COLUMNS_ROWS_MAX;
    double *values = lumbar_scratch_alloc(decoding->scratch, most * sizeof(*values));
    int64_t *times = lumbar_scratch_alloc(decoding->scratch, most * sizeof(*times));
    if (values == NULL || times == NULL || !wire_closed(span))
        return false;
    uint32_t count = 0;
    for (const uint8_t *at = span.at; at < span.end;) {
        uint64_t value;
        at = wire_packed_varint(at, span.end, &value);
        if (at == NULL || count == most)
            return false;
        uint32_t event = (uint32_t)value;
        if (event != 0)
            values[count++] = event < column->labels ? event - 1 : column->labels - 1u;
    }
    decoding->event_times = times;
    decoding->event_count = count;
    if (count > 0)
        add_series(decoding, column->metric, count, times, values);
    return true;
}

static inline bool take_field(struct decoding *decoding, const struct column *column,
                              const struct wire_field *field)
{
    struct lumbar_batch *batch = decoding->batch;
    switch ((enum column_kind)column->kind) {
    case COLUMN_NONE:
        break;
    case COLUMN_BOOT_ID:
        batch->boot_id = field->value;
        decoding->has_boot = true;
        break;
    case COLUMN_SEQUENCE:
        batch->sequence = field->value;
        decoding->has_sequence = true;
        break;
    case COLUMN_HELD_FROM:
        batch->held_from = field->value;
        break;
    case COLUMN_NOW:
        batch->now_ms = wire_sint64(field->value);
        decoding->has_now = true;
        break;
    case COLUMN_WALL_CLOCK:
        decoding->wall_clock = field->value != 0;
        break;
    case COLUMN_START:
        decoding->start_ms = wire_sint64(field->value);
        decoding->has_start = true;
        break;
    case COLUMN_DT:
        return take_rows(decoding, field->bytes);
    case COLUMN_SCALED:
        return field->bytes.at == field->bytes.end || take_scaled(decoding, column, field->bytes);
    case COLUMN_LABELS:
        return field->bytes.at == field->bytes.end || take_labels(decoding, column, field->bytes);
    case COLUMN_UNSIGNED:
        add_single(decoding, column->metric, (uint32_t)field->value / column->divisor);
        break;
    case COLUMN_SIGNED:
        add_single(decoding, column->metric, wire_sint32(field->value) / column->divisor);
        break;
    case COLUMN_BOOL:
        add_single(decoding, column->metric, field->value != 0);
        break;
    case COLUMN_LABEL:
        add_single(decoding, column->metric, label_of(column, field->value));
        break;
    case COLUMN_EVENTS:
        return take_events(decoding, column, field->bytes);
    }
    return true;
}

enum walked { WALKED, BROKEN, DISORDERED };

/* Takes the fields as they come, which is in the order of their numbers and each once, since that
 * is how every encoder writes a message. Gives up where it is not so. */
static enum walked walk(struct decoding *decoding, const struct column *fields,
                        struct wire_span message)
{
    uint32_t before = 0;
    for (const uint8_t *at = message.at; at < message.end;) {
        struct wire_field field;
        at = wire_next(at, message.end, &field);
        if (at == NULL)
            return BROKEN;
        if (field.number >= WIRE_FIELDS)
            continue;
        const struct column *column = &fields[field.number];
        if ((column->types >> field.type & 1) == 0) {
            if (column->types == 0)
                continue;
            return BROKEN;
        }
        if (field.number <= before)
            return DISORDERED;
        before = field.number;
        if (!take_field(decoding, column, &field))
            /* A column may lack its other pieces, or rows that are still to come. */
            return DISORDERED;
    }
    return WALKED;
}

/* What can be said only when all fields were seen. */
static void finish(struct decoding *decoding, const struct lumbar_series *series)
{
    struct lumbar_batch *batch = decoding->batch;
    if (!decoding->has_now && decoding->rows > 0)
        batch->now_ms = decoding->times[decoding->rows - 1];
    if (decoding->has_now && decoding->wall_clock)
        batch->flags |= LUMBAR_WALL_CLOCK;
    if (decoding->has_boot && decoding->has_sequence)
        batch->flags |= LUMBAR_HAS_SEQUENCE;
    decoding->singles->now_ms = batch->now_ms;
    for (uint32_t i = 0; i < decoding->event_count; i++)
        decoding->event_times[i] = batch->now_ms;
    batch->series = series;
    batch->series_count = (uint32_t)(decoding->series - series);
}

/* Decodes a message once. */
static enum walked decode(const struct column *fields, struct wire_span message,
                          struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct decoding decoding = {.scratch = scratch, .batch = batch};
    struct lumbar_series *series =
        lumbar_scratch_alloc(scratch, WIRE_FIELDS * sizeof(*decoding.series));
    decoding.singles = lumbar_scratch_alloc(scratch, sizeof(*decoding.singles));
    if (series == NULL || decoding.singles == NULL)
        return BROKEN;
    decoding.series = series;
    decoding.single = decoding.singles->values;
    enum walked walked = walk(&decoding, fields, message);
    if (walked == WALKED)
        finish(&decoding, series);
    return walked;
}

int columns_decode(const struct column *fields, const uint8_t *payload, size_t bytes,
                   struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct wire_span message = {payload, bytes > 0 ? payload + bytes : payload}; /* may be NULL */
    struct lumbar_scratch untouched = *scratch;
    enum walked walked = decode(fields, message, scratch, batch);
    if (walked == DISORDERED) {
        *scratch = untouched;
        *batch = (struct lumbar_batch){.flags = 0};
        uint8_t *ordered = lumbar_scratch_alloc(scratch, WIRE_ORDER_BYTES(bytes));
        if (ordered == NULL)
            return LUMBAR_MALFORMED;
        message.end = wire_order(message, &fields->types, sizeof(*fields), ordered);
        message.at = ordered;
        walked = message.end != NULL ? decode(fields, message, scratch, batch) : BROKEN;
    }
    return walked == WALKED ? LUMBAR_DECODED : LUMBAR_MALFORMED;
}
