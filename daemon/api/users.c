/* Accounts, as an administrator sees them: made, changed, disabled, invited. Nobody gives a
 * password to somebody else: a link is given, by which people set their own. */
#include "api/api.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base/text.h"

#define INVITE_MS INT64_C(86400000)

static const struct user *user_of(struct lumbard *hub, const struct api_call *call,
                                  struct api_answer *answer)
{
    const struct user *user = users_find(hub->users, call->ids[0]);
    if (user == NULL)
        api_problem(answer, 404, "There is no account '%.60s'.", call->ids[0]);
    return user;
}

json_t *api_rooms_list(const char *rooms)
{
    json_t *list = json_array();
    for (size_t length; rooms += strspn(rooms, " "), (length = strcspn(rooms, " ")) > 0;
         rooms += length)
        json_array_append_new(list, json_stringn(rooms, length));
    return list;
}

/* Of what an edit changes: who logs in meanwhile is no other version. */
static void tag_user(char tag[API_TAG_BYTES], const struct user *user)
{
    char text[USER_ROOMS_BYTES + 64];
    snprintf(text, sizeof(text), "%s %d %s", access_role_name(user->role), user->disabled,
             user->rooms);
    api_tag(tag, text);
}

static json_t *user_json(const struct lumbard *hub, const struct user *user)
{
    char tag[API_TAG_BYTES];
    unsigned logins = 0, invites = 0;
    const struct pass *pass;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL; i++) {
        logins += pass->kind == PASS_LOGIN && pass->user == user->id;
        invites += pass->kind == PASS_INVITE && pass->user == user->id;
    }
    tag_user(tag, user);
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:o, s:o, s:i, s:b}", "name", user->name,
                     "tag", tag, "role", access_role_name(user->role), "rooms",
                     api_rooms_list(user->rooms), "disabled", user->disabled, "password",
                     user->sealed[0] != '\0', "codes", user->totp[0] != '\0', "created",
                     api_instant(user->created_ms), "seen", api_instant(user->seen_ms), "logins",
                     (int)logins, "invited", invites > 0);
}

enum api_outcome api_get_users(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    json_t *list = json_array();
    const struct user *user;
    (void)call;
    for (uint32_t i = 0; (user = users_at(hub->users, i)) != NULL; i++)
        json_array_append_new(list, user_json(hub, user));
    return api_give(answer, 200, json_pack("{s:o}", "users", list));
}

/* ---- what a body says ---- */

bool api_read_role(struct api_reader *reader, const char *fallback, enum access_role *role,
                   struct api_answer *answer)
{
    const char *name = api_text(reader, "role", 1, USER_NAME_BYTES - 1, fallback);
    *role = name != NULL ? access_role_named(name) : ROLE_NONE;
    if (reader->complaint[0] != '\0')
        api_refuse(reader, answer);
    else if (*role == ROLE_NONE)
        api_problem(answer, 422,
                    "'role' is admin, lead, therapist, display or auditor, not '%.60s'.", name);
    else
        return true;
    return false;
}

bool api_read_rooms(const struct lumbard *hub, const struct api_call *call,
                    char rooms[USER_ROOMS_BYTES], struct api_answer *answer)
{
    const json_t *list = json_object_get(call->body, "rooms"), *room;
    struct text text = text_in(rooms, USER_ROOMS_BYTES);
    char which[USER_NAME_BYTES * 2];
    size_t i;
    if (list == NULL)
        return true; /* as it was */
    rooms[0] = '\0';
    bool good = json_is_array(list);
    json_array_foreach((json_t *)(uintptr_t)list, i, room)
    {
        const char *name = json_string_value(room);
        good = good && name != NULL && text_is_label(name, strlen(name));
        text_add(&text, "%s%s", i > 0 ? " " : "", good ? name : "?");
    }
    if (!good || text.cut)
        api_problem(answer, 422, "'rooms' is a list of names of rooms; an empty one is all.");
    else if (!users_rooms_known(rooms, hub->setup.config, which))
        api_problem(answer, 422, "There is no room '%s'.", which);
    else
        return true;
    return false;
}

static bool is_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (isupper((unsigned char)*at))
            return false;
    return text_is_label(name, strlen(name)) && strlen(name) < USER_NAME_BYTES;
}

/* ---- made, and invited ---- */

/* The account as it is, and a link by which its password is set. */
static enum api_outcome invite(struct lumbard *hub, const struct api_call *call,
                               const struct user *user, int status, struct api_answer *answer)
{
    char secret[SECRET_TEXT_BYTES], link[HUB_LINK_BYTES];
    struct diag diag = {0};
    struct pass wanted = {
        .kind = PASS_INVITE, .user = user->id, .until_ms = hub_now_ms(hub) + INVITE_MS};
    const struct pass *pass = hub_add_pass(hub, &wanted, secret, &diag);
    if (pass == NULL)
        return api_complain(answer, diag.code, &diag);
    json_t *said = user_json(hub, user);
    hub_write_link(hub, "enrol", secret, link, sizeof(link));
    json_object_set_new(said, "link", json_string(link));
    json_object_set_new(said, "until", api_instant(pass->until_ms));
    secret_wipe(secret, sizeof(secret));
    secret_wipe(link, sizeof(link));
    return api_stored(hub, call, answer, status, said);
}

static enum api_outcome add(struct lumbard *hub, const struct api_call *call, struct user *user,
                            struct api_answer *answer)
{
    struct diag diag = {0};
    if (!is_name(user->name))
        return api_problem(answer, 422,
                           "A name is 1 to %d of a-z 0-9 _ - . and stands for one person.",
                           USER_NAME_BYTES - 1);
    user->created_ms = hub_now_ms(hub);
    const struct user *added = users_add(hub->users, user, &diag);
    if (added == NULL)
        return api_complain(answer, diag.code, &diag);
    hub_store_user(hub, added);
    api_created(hub, call, REPEAT_USER, added->id);
    return invite(hub, call, added, 201, answer);
}

/* Nobody heard the link of the first answer: another one takes its place, until one is used. */
static enum api_outcome add_again(struct lumbard *hub, const struct api_call *call,
                                  const struct repeat *before, struct api_answer *answer)
{
    const struct user *user = users_by_id(hub->users, before->id);
    if (user == NULL || user->disabled || user->sealed[0] != '\0')
        return api_problem(answer, 409, "What this request has made is taken up already.");
    hub_end_passes(hub, user->id, "the invitation was made again");
    return invite(hub, call, user, 201, answer);
}

enum api_outcome api_post_user(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct api_reader reader = {.call = call};
    struct user user = {0};
    const struct repeat *before;
    const char *name = api_text(&reader, "name", 1, USER_NAME_BYTES - 1, NULL);
    if (!api_read_role(&reader, NULL, &user.role, answer) ||
        !api_read_rooms(hub, call, user.rooms, answer) || !api_repeat(hub, call, &before, answer))
        return API_DONE;
    if (before != NULL)
        return add_again(hub, call, before, answer);
    snprintf(user.name, sizeof(user.name), "%s", name);
    return add(hub, call, &user, answer);
}

/* The first administrator, or the way back for one that nobody remembers: on the machine itself. */
enum api_outcome api_set_up(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct api_reader reader = {.call = call};
    const char *name = api_text(&reader, "name", 1, USER_NAME_BYTES - 1, "admin");
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (!hub->setup.config->accounts)
        return api_problem(answer, 409, "This hub has no accounts (accounts: false).");
    if (hub_has_admin(hub))
        return api_problem(
            answer, 409,
            "There is an administrator already: `lumbarctl users reset NAME` makes a "
            "new link for an account.");
    const struct user *known = users_find(hub->users, name);
    if (known != NULL && known->role == ROLE_ADMIN && !known->disabled)
        return invite(hub, call, known, 200, answer);
    struct user user = {.role = ROLE_ADMIN};
    snprintf(user.name, sizeof(user.name), "%s", name);
    return add(hub, call, &user, answer);
}

/* ---- changed ---- */

/* Is it the last one who could undo what is about to be done? */
static bool is_last_admin(const struct lumbard *hub, const struct user *user)
{
    const struct user *other;
    if (user->role != ROLE_ADMIN || user->disabled || user->sealed[0] == '\0')
        return false;
    for (uint32_t i = 0; (other = users_at(hub->users, i)) != NULL; i++)
        if (other != user && other->role == ROLE_ADMIN && !other->disabled &&
            other->sealed[0] != '\0')
            return false;
    return true;
}

/* {"role", "rooms", "disabled"}: what is not said stays. Whoever is logged in by it is out. */
enum api_outcome api_put_user(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct api_reader reader = {.call = call};
    char tag[API_TAG_BYTES];
    const struct user *old = user_of(hub, call, answer);
    if (old == NULL)
        return API_DONE;
    tag_user(tag, old);
    if (!api_may_edit(call, tag, answer))
        return API_DONE;
    struct user fresh = *old;
    const json_t *disabled = json_object_get(call->body, "disabled");
    if (disabled != NULL && !json_is_boolean(disabled))
        return api_problem(answer, 422, "'disabled' is true or false.");
    if (disabled != NULL)
        fresh.disabled = json_is_true(disabled);
    if (!api_read_role(&reader, access_role_name(old->role), &fresh.role, answer) ||
        !api_read_rooms(hub, call, fresh.rooms, answer))
        return API_DONE;
    if (is_last_admin(hub, old) && (fresh.disabled || fresh.role != ROLE_ADMIN))
        return api_problem(answer, 409, "'%s' is the last administrator.", old->name);
    struct user *user = users_by_id(hub->users, old->id);
    *user = fresh;
    hub_store_user(hub, user);
    if (user->disabled)
        hub_end_passes(hub, user->id, "the account was disabled");
    else
        hub_end_logins(hub, user->id, 0, "the account was changed");
    tag_user(answer->tag, user);
    return api_stored(hub, call, answer, 200, user_json(hub, user));
}

/* The password and codes are gone, whoever knew them is out, and a link sets new ones. */
enum api_outcome api_reset_user(void *hub_of, const struct api_call *call,
                                struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    const struct user *found = user_of(hub, call, answer);
    if (found == NULL)
        return API_DONE;
    if (found->disabled)
        return api_problem(answer, 409, "'%s' is disabled.", found->name);
    if (is_last_admin(hub, found) && call->request->who->kind != ACCESS_LOCAL)
        return api_problem(answer, 409, "'%s' is the last administrator: use lumbarctl.",
                           found->name);
    struct user *user = users_by_id(hub->users, found->id);
    user->sealed[0] = user->totp[0] = '\0';
    hub_store_user(hub, user);
    hub_end_passes(hub, user->id, "the password was reset");
    return invite(hub, call, user, 200, answer);
}

enum api_outcome api_end_user(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    const struct user *user = user_of(hub, call, answer);
    if (user == NULL)
        return API_DONE;
    hub_end_logins(hub, user->id, 0, "logged out by an administrator");
    return api_stored(hub, call, answer, 200, user_json(hub, user));
}
