/* Courses: what may be said of a change, and what not. */
#include "treatment.h"

#include "base/text.h"
#include "core/course.h"

#define DAY INT64_C(86400000)
#define NO  SESSION_NO_SCORE

/* Sessions a day apart, with these scores. */
static struct course_session *sessions_of(const int scores[][3], size_t count)
{
    struct course_session *sessions = calloc(count, sizeof(*sessions));
    for (size_t i = 0; i < count; i++)
        sessions[i] = (struct course_session){.id = i + 1,
                                              .opened_ms = (int64_t)i * DAY + 1,
                                              .pain = {scores[i][0], NO, NO},
                                              .rmdq = scores[i][1],
                                              .odi = scores[i][2]};
    return sessions;
}

static void scores_change_where_it_matters_to_people(void **state)
{
    static const struct {
        int pain[2], rmdq[2], odi[2];
        enum course_verdict verdicts[3];
    } rows[] = {
        {{6, 4}, {12, 7}, {40, 30}, {COURSE_LESS, COURSE_LESS, COURSE_LESS}},
        {{6, 5}, {12, 8}, {40, 31}, {COURSE_SAME, COURSE_SAME, COURSE_SAME}},
        {{3, 2}, {7, 12}, {30, 40}, {COURSE_LESS, COURSE_MORE, COURSE_MORE}}, /* 30 % of 3 */
        {{4, 6}, {7, 11}, {30, 39}, {COURSE_MORE, COURSE_SAME, COURSE_SAME}},
        {{0, 1}, {0, 5}, {0, 10}, {COURSE_SAME, COURSE_MORE, COURSE_MORE}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* What lies between is not looked at, nor are sessions in which nobody was asked. */
        const int scores[][3] = {{NO, NO, NO},
                                 {rows[i].pain[0], rows[i].rmdq[0], rows[i].odi[0]},
                                 {9, 24, 100},
                                 {rows[i].pain[1], rows[i].rmdq[1], rows[i].odi[1]},
                                 {NO, NO, NO}};
        struct course_session *sessions = sessions_of(scores, 5);
        struct course_told told[COURSE_TOLD_MAX];
        assert_int_equal(
            course_tell(&(struct course){.sessions = sessions, .session_count = 5}, told), 3);
        for (int what = 0; what < 3; what++) {
            assert_int_equal(told[what].what, what);
            assert_int_equal(told[what].count, 3);
            assert_int_equal(told[what].first_ms, DAY + 1);
            assert_int_equal(told[what].last_ms, 3 * DAY + 1);
            if (told[what].verdict != rows[i].verdicts[what])
                fail_msg("row %zu, %s: %s", i, course_what_name((enum course_what)what),
                         course_verdict_name(told[what].verdict));
        }
        free(sessions);
    }
}

static struct course_range range_of(const char *metric, int direction, double best, int64_t at_ms)
{
    struct course_range range = {.of = {.direction = direction, .best = best, .at_ms = at_ms}};
    struct text text = text_in(range.of.metric, sizeof(range.of.metric));
    text_add(&text, "%s", metric);
    return range;
}

static void a_range_is_held_against_the_error_of_its_measurement(void **state)
{
    static const struct {
        double first, last;
        enum course_verdict verdict;
    } rows[] = {
        {50, 54, COURSE_SAME},      {50, 46, COURSE_SAME}, {50, 55, COURSE_UNCERTAIN},
        {50, 65, COURSE_UNCERTAIN}, {50, 66, COURSE_MORE}, {50, 34, COURSE_LESS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct course_range ranges[] = {
            range_of("flexion", 1, rows[i].first, DAY), range_of("flexion", -1, 20, DAY),
            range_of("rotation", 1, 7, DAY), range_of("flexion", 1, rows[i].last, 2 * DAY)};
        struct course_told told[COURSE_TOLD_MAX];
        assert_int_equal(course_tell(&(struct course){.ranges = ranges, .range_count = 4}, told),
                         3);
        assert_int_equal(told[0].verdict, rows[i].verdict);
        assert_int_equal(told[0].count, 2);
        assert_int_equal(told[1].verdict, COURSE_ONCE); /* the other side of it */
        assert_int_equal(told[1].direction, -1);
        assert_string_equal(told[2].metric, "rotation");
    }
}

static void of_nothing_nothing_is_told_and_of_too_much_as_much_as_fits(void **state)
{
    static char names[COURSE_TOLD_MAX + 5][8];
    static struct course_range ranges[COURSE_TOLD_MAX + 5];
    struct course_told told[COURSE_TOLD_MAX];
    (void)state;
    assert_int_equal(course_tell(&(struct course){.session_count = 0}, told), 0);
    for (size_t i = 0; i < COURSE_TOLD_MAX + 5; i++) {
        snprintf(names[i], sizeof(names[i]), "m%zu", i);
        ranges[i] = range_of(names[i], 1, 10, DAY);
    }
    assert_int_equal(
        course_tell(&(struct course){.ranges = ranges, .range_count = COURSE_TOLD_MAX + 5}, told),
        COURSE_TOLD_MAX);
}

static void it_is_said_in_words_of_both_languages(void **state)
{
    static const struct {
        struct course_told told;
        const char *english, *german;
    } rows[] = {
        {{.what = COURSE_PAIN, .verdict = COURSE_LESS},
         "Pain before a treatment: less, by as much as matters to people.",
         "Schmerz vor einer Behandlung: weniger, um so viel, wie Menschen spüren."},
        {{.what = COURSE_ODI, .verdict = COURSE_SAME},
         "Oswestry (ODI): no change that matters to people.",
         "Oswestry (ODI): keine Änderung, die Menschen spüren."},
        {{.what = COURSE_RANGE, .direction = 1, .verdict = COURSE_SAME},
         "Range of motion, Flexion +: no change beyond measurement error.",
         "Bewegungsumfang, Flexion +: keine Änderung über den Messfehler hinaus."},
        {{.what = COURSE_RANGE, .direction = -1, .verdict = COURSE_UNCERTAIN},
         "Range of motion, Flexion −: a change that may be measurement error (5 to 15 degrees by "
         "method).",
         "Bewegungsumfang, Flexion −: eine Änderung, die Messfehler sein kann (je nach Verfahren 5 "
         "bis 15 Grad)."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sentence[256];
        struct text text = text_in(sentence, sizeof(sentence));
        course_say(&text, &rows[i].told, "Flexion", REPORT_ENGLISH);
        assert_string_equal(sentence, rows[i].english);
        text = text_in(sentence, sizeof(sentence));
        course_say(&text, &rows[i].told, "Flexion", REPORT_GERMAN);
        assert_string_equal(sentence, rows[i].german);
    }
}

static void a_dose_is_that_of_all_regions(void **state)
{
    const struct course_session session = {.doses = {{60000, 3000000}, {0, 0}, {120000, 2400000}}};
    (void)state;
    const struct session_dose dose = course_dose(&session);
    assert_int_equal(dose.time_ms, 180000);
    assert_true(dose.intensity_ms == 5400000); /* 90 of its unit x min */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_change_where_it_matters_to_people),
        cmocka_unit_test(a_range_is_held_against_the_error_of_its_measurement),
        cmocka_unit_test(of_nothing_nothing_is_told_and_of_too_much_as_much_as_fits),
        cmocka_unit_test(it_is_said_in_words_of_both_languages),
        cmocka_unit_test(a_dose_is_that_of_all_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
