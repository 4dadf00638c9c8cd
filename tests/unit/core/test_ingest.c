/* The way of one message, with the real plugin, time as a number, and allocations counted. */
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
#endif

/* Every allocation of the process, shared libraries too; the sanitizers bring their own. */
static unsigned long allocations;
#if COUNTS
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}
__attribute__((visibility("default"))) void *realloc(void *old, size_t bytes)
{
    allocations++;
    return __libc_realloc(old, bytes);
}
#endif

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

static void on_alarm(void *user, const struct alarm *alarm)
{
    struct world *world = user;
    world->raised += alarm->deed == DEED_RAISE;
    world->ended += alarm->deed == DEED_CLEAR;
}

static void on_refused(void *user, struct device *device, enum refusal refusal, const char *reason,
                       const struct ingest_message *message)
{
    struct world *world = user;
    (void)device;
    (void)message;
    world->refused++;
    world->why = refusal;
    world->reason = reason;
}

static int open_world_of(void **state, const char *yaml, uint32_t max)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    void *object = dlopen(PLUGIN_FOLDER "/posture.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(object);
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, dlsym(object, "lumbar_plugin"), &diag), 0);
    assert_int_equal(config_parse(&world->config, "test", config_text, strlen(config_text), &diag),
                     0);
    struct rules_text file = {"test", yaml, strlen(yaml)};
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

static int open_world(void **state)
{
    return open_world_of(state, rules_text, 8);
}

static int close_world(void **state)
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
static size_t write_batch(uint8_t *out, uint64_t sequence, int64_t now_ms, double degrees)
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

static enum ingest_result take(struct world *world, const char *topic, const void *payload,
                               size_t bytes, int64_t at_ms)
{
    struct ingest_message message = {topic, strlen(topic), payload, bytes, at_ms, 0, false};
    return ingest_take(&world->ingest, &message, at_ms);
}

static enum ingest_result take_batch(struct world *world, uint64_t sequence, int64_t at_ms,
                                     double degrees)
{
    uint8_t bytes[512];
    size_t count = write_batch(bytes, sequence, at_ms, degrees);
    return take(world, "lumbar/v1/posture/p-01/telemetry", bytes, count, at_ms);
}

static void the_configured_device_is_known_before_it_speaks(void **state)
{
    struct world *world = *state;
    assert_int_equal(devices_count(world->ingest.devices), 1);
    assert_int_equal(devices_at(world->ingest.devices, 1)->room, 1);
    assert_int_equal(devices_at(world->ingest.devices, 1)->heard_ms, 0);
}

static void rooms_are_held_against_plugins_and_places_before_they_are_taken(void **state)
{
    struct world *world = *state;
    static const struct {
        bool running; /* p-01 is known already, and eight have places */
        const char *text, *sentence;
    } cases[] = {
        {true, "devices: {max: 8}", NULL},
        {true, "devices: {max: 1}\nrooms: [{name: a, devices: [posture/p-01]}]", NULL},
        {false, "devices: {max: 1}\nrooms: [{name: a, devices: [posture/p-02]}]", NULL},
        {false, "devices: {max: 1}\nrooms:\n - name: a\n   devices: [posture/p-1, posture/p-2]",
         "f:4:27: room 'a': no place for 'posture/p-2': devices.max is 1"},
        {true, "devices: {max: 1}\nrooms:\n - {name: a, devices: [posture/p-02]}",
         "f:3:24: room 'a': no place for 'posture/p-02': devices.max is 1"},
        {false, "rooms:\n - name: a\n   devices:\n   - postur/p-01",
         "f:4:6: room 'a': no plugin has the kind of 'postur/p-01'; did you mean 'posture'?"},
        {false, "rooms: [{name: a, devices: [scale/s-01]}]",
         "f:1:29: room 'a': no plugin has the kind of 'scale/s-01'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config;
        struct diag diag = {0};
        char sentence[600];
        assert_int_equal(config_parse(&config, "f", cases[i].text, strlen(cases[i].text), &diag),
                         0);
        int code = ingest_check(config, &world->drivers,
                                cases[i].running ? world->ingest.devices : NULL, &diag);
        if (cases[i].sentence == NULL)
            assert_int_equal(code, 0);
        else
            assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)),
                                cases[i].sentence);
        config_destroy(config);
    }
    assert_int_equal(devices_count(world->ingest.devices), 1);
}

static void each_message_has_one_of_three_ends(void **state)
{
    struct world *world = *state;
    const char *topic = "lumbar/v1/posture/p-01/telemetry";
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    const struct {
        const char *topic;
        const void *payload;
        size_t bytes;
        enum ingest_result result;
        enum refusal why;
    } cases[] = {
        {topic, good, bytes, INGEST_USED, 0},
        {topic, good, bytes, INGEST_REPEATED, 0},
        {topic, good, bytes - 1, INGEST_REFUSED, REFUSED_MALFORMED}, /* cut short */
        {topic, "\xff", 1, INGEST_REFUSED, REFUSED_MALFORMED},
        {"lumbar/v1/scale/s-01/telemetry", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
        {"lumbar/v1/posture/a b/telemetry", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
        {"", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
    };
    unsigned refused = 0;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum ingest_result result =
            take(world, cases[i].topic, cases[i].payload, cases[i].bytes, NOW);
        assert_int_equal(result, cases[i].result);
        refused += result == INGEST_REFUSED;
        assert_int_equal(world->refused, refused);
        if (result == INGEST_REFUSED)
            assert_int_equal(world->why, cases[i].why);
    }
    assert_int_equal(world->ingest.refused, refused);
}

/* A table without place for one topic: each message's is parsed anew. */
static void whose_a_message_was_is_known_though_the_routes_are_full(void **state)
{
    struct world *world = *state;
    routes_destroy(world->ingest.routes);
    world->ingest.routes = routes_create(0);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        assert_int_equal(take_batch(world, sequence, NOW, 10), INGEST_USED);
        assert_ptr_equal(world->ingest.heard, devices_at(world->ingest.devices, 1));
    }
    take(world, "lumbar/v1/posture/p-01/telemetry", "\xff", 1, NOW); /* refused, but known */
    assert_ptr_equal(world->ingest.heard, devices_at(world->ingest.devices, 1));
    take(world, "lumbar/v1/scale/s-01/telemetry", "\xff", 1, NOW);
    assert_null(world->ingest.heard);
}

/* The table has eight places. */
static void made_up_names_take_no_place_from_a_device_that_speaks(void **state)
{
    struct world *world = *state;
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    char topic[64];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(topic, sizeof(topic), "lumbar/v1/posture/made-up-%u/telemetry", i);
        assert_int_equal(take(world, topic, "\xff\xff", 2, NOW + i), INGEST_REFUSED);
        assert_int_equal(world->why, REFUSED_MALFORMED);
    }
    assert_int_equal(devices_count(world->ingest.devices), 1);
    assert_int_equal(take(world, "lumbar/v1/posture/p-02/telemetry", good, bytes, NOW + 100),
                     INGEST_USED);
    assert_int_equal(devices_count(world->ingest.devices), 2);
    assert_int_equal(devices_at(world->ingest.devices, 2)->messages, 1);
}

static bool any_is_condemned(void *user, const struct ingest_message *message)
{
    (void)user, (void)message;
    return true;
}

static void what_killed_the_hub_is_not_decoded_whoever_sends_it(void **state)
{
    static const char *const topics[] = {"lumbar/v1/posture/p-01/telemetry",
                                         "lumbar/v1/posture/never-heard/telemetry"};
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    uint8_t deadly[512];
    size_t bytes = write_batch(deadly, 1, NOW, 1);
    world->ingest.is_condemned = any_is_condemned;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(take(world, topics[i], deadly, bytes, NOW), INGEST_REFUSED);
        assert_int_equal(world->why, REFUSED_QUARANTINE);
    }
    assert_int_equal(devices_count(world->ingest.devices), 1);
    assert_int_equal(device->refused[REFUSED_QUARANTINE], 1);
    assert_int_equal(device->messages, 0);
    /* What a run before has used did no harm then. */
    struct ingest_message used = {topics[0], strlen(topics[0]), deadly, bytes, NOW, 0, true};
    assert_int_equal(ingest_take(&world->ingest, &used, NOW), INGEST_USED);
    assert_int_equal(device->messages, 1);
}

/* Each with its words, and counted for the device where it is known. */
static void each_refusal_has_its_reason(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    routes_destroy(world->ingest.routes);
    devices_destroy(world->ingest.devices);
    world->ingest.routes = routes_create(8);
    world->ingest.devices = devices_create(8, 20);
    assert_int_equal(ingest_assign(&world->ingest, &diag), 0);
    struct device *device = devices_at(world->ingest.devices, 1);
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    char topic[64];
    for (unsigned i = 2; i <= 8; i++) { /* as many as have a place */
        snprintf(topic, sizeof(topic), "lumbar/v1/posture/p-0%u/telemetry", i);
        assert_int_equal(take(world, topic, good, bytes, NOW), INGEST_USED);
    }
    enum { NOBODY = REFUSED_COUNT_ };
    static const struct {
        const char *topic;
        size_t cut; /* off a good message */
        bool deadly, often;
        enum refusal why;
        const char *reason;
        unsigned of_device; /* which of p-01's counters grows */
    } cases[] = {
        {"lumbar/v1/scale/s-01/telemetry", 0, false, false, REFUSED_MALFORMED,
         "no plugin knows its topic", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 1, false, false, REFUSED_MALFORMED,
         "its plugin cannot decode it", REFUSED_MALFORMED},
        {"lumbar/v1/posture/p-99/telemetry", 1, false, false, REFUSED_MALFORMED,
         "its plugin cannot decode it", NOBODY},
        {"lumbar/v1/posture/p-99/telemetry", 0, false, false, REFUSED_RATE,
         "no place for one more device", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 0, true, false, REFUSED_QUARANTINE,
         "one like it killed the hub", REFUSED_QUARANTINE},
        {"lumbar/v1/posture/p-99/telemetry", 0, true, false, REFUSED_QUARANTINE,
         "one like it killed the hub", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 0, false, true, REFUSED_RATE,
         "it sends more than it may", REFUSED_RATE},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before[REFUSED_COUNT_];
        world->ingest.is_condemned = cases[i].deadly ? any_is_condemned : NULL;
        for (unsigned n = 0; cases[i].often && n < 50; n++)
            take(world, cases[i].topic, good, bytes, NOW); /* until it may say no more */
        memcpy(before, device->refused, sizeof(before));
        assert_int_equal(take(world, cases[i].topic, good, bytes - cases[i].cut, NOW),
                         INGEST_REFUSED);
        assert_int_equal(world->why, cases[i].why);
        assert_string_equal(world->reason, cases[i].reason);
        for (unsigned r = 0; r < REFUSED_COUNT_; r++)
            assert_int_equal(device->refused[r] - before[r], r == cases[i].of_device);
        world->why = REFUSED_COUNT_;
    }
}

static void no_skew_is_spoken_of_while_the_hubs_own_clock_is_in_doubt(void **state)
{
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    take_batch(world, 1, NOW, 10);
    assert_true(device->has_skew);
    ingest_doubt_clock(&world->ingest, true);
    assert_false(device->has_skew);
    take_batch(world, 2, NOW + 100, 10);
    assert_false(device->has_skew);
    ingest_doubt_clock(&world->ingest, false);
    take_batch(world, 3, NOW + 200, 10);
    assert_true(device->has_skew);
}

static void an_alarm_is_raised_and_ends(void **state)
{
    struct world *world = *state;
    take_batch(world, 1, NOW, 10);
    assert_int_equal(world->raised, 0);
    take_batch(world, 2, NOW + 100, 25);
    assert_int_equal(world->raised, 1);
    take_batch(world, 2, NOW + 200, 5); /* a repeat by its sequence: not believed */
    assert_int_equal(world->ended, 0);
    take_batch(world, 3, NOW + 300, 5);
    assert_int_equal(world->ended, 1);
}

static void bend(struct world *world, unsigned device, uint64_t sequence, int64_t at_ms,
                 double degrees)
{
    char topic[64];
    uint8_t bytes[512];
    size_t count = write_batch(bytes, sequence, at_ms, degrees);
    snprintf(topic, sizeof(topic), "lumbar/v1/posture/w-%04u/telemetry", device);
    assert_int_equal(take(world, topic, bytes, count, at_ms), INGEST_USED);
}

static const struct alarm *alarm_of(struct world *world, const char *device)
{
    for (const struct alarm *at = NULL; (at = alarms_next(world->ingest.alarms, at)) != NULL;)
        if (strcmp(devices_at(world->ingest.devices, at->device)->name, device) == 0)
            return at;
    return NULL;
}

#define FAR                                                                                        \
    "  - {name: far, metric: posture/trunk_inclination, above: 60 deg, priority: high, text: Far}\n"

/* A rule of each engine, plain and with a tree, and a more urgent one. */
static void what_found_no_place_among_the_alarms_is_raised_when_there_is_one(void **unused)
{
    (void)unused;
    static const char *const rules[] = {
        "rules:\n  - {name: bent, metric: posture/trunk_inclination, above: 20 deg,\n"
        "     priority: low, text: Bent}\n" FAR,
        "rules:\n  - {name: bent, metric: posture/trunk_inclination, above: 20 deg,\n"
        "     armed: {except: [heat]}, priority: low, text: Bent}\n" FAR};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        void *state;
        open_world_of(&state, rules[i], ALARMS_MAX + 8);
        struct world *world = state;
        struct ingest *ingest = &world->ingest;
        for (unsigned d = 0; d < ALARMS_MAX + 4; d++)
            bend(world, d, 1, NOW, d == ALARMS_MAX + 2 ? 65 : 25);
        ingest_tick(ingest, NOW + 100);
        assert_int_equal(world->raised, ALARMS_MAX);
        assert_int_equal(ingest->alarms_waiting, 5);
        assert_int_equal(alarms_places(ingest->alarms), 0);

        bend(world, 7, 2, NOW + 200, 5); /* one is over: the most urgent takes its place */
        ingest_tick(ingest, NOW + 300);
        assert_int_equal(world->raised, ALARMS_MAX + 1);
        assert_int_equal(ingest->alarms_waiting, 4);
        const struct alarm *alarm = alarm_of(world, "w-4098");
        assert_non_null(alarm);
        assert_string_equal(alarm->rule->name, "far");
        assert_true(alarm->value == 65 && alarm->limit == 60);
        assert_int_equal(alarm->raised_ms, NOW + 300);

        bend(world, ALARMS_MAX + 3, 2, NOW + 400, 5); /* over before it had a place */
        ingest_tick(ingest, NOW + 500);
        assert_int_equal(ingest->alarms_waiting, 3);
        for (unsigned d = 8; d < 12; d++)
            bend(world, d, 2, NOW + 600, 5);
        ingest_tick(ingest, NOW + 700);
        ingest_tick(ingest, NOW + 800); /* nothing is told twice */
        assert_int_equal(ingest->alarms_waiting, 0);
        assert_int_equal(world->raised, ALARMS_MAX + 4);
        assert_int_equal(alarms_overflow(ingest->alarms), 5);
        alarm = alarm_of(world, "w-4096");
        assert_non_null(alarm);
        assert_true(alarm->value == 25 && alarm->limit == 20);
        assert_null(alarm_of(world, "w-4099"));
        close_world(&state);
    }
}

static double inclination(struct world *world)
{
    const struct device *device = devices_at(world->ingest.devices, 1);
    for (uint32_t i = 0; i < device->driver->metric_count; i++)
        if (strcmp(device->driver->metrics[i].name, "trunk_inclination") == 0)
            return device->values[i].value;
    return NAN;
}

/* The zero of the inclination alone, for the device sends nothing else here. */
static void set_zero(struct world *world, double deg, int64_t from_ms, int64_t to_ms)
{
    const struct device *device = devices_at(world->ingest.devices, 1);
    struct neutral_zero zero = {.taken_ms = from_ms, .expires_ms = to_ms, .count = 1};
    while (strcmp(device->driver->metrics[zero.angles[0].metric].name, "trunk_inclination") != 0)
        zero.angles[0].metric++;
    zero.angles[0].deg = deg;
    assert_int_equal(calibration_restore(world->ingest.calibration, device, &zero, NULL), 0);
}

static void from_a_neutral_posture_on_everything_is_told_from_it(void **state)
{
    struct world *world = *state;
    take_batch(world, 1, NOW, 25);
    assert_int_equal(world->raised, 1);
    set_zero(world, 15, NOW + 60, NOW + 1000);
    take_batch(world, 2, NOW + 100, 25); /* its first value was measured before */
    assert_true(inclination(world) == 10);
    assert_int_equal(world->ended, 1); /* 10 is below 20, to the rules as well */
    take_batch(world, 3, NOW + 200, 36);
    assert_true(inclination(world) == 21);
    assert_int_equal(world->raised, 2);
    take_batch(world, 4, NOW + 300, -28);
    assert_true(inclination(world) == -30); /* what the sensor can say ends there */
    take_batch(world, 5, NOW + 1000, 12);   /* the last value is the first without it */
    assert_true(inclination(world) == 12);
    take_batch(world, 6, NOW + 1100, 12);
    assert_true(inclination(world) == 12);
    /* The second and the fifth batch were cut by the zero: 25 and 10, -3 and 12. */
    struct feed_record record;
    struct feed_column column;
    uint64_t at = feed_tail(world->ingest.feed);
    unsigned records = 0;
    for (bool missed; feed_read(world->ingest.feed, &at, &record, &missed, NULL, NULL);) {
        uint32_t position = 0;
        records++;
        assert_true(feed_column(&record, &position, &column));
        int32_t first = column.value[0], last = column.value[column.count - 1];
        assert_int_equal((first > last) - (first < last), records == 2 ? 1 : records == 5 ? -1 : 0);
    }
    assert_int_equal(records, 6);
}

/* The newest value of the feed, in the metric's unit. */
static double in_feed(const struct world *world, const struct device *device, uint32_t metric)
{
    uint64_t cursor = 0;
    struct feed_record record;
    struct feed_column column;
    bool missed = false;
    double newest = NAN;
    while (feed_read(world->ingest.feed, &cursor, &record, &missed, NULL, NULL))
        for (uint32_t at = 0; record.device == device->id && feed_column(&record, &at, &column);)
            if (column.metric == metric)
                newest =
                    metric_value(&device->driver->metrics[metric], column.value[column.count - 1]);
    return newest;
}

static void what_is_derived_goes_where_all_values_go(void **state)
{
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    uint32_t metric = device->driver->plugin->metric_count;
    struct history *history = history_create(1 << 20, 8, &world->drivers);
    struct block block;
    memset(&block, 0, sizeof(block));
    world->ingest.history = history;
    for (uint64_t i = 0; i < 12; i++)
        take_batch(world, i + 1, NOW + (int64_t)i * 100, 25);
    /* 80 ms within the first batch, 100 ms with each other one. */
    assert_true(fabs(device->values[metric].value - 1.18) < 1e-9);
    assert_int_equal(device->values[metric].time_ms, NOW + 1100);
    assert_true(fabs(in_feed(world, device, metric) - 1.18) < 1.0);
    assert_true(
        history_find(history, 1, device->driver->first_metric + metric, NOW / 60000, &block));
    assert_int_equal(world->raised, 2); /* bent, and bent-long */
    world->ingest.history = NULL;
    history_destroy(history);
}

static void what_is_stored_already_is_not_accounted_again(void **state)
{
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    uint32_t metric = device->driver->plugin->metric_count;
    world->ingest.quiet = true;
    for (uint64_t i = 0; i < 5; i++)
        take_batch(world, i + 1, NOW + (int64_t)i * 100, 25);
    assert_true(isnan(device->values[metric].value));
    world->ingest.quiet = false;
    take_batch(world, 6, NOW + 500, 25);
    assert_true(fabs(device->values[metric].value - 0.08) < 1e-9);
}

static void a_device_that_says_nothing_good_tells_of_it(void **state)
{
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    uint32_t metric = device->driver->plugin->metric_count + 1;
    for (int64_t i = 0; i < 25; i++)
        take(world, "lumbar/v1/posture/p-01/telemetry", "\xff", 1, NOW + i * 1000);
    assert_true(device->values[metric].value == 20); /* since the first of them was told */
    assert_int_equal(device->values[metric].time_ms, NOW + 20000);
}

static void a_message_allocates_nothing(void **state)
{
    struct world *world = *state;
    if (!COUNTS)
        skip(); /* a sanitizer counts its own */
    take_batch(world, 1, NOW, 10);
    set_zero(world, 1, NOW, INT64_MAX);
    unsigned long before = allocations;
    assert_true(before > 0); /* else nothing is counted at all */
    for (unsigned i = 2; i < 100000; i++) {
        take_batch(world, i, NOW + i * 100, i % 100 < 50 ? 10 : 25);
        take(world, "lumbar/v1/posture/p-01/telemetry", "\xff\xff", 2, NOW + i * 100);
        if (i % 10 == 0)
            ingest_tick(&world->ingest, NOW + i * 100);
    }
    assert_int_equal(allocations - before, 0);
    assert_true(world->raised > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_configured_device_is_known_before_it_speaks, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(
            rooms_are_held_against_plugins_and_places_before_they_are_taken, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(each_message_has_one_of_three_ends, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(whose_a_message_was_is_known_though_the_routes_are_full,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(made_up_names_take_no_place_from_a_device_that_speaks,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_killed_the_hub_is_not_decoded_whoever_sends_it,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(each_refusal_has_its_reason, open_world, close_world),
        cmocka_unit_test_setup_teardown(no_skew_is_spoken_of_while_the_hubs_own_clock_is_in_doubt,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(an_alarm_is_raised_and_ends, open_world, close_world),
        cmocka_unit_test(what_found_no_place_among_the_alarms_is_raised_when_there_is_one),
        cmocka_unit_test_setup_teardown(from_a_neutral_posture_on_everything_is_told_from_it,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_is_derived_goes_where_all_values_go, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(what_is_stored_already_is_not_accounted_again, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(a_device_that_says_nothing_good_tells_of_it, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(a_message_allocates_nothing, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
