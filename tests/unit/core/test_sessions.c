/* Sessions: what may be done when, opening, phases and their clock, pain, notes. */
#include "session_clinic.h"

/* ---- The table ---- */

/* Where every operation leads from every state; NO: refused, and nothing has changed. */
static void every_operation_in_every_state_does_what_the_table_says(void **state)
{
    enum { NO = -1, PL = SESSION_PLANNED, RU, PA, DO, AB };
    static const struct {
        enum session_op op;
        int to[SESSION_STATES]; /* from planned, running, paused, done, aborted */
    } rows[] = {
        {SESSION_OPEN, {NO, NO, NO, NO, NO}},
        {SESSION_START, {RU, NO, NO, NO, NO}},
        {SESSION_PAUSE, {NO, PA, NO, NO, NO}},
        {SESSION_RESUME, {NO, NO, RU, NO, NO}},
        {SESSION_NEXT, {NO, RU, NO, NO, NO}},
        {SESSION_END, {NO, DO, DO, NO, NO}},
        {SESSION_ABORT, {AB, AB, AB, NO, NO}},
        {SESSION_NOTE, {PL, RU, PA, DO, AB}},
        {SESSION_MARKER, {NO, RU, PA, NO, NO}},
        {SESSION_PAIN, {PL, RU, PA, NO, NO}}, /* before; the others have a test of their own */
        {SESSION_RMDQ, {PL, RU, PA, DO, AB}},
        {SESSION_ODI, {PL, RU, PA, DO, AB}},
        {SESSION_ADVERSE, {NO, RU, PA, DO, AB}},
        {SESSION_ASSIGN, {PL, RU, PA, NO, NO}},
        {SESSION_UNASSIGN, {PL, RU, PA, NO, NO}},
        {SESSION_MOVE, {PL, RU, PA, NO, NO}},
        {SESSION_NAME, {PL, RU, PA, DO, AB}},
        {SESSION_LEARN, {NO, NO, NO, NO, NO}}, /* sessions_learn() */
    };
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), SESSION_OPS);
    for (size_t i = 0; i < SESSION_OPS; i++)
        for (int from = PL; from <= AB; from++) {
            struct diag diag = {0};
            close_clinic(state);
            open_clinic(state);
            struct clinic *clinic = *state;
            uint64_t id = session_in(clinic, (enum session_state)from);
            if (rows[i].op == SESSION_UNASSIGN && from <= PA) /* one there is to take away */
                order(clinic, id, (struct session_order){.op = SESSION_ASSIGN, .device = 2}, NOW,
                      NULL);
            unsigned events = clinic->events;
            int code =
                order(clinic, id,
                      (struct session_order){
                          .op = rows[i].op, .text = "words", .number = 3, .device = 2, .room = 2},
                      NOW + 1, &diag);
            const struct session *session = sessions_find(clinic->sessions, id);
            int to = rows[i].to[from - PL];
            if ((code == 0) != (to != NO) || (int)session->state != (to != NO ? to : from))
                fail_msg("%s from %s: %d, %s", session_op_name(rows[i].op),
                         session_state_name((enum session_state)from), code,
                         session_state_name(session->state));
            if (to == NO) {
                assert_int_equal(clinic->events, events);
                assert_non_null(strstr(diag.text, session_state_name(session->state)) != NULL
                                    ? "named"
                                    : strstr(diag.text, "over"));
            } else {
                assert_true(clinic->events > events && clinic->last_op == rows[i].op);
            }
        }
}

static void a_refusal_says_why(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = session_in(clinic, SESSION_DONE);
    struct diag diag = {0};
    order(clinic, id, (struct session_order){.op = SESSION_PAUSE}, NOW, &diag);
    assert_string_equal(diag.text, "session 1 is done and cannot be paused");
    diag = (struct diag){0};
    assert_int_equal(order(clinic, 99, (struct session_order){.op = SESSION_PAUSE}, NOW, &diag),
                     ERR_UNKNOWN);
    assert_string_equal(diag.text, "there is no session 99 in any room");
}

static void what_cannot_be_taken_changes_nothing(void **state)
{
    static const struct {
        struct session_order order;
        int code;
        const char *sentence;
    } rows[] = {
        {{.op = SESSION_ABORT, .text = ""}, ERR_SYNTAX, "the reason of an abort is needed"},
        {{.op = SESSION_ABORT, .text = NULL}, ERR_SYNTAX, "is needed"},
        {{.op = SESSION_NOTE, .text = ""}, ERR_SYNTAX, "the text of a note is needed"},
        {{.op = SESSION_ADVERSE, .text = ""}, ERR_SYNTAX, "what happened is needed"},
        {{.op = SESSION_PAIN, .number = 11}, ERR_RANGE, "pain is 0..10, not 11"},
        {{.op = SESSION_PAIN, .number = -1}, ERR_RANGE, "pain is 0..10, not -1"},
        {{.op = SESSION_RMDQ, .number = 25}, ERR_RANGE, "RMDQ is 0..24, not 25"},
        {{.op = SESSION_ODI, .number = 101}, ERR_RANGE, "ODI is 0..100, not 101"},
        {{.op = SESSION_ASSIGN, .device = 0}, ERR_UNKNOWN, "there is no such device"},
        {{.op = SESSION_ASSIGN, .device = 3}, ERR_UNKNOWN, "there is no such device"},
        {{.op = SESSION_UNASSIGN, .device = 2}, ERR_CONFLICT, "m-01 is not in this session"},
        {{.op = SESSION_UNASSIGN, .device = 1}, ERR_CONFLICT, "p-01 is in this room by the"},
        {{.op = SESSION_MOVE, .room = 0}, ERR_UNKNOWN, "there is no such room"},
        {{.op = SESSION_MOVE, .room = CONFIG_ROOMS_MAX + 1}, ERR_UNKNOWN, "no such room"},
        {{.op = SESSION_MOVE, .room = 1}, ERR_CONFLICT, "that room has session 1"},
    };
    struct clinic *clinic = *state;
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    struct session before = *sessions_find(clinic->sessions, id);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag diag = {0};
        int code = order(clinic, id, rows[i].order, NOW + 5, &diag);
        if (code != rows[i].code || strstr(diag.text, rows[i].sentence) == NULL)
            fail_msg("row %zu: %d, %s", i, code, diag.text);
        assert_memory_equal(sessions_find(clinic->sessions, id), &before, sizeof(before));
    }
}

/* ---- Opening ---- */

static void a_room_has_one_session_and_a_client_too(void **state)
{
    struct clinic *clinic = *state;
    struct client client = {.name = "kiefer-7"};
    struct diag diag = {0};
    uint64_t id = open_in(clinic, 1, &client, NULL);
    assert_int_equal(id, 1);
    assert_int_equal(open_in(clinic, 1, NULL, &diag), 0);
    assert_string_equal(diag.text, "the room has session 1, which is planned: end it first");
    diag = (struct diag){0};
    assert_int_equal(open_in(clinic, 2, &client, &diag), 0);
    assert_string_equal(diag.text, "client 'kiefer-7' is in session 1, which is planned");
    op(clinic, id, SESSION_ABORT, NOW);
    assert_int_equal(open_in(clinic, 2, &client, NULL), 2); /* no number is given twice */
    assert_int_equal(open_in(clinic, 1, NULL, NULL), 3);    /* ended: its place is free */
    assert_null(sessions_find(clinic->sessions, 1));
}

static void what_cannot_be_opened_is_said(void **state)
{
    struct clinic *clinic = *state;
    struct plan tailored = clinic->plan;
    strcpy(tailored.client, "linde-2");
    const struct client other = {.name = "kiefer-7"};
    const struct {
        struct session_opening opening;
        const char *sentence;
    } rows[] = {
        {{.room = 0, .therapist = ""}, "there is no such room"},
        {{.room = CONFIG_ROOMS_MAX + 1, .therapist = ""}, "there is no such room"},
        {{.room = 1, .therapist = "Frau Doktor"}, "initials of up to 8 bytes"},
        {{.room = 1, .therapist = "", .plan = &tailored}, "was tailored to client 'linde-2'"},
        {{.room = 1, .therapist = "", .plan = &tailored, .client = &other}, "to client 'linde-2'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag diag = {0};
        assert_int_equal(sessions_open(clinic->sessions, &rows[i].opening,
                                       clinic->treatment.devices, NOW, &diag),
                         0);
        if (strstr(diag.text, rows[i].sentence) == NULL)
            fail_msg("row %zu: %s", i, diag.text);
    }
    assert_int_equal(clinic->events, 0);
}

/* ---- Phases ---- */

static void a_phase_has_its_time_without_pauses(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = open_in(clinic, 1, NULL, NULL);
    const struct session *session = sessions_find(clinic->sessions, id);
    assert_int_equal(session_left_ms(session, NOW), 0); /* not begun: no phase */
    op(clinic, id, SESSION_START, NOW);
    assert_int_equal(session_left_ms(session, NOW), 5 * MINUTE);
    assert_int_equal(session_left_ms(session, NOW + MINUTE), 4 * MINUTE);
    op(clinic, id, SESSION_PAUSE, NOW + MINUTE);
    assert_int_equal(session_left_ms(session, NOW + 9 * MINUTE), 4 * MINUTE);
    op(clinic, id, SESSION_RESUME, NOW + 9 * MINUTE);
    assert_int_equal(session_left_ms(session, NOW + 12 * MINUTE), 1 * MINUTE);
    assert_int_equal(session_left_ms(session, NOW + 14 * MINUTE), -1 * MINUTE); /* over it */
    op(clinic, id, SESSION_NEXT, NOW + 14 * MINUTE);
    assert_int_equal(session->phases[0].spent_ms, 6 * MINUTE);
    assert_int_equal(session->phases[0].ended_ms, NOW + 14 * MINUTE);
    assert_int_equal(session->phase, 1);
    assert_int_equal(session_left_ms(session, NOW + 15 * MINUTE), 9 * MINUTE);
    op(clinic, id, SESSION_NEXT, NOW + 20 * MINUTE);
    op(clinic, id, SESSION_NEXT, NOW + 21 * MINUTE); /* the last one ends the session */
    assert_int_equal(session->state, SESSION_DONE);
    assert_int_equal(session->phases[2].spent_ms, 1 * MINUTE);
    assert_int_equal(session->ended_ms, NOW + 21 * MINUTE);
}

static void an_end_in_a_pause_counts_the_pause_for_nothing(void **state)
{
    struct clinic *clinic = *state;
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    op(clinic, id, SESSION_PAUSE, NOW + MINUTE);
    op(clinic, id, SESSION_END, NOW + 60 * MINUTE);
    assert_int_equal(sessions_find(clinic->sessions, id)->phases[0].spent_ms, MINUTE);
}

static void a_session_without_a_plan_has_no_phases(void **state)
{
    struct clinic *clinic = *state;
    struct session_opening opening = {.room = 2, .therapist = "AB"};
    struct diag diag = {0};
    uint64_t id = sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, NULL);
    op(clinic, id, SESSION_START, NOW);
    assert_null(sessions_phase(clinic->sessions, 2));
    assert_int_equal(order(clinic, id, (struct session_order){.op = SESSION_NEXT}, NOW, &diag),
                     ERR_CONFLICT);
    assert_string_equal(diag.text, "the session has no phases");
    assert_int_equal(op(clinic, id, SESSION_END, NOW), 0);
}

static void rules_are_told_the_phase_of_a_running_session_only(void **state)
{
    struct clinic *clinic = *state;
    assert_null(sessions_phase(clinic->sessions, 1));
    assert_null(sessions_phase(clinic->sessions, 0));
    assert_null(sessions_phase(clinic->sessions, CONFIG_ROOMS_MAX + 1));
    uint64_t id = open_in(clinic, 1, NULL, NULL);
    assert_null(sessions_phase(clinic->sessions, 1));
    op(clinic, id, SESSION_START, NOW);
    assert_string_equal(sessions_phase(clinic->sessions, 1), "warm_up");
    op(clinic, id, SESSION_NEXT, NOW);
    assert_string_equal(sessions_phase(clinic->sessions, 1), "massage");
    op(clinic, id, SESSION_PAUSE, NOW);
    assert_null(sessions_phase(clinic->sessions, 1));
}

/* ---- Pain ---- */

static void pain_is_asked_when_it_makes_sense_and_two_more_stop(void **state)
{
    struct clinic *clinic = *state;
    struct diag diag = {0};
    uint64_t id = open_in(clinic, 1, NULL, NULL);
    const struct session *session = sessions_find(clinic->sessions, id);
    const struct session_order before = {.op = SESSION_PAIN, .number = 5};
    struct session_order during = {.op = SESSION_PAIN, .number = 6, .moment = SESSION_DURING};
    const struct session_order after = {.op = SESSION_PAIN, .number = 0, .moment = SESSION_AFTER};
    assert_int_equal(order(clinic, id, during, NOW, NULL), ERR_CONFLICT); /* not begun */
    assert_int_equal(order(clinic, id, after, NOW, &diag), ERR_CONFLICT);
    assert_string_equal(diag.text, "the session has not begun");
    op(clinic, id, SESSION_START, NOW);
    assert_int_equal(order(clinic, id, during, NOW, NULL), 0);
    assert_false(session->ask_to_stop); /* there is nothing to compare with */
    assert_int_equal(order(clinic, id, before, NOW, NULL), 0);
    assert_false(session->ask_to_stop); /* 6 after 5 */
    during.number = 7;
    assert_int_equal(order(clinic, id, during, NOW, NULL), 0);
    assert_true(session->ask_to_stop);
    during.number = 6;
    assert_int_equal(order(clinic, id, during, NOW, NULL), 0);
    assert_false(session->ask_to_stop);
    op(clinic, id, SESSION_END, NOW);
    assert_int_equal(order(clinic, id, before, NOW, NULL), ERR_CONFLICT);
    assert_int_equal(order(clinic, id, during, NOW, NULL), ERR_CONFLICT);
    assert_int_equal(order(clinic, id, after, NOW, NULL), 0);
    assert_int_equal(session->pain[SESSION_AFTER], 0); /* no pain is a value */
    assert_int_equal(session->pain[SESSION_BEFORE], 5);
}

/* ---- Notes ---- */

static void notes_are_bounded_and_none_is_cut(void **state)
{
    struct clinic *clinic = *state;
    struct diag diag = {0};
    uint64_t id = session_in(clinic, SESSION_RUNNING);
    char longest[SESSION_NOTE_BYTES + 1];
    memset(longest, 'x', sizeof(longest));
    longest[SESSION_NOTE_BYTES] = '\0';
    assert_int_equal(
        order(clinic, id, (struct session_order){.op = SESSION_NOTE, .text = longest}, NOW, &diag),
        ERR_RANGE);
    assert_non_null(strstr(diag.text, "has 201 bytes; up to 200 can be kept"));
    longest[SESSION_NOTE_BYTES - 1] = '\0';
    for (int i = 0; i < SESSION_NOTES_MAX; i++)
        assert_int_equal(order(clinic, id,
                               (struct session_order){.op = i % 2 ? SESSION_NOTE : SESSION_MARKER,
                                                      .text = i % 2 ? longest : NULL},
                               NOW + i, NULL),
                         0);
    const struct session *session = sessions_find(clinic->sessions, id);
    assert_true(session->notes[62].marker && !session->notes[63].marker);
    assert_string_equal(session->notes[63].text, longest);
    assert_int_equal(session->notes[63].at_ms, NOW + 63);
    assert_int_equal(op(clinic, id, SESSION_MARKER, NOW), ERR_FULL);
    struct sessions_held held;
    sessions_held(clinic->sessions, &held);
    assert_int_equal(held.notes, SESSION_NOTES_MAX);
    assert_int_equal(held.notes_refused, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)

static void one_that_a_device_opened_comes_to_be_somebodys(void **state)
{
    struct clinic *clinic = *state;
    struct client client = {.name = "kiefer-7"}, other = {.name = "buche-2"};
    struct diag diag = {0};
    uint64_t id = open_in(clinic, 1, NULL, NULL), second = open_in(clinic, 2, &other, NULL);
    const struct session *session = sessions_find(clinic->sessions, id);
    assert_int_equal(
        order(clinic, id, (struct session_order){.op = SESSION_NAME, .client = &other}, NOW, &diag),
        ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "client 'buche-2' is in session"));
    diag = (struct diag){0};
    struct session_order name = {.op = SESSION_NAME, .text = "too long a name", .client = &client};
    assert_int_equal(order(clinic, id, name, NOW, &diag), ERR_RANGE);
    assert_string_equal(session->client.name, ""); /* whole or not at all */
    name.text = "CD";
    assert_int_equal(order(clinic, id, name, NOW, NULL), 0);
    assert_string_equal(session->client.name, "kiefer-7");
    assert_string_equal(session->therapist, "CD");
    name.text = "";
    assert_int_equal(order(clinic, id, name, NOW, NULL), 0);
    assert_string_equal(session->therapist, "CD");
    /* It stays the one's whose it is; the other's may be named when both are over. */
    op(clinic, second, SESSION_ABORT, NOW);
    diag = (struct diag){0};
    name.client = &other;
    assert_int_equal(order(clinic, id, name, NOW, &diag), ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "is that of client 'kiefer-7'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operation_in_every_state_does_what_the_table_says),
        TEST(a_refusal_says_why),
        TEST(what_cannot_be_taken_changes_nothing),
        TEST(a_room_has_one_session_and_a_client_too),
        TEST(what_cannot_be_opened_is_said),
        TEST(a_phase_has_its_time_without_pauses),
        TEST(an_end_in_a_pause_counts_the_pause_for_nothing),
        TEST(a_session_without_a_plan_has_no_phases),
        TEST(rules_are_told_the_phase_of_a_running_session_only),
        TEST(pain_is_asked_when_it_makes_sense_and_two_more_stop),
        TEST(notes_are_bounded_and_none_is_cut),
        TEST(one_that_a_device_opened_comes_to_be_somebodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
