/* The course of a client: sessions over months, dose against pain and range of motion. Read and
 * written down in uv's pool. */
#include "api/api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/course.h"
#include "io/store_course.h"

#define YEAR_MS INT64_C(31557600000)

struct asked {
    struct lumbard *hub;
    uint64_t ticket;
    char client[CLIENT_NAME_BYTES];
    char *rooms; /* owned: names of those that may be told of, one a line; NULL: all */
    int64_t from_ms, to_ms;
    json_t *json; /* the answer, made in the pool */
};

/* ---- the pool's part ---- */

static json_t *score(int of)
{
    return of == SESSION_NO_SCORE ? json_null() : json_integer(of);
}

static json_t *words(const char *text)
{
    return *text != '\0' ? json_string(text) : json_null();
}

static json_t *dose_json(const struct session_dose *dose, const struct lumbar_metric *metric)
{
    double mean = dose->time_ms > 0 ? dose->intensity_ms / (double)dose->time_ms : NAN;
    return json_pack("{s:I, s:o, s:o}", "time_ms", (json_int_t)dose->time_ms, "mean",
                     api_number(metric != NULL ? mean : NAN, 2), "sum",
                     api_number(metric != NULL ? dose->intensity_ms / 60000 : NAN, 1));
}

static json_t *doses_json(const struct lumbard *hub, const struct course_session *session,
                          const struct lumbar_metric *metric)
{
    json_t *json = json_object();
    for (uint32_t i = 0; i < hub->setup.body.count; i++)
        if (session->doses[i].time_ms > 0)
            json_object_set_new(json, hub->setup.body.regions[i],
                                dose_json(&session->doses[i], metric));
    return json;
}

static json_t *session_json(const struct lumbard *hub, const struct course_session *session)
{
    const struct lumbar_metric *metric = body_intensity(&hub->setup.body, &hub->setup.drivers);
    const struct session_dose dose = course_dose(session);
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:b, s:o, "
                     "s:o}",
                     "id", (json_int_t)session->id, "state", session_state_name(session->state),
                     "opened", api_instant(session->opened_ms), "started",
                     api_instant(session->started_ms), "ended", api_instant(session->ended_ms),
                     "room", session->room, "therapist", words(session->therapist), "plan",
                     words(session->plan), "pain", "before", score(session->pain[SESSION_BEFORE]),
                     "after", score(session->pain[SESSION_AFTER]), "rmdq", score(session->rmdq),
                     "odi", score(session->odi), "adverse", session->adverse, "dose",
                     dose_json(&dose, metric), "regions", doses_json(hub, session, metric));
}

/* "posture/p-01" and "lumbar_flexion"; NULL: the kind has no such metric any more. */
static const struct lumbar_metric *metric_of(const struct lumbard *hub, const char *device,
                                             const char *name)
{
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, device);
    for (uint32_t i = 0; driver != NULL && i < driver->metric_count; i++)
        if (strcmp(driver->metrics[i].name, name) == 0)
            return &driver->metrics[i];
    return NULL;
}

static json_t *range_json(const struct lumbard *hub, const struct course_range *range)
{
    const struct report_range *of = &range->of;
    const struct lumbar_metric *metric = metric_of(hub, of->device, of->metric);
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o}", "at",
                     api_instant(of->at_ms), "device", of->device, "metric", of->metric, "title",
                     metric != NULL ? metric->title : of->metric, "side",
                     of->direction < 0 ? "low" : "high", "best", api_number(of->best, 1), "mean",
                     api_number(of->mean, 1), "spread", api_number(of->spread, 1), "repetitions",
                     (json_int_t)of->count, "session",
                     range->session != 0 ? json_integer((json_int_t)range->session) : json_null());
}

static json_t *say(const struct course_told *told, const char *title, enum report_language language)
{
    char sentence[320];
    struct text text = text_in(sentence, sizeof(sentence));
    course_say(&text, told, title, language);
    return json_string(sentence);
}

static json_t *told_json(const struct asked *asked, const struct course *course,
                         const struct course_told *told)
{
    const char *title = told->metric;
    for (size_t i = 0; i < course->range_count && told->metric != NULL; i++) {
        const struct report_range *of = &course->ranges[i].of;
        const struct lumbar_metric *metric = metric_of(asked->hub, of->device, of->metric);
        if (strcmp(of->metric, told->metric) == 0 && metric != NULL)
            title = metric->title;
    }
    json_t *json = json_pack(
        "{s:s, s:o, s:o, s:I, s:{s:o, s:o}, s:{s:o, s:o}, s:s, s:{s:o, s:o}}", "what",
        course_what_name(told->what), "metric",
        told->metric != NULL ? json_string(told->metric) : json_null(), "side",
        told->metric != NULL ? json_string(told->direction < 0 ? "low" : "high") : json_null(),
        "values", (json_int_t)told->count, "first", "at", api_instant(told->first_ms), "value",
        api_number(told->first, 1), "last", "at", api_instant(told->last_ms), "value",
        api_number(told->last, 1), "verdict", course_verdict_name(told->verdict), "words", "en",
        say(told, title, REPORT_ENGLISH), "de", say(told, title, REPORT_GERMAN));
    return json;
}

static bool is_theirs(const struct asked *asked, const char *room)
{
    size_t length = strlen(room);
    for (const char *at = asked->rooms; *at != '\0'; at += strcspn(at, "\n") + 1)
        if (strncmp(at, room, length) == 0 && at[length] == '\n')
            return true;
    return false;
}

static bool has_session(const struct course *course, uint64_t id)
{
    for (size_t i = 0; i < course->session_count; i++)
        if (course->sessions[i].id == id)
            return true;
    return id == 0;
}

/* What was done in other rooms is not told, nor does it count; the lists are the caller's. */
static bool keep_theirs(const struct asked *asked, const struct course *all, struct course *theirs)
{
    struct course_session *sessions = malloc((all->session_count + 1) * sizeof(*sessions));
    struct course_range *ranges = malloc((all->range_count + 1) * sizeof(*ranges));
    *theirs = (struct course){.sessions = sessions, .ranges = ranges};
    if (sessions == NULL || ranges == NULL)
        return false;
    for (size_t i = 0; i < all->session_count; i++)
        if (is_theirs(asked, all->sessions[i].room))
            sessions[theirs->session_count++] = all->sessions[i];
    for (size_t i = 0; i < all->range_count; i++)
        if (has_session(theirs, all->ranges[i].session))
            ranges[theirs->range_count++] = all->ranges[i];
    return true;
}

static void write_course(struct asked *asked, const struct course *course, bool more)
{
    struct course_told told[COURSE_TOLD_MAX];
    json_t *sessions = json_array(), *ranges = json_array(), *verdicts = json_array();
    for (size_t i = 0; i < course->session_count; i++)
        json_array_append_new(sessions, session_json(asked->hub, &course->sessions[i]));
    for (size_t i = 0; i < course->range_count; i++)
        json_array_append_new(ranges, range_json(asked->hub, &course->ranges[i]));
    size_t count = course_tell(course, told);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(verdicts, told_json(asked, course, &told[i]));
    const struct lumbar_metric *metric =
        body_intensity(&asked->hub->setup.body, &asked->hub->setup.drivers);
    asked->json =
        json_pack("{s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "client", asked->client, "from",
                  api_instant(asked->from_ms), "to", api_instant(asked->to_ms), "more", more,
                  "unit", metric != NULL ? json_string(metric->unit) : json_null(), "told",
                  verdicts, "sessions", sessions, "ranges", ranges);
}

static void on_read(void *user, const struct store_course *answer)
{
    struct asked *asked = user;
    struct course theirs;
    if (answer->code != 0)
        return;
    if (asked->rooms == NULL) {
        write_course(asked, &answer->course, answer->more);
        return;
    }
    if (keep_theirs(asked, &answer->course, &theirs))
        write_course(asked, &theirs, answer->more);
    free((void *)(uintptr_t)theirs.sessions);
    free((void *)(uintptr_t)theirs.ranges);
}

/* ---- the loop's part ---- */

static void on_course(void *user, const struct store_course *answer)
{
    struct asked *asked = user;
    struct api_answer out = {0};
    if (answer->code != 0)
        api_problem(&out, 503, "Just now %s.", answer->words);
    else
        api_give(&out, 200, asked->json);
    asked->hub->reports--;
    web_api_answer(asked->hub->web, asked->ticket, &out);
    free(asked->rooms);
    free(asked);
}

/* ?from=...&to=...: by default the last year. */
enum api_outcome api_get_course(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    int64_t to_ms = api_query_instant(&reader, "to", hub_now_ms(hub) + 1);
    int64_t from_ms = api_query_instant(&reader, "from", to_ms > YEAR_MS ? to_ms - YEAR_MS : 0);
    const struct shelf_entry *client = shelf_find(hub->clients, 0, call->ids[0]);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (client == NULL)
        return api_problem(answer, 404, "There is no client '%s'.", call->ids[0]);
    if (from_ms >= to_ms)
        return api_problem(answer, 422, "'from' lies before 'to'.");
    struct asked *asked = api_may_report(hub) ? calloc(1, sizeof(*asked)) : NULL;
    if (asked == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *asked = (struct asked){
        .hub = hub, .ticket = call->request->ticket, .from_ms = from_ms, .to_ms = to_ms};
    memcpy(asked->client, client->name, strlen(client->name) + 1);
    if (api_name_rooms(hub, call, &asked->rooms) &&
        store_course(hub->store, &hub->loop, client->id, from_ms, to_ms, &hub->setup.drivers,
                     &hub->setup.body, on_read, on_course, asked) == 0) {
        hub->reports++;
        return API_LATER;
    }
    free(asked->rooms);
    free(asked);
    return api_problem(answer, 503, "There is no memory for the answer.");
}
