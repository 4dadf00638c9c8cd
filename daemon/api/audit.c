/* The audit trail, as an auditor reads it. */
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "io/store_audit.h"

#define LINES_MOST 1000

struct asked {
    struct lumbard *hub;
    uint64_t ticket;
    json_t *lines; /* made in the pool */
    uint64_t last;
    unsigned limit;
    /* The head as it was when this was asked for. */
    uint64_t newest;
    char head[AUDIT_HASH_BYTES];
};

/* The pool's thread. */
static void on_line(void *user, const struct store_value *values, unsigned count)
{
    struct asked *asked = user;
    struct audit_line line;
    (void)count;
    audit_take_row(&line, values);
    asked->last = line.id;
    json_t *json = audit_json(&line);
    int64_t off_ms = hub_audit_off_ms(asked->hub, line.id);
    if (off_ms != 0)
        json_object_set_new(json, "right_at_ms", json_integer(line.at_ms + off_ms));
    json_array_append_new(asked->lines, json);
}

/* What has gone since it was read, or goes with the batch that is open. */
static void drop_pruned(json_t *lines, uint64_t anchor)
{
    while (json_array_size(lines) > 0 &&
           (uint64_t)json_integer_value(json_object_get(json_array_get(lines, 0), "id")) <= anchor)
        json_array_remove(lines, 0);
}

static json_t *anchor_json(const struct hub_anchor *anchor)
{
    if (anchor->id == 0)
        return json_null();
    return json_pack("{s:I, s:s, s:I}", "id", (json_int_t)anchor->id, "hash", anchor->hash, "at_ms",
                     (json_int_t)anchor->at_ms);
}

static void on_end(void *user, const struct store_trail *trail)
{
    struct asked *asked = user;
    struct api_answer out = {0};
    bool more = json_array_size(asked->lines) == asked->limit;
    if (trail->code != 0) {
        json_decref(asked->lines);
        api_problem(&out, 503, "Just now %s.", trail->words);
    } else {
        const struct hub_anchor *anchor = &asked->hub->audit.anchor;
        drop_pruned(asked->lines, anchor->id);
        api_give(&out, 200,
                 json_pack("{s:o, s:o, s:o, s:{s:I, s:s}}", "pruned", anchor_json(anchor), "lines",
                           asked->lines, "next",
                           more ? json_integer((json_int_t)asked->last) : json_null(), "head", "id",
                           (json_int_t)asked->newest, "hash", asked->head));
    }
    asked->hub->reports--;
    web_api_answer(asked->hub->web, asked->ticket, &out);
    free(asked);
}

/* ?after=NUMBER&limit=N: in the order of the trail. */
enum api_outcome api_get_audit(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint64_t after = (uint64_t)api_query_integer(&reader, "after", 0, INT64_MAX, 0);
    unsigned limit = (unsigned)api_query_integer(&reader, "limit", 1, LINES_MOST, LINES_MOST);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    struct asked *asked = api_may_report(hub) ? calloc(1, sizeof(*asked)) : NULL;
    if (asked == NULL)
        return api_problem(answer, 503, "Too much is asked for at a time.");
    *asked = (struct asked){.hub = hub,
                            .ticket = call->request->ticket,
                            .lines = json_array(),
                            .limit = limit,
                            .newest = hub->audit.newest};
    memcpy(asked->head, hub->audit.head, sizeof(asked->head));
    hub->reports++;
    if (store_audit(hub->store, &hub->loop, after, limit, on_line, on_end, asked) == 0)
        return API_LATER;
    hub->reports--;
    json_decref(asked->lines);
    free(asked);
    return api_problem(answer, 503, "There is no memory for the answer.");
}
