/* The API's walk: paths, methods, bodies, and what a handler reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/api.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Echoes what it was given. */
static enum api_outcome on_echo(void *user, const struct api_call *call, struct api_answer *answer)
{
    ++*(int *)user;
    return api_give(answer, 200,
                    json_pack("{s:s, s:s, s:O*}", "first", call->ids[0], "second", call->ids[1],
                              "body", call->body));
}

static enum api_outcome on_read(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    (void)user;
    const char *by = api_text(&reader, "by", 1, 10, NULL);
    const char *why = api_text(&reader, "why", 0, 20, "no reason");
    int64_t for_s = api_integer(&reader, "for_s", 1, 60, 5);
    int64_t page = api_query_integer(&reader, "page", 0, 9, 3);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    return api_give(answer, 201,
                    json_pack("{s:s, s:s, s:I, s:I}", "by", by, "why", why, "for_s",
                              (json_int_t)for_s, "page", (json_int_t)page));
}

static enum api_outcome on_number(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    (void)user;
    uint64_t number = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    return api_give(answer, 200, json_integer((json_int_t)number));
}

static enum api_outcome on_later(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)user, (void)call, (void)answer;
    return API_LATER;
}

static const struct api_endpoint endpoints[] = {
    {API_GET, "/things", on_echo, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/things", on_read, (const char *const[]){"by", "why", "for_s", NULL}, MAY_ALL,
     SCOPE_NONE},
    {API_GET, "/things/{a}", on_number, NULL, MAY_ALL, SCOPE_NONE},
    {API_DELETE, "/things/{a}", on_echo, NULL, MAY_ALL, SCOPE_NONE},
    {API_GET, "/pairs/{a}/{b}", on_echo, NULL, MAY_ALL, SCOPE_NONE},
    {API_PUT, "/things/{a}/name", on_echo, (const char *const[]){"name", NULL}, MAY_ALL,
     SCOPE_NONE},
    {API_POST, "/later", on_later, NULL, MAY_ALL, SCOPE_NONE},
};

static enum api_outcome ask(enum api_method method, const char *path, const char *body,
                            struct api_answer *answer, int *calls)
{
    struct api api = {endpoints, COUNT(endpoints), calls, NULL, NULL, NULL};
    struct api_request request = {
        .method = method,
        .path = path,
        .type = "application/json",
        .body = body,
        .body_bytes = strlen(body),
    };
    return api_serve(&api, &request, answer);
}

static void a_path_leads_to_its_handler_or_to_a_problem(void **state)
{
    (void)state;
    static const struct {
        enum api_method method;
        const char *path;
        int status;
        const char *first, *second, *allow;
    } cases[] = {
        {API_GET, "/api/v1/things", 200, "", "", ""},
        {API_DELETE, "/api/v1/things/7", 200, "7", "", ""},
        {API_GET, "/api/v1/pairs/a.b/c-d", 200, "a.b", "c-d", ""},
        {API_PUT, "/api/v1/things/x/name", 200, "x", "", ""},
        {API_GET, "/api/v1/pairs/a/b/c", 404, "", "", ""},
        {API_GET, "/api/v1/pairs//b", 404, "", "", ""}, /* an id has a byte at least */
        {API_GET, "/api/v1/pairs/a/", 404, "", "", ""},
        {API_GET, "/api/v1/things/", 404, "", "", ""},
        {API_GET, "/api/v1/thing", 404, "", "", ""},
        {API_GET, "/api/v1/thingss", 404, "", "", ""},
        {API_GET, "/api/v1/", 404, "", "", ""},
        {API_GET, "/api/v1", 404, "", "", ""},
        {API_GET, "/api/v2/things", 404, "", "", ""},
        {API_GET, "/API/v1/things", 404, "", "", ""},
        {API_GET, "/api/v1x/things", 404, "", "", ""},
        {API_PUT, "/api/v1/things", 405, "", "", "GET, POST"},
        {API_OTHER, "/api/v1/things/7", 405, "", "", "GET, DELETE"},
        {API_GET, "/api/v1/things/x/name", 405, "", "", "PUT"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer;
        int calls = 0;
        assert_int_equal(ask(cases[i].method, cases[i].path, "", &answer, &calls), API_DONE);
        if (answer.status != cases[i].status)
            fail_msg("%s: %d, expected %d", cases[i].path, answer.status, cases[i].status);
        assert_int_equal(calls, cases[i].status == 200);
        assert_int_equal(answer.is_problem, cases[i].status != 200);
        assert_string_equal(answer.allow, cases[i].allow);
        if (cases[i].status == 200) {
            assert_string_equal(json_string_value(json_object_get(answer.body, "first")),
                                cases[i].first);
            assert_string_equal(json_string_value(json_object_get(answer.body, "second")),
                                cases[i].second);
        } else {
            assert_int_equal(json_integer_value(json_object_get(answer.body, "status")),
                             cases[i].status);
            assert_non_null(json_string_value(json_object_get(answer.body, "detail")));
        }
        api_drop(&answer);
    }
}

static void a_body_is_one_json_object_of_known_members(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
        const char *words; /* of the answer */
    } cases[] = {
        {"{\"by\":\"mb\"}", 201, "{\"by\":\"mb\",\"why\":\"no reason\",\"for_s\":5,\"page\":3}"},
        {"{\"by\":\"mb\",\"why\":\"\",\"for_s\":60}", 201,
         "{\"by\":\"mb\",\"why\":\"\",\"for_s\":60,\"page\":3}"},
        {"", 422, "'by' is missing."},
        {"{}", 422, "'by' is missing."},
        {"{\"by\":\"\"}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":\"12345678901\"}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":7}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":null}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":\"a\\nb\"}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":\"a\\u007f\"}", 422, "'by' is one line of text, 1..10 bytes."},
        {"{\"by\":\"mb\",\"for_s\":0}", 422, "'for_s' is a whole number, 1..60."},
        {"{\"by\":\"mb\",\"for_s\":61}", 422, "'for_s' is a whole number, 1..60."},
        {"{\"by\":\"mb\",\"for_s\":1.5}", 422, "'for_s' is a whole number, 1..60."},
        {"{\"by\":\"mb\",\"for_s\":\"9\"}", 422, "'for_s' is a whole number, 1..60."},
        {"{\"by\":\"mb\",\"for_m\":9}", 422, "'for_m' is not known here; did you mean 'for_s'?"},
        {"{\"by\":\"mb\",\"zzzzzzz\":9}", 422, "'zzzzzzz' is not known here."},
        {"{\"by\":\"mb\",\"by\":\"x\"}", 400, "The body is no JSON: line 1, column 15:"},
        {"{\"by\":\"mb\"", 400, "The body is no JSON: line 1, column 10:"},
        {"{\"by\":\"mb\"} x", 400, "The body is no JSON:"},
        {"{\"by\":\"m\\u0000b\"}", 400, "The body is no JSON:"},
        {"{\"by\":\"\xff\"}", 400, "The body is no JSON:"},
        {"[]", 422, "The body is to be a JSON object."},
        {"\"by\"", 400, "The body is no JSON:"},
        {"null", 400, "The body is no JSON:"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer;
        int calls = 0;
        size_t bytes;
        ask(API_POST, "/api/v1/things", cases[i].body, &answer, &calls);
        int status = answer.status;
        char *text = api_write(&answer, &bytes);
        if (status != cases[i].status || strstr(text, cases[i].words) == NULL)
            fail_msg("%s: %d %s", cases[i].body, status, text);
        assert_int_equal(bytes, strlen(text));
        free(text);
    }
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    static char body[API_BODY_BYTES + 1];
    memset(body, '[', API_BODY_BYTES);
    struct api_answer answer;
    int calls = 0;
    ask(API_POST, "/api/v1/things", body, &answer, &calls);
    assert_int_equal(answer.status, 400);
    api_drop(&answer);
}

static void what_changes_something_must_be_json_by_its_type(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int status;
    } cases[] = {
        {"application/json", 201},
        {"APPLICATION/JSON", 201},
        {"application/json; charset=utf-8", 201},
        {"application/json ;charset=utf-8", 201},
        {"", 415},
        {"?", 415},
        {"text/plain", 415}, /* what a form of another site may send */
        {"application/x-www-form-urlencoded", 415},
        {"application/jsonx", 415},
        {"application/json, text/plain", 415},
        {"text/plain; application/json", 415},
    };
    static const char body[] = "{\"by\":\"mb\"}";
    struct api api = {endpoints, COUNT(endpoints), NULL, NULL, NULL, NULL};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer;
        struct api_request request = {.method = API_POST,
                                      .path = "/api/v1/things",
                                      .type = cases[i].type,
                                      .body = body,
                                      .body_bytes = sizeof(body) - 1};
        api_serve(&api, &request, &answer);
        if (answer.status != cases[i].status)
            fail_msg("'%s': %d", cases[i].type, answer.status);
        api_drop(&answer);
    }
}

static void a_body_where_none_is_expected_is_refused(void **state)
{
    (void)state;
    struct api_answer answer;
    int calls = 0;
    ask(API_DELETE, "/api/v1/things/7", "{}", &answer, &calls);
    assert_int_equal(answer.status, 422);
    assert_int_equal(calls, 0);
    api_drop(&answer);
}

static void a_number_in_a_path_is_one_from_1(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/api/v1/things/1", 200},    {"/api/v1/things/999999999999999999", 200},
        {"/api/v1/things/0", 422},    {"/api/v1/things/-1", 422},
        {"/api/v1/things/1.5", 422},  {"/api/v1/things/x", 422},
        {"/api/v1/things/ 1", 422},   {"/api/v1/things/9999999999999999999", 422},
        {"/api/v1/things/\xff", 422},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer;
        int calls = 0;
        ask(API_GET, cases[i].path, "", &answer, &calls);
        if (answer.status != cases[i].status)
            fail_msg("%s: %d", cases[i].path, answer.status);
        assert_non_null(answer.body); /* a sentence, even of what is no UTF-8 */
        api_drop(&answer);
    }
}

static void an_id_has_its_most_bytes(void **state)
{
    (void)state;
    char path[API_ID_BYTES + 64];
    for (size_t length = API_ID_BYTES - 1; length <= API_ID_BYTES; length++) {
        struct api_answer answer;
        int calls = 0;
        size_t have = (size_t)snprintf(path, sizeof(path), "/api/v1/things/");
        memset(path + have, 'a', length);
        path[have + length] = '\0';
        ask(API_DELETE, path, "", &answer, &calls);
        assert_int_equal(answer.status, length < API_ID_BYTES ? 200 : 404);
        api_drop(&answer);
    }
}

static void the_query_is_read_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int status, page;
    } cases[] = {
        {"page=9", 201, 9},  {"page=0", 201, 0},  {"pages=9", 201, 3}, {"page=10", 422, 0},
        {"page=", 422, 0},   {"page", 422, 0},    {"page=x", 422, 0},  {"=9", 201, 3},
        {"page=1 ", 422, 0}, {"page=+1", 422, 0},
    };
    static const char body[] = "{\"by\":\"mb\"}";
    struct api api = {endpoints, COUNT(endpoints), NULL, NULL, NULL, NULL};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer;
        struct api_request request = {.method = API_POST,
                                      .path = "/api/v1/things",
                                      .query = {"x=1", cases[i].query},
                                      .query_count = 2,
                                      .type = "application/json",
                                      .body = body,
                                      .body_bytes = sizeof(body) - 1};
        api_serve(&api, &request, &answer);
        if (answer.status != cases[i].status)
            fail_msg("'%s': %d", cases[i].query, answer.status);
        if (answer.status == 201)
            assert_int_equal(json_integer_value(json_object_get(answer.body, "page")),
                             cases[i].page);
        api_drop(&answer);
    }
}

static void a_handler_may_answer_later(void **state)
{
    (void)state;
    struct api_answer answer;
    int calls = 0;
    assert_int_equal(ask(API_POST, "/api/v1/later", "", &answer, &calls), API_LATER);
    assert_null(answer.body);
}

static void a_time_of_the_query_names_its_zone(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        int64_t ms; /* -1: a complaint */
    } cases[] = {
        {"from=2026-11-25T19:07:00Z", 1795633620000},
        {"from=2026-11-25T20:07:00.250+01:00", 1795633620250},
        {"to=2026-11-25T19:07:00Z", 5}, /* the fallback */
        {"from=2026-11-25T20:07:00", -1},
        {"from=2026-11-25T20:07:00 01:00", -1},
        {"from=", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_request request = {.query = {cases[i].query}, .query_count = 1};
        struct api_call call = {.request = &request};
        struct api_reader reader = {.call = &call};
        int64_t ms = api_query_instant(&reader, "from", 5);
        bool complained = strstr(reader.complaint, "'from' is a time with its zone") != NULL;
        if (complained != (cases[i].ms < 0) || (!complained && ms != cases[i].ms))
            fail_msg("%s: %lld %s", cases[i].query, (long long)ms, reader.complaint);
    }
}

static void a_handler_may_write_its_answer_itself(void **state)
{
    (void)state;
    struct api_answer answer = {0};
    size_t bytes;
    api_give(&answer, 201, json_object());
    api_give_text(&answer, "text/csv", strdup("a,b\n"), 4); /* in place of what was there */
    assert_int_equal(answer.status, 200);
    assert_string_equal(api_type(&answer), "text/csv");
    char *text = api_write(&answer, &bytes);
    assert_int_equal(bytes, 4);
    assert_string_equal(text, "a,b\n");
    free(text);
    api_give_text(&answer, NULL, strdup("[]"), 2);
    assert_string_equal(api_type(&answer), "application/json");
    api_problem(&answer, 503, "No."); /* which the text must not outlive */
    assert_string_equal(api_type(&answer), "application/problem+json");
    text = api_write(&answer, &bytes);
    assert_non_null(strstr(text, "\"detail\":\"No.\""));
    free(text);
    api_give_text(&answer, NULL, NULL, 0); /* what malloc() gives then */
    assert_int_equal(answer.status, 500);
    api_drop(&answer);
}

static void times_and_numbers_are_written_as_people_expect(void **state)
{
    (void)state;
    static const struct {
        double value;
        unsigned decimals;
        const char *text;
    } cases[] = {
        {43.6, 1, "[43.6]"},
        {43.649, 1, "[43.6]"},
        {7, 0, "[7]"},
        {-0.5, 3, "[-0.5]"},
        {NAN, 1, "[null]"},
        {INFINITY, 0, "[null]"},
        {1e15, 0, "[1000000000000000]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct api_answer answer = {0};
        size_t bytes;
        api_give(&answer, 200, json_pack("[o]", api_number(cases[i].value, cases[i].decimals)));
        char *text = api_write(&answer, &bytes);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
    json_t *instant = api_instant(1700000000007);
    assert_string_equal(json_string_value(instant), "2023-11-14T22:13:20.007Z");
    json_decref(instant);
    assert_true(json_is_null(api_instant(0)));
    assert_true(json_is_null(api_instant(-1)));
}

static void no_memory_is_a_problem_of_its_own(void **state)
{
    (void)state;
    struct api_answer answer = {0};
    api_give(&answer, 200, NULL); /* what json_pack() gives then */
    assert_int_equal(answer.status, 500);
    assert_true(answer.is_problem);
    api_drop(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_handler_or_to_a_problem),
        cmocka_unit_test(a_body_is_one_json_object_of_known_members),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(what_changes_something_must_be_json_by_its_type),
        cmocka_unit_test(a_body_where_none_is_expected_is_refused),
        cmocka_unit_test(a_number_in_a_path_is_one_from_1),
        cmocka_unit_test(an_id_has_its_most_bytes),
        cmocka_unit_test(the_query_is_read_by_name),
        cmocka_unit_test(a_handler_may_answer_later),
        cmocka_unit_test(a_time_of_the_query_names_its_zone),
        cmocka_unit_test(a_handler_may_write_its_answer_itself),
        cmocka_unit_test(times_and_numbers_are_written_as_people_expect),
        cmocka_unit_test(no_memory_is_a_problem_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
