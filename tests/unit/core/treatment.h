/*
 * What the tests of plans and sessions treat with: the sensor of sensor.h, and a pad that works on
 * regions of the body; devices with values of now.
 */
#ifndef LUMBAR_TESTS_TREATMENT_H
#define LUMBAR_TESTS_TREATMENT_H

#include "sensor.h"

#include "base/text.h"
#include "core/body.h"

enum { PAD_PRESSURE, PAD_STATE, PAD_REGION, PAD_CONTACT, PAD_METRICS };
enum { PAD_IDLE, PAD_RUNNING };
enum { PAD_NOWHERE, PAD_BACK_LEFT, PAD_BACK_RIGHT, PAD_HIP };

static const char *const pad_states[] = {"idle", "running", NULL};
static const char *const pad_regions[] = {"none", "lower_back_left", "lower_back_right", "hip_left",
                                          NULL};
static const char *const pad_contacts[] = {"off_skin", "on_skin", NULL};

static const struct lumbar_metric pad_metrics[PAD_METRICS] = {
    [PAD_PRESSURE] = {.name = "pressure",
                      .title = "Pressure",
                      .unit = "kPa",
                      .flags = LUMBAR_KEY,
                      .max = 1000,
                      .decimals = 1,
                      .period_ms = 1000},
    [PAD_STATE] = {.name = "state",
                   .title = "State",
                   .unit = "1",
                   .kind = LUMBAR_STATE,
                   .max = 1,
                   .period_ms = 5000,
                   .labels = pad_states},
    [PAD_REGION] = {.name = "region",
                    .title = "Region",
                    .unit = "1",
                    .kind = LUMBAR_STATE,
                    .max = 3,
                    .period_ms = 5000,
                    .labels = pad_regions},
    [PAD_CONTACT] = {.name = "contact",
                     .title = "Contact",
                     .unit = "1",
                     .kind = LUMBAR_STATE,
                     .max = 1,
                     .period_ms = 5000,
                     .labels = pad_contacts},
};

static const struct lumbar_plugin pad_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "pad",
    .title = "Pad",
    .version = "1.0.0",
    .topic = "lumbar/v1/pad/{device}/{leaf}",
    .leaves = sensor_leaves,
    .metrics = pad_metrics,
    .metric_count = PAD_METRICS,
    .decode = sensor_decode,
};

struct treatment {
    struct drivers drivers;
    struct body body;
    struct devices *devices;
};

static inline void treatment_init(struct treatment *treatment)
{
    struct diag diag = {0};
    drivers_init(&treatment->drivers);
    assert_int_equal(drivers_add(&treatment->drivers, &sensor_plugin, &diag), 0);
    assert_int_equal(drivers_add(&treatment->drivers, &pad_plugin, &diag), 0);
    body_init(&treatment->body, &treatment->drivers);
    treatment->devices = devices_create(8, 1000);
}

static inline void treatment_fini(struct treatment *treatment)
{
    devices_destroy(treatment->devices);
    drivers_fini(&treatment->drivers);
}

/* kind: 0 a sensor, 1 a pad. */
static inline struct device *treatment_device(struct treatment *treatment, uint32_t kind,
                                              const char *name, uint32_t room)
{
    struct device *device =
        devices_hear(treatment->devices, &treatment->drivers.list[kind], name, strlen(name));
    assert_non_null(device);
    devices_assign(treatment->devices, device, room);
    return device;
}

static inline void treatment_set(struct device *device, uint32_t metric, double value,
                                 int64_t now_ms)
{
    device->values[metric] = (struct device_value){value, now_ms};
    device->heard_ms = now_ms;
}

/* Number through all kinds. */
static inline uint32_t treatment_metric(const struct treatment *treatment, const char *name)
{
    int64_t metric = drivers_find(&treatment->drivers, name, NULL);
    assert_true(metric >= 0);
    return (uint32_t)metric;
}

#endif
