#include "core/publish.h"

#include <math.h>
#include <time.h>

static const char *room_name(const struct config *config, uint32_t room)
{
    return room == ROOM_NONE ? "unassigned" : config->rooms[room - 1].name;
}

void publish_alarm_topic(struct text *out, const struct config *config, uint32_t room,
                         const struct rule *rule)
{
    text_add(out, "lumbar/v1/alarm/%s/%s", room_name(config, room), rule->name);
}

/* RFC 3339 in UTC with milliseconds. */
static void add_instant(struct text *out, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char date[32];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    text_add(out, "\"%s.%03dZ\"", date, (int)(at_ms % 1000));
}

static const char *priority_word(enum rule_priority priority)
{
    static const char *const words[] = {"none", "low", "medium", "high"};
    return words[priority];
}

static void add_sentence(struct text *out, const struct rule *rule,
                         const struct lumbar_metric *metric, const char *device, const char *room,
                         double value)
{
    char buffer[320];
    struct text sentence = text_in(buffer, sizeof(buffer));
    rule_write_text(&sentence, rule, metric, device, room, value);
    text_add(out, ",\"text\":");
    text_add_json(out, buffer);
    if (rule->action[0] != '\0') {
        text_add(out, ",\"action\":");
        text_add_json(out, rule->action);
    }
}

void publish_alarm_json(struct text *out, const struct config *config, struct devices *devices,
                        const struct alarm *changed, const struct alarm *standing)
{
    const struct alarm *alarm = standing != NULL ? standing : changed;
    const struct rule *rule = alarm->rule;
    const struct device *device = devices_at(devices, alarm->device);
    const struct lumbar_plugin *plugin = rule->driver->plugin;
    const struct lumbar_metric *metric =
        &rule->driver->metrics[rule->metric - rule->driver->first_metric];

    text_add(out, "{\"room\":\"%s\",\"rule\":\"%s\"", room_name(config, device->room), rule->name);
    text_add(out, ",\"presence\":\"%s\"", standing != NULL ? "on" : "off");
    text_add(out, ",\"priority\":\"%s\"", priority_word(rule->priority));
    text_add(out, ",\"kind\":\"%s\"", rule->technical ? "technical" : "clinical");
    text_add(out, ",\"device\":\"%s/%s\"", plugin->kind, device->name);
    text_add(out, ",\"metric\":\"%s\"", metric->name);
    if (!isnan(alarm->value)) {
        text_add(out, ",\"value\":");
        text_add_number(out, alarm->value, metric->decimals);
        text_add(out, ",\"unit\":");
        text_add_json(out, metric->unit);
    }
    text_add(out, ",\"since\":");
    add_instant(out, alarm->since_ms);
    const char *title =
        device->room == ROOM_NONE ? "unassigned" : config->rooms[device->room - 1].title;
    add_sentence(out, rule, metric, device->name, title, alarm->value);
    text_add(out, "}");
}
