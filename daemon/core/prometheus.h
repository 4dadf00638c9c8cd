/*
 * Prometheus' text format (0.0.4): families, samples and their labels, and how metrics that
 * describe themselves are called there.
 *
 * A name is lumbar_<kind>_<metric>_<unit>, with the unit's base: seconds of what is in minutes, a
 * ratio of what is in percent; a counter ends in _total. What has labels of its own (a state) has
 * one sample, with its label and the value 1. Pure: `out` is a stream in memory.
 */
#ifndef LUMBAR_CORE_PROMETHEUS_H
#define LUMBAR_CORE_PROMETHEUS_H

#include <stdint.h>
#include <stdio.h>

#include "lumbar/plugin.h"

#define PROMETHEUS_TYPE       "text/plain; version=0.0.4; charset=utf-8"
#define PROMETHEUS_NAME_BYTES 192

struct prometheus_name {
    char text[PROMETHEUS_NAME_BYTES];
    double factor; /* of a value in the metric's unit */
};

struct prometheus_name prometheus_name_of(const char *kind, const struct lumbar_metric *metric);

enum prometheus_kind { PROMETHEUS_GAUGE, PROMETHEUS_COUNTER, PROMETHEUS_HISTOGRAM };

/* Begins a family: its samples follow. */
void prometheus_family(FILE *out, const char *name, enum prometheus_kind kind, const char *help);

/* One sample. Labels: pairs of name and value, NULL at their end. */
void prometheus_sample(FILE *out, const char *name, double value, const char *const *labels);

/* A family of one sample without labels. */
void prometheus_one(FILE *out, const char *name, enum prometheus_kind kind, const char *help,
                    double value);

/* A family of one histogram: so many observations up to each bound, and in all (the counts are not
 * yet summed up). */
struct prometheus_histogram {
    const double *bounds;   /* rising, in the base unit */
    const uint64_t *counts; /* of each bound, then of what is beyond */
    unsigned bound_count;
    double sum;
};
void prometheus_one_histogram(FILE *out, const char *name, const char *help,
                              const struct prometheus_histogram *histogram);

#endif
