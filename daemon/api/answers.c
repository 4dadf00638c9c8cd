/* Answers of the API that wait until what they tell of is on the disk. */
#include "api/api.h"
#include "io/store_rows.h"

/* False: the disk refuses, and nobody is made to wait for it. */
static bool is_awaited(const struct lumbard *hub, const struct hub_answer *waiting)
{
    return store_is_safe(hub->store) && store_committed(hub->store) < waiting->batch;
}

static void send_answer(struct lumbard *hub, struct hub_answer *waiting)
{
    bool stored = store_committed(hub->store) >= waiting->batch;
    json_object_set_new(waiting->answer.body, "stored", json_boolean(stored));
    web_api_answer(hub->web, waiting->ticket, &waiting->answer);
    *waiting = (struct hub_answer){0};
}

bool api_may_ask(struct lumbard *hub)
{
    bool may = hub->questions < API_QUESTIONS_MOST;
    hub->questions_refused += !may;
    return may;
}

bool api_may_report(struct lumbard *hub)
{
    bool may = hub->reports < API_REPORTS_MOST;
    hub->reports_refused += !may;
    return may;
}

void hub_send_answers(struct lumbard *hub)
{
    for (unsigned i = 0; i < HUB_ANSWERS_MAX; i++)
        if (hub->answers[i].ticket != 0 && !is_awaited(hub, &hub->answers[i]))
            send_answer(hub, &hub->answers[i]);
}

void hub_drop_answers(struct lumbard *hub)
{
    for (unsigned i = 0; i < HUB_ANSWERS_MAX; i++)
        if (hub->answers[i].ticket != 0)
            send_answer(hub, &hub->answers[i]);
}

enum api_outcome api_stored(struct lumbard *hub, const struct api_call *call,
                            struct api_answer *answer, int status, json_t *body)
{
    return api_stored_in(hub, call, answer, status, body, store_rows_batch(hub->store));
}

enum api_outcome api_stored_in(struct lumbard *hub, const struct api_call *call,
                               struct api_answer *answer, int status, json_t *body, uint64_t batch)
{
    api_give(answer, status, body);
    if (answer->is_problem)
        return API_DONE;
    /* Nor is told to be stored what found no room. */
    bool whole = store_refused_rows(hub->store) == hub->refused_rows;
    hub->refused_rows = store_refused_rows(hub->store);
    if (whole && store_committed(hub->store) >= batch) {
        json_object_set_new(answer->body, "stored", json_true());
        return API_DONE;
    }
    for (unsigned i = 0; whole && store_is_safe(hub->store) && i < HUB_ANSWERS_MAX; i++) {
        if (hub->answers[i].ticket != 0)
            continue;
        hub->answers[i] = (struct hub_answer){call->request->ticket, batch, *answer};
        *answer = (struct api_answer){0};
        return API_LATER;
    }
    hub->answers_refused += whole && store_is_safe(hub->store);
    json_object_set_new(answer->body, "stored", json_false());
    return API_DONE;
}
