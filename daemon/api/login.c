/* Coming in and going out: by password, by token, by invitation. What is wrong is never said to be
 * the name or the password, and takes as long either way. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/cookie.h"
#include "io/totp.h"

#define WRONG        "The name, the password or the code is wrong."
#define BUSY_S       2 /* to wait where too many wait to be let in */
#define INVITE_SPENT "This link was used, or is too old: ask for another one."

/* Somebody who waits for a password to be tried or sealed. */
struct asked {
    struct lumbard *hub;
    uint64_t ticket, user, invite, old_login;
    bool tls, change;
    const char *what; /* for the audit trail */
    char code[8];
    char fresh[PASSWORD_MAX_BYTES + 1]; /* a password that waits for the old one to be tried */
    unsigned char address[16];
    uint64_t keys[2]; /* of the throttle */
};

static json_t *rooms_json(const struct lumbard *hub, const struct access *who)
{
    json_t *list = json_array();
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++)
        if (access_sees(who, room))
            json_array_append_new(list, json_string(hub->setup.config->rooms[room - 1].name));
    return list;
}

json_t *api_access(const struct lumbard *hub, const struct access *who)
{
    static const char *const kinds[] = {"nobody", "open", "local", "login", "token"};
    bool known = who->kind == ACCESS_LOGIN || who->kind == ACCESS_TOKEN;
    const struct pass *pass = passes_by_id(hub->users, who->login);
    const struct user *user = users_by_id(hub->users, who->person);
    return json_pack(
        "{s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:b}", "name", who->name, "by", kinds[who->kind],
        "role", known ? json_string(access_role_name(who->role)) : json_null(), "reads", who->reads,
        "all_rooms", access_sees(who, ROOM_NONE), "rooms", rooms_json(hub, who), "glass_until",
        api_instant(who->glass && pass != NULL ? pass->glass_ms : 0), "codes",
        user != NULL && user->totp[0] != '\0');
}

enum api_outcome api_get_me(void *user, const struct api_call *call, struct api_answer *answer)
{
    return api_give(answer, 200, api_access(user, call->request->who));
}

/* What a page has to know before anybody has logged in. */
enum api_outcome api_get_door(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    (void)call;
    return api_give(answer, 200,
                    json_pack("{s:b, s:b, s:s}", "accounts", hub->setup.config->accounts, "set_up",
                              hub_has_admin(hub), "clinic", hub->setup.config->clinic));
}

static void take_cookie(bool tls, struct api_answer *answer)
{
    cookie_write(answer->cookie, sizeof(answer->cookie), tls, "", 0);
}

/* A login for an account, or for a token that was shown: always a new secret, and what they came
 * with before is of no use any more. */
static void let_in(struct lumbard *hub, const struct asked *asked, struct pass *wanted,
                   struct api_answer *answer)
{
    char secret[SECRET_TEXT_BYTES];
    struct diag diag = {0};
    char address[64];
    struct access who;
    int64_t now_ms = hub_now_ms(hub);
    if (asked->old_login != 0) {
        hub_remove_pass(hub, asked->old_login);
        web_look_again(hub->web, "somebody else logs in here");
    }
    wanted->kind = PASS_LOGIN;
    struct pass *pass = hub_add_pass(hub, wanted, secret, &diag);
    if (pass == NULL || !pass_access(hub->users, pass, hub->setup.config, now_ms, &who)) {
        api_problem(answer, 503, "There is no room for another login.");
        return;
    }
    hub_audit(hub, &who, asked->what, "", 200, audit_address(asked->address, address));
    api_give(answer, 200, api_access(hub, &who));
    cookie_write(answer->cookie, sizeof(answer->cookie), asked->tls, secret,
                 (pass->until_ms - now_ms) / 1000);
    secret_wipe(secret, sizeof(secret));
}

static struct asked *asked_by(struct lumbard *hub, const struct api_call *call)
{
    const struct api_request *request = call->request;
    struct asked *asked = calloc(1, sizeof(*asked));
    if (asked == NULL)
        return NULL;
    asked->hub = hub;
    asked->ticket = request->ticket;
    asked->tls = request->tls;
    asked->what = "login";
    if (request->who != NULL && request->who->kind == ACCESS_LOGIN)
        asked->old_login = request->who->login;
    if (request->address != NULL)
        memcpy(asked->address, request->address, sizeof(asked->address));
    return asked;
}

static void answer_with(struct asked *asked, struct api_answer *answer)
{
    web_api_answer(asked->hub->web, asked->ticket, answer);
    free(asked);
}

static enum api_outcome say_busy(struct api_answer *answer, int64_t wait_ms)
{
    answer->retry_s = (int)((wait_ms + 999) / 1000);
    return api_problem(answer, 429, "Too many try at a time: wait %d s.", answer->retry_s);
}

/* ---- by password ---- */

static bool knows_place(const struct user *user, const unsigned char address[16])
{
    for (unsigned i = 0; user != NULL && i < USER_PLACES; i++)
        if (memcmp(user->places[i], address, 16) == 0)
            return true;
    return false;
}

static void note_place(struct user *user, const unsigned char address[16])
{
    if (knows_place(user, address))
        return;
    memmove(user->places[1], user->places[0], sizeof(user->places) - sizeof(user->places[0]));
    memcpy(user->places[0], address, 16);
}

/* 0: it may be tried, and was counted. */
static int64_t throttle(struct asked *asked, const char *name, const struct user *user)
{
    struct throttle *all = &asked->hub->throttle;
    char pair[80] = {0};
    int64_t now_ms = hub_now_ms(asked->hub);
    size_t bytes = (size_t)snprintf(pair, sizeof(pair) - 16, "%s", name);
    bytes = bytes < sizeof(pair) - 17 ? bytes : sizeof(pair) - 17;
    bool known = knows_place(user, asked->address);
    memcpy(pair + bytes, asked->address, 16);
    asked->keys[0] = throttle_key(all, asked->address, 16, 1);
    asked->keys[1] = throttle_key(all, pair, bytes + (known ? 16 : 0), known ? 2 : 3);
    int64_t wait_ms = throttle_try(all, &throttle_address, asked->keys[0], now_ms);
    if (wait_ms > 0)
        return wait_ms;
    wait_ms = throttle_try(all, &throttle_account, asked->keys[1], now_ms);
    if (wait_ms > 0)
        throttle_give_back(all, &throttle_address, asked->keys[0]);
    return wait_ms;
}

static bool has_code(struct user *user, const char *code)
{
    return user->totp[0] == '\0' || totp_fits(user->totp, code, clock_wall_ms(), &user->totp_step);
}

static void on_tried(void *user_of, bool right, const char *sealed)
{
    struct asked *asked = user_of;
    struct lumbard *hub = asked->hub;
    struct user *user = users_by_id(hub->users, asked->user);
    struct api_answer answer = {0};
    (void)sealed;
    if (right && user != NULL && !user->disabled && has_code(user, asked->code)) {
        throttle_give_back(&hub->throttle, &throttle_address, asked->keys[0]);
        throttle_give_back(&hub->throttle, &throttle_account, asked->keys[1]);
        note_place(user, asked->address);
        user->seen_ms = hub_now_ms(hub);
        hub_store_user(hub, user);
        struct pass login = {.user = user->id,
                             .until_ms = user->seen_ms + pass_most_ms(user->role)};
        let_in(hub, asked, &login, &answer);
    } else {
        char address[64];
        struct access nobody = {.kind = ACCESS_NOBODY};
        /* Not what was typed: it may be a password in the wrong box. */
        snprintf(nobody.name, sizeof(nobody.name), "%s", user != NULL ? user->name : "unknown");
        hub_audit_sight(hub, &nobody, "login refused", audit_address(asked->address, address), 401);
        api_problem(&answer, 401, WRONG);
    }
    answer_with(asked, &answer);
}

static enum api_outcome login_by_password(struct lumbard *hub, const struct api_call *call,
                                          struct api_answer *answer)
{
    struct api_reader reader = {.call = call};
    const char *name = api_text(&reader, "name", 1, 64, NULL);
    const char *password = api_text(&reader, "password", 1, PASSWORD_MAX_BYTES, NULL);
    const char *code = api_text(&reader, "code", 0, sizeof(((struct asked *)0)->code) - 1, "");
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    struct asked *asked = asked_by(hub, call);
    if (asked == NULL)
        return api_problem(answer, 503, "There is no memory for the answer.");
    const struct user *user = users_find(hub->users, name);
    int64_t wait_ms = throttle(asked, name, user);
    if (wait_ms == 0) {
        asked->user = user != NULL ? user->id : 0;
        snprintf(asked->code, sizeof(asked->code), "%s", code);
        const char *sealed = user != NULL && !user->disabled ? user->sealed : "";
        if (password_try(hub->passwords, password, sealed, on_tried, asked) == 0)
            return API_LATER;
        throttle_give_back(&hub->throttle, &throttle_address, asked->keys[0]);
        throttle_give_back(&hub->throttle, &throttle_account, asked->keys[1]);
        wait_ms = BUSY_S * 1000;
    }
    free(asked);
    return say_busy(answer, wait_ms);
}

/* ---- by token: a wall that has no keyboard ---- */

static struct pass *pass_shown(struct lumbard *hub, const char *secret, enum pass_kind kind)
{
    char hash[SECRET_HASH_BYTES];
    secret_hash(secret, strlen(secret), hash);
    struct pass *pass = passes_find(hub->users, hash);
    return pass != NULL && pass->kind == kind && pass_holds(hub->users, pass, hub_now_ms(hub))
               ? pass
               : NULL;
}

static enum api_outcome login_by_token(struct lumbard *hub, const struct api_call *call,
                                       const char *secret, struct api_answer *answer)
{
    struct pass *token = pass_shown(hub, secret, PASS_TOKEN);
    if (token == NULL)
        return api_problem(answer, 401, "This token was revoked, or is too old.");
    struct asked *asked = asked_by(hub, call);
    if (asked == NULL)
        return api_problem(answer, 503, "There is no memory for the answer.");
    struct pass login = {.token = token->id, .until_ms = token->until_ms};
    token->used_ms = hub_now_ms(hub);
    let_in(hub, asked, &login, answer);
    free(asked);
    return API_DONE;
}

static bool are_off(const struct lumbard *hub, struct api_answer *answer)
{
    if (!hub->setup.config->accounts)
        api_problem(answer, 409, "This hub has no accounts (accounts: false).");
    return !hub->setup.config->accounts;
}

enum api_outcome api_login(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    const char *token = api_text(&reader, "token", 1, SECRET_TEXT_BYTES - 1, "");
    if (are_off(hub, answer))
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    return *token != '\0' ? login_by_token(hub, call, token, answer)
                          : login_by_password(hub, call, answer);
}

/* ---- out ---- */

enum api_outcome api_logout(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct access *who = call->request->who;
    if (who->kind == ACCESS_LOGIN) {
        hub_remove_pass(hub, who->login);
        web_look_again(hub->web, "logged out");
    }
    api_give(answer, 200, json_pack("{s:b}", "out", 1));
    take_cookie(call->request->tls, answer);
    return API_DONE;
}

enum api_outcome api_logout_everywhere(void *user, const struct api_call *call,
                                       struct api_answer *answer)
{
    const struct access *who = call->request->who;
    if (who->kind == ACCESS_LOGIN && who->person != 0)
        hub_end_logins(user, who->person, 0, "logged out everywhere");
    return api_logout(user, call, answer);
}

/* ---- by invitation, and a new password ---- */

/* Nobody can forget what a rule makes them write down: it is long, and not the name. */
static bool is_fit(const char *password, const struct user *user, struct api_answer *answer)
{
    if (strlen(password) < PASSWORD_MIN_BYTES)
        api_problem(answer, 422, "A password has %d characters at least.", PASSWORD_MIN_BYTES);
    else if (strcasestr(password, user->name) != NULL)
        api_problem(answer, 422, "The name is no part of the password.");
    else
        return true;
    return false;
}

static void on_sealed(void *user_of, bool made, const char *sealed)
{
    struct asked *asked = user_of;
    struct lumbard *hub = asked->hub;
    struct user *user = users_by_id(hub->users, asked->user);
    struct api_answer answer = {0};
    bool holds = asked->change || passes_by_id(hub->users, asked->invite) != NULL;
    if (!made || user == NULL || user->disabled || !holds) {
        api_problem(&answer, 409, INVITE_SPENT);
        answer_with(asked, &answer);
        return;
    }
    snprintf(user->sealed, sizeof(user->sealed), "%s", sealed);
    user->seen_ms = hub_now_ms(hub);
    hub_store_user(hub, user);
    hub_end_passes(hub, user->id, "the password was changed"); /* the invitation among them */
    struct pass login = {.user = user->id, .until_ms = user->seen_ms + pass_most_ms(user->role)};
    log_notice("account %s has a new password", user->name);
    let_in(hub, asked, &login, &answer);
    answer_with(asked, &answer);
}

static enum api_outcome seal(struct lumbard *hub, struct asked *asked, const char *password,
                             struct api_answer *answer)
{
    if (password_seal(hub->passwords, password, on_sealed, asked) == 0)
        return API_LATER;
    free(asked);
    return say_busy(answer, BUSY_S * 1000);
}

/* {"secret"}: whose invitation it is. {"secret", "password"}: takes it up. */
enum api_outcome api_enrol(void *user_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user_of;
    struct api_reader reader = {.call = call};
    const char *secret = api_text(&reader, "secret", 1, SECRET_TEXT_BYTES - 1, NULL);
    const char *password = api_text(&reader, "password", 1, PASSWORD_MAX_BYTES, "");
    if (are_off(hub, answer))
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const struct pass *invite = pass_shown(hub, secret, PASS_INVITE);
    const struct user *user = invite != NULL ? users_by_id(hub->users, invite->user) : NULL;
    if (user == NULL)
        return api_problem(answer, 404, INVITE_SPENT);
    if (*password == '\0')
        return api_give(answer, 200,
                        json_pack("{s:s, s:s, s:i}", "name", user->name, "role",
                                  access_role_name(user->role), "least", PASSWORD_MIN_BYTES));
    if (!is_fit(password, user, answer))
        return API_DONE;
    struct asked *asked = asked_by(hub, call);
    if (asked == NULL)
        return api_problem(answer, 503, "There is no memory for the answer.");
    asked->user = user->id;
    asked->invite = invite->id;
    asked->what = "invitation taken up";
    return seal(hub, asked, password, answer);
}

/* The old one was right: the new one is sealed, and all other logins are over. */
static void on_old_tried(void *user_of, bool right, const char *sealed)
{
    struct asked *asked = user_of;
    struct lumbard *hub = asked->hub;
    struct api_answer answer = {0};
    (void)sealed;
    if (right) {
        throttle_give_back(&hub->throttle, &throttle_account, asked->keys[0]);
        if (password_seal(hub->passwords, asked->fresh, on_sealed, asked) == 0) {
            secret_wipe(asked->fresh, sizeof(asked->fresh));
            return;
        }
        say_busy(&answer, BUSY_S * 1000);
    } else {
        api_problem(&answer, 403, "The old password is another one.");
    }
    secret_wipe(asked->fresh, sizeof(asked->fresh));
    answer_with(asked, &answer);
}

/* {"old", "new"} */
enum api_outcome api_own_password(void *user_of, const struct api_call *call,
                                  struct api_answer *answer)
{
    struct lumbard *hub = user_of;
    struct api_reader reader = {.call = call};
    const char *old = api_text(&reader, "old", 1, PASSWORD_MAX_BYTES, NULL);
    const char *fresh = api_text(&reader, "new", 1, PASSWORD_MAX_BYTES, NULL);
    const struct user *user = users_by_id(hub->users, call->request->who->person);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (user == NULL || call->request->who->kind != ACCESS_LOGIN)
        return api_problem(answer, 409, "This is for people who have logged in.");
    if (!is_fit(fresh, user, answer))
        return API_DONE;
    struct asked *asked = asked_by(hub, call);
    if (asked == NULL)
        return api_problem(answer, 503, "There is no memory for the answer.");
    asked->user = user->id;
    asked->change = true;
    asked->what = "password changed";
    snprintf(asked->fresh, sizeof(asked->fresh), "%s", fresh);
    asked->keys[0] = throttle_key(&hub->throttle, user->name, strlen(user->name), 5);
    int64_t wait_ms =
        throttle_try(&hub->throttle, &throttle_account, asked->keys[0], hub_now_ms(hub));
    if (wait_ms == 0 && password_try(hub->passwords, old, user->sealed, on_old_tried, asked) == 0)
        return API_LATER;
    secret_wipe(asked->fresh, sizeof(asked->fresh));
    free(asked);
    return say_busy(answer, wait_ms > 0 ? wait_ms : BUSY_S * 1000);
}
