#include "wire.h"

/* Squeezes the 7 low bits of each of 8 bytes into 56 bits, by pairs, fours and eights. */
static uint64_t squeeze(uint64_t bytes)
{
    bytes = (bytes & UINT64_C(0x007f007f007f007f)) | (bytes & UINT64_C(0x7f007f007f007f00)) >> 1;
    bytes = (bytes & UINT64_C(0x00003fff00003fff)) | (bytes & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (bytes & UINT64_C(0x000000000fffffff)) | (bytes & UINT64_C(0x0fffffff00000000)) >> 4;
}

const uint8_t *wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    if (end - at >=
        8) { /* an instant in ms has 6 bytes: all at once, for there are two a message */
        uint64_t bytes;
        memcpy(&bytes, at, 8);
        uint64_t stops = ~bytes & UINT64_C(0x8080808080808080);
        if (stops != 0) {
            uint64_t upto = stops ^ (stops - 1); /* the bits up to the end of the last byte */
            *value = squeeze(bytes & upto);
            return at + (__builtin_ctzll(stops) + 1) / 8;
        }
    }
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
        uint8_t byte = *at++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return at;
        }
    }
    return NULL;
}

static uint8_t *write_varint(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

/* All pieces of a packed field, as one. How many bytes they are is known only afterwards, so the
 * length is written in three bytes, which is enough for 2 MiB. */
static uint8_t *write_packed(struct wire_span message, uint32_t number, uint8_t *out)
{
    uint8_t *length = out = write_varint(out, number << 3 | WIRE_BYTES);
    out += 3;
    for (struct wire_field field; message.at < message.end;) {
        message.at = wire_next(message.at, message.end, &field);
        if (field.number != number)
            continue;
        size_t bytes = (size_t)(field.bytes.end - field.bytes.at);
        memcpy(out, field.bytes.at, bytes);
        out += bytes;
    }
    size_t bytes = (size_t)(out - length) - 3;
    length[0] = (uint8_t)(bytes | 0x80);
    length[1] = (uint8_t)(bytes >> 7 | 0x80);
    length[2] = (uint8_t)(bytes >> 14 & 0x7f);
    return out;
}

static uint8_t *write_single(const struct wire_field *field, uint8_t *out)
{
    out = write_varint(out, field->number << 3 | field->type);
    if (field->type != WIRE_FIXED64)
        return write_varint(out, field->value);
    memcpy(out, &field->value, 8);
    return out + 8;
}

const uint8_t *wire_order(struct wire_span message, const uint8_t *types, size_t stride,
                          uint8_t *out)
{
    struct wire_field last[WIRE_FIELDS], field;
    uint32_t present = 0;
    for (const uint8_t *at = message.at; at < message.end;) {
        at = wire_next(at, message.end, &field);
        if (at == NULL)
            return NULL;
        if (field.number >= WIRE_FIELDS || types[field.number * stride] == 0)
            continue;
        unsigned may_be = types[field.number * stride];
        if ((may_be >> field.type & 1) == 0)
            return NULL;
        if (may_be == WIRE_IS_PACKED && !wire_closed(field.bytes)) /* torn between two pieces */
            return NULL;
        present |= UINT32_C(1) << field.number;
        last[field.number] = field;
    }
    for (uint32_t number = 1; number < WIRE_FIELDS; number++) {
        unsigned may_be = types[number * stride];
        if ((present >> number & 1) == 0 || may_be == WIRE_IS_BYTES) /* text, which nobody reads */
            continue;
        out = may_be == WIRE_IS_PACKED ? write_packed(message, number, out)
                                       : write_single(&last[number], out);
    }
    return out;
}
