/*
 * For the tests of plugins and drivers: a good plugin to be broken, whose decode() does what the
 * test says, and a hub that has three such.
 */
#ifndef LUMBAR_TESTS_DRIVER_SUBJECT_H
#define LUMBAR_TESTS_DRIVER_SUBJECT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/driver.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { LEVEL, MODE, TURNS, ALERT, METRIC_COUNT };

/* What the plugin under test does; decode() has no other way to be told. */
static int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);

static inline int decode(void *state, const struct lumbar_message *message,
                         struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)state;
    (void)message;
    return script(scratch, batch);
}

/* A good plugin with one metric of each kind, writable. */
struct subject {
    struct lumbar_plugin plugin;
    struct lumbar_metric metrics[METRIC_COUNT];
    struct lumbar_golden golden[1];
    const char *modes[LUMBAR_LABELS_MAX + 3], *alerts[3], *leaves[20];
    char long_text[300];
};

static inline void make_subject(struct subject *s, const char *kind, const char *topic)
{
    *s = (struct subject){
        .metrics = {[LEVEL] = {.name = "level",
                               .title = "Level",
                               .unit = "mm",
                               .kind = LUMBAR_GAUGE,
                               .flags = LUMBAR_KEY,
                               .max = 100,
                               .decimals = 1,
                               .period_ms = 1000},
                    [MODE] = {.name = "mode",
                              .title = "Mode",
                              .unit = "1",
                              .kind = LUMBAR_STATE,
                              .max = 2,
                              .period_ms = 5000,
                              .labels = s->modes},
                    [TURNS] = {.name = "turns",
                               .title = "Turns",
                               .unit = "1",
                               .kind = LUMBAR_COUNTER,
                               .max = 1e9,
                               .period_ms = 1000},
                    [ALERT] = {.name = "alert",
                               .title = "Alert",
                               .unit = "1",
                               .kind = LUMBAR_EVENT,
                               .max = 1,
                               .labels = s->alerts,
                               .code = "LOINC 1-8"}},
        .golden = {{"telemetry", (const uint8_t *)"x", 1, "level", 1, 5}},
        .modes = {"off", "low", "high"},
        .alerts = {"stall", "heat"},
        .leaves = {"telemetry", "status"},
    };
    memset(s->long_text, 'a', sizeof(s->long_text)); /* has no end */
    s->plugin = (struct lumbar_plugin){
        .abi = LUMBAR_PLUGIN_ABI,
        .size = sizeof(struct lumbar_plugin),
        .metric_bytes = sizeof(struct lumbar_metric),
        .golden_bytes = sizeof(struct lumbar_golden),
        .kind = kind,
        .title = "Pump",
        .version = "1.0",
        .topic = topic,
        .leaves = s->leaves,
        .metrics = s->metrics,
        .metric_count = METRIC_COUNT,
        .golden = s->golden,
        .golden_count = 1,
        .decode = decode,
    };
}

/* Two kinds of which both have every metric, and one that has another. */
struct ward {
    struct subject pump, valve, probe;
    struct drivers drivers;
};

static struct ward ward;

static inline int open_ward(void **state)
{
    (void)state;
    make_subject(&ward.pump, "pump", "lumbar/v1/pump/{device}/{leaf}");
    make_subject(&ward.valve, "valve", "acme/{device}");
    make_subject(&ward.probe, "probe", "acme/{device}/{leaf}");
    ward.valve.leaves[0] = "";
    ward.valve.leaves[1] = NULL;
    ward.valve.golden[0].leaf = "";
    ward.probe.plugin.metric_count = 1;
    ward.probe.metrics[0].name = "skin_temperature";
    ward.probe.golden[0].metric = "skin_temperature";
    drivers_init(&ward.drivers);
    struct diag diag = {.code = 0};
    const struct subject *subjects[] = {&ward.pump, &ward.valve, &ward.probe};
    for (size_t i = 0; i < COUNT(subjects); i++)
        if (driver_check(&subjects[i]->plugin, &diag) != 0 ||
            drivers_add(&ward.drivers, &subjects[i]->plugin, &diag) != 0)
            return -1;
    return 0;
}

static inline int close_ward(void **state)
{
    (void)state;
    drivers_fini(&ward.drivers);
    return 0;
}

#define IN_WARD(test) cmocka_unit_test_setup_teardown(test, open_ward, close_ward)

#endif
