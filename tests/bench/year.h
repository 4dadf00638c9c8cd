/*
 * A year of a clinic in a database, as a hub of a year would have it.
 *
 * Some days of every room are simulated at full rate, and go message by message through the
 * plugins, what is derived of them, and the hub's gathering into minutes of seconds. The year is
 * made of these days in turn: of the last of it, which has its seconds, the samples of each second
 * go once more through the store's own writer and roll-up, so many and as far apart as they were;
 * of what is older, only the minutes are left, packed as the roll-up packs them.
 * The last day is yesterday. Failures of the world end the process with a sentence.
 */
#ifndef LUMBAR_BENCH_YEAR_H
#define LUMBAR_BENCH_YEAR_H

#include <stdint.h>

#include "setup.h"

#define YEAR_CLIENTS 400 /* c-1 and on, each with sessions all over the year */

struct year_options {
    const char *file;          /* of the database, which is made */
    const struct setup *setup; /* of the hub whose database it is; lumbar-sim's names */
    unsigned rooms;
    unsigned hours;        /* of a day of treatment */
    unsigned days_a_week;  /* of treatment */
    unsigned days;         /* in all, with those of rest */
    unsigned seconds_days; /* of them have their seconds */
    unsigned made_days;    /* simulated */
};

struct year {
    int64_t from_ms, to_ms;             /* of its days, midnight to midnight UTC */
    unsigned days, second_days;         /* of treatment; of those with seconds */
    uint64_t blocks, samples;           /* of seconds, that went through the store */
    int64_t file_bytes;                 /* and its log, if there is one */
    int64_t second_bytes, minute_bytes; /* of the blocks alone */
};

void year_make(struct year *year, const struct year_options *options);

/* The span of one that was made before. */
void year_find(struct year *year, const struct year_options *options);

/* Day number `day` of it: was it one of treatment, and when did it begin? */
bool year_day(const struct year_options *options, const struct year *year, unsigned day,
              int64_t *begin_ms);

#endif
