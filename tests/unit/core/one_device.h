/*
 * A hub that knows one device, for the tests of what is known of devices.
 */
#ifndef LUMBAR_TESTS_ONE_DEVICE_H
#define LUMBAR_TESTS_ONE_DEVICE_H

#include "sensor.h"

static const struct driver driver = {
    .plugin = &sensor_plugin, .metric_count = METRIC_COUNT, .metrics = sensor_metrics};

struct world {
    struct devices *devices;
    struct device *device;
};

static inline struct world world_of(uint32_t max, uint32_t rate_per_s)
{
    struct world world = {devices_create(max, rate_per_s), NULL};
    assert_non_null(world.devices);
    world.device = devices_hear(world.devices, &driver, "p-01", 4);
    assert_non_null(world.device);
    return world;
}

/* A message of boot 7, ten ms of the device's clock after the one before. */
static inline enum device_verdict hear(struct device *device, uint64_t sequence, uint64_t held_from,
                                       uint64_t position)
{
    struct lumbar_batch batch = {.flags = LUMBAR_HAS_SEQUENCE,
                                 .boot_id = 7,
                                 .sequence = sequence,
                                 .held_from = held_from,
                                 .now_ms = (int64_t)sequence * 10};
    int64_t offset_ms;
    return device_account(device, &batch, 1000 + (int64_t)sequence * 10, position, &offset_ms);
}

#endif
