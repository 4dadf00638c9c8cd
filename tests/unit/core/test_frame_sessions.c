/* Frames: what is told of sessions, to whom and when. */
#include "ward.h"

typedef Lumbar__Live__V1__Session Told;

static const char plan_text[] = "{name: p, title: Back, phases: [{kind: massage, title: Massage,"
                                " time: 5 min}, {kind: rest, time: 1 min}]}";

static int open_ward(void **state)
{
    *state = calloc(1, sizeof(struct ward));
    ward_init(*state, 65536, 8);
    return 0;
}

static int close_ward(void **state)
{
    ward_fini(*state);
    free(*state);
    return 0;
}

static uint64_t open_session(struct ward *ward, uint32_t room)
{
    struct plan plan;
    struct diag diag = {0};
    struct client client = {.name = "kiefer-7"};
    assert_int_equal(
        plan_parse(&plan, "plan", plan_text, strlen(plan_text), &ward->drivers, &ward->body, &diag),
        0);
    struct session_opening opening = {
        .room = room, .therapist = "AB", .client = &client, .plan = &plan};
    return sessions_open(ward->sessions, &opening, ward->devices, NOW, NULL);
}

static void op(struct ward *ward, uint64_t id, struct session_order order, int64_t now_ms)
{
    assert_int_equal(sessions_do(ward->sessions, id, &order, ward->devices, now_ms, NULL), 0);
}

static struct frame_cursor client_of(struct ward *ward, uint32_t room)
{
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = room}, NOW);
    ward_drain(ward, &cursor, NOW);
    return cursor;
}

static void a_session_is_told_on_the_wall_and_in_every_room(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursors[] = {client_of(ward, 0), client_of(ward, 1), client_of(ward, 2)};
    uint64_t id = open_session(ward, 1);
    for (int i = 0; i < 3; i++) {
        Frame *frame = ward_next(ward, &cursors[i], NOW);
        assert_non_null(frame);
        assert_int_equal(frame->n_sessions, 1);
        const Told *told = frame->sessions[0];
        assert_int_equal(told->id, id);
        assert_int_equal(told->room, 1);
        assert_int_equal(told->state, LUMBAR__LIVE__V1__SESSION__STATE__PLANNED);
        assert_string_equal(told->client, "kiefer-7");
        assert_string_equal(told->therapist, "AB");
        assert_string_equal(told->plan, "Back");
        assert_int_equal(told->phase, 0);
        assert_int_equal(told->phase_count, 2);
        assert_false(told->has_phase_end_ms || told->has_pain_before);
        ward_free(frame);
        assert_null(ward_next(ward, &cursors[i], NOW));
    }
}

static void a_running_phase_has_an_end_and_a_paused_one_a_rest(void **state)
{
    struct ward *ward = *state;
    uint64_t id = open_session(ward, 1);
    struct frame_cursor cursor = client_of(ward, 0);
    op(ward, id, (struct session_order){.op = SESSION_START}, NOW + 1000);
    Frame *frame = ward_next(ward, &cursor, NOW + 5000);
    const Told *told = frame->sessions[0];
    assert_int_equal(told->phase, 1);
    assert_string_equal(told->phase_title, "Massage");
    assert_string_equal(told->next_title, "Rest");
    assert_int_equal(told->phase_ms, 300000);
    assert_int_equal(told->phase_end_ms, NOW + 301000);
    assert_false(told->has_phase_left_ms);
    ward_free(frame);

    op(ward, id, (struct session_order){.op = SESSION_PAUSE}, NOW + 61000);
    frame = ward_next(ward, &cursor, NOW + 90000);
    told = frame->sessions[0];
    assert_int_equal(told->phase_left_ms, 240000);
    assert_false(told->has_phase_end_ms);
    ward_free(frame);

    op(ward, id, (struct session_order){.op = SESSION_RESUME}, NOW + 100000);
    frame = ward_next(ward, &cursor, NOW + 100000);
    assert_int_equal(frame->sessions[0]->phase_end_ms, NOW + 340000);
    ward_free(frame);

    op(ward, id, (struct session_order){.op = SESSION_NEXT}, NOW + 400000);
    frame = ward_next(ward, &cursor, NOW + 400000);
    assert_int_equal(frame->sessions[0]->phase, 2);
    assert_null(frame->sessions[0]->next_title); /* the last */
    assert_int_equal(frame->sessions[0]->phase_end_ms, NOW + 460000);
    ward_free(frame);
}

static void pain_is_told_where_it_was(void **state)
{
    struct ward *ward = *state;
    uint64_t id = open_session(ward, 2);
    struct frame_cursor cursor = client_of(ward, 0);
    op(ward, id, (struct session_order){.op = SESSION_PAIN, .number = 0}, NOW);
    op(ward, id, (struct session_order){.op = SESSION_START}, NOW);
    op(ward, id, (struct session_order){.op = SESSION_PAIN, .number = 3, .moment = SESSION_DURING},
       NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    const Told *told = frame->sessions[0];
    assert_true(told->has_pain_before && told->pain_before == 0);
    assert_false(told->has_pain_after);
    assert_true(told->ask_to_stop);
    ward_free(frame);
}

static void accounting_alone_makes_no_frame(void **state)
{
    struct ward *ward = *state;
    uint64_t id = open_session(ward, 1);
    op(ward, id, (struct session_order){.op = SESSION_START}, NOW);
    struct frame_cursor cursor = client_of(ward, 2);
    struct sent sent;
    double value = 10;
    sessions_touch(ward->sessions, devices_at(ward->devices, 1),
                   sent_values(&sent, ANGLE, 1, &value, NOW + 100), 0);
    assert_false(frame_due(ward->frame, &cursor));
}

static void who_comes_later_is_told_the_last_of_each_room(void **state)
{
    struct ward *ward = *state;
    uint64_t first = open_session(ward, 1);
    op(ward, first, (struct session_order){.op = SESSION_ABORT, .text = "ill"}, NOW);
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = 0}, NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_non_null(frame->hello);
    assert_int_equal(frame->n_sessions, 1);
    assert_int_equal(frame->sessions[0]->state, LUMBAR__LIVE__V1__SESSION__STATE__ABORTED);
    ward_free(frame);
    ward_drain(ward, &cursor, NOW);
    uint64_t second = open_session(ward, 1); /* takes its place */
    frame = ward_next(ward, &cursor, NOW + 1);
    assert_int_equal(frame->n_sessions, 1);
    assert_int_equal(frame->sessions[0]->id, second);
    ward_free(frame);
}

/* A frame that was made a moment ago is not given to who lacks what changed since. */
static void a_shared_frame_lacks_no_session(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor one = client_of(ward, 0), two = one;
    uint64_t id = open_session(ward, 1);
    ward_free(ward_next(ward, &one, NOW + 1));
    op(ward, id, (struct session_order){.op = SESSION_START}, NOW + 2);
    Frame *frame = ward_next(ward, &two, NOW + 2);
    assert_int_equal(frame->sessions[0]->state, LUMBAR__LIVE__V1__SESSION__STATE__RUNNING);
    ward_free(frame);
}

static void all_rooms_at_once_come_whole_and_each_once(void **state)
{
    static char yaml[16384];
    struct ward *ward = *state;
    struct text text = text_in(yaml, sizeof(yaml));
    text_add(&text, "rooms:\n");
    for (int i = 1; i <= CONFIG_ROOMS_MAX; i++) {
        text_add(&text, "  - {name: r%d}\n", i);
        struct session_opening opening = {.room = (uint32_t)i, .therapist = "AB"};
        assert_true(sessions_open(ward->sessions, &opening, ward->devices, NOW, NULL) != 0);
    }
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = 0}, NOW);
    unsigned told = 0;
    for (Frame *frame; (frame = ward_next(ward, &cursor, NOW)) != NULL; ward_free(frame))
        told += (unsigned)frame->n_sessions;
    assert_int_equal(told, CONFIG_ROOMS_MAX);
}

/* ---- Limits ---- */

/* Rules whose limits are a plan's, a client's, and numbers of further conditions. */
static void use_rules(struct ward *ward)
{
    static const char yaml[] =
        "rules:\n"
        "  - {name: bent, title: B, metric: angle, above: limit(angle), priority: low, text: B}\n"
        "  - {name: far, title: F, metric: rotation, outside: 50 % of own_range(rotation),"
        " priority: low, text: F}\n"
        "  - {name: both, title: C, priority: low, text: C, all: [{metric: posture, is: slouched},"
        " {metric: angle, above: 12 deg}, {metric: temperature, below: 25 Cel}]}\n";
    struct frame_world world;
    rules_destroy(ward->rules);
    ward->rules = ward_load(&ward->drivers, yaml, 8);
    ward_ask(ward);
    world = ward_world(ward);
    assert_int_equal(frame_reload(ward->frame, &world), 0);
}

static uint64_t open_limited(struct ward *ward)
{
    static const char text[] =
        "{name: p, phases: [{kind: massage, time: 5 min,"
        " limits: [{metric: angle, above: 30 deg}]},"
        " {kind: rest, time: 1 min, limits: [{metric: angle, above: 20 deg}]}]}";
    struct plan plan;
    struct diag diag = {0};
    struct client client = {.name = "kiefer-7"};
    if (plan_parse(&plan, "plan", text, strlen(text), &ward->drivers, &ward->body, &diag) != 0)
        fail_msg("%s", diag.text);
    return sessions_open(
        ward->sessions,
        &(struct session_opening){.room = 1, .therapist = "AB", .client = &client, .plan = &plan},
        ward->devices, NOW, NULL);
}

/* The limits of the one session that the next frame tells of. */
static void expect_limits(struct ward *ward, struct frame_cursor *cursor, size_t count,
                          const double *limits)
{
    Frame *frame = ward_next(ward, cursor, NOW + 5000);
    assert_non_null(frame);
    assert_int_equal(frame->n_sessions, 1);
    const Told *told = frame->sessions[0];
    assert_int_equal(told->n_limits, count);
    for (size_t i = 0; i < count; i++) {
        const Lumbar__Live__V1__Limit *limit = told->limits[i];
        assert_int_equal(limit->has_above, !limit->has_below);
        assert_int_equal(limit->rule, i == 0 ? 0 : 1);
        assert_int_equal(limit->metric, i == 0 ? ANGLE : ROTATION);
        assert_true((limit->has_above ? limit->above : limit->below) == limits[i]);
        assert_int_equal(limit->has_above, limits[i] > 0);
    }
    ward_free(frame);
}

static void limits_of_plan_and_client_come_with_the_session_and_go_with_it(void **state)
{
    struct ward *ward = *state;
    use_rules(ward);
    struct frame_cursor cursor = client_of(ward, 1);
    uint64_t id = open_limited(ward);
    expect_limits(ward, &cursor, 0, NULL); /* it does not run yet */
    op(ward, id, (struct session_order){.op = SESSION_START}, NOW);
    expect_limits(ward, &cursor, 1, (double[]){30});
    const struct client_own own = {.metric = ROTATION, .low = -20, .high = 10, .measured_ms = NOW};
    assert_int_equal(sessions_learn(ward->sessions, id, &own, INT64_MAX, NOW), 0);
    expect_limits(ward, &cursor, 3, (double[]){30, -10, 5});
    op(ward, id, (struct session_order){.op = SESSION_NEXT}, NOW + 1000);
    expect_limits(ward, &cursor, 3, (double[]){20, -10, 5}); /* of this phase */
    op(ward, id, (struct session_order){.op = SESSION_END}, NOW + 2000);
    expect_limits(ward, &cursor, 0, NULL);
}

static void limits_that_are_numbers_come_with_the_hello_of_every_condition(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = {0};
    use_rules(ward);
    ward_watch(ward, &cursor, (struct wish){.room = 1}, NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    Lumbar__Live__V1__Rule *const *rules = frame->hello->rules;
    assert_int_equal(frame->hello->n_rules, 3 + 4); /* built in: of the metrics that they look at */
    assert_int_equal(rules[0]->n_limits + rules[1]->n_limits, 0);
    assert_int_equal(rules[2]->n_limits, 2);
    assert_true(rules[2]->limits[0]->metric == ANGLE && rules[2]->limits[0]->above == 12);
    assert_true(rules[2]->limits[1]->metric == TEMPERATURE && rules[2]->limits[1]->below == 25);
    assert_false(rules[2]->has_above); /* its first condition is a label */
    ward_free(frame);
}

static void a_calibration_is_told_as_it_goes_on(void **state)
{
    typedef Lumbar__Live__V1__Calibration Calibrated;
    struct ward *ward = *state;
    struct device *device = devices_at(ward->devices, 2);
    device->values[ANGLE] = (struct device_value){0, NOW};
    struct frame_cursor cursor = client_of(ward, 0);
    calibration_neutral_begin(ward->calibration, device, 1000, 60000, NOW, NULL);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_int_equal(frame->n_calibrations, 1);
    const Calibrated *told = frame->calibrations[0];
    assert_int_equal(told->device, 2);
    assert_int_equal(told->neutral, LUMBAR__LIVE__V1__CALIBRATION__STATE__UNDER_WAY);
    assert_int_equal(told->until_ms, NOW + 1000);
    assert_int_equal(told->taken_ms, 0);
    assert_int_equal(told->range, LUMBAR__LIVE__V1__CALIBRATION__STATE__NONE);
    assert_false(told->has_best);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW));

    calibration_tick(ward->calibration, NOW + 1000);
    frame = ward_next(ward, &cursor, NOW + 1000);
    told = frame->calibrations[0];
    assert_int_equal(told->neutral, LUMBAR__LIVE__V1__CALIBRATION__STATE__REFUSED);
    assert_string_equal(told->neutral_reason, "only 0 values of an angle were heard");
    ward_free(frame);

    calibration_range_begin(ward->calibration, device, ANGLE, 2, 0, NOW, NULL);
    for (int i = 0; i < 5; i++) {
        struct sent sent;
        double value = (double[]){0, -20, 0, -30, 0}[i];
        calibration_touch(ward->calibration, device,
                          sent_values(&sent, ANGLE, 1, &value, NOW + i * 100), 0);
    }
    frame = ward_next(ward, &cursor, NOW + 2000);
    told = frame->calibrations[0];
    assert_int_equal(told->range, LUMBAR__LIVE__V1__CALIBRATION__STATE__DONE);
    assert_int_equal(told->repeated, 2);
    assert_true(told->downwards && told->best == 30 && told->mean == 25 && told->has_spread);
    assert_int_equal(told->measured_ms, NOW + 400);
    ward_free(frame);

    struct frame_cursor later = {0}; /* who comes later is told as well */
    ward_watch(ward, &later, (struct wish){.room = 0}, NOW);
    frame = ward_next(ward, &later, NOW + 3000);
    assert_int_equal(frame->n_calibrations, 1);
    ward_free(frame);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ward, close_ward)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_told_on_the_wall_and_in_every_room),
        TEST(a_running_phase_has_an_end_and_a_paused_one_a_rest),
        TEST(pain_is_told_where_it_was),
        TEST(accounting_alone_makes_no_frame),
        TEST(who_comes_later_is_told_the_last_of_each_room),
        TEST(a_shared_frame_lacks_no_session),
        TEST(a_calibration_is_told_as_it_goes_on),
        TEST(all_rooms_at_once_come_whole_and_each_once),
        TEST(limits_of_plan_and_client_come_with_the_session_and_go_with_it),
        TEST(limits_that_are_numbers_come_with_the_hello_of_every_condition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
