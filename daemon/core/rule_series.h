/*
 * A series of samples in few words, for tests of rules; words are separated by spaces:
 *
 *   12.5         a value, in the metric's unit
 *   20+5x3       20 25 30 35: so many steps follow the first value
 *   30x4         30 five times: four follow
 *   slouchedx9   a label of a state or event, ten times
 *   _  _x5       the device speaks, but has no value: once, five times
 *   stale  stalex60   nothing comes at all: once, sixty times; as behind the last word
 *
 * Nothing is allocated. Pure.
 */
#ifndef LUMBAR_CORE_RULE_SERIES_H
#define LUMBAR_CORE_RULE_SERIES_H

#include <stdint.h>

#include "base/text.h"
#include "lumbar/plugin.h"

#define SERIES_RUNS_MAX  64
#define SERIES_STEPS_MAX (24 * 3600 * 10) /* a day of ten a second */

enum series_kind { SERIES_VALUE, SERIES_MISSING, SERIES_SILENT };

struct series_run {
    enum series_kind kind;
    double first, step;
    int64_t count;
};

struct rule_series {
    struct series_run runs[SERIES_RUNS_MAX];
    uint32_t run_count;
    int64_t steps; /* of all runs */
};

/* False, with a sentence in `why`, where a word cannot be read or says what the sensor cannot. */
bool rule_series_read(struct rule_series *out, const char *words,
                      const struct lumbar_metric *metric, struct text *why);

/* What comes at a step, from 0; a value or NaN in *value. */
enum series_kind rule_series_at(const struct rule_series *series, int64_t step, double *value);

#endif
