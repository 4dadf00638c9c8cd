/* Changes of rules tried on the last sessions that were recorded, by another process. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "io/child.h"
#include "trying.h"

#define SESSIONS_DEFAULT 10
#define RETRY_S          15

static void on_tried(void *user, uint64_t ticket, enum child_end end, const char *said,
                     size_t bytes)
{
    struct lumbard *hub = user;
    struct api_answer answer = {0};
    json_t *body = end == CHILD_ANSWERED ? json_loadb(said, bytes, 0, NULL) : NULL;
    if (body != NULL)
        api_give(&answer, 200, body);
    else if (end == CHILD_LATE)
        api_problem(&answer, 503, "It took longer than %d s: try it on fewer sessions.",
                    TRYING_LATE_MS / 1000);
    else if (end == CHILD_STOPPED)
        api_problem(&answer, 503, "The hub stops.");
    else
        api_problem(&answer, 503, "It could not be tried; the hub's log says why.");
    web_api_answer(hub->web, ticket, &answer);
}

int hub_open_trying(struct lumbard *hub, struct diag *diag)
{
    const char *const arguments[] = {"--config", hub->options->config_file, "--try", NULL};
    return child_create(&hub->trying, &hub->loop, arguments, TRYING_LATE_MS, on_tried, hub, diag);
}

/* {"text": ..., "sessions": 10, "rooms": [those that may be told of] or null}; NULL: no memory. */
static char *write_task(const struct lumbard *hub, const struct api_call *call, const char *text,
                        int64_t sessions)
{
    char *rooms, *at, *name;
    if (!api_name_rooms(hub, call, &rooms))
        return NULL;
    json_t *list = rooms != NULL ? json_array() : json_null();
    for (name = rooms != NULL ? strtok_r(rooms, "\n", &at) : NULL; name != NULL;
         name = strtok_r(NULL, "\n", &at))
        json_array_append_new(list, json_string(name));
    free(rooms);
    json_t *task =
        json_pack("{s:s, s:I, s:o}", "text", text, "sessions", (json_int_t)sessions, "rooms", list);
    char *words = json_dumps(task, JSON_COMPACT);
    json_decref(task);
    return words;
}

enum api_outcome api_try_rule_changes(void *user, const struct api_call *call,
                                      struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    int64_t sessions = api_integer(&reader, "sessions", 1, TRYING_SESSIONS_MAX, SESSIONS_DEFAULT);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const char *text = api_changes_text(hub, call, answer);
    if (text == NULL || !api_changes_good(hub, text, answer))
        return API_DONE;
    char *task = write_task(hub, call, text, sessions);
    if (task == NULL)
        return api_problem(answer, 503, "There is no memory for it.");
    if (child_begin(hub->trying, call->request->ticket, task, strlen(task)))
        return API_LATER;
    free(task);
    answer->retry_s = RETRY_S;
    return api_problem(answer, 429, "Others try rules just now: try again in %d s.", RETRY_S);
}
