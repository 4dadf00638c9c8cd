/* Frames: how far the treatment of a room is, region by region. */
#include "treatment.h"
#include "ward.h"

typedef Lumbar__Live__V1__Progress Progress;
typedef Lumbar__Live__V1__Progress__Region Region;

static const char plan_text[] =
    "{name: p, title: Back, regions: [lower_back], phases: ["
    "{kind: massage, title: Back, time: 6 min, regions: [lower_back]},"
    " {kind: massage, title: Hip, time: 3 min, regions: [hip]}, {kind: rest, time: 1 min}]}";

/* A room with a pad, its session, and a browser that looks at it. */
struct clinic {
    struct treatment treatment;
    struct config *config;
    struct rules *rules;
    struct alarms *alarms;
    struct feed *feed;
    struct sessions *sessions;
    struct frame *frame;
    struct device *pad;
    struct frame_cursor cursor;
    uint64_t session;
};

static int open_clinic(void **state)
{
    struct clinic *clinic = calloc(1, sizeof(*clinic));
    struct treatment *treatment = &clinic->treatment;
    treatment_init(treatment);
    clinic->config = ward_parse("rooms: [{name: salon, devices: [pad/m-1]}, {name: quiet}]\n");
    clinic->rules = ward_load(&treatment->drivers, "rules: []\n", 8);
    clinic->alarms = alarms_create();
    clinic->feed = feed_create(65536);
    clinic->sessions = sessions_create(8, &treatment->drivers, &treatment->body, NULL, NULL);
    clinic->pad = treatment_device(treatment, 1, "m-1", 1);
    clinic->frame = frame_create(&(struct frame_world){.config = clinic->config,
                                                       .drivers = &treatment->drivers,
                                                       .devices = treatment->devices,
                                                       .rules = clinic->rules,
                                                       .alarms = clinic->alarms,
                                                       .feed = clinic->feed,
                                                       .sessions = clinic->sessions},
                                 INSTANCE);
    assert_non_null(clinic->frame);
    *state = clinic;
    return 0;
}

static int close_clinic(void **state)
{
    struct clinic *clinic = *state;
    frame_destroy(clinic->frame);
    sessions_destroy(clinic->sessions);
    feed_destroy(clinic->feed);
    alarms_destroy(clinic->alarms);
    rules_destroy(clinic->rules);
    config_destroy(clinic->config);
    treatment_fini(&clinic->treatment);
    free(clinic);
    return 0;
}

static void begin(struct clinic *clinic)
{
    struct plan plan;
    struct treatment *treatment = &clinic->treatment;
    struct client client = {.name = "kiefer-7",
                            .own = {{.metric = ANGLE, .low = NAN, .high = 55, .measured_ms = NOW},
                                    {.metric = PAD_PRESSURE, .regions = 1, .high = 300}},
                            .own_count = 2};
    assert_int_equal(plan_parse(&plan, "plan", plan_text, strlen(plan_text), &treatment->drivers,
                                &treatment->body, NULL),
                     0);
    clinic->session = sessions_open(
        clinic->sessions,
        &(struct session_opening){
            .room = 1, .therapist = "AB", .client = &client, .plan = &plan, .own_age_ms = 86400000},
        treatment->devices, NOW, NULL);
    sessions_do(clinic->sessions, clinic->session, &(struct session_order){.op = SESSION_START},
                treatment->devices, NOW, NULL);
}

static void look(struct clinic *clinic, uint32_t room)
{
    Lumbar__Live__V1__Watch watch = LUMBAR__LIVE__V1__WATCH__INIT;
    uint8_t bytes[64];
    watch.has_room = 1;
    watch.room = room;
    size_t count = lumbar__live__v1__watch__pack(&watch, bytes);
    assert_int_equal(frame_watch(clinic->frame, &clinic->cursor, bytes, count, NOW), 0);
}

/* The progress of all that is there to be sent, NULL where there was none; free the frame. */
static Progress *next(struct clinic *clinic, int64_t now_ms, Frame **frame)
{
    uint8_t *bytes;
    size_t count = frame_next(clinic->frame, &clinic->cursor, now_ms, &bytes);
    *frame = count > 0 ? lumbar__live__v1__frame__unpack(NULL, count, bytes) : NULL;
    assert_true(count == 0 || *frame != NULL);
    return *frame != NULL ? (*frame)->progress : NULL;
}

static void forget(Frame *frame)
{
    if (frame != NULL)
        lumbar__live__v1__frame__free_unpacked(frame, NULL);
}

static const Region *region(const Progress *progress, const char *name)
{
    for (size_t i = 0; i < progress->n_regions; i++)
        if (strcmp(progress->regions[i]->name, name) == 0)
            return progress->regions[i];
    fail_msg("no %s", name);
    return NULL;
}

/* So many seconds of work on a region, and the tick behind each. */
static void work(struct clinic *clinic, int label, int seconds, int64_t from_ms)
{
    struct treatment *treatment = &clinic->treatment;
    for (int i = 0; i <= seconds; i++) {
        int64_t now_ms = from_ms + i * 1000;
        treatment_set(clinic->pad, PAD_REGION, label, now_ms);
        treatment_set(clinic->pad, PAD_STATE, PAD_RUNNING, now_ms);
        struct sent sent;
        double pressure = 120;
        sessions_touch(clinic->sessions, clinic->pad,
                       sent_values(&sent, PAD_PRESSURE, 1, &pressure, now_ms), 0);
        sessions_tick(clinic->sessions,
                      &(struct sessions_rules){.config = clinic->config, .idle_ms = 3600000},
                      treatment->devices, now_ms);
    }
}

static void a_plan_gives_its_regions_equal_parts_of_their_phases(void **state)
{
    struct clinic *clinic = *state;
    Frame *frame;
    begin(clinic);
    look(clinic, 1);
    const Progress *progress = next(clinic, NOW, &frame);
    assert_non_null(progress);
    assert_int_equal(progress->session, clinic->session);
    assert_int_equal(progress->n_regions, 3);
    assert_int_equal(region(progress, "lower_back_left")->planned_ms, 180000);
    assert_int_equal(region(progress, "lower_back_right")->planned_ms, 180000);
    assert_int_equal(region(progress, "hip_left")->planned_ms, 180000);
    assert_true(region(progress, "lower_back_left")->target);
    assert_false(region(progress, "hip_left")->target);
    assert_false(region(progress, "lower_back_left")->has_mean);
    assert_int_equal(progress->n_own, 1); /* that of one region only is not for all */
    assert_false(progress->own[0]->has_low);
    assert_true(progress->own[0]->high == 55);
    forget(frame);
}

static void work_on_a_region_is_told_once_a_second_with_its_dose(void **state)
{
    struct clinic *clinic = *state;
    Frame *frame;
    begin(clinic);
    look(clinic, 1);
    next(clinic, NOW, &frame);
    forget(frame);
    work(clinic, PAD_BACK_LEFT, 30, NOW + 1000);
    const Progress *progress = next(clinic, NOW + 31000, &frame);
    assert_non_null(progress);
    const Region *left = region(progress, "lower_back_left");
    assert_int_equal(left->time_ms, 30000);
    assert_true(left->has_mean && fabs(left->mean - 120) < 1e-9);
    assert_int_equal(left->metric, METRIC_COUNT + PAD_PRESSURE);
    assert_true(left->now);
    assert_false(region(progress, "lower_back_right")->now);
    forget(frame);
    assert_null(next(clinic, NOW + 31010, &frame));
    forget(frame);
}

static void who_looks_at_another_room_or_the_wall_is_told_nothing(void **state)
{
    struct clinic *clinic = *state;
    Frame *frame;
    begin(clinic);
    for (uint32_t room = 0; room <= 2; room += 2) {
        look(clinic, room);
        assert_null(next(clinic, NOW, &frame));
        forget(frame);
    }
    look(clinic, 1);
    assert_non_null(next(clinic, NOW, &frame));
    forget(frame);
}

static void the_next_treatment_of_a_room_is_told_anew(void **state)
{
    struct clinic *clinic = *state;
    Frame *frame;
    begin(clinic);
    look(clinic, 1);
    next(clinic, NOW, &frame);
    forget(frame);
    uint64_t before = clinic->session;
    sessions_do(clinic->sessions, before, &(struct session_order){.op = SESSION_END},
                clinic->treatment.devices, NOW, NULL);
    begin(clinic);
    const Progress *progress = next(clinic, NOW + 100, &frame);
    assert_non_null(progress);
    assert_true(progress->session > before);
    forget(frame);
}

int main(void)
{
#define CLINIC_TEST(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)
    const struct CMUnitTest tests[] = {
        CLINIC_TEST(a_plan_gives_its_regions_equal_parts_of_their_phases),
        CLINIC_TEST(work_on_a_region_is_told_once_a_second_with_its_dose),
        CLINIC_TEST(who_looks_at_another_room_or_the_wall_is_told_nothing),
        CLINIC_TEST(the_next_treatment_of_a_room_is_told_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
