/* Patterns and topics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/topic.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define POSTURE "lumbar/v1/posture/{device}/{leaf}"

static void a_pattern_is_literal_levels_one_device_and_at_most_one_leaf(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *complaint; /* part of it; NULL: none */
    } cases[] = {
        {POSTURE, NULL},
        {"{device}", NULL},
        {"vendor/{leaf}/x/{device}", NULL},
        {"a/{device}/state", NULL}, /* no leaf */
        {NULL, "is empty"},
        {"", "is empty"},
        {"a/b", "must have {device} once"},
        {"a/{device}/{device}", "must have {device} once"},
        {"{leaf}/{device}/{leaf}", "{leaf} more than once"},
        {"a/+/{device}", "level 2 "},
        {"a/{device}/#", "level 3 "},
        {"a//{device}", "level 2 "},
        {"/{device}", "level 1 "},
        {"{device}/", "level 2 "},
        {"a/x{device}", "level 2 "}, /* not a whole level */
        {"a/{devices}", "level 2 "},
        {"a/{Device}", "level 2 "},
        {"a b/{device}", "level 1 "},
        {"a\n/{device}", "level 1 "},
        {"caf\xc3\xa9/{device}", "level 1 "},
        {"$SYS/{device}", "begins with $"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {.code = 0};
        int code = topic_check(cases[i].pattern, &diag);
        assert_int_equal(code == 0, cases[i].complaint == NULL);
        if (code != 0 && strstr(diag.text, cases[i].complaint) == NULL)
            fail_msg("\"%s\": %s", cases[i].pattern, diag.text);
    }
}

static void a_pattern_of_129_bytes_is_too_long(void **state)
{
    (void)state;
    char pattern[TOPIC_PATTERN_MAX_BYTES + 2];
    memset(pattern, 'a', sizeof(pattern));
    memcpy(pattern, "{device}/", 9);
    struct diag diag = {.code = 0};
    pattern[TOPIC_PATTERN_MAX_BYTES] = '\0';
    assert_int_equal(topic_check(pattern, &diag), 0);
    pattern[TOPIC_PATTERN_MAX_BYTES] = 'a'; /* and no end within reach */
    assert_int_equal(topic_check(pattern, &diag), ERR_LIMIT);
}

static void a_topic_fits_or_it_does_not(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *topic;
        const char *device, *leaf; /* NULL: does not fit */
    } cases[] = {
        {POSTURE, "lumbar/v1/posture/p-01/telemetry", "p-01", "telemetry"},
        {POSTURE, "lumbar/v1/posture/p-01/", NULL, NULL},
        {POSTURE, "lumbar/v1/posture/p-01", NULL, NULL},
        {POSTURE, "lumbar/v1/posture//telemetry", NULL, NULL},
        {POSTURE, "lumbar/v1/posture/p-01/telemetry/x", NULL, NULL},
        {POSTURE, "lumbar/v1/posture/p 01/telemetry", NULL, NULL}, /* no label */
        {POSTURE, "lumbar/v1/posturf/p-01/telemetry", NULL, NULL},
        {POSTURE, "lumbar/v1/post", NULL, NULL},
        {POSTURE, "", NULL, NULL},
        {"a/{device}/state", "a/x/state", "x", ""},
        {"a/{device}/state", "a/x/stat", NULL, NULL},
        {"a/{device}/state", "a/x/states", NULL, NULL},
        {"v/{leaf}/{device}", "v/up/x.1", "x.1", "up"},
        {"{device}", "x", "x", ""},
        {"{device}", "x/y", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* A copy of its own size, so that a sanitizer sees a read beyond the end. */
        size_t bytes = strlen(cases[i].topic);
        char *copy = malloc(bytes + (bytes == 0));
        assert_non_null(copy);
        memcpy(copy, cases[i].topic, bytes);
        struct topic topic;
        bool fits = topic_parse(cases[i].pattern, copy, bytes, &topic);
        assert_int_equal(fits, cases[i].device != NULL);
        if (fits) {
            assert_int_equal(topic.device_bytes, strlen(cases[i].device));
            assert_memory_equal(topic.device, cases[i].device, topic.device_bytes);
            assert_int_equal(topic.leaf_bytes, strlen(cases[i].leaf));
            assert_memory_equal(topic.leaf, cases[i].leaf, topic.leaf_bytes);
        }
        free(copy);
    }
}

static void device_names_have_at_most_63_bytes_and_topics_255(void **state)
{
    (void)state;
    char topic[TOPIC_MAX_BYTES + 1];
    struct topic out;
    memset(topic, 'a', sizeof(topic));
    assert_true(topic_parse("{device}", topic, 63, &out));
    assert_false(topic_parse("{device}", topic, 64, &out));
    topic[1] = '/';
    assert_true(topic_parse("{device}/{leaf}", topic, TOPIC_MAX_BYTES, &out));
    assert_false(topic_parse("{device}/{leaf}", topic, TOPIC_MAX_BYTES + 1, &out));
}

static void filters_and_topics_are_made_of_the_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *device, *leaf; /* device NULL: the filter */
        size_t room;
        const char *made; /* NULL: does not fit, or has no place for a leaf */
    } cases[] = {
        {POSTURE, NULL, "telemetry", 99, "lumbar/v1/posture/+/telemetry"},
        {POSTURE, "p-01", "ack", 99, "lumbar/v1/posture/p-01/ack"},
        {POSTURE, "p-01", "ack", 27, "lumbar/v1/posture/p-01/ack"},
        {POSTURE, "p-01", "ack", 26, NULL}, /* no room for the end */
        {POSTURE, "p-01", "", 99, NULL},
        {"a/{device}/state", NULL, "", 99, "a/+/state"},
        {"a/{device}/state", "x", "", 99, "a/x/state"},
        {"a/{device}/state", "x", "ack", 99, NULL}, /* would be the device's own topic */
        {"{leaf}/{device}", "x", "up", 99, "up/x"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[100];
        size_t bytes =
            cases[i].device == NULL
                ? topic_filter(cases[i].pattern, cases[i].leaf, out, cases[i].room)
                : topic_make(cases[i].pattern, cases[i].device, cases[i].leaf, out, cases[i].room);
        assert_int_equal(bytes, cases[i].made != NULL ? strlen(cases[i].made) : 0);
        if (cases[i].made != NULL)
            assert_string_equal(out, cases[i].made);
    }
}

static void two_filters_meet_where_a_topic_is_for_both(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *other;
        bool meet;
    } cases[] = {
        {"a/+/b", "a/+/b", true}, {"a/+/b", "a/x/b", true},     {"a/+/b", "a/x/c", false},
        {"a/+", "+/b", true},     {"a/+", "a/+/b", false},      {"+", "a", true},
        {"+", "a/b", false},      {"a/+/b", "a/+/bc", false},   {"a/b", "a/b+", false},
        {"+/+/+", "a/b/c", true}, {"lamp/+", "lamps/+", false}, {"a/+/", "a/+", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (topic_filters_meet(cases[i].filter, cases[i].other) != cases[i].meet ||
            topic_filters_meet(cases[i].other, cases[i].filter) != cases[i].meet)
            fail_msg("%s and %s", cases[i].filter, cases[i].other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_literal_levels_one_device_and_at_most_one_leaf),
        cmocka_unit_test(a_pattern_of_129_bytes_is_too_long),
        cmocka_unit_test(a_topic_fits_or_it_does_not),
        cmocka_unit_test(device_names_have_at_most_63_bytes_and_topics_255),
        cmocka_unit_test(filters_and_topics_are_made_of_the_pattern),
        cmocka_unit_test(two_filters_meet_where_a_topic_is_for_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
