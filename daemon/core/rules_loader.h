/*
 * Reading rules from YAML: what its parts share. rules_load.c has the files and what every rule
 * has, rule_condition.c and rule_limit.c when it holds, rule_reach.c whether that can be at all,
 * rule_words.c what people are told. Each function returns 0 or the code of its complaint, which
 * names the place.
 */
#ifndef LUMBAR_CORE_RULES_LOADER_H
#define LUMBAR_CORE_RULES_LOADER_H

#include "core/rules_set.h"

#define DELAY_MAX_MS (24 * 3600 * 1000)

struct loader {
    struct rules *rules;
    const struct yaml *yaml;
    struct diag *diag;
    struct yaml *changing;           /* the file of changes; NULL: there is none */
    const struct yaml_node *changes; /* its list of rules; NULL: none */
    bool *changed;                   /* by place in it: was it used? */

    const struct yaml_node *map; /* the rule, or the condition of it, that is read */
    const struct yaml_node *rule_map;
    struct rule *rule;
    struct rule_detail *detail;
    struct rule_tree *tree;
    struct rule_term *term; /* the condition, */
    const struct lumbar_metric *metric;
    const struct yaml_node *condition;         /* and its node */
    const struct yaml_node *places[TERMS_MAX]; /* of the tree's terms: their nodes */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define COMPLAIN(loader, node, code, ...)                                                          \
    yaml_complain((loader)->yaml, node, (loader)->diag, code, __VA_ARGS__)

/* One line of text; the fallback where it is not set, a complaint where that is NULL. */
int loader_read_line(struct loader *loader, const char *key, size_t max, const char *fallback,
                     const char **out);

/* A time; the fallback where it is not set. */
int loader_read_time(struct loader *loader, const char *key, int64_t fallback_ms, int64_t *out_ms);

/* One of these words; the first where it is not set, a complaint if `must`. */
int loader_read_choice(struct loader *loader, const char *key, const char *const *words,
                       size_t count, bool must, size_t *out);

/* Which metrics, when it holds, when it is over; what arms it was read before. */
int loader_read_condition(struct loader *loader);

/* A limit of loader->term in its metric's unit. `from`: where it may come from; NULL: a number. */
int loader_read_limit(struct loader *loader, const struct yaml_node *node, double *number,
                      struct rule_limit *from);
int loader_read_pair(struct loader *loader, const struct yaml_node *node, double *low, double *high,
                     struct rule_limit *from_low, struct rule_limit *from_high);
const char *loader_rate_unit(int64_t rate_ms);

/* The place of a metric among those that the rule looks at. */
int loader_add_probe(struct loader *loader, const struct yaml_node *node, uint32_t metric,
                     uint32_t *place);

/* Can the values of loader->term pass its limit to this side, and come back? */
int loader_check_limit(struct loader *loader, const struct yaml_node *node, bool high);
/* Can it begin to hold so often in its window? */
int loader_check_times(struct loader *loader, const struct yaml_node *node);
/* Can all that stand below this node of the tree, an `all`, hold at once? */
int loader_check_all(struct loader *loader, uint32_t all);

/* The file of changes: its list, which is looked at before the other files. */
int loader_begin_changes(struct loader *loader);
/* The rule of another file as it is to be read, and whether that is to be left out. */
int loader_change(struct loader *loader, const struct yaml_node **map, struct rule_source *source);
/* Behind all other files: what has changed none, as rules of its own. */
int loader_read_new(struct loader *loader);

/* A list of rules, of the file at hand. */
int loader_read_list(struct loader *loader, const struct yaml_node **list);
int loader_reserve(struct rules *rules, size_t more, struct diag *diag);
int loader_read_rule(struct loader *loader, const struct yaml_node *map,
                     const struct rule_source *source);

/* Title, text, plain and action, with their placeholders. */
int loader_read_words(struct loader *loader);

#endif
