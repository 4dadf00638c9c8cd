/* Rules from YAML: everything that can be wrong with one is said here, with its place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_set.h"

#define DELAY_MAX_MS (24 * 3600 * 1000)
#define NAME_MAX_    LUMBAR_NAME_MAX

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct loader {
    struct rules *rules;
    const struct yaml *yaml;
    struct diag *diag;

    const struct yaml_node *map; /* the rule that is read */
    struct rule *rule;
    struct rule_detail *detail;
    const struct lumbar_metric *metric;
    const struct yaml_node *condition; /* its condition's node */
};

#define COMPLAIN(loader, node, code, ...)                                                          \
    yaml_complain((loader)->yaml, node, (loader)->diag, code, __VA_ARGS__)

static int read_name(struct loader *loader)
{
    const struct yaml_node *node = yaml_get(loader->map, "name");
    if (node == NULL)
        return COMPLAIN(loader, loader->map, ERR_SYNTAX, "a rule has a name");
    size_t length = node->kind == YAML_SCALAR ? strlen(node->scalar) : 0;
    bool fits = length > 0 && length <= NAME_MAX_ && node->scalar[0] >= 'a' &&
                node->scalar[0] <= 'z' &&
                strspn(node->scalar, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
    if (!fits)
        return COMPLAIN(loader, node, ERR_SYNTAX,
                        "a rule's name is a letter and up to %d of a-z 0-9 - _", NAME_MAX_ - 1);
    for (uint32_t i = 0; i < loader->rules->count; i++)
        if (strcmp(loader->rules->list[i].name, node->scalar) == 0)
            return COMPLAIN(loader, node, ERR_CONFLICT, "a second rule '%s'; the first is in %s:%d",
                            node->scalar, loader->rules->details[i].file,
                            loader->rules->details[i].line);
    loader->rule->name = node->scalar;
    return 0;
}

/* One line of text; the fallback where it is not set, a complaint where that is NULL. */
static int read_words(struct loader *loader, const char *key, size_t max, const char *fallback,
                      const char **out)
{
    const struct yaml_node *node = yaml_get(loader->map, key);
    *out = fallback;
    if (node == NULL)
        return fallback != NULL ? 0
                                : COMPLAIN(loader, loader->map, ERR_SYNTAX, "'%s' has no %s",
                                           loader->rule->name, key);
    if (node->kind != YAML_SCALAR || strlen(node->scalar) > max || strchr(node->scalar, '\n') ||
        node->scalar[0] == '\0')
        return COMPLAIN(loader, node, ERR_SYNTAX, "%s is one line of 1..%zu bytes", key, max);
    *out = node->scalar;
    return 0;
}

static int read_title(struct loader *loader)
{
    return read_words(loader, "title", 100, loader->rule->name, &loader->rule->title);
}

static int read_action(struct loader *loader)
{
    return read_words(loader, "action", 200, "", &loader->rule->action);
}

static int read_metric(struct loader *loader)
{
    const struct drivers *drivers = loader->rules->drivers;
    const char *name;
    struct diag complaint = {0};
    int code = read_words(loader, "metric", 2 * NAME_MAX_ + 1, NULL, &name);
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

static int read_condition(struct loader *loader)
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

static int read_delay(struct loader *loader, const char *key, int64_t *delay_ms)
{
    const struct yaml_node *node = yaml_get(loader->map, key);
    *delay_ms = 0;
    if (node == NULL)
        return 0;
    if (node->kind != YAML_SCALAR || !text_duration_ms(node->scalar, delay_ms))
        return COMPLAIN(loader, node, ERR_SYNTAX, "%s is a time, as 2 s (ms, s, min or h)", key);
    if (*delay_ms > DELAY_MAX_MS)
        return COMPLAIN(loader, node, ERR_RANGE, "longer than 24 h");
    return 0;
}

static int read_delays(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct yaml_node *on_delay = yaml_get(loader->map, "for");
    int code = read_delay(loader, "for", &rule->on_delay_ms);
    if (code == 0)
        code = read_delay(loader, "clear_for", &rule->off_delay_ms);
    if (code != 0)
        return code;
    if (on_delay != NULL && rule->condition == RULE_ABSENT)
        return COMPLAIN(loader, on_delay, ERR_CONFLICT, "'absent' says already for how long");
    if (on_delay != NULL && loader->detail->event)
        return COMPLAIN(loader, on_delay, ERR_CONFLICT, "%s is an event: it does not last",
                        loader->metric->name);
    if (loader->detail->event && rule->off_delay_ms == 0)
        return COMPLAIN(loader, loader->map, ERR_SYNTAX,
                        "%s is an event, which has no end of its own: say clear_for",
                        loader->metric->name);
    return 0;
}

static int read_priority(struct loader *loader)
{
    static const char *const names[] = {"low", "medium", "high"};
    const char *name;
    int code = read_words(loader, "priority", 20, NULL, &name);
    if (code != 0)
        return code;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            loader->rule->priority = (enum rule_priority)(PRIORITY_LOW + i);
            return 0;
        }
    return COMPLAIN(loader, yaml_get(loader->map, "priority"), ERR_UNKNOWN,
                    "a priority is low, medium or high, not '%s'", name);
}

static int read_technical(struct loader *loader)
{
    bool absent = loader->rule->condition == RULE_ABSENT;
    const char *word;
    int code = read_words(loader, "technical", 5, absent ? "true" : "false", &word);
    if (code != 0)
        return code;
    const struct yaml_node *node = yaml_get(loader->map, "technical");
    if (strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
        return COMPLAIN(loader, node, ERR_SYNTAX, "technical is true or false");
    loader->rule->technical = word[0] == 't';
    if (absent && !loader->rule->technical)
        return COMPLAIN(loader, node, ERR_CONFLICT, "a missing value is always a technical alarm");
    return 0;
}

/* Has the rule something to put where the word stands? */
static bool has_words_for(const struct rule *rule, size_t word)
{
    bool absent = rule->condition == RULE_ABSENT;
    return word > 2 || (word < 2 ? !absent : absent || rule->on_delay_ms > 0);
}

static int check_placeholder(struct loader *loader, const struct yaml_node *node, const char *at,
                             size_t length)
{
    static const char *const words[] = {"value", "limit", "for", "device", "room", "metric"};
    for (size_t i = 0; i < COUNT(words); i++) {
        if (strlen(words[i]) != length || memcmp(words[i], at, length) != 0)
            continue;
        return has_words_for(loader->rule, i)
                   ? 0
                   : COMPLAIN(loader, node, ERR_CONFLICT, "'%s' has nothing to say for {%s}",
                              loader->rule->name, words[i]);
    }
    char word[32];
    struct text text = text_in(word, sizeof(word));
    text_add(&text, "%.*s", (int)length, at);
    const char *nearest = text_nearest(word, words, COUNT(words));
    return COMPLAIN(loader, node, ERR_UNKNOWN, "{%s} is not known here; %s{%s}%s", word,
                    nearest ? "did you mean " : "there are {value} {limit} {for} {device} {room} ",
                    nearest ? nearest : "metric", nearest ? "?" : "");
}

static int read_text(struct loader *loader)
{
    int code = read_words(loader, "text", 200, NULL, &loader->rule->text);
    const struct yaml_node *node = yaml_get(loader->map, "text");
    if (code != 0)
        return code;
    for (const char *at = strchr(loader->rule->text, '{'); at != NULL && code == 0;
         at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        if (end == NULL)
            return COMPLAIN(loader, node, ERR_SYNTAX, "a '{' without its '}'");
        code = check_placeholder(loader, node, at + 1, (size_t)(end - at - 1));
    }
    return code;
}

static int read_rule(struct loader *loader, const struct yaml_node *map)
{
    static const char *const keys[] = {"name",      "title",    "metric",    "above",  "below",
                                       "outside",   "is",       "absent",    "clear",  "for",
                                       "clear_for", "priority", "technical", "action", "text"};
    static int (*const steps[])(struct loader * loader) = {
        read_name,  read_title,  read_action,   read_metric,    read_condition,
        read_clear, read_delays, read_priority, read_technical, read_text};
    struct rules *rules = loader->rules;
    if (map->kind != YAML_MAP)
        return COMPLAIN(loader, map, ERR_SYNTAX, "a rule is a map: name, metric, a condition ...");
    loader->map = map;
    loader->rule = &rules->list[rules->count];
    loader->detail = &rules->details[rules->count];
    *loader->rule = (struct rule){.id = rules->count};
    *loader->detail = (struct rule_detail){.file = yaml_file(loader->yaml), .line = map->line};
    int code = yaml_only(loader->yaml, map, keys, COUNT(keys), loader->diag);
    for (size_t i = 0; i < COUNT(steps) && code == 0; i++)
        code = steps[i](loader);
    if (code == 0)
        rules->count++;
    return code;
}

/* Room for so many more rules. */
static int reserve(struct rules *rules, size_t more, struct diag *diag)
{
    size_t room = rules->count + more;
    struct rule *list = realloc(rules->list, (room + 1) * sizeof(*list));
    if (list != NULL)
        rules->list = list;
    struct rule_detail *details = realloc(rules->details, (room + 1) * sizeof(*details));
    if (details != NULL)
        rules->details = details;
    return list != NULL && details != NULL
               ? 0
               : diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}

static int read_file(struct loader *loader)
{
    static const char *const keys[] = {"rules"};
    const struct yaml_node *root = yaml_root(loader->yaml);
    if (root == NULL)
        return 0;
    if (root->kind != YAML_MAP)
        return COMPLAIN(loader, root, ERR_SYNTAX, "a rule file begins with 'rules:'");
    int code = yaml_only(loader->yaml, root, keys, 1, loader->diag);
    const struct yaml_node *list = yaml_get(root, "rules");
    if (code != 0 || list == NULL || (list->kind == YAML_SCALAR && list->scalar[0] == '\0'))
        return code;
    if (list->kind != YAML_LIST)
        return COMPLAIN(loader, list, ERR_SYNTAX,
                        "rules are a list, each begun with '- name: ...'");
    if (list->count > RULES_MAX - loader->rules->count)
        return COMPLAIN(loader, list, ERR_LIMIT, "more than %d rules", RULES_MAX);
    code = reserve(loader->rules, list->count, loader->diag);
    for (size_t i = 0; i < list->count && code == 0; i++)
        code = read_rule(loader, &list->children[i]);
    return code;
}

static int read_files(struct rules *rules, const struct rules_text *files, size_t count,
                      struct diag *diag)
{
    rules->files = calloc(count + 1, sizeof(struct yaml *));
    if (rules->files == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    for (size_t i = 0; i < count; i++) {
        struct yaml **yaml = &rules->files[i];
        int code = yaml_parse(yaml, files[i].file, files[i].text, files[i].bytes, diag);
        if (code != 0)
            return code;
        rules->file_count++;
        struct loader loader = {.rules = rules, .yaml = *yaml, .diag = diag};
        code = read_file(&loader);
        if (code != 0)
            return code;
    }
    return 0;
}

int rules_load(struct rules **out, const struct rules_text *files, size_t count,
               const struct drivers *drivers, uint32_t max_devices, struct diag *diag)
{
    *out = NULL;
    struct rules *rules = calloc(1, sizeof(*rules));
    if (rules == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    rules->drivers = drivers;
    rules->max_devices = max_devices;
    int code = read_files(rules, files, count, diag);
    if (code == 0)
        code = rules_index(rules, diag);
    if (code != 0) {
        rules_destroy(rules);
        return code;
    }
    *out = rules;
    return 0;
}
