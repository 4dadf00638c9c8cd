#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/instant.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void an_instant_is_read_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: it is none */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-25T19:07:00Z", 1795633620000},
        {"2026-11-25T19:07:00.5Z", 1795633620500},
        {"2026-11-25T19:07:00.123456789Z", 1795633620123},
        {"2026-11-25T20:07:00+01:00", 1795633620000},
        {"2026-11-25T13:37:00-05:30", 1795633620000},
        /* The hour that summer time's end has twice: the offset says which. */
        {"2026-10-25T02:30:00+02:00", 1792888200000},
        {"2026-10-25T02:30:00+01:00", 1792891800000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"2026-02-29T00:00:00Z", -1}, /* no leap year */
        {"2026-13-01T00:00:00Z", -1}, /* no month */
        {"2026-00-01T00:00:00Z", -1},
        {"2026-11-25T24:00:00Z", -1}, /* the next day's 00:00:00 */
        {"2026-11-25T23:59:60Z", -1}, /* no clock of ours shows it */
        {"2026-11-25T19:07:00", -1},  /* which zone? */
        {"2026-11-25T19:07Z", -1},
        {"2026-11-25 19:07:00Z", -1},
        {"2026-11-25T19:07:00.Z", -1},
        {"2026-11-25T19:07:00+0100", -1},
        {"2026-11-25T19:07:00 01:00", -1}, /* a '+' that a form made a blank */
        {"2026-11-25T19:07:00+24:00", -1},
        {"2026-11-25T19:07:00Zulu", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"1970-01-01T00:00:00+01:00", -1},
        {"+026-11-25T19:07:00Z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = 7;
        bool is = instant_read(cases[i].text, &ms);
        if (is != (cases[i].ms >= 0) || (is && ms != cases[i].ms))
            fail_msg("%s: %d, %lld", cases[i].text, is, (long long)ms);
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795633620123, "2026-11-25T19:07:00.123Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-1, "-"},
        {253402300800000, "-"},
        {INT64_MAX, "-"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[INSTANT_BYTES];
        int64_t ms;
        assert_string_equal(instant_write(cases[i].ms, out), cases[i].text);
        assert_int_equal(instant_read(out, &ms), cases[i].text[0] != '-');
        if (cases[i].text[0] != '-')
            assert_int_equal(ms, cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instant_is_read_with_its_offset),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
