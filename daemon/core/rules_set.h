/*
 * What is inside a rule set: shared by its parser (rules_load.c) and its engine (rules.c) only.
 */
#ifndef LUMBAR_CORE_RULES_SET_H
#define LUMBAR_CORE_RULES_SET_H

#include "core/rules.h"
#include "core/yaml.h"

#define RULES_MAX 2000 /* in one set */

enum rule_phase {
    PHASE_IDLE,    /* zero: what calloc gives */
    PHASE_PENDING, /* holds, not yet for the on-delay */
    PHASE_ON,
    PHASE_CLEARING, /* over, not yet for the off-delay */
};

/* One rule on one device. */
struct rule_state {
    int64_t since_ms; /* of the phase; of an event: when it last happened */
    uint8_t phase;    /* of rule_phase */
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

/* The rules of one metric, and the values of which none of them holds. */
struct rule_watch {
    uint32_t first, end;        /* in of_metric */
    double calm_low, calm_high; /* both included */
    uint64_t labels;            /* bits of those that a rule waits for */
};

/* What the engine and the parser keep of a rule besides what all may see. */
struct rule_detail {
    int64_t stale_ms; /* of its metric; 0: never */
    uint32_t slot;    /* among the rules of its driver */
    bool event;       /* its metric is one */
    const char *file; /* where it stands */
    int line;
};

struct rules {
    struct rule *list;
    struct rule_detail *details;
    uint32_t count;
    struct yaml **files; /* own the strings */
    size_t file_count;
    const struct drivers *drivers;

    uint32_t *of_metric;                    /* rule ids, by metric */
    struct rule_watch *watches;             /* by metric */
    uint32_t *of_driver;                    /* rule ids, by driver ... */
    uint32_t driver_first[DRIVERS_MAX + 1]; /* ... d has those from [d] up to [d + 1] */

    uint32_t max_devices, width; /* states of a device: the most rules that one driver has */
    struct rule_state *states;   /* touched as devices are heard */
    uint32_t inputs_width;       /* inputs of a device: the most metrics that one driver has */
    struct rule_input *inputs;   /* as the states */
    uint32_t *running;           /* by device: states that the tick has to look at */
    int64_t now_ms;              /* of the last tick; 0 before it */
};

/* Sorts the rules by metric and driver and reserves the states, when the list is complete. */
int rules_index(struct rules *rules, struct diag *diag);

#endif
