#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void text_is_cut_behind_a_whole_character(void **state)
{
    (void)state;
    static const struct {
        const char *added;
        size_t room;
        const char *kept;
        bool cut;
    } cases[] = {
        {"abc", 4, "abc", false},
        {"abc", 3, "ab", true},
        {"abc", 1, "", true},
        {"", 1, "", false},
        {"a°C", 5, "a°C", false},
        {"a°C", 4, "a°", true},
        {"a°C", 3, "a", true},                 /* half of the degree sign would be left */
        {"a€", 4, "a", true},                  /* two thirds of the euro sign */
        {"😀", 4, "", true},                    /* three quarters */
        {"\x80\x80\x80", 3, "\x80\x80", true}, /* no character at all: left as it is */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[16];
        memset(buffer, 'x', sizeof(buffer));
        struct text text = text_in(buffer, cases[i].room);
        text_add(&text, "%s", cases[i].added);
        assert_string_equal(buffer, cases[i].kept);
        assert_int_equal(text.cut, cases[i].cut);
        assert_int_equal(text.length, strlen(cases[i].kept));
        assert_int_equal(buffer[cases[i].room], 'x');
    }
}

static void nothing_is_added_after_a_cut(void **state)
{
    (void)state;
    char buffer[8];
    struct text text = text_in(buffer, sizeof(buffer));
    text_add(&text, "123456");
    text_add(&text, "789");
    text_add(&text, "!");
    text_add_json(&text, "");
    text_add_number(&text, 1, 0);
    assert_string_equal(buffer, "1234567");
    assert_true(text.cut);
}

static void a_buffer_of_no_bytes_is_not_touched(void **state)
{
    (void)state;
    char buffer[1] = {'x'};
    struct text text = text_in(buffer, 0);
    text_add(&text, "abc");
    text_add_json(&text, "abc");
    assert_true(text.cut);
    assert_int_equal(buffer[0], 'x');
}

static void json_strings_are_always_valid(void **state)
{
    (void)state;
    static const struct {
        const char *string, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\tc\x01", "\"a\\u000ab\\u0009c\\u0001\""},
        {"\x7f", "\"\\u007f\""},
        {"°C €😀", "\"°C €😀\""},
        {"\x80", "\"\ufffd\""},                     /* a continuation alone */
        {"\xc2", "\"\ufffd\""},                     /* cut short at the end */
        {"\xe2\x82", "\"\ufffd\ufffd\""},           /* the same with three */
        {"\xc0\xaf", "\"\ufffd\ufffd\""},           /* overlong '/' */
        {"\xe0\x80\xaf", "\"\ufffd\ufffd\ufffd\""}, /* overlong in three */
        {"\xf0\x80\x80\xaf", "\"\ufffd\ufffd\ufffd\ufffd\""},
        {"\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""},           /* a surrogate */
        {"\xed\x9f\xbf", "\"\xed\x9f\xbf\""},                 /* the last before them */
        {"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},         /* U+10FFFF */
        {"\xf4\x90\x80\x80", "\"\ufffd\ufffd\ufffd\ufffd\""}, /* beyond it */
        {"\xff\xfe", "\"\ufffd\ufffd\""},
        {"\xc3(", "\"\ufffd(\""}, /* what follows is kept */
        {"\xe2\x28\xa1", "\"\ufffd(\ufffd\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof(buffer));
        text_add_json(&text, cases[i].string);
        assert_string_equal(buffer, cases[i].json);
        assert_false(text.cut);
    }
}

static void html_shows_the_string_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *string, *html;
    } cases[] = {
        {"", ""},
        {"plain °C €😀", "plain °C €😀"},
        {"<b a=\"1\" c='2'>&amp;", "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;"},
        {"a\nb\x01\x7f", "a\ufffdb\ufffd\ufffd"},
        {"\xc0\xaf\x80<", "\ufffd\ufffd\ufffd&lt;"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[96];
        struct text text = text_in(buffer, sizeof(buffer));
        text_add_html(&text, cases[i].string);
        assert_string_equal(buffer, cases[i].html);
    }
    char small[6];
    struct text text = text_in(small, sizeof(small));
    text_add_html(&text, "ab&"); /* half a name would be another character */
    assert_string_equal(small, "ab");
    assert_true(text.cut);
}

static void a_field_of_a_table_stays_one_and_is_no_formula(void **state)
{
    (void)state;
    static const struct {
        const char *string, *csv;
    } cases[] = {
        {"", ""},
        {"kPa", "kPa"},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"a\r\nb", "\"a\r\nb\""},
        {"=1+1", "\"'=1+1\""},
        {"@x", "\"'@x\""},
        {"-5", "\"'-5\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof(buffer));
        text_add_csv(&text, cases[i].string);
        assert_string_equal(buffer, cases[i].csv);
    }
}

static void numbers_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        double value;
        unsigned decimals;
        const char *written;
    } cases[] = {
        {0, 0, "0"},
        {0, 3, "0"},
        {-0.0, 2, "0"},
        {42, 0, "42"},
        {42.5, 1, "42.5"},
        {42.5, 3, "42.5"},
        {42.04, 1, "42"},
        {42.06, 1, "42.1"},
        {-0.04, 1, "0"}, /* no minus before nothing */
        {-0.06, 1, "-0.1"},
        {-17.25, 2, "-17.25"},
        {0.001, 3, "0.001"},
        {0.05, 2, "0.05"},
        {100, 2, "100"},
        {9.96, 1, "10"},
        {-0.999, 2, "-1"},
        {1.07, 2, "1.07"},
        {1.5, 0, "2"},
        {0.000001, 9, "0.000001"}, /* six digits at most */
        {999999999999, 6, "999999999999"},
        {1e15, 6, "1000000000000000"},
        {-1e15, 0, "-1000000000000000"},
        {NAN, 1, "null"},
        {INFINITY, 1, "null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[64];
        struct text text = text_in(buffer, sizeof(buffer));
        text_add_number(&text, cases[i].value, cases[i].decimals);
        assert_string_equal(buffer, cases[i].written);
    }
}

static void quantities_are_a_number_and_what_follows(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        bool is;
        double value;
        const char *unit;
    } cases[] = {
        {"42.5 Cel", true, 42.5, "Cel"},
        {"7 deg", true, 7, "deg"},
        {"10s", true, 10, "s"},
        {"-85 dB{mW}", true, -85, "dB{mW}"},
        {"+3", true, 3, ""},
        {"20 %", true, 20, "%"},
        {".5 m", true, 0.5, "m"},
        {"5. m", true, 5, "m"},
        {"0.1", true, 0.1, ""},
        {"0.30000000000000000001 x", true, 0.3, "x"},
        {"123456789012345", true, 123456789012345, ""},
        {"1,5 m", true, 1, ",5 m"}, /* the caller refuses the unit */
        {"1e3", true, 1, "e3"},     /* no exponents */
        {"1.2.3", true, 1.2, ".3"},
        {"0x10", true, 0, "x10"},
        {"12345678901234567890", false, 0, ""},
        {"", false, 0, ""},
        {" 5", false, 0, ""},
        {"-", false, 0, ""},
        {"--5", false, 0, ""},
        {".", false, 0, ""},
        {"nan", false, 0, ""},
        {"inf", false, 0, ""},
        {"Cel", false, 0, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double value = -1;
        const char *unit = "?";
        assert_int_equal(text_quantity(cases[i].string, &value, &unit), cases[i].is);
        if (!cases[i].is)
            continue;
        assert_true(value == cases[i].value);
        assert_string_equal(unit, cases[i].unit);
    }
}

static void times_are_whole_milliseconds_with_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        int64_t ms; /* -1: none */
    } cases[] = {
        {"100 ms", 100},   {"2 s", 2000},      {"2s", 2000},
        {"1.5 s", 1500},   {"0.007 s", 7},     {"1.1 s", 1100},
        {"5 min", 300000}, {"24 h", 86400000}, {"0 s", 0},
        {"0.5 ms", -1},    {"5", -1},          {"5 S", -1},
        {"5 m", -1},       {"-1 s", -1},       {"5 sec", -1},
        {"s", -1},         {"5 s ", -1},       {"999999999999999 h", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        assert_int_equal(text_duration_ms(cases[i].string, &ms), cases[i].ms >= 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void sizes_are_whole_bytes_with_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        int64_t bytes; /* -1: none */
    } cases[] = {
        {"16 MiB", 16777216}, {"64KiB", 65536}, {"1 GiB", 1073741824}, {"12 B", 12},
        {"0.5 KiB", 512},     {"1.5 B", -1},    {"16 MB", -1},         {"16", -1},
        {"-1 KiB", -1},       {"MiB", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t bytes = -1;
        assert_int_equal(text_size_bytes(cases[i].string, &bytes), cases[i].bytes >= 0);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void the_nearest_name_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"port", "host",   "skin_temperature", "motor_temperature",
                                        "Cel",  "battery"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"prot", "port"}, /* two neighbours swapped: one edit */
        {"PORT", "port"}, /* case is no edit */
        {"pport", "port"},
        {"hosts", "host"},
        {"cal", "Cel"},
        {"skin_temprature", "skin_temperature"},
        {"moter_temperature", "motor_temperature"},
        {"batery", "battery"},
        {"port", "port"},
        {"sport", "port"},
        {"C", NULL}, /* two of three letters are missing */
        {"fort_knox", NULL},
        {"x", NULL},
        {"", NULL},
        {"a_name_of_far_more_than_the_sixty_four_letters_that_are_compared_here", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *nearest = text_nearest(cases[i].name, names, COUNT(names));
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
    assert_null(text_nearest("port", names, 0));
}

static void labels_and_names_hold_only_what_they_may(void **state)
{
    (void)state;
    static const char *const sixty_three =
        "123456789012345678901234567890123456789012345678901234567890123";
    static const char *const forty_seven = "a2345678901234567890123456789012345678901234567";
    static const struct {
        const char *string;
        bool label, name;
    } cases[] = {
        {"p-01", true, false}, {"room_1", true, true}, {"Room.2", true, false},
        {"a", true, true},     {"1", true, false},     {"_a", true, false},
        {"", false, false},    {"a b", false, false},  {"a/b", false, false},
        {"a+", false, false},  {"#", false, false},    {"raum-ä", false, false},
        {"a\n", false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = strlen(cases[i].string);
        assert_int_equal(text_is_label(cases[i].string, length), cases[i].label);
        assert_int_equal(text_is_name(cases[i].string, length), cases[i].name);
    }
    assert_true(text_is_label(sixty_three, 63));
    assert_false(
        text_is_label("1234567890123456789012345678901234567890123456789012345678901234", 64));
    assert_true(text_is_name(forty_seven, 47));
    assert_false(text_is_name("a23456789012345678901234567890123456789012345678", 48));
    assert_true(text_is_label("a\0b", 1)); /* the length counts, not the terminator */
    assert_false(text_is_label("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_behind_a_whole_character),
        cmocka_unit_test(nothing_is_added_after_a_cut),
        cmocka_unit_test(a_buffer_of_no_bytes_is_not_touched),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(html_shows_the_string_and_nothing_else),
        cmocka_unit_test(a_field_of_a_table_stays_one_and_is_no_formula),
        cmocka_unit_test(numbers_are_written_in_their_shortest_form),
        cmocka_unit_test(quantities_are_a_number_and_what_follows),
        cmocka_unit_test(times_are_whole_milliseconds_with_a_unit),
        cmocka_unit_test(sizes_are_whole_bytes_with_a_unit),
        cmocka_unit_test(the_nearest_name_is_near),
        cmocka_unit_test(labels_and_names_hold_only_what_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
