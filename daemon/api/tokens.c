/* Tokens: of walls that have no keyboard, and of programs. The secret is told once, when one is
 * made; a wall is given a link, whose secret no server or proxy ever sees. */
#include "api/api.h"

#include <string.h>

#include "accounts.h"
#include "base/text.h"

#define DAYS_MOST 3650
#define DAYS      365
#define DAY_MS    INT64_C(86400000)

static json_t *token_json(const struct lumbard *hub, const struct pass *pass)
{
    unsigned logins = 0;
    const struct pass *other;
    for (uint32_t i = 0; (other = passes_at(hub->users, i)) != NULL; i++)
        logins += other->token == pass->id;
    bool used = pass->used_ms != pass->made_ms;
    return json_pack("{s:I, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:b, s:i}", "id",
                     (json_int_t)pass->id, "name", pass->name, "role", access_role_name(pass->role),
                     "rooms", api_rooms_list(pass->rooms), "reads", pass->reads, "made",
                     api_instant(pass->made_ms), "used", api_instant(used ? pass->used_ms : 0),
                     "until", api_instant(pass->until_ms), "holds",
                     pass_holds(hub->users, pass, hub_now_ms(hub)), "logins", (int)logins);
}

enum api_outcome api_get_tokens(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    json_t *list = json_array();
    const struct pass *pass;
    (void)call;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL; i++)
        if (pass->kind == PASS_TOKEN)
            json_array_append_new(list, token_json(hub, pass));
    return api_give(answer, 200, json_pack("{s:o}", "tokens", list));
}

/* The secret, which is told once; and where a wall that shows it is let in. */
static enum api_outcome tell(struct lumbard *hub, const struct api_call *call,
                             const struct pass *pass, char secret[SECRET_TEXT_BYTES],
                             struct api_answer *answer)
{
    char link[HUB_LINK_BYTES];
    json_t *said = token_json(hub, pass);
    hub_write_link(hub, "token", secret, link, sizeof(link));
    json_object_set_new(said, "secret", json_string(secret));
    json_object_set_new(said, "link", json_string(link));
    secret_wipe(secret, SECRET_TEXT_BYTES);
    secret_wipe(link, sizeof(link));
    return api_stored(hub, call, answer, 201, said);
}

/* Nobody heard the secret of the first answer: another token takes its place, until one is used. */
static bool make_way(struct lumbard *hub, const struct api_call *call, struct api_answer *answer)
{
    const struct repeat *before;
    if (!api_repeat(hub, call, &before, answer))
        return false;
    if (before == NULL)
        return true;
    const struct pass *pass = passes_by_id(hub->users, before->id);
    if (pass == NULL || pass->used_ms != pass->made_ms) {
        api_problem(answer, 409, "What this request has made is in use, or was revoked.");
        return false;
    }
    hub_remove_pass(hub, pass->id);
    hub_forget_repeats(hub, REPEAT_TOKEN, before->id);
    return true;
}

/* {"name", "role", "rooms", "days", "writes"}: reads only, unless it says that it writes. */
enum api_outcome api_post_token(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    struct pass wanted = {.kind = PASS_TOKEN};
    char secret[SECRET_TEXT_BYTES];
    const char *name = api_text(&reader, "name", 1, USER_NAME_BYTES - 1, NULL);
    int64_t days = api_integer(&reader, "days", 1, DAYS_MOST, DAYS);
    const json_t *writes = json_object_get(call->body, "writes");
    if (!api_read_role(&reader, access_role_name(ROLE_DISPLAY), &wanted.role, answer) ||
        !api_read_rooms(hub, call, wanted.rooms, answer))
        return API_DONE;
    if (!text_is_label(name, strlen(name)))
        return api_problem(answer, 422, "A name is 1 to %d of A-Z a-z 0-9 _ - .",
                           USER_NAME_BYTES - 1);
    if (wanted.role == ROLE_ADMIN)
        return api_problem(answer, 422, "No token rules accounts: that is for people.");
    if (writes != NULL && !json_is_boolean(writes))
        return api_problem(answer, 422, "'writes' is true or false.");
    wanted.reads = !json_is_true(writes) || wanted.role == ROLE_DISPLAY;
    wanted.until_ms = hub_now_ms(hub) + days * DAY_MS;
    memcpy(wanted.name, name, strlen(name) + 1);
    if (!make_way(hub, call, answer))
        return API_DONE;
    const struct pass *pass = hub_add_pass(hub, &wanted, secret, &diag);
    if (pass == NULL)
        return api_complain(answer, diag.code, &diag);
    api_created(hub, call, REPEAT_TOKEN, pass->id);
    return tell(hub, call, pass, secret, answer);
}

/* It and every wall that was let in by it. */
enum api_outcome api_delete_token(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint64_t id = api_id(&reader, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const struct pass *pass = passes_by_id(hub->users, id);
    if (pass == NULL || pass->kind != PASS_TOKEN)
        return api_problem(answer, 404, "There is no token %llu.", (unsigned long long)id);
    json_t *said = json_pack("{s:s}", "revoked", pass->name);
    hub_remove_pass(hub, id);
    hub_end_logins(hub, 0, id, "the token was revoked");
    return api_stored(hub, call, answer, 200, said);
}
