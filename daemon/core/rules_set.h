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
    int64_t last_ms;  /* of the newest sample judged, NaN among them */
    int64_t value_ms; /* of the newest value; RULE_ABSENT without one: from when it is missed */
    double value;     /* that newest value */
    uint8_t phase;    /* of rule_phase */
    bool judged;      /* last_ms holds */
    bool given;       /* a value came once */
    bool unknown;     /* the newest sample was NaN */
    bool missed;      /* RULE_ABSENT: value_ms holds without a value */
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

    uint32_t *of_metric;    /* rule ids, by metric ... */
    uint32_t *metric_first; /* ... metric m has those from [m] up to [m + 1] */
    uint32_t *of_driver;    /* the same by driver */
    uint32_t driver_first[DRIVERS_MAX + 1];

    uint32_t max_devices, width; /* states of a device: the most rules that one driver has */
    struct rule_state *states;   /* touched as devices are heard */
    uint32_t *running;           /* by device: states that the tick has to look at */
    int64_t now_ms;              /* of the last tick; 0 before it */
};

/* Sorts the rules by metric and driver and reserves the states, when the list is complete. */
int rules_index(struct rules *rules, struct diag *diag);

#endif
