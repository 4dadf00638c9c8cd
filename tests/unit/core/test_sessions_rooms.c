/* Sessions: devices that come and go, rooms, opening by a device, idleness, restarts. */
#include "session_clinic.h"

/* ---- Devices ---- */

static void a_device_that_moves_rooms_tears_nothing(void **state)
{
    struct clinic *clinic = *state;
    uint64_t first = open_in(clinic, 1, NULL, NULL), second = open_in(clinic, 2, NULL, NULL);
    const struct session *a = sessions_find(clinic->sessions, first);
    const struct session *b = sessions_find(clinic->sessions, second);
    assert_int_equal(a->device_count, 1);
    assert_int_equal(b->device_count, 0);
    op(clinic, first, SESSION_START, NOW);
    devices_assign(clinic->treatment.devices, clinic->sensor, 2);
    tick(clinic, NOW + 1000);
    assert_int_equal(a->devices[0].to_ms, NOW + 1000);
    assert_int_equal(a->state, SESSION_RUNNING);
    assert_int_equal(b->devices[0].device, clinic->sensor->id);
    assert_int_equal(b->devices[0].from_ms, NOW + 1000);
    devices_assign(clinic->treatment.devices, clinic->sensor, 1); /* and back */
    tick(clinic, NOW + 2000);
    assert_int_equal(a->device_count, 2);
    assert_int_equal(a->devices[1].from_ms, NOW + 2000);
    assert_int_equal(a->devices[1].to_ms, 0);
    assert_int_equal(b->devices[0].to_ms, NOW + 2000);
    op(clinic, first, SESSION_END, NOW + 3000);
    assert_int_equal(a->devices[1].to_ms, NOW + 3000);
}

static void a_device_assigned_by_hand_stays_wherever_it_is(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = open_in(clinic, 1, NULL, NULL), other = open_in(clinic, 3, NULL, NULL);
    struct session_order take = {.op = SESSION_ASSIGN, .device = clinic->pad->id};
    assert_int_equal(order(clinic, id, take, NOW + 10, NULL), 0);
    const struct session *session = sessions_find(clinic->sessions, id);
    /* It was in its own room's session: one device is in one session. */
    assert_int_equal(sessions_find(clinic->sessions, other)->devices[0].to_ms, NOW + 10);
    devices_assign(clinic->treatment.devices, clinic->pad, 2);
    tick(clinic, NOW + 1000);
    assert_int_equal(session->device_count, 2);
    assert_int_equal(session->devices[1].to_ms, 0);
    take.op = SESSION_UNASSIGN;
    assert_int_equal(order(clinic, id, take, NOW + 2000, NULL), 0);
    assert_int_equal(session->devices[1].to_ms, NOW + 2000);
}

static void assignments_are_bounded(void **state)
{
    struct clinic *clinic = *state;
    struct diag diag = {0};
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    struct session_order take = {.device = clinic->pad->id};
    for (int i = 1; i < SESSION_DEVICES_MAX; i++) {
        take.op = SESSION_ASSIGN;
        assert_int_equal(order(clinic, id, take, NOW, NULL), 0);
        take.op = SESSION_UNASSIGN;
        assert_int_equal(order(clinic, id, take, NOW, NULL), 0);
    }
    take.op = SESSION_ASSIGN;
    assert_int_equal(order(clinic, id, take, NOW, &diag), ERR_FULL);
    assert_non_null(strstr(diag.text, "came and went 48 times"));
    struct sessions_held held;
    sessions_held(clinic->sessions, &held);
    assert_int_equal(held.devices, SESSION_DEVICES_MAX);
    assert_int_equal(held.devices_refused, 1);
}

static void what_a_device_held_back_is_of_the_session_it_was_in_then(void **state)
{
    struct clinic *clinic = *state;
    const uint32_t sensor = clinic->sensor->id;
    uint64_t first = open_in(clinic, 1, NULL, NULL), second = open_in(clinic, 2, NULL, NULL);
    op(clinic, first, SESSION_START, NOW + 1000);
    op(clinic, second, SESSION_START, NOW + 1000);
    devices_assign(clinic->treatment.devices, clinic->sensor, 2);
    tick(clinic, NOW + 5000);
    op(clinic, second, SESSION_END, NOW + 9000);
    static const struct {
        int64_t at_ms;
        unsigned session; /* 0: none */
    } cases[] = {{999, 0}, {1000, 1}, {4999, 1}, {5000, 2}, {8999, 2}, {9000, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct session *then = sessions_then(clinic->sessions, sensor, NOW + cases[i].at_ms);
        uint64_t wanted = cases[i].session == 1 ? first : cases[i].session == 2 ? second : 0;
        assert_int_equal(then != NULL ? then->id : 0, wanted);
    }
    assert_null(sessions_then(clinic->sessions, clinic->pad->id, NOW + 1500));
    open_in(clinic, 2, NULL, NULL); /* in its place */
    assert_null(sessions_then(clinic->sessions, sensor, NOW + 6000));
}

static void a_session_moves_with_what_the_client_wears(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = open_in(clinic, 1, NULL, NULL);
    const struct session *session = sessions_find(clinic->sessions, id);
    op(clinic, id, SESSION_START, NOW);
    order(clinic, id, (struct session_order){.op = SESSION_ASSIGN, .device = clinic->sensor->id},
          NOW, NULL); /* worn: by hand */
    uint64_t ended = open_in(clinic, 3, NULL, NULL);
    op(clinic, ended, SESSION_ABORT, NOW);
    assert_int_equal(
        order(clinic, id, (struct session_order){.op = SESSION_MOVE, .room = 3}, NOW + 5, NULL), 0);
    assert_null(sessions_at(clinic->sessions, 1));
    session = sessions_at(clinic->sessions, 3);
    assert_int_equal(session->id, id);
    assert_int_equal(session->room, 3);
    assert_int_equal(session->devices[0].to_ms, 0);
    assert_int_equal(session->devices[1].device, clinic->pad->id); /* the room's */
    assert_string_equal(sessions_phase(clinic->sessions, 3), "warm_up");
}

/* ---- By device, and idle ---- */

static void a_device_opens_a_session_where_it_may(void **state)
{
    struct clinic *clinic = *state;
    tick(clinic, NOW);
    assert_null(sessions_at(clinic->sessions, 3)); /* nothing works */
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    treatment_set(clinic->sensor, ANGLE, 3, NOW); /* in a room that is not automatic */
    tick(clinic, NOW + 250);
    const struct session *session = sessions_at(clinic->sessions, 3);
    assert_int_equal(session->state, SESSION_RUNNING);
    assert_string_equal(session->therapist, "");
    assert_string_equal(session->client.name, "");
    assert_int_equal(session->plan.phase_count, 3);
    assert_int_equal(session->devices[0].device, clinic->pad->id);
    assert_null(sessions_at(clinic->sessions, 1));
}

static void no_new_one_is_opened_before_a_rest(void **state)
{
    struct clinic *clinic = *state;
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    tick(clinic, NOW);
    op(clinic, 1, SESSION_END, NOW + 1000); /* by hand, while it goes on working */
    for (int64_t at = NOW + 1250; at < NOW + 5 * MINUTE; at += 250) {
        treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, at);
        tick(clinic, at);
        assert_int_equal(sessions_at(clinic->sessions, 3)->id, 1);
    }
    treatment_set(clinic->pad, PAD_STATE, PAD_IDLE, NOW + 5 * MINUTE);
    for (int64_t at = NOW + 5 * MINUTE; at < NOW + 6 * MINUTE; at += 250)
        tick(clinic, at);
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW + 6 * MINUTE);
    tick(clinic, NOW + 6 * MINUTE);
    assert_int_equal(sessions_at(clinic->sessions, 3)->id, 2);
}

static void a_session_ends_when_nothing_works_and_nobody_does_anything(void **state)
{
    struct clinic *clinic = *state;
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    tick(clinic, NOW);
    const struct session *session = sessions_at(clinic->sessions, 3);
    tick(clinic, NOW + 14000); /* still fresh: works */
    tick(clinic, NOW + 16000);
    op(clinic, 1, SESSION_MARKER, NOW + 10 * MINUTE); /* somebody is there */
    tick(clinic, NOW + 25 * MINUTE - 1);
    assert_int_equal(session->state, SESSION_RUNNING);
    tick(clinic, NOW + 25 * MINUTE);
    assert_int_equal(session->state, SESSION_DONE);
    assert_true(session->idle);
    assert_int_equal(clinic->last_op, SESSION_END);
    assert_int_equal(session->ended_ms, NOW + 10 * MINUTE); /* when the last thing was done */
    assert_int_equal(session->devices[0].to_ms, NOW + 10 * MINUTE);
    assert_int_equal(session->phases[0].spent_ms, 10 * MINUTE);
}

static void a_night_without_power_is_no_treatment(void **state)
{
    struct clinic *clinic = *state;
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW);
    tick(clinic, NOW);
    treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, NOW + 4 * MINUTE);
    tick(clinic, NOW + 4 * MINUTE);
    devices_assign(clinic->treatment.devices, clinic->sensor, 3); /* after the last thing done */
    tick(clinic, NOW + 5 * MINUTE);
    const int64_t morning_ms = NOW + 16 * 60 * MINUTE;
    struct session kept = *sessions_at(clinic->sessions, 3);
    sessions_destroy(clinic->sessions);
    clinic->sessions = sessions_create(DEVICES, &clinic->treatment.drivers, &clinic->treatment.body,
                                       on_event, clinic);
    assert_int_equal(sessions_restore(clinic->sessions, &kept, NULL), 0);
    tick(clinic, morning_ms);
    const struct session *session = sessions_at(clinic->sessions, 3);
    assert_true(session->state == SESSION_DONE && session->idle);
    assert_int_equal(session->ended_ms, session->active_ms);
    assert_in_range(session->ended_ms, NOW + 4 * MINUTE, NOW + 5 * MINUTE);
    assert_int_equal(session->phases[0].spent_ms, session->ended_ms - NOW);
    for (uint32_t i = 0; i < session->device_count; i++)
        assert_true(session->devices[i].to_ms >= session->devices[i].from_ms);
}

static void a_planned_session_waits(void **state)
{
    struct clinic *clinic = *state;
    open_in(clinic, 1, NULL, NULL);
    tick(clinic, NOW + 24 * 60 * MINUTE);
    assert_int_equal(sessions_at(clinic->sessions, 1)->state, SESSION_PLANNED);
}

/* ---- Another configuration ---- */

static void sessions_go_with_the_names_of_their_rooms(void **state)
{
    static const char fresh_yaml[] = "rooms: [{name: c, devices: [pad/m-01]}, {name: a}]";
    struct clinic *clinic = *state;
    struct config *fresh;
    uint64_t a = open_in(clinic, 1, NULL, NULL), b = open_in(clinic, 2, NULL, NULL),
             c = open_in(clinic, 3, NULL, NULL);
    op(clinic, a, SESSION_START, NOW);
    assert_int_equal(config_parse(&fresh, "rooms", fresh_yaml, strlen(fresh_yaml), NULL), 0);
    unsigned events = clinic->events;
    sessions_adopt(clinic->sessions, clinic->config, fresh, NOW + 1000);
    assert_int_equal(clinic->events, events + 3); /* b is aborted, a and c moved */
    assert_null(sessions_find(clinic->sessions, b));
    assert_int_equal(sessions_at(clinic->sessions, 1)->id, c);
    assert_int_equal(sessions_at(clinic->sessions, 2)->id, a);
    assert_int_equal(sessions_at(clinic->sessions, 2)->room, 2);
    assert_null(sessions_at(clinic->sessions, 3));
    assert_string_equal(sessions_phase(clinic->sessions, 2), "warm_up");

    devices_assign(clinic->treatment.devices, clinic->pad, 1); /* as the hub does then */
    devices_assign(clinic->treatment.devices, clinic->sensor, ROOM_NONE);
    tick(clinic, NOW + 2000);
    const struct session *kept = sessions_at(clinic->sessions, 1);
    assert_int_equal(kept->device_count, 1); /* the pad never left */
    assert_int_equal(kept->devices[0].to_ms, 0);
    assert_int_equal(sessions_at(clinic->sessions, 2)->devices[0].to_ms, NOW + 2000);
    config_destroy(fresh);
}

/* ---- After a restart ---- */

static void a_restored_session_goes_on_as_it_was(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    order(clinic, id, (struct session_order){.op = SESSION_NOTE, .text = "a"}, NOW, NULL);
    struct session kept = *sessions_find(clinic->sessions, id);
    kept.id = 41;
    sessions_destroy(clinic->sessions);
    clinic->sessions = sessions_create(DEVICES, &clinic->treatment.drivers, &clinic->treatment.body,
                                       on_event, clinic);
    unsigned events = clinic->events;
    assert_int_equal(sessions_restore(clinic->sessions, &kept, NULL), 0);
    assert_int_equal(clinic->events, events);
    assert_int_equal(sessions_restore(clinic->sessions, &kept, NULL), ERR_CONFLICT);
    assert_string_equal(sessions_phase(clinic->sessions, 1), "warm_up");
    assert_int_equal(op(clinic, 41, SESSION_NEXT, NOW + MINUTE), 0);
    const struct session *session = sessions_at(clinic->sessions, 1);
    assert_int_equal(session->phases[0].spent_ms, MINUTE); /* the hub's absence among it */
    tick(clinic, NOW + MINUTE);
    assert_int_equal(session->device_count, 1); /* its device goes on */
    assert_int_equal(open_in(clinic, 2, NULL, NULL), 42);
}

static void what_cannot_be_a_session_is_not_restored(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    const struct session good = *sessions_find(clinic->sessions, id);
    for (int i = 0; i < 9; i++) {
        struct session bad = good;
        struct diag diag = {0};
        bad.room = 2;
        switch (i) {
        case 0:
            bad.id = 0;
            break;
        case 1:
            bad.room = CONFIG_ROOMS_MAX + 1;
            break;
        case 2:
            bad.state = SESSION_STATES;
            break;
        case 3:
            bad.phase = bad.plan.phase_count + 1;
            break;
        case 4:
            bad.device_count = SESSION_DEVICES_MAX + 1;
            break;
        case 5:
            bad.devices[0].device = DEVICES + 1;
            break;
        case 6:
            bad.pain[0] = 11;
            break;
        case 7:
            bad.note_count = SESSION_NOTES_MAX + 1;
            break;
        case 8:
            bad.plan.band_count = 1;
            bad.plan.bands[0].metric = 1000;
            break;
        }
        assert_int_equal(sessions_restore(clinic->sessions, &bad, &diag), ERR_RANGE);
        assert_null(sessions_at(clinic->sessions, 2));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_that_moves_rooms_tears_nothing),
        TEST(a_device_assigned_by_hand_stays_wherever_it_is),
        TEST(assignments_are_bounded),
        TEST(what_a_device_held_back_is_of_the_session_it_was_in_then),
        TEST(a_session_moves_with_what_the_client_wears),
        TEST(a_device_opens_a_session_where_it_may),
        TEST(no_new_one_is_opened_before_a_rest),
        TEST(a_session_ends_when_nothing_works_and_nobody_does_anything),
        TEST(a_night_without_power_is_no_treatment),
        TEST(a_planned_session_waits),
        TEST(sessions_go_with_the_names_of_their_rooms),
        TEST(a_restored_session_goes_on_as_it_was),
        TEST(what_cannot_be_a_session_is_not_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
