#include "core/publish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"

/* A topic of before. */
struct gone {
    char room[64], rule[RULE_NAME_BYTES];
};

struct publisher {
    uint64_t *marks, *next; /* a bit by room, then rule; next: prepared */
    uint32_t rules, next_rules, waiting;
    struct gone *gone;
    uint32_t gone_count, gone_room;
};

static size_t words_of(uint32_t rules)
{
    return ((size_t)(CONFIG_ROOMS_MAX + 1) * rules + 63) / 64;
}

struct publisher *publisher_create(void)
{
    return calloc(1, sizeof(struct publisher));
}

void publisher_destroy(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    free(publisher->marks);
    free(publisher->next);
    free(publisher->gone);
    free(publisher);
}

/* ---- Marks ---- */

static bool set(struct publisher *publisher, size_t bit, bool on)
{
    uint64_t *word = &publisher->marks[bit / 64], mask = UINT64_C(1) << bit % 64;
    bool was = (*word & mask) != 0;
    *word = on ? *word | mask : *word & ~mask;
    return was;
}

static size_t bit_of(const struct publisher *publisher, uint32_t room, uint32_t rule)
{
    return (size_t)room * publisher->rules + rule;
}

void publisher_mark(struct publisher *publisher, uint32_t room, const struct rule *rule)
{
    if (rule->id < publisher->rules && room <= CONFIG_ROOMS_MAX)
        publisher->waiting += !set(publisher, bit_of(publisher, room, rule->id), true);
}

/* Every rule about a device, in the device's room; of those that are built in, which nobody waits
 * for, what stands. */
void publisher_mark_all(struct publisher *publisher, const struct publish_world *world)
{
    for (uint32_t id = 1; id <= devices_count(world->devices); id++) {
        const struct device *device = devices_at(world->devices, id);
        for (uint32_t r = 0; r < rules_written(world->rules); r++)
            if (rules_at(world->rules, r)->driver == device->driver)
                publisher_mark(publisher, device->room, rules_at(world->rules, r));
    }
    for (const struct alarm *at = NULL; (at = alarms_next(world->alarms, at)) != NULL;)
        if (at->rule->lost && at->state != STATE_OFF)
            publisher_mark(publisher, devices_at(world->devices, at->device)->room, at->rule);
}

/* ---- Another set ---- */

static const char *room_name(const struct config *config, uint32_t room)
{
    return room == ROOM_NONE ? "unassigned" : config->rooms[room - 1].name;
}

int publisher_prepare(struct publisher *publisher, uint32_t rules, uint32_t standing)
{
    uint32_t room = publisher->gone_count + standing;
    struct gone *gone = publisher->gone;
    if (room > publisher->gone_room) {
        gone = realloc(gone, room * sizeof(*gone));
        if (gone == NULL)
            return ERR_MEMORY;
        publisher->gone = gone;
        publisher->gone_room = room;
    }
    free(publisher->next);
    publisher->next = calloc(words_of(rules) + 1, sizeof(*publisher->next));
    publisher->next_rules = rules;
    return publisher->next != NULL ? 0 : ERR_MEMORY;
}

void publisher_was(struct publisher *publisher, const char *room, const char *rule)
{
    struct gone was;
    struct text name = text_in(was.room, sizeof(was.room));
    struct text rule_name = text_in(was.rule, sizeof(was.rule));
    text_add(&name, "%s", room[0] != '\0' ? room : "unassigned");
    text_add(&rule_name, "%s", rule);
    for (uint32_t i = 0; i < publisher->gone_count; i++)
        if (strcmp(publisher->gone[i].room, was.room) == 0 &&
            strcmp(publisher->gone[i].rule, was.rule) == 0)
            return;
    if (publisher->gone_count < publisher->gone_room)
        publisher->gone[publisher->gone_count++] = was;
}

void publisher_were(struct publisher *publisher, const struct publish_world *world)
{
    for (const struct alarm *at = NULL; (at = alarms_next(world->alarms, at)) != NULL;) {
        const struct device *device = devices_at(world->devices, at->device);
        if (at->state != STATE_OFF && device != NULL)
            publisher_was(publisher, room_name(world->config, device->room), at->rule->name);
    }
}

/* The room of this name; false: there is none. */
static bool find_room(const struct config *config, const char *name, uint32_t *room)
{
    *room = ROOM_NONE;
    if (strcmp(name, "unassigned") == 0)
        return true;
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strcmp(config->rooms[i].name, name) == 0)
            *room = i + 1;
    return *room != ROOM_NONE;
}

void publisher_begin(struct publisher *publisher, const struct publish_world *world)
{
    uint32_t kept = 0;
    free(publisher->marks);
    publisher->marks = publisher->next;
    publisher->rules = publisher->next_rules;
    publisher->next = NULL;
    publisher->waiting = 0;
    for (uint32_t i = 0; i < publisher->gone_count; i++) {
        uint32_t room;
        const struct rule *rule = rules_find(world->rules, publisher->gone[i].rule);
        if (rule != NULL && find_room(world->config, publisher->gone[i].room, &room))
            publisher_mark(publisher, room, rule); /* a topic still */
        else
            publisher->gone[kept++] = publisher->gone[i];
    }
    publisher->gone_count = kept;
    publisher_mark_all(publisher, world);
}

/* ---- Words ---- */

static void add_instant(struct text *out, const char *key, int64_t at_ms)
{
    char instant[INSTANT_BYTES];
    instant_write(at_ms, instant);
    text_add(out, ",\"%s\":\"%s\"", key, instant);
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

static void add_sentences(struct text *out, const struct publish_world *world,
                          const struct alarm *alarm, const struct device *device)
{
    const struct rule *rule = alarm->rule;
    const char *title =
        device->room == ROOM_NONE ? "unassigned" : world->config->rooms[device->room - 1].title;
    struct rule_facts facts = {.device = device->name,
                               .room = title,
                               .phase = alarm->phase,
                               .value = alarm->value,
                               .limit = alarm->limit};
    add_sentence(out, "text", rule, rule->text, &facts);
    add_sentence(out, "plain", rule, rule->plain, &facts);
    add_sentence(out, "action", rule, rule->action, &facts);
}

static void add_hand(struct text *out, const char *key, const struct alarm_hand *hand,
                     int64_t until_ms)
{
    if (hand->at_ms == 0)
        return;
    text_add(out, ",\"%s\":{\"by\":", key);
    text_add_json(out, hand->who);
    text_add(out, ",\"why\":");
    text_add_json(out, hand->why);
    add_instant(out, "at", hand->at_ms);
    if (until_ms != 0)
        add_instant(out, "until", until_ms);
    text_add(out, "}");
}

static void add_behind(struct text *out, const struct publish_world *world,
                       const struct alarm *alarm)
{
    const struct alarm *cause =
        alarm->behind > 0 ? alarms_by_number(world->alarms, (uint64_t)alarm->behind) : NULL;
    const char *name = alarm->behind == BEHIND_BROKER ? "broker"
                       : alarm->behind == BEHIND_HUB  ? "hub"
                       : cause != NULL                ? cause->rule->name
                                                      : NULL;
    if (name != NULL)
        text_add(out, ",\"behind\":\"%s\"", name);
}

static void add_alarm(struct text *out, const struct publish_world *world,
                      const struct alarm *alarm, const struct device *device)
{
    static const char *const priorities[] = {"none", "low", "medium", "high"};
    const struct rule *rule = alarm->rule;
    const struct lumbar_metric *metric =
        &rule->driver->metrics[rule->metric - rule->driver->first_metric];
    text_add(out, ",\"priority\":\"%s\"", priorities[alarm_priority(alarm)]);
    text_add(out, ",\"kind\":\"%s\"", rule->technical ? "technical" : "clinical");
    text_add(out, ",\"device\":\"%s/%s\"", rule->driver->plugin->kind, device->name);
    text_add(out, ",\"metric\":\"%s\"", metric->name);
    if (!isnan(alarm->value)) {
        text_add(out, ",\"value\":");
        text_add_number(out, alarm->value, metric->decimals);
        text_add(out, ",\"unit\":");
        text_add_json(out, metric->unit);
    }
    if (!isnan(alarm->worst)) {
        text_add(out, ",\"worst\":");
        text_add_number(out, alarm->worst, metric->decimals);
    }
    if (alarm->escalated > 0)
        text_add(out, ",\"escalated\":%u", alarm->escalated);
    add_instant(out, "raised", alarm->raised_ms);
    add_instant(out, "since", alarm->since_ms);
    if (alarm->lost_ms != 0)
        add_instant(out, "unknown_since", alarm->lost_ms);
    add_behind(out, world, alarm);
}

void publish_json(struct text *out, const struct publish_world *world, uint32_t room,
                  const struct rule *rule)
{
    const struct alarm *alarm = alarms_of_room(world->alarms, rule, world->devices, room);
    const struct device *device = alarm != NULL ? devices_at(world->devices, alarm->device) : NULL;
    enum alarm_state state = alarm != NULL ? alarm->state : STATE_OFF;
    text_add(out, "{\"room\":\"%s\",\"rule\":\"%s\",\"presence\":\"%s\"",
             room_name(world->config, room), rule->name, alarm_presence_word(state));
    if (alarm != NULL)
        add_alarm(out, world, alarm, device);
    struct text facts = *out;
    if (alarm != NULL) {
        if (state != STATE_OFF)
            add_hand(out, "acknowledged", &alarm->acked, 0);
        add_hand(out, "shelved", &alarm->shelved, alarm->shelved_until_ms);
        facts = out->cut ? facts : *out;
        add_sentences(out, world, alarm, device);
    }
    text_add(out, "}");
    if (!out->cut)
        return;
    *out = facts;
    out->at[out->length] = '\0';
    text_add(out, "}");
}

/* ---- Sending ---- */

static bool send_gone(struct publisher *publisher, publish_send_cb *send, void *user)
{
    const struct gone *gone = &publisher->gone[publisher->gone_count - 1];
    char topic[PUBLISH_TOPIC_BYTES], json[256];
    struct text name = text_in(topic, sizeof(topic)), off = text_in(json, sizeof(json));
    text_add(&name, "lumbar/v1/alarm/%s/%s", gone->room, gone->rule);
    text_add(&off, "{\"room\":\"%s\",\"rule\":\"%s\",\"presence\":\"off\"}", gone->room,
             gone->rule);
    if (!send(user, topic, json, off.length))
        return false;
    publisher->gone_count--;
    return true;
}

static bool send_marked(struct publisher *publisher, const struct publish_world *world, size_t bit,
                        publish_send_cb *send, void *user)
{
    uint32_t room = (uint32_t)(bit / publisher->rules);
    const struct rule *rule = rules_at(world->rules, (uint32_t)(bit % publisher->rules));
    char topic[PUBLISH_TOPIC_BYTES], json[PUBLISH_BYTES];
    struct text name = text_in(topic, sizeof(topic)), out = text_in(json, sizeof(json));
    if (room <= world->config->room_count && rule != NULL) {
        text_add(&name, "lumbar/v1/alarm/%s/%s", room_name(world->config, room), rule->name);
        publish_json(&out, world, room, rule);
        if (!send(user, topic, json, out.length))
            return false;
    }
    publisher->waiting -= set(publisher, bit, false);
    return true;
}

void publisher_send(struct publisher *publisher, const struct publish_world *world, unsigned most,
                    publish_send_cb *send, void *user)
{
    for (; publisher->gone_count > 0 && most > 0; most--)
        if (!send_gone(publisher, send, user))
            return;
    size_t words = words_of(publisher->rules);
    for (size_t w = 0; w < words && publisher->waiting > 0; w++)
        while (publisher->marks[w] != 0) {
            size_t bit = w * 64 + (size_t)__builtin_ctzll(publisher->marks[w]);
            if (most-- == 0 || !send_marked(publisher, world, bit, send, user))
                return;
        }
}
