/* What a change of an alarm causes: it is stored, logged, shown and published. */
#include "base/log.h"
#include "core/topic.h"
#include "hub.h"
#include "io/store_rows.h"

#define WORSE_MS     10000 /* between two of what has become worse, for the store */
#define PUBLISH_MOST 128   /* words at a time: the queue to the broker is others', too */

struct publish_world hub_publish_world(const struct lumbard *hub)
{
    return (struct publish_world){.config = hub->setup.config,
                                  .rules = hub->setup.rules,
                                  .devices = hub->ingest.devices,
                                  .alarms = hub->ingest.alarms};
}

static bool send_word(void *user, const char *topic, const char *json, size_t bytes)
{
    struct lumbard *hub = user;
    return mqtt_publish(hub->mqtt, topic, json, bytes, 1, true);
}

void hub_publish(struct lumbard *hub)
{
    struct publish_world world = hub_publish_world(hub);
    if (!hub->health.broker) /* the last word waits, not each */
        return;
    publisher_send(hub->publisher, &world, PUBLISH_MOST, send_word, hub);
}

bool hub_tell_device(struct lumbard *hub, const struct device *device, const char *leaf,
                     const uint8_t *payload, size_t bytes)
{
    char topic[MQTT_OUT_TOPIC_BYTES];
    return topic_make(device->driver->plugin->topic, device->name, leaf, topic, sizeof(topic)) >
               0 &&
           mqtt_publish(hub->mqtt, topic, payload, bytes, 0, false);
}

static const char *room_name(const struct lumbard *hub, const struct device *device)
{
    return device->room != ROOM_NONE ? hub->setup.config->rooms[device->room - 1].name : "";
}

static void log_alarm(const struct lumbard *hub, const struct alarm *alarm)
{
    const struct rule *rule = alarm->rule;
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const struct alarm_hand *hand = alarms_hand(hub->ingest.alarms);
    const char *room = hub_room_title(hub, device->room);
    char sentence[320];
    struct text text = text_in(sentence, sizeof(sentence));
    rule_write_text(&text, rule, rule->text,
                    &(struct rule_facts){.device = device->name,
                                         .room = room,
                                         .phase = alarm->phase,
                                         .value = alarm->value,
                                         .limit = alarm->limit});
    bool loud = alarm->behind == 0 && (alarm->deed == DEED_RAISE || alarm->deed == DEED_ESCALATE);
    const char *deed = alarm_deed_word(alarm->deed);
    const struct log_field fields[] = {{"LUMBAR_RULE", rule->name},
                                       {"LUMBAR_DEED", deed},
                                       {"LUMBAR_ROOM", room_name(hub, device)},
                                       {"LUMBAR_KIND", rule->driver->plugin->kind},
                                       {"LUMBAR_DEVICE", device->name},
                                       {NULL, NULL}};
    log_fields(loud ? LOG_NOTICE : LOG_INFO, fields, "alarm %s %s%s%s, %s, %s/%s: %s", rule->name,
               deed, hand->who[0] != '\0' ? " by " : "", hand->who, room,
               rule->driver->plugin->kind, device->name, sentence);
}

void hub_store_rooms(struct lumbard *hub)
{
    for (const struct alarm *at = NULL; (at = alarms_next(hub->ingest.alarms, at)) != NULL;) {
        const struct device *device = devices_at(hub->ingest.devices, at->device);
        if (at->state != STATE_OFF)
            store_alarm_room(hub->store, at, device, room_name(hub, device));
    }
}

/* All that changed since; false where the store has no room. */
static bool store_changed(struct lumbard *hub, uint64_t change)
{
    for (const struct alarm *at = NULL; (at = alarms_next(hub->ingest.alarms, at)) != NULL;) {
        const struct device *device = devices_at(hub->ingest.devices, at->device);
        if (at->change >= change &&
            !store_alarm_room(hub->store, at, device, room_name(hub, device)))
            return false;
    }
    return true;
}

static void store_alarms_again(struct lumbard *hub)
{
    if (hub->unstored.alarm != 0 && store_changed(hub, hub->unstored.alarm))
        hub->unstored.alarm = 0;
}

void hub_take_worse(struct lumbard *hub, const struct alarm *alarm)
{
    if (hub->worse.change == 0)
        hub->worse.change = alarm->change;
}

/* It is no transition, and may come with every second: a card is not to be worn by it. */
void hub_store_worse(struct lumbard *hub, bool now)
{
    int64_t now_ms = hub_now_ms(hub);
    if (hub->worse.change == 0 || (!now && now_ms - hub->worse.stored_ms < WORSE_MS))
        return;
    if (!store_changed(hub, hub->worse.change))
        return;
    hub->worse.change = 0;
    hub->worse.stored_ms = now_ms;
}

/* As they are by now. What they went through meanwhile is lost, and the store has said so. */
void hub_store_again(struct lumbard *hub)
{
    store_alarms_again(hub);
    hub_store_people_again(hub);
    hub_store_accounts_again(hub);
    hub_store_audit_again(hub);
    hub_prune_audit(hub);
    hub_store_glass_again(hub);
    hub_store_sessions_again(hub);
    hub_store_calibration_again(hub);
    hub_erase_on(hub);
    hub_store_pauses_again(hub);
    hub_store_placements_again(hub);
    hub->refused_rows = store_refused_rows(hub->store);
}

static void store_change(struct lumbard *hub, const struct alarm *alarm,
                         const struct device *device)
{
    const struct alarm_hand *hand = alarms_hand(hub->ingest.alarms);
    if (!store_alarm(hub->store, alarm, device, room_name(hub, device), hand) &&
        hub->unstored.alarm == 0)
        hub->unstored.alarm = alarm->change;
}

/* What somebody is to answer begins; what was found in the same moment to have another cause did
 * not. */
static void note_flood(struct lumbard *hub, const struct alarm *alarm)
{
    bool begins = alarm->deed == DEED_RAISE || alarm->deed == DEED_SHOW;
    if (begins && alarm->shelved_until_ms == 0 && alarm->behind == 0)
        flood_note(&hub->flood, hub_now_ms(hub));
    else if (alarm->deed == DEED_HIDE && alarm->deed_ms == alarm->raised_ms)
        flood_take_back(&hub->flood);
}

void hub_tell_alarm(struct lumbard *hub, const struct alarm *alarm)
{
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    store_change(hub, alarm, device);
    hub_stop_phase(hub, alarm);
    publisher_mark(hub->publisher, device->room, alarm->rule);
    /* Nobody to be told yet: in the child that tries a message, too, which must survive it. */
    if (hub->remembering || hub->recovering)
        return;
    note_flood(hub, alarm);
    log_alarm(hub, alarm);
    web_alarm(hub->web);
    hub_publish(hub);
    hub_note_pauses(hub, alarm, device->room);
    hub_call(hub, alarm);
}
