/* The feed: what is pushed is read, in order, until it is overwritten; and then that is said. */
#include "sensor.h"

#include "core/feed.h"

#define NOW   1700000000000
#define BYTES (64 * 1024)

static const struct driver driver = {
    .plugin = &sensor_plugin, .metric_count = METRIC_COUNT, .metrics = sensor_metrics};

struct world {
    struct feed *feed;
    struct devices *devices;
    struct device *a, *b;
};

static struct world world_of(size_t bytes)
{
    struct world world = {feed_create(bytes), devices_create(4, 10), NULL, NULL};
    world.a = devices_hear(world.devices, &driver, "a", 1);
    world.b = devices_hear(world.devices, &driver, "b", 1);
    return world;
}

static void world_fini(struct world *world)
{
    devices_destroy(world->devices);
    feed_destroy(world->feed);
}

static bool read_next(const struct world *world, uint64_t *cursor, struct feed_record *record)
{
    bool missed = false;
    bool any = feed_read(world->feed, cursor, record, &missed, NULL, NULL);
    assert_false(missed);
    return any;
}

static void columns_come_back_with_their_values_and_times(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    const int64_t fast[] = {1000, 1020, 1040, 1041, 1080}, slow[] = {990};
    const double angle[] = {-40, 0, NAN, 99.9, 100}, rotation[] = {1, 2, 3, 4, 5};
    const double temperature[] = {36.6}, posture[] = {1, 1, 2, 2, NAN};
    const struct lumbar_series series[] = {
        {ANGLE, 5, fast, angle},
        {ROTATION, 5, fast, rotation},
        {TEMPERATURE, 1, slow, temperature},
        {POSTURE, 5, fast, posture},
    };
    struct lumbar_batch batch = {.series = series, .series_count = 4};
    feed_push(world.feed, world.a, &batch, NOW, NOW + 1085);
    assert_int_equal(world.a->news, feed_head(world.feed));

    uint64_t cursor = 0;
    struct feed_record record;
    assert_true(read_next(&world, &cursor, &record));
    assert_int_equal(record.device, world.a->id);
    assert_int_equal(record.pushed_ms, NOW + 1085);
    assert_int_equal(record.start_ms, NOW + 990);
    assert_int_equal(record.column_count, 4);
    uint32_t position = 0;
    struct feed_column column;
    for (int i = 0; i < 4; i++) {
        assert_true(feed_column(&record, &position, &column));
        assert_int_equal(column.metric, series[i].metric);
        assert_int_equal(column.count, series[i].count);
        for (uint32_t j = 0; j < column.count; j++) {
            assert_int_equal(record.start_ms + column.dt_ms[j], NOW + series[i].time_ms[j]);
            assert_int_equal(column.value[j], metric_quantise(&sensor_metrics[series[i].metric],
                                                              series[i].value[j]));
        }
    }
    assert_false(feed_column(&record, &position, &column));
    assert_false(read_next(&world, &cursor, &record));
    assert_int_equal(cursor, feed_head(world.feed));
    world_fini(&world);
}

static void times_shared_by_series_are_kept_once(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    int64_t times[8] = {0}, own[8] = {0};
    double values[8] = {0};
    struct lumbar_series series[] = {{ANGLE, 8, times, values}, {ROTATION, 8, times, values}};
    struct lumbar_batch batch = {.series = series, .series_count = 2};
    feed_push(world.feed, world.a, &batch, NOW, NOW);
    uint64_t shared = feed_head(world.feed);
    series[1].time_ms = own;
    feed_push(world.feed, world.a, &batch, NOW, NOW);
    assert_int_equal(feed_head(world.feed) - shared, shared + 8 * sizeof(uint16_t));
    world_fini(&world);
}

static void a_batch_without_samples_leaves_nothing(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    struct lumbar_batch batch = {.series_count = 0};
    feed_push(world.feed, world.a, &batch, NOW, NOW);
    assert_int_equal(feed_head(world.feed), 0);
    assert_int_equal(world.a->news, 0);
    world_fini(&world);
}

/* The longest batches that driver.c lets through: each value must come out once, at its time. */
static void a_batch_too_long_for_a_record_becomes_several(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        int64_t step_ms;
    } cases[] = {
        {2, FEED_SPAN_MAX_MS},     /* just one record */
        {2, FEED_SPAN_MAX_MS + 1}, /* just not */
        {600, 1000},               /* ten minutes kept through a silence */
        {8192, 1},                 /* too many bytes */
        {3, INT64_C(100000000000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world = world_of(1024 * 1024);
        int64_t *times = calloc(cases[i].count, sizeof(*times));
        double *values = calloc(cases[i].count, sizeof(*values));
        for (uint32_t j = 0; j < cases[i].count; j++) {
            times[j] = j * cases[i].step_ms;
            values[j] = j % 101;
        }
        struct lumbar_series series[] = {{ANGLE, cases[i].count, times, values},
                                         {BATTERY, cases[i].count, times, values}};
        struct lumbar_batch batch = {.series = series, .series_count = 2};
        feed_push(world.feed, world.a, &batch, NOW, NOW);

        uint32_t seen[METRIC_COUNT] = {0};
        uint64_t cursor = 0;
        struct feed_record record;
        while (read_next(&world, &cursor, &record)) {
            struct feed_column column;
            for (uint32_t at = 0; feed_column(&record, &at, &column);)
                for (uint32_t j = 0; j < column.count; j++) {
                    uint32_t index = seen[column.metric]++;
                    assert_int_equal(record.start_ms + column.dt_ms[j], NOW + times[index]);
                    assert_int_equal(
                        column.value[j],
                        metric_quantise(&sensor_metrics[column.metric], values[index]));
                }
        }
        assert_int_equal(seen[ANGLE], cases[i].count);
        assert_int_equal(seen[BATTERY], cases[i].count);
        free(times);
        free(values);
        world_fini(&world);
    }
}

/* Pushes number `i`: device, length and value follow from it, so that a reader can tell. */
static void push_number(struct world *world, uint32_t i)
{
    int64_t times[40] = {0};
    double values[40];
    for (int j = 0; j < 40; j++)
        values[j] = i % 101;
    struct lumbar_series series = {BATTERY, 1 + i * 7 % 40, times, values};
    struct lumbar_batch batch = {.series = &series, .series_count = 1};
    feed_push(world->feed, i % 3 == 0 ? world->b : world->a, &batch, 0, NOW + i * 10);
}

static uint32_t number_of(const struct feed_record *record)
{
    return (uint32_t)((record->pushed_ms - NOW) / 10);
}

static void check_number(const struct world *world, const struct feed_record *record)
{
    uint32_t i = number_of(record), position = 0;
    struct feed_column column;
    assert_int_equal(record->device, i % 3 == 0 ? world->b->id : world->a->id);
    assert_true(feed_column(record, &position, &column));
    assert_int_equal(column.count, 1 + i * 7 % 40);
    for (uint32_t j = 0; j < column.count; j++)
        assert_int_equal(column.value[j], metric_quantise(&sensor_metrics[BATTERY], i % 101));
}

static void the_ring_always_holds_the_newest_without_a_hole(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    for (uint32_t i = 0; i < 20000; i++) { /* many times round */
        push_number(&world, i);
        assert_true(feed_head(world.feed) - feed_tail(world.feed) <= BYTES);
        if (i % 97 != 0)
            continue;
        uint64_t cursor = feed_tail(world.feed);
        struct feed_record record;
        uint32_t expected = UINT32_MAX;
        while (read_next(&world, &cursor, &record)) {
            check_number(&world, &record);
            if (expected != UINT32_MAX)
                assert_int_equal(number_of(&record), expected);
            expected = number_of(&record) + 1;
        }
        assert_int_equal(expected, i + 1);
        if (i >
            5000) /* full: what is lost at the end of the ring is less than the longest record */
            assert_true(feed_head(world.feed) - feed_tail(world.feed) > BYTES - 512);
    }
    world_fini(&world);
}

static void a_reader_that_was_overwritten_is_told_and_goes_on_with_the_oldest(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    uint64_t cursor = 0;
    struct feed_record record;
    bool missed = false;
    push_number(&world, 0);
    assert_true(feed_read(world.feed, &cursor, &record, &missed, NULL, NULL));
    for (uint32_t i = 1; i < 5000; i++)
        push_number(&world, i);
    assert_true(feed_read(world.feed, &cursor, &record, &missed, NULL, NULL));
    assert_true(missed);
    uint32_t oldest = number_of(&record);
    assert_in_range(oldest, 3000, 4999);
    missed = false;
    assert_true(feed_read(world.feed, &cursor, &record, &missed, NULL, NULL));
    assert_false(missed);
    assert_int_equal(number_of(&record), oldest + 1);
    world_fini(&world);
}

static bool only(void *user, uint32_t device)
{
    return device == *(const uint32_t *)user;
}

static void a_filter_passes_over_the_others_and_the_cursor_reaches_the_head(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    for (uint32_t i = 0; i < 100; i++)
        push_number(&world, i);
    uint64_t cursor = 0;
    struct feed_record record;
    bool missed = false;
    unsigned count = 0;
    while (feed_read(world.feed, &cursor, &record, &missed, only, &world.b->id)) {
        assert_int_equal(record.device, world.b->id);
        count++;
    }
    assert_int_equal(count, 34);
    assert_int_equal(cursor, feed_head(world.feed));
    world_fini(&world);
}

/* Against a plain walk, at every age of the ring. */
static void since_finds_the_oldest_pushed_at_or_after_a_time(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    assert_int_equal(feed_since(world.feed, NOW), 0);
    for (uint32_t i = 0; i < 6000; i++) {
        push_number(&world, i);
        if (i % 499 != 0)
            continue;
        for (int64_t at = -50; at < (int64_t)i * 10 + 50; at += 95) {
            uint64_t cursor = feed_since(world.feed, NOW + at);
            struct feed_record record;
            if (at > (int64_t)i * 10) {
                assert_int_equal(cursor, feed_head(world.feed));
                continue;
            }
            assert_true(read_next(&world, &cursor, &record));
            int64_t wanted = at < 0 ? 0 : (at + 9) / 10;
            uint64_t tail = feed_tail(world.feed);
            struct feed_record oldest;
            assert_true(read_next(&world, &tail, &oldest));
            if (wanted < number_of(&oldest))
                wanted = number_of(&oldest);
            assert_int_equal(number_of(&record), wanted);
        }
    }
    world_fini(&world);
}

static void any_number_as_a_cursor_is_aligned_to_a_record(void **state)
{
    (void)state;
    struct world world = world_of(BYTES);
    for (uint32_t i = 0; i < 5000; i++)
        push_number(&world, i);
    uint64_t tail = feed_tail(world.feed), head = feed_head(world.feed), next = tail;
    for (uint64_t at = tail; at <= head; at++) {
        uint64_t aligned = feed_align(world.feed, at), cursor = aligned;
        struct feed_record record;
        assert_true(aligned >= next && aligned >= at && aligned <= head);
        next = aligned;
        if (read_next(&world, &cursor, &record))
            check_number(&world, &record); /* not the middle of one */
    }
    assert_int_equal(feed_align(world.feed, head + 1), head);
    assert_int_equal(feed_align(world.feed, UINT64_MAX), head);
    assert_int_equal(feed_align(world.feed, 0), 0);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_back_with_their_values_and_times),
        cmocka_unit_test(times_shared_by_series_are_kept_once),
        cmocka_unit_test(a_batch_without_samples_leaves_nothing),
        cmocka_unit_test(a_batch_too_long_for_a_record_becomes_several),
        cmocka_unit_test(the_ring_always_holds_the_newest_without_a_hole),
        cmocka_unit_test(a_reader_that_was_overwritten_is_told_and_goes_on_with_the_oldest),
        cmocka_unit_test(a_filter_passes_over_the_others_and_the_cursor_reaches_the_head),
        cmocka_unit_test(since_finds_the_oldest_pushed_at_or_after_a_time),
        cmocka_unit_test(any_number_as_a_cursor_is_aligned_to_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
