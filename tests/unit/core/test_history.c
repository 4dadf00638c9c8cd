/* Gathering: each sample in its second, however late, and what finds no place is counted. */
#include "sensor.h"

#include "core/history.h"

#define NOW    INT64_C(1700000000000) /* a minute's 20th second */
#define MINUTE (NOW / 60000)

struct world {
    struct drivers drivers;
    struct devices *devices;
    struct device *device, *other;
    struct history *history;
};

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    world->devices = devices_create(4, 1000);
    world->device = devices_hear(world->devices, &world->drivers.list[0], "a", 1);
    world->other = devices_hear(world->devices, &world->drivers.list[0], "b", 1);
    world->history = history_create(1, 4, &world->drivers); /* as little as there may be */
    assert_non_null(world->history);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    history_destroy(world->history);
    devices_destroy(world->devices);
    drivers_fini(&world->drivers);
    free(world);
    return 0;
}

static void say(struct world *world, struct device *device, uint32_t metric, uint32_t count,
                const int64_t *time_ms, const double *value)
{
    struct lumbar_series series = {metric, count, time_ms, value};
    struct lumbar_batch batch = {.series = &series, .series_count = 1};
    history_add(world->history, device, &batch, 1000); /* the device's clock is a second behind */
}

static void say_one(struct world *world, int64_t at_ms, double value)
{
    int64_t time_ms = at_ms - 1000;
    say(world, world->device, ANGLE, 1, &time_ms, &value);
}

static struct bucket found(struct world *world, const struct device *device, uint32_t metric,
                           int64_t second)
{
    struct block block = {0};
    history_find(world->history, device->id, metric, second / 60, &block);
    return block.slots[second % 60];
}

static void samples_land_in_their_second(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t at_ms;
        double value;
    } said[] = {
        {NOW, 10},
        {NOW + 999, 20},
        {NOW + 1000, 30},         /* the last of one, then the next */
        {NOW + 40000, 5},         /* the next minute */
        {NOW - 3600000, -40},     /* an hour late */
        {NOW + 500, 60},          /* and back again */
        {NOW + 600, (double)NAN}, /* it had nothing to say */
    };
    for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        say_one(world, said[i].at_ms, said[i].value);
    assert_int_equal(history_samples(world->history), 6);
    assert_int_equal(history_count(world->history), 3);
    const struct lumbar_metric *angle = &sensor_metrics[ANGLE];
    struct bucket bucket = found(world, world->device, ANGLE, NOW / 1000);
    assert_int_equal(bucket.count, 3);
    assert_int_equal(bucket.min, metric_quantise(angle, 10));
    assert_int_equal(bucket.max, metric_quantise(angle, 60));
    assert_true(fabs(metric_value(angle, bucket.mean) - 30) < 0.005);
    assert_int_equal(found(world, world->device, ANGLE, NOW / 1000 + 1).count, 1);
    assert_int_equal(found(world, world->device, ANGLE, NOW / 1000 + 40).count, 1);
    bucket = found(world, world->device, ANGLE, NOW / 1000 - 3600);
    assert_int_equal(bucket.count, 1);
    assert_int_equal(bucket.max, 0);
    assert_int_equal(found(world, world->device, ANGLE, NOW / 1000 + 2).count, 0);
}

static void devices_and_metrics_are_apart(void **state)
{
    struct world *world = *state;
    const int64_t time_ms[] = {NOW - 1000, NOW - 500, NOW, NOW + 70000};
    const double value[] = {1, 2, 1, 0};
    say(world, world->device, POSTURE, 4, time_ms, value);
    say(world, world->other, POSTURE, 1, time_ms, value);
    say(world, world->device, ROTATION, 2, time_ms, value);
    assert_int_equal(found(world, world->device, POSTURE, NOW / 1000).count, 2);
    assert_int_equal(found(world, world->device, POSTURE, NOW / 1000).max, 2);
    assert_int_equal(found(world, world->device, POSTURE, NOW / 1000 + 1).count, 1);
    assert_int_equal(found(world, world->device, POSTURE, NOW / 1000 + 71).count, 1);
    assert_int_equal(found(world, world->other, POSTURE, NOW / 1000).count, 1);
    assert_int_equal(found(world, world->device, ROTATION, NOW / 1000).count, 2);
    assert_int_equal(found(world, world->other, ROTATION, NOW / 1000).count, 0);
    assert_int_equal(history_samples(world->history), 7);
    history_clear(world->history);
    assert_true(history_is_empty(world->history));
    assert_int_equal(history_count(world->history), 0);
    assert_int_equal(found(world, world->device, POSTURE, NOW / 1000).count, 0);
    say(world, world->other, POSTURE, 1, time_ms, value);
    assert_int_equal(found(world, world->other, POSTURE, NOW / 1000).count, 1);
}

/* More of one second than a cell counts: nothing is lost of it, nor of the sum. */
static void a_flood_of_one_second_is_counted_to_the_end(void **state)
{
    struct world *world = *state;
    static int64_t time_ms[16384];
    static double value[16384];
    for (unsigned i = 0; i < 16384; i++) {
        time_ms[i] = NOW - 1000;
        value[i] = 100; /* the greatest there is */
    }
    for (unsigned i = 0; i < 9; i++)
        say(world, world->device, ANGLE, 16384, time_ms, value);
    struct bucket bucket = found(world, world->device, ANGLE, NOW / 1000);
    assert_int_equal(bucket.count, 9 * 16384);
    assert_int_equal(bucket.mean, METRIC_NONE - 1);
    assert_int_equal(history_count(world->history), 3);
    uint64_t all = 0;
    for (uint32_t i = 0; i < history_count(world->history); i++) {
        struct block block;
        struct history_block of = history_at(world->history, i, &block);
        assert_int_equal(of.device, world->device->id);
        assert_int_equal(of.metric, ANGLE);
        assert_int_equal(of.minute, MINUTE);
        all += block_sum(&block).count;
    }
    assert_int_equal(all, 9 * 16384);
}

static void what_finds_no_place_is_counted(void **state)
{
    struct world *world = *state;
    uint64_t minutes = 0;
    while (history_has_room(world->history))
        say_one(world, NOW + 60000 * (int64_t)minutes++, 1);
    assert_int_equal(history_lost(world->history), 0);
    for (int i = 0; i < 255; i++) /* there is always room for an ordinary message more */
        say_one(world, NOW + 60000 * (int64_t)minutes++, 1);
    assert_int_equal(history_lost(world->history), 0);
    say_one(world, NOW + 60000 * (int64_t)minutes, 1);
    say_one(world, NOW + 60000 * (int64_t)minutes, (double)NAN);
    say_one(world, NOW, 1); /* its minute is there */
    assert_int_equal(history_lost(world->history), 1);
    assert_int_equal(history_samples(world->history), minutes + 1);
    history_clear(world->history);
    say_one(world, -5000, 1); /* before there were devices */
    assert_int_equal(history_lost(world->history), 1);
    assert_int_equal(history_samples(world->history), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(samples_land_in_their_second),
        CASE(devices_and_metrics_are_apart),
        CASE(a_flood_of_one_second_is_counted_to_the_end),
        CASE(what_finds_no_place_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
