/*
 * The bed of a measurement: a load (the flood source, or mosquitto with the source as publisher),
 * a subject (the hub, or the bare subscriber), and dashboards. Every part is a process of its own,
 * ended by its id; the dashboards are this process.
 */
#ifndef LUMBAR_BENCH_BED_H
#define LUMBAR_BENCH_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dashboard.h"
#include "hub.h"
#include "source.h"

#define BED_DASHBOARDS 10
#define BED_ROOMS      200
#define BED_RULE       "bench-bent" /* a rule with no delay: crossed on purpose */

struct bed_options {
    bool hub;       /* the subject; else bare */
    bool mosquitto; /* between them; else the flood source is the broker */
    unsigned devices;
    bool decode;   /* dashboards decode every frame; else only the first does */
    bool one_room; /* all dashboards watch room 1; else rooms 1 ... */
};

struct bed {
    struct bed_options options;
    struct source_shared *shared; /* with the source's process */
    _Atomic uint64_t *counted;    /* by bare */
    struct hub hub;
    char broker_folder[64];
    pid_t source, broker, bare;
    int port; /* of the broker */
    struct dashboard dashboards[BED_DASHBOARDS];
    unsigned dashboard_count;
    struct samples values;
};

void bed_make(struct bed *bed, const struct bed_options *options);
void bed_clear(struct bed *bed);

/* Publishes at this rate for so long, dashboards reading. */
void bed_run(struct bed *bed, uint64_t rate, int ms);

/* What the subject has used so far, and when that was so. */
uint64_t bed_used(struct bed *bed, int64_t *ns);
pid_t bed_subject(const struct bed *bed);

#endif
