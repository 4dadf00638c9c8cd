#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/rules.h"
#include "rules_clinic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void words_are_filled_in_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *text;
        double value, limit;
        const char *sentence;
    } cases[] = {
        {"metric: warmth, above: 43 Cel, for: 12 s", "Skin under the pad {value} for {for}.", 43.6,
         43, "Skin under the pad 43.6 °C for 12 s."},
        {"metric: angle, above: 20 deg, for: 1 min", "Bent {value} (over {limit}) for {for}.", 25,
         20, "Bent 25° (over 20°) for 60 s."},
        {"metric: angle, above: 20 deg, for: 5 min", "{for}", 25, 20, "5 min"},
        {"metric: angle, above: 20 deg, for: 150 s", "{for}", 25, 20, "150 s"},
        {"metric: angle, above: 20 deg, for: 1500 ms", "{for}", 25, 20, "1.5 s"},
        {"metric: angle, above: 20.25 deg", "{value} {limit}", 20.3333, 20.25, "20.3° 20.25°"},
        {"metric: angle, below: -5.5 deg", "{value}, under {limit}", -7, -5.5, "-7°, under -5.5°"},
        {"metric: angle, outside: [-5 deg, 20 deg]", "{value}/{limit}", -9, -5, "-9°/-5°"},
        {"metric: angle, outside: [-5 deg, 20 deg]", "{value}/{limit}", 29, 20, "29°/20°"},
        {"metric: speed, above: 40 deg/s", "{value}", 41.4, 40, "41°/s"},
        {"metric: back/battery, below: 20 %", "Battery of {device} at {value}.", 15, 20,
         "Battery of b-01 at 15 %."},
        {"metric: strokes, above: 1000", "{value} strokes", 1001, 1000, "1001 strokes"},
        {"metric: pose, is: off_body", "{metric}: {value}, not {limit}.", 2, NAN,
         "Pose: off body, not off body."},
        {"metric: fault, is: stall, clear_for: 9 s", "{device} in {room}: {value}", 0, NAN,
         "b-01 in Room 1: stall"},
        {"metric: warmth, absent: 5 s", "No {metric} from {device} for {for}.", NAN, NAN,
         "No Skin from b-01 for 5 s."},
        {"metric: warmth, above: 43 Cel", "Skin {value}.", NAN, 43, "Skin unknown."},
        {"metric: warmth, above: 43 Cel", "no words at all}", 1, 43, "no words at all}"},
        {"metric: warmth, above: 43 Cel", "{room}{room}", 1, 43, "Room 1Room 1"},
        {"metric: warmth, above: 43 Cel", "100 %s of {device}", 1, 43, "100 %s of b-01"},
        {"metric: warmth, rate: 1 min, above: 0.5 Cel/min", "{value}, over {limit}, in {for}", 0.61,
         0.5, "0.61 °C/min, over 0.5 °C/min, in 60 s"},
        {"metric: fault, is: stall, count: 10 min, times: 3", "{value} of {limit} in {for}", 4, 3,
         "4 of 3 in 10 min"},
        {"metric: warmth, above: 43 Cel", "Over {limit} in {phase}.", 50, NAN,
         "Over unknown in no phase."},
        {"metric: warmth, above: 43 Cel", "In {phase}.", 50, 43, "In heat."},
    };
    struct drivers drivers;
    clinic_init(&drivers);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char yaml[400], sentence[200];
        snprintf(yaml, sizeof(yaml), "rules: [{name: r, %s, priority: low, text: '%s'}]",
                 cases[i].rule, cases[i].text);
        struct rules *rules = clinic_rules(&drivers, 1, yaml);
        const struct rule *rule = rules_at(rules, 0);
        struct text out = text_in(sentence, sizeof(sentence));
        rule_write_text(&out, rule, rule->text,
                        &(struct rule_facts){.device = "b-01",
                                             .room = "Room 1",
                                             .phase = i % 2 == 0 ? "heat" : NULL,
                                             .value = cases[i].value,
                                             .limit = cases[i].limit});
        assert_string_equal(sentence, cases[i].sentence);
        rules_destroy(rules);
    }
    drivers_fini(&drivers);
}

static void a_short_buffer_cuts_the_sentence(void **state)
{
    (void)state;
    struct drivers drivers;
    clinic_init(&drivers);
    struct rules *rules = clinic_rules(
        &drivers, 1,
        "rules: [{name: r, metric: warmth, above: 43 Cel, priority: low, text: 'Skin {value}.'}]");
    const struct rule *rule = rules_at(rules, 0);
    for (size_t bytes = 1; bytes < 20; bytes++) {
        char sentence[32] = {0};
        struct text out = text_in(sentence, bytes);
        rule_write_text(&out, rule, rule->text,
                        &(struct rule_facts){.device = "d", .room = "r", .value = 43.6});
        assert_true(strlen(sentence) < bytes);
        assert_int_equal(strncmp("Skin 43.6 °C.", sentence, strlen(sentence)), 0);
        assert_int_equal(out.cut, bytes <= strlen("Skin 43.6 °C."));
        if (strlen(sentence) > 9) /* never half of the degree sign */
            assert_int_not_equal((unsigned char)sentence[strlen(sentence) - 1], 0xc2);
    }
    rules_destroy(rules);
    drivers_fini(&drivers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_filled_in_as_people_write_them),
        cmocka_unit_test(a_short_buffer_cuts_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
