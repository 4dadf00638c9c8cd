/* What is suppressed: kept from when it would be raised until it is armed, or over. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/suppressed.h"
#include "rules_clinic.h"

#define START INT64_C(1700000000000)

static const char rules_text[] =
    "rules:\n"
    "- {name: bent, metric: angle, above: 20 deg, armed: session, priority: low, text: t}\n"
    "- {name: warm, metric: warmth, above: 41 Cel, armed: [rest], priority: low, text: t}\n";

static void found(struct suppressions *all, const struct rules *rules, const char *rule,
                  uint32_t device, char what, int64_t at_ms)
{
    suppressions_take(all, &(struct rule_event){.rule = rules_find(rules, rule),
                                                .device = device,
                                                .on = what == '+',
                                                .suppressed = what == 's',
                                                .value = 25,
                                                .limit = 20,
                                                .time_ms = at_ms});
}

static void it_is_there_until_it_is_armed_or_over(void **state)
{
    (void)state;
    static struct suppressions all;
    static const struct {
        const char *rule;
        uint32_t device;
        char what; /* s suppressed, + raised, - over */
        uint32_t count;
        bool changes;
    } steps[] = {
        {"bent", 1, 's', 1, true}, {"bent", 2, 's', 2, true},
        {"warm", 1, 's', 3, true}, {"warm", 2, '-', 3, false}, /* it was not */
        {"bent", 1, '-', 2, true}, {"bent", 1, '-', 2, false},
        {"bent", 2, '+', 1, true}, {"warm", 1, 's', 1, true}, /* anew */
        {"warm", 1, '+', 0, true},
    };
    struct drivers drivers;
    clinic_init(&drivers);
    struct rules *rules = clinic_rules(&drivers, 4, rules_text);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        uint64_t change = all.change;
        found(&all, rules, steps[i].rule, steps[i].device, steps[i].what, START + i);
        assert_int_equal(all.count, steps[i].count);
        assert_int_equal(all.change != change, steps[i].changes);
    }
    rules_destroy(rules);
    drivers_fini(&drivers);
}

static void another_set_keeps_what_goes_on_and_may_be_suppressed(void **state)
{
    (void)state;
    static struct suppressions all;
    static const struct {
        const char *rules;
        uint32_t kept;
    } cases[] = {
        {rules_text, 2},
        {"rules: []", 0},
        {"rules:\n"
         "- {name: bent, metric: angle, above: 30 deg, armed: session, priority: low, text: t}\n"
         "- {name: warm, metric: warmth, above: 41 Cel, priority: low, text: t}\n",
         1}, /* the other is always armed now */
        {"rules:\n"
         "- {name: bent, metric: angle, below: 30 deg, armed: session, priority: low, text: t}\n",
         0}, /* another condition */
    };
    struct drivers drivers;
    clinic_init(&drivers);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rules *rules = clinic_rules(&drivers, 4, rules_text);
        struct rules *fresh = clinic_rules(&drivers, 4, cases[i].rules);
        all = (struct suppressions){.count = 0};
        found(&all, rules, "bent", 1, 's', START);
        found(&all, rules, "warm", 1, 's', START);
        uint64_t change = all.change;
        suppressions_adopt(&all, fresh);
        rules_destroy(rules);
        assert_int_equal(all.count, cases[i].kept);
        assert_true(all.change > change);
        for (uint32_t k = 0; k < all.count; k++)
            assert_ptr_equal(all.list[k].rule, rules_find(fresh, all.list[k].rule->name));
        rules_destroy(fresh);
    }
    drivers_fini(&drivers);
}

static void what_finds_no_place_is_counted(void **state)
{
    (void)state;
    static struct suppressions all;
    struct drivers drivers;
    clinic_init(&drivers);
    struct rules *rules = clinic_rules(&drivers, 4, rules_text);
    for (uint32_t device = 1; device <= SUPPRESSED_MAX + 3; device++)
        found(&all, rules, "bent", device, 's', START + device);
    assert_int_equal(all.count, SUPPRESSED_MAX);
    assert_int_equal(all.lost, 3);
    assert_int_equal(all.list[0].device, 1);
    found(&all, rules, "bent", 1, '-', START);
    assert_int_equal(all.list[0].device, 2); /* the oldest first */
    found(&all, rules, "bent", 1, 's', START);
    assert_int_equal(all.list[SUPPRESSED_MAX - 1].device, 1);
    rules_destroy(rules);
    drivers_fini(&drivers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_until_it_is_armed_or_over),
        cmocka_unit_test(another_set_keeps_what_goes_on_and_may_be_suppressed),
        cmocka_unit_test(what_finds_no_place_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
