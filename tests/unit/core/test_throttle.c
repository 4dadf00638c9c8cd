/* core/throttle: how often a secret may be tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/throttle.h"

#define NOW INT64_C(1700000000000)

static struct throttle throttle;

static int clear(void **state)
{
    (void)state;
    memset(&throttle, 0, sizeof(throttle));
    throttle.seed = 42;
    return 0;
}

static void a_burst_is_let_through_and_then_one_each_period(void **state)
{
    (void)state;
    for (int i = 0; i < throttle_account.burst; i++)
        assert_int_equal(throttle_try(&throttle, &throttle_account, 7, NOW), 0);
    assert_int_equal(throttle_try(&throttle, &throttle_account, 7, NOW),
                     throttle_account.period_ms);
    assert_int_equal(
        throttle_try(&throttle, &throttle_account, 7, NOW + throttle_account.period_ms - 1), 1);
    assert_int_equal(
        throttle_try(&throttle, &throttle_account, 7, NOW + throttle_account.period_ms), 0);
    assert_int_equal(
        throttle_try(&throttle, &throttle_account, 7, NOW + throttle_account.period_ms),
        throttle_account.period_ms);
}

/* Nobody is kept out for longer than one period, however often a stranger tried. */
static void no_storm_of_tries_makes_the_wait_longer(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_true(throttle_try(&throttle, &throttle_account, 7, NOW) <=
                    throttle_account.period_ms);
}

static void what_was_right_costs_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 10 * throttle_account.burst; i++) {
        assert_int_equal(throttle_try(&throttle, &throttle_account, 7, NOW), 0);
        throttle_give_back(&throttle, &throttle_account, 7);
    }
}

static void all_is_back_after_a_while(void **state)
{
    (void)state;
    int64_t later = NOW + throttle_account.burst * throttle_account.period_ms;
    for (int i = 0; i < throttle_account.burst; i++)
        throttle_try(&throttle, &throttle_account, 7, NOW);
    for (int i = 0; i < throttle_account.burst; i++)
        assert_int_equal(throttle_try(&throttle, &throttle_account, 7, later), 0);
    assert_true(throttle_try(&throttle, &throttle_account, 7, later) > 0);
}

static void names_addresses_and_hubs_differ(void **state)
{
    (void)state;
    struct throttle other = {.seed = 43};
    uint64_t key = throttle_key(&throttle, "anna", 4, 1);
    assert_int_equal(key, throttle_key(&throttle, "anna", 4, 1));
    assert_int_not_equal(key, throttle_key(&throttle, "anna", 4, 2));
    assert_int_not_equal(key, throttle_key(&throttle, "anne", 4, 1));
    assert_int_not_equal(key, throttle_key(&other, "anna", 4, 1));
}

/* Who invents names reaches no other's place more than by chance: it pushes nobody out, and what
 * was tried before stays tried. */
static void invented_names_do_not_set_a_name_free(void **state)
{
    (void)state;
    uint64_t key = throttle_key(&throttle, "anna", 4, 1);
    for (int i = 0; i < throttle_account.burst; i++)
        throttle_try(&throttle, &throttle_account, key, NOW);
    for (int i = 0; i < 100000; i++) {
        char name[32];
        int length = snprintf(name, sizeof(name), "made-up-%d", i);
        throttle_try(&throttle, &throttle_account, throttle_key(&throttle, name, (size_t)length, 1),
                     NOW);
    }
    assert_true(throttle_try(&throttle, &throttle_account, key, NOW) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(a_burst_is_let_through_and_then_one_each_period),
        TEST(no_storm_of_tries_makes_the_wait_longer),
        TEST(what_was_right_costs_nothing),
        TEST(all_is_back_after_a_while),
        TEST(names_addresses_and_hubs_differ),
        TEST(invented_names_do_not_set_a_name_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
