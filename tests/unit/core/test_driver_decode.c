/* What a plugin decodes, checked by the host before it is used. */
#include "driver_subject.h"

/* Scripts: what decode() does. Each makes a good batch of two series and breaks one thing. */
struct made {
    struct lumbar_series *series;
    int64_t *times;
    double *level, *mode;
};

static struct made make_batch(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct made made;
    made.series = lumbar_scratch_alloc(scratch, 4 * sizeof(*made.series));
    made.times = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.times));
    made.level = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.level));
    made.mode = lumbar_scratch_alloc(scratch, 3 * sizeof(*made.mode));
    for (int i = 0; i < 3; i++) {
        made.times[i] = 1000 + i;
        made.level[i] = 10 + i;
        made.mode[i] = i;
    }
    made.series[0] = (struct lumbar_series){LEVEL, 3, made.times, made.level};
    made.series[1] = (struct lumbar_series){MODE, 3, made.times, made.mode};
    batch->series = made.series;
    batch->series_count = 2;
    batch->now_ms = 1002;
    return made;
}

static const int64_t outside_times[3];
static const uint8_t byte;

/* name, what is broken, result, values out of range */
#define SCRIPTS(X)                                                                                 \
    X(nothing, (void)m, LUMBAR_DECODED, 0)                                                         \
    X(no_series, batch->series_count = 0, LUMBAR_DECODED, 0)                                       \
    X(unknown_metric, m.series[1].metric = METRIC_COUNT, LUMBAR_MALFORMED, 0)                      \
    X(huge_metric, m.series[1].metric = UINT32_MAX, LUMBAR_MALFORMED, 0)                           \
    X(no_values, m.series[1].count = 0, LUMBAR_MALFORMED, 0)                                       \
    X(more_than_the_arena, m.series[1].count = UINT32_MAX, LUMBAR_MALFORMED, 0)                    \
    X(more_values_than_16384, m.series[1].count = 16382, LUMBAR_MALFORMED, 0)                      \
    X(metric_twice, m.series[1].metric = LEVEL, LUMBAR_MALFORMED, 0)                               \
    X(more_series_than_metrics, batch->series_count = 5, LUMBAR_MALFORMED, 0)                      \
    X(null_series, batch->series = NULL, LUMBAR_MALFORMED, 0)                                      \
    X(falling_times, m.times[2] = 1000, LUMBAR_MALFORMED, 0)                                       \
    X(equal_times, m.times[1] = 1000, LUMBAR_DECODED, 0)                                           \
    X(endless_time, m.times[2] = INT64_MAX, LUMBAR_MALFORMED, 0)                                   \
    X(time_of_the_beginning, m.times[0] = INT64_MIN, LUMBAR_MALFORMED, 0)                          \
    X(relative_times, (m.times[0] = -200, m.times[1] = -100, m.times[2] = 0), LUMBAR_DECODED, 0)   \
    X(times_outside, m.series[1].time_ms = outside_times, LUMBAR_MALFORMED, 0)                     \
    X(null_times, m.series[1].time_ms = NULL, LUMBAR_MALFORMED, 0)                                 \
    X(null_values, m.series[1].value = NULL, LUMBAR_MALFORMED, 0)                                  \
    X(misaligned, m.series[1].value = (double *)(void *)((char *)m.mode + 4), LUMBAR_MALFORMED, 0) \
    X(before_the_arena, m.series[0].value = (double *)(void *)((char *)ward.drivers.arena - 8),    \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(behind_the_arena,                                                                            \
      m.series[0].value =                                                                          \
          (double *)(void *)((char *)ward.drivers.arena + DRIVER_ARENA_BYTES - 16),                \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(series_behind_the_arena,                                                                     \
      batch->series =                                                                              \
          (struct lumbar_series *)(void *)((char *)ward.drivers.arena + DRIVER_ARENA_BYTES - 24),  \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(silent, m.level[1] = NAN, LUMBAR_DECODED, 0)                                                 \
    X(too_much, m.level[1] = 100.01, LUMBAR_DECODED, 1)                                            \
    X(too_little, m.level[1] = -0.01, LUMBAR_DECODED, 1)                                           \
    X(infinite, (m.level[0] = INFINITY, m.level[1] = -INFINITY), LUMBAR_DECODED, 2)                \
    X(no_such_label, m.mode[1] = 3, LUMBAR_DECODED, 1)                                             \
    X(half_a_label, m.mode[1] = 0.5, LUMBAR_DECODED, 1)                                            \
    X(label_below, m.mode[1] = -1, LUMBAR_DECODED, 1)                                              \
    X(label_unknown, m.mode[1] = NAN, LUMBAR_DECODED, 0)                                           \
    X(flags, batch->flags = 4, LUMBAR_MALFORMED, 0)                                                \
    X(sequence_0, batch->flags = LUMBAR_HAS_SEQUENCE, LUMBAR_MALFORMED, 0)                         \
    X(holds_the_future,                                                                            \
      (batch->flags = LUMBAR_HAS_SEQUENCE, batch->sequence = 5, batch->held_from = 6),             \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(holds_itself,                                                                                \
      (batch->flags = LUMBAR_HAS_SEQUENCE, batch->sequence = 5, batch->held_from = 5),             \
      LUMBAR_DECODED, 0)                                                                           \
    X(now_beyond, batch->now_ms = DRIVER_TIME_MAX_MS + 1, LUMBAR_MALFORMED, 0)                     \
    X(now_before, batch->now_ms = INT64_MIN, LUMBAR_MALFORMED, 0)                                  \
    X(command, (batch->command_leaf = "set", batch->command = &byte, batch->command_bytes = 1),    \
      LUMBAR_DECODED, 0)                                                                           \
    X(command_elsewhere, batch->command_leaf = "../x", LUMBAR_MALFORMED, 0)                        \
    X(command_of_nothing, (batch->command_leaf = "set", batch->command_bytes = 1),                 \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(command_too_large,                                                                           \
      (batch->command_leaf = "set", batch->command = &byte, batch->command_bytes = 1025),          \
      LUMBAR_MALFORMED, 0)                                                                         \
    X(command_to_itself, batch->command_leaf = "status", LUMBAR_MALFORMED, 0)                      \
    X(command_in_the_hubs_name, batch->command_leaf = "ack", LUMBAR_MALFORMED, 0)

#define X(name, break_it, result, out_of_range)                                                    \
    static int script_##name(struct lumbar_scratch *scratch, struct lumbar_batch *batch)           \
    {                                                                                              \
        struct made m = make_batch(scratch, batch);                                                \
        break_it;                                                                                  \
        (void)m;                                                                                   \
        return LUMBAR_DECODED;                                                                     \
    }
SCRIPTS(X)
#undef X

static const struct lumbar_message any_message = {"telemetry", (const uint8_t *)"x", 1};

/* Counts what is NaN, and holds the extent against the values that are not. */
static uint32_t count_silent(const struct lumbar_series *series, const struct extent *extent)
{
    uint32_t silent = 0;
    double min = INFINITY, max = -INFINITY;
    for (uint32_t k = 0; k < series->count; k++) {
        silent += isnan(series->value[k]) != 0;
        min = fmin(min, series->value[k]); /* of a number and NaN it is the number */
        max = fmax(max, series->value[k]);
    }
    assert_true(extent->min == min && extent->max == max && extent->known == (silent == 0));
    return silent;
}

static void what_a_plugin_decodes_is_checked_before_it_is_used(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);
        int result;
        uint32_t out_of_range;
    } cases[] = {
#define X(name, break_it, result, out_of_range) {#name, script_##name, result, out_of_range},
        SCRIPTS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decoded out = {.out_of_range = 99};
        script = cases[i].script;
        int result = driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out);
        if (result != cases[i].result || out.out_of_range != cases[i].out_of_range)
            fail_msg("%s: %d, %u out of range", cases[i].name, result, out.out_of_range);
        if (result != LUMBAR_DECODED)
            assert_int_equal(out.batch.series_count, 0);
        uint32_t silent = 0;
        for (uint32_t j = 0; j < out.batch.series_count; j++)
            silent += count_silent(&out.batch.series[j], &out.extents[j]);
        bool said_nan =
            strcmp(cases[i].name, "silent") == 0 || strcmp(cases[i].name, "label_unknown") == 0;
        assert_int_equal(silent, cases[i].out_of_range + said_nan);
    }
}

/* The level's values are also the times of both: 1000, 1001, 1002 as integers are tiny numbers. */
static int script_overlap(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    struct made made = make_batch(scratch, batch);
    made.times[2] = INT64_C(0x4059100000000000); /* 100.25 as a double; far beyond as a time */
    made.times[0] = made.times[1] = 0;
    made.series[0].value = (const double *)(const void *)made.times;
    made.series[0].time_ms = made.series[1].time_ms = lumbar_scratch_alloc(scratch, 24);
    memset((void *)(uintptr_t)made.series[0].time_ms, 0, 24);
    made.series[1].value = (const double *)(const void *)made.times; /* and the modes too */
    return LUMBAR_DECODED;
}

static void mending_one_series_does_not_change_what_another_shares(void **state)
{
    (void)state;
    struct decoded out;
    script = script_overlap;
    assert_int_equal(driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out),
                     LUMBAR_DECODED);
    assert_int_equal(out.out_of_range, 2); /* one of each, though they were the same array */
    const struct lumbar_series *series = out.batch.series;
    assert_ptr_not_equal(series[0].value, series[1].value);
    assert_true(isnan(series[0].value[2]) && isnan(series[1].value[2]));
}

static int script_ignore(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return LUMBAR_IGNORED;
}

static int script_malformed(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return LUMBAR_MALFORMED;
}

static int script_result_7(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    make_batch(scratch, batch);
    return 7;
}

/* Asks the arena for all that it has, in pieces, and for more. */
static int script_devour(struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)batch;
    size_t total = 0;
    if (lumbar_scratch_alloc(scratch, SIZE_MAX) != NULL)
        return 7;
    for (void *piece; (piece = lumbar_scratch_alloc(scratch, 1000)) != NULL; total += 1000)
        memset(piece, 0xff, 1000);
    return total <= DRIVER_ARENA_BYTES && total > DRIVER_ARENA_BYTES - 10000 ? LUMBAR_IGNORED : 7;
}

static void what_was_not_decoded_leaves_an_empty_batch(void **state)
{
    (void)state;
    static const struct {
        int (*script)(struct lumbar_scratch *scratch, struct lumbar_batch *batch);
        int result;
    } cases[] = {
        {script_ignore, LUMBAR_IGNORED},
        {script_malformed, LUMBAR_MALFORMED},
        {script_result_7, LUMBAR_MALFORMED}, /* what the contract does not know */
        {script_devour, LUMBAR_IGNORED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct decoded out;
        script = cases[i].script;
        assert_int_equal(
            driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &any_message, &out),
            cases[i].result);
        assert_int_equal(out.batch.series_count, 0);
        assert_null(out.batch.series);
    }
}

static void a_payload_beyond_16_kib_reaches_no_plugin(void **state)
{
    (void)state;
    static const uint8_t payload[DRIVER_PAYLOAD_MAX_BYTES + 1];
    struct lumbar_message message = {"telemetry", payload, sizeof(payload)};
    struct decoded out;
    script = NULL; /* would crash */
    assert_int_equal(driver_decode(&ward.drivers, &ward.drivers.list[0], NULL, &message, &out),
                     LUMBAR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WARD(what_a_plugin_decodes_is_checked_before_it_is_used),
        IN_WARD(mending_one_series_does_not_change_what_another_shares),
        IN_WARD(what_was_not_decoded_leaves_an_empty_batch),
        IN_WARD(a_payload_beyond_16_kib_reaches_no_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
