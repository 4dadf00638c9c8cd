/* Sessions: those of the rooms as they stand, and what is done with them. */
#include "api/api.h"

#include <string.h>

#include "io/store_rows.h"

#define PERCENT 100

/* ---- shown ---- */

static json_t *score(int score)
{
    return score == SESSION_NO_SCORE ? json_null() : json_integer(score);
}

static json_t *words(const char *text)
{
    return *text != '\0' ? json_string(text) : json_null();
}

json_t *api_phases(const struct session *session, int64_t now_ms)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->plan.phase_count; i++) {
        const struct plan_phase *plan = &session->plan.phases[i];
        const struct session_phase *phase = &session->phases[i];
        int64_t spent_ms =
            i == session->phase ? session_spent_ms(session, now_ms) : phase->spent_ms;
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "kind", plan_kind_name(plan->kind),
                            "title", plan->title, "time_ms", (json_int_t)plan->time_ms, "spent_ms",
                            (json_int_t)spent_ms, "began", api_instant(phase->began_ms), "ended",
                            api_instant(phase->ended_ms)));
    }
    return list;
}

static json_t *devices_of(const struct lumbard *hub, const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct session_device *assigned = &session->devices[i];
        const struct device *device = devices_at(hub->ingest.devices, assigned->device);
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:b}", "device", api_device_name(device), "from",
                            api_instant(assigned->from_ms), "to", api_instant(assigned->to_ms),
                            "by_hand", assigned->by_hand));
    }
    return list;
}

json_t *api_notes(const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->note_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:s, s:s}", "at",
                                              api_instant(session->notes[i].at_ms), "kind",
                                              session->notes[i].marker ? "marker" : "note", "text",
                                              session->notes[i].text));
    return list;
}

/* Time below, within and above each limit and target; what they are may be the client's own. */
json_t *api_bands(const struct lumbard *hub, const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->plan.band_count; i++) {
        const struct plan_band *band = &session->plan.bands[i];
        const struct session_band *account = &session->bands[i];
        const struct lumbar_metric *metric =
            drivers_metric(&hub->setup.drivers, band->metric, NULL);
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:I}", "metric", metric->name,
                      "unit", metric->unit, "phase",
                      band->phase == PLAN_ANY_PHASE ? json_null() : json_integer(band->phase + 1),
                      "target", band->target, "low", api_number(band->low, 2), "high",
                      api_number(band->high, 2), "below_ms", (json_int_t)account->below_ms,
                      "within_ms", (json_int_t)account->within_ms, "above_ms",
                      (json_int_t)account->above_ms, "excursions",
                      (json_int_t)account->excursions));
    }
    return list;
}

json_t *api_doses(const struct lumbard *hub, const struct session *session)
{
    json_t *list = json_array();
    const struct lumbar_metric *metric = body_intensity(&hub->setup.body, &hub->setup.drivers);
    for (uint32_t i = 0; i < hub->setup.body.count; i++) {
        const struct session_dose *dose = &session->doses[i];
        double mean = metric != NULL ? dose->intensity_ms / (double)dose->time_ms : NAN;
        if (dose->time_ms > 0)
            json_array_append_new(
                list, json_pack("{s:s, s:I, s:o, s:o}", "region", hub->setup.body.regions[i],
                                "time_ms", (json_int_t)dose->time_ms, "mean", api_number(mean, 2),
                                "unit", metric != NULL ? json_string(metric->unit) : json_null()));
    }
    return list;
}

/* Of those devices that are in it now and were calibrated. */
static json_t *calibrations_of(const struct lumbard *hub, const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct device *device = devices_at(hub->ingest.devices, session->devices[i].device);
        if (session->devices[i].to_ms == 0 &&
            calibration_neutral(hub->ingest.calibration, device->id) != NULL)
            json_array_append_new(list, api_calibration(hub, device));
    }
    return list;
}

static json_t *head_of(const struct lumbard *hub, const struct session *session, int64_t now_ms)
{
    bool in_phase = session->phase < session->plan.phase_count;
    return json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "id",
        (json_int_t)session->id, "state", session_state_name(session->state), "room",
        api_room_name(hub, session->room), "client", words(session->client.name), "therapist",
        words(session->therapist), "plan", words(session->plan.name), "phase",
        in_phase ? json_integer(session->phase + 1) : json_null(), "phase_title",
        in_phase ? json_string(session->plan.phases[session->phase].title) : json_null(), "left_ms",
        in_phase ? json_integer(session_left_ms(session, now_ms)) : json_null(), "opened",
        api_instant(session->opened_ms), "started", api_instant(session->started_ms), "ended",
        api_instant(session->ended_ms), "reason", words(session->reason), "idle", session->idle);
}

static json_t *session_json(const struct lumbard *hub, const struct session *session)
{
    int64_t now_ms = hub_now_ms(hub);
    json_t *json = head_of(hub, session, now_ms);
    json_t *more = json_pack(
        "{s:{s:o, s:o, s:o}, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pain", "before",
        score(session->pain[SESSION_BEFORE]), "during", score(session->pain[SESSION_DURING]),
        "after", score(session->pain[SESSION_AFTER]), "rmdq", score(session->rmdq), "odi",
        score(session->odi), "ask_to_stop", session->ask_to_stop, "adverse",
        words(session->adverse), "phases", api_phases(session, now_ms), "devices",
        devices_of(hub, session), "notes", api_notes(session), "bands", api_bands(hub, session),
        "doses", api_doses(hub, session), "calibrations", calibrations_of(hub, session));
    json_object_update(json, more);
    json_decref(more);
    return json;
}

/* The last of each room. ?room=NAME, ?after=PLACE&limit=N: a page at a time. */
enum api_outcome api_get_sessions(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user;
    const char *room = api_query(call, "room");
    struct api_reader reader = {.call = call};
    struct api_page page;
    api_read_page(&reader, CONFIG_ROOMS_MAX, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    uint32_t i = page.after + 1;
    for (; i <= hub->setup.config->room_count && json_array_size(list) < page.limit; i++) {
        const struct session *session = sessions_at(hub->ingest.sessions, i);
        if (session != NULL && api_sees(call, i) &&
            (room == NULL || strcmp(hub->setup.config->rooms[i - 1].name, room) == 0))
            json_array_append_new(list, head_of(hub, session, hub_now_ms(hub)));
    }
    return api_give(answer, 200,
                    json_pack("{s:o, s:o}", "sessions", list, "next",
                              api_next(i <= hub->setup.config->room_count, i - 1)));
}

enum api_outcome api_get_session(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint64_t id = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const struct session *session = sessions_find(hub->ingest.sessions, id);
    return session != NULL ? api_give(answer, 200, session_json(hub, session))
                           : api_problem(answer, 404, "There is no session %llu in any room.",
                                         (unsigned long long)id);
}

/* ---- done ---- */

static uint32_t device_of(const struct lumbard *hub, const char *name)
{
    const struct device *device = api_find_device(hub, name);
    return device != NULL ? device->id : 0;
}

/* Who it is; false, and a problem, where nobody is known by this pseudonym. */
static bool find_client(struct lumbard *hub, const char *alias, struct client *client,
                        struct api_answer *answer)
{
    struct diag diag = {0};
    const struct shelf_entry *entry = shelf_find(hub->clients, 0, alias);
    if (entry == NULL)
        api_problem(answer, 404, "There is no client '%s'.", alias);
    else if (hub_is_erasing(hub, entry->id))
        api_problem(answer, 409, "Client '%s' is being erased.", alias);
    else if (hub_read_client(hub, entry->text, client, &diag) != 0)
        api_complain(answer, diag.code, &diag);
    else
        return true;
    return false;
}

/* One that was opened by this request, or by the one that it repeats. */
static enum api_outcome give_opened(struct lumbard *hub, const struct api_call *call, uint64_t id,
                                    uint64_t batch, struct api_answer *answer)
{
    const struct session *session = sessions_find(hub->ingest.sessions, id);
    if (session == NULL)
        return api_problem(answer, 404, "Session %llu was opened by this key, and is over.",
                           (unsigned long long)id);
    snprintf(answer->location, sizeof(answer->location), API_ROOT "/sessions/%llu",
             (unsigned long long)id);
    return api_stored_in(hub, call, answer, 201, session_json(hub, session), batch);
}

enum api_outcome api_open_session(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    const char *room = api_text(&reader, "room", 1, 63, NULL);
    const char *name = api_text(&reader, "plan", 0, PLAN_NAME_BYTES - 1, "");
    const char *alias = api_text(&reader, "client", 0, CLIENT_NAME_BYTES - 1, "");
    struct client client;
    struct plan plan;
    struct session_opening opening = {
        .room = api_room_named(hub, room),
        .therapist = api_text(&reader, "therapist", 1, SESSION_THERAPIST_BYTES - 1, NULL),
        .own_age_ms = hub_own_age_ms(hub),
    };
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (opening.room == ROOM_NONE)
        return api_problem(answer, 404, "There is no room '%.63s'.", room);
    if (*alias != '\0' && !find_client(hub, alias, &client, answer))
        return API_DONE;
    if (*name != '\0' && hub_find_plan(hub, alias, name, &plan, &diag) != 0)
        return api_complain(answer, diag.code, &diag);
    opening.client = *alias != '\0' ? &client : NULL;
    opening.plan = *name != '\0' ? &plan : NULL;
    const struct repeat *before;
    if (!api_repeat(hub, call, &before, answer))
        return API_DONE;
    if (before != NULL)
        return give_opened(hub, call, before->id, before->batch, answer);
    uint64_t id =
        sessions_open(hub->ingest.sessions, &opening, hub->ingest.devices, hub_now_ms(hub), &diag);
    if (id == 0)
        return api_complain(answer, diag.code, &diag);
    api_created(hub, call, REPEAT_SESSION, id);
    return give_opened(hub, call, id, store_rows_batch(hub->store), answer);
}

/* What the body says to the orders that need more than their name. */
static void read_order(struct lumbard *hub, struct api_reader *reader, struct session_order *order)
{
    static const char *const moments[] = {"before", "during", "after"};
    const char *text;
    order->text = "";
    switch (order->op) {
    case SESSION_ABORT:
        order->text = api_text(reader, "reason", 1, SESSION_NOTE_BYTES - 1, NULL);
        break;
    case SESSION_NOTE:
    case SESSION_ADVERSE:
        order->text = api_text(reader, "text", 1, SESSION_NOTE_BYTES - 1, NULL);
        break;
    case SESSION_MARKER:
        order->text = api_text(reader, "text", 0, SESSION_NOTE_BYTES - 1, "");
        break;
    case SESSION_PAIN:
        order->number = (int)api_integer(reader, "pain", 0, 10, -1);
        text = api_text(reader, "when", 1, 10, NULL);
        order->moment = SESSION_MOMENTS;
        for (int i = 0; i < SESSION_MOMENTS; i++)
            if (strcmp(text, moments[i]) == 0)
                order->moment = (enum session_moment)i;
        break;
    case SESSION_RMDQ:
    case SESSION_ODI:
        order->number =
            (int)api_integer(reader, "score", 0, order->op == SESSION_RMDQ ? 24 : PERCENT, -1);
        break;
    case SESSION_ASSIGN:
    case SESSION_UNASSIGN:
        order->device = device_of(hub, api_text(reader, "device", 1, 127, NULL));
        break;
    case SESSION_MOVE:
        order->room = api_room_named(hub, api_text(reader, "room", 1, 63, NULL));
        break;
    default:
        break;
    }
}

static enum api_outcome do_order(struct lumbard *hub, const struct api_call *call, uint64_t id,
                                 const struct session_order *order, const char *who,
                                 struct api_answer *answer)
{
    struct diag diag = {0};
    const struct session *session = sessions_find(hub->ingest.sessions, id);
    const struct alarm *by =
        session != NULL && order->op == SESSION_RESUME ? hub_stopped_by(hub, session) : NULL;
    if (by != NULL)
        return api_problem(answer, 409,
                           "The phase stopped for '%s': acknowledge that alarm to go on.",
                           by->rule->title);
    bool amends = api_is_amendment(order);
    if (session == NULL && amends)
        return api_amend(hub, call, id, order, who, answer);
    bool over = session != NULL && session->ended_ms != 0;
    int code =
        sessions_do(hub->ingest.sessions, id, order, hub->ingest.devices, hub_now_ms(hub), &diag);
    if (code != 0)
        return api_complain(answer, code, &diag);
    if (over && amends)
        api_put_amendment(hub, id, order, who, true);
    return api_stored(hub, call, answer, 200, session_json(hub, session));
}

/* The last part of the path is the order. */
enum api_outcome api_do_session(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *name = strrchr(call->request->path, '/') + 1;
    struct session_order order = {.op = SESSION_OPEN};
    uint64_t id = api_id(&reader, 0);
    for (int i = 0; i < SESSION_OPS; i++)
        if (strcmp(name, session_op_name((enum session_op)i)) == 0)
            order.op = (enum session_op)i;
    read_order(hub, &reader, &order);
    const char *who = api_who(&reader);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (order.op == SESSION_PAIN && order.moment == SESSION_MOMENTS)
        return api_problem(answer, 422, "'when' is before, during or after.");
    return do_order(hub, call, id, &order, who, answer);
}

/* Whose treatment it is, and who leads it: for one that a device opened. */
enum api_outcome api_name_session(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct client client;
    const char *alias = api_text(&reader, "client", 1, CLIENT_NAME_BYTES - 1, "");
    struct session_order order = {
        .op = SESSION_NAME,
        .text = api_text(&reader, "therapist", 1, SESSION_THERAPIST_BYTES - 1, ""),
        .own_age_ms = hub_own_age_ms(hub),
    };
    uint64_t id = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (*alias == '\0' && *order.text == '\0')
        return api_problem(answer, 422, "'client', 'therapist' or both say who it is.");
    if (*alias != '\0' && !find_client(hub, alias, &client, answer))
        return API_DONE;
    order.client = *alias != '\0' ? &client : NULL;
    return do_order(hub, call, id, &order, "", answer);
}
