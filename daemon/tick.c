#include <stdio.h>

#include "base/log.h"
#include "core/ack.h"
#include "core/topic.h"
#include "hub.h"
#include "io/notify.h"

#define WRITER_STUCK 2000 /* ms without a turn of a writing thread, at least; see below */

/* False: not now, for the broker is away or the queue full; it stays due. */
static bool on_ack_due(void *user, const struct device *device, uint64_t boot_id, uint64_t sequence)
{
    struct lumbard *hub = user;
    char topic[MQTT_OUT_TOPIC_BYTES];
    uint8_t ack[ACK_MAX_BYTES];
    if (topic_make(device->driver->plugin->topic, device->name, TOPIC_ACK_LEAF, topic,
                   sizeof(topic)) == 0)
        return true; /* it can be told nothing */
    return hub->health.broker &&
           mqtt_publish(hub->mqtt, topic, ack, ack_write(ack, boot_id, sequence), 0, false);
}

static void end_complaint(struct log_limit *limit, const char *who, int64_t now)
{
    uint64_t count = log_limit_over(limit, now);
    if (count > 0)
        log_notice("%s: a minute without a refused message, after %llu", who,
                   (unsigned long long)count);
}

static void end_complaints(struct lumbard *hub, int64_t now)
{
    end_complaint(&hub->unknown, "unknown topics", now);
    end_complaint(&hub->too_large, "too large messages", now);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++) {
        struct device *device = devices_at(hub->ingest.devices, id);
        for (unsigned r = 0; r < REFUSED_COUNT_; r++)
            end_complaint(&device->complaint[r], device->name, now);
    }
}

/* Paho's thread dropped and acknowledged them; it has no time to say so. */
static void tell_oversize(struct lumbard *hub, int64_t now)
{
    struct mqtt_state broker;
    mqtt_state(hub->mqtt, &broker);
    if (broker.oversize == hub->oversize)
        return;
    hub->oversize = broker.oversize;
    if (log_limit_hit(&hub->too_large, now) > 0)
        log_warn(
            "messages with more than %u bytes, or too long a topic, are dropped (%llu of them)",
            MQTT_PAYLOAD_MAX, (unsigned long long)broker.oversize);
}

/* Does a writing thread stand still? A slow card may take seconds for a sync: two thirds of the
 * watchdog's own time are let pass, which are 20 s in the unit. */
static bool is_stuck(const struct lumbard *hub, int64_t watchdog_ms)
{
    const int64_t turned_ms[] = {spool_copied_ms(hub->spool), store_turned_ms(hub->store),
                                 recorder_turned_ms(hub->recorder)};
    int64_t most_ms = watchdog_ms * 2 / 3 > WRITER_STUCK ? watchdog_ms * 2 / 3 : WRITER_STUCK;
    int64_t mono_ms = clock_mono_ns() / 1000000;
    for (size_t i = 0; i < sizeof(turned_ms) / sizeof(turned_ms[0]); i++)
        if (mono_ms - turned_ms[i] > most_ms)
            return true;
    return false;
}

/* Fed only while the loop and all writing threads move; never dependent on the broker. */
static void feed_watchdog(struct lumbard *hub, int64_t now)
{
    int64_t each_ms = notify_watchdog_ms(); /* half of its time */
    if (each_ms == 0 || now - hub->fed_ms < each_ms || is_stuck(hub, 2 * each_ms))
        return;
    hub->fed_ms = now;
    notify_send("WATCHDOG=1");
}

/* Every few seconds: counters for the page, the status line, ends of complaints. */
static void tell_status(struct lumbard *hub, int64_t now)
{
    if (now - hub->status_ms < 5000)
        return;
    hub->status_ms = now;
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++)
        devices_touch(hub->ingest.devices, devices_at(hub->ingest.devices, id));
    tell_oversize(hub, now);
    end_complaints(hub, now);
    notify_send("STATUS=%s%u devices, %u alarms, broker %s, disk %s, recorder %s, history %s",
                hub->kept.complaint[0] != '\0' ? "CONFIGURATION OF BEFORE; " : "",
                devices_count(hub->ingest.devices), alarms_standing(hub->ingest.alarms),
                hub->health.broker ? "connected" : "away", hub->health.disk ? "ok" : "refusing",
                recorder_is_safe(hub->recorder) ? "ok" : "refused",
                hub->history ? "ok" : "suspended");
}

void hub_on_tick(uv_timer_t *timer)
{
    struct lumbard *hub = timer->data;
    int64_t now = hub_now_ms(hub);
    hub->remembering = false;
    hub_look_for_blame(hub, now);
    ingest_tick(&hub->ingest, now);
    hub_tick_pauses(hub, now);
    hub_tick_sessions(hub, now);
    hub_tick_accounts(hub, now);
    hub_tick_audit(hub, now);
    recorder_tick(hub->recorder, now);
    hub_keep(hub);
    uint64_t lost, synced = spool_synced(hub->spool, &lost);
    if (synced > hub->acked_from)
        synced = hub->acked_from;
    devices_acks(hub->ingest.devices, synced, lost, now, hub->setup.config->devices.ack_ms,
                 on_ack_due, hub);
    hub_look_at_health(hub, now);
    hub_renew_store(hub);
    hub_hold_bound(hub, now);
    hub_store_again(hub);
    hub_store_worse(hub, false);
    hub_publish(hub);
    tell_status(hub, now);
    feed_watchdog(hub, now);
    web_news(hub->web);
}
