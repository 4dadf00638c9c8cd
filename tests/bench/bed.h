/*
 * The bed of a measurement: a load (the flood source, or mosquitto with the source as publisher),
 * a subject (the hub, or the bare subscriber), and dashboards. Every part is a process of its own,
 * ended by its id; the dashboards are this process. However this process ends, short of SIGKILL,
 * the parts end with it and their files are removed; after that, only the files are left.
 */
#ifndef LUMBAR_BENCH_BED_H
#define LUMBAR_BENCH_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bare.h"
#include "dashboard.h"
#include "hub.h"
#include "source.h"

#define BED_MAX        4 /* at the same time */
#define BED_DASHBOARDS 10
#define BED_ROOMS      200
#define BED_RULE       "bench-bent" /* a rule with no delay: crossed on purpose */

struct bed_options {
    bool hub;       /* the subject; else bare */
    bool mosquitto; /* between them; else the flood source is the broker */
    unsigned devices;
    bool decode;   /* dashboards decode every frame; else only the first does */
    bool lean;     /* five samples a message; then no frame can be told from the next: no decode */
    bool one_room; /* all dashboards watch room 1; else rooms 1 ... */
    const char *history; /* a database that is there, and stays; NULL: a new one */
};

struct bed {
    struct bed_options options;
    struct source_shared *shared; /* with the source's process */
    struct bare_shared *heard;    /* with the bare subscriber's */
    struct hub hub;
    char broker_folder[64];
    pid_t source, broker, bare;
    int port; /* of the broker */
    uint64_t rate;
    struct dashboard dashboards[BED_DASHBOARDS];
    unsigned dashboard_count;
    struct samples values;
};

/* Ready means: subscribed, and the first messages have come. */
void bed_make(struct bed *bed, const struct bed_options *options);
void bed_clear(struct bed *bed);

/* Messages a second from now on. */
void bed_load(struct bed *bed, uint64_t rate);

/* Lets all beds go on for so long, dashboards reading. */
void beds_run(int ms);

/* Waits until the subject has used what was published, but for what comes at a trickle. */
void bed_settle(struct bed *bed);

/* Waits until the subject says anew how many messages it has used so far; the hub does four times a
 * second. Returns when that was so. */
int64_t bed_used(struct bed *bed, uint64_t *messages);

pid_t bed_subject(const struct bed *bed);

#endif
