/* Who was heard: the table, the rate, and the newest values. Accounting: test_account.c. */
#include "one_device.h"

#define HOUR 3600000

static const struct driver other_driver = {.plugin = &sensor_plugin,
                                           .index = 1,
                                           .first_metric = METRIC_COUNT,
                                           .metric_count = METRIC_COUNT,
                                           .metrics = sensor_metrics};

/* ---- Rate ---- */

static void a_device_may_burst_for_two_seconds_and_then_its_rate(void **state)
{
    (void)state;
    struct world world = world_of(1, 50);
    unsigned admitted = 0;
    for (int i = 0; i < 1000; i++)
        admitted += device_admit(world.device, 1000000, world.devices);
    assert_int_equal(admitted, 100);
    for (int64_t ms = 1; ms <= 10000; ms++)
        admitted += device_admit(world.device, 1000000 + ms, world.devices);
    assert_int_equal(admitted, 100 + 500);
    assert_false(device_admit(world.device, 1000000, world.devices)); /* time does not run back */
    devices_destroy(world.devices);
}

static void a_silence_earns_what_could_have_been_said_meanwhile(void **state)
{
    (void)state;
    static const struct {
        int64_t away_ms;         /* of the hub, before the first message */
        int64_t silent_ms;       /* then, of the device */
        unsigned at_once, after; /* messages admitted at the first moment, and after the silence */
    } cases[] = {
        {0, 0, 100, 0},           {0, 1000, 100, 50},     {0, 2000, 100, 100},
        {0, 20000, 100, 1000},    {0, HOUR, 100, 180000}, {0, 3 * HOUR, 100, 180000},
        {1000, 0, 100, 0},        {20000, 0, 1000, 0},    {20000, 20000, 1000, 1000},
        {3 * HOUR, 0, 180000, 0}, {-5, 0, 100, 0}, /* the clock was set back while the hub was away
                                                    */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world = world_of(1, 50);
        int64_t now = 100 * (int64_t)HOUR;
        devices_set_away(world.devices, cases[i].away_ms);
        unsigned at_once = 0, after = 0;
        while (device_admit(world.device, now, world.devices))
            at_once++;
        now += cases[i].silent_ms;
        while (device_admit(world.device, now, world.devices))
            after++;
        assert_int_equal(at_once, cases[i].at_once);
        assert_int_equal(after, cases[i].after);
        devices_destroy(world.devices);
    }
}

static void what_a_talker_leaves_unused_is_not_gathered(void **state)
{
    (void)state;
    struct world world = world_of(1, 50);
    int64_t now = 1000000;
    for (int i = 0; i < 3600; i++) /* an hour at a fiftieth of its rate */
        assert_true(device_admit(world.device, now += 1000, world.devices));
    unsigned admitted = 0;
    while (device_admit(world.device, now, world.devices))
        admitted++;
    assert_int_equal(admitted, 99);
    devices_destroy(world.devices);
}

/* ---- Table ---- */

static void devices_appear_when_heard_and_keep_their_place(void **state)
{
    (void)state;
    struct devices *devices = devices_create(300, 10);
    char name[16];
    for (uint32_t i = 0; i < 300; i++) {
        int bytes = snprintf(name, sizeof(name), "d-%u", i);
        struct device *device = devices_hear(devices, &driver, name, (size_t)bytes);
        assert_int_equal(device->id, i + 1);
        assert_string_equal(device->name, name);
        assert_int_equal((uintptr_t)device->state % 8, 0);
        assert_true(isnan(device->values[METRIC_COUNT - 1].value));
    }
    assert_null(devices_hear(devices, &driver, "one-more", 8));
    assert_int_equal(devices_refused(devices), 1);
    for (uint32_t i = 0; i < 300; i++) {
        int bytes = snprintf(name, sizeof(name), "d-%u", i);
        assert_ptr_equal(devices_find(devices, &driver, name, (size_t)bytes),
                         devices_at(devices, i + 1));
        assert_ptr_equal(devices_hear(devices, &driver, name, (size_t)bytes),
                         devices_at(devices, i + 1));
    }
    assert_ptr_equal(devices_find(devices, &driver, "d-30", 3), devices_at(devices, 4)); /* d-3 */
    assert_ptr_equal(devices_find(devices, &driver, "d-30", 4), devices_at(devices, 31));
    assert_null(devices_at(devices, 0));
    assert_null(devices_at(devices, 301));
    devices_destroy(devices);
}

static void one_name_of_two_kinds_is_two_devices(void **state)
{
    (void)state;
    struct world world = world_of(4, 10);
    assert_null(devices_find(world.devices, &other_driver, "p-01", 4));
    assert_ptr_not_equal(devices_hear(world.devices, &other_driver, "p-01", 4), world.device);
    devices_destroy(world.devices);
}

static void a_name_too_long_for_its_place_is_refused(void **state)
{
    (void)state;
    struct world world = world_of(4, 10);
    char name[DEVICE_NAME_BYTES + 1];
    memset(name, 'x', sizeof(name));
    assert_null(devices_hear(world.devices, &driver, name, DEVICE_NAME_BYTES));
    assert_null(devices_hear(world.devices, &driver, name, 0));
    assert_non_null(devices_hear(world.devices, &driver, name, DEVICE_NAME_BYTES - 1));
    devices_destroy(world.devices);
}

static void a_change_is_counted_when_new_or_moved_only(void **state)
{
    (void)state;
    struct world world = world_of(4, 10);
    uint64_t change = devices_change(world.devices);
    assert_int_equal(world.device->change, change);
    devices_assign(world.devices, world.device, 3);
    assert_int_equal(world.device->room, 3);
    assert_true(world.device->change > change);
    change = devices_change(world.devices);
    devices_assign(world.devices, world.device, 3);
    assert_int_equal(devices_change(world.devices), change);
    devices_destroy(world.devices);
}

/* ---- Newest values ---- */

static void the_newest_value_is_kept_and_nan_grows_old(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    struct sent sent;
    const struct device_value *angle = &world.device->values[ANGLE];
    world.device->heard_ms = 6000;
    device_note(world.device, sent_values(&sent, ANGLE, 3, (double[]){1, 2, 3}, 1000), 5000);
    assert_true(angle->value == 3);
    assert_int_equal(angle->time_ms, 6000);
    device_note(world.device, sent_values(&sent, ANGLE, 3, (double[]){4, 5, NAN}, 1100), 5000);
    assert_true(angle->value == 5);
    assert_int_equal(angle->time_ms, 6080);
    device_note(world.device, sent_values(&sent, ANGLE, 2, (double[]){NAN, NAN}, 9000), 5000);
    assert_true(angle->value == 5);
    assert_int_equal(angle->time_ms, 6080);
    device_note(world.device, sent_values(&sent, ANGLE, 1, (double[]){9}, 500), 5000); /* late */
    assert_true(angle->value == 5);
    devices_destroy(world.devices);
}

static void a_value_from_the_future_gives_way(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    struct sent sent;
    static const struct {
        int64_t kept_ms; /* of the value that is there; the device is heard at 10000 */
        bool gives_way;  /* to one of 9000 */
    } cases[] = {{8000, true}, {9001, false}, {15000, false}, {15001, true}, {10 * HOUR, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct device_value *angle = &world.device->values[ANGLE];
        *angle = (struct device_value){1, cases[i].kept_ms};
        world.device->heard_ms = 10000;
        device_note(world.device, sent_values(&sent, ANGLE, 1, (double[]){2}, 9000), 0);
        assert_int_equal(angle->value == 2, cases[i].gives_way);
        assert_int_equal(angle->time_ms, cases[i].gives_way ? 9000 : cases[i].kept_ms);
    }
    devices_destroy(world.devices);
}

static void a_value_is_fresh_then_stale_then_offline(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    struct sent sent;
    assert_int_equal(device_freshness(world.device, ANGLE, 0), OFFLINE); /* before the first */
    device_note(world.device, sent_values(&sent, ANGLE, 1, (double[]){1}, 1000), 0);
    device_note(world.device, sent_values(&sent, FAULT, 1, (double[]){1}, 1000), 0);
    device_note(world.device, sent_values(&sent, TEMPERATURE, 1, (double[]){30}, 1000), 0);
    static const struct {
        uint32_t metric;
        int64_t age_ms;
        enum freshness freshness;
    } cases[] = {
        {ANGLE, 1999, FRESH},        /* 100 ms: stale from the least of 2 s */
        {ANGLE, 2000, OFFLINE},      /* which is beyond 10 periods */
        {TEMPERATURE, 14999, FRESH}, /* 5 s */
        {TEMPERATURE, 15000, STALE},   {TEMPERATURE, 49999, STALE},
        {TEMPERATURE, 50000, OFFLINE}, {FAULT, 24 * HOUR, FRESH}, /* what happened has happened */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(device_freshness(world.device, cases[i].metric, 1000 + cases[i].age_ms),
                         cases[i].freshness);
    devices_destroy(world.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_may_burst_for_two_seconds_and_then_its_rate),
        cmocka_unit_test(a_silence_earns_what_could_have_been_said_meanwhile),
        cmocka_unit_test(what_a_talker_leaves_unused_is_not_gathered),
        cmocka_unit_test(devices_appear_when_heard_and_keep_their_place),
        cmocka_unit_test(one_name_of_two_kinds_is_two_devices),
        cmocka_unit_test(a_name_too_long_for_its_place_is_refused),
        cmocka_unit_test(a_change_is_counted_when_new_or_moved_only),
        cmocka_unit_test(the_newest_value_is_kept_and_nan_grows_old),
        cmocka_unit_test(a_value_from_the_future_gives_way),
        cmocka_unit_test(a_value_is_fresh_then_stale_then_offline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
