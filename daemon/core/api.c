#include "core/api.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/instant.h"
#include "base/text.h"

#define MEMBERS_MAX 32                                       /* of a body, for the nearest name */
#define WRITE_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12)) /* 43.6, not 43.600000000000001 */

static const char *const method_names[] = {"GET", "POST", "PUT", "DELETE", "LIVE"};

static const char *status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Problem";
}

enum api_outcome api_give(struct api_answer *answer, int status, json_t *body)
{
    if (body == NULL)
        return api_problem(answer, 500, "There is no memory for the answer.");
    api_drop(answer);
    answer->status = status;
    answer->body = body;
    answer->is_problem = false;
    return API_DONE;
}

enum api_outcome api_give_text(struct api_answer *answer, const char *type, char *text,
                               size_t bytes)
{
    if (text == NULL)
        return api_problem(answer, 500, "There is no memory for the answer.");
    api_drop(answer);
    answer->status = 200;
    answer->text = text;
    answer->text_bytes = bytes;
    answer->type = type;
    answer->is_problem = false;
    return API_DONE;
}

enum api_outcome api_problem(struct api_answer *answer, int status, const char *format, ...)
{
    char detail[400];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    api_drop(answer);
    answer->status = status;
    answer->is_problem = true;
    answer->body = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                             status_title(status), "status", status, "detail", detail);
    /* What was cut or came from outside may be no UTF-8, and then no JSON. */
    if (answer->body == NULL)
        answer->body = json_pack("{s:s, s:s, s:i}", "type", "about:blank", "title",
                                 status_title(status), "status", status);
    return API_DONE;
}

void api_drop(struct api_answer *answer)
{
    json_decref(answer->body);
    free(answer->text);
    answer->body = NULL;
    answer->text = NULL;
}

const char *api_type(const struct api_answer *answer)
{
    if (answer->is_problem)
        return "application/problem+json";
    return answer->type != NULL ? answer->type : "application/json";
}

char *api_write(struct api_answer *answer, size_t *bytes)
{
    if (answer->text != NULL) {
        char *made = answer->text;
        *bytes = answer->text_bytes;
        answer->text = NULL;
        return made;
    }
    char *text = answer->body != NULL ? json_dumps(answer->body, WRITE_FLAGS) : strdup("{}");
    api_drop(answer);
    *bytes = text != NULL ? strlen(text) : 0;
    return text;
}

/* ---- the walk ---- */

/* Does the path fit the pattern? What stands in the place of {...} goes to the call's ids. */
static bool path_fits(const char *pattern, const char *path, struct api_call *call)
{
    size_t ids = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t length = strcspn(path, "/");
        if (length == 0 || length >= API_ID_BYTES || ids == API_IDS_MAX)
            return false;
        memcpy(call->ids[ids], path, length);
        call->ids[ids++][length] = '\0';
        path += length;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *path == '\0';
}

/* The endpoint of path and method. NULL: answered, with 404, or with 405 and what is allowed. */
static const struct api_endpoint *find(const struct api *api, struct api_call *call,
                                       struct api_answer *answer)
{
    const struct api_request *request = call->request;
    const char *path = request->path + strlen(API_ROOT);
    struct text allow = text_in(answer->allow, sizeof(answer->allow));
    for (size_t i = 0; i < api->count; i++) {
        const struct api_endpoint *endpoint = &api->table[i];
        if (endpoint->method == API_LIVE || !path_fits(endpoint->path, path, call))
            continue;
        if (endpoint->method == request->method) {
            answer->allow[0] = '\0';
            return endpoint;
        }
        text_add(&allow, "%s%s", allow.length > 0 ? ", " : "", method_names[endpoint->method]);
    }
    if (allow.length == 0)
        api_problem(answer, 404, "The API has nothing at this path.");
    else
        api_problem(answer, 405, "This path knows %s only.", answer->allow);
    return NULL;
}

/* "application/json", perhaps with its charset, which can only be UTF-8. */
static bool is_json(const char *type)
{
    static const char wanted[] = "application/json";
    size_t length = sizeof(wanted) - 1;
    if (strncasecmp(type, wanted, length) != 0)
        return false;
    type += length + strspn(type + length, " \t");
    return *type == '\0' || *type == ';';
}

static bool known_members(const struct api_endpoint *endpoint, const json_t *body,
                          struct api_answer *answer)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    while (count < MEMBERS_MAX && endpoint->members[count] != NULL)
        count++;
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        size_t at = 0;
        while (at < count && strcmp(endpoint->members[at], name) != 0)
            at++;
        if (at < count)
            continue;
        const char *nearest = text_nearest(name, endpoint->members, count);
        if (nearest != NULL)
            api_problem(answer, 422, "'%.60s' is not known here; did you mean '%s'?", name,
                        nearest);
        else
            api_problem(answer, 422, "'%.60s' is not known here.", name);
        return false;
    }
    return true;
}

/* The body of a request that may have one. False: answered. */
static bool read_body(const struct api_endpoint *endpoint, struct api_call *call, json_t **body,
                      struct api_answer *answer)
{
    const struct api_request *request = call->request;
    json_error_t error;
    *body = NULL;
    /* A form of another site can post, but never with this type: it is half of the defence. */
    if (request->method != API_GET && !is_json(request->type)) {
        api_problem(answer, 415, "What changes something says Content-Type: application/json.");
        return false;
    }
    if (endpoint->members == NULL && request->body_bytes > 0) {
        api_problem(answer, 422, "No body is expected here.");
        return false;
    }
    if (request->body_bytes == 0)
        return true;
    *body = json_loadb(request->body, request->body_bytes, JSON_REJECT_DUPLICATES, &error);
    if (*body == NULL)
        api_problem(answer, 400, "The body is no JSON: line %d, column %d: %s.", error.line,
                    error.column, error.text);
    else if (!json_is_object(*body))
        api_problem(answer, 422, "The body is to be a JSON object.");
    else
        return known_members(endpoint, *body, answer);
    return false;
}

enum api_outcome api_serve(const struct api *api, const struct api_request *request,
                           struct api_answer *answer)
{
    struct api_call call = {.request = request};
    json_t *body = NULL;
    enum api_outcome outcome = API_DONE;
    *answer = (struct api_answer){0};
    if (strncmp(request->path, API_ROOT "/", sizeof(API_ROOT)) != 0)
        return api_problem(answer, 404, "The API begins with " API_ROOT "/.");
    const struct api_endpoint *endpoint = find(api, &call, answer);
    if (endpoint == NULL)
        return API_DONE;
    bool admitted = api->admit == NULL || api->admit(api->user, endpoint, &call, answer);
    if (admitted && read_body(endpoint, &call, &body, answer)) {
        call.body = body;
        if (api->admit_room == NULL || api->admit_room(api->user, endpoint, &call, answer))
            outcome = endpoint->handle(api->user, &call, answer);
    }
    if (api->note != NULL)
        api->note(api->user, endpoint, &call, outcome == API_DONE ? answer : NULL);
    json_decref(body);
    return outcome;
}

const char *api_method_name(enum api_method method)
{
    return method_names[method];
}

bool api_may_watch(const struct api *api, const struct access *who, uint32_t room)
{
    const char *path = room == 0 ? "/live/wall" : "/live/room";
    if (api->admit == NULL)
        return true;
    for (size_t i = 0; i < api->count; i++)
        if (api->table[i].method == API_LIVE && strcmp(api->table[i].path, path) == 0)
            return access_may(who, api->table[i].may, false) &&
                   (room == 0 || access_sees(who, room));
    return false;
}

void api_print(const struct api *api, FILE *out)
{
    for (size_t i = 0; i < api->count; i++) {
        const struct api_endpoint *endpoint = &api->table[i];
        fprintf(out, "{\"method\":\"%s\",\"path\":\"%s\",\"roles\":[",
                method_names[endpoint->method], endpoint->path);
        const char *before = "";
        for (int role = 0; role <= ROLES_; role++) {
            if ((endpoint->may & MAY(role)) == 0)
                continue;
            fprintf(out, "%s\"%s\"", before, access_role_name((enum access_role)role));
            before = ",";
        }
        fprintf(out, "],\"scope\":\"%s\",\"members\":[", access_scope_name(endpoint->scope));
        for (size_t m = 0; endpoint->members != NULL && endpoint->members[m] != NULL; m++)
            fprintf(out, "%s\"%s\"", m > 0 ? "," : "", endpoint->members[m]);
        fputs("]}\n", out);
    }
}

/* ---- for handlers ---- */

__attribute__((format(printf, 2, 3))) static void complain(struct api_reader *reader,
                                                           const char *format, ...)
{
    va_list args;
    if (reader->complaint[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(reader->complaint, sizeof(reader->complaint), format, args);
    va_end(args);
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

const char *api_text(struct api_reader *reader, const char *name, size_t min, size_t max,
                     const char *fallback)
{
    const json_t *value = json_object_get(reader->call->body, name);
    if (value == NULL) {
        if (fallback == NULL)
            complain(reader, "'%s' is missing.", name);
        return fallback != NULL ? fallback : "";
    }
    const char *text = json_string_value(value);
    size_t length = text != NULL ? strlen(text) : 0;
    if (text == NULL || length < min || length > max || !is_plain(text)) {
        complain(reader, "'%s' is one line of text, %zu..%zu bytes.", name, min, max);
        return "";
    }
    return text;
}

int64_t api_integer(struct api_reader *reader, const char *name, int64_t min, int64_t max,
                    int64_t fallback)
{
    const json_t *value = json_object_get(reader->call->body, name);
    if (value == NULL && fallback >= min && fallback <= max)
        return fallback;
    int64_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= min && number <= max)
        return number;
    complain(reader, "'%s' is a whole number, %lld..%lld.", name, (long long)min, (long long)max);
    return min;
}

const char *api_query(const struct api_call *call, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < call->request->query_count; i++) {
        const char *item = call->request->query[i];
        if (strncmp(item, name, length) == 0 && item[length] == '=')
            return item + length + 1;
        if (strcmp(item, name) == 0)
            return "";
    }
    return NULL;
}

static bool whole_number(const char *text, int64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *number = strtoll(text, NULL, 10);
    return true;
}

int64_t api_query_integer(struct api_reader *reader, const char *name, int64_t min, int64_t max,
                          int64_t fallback)
{
    const char *text = api_query(reader->call, name);
    int64_t number;
    if (text == NULL)
        return fallback;
    if (whole_number(text, &number) && number >= min && number <= max)
        return number;
    complain(reader, "'%s' is a whole number, %lld..%lld.", name, (long long)min, (long long)max);
    return fallback;
}

int64_t api_query_instant(struct api_reader *reader, const char *name, int64_t fallback)
{
    const char *text = api_query(reader->call, name);
    int64_t ms;
    if (text == NULL)
        return fallback;
    if (instant_read(text, &ms))
        return ms;
    complain(reader,
             "'%s' is a time with its zone, as 2026-11-25T19:07:00Z or 2026-11-25T20:07:00+01:00 "
             "(in an address a + is written %%2B).",
             name);
    return fallback;
}

uint64_t api_id(struct api_reader *reader, size_t place)
{
    int64_t number;
    if (whole_number(reader->call->ids[place], &number) && number > 0)
        return (uint64_t)number;
    complain(reader, "'%.60s' is no number.", reader->call->ids[place]);
    return 0;
}

enum api_outcome api_refuse(const struct api_reader *reader, struct api_answer *answer)
{
    return api_problem(answer, 422, "%s", reader->complaint);
}

json_t *api_instant(int64_t ms)
{
    char text[INSTANT_BYTES];
    return ms > 0 ? json_string(instant_write(ms, text)) : json_null();
}

json_t *api_number(double value, unsigned decimals)
{
    char digits[400];
    if (!isfinite(value))
        return json_null();
    snprintf(digits, sizeof(digits), "%.*f", (int)(decimals > 6 ? 6 : decimals), value);
    return decimals == 0 && fabs(value) < 9e15 ? json_integer((json_int_t)llround(value))
                                               : json_real(strtod(digits, NULL));
}
