/*
 * What can never be: a limit that no value passes, or none leaves; a count that does not fit into
 * its time; conditions of which one excludes the other. A rule with any of it would be silent for
 * ever, or never.
 */
#include <math.h>

#include "core/rules_loader.h"

/* What is held against a limit lies between these, both included. */
struct reach {
    double min, max;
    const char *unit; /* of time, behind the metric's */
};

/* The shortest time that lies between the oldest and the newest value of a window that is known:
 * where slots are missing, as many as may be, and the others are filled at their ends. */
static int64_t shortest_ms(const struct rule_term *term, int64_t period_ms)
{
    int64_t slots = (int64_t)term->slots - 3 - (term->slots - 1) / 4;
    int64_t least_ms = slots * term->slot_ms;
    return least_ms > period_ms ? least_ms : period_ms;
}

/* A counter may begin again and again, and gives its whole range each time. */
static struct reach reach_of_rate(const struct rule_term *term, const struct lumbar_metric *metric)
{
    bool counter = metric->kind == LUMBAR_COUNTER;
    int64_t ms = counter ? metric->period_ms : shortest_ms(term, metric->period_ms);
    double most =
        ms > 0 ? (metric->max - metric->min) * (double)term->rate_ms / (double)ms : INFINITY;
    return (struct reach){counter ? 0 : -most, most, loader_rate_unit(term->rate_ms)};
}

static struct reach reach_of(const struct loader *loader)
{
    const struct lumbar_metric *metric = loader->metric;
    if (loader->term->window == WINDOW_RATE)
        return reach_of_rate(loader->term, metric);
    return (struct reach){metric->min, metric->max, ""};
}

/* What a limit may be: itself, or what the metric gives that it comes from. Nobody knows what a
 * plan says. */
static struct reach reach_of_limit(const struct loader *loader, double number,
                                   const struct rule_limit *from)
{
    if (from->source == LIMIT_NUMBER)
        return (struct reach){number, number, ""};
    if (from->source == LIMIT_PLAN)
        return (struct reach){-INFINITY, INFINITY, ""};
    const struct lumbar_metric *metric = drivers_metric(loader->rules->drivers, from->metric, NULL);
    return (struct reach){metric->min * from->share + from->offset,
                          metric->max * from->share + from->offset, ""};
}

int loader_check_limit(struct loader *loader, const struct yaml_node *node, bool high)
{
    const struct lumbar_metric *metric = loader->metric;
    const struct rule_term *term = loader->term;
    struct reach value = reach_of(loader);
    struct reach limit = reach_of_limit(loader, high ? term->high : term->low,
                                        high ? &term->from_high : &term->from_low);
    bool passes = high ? value.max > limit.min : value.min < limit.max;
    bool leaves = high ? value.min <= limit.max : value.max >= limit.min;
    if (passes && leaves)
        return 0;
    char range[120];
    struct text text = text_in(range, sizeof(range));
    text_add_number(&text, value.min, 6);
    text_add(&text, "..");
    text_add_number(&text, value.max, 6);
    return COMPLAIN(loader, node, ERR_RANGE, "can never be passed: %s%s is %s %s%s",
                    term->window == WINDOW_RATE ? "the rate of " : "", metric->name, range,
                    metric->unit, value.unit);
}

/* To begin to hold takes two values: one of which it does not hold, and one of which it does. */
int loader_check_times(struct loader *loader, const struct yaml_node *node)
{
    const struct rule_term *term = loader->term;
    int64_t period_ms = loader->metric->period_ms;
    if (term->event || period_ms == 0)
        return 0;
    int64_t most = (term->window_ms / period_ms + 2) / 2;
    if (term->times <= most)
        return 0;
    return COMPLAIN(
        loader, node, ERR_RANGE,
        "can never be: %s comes each %lld ms, so it begins to hold %lld times at most",
        loader->metric->name, (long long)period_ms, (long long)most);
}

/* Is there no value for which both hold? What is absent has none. */
static bool excludes(const struct rule_term *a, const struct rule_term *b)
{
    if (a->condition == RULE_ABSENT || b->condition == RULE_ABSENT)
        return a->condition != b->condition && a->window == WINDOW_NONE && b->window == WINDOW_NONE;
    if (a->window != b->window || a->window_ms != b->window_ms || a->window == WINDOW_COUNT ||
        a->rate_ms != b->rate_ms)
        return false;
    if (a->condition == RULE_IS && b->condition == RULE_IS)
        return a->label != b->label;
    if (a->condition == RULE_ABOVE && b->condition == RULE_BELOW)
        return b->low <= a->high; /* never of NaN: limits that are no numbers */
    return a->condition == RULE_BELOW && b->condition == RULE_ABOVE && a->low <= b->high;
}

int loader_check_all(struct loader *loader, uint32_t all)
{
    const struct rule_tree *tree = loader->tree;
    uint32_t terms[TERMS_MAX], count = 0;
    for (uint32_t i = all + 1; i < tree->nodes[all].end;) {
        const struct rule_node *node = &tree->nodes[i];
        if (node->kind == NODE_TERM)
            terms[count++] = node->term;
        i = node->kind == NODE_TERM || node->kind == NODE_ALL ? i + 1 : node->end;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++) {
            const struct rule_term *a = &tree->terms[terms[j]], *b = &tree->terms[terms[i]];
            if (a->metric == b->metric && excludes(a, b))
                return COMPLAIN(loader, loader->places[terms[i]], ERR_CONFLICT,
                                "never holds together with line %d: no %s can be both",
                                loader->places[terms[j]]->line,
                                drivers_metric(loader->rules->drivers, a->metric, NULL)->name);
        }
    return 0;
}
