/*
 * A kind of device for the tests of core: a posture-like table of metrics, and batches by hand.
 */
#ifndef LUMBAR_TESTS_SENSOR_H
#define LUMBAR_TESTS_SENSOR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/devices.h"

enum { ANGLE, TEMPERATURE, POSTURE, BATTERY, FAULT, ROTATION, METRIC_COUNT };

static const char *const posture_labels[] = {"unknown", "upright", "slouched", NULL};
static const char *const fault_labels[] = {"none", "stall", NULL};

static const struct lumbar_metric sensor_metrics[METRIC_COUNT] = {
    [ANGLE] = {.name = "angle",
               .title = "Angle",
               .unit = "deg",
               .flags = LUMBAR_KEY,
               .min = -40,
               .max = 100,
               .decimals = 1,
               .period_ms = 100,
               .role = LUMBAR_ROLE_FLEXION,
               .phases = LUMBAR_STRETCHING | LUMBAR_EXERCISE},
    [TEMPERATURE] = {.name = "temperature",
                     .title = "Temperature",
                     .unit = "Cel",
                     .min = 20,
                     .max = 50,
                     .decimals = 1,
                     .period_ms = 5000},
    [POSTURE] = {.name = "posture",
                 .title = "Posture",
                 .unit = "1",
                 .kind = LUMBAR_STATE,
                 .flags = LUMBAR_KEY,
                 .max = 2,
                 .period_ms = 1000,
                 .labels = posture_labels},
    [BATTERY] = {.name = "battery",
                 .title = "Battery",
                 .unit = "%",
                 .flags = LUMBAR_HEALTH,
                 .max = 100,
                 .period_ms = 60000},
    [FAULT] = {.name = "fault",
               .title = "Fault",
               .unit = "1",
               .kind = LUMBAR_EVENT,
               .max = 1,
               .labels = fault_labels},
    [ROTATION] = {.name = "rotation",
                  .title = "Rotation",
                  .unit = "deg",
                  .min = -25,
                  .max = 25,
                  .decimals = 1,
                  .period_ms = 100},
};

static inline int sensor_decode(void *state, const struct lumbar_message *message,
                                struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)state, (void)message, (void)scratch, (void)batch;
    return LUMBAR_IGNORED; /* the batches of these tests are made by hand */
}

static const char *const sensor_leaves[] = {"telemetry", NULL};

static const struct lumbar_plugin sensor_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "sensor",
    .title = "Sensor",
    .version = "1.0.0",
    .topic = "lumbar/v1/sensor/{device}/{leaf}",
    .leaves = sensor_leaves,
    .metrics = sensor_metrics,
    .metric_count = METRIC_COUNT,
    .state_bytes = 24,
    .decode = sensor_decode,
};

/* A batch of one series of up to 8 values, times in ms on the device's clock. */
struct sent {
    struct lumbar_batch batch;
    struct lumbar_series series;
    int64_t time_ms[8];
    double value[8];
};

/* `count` values of a metric, 20 ms apart, the last one at now_ms. */
static inline struct lumbar_batch *sent_values(struct sent *sent, uint32_t metric, uint32_t count,
                                               const double *values, int64_t now_ms)
{
    for (uint32_t i = 0; i < count; i++) {
        sent->time_ms[i] = now_ms - 20 * (int64_t)(count - 1 - i);
        sent->value[i] = values[i];
    }
    sent->series = (struct lumbar_series){metric, count, sent->time_ms, sent->value};
    sent->batch =
        (struct lumbar_batch){.now_ms = now_ms, .series = &sent->series, .series_count = 1};
    return &sent->batch;
}

#endif
