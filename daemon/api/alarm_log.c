/* What became of alarms: raised, acknowledged by whom, escalated, shelved, ended. Read and written
 * down in uv's pool, so that the loop goes on meanwhile. */
#include "api/api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_alarm_log.h"

#define DAY_MS 86400000
#define LIMIT  50
#define MOST   200

/* A question on its way. */
struct question {
    struct lumbard *hub;
    uint64_t ticket;
    json_t *alarms, *transitions; /* transitions: of the last one */
    char *rooms;                  /* that may be told of; NULL: all */
};

/* ---- the pool's part ---- */

static const struct lumbar_metric *metric_of(const struct question *question,
                                             const struct store_log_alarm *alarm)
{
    const struct drivers *drivers = &question->hub->setup.drivers;
    for (uint32_t d = 0; d < drivers->count; d++)
        for (uint32_t m = 0; m < drivers->list[d].metric_count; m++)
            if (strcmp(drivers->list[d].plugin->kind, alarm->kind) == 0 &&
                strcmp(drivers->list[d].metrics[m].name, alarm->metric) == 0)
                return &drivers->list[d].metrics[m];
    return NULL;
}

static void add_value(json_t *object, const char *name, double value,
                      const struct lumbar_metric *metric)
{
    if (!isnan(value))
        json_object_set_new(object, name, api_number(value, metric != NULL ? metric->decimals : 2));
}

static void on_alarm(void *user, const struct store_log_alarm *alarm)
{
    static const char *const priorities[] = {"none", "low", "medium", "high"};
    struct question *question = user;
    const struct lumbar_metric *metric = metric_of(question, alarm);
    unsigned priority = (unsigned)alarm->priority <= PRIORITY_HIGH ? alarm->priority : 0;
    json_t *object = json_pack(
        "{s:I, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "number",
        (json_int_t)alarm->number, "rule", alarm->rule, "room",
        alarm->room[0] != '\0' ? json_string(alarm->room) : json_null(), "device",
        json_sprintf("%s/%s", alarm->kind, alarm->device), "metric", alarm->metric, "unit",
        metric != NULL ? metric->unit : "", "priority", priorities[priority], "kind",
        alarm->technical ? "technical" : "clinical", "state", alarm_state_word(alarm->state),
        "escalated", (json_int_t)alarm->escalated, "raised", api_instant(alarm->raised_ms), "ended",
        alarm->state == STATE_OFF ? api_instant(alarm->since_ms) : json_null());
    if (metric == NULL || metric->labels == NULL) {
        add_value(object, "value", alarm->value, metric);
        add_value(object, "worst", alarm->worst, metric);
    }
    question->transitions = json_array();
    json_object_set_new(object, "transitions", question->transitions);
    json_array_append_new(question->alarms, object);
}

static void on_transition(void *user, const struct store_log_transition *transition)
{
    struct question *question = user;
    json_t *object =
        json_pack("{s:o, s:s}", "at", api_instant(transition->at_ms), "what", transition->what);
    if (transition->who[0] != '\0')
        json_object_set_new(object, "by", json_string(transition->who));
    if (transition->why[0] != '\0')
        json_object_set_new(object, "why", json_string(transition->why));
    json_array_append_new(question->transitions, object);
}

/* ---- the loop's part ---- */

static void on_end(void *user, uint64_t next, const char *words)
{
    struct question *question = user;
    struct api_answer out = {0};
    if (words != NULL)
        api_problem(&out, 503, "Just now the alarms cannot be read: %s.", words);
    else
        api_give(&out, 200,
                 json_pack("{s:O, s:o}", "alarms", question->alarms, "next",
                           next != 0 ? json_integer((json_int_t)next) : json_null()));
    question->hub->questions--;
    web_api_answer(question->hub->web, question->ticket, &out);
    json_decref(question->alarms);
    free(question);
}

/* The names of the rooms that may be told of; false without memory. */
static bool name_rooms(const struct lumbard *hub, const struct api_call *call, char **rooms)
{
    const struct config *config = hub->setup.config;
    size_t bytes = 0;
    if (api_sees(call, ROOM_NONE)) /* all of them, and what is in none */
        return true;
    FILE *out = open_memstream(rooms, &bytes);
    for (uint32_t room = 1; out != NULL && room <= config->room_count; room++)
        if (api_sees(call, room))
            fprintf(out, "%s\n", config->rooms[room - 1].name);
    return out != NULL && fclose(out) == 0;
}

static enum api_outcome ask_store(struct lumbard *hub, const struct api_call *call,
                                  struct store_log_wish *wish, struct api_answer *answer)
{
    struct question *question = api_may_ask(hub) ? calloc(1, sizeof(*question)) : NULL;
    char *rooms = NULL;
    if (question == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *question =
        (struct question){.hub = hub, .ticket = call->request->ticket, .alarms = json_array()};
    const struct store_log_reader reader = {on_alarm, on_transition, on_end, question};
    bool named = name_rooms(hub, call, &rooms);
    wish->rooms = rooms;
    int code = named && question->alarms != NULL
                   ? store_alarm_log(hub->store, &hub->loop, wish, &reader)
                   : ERR_MEMORY;
    free(rooms);
    if (code == 0) {
        hub->questions++;
        return API_LATER;
    }
    json_decref(question->alarms);
    free(question);
    return api_problem(answer, 503, "There is no memory for the answer.");
}

/* ?room=NAME&rule=NAME&from=...&to=...&limit=N, ?before=NUMBER: a page at a time, the newest first.
 * By default the last seven days. */
enum api_outcome api_get_alarm_log(void *user, const struct api_call *call,
                                   struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct store_log_wish wish = {.room = api_query(call, "room"), .rule = api_query(call, "rule")};
    wish.to_ms = api_query_instant(&reader, "to", hub_now_ms(hub) + 1);
    wish.from_ms = api_query_instant(&reader, "from", wish.to_ms - 7 * (int64_t)DAY_MS);
    wish.before = (uint64_t)api_query_integer(&reader, "before", 0, INT64_MAX, 0);
    wish.limit = (uint32_t)api_query_integer(&reader, "limit", 1, MOST, LIMIT);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (wish.from_ms >= wish.to_ms)
        return api_problem(answer, 422, "'from' lies before 'to'.");
    return ask_store(hub, call, &wish, answer);
}
