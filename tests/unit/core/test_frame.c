/* Frames: what a browser is told, and that it is told once, in order, and cheaply. */
#include "ward.h"

#define FEED_BYTES      (256 * 1024)
#define ANGLE_OF(value) ((int)metric_quantise(&sensor_metrics[ANGLE], value))

static int open_ward(void **state)
{
    struct ward *ward = calloc(1, sizeof(*ward));
    ward_init(ward, FEED_BYTES, 8);
    *state = ward;
    return 0;
}

static int close_ward(void **state)
{
    ward_fini(*state);
    free(*state);
    return 0;
}

/* A client that looks at a room and has all there is. */
static struct frame_cursor client_of(struct ward *ward, uint32_t room, int64_t now_ms)
{
    struct frame_cursor cursor = {0};
    assert_int_equal(
        ward_watch(ward, &cursor, (struct wish){.room = room, .backlog_s = 300}, now_ms), 0);
    ward_drain(ward, &cursor, now_ms);
    return cursor;
}

static void nothing_is_due_before_a_watch(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = {0};
    assert_null(ward_next(ward, &cursor, NOW));
}

static void the_first_frame_begins_with_a_hello(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = 0}, NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_true(frame->hub_ms == NOW);

    const Lumbar__Live__V1__Hello *hello = frame->hello;
    assert_non_null(hello);
    assert_true(hello->instance == INSTANCE);
    assert_string_equal(hello->version, LUMBAR_VERSION);
    assert_string_equal(hello->clinic, "Lindenhof");
    assert_int_equal(hello->n_kinds, 1);
    assert_string_equal(hello->kinds[0]->name, "sensor");
    assert_int_equal(hello->n_rooms, 2);
    assert_int_equal(hello->rooms[1]->id, 2);
    assert_string_equal(hello->rooms[0]->title, "Großer Salon");

    assert_int_equal(hello->n_metrics, METRIC_COUNT);
    const Lumbar__Live__V1__Metric *metric = hello->metrics[ANGLE];
    assert_int_equal(metric->id, ANGLE);
    assert_string_equal(metric->unit, "deg");
    assert_true(metric->key && !metric->health);
    assert_true(metric->min == -40 && metric->max == 100);
    assert_true(fabs(metric->min + metric->step * 65534 - 100) < 1e-9);
    assert_int_equal(metric->stale_ms, 2000);
    assert_int_equal(hello->metrics[FAULT]->stale_ms, 0);
    assert_int_equal(hello->metrics[POSTURE]->n_labels, 3);
    assert_string_equal(hello->metrics[POSTURE]->labels[2], "slouched");
    assert_int_equal(hello->metrics[POSTURE]->type, LUMBAR__LIVE__V1__METRIC__TYPE__STATE);

    assert_int_equal(hello->n_rules, 3 + 2); /* built in: the loss of what they look at */
    assert_true(hello->rules[0]->has_above && hello->rules[0]->above == 45);
    assert_false(hello->rules[0]->has_below);
    assert_true(hello->rules[1]->has_below && hello->rules[1]->below == 25);
    assert_string_equal(hello->rules[0]->action, "Sit up.");
    assert_true(hello->rules[3]->technical && !hello->rules[3]->has_above);

    assert_int_equal(frame->n_devices, 3);
    assert_string_equal(frame->devices[2]->name, "p-03");
    assert_int_equal(frame->devices[2]->room, 2);
    assert_int_equal(frame->devices[2]->heard_ms, 0);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW));
}

static void the_wall_has_key_and_health_values_of_who_spoke(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    ward_say(ward, 1, ANGLE, 3, (double[]){1, 2, 30}, NOW + 100);
    ward_say(ward, 1, BATTERY, 1, (double[]){80}, NOW + 100);
    ward_say(ward, 1, TEMPERATURE, 1, (double[]){36}, NOW + 100); /* not for the wall */
    Frame *frame = ward_next(ward, &cursor, NOW + 150);
    assert_null(frame->hello);
    assert_int_equal(frame->n_devices, 0);
    assert_int_equal(frame->n_latest, 1);
    const Lumbar__Live__V1__Latest *latest = frame->latest[0];
    assert_int_equal(latest->device, 1);
    assert_int_equal(latest->n_metric, 2);
    assert_int_equal(latest->n_value, 2);
    assert_int_equal(latest->metric[0], ANGLE);
    assert_int_equal(latest->value[0], ANGLE_OF(30));
    assert_int_equal(latest->age_ms[0], 50);
    assert_int_equal(latest->metric[1], BATTERY);
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW + 160));
}

static void a_sensor_that_says_nothing_grows_old_on_the_wall(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    ward_say(ward, 1, ANGLE, 1, (double[]){30}, NOW);
    ward_say(ward, 1, ANGLE, 1, (double[]){NAN}, NOW + 7000);
    Frame *frame = ward_next(ward, &cursor, NOW + 7000);
    assert_int_equal(frame->latest[0]->value[0], ANGLE_OF(30));
    assert_int_equal(frame->latest[0]->age_ms[0], 7000);
    ward_free(frame);
}

static void a_room_has_every_value_with_its_time(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    const double values[] = {-40, 100, NAN, 0, 0.1};
    ward_say(ward, 2, ANGLE, 5, values, NOW + 1000);
    ward_say(ward, 3, ANGLE, 5, values, NOW + 1000); /* of another room */
    Frame *frame = ward_next(ward, &cursor, NOW + 1010);
    assert_int_equal(frame->n_latest, 0);
    assert_int_equal(frame->n_points, 1);
    const Lumbar__Live__V1__Points *points = frame->points[0];
    assert_int_equal(points->device, 2);
    assert_int_equal(points->n_columns, 1);
    assert_int_equal(points->columns[0]->metric, ANGLE);
    assert_int_equal(points->n_dt_ms, 5);
    assert_int_equal(points->columns[0]->n_delta, 5);
    int64_t time_ms = points->start_ms;
    int32_t quantised = 0;
    for (int i = 0; i < 5; i++) {
        time_ms += points->dt_ms[i];
        quantised += points->columns[0]->delta[i];
        assert_true(time_ms == NOW + 1000 - 20 * (4 - i));
        assert_int_equal(quantised, ANGLE_OF(values[i]));
    }
    ward_free(frame);
    assert_null(ward_next(ward, &cursor, NOW + 1020));
}

static void series_with_times_of_their_own_have_points_of_their_own(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    const int64_t fast[] = {NOW, NOW + 20}, slow[] = {NOW - 500};
    const double values[] = {10, 20};
    const struct lumbar_series series[] = {
        {ANGLE, 2, fast, values}, {ROTATION, 2, fast, values}, {TEMPERATURE, 1, slow, values + 1}};
    struct lumbar_batch batch = {.series = series, .series_count = 3};
    feed_push(ward->feed, devices_at(ward->devices, 1), &batch, 0, NOW + 30);
    Frame *frame = ward_next(ward, &cursor, NOW + 30);
    assert_int_equal(frame->n_points, 2);
    assert_int_equal(frame->points[0]->n_columns, 2);
    assert_true(frame->points[0]->start_ms == NOW);
    assert_int_equal(frame->points[1]->n_columns, 1);
    assert_int_equal(frame->points[1]->columns[0]->metric, TEMPERATURE);
    assert_true(frame->points[1]->start_ms == NOW - 500);
    ward_free(frame);
}

static void a_room_has_all_newest_values_when_first_looked_at(void **state)
{
    struct ward *ward = *state;
    ward_say(ward, 1, TEMPERATURE, 1, (double[]){36}, NOW - 290000); /* before the backlog asked */
    ward_say(ward, 3, TEMPERATURE, 1, (double[]){30}, NOW);
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = 1, .backlog_s = 10}, NOW);
    Frame *frame = ward_next(ward, &cursor, NOW);
    assert_int_equal(frame->n_latest, 1);
    assert_int_equal(frame->latest[0]->device, 1);
    assert_int_equal(frame->latest[0]->metric[0], TEMPERATURE);
    assert_int_equal(frame->latest[0]->age_ms[0], 290000);
    assert_int_equal(frame->n_points, 0);
    ward_free(frame);
}

/* One value each 10 s from `from_ms` on. */
static void say_each_10_s(struct ward *ward, int64_t from_ms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ward_say(ward, 1, ANGLE, 1, (double[]){i % 100}, from_ms + i * 10000);
}

static unsigned count_points(struct ward *ward, struct frame_cursor *cursor, int64_t now_ms)
{
    unsigned count = 0;
    for (Frame *frame; (frame = ward_next(ward, cursor, now_ms)) != NULL; ward_free(frame))
        for (size_t i = 0; i < frame->n_points; i++)
            count += (unsigned)frame->points[i]->n_dt_ms;
    return count;
}

static void the_strips_begin_as_far_back_as_asked(void **state)
{
    struct ward *ward = *state;
    static const struct {
        uint32_t backlog_s;
        unsigned points;
    } cases[] = {{0, 1}, {10, 2}, {60, 7}, {300, 31}, {UINT32_MAX, 31}}; /* 300 s at most */
    say_each_10_s(ward, NOW - 600000, 61);                               /* the last one now */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame_cursor cursor = {0};
        ward_watch(ward, &cursor, (struct wish){.room = 1, .backlog_s = cases[i].backlog_s}, NOW);
        assert_int_equal(count_points(ward, &cursor, NOW), cases[i].points);
    }
}

static void a_long_backlog_comes_in_several_frames_within_the_limit(void **state)
{
    struct ward *ward = *state;
    double values[8] = {-40, 100, -40, 100, -40, 100, -40, 100}; /* large differences */
    unsigned said = 0, heard = 0, frames = 0;
    while (feed_tail(ward->feed) == 0) {
        ward_say(ward, 1, ANGLE, 8, values, NOW);
        said += 8;
    }
    struct frame_cursor cursor = {0};
    ward_watch(ward, &cursor, (struct wish){.room = 1, .backlog_s = 300}, NOW);
    uint8_t *bytes;
    for (size_t count; (count = frame_next(ward->frame, &cursor, NOW, &bytes)) > 0; frames++) {
        assert_true(count <= FRAME_MAX_BYTES);
        Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
        for (size_t i = 0; i < frame->n_points; i++)
            heard += (unsigned)frame->points[i]->n_dt_ms;
        ward_free(frame);
    }
    assert_int_equal(heard, said - 8); /* the oldest was overwritten */
    assert_in_range(frames, 3, 10);
}

static void a_client_that_comes_back_gets_what_it_missed(void **state)
{
    struct ward *ward = *state;
    say_each_10_s(ward, NOW - 100000, 11);
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    uint64_t had = cursor.feed;
    say_each_10_s(ward, NOW + 10000, 7);

    struct frame_cursor again = {0};
    ward_watch(ward, &again, (struct wish){1, 300, INSTANCE, had}, NOW + 80000);
    Frame *frame = ward_next(ward, &again, NOW + 80000);
    assert_non_null(frame->hello); /* a new connection */
    assert_null(frame->gap);
    assert_int_equal(frame->n_points, 7);
    assert_true(frame->points[0]->start_ms == NOW + 10000);
    assert_true(frame->cursor == feed_head(ward->feed));
    ward_free(frame);
}

static void a_cursor_of_another_hub_or_of_nowhere_begins_anew(void **state)
{
    struct ward *ward = *state;
    say_each_10_s(ward, NOW - 100000, 11);
    const struct wish wishes[] = {
        {1, 300, INSTANCE + 1, feed_head(ward->feed)},
        {1, 300, INSTANCE, feed_head(ward->feed) + 1},
        {1, 300, INSTANCE, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        struct frame_cursor cursor = {0};
        ward_watch(ward, &cursor, wishes[i], NOW);
        assert_int_equal(count_points(ward, &cursor, NOW), 11);
    }
    for (uint64_t at = 0; at < feed_head(ward->feed); at++) { /* into the middle of records */
        struct frame_cursor cursor = {0};
        ward_watch(ward, &cursor, (struct wish){1, 300, INSTANCE, at}, NOW);
        assert_in_range(count_points(ward, &cursor, NOW), 0, 11);
    }
}

/* Fills the ring with what another room says. */
static void talk_round_the_ring(struct ward *ward, uint32_t device, unsigned times, int64_t now_ms)
{
    double values[8] = {0};
    uint64_t end = feed_head(ward->feed) + (uint64_t)times * FEED_BYTES;
    while (feed_head(ward->feed) < end)
        ward_say(ward, device, ANGLE, 8, values, now_ms);
}

static void a_slow_client_skips_and_is_told_what_it_missed(void **state)
{
    struct ward *ward = *state;
    say_each_10_s(ward, NOW - 20000, 1);
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    ward_say(ward, 1, ANGLE, 1, (double[]){5}, NOW + 1000);
    talk_round_the_ring(ward, 1, 2, NOW + 60000);
    Frame *frame = ward_next(ward, &cursor, NOW + 61000);
    assert_non_null(frame->gap);
    assert_true(frame->gap->from_ms == NOW);
    assert_true(frame->gap->to_ms == NOW + 60000);
    assert_true(frame->n_points > 0);
    ward_free(frame);
    frame = ward_next(ward, &cursor, NOW + 61000);
    assert_null(frame->gap); /* told once */
    ward_free(frame);
    ward_drain(ward, &cursor, NOW + 61000);

    struct frame_cursor long_away = {0}; /* nobody knows since when */
    ward_watch(ward, &long_away, (struct wish){1, 300, INSTANCE, 8}, NOW + 62000);
    frame = ward_next(ward, &long_away, NOW + 62000);
    assert_non_null(frame->gap);
    assert_false(frame->gap->has_from_ms);
    ward_free(frame);
}

static void a_silent_room_is_neither_woken_for_others_nor_overtaken(void **state)
{
    struct ward *ward = *state;
    talk_round_the_ring(ward, 3, 2, NOW);
    struct frame_cursor cursor = client_of(ward, 1, NOW);
    unsigned frames = 0;
    double values[8] = {0};
    for (int i = 0; i < 20000; i++) { /* several times round; all of it in room 2 */
        ward_say(ward, 3, ANGLE, 8, values, NOW + i);
        Frame *frame = ward_next(ward, &cursor, NOW + i);
        if (frame == NULL)
            continue;
        frames++;
        assert_int_equal(frame->n_points, 0);
        assert_null(frame->gap);
        ward_free(frame);
    }
    assert_in_range(frames, 3, 10);
}

static void the_room_can_be_changed_on_the_same_connection(void **state)
{
    struct ward *ward = *state;
    ward_say(ward, 3, ANGLE, 1, (double[]){7}, NOW);
    struct frame_cursor cursor = client_of(ward, 0, NOW);
    ward_watch(ward, &cursor, (struct wish){.room = 2, .backlog_s = 300}, NOW + 1);
    Frame *frame = ward_next(ward, &cursor, NOW + 1);
    assert_null(frame->hello);
    assert_int_equal(frame->n_devices, 0);
    assert_int_equal(frame->n_points, 1);
    ward_free(frame);
    ward_watch(ward, &cursor, (struct wish){.room = 4000000000, .backlog_s = 300}, NOW + 2);
    assert_int_equal(count_points(ward, &cursor, NOW + 2), 0); /* no such room: nothing in it */
}

static void a_bye_says_why(void **state)
{
    struct ward *ward = *state;
    char reason[500];
    memset(reason, 'x', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    const char *const reasons[] = {"The hub restarts.", "", reason};
    for (int i = 0; i < 3; i++) {
        uint8_t *bytes;
        size_t count = frame_bye(ward->frame, reasons[i], NOW, &bytes);
        memset(bytes - FRAME_HEADROOM, 0xee, FRAME_HEADROOM);
        Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
        assert_non_null(frame);
        size_t length = strlen(frame->bye->reason);
        assert_true(length > 0 ? strncmp(frame->bye->reason, reasons[i], length) == 0
                               : reasons[i][0] == '\0');
        ward_free(frame);
    }
}

static void a_hostile_watch_is_refused_and_changes_nothing(void **state)
{
    struct ward *ward = *state;
    struct frame_cursor cursor = {0};
    static uint8_t zeros[FRAME_WATCH_MAX + 1];
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"\xff", 1},                     /* a key that never ends */
        {"\x08", 1},                     /* a room without its number */
        {"\x0b\x0b\x0b\x0b", 4},         /* groups */
        {"\x12\x01\x00", 3},             /* instance as bytes */
        {"\x0a\xff\xff\xff\xff\x0f", 6}, /* a length beyond the end */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (frame_watch(ward->frame, &cursor, (const uint8_t *)cases[i].bytes, cases[i].count,
                        NOW) != ERR_MALFORMED)
            fail_msg("case %zu was taken", i);
    assert_int_equal(frame_watch(ward->frame, &cursor, zeros, sizeof(zeros), NOW), ERR_MALFORMED);
    assert_false(cursor.watching);

    uint8_t
        unknown[FRAME_WATCH_MAX]; /* as many unknown fields as there is room for: a later page */
    for (size_t i = 0; i < sizeof(unknown); i += 2) {
        unknown[i] = 0x78;
        unknown[i + 1] = 1;
    }
    assert_int_equal(frame_watch(ward->frame, &cursor, unknown, sizeof(unknown), NOW), 0);
    assert_true(cursor.watching && cursor.room == 0);
    assert_int_equal(frame_watch(ward->frame, &cursor, zeros, 0, NOW), 0); /* empty: the wall */
}

#define WARD_TEST(function) cmocka_unit_test_setup_teardown(function, open_ward, close_ward)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(nothing_is_due_before_a_watch),
        WARD_TEST(the_first_frame_begins_with_a_hello),
        WARD_TEST(the_wall_has_key_and_health_values_of_who_spoke),
        WARD_TEST(a_sensor_that_says_nothing_grows_old_on_the_wall),
        WARD_TEST(a_room_has_every_value_with_its_time),
        WARD_TEST(series_with_times_of_their_own_have_points_of_their_own),
        WARD_TEST(a_room_has_all_newest_values_when_first_looked_at),
        WARD_TEST(the_strips_begin_as_far_back_as_asked),
        WARD_TEST(a_long_backlog_comes_in_several_frames_within_the_limit),
        WARD_TEST(a_client_that_comes_back_gets_what_it_missed),
        WARD_TEST(a_cursor_of_another_hub_or_of_nowhere_begins_anew),
        WARD_TEST(a_slow_client_skips_and_is_told_what_it_missed),
        WARD_TEST(a_silent_room_is_neither_woken_for_others_nor_overtaken),
        WARD_TEST(the_room_can_be_changed_on_the_same_connection),
        WARD_TEST(a_bye_says_why),
        WARD_TEST(a_hostile_watch_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
