/*
 * Reading rules from YAML: what its parts share. rules_load.c has the files and what every rule
 * has, rule_condition.c when it holds, rule_words.c what people are told. Each function returns 0
 * or the code of its complaint, which names the place.
 */
#ifndef LUMBAR_CORE_RULES_LOADER_H
#define LUMBAR_CORE_RULES_LOADER_H

#include "core/rules_set.h"

#define DELAY_MAX_MS (24 * 3600 * 1000)

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

/* Which metric, when it holds, when it is over. */
int loader_read_condition(struct loader *loader);

/* Title, text, plain and action, with their placeholders. */
int loader_read_words(struct loader *loader);

#endif
