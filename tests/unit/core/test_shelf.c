/* The shelf: documents by name and number, no name twice, no number twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/shelf.h"

static uint64_t put(struct shelf *shelf, uint64_t id, uint64_t owner, const char *name,
                    const char *text, struct diag *diag)
{
    const struct shelf_entry *entry =
        shelf_put(shelf,
                  &(struct shelf_entry){
                      .id = id, .owner = owner, .name = name, .text = text, .created_ms = 7},
                  diag);
    return entry != NULL ? entry->id : 0;
}

static void names_are_unique_with_their_owner(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_create(10);
    struct diag diag = {0};
    assert_int_equal(put(shelf, 0, 0, "a", "{}", NULL), 1);
    assert_int_equal(put(shelf, 0, 1, "a", "{}", NULL), 2);
    assert_int_equal(put(shelf, 0, 1, "a", "{}", &diag), 0);
    assert_int_equal(diag.code, ERR_CONFLICT);
    assert_int_equal(shelf_find(shelf, 1, "a")->id, 2);
    assert_null(shelf_find(shelf, 2, "a"));
    assert_int_equal(shelf_count(shelf), 2);
    shelf_destroy(shelf);
}

static void one_takes_the_place_of_the_one_with_its_number(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_create(10);
    put(shelf, 0, 0, "a", "old", NULL);
    put(shelf, 0, 0, "b", "other", NULL);
    assert_int_equal(put(shelf, 1, 0, "renamed", "new", NULL), 1);
    assert_string_equal(shelf_by_id(shelf, 1)->text, "new");
    assert_null(shelf_find(shelf, 0, "a"));
    assert_int_equal(put(shelf, 1, 0, "b", "new", NULL), 0); /* which is another's */
    assert_string_equal(shelf_by_id(shelf, 1)->name, "renamed");
    assert_int_equal(shelf_count(shelf), 2);
    shelf_destroy(shelf);
}

static void numbers_are_never_used_again(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_create(10);
    put(shelf, 40, 0, "stored", "", NULL); /* as after a restart, in any order */
    put(shelf, 20, 0, "older", "", NULL);
    assert_int_equal(shelf_at(shelf, 0)->id, 20);
    assert_int_equal(put(shelf, 0, 0, "a", "", NULL), 41);
    assert_true(shelf_remove(shelf, 41));
    assert_false(shelf_remove(shelf, 41));
    assert_int_equal(put(shelf, 0, 0, "b", "", NULL), 42);
    assert_true(shelf_remove(shelf, 20));
    assert_int_equal(shelf_at(shelf, 0)->id, 40);
    assert_int_equal(shelf_at(shelf, 1)->created_ms, 7);
    assert_null(shelf_at(shelf, 2));
    assert_null(shelf_by_id(shelf, 20));
    shelf_go_on(shelf, 50); /* there were more, which are erased */
    shelf_go_on(shelf, 45);
    assert_int_equal(put(shelf, 0, 0, "c", "", NULL), 51);
    shelf_destroy(shelf);
}

static void what_is_beyond_the_bound_is_refused(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_create(1);
    struct diag diag = {0};
    assert_int_equal(put(shelf, 0, 0, "a", "", NULL), 1);
    assert_int_equal(put(shelf, 0, 0, "b", "", &diag), 0);
    assert_int_equal(diag.code, ERR_FULL);
    assert_int_equal(put(shelf, 1, 0, "a", "still", NULL), 1); /* what is there may change */
    assert_int_equal(shelf_refused(shelf), 1);
    shelf_destroy(shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_with_their_owner),
        cmocka_unit_test(one_takes_the_place_of_the_one_with_its_number),
        cmocka_unit_test(numbers_are_never_used_again),
        cmocka_unit_test(what_is_beyond_the_bound_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
