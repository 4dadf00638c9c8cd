/*
 * What is inside: shared by derive.c, derive_load.c and derive_health.c only.
 */
#ifndef LUMBAR_CORE_DERIVE_SET_H
#define LUMBAR_CORE_DERIVE_SET_H

#include "core/derive.h"

#define DERIVE_TITLE_BYTES 101
#define DERIVE_UNIT_BYTES  32
#define HEALTH_EACH_MS     10000
#define HEALTH_SLOTS       6 /* of a minute */

enum derive_what {
    DERIVE_TIME,   /* in its zone */
    DERIVE_COUNT,  /* of beginnings */
    DERIVE_DOSE,   /* value x time */
    DERIVE_HEALTH, /* DERIVE_LOSS and what follows */
    DERIVE_LOSS = DERIVE_HEALTH,
    DERIVE_SKEW,
    DERIVE_REFUSED,
};

enum derive_reset { RESET_NEVER, RESET_SESSION, RESET_PHASE };

enum derive_zone { ZONE_ABOVE, ZONE_BELOW, ZONE_WITHIN, ZONE_OUTSIDE, ZONE_IS };

/* How one metric is made. */
struct derivation {
    char name[LUMBAR_NAME_MAX + 1], title[DERIVE_TITLE_BYTES], unit[DERIVE_UNIT_BYTES];
    struct lumbar_metric metric; /* that it makes: names are those above */
    uint32_t driver, source;     /* source: index of a metric of its plugin */
    uint32_t index;              /* its own, within the driver */
    enum derive_what what;
    enum derive_reset reset;
    enum derive_zone zone;
    double low, high;             /* of the zone; low is the label where it is one */
    double clear_low, clear_high; /* where a count's excursion is over */
    double at, doubles, from;     /* a dose that doubles; doubles 0: it is what lies above `from` */
    double per_ms;                /* what a ms of weight 1 is worth in the metric's unit */
    int64_t holds_ms;             /* so long a value holds without another; 0: for ever */
    bool event;                   /* the source is one */
    const char *file;             /* where it stands */
    int line, column;
};

/* One of them on one device. */
struct derived {
    double sum;    /* in the metric's unit, not bounded */
    double last;   /* the value that holds since ... */
    int64_t at_ms; /* ... then: time of the newest sample */
    uint64_t session;
    uint32_t phase;
    bool holds;  /* it does: it was a value */
    bool inside; /* of a count: an excursion goes on */
};

/* Counters of a device that only grow, as they were. */
struct health_mark {
    uint64_t lost, received, refused;
};

struct health {
    int64_t told_ms; /* 0: never */
    struct health_mark marks[HEALTH_SLOTS];
    uint32_t next, count;
};

struct derive {
    struct derivation *list; /* those of a driver stand together, in the order of its metrics */
    uint32_t count;
    uint32_t first[DRIVERS_MAX + 1]; /* driver d has those from [d] up to [d + 1] */
    bool has_health[DRIVERS_MAX];

    uint32_t max_devices, width; /* of a device: the most that one driver has */
    struct derived *derived;
    struct health *health; /* NULL: nobody asks for it */
    bool *news;

    /* Of the message that is taken. */
    struct lumbar_series series[DRIVER_METRICS_MAX];
    struct extent extents[DRIVER_METRICS_MAX];
    double values[DERIVE_MAX];
    int64_t times_ms[DERIVE_MAX];
    uint32_t made;
};

static inline bool derive_is_health(const struct derivation *derivation)
{
    return derivation->what >= DERIVE_HEALTH;
}

/* Puts a value behind the message's series. */
void derive_put(struct derive *derive, const struct derivation *derivation, double value,
                int64_t time_ms, struct decoded *message);

/* derive_health.c: what is due of a device's health, now. */
void derive_take_health(struct derive *derive, const struct device *device, int64_t received_ms,
                        int64_t offset_ms, struct decoded *message);

#endif
