/* Preconditions of edits: nobody's change is overwritten unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/api.h"

#define TAG "\"0123456789abcdef\""

static void an_edit_needs_the_version_that_it_changes(void **state)
{
    (void)state;
    static const struct {
        enum api_method method;
        const char *tag; /* of what is there; NULL: nothing is */
        const char *match, *none;
        int status; /* 0: it may */
    } cases[] = {
        {API_PUT, TAG, TAG, "", 0},
        {API_PUT, TAG, "*", NULL, 0},
        {API_PUT, TAG, "\"x\", " TAG, "", 0},
        {API_PUT, TAG, "\"x\"," TAG "\t", "", 0},
        {API_PUT, TAG, "", "", 428},
        {API_PUT, TAG, NULL, NULL, 428},
        {API_PUT, TAG, "\"x\"", "", 412},
        {API_PUT, TAG, "W/" TAG, "", 412}, /* weak tags are equal to nothing */
        {API_PUT, TAG, "?", "", 412},      /* which could not be read */
        {API_PUT, TAG, "0123456789abcdef", "", 412},
        {API_PUT, TAG, "", "*", 412},
        {API_PUT, TAG, TAG, TAG, 412},
        {API_PUT, TAG, TAG, "\"x\"", 0},
        {API_PUT, NULL, "", "", 0}, /* it becomes */
        {API_PUT, NULL, "", "*", 0},
        {API_PUT, NULL, "*", "", 412}, /* it was to be there */
        {API_PUT, NULL, TAG, "", 412},
        {API_DELETE, TAG, "", "", 0},
        {API_DELETE, TAG, TAG, "", 0},
        {API_DELETE, TAG, "\"x\"", "", 412},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_request request = {
            .method = cases[i].method, .if_match = cases[i].match, .if_none_match = cases[i].none};
        struct api_call call = {.request = &request};
        struct api_answer answer = {0};
        bool may = api_may_edit(&call, cases[i].tag, &answer);
        if (may != (cases[i].status == 0) || answer.status != cases[i].status)
            fail_msg("case %zu: %d", i, answer.status);
        assert_int_equal(answer.is_problem, !may);
        api_drop(&answer);
    }
}

static void a_tag_is_of_the_text(void **state)
{
    (void)state;
    char tag[API_TAG_BYTES], again[API_TAG_BYTES], other[API_TAG_BYTES];
    api_tag(tag, "{\"a\": 1}");
    api_tag(again, "{\"a\": 1}");
    api_tag(other, "{\"a\": 2}");
    assert_string_equal(tag, again);
    assert_string_not_equal(tag, other);
    assert_int_equal(tag[0], '"');
    assert_int_equal(tag[17], '"');
    assert_int_equal(tag[18], '\0');
}

static void a_page_is_asked_for_in_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *after, *limit;
        int wanted_after, wanted_limit; /* -1: refused */
    } cases[] = {{"after=0", "limit=1", 0, 1},     {"after=5", "limit=1000", 5, API_PAGE_MOST},
                 {"x", "y", 0, API_PAGE_MOST},     {"after=11", "limit=1", -1, 0},
                 {"after=1", "limit=1001", -1, 0}, {"after=1", "limit=0", -1, 0},
                 {"after=-1", "limit=1", -1, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_request request = {.query = {cases[i].after, cases[i].limit}, .query_count = 2};
        struct api_call call = {.request = &request};
        struct api_reader reader = {.call = &call};
        struct api_page page;
        api_read_page(&reader, 10, &page);
        assert_int_equal(reader.complaint[0] != '\0', cases[i].wanted_after < 0);
        if (cases[i].wanted_after < 0)
            continue;
        assert_int_equal(page.after, cases[i].wanted_after);
        assert_int_equal(page.limit, cases[i].wanted_limit);
    }
    json_t *last = api_next(false, 7), *next = api_next(true, 7);
    assert_true(json_is_null(last));
    assert_int_equal(json_integer_value(next), 7);
    json_decref(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_needs_the_version_that_it_changes),
        cmocka_unit_test(a_tag_is_of_the_text),
        cmocka_unit_test(a_page_is_asked_for_in_whole_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
