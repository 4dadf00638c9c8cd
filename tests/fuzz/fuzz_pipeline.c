/*
 * The way of messages, with the real plugins: bytes, decoding, accounting, feed, rules, frames.
 *
 * An input is several messages, so that what one leaves behind meets the next:
 *   1 byte   bit 0: kind (posture, massage); bits 1-2: which of four devices (the fourth massage
 *            device is a hub); bit 3: leaf status;
 *            bit 4: the tick of the rules follows; bits 5-7: step of time 0, 1 ms .. 10 min
 *   2 bytes  length of the payload, lowest first
 *   payload
 * A hub of its own for each input: what happens depends on nothing else.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "core/ingest.h"
#include "live.pb-c.h"

#define NOW 1700000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] = "rooms:\n"
                                  "  - {name: salon, devices: [posture/d-0, massage/d-0]}\n"
                                  "  - {name: quiet, devices: [posture/d-1]}\n";
static const char rules_text[] =
    "derived:\n"
    "  - {name: bent_time, metric: trunk_inclination, time: {above: 20 deg}}\n"
    "  - {name: bends, metric: trunk_inclination, count: {above: 20 deg, deadband: 2 deg}}\n"
    "  - {name: dose, metric: skin_temperature, dose: {full: 360 min, at: 44 Cel, doubles: 1 "
    "Cel}}\n"
    "  - {name: faults, metric: fault, count: {is: stall}}\n"
    "  - {name: loss, health: loss}\n"
    "  - {name: refused, health: refused}\n"
    "rules:\n"
    "  - {name: bent-long, metric: bent_time, above: 1 min, priority: low, text: \"{value}\"}\n"
    "  - {name: bent, title: T, metric: trunk_inclination, above: 20 deg, clear: 15 deg, for: 2 s,"
    " clear_for: 1 s, priority: low, text: \"{device} {room} {value} {limit} {for}\"}\n"
    "  - {name: flexed, title: T, metric: lumbar_flexion, outside: [-10 deg, 60 deg], priority: "
    "high,"
    " text: \"{metric} {value}\"}\n"
    "  - {name: slouched, title: T, metric: posture, is: slouched, priority: low,"
    " text: \"{value}\"}\n"
    "  - {name: hot, title: T, metric: skin_temperature, above: 43 Cel, priority: medium,"
    " text: \"{value}\"}\n"
    "  - {name: broker-drops, title: T, metric: hub/trouble, is: broker_dropped, clear_for: 2 s, "
    "priority:"
    " low, text: \"{device} {value}\"}\n"
    "  - {name: lost, title: T, metric: trunk_inclination, absent: 5 s, priority: medium,"
    " text: \"{device} {for}\"}\n";

/* What all inputs share: it does not change. */
static struct drivers drivers;
static struct config *config;
static struct derive *derive;

struct hub {
    struct ingest ingest;
    struct suppressions suppressions;
    struct frame *frame;
    struct frame_cursor wall, room;
    int64_t now_ms;
};

static void must(bool right)
{
    if (!right)
        abort();
}

static void drivers_open(void)
{
    static const char *const files[] = {PLUGIN_FOLDER "/posture.so", PLUGIN_FOLDER "/massage.so",
                                        PLUGIN_FOLDER "/hub.so"};
    struct diag diag = {0};
    drivers_init(&drivers);
    for (int i = 0; i < 3; i++) {
        void *object = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
        if (object == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            exit(2);
        }
        must(drivers_add(&drivers, dlsym(object, "lumbar_plugin"), &diag) == 0);
    }
    struct rules_text file = {"fuzz", rules_text, strlen(rules_text), false};
    must(derive_load(&derive, &file, 1, &drivers, 6, &diag) == 0);
    must(config_parse(&config, "fuzz", config_text, strlen(config_text), &diag) == 0);
}

static struct frame_world world_of(const struct ingest *ingest)
{
    return (struct frame_world){
        config,       &drivers,         ingest->devices,     ingest->rules,        ingest->alarms,
        ingest->feed, ingest->sessions, ingest->calibration, ingest->suppressions, ingest->pauses};
}

static void hub_init(struct hub *hub)
{
    static const uint8_t wall[] = {0x08, 0}, room[] = {0x08, 1, 0x20, 200, 1};
    struct rules_text file = {"fuzz", rules_text, strlen(rules_text), false};
    struct ingest *ingest = &hub->ingest;
    struct diag diag = {0};
    *hub = (struct hub){.now_ms = NOW};
    if (rules_load(&ingest->rules, &file, 1, &drivers, 6, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        exit(2);
    }
    ingest->config = config;
    ingest->drivers = &drivers;
    ingest->derive = derive;
    ingest->suppressions = &hub->suppressions;
    derive_clear(derive);
    ingest->devices = devices_create(6, 20); /* of eight that may come */
    ingest->routes = routes_create(6);
    ingest->alarms = alarms_create();
    ingest->feed = feed_create(64 * 1024);
    ingest_assign(ingest, &diag);
    struct frame_world world = world_of(ingest);
    hub->frame = frame_create(&world, 7);
    must(frame_watch(hub->frame, &hub->wall, wall, sizeof(wall), NOW) == 0);
    must(frame_watch(hub->frame, &hub->room, room, sizeof(room), NOW) == 0);
}

static void hub_fini(struct hub *hub)
{
    frame_destroy(hub->frame);
    feed_destroy(hub->ingest.feed);
    alarms_destroy(hub->ingest.alarms);
    routes_destroy(hub->ingest.routes);
    devices_destroy(hub->ingest.devices);
    rules_destroy(hub->ingest.rules);
}

/* Every frame is one that a browser can read, and their end comes. */
static void show(struct hub *hub, struct frame_cursor *cursor)
{
    uint8_t *bytes;
    size_t count;
    unsigned frames = 0;
    while ((count = frame_next(hub->frame, cursor, hub->now_ms, &bytes)) > 0) {
        must(count <= FRAME_MAX_BYTES && ++frames < 50);
        Lumbar__Live__V1__Frame *out = lumbar__live__v1__frame__unpack(NULL, count, bytes);
        must(out != NULL);
        for (size_t i = 0; i < out->n_points; i++)
            for (size_t j = 0; j < out->points[i]->n_columns; j++)
                must(out->points[i]->columns[j]->n_delta == out->points[i]->n_dt_ms);
        lumbar__live__v1__frame__free_unpacked(out, NULL);
    }
}

static bool on_ack(void *user, const struct device *device, uint64_t boot_id, uint64_t sequence)
{
    (void)user, (void)boot_id;
    must(device->messages > 0 && sequence > 0);
    return sequence % 3 != 0; /* some find the queue full */
}

static void check_devices(struct hub *hub)
{
    struct devices *devices = hub->ingest.devices;
    must(devices_count(devices) <= 6);
    for (uint32_t id = 1; id <= devices_count(devices); id++) {
        const struct device *device = devices_at(devices, id);
        must(device->duplicates + device->late <= device->messages);
        for (uint32_t i = 0; i < device->driver->metric_count; i++) {
            const struct lumbar_metric *metric = &device->driver->metrics[i];
            const struct device_value *value = &device->values[i];
            must(isnan(value->value) ||
                 (value->value >= metric->min && value->value <= metric->max &&
                  value->time_ms <= hub->now_ms + 5000)); /* nothing is from the future */
        }
    }
}

static void take(struct hub *hub, uint8_t what, const uint8_t *payload, size_t bytes,
                 uint64_t position)
{
    static const int64_t steps_ms[] = {0, 1, 20, 100, 1000, 6000, 60000, 600000};
    char topic[64];
    int length = snprintf(topic, sizeof(topic), "lumbar/v1/%s/d-%d/%s",
                          (what & 7) == 7 ? "hub"
                          : what & 1      ? "massage"
                                          : "posture",
                          what >> 1 & 3, what & 8 ? "status" : "telemetry");
    uint8_t *copy = malloc(bytes + 1); /* of its own size: the sanitizer sees the end */
    memcpy(copy, payload, bytes);
    hub->now_ms += steps_ms[what >> 5];
    struct ingest_message message = {topic,       (size_t)length, copy, bytes,
                                     hub->now_ms, position,       false};
    ingest_take(&hub->ingest, &message, hub->now_ms);
    free(copy);
    if ((what & 16) != 0)
        ingest_tick(&hub->ingest, hub->now_ms);
    uint64_t lost = what % 7 == 0 ? position : 0;
    devices_acks(hub->ingest.devices, position, lost, hub->now_ms, 1000, on_ack, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (config == NULL)
        drivers_open();
    struct hub hub;
    hub_init(&hub);
    for (size_t at = 0; size - at >= 3;) {
        size_t bytes = data[at + 1] | (size_t)data[at + 2] << 8;
        if (bytes > size - at - 3)
            bytes = size - at - 3;
        take(&hub, data[at], data + at + 3, bytes, at);
        at += 3 + bytes;
        if ((data[at - bytes - 3] & 2) == 0) { /* otherwise they have several at once */
            show(&hub, &hub.wall);
            show(&hub, &hub.room);
        }
        check_devices(&hub);
    }
    show(&hub, &hub.wall);
    show(&hub, &hub.room);
    hub_fini(&hub);
    return 0;
}
