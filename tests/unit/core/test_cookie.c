/* core/cookie: the one cookie, and all that looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/cookie.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* NULL: there is none. */
static void a_cookie_is_taken_by_its_whole_name_and_once(void **state)
{
    (void)state;
    static const struct {
        const char *why, *header, *wanted;
    } cases[] = {
        {"alone", "__Host-lumbar=abc", "abc"},
        {"among others", "a=b; __Host-lumbar=a-b_9; c=d", "a-b_9"},
        {"without blanks", "a=b;__Host-lumbar=abc;c=d", "abc"},
        {"blanks around it", " \t__Host-lumbar=abc \t; c", "abc"},
        {"empty items", ";; ;__Host-lumbar=abc;;", "abc"},
        {"none", "", NULL},
        {"only others", "a=b; c=__Host-lumbar", NULL},
        {"a longer name before it", "x__Host-lumbar=abc", NULL},
        {"a longer name behind it", "__Host-lumbar2=abc", NULL},
        {"as the value of another", "a=__Host-lumbar=abc", NULL},
        {"another case", "__host-lumbar=abc", NULL},
        {"the name of plain HTTP", "lumbar=abc", NULL},
        {"a blank before =", "__Host-lumbar =abc", NULL},
        {"no value", "__Host-lumbar=", NULL},
        {"no =", "__Host-lumbar", NULL},
        {"twice", "__Host-lumbar=abc; __Host-lumbar=def", NULL},
        {"twice the same", "__Host-lumbar=abc; a=b; __Host-lumbar=abc", NULL},
        {"twice, one unusable", "__Host-lumbar=abc; __Host-lumbar=\"\"", NULL},
        {"in quotes", "__Host-lumbar=\"abc\"", NULL},
        {"escaped", "__Host-lumbar=a%62c", NULL},
        {"a comma", "__Host-lumbar=abc,def", NULL},
        {"a blank within", "__Host-lumbar=a bc", NULL},
        {"as long as there is room", "__Host-lumbar=0123456789abcde", "0123456789abcde"},
        {"too long", "__Host-lumbar=0123456789abcdef", NULL},
        {"beyond ASCII", "__Host-lumbar=ab\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[16] = "left over";
        bool found = cookie_find(cases[i].header, COOKIE_NAME_TLS, out, sizeof(out));
        if (found != (cases[i].wanted != NULL) ||
            strcmp(out, cases[i].wanted != NULL ? cases[i].wanted : "") != 0)
            fail_msg("%s: '%s'", cases[i].why, out);
    }
}

static void each_door_has_a_name_of_its_own(void **state)
{
    (void)state;
    char out[44], written[200];
    assert_false(cookie_find("__Host-lumbar=abc", COOKIE_NAME_PLAIN, out, sizeof(out)));
    assert_true(cookie_find("lumbar=abc", COOKIE_NAME_PLAIN, out, sizeof(out)));
    cookie_write(written, sizeof(written), true, "abc", 60);
    assert_string_equal(written,
                        "__Host-lumbar=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; "
                        "Secure");
    cookie_write(written, sizeof(written), false, "", 0);
    assert_string_equal(written, "lumbar=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_is_taken_by_its_whole_name_and_once),
        cmocka_unit_test(each_door_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
