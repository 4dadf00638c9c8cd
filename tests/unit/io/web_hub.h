/*
 * A web server on a real loop in a thread of its own, with a small world to look at. For the tests
 * of io/web.
 */
#ifndef LUMBAR_TESTS_WEB_HUB_H
#define LUMBAR_TESTS_WEB_HUB_H

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "io/web.h"

struct hub {
    uv_loop_t loop;
    uv_async_t door;
    pthread_t thread;
    sem_t done;
    void (*work)(struct hub *hub, void *argument);
    void *argument;

    struct config *config;
    struct drivers drivers;
    struct devices *devices;
    struct rules *rules;
    struct alarms *alarms;
    struct feed *feed;
    struct device *device;
    uint64_t sequence;
    struct frame *frame;
    struct web *web;
    int port;
};

static inline int hub_decode(void *state, const struct lumbar_message *message,
                             struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)state, (void)message, (void)scratch, (void)batch;
    return LUMBAR_IGNORED;
}

static const struct lumbar_metric hub_metrics[] = {
    {.name = "level",
     .title = "Level",
     .unit = "mm",
     .kind = LUMBAR_GAUGE,
     .flags = LUMBAR_KEY,
     .max = 1000,
     .period_ms = 1000},
};
static const struct lumbar_plugin hub_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "probe",
    .title = "Probe",
    .version = "1.0.0",
    .topic = "lumbar/v1/probe/{device}/{leaf}",
    .leaves = (const char *const[]){"telemetry", NULL},
    .metrics = hub_metrics,
    .metric_count = 1,
    .decode = hub_decode,
};

static inline int64_t hub_now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* The loop's thread: so many values a millisecond apart, up to now, into room 1. */
static inline void hub_push(struct hub *hub, uint32_t count)
{
    static _Thread_local int64_t times[4096];
    static _Thread_local double values[4096];
    int64_t now = hub_now_ms();
    assert(count <= 4096);
    for (uint32_t i = 0; i < count; i++) {
        times[i] = now - (int64_t)(count - 1 - i);
        values[i] = (double)((hub->sequence * 7919 + i * 31) % 1000);
    }
    hub->sequence++;
    struct lumbar_series series = {0, count, times, values};
    struct lumbar_batch batch = {.now_ms = now, .series = &series, .series_count = 1};
    device_note(hub->device, &batch, 0);
    feed_push(hub->feed, hub->device, &batch, 0, now);
}

static inline void hub_make_world(struct hub *hub)
{
    static const char yaml[] = "clinic: Test\nrooms:\n  - name: one\n    devices: [probe/p-1]\n";
    static const char rule[] =
        "rules:\n  - {name: high, title: High, metric: level, above: 900 mm, "
        "priority: high, text: High}\n";
    struct rules_text rules = {"test.yaml", rule, sizeof(rule) - 1, false};
    struct diag diag = {0};
    drivers_init(&hub->drivers);
    if (drivers_add(&hub->drivers, &hub_plugin, &diag) != 0 ||
        config_parse(&hub->config, "test.yaml", yaml, sizeof(yaml) - 1, &diag) != 0 ||
        rules_load(&hub->rules, &rules, 1, &hub->drivers, 16, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        abort();
    }
    hub->devices = devices_create(16, 1000);
    hub->alarms = alarms_create();
    hub->feed = feed_create(4 * 1024 * 1024);
    hub->device = devices_hear(hub->devices, &hub->drivers.list[0], "p-1", 3);
    devices_assign(hub->devices, hub->device, 1);
    struct frame_world world = {.config = hub->config,
                                .drivers = &hub->drivers,
                                .devices = hub->devices,
                                .rules = hub->rules,
                                .alarms = hub->alarms,
                                .feed = hub->feed};
    hub->frame = frame_create(&world, 42);
}

static inline void hub_drop_world(struct hub *hub)
{
    frame_destroy(hub->frame);
    feed_destroy(hub->feed);
    alarms_destroy(hub->alarms);
    rules_destroy(hub->rules);
    devices_destroy(hub->devices);
    config_destroy(hub->config);
    drivers_fini(&hub->drivers);
}

static inline void hub_on_door(uv_async_t *door)
{
    struct hub *hub = door->data;
    if (hub->work == NULL)
        return; /* async sends coalesce: this one was heard already */
    hub->work(hub, hub->argument);
    hub->work = NULL;
    sem_post(&hub->done);
}

static inline void *hub_run(void *hub)
{
    uv_run(&((struct hub *)hub)->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Runs it on the loop's thread and waits for it. */
static inline void hub_call(struct hub *hub, void (*work)(struct hub *, void *), void *argument)
{
    hub->argument = argument;
    hub->work = work;
    uv_async_send(&hub->door);
    sem_wait(&hub->done);
}

static inline int hub_start(struct hub *hub, const struct web_options *options, struct diag *diag)
{
    *hub = (struct hub){0};
    hub_make_world(hub);
    uv_loop_init(&hub->loop);
    uv_async_init(&hub->loop, &hub->door, hub_on_door);
    hub->door.data = hub;
    sem_init(&hub->done, 0, 0);
    int code = web_create(&hub->web, &hub->loop, options, hub->frame, diag);
    if (code != 0) {
        uv_close((uv_handle_t *)&hub->door, NULL);
        uv_run(&hub->loop, UV_RUN_DEFAULT);
        int open = uv_loop_close(&hub->loop);
        sem_destroy(&hub->done);
        hub_drop_world(hub);
        return open == 0 ? code : -9999;
    }
    hub->port = web_port(hub->web);
    pthread_create(&hub->thread, NULL, hub_run, hub);
    return 0;
}

static inline void hub_on_stop(struct hub *hub, void *argument)
{
    web_stop(hub->web, argument);
    uv_close((uv_handle_t *)&hub->door, NULL);
}

/* Returns what uv_loop_close() said: 0 if nothing was left open. */
static inline int hub_stop(struct hub *hub)
{
    hub_call(hub, hub_on_stop, (void *)(uintptr_t) "closing time");
    pthread_join(hub->thread, NULL);
    web_destroy(hub->web);
    sem_destroy(&hub->done);
    hub_drop_world(hub);
    return uv_loop_close(&hub->loop);
}

#endif
