/* Alarm floods: when one begins, and when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flood.h"

#define NOW   INT64_C(1700000000000)
#define LIMIT 10

static void begin(struct flood *flood, unsigned count, int64_t now_ms)
{
    while (count-- > 0)
        flood_note(flood, now_ms);
}

static void a_flood_begins_above_the_limit_and_ends_at_half_of_it(void **state)
{
    (void)state;
    struct flood flood = {.on = false};
    begin(&flood, 6, NOW);
    begin(&flood, 4, NOW + 300000);
    assert_false(flood_tick(&flood, LIMIT, NOW + 300000)); /* ten are not yet one */
    begin(&flood, 1, NOW + 300001);
    assert_true(flood_tick(&flood, LIMIT, NOW + 300250));
    assert_true(flood.on);
    assert_int_equal(flood.count, 11);
    begin(&flood, 1, NOW + 400000);
    assert_false(flood_tick(&flood, LIMIT, NOW + 590000));
    assert_int_equal(flood.count, 12);
    assert_false(flood_tick(&flood, LIMIT, NOW + 610000)); /* six are too old: six are left */
    assert_int_equal(flood.count, 6);
    assert_true(flood.on);
    assert_true(flood_tick(&flood, LIMIT, NOW + 910000));
    assert_int_equal(flood.count, 1);
    assert_false(flood.on);
}

static void what_was_none_is_taken_back(void **state)
{
    (void)state;
    struct flood flood = {.on = false};
    begin(&flood, 11, NOW);
    flood_take_back(&flood);
    assert_false(flood_tick(&flood, LIMIT, NOW));
    assert_int_equal(flood.count, 10);
    flood_tick(&flood, LIMIT, NOW + 86400000);
    flood_take_back(&flood);
    assert_int_equal(flood.count, 0);
}

static void a_thousand_at_once_are_counted_and_forgotten(void **state)
{
    (void)state;
    struct flood flood = {.on = false};
    begin(&flood, 1000, NOW);
    assert_true(flood_tick(&flood, LIMIT, NOW));
    assert_int_equal(flood.count, 1000);
    assert_true(flood_tick(&flood, LIMIT, NOW + 86400000)); /* a night without a tick */
    assert_int_equal(flood.count, 0);
}

static void a_clock_that_steps_back_loses_none(void **state)
{
    (void)state;
    struct flood flood = {.on = false};
    begin(&flood, 8, NOW);
    begin(&flood, 8, NOW - 3600000);
    assert_true(flood_tick(&flood, LIMIT, NOW - 3600000));
    assert_int_equal(flood.count, 16);
    assert_false(flood_tick(&flood, LIMIT, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_begins_above_the_limit_and_ends_at_half_of_it),
        cmocka_unit_test(what_was_none_is_taken_back),
        cmocka_unit_test(a_thousand_at_once_are_counted_and_forgotten),
        cmocka_unit_test(a_clock_that_steps_back_loses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
