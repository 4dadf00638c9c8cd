/* Frames: what is kept from whom. Two rooms; a treatment, values, an alarm and a pause in each. */
#include "ward.h"

static const char plan_text[] = "{name: p, title: Back, phases: [{kind: rest, time: 1 min}]}";

static uint64_t open_session(struct ward *ward, uint32_t room, const char *name)
{
    struct plan plan;
    struct diag diag = {0};
    struct client client = {0};
    snprintf(client.name, sizeof(client.name), "%s", name);
    assert_int_equal(
        plan_parse(&plan, "plan", plan_text, strlen(plan_text), &ward->drivers, &ward->body, &diag),
        0);
    struct session_opening opening = {
        .room = room, .therapist = "AB", .client = &client, .plan = &plan};
    uint64_t id = sessions_open(ward->sessions, &opening, ward->devices, NOW, NULL);
    struct session_order pain = {.op = SESSION_PAIN, .number = 7};
    assert_int_equal(sessions_do(ward->sessions, id, &pain, ward->devices, NOW, NULL), 0);
    return id;
}

static int open_ward(void **state)
{
    struct ward *ward = calloc(1, sizeof(*ward));
    *state = ward;
    ward_init(ward, 65536, 8);
    open_session(ward, 1, "kiefer-7");
    open_session(ward, 2, "birke-9");
    for (uint32_t id = 1; id <= 3; id++) {
        ward_say(ward, id, 0, 1, (const double[]){50}, NOW);
        ward_alarm(ward, "bent", id, true, 50, NOW);
    }
    for (uint32_t room = 1; room <= 2; room++)
        pauses_begin(&ward->pauses, room, PAUSE_AUDIO, NOW, NOW + 60000, "Ana");
    return 0;
}

static int close_ward(void **state)
{
    ward_fini(*state);
    free(*state);
    return 0;
}

static struct frame_cursor client_of(struct ward *ward, enum access_sight sight, uint32_t room)
{
    struct frame_cursor cursor = {0};
    struct frame_veil veil = {.sight = sight};
    if (room != 0)
        access_add_room(&veil.rooms, room);
    frame_set_veil(&cursor, &veil);
    ward_watch(ward, &cursor, (struct wish){.room = 0}, NOW);
    return cursor;
}

/* What one client was given in all: counts, and whether anything of a room was among it. */
struct given {
    size_t rooms, devices, alarms, sessions, latest, pauses, calibrations;
    bool pain, names[4]; /* devices by id */
    bool birch, pine;
};

static void take(struct given *given, const Frame *frame)
{
    given->rooms += frame->hello != NULL ? frame->hello->n_rooms : 0;
    given->devices += frame->n_devices;
    given->alarms += frame->n_alarms;
    given->latest += frame->n_latest;
    given->calibrations += frame->n_calibrations;
    given->pauses += frame->pauses != NULL ? frame->pauses->n_pauses : 0;
    for (size_t i = 0; i < frame->n_devices; i++)
        given->names[frame->devices[i]->id] = true;
    for (size_t i = 0; i < frame->n_sessions; i++) {
        given->sessions++;
        given->pain |= frame->sessions[i]->has_pain_before;
        given->pine |= strcmp(frame->sessions[i]->client, "kiefer-7") == 0;
        given->birch |= strcmp(frame->sessions[i]->client, "birke-9") == 0;
    }
}

static struct given all_of(struct ward *ward, struct frame_cursor *cursor)
{
    struct given given = {0};
    for (Frame *frame; (frame = ward_next(ward, cursor, NOW)) != NULL;) {
        take(&given, frame);
        ward_free(frame);
    }
    return given;
}

static void nothing_is_kept_from_who_may_see_all(void **state)
{
    struct frame_cursor cursor = client_of(*state, SIGHT_CARE, 0);
    struct given given = all_of(*state, &cursor);
    assert_int_equal(given.rooms, 2);
    assert_int_equal(given.devices, 3);
    assert_int_equal(given.alarms, 3);
    assert_int_equal(given.sessions, 2);
    assert_int_equal(given.latest, 3);
    assert_int_equal(given.pauses, 2);
    assert_true(given.pain && given.pine && given.birch);
}

static void of_a_room_that_is_not_theirs_nothing_is_told(void **state)
{
    struct frame_cursor cursor = client_of(*state, SIGHT_CARE, 2);
    struct given given = all_of(*state, &cursor);
    assert_int_equal(given.rooms, 1);
    assert_int_equal(given.devices, 1);
    assert_true(given.names[3]);
    assert_int_equal(given.alarms, 1);
    assert_int_equal(given.sessions, 1);
    assert_true(given.birch && !given.pine);
    assert_int_equal(given.latest, 1);
    assert_int_equal(given.pauses, 1);
}

static void news_of_other_rooms_are_not_told_either(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, SIGHT_CARE, 2);
    all_of(ward, &cursor);
    ward_say(ward, 1, 0, 1, (const double[]){60}, NOW);
    ward_alarm(ward, "bent", 1, false, 20, NOW);
    devices_touch(ward->devices, devices_at(ward->devices, 1));
    struct given given = all_of(ward, &cursor);
    assert_int_equal(given.devices + given.alarms + given.latest + given.sessions, 0);
}

static void a_wall_sees_pseudonyms_and_nothing_that_was_said(void **state)
{
    struct frame_cursor cursor = client_of(*state, SIGHT_WALL, 0);
    struct given given = all_of(*state, &cursor);
    assert_true(given.pine && given.birch && !given.pain);
    assert_int_equal(given.latest, 3);
    assert_int_equal(given.alarms, 3);
    assert_int_equal(given.calibrations, 0);
}

static void who_looks_after_devices_sees_no_clients(void **state)
{
    struct frame_cursor cursor = client_of(*state, SIGHT_DEVICES, 0);
    struct given given = all_of(*state, &cursor);
    assert_int_equal(given.devices, 3);
    assert_int_equal(given.sessions, 0);
    assert_int_equal(given.alarms, 0); /* none of them is technical */
    assert_int_equal(given.latest, 0); /* nor is any value of the device's health */
}

static void frames_are_not_shared_across_a_veil(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor lead = client_of(ward, SIGHT_CARE, 0);
    struct frame_cursor other = client_of(ward, SIGHT_CARE, 1),
                        same = client_of(ward, SIGHT_CARE, 1);
    all_of(ward, &lead);
    uint64_t made = frame_made(ward->frame);
    assert_true(all_of(ward, &other).pine);
    assert_true(frame_made(ward->frame) > made);
    made = frame_made(ward->frame);
    assert_false(all_of(ward, &same).birch);
    assert_int_equal(frame_made(ward->frame), made); /* but by those who see the same */
}

static void a_veil_that_changes_brings_everything_anew(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, SIGHT_CARE, 1);
    all_of(ward, &cursor);
    frame_set_veil(&cursor, &(struct frame_veil){.sight = SIGHT_CARE});
    struct given given = all_of(ward, &cursor);
    assert_int_equal(given.rooms, 2);
    assert_true(given.pine && given.birch);
    frame_set_veil(&cursor, &(struct frame_veil){.sight = SIGHT_CARE});
    assert_null(ward_next(ward, &cursor, NOW)); /* it is the same */
}

/* The number of broken glass in what is next for a client; 0: it is told nothing of it. */
static uint64_t glass_of(struct ward *ward, struct frame_cursor *cursor)
{
    uint64_t glass = 0;
    for (Frame *frame; (frame = ward_next(ward, cursor, NOW)) != NULL; ward_free(frame))
        if (frame->has_glass)
            glass = frame->glass;
    return glass;
}

static void broken_glass_is_told_to_leads_only_and_once(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor lead = client_of(ward, SIGHT_CARE, 0), late = lead,
                        other = client_of(ward, SIGHT_CARE, 0);
    frame_set_veil(&lead, &(struct frame_veil){.sight = SIGHT_CARE, .glass = true});
    frame_set_veil(&late, &(struct frame_veil){.sight = SIGHT_CARE, .glass = true});
    uint64_t first = glass_of(ward, &lead);
    assert_true(first != 0); /* whoever comes looks at what there is */
    assert_int_equal(glass_of(ward, &other), 0);
    assert_false(frame_due(ward->frame, &lead));
    frame_glass_changed(ward->frame);
    assert_true(frame_due(ward->frame, &lead));
    assert_false(frame_due(ward->frame, &other));
    uint64_t second = glass_of(ward, &lead);
    assert_true(second != 0 && second != first);
    assert_int_equal(glass_of(ward, &late), second); /* not the frame of before */
    assert_false(frame_due(ward->frame, &lead));
    assert_int_equal(glass_of(ward, &other), 0);
}

static void a_room_that_is_not_theirs_has_no_strips(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, SIGHT_CARE, 2);
    ward_watch(ward, &cursor, (struct wish){.room = 1, .backlog_s = 300}, NOW);
    uint8_t *bytes;
    size_t count = frame_next(ward->frame, &cursor, NOW, &bytes);
    Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    assert_non_null(frame);
    assert_int_equal(frame->n_points + frame->n_latest, 0);
    ward_free(frame);
}

/* Who sees only the room that it left is told by a hello, and then of nothing there. */
static void a_treatment_that_moves_away_is_gone(void **state)
{
    struct ward *ward = *state;
    struct session_order end = {.op = SESSION_ABORT, .text = "no"};
    struct session_order move = {.op = SESSION_MOVE, .room = 2};
    struct frame_cursor left = client_of(ward, SIGHT_CARE, 1),
                        lead = client_of(ward, SIGHT_CARE, 0);
    assert_true(all_of(ward, &left).pine);
    all_of(ward, &lead);
    assert_int_equal(sessions_do(ward->sessions, 2, &end, ward->devices, NOW, NULL), 0);
    assert_int_equal(sessions_do(ward->sessions, 1, &move, ward->devices, NOW, NULL), 0);
    frame_session_moved(ward->frame);
    struct given given = all_of(ward, &left);
    assert_int_equal(given.rooms, 1);
    assert_int_equal(given.sessions, 0);
    given = all_of(ward, &lead);
    assert_int_equal(given.rooms, 0);
    assert_true(given.pine);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ward, close_ward)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_kept_from_who_may_see_all),
        TEST(of_a_room_that_is_not_theirs_nothing_is_told),
        TEST(news_of_other_rooms_are_not_told_either),
        TEST(a_wall_sees_pseudonyms_and_nothing_that_was_said),
        TEST(who_looks_after_devices_sees_no_clients),
        TEST(frames_are_not_shared_across_a_veil),
        TEST(a_veil_that_changes_brings_everything_anew),
        TEST(broken_glass_is_told_to_leads_only_and_once),
        TEST(a_room_that_is_not_theirs_has_no_strips),
        TEST(a_treatment_that_moves_away_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
