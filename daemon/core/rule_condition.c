/* When a rule holds, and when it is over. */
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
    loader->rule->metric = (uint32_t)metric;
    loader->metric = drivers_metric(drivers, (uint32_t)metric, &loader->rule->driver);
    loader->detail->stale_ms = metric_stale_ms(loader->metric);
    loader->detail->event = loader->metric->kind == LUMBAR_EVENT;
    return 0;
}

/* A number with exactly the metric's unit: a limit in another one would be a dangerous guess. */
static int read_limit(struct loader *loader, const struct yaml_node *node, double *limit)
{
    const struct lumbar_metric *metric = loader->metric;
    const char *expected = strcmp(metric->unit, "1") == 0 ? "" : metric->unit;
    const char *unit;
    if (node->kind != YAML_SCALAR || !text_quantity(node->scalar, limit, &unit))
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected a number with the unit %s",
                        metric->unit);
    if (strcmp(unit, expected) == 0)
        return 0;
    char number[64];
    struct text text = text_in(number, sizeof(number));
    text_add_number(&text, *limit, 6);
    return COMPLAIN(loader, node, ERR_RANGE, "%s is measured in %s: write '%s%s%s', not '%.60s'",
                    metric->name, metric->unit, number, *expected ? " " : "", expected,
                    node->scalar);
}

static int never(struct loader *loader, const struct yaml_node *node)
{
    const struct lumbar_metric *metric = loader->metric;
    char range[80];
    struct text text = text_in(range, sizeof(range));
    text_add_number(&text, metric->min, 6);
    text_add(&text, "..");
    text_add_number(&text, metric->max, 6);
    return COMPLAIN(loader, node, ERR_RANGE, "can never be passed: %s is %s %s", metric->name,
                    range, metric->unit);
}

static int read_above(struct loader *loader)
{
    struct rule *rule = loader->rule;
    int code = read_limit(loader, loader->condition, &rule->high);
    if (code != 0)
        return code;
    rule->clear_high = rule->high;
    return rule->high >= loader->metric->min && rule->high < loader->metric->max
               ? 0
               : never(loader, loader->condition);
}

static int read_below(struct loader *loader)
{
    struct rule *rule = loader->rule;
    int code = read_limit(loader, loader->condition, &rule->low);
    if (code != 0)
        return code;
    rule->clear_low = rule->low;
    return rule->low > loader->metric->min && rule->low <= loader->metric->max
               ? 0
               : never(loader, loader->condition);
}

static int read_pair(struct loader *loader, const struct yaml_node *node, double *low, double *high)
{
    if (node->kind != YAML_LIST || node->count != 2)
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected two limits, as [10 %s, 20 %s]",
                        loader->metric->unit, loader->metric->unit);
    int code = read_limit(loader, &node->children[0], low);
    if (code == 0)
        code = read_limit(loader, &node->children[1], high);
    if (code == 0 && *low >= *high)
        return COMPLAIN(loader, node, ERR_RANGE, "the lower limit comes first");
    return code;
}

static int read_outside(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct yaml_node *pair = loader->condition;
    int code = read_pair(loader, pair, &rule->low, &rule->high);
    if (code != 0)
        return code;
    rule->clear_low = rule->low;
    rule->clear_high = rule->high;
    if (rule->low <= loader->metric->min)
        return never(loader, &pair->children[0]);
    return rule->high < loader->metric->max ? 0 : never(loader, &pair->children[1]);
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
        loader->rule->label = (uint32_t)count;
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
    int64_t *absent_ms = &loader->rule->absent_ms;
    if (node->kind != YAML_SCALAR || !text_duration_ms(node->scalar, absent_ms))
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected a time, as 5 s (ms, s, min or h)");
    if (*absent_ms < loader->detail->stale_ms)
        return COMPLAIN(loader, node, ERR_RANGE,
                        "%s may take %lld ms to come: wait at least so long", loader->metric->name,
                        (long long)loader->detail->stale_ms);
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

static int read_what(struct loader *loader)
{
    static const struct {
        const char *key;
        enum rule_condition condition;
        int (*read)(struct loader *loader);
    } conditions[] = {{"above", RULE_ABOVE, read_above},
                      {"below", RULE_BELOW, read_below},
                      {"outside", RULE_OUTSIDE, read_outside},
                      {"is", RULE_IS, read_is},
                      {"absent", RULE_ABSENT, read_absent}};
    size_t which = COUNT(conditions);
    for (size_t i = 0; i < COUNT(conditions); i++) {
        const struct yaml_node *node = yaml_get(loader->map, conditions[i].key);
        if (node == NULL)
            continue;
        if (which < COUNT(conditions))
            return COMPLAIN(loader, node, ERR_CONFLICT,
                            "'%s' has both %s and %s: make it two rules", loader->rule->name,
                            conditions[which].key, conditions[i].key);
        which = i;
        loader->condition = node;
    }
    if (which == COUNT(conditions))
        return COMPLAIN(loader, loader->map, ERR_SYNTAX,
                        "'%s' has no condition: above, below, outside, is or absent",
                        loader->rule->name);
    loader->rule->condition = conditions[which].condition;
    static const char *const kinds[] = {"a measured value", "a counter", "a state", "an event"};
    if (!fits_kind(loader->rule->condition, loader->metric->kind))
        return COMPLAIN(loader, loader->condition, ERR_CONFLICT,
                        "%s is %s, which '%s' cannot judge", loader->metric->name,
                        kinds[loader->metric->kind], conditions[which].key);
    return conditions[which].read(loader);
}

/* Over only when back on the good side of the limit, and where the sensor can say so. */
static bool clear_is_good(const struct rule *rule, const struct lumbar_metric *metric)
{
    switch (rule->condition) {
    case RULE_ABOVE:
        return rule->clear_high <= rule->high && rule->clear_high >= metric->min;
    case RULE_BELOW:
        return rule->clear_low >= rule->low && rule->clear_low <= metric->max;
    default:
        return rule->clear_low >= rule->low && rule->clear_high <= rule->high;
    }
}

static int read_clear(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct yaml_node *node = yaml_get(loader->map, "clear");
    int code;
    if (node == NULL)
        return 0;
    if (rule->condition == RULE_ABOVE)
        code = read_limit(loader, node, &rule->clear_high);
    else if (rule->condition == RULE_BELOW)
        code = read_limit(loader, node, &rule->clear_low);
    else if (rule->condition == RULE_OUTSIDE)
        code = read_pair(loader, node, &rule->clear_low, &rule->clear_high);
    else
        return COMPLAIN(loader, node, ERR_CONFLICT,
                        "only above, below and outside have a clear limit");
    if (code == 0 && !clear_is_good(rule, loader->metric))
        return COMPLAIN(loader, node, ERR_RANGE,
                        "the clear limit must lie on the good side of the limit, in reach of %s",
                        loader->metric->name);
    return code;
}

int loader_read_condition(struct loader *loader)
{
    int code = read_metric(loader);
    if (code == 0)
        code = read_what(loader);
    return code == 0 ? read_clear(loader) : code;
}
