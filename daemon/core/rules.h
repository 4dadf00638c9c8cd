/*
 * Rules: when is a value an alarm?
 *
 * A rule names a metric, a condition with its unit, how long it must hold, when it is over, and
 * what people are told. All names and units are resolved once, at load: a rule set that loads has
 * nothing left that can be misspelt. The rules that look at a metric are found by its number, so a
 * sample costs only those.
 *
 * Time: samples carry their own (hub time); rules_tick() drives delays where no sample comes, and
 * `absent`. Samples older than the newest judged are passed over: history that arrives late raises
 * nothing. NaN neither raises nor clears: a lost value never ends an alarm. What is not known does
 * not hold: a gap longer than the metric's stale time begins a delay again.
 * An event has no end of its own: its alarm is over so long (off-delay) after it last happened.
 * Memory: states for max_devices are reserved at load; nothing is allocated afterwards. Pure.
 */
#ifndef LUMBAR_CORE_RULES_H
#define LUMBAR_CORE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "core/devices.h"
#include "core/driver.h"

enum rule_priority { PRIORITY_LOW = 1, PRIORITY_MEDIUM = 2, PRIORITY_HIGH = 3 };

enum rule_condition {
    RULE_ABOVE,   /* value > high */
    RULE_BELOW,   /* value < low */
    RULE_OUTSIDE, /* value < low or value > high */
    RULE_IS,      /* a state's label, or an event's */
    RULE_ABSENT,  /* no value for so long (from a device that has given one, or is assigned) */
};

/* Which alarms need not be told while this one stands, for it is their root cause. */
enum rule_inhibits { INHIBITS_NONE, INHIBITS_DEVICE, INHIBITS_ROOM };

struct rule {
    uint32_t id; /* index; holds while the set is in use */
    const char *name, *title;
    const char *text;   /* for the therapist, with the words of rule_write_text() */
    const char *plain;  /* for the client, as text; "" none */
    const char *action; /* the first thing to do; "" none */
    uint32_t metric;    /* number through all drivers */
    const struct driver *driver;
    enum rule_condition condition;
    double high, low;             /* limits in the metric's unit */
    double clear_high, clear_low; /* over when back beyond these; the limits if not set */
    uint32_t label;               /* RULE_IS */
    int64_t absent_ms;            /* RULE_ABSENT */
    int64_t on_delay_ms, off_delay_ms;
    enum rule_priority priority;
    bool technical; /* about the equipment, not the person; RULE_ABSENT always */

    /* Of the life of its alarm; the engine does nothing with them. */
    bool latch;          /* stays until it is reset, though it is over */
    int64_t escalate_ms; /* unacknowledged for so long, it is of the next priority; 0: never */
    int64_t realarm_ms;  /* acknowledged and standing for so long, it is told again; 0: never */
    enum rule_inhibits inhibits; /* other alarms of the same device, or room */
};

struct rules;

struct rules_text { /* one file */
    const char *file;
    const char *text;
    size_t bytes;
};

/* Loads a set from YAML files; zero files are an empty set. Complaints name file, line, column and
 * the nearest known name. */
int rules_load(struct rules **out, const struct rules_text *files, size_t count,
               const struct drivers *drivers, uint32_t max_devices, struct diag *diag);
void rules_destroy(struct rules *rules);

uint32_t rules_count(const struct rules *rules);
const struct rule *rules_at(const struct rules *rules, uint32_t id);
const struct rule *rules_find(const struct rules *rules, const char *name);

/* Takes over the running states of an old set: of each rule that has the same name, metric and
 * condition. Call before the first sample. */
void rules_adopt(struct rules *rules, const struct rules *old);

/* What a rule found. */
struct rule_event {
    const struct rule *rule;
    uint32_t device;
    bool on;         /* raised, else over */
    double value;    /* that decided it; NaN for RULE_ABSENT */
    double limit;    /* that it passed; NaN where there is none */
    int64_t time_ms; /* hub time of that value, or of the tick */
};
typedef void rules_event_cb(void *user, const struct rule_event *event);

/* Judges all series of a device's message, one after the other; times plus offset_ms are hub time.
 */
void rules_judge(struct rules *rules, const struct device *device, const struct decoded *message,
                 int64_t offset_ms, rules_event_cb *on_event, void *user);

/* Delays and absence, for every device: call every 250 ms or so. */
void rules_tick(struct rules *rules, struct devices *devices, int64_t now_ms,
                rules_event_cb *on_event, void *user);

/* What is put into a rule's words. */
struct rule_facts {
    const char *device, *room;
    const char *phase;   /* of the room's session; NULL: none runs */
    double value, limit; /* of the event */
};

/* Writes one of a rule's texts, which have {value} {limit} {for} {device} {room} {metric} {phase};
 * the parser lets no other word through. */
void rule_write_text(struct text *out, const struct rule *rule, const char *words,
                     const struct rule_facts *facts);

#endif
