/* Rules from YAML: everything that can be wrong with one is said here, with its place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan.h"
#include "core/rules_loader.h"

static int read_name(struct loader *loader)
{
    const struct yaml_node *node = yaml_get(loader->map, "name");
    if (node == NULL)
        return COMPLAIN(loader, loader->map, ERR_SYNTAX, "a rule has a name");
    size_t length = node->kind == YAML_SCALAR ? strlen(node->scalar) : 0;
    bool fits = length > 0 && length <= LUMBAR_NAME_MAX && node->scalar[0] >= 'a' &&
                node->scalar[0] <= 'z' &&
                strspn(node->scalar, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
    if (!fits)
        return COMPLAIN(loader, node, ERR_SYNTAX,
                        "a rule's name is a letter and up to %d of a-z 0-9 - _",
                        LUMBAR_NAME_MAX - 1);
    for (uint32_t i = 0; i < loader->rules->count; i++)
        if (strcmp(loader->rules->list[i].name, node->scalar) == 0)
            return COMPLAIN(loader, node, ERR_CONFLICT, "a second rule '%s'; the first is in %s:%d",
                            node->scalar, loader->rules->details[i].file,
                            loader->rules->details[i].line);
    loader->rule->name = node->scalar;
    return 0;
}

/* One line of text; the fallback where it is not set, a complaint where that is NULL. */
int loader_read_line(struct loader *loader, const char *key, size_t max, const char *fallback,
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

int loader_read_time(struct loader *loader, const char *key, int64_t fallback_ms, int64_t *out_ms)
{
    const struct yaml_node *node = yaml_get(loader->map, key);
    *out_ms = fallback_ms;
    if (node == NULL)
        return 0;
    if (node->kind != YAML_SCALAR || !text_duration_ms(node->scalar, out_ms))
        return COMPLAIN(loader, node, ERR_SYNTAX, "%s is a time, as 2 s (ms, s, min or h)", key);
    if (*out_ms > DELAY_MAX_MS)
        return COMPLAIN(loader, node, ERR_RANGE, "longer than 24 h");
    return 0;
}

int loader_read_choice(struct loader *loader, const char *key, const char *const *words,
                       size_t count, bool must, size_t *out)
{
    const char *word;
    int code = loader_read_line(loader, key, 20, must ? NULL : words[0], &word);
    if (code != 0)
        return code;
    for (*out = 0; *out < count; ++*out)
        if (strcmp(words[*out], word) == 0)
            return 0;
    char list[100];
    struct text text = text_in(list, sizeof(list));
    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
    return COMPLAIN(loader, yaml_get(loader->map, key), ERR_UNKNOWN, "%s is %s, not '%s'", key,
                    list, word);
}

static int read_delays(struct loader *loader)
{
    struct rule *rule = loader->rule;
    const struct yaml_node *on_delay = yaml_get(loader->map, "for");
    int code = loader_read_time(loader, "for", 0, &rule->on_delay_ms);
    if (code == 0)
        code = loader_read_time(loader, "clear_for", 0, &rule->off_delay_ms);
    if (code != 0)
        return code;
    if (on_delay != NULL && rule->condition == RULE_ABSENT && rule->tree == NULL)
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

/* A kind of phase, as plans have it. */
static int read_phase(struct loader *loader, const struct yaml_node *node)
{
    const char *names[PLAN_KINDS], *name = node->kind == YAML_SCALAR ? node->scalar : "";
    for (unsigned i = 0; i < PLAN_KINDS; i++) {
        names[i] = plan_kind_name((enum plan_kind)i);
        if (strcmp(names[i], name) != 0)
            continue;
        loader->rule->phases[loader->rule->phase_count++] = name;
        return 0;
    }
    const char *nearest = text_nearest(name, names, PLAN_KINDS);
    return COMPLAIN(loader, node, ERR_UNKNOWN, "no kind of phase '%.40s'; %s '%s'%s", name,
                    nearest ? "did you mean" : "it can be", nearest ? nearest : names[0],
                    nearest ? "?" : ", for one");
}

/* session; [phase, ...]; {except: [phase, ...]}. */
static int read_armed(struct loader *loader)
{
    static const char *const except[] = {"except"};
    struct rule *rule = loader->rule;
    const struct yaml_node *node = yaml_get(loader->map, "armed");
    if (node == NULL || (node->kind == YAML_SCALAR && strcmp(node->scalar, "always") == 0))
        return 0;
    if (node->kind == YAML_SCALAR && strcmp(node->scalar, "session") == 0) {
        rule->armed = ARMED_SESSION;
        return 0;
    }
    rule->armed = node->kind == YAML_MAP ? ARMED_EXCEPT : ARMED_PHASES;
    if (node->kind == YAML_MAP) {
        int code = yaml_only(loader->yaml, node, except, COUNT(except), loader->diag);
        if (code != 0)
            return code;
        node = node->count == 1 ? &node->children[0] : node;
    }
    if (node->kind != YAML_LIST || node->count == 0 || node->count > RULE_PHASES_MAX)
        return COMPLAIN(loader, node, ERR_SYNTAX,
                        "armed is always, session, [1..%d phases] or {except: [phases]}",
                        RULE_PHASES_MAX);
    int code = 0;
    for (size_t i = 0; i < node->count && code == 0; i++)
        code = read_phase(loader, &node->children[i]);
    return code;
}

static int read_priority(struct loader *loader)
{
    static const char *const names[] = {"low", "medium", "high"};
    size_t which;
    int code = loader_read_choice(loader, "priority", names, COUNT(names), true, &which);
    loader->rule->priority = (enum rule_priority)(PRIORITY_LOW + which);
    return code;
}

static int read_flag(struct loader *loader, const char *key, bool fallback, bool *out)
{
    static const char *const words[] = {"false", "true"};
    size_t which = fallback;
    int code = 0;
    if (yaml_get(loader->map, key) != NULL)
        code = loader_read_choice(loader, key, words, COUNT(words), true, &which);
    *out = which == 1;
    return code;
}

static int read_technical(struct loader *loader)
{
    bool absent = loader->rule->condition == RULE_ABSENT && loader->rule->tree == NULL;
    int code = read_flag(loader, "technical", absent, &loader->rule->technical);
    if (code == 0 && absent && !loader->rule->technical)
        return COMPLAIN(loader, yaml_get(loader->map, "technical"), ERR_CONFLICT,
                        "a missing value is always a technical alarm");
    return code;
}

/* Latching, escalation, re-alarm and what it inhibits: see core/alarms.h. */
static int read_life(struct loader *loader)
{
    static const char *const scopes[] = {"none", "device", "room"};
    static const char *const stops[] = {"none", "phase"};
    struct rule *rule = loader->rule;
    size_t scope = 0, stop = 0;
    int code = read_flag(loader, "latch", false, &rule->latch);
    if (code == 0)
        code = loader_read_time(loader, "escalate", 0, &rule->escalate_ms);
    if (code == 0)
        code = loader_read_time(loader, "realarm", 0, &rule->realarm_ms);
    if (code == 0)
        code = loader_read_choice(loader, "inhibits", scopes, COUNT(scopes), false, &scope);
    rule->inhibits = (enum rule_inhibits)scope;
    if (code == 0)
        code = loader_read_choice(loader, "stops", stops, COUNT(stops), false, &stop);
    rule->stops = stop == 1;
    if (code != 0)
        return code;
    if (rule->inhibits != INHIBITS_NONE && !rule->technical)
        return COMPLAIN(loader, yaml_get(loader->map, "inhibits"), ERR_CONFLICT,
                        "only a technical alarm may hide others");
    return 0;
}

int loader_read_rule(struct loader *loader, const struct yaml_node *map,
                     const struct rule_source *source)
{
    static const char *const keys[] = {
        "name",   "title",     "metric",   "above",    "below",  "outside",  "is",
        "absent", "clear",     "deadband", "mean",     "min",    "max",      "rate",
        "last",   "count",     "times",    "all",      "any",    "not",      "armed",
        "for",    "clear_for", "text",     "plain",    "action", "priority", "technical",
        "latch",  "escalate",  "realarm",  "inhibits", "stops"};
    static int (*const steps[])(struct loader * loader) = {
        read_name,      read_armed, loader_read_condition, read_delays, read_priority,
        read_technical, read_life,  loader_read_words};
    struct rules *rules = loader->rules;
    if (map->kind != YAML_MAP)
        return COMPLAIN(loader, map, ERR_SYNTAX, "a rule is a map: name, metric, a condition ...");
    loader->map = map;
    loader->rule = &rules->list[rules->count];
    loader->detail = &rules->details[rules->count];
    rules->loaded = rules->count + 1;
    *loader->rule = (struct rule){.id = rules->count};
    *loader->detail = (struct rule_detail){.file = map->file, .line = map->line, .source = *source};
    int code = yaml_only(loader->yaml, map, keys, COUNT(keys), loader->diag);
    for (size_t i = 0; i < COUNT(steps) && code == 0; i++)
        code = steps[i](loader);
    if (code == 0)
        rules->count++;
    return code;
}

/* Room for so many more rules. */
int loader_reserve(struct rules *rules, size_t more, struct diag *diag)
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

int loader_read_list(struct loader *loader, const struct yaml_node **list)
{
    static const char *const keys[] = {"rules", "derived"}; /* core/derive.h */
    const struct yaml_node *root = yaml_root(loader->yaml);
    *list = NULL;
    if (root == NULL)
        return 0;
    if (root->kind != YAML_MAP)
        return COMPLAIN(loader, root, ERR_SYNTAX, "a rule file begins with 'rules:' or 'derived:'");
    int code = yaml_only(loader->yaml, root, keys, COUNT(keys), loader->diag);
    const struct yaml_node *found = yaml_get(root, "rules");
    if (code != 0 || found == NULL || (found->kind == YAML_SCALAR && found->scalar[0] == '\0'))
        return code;
    if (found->kind != YAML_LIST)
        return COMPLAIN(loader, found, ERR_SYNTAX,
                        "rules are a list, each begun with '- name: ...'");
    if (found->count > RULES_MAX - loader->rules->count)
        return COMPLAIN(loader, found, ERR_LIMIT, "more than %d rules", RULES_MAX);
    *list = found;
    return 0;
}

static int read_file(struct loader *loader)
{
    const struct yaml_node *list;
    int code = loader_read_list(loader, &list);
    if (code != 0 || list == NULL)
        return code;
    code = loader_reserve(loader->rules, list->count, loader->diag);
    for (size_t i = 0; i < list->count && code == 0; i++) {
        const struct yaml_node *map = &list->children[i];
        struct rule_source source = {0};
        code = loader_change(loader, &map, &source);
        if (code == 0 && !source.off)
            code = loader_read_rule(loader, map, &source);
    }
    return code;
}

/* The trees of all files; that of the changes is gone through first, and read last. */
static int read_files(struct loader *loader, const struct rules_text *files, size_t count)
{
    struct rules *rules = loader->rules;
    rules->files = calloc(count + 1, sizeof(struct yaml *));
    if (rules->files == NULL)
        return diag_set(loader->diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    for (size_t i = 0; i < count; i++) {
        int code = yaml_parse(&rules->files[i], files[i].file, files[i].text, files[i].bytes,
                              loader->diag);
        if (code != 0)
            return code;
        rules->file_count++;
        if (files[i].changes)
            loader->changing = rules->files[i];
    }
    int code = loader_begin_changes(loader);
    for (size_t i = 0; i < count && code == 0; i++) {
        loader->yaml = rules->files[i];
        code = files[i].changes ? 0 : read_file(loader);
    }
    return code == 0 ? loader_read_new(loader) : code;
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
    struct loader loader = {.rules = rules, .diag = diag};
    int code = read_files(&loader, files, count);
    free(loader.changed);
    if (code == 0)
        code = rules_add_lost(rules, diag);
    if (code == 0)
        code = rules_index(rules, diag);
    if (code != 0) {
        rules_destroy(rules);
        return code;
    }
    *out = rules;
    return 0;
}

bool rules_vary(struct rules *rules, const char *name, int64_t on_delay_ms, double band)
{
    const struct rule *found = rules_find(rules, name);
    if (found == NULL)
        return false;
    struct rule *rule = &rules->list[found->id];
    bool absent = rule->tree == NULL && rule->condition == RULE_ABSENT;
    if (on_delay_ms > 0)
        *(absent ? &rule->absent_ms : &rule->on_delay_ms) = on_delay_ms;
    rule->clear_high -= band;
    rule->clear_low += band;
    return true;
}
