/*
 * A rule with a tree and one device, at a moment: what it sees and whether it holds. Shared by
 * rules_view.c, rules_tree.c and rule_bounds.c only.
 */
#ifndef LUMBAR_CORE_RULES_VIEW_H
#define LUMBAR_CORE_RULES_VIEW_H

#include "core/rules_set.h"

enum truth { NO, YES, UNKNOWN };

/* A metric of a device, as it is known at the moment that is judged. */
struct probed {
    uint32_t device; /* 0: there is none in the room */
    struct rule_input input;
};

struct limits {
    double high, low, clear_high, clear_low;
};

/* One rule on one device, at work. */
struct view {
    struct rules *rules;
    const struct rule *rule;
    const struct rule_tree *tree;
    struct rule_state *state;
    uint32_t device, room;
    struct probed probes[PROBES_MAX];
    struct limits limits[TERMS_MAX];
    bool armed;
    bool stale; /* something was unknown because it did not come */
    rules_event_cb *on_event;
    void *user;
};

/* `from`: a device that speaks now, and so is the one of its kind that was heard last; or NULL. */
void view_init(struct view *view, struct rules *rules, struct devices *devices,
               const struct device *device, const struct device *from, uint32_t id);

/* Armed by the phase, and by plan and range having the limits that are asked for? The first alone
 * is in view->armed until view_limits() was called. */
bool view_is_armed(const struct view *view);
void view_limits(struct view *view);

/* What the plan of the room's session or its client says; NaN: nothing. */
double rules_asked(const struct rules *rules, uint32_t room, const struct rule_limit *limit,
                   bool high);

/* Does it hold; or, with the limits at which it is over, does it stay? Sets view->stale. */
enum truth view_truth(struct view *view, bool stays, int64_t time_ms);

/* What a term looks at: a value, or what its window comes to; NaN: not known. */
double view_value(struct view *view, const struct rule_term *term, int64_t time_ms);

static inline bool term_has_high(const struct rule_term *term)
{
    return term->condition == RULE_ABOVE || term->condition == RULE_OUTSIDE;
}

static inline bool term_has_low(const struct rule_term *term)
{
    return term->condition == RULE_BELOW || term->condition == RULE_OUTSIDE;
}

/* Was it given at all, and not longer ago than it may be? */
static inline bool probe_is_stale(const struct rule_probe *probe, const struct rule_input *input,
                                  int64_t time_ms)
{
    return !input->given || (probe->stale_ms > 0 && time_ms - input->value_ms > probe->stale_ms);
}

#endif
