/* Alarms: those that stand or are shelved, and those that are over and not yet forgotten. */
#include "api/api.h"

#include <math.h>
#include <string.h>

static const char *const priorities[] = {"none", "low", "medium", "high"};

/* One of the rule's texts with its words filled in. */
static json_t *sentence_of(const struct rule *rule, const char *words,
                           const struct rule_facts *facts)
{
    char sentence[512];
    struct text text = text_in(sentence, sizeof(sentence));
    rule_write_text(&text, rule, words, facts);
    return json_string(sentence);
}

/* What somebody did, while it holds. */
static void add_hand(json_t *object, const char *name, const struct alarm_hand *hand,
                     int64_t until_ms)
{
    if (hand->at_ms == 0)
        return;
    json_t *said = json_pack("{s:o, s:s, s:s}", "at", api_instant(hand->at_ms), "by", hand->who,
                             "why", hand->why);
    if (until_ms != 0)
        json_object_set_new(said, "until", api_instant(until_ms));
    json_object_set_new(object, name, said);
}

/* Its root cause, which is told in its place; and how many are behind this one. */
static void add_cause(json_t *object, const struct lumbard *hub, const struct alarm *alarm)
{
    const struct alarm *cause =
        alarm->behind > 0 ? alarms_by_number(hub->ingest.alarms, (uint64_t)alarm->behind) : NULL;
    json_object_set_new(object, "hides", json_integer(alarm->hides));
    if (alarm->behind == BEHIND_BROKER || alarm->behind == BEHIND_HUB)
        json_object_set_new(object, "behind",
                            json_string(alarm->behind == BEHIND_BROKER ? "broker" : "hub"));
    else if (cause != NULL)
        json_object_set_new(object, "behind", json_string(cause->rule->name));
}

static void add_life(json_t *object, const struct alarm *alarm)
{
    json_object_set_new(object, "state", json_string(alarm_state_word(alarm->state)));
    json_object_set_new(object, "escalated", json_integer(alarm->escalated));
    if (alarm->lost_ms != 0)
        json_object_set_new(object, "unknown_since", api_instant(alarm->lost_ms));
    add_hand(object, "acknowledged", &alarm->acked, 0);
    add_hand(object, "shelved", &alarm->shelved, alarm->shelved_until_ms);
}

json_t *api_alarm(const struct lumbard *hub, const struct alarm *alarm)
{
    const struct rule *rule = alarm->rule;
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const struct lumbar_metric *metric = drivers_metric(&hub->setup.drivers, rule->metric, NULL);
    struct rule_facts facts = {.device = device->name,
                               .room = hub_room_title(hub, device->room),
                               .phase = alarm->phase,
                               .value = alarm->value,
                               .limit = alarm->limit};
    json_t *object = json_pack(
        "{s:I, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "number",
        (json_int_t)alarm->number, "rule", rule->name, "room", api_room_name(hub, device->room),
        "device", api_device_name(device), "presence", alarm_presence_word(alarm->state),
        "priority", priorities[alarm_priority(alarm)], "kind",
        rule->technical ? "technical" : "clinical", "metric", metric->name, "value",
        api_number(alarm->value, metric->decimals), "unit", metric->unit, "raised",
        api_instant(alarm->raised_ms), "since", api_instant(alarm->since_ms), "text",
        sentence_of(rule, rule->text, &facts), "plain", sentence_of(rule, rule->plain, &facts),
        "action", sentence_of(rule, rule->action, &facts));
    if (!isnan(alarm->worst))
        json_object_set_new(object, "worst", api_number(alarm->worst, metric->decimals));
    add_life(object, alarm);
    add_cause(object, hub, alarm);
    return object;
}

static bool is_in(const struct lumbard *hub, uint32_t id, const char *room)
{
    const struct device *device = devices_at(hub->ingest.devices, id);
    return device->room != ROOM_NONE &&
           strcmp(hub->setup.config->rooms[device->room - 1].name, room) == 0;
}

static bool is_told(const struct lumbard *hub, const struct api_call *call, uint32_t id)
{
    return api_sees(call, devices_at(hub->ingest.devices, id)->room);
}

static json_t *suppressed_of(const struct lumbard *hub, const struct suppressed *entry)
{
    const struct rule *rule = entry->rule;
    const struct device *device = devices_at(hub->ingest.devices, entry->device);
    const struct rule_facts facts = {.device = device->name,
                                     .room = hub_room_title(hub, device->room),
                                     .phase = entry->phase,
                                     .value = entry->value,
                                     .limit = entry->limit};
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s?, s:o, s:o}", "rule", rule->name, "room",
                     api_room_name(hub, device->room), "device", api_device_name(device),
                     "priority", priorities[rule->priority], "kind",
                     rule->technical ? "technical" : "clinical", "phase", entry->phase, "since",
                     api_instant(entry->since_ms), "text", sentence_of(rule, rule->text, &facts));
}

/* What would be raised, if it were armed. */
static json_t *suppressed_list(const struct lumbard *hub, const struct api_call *call)
{
    const char *room = api_query(call, "room");
    const struct suppressions *all = &hub->suppressions;
    json_t *list = json_array();
    for (uint32_t i = 0; i < all->count; i++)
        if (is_told(hub, call, all->list[i].device) &&
            (room == NULL || is_in(hub, all->list[i].device, room)))
            json_array_append_new(list, suppressed_of(hub, &all->list[i]));
    return list;
}

/* ?room=NAME, ?over=1: with those that are over, ?after=PLACE&limit=N: a page at a time. */
enum api_outcome api_get_alarms(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *room = api_query(call, "room");
    bool over = api_query_integer(&reader, "over", 0, 1, 0) == 1;
    struct api_page page;
    api_read_page(&reader, ALARMS_PLACES, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    const struct alarm *alarm = NULL;
    uint32_t place = page.after;
    for (; (alarm = alarms_at(hub->ingest.alarms, place)) != NULL; place++) {
        if (alarm->number == 0 || !is_told(hub, call, alarm->device) ||
            (!over && alarm->state == STATE_OFF && alarm->shelved_until_ms == 0) ||
            (room != NULL && !is_in(hub, alarm->device, room)))
            continue;
        if (json_array_size(list) == page.limit)
            break;
        json_array_append_new(list, api_alarm(hub, alarm));
    }
    return api_give(answer, 200,
                    json_pack("{s:o, s:o, s:i, s:o}", "alarms", list, "next",
                              api_next(alarm != NULL, place), "standing",
                              (int)alarms_standing(hub->ingest.alarms), "suppressed",
                              suppressed_list(hub, call)));
}

enum api_outcome api_get_alarm(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint64_t number = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const struct alarm *alarm = alarms_by_number(hub->ingest.alarms, number);
    if (alarm != NULL)
        return api_give(answer, 200, api_alarm(hub, alarm));
    return api_problem(answer, 404, "There is no alarm %llu.", (unsigned long long)number);
}
