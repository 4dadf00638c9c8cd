#include "core/ingest.h"

#include <string.h>

#include "base/text.h"
#include "core/topic.h"

#define LEFT_OUT "its plugin is left out, for it killed the hub"

static uint32_t room_of(const struct ingest *ingest, const struct device *device)
{
    return placements_room(ingest->placements, ingest->config, device);
}

/* The device that the topic names, put into its room when it is heard for the first time. */
static struct device *hear(struct ingest *ingest, const struct driver *driver,
                           const struct topic *topic)
{
    uint32_t known = devices_count(ingest->devices);
    struct device *device =
        devices_hear(ingest->devices, driver, topic->device, topic->device_bytes);
    if (device != NULL && devices_count(ingest->devices) > known)
        devices_assign(ingest->devices, device, room_of(ingest, device));
    return device;
}

static enum ingest_result refuse(struct ingest *ingest, struct device *device, enum refusal why,
                                 const char *reason, const struct ingest_message *message)
{
    ingest->refused++;
    if (device != NULL)
        device->refused[why]++;
    if (ingest->on_refused != NULL)
        ingest->on_refused(ingest->user, device, why, reason, message);
    return INGEST_REFUSED;
}

static void tell(struct ingest *ingest, const struct alarm *alarm)
{
    if (alarm != NULL && ingest->on_alarm != NULL)
        ingest->on_alarm(ingest->user, alarm);
}

static void wait_for_place(struct ingest *ingest, const struct rule_event *event)
{
    rules_untold(ingest->rules, event);
    ingest->alarms_waiting++;
    if (ingest->on_overflow != NULL)
        ingest->on_overflow(ingest->user, event);
}

static void on_rule(void *user, const struct rule_event *event)
{
    struct ingest *ingest = user;
    struct rule_event found = *event;
    if (event->on || event->suppressed)
        found.phase = rules_phase(ingest->rules, devices_at(ingest->devices, event->device)->room);
    if (ingest->suppressions != NULL)
        suppressions_take(ingest->suppressions, &found);
    if (ingest->quiet)
        return;
    uint64_t overflow = alarms_overflow(ingest->alarms);
    tell(ingest, alarms_take(ingest->alarms, &found));
    if (alarms_overflow(ingest->alarms) == overflow)
        return;
    const struct alarm *least =
        alarms_displace(ingest->alarms, event->rule->priority, event->time_ms);
    tell(ingest, least);
    wait_for_place(
        ingest,
        least == NULL ? event : &(struct rule_event){.rule = least->rule, .device = least->device});
    if (least != NULL)
        tell(ingest, alarms_take(ingest->alarms, &found));
}

/* Does its sender hold it until it is told that it is on disk? */
static bool is_held(const struct lumbar_batch *batch)
{
    return (batch->flags & LUMBAR_HAS_SEQUENCE) != 0 && batch->held_from != 0 &&
           batch->held_from <= batch->sequence;
}

/* The session that the device is in: a pause is a part of it, for what was begun may go on. */
static struct derive_session session_of(const struct ingest *ingest, const struct device *device)
{
    const struct session *session = NULL;
    if (ingest->session != NULL)
        return *ingest->session;
    if (ingest->sessions != NULL)
        session = sessions_at(ingest->sessions, sessions_room_of(ingest->sessions, device));
    if (session == NULL || (session->state != SESSION_RUNNING && session->state != SESSION_PAUSED))
        return (struct derive_session){.id = 0};
    struct derive_session of = {
        .id = session->id, .phase = session->phase, .began_ms = session->started_ms};
    if (session->phase < session->plan.phase_count)
        of.phase_ms = session->phases[session->phase].began_ms;
    return of;
}

static void derive(struct ingest *ingest, const struct device *device, int64_t received_ms,
                   int64_t offset_ms, struct decoded *message)
{
    if (ingest->derive == NULL || ingest->quiet || !derive_is_of(ingest->derive, device))
        return;
    struct derive_session session = session_of(ingest, device);
    derive_take(ingest->derive, device, &session, received_ms, offset_ms, message);
}

/* Where the samples of a message go. */
static void spread(struct ingest *ingest, struct device *device, const struct decoded *message,
                   int64_t offset_ms, int64_t now_ms)
{
    const struct lumbar_batch *batch = &message->batch;
    device_note(device, batch, offset_ms);
    if (ingest->sessions != NULL && !ingest->quiet)
        sessions_touch(ingest->sessions, device, batch, offset_ms);
    feed_push(ingest->feed, device, batch, offset_ms, now_ms);
    if (ingest->history != NULL)
        history_add(ingest->history, device, batch, offset_ms);
    rules_judge(ingest->rules, ingest->devices, device, message, offset_ms, on_rule, ingest);
}

/* A device that answers each command with a message that asks for another one must not go round and
 * round: it is told something once a second at most. What a run before has used was said then. */
static void say_command(struct ingest *ingest, struct device *device,
                        const struct lumbar_batch *batch, const struct ingest_message *message,
                        int64_t now_ms)
{
    if (batch->command_leaf == NULL || ingest->on_command == NULL || message->used)
        return;
    bool soon = device->commanded_ms != 0 && now_ms - device->commanded_ms < INGEST_COMMAND_MS;
    if (soon || !ingest->on_command(ingest->user, device, batch->command_leaf, batch->command,
                                    batch->command_bytes)) {
        device->commands_refused++;
        return;
    }
    device->commands++;
    device->commanded_ms = now_ms;
}

/* One that cannot be used tells of the device's health all the same. */
static enum ingest_result refuse_of(struct ingest *ingest, struct device *device, enum refusal why,
                                    const char *reason, const struct ingest_message *message,
                                    int64_t now_ms)
{
    struct decoded nothing = {.out_of_range = 0};
    enum ingest_result result = refuse(ingest, device, why, reason, message);
    derive(ingest, device, message->received_ms, 0, &nothing);
    if (nothing.batch.series_count > 0)
        spread(ingest, device, &nothing, 0, now_ms);
    return result;
}

/* One that was used did no harm then, and is to be remembered. */
static bool is_condemned(const struct ingest *ingest, const struct ingest_message *message)
{
    return ingest->is_condemned != NULL && !message->used &&
           ingest->is_condemned(ingest->user, message);
}

/* A device that was never heard takes its place with a message that can be used: else made-up names
 * would fill the table. */
static enum ingest_result meet(struct ingest *ingest, const struct driver *driver,
                               const struct topic *topic, const struct ingest_message *message,
                               struct device **out)
{
    if (is_condemned(ingest, message))
        return refuse(ingest, NULL, REFUSED_QUARANTINE, "one like it killed the hub", message);
    if (driver->left_out)
        return refuse(ingest, NULL, REFUSED_QUARANTINE, LEFT_OUT, message);
    struct lumbar_message in = {topic->leaf, message->payload, message->payload_bytes};
    int result = driver_try(ingest->drivers, driver, &in);
    if (result == LUMBAR_MALFORMED)
        return refuse(ingest, NULL, REFUSED_MALFORMED, "its plugin cannot decode it", message);
    if (result == LUMBAR_IGNORED)
        return INGEST_USED;
    *out = hear(ingest, driver, topic);
    if (*out == NULL)
        return refuse(ingest, NULL, REFUSED_RATE, "no place for one more device", message);
    return INGEST_USED;
}

/* Where this topic leads. Where it leads to no device, that is the end of the message. */
static enum ingest_result find_route(struct ingest *ingest, const struct ingest_message *message,
                                     struct route *out)
{
    const struct route *known = routes_find(ingest->routes, message->topic, message->topic_bytes);
    if (known != NULL) {
        *out = *known;
        return INGEST_USED;
    }
    struct topic topic;
    *out = (struct route){NULL, NULL};
    const struct driver *driver =
        drivers_match(ingest->drivers, message->topic, message->topic_bytes, &topic);
    if (driver == NULL)
        return refuse(ingest, NULL, REFUSED_MALFORMED, "no plugin knows its topic", message);
    *out = (struct route){devices_find(ingest->devices, driver, topic.device, topic.device_bytes),
                          topic.leaf};
    enum ingest_result result = INGEST_USED;
    if (out->device == NULL)
        result = meet(ingest, driver, &topic, message, &out->device);
    if (out->device != NULL)
        routes_add(ingest->routes, message->topic, message->topic_bytes, *out);
    return result;
}

static int64_t newest_ms(const struct lumbar_batch *batch, int64_t offset_ms)
{
    int64_t newest = 0;
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        if (series->count > 0 && series->time_ms[series->count - 1] + offset_ms > newest)
            newest = series->time_ms[series->count - 1] + offset_ms;
    }
    return newest;
}

enum ingest_result ingest_take(struct ingest *ingest, const struct ingest_message *message,
                               int64_t now_ms)
{
    ingest->messages++;
    ingest->heard = NULL;
    ingest->heard_ms = 0;
    ingest->held = false;
    ingest->accounted = false;
    ingest->missing = 0;
    struct route route;
    enum ingest_result found = find_route(ingest, message, &route);
    if (route.device == NULL)
        return found;
    struct device *device = ingest->heard = route.device;
    /* What was admitted by a run before is, though this one knows less of the silence before it. */
    if (!device_admit(device, message->received_ms, ingest->devices) && !message->used)
        return refuse_of(ingest, device, REFUSED_RATE, "it sends more than it may", message,
                         now_ms);

    if (is_condemned(ingest, message))
        return refuse_of(ingest, device, REFUSED_QUARANTINE, "one like it killed the hub", message,
                         now_ms);
    if (device->driver->left_out)
        return refuse_of(ingest, device, REFUSED_QUARANTINE, LEFT_OUT, message, now_ms);
    struct lumbar_message in = {route.leaf, message->payload, message->payload_bytes};
    struct decoded decoded;
    int result = driver_decode(ingest->drivers, device->driver, device->state, &in, &decoded);
    if (result == LUMBAR_MALFORMED)
        return refuse_of(ingest, device, REFUSED_MALFORMED, "its plugin cannot decode it", message,
                         now_ms);
    if (result == LUMBAR_IGNORED)
        return INGEST_USED;

    ingest->held = is_held(&decoded.batch);
    int64_t offset_ms = 0;
    enum device_verdict verdict =
        device_account(device, &decoded.batch, message->received_ms, message->position, &offset_ms);
    ingest->heard_ms = newest_ms(&decoded.batch, offset_ms);
    if (ingest->clock_in_doubt)
        device->has_skew = false;
    if (ingest->calibration != NULL) {
        if (verdict == DEVICE_NEW && !ingest->quiet)
            calibration_touch(ingest->calibration, device, &decoded.batch, offset_ms);
        calibration_apply(ingest->calibration, device, ingest->drivers, &decoded, offset_ms);
    }
    ingest->accounted = true;
    ingest->missing = device_missing(device);
    if (verdict == DEVICE_WANTED) { /* the room has seen it */
        if ((ingest->missing & MISSING_HISTORY) != 0 && ingest->history != NULL)
            history_add(ingest->history, device, &decoded.batch, offset_ms);
        return INGEST_USED;
    }
    if (verdict == DEVICE_DUPLICATE) {
        if (message->used && ingest->history != NULL && !device_is_restored(device))
            history_add(ingest->history, device, &decoded.batch, offset_ms);
        return INGEST_REPEATED;
    }
    device->out_of_range += decoded.out_of_range;
    derive(ingest, device, message->received_ms, offset_ms, &decoded);
    spread(ingest, device, &decoded, offset_ms, now_ms);
    say_command(ingest, device, &decoded.batch, message, now_ms);
    return INGEST_USED;
}

void ingest_doubt_clock(struct ingest *ingest, bool in_doubt)
{
    ingest->clock_in_doubt = in_doubt;
    for (uint32_t id = 1; in_doubt && id <= devices_count(ingest->devices); id++)
        devices_at(ingest->devices, id)->has_skew = false;
}

/* A tick on its way through the alarms. */
struct ticking {
    struct ingest *ingest;
    int64_t now_ms;
};

static enum rule_sight is_known(void *user, const struct rule *rule, uint32_t device)
{
    const struct ticking *ticking = user;
    struct ingest *ingest = ticking->ingest;
    const struct device *of = devices_at(ingest->devices, device);
    enum rule_sight sight = rules_know(ingest->rules, ingest->devices, rule, of, ticking->now_ms);
    rules_miss(ingest->rules, ingest->devices, rule, of, sight, ticking->now_ms);
    return sight;
}

static bool is_paused(void *user, uint32_t device)
{
    const struct ticking *ticking = user;
    const struct ingest *ingest = ticking->ingest;
    return ingest->pauses != NULL &&
           pauses_has(ingest->pauses, devices_at(ingest->devices, device)->room, PAUSE_ALARM);
}

static void on_change(void *user, const struct alarm *alarm)
{
    const struct ticking *ticking = user;
    if (ticking->ingest->on_alarm != NULL)
        ticking->ingest->on_alarm(ticking->ingest->user, alarm);
}

static double worst_of(void *user, const struct rule *rule, uint32_t device)
{
    const struct ticking *ticking = user;
    return rules_worst(ticking->ingest->rules, rule, device);
}

static void on_worse(void *user, const struct alarm *alarm)
{
    const struct ticking *ticking = user;
    if (ticking->ingest->on_worse != NULL)
        ticking->ingest->on_worse(ticking->ingest->user, alarm);
}

void ingest_tick(struct ingest *ingest, int64_t now_ms)
{
    struct ticking ticking = {ingest, now_ms};
    rules_tick(ingest->rules, ingest->devices, now_ms, on_rule, ingest);
    alarms_tick(ingest->alarms, now_ms, is_known, is_paused, on_change, &ticking);
    alarms_worsen(ingest->alarms, now_ms, worst_of, on_worse, &ticking);
    if (ingest->alarms_waiting > 0)
        ingest->alarms_waiting = rules_retell(ingest->rules, ingest->devices, now_ms,
                                              alarms_places(ingest->alarms), on_rule, ingest);
    alarms_place(ingest->alarms, ingest->devices, now_ms, on_change, &ticking);
}

int ingest_assign(struct ingest *ingest, struct diag *diag)
{
    int code = 0;
    for (uint32_t r = 0; ingest->config != NULL && r < ingest->config->room_count; r++) {
        const struct config_room *room = &ingest->config->rooms[r];
        for (uint32_t d = 0; d < room->device_count; d++) {
            const char *name = room->devices[d];
            const struct driver *driver = ingest_driver_of(ingest->drivers, name);
            if (driver == NULL) {
                code = diag_set(diag, ERR_UNKNOWN, "room '%s': no plugin has the kind of '%s'",
                                room->name, name);
                continue;
            }
            const char *device = strchr(name, '/') + 1;
            if (devices_hear(ingest->devices, driver, device, strlen(device)) == NULL)
                code = diag_set(diag, ERR_FULL, "room '%s': no place for '%s' (devices.max)",
                                room->name, name);
        }
    }
    for (uint32_t id = 1; id <= devices_count(ingest->devices); id++) {
        struct device *device = devices_at(ingest->devices, id);
        devices_assign(ingest->devices, device, room_of(ingest, device));
    }
    return code;
}

static int complain_of_kind(const struct config *config, const struct config_room *room,
                            uint32_t at, const struct drivers *drivers, struct diag *diag)
{
    const char *device = room->devices[at], *kinds[DRIVERS_MAX];
    char kind[LUMBAR_NAME_MAX + 1];
    struct text text = text_in(kind, sizeof(kind));
    text_add(&text, "%.*s", (int)strcspn(device, "/"), device);
    for (uint32_t i = 0; i < drivers->count; i++)
        kinds[i] = drivers->list[i].plugin->kind;
    const char *nearest = text_nearest(kind, kinds, drivers->count);
    return diag_at(diag, ERR_UNKNOWN, config_file(config), room->device_places[at].line,
                   room->device_places[at].column,
                   "room '%s': no plugin has the kind of '%s'%s%s%s", room->name, device,
                   nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

int ingest_check(const struct config *config, const struct drivers *drivers,
                 struct devices *devices, struct diag *diag)
{
    int64_t count = devices != NULL ? devices_count(devices) : 0;
    for (uint32_t r = 0; r < config->room_count; r++) {
        const struct config_room *room = &config->rooms[r];
        for (uint32_t d = 0; d < room->device_count; d++) {
            const struct driver *driver = ingest_driver_of(drivers, room->devices[d]);
            if (driver == NULL)
                return complain_of_kind(config, room, d, drivers, diag);
            const char *name = strchr(room->devices[d], '/') + 1;
            if (devices != NULL && devices_find(devices, driver, name, strlen(name)) != NULL)
                continue;
            if (++count > config->devices.max)
                return diag_at(diag, ERR_FULL, config_file(config), room->device_places[d].line,
                               room->device_places[d].column,
                               "room '%s': no place for '%s': devices.max is %lld", room->name,
                               room->devices[d], (long long)config->devices.max);
        }
    }
    return 0;
}

const struct driver *ingest_driver_of(const struct drivers *drivers, const char *device)
{
    size_t bytes = strcspn(device, "/");
    for (uint32_t i = 0; i < drivers->count; i++) {
        const char *kind = drivers->list[i].plugin->kind;
        if (strlen(kind) == bytes && memcmp(kind, device, bytes) == 0)
            return &drivers->list[i];
    }
    return NULL;
}
