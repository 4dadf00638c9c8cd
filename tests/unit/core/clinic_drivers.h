/* Two kinds of device, made for tests and fuzzers of the rules: nothing but their metrics. */
#ifndef LUMBAR_TESTS_CLINIC_DRIVERS_H
#define LUMBAR_TESTS_CLINIC_DRIVERS_H

#include <assert.h>

#include "core/driver.h"

static const char *const clinic_poses[] = {"upright", "slouched", "off_body", NULL};
static const char *const clinic_faults[] = {"stall", "overheat", NULL};

/* Stale after 3 periods, 2 s at least: angle 2 s, warmth and pose 3 s, battery 3 min. */
static const struct lumbar_metric clinic_back_metrics[] = {
    {.name = "angle",
     .title = "Trunk angle",
     .unit = "deg",
     .kind = LUMBAR_GAUGE,
     .min = -40,
     .max = 120,
     .decimals = 1,
     .period_ms = 100},
    {.name = "warmth",
     .title = "Skin",
     .unit = "Cel",
     .kind = LUMBAR_GAUGE,
     .min = 20,
     .max = 50,
     .decimals = 1,
     .period_ms = 1000},
    {.name = "pose",
     .title = "Pose",
     .unit = "1",
     .kind = LUMBAR_STATE,
     .max = 2,
     .period_ms = 1000,
     .labels = clinic_poses},
    {.name = "fault",
     .title = "Fault",
     .unit = "1",
     .kind = LUMBAR_EVENT,
     .max = 1,
     .labels = clinic_faults},
    {.name = "strokes",
     .title = "Strokes",
     .unit = "1",
     .kind = LUMBAR_COUNTER,
     .max = 65534,
     .period_ms = 1000},
    {.name = "battery",
     .title = "Battery",
     .unit = "%",
     .kind = LUMBAR_GAUGE,
     .max = 100,
     .period_ms = 60000},
};

static const struct lumbar_metric clinic_pad_metrics[] = {
    {.name = "battery",
     .title = "Battery",
     .unit = "%",
     .kind = LUMBAR_GAUGE,
     .max = 100,
     .period_ms = 60000},
    {.name = "speed",
     .title = "Speed",
     .unit = "deg/s",
     .kind = LUMBAR_GAUGE,
     .min = -300,
     .max = 300,
     .period_ms = 1000},
};

static const char *const clinic_leaves[] = {"telemetry", NULL};

static const struct lumbar_plugin clinic_back = {
    .kind = "back",
    .title = "Back",
    .topic = "lumbar/v1/back/{device}/{leaf}",
    .leaves = clinic_leaves,
    .metrics = clinic_back_metrics,
    .metric_count = sizeof(clinic_back_metrics) / sizeof(clinic_back_metrics[0]),
};

static const struct lumbar_plugin clinic_pad = {
    .kind = "pad",
    .title = "Pad",
    .topic = "lumbar/v1/pad/{device}/{leaf}",
    .leaves = clinic_leaves,
    .metrics = clinic_pad_metrics,
    .metric_count = sizeof(clinic_pad_metrics) / sizeof(clinic_pad_metrics[0]),
};

static inline void clinic_init(struct drivers *drivers)
{
    drivers_init(drivers);
    int code = drivers_add(drivers, &clinic_back, NULL);
    if (code == 0)
        code = drivers_add(drivers, &clinic_pad, NULL);
    assert(code == 0);
    (void)code;
}

#endif
