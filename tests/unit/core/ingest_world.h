/*
 * Ingest with the real posture plugin and one configured device, for its tests.
 */
#ifndef LUMBAR_TESTS_INGEST_WORLD_H
#define LUMBAR_TESTS_INGEST_WORLD_H

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ingest.h"
#include "posture.pb-c.h"

#define NOW 1700000000000

static const char rules_text[] = "derived:\n"
                                 "  - {name: bent_time, metric: posture/trunk_inclination,\n"
                                 "     time: {above: 20 deg}, unit: s}\n"
                                 "  - {name: refused, health: refused}\n"
                                 "rules:\n"
                                 "  - {name: bent-long, metric: bent_time, above: 1 s,\n"
                                 "     priority: low, text: \"Bent for {value}.\"}\n"
                                 "  - name: bent\n"
                                 "    title: Bent\n"
                                 "    metric: posture/trunk_inclination\n"
                                 "    above: 20 deg\n"
                                 "    priority: medium\n"
                                 "    text: \"Bent {value}.\"\n";

static const char config_text[] = "rooms:\n"
                                  "  - name: salon\n"
                                  "    devices: [posture/p-01]\n";

struct world {
    struct drivers drivers;
    struct config *config;
    struct ingest ingest;
    unsigned raised, ended, refused;
    enum refusal why;
    const char *reason;
};

static inline void on_alarm(void *user, const struct alarm *alarm)
{
    struct world *world = user;
    world->raised += alarm->deed == DEED_RAISE;
    world->ended += alarm->deed == DEED_CLEAR;
}

static inline void on_refused(void *user, struct device *device, enum refusal refusal,
                              const char *reason, const struct ingest_message *message)
{
    struct world *world = user;
    (void)device;
    (void)message;
    world->refused++;
    world->why = refusal;
    world->reason = reason;
}

static inline int open_world_of(void **state, const char *yaml, uint32_t max)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    void *object = dlopen(PLUGIN_FOLDER "/posture.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(object);
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, dlsym(object, "lumbar_plugin"), &diag), 0);
    assert_int_equal(config_parse(&world->config, "test", config_text, strlen(config_text), &diag),
                     0);
    struct rules_text file = {"test", yaml, strlen(yaml), false};
    struct ingest *ingest = &world->ingest;
    assert_int_equal(derive_load(&ingest->derive, &file, 1, &world->drivers, max, &diag), 0);
    assert_int_equal(rules_load(&ingest->rules, &file, 1, &world->drivers, max, &diag), 0);
    ingest->config = world->config;
    ingest->drivers = &world->drivers;
    ingest->devices = devices_create(max, 1000000);
    ingest->routes = routes_create(max);
    ingest->alarms = alarms_create();
    ingest->feed = feed_create(256 * 1024);
    ingest->calibration = calibration_create(max, NULL, NULL);
    ingest->user = world;
    ingest->on_alarm = on_alarm;
    ingest->on_refused = on_refused;
    assert_int_equal(ingest_assign(ingest, &diag), 0);
    *state = world;
    return 0;
}

static inline int open_world(void **state)
{
    return open_world_of(state, rules_text, 8);
}

static inline int close_world(void **state)
{
    struct world *world = *state;
    calibration_destroy(world->ingest.calibration);
    feed_destroy(world->ingest.feed);
    alarms_destroy(world->ingest.alarms);
    routes_destroy(world->ingest.routes);
    devices_destroy(world->ingest.devices);
    rules_destroy(world->ingest.rules);
    config_destroy(world->config);
    drivers_fini(&world->drivers);
    derive_destroy(world->ingest.derive);
    free(world);
    return 0;
}

/* A batch of five rows, all of `degrees`. Returns its length. */
static inline size_t write_batch(uint8_t *out, uint64_t sequence, int64_t now_ms, double degrees)
{
    uint32_t dt[5] = {0, 20, 20, 20, 20};
    int32_t angle[5];
    for (unsigned i = 0; i < 5; i++)
        angle[i] = (int32_t)(degrees * 100);
    Lumbar__Posture__V1__Telemetry batch = LUMBAR__POSTURE__V1__TELEMETRY__INIT;
    batch.has_wall_clock = batch.wall_clock = 1;
    batch.has_boot_id = batch.has_sequence = batch.has_now_ms = batch.has_start_ms = 1;
    batch.boot_id = 7;
    batch.sequence = sequence;
    batch.now_ms = now_ms;
    batch.start_ms = now_ms - 80;
    batch.n_dt_ms = batch.n_trunk_inclination = 5;
    batch.dt_ms = dt;
    batch.trunk_inclination = angle;
    return lumbar__posture__v1__telemetry__pack(&batch, out);
}

static inline enum ingest_result take(struct world *world, const char *topic, const void *payload,
                                      size_t bytes, int64_t at_ms)
{
    struct ingest_message message = {topic, strlen(topic), payload, bytes, at_ms, 0, false};
    return ingest_take(&world->ingest, &message, at_ms);
}

static inline enum ingest_result take_batch(struct world *world, uint64_t sequence, int64_t at_ms,
                                            double degrees)
{
    uint8_t bytes[512];
    size_t count = write_batch(bytes, sequence, at_ms, degrees);
    return take(world, "lumbar/v1/posture/p-01/telemetry", bytes, count, at_ms);
}

#endif
