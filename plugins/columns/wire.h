/*
 * The protobuf wire of a flat message, field by field, with nothing allocated.
 *
 * Why not protobuf-c for these: unpacking a message of 5 rows and 6 columns costs it 5,100
 * instructions (callgrind, protobuf-c 1.4.1), more than the hub may spend on the whole way of a
 * message. This takes what protobuf-c takes, and the fuzzers hold the two against each other; it is
 * stricter with field 0, with tags beyond 32 bits and with a bool of another wire type.
 * Messages have no submessages, so there is no depth, and work is bounded by the payload.
 */
#ifndef LUMBAR_WIRE_H
#define LUMBAR_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_FIELDS 32 /* numbers 1..31; greater ones are skipped as unknown */

/* The low bits of a tag. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* The types that a field may come as, as bits. A row of zero bits is an unknown field: skipped. */
enum wire_types {
    WIRE_IS_VARINT = 1 << WIRE_VARINT,
    WIRE_IS_FIXED64 = 1 << WIRE_FIXED64,
    WIRE_IS_BYTES = 1 << WIRE_BYTES,
    WIRE_IS_PACKED = WIRE_IS_BYTES | WIRE_IS_VARINT, /* or one by one, which a parser must take */
};

struct wire_span {
    const uint8_t *at, *end;
};

struct wire_field {
    uint32_t number;
    unsigned type;
    uint64_t value;         /* varint or fixed64 */
    struct wire_span bytes; /* length-delimited, or those of the varint */
};

/* A varint of at most 10 bytes; returns what follows, NULL where it is torn or longer. */
const uint8_t *wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value);

/* The same, for the one or two bytes that it nearly always has. */
static inline const uint8_t *wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    if (at < end && at[0] < 0x80) {
        *value = at[0];
        return at + 1;
    }
    if (end - at >= 2 && at[1] < 0x80) {
        *value = (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
        return at + 2;
    }
    return wire_long_varint(at, end, value);
}

/* A varint of a packed field that wire_closed() was true of, at < end: none runs over the end, so
 * only the first byte needs to be there. */
static inline const uint8_t *wire_packed_varint(const uint8_t *at, const uint8_t *end,
                                                uint64_t *value)
{
    uint32_t low = at[0];
    if (low >= 0x80) {
        uint32_t high = at[1];
        if (high >= 0x80)
            return wire_long_varint(at, end, value);
        *value = (low & 0x7f) | high << 7;
        return at + 2;
    }
    *value = low;
    return at + 1;
}

/* Does the packed field end with the end of a varint? */
static inline int wire_closed(struct wire_span span)
{
    return span.at == span.end || span.end[-1] < 0x80;
}

/* sint32 and sint64: zigzag. */
static inline int32_t wire_sint32(uint64_t value)
{
    uint32_t low = (uint32_t)value;
    return (int32_t)(low >> 1 ^ (0 - (low & 1)));
}

static inline int64_t wire_sint64(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* Reads the field at `at`; returns what follows, NULL where it is torn, or of no known type. */
static inline const uint8_t *wire_next(const uint8_t *at, const uint8_t *end,
                                       struct wire_field *field)
{
    uint64_t tag, length;
    const uint8_t *from = at;
    at = wire_varint(at, end, &tag);
    if (at == NULL || at - from > 5 || tag > UINT32_MAX || tag < 8) /* there is no field 0 */
        return NULL;
    field->number = (uint32_t)tag >> 3;
    field->type = tag & 7;
    switch (field->type) {
    case WIRE_VARINT:
        field->bytes.at = at;
        at = wire_varint(at, end, &field->value);
        field->bytes.end = at;
        return at;
    case WIRE_BYTES:
        from = at;
        at = wire_varint(at, end, &length);
        if (at == NULL || at - from > 5 || length > (size_t)(end - at))
            return NULL;
        field->bytes.at = at;
        field->bytes.end = at + length;
        return at + length;
    case WIRE_FIXED64:
        if (end - at < 8)
            return NULL;
        memcpy(&field->value, at, 8); /* little-endian, as the wire is */
        return at + 8;
    case WIRE_FIXED32:
        return end - at < 4 ? NULL : at + 4;
    default: /* groups, and what was never defined */
        return NULL;
    }
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "fixed64 is read as it lies in memory"
#endif

/* The same message with each known field once and in the order of the numbers: of single fields
 * the last, of packed ones all pieces. types[n * stride] says what field n may come as. Into out,
 * of WIRE_ORDER_BYTES(length). Returns its end; NULL where the message is not well formed. */
#define WIRE_ORDER_BYTES(length) ((length) + WIRE_FIELDS * 12)
const uint8_t *wire_order(struct wire_span message, const uint8_t *types, size_t stride,
                          uint8_t *out);

#endif
