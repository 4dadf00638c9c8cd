/* Repeats: what was created by a key is found by it, while it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/repeats.h"

static struct repeats repeats;

static struct repeat made(const char *key, uint64_t id, int64_t at_ms)
{
    struct repeat repeat = {.request = id, .at_ms = at_ms, .kind = REPEAT_SESSION, .id = id};
    snprintf(repeat.key, sizeof(repeat.key), "%s", key);
    return repeat;
}

static int set_up(void **state)
{
    (void)state;
    repeats = (struct repeats){0};
    return 0;
}

static void a_key_is_visible_ascii(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool good;
    } cases[] = {{"a", true},     {"\"8e03978e-40d5\"", true}, {"", false},     {"a b", false},
                 {"a\tb", false}, {"\xc3\xa4", false},         {"a\x7f", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(repeats_key_is_good(cases[i].key), cases[i].good);
    char longest[REPEATS_KEY_BYTES + 1] = {0};
    memset(longest, 'k', REPEATS_KEY_BYTES - 1);
    assert_true(repeats_key_is_good(longest));
    longest[REPEATS_KEY_BYTES - 1] = 'k';
    assert_false(repeats_key_is_good(longest));
}

static void one_is_found_for_a_day(void **state)
{
    (void)state;
    struct repeat repeat = made("a", 7, 1000);
    repeats_add(&repeats, &repeat);
    assert_int_equal(repeats_find(&repeats, "a", 1000 + REPEATS_MS - 1)->id, 7);
    assert_null(repeats_find(&repeats, "a", 1000 + REPEATS_MS));
    assert_null(repeats_find(&repeats, "b", 1000));
    assert_null(repeats_find(&repeats, "", 1000)); /* which free places have */
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    char key[16];
    for (uint64_t i = 1; i <= REPEATS_MAX + 1; i++) {
        snprintf(key, sizeof(key), "key-%d", (int)i);
        struct repeat repeat = made(key, i, (int64_t)i);
        assert_int_equal(repeats_add(&repeats, &repeat), (i - 1) % REPEATS_MAX);
    }
    assert_null(repeats_find(&repeats, "key-1", 1000));
    assert_int_equal(repeats.lost, 1);
    assert_int_equal(repeats_held(&repeats, 1000), REPEATS_MAX);
    assert_int_equal(repeats_held(&repeats, REPEATS_MS + 3), REPEATS_MAX - 2);
    struct repeat later = made("later", 300, REPEATS_MS + 3);
    repeats_add(&repeats, &later); /* what it takes the place of holds no more */
    assert_int_equal(repeats.lost, 1);
    assert_int_equal(repeats_find(&repeats, "key-3", 1000)->id, 3);
    assert_int_equal(repeats_find(&repeats, "key-257", 1000)->id, 257);
}

static void after_a_start_the_next_takes_the_oldest_place(void **state)
{
    (void)state;
    /* As the store gives them, by place: the ring went round once. */
    struct repeat newer = made("newer", 300, 300), older = made("older", 2, 2);
    repeats_load(&repeats, 0, &newer);
    repeats_load(&repeats, 1, &older);
    repeats_load(&repeats, REPEATS_MAX, &older); /* of a file that is damaged */
    struct repeat next = made("next", 301, 301);
    assert_int_equal(repeats_add(&repeats, &next), 1);
    assert_int_equal(repeats_find(&repeats, "newer", 301)->id, 300);
    assert_null(repeats_find(&repeats, "older", 301));
}

static void what_is_erased_has_no_key(void **state)
{
    (void)state;
    uint32_t place;
    struct repeat first = made("a", 7, 1), again = made("b", 7, 1), other = made("c", 8, 1);
    repeats_add(&repeats, &first);
    repeats_add(&repeats, &other);
    repeats_add(&repeats, &again);
    assert_false(repeats_forget(&repeats, REPEAT_CLIENT, 7, &place));
    assert_true(repeats_forget(&repeats, REPEAT_SESSION, 7, &place));
    assert_int_equal(place, 0);
    assert_true(repeats_forget(&repeats, REPEAT_SESSION, 7, &place));
    assert_int_equal(place, 2);
    assert_false(repeats_forget(&repeats, REPEAT_SESSION, 7, &place));
    assert_non_null(repeats_find(&repeats, "c", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_key_is_visible_ascii, set_up),
        cmocka_unit_test_setup(one_is_found_for_a_day, set_up),
        cmocka_unit_test_setup(the_oldest_gives_way, set_up),
        cmocka_unit_test_setup(after_a_start_the_next_takes_the_oldest_place, set_up),
        cmocka_unit_test_setup(what_is_erased_has_no_key, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
