/* What a running session accounts: time in each band, dose by region, and what rules ask. */
#include "treatment.h"

#include "core/sessions.h"

#define NOW INT64_C(1700000000000)

static const char plan_text[] =
    "{name: p, limits: [{metric: angle, above: 45 deg}, {metric: angle, outside: [-5 deg, 60 "
    "deg]}],"
    " phases: [{kind: exercise, time: 5 min, targets: [{metric: angle, between: [10 deg, 20 "
    "deg]}]},"
    " {kind: massage, time: 10 min, limits: [{metric: angle, above: 30 deg, own: 50 %},"
    " {metric: pressure, above: 200 kPa, regions: hip_left}]}]}";
enum { ABOVE_45, OUTSIDE, IN_EXERCISE, IN_MASSAGE, ON_HIP }; /* its bands, in order */

struct clinic {
    struct treatment treatment;
    struct sessions *sessions;
    struct plan plan;
    struct device *sensor, *pad;
    const struct session *session;
};

static int open_clinic(void **state)
{
    struct clinic *clinic = calloc(1, sizeof(*clinic));
    struct diag diag = {0};
    treatment_init(&clinic->treatment);
    if (plan_parse(&clinic->plan, "plan", plan_text, strlen(plan_text), &clinic->treatment.drivers,
                   &clinic->treatment.body, &diag) != 0)
        fail_msg("%s", diag.text);
    clinic->sessions =
        sessions_create(8, &clinic->treatment.drivers, &clinic->treatment.body, NULL, NULL);
    clinic->sensor = treatment_device(&clinic->treatment, 0, "p-01", 1);
    clinic->pad = treatment_device(&clinic->treatment, 1, "m-01", 1);
    struct session_opening opening = {.room = 1, .therapist = "AB", .plan = &clinic->plan};
    sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, &diag);
    clinic->session = sessions_at(clinic->sessions, 1);
    *state = clinic;
    return 0;
}

static int close_clinic(void **state)
{
    struct clinic *clinic = *state;
    sessions_destroy(clinic->sessions);
    treatment_fini(&clinic->treatment);
    free(clinic);
    return 0;
}

static void op(struct clinic *clinic, enum session_op op, int64_t now_ms)
{
    struct session_order order = {.op = op};
    assert_int_equal(sessions_do(clinic->sessions, clinic->session->id, &order,
                                 clinic->treatment.devices, now_ms, NULL),
                     0);
}

/* One value at a time of hub; the device's clock is 1000 ms behind it. */
static void say(struct clinic *clinic, struct device *device, uint32_t metric, double value,
                int64_t at_ms)
{
    struct sent sent;
    struct lumbar_batch *batch = sent_values(&sent, metric, 1, &value, at_ms - 1000);
    device_note(device, batch, 1000);
    sessions_touch(clinic->sessions, device, batch, 1000);
}

static void angle(struct clinic *clinic, double value, int64_t after_ms)
{
    say(clinic, clinic->sensor, ANGLE, value, NOW + after_ms);
}

static void assert_band(const struct clinic *clinic, int band, int64_t below, int64_t within,
                        int64_t above)
{
    const struct session_band *account = &clinic->session->bands[band];
    assert_int_equal(account->below_ms, below);
    assert_int_equal(account->within_ms, within);
    assert_int_equal(account->above_ms, above);
}

static void a_value_holds_until_the_next_one(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    angle(clinic, 15, 0);    /* within all */
    angle(clinic, 50, 100);  /* above 45, above the exercise's target */
    angle(clinic, 70, 300);  /* beyond 60 as well */
    angle(clinic, -10, 600); /* below */
    angle(clinic, 0, 1000);
    assert_band(clinic, ABOVE_45, 0, 100 + 400, 200 + 300);
    assert_band(clinic, OUTSIDE, 400, 100 + 200, 300);
    assert_band(clinic, IN_EXERCISE, 400, 100, 200 + 300);
    assert_int_equal(clinic->session->bands[ABOVE_45].excursions, 1);
    assert_int_equal(clinic->session->bands[OUTSIDE].excursions, 1); /* from above to below: one */
}

static void the_ends_of_a_band_are_within(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    angle(clinic, 45, 0);
    angle(clinic, 60, 100);
    angle(clinic, -5, 200);
    angle(clinic, 0, 300);
    assert_band(clinic, ABOVE_45, 0, 200, 100);
    assert_band(clinic, OUTSIDE, 0, 300, 0);
}

static void silence_counts_for_nothing(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    angle(clinic, 50, 0);
    angle(clinic, 50, 2000); /* as old as a value may be */
    angle(clinic, 50, 4001); /* stale before */
    angle(clinic, NAN, 4100);
    angle(clinic, 50, 4200); /* follows nothing */
    angle(clinic, 50, 4250);
    assert_band(clinic, ABOVE_45, 0, 0, 2000 + 50);
    assert_int_equal(clinic->session->bands[ABOVE_45].excursions, 2);
}

static void what_comes_late_or_is_of_before_counts_for_nothing(void **state)
{
    struct clinic *clinic = *state;
    angle(clinic, 50, -500); /* planned */
    op(clinic, SESSION_START, NOW);
    angle(clinic, 50, -100); /* of before the start */
    angle(clinic, 50, 100);
    angle(clinic, 0, 50); /* older than what was accounted */
    angle(clinic, 50, 100);
    angle(clinic, 50, 300);
    assert_band(clinic, ABOVE_45, 0, 0, 200);
    op(clinic, SESSION_PAUSE, NOW + 300);
    angle(clinic, 50, 400);
    op(clinic, SESSION_RESUME, NOW + 1000);
    angle(clinic, 50, 900); /* of the pause, late */
    angle(clinic, 50, 1100);
    angle(clinic, 50, 1150);
    assert_band(clinic, ABOVE_45, 0, 0, 200 + 50);
    op(clinic, SESSION_END, NOW + 2000);
    angle(clinic, 50, 2000);
    assert_band(clinic, ABOVE_45, 0, 0, 200 + 50);
}

static void a_band_of_a_phase_counts_in_it(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    angle(clinic, 15, 0);
    angle(clinic, 15, 100);
    op(clinic, SESSION_NEXT, NOW + 150);
    angle(clinic, 40, 200);
    angle(clinic, 40, 300);
    assert_band(clinic, IN_EXERCISE, 0, 100, 0);
    assert_band(clinic, IN_MASSAGE, 0, 0, 100);
    assert_band(clinic, ABOVE_45, 0, 200, 0); /* the change of phase is a cut */
}

static void a_band_of_a_region_counts_on_it(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    op(clinic, SESSION_NEXT, NOW);
    say(clinic, clinic->pad, PAD_REGION, PAD_BACK_LEFT, NOW);
    say(clinic, clinic->pad, PAD_PRESSURE, 300, NOW);
    say(clinic, clinic->pad, PAD_PRESSURE, 300, NOW + 100);
    assert_band(clinic, ON_HIP, 0, 0, 0);
    say(clinic, clinic->pad, PAD_REGION, PAD_HIP, NOW + 100);
    say(clinic, clinic->pad, PAD_PRESSURE, 300, NOW + 200);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 300);
    say(clinic, clinic->pad, PAD_REGION, PAD_NOWHERE, NOW + 350);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 400);
    say(clinic, clinic->pad, PAD_REGION, PAD_HIP, NOW + 400);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 500); /* follows nothing on the hip */
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 550);
    assert_band(clinic, ON_HIP, 0, 50, 100);
}

static void one_device_at_a_time_tells_of_a_band(void **state)
{
    struct clinic *clinic = *state;
    struct device *second = treatment_device(&clinic->treatment, 0, "p-02", 1);
    struct session_order take = {.op = SESSION_ASSIGN, .device = second->id};
    op(clinic, SESSION_START, NOW);
    assert_int_equal(sessions_do(clinic->sessions, clinic->session->id, &take,
                                 clinic->treatment.devices, NOW, NULL),
                     0);
    angle(clinic, 50, 0);
    say(clinic, second, ANGLE, 0, NOW + 50);
    angle(clinic, 50, 100);
    assert_band(clinic, ABOVE_45, 0, 0, 100);
    devices_assign(clinic->treatment.devices, clinic->sensor, 2); /* gone: the other tells */
    struct sessions_rules rules = {.idle_ms = 1000000};
    sessions_tick(clinic->sessions, &rules, clinic->treatment.devices, NOW + 110);
    say(clinic, second, ANGLE, 0, NOW + 150);
    angle(clinic, 50, 200); /* no longer of this session */
    say(clinic, second, ANGLE, 0, NOW + 250);
    assert_band(clinic, ABOVE_45, 0, 100, 100);
}

/* ---- Dose ---- */

static void dose_is_time_and_intensity_where_the_device_works(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    say(clinic, clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    say(clinic, clinic->pad, PAD_REGION, PAD_BACK_LEFT, NOW);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW);
    say(clinic, clinic->pad, PAD_PRESSURE, 200, NOW + 1000);
    say(clinic, clinic->pad, PAD_PRESSURE, 300, NOW + 1500);
    say(clinic, clinic->pad, PAD_REGION, PAD_HIP, NOW + 1500);
    say(clinic, clinic->pad, PAD_PRESSURE, 50, NOW + 2500);
    say(clinic, clinic->pad, PAD_PRESSURE, 50, NOW + 9000); /* silence between */
    say(clinic, clinic->pad, PAD_STATE, PAD_IDLE, NOW + 9000);
    say(clinic, clinic->pad, PAD_PRESSURE, 50, NOW + 9500);
    const struct session_dose *left = &clinic->session->doses[0], *hip = &clinic->session->doses[2];
    assert_int_equal(left->time_ms, 1500);
    assert_true(left->intensity_ms == 200.0 * 1000 + 300.0 * 500);
    assert_int_equal(hip->time_ms, 1000);
    assert_true(hip->intensity_ms == 50.0 * 1000);
    assert_int_equal(clinic->session->doses[1].time_ms, 0);
}

static void a_pause_is_no_dose(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    say(clinic, clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    say(clinic, clinic->pad, PAD_REGION, PAD_HIP, NOW);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW);
    op(clinic, SESSION_PAUSE, NOW + 500);
    op(clinic, SESSION_RESUME, NOW + 900);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 1000);
    assert_int_equal(clinic->session->doses[2].time_ms, 0);
    say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + 1200);
    assert_int_equal(clinic->session->doses[2].time_ms, 200);
}

/* It comes in the middle of a session, with what it held back in the room of another client. */
static void what_a_device_measured_before_it_came_is_of_where_it_was(void **state)
{
    struct clinic *clinic = *state;
    struct sessions_rules rules = {.idle_ms = 1000000};
    struct session_opening opening = {.room = 2, .therapist = "CD", .plan = &clinic->plan};
    uint64_t other =
        sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, NULL);
    const struct session *session = sessions_find(clinic->sessions, other);
    struct session_order start = {.op = SESSION_START};
    assert_int_equal(
        sessions_do(clinic->sessions, other, &start, clinic->treatment.devices, NOW, NULL), 0);
    op(clinic, SESSION_START, NOW);
    say(clinic, clinic->pad, PAD_STATE, PAD_RUNNING, NOW + 10);
    say(clinic, clinic->pad, PAD_REGION, PAD_HIP, NOW + 10);
    devices_assign(clinic->treatment.devices, clinic->pad, 2);
    devices_assign(clinic->treatment.devices, clinic->sensor, 2);
    sessions_tick(clinic->sessions, &rules, clinic->treatment.devices, NOW + 1000);
    assert_int_equal(session->devices[0].from_ms, NOW + 1000);
    for (int64_t at = 100; at < 1000; at += 100) {
        say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + at);
        angle(clinic, 50, at);
    }
    assert_int_equal(session->doses[2].time_ms, 0);
    assert_int_equal(session->bands[ABOVE_45].above_ms, 0);
    assert_int_equal(session->bands[ABOVE_45].excursions, 0);
    for (int64_t at = 1000; at <= 1200; at += 100) { /* and of its stay */
        say(clinic, clinic->pad, PAD_PRESSURE, 100, NOW + at);
        angle(clinic, 50, at);
    }
    assert_int_equal(session->doses[2].time_ms, 200);
    assert_int_equal(session->bands[ABOVE_45].above_ms, 200);
    assert_int_equal(clinic->session->doses[2].time_ms, 800);
    assert_int_equal(clinic->session->bands[ABOVE_45].above_ms, 800);
    assert_true(sessions_take_late(clinic->sessions, 1));
    assert_false(sessions_take_late(clinic->sessions, 1));
    assert_false(sessions_take_late(clinic->sessions, 2));
}

/* Values of one message, 100 ms apart. */
static void angles(struct clinic *clinic, unsigned count, int64_t from_ms)
{
    struct sent sent;
    double values[16];
    int64_t times[16];
    for (unsigned i = 0; i < count; i++) {
        values[i] = 50;
        times[i] = NOW + from_ms + i * 100 - 1000;
    }
    struct lumbar_batch *batch = sent_values(&sent, ANGLE, 1, values, times[0]);
    struct lumbar_series series = {ANGLE, count, times, values};
    struct lumbar_batch whole = *batch;
    whole.series = &series;
    whole.series_count = 1;
    sessions_touch(clinic->sessions, clinic->sensor, &whole, 1000);
}

static void a_message_across_the_end_is_of_both_sides(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    angles(clinic, 3, 0);
    op(clinic, SESSION_END, NOW + 550); /* before the message comes that was begun in it */
    angles(clinic, 10, 300);
    assert_int_equal(clinic->session->bands[ABOVE_45].above_ms, 200 + 200); /* 0..200, 300..500 */
    assert_true(sessions_take_late(clinic->sessions, 1));
    angles(clinic, 10, 300); /* once */
    assert_int_equal(clinic->session->bands[ABOVE_45].above_ms, 400);
    assert_false(sessions_take_late(clinic->sessions, 1));
}

/* Held back for an hour, and given when the session is long over: in the phase of then. */
static void what_was_held_back_is_of_its_phase(void **state)
{
    struct clinic *clinic = *state;
    op(clinic, SESSION_START, NOW);
    op(clinic, SESSION_NEXT, NOW + 1000); /* massage: above 30 */
    op(clinic, SESSION_END, NOW + 3000);
    angles(clinic, 10, 0);
    angles(clinic, 10, 1000);
    angles(clinic, 10, 5000);
    assert_band(clinic, IN_EXERCISE, 0, 0, 900);
    assert_band(clinic, IN_MASSAGE, 0, 0, 900);
    assert_band(clinic, ABOVE_45, 0, 0, 1900);
}

/* ---- What rules ask ---- */

static void a_limit_is_the_narrowest_that_holds_now(void **state)
{
    struct clinic *clinic = *state;
    uint32_t metric = treatment_metric(&clinic->treatment, "angle");
    double low, high;
    assert_false(sessions_limit(clinic->sessions, 1, metric, &low, &high)); /* planned */
    op(clinic, SESSION_START, NOW);
    assert_true(sessions_limit(clinic->sessions, 1, metric, &low, &high));
    assert_true(low == -5 && high == 45); /* the target of the exercise is none */
    op(clinic, SESSION_NEXT, NOW);
    assert_true(sessions_limit(clinic->sessions, 1, metric, &low, &high));
    assert_true(low == -5 && high == 30);
    /* Of one region only: no answer for "anywhere". */
    assert_false(sessions_limit(clinic->sessions, 1,
                                treatment_metric(&clinic->treatment, "pressure"), &low, &high));
    assert_true(isnan(low) && isnan(high));
    assert_false(sessions_limit(clinic->sessions, 2, metric, &low, &high));
    op(clinic, SESSION_END, NOW);
    assert_false(sessions_limit(clinic->sessions, 1, metric, &low, &high));
}

static void the_own_range_of_the_client_is_told_while_it_is_young(void **state)
{
    struct clinic *clinic = *state;
    uint32_t metric = treatment_metric(&clinic->treatment, "angle");
    double low, high;
    struct client client = {
        .name = "kiefer-7", .own = {{metric, 0, NAN, 50, NOW - 1000}}, .own_count = 1};
    struct session_opening opening = {
        .room = 2, .therapist = "AB", .client = &client, .plan = &clinic->plan, .own_age_ms = 1000};
    uint64_t id = sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, NULL);
    struct session_order start = {.op = SESSION_START};
    sessions_do(clinic->sessions, id, &start, clinic->treatment.devices, NOW, NULL);
    assert_true(sessions_own(clinic->sessions, 2, metric, &low, &high));
    assert_true(isnan(low) && high == 50);
    start.op = SESSION_NEXT;
    sessions_do(clinic->sessions, id, &start, clinic->treatment.devices, NOW, NULL);
    assert_true(sessions_limit(clinic->sessions, 2, metric, &low, &high));
    assert_true(high == 25); /* the massage's limit: half of the own range */

    start.op = SESSION_END;
    sessions_do(clinic->sessions, id, &start, clinic->treatment.devices, NOW, NULL);
    opening.own_age_ms = 999; /* too old now */
    id = sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, NULL);
    start.op = SESSION_START;
    sessions_do(clinic->sessions, id, &start, clinic->treatment.devices, NOW, NULL);
    assert_false(sessions_own(clinic->sessions, 2, metric, &low, &high));
}

static void what_is_measured_in_a_session_counts_at_once(void **state)
{
    struct clinic *clinic = *state;
    uint32_t metric = treatment_metric(&clinic->treatment, "angle");
    double low, high;
    struct client client = {.name = "kiefer-7"};
    struct session_opening opening = {
        .room = 2, .therapist = "AB", .client = &client, .plan = &clinic->plan, .own_age_ms = 1000};
    struct client_own own = {metric, 0, NAN, 50, NOW};
    uint64_t id = sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, NULL);
    for (int i = 0; i < 2; i++)
        sessions_do(clinic->sessions, id,
                    &(struct session_order){.op = i == 0 ? SESSION_START : SESSION_NEXT},
                    clinic->treatment.devices, NOW, NULL);
    assert_false(sessions_own(clinic->sessions, 2, metric, &low, &high));
    assert_int_equal(sessions_learn(clinic->sessions, id, &own, 1000, NOW), 0);
    assert_true(sessions_own(clinic->sessions, 2, metric, &low, &high) && high == 50);
    assert_true(sessions_limit(clinic->sessions, 2, metric, &low, &high));
    assert_true(high == 25); /* the massage's limit: half of the own range */
    assert_int_equal(sessions_learn(clinic->sessions, id + 1, &own, 1000, NOW), ERR_UNKNOWN);
    sessions_do(clinic->sessions, id, &(struct session_order){.op = SESSION_END},
                clinic->treatment.devices, NOW, NULL);
    assert_int_equal(sessions_learn(clinic->sessions, id, &own, 1000, NOW), ERR_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_holds_until_the_next_one),
        TEST(the_ends_of_a_band_are_within),
        TEST(silence_counts_for_nothing),
        TEST(what_comes_late_or_is_of_before_counts_for_nothing),
        TEST(a_band_of_a_phase_counts_in_it),
        TEST(a_band_of_a_region_counts_on_it),
        TEST(one_device_at_a_time_tells_of_a_band),
        TEST(dose_is_time_and_intensity_where_the_device_works),
        TEST(a_pause_is_no_dose),
        TEST(what_a_device_measured_before_it_came_is_of_where_it_was),
        TEST(a_message_across_the_end_is_of_both_sides),
        TEST(what_was_held_back_is_of_its_phase),
        TEST(a_limit_is_the_narrowest_that_holds_now),
        TEST(the_own_range_of_the_client_is_told_while_it_is_young),
        TEST(what_is_measured_in_a_session_counts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
