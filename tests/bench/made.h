/*
 * A day of a clinic, simulated at full rate and kept as the packed minutes of seconds that the hub
 * makes of it.
 */
#ifndef LUMBAR_BENCH_MADE_H
#define LUMBAR_BENCH_MADE_H

#include "core/block.h"
#include "core/devices.h"
#include "setup.h"

#define MADE_HOURS_MAX 12

/* One value of one device. */
struct made_series {
    uint32_t device, metric;          /* its id; its number through all drivers */
    uint32_t at[MADE_HOURS_MAX * 60]; /* of each minute's block, from 1; 0: nothing was said */
};

struct made_day {
    struct made_series *series;
    unsigned count, hours;
    uint8_t *bytes; /* of a block: its length in two bytes, then itself */
    size_t used, room;
};

/* Day `number` (from 0) of all rooms, made of devices of this table, which are new to it on the
 * first day. Ends the process on failure. */
void made_day_make(struct made_day *day, struct setup *setup, struct devices *devices,
                   unsigned rooms, unsigned hours, unsigned number);
void made_day_free(struct made_day *day);

/* The block of a minute of the day; false: there is none. */
bool made_block(const struct made_day *day, const struct made_series *series, unsigned minute,
                struct block *block);

#endif
