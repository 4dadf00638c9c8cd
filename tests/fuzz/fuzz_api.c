/*
 * A request of the JSON API, as its parts: the first byte is the method, then lines with the path,
 * a query item and the media type; the rest is the body. Whatever comes, there is one answer, it is
 * whole JSON, and a handler is given only what it may be given.
 */
#include <stdlib.h>
#include <string.h>

#include "core/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort(); /* in every build */                                                          \
    } while (0)

static const char *const members[] = {"by", "why", "for_s", NULL};

static enum api_outcome on_list(void *user, const struct api_call *call, struct api_answer *answer)
{
    CHECK(call->request->method == API_GET);
    ++*(unsigned *)user;
    const char *room = api_query(call, "room");
    CHECK(room == NULL || strncmp(call->request->query[0], "room", 4) == 0);
    return api_give(answer, 200, json_pack("{s:i}", "count", 0));
}

static enum api_outcome on_act(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    ++*(unsigned *)user;
    CHECK(strchr(call->ids[0], '/') == NULL && strlen(call->ids[0]) < API_ID_BYTES);
    CHECK(call->body == NULL || json_is_object(call->body));
    uint64_t number = api_id(&reader, 0);
    const char *by = api_text(&reader, "by", 1, 60, NULL);
    int64_t for_s = api_integer(&reader, "for_s", 1, 3600, 60);
    int64_t page = api_query_integer(&reader, "page", 0, 9, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    CHECK(number > 0 && strlen(by) >= 1 && strlen(by) <= 60 && strpbrk(by, "\n\r\t\x7f") == NULL);
    CHECK(for_s >= 1 && for_s <= 3600 && page >= 0 && page <= 9);
    return api_give(answer, 201, json_pack("{s:s, s:s}", "by", by, "id", call->ids[0]));
}

static const struct api_endpoint endpoints[] = {
    {API_GET, "/alarms", on_list, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/alarms/{number}/ack", on_act, members, MAY_ALL, SCOPE_NONE},
    {API_PUT, "/pairs/{a}/{b}", on_act, members, MAY_ALL, SCOPE_NONE},
    {API_DELETE, "/alarms/{number}", on_act, NULL, MAY_ALL, SCOPE_NONE},
};

/* Cuts a line off; what is missing is "". */
static const char *cut(char **text)
{
    static char nothing[] = "";
    char *line = *text != NULL ? strsep(text, "\n") : NULL;
    return line != NULL ? line : nothing;
}

static void check_answer(struct api_answer *answer, unsigned calls)
{
    size_t bytes;
    int status = answer->status;
    bool is_problem = answer->is_problem;
    CHECK(status >= 200 && status < 600 && is_problem == (status >= 400));
    CHECK(calls <= 1 && (is_problem || calls == 1));
    CHECK((status == 405) == (answer->allow[0] != '\0'));
    char *text = api_write(answer, &bytes);
    CHECK(text != NULL && bytes == strlen(text));
    json_t *again = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_object(again));
    if (is_problem)
        CHECK(json_integer_value(json_object_get(again, "status")) == status);
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > API_BODY_BYTES)
        return 0;
    char *copy = strndup((const char *)data + 1, size - 1), *rest = copy;
    CHECK(copy != NULL);
    unsigned calls = 0;
    struct api api = {endpoints, sizeof(endpoints) / sizeof(endpoints[0]), &calls, NULL, NULL,
                      NULL};
    struct api_request request = {.method = (enum api_method)(data[0] % (API_OTHER + 1))};
    request.path = cut(&rest);
    request.query[0] = cut(&rest);
    request.query_count = 1;
    request.type = cut(&rest);
    request.body = rest != NULL ? rest : "";
    request.body_bytes = strlen(request.body);
    struct api_answer answer;
    CHECK(api_serve(&api, &request, &answer) == API_DONE);
    check_answer(&answer, calls);
    free(copy);
    return 0;
}
