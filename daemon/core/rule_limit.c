/*
 * A limit as it is written: a number with its unit, or where it comes from.
 *
 *   45 deg
 *   limit(lumbar_flexion)                    what the client's plan says
 *   80 % of own_range(lumbar_flexion)        of the client's own range, from the neutral pose
 *   metric(surface_temperature) - 2 Cel      another metric, of the device or in the room
 */
#include <math.h>
#include <string.h>

#include "core/rules_loader.h"

#define RATE_SHARE_MAX 200 /* %: more is a slip of the pen */

static const struct {
    const char *unit;
    int64_t ms;
} rates[] = {{"/s", RATE_S}, {"/min", RATE_MIN}, {"/h", RATE_H}};

static const char *shown_unit(const struct lumbar_metric *metric)
{
    return strcmp(metric->unit, "1") == 0 ? "" : metric->unit;
}

/* Of a rate: the metric's unit and a time, the same one in all limits of the condition. */
static bool takes_rate(struct loader *loader, const char *unit)
{
    const char *expected = shown_unit(loader->metric);
    size_t bytes = strlen(expected);
    struct rule_term *term = loader->term;
    if (strncmp(unit, expected, bytes) != 0)
        return false;
    for (size_t i = 0; i < COUNT(rates); i++)
        if (strcmp(unit + bytes, rates[i].unit) == 0 &&
            (term->rate_ms == 0 || term->rate_ms == rates[i].ms)) {
            term->rate_ms = rates[i].ms;
            return true;
        }
    return false;
}

const char *loader_rate_unit(int64_t rate_ms)
{
    for (size_t i = 0; i < COUNT(rates); i++)
        if (rates[i].ms == rate_ms)
            return rates[i].unit;
    return "";
}

/* A number with exactly the metric's unit: a limit in another one would be a dangerous guess. */
static int read_number(struct loader *loader, const struct yaml_node *node, const char *string,
                       double *number)
{
    const struct lumbar_metric *metric = loader->metric;
    const char *expected = shown_unit(metric), *unit;
    bool rate = loader->term->window == WINDOW_RATE;
    if (!text_quantity(string, number, &unit))
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected a number with the unit %s%s",
                        metric->unit, rate ? "/min (or /s, /h)" : "");
    if (rate ? takes_rate(loader, unit) : strcmp(unit, expected) == 0)
        return 0;
    char shown[64];
    struct text text = text_in(shown, sizeof(shown));
    text_add_number(&text, *number, 6);
    if (rate)
        return COMPLAIN(loader, node, ERR_RANGE,
                        "the rate of %s is measured in %s/s, %s/min or %s/h, the same in all its "
                        "limits, not '%.60s'",
                        metric->name, expected, expected, expected, string);
    return COMPLAIN(loader, node, ERR_RANGE, "%s is measured in %s: write '%s%s%s', not '%.60s'",
                    metric->name, metric->unit, shown, *expected ? " " : "", expected, string);
}

/* "80 % of " before a source; returns what stands behind it, NULL after a complaint. */
static const char *read_share(struct loader *loader, const struct yaml_node *node,
                              struct rule_limit *limit)
{
    const char *of = strstr(node->scalar, " of "), *unit;
    char share[32];
    limit->share = 1;
    if (of == NULL || of > strchr(node->scalar, '('))
        return node->scalar;
    struct text text = text_in(share, sizeof(share));
    text_add(&text, "%.*s", (int)(of - node->scalar), node->scalar);
    if (text.cut || !text_quantity(share, &limit->share, &unit) || strcmp(unit, "%") != 0 ||
        limit->share <= 0 || limit->share > RATE_SHARE_MAX) {
        COMPLAIN(loader, node, ERR_SYNTAX, "expected a share up to %d %%, as '80 %% of ...'",
                 RATE_SHARE_MAX);
        return NULL;
    }
    limit->share /= 100;
    return of + strlen(" of ");
}

static int read_word(struct loader *loader, const struct yaml_node *node, const char *at,
                     struct rule_limit *limit)
{
    static const char *const words[] = {"limit", "own_range", "metric"};
    size_t length = strcspn(at, "(");
    for (size_t i = 0; i < COUNT(words); i++)
        if (strlen(words[i]) == length && memcmp(words[i], at, length) == 0) {
            limit->source = (enum limit_source)(LIMIT_PLAN + i);
            return 0;
        }
    char word[32];
    struct text text = text_in(word, sizeof(word));
    text_add(&text, "%.*s", (int)length, at);
    const char *nearest = text_nearest(word, words, COUNT(words));
    return COMPLAIN(loader, node, ERR_UNKNOWN, "a limit is no %s(...); %s%s%s", word,
                    nearest ? "did you mean " : "there are limit(...), own_range(...) and ",
                    nearest ? nearest : "metric(...)", nearest ? "(...)?" : "");
}

/* The metric between the brackets, which has to be measured as the one that is judged. */
static int read_name(struct loader *loader, const struct yaml_node *node, const char *at,
                     struct rule_limit *limit)
{
    char name[2 * LUMBAR_NAME_MAX + 2];
    struct text text = text_in(name, sizeof(name));
    struct diag complaint = {0};
    text_add(&text, "%.*s", (int)strcspn(at, ")"), at);
    int64_t found = drivers_find(loader->rules->drivers, name, &complaint);
    if (found < 0)
        return COMPLAIN(loader, node, complaint.code, "%s", complaint.text);
    const struct lumbar_metric *metric =
        drivers_metric(loader->rules->drivers, (uint32_t)found, NULL);
    limit->metric = (uint32_t)found;
    if (metric->kind != LUMBAR_GAUGE && metric->kind != LUMBAR_COUNTER)
        return COMPLAIN(loader, node, ERR_CONFLICT, "%s is no measured value", metric->name);
    if (strcmp(metric->unit, loader->metric->unit) != 0)
        return COMPLAIN(loader, node, ERR_RANGE, "%s is measured in %s, %s in %s",
                        loader->metric->name, loader->metric->unit, metric->name, metric->unit);
    return limit->source == LIMIT_METRIC
               ? loader_add_probe(loader, node, limit->metric, &limit->probe)
               : 0;
}

/* Behind the bracket: nothing, or "+ 2 Cel", "- 2 Cel". */
static int read_offset(struct loader *loader, const struct yaml_node *node, const char *at,
                       struct rule_limit *limit)
{
    at += strspn(at, " ");
    if (*at == '\0')
        return 0;
    bool minus = *at == '-';
    if (!minus && *at != '+')
        return COMPLAIN(loader, node, ERR_SYNTAX, "behind the ) may stand + or - and a number");
    at++;
    int code = read_number(loader, node, at + strspn(at, " "), &limit->offset);
    limit->offset = minus ? -limit->offset : limit->offset;
    return code;
}

static int read_source(struct loader *loader, const struct yaml_node *node,
                       struct rule_limit *limit)
{
    const char *at = read_share(loader, node, limit);
    if (at == NULL)
        return loader->diag->code;
    int code = read_word(loader, node, at, limit);
    if (code != 0)
        return code;
    const char *end = strchr(at, ')');
    if (end == NULL)
        return COMPLAIN(loader, node, ERR_SYNTAX, "a '(' without its ')'");
    if (loader->term->window == WINDOW_COUNT || loader->term->window == WINDOW_RATE)
        return COMPLAIN(loader, node, ERR_CONFLICT, "a count or a rate is held against a number");
    code = read_name(loader, node, strchr(at, '(') + 1, limit);
    return code == 0 ? read_offset(loader, node, end + 1, limit) : code;
}

int loader_read_limit(struct loader *loader, const struct yaml_node *node, double *number,
                      struct rule_limit *from)
{
    if (node->kind == YAML_SCALAR && strchr(node->scalar, '(') != NULL && from != NULL) {
        *number = NAN;
        return read_source(loader, node, from);
    }
    return read_number(loader, node, node->kind == YAML_SCALAR ? node->scalar : "", number);
}

/* Of a range both ends are limits, so it may stand alone. */
int loader_read_pair(struct loader *loader, const struct yaml_node *node, double *low, double *high,
                     struct rule_limit *from_low, struct rule_limit *from_high)
{
    if (node->kind == YAML_SCALAR && from_low != NULL && strstr(node->scalar, "own_range(")) {
        int code = loader_read_limit(loader, node, low, from_low);
        *high = *low;
        *from_high = *from_low;
        return code;
    }
    if (node->kind != YAML_LIST || node->count != 2)
        return COMPLAIN(loader, node, ERR_SYNTAX, "expected two limits, as [10 %s, 20 %s]",
                        loader->metric->unit, loader->metric->unit);
    int code = loader_read_limit(loader, &node->children[0], low, from_low);
    if (code == 0)
        code = loader_read_limit(loader, &node->children[1], high, from_high);
    if (code == 0 && *low >= *high) /* not of what is no number yet */
        return COMPLAIN(loader, node, ERR_RANGE, "the lower limit comes first");
    return code;
}
