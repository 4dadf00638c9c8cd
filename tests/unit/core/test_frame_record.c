/*
 * Recorded frames: tests/frames/<name>.bin as the hub sends it, <name>.json what it means. The
 * page's tests read the same files, so hub and page cannot drift apart unseen.
 *
 * A change of the wire, or of the version in the hello, fails here. If it is meant, run this test
 * with LUMBAR_RECORD=1 and commit what it wrote.
 */
#include "ward.h"

#define JSON_BYTES (64 * 1024)

/* ---- What a frame means ---- */

struct json {
    struct text text;
    const struct drivers *drivers;
};

/* Every field begins with its comma but the first one of an object or array. */
static void separate(struct json *json, const char *between)
{
    char before = json->text.length > 0 ? json->text.at[json->text.length - 1] : '{';
    if (before != '{' && before != '[')
        text_add(&json->text, "%s", between);
}

static void comma(struct json *json)
{
    separate(json, ", ");
}

static void key(struct json *json, const char *name)
{
    comma(json);
    text_add(&json->text, "\"%s\": ", name);
}

static void integer(struct json *json, const char *name, int64_t value)
{
    key(json, name);
    text_add(&json->text, "%lld", (long long)value);
}

static void boolean(struct json *json, const char *name, bool value)
{
    key(json, name);
    text_add(&json->text, value ? "true" : "false");
}

static void string(struct json *json, const char *name, const char *value)
{
    key(json, name);
    text_add_json(&json->text, value);
}

static void number(struct json *json, const char *name, double value)
{
    key(json, name);
    text_add_number(&json->text, value, 9);
}

/* In the metric's unit; null where the sensor had nothing to say. */
static void quantised(struct json *json, uint32_t metric, uint32_t value)
{
    if (value == METRIC_NONE)
        text_add(&json->text, "null");
    else
        text_add_number(&json->text,
                        metric_value(drivers_metric(json->drivers, metric, NULL), (uint16_t)value),
                        4);
}

static void open_(struct json *json, const char *name, const char *bracket)
{
    key(json, name);
    text_add(&json->text, "%s", bracket);
}

static void item(struct json *json)
{
    separate(json, ",");
    text_add(&json->text, "\n  {");
}

static void put_metric(struct json *json, const Lumbar__Live__V1__Metric *metric)
{
    static const char *const types[] = {"gauge", "counter", "state", "event"};
    item(json);
    integer(json, "id", metric->id);
    integer(json, "kind", metric->kind);
    string(json, "name", metric->name);
    string(json, "title", metric->title);
    string(json, "unit", metric->unit);
    string(json, "type", types[metric->type]);
    boolean(json, "key", metric->key);
    boolean(json, "health", metric->health);
    integer(json, "decimals", metric->decimals);
    integer(json, "stale_ms", metric->stale_ms);
    integer(json, "offline_ms", metric->offline_ms);
    number(json, "min", metric->min);
    number(json, "max", metric->max);
    open_(json, "labels", "[");
    for (size_t i = 0; i < metric->n_labels; i++) {
        comma(json);
        text_add_json(&json->text, metric->labels[i]);
    }
    text_add(&json->text, "]}");
}

static void put_rule(struct json *json, const Lumbar__Live__V1__Rule *rule)
{
    item(json);
    integer(json, "id", rule->id);
    string(json, "name", rule->name);
    string(json, "title", rule->title);
    integer(json, "metric", rule->metric);
    if (rule->has_above)
        number(json, "above", rule->above);
    if (rule->has_below)
        number(json, "below", rule->below);
    integer(json, "priority", rule->priority);
    string(json, "action", rule->action);
    text_add(&json->text, "}");
}

static void put_hello(struct json *json, const Lumbar__Live__V1__Hello *hello)
{
    char instance[24];
    snprintf(instance, sizeof(instance), "%llu", (unsigned long long)hello->instance);
    open_(json, "hello", "{");
    string(json, "instance", instance); /* too long for a number of JavaScript */
    string(json, "version", hello->version);
    string(json, "clinic", hello->clinic);
    open_(json, "kinds", "[");
    for (size_t i = 0; i < hello->n_kinds; i++) {
        item(json);
        integer(json, "id", hello->kinds[i]->id);
        string(json, "name", hello->kinds[i]->name);
        string(json, "title", hello->kinds[i]->title);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    open_(json, "rooms", "[");
    for (size_t i = 0; i < hello->n_rooms; i++) {
        item(json);
        integer(json, "id", hello->rooms[i]->id);
        string(json, "name", hello->rooms[i]->name);
        string(json, "title", hello->rooms[i]->title);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    open_(json, "metrics", "[");
    for (size_t i = 0; i < hello->n_metrics; i++)
        put_metric(json, hello->metrics[i]);
    text_add(&json->text, "]");
    open_(json, "rules", "[");
    for (size_t i = 0; i < hello->n_rules; i++)
        put_rule(json, hello->rules[i]);
    text_add(&json->text, "]}");
}

static void put_device(struct json *json, const Lumbar__Live__V1__Device *device)
{
    item(json);
    integer(json, "id", device->id);
    string(json, "name", device->name);
    integer(json, "kind", device->kind);
    integer(json, "room", device->room);
    integer(json, "heard_ms", device->heard_ms);
    integer(json, "messages", (int64_t)device->messages);
    integer(json, "lost", (int64_t)device->lost);
    integer(json, "duplicates", (int64_t)device->duplicates);
    integer(json, "late", (int64_t)device->late);
    integer(json, "refused", (int64_t)device->refused);
    if (device->has_skew)
        integer(json, "skew_ms", device->skew_ms);
    text_add(&json->text, "}");
}

static void put_hand(struct json *json, const char *name, const Lumbar__Live__V1__Hand *hand)
{
    if (hand == NULL)
        return;
    open_(json, name, "{");
    integer(json, "at_ms", hand->at_ms);
    string(json, "by", hand->by);
    string(json, "why", hand->why);
    if (hand->has_until_ms)
        integer(json, "until_ms", hand->until_ms);
    text_add(&json->text, "}");
}

static void put_alarm(struct json *json, const Lumbar__Live__V1__Alarm *alarm)
{
    item(json);
    integer(json, "rule", alarm->rule);
    integer(json, "device", alarm->device);
    string(json, "presence", alarm->presence ? "on" : "off");
    integer(json, "priority", alarm->priority);
    integer(json, "since_ms", alarm->since_ms);
    integer(json, "raised_ms", alarm->raised_ms);
    string(json, "text", alarm->text);
    if (alarm->has_value)
        number(json, "value", alarm->value);
    boolean(json, "technical", alarm->technical);
    integer(json, "number", (int64_t)alarm->number);
    boolean(json, "latched", alarm->latched);
    integer(json, "unknown_ms", alarm->unknown_ms);
    put_hand(json, "acknowledged", alarm->acknowledged);
    boolean(json, "of_loss", alarm->of_loss);
    put_hand(json, "shelved", alarm->shelved);
    integer(json, "escalated", alarm->escalated);
    integer(json, "behind", alarm->behind);
    integer(json, "hides", alarm->hides);
    if (alarm->plain != NULL)
        string(json, "plain", alarm->plain);
    if (alarm->action != NULL)
        string(json, "action", alarm->action);
    text_add(&json->text, "}");
}

static void put_calibration(struct json *json, const Lumbar__Live__V1__Calibration *calibration)
{
    item(json);
    integer(json, "device", calibration->device);
    integer(json, "neutral", calibration->neutral);
    string(json, "neutral_reason", calibration->neutral_reason);
    integer(json, "until_ms", calibration->until_ms);
    integer(json, "taken_ms", calibration->taken_ms);
    integer(json, "expires_ms", calibration->expires_ms);
    integer(json, "range", calibration->range);
    integer(json, "metric", calibration->metric);
    integer(json, "wanted", calibration->wanted);
    integer(json, "repeated", calibration->repeated);
    if (calibration->has_best) {
        number(json, "best", calibration->best);
        number(json, "mean", calibration->mean);
        integer(json, "measured_ms", calibration->measured_ms);
        boolean(json, "downwards", calibration->downwards);
    }
    if (calibration->has_spread)
        number(json, "spread", calibration->spread);
    text_add(&json->text, "}");
}

static void put_session(struct json *json, const Lumbar__Live__V1__Session *session)
{
    static const char *const states[] = {"none", "planned", "running", "paused", "done", "aborted"};
    item(json);
    integer(json, "id", (int64_t)session->id);
    integer(json, "room", session->room);
    string(json, "state", states[session->state]);
    string(json, "client", session->client);
    string(json, "therapist", session->therapist);
    string(json, "plan", session->plan);
    integer(json, "started_ms", session->started_ms);
    integer(json, "phase", session->phase);
    integer(json, "phase_count", session->phase_count);
    if (session->phase_title != NULL)
        string(json, "phase_title", session->phase_title);
    integer(json, "phase_ms", session->phase_ms);
    if (session->has_phase_end_ms)
        integer(json, "phase_end_ms", session->phase_end_ms);
    if (session->has_phase_left_ms)
        integer(json, "phase_left_ms", session->phase_left_ms);
    if (session->next_title != NULL)
        string(json, "next_title", session->next_title);
    if (session->has_pain_before)
        integer(json, "pain_before", session->pain_before);
    boolean(json, "ask_to_stop", session->ask_to_stop);
    boolean(json, "adverse", session->adverse);
    text_add(&json->text, "}");
}

static void put_latest(struct json *json, const Lumbar__Live__V1__Latest *latest)
{
    for (size_t i = 0; i < latest->n_metric; i++) {
        item(json);
        integer(json, "device", latest->device);
        integer(json, "metric", latest->metric[i]);
        key(json, "value");
        quantised(json, latest->metric[i], latest->value[i]);
        integer(json, "age_ms", latest->age_ms[i]);
        text_add(&json->text, "}");
    }
}

static void put_points(struct json *json, const Lumbar__Live__V1__Points *points)
{
    for (size_t c = 0; c < points->n_columns; c++) {
        const Lumbar__Live__V1__Points__Column *column = points->columns[c];
        int64_t time_ms = points->start_ms;
        int32_t value = 0;
        item(json);
        integer(json, "device", points->device);
        integer(json, "metric", column->metric);
        open_(json, "time_ms", "[");
        for (size_t i = 0; i < points->n_dt_ms; i++) {
            comma(json);
            text_add(&json->text, "%lld", (long long)(time_ms += points->dt_ms[i]));
        }
        text_add(&json->text, "]");
        open_(json, "value", "[");
        for (size_t i = 0; i < column->n_delta; i++) {
            comma(json);
            quantised(json, column->metric, (uint32_t)(value += column->delta[i]));
        }
        text_add(&json->text, "]}");
    }
}

static void put_single(struct json *json, const Frame *frame)
{
    if (frame->gap != NULL) {
        open_(json, "gap", "{");
        if (frame->gap->has_from_ms)
            integer(json, "from_ms", frame->gap->from_ms);
        integer(json, "to_ms", frame->gap->to_ms);
        text_add(&json->text, "}");
    }
    if (frame->health != NULL) {
        open_(json, "health", "{");
        boolean(json, "broker", frame->health->broker);
        boolean(json, "disk", frame->health->disk);
        integer(json, "heartbeat_ms", frame->health->heartbeat_ms);
        integer(json, "messages", (int64_t)frame->health->messages);
        integer(json, "refused", (int64_t)frame->health->refused);
        integer(json, "dropped", (int64_t)frame->health->dropped);
        integer(json, "alarms_begun", frame->health->alarms_begun);
        boolean(json, "flood", frame->health->flood);
        integer(json, "alarms_lost", (int64_t)frame->health->alarms_lost);
        boolean(json, "clock_unset", frame->health->clock_unset);
        integer(json, "clock_off_ms", frame->health->clock_off_ms);
        integer(json, "oversize", (int64_t)frame->health->oversize);
        integer(json, "quarantined", (int64_t)frame->health->quarantined);
        boolean(json, "settling", frame->health->settling);
        text_add(&json->text, "}");
    }
    if (frame->bye != NULL)
        string(json, "bye", frame->bye->reason);
}

static void put_pauses(struct json *json, const Lumbar__Live__V1__PauseList *list)
{
    open_(json, "pauses", "{");
    open_(json, "pauses", "[");
    for (size_t i = 0; i < list->n_pauses; i++) {
        item(json);
        integer(json, "room", list->pauses[i]->room);
        integer(json, "type", list->pauses[i]->type);
        put_hand(json, "hand", list->pauses[i]->hand);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]}");
}

static void put_suppressed(struct json *json, const Lumbar__Live__V1__SuppressedList *list)
{
    open_(json, "suppressed", "{");
    open_(json, "items", "[");
    for (size_t i = 0; i < list->n_items; i++) {
        const Lumbar__Live__V1__Suppressed *item = list->items[i];
        separate(json, ",\n    ");
        text_add(&json->text, "{");
        integer(json, "rule", item->rule);
        integer(json, "device", item->device);
        integer(json, "since_ms", item->since_ms);
        string(json, "text", item->text);
        boolean(json, "in_session", item->in_session);
        text_add(&json->text, "}");
    }
    text_add(&json->text, "]");
    integer(json, "more", list->more);
    text_add(&json->text, "}");
}

static void put_frame(struct json *json, const Frame *frame)
{
    text_add(&json->text, "{");
    integer(json, "hub_ms", frame->hub_ms);
    if (frame->has_cursor)
        integer(json, "cursor", (int64_t)frame->cursor);
    if (frame->hello != NULL)
        put_hello(json, frame->hello);
    open_(json, "devices", "[");
    for (size_t i = 0; i < frame->n_devices; i++)
        put_device(json, frame->devices[i]);
    text_add(&json->text, "]");
    open_(json, "alarms", "[");
    for (size_t i = 0; i < frame->n_alarms; i++)
        put_alarm(json, frame->alarms[i]);
    text_add(&json->text, "]");
    if (frame->n_calibrations > 0) {
        open_(json, "calibrations", "[");
        for (size_t i = 0; i < frame->n_calibrations; i++)
            put_calibration(json, frame->calibrations[i]);
        text_add(&json->text, "]");
    }
    if (frame->pauses != NULL)
        put_pauses(json, frame->pauses);
    if (frame->suppressed != NULL)
        put_suppressed(json, frame->suppressed);
    if (frame->n_sessions > 0) {
        open_(json, "sessions", "[");
        for (size_t i = 0; i < frame->n_sessions; i++)
            put_session(json, frame->sessions[i]);
        text_add(&json->text, "]");
    }
    open_(json, "latest", "[");
    for (size_t i = 0; i < frame->n_latest; i++)
        put_latest(json, frame->latest[i]);
    text_add(&json->text, "]");
    open_(json, "points", "[");
    for (size_t i = 0; i < frame->n_points; i++)
        put_points(json, frame->points[i]);
    text_add(&json->text, "]");
    put_single(json, frame);
    text_add(&json->text, "}\n");
}

/* ---- Files ---- */

static const char *file_of(const char *name, const char *suffix)
{
    static char path[4096];
    const char *end = strstr(__FILE__, "unit/core/");
    assert_non_null(end);
    snprintf(path, sizeof(path), "%.*sframes/%s.%s", (int)(end - __FILE__), __FILE__, name, suffix);
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
    put_frame(&json, frame);
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
    static const char text[] = "{name: back, title: Lower back, phases:"
                               " [{kind: warm_up, time: 5 min}, {kind: massage, time: 15 min},"
                               " {kind: rest, time: 2 min}]}";
    struct plan plan;
    struct client client = {.name = "kiefer-7"};
    struct session_opening opening = {
        .room = 1, .therapist = "AB", .client = &client, .plan = &plan};
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
