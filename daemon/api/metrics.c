/* What a monitor asks: the hub's own gauges and counters, and the newest values of all devices, in
 * Prometheus' text format; and whether all is well, in a word. */
#include "api/api.h"

#include <math.h>
#include <stdio.h>

#include "core/prometheus.h"

#define GAUGE   PROMETHEUS_GAUGE
#define COUNTER PROMETHEUS_COUNTER

/* ---- The hub itself: each bound with what it holds, and what found no room ---- */

static void put_intake(FILE *out, const struct lumbard *hub)
{
    struct spool_stats spool;
    struct mqtt_state broker;
    spool_stats(hub->spool, &spool);
    mqtt_state(hub->mqtt, &broker);
    prometheus_one(out, "lumbar_messages_total", COUNTER, "Messages taken.",
                   (double)hub->ingest.messages);
    prometheus_one(out, "lumbar_messages_refused_total", COUNTER,
                   "Messages that could not be used.", (double)hub->ingest.refused);
    prometheus_one(out, "lumbar_messages_oversize_total", COUNTER,
                   "Messages that were too large to be taken.", (double)broker.oversize);
    prometheus_one(out, "lumbar_broker_connected", GAUGE, "The broker is connected and answers.",
                   hub->health.broker);
    prometheus_one(out, "lumbar_broker_heartbeat_seconds", GAUGE,
                   "From the hub to the broker and back, the last time.",
                   (double)broker.heartbeat_ns / 1e9);
    prometheus_one(out, "lumbar_broker_connects_total", COUNTER, "Connections made.",
                   (double)broker.connects);
    prometheus_one(out, "lumbar_broker_dropped_total", COUNTER,
                   "Messages that the broker dropped for any of its clients, as it says.",
                   (double)broker.dropped);
    prometheus_one(out, "lumbar_mqtt_published_total", COUNTER, "Messages published.",
                   (double)broker.published);
    prometheus_one(out, "lumbar_mqtt_out_refused_total", COUNTER,
                   "Messages that found no room in the queue to the broker.",
                   (double)broker.refused);
    prometheus_one(out, "lumbar_spool_used_bytes", GAUGE, "Of the ring: not yet free again.",
                   (double)spool.used_bytes);
    prometheus_one(out, "lumbar_spool_size_bytes", GAUGE, "The ring's size.",
                   (double)spool.size_bytes);
    prometheus_one(out, "lumbar_spool_dropped_total", COUNTER,
                   "Messages of QoS 0 that found no room in the ring.", (double)spool.dropped);
    prometheus_one(out, "lumbar_spool_waited_total", COUNTER,
                   "Messages that had to wait for room in the ring.", (double)spool.waited);
    prometheus_one(out, "lumbar_spool_uncopied_bytes_total", COUNTER,
                   "Freed without a copy while the disk refused.", (double)spool.uncopied_bytes);
    prometheus_one(out, "lumbar_spool_sync_failures_total", COUNTER, "Syncs that the disk refused.",
                   (double)spool.sync_failures);
    prometheus_one(out, "lumbar_quarantine_messages", GAUGE, "Messages kept to be looked at.",
                   (double)quarantine_held(hub->quarantine));
    prometheus_one(out, "lumbar_quarantined_total", COUNTER,
                   "Messages put into quarantine; the oldest make room.",
                   (double)quarantine_count(hub->quarantine));
}

static void put_disk(FILE *out, const struct lumbard *hub)
{
    struct store_stats store;
    struct recorder_stats recorder;
    store_stats(hub->store, &store);
    recorder_stats(hub->recorder, &recorder);
    prometheus_one(out, "lumbar_disk_ok", GAUGE, "What is acknowledged reaches the disk.",
                   hub->health.disk);
    prometheus_one(out, "lumbar_history_ok", GAUGE, "History can be written.",
                   store_is_safe(hub->store));
    prometheus_one(out, "lumbar_history_samples_total", COUNTER, "Samples written to history.",
                   (double)store.samples);
    prometheus_one(out, "lumbar_history_lost_total", COUNTER,
                   "Messages that history has not, for there was no room.", (double)store.lost);
    prometheus_one(out, "lumbar_history_failures_total", COUNTER, "Batches that the disk refused.",
                   (double)store.failures);
    prometheus_one(out, "lumbar_recorder_ok", GAUGE, "Recordings can be written.",
                   recorder_is_safe(hub->recorder));
    prometheus_one(out, "lumbar_recorder_written_bytes_total", COUNTER, "Written to recordings.",
                   (double)recorder.bytes);
    prometheus_one(out, "lumbar_recorder_lost_total", COUNTER,
                   "Messages that no recording has, for there was no room.", (double)recorder.lost);
    prometheus_one(out, "lumbar_recorder_failures_total", COUNTER, "Blocks that the disk refused.",
                   (double)recorder.failures);
}

static void put_alarms(FILE *out, const struct lumbard *hub)
{
    static const char *const priorities[] = {"low", "medium", "high"};
    uint32_t standing[3] = {0}, waiting[3] = {0};
    const struct alarms *alarms = hub->ingest.alarms;
    for (const struct alarm *at = NULL; (at = alarms_next(alarms, at)) != NULL;) {
        standing[alarm_priority(at) - PRIORITY_LOW] += at->state != STATE_OFF;
        waiting[alarm_priority(at) - PRIORITY_LOW] += alarm_waits(at->state);
    }
    prometheus_family(out, "lumbar_alarms_standing", GAUGE, "Alarms that stand.");
    for (unsigned i = 0; i < 3; i++)
        prometheus_sample(out, "lumbar_alarms_standing", standing[i],
                          (const char *const[]){"priority", priorities[i], NULL});
    prometheus_family(out, "lumbar_alarms_unacknowledged", GAUGE, "Alarms that wait for somebody.");
    for (unsigned i = 0; i < 3; i++)
        prometheus_sample(out, "lumbar_alarms_unacknowledged", waiting[i],
                          (const char *const[]){"priority", priorities[i], NULL});
    prometheus_one(out, "lumbar_alarms_max", GAUGE, "Alarms that may stand at a time.", ALARMS_MAX);
    prometheus_one(out, "lumbar_alarms_overflow_total", COUNTER,
                   "Alarms that found no place when they were raised.",
                   (double)alarms_overflow(alarms));
    prometheus_one(out, "lumbar_alarms_without_place", GAUGE, "Alarms that wait for a place.",
                   hub->ingest.alarms_waiting);
    prometheus_one(out, "lumbar_alarms_begun", GAUGE, "Alarms that began in the last ten minutes.",
                   hub->flood.count);
    prometheus_one(out, "lumbar_alarms_flood", GAUGE, "That is more than people can answer.",
                   hub->flood.on);
    prometheus_one(out, "lumbar_suppressed", GAUGE, "What rules would raise if they were armed.",
                   hub->suppressions.count);
    prometheus_one(out, "lumbar_suppressed_max", GAUGE, "Of these, places.", SUPPRESSED_MAX);
    prometheus_one(out, "lumbar_suppressed_overflow_total", COUNTER, "Of these, without a place.",
                   (double)hub->suppressions.lost);
}

static void put_page(FILE *out, const struct lumbard *hub)
{
    struct web_stats web;
    struct webhook_stats webhook;
    web_stats(hub->web, &web);
    webhook_stats(hub->webhook, &webhook);
    prometheus_one(out, "lumbar_web_sockets", GAUGE, "Connections to the page.", web.clients);
    prometheus_one(out, "lumbar_web_sockets_max", GAUGE, "Connections that may be.",
                   (double)hub->setup.config->web.clients);
    prometheus_one(out, "lumbar_web_watching", GAUGE, "Browsers that watch.", web.watching);
    prometheus_one(out, "lumbar_web_frames_total", COUNTER, "Frames sent to browsers.",
                   (double)web.frames);
    prometheus_one(out, "lumbar_web_skipped_total", COUNTER,
                   "Frames that slow browsers have missed.", (double)web.skipped);
    prometheus_one(out, "lumbar_web_refused_total", COUNTER,
                   "Requests and connections refused: origin, host, size, number.",
                   (double)web.refused);
    prometheus_one_histogram(out, "lumbar_publish_to_frame_seconds",
                             "From a message's arrival to the frame of its room in a browser's "
                             "socket: of each frame, the message that waited longest.",
                             &(struct prometheus_histogram){.bounds = web_latency_bounds,
                                                            .counts = web.latency.counts,
                                                            .bound_count = WEB_LATENCY_BOUNDS,
                                                            .sum = web.latency.sum_s});
    prometheus_one(out, "lumbar_webhook_waiting", GAUGE, "Calls that wait to be sent.",
                   webhook.waiting);
    prometheus_one(out, "lumbar_webhook_sent_total", COUNTER, "Calls that were answered.",
                   (double)webhook.sent);
    prometheus_one(out, "lumbar_webhook_failed_total", COUNTER, "Attempts that were not.",
                   (double)webhook.failed);
    prometheus_one(out, "lumbar_webhook_dropped_total", COUNTER, "Calls given up, or without room.",
                   (double)webhook.dropped);
    prometheus_one(out, "lumbar_questions", GAUGE, "Questions to the store on their way.",
                   hub->questions);
    prometheus_one(out, "lumbar_questions_max", GAUGE, "Questions that may be.",
                   API_QUESTIONS_MOST);
}

/* ---- Devices, by their description of themselves ---- */

static bool is_fresh(const struct device *device, const struct lumbar_metric *metric,
                     const struct device_value *value, int64_t now_ms)
{
    int64_t stale_ms = metric_stale_ms(metric);
    (void)device;
    return value->time_ms != 0 && !isnan(value->value) &&
           (stale_ms == 0 || now_ms - value->time_ms <= stale_ms);
}

static void put_value(FILE *out, const struct lumbard *hub, const struct device *device,
                      const struct lumbar_metric *metric, const struct prometheus_name *name,
                      double value)
{
    const char *room =
        device->room != ROOM_NONE ? hub->setup.config->rooms[device->room - 1].name : "";
    const char *state = NULL;
    for (uint32_t i = 0; metric->labels != NULL && metric->labels[i] != NULL; i++)
        state = (double)i == value ? metric->labels[i] : state;
    if (metric->labels != NULL && state == NULL)
        return;
    prometheus_sample(out, name->text, metric->labels != NULL ? 1 : value * name->factor,
                      (const char *const[]){"device", device->name, "room", room,
                                            state != NULL ? "state" : NULL, state, NULL});
}

/* What is stale is left out: a silence is no value. */
static void put_metric(FILE *out, const struct lumbard *hub, const struct driver *driver,
                       uint32_t metric)
{
    const struct lumbar_metric *of = &driver->metrics[metric];
    struct prometheus_name name = prometheus_name_of(driver->plugin->kind, of);
    bool begun = false;
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++) {
        const struct device *device = devices_at(hub->ingest.devices, id);
        if (device->driver != driver ||
            !is_fresh(device, of, &device->values[metric], hub_now_ms(hub)))
            continue;
        if (!begun)
            prometheus_family(out, name.text, of->kind == LUMBAR_COUNTER ? COUNTER : GAUGE,
                              of->title);
        begun = true;
        put_value(out, hub, device, of, &name, device->values[metric].value);
    }
}

static void put_heard(FILE *out, const struct lumbard *hub, const char *name,
                      enum prometheus_kind kind, const char *help,
                      double (*value)(const struct lumbard *hub, const struct device *device))
{
    prometheus_family(out, name, kind, help);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++) {
        const struct device *device = devices_at(hub->ingest.devices, id);
        prometheus_sample(out, name, value(hub, device),
                          (const char *const[]){"kind", device->driver->plugin->kind, "device",
                                                device->name, NULL});
    }
}

static double silence_s(const struct lumbard *hub, const struct device *device)
{
    return device->heard_ms != 0 ? (double)(hub_now_ms(hub) - device->heard_ms) / 1000
                                 : (double)INFINITY;
}

static double messages(const struct lumbard *hub, const struct device *device)
{
    (void)hub;
    return (double)device->messages;
}

static double lost(const struct lumbard *hub, const struct device *device)
{
    (void)hub;
    return (double)device->lost;
}

static double refused(const struct lumbard *hub, const struct device *device)
{
    uint64_t sum = 0;
    (void)hub;
    for (unsigned i = 0; i < REFUSED_COUNT_; i++)
        sum += device->refused[i];
    return (double)sum;
}

static void put_devices(FILE *out, const struct lumbard *hub)
{
    const struct drivers *drivers = &hub->setup.drivers;
    prometheus_one(out, "lumbar_devices", GAUGE, "Devices that are known.",
                   devices_count(hub->ingest.devices));
    prometheus_one(out, "lumbar_devices_max", GAUGE, "Devices that may be.",
                   (double)hub->setup.config->devices.max);
    prometheus_one(out, "lumbar_devices_refused_total", COUNTER, "Devices that found no place.",
                   (double)devices_refused(hub->ingest.devices));
    put_heard(out, hub, "lumbar_device_silence_seconds", GAUGE, "Since it was last heard.",
              silence_s);
    put_heard(out, hub, "lumbar_device_messages_total", COUNTER, "Messages decoded.", messages);
    put_heard(out, hub, "lumbar_device_lost_total", COUNTER, "Messages that never came.", lost);
    put_heard(out, hub, "lumbar_device_refused_total", COUNTER, "Messages that could not be used.",
              refused);
    for (uint32_t d = 0; d < drivers->count; d++)
        for (uint32_t m = 0; m < drivers->list[d].metric_count; m++)
            if (drivers->list[d].metrics[m].kind != LUMBAR_EVENT)
                put_metric(out, hub, &drivers->list[d], m);
}

enum api_outcome api_get_metrics(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    (void)call;
    if (out == NULL)
        return api_problem(answer, 503, "There is no memory for the answer.");
    prometheus_family(out, "lumbar_info", GAUGE, "The hub's version.");
    prometheus_sample(out, "lumbar_info", 1,
                      (const char *const[]){"version", LUMBAR_VERSION, NULL});
    prometheus_one(out, "lumbar_uptime_seconds", GAUGE, "Since the hub started.",
                   (double)(hub_now_ms(hub) - hub->started_ms) / 1000);
    put_intake(out, hub);
    put_disk(out, hub);
    put_alarms(out, hub);
    put_page(out, hub);
    hub_put_bounds(out, hub);
    put_devices(out, hub);
    if (fclose(out) != 0) {
        free(text);
        text = NULL;
    }
    return api_give_text(answer, PROMETHEUS_TYPE, text, bytes);
}

/* 200 while the hub does what it promises; who balances or restarts by it must not do so for an
 * alarm flood. The sentences are for who may read them: /health. */
enum api_outcome api_get_healthz(void *user, const struct api_call *call, struct api_answer *answer)
{
    const struct lumbard *hub = user;
    (void)call;
    bool well = hub->health.broker && hub->health.disk && store_is_safe(hub->store);
    if (!well)
        return api_problem(answer, 503, "Not all is well: see /api/v1/health.");
    return api_give(answer, 200, json_pack("{s:s}", "status", "ok"));
}
