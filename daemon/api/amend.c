/* What is said of a session when it is over: how the pain was the morning after, a score, a note.
 * Of one that is no longer the last of its room only the store knows; what is added to it is a row
 * of its own, with who said it and when, and the store puts it in its place (store_schema.c). */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "io/store_record.h"
#include "io/store_rows.h"

#define DAY_MS INT64_C(86400000)

/* A question on its way. */
struct amending {
    struct lumbard *hub;
    uint64_t ticket, id;
    struct access who;
    char name[ALARM_WHO_BYTES], text[SESSION_NOTE_BYTES];
    struct session_order order; /* its text is the one above */
};

static const char *what_of(const struct session_order *order)
{
    switch (order->op) {
    case SESSION_PAIN:
        return order->moment == SESSION_BEFORE ? "pain_before" : "pain_after";
    case SESSION_RMDQ:
    case SESSION_ODI:
    case SESSION_NOTE:
    case SESSION_ADVERSE:
        return session_op_name(order->op);
    default:
        return NULL;
    }
}

bool api_is_amendment(const struct session_order *order)
{
    return what_of(order) != NULL &&
           !(order->op == SESSION_PAIN && order->moment == SESSION_DURING);
}

bool api_put_amendment(struct lumbard *hub, uint64_t id, const struct session_order *order,
                       const char *who, bool done)
{
    bool says = order->op == SESSION_NOTE || order->op == SESSION_ADVERSE;
    int64_t now_ms = hub_now_ms(hub);
    hub->amended_ms = now_ms > hub->amended_ms ? now_ms : hub->amended_ms + 1; /* it is a key */
    const struct store_value row[] = {
        store_int((int64_t)id),
        store_int(hub->amended_ms),
        store_text(what_of(order)),
        says ? store_null() : store_int(order->number),
        says ? store_text(order->text) : store_null(),
        store_text(who),
        store_int(done),
    };
    return store_put(hub->store, STORE_AMENDMENT, row, sizeof(row) / sizeof(row[0]));
}

/* ---- one that only the store knows ---- */

static bool is_refused(const struct amending *amending, const struct store_record *record,
                       struct api_answer *out)
{
    struct lumbard *hub = amending->hub;
    const int64_t days = hub->setup.config->sessions.amend_days;
    const int64_t age_ms = hub_now_ms(hub) - record->report->session.ended_ms;
    unsigned long long id = amending->id;
    if (record->code != 0)
        api_problem(out, 503, "Just now %s.", record->words);
    else if (!record->found || record->report->session.ended_ms == 0)
        api_problem(out, 404, "There is no session %llu.", id);
    else if (!access_sees(&amending->who, api_room_named(hub, record->room)))
        api_problem(out, 403, API_NOT_THEIRS);
    else if (age_ms > days * DAY_MS)
        api_problem(out, 409, "Session %llu ended more than %lld days ago (sessions.amend_days).",
                    id, (long long)days);
    else if (amending->order.op == SESSION_NOTE &&
             record->report->session.note_count == SESSION_NOTES_MAX)
        api_problem(out, 409, "The session has %d notes and markers already.", SESSION_NOTES_MAX);
    else
        return false;
    return true;
}

static void on_record(void *user, struct store_record *record)
{
    struct amending *amending = user;
    struct lumbard *hub = amending->hub;
    const struct api_request request = {.ticket = amending->ticket};
    const struct api_call call = {.request = &request};
    struct api_answer out = {0};
    enum api_outcome outcome = API_DONE;
    hub->reports--;
    if (!is_refused(amending, record, &out)) {
        api_put_amendment(hub, amending->id, &amending->order, amending->name, false);
        outcome = api_stored(hub, &call, &out, 200,
                             json_pack("{s:I, s:s}", "id", (json_int_t)amending->id, "what",
                                       what_of(&amending->order)));
    }
    if (outcome == API_DONE)
        web_api_answer(hub->web, amending->ticket, &out);
    free(amending);
}

enum api_outcome api_amend(struct lumbard *hub, const struct api_call *call, uint64_t id,
                           const struct session_order *order, const char *who,
                           struct api_answer *answer)
{
    struct amending *amending = api_may_report(hub) ? calloc(1, sizeof(*amending)) : NULL;
    if (amending == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *amending = (struct amending){.hub = hub,
                                  .ticket = call->request->ticket,
                                  .id = id,
                                  .who = *call->request->who,
                                  .order = *order};
    snprintf(amending->name, sizeof(amending->name), "%s", who);
    snprintf(amending->text, sizeof(amending->text), "%s", order->text);
    amending->order.text = amending->text;
    if (store_record(hub->store, &hub->loop, id, &hub->setup.drivers, &hub->setup.body, on_record,
                     amending) == 0) {
        hub->reports++;
        return API_LATER;
    }
    free(amending);
    return api_problem(answer, 503, "There is no memory for the answer.");
}
