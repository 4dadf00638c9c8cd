/*
 * A browser's place: a minimal WebSocket client that watches the hub's /live and times what comes.
 */
#ifndef LUMBAR_BENCH_DASHBOARD_H
#define LUMBAR_BENCH_DASHBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define DASHBOARD_BYTES (256 * 1024)
#define DASHBOARD_IDS   512 /* devices of the hub, by its numbers */
#define DASHBOARDS_MAX  64  /* that are run together */

/* Latencies in ns, kept whole. */
struct samples {
    int64_t *ns;
    size_t count, room;
};

void samples_add(struct samples *samples, int64_t ns);
void samples_sort(struct samples *samples);
double samples_ms(const struct samples *samples,
                  double share); /* of a sorted one; 1: the largest */
void samples_clear(struct samples *samples);

struct dashboard {
    int fd;
    bool decode;   /* else frames are only read */
    bool sampling; /* values are timed */
    const struct source_shared *shared;
    struct samples *values; /* publish to frame */
    const char *rule;       /* whose alarms are looked for */
    uint64_t frames, bytes;

    /* What the hub said. */
    bool broker;         /* Health */
    uint64_t messages;   /* Health: heard */
    uint64_t lost;       /* Health: refused or dropped */
    int64_t messages_ns; /* when `messages` last changed */
    int rotation;        /* metric's number */
    double rotation_min, rotation_step;
    int rule_id;
    int device_of[DASHBOARD_IDS];         /* the source's index + 1 */
    int code[DASHBOARD_IDS];              /* the last one seen */
    bool on[SOURCE_DEVICES_MAX];          /* an alarm of `rule` stands for the source's device */
    int64_t alarm_ns[SOURCE_DEVICES_MAX]; /* when its last change was seen */

    size_t held;
    uint8_t in[DASHBOARD_BYTES];
};

/* Connects, asks for /live and watches: room 0 is the wall. Ends the process on failure. */
void dashboard_open(struct dashboard *dashboard, int port, unsigned room);
void dashboard_close(struct dashboard *dashboard);

/* Reads what comes, of all of them, for so long. */
void dashboards_run(struct dashboard *const *dashboards, unsigned count, int ms);

#endif
