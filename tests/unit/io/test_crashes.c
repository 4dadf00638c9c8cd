#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/crashes.h"

static int make(void **state)
{
    char *folder = strdup("/tmp/lumbar-crashes.XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int drop(void **state)
{
    char *folder = *state, path[80];
    snprintf(path, sizeof(path), "%s/crashes", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left in it */
    free(folder);
    return 0;
}

static void each_version_has_its_count_until_it_is_forgotten(void **state)
{
    const char *folder = *state;
    assert_int_equal(crashes_count(folder, "massage", "1.0.0"), 0);
    assert_int_equal(crashes_add(folder, "massage", "1.0.0"), 1);
    assert_int_equal(crashes_add(folder, "massage", "1.0.0"), 2);
    assert_int_equal(crashes_add(folder, "massage", "1.1.0"), 1);
    assert_int_equal(crashes_add(folder, "massage_gun", "1.0.0"), 1);
    assert_int_equal(crashes_count(folder, "massage", "1.0.0"), 2);
    assert_true(crashes_forget(folder, "massage"));
    assert_int_equal(crashes_count(folder, "massage", "1.0.0"), 0);
    assert_int_equal(crashes_count(folder, "massage", "1.1.0"), 0);
    assert_int_equal(crashes_count(folder, "massage_gun", "1.0.0"), 1);
}

static void very_many_push_out_the_oldest(void **state)
{
    const char *folder = *state;
    char version[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(version, sizeof(version), "1.%u", i);
        assert_int_equal(crashes_add(folder, "scale", version), 1);
    }
    assert_int_equal(crashes_count(folder, "scale", "1.99"), 1);
    assert_int_equal(crashes_count(folder, "scale", "1.0"), 0);
}

static void a_file_that_makes_no_sense_says_nothing(void **state)
{
    const char *folder = *state;
    char path[80];
    snprintf(path, sizeof(path), "%s/crashes", folder);
    FILE *file = fopen(path, "w");
    fputs("massage 1.0.0\nposture 1.0.0\tmany\n\n\t\nscale 2\t7\n", file);
    fclose(file);
    assert_int_equal(crashes_count(folder, "massage", "1.0.0"), 0);
    assert_int_equal(crashes_count(folder, "posture", "1.0.0"), 0);
    assert_int_equal(crashes_count(folder, "scale", "2"), 7);
    assert_int_equal(crashes_add(folder, "posture", "1.0.0"), 1);
}

static void without_a_folder_none_is_remembered(void **state)
{
    (void)state;
    assert_int_equal(crashes_add("", "posture", "1.0.0"), 1);
    assert_int_equal(crashes_add("", "posture", "1.0.0"), 1);
    assert_int_equal(crashes_count("", "posture", "1.0.0"), 0);
    assert_true(crashes_forget("", "posture"));
    assert_false(crashes_forget("/nowhere/at/all", "posture"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_version_has_its_count_until_it_is_forgotten, make,
                                        drop),
        cmocka_unit_test_setup_teardown(very_many_push_out_the_oldest, make, drop),
        cmocka_unit_test_setup_teardown(a_file_that_makes_no_sense_says_nothing, make, drop),
        cmocka_unit_test(without_a_folder_none_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
