/* Broken glass: somebody sees what their account would keep from them, for a time, says why, and
 * the leads are told. It is for the day when a colleague is ill and a client is there. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "audit.h"
#include "base/log.h"
#include "core/cookie.h"
#include "io/store_rows.h"

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define MINUTES      30
#define MINUTES_MOST 240
#define WHY_LEAST    10

static void store(struct lumbard *hub, const struct hub_glass *glass)
{
    const struct store_value row[] = {store_int((int64_t)glass->id), store_text(glass->who),
                                      store_text(glass->role),       store_text(glass->why),
                                      store_int(glass->at_ms),       store_int(glass->until_ms),
                                      store_text(glass->seen_by),    store_int(glass->seen_ms)};
    hub->unstored.glass |= !store_put(hub->store, STORE_GLASS, row, COUNT(row));
    frame_glass_changed(hub->frame);
}

void hub_store_glass_again(struct lumbard *hub)
{
    if (!hub->unstored.glass)
        return;
    hub->unstored.glass = false;
    for (unsigned i = 0; i < HUB_GLASS; i++)
        if (hub->glass[i].id != 0)
            store(hub, &hub->glass[i]);
}

static void copy(char *out, size_t bytes, const struct store_value *value)
{
    snprintf(out, bytes, "%s", value->type == STORE_TEXT ? value->text : "");
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    uint64_t id = (uint64_t)values[0].integer;
    struct hub_glass *glass = &hub->glass[id % HUB_GLASS];
    (void)count;
    *glass = (struct hub_glass){.id = id,
                                .at_ms = values[4].integer,
                                .until_ms = values[5].integer,
                                .seen_ms = values[7].integer};
    copy(glass->who, sizeof(glass->who), &values[1]);
    copy(glass->role, sizeof(glass->role), &values[2]);
    copy(glass->why, sizeof(glass->why), &values[3]);
    copy(glass->seen_by, sizeof(glass->seen_by), &values[6]);
    if (id > hub->newest_glass)
        hub->newest_glass = id;
}

int hub_load_glass(struct lumbard *hub, struct diag *diag)
{
    return store_load(hub->store, STORE_GLASS, NULL, on_row, hub, diag);
}

/* The login that sees more, or again less: with a new secret, for another one is worth more now. */
static enum api_outcome renew(struct lumbard *hub, const struct api_call *call, int64_t glass_ms,
                              const char *why, struct api_answer *answer)
{
    char secret[SECRET_TEXT_BYTES];
    struct diag diag = {0};
    struct access who;
    const struct pass *old = passes_by_id(hub->users, call->request->who->login);
    struct pass wanted = {.user = old->user, .until_ms = old->until_ms, .glass_ms = glass_ms};
    snprintf(wanted.why, sizeof(wanted.why), "%s", why);
    hub_remove_pass(hub, old->id);
    web_look_again(hub->web, "the login was renewed");
    const struct pass *pass = hub_add_pass(hub, &wanted, secret, &diag);
    int64_t now_ms = hub_now_ms(hub);
    if (pass == NULL || !pass_access(hub->users, pass, hub->setup.config, now_ms, &who))
        return api_problem(answer, 503, "There is no room for another login.");
    cookie_write(answer->cookie, sizeof(answer->cookie), call->request->tls, secret,
                 (pass->until_ms - now_ms) / 1000);
    secret_wipe(secret, sizeof(secret));
    return api_give(answer, 200, api_access(hub, &who));
}

static bool has_account(const struct api_call *call, struct api_answer *answer)
{
    const struct access *who = call->request->who;
    if (who->kind == ACCESS_LOGIN && who->person != 0)
        return true;
    api_problem(answer, 409, "This is for people who have logged in by an account of their own.");
    return false;
}

/* {"why", "minutes"} */
enum api_outcome api_break_glass(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *why = api_text(&reader, "why", WHY_LEAST, PASS_WHY_BYTES - 1, NULL);
    int64_t minutes = api_integer(&reader, "minutes", 1, MINUTES_MOST, MINUTES);
    if (!has_account(call, answer))
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    uint64_t id = ++hub->newest_glass;
    struct hub_glass *glass = &hub->glass[id % HUB_GLASS];
    hub->glass_unseen_lost += glass->id != 0 && glass->seen_ms == 0;
    *glass = (struct hub_glass){.id = id, .at_ms = hub_now_ms(hub)};
    glass->until_ms = glass->at_ms + minutes * 60000;
    snprintf(glass->who, sizeof(glass->who), "%s", call->request->who->name);
    snprintf(glass->role, sizeof(glass->role), "%s", access_role_name(call->request->who->role));
    snprintf(glass->why, sizeof(glass->why), "%s", why);
    store(hub, glass);
    hub_say_why(hub, why); /* in the audit trail */
    log_warn("%s has broken the glass for %lld min; the leads are told why", glass->who,
             (long long)minutes);
    return renew(hub, call, glass->until_ms, why, answer);
}

enum api_outcome api_mend_glass(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    if (!has_account(call, answer))
        return API_DONE;
    if (!call->request->who->glass)
        return api_problem(answer, 409, "No glass is broken.");
    for (unsigned i = 0; i < HUB_GLASS; i++)
        if (hub->glass[i].id != 0 && hub->glass[i].until_ms > hub_now_ms(hub) &&
            strcmp(hub->glass[i].who, call->request->who->name) == 0) {
            hub->glass[i].until_ms = hub_now_ms(hub);
            store(hub, &hub->glass[i]);
        }
    return renew(hub, call, 0, "", answer);
}

static json_t *glass_json(const struct hub_glass *glass)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)glass->id, "who",
                     glass->who, "role", glass->role, "why", glass->why, "at",
                     api_instant(glass->at_ms), "until", api_instant(glass->until_ms), "seen_by",
                     glass->seen_by[0] != '\0' ? json_string(glass->seen_by) : json_null(), "seen",
                     api_instant(glass->seen_ms));
}

/* The newest first; ?unseen=1: what no lead has taken note of yet. */
enum api_outcome api_get_glass(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    bool unseen = api_query_integer(&reader, "unseen", 0, 1, 0) == 1;
    json_t *list = json_array();
    for (uint64_t back = 0; back < HUB_GLASS && back < hub->newest_glass; back++) {
        const struct hub_glass *glass = &hub->glass[(hub->newest_glass - back) % HUB_GLASS];
        if (glass->id != 0 && !(unseen && glass->seen_ms != 0))
            json_array_append_new(list, glass_json(glass));
    }
    return api_give(answer, 200, json_pack("{s:o}", "glass", list));
}

enum api_outcome api_see_glass(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint64_t id = api_id(&reader, 0);
    struct hub_glass *glass = &hub->glass[id % HUB_GLASS];
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (id == 0 || glass->id != id)
        return api_problem(answer, 404, "There is no broken glass %llu.", (unsigned long long)id);
    if (glass->seen_ms == 0) {
        glass->seen_ms = hub_now_ms(hub);
        snprintf(glass->seen_by, sizeof(glass->seen_by), "%s", call->request->who->name);
        store(hub, glass);
    }
    return api_stored(hub, call, answer, 200, glass_json(glass));
}
