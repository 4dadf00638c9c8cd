/* Series in few words: what they give, step by step, and what they cannot say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/rule_series.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const labels[] = {"idle", "box2", "relaxx3", NULL};
static const struct lumbar_metric angle = {.name = "angle", .min = -40, .max = 100};
static const struct lumbar_metric pose = {.name = "pose", .max = 2, .labels = labels};

static void every_word_gives_its_steps(void **state)
{
    (void)state;
    /* Steps: a number, n for no value, . for silence. */
    static const struct {
        const struct lumbar_metric *metric;
        const char *words, *steps;
    } cases[] = {
        {&angle, "12.5", "12.5"},
        {&angle, "20+5x3", "20 25 30 35"},
        {&angle, "20-5x3", "20 15 10 5"},
        {&angle, "-2-0.5x2", "-2 -2.5 -3"},
        {&angle, "30x2", "30 30 30"},
        {&angle, "  1   2\n3 ", "1 2 3"},
        {&angle, "1 _ 2", "1 n 2"},
        {&angle, "1 _x3 2", "1 n n n 2"},
        {&angle, "1 stale 2", "1 . 2"},
        {&angle, "stalex2 2", ". . 2"},
        {&angle, "0+1x2 _x2 stale", "0 1 2 n n ."},
        {&angle, "7+1", "7"},
        {&angle, "-40 100", "-40 100"},
        {&pose, "idle", "0"},
        {&pose, "idlex2 box2", "0 0 0 1"},
        {&pose, "box2x1 _", "1 1 n"},
        {&pose, "relaxx3 idle", "2 0"}, /* as it is written, it is a label */
        {&pose, "relaxx3x1", "2 2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rule_series series;
        char sentence[200], steps[100];
        struct text why = text_in(sentence, sizeof(sentence)), text = text_in(steps, sizeof(steps));
        if (!rule_series_read(&series, cases[i].words, cases[i].metric, &why))
            fail_msg("%s: %s", cases[i].words, sentence);
        for (int64_t step = 0; step < series.steps; step++) {
            double value;
            enum series_kind kind = rule_series_at(&series, step, &value);
            text_add(&text, "%s", step > 0 ? " " : "");
            if (kind == SERIES_VALUE)
                text_add_number(&text, value, 3);
            else
                text_add(&text, "%s", kind == SERIES_MISSING ? "n" : ".");
            assert_true(kind == SERIES_VALUE || isnan(value));
        }
        assert_string_equal(steps, cases[i].steps);
        double value;
        assert_int_equal(rule_series_at(&series, series.steps, &value), SERIES_SILENT);
    }
}

static void what_cannot_be_said_is_refused(void **state)
{
    (void)state;
    static const struct {
        const struct lumbar_metric *metric;
        const char *words, *sentence;
    } cases[] = {
        {&angle, "", "it has no values"},
        {&angle, " \n ", "it has no values"},
        {&angle, "1 two", "'two' is no value, as 20"},
        {&angle, "1x0", "'1x0' is no value"},
        {&angle, "1x", "'1x' is no value"},
        {&angle, "1x-2", "'1x-2' is no value"},
        {&angle, "1x99999999", "is no value"},
        {&angle, "1+x3", "'1+x3' is no value"},
        {&angle, "1*2x3", "is no value"},
        {&angle, "1+2+3x3", "is no value"},
        {&angle, "12deg", "is no value"},
        {&angle, "_x0", "is no value"},
        {&angle, "101", "'101' is beyond what angle can say: -40 to 100"},
        {&angle, "90+1x11", "'90+1x11' is beyond what angle can say"},
        {&angle, "-41x3", "is beyond"},
        {&angle, "1x864000", "more than 64 words, or 864000 steps"},
        {&pose, "1", "'1' is no label of pose"},
        {&pose, "idl", "'idl' is no label of pose"},
        {&pose, "idle+1x2", "is no label of pose"},
        {&angle, "0.0000000000000000000000000000000000000000000000000000000000000001", "too long"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rule_series series;
        char sentence[200];
        struct text why = text_in(sentence, sizeof(sentence));
        assert_false(rule_series_read(&series, cases[i].words, cases[i].metric, &why));
        if (strstr(sentence, cases[i].sentence) == NULL)
            fail_msg("%s gave: %s", cases[i].words, sentence);
    }
}

static void there_are_at_most_64_words(void **state)
{
    (void)state;
    char words[2 * (SERIES_RUNS_MAX + 1) + 1] = "", sentence[200];
    struct rule_series series;
    struct text why = text_in(sentence, sizeof(sentence));
    for (int i = 0; i < SERIES_RUNS_MAX; i++)
        memcpy(words + 2 * i, "1 ", 3);
    assert_true(rule_series_read(&series, words, &angle, &why));
    assert_int_equal(series.steps, SERIES_RUNS_MAX);
    memcpy(words + 2 * SERIES_RUNS_MAX, "1", 2);
    assert_false(rule_series_read(&series, words, &angle, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_gives_its_steps),
        cmocka_unit_test(what_cannot_be_said_is_refused),
        cmocka_unit_test(there_are_at_most_64_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
