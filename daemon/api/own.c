/* What people do with their own account: another password, one-time codes. */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base/clock.h"
#include "io/totp.h"

/* The account of who asks by a login of their own; NULL: answered. */
static struct user *own_account(struct lumbard *hub, const struct api_call *call,
                                struct api_answer *answer)
{
    const struct access *who = call->request->who;
    struct user *user = who->kind == ACCESS_LOGIN ? users_by_id(hub->users, who->person) : NULL;
    if (user == NULL)
        api_problem(answer, 409,
                    "This is for people who have logged in by an account of their own.");
    return user;
}

/* A secret for a telephone; nothing is asked for before a code of it was shown. */
enum api_outcome api_make_codes(void *hub_of, const struct api_call *call,
                                struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct user *user = own_account(hub, call, answer);
    if (user == NULL)
        return API_DONE;
    if (user->totp[0] != '\0')
        return api_problem(answer, 409, "Codes are asked for already: turn that off first.");
    if (!totp_make(user->totp_wanted))
        return api_problem(answer, 500, "No secret could be made.");
    return api_give(answer, 200,
                    json_pack("{s:s, s:o}", "secret", user->totp_wanted, "address",
                              json_sprintf("otpauth://totp/Lumbar:%s?secret=%s&issuer=Lumbar",
                                           user->name, user->totp_wanted)));
}

static enum api_outcome tell_codes(struct lumbard *hub, const struct api_call *call,
                                   struct user *user, struct api_answer *answer)
{
    secret_wipe(user->totp_wanted, sizeof(user->totp_wanted));
    hub_store_user(hub, user);
    return api_stored(hub, call, answer, 200, json_pack("{s:b}", "codes", user->totp[0] != '\0'));
}

/* {"code"}: one of the telephone's, and from now on one is asked for. */
enum api_outcome api_begin_codes(void *hub_of, const struct api_call *call,
                                 struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct api_reader reader = {.call = call};
    const char *code = api_text(&reader, "code", 1, 7, NULL);
    struct user *user = own_account(hub, call, answer);
    int64_t step = 0;
    if (user == NULL)
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    if (user->totp_wanted[0] == '\0' || !totp_fits(user->totp_wanted, code, clock_wall_ms(), &step))
        return api_problem(answer, 409, "This is not the code of now.");
    memcpy(user->totp, user->totp_wanted, sizeof(user->totp_wanted));
    user->totp_step = step;
    return tell_codes(hub, call, user, answer);
}

/* {"code"}: the last one that is asked for. */
enum api_outcome api_end_codes(void *hub_of, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = hub_of;
    struct api_reader reader = {.call = call};
    const char *code = api_text(&reader, "code", 1, 7, NULL);
    struct user *user = own_account(hub, call, answer);
    if (user == NULL)
        return API_DONE;
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    uint64_t key = throttle_key(&hub->throttle, user->name, strlen(user->name), 4);
    int64_t wait_ms = throttle_try(&hub->throttle, &throttle_account, key, hub_now_ms(hub));
    if (wait_ms > 0)
        return api_problem(answer, 429, "Too many tries: wait %lld s.",
                           (long long)(wait_ms + 999) / 1000);
    if (user->totp[0] == '\0' || !totp_fits(user->totp, code, clock_wall_ms(), &user->totp_step))
        return api_problem(answer, 409, "This is not the code of now.");
    secret_wipe(user->totp, sizeof(user->totp));
    return tell_codes(hub, call, user, answer);
}
