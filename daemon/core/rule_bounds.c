/* The limits of a rule's conditions, for who draws them. */
#include <math.h>

#include "core/rules_view.h"

struct bounds {
    const struct rules *rules;
    uint32_t room; /* ROOM_NONE: those that are numbers */
    struct rule_bound *out;
    uint32_t count;
};

static void add(struct bounds *bounds, uint32_t metric, bool above, double limit)
{
    if (isnan(limit) || bounds->count == RULE_BOUNDS_MAX)
        return;
    bounds->out[bounds->count++] =
        (struct rule_bound){.metric = metric, .above = above, .limit = limit};
}

static void add_end(struct bounds *bounds, const struct rule_term *term, bool high)
{
    const struct rule_limit *from = high ? &term->from_high : &term->from_low;
    bool above = high != term->inverted;
    if (bounds->room != ROOM_NONE && limit_is_asked(from))
        add(bounds, term->metric, above, rules_asked(bounds->rules, bounds->room, from, high));
    else if (bounds->room == ROOM_NONE && from->source == LIMIT_NUMBER)
        add(bounds, term->metric, above, high ? term->high : term->low);
}

static void add_term(struct bounds *bounds, const struct rule_term *term)
{
    if (term->window == WINDOW_RATE)
        return;
    if (term_has_low(term))
        add_end(bounds, term, false);
    if (term_has_high(term))
        add_end(bounds, term, true);
}

uint32_t rules_bounds(const struct rules *rules, uint32_t rule, uint32_t room,
                      struct rule_bound out[RULE_BOUNDS_MAX])
{
    _Static_assert(RULE_BOUNDS_MAX == 2 * TERMS_MAX, "each condition has two ends at most");
    const struct rule *of = &rules->list[rule];
    const struct rule_tree *tree = of->tree;
    struct bounds bounds = {.rules = rules, .room = room, .out = out};
    if (tree == NULL) {
        struct rule_term alone = {
            .condition = of->condition, .metric = of->metric, .high = of->high, .low = of->low};
        add_term(&bounds, &alone);
    }
    for (uint32_t i = 0; tree != NULL && i < tree->term_count; i++)
        add_term(&bounds, &tree->terms[i]);
    return bounds.count;
}
