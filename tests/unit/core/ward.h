/*
 * A small clinic for the tests of frames: two rooms, three devices, two rules, and a browser that
 * reads its frames with the generated code.
 */
#ifndef LUMBAR_TESTS_WARD_H
#define LUMBAR_TESTS_WARD_H

#include "sensor.h"

#include "core/calibration.h"
#include "core/frame.h"
#include "core/sessions.h"
#include "live.pb-c.h"

#define NOW      INT64_C(1700000000000)
#define INSTANCE UINT64_C(0xfedcba9876543210)

typedef Lumbar__Live__V1__Frame Frame;

static const char ward_config[] =
    "clinic: Lindenhof\n"
    "rooms:\n"
    "  - {name: salon, title: Großer Salon, devices: [sensor/p-01, sensor/p-02]}\n"
    "  - {name: quiet, title: Quiet room, devices: [sensor/p-03]}\n";
static const char ward_rules[] = "rules:\n"
                                 "  - name: bent\n"
                                 "    title: Bent forward\n"
                                 "    metric: angle\n"
                                 "    above: 45 deg\n"
                                 "    priority: medium\n"
                                 "    text: \"{device} in {room}: {value}.\"\n"
                                 "    action: Sit up.\n"
                                 "  - {name: cold, title: Cold, metric: temperature, below: 25 "
                                 "Cel, priority: low, text: Cold}\n"
                                 "  - {name: far, title: Far, metric: angle, above: "
                                 "limit(angle), priority: low, text: Far}\n";

struct ward {
    struct drivers drivers;
    struct config *config;
    struct rules *rules;
    struct devices *devices;
    struct alarms *alarms;
    struct feed *feed;
    struct body body;
    struct sessions *sessions;
    struct calibration *calibration;
    struct suppressions suppressions;
    struct pauses pauses;
    struct frame *frame;
};

static inline struct config *ward_parse(const char *yaml)
{
    struct config *config = NULL;
    struct diag diag = {0};
    if (config_parse(&config, "test.yaml", yaml, strlen(yaml), &diag) != 0)
        fail_msg("%s", diag.text);
    return config;
}

static inline struct rules *ward_load(const struct drivers *drivers, const char *yaml,
                                      uint32_t devices)
{
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text text = {"rules.yaml", yaml, strlen(yaml), false};
    if (rules_load(&rules, &text, 1, drivers, devices, &diag) != 0)
        fail_msg("%s", diag.text);
    return rules;
}

/* What rules ask, as the hub answers. */

static inline bool ward_limit(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    const struct ward *ward = user;
    double ends[2];
    bool found = sessions_limit(ward->sessions, room, metric, &ends[0], &ends[1]);
    *limit = ends[high];
    return found && !isnan(*limit);
}

static inline bool ward_range(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    const struct ward *ward = user;
    return sessions_own(ward->sessions, room, metric, low, high);
}

static inline void ward_ask(struct ward *ward)
{
    rules_ask(ward->rules,
              &(struct rules_lookup){.user = ward, .limit = ward_limit, .own_range = ward_range});
}

static inline struct frame_world ward_world(const struct ward *ward)
{
    return (struct frame_world){
        ward->config, &ward->drivers, ward->devices,     ward->rules,         ward->alarms,
        ward->feed,   ward->sessions, ward->calibration, &ward->suppressions, &ward->pauses};
}

/* The device of this name in its room; heard for the first time. */
static inline struct device *ward_device(struct ward *ward, const char *name, uint32_t room)
{
    struct device *device = devices_hear(ward->devices, &ward->drivers.list[0], name, strlen(name));
    assert_non_null(device);
    devices_assign(ward->devices, device, room);
    return device;
}

static inline void ward_init(struct ward *ward, size_t feed_bytes, uint32_t devices)
{
    struct diag diag = {0};
    memset(&ward->suppressions, 0, sizeof(ward->suppressions));
    memset(&ward->pauses, 0, sizeof(ward->pauses));
    drivers_init(&ward->drivers);
    assert_int_equal(drivers_add(&ward->drivers, &sensor_plugin, &diag), 0);
    ward->config = ward_parse(ward_config);
    ward->rules = ward_load(&ward->drivers, ward_rules, devices);
    ward->devices = devices_create(devices, 1000);
    ward->alarms = alarms_create();
    ward->feed = feed_create(feed_bytes);
    body_init(&ward->body, &ward->drivers);
    ward->sessions = sessions_create(devices, &ward->drivers, &ward->body, NULL, NULL);
    ward->calibration = calibration_create(devices, NULL, NULL);
    ward_ask(ward);
    ward_device(ward, "p-01", 1);
    ward_device(ward, "p-02", 1);
    ward_device(ward, "p-03", 2);
    struct frame_world world = ward_world(ward);
    ward->frame = frame_create(&world, INSTANCE);
    assert_non_null(ward->frame);
}

static inline void ward_fini(struct ward *ward)
{
    frame_destroy(ward->frame);
    calibration_destroy(ward->calibration);
    sessions_destroy(ward->sessions);
    feed_destroy(ward->feed);
    alarms_destroy(ward->alarms);
    devices_destroy(ward->devices);
    rules_destroy(ward->rules);
    config_destroy(ward->config);
    drivers_fini(&ward->drivers);
}

/* Values of one metric, the last of them at now_ms, as the hub would take them. */
static inline void ward_say(struct ward *ward, uint32_t device, uint32_t metric, uint32_t count,
                            const double *values, int64_t now_ms)
{
    struct sent sent;
    struct device *of = devices_at(ward->devices, device);
    struct lumbar_batch *batch = sent_values(&sent, metric, count, values, now_ms);
    device_note(of, batch, 0);
    feed_push(ward->feed, of, batch, 0, now_ms);
}

static inline void ward_alarm(struct ward *ward, const char *rule, uint32_t device, bool on,
                              double value, int64_t now_ms)
{
    struct rule_event event = {.rule = rules_find(ward->rules, rule),
                               .device = device,
                               .on = on,
                               .value = value,
                               .worst = value,
                               .limit = NAN,
                               .time_ms = now_ms};
    assert_non_null(event.rule);
    alarms_take(ward->alarms, &event);
}

/* ---- The browser ---- */

struct wish {
    uint32_t room, backlog_s;
    uint64_t instance, cursor; /* instance 0: a client that begins */
};

static inline int ward_watch(struct ward *ward, struct frame_cursor *cursor, struct wish wish,
                             int64_t now_ms)
{
    uint8_t bytes[64];
    Lumbar__Live__V1__Watch watch = LUMBAR__LIVE__V1__WATCH__INIT;
    watch.has_room = watch.has_backlog_s = 1;
    watch.room = wish.room;
    watch.backlog_s = wish.backlog_s;
    watch.has_instance = watch.has_cursor = wish.instance != 0;
    watch.instance = wish.instance;
    watch.cursor = wish.cursor;
    size_t count = lumbar__live__v1__watch__pack(&watch, bytes);
    return frame_watch(ward->frame, cursor, bytes, count, now_ms);
}

/* The next frame, which the caller frees; NULL where there is none. */
static inline Frame *ward_next(struct ward *ward, struct frame_cursor *cursor, int64_t now_ms)
{
    uint8_t *bytes;
    bool due = frame_due(ward->frame, cursor);
    size_t count = frame_next(ward->frame, cursor, now_ms, &bytes);
    assert_int_equal(count > 0, due);
    if (count == 0)
        return NULL;
    memset(bytes - FRAME_HEADROOM, 0xee, FRAME_HEADROOM); /* it is the transport's to write */
    Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    assert_non_null(frame);
    assert_true(frame->has_cursor && frame->has_hub_ms);
    return frame;
}

static inline void ward_free(Frame *frame)
{
    lumbar__live__v1__frame__free_unpacked(frame, NULL);
}

/* Takes all there is; returns how many frames that were. */
static inline unsigned ward_drain(struct ward *ward, struct frame_cursor *cursor, int64_t now_ms)
{
    unsigned count = 0;
    for (Frame *frame; (frame = ward_next(ward, cursor, now_ms)) != NULL; count++) {
        assert_true(count < 10000);
        ward_free(frame);
    }
    return count;
}

#endif
