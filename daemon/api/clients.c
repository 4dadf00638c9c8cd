/* Clients by their pseudonym, and the plans that were tailored to each. */
#include "api/api.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "io/store_rows.h"

/* ---- documents, between JSON and their modules ---- */

static json_t *read_text(const char *text)
{
    return json_loads(text, 0, NULL);
}

/* Where a parser complains: line and column are of a text that the caller never saw. */
static enum api_outcome refuse(struct api_answer *answer, const struct diag *diag)
{
    int status = diag->code == ERR_CONFLICT || diag->code == ERR_FULL ? 409
                 : diag->code == ERR_MEMORY                           ? 500
                                                                      : 422;
    return api_problem(answer, status, "%s", diag->text);
}

/* The body, with what it has to say beyond; NULL without memory. */
static char *body_text(const struct api_call *call, const char *key, const char *value)
{
    json_t *body = call->body != NULL ? json_copy((json_t *)(uintptr_t)call->body) : json_object();
    json_object_set_new(body, key, json_string(value));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* May it be changed or removed as it is now (NULL: as it is not there)? False: answered. */
static bool may_edit(const struct api_call *call, const struct shelf_entry *entry,
                     struct api_answer *answer)
{
    char tag[API_TAG_BYTES];
    if (entry != NULL)
        api_tag(tag, entry->text);
    return api_may_edit(call, entry != NULL ? tag : NULL, answer);
}

/* Where it is found from now on; a pseudonym may have any letters. */
static void locate(struct api_answer *answer, const char *folder, const char *name)
{
    struct text text = text_in(answer->location, sizeof(answer->location));
    text_add(&text, "%s%s", API_ROOT, folder);
    for (; *name != '\0'; name++)
        text_add(&text, isalnum((unsigned char)*name) || strchr("-_.~", *name) ? "%c" : "%%%02X",
                 (unsigned char)*name);
}

/* ---- clients ---- */

static const struct shelf_entry *client_of(struct lumbard *hub, const struct api_call *call,
                                           struct api_answer *answer)
{
    const struct shelf_entry *entry = shelf_find(hub->clients, 0, call->ids[0]);
    if (entry == NULL)
        api_problem(answer, 404, "There is no client '%s'.", call->ids[0]);
    return entry;
}

static json_t *plan_names(const struct lumbard *hub, uint64_t client)
{
    json_t *list = json_array();
    const struct shelf_entry *entry;
    for (uint32_t i = 0; (entry = shelf_at(hub->tailored, i)) != NULL; i++)
        if (entry->owner == client)
            json_array_append_new(list, json_string(entry->name));
    return list;
}

static const struct session *open_session_of(const struct lumbard *hub, const char *client)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session != NULL && session->ended_ms == 0 && strcmp(session->client.name, client) == 0)
            return session;
    }
    return NULL;
}

static json_t *client_json(const struct lumbard *hub, const struct shelf_entry *entry)
{
    const struct session *session = open_session_of(hub, entry->name);
    json_t *client = read_text(entry->text);
    json_object_set_new(client, "created", api_instant(entry->created_ms));
    json_object_set_new(client, "plans", plan_names(hub, entry->id));
    json_object_set_new(client, "session",
                        session != NULL ? json_integer((json_int_t)session->id) : json_null());
    return client;
}

/* ?after=NUMBER&limit=N: a page at a time, in the order in which they came. */
enum api_outcome api_get_clients(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct api_page page;
    api_read_page(&reader, HUB_CLIENTS_MAX, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    const struct shelf_entry *entry;
    for (;
         (entry = shelf_at(hub->clients, page.after)) != NULL && json_array_size(list) < page.limit;
         page.after++)
        json_array_append_new(list, client_json(hub, entry));
    return api_give(answer, 200,
                    json_pack("{s:o, s:o, s:i}", "clients", list, "next",
                              entry != NULL ? json_integer(page.after) : json_null(), "known",
                              (int)shelf_count(hub->clients)));
}

enum api_outcome api_get_client(void *user, const struct api_call *call, struct api_answer *answer)
{
    const struct shelf_entry *entry = client_of(user, call, answer);
    if (entry == NULL)
        return API_DONE;
    api_tag(answer->tag, entry->text);
    return api_give(answer, 200, client_json(user, entry));
}

static enum api_outcome give_client(struct lumbard *hub, const struct api_call *call,
                                    const struct shelf_entry *entry, int status, uint64_t batch,
                                    struct api_answer *answer)
{
    api_tag(answer->tag, entry->text);
    if (status == 201)
        locate(answer, "/clients/", entry->name);
    return api_stored_in(hub, call, answer, status, client_json(hub, entry), batch);
}

/* What a person wrote is read, and written as it was understood. */
static enum api_outcome keep_client(struct lumbard *hub, const struct api_call *call,
                                    const struct shelf_entry *old, const char *body,
                                    struct api_answer *answer)
{
    struct client client;
    struct diag diag = {0};
    bool is_new = old == NULL;
    if (hub_read_client(hub, body, &client, &diag) != 0)
        return refuse(answer, &diag);
    const struct shelf_entry *entry = hub_keep_client(hub, old, &client, &diag);
    if (entry == NULL)
        return refuse(answer, &diag);
    if (is_new)
        api_created(hub, call, REPEAT_CLIENT, entry->id);
    return give_client(hub, call, entry, is_new ? 201 : 200, store_rows_batch(hub->store), answer);
}

enum api_outcome api_post_client(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const struct repeat *before;
    const char *name = api_text(&reader, "name", 1, CLIENT_NAME_BYTES - 1, NULL);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (!api_repeat(hub, call, &before, answer))
        return API_DONE;
    if (before != NULL)
        return give_client(hub, call, shelf_by_id(hub->clients, before->id), 201, before->batch,
                           answer);
    char *body = body_text(call, "name", name);
    enum api_outcome outcome = keep_client(hub, call, NULL, body != NULL ? body : "", answer);
    free(body);
    return outcome;
}

enum api_outcome api_put_client(void *user, const struct api_call *call, struct api_answer *answer)
{
    const struct shelf_entry *old = client_of(user, call, answer);
    if (old == NULL || !may_edit(call, old, answer))
        return API_DONE;
    char *body = body_text(call, "name", old->name); /* a pseudonym is for good */
    enum api_outcome outcome = keep_client(user, call, old, body != NULL ? body : "", answer);
    free(body);
    return outcome;
}

/* The pseudonym with all that is known of it; past sessions stay, of nobody. */
enum api_outcome api_delete_client(void *user, const struct api_call *call,
                                   struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct shelf_entry *entry = client_of(hub, call, answer);
    if (entry == NULL || !may_edit(call, entry, answer))
        return API_DONE;
    const struct session *session = open_session_of(hub, entry->name);
    if (session != NULL)
        return api_problem(answer, 409, "Client '%s' is in session %llu: end it first.",
                           entry->name, (unsigned long long)session->id);
    json_t *said = json_pack("{s:s}", "erased", entry->name);
    hub_forget_client(hub, entry->id);
    return api_stored(hub, call, answer, 200, said);
}

/* ---- plans ---- */

static json_t *plan_json(const struct lumbard *hub, const struct plan *plan)
{
    char written[HUB_TEXT_BYTES];
    struct text text = text_in(written, sizeof(written));
    plan_write(&text, plan, &hub->setup.drivers, &hub->setup.body);
    json_t *json = text.cut ? NULL : read_text(written);
    json_object_set_new(json, "time_s", json_integer(plan_time_ms(plan) / 1000));
    return json;
}

/* ?after=PLACE&limit=N: a page at a time. */
enum api_outcome api_get_plans(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct api_page page;
    uint32_t count = plans_count(hub->setup.plans);
    api_read_page(&reader, count, &page);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    json_t *list = json_array();
    uint32_t i = page.after;
    for (; i < count && json_array_size(list) < page.limit; i++)
        json_array_append_new(list, plan_json(hub, plans_at(hub->setup.plans, i)));
    return api_give(answer, 200,
                    json_pack("{s:o, s:o}", "plans", list, "next", api_next(i < count, i)));
}

enum api_outcome api_get_plan(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct diag diag = {0};
    const struct plan *plan = plans_find(hub->setup.plans, call->ids[0], &diag);
    return plan != NULL ? api_give(answer, 200, plan_json(hub, plan))
                        : api_problem(answer, 404, "%s", diag.text);
}

enum api_outcome api_get_client_plan(void *user, const struct api_call *call,
                                     struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct shelf_entry *owner = client_of(hub, call, answer);
    if (owner == NULL)
        return API_DONE;
    const struct shelf_entry *entry = shelf_find(hub->tailored, owner->id, call->ids[1]);
    struct plan plan;
    struct diag diag = {0};
    if (entry == NULL)
        return api_problem(answer, 404, "Client '%s' has no plan '%s' of their own.", owner->name,
                           call->ids[1]);
    if (hub_read_plan(hub, entry->text, &plan, &diag) != 0)
        return refuse(answer, &diag);
    api_tag(answer->tag, entry->text);
    return api_give(answer, 200, plan_json(hub, &plan));
}

/* For the audit trail: each limit, and what it was. */
static void say_changes(struct lumbard *hub, const struct plan *plan,
                        const struct shelf_entry *entry)
{
    struct plan old;
    struct diag unheard = {0};
    char changes[AUDIT_WHY_BYTES], why[AUDIT_WHY_BYTES];
    struct text text = text_in(changes, sizeof(changes)), line = text_in(why, sizeof(why));
    if (entry == NULL) {
        text_add(&line, "new plan %s", plan->name);
    } else {
        if (hub_read_plan(hub, entry->text, &old, &unheard) == 0)
            plan_tell_changes(&text, plan, &old, &hub->setup.drivers);
        text_add(&line, "plan %s: %s", plan->name, text.length > 0 ? changes : "nothing changed");
    }
    hub_say_why(hub, why);
}

static enum api_outcome keep_plan(struct lumbard *hub, const struct api_call *call,
                                  const struct shelf_entry *owner, struct plan *plan,
                                  struct api_answer *answer)
{
    struct diag diag = {0};
    char written[HUB_TEXT_BYTES];
    struct text text = text_in(written, sizeof(written));
    memcpy(plan->client, owner->name, strlen(owner->name) + 1);
    plan_write(&text, plan, &hub->setup.drivers, &hub->setup.body);
    if (text.cut)
        return api_problem(answer, 422, "This is more than can be kept of a plan.");
    const struct shelf_entry *old = shelf_find(hub->tailored, owner->id, plan->name);
    bool is_new = old == NULL;
    if (!may_edit(call, old, answer))
        return API_DONE;
    say_changes(hub, plan, old);
    const struct shelf_entry *entry =
        shelf_put(hub->tailored,
                  &(struct shelf_entry){.id = is_new ? 0 : old->id,
                                        .owner = owner->id,
                                        .created_ms = is_new ? hub_now_ms(hub) : old->created_ms,
                                        .name = plan->name,
                                        .text = written},
                  &diag);
    if (entry == NULL)
        return refuse(answer, &diag);
    hub_store_plan(hub, entry);
    api_tag(answer->tag, entry->text);
    return api_stored(hub, call, answer, is_new ? 201 : 200, plan_json(hub, plan));
}

/* {"template": NAME}: the client's own copy of it, to be tailored; or a whole plan. */
enum api_outcome api_put_client_plan(void *user, const struct api_call *call,
                                     struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct shelf_entry *owner = client_of(hub, call, answer);
    if (owner == NULL)
        return API_DONE;
    struct api_reader reader = {.call = call};
    const char *name = api_text(&reader, "template", 1, PLAN_NAME_BYTES - 1, "");
    struct plan plan;
    struct diag diag = {0};
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (*name != '\0' && json_object_size(call->body) > 1)
        return api_problem(answer, 422, "A copy of a template says nothing else.");
    if (!text_is_label(call->ids[1], strlen(call->ids[1])))
        return api_problem(answer, 422, "'%.63s' is no name of a plan.", call->ids[1]);
    if (*name != '\0') {
        const struct plan *template = plans_find(hub->setup.plans, name, &diag);
        if (template == NULL)
            return refuse(answer, &diag);
        plan = *template;
        snprintf(plan.name, sizeof(plan.name), "%s", call->ids[1]);
        return keep_plan(hub, call, owner, &plan, answer);
    }
    char *body = body_text(call, "name", call->ids[1]);
    int code = hub_read_plan(hub, body != NULL ? body : "", &plan, &diag);
    free(body);
    return code == 0 ? keep_plan(hub, call, owner, &plan, answer) : refuse(answer, &diag);
}

enum api_outcome api_delete_client_plan(void *user, const struct api_call *call,
                                        struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct shelf_entry *owner = client_of(hub, call, answer);
    if (owner == NULL)
        return API_DONE;
    const struct shelf_entry *entry = shelf_find(hub->tailored, owner->id, call->ids[1]);
    if (entry == NULL)
        return api_problem(answer, 404, "Client '%s' has no plan '%s' of their own.", owner->name,
                           call->ids[1]);
    if (!may_edit(call, entry, answer))
        return API_DONE;
    json_t *said = json_pack("{s:s}", "erased", entry->name);
    hub_forget_plan(hub, entry->id);
    return api_stored(hub, call, answer, 200, said);
}
