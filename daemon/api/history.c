/* History: one value of one device over any span. Read and written down in uv's pool, so that the
 * loop goes on meanwhile. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "io/store_query.h"

#define HOUR_MS     3600000
#define POINTS      600  /* as many as a screen is wide, unless more are asked for */
#define POINTS_MOST 5000 /* in an answer: some 400 KB */

/* A question on its way. */
struct question {
    struct lumbard *hub;
    uint64_t ticket;
    char device[API_ID_BYTES]; /* "posture/p-01" */
    const struct lumbar_metric *metric;
    int64_t from_ms, to_ms, now_ms;
    json_t *head; /* the answer but for its lists */
    char *text;   /* the answer, made in the pool */
    size_t bytes;
};

/* ---- the pool's part ---- */

static void write_span(FILE *out, const char *before, int64_t from_ms, int64_t to_ms)
{
    char from[INSTANT_BYTES], to[INSTANT_BYTES];
    fprintf(out, "%s{\"from\":\"%s\",\"to\":\"%s\"", before, instant_write(from_ms, from),
            instant_write(to_ms, to));
}

/* A mean of many has a digit more than one value. */
static void write_buckets(FILE *out, const struct question *question,
                          const struct store_answer *answer)
{
    int digits = (int)question->metric->decimals + 1;
    char at[INSTANT_BYTES];
    fputs("\"buckets\":[", out);
    for (size_t i = 0; i < answer->count; i++) {
        const struct store_point *point = &answer->points[i];
        fprintf(out, "%s{\"at\":\"%s\",\"count\":%llu,\"min\":%.*f,\"mean\":%.*f,\"max\":%.*f}",
                i > 0 ? "," : "", instant_write(point->from_ms, at),
                (unsigned long long)point->count, digits, point->min, digits, point->mean, digits,
                point->max);
    }
}

/* Where no bucket is for longer than the metric may be silent; nothing is missing of the future. */
static void write_gaps(FILE *out, const struct question *question,
                       const struct store_answer *answer)
{
    int64_t silent_ms = metric_stale_ms(question->metric), from_ms = question->from_ms;
    int64_t end_ms = question->to_ms < question->now_ms ? question->to_ms : question->now_ms;
    const char *before = "";
    fputs("],\"gaps\":[", out);
    for (size_t i = 0; i <= answer->count; i++) {
        int64_t to_ms = i < answer->count ? answer->points[i].from_ms : end_ms;
        if (silent_ms > 0 && to_ms - from_ms >= silent_ms) {
            write_span(out, before, from_ms, to_ms);
            fputc('}', out);
            before = ",";
        }
        if (i < answer->count)
            from_ms = to_ms + answer->step_ms;
    }
}

static void write_lost(FILE *out, const struct store_answer *answer)
{
    fputs("],\"lost\":[", out);
    for (size_t i = 0; i < answer->lost_count; i++) {
        const struct store_lost *lost = &answer->lost[i];
        write_span(out, i > 0 ? "," : "", lost->from_ms, lost->to_ms);
        if (lost->messages > 0)
            fprintf(out, ",\"messages\":%llu", (unsigned long long)lost->messages);
        fprintf(out, ",\"why\":\"%s\"}", lost->why);
    }
    fputs("]}", out);
}

static void on_read(void *user, const struct store_answer *answer)
{
    struct question *question = user;
    if (answer->code != 0 || !answer->known)
        return;
    char *head = json_dumps(question->head, JSON_COMPACT);
    FILE *out = head != NULL ? open_memstream(&question->text, &question->bytes) : NULL;
    if (out != NULL) {
        head[strlen(head) - 1] = ','; /* its closing brace comes at the end */
        fprintf(out, "%s\"step_ms\":%lld,", head, (long long)answer->step_ms);
        write_buckets(out, question, answer);
        write_gaps(out, question, answer);
        write_lost(out, answer);
    }
    free(head);
    if (out != NULL && fclose(out) != 0) {
        free(question->text);
        question->text = NULL;
    }
}

/* ---- the loop's part ---- */

static void on_answer(void *user, const struct store_answer *answer)
{
    struct question *question = user;
    struct api_answer out = {0};
    if (answer->code != 0)
        api_problem(&out, 503, "Just now %s.", answer->words);
    else if (!answer->known)
        api_problem(&out, 404, "Nothing was ever heard of %s.", question->device);
    else
        api_give_text(&out, NULL, question->text, question->bytes);
    question->hub->questions--;
    web_api_answer(question->hub->web, question->ticket, &out);
    json_decref(question->head);
    free(question);
}

static json_t *labels_of(const struct lumbar_metric *metric)
{
    json_t *labels = json_array();
    for (unsigned i = 0; metric->labels != NULL && metric->labels[i] != NULL; i++)
        json_array_append_new(labels, json_string(metric->labels[i]));
    return labels;
}

static json_t *head_of(const struct question *question)
{
    const struct lumbar_metric *metric = question->metric;
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "device", question->device,
                     "metric", metric->name, "title", metric->title, "unit", metric->unit,
                     "decimals", (int)metric->decimals, "labels", labels_of(metric), "from",
                     api_instant(question->from_ms), "to", api_instant(question->to_ms));
}

static const struct lumbar_metric *find_metric(const struct driver *driver, const char *name)
{
    for (uint32_t i = 0; driver != NULL && i < driver->metric_count; i++)
        if (strcmp(driver->metrics[i].name, name) == 0)
            return &driver->metrics[i];
    return NULL;
}

/* Hands over to the store; what it refuses is answered at once. */
static enum api_outcome ask_store(struct lumbard *hub, struct question *question, unsigned points,
                                  const char *kind, struct api_answer *answer)
{
    struct store_wanted wanted = {
        .kind = kind,
        .device = strchr(question->device, '/') + 1,
        .metric = question->metric->name,
        .from_ms = question->from_ms,
        .to_ms = question->to_ms,
        .points = points,
    };
    int code = question->head != NULL
                   ? store_query(hub->store, &hub->loop, &wanted, on_read, on_answer, question)
                   : ERR_MEMORY;
    if (code == 0) {
        hub->questions++;
        return API_LATER;
    }
    json_decref(question->head);
    free(question);
    if (code == ERR_RANGE)
        return api_problem(answer, 422, "'from' lies before 'to', and both between 1970 and 9999.");
    return api_problem(answer, 503, "There is no memory for the answer.");
}

/* ?device=posture/p-01&metric=lumbar_flexion&from=...&to=...&points=N. By default: an hour, until
 * now. */
enum api_outcome api_get_history(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *device = api_query(call, "device"), *name = api_query(call, "metric");
    int64_t now_ms = hub_now_ms(hub);
    int64_t to_ms = api_query_instant(&reader, "to", now_ms);
    int64_t from_ms = api_query_instant(&reader, "from", to_ms - HOUR_MS);
    int64_t points = api_query_integer(&reader, "points", 1, POINTS_MOST, POINTS);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (device == NULL || name == NULL || strchr(device, '/') == NULL ||
        strlen(device) >= API_ID_BYTES)
        return api_problem(answer, 422,
                           "'device' (as posture/p-01) and 'metric' say what is asked for.");
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, device);
    const struct lumbar_metric *metric = find_metric(driver, name);
    if (metric == NULL)
        return api_problem(answer, 404, "There is no metric '%.60s' of %.60s.", name, device);
    struct question *question = api_may_ask(hub) ? calloc(1, sizeof(*question)) : NULL;
    if (question == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *question = (struct question){.hub = hub,
                                  .ticket = call->request->ticket,
                                  .metric = metric,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms,
                                  .now_ms = now_ms};
    snprintf(question->device, sizeof(question->device), "%s", device);
    question->head = head_of(question);
    return ask_store(hub, question, (unsigned)points, driver->plugin->kind, answer);
}
