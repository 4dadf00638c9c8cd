/* Alarm load: counts, floods, the worst rules, and how alarms were answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/load.h"

#define MINUTE INT64_C(60000)
#define FROM   (INT64_C(1700000000) / 600 * 600 * 1000) /* ten minutes of the clock begin */
#define DAY    (24 * 60 * MINUTE)

static void nothing_happened(void **state)
{
    (void)state;
    struct load_report report;
    struct load *load = load_create(FROM, FROM + DAY, 10);
    load_finish(load, &report);
    assert_int_equal(report.alarms + report.most + report.floods + report.worst_count, 0);
    assert_int_equal(report.ack_median_ms, -1);
    assert_true(report.per_span == 0);
    load_destroy(load);
}

static void add(struct load *load, const char *rule, int64_t at_ms, int64_t acked_after_ms,
                bool over)
{
    const struct load_alarm alarm = {.rule = rule,
                                     .raised_ms = FROM + at_ms,
                                     .acked_ms = acked_after_ms >= 0 ? FROM + at_ms + acked_after_ms
                                                                     : 0,
                                     .over = over};
    assert_int_equal(load_add(load, &alarm), 0);
}

static void what_was_answered_is_told_from_what_ended_unseen(void **state)
{
    (void)state;
    struct load_report report;
    struct load *load = load_create(FROM, FROM + DAY, 10);
    add(load, "bent", 0, 4000, true);
    add(load, "hot", 1 * MINUTE, -1, true);
    add(load, "bent", 2 * MINUTE, 10000, false);
    add(load, "bent", 3 * MINUTE, -1, true);
    add(load, "bent", 11 * MINUTE, 90000, true);
    add(load, "lost", 12 * MINUTE, -1, false); /* stands: it may still be acknowledged */
    load_finish(load, &report);
    assert_int_equal(report.alarms, 6);
    assert_int_equal(report.most, 4);
    assert_int_equal(report.most_ms, FROM);
    assert_true(report.per_span > 6.0 / 144 - 1e-9 && report.per_span < 6.0 / 144 + 1e-9);
    assert_int_equal(report.acked, 3);
    assert_int_equal(report.ack_median_ms, 10000);
    assert_int_equal(report.ended, 4);
    assert_int_equal(report.unacked, 2);
    assert_int_equal(report.worst_count, 3);
    assert_string_equal(report.worst[0].name, "bent");
    assert_int_equal(report.worst[0].alarms, 4);
    assert_int_equal(report.worst[0].unacked, 1);
    assert_true(report.worst[0].share > 0.66 && report.worst[0].share < 0.67);
    assert_string_equal(report.worst[1].name, "hot"); /* of equals, by name */
    assert_string_equal(report.worst[2].name, "lost");
    load_destroy(load);
}

static void the_median_of_two_lies_between_them(void **state)
{
    (void)state;
    struct load_report report;
    struct load *load = load_create(FROM, FROM + DAY, 10);
    add(load, "a", 0, 2000, true);
    add(load, "a", MINUTE, 8000, true);
    load_finish(load, &report);
    assert_int_equal(report.ack_median_ms, 5000);
    load_destroy(load);
}

static void a_flood_begins_above_the_limit_and_ends_when_half_are_left(void **state)
{
    (void)state;
    struct load_report report;
    struct load *load = load_create(FROM, FROM + DAY, 10);
    for (int i = 0; i < 10; i++)
        add(load, "a", i * MINUTE / 2, -1, true); /* ten in five minutes: none yet */
    add(load, "a", 5 * MINUTE, -1, true);
    add(load, "a", 6 * MINUTE, -1, true);
    add(load, "a", 10 * 60 * MINUTE, -1, true); /* hours later */
    load_finish(load, &report);
    assert_int_equal(report.floods, 1);
    assert_int_equal(report.flood_count, 1);
    assert_int_equal(report.flood[0].from_ms, FROM + 5 * MINUTE);
    assert_int_equal(report.flood[0].alarms, 12);
    /* Those of the first 3.5 minutes are older than ten minutes then, and five are left. */
    assert_in_range(report.flood[0].to_ms, FROM + 13 * MINUTE, FROM + 14 * MINUTE);
    load_destroy(load);
}

static void a_flood_that_goes_on_ends_with_the_span(void **state)
{
    (void)state;
    struct load_report report;
    struct load *load = load_create(FROM, FROM + 7 * MINUTE, 10);
    for (int i = 0; i < 30; i++)
        add(load, "a", i * 10000, -1, true);
    load_finish(load, &report);
    assert_int_equal(report.flood[0].from_ms, FROM + 100000);
    assert_int_equal(report.flood[0].to_ms, FROM + 7 * MINUTE);
    assert_int_equal(report.flood[0].alarms, 30);
    load_destroy(load);
}

static void more_floods_and_rules_than_are_told_are_counted(void **state)
{
    (void)state;
    static struct load_report report;
    struct load *load = load_create(FROM, FROM + 100 * DAY, 1);
    for (int i = 0; i < LOAD_FLOODS_MAX + 7; i++) {
        char rule[16];
        snprintf(rule, sizeof(rule), "r%02d", i);
        add(load, rule, i * 60 * MINUTE, -1, true);
        add(load, rule, i * 60 * MINUTE + 1000, -1, true);
    }
    load_finish(load, &report);
    assert_int_equal(report.floods, LOAD_FLOODS_MAX + 7);
    assert_int_equal(report.flood_count, LOAD_FLOODS_MAX);
    assert_int_equal(report.worst_count, LOAD_RULES_WORST);
    assert_int_equal(report.unacked, 2 * (LOAD_FLOODS_MAX + 7));
    assert_string_equal(report.worst[0].name, "r00");
    load_destroy(load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(what_was_answered_is_told_from_what_ended_unseen),
        cmocka_unit_test(the_median_of_two_lies_between_them),
        cmocka_unit_test(a_flood_begins_above_the_limit_and_ends_when_half_are_left),
        cmocka_unit_test(a_flood_that_goes_on_ends_with_the_span),
        cmocka_unit_test(more_floods_and_rules_than_are_told_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
