/*
 * History: what came is gathered into buckets of a second, a block for each value and minute.
 *
 * Samples go to the minute in which they were taken, however late they come. A gathering is filled
 * until it is sealed: then the store writes it while another one is filled, and empties it when it
 * is on the disk. Values that are none (NaN) are no samples.
 * Memory: `bytes` of blocks, reserved at create, touched as they fill; nothing is allocated
 * afterwards. Full is said: ask history_has_room() before a message, and what finds no place all
 * the same is counted. Pure: one thread at a time.
 */
#ifndef LUMBAR_CORE_HISTORY_H
#define LUMBAR_CORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/block.h"
#include "core/devices.h"

#define HISTORY_MINUTE_MS 60000

struct history;

/* For so many devices, each with the metrics of one of these drivers. NULL: no memory. */
struct history *history_create(size_t bytes, uint32_t max_devices, const struct drivers *drivers);
void history_destroy(struct history *history);
void history_clear(struct history *history);

/* Adds a message's samples; times plus offset_ms are hub time. */
void history_add(struct history *history, const struct device *device,
                 const struct lumbar_batch *batch, int64_t offset_ms);

uint64_t history_samples(const struct history *history); /* in it */
uint64_t history_lost(const struct history *history); /* that found no place since the last clear */
bool history_has_room(const struct history *history); /* for an ordinary message of any device */
bool history_is_empty(const struct history *history);

/* The blocks gathered, by number from 0. Of one value and minute there may be several. */
struct history_block {
    uint32_t device; /* its id */
    uint32_t metric; /* number through all drivers */
    int64_t minute;  /* since 1970 */
};
uint32_t history_capacity(const struct history *history); /* blocks at most */
uint32_t history_count(const struct history *history);
struct history_block history_key(const struct history *history, uint32_t number);
struct history_block history_at(const struct history *history, uint32_t number,
                                struct block *block);

/* Adds what there is of one value's minute to a block. False: there is nothing. */
bool history_find(const struct history *history, uint32_t device, uint32_t metric, int64_t minute,
                  struct block *block);

#endif
