/* How the hub itself is, four times a second: broker, disk, the machine's clock, alarm floods, and
 * who is to blame for silence. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "hub.h"
#include "hub.pb-c.h"
#include "io/notify.h"

#define HEARTBEAT_OLD 3000 /* ms without it: the path to the broker is said to be gone */
#define CLOCK_LOOK_MS 1000
#define CLOCK_OFF_MS  5000   /* a difference beyond this was no slow correction */
#define CLOCK_WAIT_MS 10000  /* after a start or a treatment, before a start for its sake */
#define STALL_MS      2000   /* between two ticks: the hub stood still */
#define DROPS_MS      600000 /* so long a dropped message is spoken of */
#define SETTLE_MS     10000  /* and for so long devices may be silent for no fault of theirs */

static void look_at_flood(struct lumbard *hub, int64_t now_ms)
{
    if (!flood_tick(&hub->flood, (uint32_t)hub->setup.config->alarms.flood, now_ms))
        return;
    if (hub->flood.on)
        log_warn("alarm flood: %u alarms began within ten minutes", hub->flood.count);
    else
        log_notice("alarm flood is over");
}

/* ---- The clock ---- */

static bool treats(const struct lumbard *hub)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++)
        if (hub_running_session(hub, room) != 0)
            return true;
    return false;
}

static void tell_clock(const struct lumbard *hub, const struct hub_clock *before)
{
    const struct hub_clock *now = &hub->clock;
    if (now->off_ms != 0 && before->off_ms == 0)
        log_warn("clock: it was set by %+.1f s; times are still those of before, until the hub is "
                 "started anew",
                 (double)now->off_ms / 1000);
    else if (now->off_ms == 0 && before->off_ms != 0)
        log_notice("clock: it is again what it was at the start");
    if (!now->is_set && before->is_set)
        log_warn("clock: it was not set since the machine was switched on; all times are wrong");
}

static void read_clock(struct lumbard *hub, int64_t now_ms)
{
    struct hub_clock *clock = &hub->clock;
    int64_t off_ms = clock_hub_offset_ms() - clock->wall_offset_ms;
    /* Two looks have to agree: between two clocks that are read, this thread may be stopped. */
    if (llabs(off_ms - clock->seen_ms) < CLOCK_LOOK_MS)
        clock->off_ms = llabs(off_ms) > CLOCK_OFF_MS ? off_ms : 0;
    clock->seen_ms = off_ms;
    clock->is_set =
        clock_wall_ms() >= CLOCK_PLAUSIBLE_MS && !(clock->is_behind && clock->off_ms == 0);
    clock->is_synchronised = clock_is_synchronised();
    clock->looked_ms = now_ms;
}

/* Hub time goes on evenly whatever happens to the wall clock, for delays, phases and strips depend
 * on it. A machine that had no network at its start is set later, by hours perhaps: then only a new
 * start puts the times right. It takes half a second and loses nothing, but is put off while
 * somebody is treated, and until what was said of that is answered. */
static void look_at_clock(struct lumbard *hub, int64_t now_ms)
{
    struct hub_clock *clock = &hub->clock;
    if (clock->looked_ms != 0 && now_ms - clock->looked_ms < CLOCK_LOOK_MS)
        return;
    struct hub_clock before = *clock;
    if (before.looked_ms == 0) {
        before.is_set = true;
        clock->busy_ms = now_ms;
    }
    read_clock(hub, now_ms);
    tell_clock(hub, &before);
    bool in_doubt = clock->off_ms != 0 || !clock->is_set;
    if (in_doubt != hub->ingest.clock_in_doubt)
        ingest_doubt_clock(&hub->ingest, in_doubt);
    if (treats(hub))
        clock->busy_ms = now_ms;
    if (clock->off_ms == 0 || hub->stopping || !notify_is_heard() ||
        now_ms - clock->busy_ms < CLOCK_WAIT_MS)
        return;
    log_notice("clock: starting anew, to have the right time");
    hub_stop(hub);
}

/* ---- Health ---- */

static bool is_ill(const struct frame_health *health)
{
    return !health->disk || health->history_damaged || health->clock_unset ||
           health->clock_off_ms != 0;
}

/* What is wrong, retained for who watches the hub. */
static void tell_state(struct lumbard *hub, const struct frame_health *now, uint64_t uncopied_bytes)
{
    char json[192];
    const char *clock = now->clock_unset ? "unset" : now->clock_off_ms != 0 ? "off" : "ok";
    int bytes = snprintf(json, sizeof(json),
                         "{\"state\":\"online\",\"version\":\"" LUMBAR_VERSION
                         "\",\"disk\":\"%s\",\"history\":\"%s\",\"uncopied_bytes\":%llu,"
                         "\"clock\":\"%s\"}",
                         now->disk ? "ok" : "refusing", now->history_damaged ? "damaged" : "ok",
                         (unsigned long long)uncopied_bytes, clock);
    mqtt_publish(hub->mqtt, mqtt_status_topic(hub->mqtt), json, (size_t)bytes, 1, true);
}

/* What comes reaches the disk, or no longer. */
static void log_disk(bool safe, uint64_t uncopied_bytes)
{
    if (safe)
        log_notice("disk: works again; %llu bytes of messages never came to it",
                   (unsigned long long)uncopied_bytes);
    else
        log_error("disk: full or failing; rooms are shown live, and nothing is safe from a power "
                  "cut or acknowledged to devices");
}

static void tell_changes(struct lumbard *hub, const struct frame_health *now,
                         const struct mqtt_state *broker, uint64_t uncopied_bytes)
{
    const struct frame_health *before = &hub->health;
    if (now->broker != before->broker && now->broker)
        log_notice("broker connected");
    else if (now->broker != before->broker)
        log_warn("broker lost%s%s", broker->last_error[0] != '\0' ? ": " : "", broker->last_error);
    if (now->disk != before->disk)
        log_disk(now->disk, uncopied_bytes);
    bool changed = now->disk != before->disk || now->history_damaged != before->history_damaged ||
                   now->clock_unset != before->clock_unset ||
                   (now->clock_off_ms != 0) != (before->clock_off_ms != 0);
    if (changed || (is_ill(now) && now->broker && !before->broker))
        tell_state(hub, now, uncopied_bytes);
}

/* It goes on being away: so it is to blame, and a moment longer. */
static void is_away(struct hub_blame *blame, int64_t since_ms, int64_t now)
{
    if (blame->since_ms == 0)
        blame->since_ms = since_ms;
    blame->until_ms = now + SETTLE_MS;
}

/* Who is silent because the hub, or its broker, was away is not to be blamed for it. */
void hub_look_for_blame(struct lumbard *hub, int64_t now)
{
    int64_t stood_ms = hub->ticked_ms != 0 ? now - hub->ticked_ms : 0;
    if (hub->ticked_ms == 0 || stood_ms > STALL_MS)
        is_away(&hub->own_blame, now - stood_ms, now);
    if (stood_ms > STALL_MS)
        log_warn("the hub stood still for %lld ms", (long long)stood_ms);
    hub->ticked_ms = now;
    if (!hub->health.broker && hub->connects > 0)
        is_away(&hub->broker_blame, now - HEARTBEAT_OLD, now);
    if (now >= hub->own_blame.until_ms)
        hub->own_blame.since_ms = 0;
    if (now >= hub->broker_blame.until_ms)
        hub->broker_blame.since_ms = 0;
    alarms_blame(hub->ingest.alarms, hub->own_blame.since_ms, hub->broker_blame.since_ms);
}

/* Said as a device says things, by the broker and through all that a message goes through: so it is
 * an alarm where a rule makes one of it (proto/hub.proto). */
static void say_trouble(struct lumbard *hub, Lumbar__Hub__V1__Trouble trouble)
{
    Lumbar__Hub__V1__Telemetry said = LUMBAR__HUB__V1__TELEMETRY__INIT;
    uint8_t bytes[16];
    char topic[128];
    said.n_troubles = 1;
    said.troubles = &trouble;
    snprintf(topic, sizeof(topic), "lumbar/v1/hub/%s/telemetry",
             hub->setup.config->broker.client_id);
    mqtt_publish(hub->mqtt, topic, bytes, lumbar__hub__v1__telemetry__pack(&said, bytes), 1, false);
}

/* Messages that the broker dropped are lost for whoever was to have them, the hub perhaps: it is
 * said, and stays said for a while. A broker that began anew counts from 0. */
static void look_at_drops(struct lumbard *hub, const struct mqtt_state *broker, int64_t now_ms)
{
    struct hub_drops *drops = &hub->drops;
    if (drops->lately > 0 && now_ms - drops->at_ms > DROPS_MS) {
        log_notice("broker: ten minutes without a dropped message, after %llu",
                   (unsigned long long)drops->lately);
        drops->lately = 0;
    }
    if (!broker->tells_dropped)
        return;
    if (drops->known && broker->dropped > drops->count) {
        log_warn("broker: it dropped %llu messages for its clients",
                 (unsigned long long)(broker->dropped - drops->count));
        drops->lately += broker->dropped - drops->count;
        drops->at_ms = now_ms;
        say_trouble(hub, LUMBAR__HUB__V1__TROUBLE__TROUBLE_BROKER_DROPPED);
    }
    drops->known = true;
    drops->count = broker->dropped;
}

void hub_look_at_health(struct lumbard *hub, int64_t now_ms)
{
    struct mqtt_state broker;
    struct spool_stats spool;
    char damaged[STORE_NAME_BYTES];
    look_at_flood(hub, now_ms);
    look_at_clock(hub, now_ms);
    hub_tick_certificate(hub, now_ms);
    mqtt_state(hub->mqtt, &broker);
    spool_stats(hub->spool, &spool);
    look_at_drops(hub, &broker, now_ms);
    int64_t silent_ms = (clock_mono_ns() - broker.heard_mono_ns) / 1000000;
    struct frame_health now = {
        .broker = broker.connected && silent_ms < HEARTBEAT_OLD,
        .disk = spool_is_safe(hub->spool),
        .heartbeat_ms = (uint32_t)(broker.heartbeat_ns / 1000000),
        .messages = hub->ingest.messages,
        .refused = hub->ingest.refused,
        .dropped = spool.dropped,
        .alarms_begun = hub->flood.count,
        .flood = hub->flood.on,
        .alarms_lost = hub->ingest.alarms_waiting,
        .clock_unset = !hub->clock.is_set,
        .clock_off_ms = hub->clock.off_ms,
        .oversize = broker.oversize,
        .quarantined = quarantine_held(hub->quarantine),
        .history_damaged = store_damaged(hub->store, damaged),
        .history_rebuilding = store_is_rebuilding(hub->store),
        .settling = hub->own_blame.since_ms != 0 || hub->broker_blame.since_ms != 0,
        .config_old = hub->kept.complaint[0] != '\0',
        .certificate_ends = hub->certificate_ends,
        .certificate_days = (int32_t)hub->certificate_days,
        .second = now_ms / 1000,
    };
    tell_changes(hub, &now, &broker, spool.uncopied_bytes);
    if (broker.connected && broker.connects != hub->connects) {
        struct publish_world world = hub_publish_world(hub);
        hub->connects = broker.connects; /* it may have forgotten what was retained */
        publisher_mark_all(hub->publisher, &world);
    }
    hub->health = now;
    frame_set_health(hub->frame, &now);
}
