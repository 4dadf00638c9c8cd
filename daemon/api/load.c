/* Alarm load: do alarms come as people can answer them, and are they answered? */
#include "api/api.h"

#include <stdlib.h>

#include "io/store_load.h"

#define DAY_MS 86400000

struct question {
    struct lumbard *hub;
    uint64_t ticket;
    int64_t from_ms, to_ms;
    int64_t limit;
};

static json_t *floods_of(const struct load_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->flood_count; i++) {
        const struct load_flood *flood = &report->flood[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:I}", "from", api_instant(flood->from_ms), "to",
                            api_instant(flood->to_ms), "alarms", (json_int_t)flood->alarms));
    }
    return list;
}

static json_t *worst_of(const struct load_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->worst_count; i++) {
        const struct load_rule *rule = &report->worst[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:f}", "rule", rule->name, "alarms",
                                              (json_int_t)rule->alarms, "unacknowledged",
                                              (json_int_t)rule->unacked, "share", rule->share));
    }
    return list;
}

static void on_load(void *user, const struct load_report *report, const char *words)
{
    struct question *question = user;
    struct api_answer answer = {0};
    if (report == NULL)
        api_problem(&answer, 503, "Just now the alarms cannot be read: %s.", words);
    else
        api_give(&answer, 200,
                 json_pack(
                     "{s:o, s:o, s:I, s:f, s:I, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:o, s:o}",
                     "from", api_instant(question->from_ms), "to", api_instant(question->to_ms),
                     "alarms", (json_int_t)report->alarms, "per_ten_minutes", report->per_span,
                     "most", (json_int_t)report->most, "most_from",
                     report->most > 0 ? api_instant(report->most_ms) : json_null(), "flood_limit",
                     (json_int_t)question->limit, "acknowledged", (json_int_t)report->acked,
                     "median_to_acknowledge_ms",
                     report->ack_median_ms >= 0 ? json_integer(report->ack_median_ms) : json_null(),
                     "ended", (json_int_t)report->ended, "ended_unacknowledged",
                     (json_int_t)report->unacked, "floods", (json_int_t)report->floods,
                     "first_floods", floods_of(report), "worst_rules", worst_of(report)));
    question->hub->questions--;
    web_api_answer(question->hub->web, question->ticket, &answer);
    free(question);
}

/* ?from=...&to=...: by default the last seven days. */
enum api_outcome api_get_load(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    int64_t to_ms = api_query_instant(&reader, "to", hub_now_ms(hub));
    int64_t from_ms = api_query_instant(&reader, "from", to_ms - 7 * (int64_t)DAY_MS);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (from_ms >= to_ms)
        return api_problem(answer, 422, "'from' lies before 'to'.");
    struct question *question = api_may_ask(hub) ? calloc(1, sizeof(*question)) : NULL;
    if (question == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *question = (struct question){.hub = hub,
                                  .ticket = call->request->ticket,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms,
                                  .limit = hub->setup.config->alarms.flood};
    if (store_load_of(hub->store, &hub->loop, from_ms, to_ms, (uint32_t)question->limit, on_load,
                      question) != 0) {
        free(question);
        return api_problem(answer, 503, "There is no memory for the answer.");
    }
    hub->questions++;
    return API_LATER;
}
