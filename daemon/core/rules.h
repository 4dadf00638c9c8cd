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
 *
 * A rule is about a device, the one of its first condition. Conditions on another kind of device
 * look at the one of that kind in the same room that was heard last. What is stale or NaN is
 * unknown, and so is what several conditions give where the unknown one would decide: unknown
 * neither raises nor ends (Kleene's three values).
 * Armed only in a session, or in some of its phases, or except in some, a rule goes on being judged
 * at other times, but is suppressed: it raises nothing, and says that it would. What holds when its
 * time comes must hold for its on-delay from then on. A rule whose limit comes from the client's
 * plan or range is armed in a session at most, and suppressed where the plan has none.
 *
 * Memory: states and windows for max_devices are reserved at load; nothing is allocated afterwards.
 * Pure.
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

/* What of a metric a condition looks at: its newest value, or what its values of the last
 * window_ms come to. A window is 2 to 16 equal slots, so it reaches back by window_ms less at most
 * one slot; it is known when at least three quarters of its whole slots had a value. */
enum rule_window {
    WINDOW_NONE,
    WINDOW_MEAN, /* of the values, each weighing the same */
    WINDOW_MIN,
    WINDOW_MAX,
    WINDOW_RATE,  /* of change, oldest to newest; a counter that began again goes on counting */
    WINDOW_LAST,  /* the newest, though nothing came since: what it was when it was lost */
    WINDOW_COUNT, /* how often the condition began to hold, or the event happened; what did not come
                     did not happen */
};

/* When a rule may raise. Except in some phases is outside of sessions as well. */
enum rule_armed { ARMED_ALWAYS, ARMED_SESSION, ARMED_PHASES, ARMED_EXCEPT };
#define RULE_PHASES_MAX 8
#define RULE_NAME_BYTES (2 * LUMBAR_NAME_MAX + 8) /* of one that is built in: "pad.warmth.lost" */

/* Which of two values that raised it is the worse one. */
enum rule_worse { WORSE_NEITHER, WORSE_HIGHER, WORSE_LOWER, WORSE_FARTHER };

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

    /* The condition; of several, the first. */
    const struct rule_tree *tree; /* NULL: one on a metric, held against numbers, always armed */
    enum rule_condition condition;
    enum rule_window window;
    const char *rate_unit;        /* WINDOW_RATE: "/s", "/min" or "/h"; else "" */
    double high, low;             /* limits in the metric's unit; NaN where they are no numbers */
    double clear_high, clear_low; /* over when back beyond these; the limits if not set */
    uint32_t label;               /* RULE_IS */
    int64_t absent_ms;            /* RULE_ABSENT */
    int64_t window_ms;
    int64_t on_delay_ms, off_delay_ms;

    enum rule_armed armed;
    const char *phases[RULE_PHASES_MAX];
    uint32_t phase_count;
    enum rule_priority priority;
    bool technical; /* about the equipment, not the person; RULE_ABSENT always */
    enum rule_worse worse;
    bool lost; /* built in: a value that an alarm needs does not come; see rules_miss() */

    /* Of the life of its alarm; the engine does nothing with them. */
    bool latch;          /* stays until it is reset, though it is over */
    int64_t escalate_ms; /* unacknowledged for so long, it is told again, of the next priority; one
                            that is high once, as it is; 0: never */
    int64_t realarm_ms;  /* acknowledged and standing for so long, it is told again; 0: never */
    bool stops;          /* raised, the session goes on only after somebody acknowledged it */
    enum rule_inhibits inhibits; /* other alarms of the same device, or room */
};

struct rules;

struct rules_text { /* one file */
    const char *file;
    const char *text;
    size_t bytes;
    bool changes; /* of the rules of the others; at most one of the files is that */
};

/* Loads a set from YAML files; zero files are an empty set. Complaints name file, line, column and
 * the nearest known name.
 *
 * In a file of changes, a rule that has the name of another file's is that one with other values:
 * what is not said stays (yaml_merge()), and `off: true` leaves it out. Rules of other names are
 * new ones. */
int rules_load(struct rules **out, const struct rules_text *files, size_t count,
               const struct drivers *drivers, uint32_t max_devices, struct diag *diag);
void rules_destroy(struct rules *rules);

uint32_t rules_count(const struct rules *rules);
uint32_t rules_written(const struct rules *rules); /* of them, in files; then come those built in */
const struct rule *rules_at(const struct rules *rules, uint32_t id);
const struct rule *rules_find(const struct rules *rules, const char *name);

/* How a rule of the files was written. */
struct yaml_node;
struct rule_source {
    const struct yaml_node *written; /* its map as it was taken, which names file and line */
    const struct yaml_node *before;  /* of another file, which `written` changes; NULL: none */
    bool off;                        /* it is left out: `written` is that, and no rule of the set */
};
const struct rule_source *rules_source(const struct rules *rules, uint32_t id); /* NULL: built in */

uint32_t rules_changed(const struct rules *rules); /* how many of the files have other values */

/* Those that are left out, by place; NULL behind the last one. */
const struct rule_source *rules_off(const struct rules *rules, uint32_t place);

/* For trials: the same rule, but with this on-delay (of `absent`: silence) where it is not 0, and
 * its clear limits so much further from its limits, in its metric's unit (of one condition, above
 * or below a number). Before the first sample. False: there is no such rule. */
bool rules_vary(struct rules *rules, const char *name, int64_t on_delay_ms, double band);

/* What the rules ask of the running sessions. Without it no session runs. */
struct rules_lookup {
    void *user;
    /* The phase of the room's session, "" between phases; NULL: none runs. */
    const char *(*phase)(void *user, uint32_t room);
    /* The client's limit for a metric to this side in the room's session. False: there is none. */
    bool (*limit)(void *user, uint32_t room, uint32_t metric, bool high, double *limit);
    /* The client's own range, from the neutral pose. False: not known. */
    bool (*own_range)(void *user, uint32_t room, uint32_t metric, double *low, double *high);
};
void rules_ask(struct rules *rules, const struct rules_lookup *lookup);
const char *rules_phase(const struct rules *rules, uint32_t room); /* as asked; NULL: none runs */

/* For who draws them: a value that a condition of the rule is held against, as it comes or as the
 * mean, lowest or highest of a window. Not that of a rate; none that is another metric. Behind a
 * `not` the sides change places. */
struct rule_bound {
    uint32_t metric;
    bool above; /* beyond it is above, else below */
    double limit;
};
#define RULE_BOUNDS_MAX 16

/* Those that are numbers, or, with a room, those that its session gives now; how many. */
uint32_t rules_bounds(const struct rules *rules, uint32_t rule, uint32_t room,
                      struct rule_bound out[RULE_BOUNDS_MAX]);

/* Is it the same rule, so that what runs may go on? By name, metrics, conditions and labels. */
bool rule_continues(const struct rule *rule, const struct rule *old);

/* Takes over the running states of an old set, and whom it asks: of each rule that continues one.
 * Call before the first sample. */
void rules_adopt(struct rules *rules, const struct rules *old, struct devices *devices);

/* Makes what was learnt from old messages agree with alarms that were kept: a rule that is on for a
 * device of which `stands` knows no alarm is idle, silently; one whose alarm stands is on. */
typedef bool rules_stands_cb(void *user, const struct rule *rule, uint32_t device);
void rules_calm(struct rules *rules, struct devices *devices, rules_stands_cb *stands, void *user);
void rules_stand(struct rules *rules, const struct rule *rule, uint32_t device, int64_t since_ms,
                 double worst);

/* What a rule found. */
struct rule_event {
    const struct rule *rule;
    uint32_t device;
    bool on;           /* raised, else over */
    bool suppressed;   /* not `on` because it is not armed: what it waits for is there */
    double value;      /* that decided it; NaN for RULE_ABSENT */
    double limit;      /* that it passed; NaN where there is none */
    double worst;      /* value since it was raised, this one among them; NaN: none is worse */
    int64_t time_ms;   /* hub time of that value, or of the tick */
    const char *phase; /* not the engine's: of the room's session then; NULL: none ran */
};
typedef void rules_event_cb(void *user, const struct rule_event *event);

/* Judges all series of a device's message, one after the other; times plus offset_ms are hub time.
 */
void rules_judge(struct rules *rules, struct devices *devices, const struct device *device,
                 const struct decoded *message, int64_t offset_ms, rules_event_cb *on_event,
                 void *user);

/* Delays and absence: call every 250 ms or so. Costs what is due, not what there are rules. */
void rules_tick(struct rules *rules, struct devices *devices, int64_t now_ms,
                rules_event_cb *on_event, void *user);

/* Nobody could keep that this rule is on: rules_retell() tells it again, while it still is. */
void rules_untold(struct rules *rules, const struct rule_event *event);

/* Tells `most` of them at most, with the value of now, the most urgent first. Returns how many are
 * left untold. */
uint32_t rules_retell(struct rules *rules, struct devices *devices, int64_t now_ms, uint32_t most,
                      rules_event_cb *on_event, void *user);

/* Is what the rule looks at known of the device, so that it could end what it raised? What has not
 * come yet is lost only when it is stale since the first tick: until then nothing was said. */
enum rule_sight { SIGHT_LOST, SIGHT_UNSAID, SIGHT_KNOWN };
enum rule_sight rules_know(struct rules *rules, struct devices *devices, const struct rule *rule,
                           const struct device *device, int64_t now_ms);

/* An alarm of this rule stands, and so much is known of what it looks at. What is lost is an alarm
 * of its own, unless a rule of the files tells of it; unsaid, it goes on being lost. Call for each
 * such alarm between two ticks: what nobody misses any more is over. */
void rules_miss(struct rules *rules, struct devices *devices, const struct rule *rule,
                const struct device *device, enum rule_sight sight, int64_t now_ms);

/* Where a rule stands with a device: for who wants to see it. */
enum rule_standing {
    STANDING_CALM,
    STANDING_WAITING,    /* holds, not yet for its on-delay */
    STANDING_ON,         /* raised; over, but not yet for its off-delay, included */
    STANDING_SUPPRESSED, /* would be raised, and is not armed */
    STANDING_UNARMED,    /* not armed */
    STANDING_NO_LIMIT,   /* the same, because the client's plan or range has no limit for it */
};
enum rule_standing rules_standing(const struct rules *rules, uint32_t rule,
                                  const struct device *device);

/* The worst value since the rule raised its alarm; NaN: it has not, or none is worse than another.
 */
double rules_worst(const struct rules *rules, const struct rule *rule, uint32_t device);

/* The worse of two values, of which NaN is none. Low and high: the limits, of WORSE_FARTHER. */
double rule_worse(const struct rule *rule, double low, double high, double a, double b);

/* What is put into a rule's words. */
struct rule_facts {
    const char *device, *room;
    const char *phase;   /* of the room's session; NULL: none ran */
    double value, limit; /* of the event */
};

/* Writes one of a rule's texts, which have {value} {limit} {for} {device} {room} {metric} {phase};
 * the parser lets no other word through. */
void rule_write_text(struct text *out, const struct rule *rule, const char *words,
                     const struct rule_facts *facts);

#endif
