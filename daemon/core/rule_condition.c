/* When a rule holds, and when it is over. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_loader.h"

static int read_metric(struct loader *loader)
{
    const struct drivers *drivers = loader->rules->drivers;
    const char *name;
    struct diag complaint = {0};
    int code = loader_read_line(loader, "metric", 2 * LUMBAR_NAME_MAX + 1, NULL, &name);
    if (code != 0)
        return code;
    int64_t metric = drivers_find(drivers, name, &complaint);
    if (metric < 0)
        return COMPLAIN(loader, yaml_get(loader->map, "metric"), complaint.code, "%s",
                        complaint.text);
    loader->term->metric = (uint32_t)metric;
    loader->metric = drivers_metric(drivers, (uint32_t)metric, &loader->term->driver);
    loader->term->event = loader->metric->kind == LUMBAR_EVENT;
    return loader_add_probe(loader, loader->map, (uint32_t)metric, &loader->term->probe);
}

static int read_above(struct loader *loader)
{
    struct rule_term *term = loader->term;
    int code = loader_read_limit(loader, loader->condition, &term->high, &term->from_high);
    if (code != 0)
        return code;
    term->clear_high = term->high;
    return loader_check_limit(loader, loader->condition, true);
}

static int read_below(struct loader *loader)
{
    struct rule_term *term = loader->term;
    int code = loader_read_limit(loader, loader->condition, &term->low, &term->from_low);
    if (code != 0)
        return code;
    term->clear_low = term->low;
    return loader_check_limit(loader, loader->condition, false);
}

static int read_outside(struct loader *loader)
{
    struct rule_term *term = loader->term;
    const struct yaml_node *pair = loader->condition;
    int code =
        loader_read_pair(loader, pair, &term->low, &term->high, &term->from_low, &term->from_high);
    if (code != 0)
        return code;
    term->clear_low = term->low;
    term->clear_high = term->high;
    bool alone = pair->kind == YAML_SCALAR; /* own_range(...) */
    code = loader_check_limit(loader, alone ? pair : &pair->children[0], false);
    return code == 0 ? loader_check_limit(loader, alone ? pair : &pair->children[1], true) : code;
}

static int read_is(struct loader *loader)
{
    const struct yaml_node *node = loader->condition;
    const char *const *labels = loader->metric->labels;
    size_t count = 0;
    if (node->kind != YAML_SCALAR)
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected one label of %s", loader->metric->name);
    for (; labels[count] != NULL; count++) {
        if (strcmp(labels[count], node->scalar) != 0)
            continue;
        loader->term->label = (uint32_t)count;
        return 0;
    }
    const char *nearest = text_nearest(node->scalar, labels, count);
    return COMPLAIN(loader, node, ERR_UNKNOWN, "%s is never '%.60s'; %s '%s'%s",
                    loader->metric->name, node->scalar, nearest ? "did you mean" : "it can be",
                    nearest ? nearest : labels[0], nearest ? "?" : ", for one");
}

static int read_absent(struct loader *loader)
{
    const struct yaml_node *node = loader->condition;
    int64_t *absent_ms = &loader->term->absent_ms;
    if (node->kind != YAML_SCALAR || !text_duration_ms(node->scalar, absent_ms))
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected a time, as 5 s (ms, s, min or h)");
    if (*absent_ms < metric_stale_ms(loader->metric))
        return COMPLAIN(loader, node, ERR_RANGE,
                        "%s may take %lld ms to come: wait at least so long", loader->metric->name,
                        (long long)metric_stale_ms(loader->metric));
    if (*absent_ms > DELAY_MAX_MS)
        return COMPLAIN(loader, node, ERR_RANGE, "longer than 24 h");
    return 0;
}

/* What a kind of metric can be asked. */
static bool fits_kind(enum rule_condition condition, enum lumbar_metric_kind kind)
{
    switch (condition) {
    case RULE_IS:
        return kind == LUMBAR_STATE || kind == LUMBAR_EVENT;
    case RULE_ABSENT:
        return kind != LUMBAR_EVENT;
    default:
        return kind == LUMBAR_GAUGE || kind == LUMBAR_COUNTER;
    }
}

/* The one of these keys that the map has; `count` for none. Two are a complaint. */
static int read_which(struct loader *loader, const char *const *keys, size_t count, size_t *which)
{
    *which = count;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *node = yaml_get(loader->map, keys[i]);
        if (node == NULL)
            continue;
        if (*which < count)
            return COMPLAIN(loader, node, ERR_CONFLICT,
                            "'%s' has both %s and %s: make it two rules", loader->rule->name,
                            keys[*which], keys[i]);
        *which = i;
        loader->condition = node;
    }
    return 0;
}

static int read_what(struct loader *loader)
{
    static const char *const keys[] = {"above", "below", "outside", "is", "absent"};
    static int (*const reads[])(struct loader * loader) = {read_above, read_below, read_outside,
                                                           read_is, read_absent};
    static const char *const kinds[] = {"a measured value", "a counter", "a state", "an event"};
    size_t which;
    int code = read_which(loader, keys, COUNT(keys), &which);
    if (code != 0)
        return code;
    if (which == COUNT(keys))
        return COMPLAIN(loader, loader->map, ERR_SYNTAX,
                        "'%s' has no condition: above, below, outside, is or absent",
                        loader->rule->name);
    loader->term->condition = (enum rule_condition)which;
    if (!fits_kind(loader->term->condition, loader->metric->kind))
        return COMPLAIN(loader, loader->condition, ERR_CONFLICT,
                        "%s is %s, which '%s' cannot judge", loader->metric->name,
                        kinds[loader->metric->kind], keys[which]);
    return reads[which](loader);
}

/* ---- Windows ---- */

static int read_times(struct loader *loader)
{
    const struct yaml_node *node = yaml_get(loader->map, "times");
    double times = 0;
    const char *unit = "";
    if (loader->term->window != WINDOW_COUNT)
        return node == NULL ? 0
                            : COMPLAIN(loader, node, ERR_CONFLICT, "'times' belongs to 'count'");
    if (node == NULL)
        return COMPLAIN(loader, loader->map, ERR_SYNTAX,
                        "'count' needs 'times': how often is too often");
    if (node->kind != YAML_SCALAR || !text_quantity(node->scalar, &times, &unit) || *unit != '\0' ||
        times < 1 || times > 10000 || times != (double)(uint32_t)times)
        return COMPLAIN(loader, node, ERR_SYNTAX, "times is a whole number from 1 to 10000");
    loader->term->times = (uint32_t)times;
    return loader_check_times(loader, node);
}

/* Before the condition, for a rate has another unit. */
static int read_window(struct loader *loader)
{
    static const char *const keys[] = {"mean", "min", "max", "rate", "last", "count"};
    struct rule_term *term = loader->term;
    enum lumbar_metric_kind kind = loader->metric->kind;
    int64_t stale_ms = metric_stale_ms(loader->metric);
    size_t which;
    int code = read_which(loader, keys, COUNT(keys), &which);
    if (code != 0)
        return code;
    if (which == COUNT(keys))
        return read_times(loader);
    const struct yaml_node *node = loader->condition;
    term->window = (enum rule_window)(WINDOW_MEAN + which);
    bool measured = kind == LUMBAR_GAUGE || (kind == LUMBAR_COUNTER && term->window == WINDOW_RATE);
    if (term->window != WINDOW_COUNT && !measured)
        return COMPLAIN(loader, node, ERR_CONFLICT, "%s has no %s", loader->metric->name,
                        keys[which]);
    code = loader_read_time(loader, keys[which], 0, &term->window_ms);
    if (code == 0 && term->window == WINDOW_LAST && term->window_ms <= stale_ms)
        return COMPLAIN(loader, node, ERR_RANGE,
                        "too short: without 'last' %s is known for %lld ms already",
                        loader->metric->name, (long long)stale_ms);
    if (code == 0 && term->window != WINDOW_LAST && !window_cut(term, stale_ms))
        return COMPLAIN(loader, node, ERR_RANGE,
                        "too short: %s may take %lld ms to come, and twice that is the least",
                        loader->metric->name, (long long)stale_ms);
    return code == 0 ? read_times(loader) : code;
}

/* ---- When it is over ---- */

/* Over only when back on the good side of the limit, and where the sensor can say so. */
static bool clear_is_good(const struct rule_term *term, const struct lumbar_metric *metric)
{
    bool rate = term->window == WINDOW_RATE;
    switch (term->condition) {
    case RULE_ABOVE:
        return term->clear_high <= term->high && (rate || term->clear_high >= metric->min);
    case RULE_BELOW:
        return term->clear_low >= term->low && (rate || term->clear_low <= metric->max);
    default:
        return term->clear_low >= term->low && term->clear_high <= term->high &&
               term->clear_low <= term->clear_high;
    }
}

static bool has_numbers(const struct rule_term *term)
{
    return term->from_high.source == LIMIT_NUMBER && term->from_low.source == LIMIT_NUMBER;
}

static int read_deadband(struct loader *loader, const struct yaml_node *node)
{
    struct rule_term *term = loader->term;
    int code = loader_read_limit(loader, node, &term->deadband, NULL);
    if (code == 0 && term->deadband < 0)
        return COMPLAIN(loader, node, ERR_RANGE, "a deadband is not negative");
    term->clear_high -= term->deadband;
    term->clear_low += term->deadband;
    return code;
}

static int read_clear(struct loader *loader)
{
    struct rule_term *term = loader->term;
    const struct yaml_node *clear = yaml_get(loader->map, "clear");
    const struct yaml_node *band = yaml_get(loader->map, "deadband");
    const struct yaml_node *node = clear != NULL ? clear : band;
    int code = 0;
    if (node == NULL)
        return 0;
    if (clear != NULL && band != NULL)
        return COMPLAIN(loader, band, ERR_CONFLICT, "'clear' and 'deadband' say the same");
    if (term->condition == RULE_IS || term->condition == RULE_ABSENT)
        return COMPLAIN(loader, node, ERR_CONFLICT,
                        "only above, below and outside have a clear limit");
    if (clear != NULL && !has_numbers(term))
        return COMPLAIN(loader, clear, ERR_CONFLICT,
                        "the limit is no number: say 'deadband' for the distance to it");
    if (band != NULL)
        code = read_deadband(loader, band);
    else if (term->condition == RULE_ABOVE)
        code = loader_read_limit(loader, clear, &term->clear_high, NULL);
    else if (term->condition == RULE_BELOW)
        code = loader_read_limit(loader, clear, &term->clear_low, NULL);
    else
        code = loader_read_pair(loader, clear, &term->clear_low, &term->clear_high, NULL, NULL);
    if (code == 0 && has_numbers(term) && !clear_is_good(term, loader->metric))
        return COMPLAIN(loader, node, ERR_RANGE,
                        "the clear limit must lie on the good side of the limit, in reach of %s",
                        loader->metric->name);
    return code;
}

/* ---- One condition, and several ---- */

int loader_add_probe(struct loader *loader, const struct yaml_node *node, uint32_t metric,
                     uint32_t *place)
{
    struct rule_tree *tree = loader->tree;
    for (*place = 0; *place < tree->probe_count; ++*place)
        if (tree->probes[*place].metric == metric)
            return 0;
    if (tree->probe_count == PROBES_MAX)
        return COMPLAIN(loader, node, ERR_LIMIT, "more than %d metrics in one rule", PROBES_MAX);
    struct rule_probe *probe = &tree->probes[tree->probe_count++];
    const struct lumbar_metric *found =
        drivers_metric(loader->rules->drivers, metric, &probe->driver);
    probe->metric = metric;
    probe->stale_ms = metric_stale_ms(found);
    return 0;
}

static int read_term(struct loader *loader, bool inverted)
{
    struct rule_tree *tree = loader->tree;
    if (tree->term_count == TERMS_MAX)
        return COMPLAIN(loader, loader->map, ERR_LIMIT, "more than %d conditions in one rule",
                        TERMS_MAX);
    loader->term = &tree->terms[tree->term_count];
    loader->term->inverted = inverted;
    int code = read_metric(loader);
    if (code == 0)
        code = read_window(loader);
    if (code == 0)
        code = read_what(loader);
    if (code == 0)
        code = read_clear(loader);
    if (code != 0)
        return code;
    if (loader->term->window != WINDOW_NONE && loader->term->condition == RULE_ABSENT)
        return COMPLAIN(loader, loader->condition, ERR_CONFLICT, "what is absent has no window");
    const struct rule_term *term = loader->term;
    loader->places[tree->term_count] = loader->condition;
    tree->ticks = tree->ticks || term->condition == RULE_ABSENT;
    tree->plain = tree->plain && term->window == WINDOW_NONE && !term->inverted &&
                  term->condition != RULE_ABSENT && term->from_high.source != LIMIT_METRIC &&
                  term->from_low.source != LIMIT_METRIC;
    tree->asks = tree->asks || limit_is_asked(&term->from_high) || limit_is_asked(&term->from_low);
    tree->term_count++;
    return 0;
}

static int read_node(struct loader *loader, const struct yaml_node *map, unsigned depth,
                     bool inverted);

static int read_children(struct loader *loader, const struct yaml_node *list, unsigned depth,
                         bool inverted)
{
    if (list->kind != YAML_LIST || list->count == 0)
        return COMPLAIN(loader, list, ERR_SYNTAX, "expected a list of conditions");
    int code = 0;
    for (size_t i = 0; i < list->count && code == 0; i++)
        code = read_node(loader, &list->children[i], depth + 1, inverted);
    return code;
}

/* A condition of a tree: on a metric, or on others. */
static int read_node(struct loader *loader, const struct yaml_node *map, unsigned depth,
                     bool inverted)
{
    static const char *const keys[] = {"metric", "above",    "below", "outside", "is",  "absent",
                                       "clear",  "deadband", "mean",  "min",     "max", "rate",
                                       "count",  "times",    "last",  "all",     "any", "not"};
    static const char *const groups[] = {"metric", "all", "any", "not"};
    struct rule_tree *tree = loader->tree;
    size_t which;
    if (map->kind != YAML_MAP)
        return COMPLAIN(loader, map, ERR_SYNTAX, "a condition is a map: metric, above ...");
    if (depth > DEPTH_MAX)
        return COMPLAIN(loader, map, ERR_LIMIT, "conditions nest %d deep at most", DEPTH_MAX);
    if (tree->node_count == NODES_MAX)
        return COMPLAIN(loader, map, ERR_LIMIT, "more than %d conditions in one rule", NODES_MAX);
    loader->map = map;
    int code =
        map == loader->rule_map ? 0 : yaml_only(loader->yaml, map, keys, COUNT(keys), loader->diag);
    if (code == 0)
        code = read_which(loader, groups, COUNT(groups), &which);
    if (code != 0)
        return code;
    struct rule_node *node = &tree->nodes[tree->node_count++];
    const struct yaml_node *inner = loader->condition;
    if (which == 0 || which == COUNT(groups)) {
        *node = (struct rule_node){.kind = NODE_TERM, .term = (uint8_t)tree->term_count};
        code = read_term(loader, inverted);
    } else {
        node->kind = (uint8_t)(NODE_ALL + which - 1);
        tree->plain = tree->plain && node->kind != NODE_NOT;
        code = which == 3 ? read_node(loader, inner, depth + 1, !inverted)
                          : read_children(loader, inner, depth, inverted);
    }
    node->end = (uint8_t)tree->node_count;
    if (code == 0 && node->kind == NODE_ALL)
        code = loader_check_all(loader, (uint32_t)(node - tree->nodes));
    return code;
}

/* An event does not last: beside other conditions, or where it may be suppressed, there would be
 * nothing that could hold. */
static int check_events(struct loader *loader, bool alone)
{
    const struct rule_tree *tree = loader->tree;
    for (uint32_t i = 0; i < tree->term_count; i++) {
        const struct rule_term *term = &tree->terms[i];
        if (term->event && term->window == WINDOW_NONE && !alone)
            return COMPLAIN(loader, loader->rule_map, ERR_CONFLICT,
                            "%s is an event, which does not last: count it (count: 10 min, times: "
                            "1)",
                            drivers_metric(loader->rules->drivers, term->metric, NULL)->name);
    }
    return 0;
}

/* Which values of the first condition are the worse ones: behind a `not`, those that are better. */
static enum rule_worse worse_of(const struct rule_term *term)
{
    if (term->window == WINDOW_COUNT || term->condition == RULE_ABOVE)
        return term->inverted ? WORSE_LOWER : WORSE_HIGHER;
    if (term->condition == RULE_BELOW)
        return term->inverted ? WORSE_HIGHER : WORSE_LOWER;
    return term->condition == RULE_OUTSIDE && !term->inverted ? WORSE_FARTHER : WORSE_NEITHER;
}

/* What all may see of a rule is its first condition. */
static void show_first(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct rule_term *term = &loader->tree->terms[0];
    bool numbers = term->window != WINDOW_RATE && term->window != WINDOW_COUNT;
    rule->metric = term->metric;
    rule->driver = term->driver;
    rule->condition = term->condition;
    rule->window = term->window;
    rule->window_ms = term->window_ms;
    rule->rate_unit = term->window == WINDOW_RATE ? loader_rate_unit(term->rate_ms) : "";
    rule->high = numbers ? term->high : NAN;
    rule->low = numbers ? term->low : NAN;
    rule->clear_high = term->clear_high;
    rule->clear_low = term->clear_low;
    rule->label = term->label;
    rule->worse = worse_of(term);
    rule->absent_ms = term->absent_ms;
    loader->detail->stale_ms = loader->tree->probes[term->probe].stale_ms;
    loader->detail->event = term->event && term->window == WINDOW_NONE;
}

/* What rules.c judges: one condition, a number on one metric, always armed. */
static bool is_simple(const struct loader *loader)
{
    const struct rule_tree *tree = loader->tree;
    return tree->node_count == 1 && tree->terms[0].window == WINDOW_NONE &&
           has_numbers(&tree->terms[0]) && loader->rule->armed == ARMED_ALWAYS;
}

int loader_read_condition(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct yaml_node *armed = yaml_get(loader->map, "armed");
    loader->tree = loader->detail->tree = calloc(1, sizeof(*loader->tree));
    if (loader->tree == NULL)
        return diag_set(loader->diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    loader->tree->plain = true;
    loader->rule_map = loader->map;
    int code = read_node(loader, loader->map, 1, false);
    loader->map = loader->rule_map;
    if (code != 0)
        return code;
    if (loader->tree->asks && rule->armed == ARMED_ALWAYS) {
        if (armed != NULL)
            return COMPLAIN(loader, armed, ERR_CONFLICT,
                            "only a session has a client with limits of his own");
        rule->armed = ARMED_SESSION;
    }
    show_first(loader);
    code = check_events(loader, is_simple(loader));
    if (code != 0)
        return code;
    if (is_simple(loader)) {
        free(loader->tree);
        loader->detail->tree = NULL;
    }
    rule->tree = loader->detail->tree;
    return 0;
}
