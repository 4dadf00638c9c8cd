/* Calibration: the neutral posture, the range of motion, and what a change of it means. */
#include "treatment.h"

#include "core/calibration.h"

#define NOW     INT64_C(1700000000000)
#define AGE_MAX 3600000

struct clinic {
    struct treatment treatment;
    struct calibration *calibration;
    struct device *sensor, *pad;
    unsigned news[RANGE_REFUSED + 1];
    uint64_t boot; /* of the sensor's messages; 0: it does not tell */
};

static void on_news(void *user, uint32_t device, enum calibration_news news)
{
    struct clinic *clinic = user;
    assert_int_equal(device, clinic->sensor->id);
    clinic->news[news]++;
}

static int open_clinic(void **state)
{
    struct clinic *clinic = calloc(1, sizeof(*clinic));
    treatment_init(&clinic->treatment);
    clinic->calibration = calibration_create(2, on_news, clinic);
    clinic->sensor = treatment_device(&clinic->treatment, 0, "p-01", 1);
    clinic->pad = treatment_device(&clinic->treatment, 1, "m-01", 1);
    treatment_set(clinic->sensor, ANGLE, 0, NOW - 1000);
    treatment_set(clinic->sensor, ROTATION, 0, NOW - 1000);
    *state = clinic;
    return 0;
}

static int close_clinic(void **state)
{
    struct clinic *clinic = *state;
    calibration_destroy(clinic->calibration);
    treatment_fini(&clinic->treatment);
    free(clinic);
    return 0;
}

static void say(struct clinic *clinic, uint32_t metric, double value, int64_t at_ms)
{
    struct sent sent;
    struct lumbar_batch *batch = sent_values(&sent, metric, 1, &value, at_ms - 70);
    batch->flags = clinic->boot != 0 ? LUMBAR_HAS_SEQUENCE : 0;
    batch->boot_id = clinic->boot;
    calibration_touch(clinic->calibration, clinic->sensor, batch, 70);
}

static double zero(struct clinic *clinic, uint32_t metric, int64_t at_ms)
{
    return calibration_zero(clinic->calibration, clinic->sensor->id, metric, at_ms);
}

static int begin(struct clinic *clinic, const struct device *device, int64_t for_ms, int64_t at_ms,
                 struct diag *diag)
{
    return calibration_neutral_begin(clinic->calibration, device, for_ms, AGE_MAX, at_ms, diag);
}

static const struct neutral *neutral_of(struct clinic *clinic)
{
    return calibration_neutral(clinic->calibration, clinic->sensor->id);
}

/* Listens for 2 s from `at`; both angles stand, but for a swing of the first. */
static const struct neutral *listen(struct clinic *clinic, double angle, double swing, int64_t at)
{
    assert_int_equal(begin(clinic, clinic->sensor, 2000, at, NULL), 0);
    say(clinic, ANGLE, 90, at - 1); /* of before */
    for (int i = 0; i < 20; i++) {
        say(clinic, ANGLE, angle + (i % 2 ? swing / 2 : -swing / 2), at + i * 100);
        say(clinic, ROTATION, -3, at + i * 100);
    }
    calibration_tick(clinic->calibration, at + 1999);
    assert_int_equal(neutral_of(clinic)->state, CALIBRATION_UNDER_WAY);
    say(clinic, ANGLE, 90, at + 2000); /* of after */
    calibration_tick(clinic->calibration, at + 2000);
    return neutral_of(clinic);
}

static void zero_is_the_mean_of_a_still_posture(void **state)
{
    struct clinic *clinic = *state;
    assert_true(zero(clinic, ANGLE, NOW) == 0);
    const struct neutral *neutral = listen(clinic, 8, 2, NOW);
    assert_int_equal(neutral->state, CALIBRATION_DONE);
    assert_true(fabs(zero(clinic, ANGLE, NOW + 3000) - 8) < 1e-9);
    assert_true(fabs(zero(clinic, ROTATION, NOW + 3000) + 3) < 1e-9);
    assert_true(zero(clinic, TEMPERATURE, NOW + 3000) == 0); /* no angle */
    assert_true(zero(clinic, ANGLE, NOW + 1999) == 0);       /* what was before it was taken */
    assert_true(calibration_zero(clinic->calibration, clinic->pad->id, 0, NOW) == 0);
    assert_int_equal(neutral->zero.number, 1);
    assert_int_equal(clinic->news[NEUTRAL_BEGUN], 1);
    assert_int_equal(clinic->news[NEUTRAL_TAKEN], 1);
    assert_int_equal(clinic->news[NEUTRAL_ENDED], 0);
}

static void who_moves_is_refused_and_the_zero_before_holds(void **state)
{
    struct clinic *clinic = *state;
    listen(clinic, 8, 0, NOW);
    const struct neutral *neutral = listen(clinic, 20, 2.5, NOW + 10000);
    assert_int_equal(neutral->state, CALIBRATION_REFUSED);
    assert_string_equal(neutral->reason, "it moved by 2.5 deg; 2 deg is still");
    assert_true(fabs(zero(clinic, ANGLE, NOW + 13000) - 8) < 1e-9);
    assert_int_equal(clinic->news[NEUTRAL_REFUSED], 1);
}

static void a_sensor_that_says_nothing_gives_no_zero(void **state)
{
    struct clinic *clinic = *state;
    begin(clinic, clinic->sensor, 2000, NOW, NULL);
    for (int i = 0; i < 20; i++)
        say(clinic, ANGLE, i < 9 ? 5 : NAN, NOW + i * 100);
    calibration_tick(clinic->calibration, NOW + 2000);
    const struct neutral *neutral = calibration_neutral(clinic->calibration, clinic->sensor->id);
    assert_int_equal(neutral->state, CALIBRATION_REFUSED);
    assert_string_equal(neutral->reason, "only 9 values of an angle were heard");
    assert_true(zero(clinic, ANGLE, NOW + 3000) == 0);
}

static void a_zero_grows_old(void **state)
{
    struct clinic *clinic = *state;
    listen(clinic, 8, 0, NOW);
    assert_true(zero(clinic, ANGLE, NOW + 1999 + AGE_MAX) != 0);
    assert_true(zero(clinic, ANGLE, NOW + 2000 + AGE_MAX) == 0);
    calibration_tick(clinic->calibration, NOW + 1999 + AGE_MAX);
    assert_int_equal(clinic->news[NEUTRAL_ENDED], 0);
    calibration_tick(clinic->calibration, NOW + 2000 + AGE_MAX);
    assert_int_equal(clinic->news[NEUTRAL_ENDED], 1);
    assert_string_equal(neutral_of(clinic)->reason, "it has grown old");
    assert_int_equal(neutral_of(clinic)->state, CALIBRATION_IDLE);
}

static void a_zero_ends_with_a_start_of_the_device(void **state)
{
    struct clinic *clinic = *state;
    clinic->boot = 7;
    listen(clinic, 8, 0, NOW);
    clinic->boot = 6;
    say(clinic, ANGLE, 1, NOW - 5000); /* kept from the start before */
    assert_true(zero(clinic, ANGLE, NOW + 3000) != 0);
    clinic->boot = 8;
    say(clinic, ANGLE, 1, NOW + 3000);
    assert_true(zero(clinic, ANGLE, NOW + 3000) == 0);
    assert_string_equal(neutral_of(clinic)->reason, "the device started anew");
    /* What is refused after it does not make the old one good again. */
    listen(clinic, 8, 30, NOW + 5000);
    assert_true(zero(clinic, ANGLE, NOW + 8000) == 0);
}

static void a_start_of_the_device_meanwhile_is_a_refusal(void **state)
{
    struct clinic *clinic = *state;
    begin(clinic, clinic->sensor, 2000, NOW, NULL);
    for (int i = 0; i < 20; i++) {
        clinic->boot = i < 10 ? 7 : 8;
        say(clinic, ANGLE, 5, NOW + i * 100);
        say(clinic, ROTATION, 5, NOW + i * 100);
    }
    calibration_tick(clinic->calibration, NOW + 2000);
    assert_string_equal(neutral_of(clinic)->reason, "the device started anew meanwhile");
}

static void a_zero_that_is_ended_says_why_and_can_be_taken_anew(void **state)
{
    struct clinic *clinic = *state;
    calibration_neutral_end(clinic->calibration, clinic->sensor->id, "nothing to end", NOW);
    listen(clinic, 8, 0, NOW);
    calibration_belongs(clinic->calibration, clinic->sensor->id, 12);
    listen(clinic, 10, 0, NOW + 10000); /* takes its place, in the same session */
    assert_int_equal(clinic->news[NEUTRAL_ENDED], 1);
    assert_int_equal(neutral_of(clinic)->zero.session, 12);
    assert_int_equal(neutral_of(clinic)->zero.number, 2);
    assert_true(fabs(zero(clinic, ANGLE, NOW + 13000) - 10) < 1e-9);
    listen(clinic, 8, 30, NOW + 13000); /* is refused, and the one before holds */
    calibration_neutral_end(clinic->calibration, clinic->sensor->id, "enough", NOW + 16000);
    assert_int_equal(neutral_of(clinic)->state, CALIBRATION_IDLE);
    assert_string_equal(neutral_of(clinic)->reason, "enough");
    assert_true(zero(clinic, ANGLE, NOW + 17000) == 0);
    assert_int_equal(clinic->news[NEUTRAL_ENDED], 2);
}

static void a_zero_of_a_run_before_holds_on_if_it_can_be_one(void **state)
{
    struct clinic *clinic = *state;
    struct neutral_zero kept = {.number = 41,
                                .taken_ms = NOW,
                                .expires_ms = NOW + AGE_MAX,
                                .has_boot = true,
                                .boot_id = 7,
                                .count = 1,
                                .angles = {{ANGLE, 4}}};
    struct neutral_zero bad = kept;
    bad.angles[0].metric = METRIC_COUNT;
    assert_int_equal(calibration_restore(clinic->calibration, clinic->sensor, &bad, NULL),
                     ERR_RANGE);
    assert_int_equal(calibration_restore(clinic->calibration, clinic->sensor, &kept, NULL), 0);
    clinic->boot = 7;
    say(clinic, ANGLE, 1, NOW + 1000);
    assert_true(zero(clinic, ANGLE, NOW + 1000) == 4);
    listen(clinic, 8, 0, NOW + 2000);
    assert_int_equal(neutral_of(clinic)->zero.number, 42);
    clinic->boot = 9; /* it was started anew while the hub was away */
    say(clinic, ANGLE, 1, NOW + 9000);
    assert_true(zero(clinic, ANGLE, NOW + 9000) == 0);
}

static void what_cannot_be_calibrated_is_said(void **state)
{
    struct clinic *clinic = *state;
    struct calibration *calibration = clinic->calibration;
    struct diag diag = {0};
    assert_int_equal(begin(clinic, clinic->pad, 2000, NOW, &diag), ERR_CONFLICT);
    assert_string_equal(diag.text, "m-01 has told no angle");
    diag = (struct diag){0};
    assert_int_equal(begin(clinic, clinic->sensor, 999, NOW, &diag), ERR_RANGE);
    assert_string_equal(diag.text, "a neutral posture is held for 1..30 s");
    assert_int_equal(begin(clinic, clinic->sensor, 30001, NOW, NULL), ERR_RANGE);
    assert_int_equal(
        calibration_range_begin(calibration, clinic->sensor, TEMPERATURE, 3, 0, NOW, NULL),
        ERR_CONFLICT);
    assert_int_equal(calibration_range_begin(calibration, clinic->sensor, 99, 3, 0, NOW, NULL),
                     ERR_CONFLICT);
    assert_int_equal(calibration_range_begin(calibration, clinic->sensor, ANGLE, 0, 0, NOW, NULL),
                     ERR_RANGE);
    assert_int_equal(calibration_range_begin(calibration, clinic->sensor, ANGLE, 11, 0, NOW, NULL),
                     ERR_RANGE);
    struct device *third = treatment_device(&clinic->treatment, 0, "p-02", 1);
    diag = (struct diag){0};
    assert_int_equal(begin(clinic, third, 2000, NOW, &diag), ERR_CONFLICT);
    treatment_set(third, ANGLE, 0, NOW - 1000);
    diag = (struct diag){0};
    assert_int_equal(begin(clinic, third, 2000, NOW, &diag), ERR_FULL);
    assert_string_equal(diag.text, "no place to calibrate p-02");
}

static void an_angle_that_the_device_never_told_is_not_waited_for(void **state)
{
    struct clinic *clinic = *state;
    clinic->sensor->values[ROTATION].time_ms = 0;
    begin(clinic, clinic->sensor, 2000, NOW, NULL);
    for (int i = 0; i < 20; i++)
        say(clinic, ANGLE, 5, NOW + i * 100);
    calibration_tick(clinic->calibration, NOW + 2000);
    assert_int_equal(neutral_of(clinic)->state, CALIBRATION_DONE);
    assert_int_equal(neutral_of(clinic)->zero.count, 1);
}

/* ---- Range of motion ---- */

static bool move(struct clinic *clinic, const double *values, size_t count, uint32_t repetitions,
                 struct range_result *result)
{
    calibration_range_begin(clinic->calibration, clinic->sensor, ANGLE, repetitions, 0, NOW, NULL);
    for (size_t i = 0; i < count; i++)
        say(clinic, ANGLE, values[i], NOW + (int64_t)i * 100);
    return calibration_range_result(calibration_range(clinic->calibration, clinic->sensor->id),
                                    result);
}

static void repetitions_are_counted_by_their_ends(void **state)
{
    static const struct {
        double values[16];
        size_t count;
        uint32_t repetitions;
        double best, mean, spread; /* best NaN: not done */
    } rows[] = {
        {{5, 30, 65, 40, 5, 45, 75, 20, 5, 70, 5}, 11, 3, 70, 65, 5}, /* from 5: 60, 70, 65 */
        {{5, 30, 65, 40, 5, 45, 75, 20, 5, 70}, 10, 3, NAN, 0, 0},    /* not back yet */
        {{0, 9.9, 0, 9.9, 0, 9.9, 0}, 7, 1, NAN, 0, 0},               /* too little to count */
        {{0, 40, 25, 40, 25, 50, 0}, 7, 1, 50, 50, NAN}, /* a stop on the way is no end */
        {{0, 50, 24, 15, 6, 0, 40, 19, 12, 0}, 10, 2, 50, 45, 7.0710678119}, /* slowly back */
        {{0, 60, 29, 45, 20, 50, 0}, 7, 3, 60, 51.666666667, 7.6376261583},  /* never quite back */
        {{0, 60, 29, 38, 20, 29, 0}, 7, 2, NAN, 0, 0},            /* and too little from there */
        {{0, -20, 0, -24, 0}, 5, 2, 24, 22, 2.8284271247},        /* the other way */
        {{0, -20, 0, 30, 0, -24, 0}, 7, 2, 24, 22, 2.8284271247}, /* the way of the first counts */
        {{NAN, 10, NAN, 50, NAN, 10}, 6, 1, 40, 40, NAN},         /* silence between */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct range_result result;
        bool done = move(*state, rows[i].values, rows[i].count, rows[i].repetitions, &result);
        assert_int_equal(done, !isnan(rows[i].best));
        if (!done)
            continue;
        assert_int_equal(result.count, rows[i].repetitions);
        assert_true(result.best == rows[i].best && fabs(result.mean - rows[i].mean) < 1e-8);
        assert_true(isnan(rows[i].spread) ? isnan(result.spread)
                                          : fabs(result.spread - rows[i].spread) < 1e-9);
    }
}

static void a_test_that_nobody_ends_has_ended(void **state)
{
    struct clinic *clinic = *state;
    struct range_result result;
    assert_false(move(clinic, (double[]){0, 40, 0}, 3, 3, &result));
    calibration_tick(clinic->calibration, NOW + 299999);
    assert_int_equal(calibration_range(clinic->calibration, clinic->sensor->id)->state,
                     CALIBRATION_UNDER_WAY);
    calibration_tick(clinic->calibration, NOW + 300000);
    assert_int_equal(calibration_range(clinic->calibration, clinic->sensor->id)->state,
                     CALIBRATION_REFUSED);
}

static void a_test_that_is_ended_early_counts_what_was_done(void **state)
{
    struct clinic *clinic = *state;
    struct range_result result;
    struct diag diag = {0};
    assert_int_equal(calibration_range_end(clinic->calibration, clinic->sensor, NOW, &diag),
                     ERR_CONFLICT);
    assert_string_equal(diag.text, "no test of p-01 is under way");
    assert_false(move(clinic, (double[]){0, 40, 0, 50, 0}, 5, 3, &result));
    assert_int_equal(clinic->news[RANGE_REPEATED], 2);
    assert_int_equal(calibration_range_end(clinic->calibration, clinic->sensor, NOW + 900, NULL),
                     0);
    const struct range_test *test = calibration_range(clinic->calibration, clinic->sensor->id);
    assert_true(calibration_range_result(test, &result) && result.count == 2);
    assert_int_equal(result.measured_ms, NOW + 900);
    assert_int_equal(test->number, 1);
    move(clinic, (double[]){0, 9}, 2, 3, &result);
    assert_int_equal(calibration_range_end(clinic->calibration, clinic->sensor, NOW, NULL), 0);
    assert_string_equal(test->reason, "it was ended before the first repetition");
    assert_int_equal(clinic->news[RANGE_DONE], 1);
    assert_int_equal(clinic->news[RANGE_REFUSED], 1);
}

static void what_is_forgotten_of_a_session_is_gone(void **state)
{
    struct clinic *clinic = *state;
    struct range_result result;
    static const double values[] = {0, 30, 60, 30, 0};
    calibration_range_begin(clinic->calibration, clinic->sensor, ANGLE, 1, 7, NOW, NULL);
    calibration_forget(clinic->calibration, 7); /* it goes on: it is nobody's past yet */
    for (int i = 0; i < 5; i++)
        say(clinic, ANGLE, values[i], NOW + i * 100);
    const struct range_test *test = calibration_range(clinic->calibration, clinic->sensor->id);
    assert_true(calibration_range_result(test, &result));
    uint64_t change = calibration_change(clinic->calibration);
    calibration_forget(clinic->calibration, 8);
    assert_true(calibration_range_result(test, &result));
    calibration_forget(clinic->calibration, 7);
    assert_false(calibration_range_result(test, &result));
    assert_true(calibration_change(clinic->calibration) > change);
}

static void a_change_is_held_against_the_error_of_measurement(void **state)
{
    static const struct {
        double before, after;
        const char *words;
    } rows[] = {
        {50, 54, "no change beyond measurement error"},
        {54, 50, "no change beyond measurement error"},
        {50, 55, "a change that may be measurement error"},
        {50, 65, "a change that may be measurement error"},
        {50, 65.1, "a change beyond measurement error"},
        {65.1, 50, "a change beyond measurement error"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(range_change_words(range_change_of(rows[i].before, rows[i].after)),
                            rows[i].words);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zero_is_the_mean_of_a_still_posture),
        TEST(who_moves_is_refused_and_the_zero_before_holds),
        TEST(a_sensor_that_says_nothing_gives_no_zero),
        TEST(a_zero_grows_old),
        TEST(a_zero_ends_with_a_start_of_the_device),
        TEST(a_zero_that_is_ended_says_why_and_can_be_taken_anew),
        TEST(a_zero_of_a_run_before_holds_on_if_it_can_be_one),
        TEST(a_start_of_the_device_meanwhile_is_a_refusal),
        TEST(what_cannot_be_calibrated_is_said),
        TEST(an_angle_that_the_device_never_told_is_not_waited_for),
        TEST(repetitions_are_counted_by_their_ends),
        TEST(a_test_that_nobody_ends_has_ended),
        TEST(a_test_that_is_ended_early_counts_what_was_done),
        TEST(what_is_forgotten_of_a_session_is_gone),
        TEST(a_change_is_held_against_the_error_of_measurement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
