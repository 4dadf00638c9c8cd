/* How the hub itself is: what an administrator, a wall or a monitor asks first. */
#include "api/api.h"

#include <math.h>

#include "io/store_rows.h"
#include "io/certificate.h"

static json_t *spool_status(const struct lumbard *hub)
{
    struct spool_stats spool;
    spool_stats(hub->spool, &spool);
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "safe",
                     spool_is_safe(hub->spool), "used_bytes", (json_int_t)spool.used_bytes,
                     "size_bytes", (json_int_t)spool.size_bytes, "put", (json_int_t)spool.put,
                     "dropped", (json_int_t)spool.dropped, "waited", (json_int_t)spool.waited,
                     "recovered", (json_int_t)spool.recovered, "torn", (json_int_t)spool.torn,
                     "syncs", (json_int_t)spool.syncs, "sync_failures",
                     (json_int_t)spool.sync_failures, "uncopied_bytes",
                     (json_int_t)spool.uncopied_bytes);
}

static json_t *recorder_status(const struct lumbard *hub)
{
    struct recorder_stats recorder;
    recorder_stats(hub->recorder, &recorder);
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "safe", recorder_is_safe(hub->recorder),
                     "messages", (json_int_t)recorder.messages, "lost", (json_int_t)recorder.lost,
                     "blocks", (json_int_t)recorder.blocks, "bytes", (json_int_t)recorder.bytes,
                     "failures", (json_int_t)recorder.failures);
}

static json_t *history_status(const struct lumbard *hub)
{
    struct store_stats store;
    store_stats(hub->store, &store);
    char damaged[STORE_NAME_BYTES];
    bool is_damaged = store_damaged(hub->store, damaged);
    return json_pack("{s:b, s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "safe",
                     store_is_safe(hub->store), "damaged",
                     is_damaged ? json_string(damaged) : json_null(), "rebuilding",
                     store_is_rebuilding(hub->store), "erasing", !store_erased_all(hub->store),
                     "batches", (json_int_t)store.batches, "blocks", (json_int_t)store.blocks,
                     "samples", (json_int_t)store.samples, "rows", (json_int_t)store.rows, "lost",
                     (json_int_t)store.lost, "failures", (json_int_t)store.failures, "bytes",
                     (json_int_t)store.content_bytes, "dropped", (json_int_t)store.dropped);
}

static json_t *quarantine_status(const struct lumbard *hub)
{
    return json_pack("{s:I, s:I, s:I}", "held", (json_int_t)quarantine_held(hub->quarantine), "put",
                     (json_int_t)quarantine_count(hub->quarantine), "condemned",
                     (json_int_t)quarantine_condemned(hub->quarantine));
}

static json_t *clock_status(const struct lumbard *hub)
{
    const struct hub_clock *clock = &hub->clock;
    return json_pack("{s:b, s:b, s:I}", "set", clock->is_set, "synchronised",
                     clock->is_synchronised, "off_ms", (json_int_t)clock->off_ms);
}

static json_t *broker_status(const struct lumbard *hub)
{
    struct mqtt_state broker;
    mqtt_state(hub->mqtt, &broker);
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "connected", hub->health.broker,
                     "heartbeat_ms", (json_int_t)hub->health.heartbeat_ms, "connects",
                     (json_int_t)broker.connects, "failures", (json_int_t)broker.failures,
                     "published", (json_int_t)broker.published, "refused",
                     (json_int_t)broker.refused, "oversize", (json_int_t)broker.oversize,
                     "last_error", broker.last_error);
}

static json_t *tls_status(const struct lumbard *hub)
{
    const struct certificate *certificate = hub->certificate;
    return certificate == NULL
               ? json_null()
               : json_pack("{s:s, s:o, s:b}", "fingerprint", certificate_fingerprint(certificate),
                           "until", api_instant(certificate_until_ms(certificate)), "own",
                           certificate_is_own(certificate));
}

/* Null where no frame was sent yet, or it took longer than is told apart. */
static json_t *latency_ms(const struct web_stats *web, double share)
{
    double within_s = web_latency_share(&web->latency, share);
    return isfinite(within_s) ? json_real(within_s * 1000) : json_null();
}

static json_t *web_status(const struct lumbard *hub)
{
    struct web_stats web;
    web_stats(hub->web, &web);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "clients",
                     (json_int_t)web.clients, "watching", (json_int_t)web.watching, "requests",
                     (json_int_t)web.requests, "frames", (json_int_t)web.frames, "skipped",
                     (json_int_t)web.skipped, "refused", (json_int_t)web.refused, "tls",
                     tls_status(hub), "half_within_ms", latency_ms(&web, 0.5), "most_within_ms",
                     latency_ms(&web, 0.99));
}

/* Until somebody has taken that file away. */
static void add_damage_complaint(json_t *list, const struct lumbard *hub)
{
    char name[STORE_NAME_BYTES];
    if (!store_damaged(hub->store, name))
        return;
    json_array_append_new(
        list, json_sprintf("The history was damaged; what was there is kept as %s. %s", name,
                           store_is_rebuilding(hub->store)
                               ? "It is being rebuilt from backup and recordings."
                               : "It was rebuilt as far as backups and recordings reach: take that "
                                 "file away when it has been looked at."));
}

static void add_backup_complaint(json_t *list, const struct lumbard *hub)
{
    struct backup_state state;
    backup_state(hub->backup, &state);
    if (state.error[0] != '\0')
        json_array_append_new(list, json_sprintf("The last backup failed: %s.", state.error));
    else if (state.overdue)
        json_array_append_new(list, json_string("There is no backup as new as there should be."));
}

static json_t *config_status(const struct lumbard *hub)
{
    const struct hub_kept *kept = &hub->kept;
    return json_pack("{s:s, s:s?, s:i, s:s?}", "file", hub->options->config_file, "folder",
                     kept->folder[0] != '\0' ? kept->folder : NULL, "kept", (int)kept->number,
                     "complaint", kept->complaint[0] != '\0' ? kept->complaint : NULL);
}

/* What is wrong, a sentence each; an empty list: nothing. */
static json_t *complaints(const struct lumbard *hub)
{
    json_t *list = json_array();
    struct webhook_stats webhook;
    if (!hub->health.broker)
        json_array_append_new(list, json_string("The broker is not connected."));
    if (hub->drops.lately > 0)
        json_array_append_new(list,
                              json_sprintf("The broker dropped %llu messages in the last minutes.",
                                           (unsigned long long)hub->drops.lately));
    if (!hub->health.disk)
        json_array_append_new(list, json_string("The disk is full or failing."));
    if (!recorder_is_safe(hub->recorder))
        json_array_append_new(list, json_string("Recordings cannot be written."));
    if (!store_is_safe(hub->store))
        json_array_append_new(list, json_string("History cannot be written."));
    add_damage_complaint(list, hub);
    if (!hub->clock.is_set)
        json_array_append_new(
            list, json_string("The clock was not set since the machine was switched on."));
    if (hub->clock.off_ms != 0)
        json_array_append_new(
            list, json_sprintf("The clock was set by %+.1f s since the hub was started: times are "
                               "still those of before, until it is started anew.",
                               (double)hub->clock.off_ms / 1000));
    add_backup_complaint(list, hub);
    if (hub->kept.complaint[0] != '\0')
        json_array_append_new(
            list,
            json_sprintf("The configuration cannot be used, and the hub runs with the last one "
                         "that could: %s",
                         hub->kept.complaint));
    if (hub->certificate_ends && hub->certificate_days < 0)
        json_array_append_new(list, json_string("The page's certificate has ended."));
    else if (hub->certificate_ends)
        json_array_append_new(list, json_sprintf("The page's certificate ends in %lld days.",
                                                 (long long)hub->certificate_days));
    for (uint32_t i = 0; i < hub->setup.drivers.count; i++)
        if (hub->setup.drivers.list[i].left_out)
            json_array_append_new(list,
                                  json_sprintf("The plugin %s killed the hub, and is left out.",
                                               hub->setup.drivers.list[i].plugin->kind));
    webhook_stats(hub->webhook, &webhook);
    if (webhook.error[0] != '\0')
        json_array_append_new(list, json_sprintf("The webhook: %s.", webhook.error));
    if (hub->flood.on)
        json_array_append_new(
            list, json_sprintf("An alarm flood: %u began within ten minutes.", hub->flood.count));
    if (hub->ingest.alarms_waiting > 0)
        json_array_append_new(
            list, json_sprintf("%u alarms are not shown: %d stand, and there is no place for more.",
                               hub->ingest.alarms_waiting, ALARMS_MAX));
    return list;
}

enum api_outcome api_get_health(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)call;
    json_t *list = complaints(user);
    return api_give(answer, 200,
                    json_pack("{s:s, s:o}", "status",
                              json_array_size(list) == 0 ? "ok" : "degraded", "complaints", list));
}

enum api_outcome api_get_status(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)call;
    struct lumbard *hub = user;
    const struct ingest *ingest = &hub->ingest;
    json_t *status = json_pack(
        "{s:s, s:i, s:s, s:o, s:I, s:i, s:I, s:I, s:i, s:I, s:i, s:i}", "version", LUMBAR_VERSION,
        "pid", (int)hub->pid, "clinic", hub->setup.config->clinic, "now",
        api_instant(hub_now_ms(hub)), "uptime_s",
        (json_int_t)((hub_now_ms(hub) - hub->started_ms) / 1000), "rooms",
        (int)hub->setup.config->room_count, "messages", (json_int_t)ingest->messages, "refused",
        (json_int_t)ingest->refused, "devices", (int)devices_count(ingest->devices),
        "devices_refused", (json_int_t)devices_refused(ingest->devices), "alarms",
        (int)alarms_standing(ingest->alarms), "alarms_waiting", (int)ingest->alarms_waiting);
    json_t *parts = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "broker",
                              broker_status(hub), "spool", spool_status(hub), "quarantine",
                              quarantine_status(hub), "recorder", recorder_status(hub), "history",
                              history_status(hub), "web", web_status(hub), "clock",
                              clock_status(hub), "backup", api_backup_status(hub), "config",
                              config_status(hub), "complaints", complaints(hub));
    json_object_update(status, parts);
    json_decref(parts);
    return api_give(answer, 200, status);
}

static json_t *room_of(const struct lumbard *hub, uint32_t room)
{
    const struct config_room *config = &hub->setup.config->rooms[room - 1];
    json_t *devices = json_array();
    for (uint32_t i = 0; i < config->device_count; i++)
        json_array_append_new(devices, json_string(config->devices[i]));
    int alarms = 0;
    for (const struct alarm *alarm = NULL;
         (alarm = alarms_next(hub->ingest.alarms, alarm)) != NULL;) {
        const struct device *device = devices_at(hub->ingest.devices, alarm->device);
        alarms += alarm->presence != ALARM_OFF && device->room == room;
    }
    json_t *object =
        json_pack("{s:i, s:s, s:s, s:i, s:o}", "number", (int)room, "name", config->name, "title",
                  config->title, "alarms", alarms, "devices", devices);
    api_add_pauses(object, hub, room);
    return object;
}

/* ?after=PLACE&limit=N: a page at a time. */
enum api_outcome api_get_rooms(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct api_page page;
    uint32_t count = hub->setup.config->room_count;
    api_read_page(&reader, CONFIG_ROOMS_MAX, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    uint32_t room = page.after + 1;
    for (; room <= count && json_array_size(list) < page.limit; room++)
        if (api_sees(call, room))
            json_array_append_new(list, room_of(hub, room));
    return api_give(
        answer, 200,
        json_pack("{s:o, s:o}", "rooms", list, "next", api_next(room <= count, room - 1)));
}
