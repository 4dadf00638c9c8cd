/*
 * Drivers: the plugins as the core sees them, with their metrics numbered through.
 *
 * The contract's tables are checked here, once; after that they are believed. What decode() gives
 * is never believed: driver_decode() checks each batch, and refuses or mends it before anything
 * else sees it. Pure: io/plugins opens the shared objects.
 * Memory: a struct drivers is one fixed block; the arena is its own.
 */
#ifndef LUMBAR_CORE_DRIVER_H
#define LUMBAR_CORE_DRIVER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lumbar/plugin.h"

#define DRIVERS_MAX              16
#define DRIVERS_FILTERS_MAX      64 /* subscriptions: each leaf of each plugin */
#define DRIVER_METRICS_MAX       (LUMBAR_METRICS_MAX + 32) /* of one: its plugin's, and the hub's */
#define DRIVER_PAYLOAD_MAX_BYTES (16 * 1024)
#define DRIVER_ARENA_BYTES       (256 * 1024) /* for one message */
#define DRIVER_VALUES_MAX        16384        /* in one batch, over all its series */
#define DRIVER_GOLDEN_MAX        256
#define DRIVER_STATE_MAX_BYTES   65536
#define DRIVER_TIME_MAX_MS       INT64_C(253402300799999) /* the end of the year 9999 */
#define DRIVER_STALE_PERIODS     3 /* CLINIC.md, data_age; OpenICE beats each 2 s, so 2 s at least */
#define DRIVER_OFFLINE_PERIODS   10
#define DRIVER_STALE_MIN_MS      2000

struct driver {
    const struct lumbar_plugin *plugin; /* lives as long as the program */
    uint32_t index;
    uint32_t first_metric; /* number through all drivers of metrics[0] */
    uint32_t metric_count;
    const struct lumbar_metric *metrics; /* the plugin's, followed by what the hub adds */
    struct lumbar_metric *extended;      /* the same, where the hub added any; ours */
    bool left_out; /* it killed the hub: its metrics are known, and it decodes nothing */
};

struct drivers {
    struct driver list[DRIVERS_MAX];
    uint32_t count;
    uint32_t metric_count; /* of all */
    uint32_t filter_count; /* leaves of all */
    unsigned char *arena;  /* and, behind it, room for what driver_decode() has checked, and for the
                            * state of a device that is not known */
};

void drivers_init(struct drivers *drivers); /* the arena is allocated: aborts without memory */
void drivers_fini(struct drivers *drivers);

/* Holds a plugin against the contract: ABI, sizes, names, kinds, units, ranges, topic, golden
 * messages (contract.c). One sentence in diag says what is wrong. Beyond the words of plugin.h:
 * the range of a state or event is 0 to its last label, a counter's begins at 0, a topic without
 * {leaf} goes with the one leaf "", and no plugin hears the leaf `ack` or where the hub speaks. */
int driver_check(const struct lumbar_plugin *plugin, struct diag *diag);

/* Adds a checked plugin. Refuses a kind that is there already, and one whose topics meet those of
 * another: a message has one driver, and a device is told what is its own. */
int drivers_add(struct drivers *drivers, const struct lumbar_plugin *plugin, struct diag *diag);

/* Gives a kind of device one more metric, which the hub makes itself; its strings are the caller's
 * and have to last. Numbers of metrics move: only before anything keeps one. Refuses a name that
 * the kind has. */
int drivers_extend(struct drivers *drivers, uint32_t driver, const struct lumbar_metric *metric,
                   struct diag *diag);

/* The driver whose pattern and leaves the topic fits, NULL if none. parsed->leaf is then the
 * plugin's own string, terminated, fit for struct lumbar_message. */
struct topic;
const struct driver *drivers_match(const struct drivers *drivers, const char *topic,
                                   size_t topic_bytes, struct topic *parsed);

/* A metric by number, and its driver. */
const struct lumbar_metric *drivers_metric(const struct drivers *drivers, uint32_t metric,
                                           const struct driver **driver);

/* A metric by name: "skin_temperature", or "massage/skin_temperature" where two kinds have one of
 * that name. Returns its number through all drivers, or -1 with the nearest name in diag. */
int64_t drivers_find(const struct drivers *drivers, const char *name, struct diag *diag);

/* Availability of a metric: age in ms from which a value is stale, or offline; 0: never. */
int64_t metric_stale_ms(const struct lumbar_metric *metric);
int64_t metric_offline_ms(const struct lumbar_metric *metric);

/* A unit as people write it behind a number, with the space that belongs before it: " °C", "°",
 * " kPa·min". UCUM is for machines. */
struct text;
void unit_write(struct text *out, const char *ucum);

/* Values are kept and sent as 16 bits: (value - min) / step, rounded. The step of a state or event
 * is 1, else min is 0 and max is 65534. */
#define METRIC_NONE 65535u /* NaN, and what is out of range */
double metric_step(const struct lumbar_metric *metric);
uint16_t metric_quantise(const struct lumbar_metric *metric, double value);
double metric_value(const struct lumbar_metric *metric, uint16_t quantised); /* NaN for none */

/* What the values of a series span: found once, for the checks and for the rules. */
struct extent {
    double min, max; /* of those that are values */
    bool known;      /* all of them are: no NaN */
};

static inline struct extent extent_of(const struct lumbar_series *series)
{
    double min = INFINITY, max = -INFINITY, sum = 0;
    for (const double *value = series->value, *end = value + series->count; value < end; value++) {
        min = *value < min ? *value : min;
        max = *value > max ? *value : max;
        sum += *value; /* of NaN with anything is NaN */
    }
    return (struct extent){min, max, !isnan(sum)};
}

/* A message as it was decoded and checked. Pointers into the drivers' arena, good until the next
 * driver_decode(). */
struct decoded {
    struct lumbar_batch batch;
    const struct extent *extents; /* one a series */
    uint32_t out_of_range; /* values beyond what the sensor can say, or no label: they became NaN */
};

/* Decodes a message. A lumbar_result; LUMBAR_MALFORMED too where the plugin's batch breaks the
 * contract. What was refused leaves an empty batch. */
int driver_decode(struct drivers *drivers, const struct driver *driver, void *state,
                  const struct lumbar_message *message, struct decoded *out);

/* Adds `by` to the values [from, to) of a series of what was just decoded by this driver: it is
 * told from a zero of its own. What leaves the range of the metric ends at it. */
void drivers_shift(struct drivers *drivers, const struct driver *driver, struct decoded *decoded,
                   uint32_t series, uint32_t from, uint32_t to, double by);

/* What driver_decode() would give if this were the first message of its device; keeps nothing. */
int driver_try(struct drivers *drivers, const struct driver *driver,
               const struct lumbar_message *message);

#endif
