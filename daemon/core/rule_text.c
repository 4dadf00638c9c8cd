/* What people are told of an alarm. */
#include <math.h>
#include <string.h>

#include "core/rules.h"

/* As people write it: UCUM is for machines. */
static const char *shown_unit(const char *unit)
{
    static const struct {
        const char *ucum, *shown;
    } units[] = {{"Cel", " °C"}, {"deg", "°"}, {"deg/s", "°/s"}, {"1", ""}, {"dB{mW}", " dBm"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].ucum) == 0)
            return units[i].shown;
    return NULL;
}

static void write_number(struct text *out, const struct lumbar_metric *metric, double value,
                         unsigned decimals)
{
    const char *unit = shown_unit(metric->unit);
    text_add_number(out, value, decimals);
    if (unit != NULL)
        text_add(out, "%s", unit);
    else
        text_add(out, " %s", metric->unit);
}

static void write_label(struct text *out, const struct lumbar_metric *metric, double value)
{
    for (uint32_t i = 0; metric->labels[i] != NULL; i++)
        if ((double)i == value)
            for (const char *at = metric->labels[i]; *at != '\0'; at++)
                text_add(out, "%c", *at == '_' ? ' ' : *at);
}

static void write_value(struct text *out, const struct lumbar_metric *metric, double value)
{
    if (isnan(value))
        text_add(out, "unknown");
    else if (metric->labels != NULL)
        write_label(out, metric, value);
    else
        write_number(out, metric, value, metric->decimals);
}

/* The limit that was passed. Its decimals are the rule's, not the sensor's. */
static void write_limit(struct text *out, const struct rule *rule,
                        const struct lumbar_metric *metric, double value)
{
    switch (rule->condition) {
    case RULE_ABOVE:
        write_number(out, metric, rule->high, 6);
        break;
    case RULE_BELOW:
        write_number(out, metric, rule->low, 6);
        break;
    case RULE_OUTSIDE:
        write_number(out, metric, value < rule->low ? rule->low : rule->high, 6);
        break;
    case RULE_IS:
        write_label(out, metric, rule->label);
        break;
    case RULE_ABSENT:
        break;
    }
}

/* "90 s", "5 min", "1.5 s". */
static void write_time(struct text *out, int64_t ms)
{
    bool minutes = ms >= 120000 && ms % 60000 == 0;
    text_add_number(out, (double)ms / (minutes ? 60000 : 1000), 3);
    text_add(out, minutes ? " min" : " s");
}

void rule_write_text(struct text *out, const struct rule *rule, const struct lumbar_metric *metric,
                     const char *device, const char *room, double value)
{
    for (const char *at = rule->text; *at != '\0';) {
        size_t plain = strcspn(at, "{");
        text_add(out, "%.*s", (int)plain, at);
        at += plain;
        size_t length = strcspn(at, "}") + 1;
        if (*at == '\0')
            break;
        if (strncmp(at, "{value}", length) == 0)
            write_value(out, metric, value);
        else if (strncmp(at, "{limit}", length) == 0)
            write_limit(out, rule, metric, value);
        else if (strncmp(at, "{for}", length) == 0)
            write_time(out, rule->condition == RULE_ABSENT ? rule->absent_ms : rule->on_delay_ms);
        else if (strncmp(at, "{device}", length) == 0)
            text_add(out, "%s", device);
        else if (strncmp(at, "{room}", length) == 0)
            text_add(out, "%s", room);
        else if (strncmp(at, "{metric}", length) == 0)
            text_add(out, "%s", metric->title);
        at += length; /* the parser let no other word through */
    }
}
