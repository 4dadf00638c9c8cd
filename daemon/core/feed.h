/*
 * The feed: the last minutes of every value, in one ring of memory that any number of readers walk
 * by a cursor of their own.
 *
 * A push keeps a message's samples as columns of 16-bit values (driver.h) with shared times, at
 * full rate. When the ring is full the oldest is overwritten; a reader that was that slow is told.
 * Nothing is kept for a reader: a cursor is a number.
 * Memory: one block of `bytes`, touched only as it fills. Pure: time is given.
 */
#ifndef LUMBAR_CORE_FEED_H
#define LUMBAR_CORE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/devices.h"
#include "core/driver.h"

#define FEED_SPAN_MAX_MS 65000 /* of one record; a longer batch becomes several */

struct feed;

struct feed *feed_create(size_t bytes); /* NULL: no memory */
void feed_destroy(struct feed *feed);

/* Keeps a batch as driver_decode() gives it, at hub time now_ms, and moves device->news. */
void feed_push(struct feed *feed, struct device *device, const struct lumbar_batch *batch,
               int64_t offset_ms, int64_t now_ms);

uint64_t feed_head(const struct feed *feed); /* cursor of what comes next */
uint64_t feed_tail(const struct feed *feed); /* cursor of the oldest kept */

/* The cursor of the oldest record pushed at or after this time. */
uint64_t feed_since(const struct feed *feed, int64_t pushed_ms);

/* The first record's begin at or after a position that may be anything: for cursors that come from
 * outside. Not behind the head; positions below the tail stay what they are. */
uint64_t feed_align(const struct feed *feed, uint64_t position);

/* One column of a record; pointers into the ring, good until the next push. */
struct feed_column {
    uint32_t metric; /* index in the device's driver */
    uint32_t count;
    const uint16_t *dt_ms; /* of each value, since start_ms */
    const uint16_t *value; /* quantised */
};

struct feed_record {
    uint32_t device;
    int64_t pushed_ms, start_ms; /* hub time */
    uint32_t column_count;
    const unsigned char *columns; /* walked by feed_column() */
    uint32_t columns_bytes;
};

/* The record at the cursor, which then stands behind it. False at the head. A cursor that was
 * overwritten jumps to the tail and `missed` becomes true. Device ids that `wanted` (NULL: all)
 * refuses are passed over. */
typedef bool feed_filter_cb(void *user, uint32_t device);
bool feed_read(const struct feed *feed, uint64_t *cursor, struct feed_record *record, bool *missed,
               feed_filter_cb *wanted, void *user);

/* The record's columns in order: start with position 0; false after the last. */
bool feed_column(const struct feed_record *record, uint32_t *position, struct feed_column *column);

#endif
