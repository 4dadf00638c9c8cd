#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"

/* What a line looks like on standard error; returns its length. */
static size_t written(char *out, size_t bytes, enum log_level level, const char *words)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    int kept = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_line(level, "%s", words);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t length = read(ends[0], out, bytes - 1);
    close(ends[0]);
    out[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

static void what_came_from_outside_cannot_draw_on_a_terminal(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:2", 1);
    static const struct {
        const char *words, *line;
    } cases[] = {
        {"plain", "<6>plain\n"},          {"two\nlines", "<6>two?lines\n"},
        {"\x1b[2Jgone", "<6>?[2Jgone\n"}, {"bell\a tab\t", "<6>bell? tab?\n"},
        {"43.6 °C", "<6>43.6 °C\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[200];
        written(line, sizeof(line), LOG_INFO, cases[i].words);
        assert_string_equal(line, cases[i].line);
    }
}

static void a_line_of_any_length_ends_with_a_newline(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:2", 1);
    static char words[4000], line[5000];
    for (size_t length = 1000; length < 1100; length++) {
        memset(words, 'w', length);
        words[length] = '\0';
        size_t bytes = written(line, sizeof(line), LOG_WARN, words);
        assert_true(bytes <= 1024 && bytes > 1000);
        assert_int_equal(line[bytes - 1], '\n');
    }
}

static void levels_above_the_set_one_are_silent(void **state)
{
    (void)state;
    char line[200];
    assert_int_equal(written(line, sizeof(line), LOG_DEBUG_, "quiet"), 0);
    log_set_level(LOG_DEBUG_);
    assert_true(written(line, sizeof(line), LOG_DEBUG_, "loud") > 0);
    log_set_level(LOG_WARN);
    assert_int_equal(written(line, sizeof(line), LOG_INFO, "quiet"), 0);
    assert_true(written(line, sizeof(line), LOG_ERROR_, "loud") > 0);
    log_set_level(LOG_INFO);
}

static void a_person_reads_the_time_and_the_weight(void **state)
{
    (void)state;
    char line[200];
    unsetenv("JOURNAL_STREAM");
    written(line, sizeof(line), LOG_WARN, "too warm");
    assert_true(line[2] == ':' && line[5] == ':' && line[8] == '.');
    assert_string_equal(line + 13, "warning: too warm\n");
}

static void an_entry_of_the_journal_has_its_fields_and_none_of_a_strangers(void **state)
{
    (void)state;
    char entry[300], wanted[300];
    static const struct log_field fields[] = {
        {"LUMBAR_DEVICE", "posture/p-01"}, {"LUMBAR_TOPIC", "a\nPRIORITY=0"}, {NULL, NULL}};
    size_t bytes = log_write_entry(entry, sizeof(entry), LOG_WARN, fields, "lost\nMESSAGE=found");
    int length = snprintf(wanted, sizeof(wanted),
                          "PRIORITY=4\nSYSLOG_IDENTIFIER=%s\nLUMBAR_DEVICE=posture/p-01\n"
                          "LUMBAR_TOPIC=a?PRIORITY=0\nMESSAGE=lost?MESSAGE=found\n",
                          program_invocation_short_name);
    assert_int_equal(bytes, length);
    assert_memory_equal(entry, wanted, bytes);
    for (size_t room = 16; room < sizeof(entry); room++) { /* cut, and yet lines */
        bytes = log_write_entry(entry, room, LOG_WARN, fields, "lost");
        assert_true(bytes <= room);
        assert_int_equal(entry[bytes - 1], '\n');
    }
}

/* Time goes down the rows; `hit`: it happened, and this is what is to be said now. Otherwise it is
 * asked whether it is over. */
static void a_complaint_is_said_when_it_begins_each_minute_and_at_the_end(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ms;
        bool hit;
        uint64_t said;
    } rows[] = {
        {1000, false, 0}, /* nothing happened yet */
        {1000, true, 1},  /* begins */
        {1001, true, 0},    {30000, true, 0},
        {60999, true, 0},   {61000, true, 4}, /* a minute after it was said: four since */
        {61001, true, 0},   {100000, true, 0},
        {121000, true, 3},  {180999, false, 0}, /* not quiet for a minute */
        {181000, false, 8},                     /* over: all of them */
        {181001, false, 0},                     /* said once */
        {500000, true, 1},                      /* and begins anew */
        {500001, true, 0},  {560001, false, 2},
    };
    struct log_limit limit = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t said = rows[i].hit ? log_limit_hit(&limit, rows[i].at_ms)
                                    : log_limit_over(&limit, rows[i].at_ms);
        if (said != rows[i].said)
            print_error("row %zu: said %llu\n", i, (unsigned long long)said);
        assert_int_equal(said, rows[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_from_outside_cannot_draw_on_a_terminal),
        cmocka_unit_test(a_line_of_any_length_ends_with_a_newline),
        cmocka_unit_test(levels_above_the_set_one_are_silent),
        cmocka_unit_test(a_person_reads_the_time_and_the_weight),
        cmocka_unit_test(an_entry_of_the_journal_has_its_fields_and_none_of_a_strangers),
        cmocka_unit_test(a_complaint_is_said_when_it_begins_each_minute_and_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
