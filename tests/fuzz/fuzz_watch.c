/*
 * What a browser sends, hostile: taken or refused, and never more than what there is.
 *
 * An input is one Watch message. The hub behind it has two kinds of devices and a feed that has
 * gone round its ring, so that a cursor may point before it, into the middle of a record, or beyond
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/frame.h"
#include "live.pb-c.h"

#define NOW 1700000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lumbar_metric metrics[] = {
    {.name = "angle",
     .title = "Angle",
     .unit = "deg",
     .flags = LUMBAR_KEY,
     .min = -40,
     .max = 100,
     .period_ms = 100},
};
static const char *const leaves[] = {"telemetry", NULL};
static const struct lumbar_plugin plugin = {
    .kind = "sensor",
    .title = "Sensor",
    .version = "1.0.0",
    .topic = "lumbar/v1/sensor/{device}/{leaf}",
    .leaves = leaves,
    .metrics = metrics,
    .metric_count = 1,
};
static const char config_text[] = "rooms:\n"
                                  "  - {name: salon, devices: [sensor/a]}\n"
                                  "  - {name: quiet, devices: [sensor/b]}\n";

static struct frame_world world;

static void must(bool right)
{
    if (!right)
        abort();
}

static void talk(struct device *device, int64_t now_ms)
{
    const int64_t times[5] = {now_ms - 80, now_ms - 60, now_ms - 40, now_ms - 20, now_ms};
    const double values[5] = {0, 1, (double)NAN, 100, -40};
    struct lumbar_series series = {0, 5, times, values};
    struct lumbar_batch batch = {.series = &series, .series_count = 1};
    device_note(device, &batch, 0);
    feed_push((struct feed *)(uintptr_t)world.feed, device, &batch, 0, now_ms);
}

static struct frame *hub_open(void)
{
    static struct drivers drivers;
    struct config *config;
    struct rules *rules;
    struct diag diag = {0};
    drivers_init(&drivers);
    must(drivers_add(&drivers, &plugin, &diag) == 0);
    must(config_parse(&config, "fuzz", config_text, strlen(config_text), &diag) == 0);
    must(rules_load(&rules, NULL, 0, &drivers, 4, &diag) == 0);
    world = (struct frame_world){.config = config,
                                 .drivers = &drivers,
                                 .devices = devices_create(4, 10),
                                 .rules = rules,
                                 .alarms = alarms_create(),
                                 .feed = feed_create(64 * 1024)};
    for (uint32_t i = 0; i < 2; i++)
        devices_assign(world.devices,
                       devices_hear(world.devices, &drivers.list[0], i ? "b" : "a", 1), i + 1);
    for (int i = 0; i < 3000; i++)
        talk(devices_at(world.devices, 1 + (uint32_t)i % 2), NOW + i * 100);
    return frame_create(&world, 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame *frame;
    if (frame == NULL)
        frame = hub_open();
    struct frame_cursor cursor = {0};
    int64_t now_ms = NOW + 300000;
    if (frame_watch(frame, &cursor, data, size, now_ms) != 0) {
        must(!cursor.watching);
        return 0;
    }
    uint8_t *bytes;
    size_t count;
    unsigned frames = 0;
    while ((count = frame_next(frame, &cursor, now_ms, &bytes)) > 0) {
        must(count <= FRAME_MAX_BYTES && ++frames < 20);
        Lumbar__Live__V1__Frame *out = lumbar__live__v1__frame__unpack(NULL, count, bytes);
        must(out != NULL);
        lumbar__live__v1__frame__free_unpacked(out, NULL);
    }
    return 0;
}
