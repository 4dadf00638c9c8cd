/* Sessions that are over: a list to find one, and all that is known of it, for a screen. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "io/store_past.h"

#define PAGE_LIMIT 50
#define DAY_MS     INT64_C(86400000)

/* ---- a list ---- */

struct asked {
    struct lumbard *hub;
    uint64_t ticket;
    char *rooms; /* owned: names of those that may be told of; NULL: all */
};

static json_t *score(int of)
{
    return of == SESSION_NO_SCORE ? json_null() : json_integer(of);
}

static json_t *words(const char *text)
{
    return *text != '\0' ? json_string(text) : json_null();
}

static json_t *client_json(const struct lumbard *hub, uint64_t id)
{
    const struct shelf_entry *client = id != 0 ? shelf_by_id(hub->clients, id) : NULL;
    return client != NULL ? json_string(client->name) : json_null();
}

static json_t *past_json(const struct lumbard *hub, const struct course_session *session,
                         uint64_t client)
{
    return json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:b}", "id",
        (json_int_t)session->id, "state", session_state_name(session->state), "room", session->room,
        "client", client_json(hub, client), "therapist", words(session->therapist), "plan",
        words(session->plan), "opened", api_instant(session->opened_ms), "started",
        api_instant(session->started_ms), "ended", api_instant(session->ended_ms), "pain", "before",
        score(session->pain[SESSION_BEFORE]), "after", score(session->pain[SESSION_AFTER]), "rmdq",
        score(session->rmdq), "odi", score(session->odi), "adverse", session->adverse);
}

static void on_past(void *user, const struct store_past *past)
{
    struct asked *asked = user;
    struct api_answer out = {0};
    json_t *list = json_array();
    for (size_t i = 0; i < past->count; i++)
        json_array_append_new(list, past_json(asked->hub, &past->sessions[i], past->clients[i]));
    json_t *next = past->more && past->count > 0
                       ? json_integer((json_int_t)past->sessions[past->count - 1].id)
                       : json_null();
    json_t *body = json_pack("{s:o, s:o}", "sessions", list, "next", next);
    if (past->code == 0) {
        api_give(&out, 200, body);
    } else {
        json_decref(body);
        api_problem(&out, 503, "Just now %s.", past->words);
    }
    asked->hub->reports--;
    web_api_answer(asked->hub->web, asked->ticket, &out);
    free(asked->rooms);
    free(asked);
}

/* ?client=...: its number; 0 and an answer where there is none. */
static uint64_t client_of(const struct lumbard *hub, const char *name, struct api_answer *answer)
{
    const struct shelf_entry *client = shelf_find(hub->clients, 0, name);
    if (client == NULL)
        api_problem(answer, 404, "There is no client '%.60s'.", name);
    return client != NULL ? client->id : 0;
}

/* ?room=&client=&from=&to=&before=&limit=: the newest first; `next` is the next page's `before`. */
enum api_outcome api_get_past(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *client = api_query(call, "client");
    struct store_past_wanted wanted = {
        .room = api_query(call, "room"),
        .to_ms = api_query_instant(&reader, "to", INT64_MAX),
        .from_ms = api_query_instant(&reader, "from", 0),
        .before = (uint64_t)api_query_integer(&reader, "before", 1, INT64_MAX, INT64_MAX),
        .most = (unsigned)api_query_integer(&reader, "limit", 1, STORE_PAST_MAX, PAGE_LIMIT),
    };
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (wanted.room != NULL && api_room_named(hub, wanted.room) == ROOM_NONE)
        return api_problem(answer, 404, "There is no room '%.63s'.", wanted.room);
    if (client != NULL && (wanted.client = client_of(hub, client, answer)) == 0)
        return API_DONE;
    struct asked *asked = api_may_report(hub) ? calloc(1, sizeof(*asked)) : NULL;
    if (asked == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *asked = (struct asked){.hub = hub, .ticket = call->request->ticket};
    bool named = api_name_rooms(hub, call, &asked->rooms);
    wanted.rooms = asked->rooms;
    if (named && store_past(hub->store, &hub->loop, &wanted, on_past, asked) == 0) {
        hub->reports++;
        return API_LATER;
    }
    free(asked->rooms);
    free(asked);
    return api_problem(answer, 503, "There is no memory for the answer.");
}

/* ---- one ---- */

static json_t *metric_json(const struct lumbar_metric *metric, bool derived)
{
    json_t *labels = json_array();
    for (unsigned i = 0; metric->labels != NULL && metric->labels[i] != NULL; i++)
        json_array_append_new(labels, json_string(metric->labels[i]));
    return json_pack("{s:s, s:s, s:s, s:i, s:o, s:b, s:b, s:f, s:f, s:I}", "name", metric->name,
                     "title", metric->title, "unit", metric->unit, "decimals",
                     (int)metric->decimals, "labels", labels, "key",
                     (metric->flags & LUMBAR_KEY) != 0, "derived", derived, "min", metric->min,
                     "max", metric->max, "stale_ms", (json_int_t)metric_stale_ms(metric));
}

/* What can be asked of the history: not events, nor the device's health. */
static json_t *metrics_json(const struct lumbard *hub, const char *device)
{
    json_t *list = json_array();
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, device);
    for (uint32_t m = 0; driver != NULL && m < driver->metric_count; m++) {
        const struct lumbar_metric *metric = &driver->metrics[m];
        if (metric->kind != LUMBAR_EVENT && (metric->flags & LUMBAR_HEALTH) == 0)
            json_array_append_new(list, metric_json(metric, m >= driver->plugin->metric_count));
    }
    return list;
}

static json_t *devices_json(const struct lumbard *hub, const struct report *report)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->session.device_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:o}", "device", report->devices[i],
                                        "from", api_instant(report->session.devices[i].from_ms),
                                        "to", api_instant(report->session.devices[i].to_ms),
                                        "metrics", metrics_json(hub, report->devices[i])));
    return list;
}

static json_t *alarms_json(const struct report *report)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->alarm_count; i++) {
        const struct report_alarm *alarm = &report->alarms[i];
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:b, s:o, s:o}", "number",
                            (json_int_t)alarm->number, "rule", alarm->rule, "title",
                            *alarm->title != '\0' ? alarm->title : alarm->rule, "device",
                            alarm->device, "metric", alarm->metric, "priority", alarm->priority,
                            "technical", alarm->technical, "raised", api_instant(alarm->raised_ms),
                            "ended", api_instant(alarm->ended_ms)));
    }
    return list;
}

static json_t *changes_json(const struct report *report)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < report->change_count; i++) {
        const struct report_change *change = &report->changes[i];
        bool says = change->text[0] != '\0';
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o, s:o, s:s}", "at",
                                        api_instant(change->at_ms), "what", change->what, "number",
                                        says ? json_null() : json_integer(change->number), "text",
                                        words(change->text), "who", change->who));
    }
    return list;
}

/* Until when more may be said of it; 0: it is not over, or it may not any more. */
static int64_t open_until(const struct lumbard *hub, const struct session *session)
{
    int64_t until_ms = session->ended_ms + hub->setup.config->sessions.amend_days * DAY_MS;
    return session->ended_ms != 0 && until_ms > hub_now_ms(hub) ? until_ms : 0;
}

json_t *api_record(const struct lumbard *hub, const struct report *report, const char *room)
{
    const struct session *session = &report->session;
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "id",
        (json_int_t)session->id, "state", session_state_name(session->state), "room", room,
        "room_title", report->room, "client", words(session->client.name), "therapist",
        words(session->therapist), "plan", words(session->plan.title), "opened",
        api_instant(session->opened_ms), "started", api_instant(session->started_ms), "ended",
        api_instant(session->ended_ms), "reason", words(session->reason), "idle", session->idle,
        "adverse", words(session->adverse));
    json_t *more = json_pack(
        "{s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pain", "before",
        score(session->pain[SESSION_BEFORE]), "during", score(session->pain[SESSION_DURING]),
        "after", score(session->pain[SESSION_AFTER]), "rmdq", score(session->rmdq), "odi",
        score(session->odi), "phases", api_phases(session, report->made_ms), "notes",
        api_notes(session), "bands", api_bands(hub, session), "doses", api_doses(hub, session),
        "devices", devices_json(hub, report), "alarms", alarms_json(report), "changes",
        changes_json(report), "open_until", api_instant(open_until(hub, session)));
    json_object_update(json, more);
    json_decref(more);
    return json;
}
