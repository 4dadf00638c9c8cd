/* The command line and the faults on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void a_fault_is_read_as_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        struct fault fault;
    } cases[] = {
        {"1:posture:silence@30+20", {1, KIND_POSTURE, FAULT_SILENCE, 0, 30000, 20000}},
        {"12:massage:loss=20@0", {12, KIND_MASSAGE, FAULT_LOSS, 20, 0, FAULT_FOR_EVER}},
        {"3:posture:clock=+90@10+60", {3, KIND_POSTURE, FAULT_CLOCK, 90, 10000, 60000}},
        {"3:posture:clock=-3600@1.5", {3, KIND_POSTURE, FAULT_CLOCK, -3600, 1500, FAULT_FOR_EVER}},
        {"all:massage:overheat@60", {0, KIND_MASSAGE, FAULT_OVERHEAT, 0, 60000, FAULT_FOR_EVER}},
        {"2:massage:battery=8@0+0.5", {2, KIND_MASSAGE, FAULT_BATTERY, 8, 0, 500}},
        {"2:posture:reboot@7", {2, KIND_POSTURE, FAULT_REBOOT, 0, 7000, 3000}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {0};
        struct fault fault;
        if (fault_parse(&fault, cases[i].spec, &diag) != 0)
            fail_msg("%s: %s", cases[i].spec, diag.text);
        const struct fault *wanted = &cases[i].fault;
        assert_int_equal(fault.room, wanted->room);
        assert_int_equal(fault.kind, wanted->kind);
        assert_int_equal(fault.what, wanted->what);
        assert_true(fault.value == wanted->value);
        assert_int_equal(fault.start_ms, wanted->start_ms);
        assert_int_equal(fault.duration_ms, wanted->duration_ms);
    }
}

static void a_bad_fault_says_what_is_wrong_with_which_part(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *part;
    } cases[] = {
        {"", "is not ROOM:KIND:WHAT@START"},
        {"1:posture:silence", "is not ROOM:KIND:WHAT@START"},
        {"1:silence@3", "is not ROOM:KIND:WHAT@START"},
        {"0:posture:silence@3", "room '0'"},
        {"x:posture:silence@3", "room 'x'"},
        {":posture:silence@3", "room ''"},
        {"1:posturing:silence@3", "kind 'posturing'"},
        {"1:posture:silense@3", "did you mean silence?"},
        {"1:posture:qqqqqqqq@3", "there is no fault 'qqqqqqqq'"},
        {"1:posture:overheat@3", "only a massage device can have overheat"},
        {"1:posture:stall@3", "only a massage device"},
        {"1:posture:loss@3", "loss needs =PCT"},
        {"1:posture:loss=@3", "PCT of '' is not 0 to 100"},
        {"1:posture:loss=101@3", "is not 0 to 100"},
        {"1:posture:loss=nan@3", "is not 0 to 100"},
        {"1:posture:clock=1e9@3", "is not -86400 to 86400"},
        {"1:posture:silence=3@3", "silence takes no value"},
        {"1:posture:silence@", "START ''"},
        {"1:posture:silence@-3", "START '-3'"},
        {"1:posture:silence@3s", "START '3s'"},
        {"1:posture:silence@3+", "DURATION ''"},
        {"1:posture:silence@3+x", "DURATION 'x'"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {0};
        struct fault fault;
        assert_true(fault_parse(&fault, cases[i].spec, &diag) < 0);
        if (strstr(diag.text, cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].spec, diag.text);
    }
    char endless[400];
    memset(endless, 'a', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    struct diag diag = {0};
    struct fault fault;
    assert_true(fault_parse(&fault, endless, &diag) < 0);
}

static void a_fault_holds_in_its_room_from_start_to_end(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct fault faults[2];
    assert_int_equal(fault_parse(&faults[0], "2:posture:silence@10+5", &diag), 0);
    assert_int_equal(fault_parse(&faults[1], "all:massage:contact@3", &diag), 0);
    static const struct {
        unsigned room;
        enum kind kind;
        enum fault_what what;
        int64_t at_ms;
        bool holds;
    } cases[] = {
        {2, KIND_POSTURE, FAULT_SILENCE, 9999, false},
        {2, KIND_POSTURE, FAULT_SILENCE, 10000, true},
        {2, KIND_POSTURE, FAULT_SILENCE, 14999, true},
        {2, KIND_POSTURE, FAULT_SILENCE, 15000, false},
        {1, KIND_POSTURE, FAULT_SILENCE, 12000, false},
        {2, KIND_MASSAGE, FAULT_SILENCE, 12000, false},
        {2, KIND_POSTURE, FAULT_CONTACT, 12000, false},
        {7, KIND_MASSAGE, FAULT_CONTACT, 3000, true},
        {9, KIND_MASSAGE, FAULT_CONTACT, 999999, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fault *found =
            fault_find(faults, 2, cases[i].room, cases[i].kind, cases[i].what, cases[i].at_ms);
        if ((found != NULL) != cases[i].holds)
            fail_msg("case %zu", i);
    }
}

static int parse(struct options *options, struct diag *diag, const char *const *words)
{
    char *argv[12] = {(char *)(uintptr_t) "lumbar-sim"};
    int argc = 1;
    for (; argc < 12 && words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    *diag = (struct diag){0};
    return options_parse(options, argc, argv, diag);
}

static void defaults_are_those_of_the_help(void **state)
{
    (void)state;
    struct options options;
    struct diag diag;
    static const char *const words[] = {NULL};
    assert_int_equal(parse(&options, &diag, words), 0);
    assert_string_equal(options.host, "127.0.0.1");
    assert_true(options.port == 1883 && options.rooms == 6 && options.seed == 1);
    assert_true(options.rate == 50 && options.batch_ms == 200 && options.speed == 1);
    assert_true(options.seconds == 0 && !options.verbose && !options.replay);
}

static void a_bad_command_line_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *part;
    } cases[] = {
        {{"--rooms"}, "--rooms needs N"},
        {{"--rooms", "0"}, "not a whole number from 1 to 999"},
        {{"--rooms", "2.5"}, "not a whole number"},
        {{"--port", "99999"}, "from 1 to 65535"},
        {{"--rate", "nan"}, "not a number"},
        {{"--spede", "2"}, "did you mean --speed?"},
        {{"x.csv"}, "only replay takes files"},
        {{"replay", "--as", "posture/p"}, "which file?"},
        {{"replay", "x.csv"}, "--as KIND/NAME is missing"},
        {{"replay", "x.csv", "--as", "posture"}, "is not posture/NAME"},
        {{"replay", "x.csv", "--as", "posture/a/b"}, "is not posture/NAME"},
        {{"replay", "x.csv", "--as", "posture/#"}, "is not posture/NAME"},
        {{"replay", "x.csv", "--as", "tens/t-1"}, "is not posture/NAME"},
        {{"replay", "--rooms", "3"}, "--rooms is not for replay"},
        {{"--as", "posture/p"}, "--as is only for replay"},
        {{"--fault", "1:posture:stal@3"}, "did you mean stall?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options options;
        struct diag diag;
        assert_true(parse(&options, &diag, cases[i].words) < 0);
        if (strstr(diag.text, cases[i].part) == NULL)
            fail_msg("case %zu: %s", i, diag.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_read_as_it_is_written),
        cmocka_unit_test(a_bad_fault_says_what_is_wrong_with_which_part),
        cmocka_unit_test(a_fault_holds_in_its_room_from_start_to_end),
        cmocka_unit_test(defaults_are_those_of_the_help),
        cmocka_unit_test(a_bad_command_line_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
