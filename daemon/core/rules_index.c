/* Which rules look at which metric, and the memory that they need; made once, at load. */
#include <math.h>
#include <stdlib.h>

#include "core/rules_set.h"

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; i < rules->file_count; i++)
        yaml_destroy(rules->files[i]);
    free(rules->files);
    free(rules->off);
    for (uint32_t i = 0; i < rules->loaded; i++)
        free(rules->details[i].tree);
    free(rules->list);
    free(rules->details);
    free(rules->of_metric);
    free(rules->watches);
    free(rules->of_driver);
    free(rules->states);
    free(rules->worst);
    free(rules->inputs);
    free(rules->windows);
    free(rules->active);
    free(rules->dues);
    free(rules->lost_of);
    free(rules->lost_names);
    free(rules);
}

/* Narrows the calm values by what this rule waits for. Absence is no value. */
static void calm_add(struct rule_calm *calm, enum rule_condition condition, double low, double high,
                     uint32_t label)
{
    bool has_high = condition == RULE_ABOVE || condition == RULE_OUTSIDE;
    bool has_low = condition == RULE_BELOW || condition == RULE_OUTSIDE;
    if (has_high && high < calm->high)
        calm->high = high;
    if (has_low && low > calm->low)
        calm->low = low;
    if (condition == RULE_IS)
        calm->labels |= UINT64_C(1) << label;
}

/* No value of the metric is passed over at a glance. */
static void calm_never(struct rule_calm *calm)
{
    calm->low = INFINITY;
    calm->high = -INFINITY;
}

/* A value that makes none of a rule's conditions true cannot make the rule hold, as long as none
 * stands behind a `not`, and each depends on nothing but the value. */
static void calm_add_tree(struct rule_calm *calm, const struct rule *rule, uint32_t metric)
{
    const struct rule_tree *tree = rule->tree;
    for (uint32_t i = 0; i < tree->term_count; i++) {
        const struct rule_term *term = &tree->terms[i];
        bool plain = term->driver == rule->driver && !is_gathered(term) && !term->inverted &&
                     term->from_high.source == LIMIT_NUMBER &&
                     term->from_low.source == LIMIT_NUMBER;
        if (term->metric == metric && !plain)
            calm_never(calm);
        else if (term->metric == metric)
            calm_add(calm, term->condition, term->low, term->high, term->label);
        if ((term->from_high.source == LIMIT_METRIC && term->from_high.metric == metric) ||
            (term->from_low.source == LIMIT_METRIC && term->from_low.metric == metric))
            calm_never(calm);
    }
}

static bool looks_at(const struct rule *rule, uint32_t metric)
{
    for (uint32_t i = 0; i < rule->tree->probe_count; i++)
        if (rule->tree->probes[i].metric == metric)
            return true;
    return false;
}

static void index_trees(struct rules *rules, uint32_t metric, uint32_t *filled)
{
    const struct driver *driver;
    struct rule_watch *watch = &rules->watches[metric];
    drivers_metric(rules->drivers, metric, &driver);
    watch->trees = *filled;
    for (uint32_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->list[r];
        if (rule->tree == NULL || !looks_at(rule, metric))
            continue;
        rules->of_metric[(*filled)++] = r;
        rules->tree_of[driver->index] = true;
        calm_add_tree(&watch->trees_calm, rule, metric);
    }
    watch->trees_end = *filled;
}

static void index_metrics(struct rules *rules)
{
    uint32_t filled = 0;
    for (uint32_t m = 0; m < rules->drivers->metric_count; m++) {
        struct rule_watch *watch = &rules->watches[m];
        *watch = (struct rule_watch){.first = filled,
                                     .calm = {.low = -INFINITY, .high = INFINITY},
                                     .trees_calm = {.low = -INFINITY, .high = INFINITY}};
        for (uint32_t r = 0; r < rules->count; r++) {
            const struct rule *rule = &rules->list[r];
            if (rule->metric != m || rule->tree != NULL)
                continue;
            rules->of_metric[filled++] = r;
            calm_add(&watch->calm, rule->condition, rule->low, rule->high, rule->label);
        }
        watch->end = filled;
        index_trees(rules, m, &filled);
    }
}

/* Gives each window of a driver's rules its place, and counts the metrics that rules look at. */
static uint32_t index_windows(struct rules *rules)
{
    uint32_t places[DRIVERS_MAX] = {0}, entries = 0;
    for (uint32_t r = 0; r < rules->count; r++) {
        struct rule_tree *tree = rules->details[r].tree;
        uint32_t *place = &places[rules->list[r].driver->index];
        entries += tree != NULL ? tree->probe_count : 1;
        for (uint32_t i = 0; tree != NULL && i < tree->term_count; i++)
            if (is_gathered(&tree->terms[i]))
                tree->terms[i].window_place = (*place)++;
        if (*place > rules->windows_width)
            rules->windows_width = *place;
    }
    return entries;
}

/* Those of a driver that wait for silence, or those that do not. */
static void index_rules(struct rules *rules, uint32_t driver, bool waits, uint32_t *filled)
{
    for (uint32_t r = 0; r < rules->count; r++) {
        const struct rule *rule = &rules->list[r];
        if (rule->driver->index != driver || waits_for_silence(rule) != waits)
            continue;
        rules->details[r].slot = *filled - rules->driver_first[driver];
        rules->of_driver[(*filled)++] = r;
    }
}

static void index_drivers(struct rules *rules)
{
    uint32_t filled = 0;
    for (uint32_t d = 0; d < DRIVERS_MAX; d++) {
        rules->driver_first[d] = filled;
        index_rules(rules, d, true, &filled);
        uint32_t waiting = rules->waiting[d] = filled - rules->driver_first[d];
        index_rules(rules, d, false, &filled);
        uint32_t width = filled - rules->driver_first[d];
        rules->width = width > rules->width ? width : rules->width;
        rules->dues_width = waiting > rules->dues_width ? waiting : rules->dues_width;
    }
    rules->driver_first[DRIVERS_MAX] = filled;
    for (uint32_t d = 0; d < rules->drivers->count; d++)
        if (rules->drivers->list[d].metric_count > rules->inputs_width)
            rules->inputs_width = rules->drivers->list[d].metric_count;
}

int rules_index(struct rules *rules, struct diag *diag)
{
    /* One more than needed: calloc(0) may be NULL without being an error. */
    uint32_t entries = index_windows(rules);
    rules->of_metric = calloc(entries + 1, sizeof(*rules->of_metric));
    rules->of_driver = calloc(rules->count + 1, sizeof(*rules->of_driver));
    rules->watches = calloc(rules->drivers->metric_count + 1, sizeof(*rules->watches));
    if (rules->of_metric == NULL || rules->of_driver == NULL || rules->watches == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    index_metrics(rules);
    index_drivers(rules);
    size_t states = (size_t)rules->max_devices * rules->width + 1;
    rules->states = calloc(states, sizeof(*rules->states));
    rules->worst = calloc(states, sizeof(*rules->worst));
    rules->active = calloc(states, sizeof(*rules->active)); /* touched as far as it is used */
    rules->dues = calloc((size_t)rules->max_devices * rules->dues_width + 1, sizeof(*rules->dues));
    rules->inputs =
        calloc((size_t)rules->max_devices * rules->inputs_width + 1, sizeof(*rules->inputs));
    rules->windows =
        calloc((size_t)rules->max_devices * rules->windows_width + 1, sizeof(*rules->windows));
    return rules->states != NULL && rules->worst != NULL && rules->active != NULL &&
                   rules->dues != NULL && rules->inputs != NULL && rules->windows != NULL
               ? 0
               : diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}
