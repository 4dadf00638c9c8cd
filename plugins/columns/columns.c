#include "columns.h"

#include <math.h>
#include <stdbool.h>

/* Beyond this a cumulative time could overflow; 2^53 ms is 285,000 years. */
#define START_MAX_MS (INT64_C(1) << 53)

/* What comes out of a message, but for the rows: one piece of the arena. */
struct output {
    int64_t now_ms;                           /* the time of all single values */
    struct lumbar_series series[WIRE_FIELDS]; /* a field gives one at most */
    double single[WIRE_FIELDS];
};

/* A message being decoded. */
struct decoding {
    struct lumbar_scratch *scratch;
    struct lumbar_batch *batch;
    struct output *output;
    struct lumbar_series *series; /* where the next one goes */
    double *single;               /* where the next one goes */
    double *column, *columns_end; /* where the next column goes, and what is reserved for them */
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
    add_series(decoding, metric, 1, &decoding->output->now_ms, decoding->single++);
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
    decoding->column = lumbar_scratch_alloc(decoding->scratch, COLUMNS_MAX * rows * sizeof(double));
    if (decoding->column == NULL)
        return false;
    decoding->columns_end = decoding->column + (size_t)COLUMNS_MAX * rows;
    return true;
}

/* A series with a value a row, for a column that is not empty. NULL: no rows, no room, or the
 * column is torn. */
static inline double *add_column(struct decoding *decoding, const struct column *column,
                                 struct wire_span span)
{
    double *values = decoding->column;
    if (values == decoding->columns_end || span.end[-1] >= 0x80)
        return NULL;
    decoding->column = values + decoding->rows;
    add_series(decoding, column->metric, decoding->rows, decoding->times, values);
    return values;
}

static inline bool take_scaled(struct decoding *decoding, const struct column *column,
                               struct wire_span span)
{
    double *values = add_column(decoding, column, span);
    if (values == NULL)
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

static inline bool take_labels(struct decoding *decoding, const struct column *column,
                               struct wire_span span)
{
    double *values = add_column(decoding, column, span);
    if (values == NULL)
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

/* A field of bytes; all but text are packed. */
static inline bool take_packed(struct decoding *decoding, const struct column *column,
                               struct wire_span span)
{
    bool is_empty = span.at == span.end;
    switch ((enum column_kind)column->kind) {
    case COLUMN_SCALED:
        return is_empty || take_scaled(decoding, column, span);
    case COLUMN_LABELS:
        return is_empty || take_labels(decoding, column, span);
    case COLUMN_DT:
        return is_empty || take_rows(decoding, span);
    case COLUMN_EVENTS:
        return take_events(decoding, column, span);
    default:
        return true;
    }
}

/* A varint or fixed64. */
static inline void take_single(struct decoding *decoding, const struct column *column,
                               uint64_t value)
{
    struct lumbar_batch *batch = decoding->batch;
    switch ((enum column_kind)column->kind) {
    case COLUMN_BOOT_ID:
        batch->boot_id = value;
        decoding->has_boot = true;
        break;
    case COLUMN_SEQUENCE:
        batch->sequence = value;
        decoding->has_sequence = true;
        break;
    case COLUMN_HELD_FROM:
        batch->held_from = value;
        break;
    case COLUMN_NOW:
        batch->now_ms = wire_sint64(value);
        decoding->has_now = true;
        break;
    case COLUMN_WALL_CLOCK:
        decoding->wall_clock = value != 0;
        break;
    case COLUMN_START:
        decoding->start_ms = wire_sint64(value);
        decoding->has_start = true;
        break;
    case COLUMN_UNSIGNED:
        add_single(decoding, column->metric, (uint32_t)value / column->divisor);
        break;
    case COLUMN_SIGNED:
        add_single(decoding, column->metric, wire_sint32(value) / column->divisor);
        break;
    case COLUMN_BOOL:
        add_single(decoding, column->metric, value != 0);
        break;
    case COLUMN_LABEL:
        add_single(decoding, column->metric, label_of(column, value));
        break;
    default:
        break;
    }
}

enum walked { WALKED, BROKEN, DISORDERED };

/* Steps over a field that is not known, or not written in the usual way. */
static enum walked step_over(const struct column *fields, const uint8_t **at, const uint8_t *end)
{
    struct wire_field field;
    *at = wire_next(*at, end, &field);
    if (*at == NULL)
        return BROKEN;
    if (field.number >= WIRE_FIELDS || fields[field.number].types == 0)
        return WALKED;
    return (fields[field.number].types >> field.type & 1) != 0 ? DISORDERED : BROKEN;
}

/* Takes the fields as they come, which is in the order of their numbers, each once and with the
 * shortest tag, since that is how every encoder writes a message. Gives up where it is not so. */
static enum walked walk(struct decoding *decoding, const struct column *fields,
                        struct wire_span message)
{
    unsigned before = 0;
    for (const uint8_t *at = message.at; at < message.end;) {
        const uint8_t *from = at;
        unsigned tag = *at++;
        if (tag >= 0x80) { /* it has two bytes: the second is 1 for fields 16 to 31 */
            bool is_ours = at < message.end && *at == 1;
            tag = is_ours ? tag : 0;
            at++;
        }
        const struct column *column = &fields[tag >> 3];
        if (tag != column->tag || tag <= before) {
            enum walked stepped = step_over(fields, &from, message.end);
            if (stepped != WALKED)
                return stepped;
            at = from;
            continue;
        }
        before = tag;
        uint64_t value;
        if ((tag & 7) == WIRE_FIXED64) {
            if (message.end - at < 8)
                return BROKEN;
            memcpy(&value, at, 8); /* little-endian, as the wire is */
            at += 8;
            take_single(decoding, column, value);
            continue;
        }
        from = at;
        at = wire_varint(at, message.end, &value);
        if (at == NULL)
            return BROKEN;
        if ((tag & 7) == WIRE_VARINT) {
            take_single(decoding, column, value);
            continue;
        }
        if (at - from > 5 || value > (size_t)(message.end - at))
            return BROKEN;
        struct wire_span span = {at, at + value};
        at = span.end;
        /* A column may lack its other pieces, or rows that are still to come. */
        if (!take_packed(decoding, column, span))
            return DISORDERED;
    }
    return WALKED;
}

/* What can be said only when all fields were seen. */
static void finish(struct decoding *decoding)
{
    struct lumbar_batch *batch = decoding->batch;
    if (!decoding->has_now && decoding->rows > 0)
        batch->now_ms = decoding->times[decoding->rows - 1];
    if (decoding->has_now && decoding->wall_clock)
        batch->flags |= LUMBAR_WALL_CLOCK;
    if (decoding->has_boot && decoding->has_sequence)
        batch->flags |= LUMBAR_HAS_SEQUENCE;
    decoding->output->now_ms = batch->now_ms;
    for (uint32_t i = 0; i < decoding->event_count; i++)
        decoding->event_times[i] = batch->now_ms;
    batch->series = decoding->output->series;
    batch->series_count = (uint32_t)(decoding->series - batch->series);
}

/* Decodes a message once. */
static enum walked decode(const struct column *fields, struct wire_span message,
                          struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct output *output = lumbar_scratch_alloc(scratch, sizeof(*output));
    if (output == NULL)
        return BROKEN;
    struct decoding decoding = {.scratch = scratch,
                                .batch = batch,
                                .output = output,
                                .series = output->series,
                                .single = output->single};
    enum walked walked = walk(&decoding, fields, message);
    if (walked == WALKED)
        finish(&decoding);
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
