/* Tables, and the recordings known by their header. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recording.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PUMP                                                                                       \
    "datetime;Accelerometer1RMS;Accelerometer2RMS;Current;Pressure;Temperature;Thermocouple\n"

/* Reads all rows of a recording; the number, or the error with its sentence. */
static int read_all(const char *text, struct recording_row *last, char sentence[512])
{
    struct diag diag = {0};
    struct recording recording;
    int result = recording_open(&recording, "t.csv", text, strlen(text), &diag);
    int rows = 0;
    while (result == 0 && (result = recording_next(&recording, last, &diag)) > 0) {
        rows++;
        result = 0;
    }
    sentence[0] = '\0';
    if (result == 0)
        return rows;
    diag_sentence(&diag, sentence, 512);
    return result;
}

static void each_complaint_names_file_line_and_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint; /* its beginning and a part of it */
        const char *part;
    } cases[] = {
        {"", "t.csv:1:1:", "no header line"},
        {"\n", "t.csv:1:1:", "no header line"},
        {"a,b\n1,2\n", "t.csv:1:", "no known recording"},
        {"samples,acc_x\n", "t.csv:1:", "lacks 'acc_y'"},
        {"samples,\"acc_x\"\n", "t.csv:1:9:", "quoted"},
        {PUMP "2020-02-08 17:27:19;1;1;1;1;1\n", "t.csv:2:", "6 cells, but the header has 7"},
        {PUMP "2020-02-08 17:27:19;1;1;1;1;1;1;1\n", "t.csv:2:", "8 cells"},
        {PUMP "2020-02-08 17:27:19;1;1;two;1;1;1\n", "t.csv:2:25:", "'two' is not a number"},
        {PUMP "2020-02-08 17:27:19;1;1;0x1p3;1;1;1\n", "t.csv:2:25:", "'0x1p3' is not a number"},
        {PUMP "2020-02-08 17:27:19;1;1;nan;1;1;1\n", "t.csv:2:25:", "'nan' is not a number"},
        {PUMP "2020-02-08 17:27:19;1;1;1e999;1;1;1\n", "t.csv:2:25:", "'1e999' is not a number"},
        {PUMP "2020-02-08 17:27:19;1;1;1.5.2;1;1;1\n", "t.csv:2:25:", "not a number"},
        {PUMP "2020-02-30x17:27:19;1;1;1;1;1;1\n", "t.csv:2:1:", "not a time as"},
        {PUMP "2020-13-08 17:27:19;1;1;1;1;1;1\n", "t.csv:2:1:", "not a time of the calendar"},
        {PUMP ";1;1;1;1;1;1\n", "t.csv:2:1:", "not a time as"},
        {PUMP "2020-02-08 17:27:19;1;1;1;1;1;1\n2020-02-08 17:27:18;1;1;1;1;1;1\n",
         "t.csv:3:", "time goes back"},
        {PUMP "\n2020-02-08 17:27:19;1;1;1;1;1;1\n", "t.csv:2:", "1 cells"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recording_row row;
        char sentence[512];
        assert_true(read_all(cases[i].text, &row, sentence) < 0);
        if (strncmp(sentence, cases[i].complaint, strlen(cases[i].complaint)) != 0 ||
            strstr(sentence, cases[i].part) == NULL)
            fail_msg("case %zu: %s", i, sentence);
    }
}

static void bytes_of_the_file_cannot_draw_on_a_terminal(void **state)
{
    (void)state;
    struct recording_row row;
    char sentence[512];
    assert_true(read_all(PUMP "2020-02-08 17:27:19;\x1b[31m;1;1;1;1;1\n", &row, sentence) < 0);
    assert_null(strchr(sentence, '\x1b'));
    assert_non_null(strstr(sentence, "'?[31m' is not a number"));
}

static void more_than_128_columns_are_refused(void **state)
{
    (void)state;
    char text[200];
    memset(text, ',', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct recording_row row;
    char sentence[512];
    assert_true(read_all(text, &row, sentence) < 0);
    assert_non_null(strstr(sentence, "more columns than 128"));
}

static void a_table_is_read_whatever_its_line_ends_blanks_and_order(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "samples,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n0,1,2,3,4,5,6\n50,7,8,,-1e1,+.5,12\n",
        ("\xef\xbb\xbfsamples,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\r\n0,1,2,3,4,5,6\r\n"
         "50,7,8,,-10,0.5,12\r\n\r\n\n"),
        "samples , acc_x,acc_y, acc_z ,gyr_x,gyr_y,gyr_z\n0, 1,2,3,4,5,6\n50, 7 ,8, ,-10,0.5,12",
        "gyr_z;gyr_y;x;gyr_x;acc_z;acc_y;acc_x;samples\n6;5;?;4;3;2;1;0\n12;0.5;?;-10;;8;7;50\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct recording_row row;
        char sentence[512];
        int rows = read_all(texts[i], &row, sentence);
        if (rows != 2)
            fail_msg("text %zu: %s", i, sentence);
        assert_true(row.time_s == 0.5); /* 50 at 100 Hz */
        assert_true(row.values[ACC_X] == 7 && row.values[ACC_Y] == 8);
        assert_true(isnan(row.values[ACC_Z])); /* silent, not 0 */
        assert_true(row.values[GYR_X] == -10 && row.values[GYR_Y] == 0.5);
    }
}

static void calendar_times_differ_by_their_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        double seconds;
    } cases[] = {
        {"2020-02-08 17:27:19", "2020-02-08 17:27:21", 2},
        {"2020-02-28 23:59:59", "2020-03-01 00:00:00", 86401}, /* a leap year */
        {"2021-02-28 23:59:59", "2021-03-01 00:00:00", 1},
        {"2020-12-31 23:59:59", "2021-01-01 00:00:00", 1},
        {"1970-01-01 00:00:00", "2000-01-01 00:00:00", 946684800},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[512], sentence[512];
        snprintf(text, sizeof(text), PUMP "%s;1;1;1;1;1;1\n%s;1;1;1;1;1;1\n", cases[i].from,
                 cases[i].to);
        struct recording_row row;
        assert_int_equal(read_all(text, &row, sentence), 2);
        assert_true(row.time_s == cases[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_complaint_names_file_line_and_what_is_wrong),
        cmocka_unit_test(bytes_of_the_file_cannot_draw_on_a_terminal),
        cmocka_unit_test(more_than_128_columns_are_refused),
        cmocka_unit_test(a_table_is_read_whatever_its_line_ends_blanks_and_order),
        cmocka_unit_test(calendar_times_differ_by_their_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
