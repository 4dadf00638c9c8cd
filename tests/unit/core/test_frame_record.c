/*
 * Recorded frames: tests/frames/<name>.bin as the hub sends it, <name>.json what it means. The
 * page's tests read the same files, so hub and page cannot drift apart unseen.
 *
 * A change of the wire, or of the version in the hello, fails here. If it is meant, run this test
 * with LUMBAR_RECORD=1 and commit what it wrote.
 */
#include "frame_json.h"

#define JSON_BYTES (64 * 1024)

/* ---- Files ---- */

static const char *file_of(const char *name, const char *suffix)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/tests/frames/%s.%s", SOURCE_FOLDER, name, suffix);
    return path;
}

/* Writes it when recording; else it must be what was recorded. */
static void hold(const char *path, const void *bytes, size_t count)
{
    static char recorded[JSON_BYTES];
    bool record = getenv("LUMBAR_RECORD") != NULL;
    FILE *file = fopen(path, record ? "wb" : "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    size_t had = record ? fwrite(bytes, 1, count, file) : fread(recorded, 1, JSON_BYTES, file);
    fclose(file);
    if (had != count || (!record && memcmp(recorded, bytes, count) != 0))
        fail_msg("%s is not what the hub sends now (see the head of this file)", path);
}

static void record(const struct ward *ward, const char *name, const uint8_t *bytes, size_t count)
{
    static char meaning[JSON_BYTES];
    struct json json = {text_in(meaning, sizeof(meaning)), &ward->drivers};
    Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    assert_non_null(frame);
    frame_json_put(&json, frame);
    assert_false(json.text.cut);
    ward_free(frame);
    hold(file_of(name, "bin"), bytes, count);
    hold(file_of(name, "json"), meaning, json.text.length);
}

static void record_next(struct ward *ward, const char *name, struct frame_cursor *cursor,
                        int64_t now_ms)
{
    uint8_t *bytes;
    size_t count = frame_next(ward->frame, cursor, now_ms, &bytes);
    assert_true(count > 0);
    record(ward, name, bytes, count);
}

/* ---- What is recorded ---- */

static void say_rows(struct ward *ward, uint32_t device, int64_t now_ms)
{
    const int64_t fast[] = {-160, -120, -80, -40, 0}, slow[] = {-500};
    const double angle[] = {-40, 0, NAN, 12.3, 100}, posture[] = {1, 1, 2, 2, NAN};
    const double rotation[] = {-25, -0.1, 0, 0.1, 25}, temperature[] = {36.6}, fault[] = {1};
    const struct lumbar_series series[] = {
        {ANGLE, 5, fast, angle},     {ROTATION, 5, fast, rotation},
        {POSTURE, 5, fast, posture}, {TEMPERATURE, 1, slow, temperature},
        {FAULT, 1, slow, fault},
    };
    struct lumbar_batch batch = {.series = series, .series_count = 5};
    struct device *of = devices_at(ward->devices, device);
    device_note(of, &batch, now_ms);
    feed_push(ward->feed, of, &batch, now_ms, now_ms);
}

/* One that runs in its second phase, and one that is paused. */
static void treat(struct ward *ward, int64_t now_ms)
{
    static const char text[] = "{name: back, title: Lower back,"
                               " limits: [{metric: angle, above: 60 deg}], phases:"
                               " [{kind: warm_up, time: 5 min}, {kind: massage, time: 15 min},"
                               " {kind: rest, time: 2 min}]}";
    struct plan plan;
    struct client client = {
        .name = "kiefer-7",
        .own = {{.metric = ANGLE, .low = NAN, .high = 62, .measured_ms = now_ms}},
        .own_count = 1};
    struct session_opening opening = {
        .room = 1, .therapist = "AB", .client = &client, .plan = &plan, .own_age_ms = 86400000};
    static const struct session_order orders[] = {
        {.op = SESSION_PAIN, .number = 4},
        {.op = SESSION_START},
        {.op = SESSION_NEXT},
        {.op = SESSION_PAIN, .number = 6, .moment = SESSION_DURING}};
    assert_int_equal(
        plan_parse(&plan, "plan", text, strlen(text), &ward->drivers, &ward->body, NULL), 0);
    uint64_t id = sessions_open(ward->sessions, &opening, ward->devices, now_ms, NULL);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        assert_int_equal(sessions_do(ward->sessions, id, &orders[i], ward->devices,
                                     now_ms + (int64_t)i * 60000, NULL),
                         0);
    opening = (struct session_opening){.room = 2, .therapist = "", .plan = &plan};
    id = sessions_open(ward->sessions, &opening, ward->devices, now_ms, NULL);
    sessions_do(ward->sessions, id, &orders[1], ward->devices, now_ms, NULL);
    sessions_do(ward->sessions, id, &(struct session_order){.op = SESSION_PAUSE}, ward->devices,
                now_ms + 90000, NULL);
}

static enum rule_sight known_never(void *user, const struct rule *rule, uint32_t device)
{
    (void)user, (void)rule, (void)device;
    return SIGHT_LOST;
}

static double worst_52(void *user, const struct rule *rule, uint32_t device)
{
    (void)user, (void)rule, (void)device;
    return 52;
}

static void nobody(void *user, const struct alarm *alarm)
{
    (void)user, (void)alarm;
}

/* One of each: shelved while it is off, a loss that is known, acknowledged, latched and escalated.
 */
static void live(struct ward *ward, int64_t now_ms)
{
    const struct rule *bent = rules_find(ward->rules, "bent");
    const struct alarm *alarm;
    const struct alarm latched = {.number = 9,
                                  .rule = bent,
                                  .device = 3,
                                  .state = STATE_LATCHED,
                                  .raised_ms = now_ms - 9000,
                                  .since_ms = now_ms - 1000,
                                  .value = 52.5,
                                  .worst = 52.5,
                                  .change = alarms_change(ward->alarms) + 1,
                                  .escalated = 1};
    const struct alarm_order ack = {
        .deed = DEED_ACK, .now_ms = now_ms, .who = "Ana", .why = "on my way"};
    const struct alarm_order shelve = {.deed = DEED_SHELVE,
                                       .now_ms = now_ms,
                                       .until_ms = now_ms + 900000,
                                       .who = "Ben",
                                       .why = "the belt slips"};
    assert_true(alarms_restore(ward->alarms, &latched));
    alarms_tick(ward->alarms, now_ms, known_never, NULL, nobody, NULL);
    alarms_worsen(ward->alarms, now_ms, worst_52, nobody, NULL);
    assert_int_equal(alarms_order(ward->alarms, 2, &ack, &alarm), 0);
    ward_alarm(ward, "bent", 1, true, 46, now_ms - 1000);
    assert_int_equal(alarms_order(ward->alarms, 3, &shelve, &alarm), 0);
    ward_alarm(ward, "bent", 1, false, 44, now_ms);
    ward_alarm(ward, "bent", 2, true, 48, now_ms);
    assert_int_equal(alarms_order(ward->alarms, 4, &ack, &alarm), 0);
}

/* A neutral posture that holds, of a device whose range is being tested; and one that moved. */
static void calibrate(struct ward *ward, int64_t now_ms)
{
    struct calibration *calibration = ward->calibration;
    for (uint32_t id = 1; id <= 2; id++) {
        struct device *device = devices_at(ward->devices, id);
        device->values[ANGLE] = (struct device_value){0, now_ms};
        device->values[ROTATION].time_ms = 0;
        calibration_neutral_begin(calibration, device, 2000, 3600000, now_ms, NULL);
        for (int i = 0; i < 20; i++) {
            struct sent sent;
            double value = id == 1 ? 5 : i;
            calibration_touch(calibration, device,
                              sent_values(&sent, ANGLE, 1, &value, now_ms + i * 100), 0);
        }
    }
    calibration_tick(calibration, now_ms + 2000);
    calibration_range_begin(calibration, devices_at(ward->devices, 1), ANGLE, 3, 0, now_ms + 2000,
                            NULL);
    calibration_range_begin(calibration, devices_at(ward->devices, 2), ROTATION, 2, 0,
                            now_ms + 2000, NULL);
    for (int i = 0; i < 5; i++) {
        struct sent sent;
        double value = (double[]){0, -20, 0, -25, 0}[i];
        calibration_touch(calibration, devices_at(ward->devices, 2),
                          sent_values(&sent, ROTATION, 1, &value, now_ms + 2000 + i * 10), 0);
    }
}

/* In a phase that does not arm it, and outside of sessions. */
static void suppress(struct ward *ward, int64_t now_ms)
{
    for (uint32_t id = 1; id <= 2; id++)
        suppressions_take(&ward->suppressions,
                          &(struct rule_event){.rule = rules_find(ward->rules, "bent"),
                                               .device = id,
                                               .suppressed = true,
                                               .value = 45 + id,
                                               .limit = 45,
                                               .time_ms = now_ms - 3000 + id * 1000,
                                               .phase = id == 1 ? "heat" : NULL});
}

static void the_recorded_frames_are_what_the_hub_sends(void **state)
{
    (void)state;
    struct ward ward;
    struct frame_cursor wall = {0}, room = {0};
    ward_init(&ward, 64 * 1024, 8);
    struct device *device = devices_at(ward.devices, 1);
    device->heard_ms = NOW;
    device->messages = 1000;
    device->lost = 3;
    device->duplicates = 2;
    device->late = 1;
    device->has_skew = true;
    device->skew_ms = -1234;
    say_rows(&ward, 1, NOW);
    ward_say(&ward, 3, BATTERY, 1, (double[]){18}, NOW);
    ward_alarm(&ward, "bent", 1, true, 47.25, NOW - 60000);
    frame_set_health(ward.frame, &(struct frame_health){.broker = true,
                                                        .disk = true,
                                                        .heartbeat_ms = 3,
                                                        .messages = 123456789,
                                                        .refused = 4,
                                                        .dropped = 5,
                                                        .alarms_begun = 12,
                                                        .flood = true,
                                                        .alarms_lost = 1,
                                                        .clock_off_ms = -3600000,
                                                        .oversize = 6,
                                                        .quarantined = 7});

    ward_watch(&ward, &wall, (struct wish){.room = 0}, NOW + 50);
    record_next(&ward, "wall-first", &wall, NOW + 50);
    say_rows(&ward, 2, NOW + 100);
    record_next(&ward, "wall-next", &wall, NOW + 130);

    ward_watch(&ward, &room, (struct wish){.room = 1, .backlog_s = 300}, NOW + 150);
    record_next(&ward, "room-first", &room, NOW + 150);
    say_rows(&ward, 1, NOW + 200);
    record_next(&ward, "room-next", &room, NOW + 210);

    ward_alarm(&ward, "bent", 1, false, 40, NOW + 1000);
    ward_alarm(&ward, "cold", 2, true, NAN, NOW + 1000);
    record_next(&ward, "alarms", &room, NOW + 1001);

    uint64_t round = feed_head(ward.feed) + 64 * 1024;
    for (int64_t now_ms = NOW + 2000; feed_head(ward.feed) < round; now_ms += 100)
        ward_say(&ward, 3, ANGLE, 8, (double[8]){0}, now_ms);
    say_rows(&ward, 1, NOW + 100000);
    record_next(&ward, "gap", &room, NOW + 100010);

    treat(&ward, NOW + 100020);
    record_next(&ward, "sessions", &room, NOW + 300020);

    live(&ward, NOW + 400000);
    record_next(&ward, "life", &room, NOW + 400001);

    calibrate(&ward, NOW + 500000);
    record_next(&ward, "calibration", &room, NOW + 502001);

    pauses_begin(&ward.pauses, 2, PAUSE_AUDIO, NOW + 500000, NOW + 620000, "Ana");
    pauses_begin(&ward.pauses, 2, PAUSE_ALARM, NOW + 500000, NOW + 560000, "Ben");
    record_next(&ward, "pauses", &room, NOW + 500001);

    suppress(&ward, NOW + 600000);
    record_next(&ward, "suppressed", &room, NOW + 600001);

    uint8_t *bytes;
    size_t count = frame_bye(ward.frame, "The hub restarts.", NOW + 100020, &bytes);
    record(&ward, "bye", bytes, count);
    ward_fini(&ward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_frames_are_what_the_hub_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
