/* What people are told of an alarm. */
#include <math.h>
#include <string.h>

#include "core/rules.h"

static void write_number(struct text *out, const struct lumbar_metric *metric, double value,
                         unsigned decimals)
{
    text_add_number(out, value, decimals);
    unit_write(out, metric->unit);
}

static void write_label(struct text *out, const struct lumbar_metric *metric, double value)
{
    for (uint32_t i = 0; metric->labels[i] != NULL; i++)
        if ((double)i == value)
            for (const char *at = metric->labels[i]; *at != '\0'; at++)
                text_add(out, "%c", *at == '_' ? ' ' : *at);
}

static void write_value(struct text *out, const struct rule *rule,
                        const struct lumbar_metric *metric, double value)
{
    if (isnan(value))
        text_add(out, "unknown");
    else if (rule->window == WINDOW_COUNT)
        text_add_number(out, value, 0);
    else if (metric->labels != NULL)
        write_label(out, metric, value);
    else
        write_number(out, metric, value, metric->decimals + (rule->window == WINDOW_RATE));
    if (!isnan(value) && rule->window == WINDOW_RATE)
        text_add(out, "%s", rule->rate_unit);
}

/* The limit that was passed. Its decimals are the rule's, not the sensor's. */
static void write_limit(struct text *out, const struct rule *rule,
                        const struct lumbar_metric *metric, double limit)
{
    if (rule->window == WINDOW_COUNT && !isnan(limit))
        text_add_number(out, limit, 0);
    else if (rule->condition == RULE_IS)
        write_label(out, metric, rule->label);
    else if (isnan(limit))
        text_add(out, "unknown");
    else
        write_number(out, metric, limit, 6);
    if (!isnan(limit) && rule->window == WINDOW_RATE)
        text_add(out, "%s", rule->rate_unit);
}

/* "90 s", "5 min", "1.5 s". */
static void write_time(struct text *out, int64_t ms)
{
    bool minutes = ms >= 120000 && ms % 60000 == 0;
    text_add_number(out, (double)ms / (minutes ? 60000 : 1000), 3);
    text_add(out, minutes ? " min" : " s");
}

static void write_word(struct text *out, const struct rule *rule, const char *word, size_t length,
                       const struct rule_facts *facts)
{
    const struct lumbar_metric *metric =
        &rule->driver->metrics[rule->metric - rule->driver->first_metric];
    if (strncmp(word, "{value}", length) == 0)
        write_value(out, rule, metric, facts->value);
    else if (strncmp(word, "{limit}", length) == 0)
        write_limit(out, rule, metric, facts->limit);
    else if (strncmp(word, "{for}", length) == 0)
        write_time(out, rule->condition == RULE_ABSENT ? rule->absent_ms
                        : rule->on_delay_ms > 0        ? rule->on_delay_ms
                                                       : rule->window_ms);
    else if (strncmp(word, "{device}", length) == 0)
        text_add(out, "%s", facts->device);
    else if (strncmp(word, "{room}", length) == 0)
        text_add(out, "%s", facts->room);
    else if (strncmp(word, "{metric}", length) == 0)
        text_add(out, "%s", metric->title);
    else if (strncmp(word, "{phase}", length) == 0)
        text_add(out, "%s",
                 facts->phase != NULL && facts->phase[0] != '\0' ? facts->phase : "no phase");
}

void rule_write_text(struct text *out, const struct rule *rule, const char *words,
                     const struct rule_facts *facts)
{
    for (const char *at = words; *at != '\0';) {
        size_t plain = strcspn(at, "{");
        text_add(out, "%.*s", (int)plain, at);
        at += plain;
        if (*at == '\0')
            break;
        size_t length = strcspn(at, "}") + 1;
        write_word(out, rule, at, length, facts);
        at += length;
    }
}
