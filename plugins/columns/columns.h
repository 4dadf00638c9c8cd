/*
 * Columns: from the fields of a protobuf message to the series of a batch.
 *
 * Shared by the plugins of this tree whose messages follow one plan (proto/posture.proto,
 * proto/massage.proto): the device's accounting, rows sampled together with `dt_ms` for their
 * times, one packed column a metric, and single values that stand "now". A plugin gives a table of
 * the fields; columns_decode() walks it. Linked into each plugin, no part of the contract.
 * Memory: all from the message's arena.
 */
#ifndef LUMBAR_COLUMNS_H
#define LUMBAR_COLUMNS_H

#include <stdint.h>

#include "lumbar/plugin.h"
#include "wire.h"

#define COLUMNS_ROWS_MAX 1024 /* rows of one message, and events of one field */
#define COLUMNS_MAX      9    /* columns of rows in one message */

/* What a field is. */
enum column_kind {
    COLUMN_NONE = 0, /* not read: an unknown field, or text for people with a broker's client */
    /* The accounting, and the times of the rows. START and DT have lower numbers than columns. */
    COLUMN_BOOT_ID,    /* fixed64 */
    COLUMN_SEQUENCE,   /* uint64 */
    COLUMN_HELD_FROM,  /* uint64 */
    COLUMN_NOW,        /* sint64, ms */
    COLUMN_WALL_CLOCK, /* bool */
    COLUMN_START,      /* sint64, ms: what the first row's dt counts from */
    COLUMN_DT,         /* packed uint32, ms: of each row, since the row before */
    /* A value a row. A column is empty or has as many values as there are rows. */
    COLUMN_SCALED, /* packed sint32, in 1/divisor of the unit; INT32_MIN: the sensor was silent */
    COLUMN_LABELS, /* packed enum: enumerator `first` is label 0; others are NaN, as of a newer
                      firmware */
    /* A single value, now. */
    COLUMN_UNSIGNED, /* uint32, in 1/divisor of the unit */
    COLUMN_SIGNED,   /* sint32, in 1/divisor of the unit */
    COLUMN_BOOL,     /* label 0 or 1 */
    COLUMN_LABEL,    /* enum, as COLUMN_LABELS */
    COLUMN_EVENTS,   /* packed enum of what has just begun: 0 is nothing, 1 is label 0, and those
                        beyond the labels are the last of them ("other") */
};

/* A field of a message: COLUMN(number, kind, .metric = ..., .divisor = ...) in the table. */
struct column {
    uint8_t tag;   /* as every encoder writes it */
    uint8_t types; /* of enum wire_types: as what it may come besides */
    uint8_t kind;  /* of enum column_kind */
    uint8_t first, labels, metric;
    double divisor;
};

#define COLUMN(number, kind_, ...)                                                                 \
    [number] = {.tag = (number) << 3 | COLUMN_TYPE_##kind_,                                        \
                .types = COLUMN_TYPES(COLUMN_TYPE_##kind_, COLUMN_##kind_),                        \
                .kind = COLUMN_##kind_,                                                            \
                __VA_ARGS__}
#define COLUMN_ACCOUNT(number, kind_) COLUMN(number, kind_, .metric = 0)
#define COLUMN_TYPES(type, kind)                                                                   \
    ((int)(type) == WIRE_BYTES && (kind) != COLUMN_NONE ? WIRE_IS_PACKED : 1 << (type))
enum {
    COLUMN_TYPE_NONE = WIRE_BYTES,
    COLUMN_TYPE_BOOT_ID = WIRE_FIXED64,
    COLUMN_TYPE_SEQUENCE = WIRE_VARINT,
    COLUMN_TYPE_HELD_FROM = WIRE_VARINT,
    COLUMN_TYPE_NOW = WIRE_VARINT,
    COLUMN_TYPE_WALL_CLOCK = WIRE_VARINT,
    COLUMN_TYPE_START = WIRE_VARINT,
    COLUMN_TYPE_DT = WIRE_BYTES,
    COLUMN_TYPE_SCALED = WIRE_BYTES,
    COLUMN_TYPE_LABELS = WIRE_BYTES,
    COLUMN_TYPE_UNSIGNED = WIRE_VARINT,
    COLUMN_TYPE_SIGNED = WIRE_VARINT,
    COLUMN_TYPE_BOOL = WIRE_VARINT,
    COLUMN_TYPE_LABEL = WIRE_VARINT,
    COLUMN_TYPE_EVENTS = WIRE_BYTES,
};

/* Decodes a message of these fields, which stand at their numbers in a table of WIRE_FIELDS; a
 * lumbar_result. Malformed: not protobuf, a field of another wire type, a column of another length
 * than the rows, too many rows, rows without a start, an arena that is used up. */
int columns_decode(const struct column *fields, const uint8_t *payload, size_t bytes,
                   struct lumbar_scratch *scratch, struct lumbar_batch *batch);

#endif
