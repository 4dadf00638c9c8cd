#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/kept.h"

/* A configuration with a rule file beside it, and a folder of what is kept. */
struct place {
    char folder[64], config[96], rules[96], rule[128], kept[96];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    snprintf(place->folder, sizeof(place->folder), "/tmp/lumbar-kept.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->config, sizeof(place->config), "%s/lumbard.yaml", place->folder);
    snprintf(place->rules, sizeof(place->rules), "%s/rules.d", place->folder);
    snprintf(place->rule, sizeof(place->rule), "%s/a.yaml", place->rules);
    snprintf(place->kept, sizeof(place->kept), "%s/kept", place->folder);
    mkdir(place->rules, 0700);
    write_file(place->config, "clinic: One\n");
    write_file(place->rule, "rules: []\n");
    *state = place;
    return 0;
}

static int drop(void **state)
{
    struct place *place = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void mark(const struct place *place, uint32_t number, char out[128])
{
    snprintf(out, 128, "%s/%u/unsynced", place->kept, number);
}

/* Begins to try what the files say now; returns how often that was tried before. */
static unsigned try_now(const struct place *place)
{
    struct config *config;
    struct diag diag = {0};
    unsigned tries = 99;
    char *text;
    size_t bytes;
    assert_int_equal(files_read(place->config, &text, &bytes, &diag), 0);
    assert_int_equal(config_parse(&config, place->config, text, bytes, &diag), 0);
    assert_int_equal(kept_try(place->kept, place->config, config, &tries, &diag), 0);
    config_destroy(config);
    free(text);
    return tries;
}

static void what_came_up_is_kept_once_with_all_that_it_names(void **state)
{
    struct place *place = *state;
    struct kept_set set;
    struct diag diag = {0};
    assert_int_equal(kept_below(place->kept, UINT32_MAX), 0);
    assert_int_equal(try_now(place), 0);
    assert_int_equal(kept_below(place->kept, UINT32_MAX), 0); /* it is not up yet */
    assert_int_equal(kept_good(place->kept), 1);
    char unsynced[128];
    mark(place, 1, unsynced);
    assert_true(files_exists(unsynced));
    kept_sync(place->kept);
    assert_false(files_exists(unsynced));
    assert_int_equal(try_now(place), 0);
    assert_int_equal(kept_good(place->kept), 1);
    write_file(place->rule, "rules: [] # another\n"); /* of the rules, not of the file itself */
    assert_int_equal(try_now(place), 0);
    assert_int_equal(kept_good(place->kept), 2);
    assert_int_equal(kept_read_number(&set, place->kept, 1, &diag), 0);
    assert_string_equal(set.text, "clinic: One\n");
    assert_int_equal(set.rules.count, 1);
    assert_string_equal(set.rules.list[0].text, "rules: []\n");
    assert_int_equal(set.plans.count, 0);
    kept_free(&set);
}

/* Its mark is of another boot of the machine: nobody knows what is in its files. */
static void what_a_power_cut_left_is_never_read_again(void **state)
{
    struct place *place = *state;
    struct kept_set set;
    struct diag diag = {0};
    char unsynced[128], file[128];
    try_now(place);
    assert_int_equal(kept_good(place->kept), 1);
    kept_sync(place->kept);
    write_file(place->config, "clinic: Two\n");
    try_now(place);
    assert_int_equal(kept_good(place->kept), 2);
    assert_int_equal(kept_below(place->kept, UINT32_MAX), 2); /* it is whole in this boot */
    mark(place, 2, unsynced);
    write_file(unsynced, "another boot\n");
    write_file(kept_file(place->kept, 2, file, sizeof(file)), "");
    assert_int_equal(kept_below(place->kept, UINT32_MAX), 1);
    assert_int_equal(kept_read_number(&set, place->kept, 2, &diag), ERR_MALFORMED);
    try_now(place);
    assert_int_equal(kept_good(place->kept), 3);
    kept_sync(place->kept);
    assert_int_equal(kept_below(place->kept, 3), 1);
    assert_false(files_exists(file));
}

static void changes_of_rules_are_kept_with_them(void **state)
{
    struct place *place = *state;
    struct kept_set set, other;
    struct diag diag = {0};
    char changes[128];
    snprintf(changes, sizeof(changes), "%s/page.yaml", place->folder);
    write_file(place->config, "rules:\n  changes: page.yaml\n");
    try_now(place);
    assert_int_equal(kept_good(place->kept), 1);
    write_file(changes, "rules: [] # of the page\n");
    try_now(place);
    assert_int_equal(kept_good(place->kept), 2);
    try_now(place); /* the same, though it is kept by another name */
    assert_int_equal(kept_good(place->kept), 2);
    assert_int_equal(kept_read_number(&set, place->kept, 2, &diag), 0);
    assert_int_equal(set.changes.count, 1);
    assert_true(set.changes.list[0].changes);
    assert_string_equal(set.changes.list[0].text, "rules: [] # of the page\n");
    assert_int_equal(kept_read_number(&other, place->kept, 1, &diag), 0);
    assert_int_equal(other.changes.count, 0);
    assert_false(kept_equal(&set, &other));
    kept_free(&set);
    kept_free(&other);
}

static void what_never_came_up_is_counted_until_it_changes(void **state)
{
    struct place *place = *state;
    for (unsigned before = 0; before < 4; before++)
        assert_int_equal(try_now(place), before);
    write_file(place->config, "clinic: Two\n");
    assert_int_equal(try_now(place), 0);
    assert_int_equal(try_now(place), 1);
    kept_drop(place->kept);
    assert_int_equal(try_now(place), 0);
    assert_int_equal(kept_good(place->kept), 1);
    assert_int_equal(try_now(place), 0);
}

static void the_newest_stay(void **state)
{
    struct place *place = *state;
    for (uint32_t i = 1; i <= KEPT_MOST + 3; i++) {
        char text[40];
        snprintf(text, sizeof(text), "clinic: Clinic %u\n", i);
        write_file(place->config, text);
        try_now(place);
        assert_int_equal(kept_good(place->kept), i);
    }
    uint32_t count = 0, oldest = 0;
    for (uint32_t at = UINT32_MAX; (at = kept_below(place->kept, at)) != 0; count++)
        oldest = at;
    assert_int_equal(count, KEPT_MOST);
    assert_int_equal(oldest, 4);
}

static void without_a_folder_nothing_is_kept_and_nothing_fails(void **state)
{
    struct place *place = *state;
    place->kept[0] = '\0';
    assert_int_equal(try_now(place), 0);
    assert_int_equal(kept_good(place->kept), 0);
    kept_drop(place->kept);
    snprintf(place->kept, sizeof(place->kept), "%s/not/there", place->folder);
    assert_int_equal(try_now(place), 0); /* said in the log */
    assert_int_equal(kept_good(place->kept), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_came_up_is_kept_once_with_all_that_it_names, make,
                                        drop),
        cmocka_unit_test_setup_teardown(what_a_power_cut_left_is_never_read_again, make, drop),
        cmocka_unit_test_setup_teardown(what_never_came_up_is_counted_until_it_changes, make, drop),
        cmocka_unit_test_setup_teardown(the_newest_stay, make, drop),
        cmocka_unit_test_setup_teardown(changes_of_rules_are_kept_with_them, make, drop),
        cmocka_unit_test_setup_teardown(without_a_folder_nothing_is_kept_and_nothing_fails, make,
                                        drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
