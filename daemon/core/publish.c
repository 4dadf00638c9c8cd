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

static void add_sentence(struct text *out, const char *key, const struct rule *rule,
                         const char *words, const struct rule_facts *facts)
{
    char buffer[320];
    struct text sentence = text_in(buffer, sizeof(buffer));
    if (words[0] == '\0')
        return;
    rule_write_text(&sentence, rule, words, facts);
    text_add(out, ",\"%s\":", key);
    text_add_json(out, buffer);
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
    text_add(out, ",\"presence\":\"%s\"", alarm_presence_word(alarm->state));
    text_add(out, ",\"priority\":\"%s\"", priority_word(alarm_priority(alarm)));
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
    struct rule_facts facts = {
        .device = device->name, .room = title, .value = alarm->value, .limit = alarm->limit};
    add_sentence(out, "text", rule, rule->text, &facts);
    add_sentence(out, "plain", rule, rule->plain, &facts);
    add_sentence(out, "action", rule, rule->action, &facts);
    text_add(out, "}");
}
