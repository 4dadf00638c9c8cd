#include "telemetry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define EXTRA_FIELD 1000 /* that posture.proto will never have */

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_tag(uint8_t *at, unsigned field, unsigned type)
{
    return put_varint(at, field << 3 | type);
}

static uint8_t *put_number(uint8_t *at, unsigned field, uint64_t value)
{
    return put_varint(put_tag(at, field, 0), value);
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

/* A packed column of five. */
static uint8_t *put_column(uint8_t *at, unsigned field, const uint64_t values[TELEMETRY_ROWS])
{
    at = put_tag(at, field, 2);
    uint8_t *length = at++; /* five varints of at most ten bytes: the length is one byte */
    for (int i = 0; i < TELEMETRY_ROWS; i++)
        at = put_varint(at, values[i]);
    *length = (uint8_t)(at - length - 1);
    return at;
}

static uint8_t *put_scaled(uint8_t *at, unsigned field, int32_t first, int32_t step)
{
    uint64_t values[TELEMETRY_ROWS];
    for (int i = 0; i < TELEMETRY_ROWS; i++)
        values[i] = zigzag(first + i * step);
    return put_column(at, field, values);
}

/* Rows evenly between the message before and now, so that times never fall. */
static uint8_t *put_times(uint8_t *at, const struct telemetry *t)
{
    uint64_t dt[TELEMETRY_ROWS];
    int64_t before = 0, start = 0;
    for (int i = 0; i < TELEMETRY_ROWS; i++) {
        int64_t time = t->last_ms + (t->now_ms - t->last_ms) * (i + 1) / TELEMETRY_ROWS;
        if (i == 0)
            start = before = time;
        dt[i] = (uint64_t)(time - before);
        before = time;
    }
    at = put_number(at, 4, zigzag(t->now_ms));
    at = put_number(at, 5, 1);
    at = put_number(at, 6, zigzag(start));
    return put_column(at, 7, dt);
}

static uint8_t *put_head(uint8_t *at, const struct telemetry *t)
{
    at = put_tag(at, 1, 1);
    memcpy(at, &t->boot_id, 8);
    at = put_number(at + 8, 2, t->sequence);
    return put_times(at, t);
}

static uint8_t *put_samples(uint8_t *at, const struct telemetry *t)
{
    static const uint64_t upright[TELEMETRY_ROWS] = {1, 1, 1, 1, 1};
    int32_t sway = (int32_t)(t->sequence % 40); /* a person breathes */
    if (t->lean)
        return put_scaled(at, 10, t->bent ? 3000 : 300 + sway * 4, 2);
    at = put_scaled(at, 8, 1200 + sway * 5, 3);
    at = put_scaled(at, 9, sway - 20, 2);
    at = put_scaled(at, 10, t->bent ? 3000 : 300 + sway * 4, 2);
    at = put_scaled(at, 11, 150 - sway * 3, -2);
    at = put_scaled(at, 12, (int32_t)lrint(t->rotation * 100), 0);
    at = put_column(at, 13, upright);
    at = put_number(at, 15, 600);
    at = put_number(at, 17, 87);
    at = put_number(at, 18, zigzag(-58));
    return put_number(at, 19, 1);
}

size_t telemetry_write(uint8_t *out, const struct telemetry *t)
{
    uint8_t *at = put_samples(put_head(out, t), t);
    if (t->extra_bytes > 0) {
        at = put_varint(put_tag(at, EXTRA_FIELD, 2), t->extra_bytes);
        memcpy(at, t->extra, t->extra_bytes);
        at += t->extra_bytes;
    }
    return (size_t)(at - out);
}

/* -6.4 to 6.3 deg in steps of 0.1: wider than the hub's resolution, below every limit. */
double source_code_value(uint64_t sequence)
{
    return (double)(sequence % SOURCE_CODES) / 10 - 6.4;
}

int source_value_code(double value)
{
    long code = lrint((value + 6.4) * 10);
    return code >= 0 && code < SOURCE_CODES ? (int)code : -1;
}

int source_topic(char *out, size_t bytes, unsigned device)
{
    return snprintf(out, bytes, "lumbar/v1/posture/p-%04u/telemetry", device + 1);
}

int source_device_of(const char *topic, size_t bytes)
{
    static const char before[] = "lumbar/v1/posture/p-";
    if (bytes != sizeof(before) - 1 + 4 + sizeof("/telemetry") - 1 ||
        memcmp(topic, before, sizeof(before) - 1) != 0)
        return -1;
    return atoi(topic + sizeof(before) - 1) - 1;
}

uint64_t source_sequence_of(const uint8_t *payload, size_t bytes)
{
    uint64_t sequence = 0;
    if (bytes < 12 || payload[0] != (1 << 3 | 1) || payload[9] != 2 << 3)
        return 0;
    for (size_t i = 10, shift = 0; i < bytes && shift < 64; i++, shift += 7) {
        sequence |= (uint64_t)(payload[i] & 0x7f) << shift;
        if (payload[i] < 0x80)
            return sequence;
    }
    return 0;
}
