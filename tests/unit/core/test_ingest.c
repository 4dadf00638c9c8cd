/* The way of one message, with the real plugin, time as a number, and allocations counted. What is
 * refused: test_ingest_refusals.c. */
#include "ingest_world.h"

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
    "  - {name: far, metric: posture/trunk_inclination, above: 60 deg, priority: high, text: "     \
    "Far}\n"

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
        /* The most urgent did not wait: the newest of the others gave it its place. */
        assert_int_equal(world->raised, ALARMS_MAX + 1);
        const struct alarm *alarm = alarm_of(world, "w-4098");
        assert_non_null(alarm);
        assert_string_equal(alarm->rule->name, "far");
        assert_true(alarm->value == 65 && alarm->limit == 60);
        assert_int_equal(alarm->raised_ms, NOW - 80); /* with the first sample of its batch */
        assert_int_equal(alarm_of(world, "w-4095")->deed, DEED_YIELD);
        ingest_tick(ingest, NOW + 100);
        assert_int_equal(ingest->alarms_waiting, 5);
        assert_int_equal(alarms_places(ingest->alarms), 0);

        bend(world, 7, 2, NOW + 200, 5); /* one is over: who gave its place away has it again */
        ingest_tick(ingest, NOW + 300);
        assert_int_equal(world->raised, ALARMS_MAX + 2);
        assert_int_equal(ingest->alarms_waiting, 4);
        assert_int_equal(alarm_of(world, "w-4095")->state, STATE_ON);
        assert_int_equal(alarm_of(world, "w-4095")->raised_ms, NOW + 300);

        bend(world, ALARMS_MAX + 3, 2, NOW + 400, 5); /* over before it had a place */
        ingest_tick(ingest, NOW + 500);
        assert_int_equal(ingest->alarms_waiting, 3);
        for (unsigned d = 8; d < 12; d++)
            bend(world, d, 2, NOW + 600, 5);
        ingest_tick(ingest, NOW + 700);
        ingest_tick(ingest, NOW + 800); /* nothing is told twice */
        assert_int_equal(ingest->alarms_waiting, 0);
        assert_int_equal(world->raised, ALARMS_MAX + 5);
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
