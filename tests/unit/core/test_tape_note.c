/* Notes on a tape: what is written is read to the same, and nothing that is read is believed. */
#include "session_clinic.h"

#include "core/tape_note.h"

#define NAME_40 "0123456789012345678901234567890123456789"

static const char limits_text[] =
    "{name: own, limits: [{metric: temperature, above: 43 Cel}],"
    " phases: [{kind: heat, time: 5 min, limits: [{metric: temperature, above: 41.5 Cel},"
    "   {metric: angle, outside: [-10 deg, 45 deg]}]}, {kind: rest, time: 1 min}]}";
static const char client_text[] = "{name: A-17, own: [{metric: angle, low: -12 deg, high: 50 deg,"
                                  " measured: 2023-11-01}]}";

static struct tape_message message_of(const char *topic, const char *payload)
{
    return (struct tape_message){.topic = topic,
                                 .topic_bytes = strlen(topic),
                                 .payload = (const uint8_t *)payload,
                                 .payload_bytes = strlen(payload)};
}

static bool read_session(const struct clinic *clinic, uint32_t room, struct note_session *note)
{
    static char bytes[NOTE_BYTES];
    struct text text = text_in(bytes, sizeof(bytes));
    note_write_session(&text, clinic->sessions, room, &clinic->treatment.drivers);
    assert_false(text.cut);
    struct tape_message message = message_of(NOTE_SESSION, bytes);
    assert_true(note_is(&message, NULL) && note_is(&message, NOTE_SESSION));
    assert_false(note_is(&message, NOTE_NEUTRAL));
    return note_read_session(note, &message, &clinic->treatment.drivers);
}

static void expect_ends(const struct clinic *clinic, const struct note_ends *list, uint32_t count,
                        const char *metric, double low, double high)
{
    double ends[2];
    assert_true(
        note_find(list, count, treatment_metric(&clinic->treatment, metric), &ends[0], &ends[1]));
    assert_true(isnan(low) ? isnan(ends[0]) : ends[0] == low);
    assert_true(isnan(high) ? isnan(ends[1]) : ends[1] == high);
}

static void a_session_is_what_rules_ask_for(void **state)
{
    struct clinic *clinic = *state;
    struct note_session note;
    struct client client;
    struct diag diag = {0};
    assert_int_equal(plan_parse(&clinic->plan, "plan", limits_text, strlen(limits_text),
                                &clinic->treatment.drivers, &clinic->treatment.body, &diag),
                     0);
    assert_int_equal(client_parse(&client, "client", client_text, strlen(client_text),
                                  &clinic->treatment.drivers, &clinic->treatment.body, &diag),
                     0);
    struct session_opening opening = {.room = 1,
                                      .therapist = "AB",
                                      .client = &client,
                                      .plan = &clinic->plan,
                                      .own_age_ms = 90 * 24 * 60 * MINUTE};
    uint64_t id = sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, &diag);
    assert_int_equal(op(clinic, id, SESSION_START, NOW + 1000), 0);
    assert_true(read_session(clinic, 1, &note));
    assert_int_equal(note.session.id, id);
    assert_int_equal(note.session.began_ms, NOW + 1000);
    assert_int_equal(note.session.phase, 0);
    assert_int_equal(note.session.phase_ms, NOW + 1000);
    assert_true(note.running);
    assert_string_equal(note.phase, "heat");
    assert_int_equal(note.limit_count, 2);
    expect_ends(clinic, note.limits, note.limit_count, "temperature", NAN, 41.5);
    expect_ends(clinic, note.limits, note.limit_count, "angle", -10, 45);
    assert_int_equal(note.own_count, 1);
    expect_ends(clinic, note.own, note.own_count, "angle", -12, 50);
    double ends[2];
    assert_false(note_find(note.limits, note.limit_count, 999, &ends[0], &ends[1]));

    assert_int_equal(op(clinic, id, SESSION_NEXT, NOW + 2000), 0);
    assert_true(read_session(clinic, 1, &note));
    assert_string_equal(note.phase, "rest");
    assert_int_equal(note.session.phase_ms, NOW + 2000);
    expect_ends(clinic, note.limits, note.limit_count, "temperature", NAN, 43);
    assert_int_equal(note.limit_count, 1);

    assert_int_equal(op(clinic, id, SESSION_PAUSE, NOW + 3000), 0);
    assert_true(read_session(clinic, 1, &note));
    assert_false(note.running);
    assert_int_equal(note.limit_count, 0);
    assert_int_equal(note.session.id, id);
    assert_false(read_session(clinic, 2, &note)); /* a room in which there was none */
}

static void a_zero_is_of_a_device(void **state)
{
    struct clinic *clinic = *state;
    char bytes[NOTE_BYTES], name[DEVICE_NAME_BYTES];
    struct text text = text_in(bytes, sizeof(bytes));
    const struct driver *driver = NULL;
    struct neutral_zero out, zero = {.taken_ms = NOW,
                                     .expires_ms = NOW + MINUTE,
                                     .count = 2,
                                     .angles = {{ANGLE, 12.25}, {ROTATION, -3.5}}};
    note_write_neutral(&text, clinic->sensor, &zero);
    struct tape_message message = message_of(NOTE_NEUTRAL, bytes);
    assert_true(note_read_neutral(&out, &message, &clinic->treatment.drivers, &driver, name));
    assert_ptr_equal(driver, clinic->sensor->driver);
    assert_string_equal(name, "p-01");
    assert_int_equal(out.taken_ms, NOW);
    assert_int_equal(out.expires_ms, NOW + MINUTE);
    assert_int_equal(out.count, 2);
    assert_true(out.angles[0].metric == ANGLE && out.angles[0].deg == 12.25);
    assert_true(out.angles[1].metric == ROTATION && out.angles[1].deg == -3.5);
    zero = (struct neutral_zero){.taken_ms = 0}; /* it has ended */
    text = text_in(bytes, sizeof(bytes));
    note_write_neutral(&text, clinic->sensor, &zero);
    message = message_of(NOTE_NEUTRAL, bytes);
    assert_true(note_read_neutral(&out, &message, &clinic->treatment.drivers, &driver, name));
    assert_int_equal(out.taken_ms, 0);
}

static void an_account_comes_in_pieces(void **state)
{
    static const char account[] = "{\"session\": [1, 2]}";
    (void)state;
    char bytes[NOTE_PIECE + 64];
    for (unsigned part = 0; part < 2; part++) {
        struct text text = text_in(bytes, sizeof(bytes));
        const struct note_account piece = {12, part, 2, account + 8 * part, 8};
        note_write_account(&text, &piece);
        assert_false(text.cut);
        struct tape_message message = message_of(NOTE_ACCOUNT, bytes);
        struct note_account out;
        assert_true(note_is(&message, NOTE_ACCOUNT) && note_read_account(&out, &message));
        assert_true(out.session == 12 && out.part == part && out.parts == 2);
        assert_true(out.bytes == 8 && memcmp(out.text, piece.text, 8) == 0);
    }
    static const char *const wrong[] = {"",        "{}",          "12 0 1",  "12 1 1\n", "12 0 0\n",
                                        "0 0 1\n", "12 0 1000\n", "x 0 1\n", "12 0\n"};
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct tape_message message = message_of(NOTE_ACCOUNT, wrong[i]);
        struct note_account out;
        assert_false(note_read_account(&out, &message));
    }
}

static void nothing_is_believed(void **state)
{
    struct clinic *clinic = *state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "1",
        "{}",
        "{\"session\": \"x\"}",
        "{\"session\": 0}",
        "{\"session\": -1}",
        "{\"device\": 1}",
        "{\"device\": \"\"}",
        "{\"device\": \"sensor\"}",
        "{\"device\": \"sensor/\"}",
        "{\"device\": \"scale/s-01\"}",
        "{\"device\": \"sensor/a b\"}",
        "{\"device\": \"sensor/" NAME_40 NAME_40 "\"}",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct note_session session;
        struct neutral_zero zero;
        const struct driver *driver;
        char name[DEVICE_NAME_BYTES];
        struct tape_message message = message_of(NOTE_SESSION, texts[i]);
        assert_false(note_read_session(&session, &message, &clinic->treatment.drivers));
        assert_false(note_read_neutral(&zero, &message, &clinic->treatment.drivers, &driver, name));
    }
    struct note_session session;
    struct tape_message message = message_of(
        NOTE_SESSION, "{\"session\": 5, \"kind\": \"dance\", \"limits\": {\"no\": [1, 2],"
                      " \"angle\": 3}, \"own\": []}");
    assert_true(note_read_session(&session, &message, &clinic->treatment.drivers));
    assert_string_equal(session.phase, "");
    assert_int_equal(session.limit_count + session.own_count, 0);
    message = message_of("lumbar/v1/sensor/p-01/telemetry", "");
    assert_false(note_is(&message, NULL));
    message.topic_bytes = 0;
    assert_false(note_is(&message, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_is_what_rules_ask_for, open_clinic, close_clinic),
        cmocka_unit_test_setup_teardown(a_zero_is_of_a_device, open_clinic, close_clinic),
        cmocka_unit_test(an_account_comes_in_pieces),
        cmocka_unit_test_setup_teardown(nothing_is_believed, open_clinic, close_clinic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
