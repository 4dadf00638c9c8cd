/* What is given back is no longer resident, and is there again when it is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

/* Of /proc/self/status, in KiB. */
static long resident(const char *what)
{
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "re");
    assert_non_null(status);
    while (fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = atol(line + strlen(what) + 1);
    fclose(status);
    assert_true(kib >= 0);
    return kib;
}

static void code_that_only_the_start_needed_is_given_back(void **state)
{
    (void)state;
    static const char constant[] = "still here";
    long before = resident("RssFile");
    memory_give_back();
    long after = resident("RssFile");
    if (after >= before)
        fail_msg("%ld KiB of files before, %ld KiB after", before, after);
    char copy[sizeof(constant)];
    memcpy(copy, constant, sizeof(copy));
    assert_string_equal(copy, "still here");
}

static void a_large_table_costs_what_is_touched_of_it(void **state)
{
    (void)state;
    enum { TABLE = 8 << 20 };
    if (getenv("LUMBAR_UNDER") != NULL)
        return; /* memcheck has an allocator of its own */
    free(
        malloc(TABLE + 1)); /* glibc would take the next of this size from the heap, and clear it */
    long before = resident("RssAnon");
    char *volatile table = calloc(1, TABLE);
    assert_non_null(table);
    table[TABLE / 2] = 1;
    long after = resident("RssAnon");
    free(table);
    if (after - before > 1024)
        fail_msg("a table of %d KiB costs %ld", TABLE >> 10, after - before);
}

static void what_is_forgotten_costs_nothing(void **state)
{
    (void)state;
    enum { TABLE = 8 << 20 };
    if (getenv("LUMBAR_UNDER") != NULL)
        return;
    char *volatile table = malloc(TABLE);
    assert_non_null(table);
    memset(table, 1, TABLE);
    long before = resident("RssAnon");
    memory_forget(table + 1, TABLE - 2);
    long after = resident("RssAnon");
    assert_int_equal(table[0], 1); /* only what was named */
    assert_int_equal(table[TABLE - 1], 1);
    table[TABLE / 2] = 2; /* and it can be used again */
    assert_int_equal(table[TABLE / 2], 2);
    memory_forget(table + 100, 200); /* no whole page: nothing happens */
    assert_int_equal(table[0], 1);
    free(table);
    if (before - after < (TABLE >> 10) - 64)
        fail_msg("of a table of %d KiB %ld are given back", TABLE >> 10, before - after);
}

int main(void)
{
    memory_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_that_only_the_start_needed_is_given_back),
        cmocka_unit_test(a_large_table_costs_what_is_touched_of_it),
        cmocka_unit_test(what_is_forgotten_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
