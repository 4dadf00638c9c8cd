/* What a change of an alarm causes: it is stored, logged, shown and published. */
#include "base/log.h"
#include "core/publish.h"
#include "hub.h"
#include "io/store_rows.h"

static void publish(struct lumbard *hub, const struct alarm *alarm)
{
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const struct alarm *standing =
        alarms_of_room(hub->ingest.alarms, alarm->rule, hub->ingest.devices, device->room);
    char topic[MQTT_OUT_TOPIC_BYTES], json[MQTT_OUT_BYTES];
    struct text topic_text = text_in(topic, sizeof(topic));
    struct text json_text = text_in(json, sizeof(json));
    publish_alarm_topic(&topic_text, hub->setup.config, device->room, alarm->rule);
    publish_alarm_json(&json_text, hub->setup.config, hub->ingest.devices, alarm, standing);
    if (topic_text.cut || json_text.cut ||
        !mqtt_publish(hub->mqtt, topic, json, json_text.length, 1, true))
        log_warn("alarm %s of %s could not be queued for the broker", alarm->rule->name,
                 device->name);
}

static void log_alarm(const struct lumbard *hub, const struct alarm *alarm)
{
    const struct rule *rule = alarm->rule;
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const struct alarm_hand *hand = alarms_hand(hub->ingest.alarms);
    const char *room = hub_room_title(hub, device->room);
    char sentence[320];
    struct text text = text_in(sentence, sizeof(sentence));
    rule_write_text(
        &text, rule, rule->text,
        &(struct rule_facts){
            .device = device->name, .room = room, .value = alarm->value, .limit = alarm->limit});
    bool loud = alarm->deed == DEED_RAISE || alarm->deed == DEED_ESCALATE;
    log_line(loud ? LOG_NOTICE : LOG_INFO, "alarm %s %s%s%s, %s, %s/%s: %s", rule->name,
             alarm_deed_word(alarm->deed), hand->who[0] != '\0' ? " by " : "", hand->who, room,
             rule->driver->plugin->kind, device->name, sentence);
}

void hub_tell_alarm(struct lumbard *hub, const struct alarm *alarm)
{
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const char *room =
        device->room != ROOM_NONE ? hub->setup.config->rooms[device->room - 1].name : "";
    store_alarm(hub->store, alarm, device, room, alarms_hand(hub->ingest.alarms));
    /* Nobody to be told yet: in the child that tries a message, too, which must survive it. */
    if (hub->remembering || hub->recovering)
        return;
    log_alarm(hub, alarm);
    web_alarm(hub->web);
    publish(hub, alarm);
}
