/*
 * What is inside a rule set: shared by its parser (rules_load.c) and its engine (rules.c) only.
 */
#ifndef LUMBAR_CORE_RULES_SET_H
#define LUMBAR_CORE_RULES_SET_H

#include "core/rules.h"
#include "core/yaml.h"

#define RULES_MAX 2000 /* in one set, of files */

enum rule_phase {
    PHASE_IDLE,    /* zero: what calloc gives */
    PHASE_PENDING, /* holds, not yet for the on-delay */
    PHASE_ON,
    PHASE_CLEARING, /* over, not yet for the off-delay */
};

/* One rule on one device. */
struct rule_state {
    int64_t since_ms;    /* of the phase; of an event: when it last happened */
    uint8_t phase;       /* of rule_phase */
    bool suppressed : 1; /* it is not armed */
    bool gap : 1;        /* what it waits for was not known for longer than may be */
    bool untold : 1;     /* that it is on found nobody who could keep it */
    bool active : 1;     /* it is in the list of what each tick looks at */
    bool missed : 1;     /* of a rule that is built in: since the last tick */
};

struct rule_place {
    uint32_t device, rule;
};

/* When a rule that waits for silence is looked at again. */
#define DUE_SLOTS   32
#define DUE_SLOT_MS 250
#define DUE_MOST_MS 5000 /* at the latest: less than the wheel's round */
struct rule_due {
    int64_t at_ms;
    uint32_t next; /* 1 + place of the next one in the slot; 0: none */
};

/* ---- Rules that are more than a number on one metric ---- */

#define TERMS_MAX    8  /* conditions of one rule */
#define PROBES_MAX   12 /* metrics that they look at */
#define NODES_MAX    24
#define DEPTH_MAX    4
#define WINDOW_SLOTS 16
#define RATE_S       1000
#define RATE_MIN     60000
#define RATE_H       3600000

/* Where a limit comes from. */
enum limit_source { LIMIT_NUMBER, LIMIT_PLAN, LIMIT_OWN_RANGE, LIMIT_METRIC };

/* source * share + offset */
struct rule_limit {
    enum limit_source source;
    double share, offset;
    uint32_t metric;
    uint32_t probe; /* LIMIT_METRIC: its place among the probes */
};

/* Of what belongs to a session: its plan, or its client? */
static inline bool limit_is_asked(const struct rule_limit *limit)
{
    return limit->source == LIMIT_PLAN || limit->source == LIMIT_OWN_RANGE;
}

/* One condition. */
struct rule_term {
    enum rule_condition condition;
    uint32_t metric, probe;
    const struct driver *driver;
    double high, low, clear_high, clear_low;
    struct rule_limit from_high, from_low; /* where those are no numbers */
    double deadband;                       /* of limits that are no numbers */
    uint32_t label;
    int64_t absent_ms;
    enum rule_window window;
    int64_t window_ms;
    int64_t slot_ms;       /* of the window; */
    uint32_t slots;        /* and how many of them */
    uint32_t window_place; /* among those of its rule's driver */
    uint32_t times;        /* WINDOW_COUNT: so often at least */
    int64_t rate_ms;       /* WINDOW_RATE: 1000 a second, 60000 a minute ... */
    bool event;            /* the metric is one */
    bool inverted;         /* an odd number of `not` stands before it */
};

/* A metric whose newest value is looked at. */
struct rule_probe {
    uint32_t metric; /* number through all drivers */
    const struct driver *driver;
    int64_t stale_ms;
};

enum rule_node_kind { NODE_TERM, NODE_ALL, NODE_ANY, NODE_NOT };

/* The conditions' tree, in preorder. */
struct rule_node {
    uint8_t kind;
    uint8_t term; /* NODE_TERM */
    uint8_t end;  /* the place behind its last child */
};

struct rule_tree {
    struct rule_term terms[TERMS_MAX];
    struct rule_probe probes[PROBES_MAX];
    struct rule_node nodes[NODES_MAX];
    uint32_t term_count, probe_count, node_count;
    bool ticks; /* waits for something not to come */
    bool asks;  /* has a limit of the plan or of the client's range */
    bool plain; /* no windows, no `not`, no absence, no limit that another metric is */
};

struct rule_slot {
    double value; /* sum, lowest, highest or newest */
    int64_t time_ms;
    uint32_t count;
    uint32_t number; /* of the slot since 1970, cut to 32 bits */
};

/* A window of one term on one device. */
struct rule_memory {
    struct rule_slot slots[WINDOW_SLOTS];
    double base, last; /* of a counter: what it had before it began again, and its last value */
    bool fed;          /* `last` holds */
    bool inside;       /* the condition holds: only the next beginning is counted */
};

/* One metric of one device, as all rules that look at it know it. */
struct rule_input {
    int64_t last_ms;  /* of the newest sample judged, NaN among them */
    int64_t value_ms; /* of the newest value; without one: from when it is missed */
    double value;     /* that newest value */
    uint32_t busy;    /* rules of it that are not idle */
    bool judged;      /* last_ms holds */
    bool given;       /* a value came once */
    bool unknown;     /* the newest sample was NaN */
    bool missed;      /* value_ms holds without a value */
};

/* Values of which no rule holds. */
struct rule_calm {
    double low, high; /* both included */
    uint64_t labels;  /* bits of those that a rule waits for */
};

/* The rules of one metric, and what leaves them calm. */
struct rule_watch {
    uint32_t first, end;       /* in of_metric: rules without a tree */
    uint32_t trees, trees_end; /* in of_metric: those with one */
    struct rule_calm calm, trees_calm;
};

/* What the engine and the parser keep of a rule besides what all may see. */
struct rule_detail {
    int64_t stale_ms; /* of its metric; 0: never */
    uint32_t slot;    /* among the rules of its driver */
    uint64_t stamp;   /* of the message that it was last judged by */
    struct rule_tree *tree;
    bool event;       /* its metric is one */
    const char *file; /* where it stands */
    int line;
    struct rule_source source;
};

struct rules {
    struct rule *list;
    struct rule_detail *details;
    uint32_t count;
    uint32_t written;    /* of them, in files */
    uint32_t loaded;     /* details whose tree is owned: count, and one that was being read */
    struct yaml **files; /* own the strings */
    size_t file_count;
    struct rule_source *off; /* left out by the file of changes */
    uint32_t off_count;
    const struct drivers *drivers;

    uint32_t *of_metric;                    /* rule ids, by metric */
    struct rule_watch *watches;             /* by metric */
    uint32_t *of_driver;                    /* rule ids, by driver ... */
    uint32_t driver_first[DRIVERS_MAX + 1]; /* ... d has those from [d] up to [d + 1] */

    uint32_t max_devices, width; /* states of a device: the most rules that one driver has */
    struct rule_state *states;   /* touched as devices are heard */
    double *worst;               /* of each state, while it is on; touched then */
    uint32_t inputs_width;       /* inputs of a device: the most metrics that one driver has */
    struct rule_input *inputs;   /* as the states */
    int64_t now_ms, begun_ms;    /* of the last tick and the first; 0 before it */

    struct rule_place *active; /* what each tick looks at; and what ceased to be since the last */
    uint32_t active_count;
    uint32_t waiting[DRIVERS_MAX]; /* so many rules of a driver wait for silence: its first ones */
    uint32_t dues_width;           /* the most of them that one driver has */
    struct rule_due *dues;         /* of each device, as far as its kind has some */
    uint32_t due_slots[DUE_SLOTS]; /* 1 + place of the first; 0: none */
    uint32_t welcomed;             /* devices whose entries are in the wheel */
    uint32_t *lost_of; /* by metric: 1 + the rule that is built in for its loss; 0: there is none */
    char (*lost_names)[RULE_NAME_BYTES];

    bool tree_of[DRIVERS_MAX];   /* has the driver a metric that a tree looks at? */
    uint32_t windows_width;      /* windows of a device: the most that one driver's rules have */
    struct rule_memory *windows; /* as the states */
    uint64_t stamp;              /* of the message that is judged */
    struct rules_lookup lookup;
};

/* A device's clock that was mapped too far ahead, once, must not make its rules deaf until then. */
#define AHEAD_MS 5000

static inline struct rule_state *state_of(const struct rules *rules, uint32_t device, uint32_t rule)
{
    return &rules->states[(size_t)(device - 1) * rules->width + rules->details[rule].slot];
}

static inline double *worst_of(const struct rules *rules, uint32_t device, uint32_t rule)
{
    return &rules->worst[(size_t)(device - 1) * rules->width + rules->details[rule].slot];
}

/* Has it memory of its own, for what came in its time? */
static inline bool is_gathered(const struct rule_term *term)
{
    return term->window != WINDOW_NONE && term->window != WINDOW_LAST;
}

static inline bool is_on(const struct rule_state *state)
{
    return state->phase == PHASE_ON || state->phase == PHASE_CLEARING;
}

/* `metric` is numbered within the driver. */
static inline struct rule_input *input_of(const struct rules *rules, uint32_t device,
                                          uint32_t metric)
{
    return &rules->inputs[(size_t)(device - 1) * rules->inputs_width + metric];
}

static inline struct rule_memory *window_of(const struct rules *rules, uint32_t device,
                                            const struct rule_term *term)
{
    return &rules->windows[(size_t)(device - 1) * rules->windows_width + term->window_place];
}

/* Begins to wait for what was never given, or ceases to: absence counts from when it is expected.
 */
void input_expect(struct rule_input *input, bool assigned, int64_t now_ms);

/* Does it wait for silence, so that the wheel has to wake it? */
static inline bool waits_for_silence(const struct rule *rule)
{
    return rule->tree != NULL ? rule->tree->ticks : rule->condition == RULE_ABSENT && !rule->lost;
}

/* ---- rules_tick.c ---- */

/* Its phase may have changed: if a tick has to look at it from now on, it will. */
void active_note(struct rules *rules, uint32_t device, uint32_t rule);

/* ---- rules_lost.c ---- */

/* Adds the rules that are built in: for each metric that a rule looks at, whose loss no rule tells.
 */
int rules_add_lost(struct rules *rules, struct diag *diag);

/* ---- rules_window.c ---- */

/* Cuts the term's window into slots that a metric with this stale time fills; false: too short. */
bool window_cut(struct rule_term *term, int64_t stale_ms);
void window_add(struct rule_memory *memory, const struct rule_term *term, double value,
                int64_t time_ms);
double window_value(const struct rule_memory *memory, const struct rule_term *term,
                    int64_t time_ms); /* NaN: not known */

/* ---- rules_tree.c ---- */

/* Does the condition of one term hold, or hold still, of a value against these limits? */
bool term_holds(const struct rule_term *term, double value);
bool term_stays(const struct rule_term *term, double value);

/* Judges a message of `from` by a rule that looks at one of its metrics. */
struct judged {
    struct rules *rules;
    struct devices *devices; /* NULL: nobody else is in the room */
    const struct device *from;
    const struct decoded *message;
    int64_t offset_ms;
    rules_event_cb *on_event;
    void *user;
};
void tree_judge(const struct judged *judged, uint32_t rule);

/* Delays, absence, arming: of one rule on one device. */
void tree_tick(struct rules *rules, struct devices *devices, const struct device *device,
               uint32_t rule, int64_t now_ms, rules_event_cb *on_event, void *user);

void tree_retell(struct rules *rules, struct devices *devices, const struct device *device,
                 uint32_t rule, int64_t now_ms, rules_event_cb *on_event, void *user);
bool tree_knows(struct rules *rules, struct devices *devices, const struct device *device,
                uint32_t rule, int64_t now_ms);
bool tree_same(const struct rule *rule, const struct rule *old);
void tree_adopt(struct rules *rules, uint32_t rule, const struct rules *old, uint32_t before,
                uint32_t device);
void tree_go(struct rules *rules, uint32_t rule, uint32_t device, enum rule_phase phase,
             int64_t since_ms);
enum rule_standing tree_standing(const struct rules *rules, uint32_t rule,
                                 const struct device *device);

/* Sorts the rules by metric and driver and reserves the states, when the list is complete. */
int rules_index(struct rules *rules, struct diag *diag);

#endif
