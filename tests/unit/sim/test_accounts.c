/* Which password is whose, in the file that lumbarctl writes. */
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

#include "accounts.h"

static char place[32];

static void write_file(const char *text, mode_t mode)
{
    strcpy(place, "/tmp/lumbar-accounts-XXXXXX");
    int fd = mkstemp(place);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void each_device_has_its_own_and_the_last_one_holds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *device, *word;
    } cases[] = {
        {"posture/p-01 one\nposture/p-011 two\n", "posture/p-01", "one"},
        {"posture/p-01 one\nposture/p-011 two\n", "posture/p-011", "two"},
        {"posture/p-01 one\nposture/p-011 two", "posture/p-011", "two"}, /* no last line end */
        {"posture/p-01 one\nposture/p-01 two\n", "posture/p-01", "two"}, /* after a rotation */
        {"posture/p-01 one\n", "posture/p-0", NULL},
        {"posture/p-01 one\n", "massage/m-01", NULL},
        {"posture/p-01\nposture/p-01 \n", "posture/p-01", NULL},
        {"", "posture/p-01", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct diag diag = {0};
        struct accounts *accounts = NULL;
        write_file(cases[i].text, 0600);
        assert_int_equal(accounts_read(&accounts, place, &diag), 0);
        const char *word = accounts_password(accounts, cases[i].device);
        if (cases[i].word == NULL)
            assert_null(word);
        else
            assert_string_equal(word, cases[i].word);
        accounts_destroy(accounts);
        unlink(place);
    }
}

static void one_that_everybody_may_read_is_refused(void **state)
{
    (void)state;
    struct diag diag = {0}, missing = {0};
    struct accounts *accounts = NULL;
    write_file("posture/p-01 one\n", 0644);
    assert_int_equal(accounts_read(&accounts, place, &diag), ERR_CONFLICT);
    assert_non_null(strstr(diag.text, "everybody may read it"));
    unlink(place);
    assert_int_equal(accounts_read(&accounts, place, &missing), ERR_IO);
    assert_null(accounts);
    accounts_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_device_has_its_own_and_the_last_one_holds),
        cmocka_unit_test(one_that_everybody_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
