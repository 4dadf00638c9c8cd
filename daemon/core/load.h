/*
 * Alarm load: do alarms come as people can answer them, and are they answered? Of a span of time, from
 * what was kept of its alarms (the measures of ISA-18.2, by exida).
 *
 * Give the alarms in the order in which they were raised, then finish. Memory: grows with what is
 * given; load_destroy() frees it. Times in ms since 1970. Pure.
 */
#ifndef LUMBAR_CORE_LOAD_H
#define LUMBAR_CORE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_RULES_WORST 10
#define LOAD_FLOODS_MAX  50

struct load_alarm {
    const char *rule;
    int64_t raised_ms;
    int64_t acked_ms; /* for the first time; 0: never */
    bool over;        /* it stands no longer */
};

struct load_rule {
    const char *name; /* of the load */
    uint64_t alarms;
    uint64_t unacked; /* ended, and nobody had acknowledged them */
    double share;     /* of all alarms, 0..1 */
};

/* From when a flood began (flood.h) until it was over, or the span was. */
struct load_flood {
    int64_t from_ms, to_ms;
    uint64_t alarms; /* raised in it, with the ten minutes that began it */
};

struct load_report {
    uint64_t alarms;
    double per_span;       /* alarms in ten minutes, on average of the whole span */
    uint64_t most;         /* in the busiest ten minutes of the clock ... */
    int64_t most_ms;       /* ... which began then */
    uint64_t acked;        /* alarms that were acknowledged */
    int64_t ack_median_ms; /* until then; -1: none was */
    uint64_t ended;        /* alarms that are over ... */
    uint64_t unacked;      /* ... and were never acknowledged */
    uint64_t floods;       /* all of them ... */
    struct load_flood flood[LOAD_FLOODS_MAX]; /* ... and the first */
    size_t flood_count;
    struct load_rule worst[LOAD_RULES_WORST]; /* those with most alarms */
    size_t worst_count;
};

struct load;

/* Of the span [from_ms, to_ms); `limit`: alarms in ten minutes above which it is a flood. NULL: no
 * memory. */
struct load *load_create(int64_t from_ms, int64_t to_ms, uint32_t limit);
void load_destroy(struct load *load);

int load_add(struct load *load, const struct load_alarm *alarm); /* 0, or ERR_MEMORY */

/* What came of it; names last as long as the load. */
void load_finish(struct load *load, struct load_report *report);

#endif
