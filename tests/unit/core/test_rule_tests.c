/* Tests of rules, themselves tested: a wrong expectation is found, a wrong file is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "clinic_drivers.h"
#include "core/rule_tests.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char rules_text[] =
    "derived: [{name: hot_time, metric: warmth, time: {above: 45 Cel}, unit: s, reset: session}]\n"
    "rules:\n"
    "- {name: bent, metric: angle, above: 20 deg, clear: 15 deg, for: 2 s, priority: low,\n"
    "   text: 'Bent {value} in {room}.', plain: 'You bend {value}.', action: Up.}\n"
    "- {name: dosed, metric: hot_time, above: 4 s, priority: low, text: t}\n"
    "- {name: lost, metric: warmth, absent: 5 s, priority: low, text: 'Lost {device}.'}\n"
    "- {name: hot, metric: warmth, above: 41 Cel, armed: [rest, massage], priority: low,\n"
    "   text: 'Hot in {phase}.'}\n"
    "- {name: far, metric: angle, above: limit(angle), priority: low, text: t}\n"
    "- {name: own, metric: angle, above: 50 % of own_range(angle), priority: low, text: t}\n"
    "- {name: both, all: [{metric: angle, above: 90 deg}, {metric: warmth, above: 45 Cel}],\n"
    "   priority: low, text: t}\n"
    "- {name: turns, metric: strokes, rate: 60 s, above: 50 /min, priority: low, text: t}\n";

struct heard {
    char differences[2000]; /* one a line */
    struct text text;
    unsigned failed, ended, untested;
};

static void on_difference(void *user, const char *test, int line, int64_t at_ms, const char *what)
{
    struct heard *heard = user;
    (void)test, (void)line;
    text_add(&heard->text, "%lld %s\n", (long long)at_ms, what);
}

static void on_end(void *user, const char *test, bool passed)
{
    struct heard *heard = user;
    (void)test;
    heard->ended++;
    heard->failed += !passed;
}

static void on_untested(void *user, const struct rule *rule, bool allowed)
{
    struct heard *heard = user;
    (void)rule, (void)allowed;
    heard->untested++;
}

static int run(const char *text, struct heard *heard, struct rule_tests_counts *counts,
               struct diag *diag)
{
    const struct rules_text rules = {"rules.yaml", rules_text, strlen(rules_text), false};
    const struct rule_tests_listener listener = {heard, on_difference, on_end, on_untested};
    struct drivers drivers;
    struct rule_tests *tests;
    *heard = (struct heard){.failed = 0};
    heard->text = text_in(heard->differences, sizeof(heard->differences));
    int code = rule_tests_parse(&tests, "t.yaml", text, strlen(text), diag);
    if (code != 0)
        return code;
    clinic_init(&drivers);
    code = rule_tests_run(tests, &drivers, &rules, 1, &listener, counts, diag);
    rule_tests_destroy(tests);
    drivers_fini(&drivers);
    return code;
}

/* One test with an angle that bends at 1 s, warmth that is always there, and what is expected. */
#define HEAD   "rules: [r]\ntests:\n- {name: n, "
#define BENDS  "{metric: angle, values: '10 25x3 10'}"
#define WARM   "{metric: warmth, values: '30x60'}"
#define SERIES HEAD "series: [" BENDS ", " WARM "], "
#define EXPECT "expect: ["

static void differences_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *proves, *text, *differences;
    } cases[] = {
        {"as expected", SERIES EXPECT "{at: 2 s, alarms: []}, {at: 3 s, alarms: [bent]}]}", ""},
        {"too early", SERIES EXPECT "{at: 2999 ms, alarms: [bent]}]}",
         "2999 bent does not stand\n"},
        {"it stands", SERIES EXPECT "{at: 3 s, alarms: []}, {at: 5 s, alarms: []}]}",
         "3000 bent of back stands: Bent 25° in Room 1.\n"},
        {"twice", SERIES EXPECT "{at: 3 s, alarms: [bent, bent]}]}", "3000 bent does not stand\n"},
        {"another device", SERIES EXPECT "{at: 3 s, alarms: [{rule: bent, device: b-01}]}]}",
         "3000 bent of b-01 does not stand\n3000 bent of back stands: Bent 25° in Room 1.\n"},
        {"another value", SERIES EXPECT "{at: 3 s, alarms: [{rule: bent, value: 26 deg}]}]}",
         "3000 bent of back has the value 25, not 26\n"},
        {"other words", SERIES EXPECT "{at: 3 s, alarms: [{rule: bent, text: Bent}]}]}",
         "3000 bent of back says \"Bent 25° in Room 1.\", not \"Bent\"\n"},
        {"words for the client, and what to do",
         SERIES EXPECT "{at: 3 s, alarms: [{rule: bent, plain: You bend 25°., action: x}]}]}",
         "3000 bent of back says \"Up.\", not \"x\"\n"},
        {"another priority", SERIES EXPECT "{at: 3 s, alarms: [{rule: bent, priority: high}]}]}",
         "3000 bent is of another priority\n"},
        {"a derived metric, in a session",
         HEAD "series: [{metric: warmth, values: '46x9'}], "
              "session: [{at: 0 s, phase: heat}, {at: 6 s, end: true}], " EXPECT
              "{at: 4 s, alarms: []}, {at: 5 s, alarms: [{rule: dosed, value: 5 s}]}, "
              "{at: 6 s, alarms: []}]}",
         ""},
        {"what is derived, in a session",
         HEAD "series: [{metric: warmth, values: '46x9'}], "
              "session: [{at: 0 s, phase: heat}, {at: 9 s, end: true}], " EXPECT
              "{at: 4 s, alarms: [], values: {hot_time: 4 s, warmth: 46 Cel}}]}",
         ""},
        {"what is derived is other",
         HEAD "series: [{metric: warmth, values: '46x9'}], "
              "session: [{at: 0 s, phase: heat}, {at: 9 s, end: true}], " EXPECT
              "{at: 4 s, alarms: [], values: {hot_time: 5 s}}]}",
         "4000 hot_time of back is 4, not 5 s\n"},
        {"what is not known",
         HEAD "series: [{metric: warmth, values: '_x9'}], " EXPECT
              "{at: 4 s, alarms: [], values: {warmth: 46 Cel}}]}",
         "4000 warmth of back is not known, not 46 Cel\n"},
        {"or written",
         HEAD "series: [{metric: hot_time, values: '4 5x9'}], " EXPECT
              "{at: 0 s, alarms: []}, {at: 1 s, alarms: [dosed]}]}",
         ""},
        {"a rate has its unit",
         HEAD "series: [" WARM ", {metric: strokes, values: '0+1x90'}], " EXPECT
              "{at: 90 s, alarms: [{rule: turns, value: 60 /min}, lost]}]}",
         ""},
        {"who names a device takes it first",
         HEAD "series: [{metric: angle, device: a, values: '25x3'}, {metric: angle, device: b, "
              "values: '25x3'}, {metric: warmth, device: a, values: '30x9'}], " EXPECT
              "{at: 2 s, alarms: [bent, {rule: bent, device: a}]}]}",
         ""},
        {"silence",
         HEAD "series: [{metric: warmth, values: '30 stalex9'}], " EXPECT
              "{at: 4750 ms, alarms: []}, {at: 5 s, alarms: [lost]}]}",
         ""},
        {"no value",
         HEAD "series: [{metric: warmth, values: '30 _x9'}], " EXPECT
              "{at: 4750 ms, alarms: []}, {at: 5 s, alarms: [lost]}]}",
         ""},
        {"an interval",
         HEAD "interval: 100 ms, series: [{metric: angle, values: '25x30'}], " EXPECT
              "{at: 1900 ms, alarms: []}, {at: 2 s, alarms: [bent]}]}",
         ""},
        {"an interval of a series",
         HEAD "series: [{metric: angle, interval: 500 ms, values: '10 25x30'}, " WARM "], " EXPECT
              "{at: 2499 ms, alarms: []}, {at: 2500 ms, alarms: [bent]}]}",
         ""},
        {"without a session nothing armed in one",
         HEAD "series: [{metric: warmth, values: '42x9'}], " EXPECT
              "{at: 2 s, alarms: [], suppressed: [hot]}]}",
         ""},
        {"suppressed in its phase, and armed after it",
         HEAD "series: [{metric: warmth, values: '42x9'}], session: [{at: 0 s, phase: heat}, {at: "
              "4 s, phase: rest}, {at: 6 s, end: true}], " EXPECT
              "{at: 3 s, alarms: [], suppressed: [hot]}, {at: 4 s, alarms: [{rule: hot, text: Hot "
              "in rest.}], suppressed: []}]}",
         ""},
        {"that it is not suppressed is found",
         SERIES EXPECT "{at: 2 s, alarms: [], suppressed: [hot]}]}",
         "2000 hot is not suppressed\n"},
        {"that it is suppressed is found",
         HEAD "series: [{metric: warmth, values: '42x9'}], " EXPECT
              "{at: 2 s, alarms: [], suppressed: []}]}",
         "2000 hot is suppressed\n"},
        {"the plan's limit, in a session",
         SERIES "limits: {angle: 24 deg}, session: [{at: 1500 ms, phase: rest}], " EXPECT
                "{at: 1 s, alarms: []}, {at: 2 s, alarms: [far]}]}",
         ""},
        {"the client's own range",
         SERIES "own_range: {angle: [-10 deg, 40 deg]}, session: [{at: 0 s, phase: rest}], " EXPECT
                "{at: 0 s, alarms: []}, {at: 1 s, alarms: [own]}]}",
         ""},
        {"what two metrics of a message say is known together",
         HEAD
         "series: [{metric: angle, values: '95 10'}, {metric: warmth, values: '46x9'}], " EXPECT
         "{at: 0 s, alarms: [both]}, {at: 1 s, alarms: []}]}",
         ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct heard heard;
        struct diag diag = {0};
        struct rule_tests_counts counts;
        if (run(cases[i].text, &heard, &counts, &diag) != 0)
            fail_msg("%s: %s", cases[i].proves, diag.text);
        if (strcmp(heard.differences, cases[i].differences) != 0)
            fail_msg("%s: %s", cases[i].proves, heard.differences);
        assert_int_equal(heard.failed, cases[i].differences[0] != '\0');
        assert_int_equal(counts.failed, heard.failed);
        assert_int_equal(counts.passed, heard.failed == 0);
    }
}

static void a_test_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    struct heard heard;
    struct diag diag = {0};
    struct rule_tests_counts counts;
    const char *text =
        SERIES EXPECT "{at: 4 s, alarms: [bent]}]}\n"
                      "- {name: m, series: [" WARM "], " EXPECT "{at: 4 s, alarms: []}]}";
    assert_int_equal(run(text, &heard, &counts, &diag), 0);
    assert_true(counts.passed && counts.tests == 2 && counts.rules == 8 && counts.untested == 7);
    assert_int_equal(heard.untested, 7);
    assert_int_equal(heard.ended, 2);
}

static void complete_wants_every_rule_raised(void **state)
{
    (void)state;
    struct heard heard;
    struct diag diag = {0};
    struct rule_tests_counts counts;
    const char *text = "complete: true\n" SERIES EXPECT "{at: 4 s, alarms: [bent]}]}";
    assert_int_equal(run(text, &heard, &counts, &diag), 0);
    assert_true(counts.failed == 0 && counts.untested == 7 && !counts.passed);
}

static void a_mistake_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *sentence;
    } cases[] = {
        {"", ERR_SYNTAX, "t.yaml:1:1: a file of rule tests has a list of rules"},
        {"rules: r\ntests: []", ERR_SYNTAX, "t.yaml:1:8: a file of rule tests has a list of rules"},
        {"rules: [[a]]\ntests: [a]", ERR_SYNTAX, "t.yaml:1:9: expected the name of a rule file"},
        {"rules: [r]\ntests: []", ERR_SYNTAX, "t.yaml:2:8: a file of rule tests has a list of tes"},
        {"rules: [r]\ntests: [a]\nteste: a", ERR_UNKNOWN, "did you mean 'tests'?"},
        {"rules: [r]\ncomplete: ja\ntests: [a]", ERR_SYNTAX, "2:11: complete is true or false"},
        {"rules: [r]\ntests: [a]", ERR_SYNTAX, "t.yaml:2:9: a test is a map"},
        {"rules: [r]\ntests: [{serie: a}]", ERR_UNKNOWN, "did you mean 'series'?"},
        {"rules: [r]\ntests: [{series: a}]", ERR_SYNTAX, "a test has a name"},
        {HEAD "interval: 1}", ERR_SYNTAX, "interval is a time, as 5 s"},
        {HEAD "interval: 0 s}", ERR_RANGE, "interval is 1 ms to 24 h"},
        {HEAD "expect: []}", ERR_SYNTAX, "a test has series"},
        {HEAD "series: {}}", ERR_SYNTAX, "series is a list of up to 32"},
        {HEAD "series: [a]}", ERR_SYNTAX, "a series is a map"},
        {HEAD "series: [{values: 1}]}", ERR_UNKNOWN, "expected the name of a metric"},
        {HEAD "series: [{metric: angel, values: 1}]}", ERR_UNKNOWN, "did you mean \"angle\"?"},
        {HEAD "series: [{metric: angle}]}", ERR_SYNTAX, "a series has values"},
        {HEAD "series: [{metric: angle, values: 1 b}]}", ERR_SYNTAX, "'b' is no value"},
        {HEAD "series: [{metric: angle, values: 200}]}", ERR_SYNTAX, "'200' is beyond what angle"},
        {HEAD "series: [{metric: angle, device: a b, values: 1}]}", ERR_SYNTAX, "device is a name"},
        {HEAD "series: [" BENDS ", " BENDS "]}", ERR_CONFLICT, "a second series of angle of back"},
        {SERIES "session: [{phase: a}]}", ERR_SYNTAX, "'at' is missing"},
        {SERIES "session: [{at: 1 s}]}", ERR_SYNTAX, "a step has a phase, or is the end"},
        {SERIES "session: [{at: 1 s, phase: a, end: true}]}", ERR_SYNTAX, "a step has a phase, or"},
        {SERIES "session: [{at: 1 s, end: no}]}", ERR_SYNTAX, "a step has a phase, or is the end"},
        {SERIES "session: [{at: 1 s, phase: a}, {at: 0 s, phase: b}]}", ERR_CONFLICT, "go up"},
        {SERIES "limits: [a]}", ERR_SYNTAX, "limits is a map of up to 16"},
        {SERIES "limits: {angle: 4 Cel}}", ERR_SYNTAX, "expected a number with the unit deg"},
        {SERIES "limits: {angel: 4 deg}}", ERR_UNKNOWN, "did you mean \"angle\"?"},
        {SERIES "own_range: {angle: 4 deg}}", ERR_SYNTAX, "a range is [low, high]"},
        {SERIES "own_range: {angle: [4 deg, 5]}}", ERR_SYNTAX, "a number with the unit deg"},
        {SERIES "}", ERR_SYNTAX, "a test that expects nothing proves nothing"},
        {SERIES EXPECT "{at: 1 s}]}", ERR_SYNTAX, "say which alarms stand; [] for none"},
        {SERIES EXPECT "{at: 25 h, alarms: []}]}", ERR_RANGE, "at is 0 ms to 24 h"},
        {SERIES EXPECT "{at: 1 s, alarms: [bend]}]}", ERR_UNKNOWN, "no rule 'bend'; did you mean"},
        {SERIES EXPECT "{at: 1 s, alarms: [{device: back}]}]}", ERR_SYNTAX, "the name of a rule"},
        {SERIES EXPECT "{at: 1 s, alarms: [{rule: bent, value: 2}]}]}", ERR_SYNTAX, "unit deg"},
        {SERIES EXPECT "{at: 1 s, alarms: [{rule: turns, value: 2 /s}]}]}", ERR_SYNTAX, "/min"},
        {SERIES EXPECT "{at: 1 s, alarms: [], suppressed: [x]}]}", ERR_UNKNOWN, "no rule 'x'"},
        {SERIES EXPECT "{at: 2 s, alarms: []}, {at: 1 s, alarms: []}]}", ERR_CONFLICT,
         "up in time"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct heard heard;
        struct diag diag = {0};
        struct rule_tests_counts counts;
        char sentence[600];
        int code = run(cases[i].text, &heard, &counts, &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (code != cases[i].code || strncmp(sentence, "t.yaml:", 7) != 0 ||
            strstr(sentence, cases[i].sentence) == NULL)
            fail_msg("%s\ngave %d %s", cases[i].text, code, sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_found),
        cmocka_unit_test(a_test_leaves_nothing_to_the_next),
        cmocka_unit_test(complete_wants_every_rule_raised),
        cmocka_unit_test(a_mistake_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
