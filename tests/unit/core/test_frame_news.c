/* Frames, further: alarms, health and reloads, what is shared by clients, and how large it gets. */
#include "ward.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
#endif

/* Every allocation of the process; the sanitizers bring their own. */
static unsigned long allocations;
#if COUNTS
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    allocations++;
    return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes)
{
    allocations++;
    return __libc_calloc(count, bytes);
}
__attribute__((visibility("default"))) void *realloc(void *old, size_t bytes)
{
    allocations++;
    return __libc_realloc(old, bytes);
}
#endif

static int open_ward(void **state)
{
    struct ward *ward = calloc(1, sizeof(*ward));
    ward_init(ward, 256 * 1024, 1000);
    *state = ward;
    return 0;
}

static int close_ward(void **state)
{
    ward_fini(*state);
    free(*state);
    return 0;
}

static struct frame_cursor client_of(struct ward *ward, uint32_t room, int64_t now_ms)
{
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = room, .backlog_s = 300}, now_ms);
    ward_drain(ward, &cursor, now_ms);
    return cursor;
}

/* ---- Alarms ---- */

static void an_alarm_is_told_with_its_sentence_and_its_end(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 2, NOW); /* in any room, and on the wall */
    ward_alarm(ward, "bent", 1, true, 47.25, NOW + 10);
    Frame *frame = ward_next(ward, &cursor, NOW + 11);
    assert_int_equal(frame->n_alarms, 1);
    const Lumbar__Live__V1__Alarm *alarm = frame->alarms[0];
    assert_int_equal(alarm->device, 1);
    assert_int_equal(alarm->rule, rules_find(ward->rules, "bent")->id);
    assert_int_equal(alarm->presence, LUMBAR__LIVE__V1__ALARM__PRESENCE__ON);
    assert_int_equal(alarm->priority, LUMBAR__LIVE__V1__PRIORITY__MEDIUM);
    assert_true(alarm->raised_ms == NOW + 10 && alarm->since_ms == NOW + 10);
    assert_true(alarm->has_value && alarm->value == 47.25);
    assert_string_equal(alarm->text, "p-01 in Großer Salon: 47.3°.");
    assert_int_equal(alarm->number, 1);
    ward_free(frame);

    ward_alarm(ward, "bent", 1, false, 40, NOW + 500);
    frame = ward_next(ward, &cursor, NOW + 501);
    assert_int_equal(frame->alarms[0]->presence, LUMBAR__LIVE__V1__ALARM__PRESENCE__OFF);
    assert_true(frame->alarms[0]->since_ms == NOW + 500);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW + 502));
}

static void an_alarm_without_a_value_has_none_on_the_wire(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    ward_alarm(ward, "bent", 1, true, NAN, NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_false(frame->alarms[0]->has_value);
    ward_free(frame);
}

static void who_comes_back_learns_of_alarms_that_stand_and_that_ended(void **state)
{
    struct ward *ward = *state;
    ward_say(ward, 1, ANGLE, 1, (double[]){50}, NOW);
    ward_alarm(ward, "bent", 1, true, 50, NOW);
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    ward_alarm(ward, "bent", 1, false, 40, NOW + 1000);
    ward_alarm(ward, "cold", 3, true, 22, NOW + 2000);

    struct frame_cursor again = {0};
    ward_watch(ward, &again, (struct wish){1, 300, INSTANCE, cursor.feed}, NOW + 3000);
    Frame *frame = ward_next(ward, &again, NOW + 3000);
    assert_int_equal(frame->n_alarms, 2);
    assert_int_equal(frame->alarms[0]->presence, LUMBAR__LIVE__V1__ALARM__PRESENCE__OFF);
    assert_int_equal(frame->alarms[1]->presence, LUMBAR__LIVE__V1__ALARM__PRESENCE__ON);
    ward_free(frame);
}

static void more_alarms_than_a_frame_holds_come_in_several_each_once(void **state)
{
    struct ward *ward = *state;
    char name[16];
    for (unsigned i = 4; i <= 900; i++) {
        snprintf(name, sizeof(name), "d-%u", i);
        ward_device(ward, name, ROOM_NONE);
    }
    for (uint32_t id = 1; id <= 900; id++) {
        ward_alarm(ward, "bent", id, true, 50, NOW);
        ward_alarm(ward, "cold", id, true, 22, NOW);
    }
    struct frame_cursor cursor = {0};
    unsigned alarms = 0, devices = 0, frames = 0;
    uint8_t *bytes;
    ward_watch(ward, &cursor, (struct wish){.room = 0}, NOW);
    for (size_t count; (count = frame_next(ward->frame, &cursor, NOW, &bytes)) > 0; frames++) {
        assert_true(count <= FRAME_MAX_BYTES);
        Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
        alarms += (unsigned)frame->n_alarms;
        devices += (unsigned)frame->n_devices;
        if (frame->n_alarms > 0)
            assert_int_equal(devices, 900); /* no alarm of a device not yet named */
        for (size_t i = 0; i < frame->n_alarms; i++)
            if (frame->alarms[i]->device > 3 && frame->alarms[i]->rule == 0)
                assert_non_null(strstr(frame->alarms[i]->text, "in no room"));
        ward_free(frame);
    }
    assert_int_equal(alarms, 1800);
    assert_int_equal(devices, 900);
    assert_in_range(frames, 2, 8);
}

/* ---- Devices, health, reload ---- */

static void a_device_is_told_when_it_moves_or_its_counters_are_published(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    struct device *device = devices_at(ward->devices, 3);
    device->messages = 1000;
    device->lost = 5;
    device->refused[REFUSED_MALFORMED] = 2;
    device->refused[REFUSED_RATE] = 1;
    assert_null(ward_next(ward, &cursor, NOW)); /* not with each message */
    devices_touch(ward->devices, device);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_int_equal(frame->n_devices, 1);
    assert_int_equal(frame->devices[0]->id, 3);
    assert_int_equal(frame->devices[0]->lost, 5);
    assert_int_equal(frame->devices[0]->refused, 3);
    assert_true(frame->devices[0]->has_has_skew && !frame->devices[0]->has_skew);
    ward_free(frame);

    devices_assign(ward->devices, device, 1); /* now this room has its values */
    ward_say(ward, 3, ANGLE, 1, (double[]){1}, NOW + 10);
    frame = ward_next(ward, &cursor, NOW + 10);
    assert_int_equal(frame->devices[0]->room, 1);
    assert_int_equal(frame->n_points, 1);
    ward_free(frame);
}

static void health_is_told_when_it_changes(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    struct frame_health health = {.broker = true, .disk = true, .heartbeat_ms = 3};
    frame_set_health(ward->frame, &health);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_true(frame->health->broker && frame->health->disk);
    assert_int_equal(frame->health->heartbeat_ms, 3);
    ward_free(frame);
    frame_set_health(ward->frame, &health);
    assert_null(ward_next(ward, &cursor, NOW));
    health.disk = false;
    frame_set_health(ward->frame, &health);
    frame = ward_next(ward, &cursor, NOW);
    assert_false(frame->health->disk);
    ward_free(frame);
    health.alarms_begun = 1000;
    health.flood = true;
    frame_set_health(ward->frame, &health);
    frame = ward_next(ward, &cursor, NOW);
    assert_true(frame->health->flood && frame->health->alarms_begun == 1000);
    ward_free(frame);
    health.clock_unset = true;
    health.clock_off_ms = INT64_MIN; /* and all others as long as they get: it has its room */
    health.messages = health.refused = health.dropped = health.alarms_lost = UINT64_MAX;
    health.oversize = health.quarantined = UINT64_MAX;
    health.heartbeat_ms = health.alarms_begun = UINT32_MAX;
    frame_set_health(ward->frame, &health);
    frame = ward_next(ward, &cursor, NOW);
    assert_true(frame->health->clock_unset && frame->health->clock_off_ms == INT64_MIN);
    assert_true(frame->health->oversize == UINT64_MAX && frame->health->quarantined == UINT64_MAX);
    assert_true(frame_due(ward->frame, &cursor) == false);
    ward_free(frame);
}

static void a_reload_tells_everything_anew(void **state)
{
    struct ward *ward = *state;
    ward_say(ward, 3, ANGLE, 1, (double[]){1}, NOW);
    ward_alarm(ward, "bent", 3, true, 50, NOW);
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    struct config *config = ward_parse("rooms:\n"
                                       "  - {name: salon, title: Salon, devices: [sensor/p-03]}\n");
    struct config *old = ward->config;
    ward->config = config;
    devices_assign(ward->devices, devices_at(ward->devices, 3), 1);
    struct frame_world world = ward_world(ward);
    assert_int_equal(frame_reload(ward->frame, &world), 0);
    config_destroy(old); /* the sanitizer finds who still reads it */

    Frame *frame = ward_next(ward, &cursor, NOW + 5);
    assert_int_equal(frame->hello->n_rooms, 1);
    assert_true(frame->hello->instance == INSTANCE);
    assert_int_equal(frame->n_devices, 3);
    assert_int_equal(frame->n_alarms, 1);
    assert_string_equal(frame->alarms[0]->text, "p-03 in Salon: 50°.");
    assert_int_equal(frame->n_latest, 1); /* of the device that came into the room */
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW + 5));
}

/* The largest hello that the configuration allows goes whole, and then everything else. */
static void a_hello_of_200_rooms_and_many_rules_arrives(void **state)
{
    struct ward *ward = *state;
    static char yaml[200 * 600], rules[400 * 700];
    char title[400];
    memset(title, 't', sizeof(title) - 1);
    title[sizeof(title) - 1] = '\0';
    struct text text = text_in(yaml, sizeof(yaml));
    text_add(&text, "rooms:\n");
    for (int i = 0; i < CONFIG_ROOMS_MAX; i++)
        text_add(&text, "  - {name: r%d, title: %.100s}\n", i, title);
    assert_false(text.cut);
    text = text_in(rules, sizeof(rules));
    text_add(&text, "rules:\n");
    for (int i = 0; i < 400; i++)
        text_add(&text,
                 "  - {name: r%d, title: T, metric: angle, above: 4 deg, priority: low,"
                 " text: T, action: \"%.100s\"}\n",
                 i, title);
    assert_false(text.cut);

    struct config *old = ward->config;
    struct rules *old_rules = ward->rules;
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    ward->config = ward_parse(yaml);
    ward->rules = ward_load(&ward->drivers, rules, 8);
    struct frame_world world = ward_world(ward);
    assert_int_equal(frame_reload(ward->frame, &world), 0);
    config_destroy(old);
    rules_destroy(old_rules);

    uint8_t *bytes;
    size_t count = frame_next(ward->frame, &cursor, NOW, &bytes);
    assert_true(count > FRAME_MAX_BYTES);
    Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    assert_int_equal(frame->hello->n_rooms, CONFIG_ROOMS_MAX);
    assert_int_equal(frame->hello->n_rules, 400 + 1); /* of the loss of what they look at */
    ward_free(frame);
    frame = ward_next(ward, &cursor, NOW);
    assert_int_equal(frame->n_devices, 3);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW));
}

/* ---- Sharing ---- */

static void fifty_clients_at_one_place_cost_one_frame(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor wall[50] = {{0}}, room[50] = {{0}};
    for (int i = 0; i < 50; i++) {
        ward_watch(ward, &wall[i], (struct wish){.room = 0}, NOW);
        ward_watch(ward, &room[i], (struct wish){.room = 1}, NOW);
    }
    for (int turn = 0; turn < 10; turn++) {
        uint64_t before = frame_made(ward->frame);
        int64_t now_ms = NOW + turn * 16;
        ward_say(ward, 1, ANGLE, 1, (double[]){turn}, now_ms);
        for (int i = 0; i < 50; i++) {
            Frame *frame = ward_next(ward, &wall[i], now_ms + i / 25); /* a ms goes by */
            assert_int_equal(frame->n_latest, 1);
            assert_int_equal(frame->latest[0]->value[0],
                             metric_quantise(&sensor_metrics[ANGLE], turn));
            ward_free(frame);
            frame = ward_next(ward, &room[i], now_ms + i / 25);
            assert_int_equal(frame->n_points, 1);
            ward_free(frame);
            assert_null(ward_next(ward, &wall[i], now_ms + 1));
        }
        assert_int_equal(frame_made(ward->frame) - before, 2); /* one a view */
    }
}

static void a_frame_that_lacks_an_alarm_is_not_shared(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor first = client_of(ward, 0, NOW), second = client_of(ward, 0, NOW);
    ward_say(ward, 1, ANGLE, 1, (double[]){50}, NOW);
    ward_free(ward_next(ward, &first, NOW));
    ward_alarm(ward, "bent", 1, true, 50, NOW);
    Frame *frame = ward_next(ward, &second, NOW);
    assert_int_equal(frame->n_latest, 1);
    assert_int_equal(frame->n_alarms, 1);
    ward_free(frame);
    frame = ward_next(ward, &first, NOW);
    assert_int_equal(frame->n_alarms, 1);
    ward_free(frame);
}

static void a_frame_from_before_is_not_shared_with_one_who_comes_late(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor quick = client_of(ward, 0, NOW), slow = client_of(ward, 0, NOW);
    ward_say(ward, 1, ANGLE, 1, (double[]){1}, NOW);
    ward_free(ward_next(ward, &quick, NOW));
    ward_say(ward, 1, ANGLE, 1, (double[]){2}, NOW + 10);
    Frame *frame = ward_next(ward, &slow, NOW + 10);
    assert_int_equal(frame->latest[0]->value[0], metric_quantise(&sensor_metrics[ANGLE], 2));
    ward_free(frame);
    assert_null(ward_next(ward, &slow, NOW + 10)); /* skipped one, misses nothing on the wall */
}

/* ---- Pauses ---- */

static void what_is_paused_is_told_as_a_whole_when_it_changes(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    assert_null(ward_next(ward, &cursor, NOW));
    pauses_begin(&ward->pauses, 1, PAUSE_AUDIO, NOW, NOW + 60000, "Ana");
    pauses_begin(&ward->pauses, 2, PAUSE_ALARM, NOW, NOW + 90000, "Ben");
    Frame *frame = ward_next(ward, &cursor, NOW + 1);
    assert_int_equal(frame->pauses->n_pauses, 2);
    const Lumbar__Live__V1__Pause *second = frame->pauses->pauses[1];
    assert_int_equal(second->room, 2);
    assert_int_equal(second->type, LUMBAR__LIVE__V1__PAUSE__TYPE__ALARM);
    assert_string_equal(second->hand->by, "Ben");
    assert_true(second->hand->until_ms == NOW + 90000);
    ward_free(frame);
    pauses_end(&ward->pauses, 1, PAUSE_AUDIO);
    pauses_end(&ward->pauses, 2, PAUSE_ALARM);
    frame = ward_next(ward, &cursor, NOW + 2);
    assert_non_null(frame->pauses);
    assert_int_equal(frame->pauses->n_pauses, 0);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW + 3));

    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        pauses_begin(&ward->pauses, room, PAUSE_AUDIO, NOW, NOW + 60000, "Ana");
        pauses_begin(&ward->pauses, room, PAUSE_ALARM, NOW, NOW + 60000, "Ana");
    }
    frame = ward_next(ward, &cursor, NOW + 4); /* all of them fit */
    assert_int_equal(frame->pauses->n_pauses, 2 * CONFIG_ROOMS_MAX);
    ward_free(frame);
}

/* ---- What is suppressed ---- */

static void suppress(struct ward *ward, uint32_t device, bool suppressed, int64_t at_ms)
{
    suppressions_take(&ward->suppressions,
                      &(struct rule_event){.rule = rules_find(ward->rules, "bent"),
                                           .device = device,
                                           .suppressed = suppressed,
                                           .value = 50,
                                           .limit = 45,
                                           .time_ms = at_ms,
                                           .phase = "heat"});
}

static void what_is_suppressed_is_told_as_a_whole_when_it_changes(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor client = client_of(ward, 0, NOW);
    ward_drain(ward, &client, NOW);
    assert_false(frame_due(ward->frame, &client));
    suppress(ward, 1, true, NOW + 1);
    suppress(ward, 2, true, NOW + 2);
    Frame *frame = ward_next(ward, &client, NOW + 3);
    assert_int_equal(frame->suppressed->n_items, 2);
    const Lumbar__Live__V1__Suppressed *first = frame->suppressed->items[0];
    assert_int_equal(first->device, 1);
    assert_int_equal(first->since_ms, NOW + 1);
    assert_true(first->in_session);
    assert_string_equal(first->text, "p-01 in Großer Salon: 50°.");
    ward_free(frame);
    assert_null(ward_next(ward, &client, NOW + 4));
    suppress(ward, 1, false, NOW + 5);
    suppress(ward, 2, false, NOW + 5);
    frame = ward_next(ward, &client, NOW + 6);
    assert_non_null(frame->suppressed);
    assert_int_equal(frame->suppressed->n_items, 0);
    ward_free(frame);
}

static void more_than_is_told_is_counted(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor client = client_of(ward, 0, NOW);
    ward_drain(ward, &client, NOW);
    for (uint32_t i = 0; i < 100; i++) { /* one rule and device has one place: made up ones */
        suppress(ward, 1, true, NOW);
        ward->suppressions.list[i] = ward->suppressions.list[0];
        ward->suppressions.count = i + 1;
    }
    Frame *frame = ward_next(ward, &client, NOW + 1);
    assert_int_equal(frame->suppressed->n_items, 64);
    assert_int_equal(frame->suppressed->more, 36);
    ward_free(frame);
}

/* ---- Memory ---- */

static void frames_of_100000_messages_allocate_nothing(void **state)
{
    struct ward *ward = *state;
    if (!COUNTS)
        skip(); /* a sanitizer counts its own */
    struct frame_cursor wall = client_of(ward, 0, NOW), room = client_of(ward, 1, NOW);
    unsigned long before = allocations;
    uint64_t frames = frame_made(ward->frame);
    uint8_t *bytes;
    for (int i = 0; i < 100000; i++) {
        double value = i % 100 < 50 ? 10 : 50;
        ward_say(ward, 1 + (uint32_t)i % 3, ANGLE, 5, (double[]){value, value, value, value, value},
                 NOW + i);
        if (i % 50 == 0)
            ward_alarm(ward, "bent", 1, value > 45, value, NOW + i);
        if (i % 1000 == 0)
            ward_watch(ward, &room, (struct wish){.room = 1, .backlog_s = 1}, NOW + i);
        if (i % 16 == 0)
            while (frame_next(ward->frame, &wall, NOW + i, &bytes) +
                       frame_next(ward->frame, &room, NOW + i, &bytes) >
                   0)
                ;
    }
    assert_int_equal(allocations - before, 0);
    assert_true(frame_made(ward->frame) - frames > 12000);
}

#define WARD_TEST(function) cmocka_unit_test_setup_teardown(function, open_ward, close_ward)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(an_alarm_is_told_with_its_sentence_and_its_end),
        WARD_TEST(an_alarm_without_a_value_has_none_on_the_wire),
        WARD_TEST(who_comes_back_learns_of_alarms_that_stand_and_that_ended),
        WARD_TEST(more_alarms_than_a_frame_holds_come_in_several_each_once),
        WARD_TEST(a_device_is_told_when_it_moves_or_its_counters_are_published),
        WARD_TEST(health_is_told_when_it_changes),
        WARD_TEST(what_is_paused_is_told_as_a_whole_when_it_changes),
        WARD_TEST(what_is_suppressed_is_told_as_a_whole_when_it_changes),
        WARD_TEST(more_than_is_told_is_counted),
        WARD_TEST(a_reload_tells_everything_anew),
        WARD_TEST(a_hello_of_200_rooms_and_many_rules_arrives),
        WARD_TEST(fifty_clients_at_one_place_cost_one_frame),
        WARD_TEST(a_frame_that_lacks_an_alarm_is_not_shared),
        WARD_TEST(a_frame_from_before_is_not_shared_with_one_who_comes_late),
        WARD_TEST(frames_of_100000_messages_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
