#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/derive.h"
#include "core/yaml.h"
#include "rules_clinic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_rule_is_read_with_all_its_words(void **state)
{
    (void)state;
    struct drivers drivers;
    clinic_init(&drivers);
    struct rules *rules = clinic_rules(&drivers, 4,
                                       "rules:\n"
                                       "  - name: skin-warm_2\n"
                                       "    title: Skin warm\n"
                                       "    metric: warmth\n"
                                       "    above: 43 Cel\n"
                                       "    clear: 42.5 Cel\n"
                                       "    for: 10 s\n"
                                       "    clear_for: 1 min\n"
                                       "    priority: high\n"
                                       "    technical: true\n"
                                       "    text: 'Skin {value}.'\n"
                                       "    plain: 'It gets {value} warm.'\n"
                                       "    action: 'Lift the pad.'\n"
                                       "    latch: true\n"
                                       "    realarm: 5 min\n"
                                       "    escalate: 1 min\n"
                                       "  - {name: n, metric: pad/battery, below: 20%,\n"
                                       "     priority: low, text: t, escalate: 60 s,\n"
                                       "     technical: true, inhibits: device}\n"
                                       "  - {name: o, metric: angle, outside: [-5 deg, 20 deg],\n"
                                       "     clear: [0 deg, 18 deg], priority: medium, text: t}\n"
                                       "  - {name: i, metric: pose, is: off_body,\n"
                                       "     priority: low, text: t}\n"
                                       "  - {name: a, metric: warmth, absent: 3 s,\n"
                                       "     priority: low, text: t}\n");
    assert_int_equal(rules_written(rules), 5);
    const struct rule *rule = rules_at(rules, 0);
    assert_string_equal(rule->name, "skin-warm_2");
    assert_string_equal(rule->title, "Skin warm");
    assert_string_equal(rule->text, "Skin {value}.");
    assert_string_equal(rule->action, "Lift the pad.");
    assert_int_equal(rule->condition, RULE_ABOVE);
    assert_true(rule->high == 43 && rule->clear_high == 42.5);
    assert_int_equal(rule->on_delay_ms, 10000);
    assert_int_equal(rule->off_delay_ms, 60000);
    assert_int_equal(rule->priority, PRIORITY_HIGH);
    assert_true(rule->technical);
    assert_string_equal(rule->plain, "It gets {value} warm.");
    assert_true(rule->latch && rule->realarm_ms == 300000 && rule->escalate_ms == 60000);
    assert_int_equal(rule->inhibits, INHIBITS_NONE);
    assert_int_equal(rule->metric, 1);
    assert_string_equal(rule->driver->plugin->kind, "back");

    rule = rules_find(rules, "n");
    assert_int_equal(rule->id, 1);
    assert_string_equal(rule->title, "n");
    assert_string_equal(rule->action, "");
    assert_int_equal(rule->metric, 6); /* the first of the second driver */
    assert_string_equal(rule->driver->plugin->kind, "pad");
    assert_true(rule->low == 20 && rule->clear_low == 20 && rule->technical);
    assert_true(!rule->latch && rule->realarm_ms == 0 && rule->escalate_ms == 60000);
    assert_int_equal(rule->inhibits, INHIBITS_DEVICE);
    assert_string_equal(rule->plain, "");
    assert_int_equal(rule->on_delay_ms, 0);

    rule = rules_find(rules, "o");
    assert_true(rule->low == -5 && rule->high == 20 && rule->clear_low == 0 &&
                rule->clear_high == 18);
    assert_int_equal(rules_find(rules, "i")->label, 2);
    assert_int_equal(rules_find(rules, "a")->absent_ms, 3000);
    assert_true(rules_find(rules, "a")->technical);
    assert_null(rules_find(rules, "none"));
    assert_null(rules_at(rules, rules_count(rules)));
    rules_destroy(rules);
    drivers_fini(&drivers);
}

/* R: a rule in flow style, in which the case writes what is about its mistake. */
#define R(words)  "rules: [{" words "}]"
#define T         ", priority: low, text: t"
#define ANGLE     "name: r, metric: angle, "
#define CASE_FULL "name: r, metric: angle, above: 20 deg, priority: low, "

static void a_mistake_is_said_with_its_place_and_a_proposal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *sentence;
    } cases[] = {
        /* the file */
        {"- a", ERR_SYNTAX, "f.yaml:1:1: a rule file begins with 'rules:' or 'derived:'"},
        {"rule: []", ERR_UNKNOWN, "f.yaml:1:1: 'rule' is not known here; did you mean 'rules'?"},
        {"rules: {}", ERR_SYNTAX, "f.yaml:1:8: rules are a list"},
        {"rules: [a]", ERR_SYNTAX, "f.yaml:1:9: a rule is a map"},
        {R(ANGLE "abov: 20 deg" T), ERR_UNKNOWN,
         "f.yaml:1:34: 'abov' is not known here; did you mean 'above'?"},
        /* names */
        {R("metric: angle, above: 20 deg" T), ERR_SYNTAX, "f.yaml:1:9: a rule has a name"},
        {R("name: Bent, metric: angle, above: 20 deg" T), ERR_SYNTAX,
         "f.yaml:1:16: a rule's name is a letter"},
        {R("name: a/b, metric: angle, above: 20 deg" T), ERR_SYNTAX, "a rule's name"},
        {R("name: 1a, metric: angle, above: 20 deg" T), ERR_SYNTAX, "a rule's name"},
        {R("name: '', metric: angle, above: 20 deg" T), ERR_SYNTAX, "a rule's name"},
        {R("name: [a], metric: angle, above: 20 deg" T), ERR_SYNTAX, "a rule's name"},
        {R("name: a23456789012345678901234567890123456789012345678, metric: angle"), ERR_SYNTAX,
         "a rule's name"},
        /* metrics */
        {R("name: r, above: 20 deg" T), ERR_SYNTAX, "f.yaml:1:9: 'r' has no metric"},
        {R("name: r, metric: angel, above: 20 deg" T), ERR_UNKNOWN, "f.yaml:1:27: "},
        {R("name: r, metric: angel, above: 20 deg" T), ERR_UNKNOWN, "angle"},
        {R("name: r, metric: battery, below: 20 %" T), ERR_CONFLICT,
         "f.yaml:1:27: \"battery\" is a metric of two kinds"},
        {R("name: r, metric: bakc/angle, above: 2 deg" T), ERR_UNKNOWN, "back"},
        {R("name: r, metric: pad/angle, above: 2 deg" T), ERR_UNKNOWN, "f.yaml:1:27: "},
        /* units */
        {R("name: r, metric: warmth, above: 43 C" T), ERR_RANGE,
         "f.yaml:1:42: warmth is measured in Cel: write '43 Cel', not '43 C'"},
        {R("name: r, metric: warmth, above: 43" T), ERR_RANGE, "write '43 Cel', not '43'"},
        {R("name: r, metric: warmth, above: 43 °C" T), ERR_RANGE, "write '43 Cel', not '43 °C'"},
        {R("name: r, metric: warmth, above: 42.5 cel" T), ERR_RANGE, "write '42.5 Cel'"},
        {R(ANGLE "above: 0.3 rad" T), ERR_RANGE, "angle is measured in deg"},
        {R(ANGLE "above: far" T), ERR_SYNTAX, "f.yaml:1:41: expected a number with the unit deg"},
        {R(ANGLE "above: [20 deg]" T), ERR_SYNTAX, "f.yaml:1:41: expected a number"},
        {R("name: r, metric: strokes, above: 5 deg" T), ERR_RANGE,
         "strokes is measured in 1: write '5', not '5 deg'"},
        /* limits that cannot be passed */
        {R("name: r, metric: warmth, above: 60 Cel" T), ERR_RANGE,
         "f.yaml:1:42: can never be passed: warmth is 20..50 Cel"},
        {R("name: r, metric: warmth, above: 50 Cel" T), ERR_RANGE, "can never be passed"},
        {R("name: r, metric: warmth, above: 19 Cel" T), ERR_RANGE, "can never be passed"},
        {R("name: r, metric: warmth, below: 20 Cel" T), ERR_RANGE, "can never be passed"},
        {R("name: r, metric: warmth, below: 51 Cel" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "outside: [-40 deg, 20 deg]" T), ERR_RANGE, "f.yaml:1:44: can never be passed"},
        {R(ANGLE "outside: [-30 deg, 120 deg]" T), ERR_RANGE, "f.yaml:1:53: can never be passed"},
        {R(ANGLE "outside: [20 deg, 10 deg]" T), ERR_RANGE,
         "f.yaml:1:43: the lower limit comes first"},
        {R(ANGLE "outside: [10 deg, 10 deg]" T), ERR_RANGE, "the lower limit comes first"},
        {R(ANGLE "outside: 20 deg" T), ERR_SYNTAX,
         "f.yaml:1:43: expected two limits, as [10 deg, 20 deg]"},
        {R(ANGLE "outside: [1 deg, 2 deg, 3 deg]" T), ERR_SYNTAX, "expected two limits"},
        {R(ANGLE "outside: [1 deg, 2 m]" T), ERR_RANGE, "f.yaml:1:51: angle is measured in deg"},
        /* clear limits */
        {R(ANGLE "above: 20 deg, clear: 21 deg" T), ERR_RANGE,
         "f.yaml:1:56: the clear limit must lie on the good side"},
        {R(ANGLE "above: 20 deg, clear: -41 deg" T), ERR_RANGE, "the clear limit"},
        {R(ANGLE "above: 20 deg, clear: 18 m" T), ERR_RANGE, "angle is measured in deg"},
        {R(ANGLE "below: 20 deg, clear: 19 deg" T), ERR_RANGE, "the clear limit"},
        {R(ANGLE "below: 20 deg, clear: 121 deg" T), ERR_RANGE, "the clear limit"},
        {R(ANGLE "outside: [0 deg, 20 deg], clear: [-1 deg, 18 deg]" T), ERR_RANGE,
         "the clear limit"},
        {R(ANGLE "outside: [0 deg, 20 deg], clear: [1 deg, 21 deg]" T), ERR_RANGE,
         "the clear limit"},
        {R(ANGLE "outside: [0 deg, 20 deg], clear: 18 deg" T), ERR_SYNTAX, "expected two limits"},
        {R("name: r, metric: pose, is: slouched, clear: 1" T), ERR_CONFLICT,
         "only above, below and outside"},
        {R(ANGLE "absent: 5 s, clear: 1 deg" T), ERR_CONFLICT, "only above, below and outside"},
        /* conditions */
        {R("name: r, metric: angle" T), ERR_SYNTAX,
         "f.yaml:1:9: 'r' has no condition: above, below"},
        {R(ANGLE "above: 20 deg, below: 1 deg" T), ERR_CONFLICT,
         "f.yaml:1:56: 'r' has both above and below"},
        {R("name: r, metric: pose, above: 1" T), ERR_CONFLICT,
         "f.yaml:1:40: pose is a state, which 'above' cannot judge"},
        {R("name: r, metric: pose, is: slouching" T), ERR_UNKNOWN,
         "f.yaml:1:37: pose is never 'slouching'; did you mean 'slouched'?"},
        {R("name: r, metric: pose, is: flying" T), ERR_UNKNOWN, "it can be 'upright', for one"},
        {R("name: r, metric: pose, is: [upright]" T), ERR_SYNTAX, "expected one label of pose"},
        {R(ANGLE "is: 20" T), ERR_CONFLICT, "angle is a measured value, which 'is' cannot judge"},
        {R("name: r, metric: fault, above: 1" T), ERR_CONFLICT, "fault is an event, which 'above'"},
        {R("name: r, metric: fault, absent: 5 s" T), ERR_CONFLICT,
         "fault is an event, which 'absent'"},
        {R("name: r, metric: fault, is: stall" T), ERR_SYNTAX,
         "an event, which has no end of its own: say clear_for"},
        {R("name: r, metric: fault, is: stall, for: 1 s, clear_for: 1 s" T), ERR_CONFLICT,
         "an event: it does not last"},
        /* times */
        {R("name: r, metric: warmth, absent: 2999 ms" T), ERR_RANGE,
         "f.yaml:1:43: warmth may take 3000 ms to come"},
        {R(ANGLE "absent: 25 h" T), ERR_RANGE, "longer than 24 h"},
        {R(ANGLE "absent: 5" T), ERR_SYNTAX, "expected a time, as 5 s"},
        {R(ANGLE "absent: 5 s, for: 2 s" T), ERR_CONFLICT,
         "f.yaml:1:52: 'absent' says already for how long"},
        {R(ANGLE "above: 20 deg, for: 2" T), ERR_SYNTAX, "f.yaml:1:54: for is a time, as 2 s"},
        {R(ANGLE "above: 20 deg, for: -2 s" T), ERR_SYNTAX, "for is a time"},
        {R(ANGLE "above: 20 deg, clear_for: 2 sec" T), ERR_SYNTAX, "clear_for is a time"},
        {R(ANGLE "above: 20 deg, for: 25 h" T), ERR_RANGE, "longer than 24 h"},
        /* words */
        {R(ANGLE "above: 20 deg, text: t"), ERR_SYNTAX, "f.yaml:1:9: 'r' has no priority"},
        {R(ANGLE "above: 20 deg, priority: urgent, text: t"), ERR_UNKNOWN,
         "f.yaml:1:59: priority is low, medium or high, not 'urgent'"},
        {R(ANGLE "above: 20 deg, priority: low"), ERR_SYNTAX, "'r' has no text"},
        {R(ANGLE "above: 20 deg, technical: yes" T), ERR_UNKNOWN,
         "technical is false or true, not 'yes'"},
        {R(ANGLE "absent: 5 s, technical: false" T), ERR_CONFLICT, "always a technical alarm"},
        /* several conditions */
        {R("name: r, all: []" T), ERR_SYNTAX, "f.yaml:1:24: expected a list of conditions"},
        {R("name: r, all: {metric: angle, above: 2 deg}" T), ERR_SYNTAX, "expected a list"},
        {R("name: r, all: [angle]" T), ERR_SYNTAX, "f.yaml:1:25: a condition is a map"},
        {R("name: r, all: [{metric: angle, above: 2 deg}], metric: angle" T), ERR_CONFLICT,
         "'r' has both metric and all"},
        {R("name: r, all: [{metric: angel, above: 2 deg}]" T), ERR_UNKNOWN, "f.yaml:1:34: "},
        {R("name: r, all: [{metric: angle, above: 2 deg, for: 2 s}]" T), ERR_UNKNOWN,
         "f.yaml:1:55: 'for' is not known here"},
        {R("name: r, any: [{metric: angle, abov: 2 deg}]" T), ERR_UNKNOWN, "did you mean 'above'"},
        {R("name: r, not: [{metric: angle, above: 2 deg}]" T), ERR_SYNTAX, "a condition is a map"},
        {R("name: r, not: {all: [{not: {any: [{metric: angle, above: 2 deg}]}}]}" T), ERR_LIMIT,
         "conditions nest 4 deep at most"},
        {R("name: r, all: [{metric: fault, is: stall}, {metric: angle, above: 2 deg}]" T),
         ERR_CONFLICT, "fault is an event, which does not last: count it"},
        {R("name: r, metric: fault, is: stall, armed: session, clear_for: 1 s" T), ERR_CONFLICT,
         "fault is an event, which does not last: count it"},
        /* limits from elsewhere */
        {R(ANGLE "above: limt(angle)" T), ERR_UNKNOWN,
         "f.yaml:1:41: a limit is no limt(...); did you mean limit(...)?"},
        {R(ANGLE "above: limit(angel)" T), ERR_UNKNOWN, "did you mean \"angle\"?"},
        {R(ANGLE "above: limit(warmth)" T), ERR_RANGE, "angle is measured in deg, warmth in Cel"},
        {R(ANGLE "above: limit(angle" T), ERR_SYNTAX, "a '(' without its ')'"},
        {R(ANGLE "above: 80 of limit(angle)" T), ERR_SYNTAX, "expected a share up to 200 %"},
        {R(ANGLE "above: 201 % of limit(angle)" T), ERR_SYNTAX, "expected a share up to 200 %"},
        {R(ANGLE "above: -5 % of own_range(angle)" T), ERR_SYNTAX, "expected a share"},
        {R(ANGLE "above: limit(angle) + 2 Cel" T), ERR_RANGE, "angle is measured in deg"},
        {R(ANGLE "above: limit(angle) 2 deg" T), ERR_SYNTAX, "behind the ) may stand + or -"},
        {R(ANGLE "above: limit(angle), clear: 18 deg" T), ERR_CONFLICT,
         "f.yaml:1:62: the limit is no number: say 'deadband'"},
        {R(ANGLE "above: limit(angle), armed: always" T), ERR_CONFLICT, "only a session has"},
        {R(ANGLE "above: 20 deg, clear: 18 deg, deadband: 2 deg" T), ERR_CONFLICT, "say the same"},
        {R(ANGLE "above: 20 deg, deadband: -2 deg" T), ERR_RANGE, "is not negative"},
        {R(ANGLE "above: 20 deg, deadband: 90 deg" T), ERR_RANGE, "the clear limit"},
        {R(ANGLE "outside: [0 deg, 10 deg], deadband: 6 deg" T), ERR_RANGE, "the clear limit"},
        {R("name: r, metric: warmth, above: metric(pose)" T), ERR_CONFLICT, "no measured value"},
        /* windows */
        {R(ANGLE "mean: 3 s, above: 20 deg" T), ERR_RANGE,
         "f.yaml:1:40: too short: angle may take 2000 ms to come"},
        {R(ANGLE "above: 20 deg, stops: session" T), ERR_UNKNOWN, "stops is none or phase"},
        {R(ANGLE "last: 2 s, above: 20 deg" T), ERR_RANGE,
         "f.yaml:1:40: too short: without 'last' angle is known for 2000 ms"},
        {R("name: r, metric: pose, last: 1 min, is: upright" T), ERR_CONFLICT, "pose has no last"},
        {R(ANGLE "mean: 3, above: 20 deg" T), ERR_SYNTAX, "mean is a time"},
        {R(ANGLE "mean: 25 h, above: 20 deg" T), ERR_RANGE, "longer than 24 h"},
        {R(ANGLE "mean: 9 s, max: 9 s, above: 20 deg" T), ERR_CONFLICT, "both mean and max"},
        {R(ANGLE "mean: 9 s" T), ERR_SYNTAX, "has no condition"},
        {R(ANGLE "mean: 9 s, above: 200 deg" T), ERR_RANGE, "can never be passed"},
        {R("name: r, metric: pose, mean: 9 s, is: slouched" T), ERR_CONFLICT, "pose has no mean"},
        {R("name: r, metric: strokes, max: 9 s, above: 5" T), ERR_CONFLICT, "strokes has no max"},
        {R(ANGLE "rate: 9 s, above: 20 deg" T), ERR_RANGE,
         "the rate of angle is measured in deg/s, deg/min or deg/h"},
        {R(ANGLE "rate: 9 s, above: 20 deg/min, clear: 1 deg/s" T), ERR_RANGE, "the same in all"},
        {R(ANGLE "rate: 9 s, above: limit(angle)" T), ERR_CONFLICT, "held against a number"},
        {R(ANGLE "mean: 9 s, absent: 5 s" T), ERR_CONFLICT, "what is absent has no window"},
        /* windows of which nothing can come: angle is -40..120 deg, 100 ms and stale after 2 s */
        {R(ANGLE "rate: 4 s, above: 1600 deg/s" T), ERR_RANGE,
         "f.yaml:1:52: can never be passed: the rate of angle is -1600..1600 deg/s"},
        {R(ANGLE "rate: 4 s, below: -1600 deg/s" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "rate: 4 s, above: -1601 deg/s" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "rate: 32 s, above: 8 deg/s" T), ERR_RANGE,
         "f.yaml:1:53: can never be passed: the rate of angle is -8..8 deg/s"},
        {R(ANGLE "rate: 32 s, outside: [-480 deg/min, 10 deg/min]" T), ERR_RANGE, "f.yaml:1:56: "},
        {R("name: r, metric: strokes, rate: 9 s, below: 0/s" T), ERR_RANGE,
         "the rate of strokes is 0..65534 1/s"},
        {R(ANGLE "count: 2 s, times: 1, above: 20 deg" T), ERR_RANGE, "too short"},
        {R(ANGLE "count: 9 s, times: 47, above: 20 deg" T), ERR_RANGE,
         "f.yaml:1:53: can never be: angle comes each 100 ms, so it begins to hold 46 times"},
        /* conditions that exclude each other */
        {"rules:\n- name: r\n  all:\n  - {metric: angle, above: 50 deg}\n"
         "  - {metric: angle, below: 40 deg}\n  priority: low\n  text: t\n",
         ERR_CONFLICT, "f.yaml:5:28: never holds together with line 4: no angle can be both"},
        {R("name: r, all: [{metric: angle, below: 50 deg}, {metric: angle, above: 50 deg}]" T),
         ERR_CONFLICT, "f.yaml:1:80: never holds together with line 1"},
        {R("name: r, all: [{metric: pose, is: upright}, {all: [{metric: pose, is: slouched}]}]" T),
         ERR_CONFLICT, "no pose can be both"},
        {R("name: r, any: [{all: [{metric: warmth, absent: 5 s}, {metric: warmth, above: 40 "
           "Cel}]}]" T),
         ERR_CONFLICT, "no warmth can be both"},
        {R("name: r, all: [{metric: angle, mean: 9 s, above: 50 deg},"
           " {metric: angle, mean: 9 s, below: 40 deg}]" T),
         ERR_CONFLICT, "no angle can be both"},
        /* limits that another metric is */
        {R(ANGLE "above: metric(angle) + 160 deg" T), ERR_RANGE,
         "f.yaml:1:41: can never be passed: angle is -40..120 deg"},
        {R(ANGLE "below: metric(angle) - 160 deg" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "above: metric(angle) - 161 deg" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "above: own_range(angle) + 160 deg" T), ERR_RANGE, "can never be passed"},
        {R(ANGLE "outside: [metric(angle) - 160 deg, 20 deg]" T), ERR_RANGE, "f.yaml:1:44: "},
        {R(ANGLE "count: 9 s, above: 20 deg" T), ERR_SYNTAX, "'count' needs 'times'"},
        {R(ANGLE "count: 9 s, times: 0, above: 20 deg" T), ERR_SYNTAX, "a whole number from 1"},
        {R(ANGLE "count: 9 s, times: 1.5, above: 20 deg" T), ERR_SYNTAX, "a whole number from 1"},
        {R(ANGLE "times: 3, above: 20 deg" T), ERR_CONFLICT, "'times' belongs to 'count'"},
        /* arming */
        {R(ANGLE "above: 20 deg, armed: sometimes" T), ERR_SYNTAX,
         "f.yaml:1:56: armed is always, session"},
        {R(ANGLE "above: 20 deg, armed: []" T), ERR_SYNTAX, "armed is always, session"},
        {R(ANGLE "above: 20 deg, armed: [[a]]" T), ERR_UNKNOWN, "no kind of phase"},
        {R(ANGLE "above: 20 deg, armed: [heat, masage]" T), ERR_UNKNOWN,
         "f.yaml:1:63: no kind of phase 'masage'; did you mean 'massage'?"},
        {R(ANGLE "above: 20 deg, armed: {except: [heet]}" T), ERR_UNKNOWN,
         "no kind of phase 'heet'; did you mean 'heat'?"},
        {R(ANGLE "above: 20 deg, armed: {excpt: [heat]}" T), ERR_UNKNOWN, "did you mean 'except'"},
        {R(ANGLE "above: 20 deg, armed: {except: heat}" T), ERR_SYNTAX, "armed is always"},
        /* the life of its alarm */
        {R(CASE_FULL "text: t, latch: maybe"), ERR_UNKNOWN,
         "f.yaml:1:80: latch is false or true, not 'maybe'"},
        {R(CASE_FULL "text: t, latch: [true]"), ERR_SYNTAX, "latch is one line"},
        {R(CASE_FULL "text: t, escalate: soon"), ERR_SYNTAX, "f.yaml:1:83: escalate is a time"},
        {R(CASE_FULL "text: t, realarm: 25 h"), ERR_RANGE, "f.yaml:1:82: longer than 24 h"},
        {R(CASE_FULL "text: t, technical: true, inhibits: hub"), ERR_UNKNOWN,
         "inhibits is none, device or room, not 'hub'"},
        {R(CASE_FULL "text: t, inhibits: room"), ERR_CONFLICT,
         "f.yaml:1:83: only a technical alarm may hide others"},
        {R(CASE_FULL "text: t, plain: 'Hot {valeu}.'"), ERR_UNKNOWN, "did you mean {value}?"},
        {R(CASE_FULL "text: t, action: 'Lift {'"), ERR_SYNTAX, "a '{' without its '}'"},
        {R(CASE_FULL "text: t, title: ''"), ERR_SYNTAX, "title is one line of 1..100 bytes"},
        {R(CASE_FULL "text: t, action: [a]"), ERR_SYNTAX, "action is one line of 1..200 bytes"},
        {R(CASE_FULL "text: \"a\\nb\""), ERR_SYNTAX, "text is one line"},
        {R(CASE_FULL "text: 'Bent {valeu}.'"), ERR_UNKNOWN,
         "f.yaml:1:70: {valeu} is not known here; did you mean {value}?"},
        {R(CASE_FULL "text: 'Bent {age}.'"), ERR_UNKNOWN,
         "{age} is not known here; there are {value} {limit} {for}"},
        {R(CASE_FULL "text: 'Bent {value}, {}.'"), ERR_UNKNOWN, "{} is not known here"},
        {R(CASE_FULL "text: 'Bent {value'"), ERR_SYNTAX, "a '{' without its '}'"},
        {R(CASE_FULL "text: 'Bent {value} for {for}'"), ERR_CONFLICT,
         "'r' has nothing to say for {for}"},
        {R(ANGLE "absent: 5 s, priority: low, text: 'No {value}'"), ERR_CONFLICT,
         "nothing to say for {value}"},
        {R(ANGLE "absent: 5 s, priority: low, text: 'No {limit}'"), ERR_CONFLICT,
         "nothing to say for {limit}"},
    };
    struct drivers drivers;
    clinic_init(&drivers);
    unsigned wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rules *rules;
        struct diag diag = {0};
        char sentence[600];
        struct rules_text file = {"f.yaml", cases[i].text, strlen(cases[i].text), false};
        int code = rules_load(&rules, &file, 1, &drivers, 4, &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (code != cases[i].code || strncmp(sentence, "f.yaml:", 7) != 0 ||
            strstr(sentence, cases[i].sentence) == NULL) {
            print_error("%s\ngave %d %s\n", cases[i].text, code, sentence);
            wrong++;
        }
        assert_null(rules);
    }
    assert_int_equal(wrong, 0);
    drivers_fini(&drivers);
}

static void a_name_is_unique_through_all_files(void **state)
{
    (void)state;
    static const char one[] = "rules:\n- {name: r, metric: angle, above: 20 deg" T "}\n";
    static const char two[] = "\nrules:\n- {name: s, metric: angle, above: 20 deg" T "}\n"
                              "- {name: r, metric: angle, above: 30 deg" T "}\n";
    struct rules_text files[] = {{"one.yaml", one, strlen(one), false},
                                 {"two.yaml", two, strlen(two), false}};
    struct drivers drivers;
    struct rules *rules;
    struct diag diag = {0};
    char sentence[600];
    clinic_init(&drivers);
    assert_int_equal(rules_load(&rules, files, 2, &drivers, 4, &diag), ERR_CONFLICT);
    assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)),
                        "two.yaml:4:10: a second rule 'r'; the first is in one.yaml:2");
    drivers_fini(&drivers);
}

/* One file of rules, and one of what is changed of them. */
static int load_changed(struct rules **rules, const struct drivers *drivers, const char *changes,
                        char sentence[600])
{
    static const char text[] = "rules:\n"
                               "- {name: r, metric: angle, above: 20 deg, for: 5 s" T "}\n"
                               "- {name: s, metric: angle, below: 0 deg, clear: 2 deg" T "}\n";
    /* The order of the files is no matter. */
    struct rules_text files[] = {{"changes.yaml", changes, strlen(changes), true},
                                 {"rules.yaml", text, strlen(text), false}};
    struct diag diag = {0};
    int code = rules_load(rules, files, 2, drivers, 4, &diag);
    diag_sentence(&diag, sentence, 600);
    return code;
}

static void a_file_of_changes_changes_what_it_says_and_nothing_else(void **state)
{
    (void)state;
    struct drivers drivers;
    struct rules *rules;
    char sentence[600];
    clinic_init(&drivers);
    assert_int_equal(load_changed(&rules, &drivers,
                                  "rules:\n- {name: r, above: 30 deg, for: , priority: high}\n"
                                  "- {name: s, off: true}\n"
                                  "- {name: t, metric: angle, above: 50 deg" T "}\n",
                                  sentence),
                     0);
    assert_int_equal(rules_written(rules), 2);
    const struct rule *rule = rules_at(rules, 0);
    assert_string_equal(rule->name, "r");
    assert_int_equal(rule->high, 30);
    assert_int_equal(rule->on_delay_ms, 0);
    assert_int_equal(rule->priority, PRIORITY_HIGH);
    const struct rule_source *source = rules_source(rules, 0);
    assert_string_equal(yaml_get(source->before, "above")->scalar, "20 deg");
    assert_string_equal(yaml_get(source->written, "above")->scalar, "30 deg");
    assert_null(yaml_get(source->written, "for"));
    assert_string_equal(source->written->file, "changes.yaml");
    assert_int_equal(rules_changed(rules), 1);
    assert_string_equal(rules_at(rules, 1)->name, "t"); /* its own, behind all others */
    assert_null(rules_source(rules, 1)->before);
    assert_null(rules_find(rules, "s"));
    assert_string_equal(yaml_get(rules_off(rules, 0)->written, "name")->scalar, "s");
    assert_string_equal(yaml_get(rules_off(rules, 0)->before, "below")->scalar, "0 deg");
    assert_null(rules_off(rules, 1));
    assert_null(rules_source(rules, rules_written(rules)));
    rules_destroy(rules);
    drivers_fini(&drivers);
}

static void a_change_that_is_not_good_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence; /* NULL: taken */
    } cases[] = {
        {"", NULL},
        {"rules: []", NULL},
        {"rules:\n- {name: r, above: 20 Cel}", "changes.yaml:2:20: angle is measured in deg"},
        {"rules:\n- {name: r, abvoe: 2 deg}", "changes.yaml:2:13: 'abvoe' is not known here"},
        {"rules:\n- {name: r, above: 30 deg", "changes.yaml:"},
        {"rules:\n- {name: r, metric: }", "changes.yaml:2:3: 'r' "},
        {"rules:\n- {name: s, clear: -1 deg}", "changes.yaml:2:20: "},
        /* what is not changed fits no more: its own place is named */
        {"rules:\n- {name: s, below: 3 deg}", "rules.yaml:3:"},
        {"rules:\n- {name: r, off: maybe}", "changes.yaml:2:18: off is true"},
        {"rules:\n- {name: x, off: true}", "changes.yaml:2:18: there is no rule 'x' to leave out"},
        {"rules:\n- {name: x, above: 1 deg}", "changes.yaml:2:3: "},
        {"rules:\n- {name: r, for: 1 s}\n- {name: r, for: 2 s}",
         "changes.yaml:3:3: 'r' is changed twice; first in line 2"},
        {"rules:\n- {above: 1 deg}", "changes.yaml:2:3: a rule has a name"},
        {"rules:\n- r", "changes.yaml:2:3: a rule has a name"},
        {"derived:\n- {name: x}", "changes.yaml:2:1: changes are of rules"},
    };
    struct drivers drivers;
    unsigned wrong = 0;
    clinic_init(&drivers);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rules *rules;
        char sentence[600];
        int code = load_changed(&rules, &drivers, cases[i].text, sentence);
        bool good = cases[i].sentence == NULL;
        if ((code == 0) != good ||
            (!good && strncmp(sentence, cases[i].sentence, strlen(cases[i].sentence)) != 0)) {
            print_error("%s\ngave %d %s\n", cases[i].text, code, sentence);
            wrong++;
        }
        rules_destroy(rules);
    }
    assert_int_equal(wrong, 0);
    drivers_fini(&drivers);
}

static void no_rules_are_an_empty_set(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# words", "{}", "rules:", "rules: []"};
    struct drivers drivers;
    clinic_init(&drivers);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rules *rules = clinic_rules(&drivers, 4, texts[i]);
        assert_int_equal(rules_count(rules), 0);
        rules_destroy(rules);
    }
    struct rules *rules;
    struct diag diag = {0};
    assert_int_equal(rules_load(&rules, NULL, 0, &drivers, 4, &diag), 0);
    rules_destroy(rules);
    rules_destroy(NULL);
    drivers_fini(&drivers);
}

static void a_set_has_2000_rules_at_most(void **state)
{
    (void)state;
    static char buffer[400000];
    struct drivers drivers;
    clinic_init(&drivers);
    for (int count = 2000; count <= 2001; count++) {
        struct text text = text_in(buffer, sizeof(buffer));
        text_add(&text, "rules:\n");
        for (int i = 0; i < count; i++)
            text_add(&text, "- {name: r%d, metric: angle, above: 20 deg" T "}\n", i);
        assert_false(text.cut);
        struct rules *rules;
        struct diag diag = {0};
        struct rules_text file = {"f.yaml", buffer, text.length, false};
        assert_int_equal(rules_load(&rules, &file, 1, &drivers, 4, &diag),
                         count == 2000 ? 0 : ERR_LIMIT);
        rules_destroy(rules);
    }
    drivers_fini(&drivers);
}

/* A plugin's own table, by dlopen as the hub does; false where it is not built. */
static bool add_real_plugin(struct drivers *drivers, const char *name)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s.so", PLUGIN_FOLDER, name);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct lumbar_plugin *plugin = object ? dlsym(object, "lumbar_plugin") : NULL;
    struct diag diag = {0};
    if (plugin == NULL)
        return false;
    if (driver_check(plugin, &diag) != 0 || drivers_add(drivers, plugin, &diag) != 0)
        fail_msg("%s: %s", name, diag.text);
    return true;
}

/* One step from what can never be. */
static void what_can_just_be_is_taken(void **state)
{
    (void)state;
    static const char *const cases[] = {
        R(ANGLE "rate: 4 s, above: 1599 deg/s" T),
        R(ANGLE "rate: 4 s, above: -1600 deg/s" T),
        R(ANGLE "rate: 32 s, above: 7.9 deg/s" T),
        R("name: r, metric: strokes, rate: 9 s, below: 1/s" T),
        R(ANGLE "count: 9 s, times: 46, above: 20 deg" T),
        R("name: r, metric: fault, count: 9 s, times: 10000, is: stall" T),
        R("name: r, all: [{metric: angle, above: 40 deg}, {metric: angle, below: 50 deg}]" T),
        R("name: r, any: [{metric: angle, above: 50 deg}, {metric: angle, below: 40 deg}]" T),
        R("name: r, all: [{metric: angle, max: 9 s, above: 50 deg}, {metric: angle, below: 40 "
          "deg}]" T),
        R("name: r, all: [{metric: angle, above: 50 deg}, {metric: speed, below: 40 deg/s}]" T),
        R("name: r, all: [{metric: angle, above: 50 deg}, {any: [{metric: angle, below: 40 deg},"
          " {metric: warmth, above: 40 Cel}]}]" T),
        R(ANGLE "above: metric(angle) + 159 deg" T),
        R(ANGLE "above: metric(angle) - 160 deg" T),
        R(ANGLE "outside: own_range(angle)" T),
        R(ANGLE "above: limit(angle) + 160 deg" T),
    };
    struct drivers drivers;
    clinic_init(&drivers);
    for (size_t i = 0; i < COUNT(cases); i++)
        rules_destroy(clinic_rules(&drivers, 4, cases[i]));
    drivers_fini(&drivers);
}

static char *read_whole(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(65536);
    assert_non_null(text);
    *bytes = fread(text, 1, 65536, file);
    fclose(file);
    return text;
}

static void the_shipped_rules_load_with_the_shipped_plugins(void **state)
{
    (void)state;
    static const char *const names[] = {"massage", "posture", "technical"};
    struct drivers drivers;
    drivers_init(&drivers);
    if (!add_real_plugin(&drivers, "posture") || !add_real_plugin(&drivers, "massage") ||
        !add_real_plugin(&drivers, "hub")) {
        print_message("skipped: no plugins in " PLUGIN_FOLDER "\n");
        drivers_fini(&drivers);
        skip();
    }
    struct rules_text files[COUNT(names)] = {0};
    char paths[COUNT(names)][400], sentence[600];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(paths[i], sizeof(paths[i]), SOURCE_FOLDER "/config/rules.d/%s.yaml", names[i]);
        files[i].file = paths[i];
        files[i].text = read_whole(paths[i], &files[i].bytes);
    }
    struct rules *rules;
    struct derive *derive;
    struct diag diag = {0};
    if (derive_load(&derive, files, COUNT(names), &drivers, 400, &diag) != 0 ||
        rules_load(&rules, files, COUNT(names), &drivers, 400, &diag) != 0)
        fail_msg("%s", diag_sentence(&diag, sentence, sizeof(sentence)));
    assert_int_equal(derive_count(derive), 11);
    assert_true(rules_written(rules) >= 40);
    for (uint32_t i = 0; i < rules_written(rules); i++) { /* what a therapist needs is there */
        const struct rule *rule = rules_at(rules, i);
        assert_true(rule->action[0] != '\0' && strcmp(rule->title, rule->name) != 0);
        assert_true(rule->plain[0] != '\0'); /* and what the client is told */
        assert_true(rule->off_delay_ms > 0); /* none that could chatter */
        if (rule->priority == PRIORITY_HIGH) /* told again, if nobody comes */
            assert_in_range(rule->escalate_ms, 1, 60000);
    }
    assert_int_equal(rules_find(rules, "skin-hot")->priority, PRIORITY_HIGH);
    rules_destroy(rules);
    for (size_t i = 0; i < COUNT(names); i++)
        free((void *)(uintptr_t)files[i].text);
    drivers_fini(&drivers);
    derive_destroy(derive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_read_with_all_its_words),
        cmocka_unit_test(a_mistake_is_said_with_its_place_and_a_proposal),
        cmocka_unit_test(what_can_just_be_is_taken),
        cmocka_unit_test(a_name_is_unique_through_all_files),
        cmocka_unit_test(a_file_of_changes_changes_what_it_says_and_nothing_else),
        cmocka_unit_test(a_change_that_is_not_good_is_refused_with_its_place),
        cmocka_unit_test(no_rules_are_an_empty_set),
        cmocka_unit_test(a_set_has_2000_rules_at_most),
        cmocka_unit_test(the_shipped_rules_load_with_the_shipped_plugins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
