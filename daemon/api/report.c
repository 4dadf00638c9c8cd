/* What is told of a session afterwards: the page to print, the table, the FHIR bundle. Its rows are
 * read first, then the history of what it was measured with, both in uv's pool. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "core/report.h"
#include "io/store_query.h"
#include "io/store_record.h"
#include "web/page.h"

#define PAGE_BYTES  ((size_t)2 * 1024 * 1024)
#define PAGE_POINTS 360    /* of a chart */
#define TABLE_ROWS  250000 /* and then coarser: some 20 MB */

enum kind { KIND_PAGE, KIND_TABLE, KIND_FHIR, KIND_RECORD };

/* A question on its way. */
struct asked {
    struct lumbard *hub;
    uint64_t ticket, id;
    struct access who;
    enum kind kind;
    enum report_language language;
    struct report *report;
    char *text; /* the answer, made in the pool */
    size_t bytes;
};

static void asked_free(struct asked *asked)
{
    asked->hub->reports--;
    if (asked->report != NULL)
        for (uint32_t i = 0; i < asked->report->trace_count; i++)
            free(asked->report->traces[i].points);
    free(asked->report);
    free(asked->text);
    free(asked);
}

static void answer_with(struct asked *asked, struct api_answer *answer)
{
    web_api_answer(asked->hub->web, asked->ticket, answer);
    asked_free(asked);
}

/* ---- the pool's part: what the history has, and the text ---- */

/* Was the device in the session while this was measured? */
static bool was_in(const struct report *report, const char *device, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < report->session.device_count; i++) {
        const struct session_device *stay = &report->session.devices[i];
        if (strcmp(report->devices[i], device) == 0 && to_ms > stay->from_ms &&
            (stay->to_ms == 0 || from_ms < stay->to_ms))
            return true;
    }
    return false;
}

static bool take_points(const struct report *report, struct report_trace *trace,
                        const struct store_answer *answer)
{
    trace->step_ms = answer->step_ms;
    trace->points = malloc((answer->count + 1) * sizeof(*trace->points));
    if (trace->points == NULL)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        const struct store_point *point = &answer->points[i];
        if (was_in(report, report->devices[trace->device], point->from_ms,
                   point->from_ms + answer->step_ms))
            trace->points[trace->count++] = (struct report_point){
                point->from_ms, point->count, point->min, point->mean, point->max};
    }
    return true;
}

static void write_page(struct asked *asked)
{
    asked->text = malloc(PAGE_BYTES);
    if (asked->text == NULL)
        return;
    struct text text = text_in(asked->text, PAGE_BYTES);
    report_html(&text, asked->report, page_report_style, page_report_policy);
    asked->bytes = text.length;
    if (text.cut) {
        free(asked->text);
        asked->text = NULL;
    }
}

static void write_table(struct asked *asked)
{
    const struct report *report = asked->report;
    size_t bytes = 256;
    for (uint32_t i = 0; i < report->trace_count; i++) {
        const struct report_trace *trace = &report->traces[i];
        size_t row = strlen(report->devices[trace->device]) + strlen(trace->metric->name) +
                     2 * strlen(trace->metric->unit) + 160;
        bytes += row * trace->count;
    }
    asked->text = malloc(bytes);
    if (asked->text == NULL)
        return;
    struct text text = text_in(asked->text, bytes);
    report_csv(&text, report);
    asked->bytes = text.length;
}

static void write_fhir(struct asked *asked)
{
    json_t *bundle = report_fhir(asked->report);
    asked->text =
        bundle != NULL ? json_dumps(bundle, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    asked->bytes = asked->text != NULL ? strlen(asked->text) : 0;
    json_decref(bundle);
}

static void on_read(void *user, const struct store_answer *answers, unsigned count)
{
    struct asked *asked = user;
    for (unsigned i = 0; i < count; i++)
        if (answers[i].code != 0 ||
            !take_points(asked->report, &asked->report->traces[i], &answers[i]))
            return;
    static void (*const write[])(struct asked *) = {write_page, write_table, write_fhir};
    write[asked->kind](asked);
}

/* ---- the loop's part ---- */

static void on_answer(void *user, const struct store_answer *answers, unsigned count)
{
    static const char *const types[] = {"text/html; charset=utf-8", "text/csv; charset=utf-8",
                                        "application/fhir+json; charset=utf-8"};
    struct asked *asked = user;
    struct api_answer out = {0};
    for (unsigned i = 0; i < count; i++)
        if (answers[i].code != 0) {
            api_problem(&out, 503, "Just now %s.", answers[i].words);
            answer_with(asked, &out);
            return;
        }
    api_give_text(&out, types[asked->kind], asked->text, asked->bytes);
    asked->text = NULL;
    if (asked->kind == KIND_PAGE)
        out.policy = page_report_policy;
    else
        snprintf(out.file, sizeof(out.file), "session-%llu.%s", (unsigned long long)asked->id,
                 asked->kind == KIND_TABLE ? "csv" : "fhir.json");
    answer_with(asked, &out);
}

static bool is_wanted(const struct asked *asked, const struct driver *driver, uint32_t metric,
                      const char *device)
{
    const struct lumbar_metric *of = &driver->metrics[metric];
    bool measures = of->kind == LUMBAR_GAUGE && (of->flags & LUMBAR_HEALTH) == 0;
    switch (asked->kind) {
    case KIND_TABLE:
        return of->kind != LUMBAR_EVENT;
    case KIND_FHIR:
        return measures;
    default:
        return report_shows(asked->report, of, device) ||
               (measures && metric >= driver->plugin->metric_count);
    }
}

static void add_traces(struct asked *asked, uint32_t device)
{
    struct report *report = asked->report;
    const struct driver *driver =
        ingest_driver_of(&asked->hub->setup.drivers, report->devices[device]);
    for (uint32_t m = 0; driver != NULL && m < driver->metric_count; m++)
        if (report->trace_count < REPORT_TRACES_MAX &&
            is_wanted(asked, driver, m, report->devices[device]))
            report->traces[report->trace_count++] =
                (struct report_trace){.device = device,
                                      .metric = &driver->metrics[m],
                                      .derived = m >= driver->plugin->metric_count};
}

/* Each device once, however often it came and went. */
static void choose_traces(struct asked *asked)
{
    struct report *report = asked->report;
    for (uint32_t i = 0; i < report->session.device_count; i++) {
        bool known = false;
        for (uint32_t j = 0; j < i; j++)
            known |= strcmp(report->devices[i], report->devices[j]) == 0;
        if (!known && report->session.started_ms != 0)
            add_traces(asked, i);
    }
}

/* Buckets of each trace at most. */
static unsigned points_of(const struct asked *asked)
{
    const struct report *report = asked->report;
    int64_t seconds = (report_to_ms(report) - report_from_ms(report)) / 1000 + 2;
    int64_t most = TABLE_ROWS / (report->trace_count + 1);
    if (asked->kind != KIND_TABLE)
        return PAGE_POINTS;
    most = most < STORE_POINTS_MAX ? most : STORE_POINTS_MAX;
    return (unsigned)(seconds < most ? seconds : most);
}

static int ask_history(struct asked *asked)
{
    const struct report *report = asked->report;
    struct store_wanted *wanted = calloc(report->trace_count + 1, sizeof(*wanted));
    char(*kinds)[REPORT_DEVICE_BYTES] = calloc(report->trace_count + 1, sizeof(*kinds));
    int code = wanted != NULL && kinds != NULL ? 0 : ERR_MEMORY;
    for (uint32_t i = 0; i < report->trace_count && code == 0; i++) {
        const char *device = report->devices[report->traces[i].device];
        snprintf(kinds[i], sizeof(kinds[i]), "%.*s", (int)strcspn(device, "/"), device);
        wanted[i] = (struct store_wanted){.kind = kinds[i],
                                          .device = strchr(device, '/') + 1,
                                          .metric = report->traces[i].metric->name,
                                          .from_ms = report_from_ms(report),
                                          .to_ms = report_to_ms(report),
                                          .points = points_of(asked)};
    }
    if (code == 0)
        code = store_queries(asked->hub->store, &asked->hub->loop, wanted, report->trace_count,
                             on_read, on_answer, asked);
    free(kinds); /* the store has copied what it needs */
    free(wanted);
    return code;
}

/* What is under way is known better than its rows tell, which may still wait for the disk. */
static void take_live(struct asked *asked, struct store_record *record)
{
    const struct lumbard *hub = asked->hub;
    const struct session *live = sessions_find(hub->ingest.sessions, asked->id);
    struct report *report = record->report;
    if (live == NULL)
        return;
    record->found = true;
    snprintf(record->room, sizeof(record->room), "%s",
             hub->setup.config->rooms[live->room - 1].name);
    report->session = *live;
    for (uint32_t i = 0; i < live->device_count; i++) {
        const struct device *device = devices_at(hub->ingest.devices, live->devices[i].device);
        snprintf(report->devices[i], sizeof(report->devices[i]), "%s/%s",
                 device->driver->plugin->kind, device->name);
    }
}

static void take_names(struct asked *asked, const struct store_record *record)
{
    struct lumbard *hub = asked->hub;
    struct report *report = asked->report;
    const struct config *config = hub->setup.config;
    const struct shelf_entry *client = shelf_by_id(hub->clients, record->client);
    snprintf(report->room, sizeof(report->room), "%s", record->room);
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strcmp(config->rooms[i].name, record->room) == 0)
            snprintf(report->room, sizeof(report->room), "%s", config->rooms[i].title);
    snprintf(report->clinic, sizeof(report->clinic), "%s", config->clinic);
    if (client != NULL)
        snprintf(report->session.client.name, sizeof(report->session.client.name), "%s",
                 client->name);
    for (uint32_t i = 0; i < report->alarm_count; i++) {
        const struct rule *rule = rules_find(hub->ingest.rules, report->alarms[i].rule);
        snprintf(report->alarms[i].title, sizeof(report->alarms[i].title), "%s",
                 rule != NULL ? rule->title : "");
    }
}

/* What the clinic's clock shows, ahead of UTC. */
static int64_t zone_ms(int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm at = {0};
    localtime_r(&seconds, &at);
    return at.tm_gmtoff * 1000;
}

/* True: answered. A room that is no longer there is nobody's but theirs who see all of them. */
static bool is_refused(const struct asked *asked, const struct store_record *record,
                       struct api_answer *out)
{
    if (record->code != 0)
        api_problem(out, 503, "Just now %s.", record->words);
    else if (!record->found)
        api_problem(out, 404, "There is no session %llu.", (unsigned long long)asked->id);
    else if (!access_sees(&asked->who, api_room_named(asked->hub, record->room)))
        api_problem(out, 403, API_NOT_THEIRS);
    else
        return false;
    return true;
}

static void on_record(void *user, struct store_record *record)
{
    struct asked *asked = user;
    struct api_answer out = {0};
    if (record->code == 0)
        take_live(asked, record);
    if (is_refused(asked, record, &out)) {
        answer_with(asked, &out);
        return;
    }
    asked->report = record->report;
    record->report = NULL;
    take_names(asked, record);
    asked->report->version = LUMBAR_VERSION;
    asked->report->language = asked->language;
    asked->report->made_ms = hub_now_ms(asked->hub);
    asked->report->zone_ms = zone_ms(report_from_ms(asked->report));
    if (asked->kind == KIND_RECORD) {
        api_give(&out, 200, api_record(asked->hub, asked->report, record->room));
        answer_with(asked, &out);
        return;
    }
    choose_traces(asked);
    if (ask_history(asked) != 0) {
        api_problem(&out, 503, "There is no memory for the answer.");
        answer_with(asked, &out);
    }
}

static enum api_outcome ask(struct lumbard *hub, const struct api_call *call,
                            struct api_answer *answer, enum kind kind)
{
    struct api_reader reader = {.call = call};
    const char *language = api_query(call, "lang");
    uint64_t id = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (language != NULL && strcmp(language, "en") != 0 && strcmp(language, "de") != 0)
        return api_problem(answer, 422, "'lang' is en or de.");
    struct asked *asked = api_may_report(hub) ? calloc(1, sizeof(*asked)) : NULL;
    if (asked == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *asked = (struct asked){.hub = hub,
                            .ticket = call->request->ticket,
                            .id = id,
                            .who = *call->request->who,
                            .kind = kind,
                            .language = language != NULL && *language == 'd' ? REPORT_GERMAN
                                                                             : REPORT_ENGLISH};
    hub->reports++;
    if (store_record(hub->store, &hub->loop, id, &hub->setup.drivers, &hub->setup.body, on_record,
                     asked) == 0)
        return API_LATER;
    asked_free(asked);
    return api_problem(answer, 503, "There is no memory for the answer.");
}

/* ?lang=en|de */
enum api_outcome api_get_report(void *user, const struct api_call *call, struct api_answer *answer)
{
    return ask(user, call, answer, KIND_PAGE);
}

enum api_outcome api_get_table(void *user, const struct api_call *call, struct api_answer *answer)
{
    return ask(user, call, answer, KIND_TABLE);
}

enum api_outcome api_get_fhir(void *user, const struct api_call *call, struct api_answer *answer)
{
    return ask(user, call, answer, KIND_FHIR);
}

enum api_outcome api_get_record(void *user, const struct api_call *call, struct api_answer *answer)
{
    return ask(user, call, answer, KIND_RECORD);
}
