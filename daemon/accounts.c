/* Accounts and passes: loaded, stored, and held against what a request shows. */
#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "base/log.h"
#include "core/cookie.h"
#include "io/secret.h"
#include "io/store_rows.h"

#define COUNT(list)   (sizeof(list) / sizeof((list)[0]))
#define NOTED_MS      300000              /* that a pass was used is stored no more often */
#define LOOK_MS       1000                /* for those that hold no more */
#define TOKEN_LEFT_MS INT64_C(2592000000) /* a token that is over is listed so long */

static const char *const kind_names[PASS_KINDS_] = {"login", "token", "invite"};

/* ---- the store ---- */

void hub_store_user(struct lumbard *hub, const struct user *user)
{
    const struct store_value row[] = {store_int((int64_t)user->id),
                                      store_text(user->name),
                                      store_text(access_role_name(user->role)),
                                      store_text(user->rooms),
                                      store_int(user->disabled),
                                      store_text(user->sealed),
                                      store_text(user->totp),
                                      store_int(user->totp_step),
                                      store_int(user->created_ms),
                                      store_int(user->seen_ms)};
    hub->unstored.accounts |= !store_put(hub->store, STORE_ACCOUNT, row, COUNT(row));
}

void hub_store_pass(struct lumbard *hub, struct pass *pass)
{
    const struct store_value row[] = {
        store_int((int64_t)pass->id),   store_text(kind_names[pass->kind]),
        store_int((int64_t)pass->user), store_int((int64_t)pass->token),
        store_text(pass->hash),         store_int(pass->made_ms),
        store_int(pass->used_ms),       store_int(pass->until_ms),
        store_text(pass->name),         store_text(access_role_name(pass->role)),
        store_text(pass->rooms),        store_int(pass->reads),
        store_int(pass->glass_ms),      store_text(pass->why)};
    pass->noted_ms = pass->used_ms;
    hub->unstored.accounts |= !store_put(hub->store, STORE_PASS, row, COUNT(row));
}

/* One that cannot be removed from the file now is found to hold no more at the next start, or is
 * removed again when there is room. */
void hub_remove_pass(struct lumbard *hub, uint64_t id)
{
    const struct store_value key = store_int((int64_t)id);
    struct hub_unstored *unstored = &hub->unstored;
    bool removed = store_remove(hub->store, STORE_PASS, &key, 1);
    if (!removed && unstored->removal_count < HUB_REMOVALS_MAX)
        unstored->removals[unstored->removal_count++] = (struct hub_removal){STORE_PASS, id};
    else
        hub->removals_lost += !removed;
    passes_remove(hub->users, id);
}

void hub_store_accounts_again(struct lumbard *hub)
{
    struct user *user;
    struct pass *pass;
    if (!hub->unstored.accounts)
        return;
    hub->unstored.accounts = false;
    for (uint32_t i = 0; (user = users_at(hub->users, i)) != NULL; i++)
        hub_store_user(hub, user);
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL; i++)
        hub_store_pass(hub, pass);
}

static void copy(char *out, size_t bytes, const struct store_value *value)
{
    snprintf(out, bytes, "%s", value->type == STORE_TEXT ? value->text : "");
}

static void on_user(void *user_of, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user_of;
    struct diag diag = {0};
    char role[USER_NAME_BYTES];
    struct user user = {.id = (uint64_t)values[0].integer,
                        .disabled = values[4].integer != 0,
                        .totp_step = values[7].integer,
                        .created_ms = values[8].integer,
                        .seen_ms = values[9].integer};
    (void)count;
    copy(user.name, sizeof(user.name), &values[1]);
    copy(role, sizeof(role), &values[2]);
    copy(user.rooms, sizeof(user.rooms), &values[3]);
    copy(user.sealed, sizeof(user.sealed), &values[5]);
    copy(user.totp, sizeof(user.totp), &values[6]);
    user.role = access_role_named(role);
    if (user.role == ROLE_NONE || users_add(hub->users, &user, &diag) == NULL)
        log_error("store: account %llu cannot be taken up: %s", (unsigned long long)user.id,
                  user.role == ROLE_NONE ? "its role is not known" : diag.text);
}

static void on_pass(void *user_of, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user_of;
    struct diag diag = {0};
    char kind[USER_NAME_BYTES], role[USER_NAME_BYTES];
    struct pass pass = {.id = (uint64_t)values[0].integer,
                        .kind = PASS_KINDS_,
                        .user = (uint64_t)values[2].integer,
                        .token = (uint64_t)values[3].integer,
                        .made_ms = values[5].integer,
                        .used_ms = values[6].integer,
                        .noted_ms = values[6].integer,
                        .until_ms = values[7].integer,
                        .reads = values[11].integer != 0,
                        .glass_ms = values[12].integer};
    (void)count;
    copy(kind, sizeof(kind), &values[1]);
    copy(pass.hash, sizeof(pass.hash), &values[4]);
    copy(pass.name, sizeof(pass.name), &values[8]);
    copy(role, sizeof(role), &values[9]);
    copy(pass.rooms, sizeof(pass.rooms), &values[10]);
    copy(pass.why, sizeof(pass.why), &values[13]);
    pass.role = access_role_named(role);
    for (int i = 0; i < PASS_KINDS_; i++)
        if (strcmp(kind, kind_names[i]) == 0)
            pass.kind = (enum pass_kind)i;
    if (pass.kind == PASS_KINDS_ || passes_add(hub->users, &pass, &diag) == NULL)
        log_error("store: pass %llu cannot be taken up", (unsigned long long)pass.id);
}

int hub_load_accounts(struct lumbard *hub, struct diag *diag)
{
    int code = secret_begin(diag);
    hub->throttle.seed = code == 0 ? secret_seed() : 0;
    hub->users = users_create();
    if (hub->users == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for accounts");
    if (code == 0)
        code = store_load(hub->store, STORE_ACCOUNT, NULL, on_user, hub, diag);
    if (code == 0)
        code = store_load(hub->store, STORE_PASS, NULL, on_pass, hub, diag);
    return code;
}

int hub_open_accounts(struct lumbard *hub, struct diag *diag)
{
    hub->passwords = passwords_create(&hub->loop);
    if (hub->passwords == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for passwords");
    if (!hub->setup.config->accounts)
        log_warn("there are no accounts (accounts: false): whoever reaches the page may do "
                 "everything");
    else if (!hub_has_admin(hub))
        log_notice("nobody can log in yet: `lumbarctl setup` prints a link for the first "
                   "administrator");
    return 0;
}

/* ---- who asks ---- */

bool hub_has_admin(const struct lumbard *hub)
{
    const struct user *user;
    for (uint32_t i = 0; (user = users_at(hub->users, i)) != NULL; i++)
        if (user->role == ROLE_ADMIN && !user->disabled && user->sealed[0] != '\0')
            return true;
    return false;
}

/* Who is behind the hub's own socket; asked of the system's list once for each. */
static const char *name_of_uid(struct lumbard *hub, uid_t uid)
{
    for (unsigned i = 0; i < hub->local_count; i++)
        if (hub->locals[i].uid == uid)
            return hub->locals[i].name;
    struct hub_local *local = &hub->locals[hub->local_count % HUB_LOCALS];
    const struct passwd *found = getpwuid(uid);
    if (hub->local_count < HUB_LOCALS)
        hub->local_count++;
    local->uid = uid;
    if (found != NULL)
        snprintf(local->name, sizeof(local->name), "%.*s", ACCESS_NAME_BYTES - 1, found->pw_name);
    else
        snprintf(local->name, sizeof(local->name), "uid %lu", (unsigned long)uid);
    return local->name;
}

static const struct access nobody = {.kind = ACCESS_NOBODY, .role = ROLE_NONE};

/* The secret that it shows, and of which kind; false: none. What says Authorization is not asked
 * for a cookie besides. */
static bool shown(const struct web_claim *claim, char *secret, size_t bytes, enum pass_kind *kind)
{
    static const char bearer[] = "Bearer ";
    if (claim->authorization[0] != '\0') {
        *kind = PASS_TOKEN;
        return strncmp(claim->authorization, bearer, sizeof(bearer) - 1) == 0 &&
               (size_t)snprintf(secret, bytes, "%s", claim->authorization + sizeof(bearer) - 1) <
                   bytes;
    }
    *kind = PASS_LOGIN;
    return cookie_find(claim->cookie, claim->tls ? COOKIE_NAME_TLS : COOKIE_NAME_PLAIN, secret,
                       bytes);
}

void hub_see_who(void *user, const struct web_claim *claim, struct access *access)
{
    struct lumbard *hub = user;
    char secret[SECRET_TEXT_BYTES], hash[SECRET_HASH_BYTES];
    enum pass_kind kind;
    if (claim->local) {
        *access = access_all(ACCESS_LOCAL, name_of_uid(hub, claim->uid));
        return;
    }
    if (!hub->setup.config->accounts) {
        *access = access_all(ACCESS_OPEN, "page");
        return;
    }
    *access = nobody;
    if (!shown(claim, secret, sizeof(secret), &kind))
        return;
    secret_hash(secret, strlen(secret), hash);
    secret_wipe(secret, sizeof(secret));
    struct pass *pass = passes_find(hub->users, hash);
    int64_t now_ms = hub_now_ms(hub);
    if (pass == NULL || pass->kind != kind ||
        !pass_access(hub->users, pass, hub->setup.config, now_ms, access)) {
        *access = nobody;
        return;
    }
    pass->used_ms = now_ms;
    struct pass *token = passes_by_id(hub->users, pass->token);
    if (token != NULL)
        token->used_ms = now_ms;
}

bool hub_still_may(void *user, struct access *access)
{
    struct lumbard *hub = user;
    if (access->kind != ACCESS_LOGIN && access->kind != ACCESS_TOKEN)
        return true;
    const struct pass *pass = passes_by_id(hub->users, access->login);
    return pass != NULL &&
           pass_access(hub->users, pass, hub->setup.config, hub_now_ms(hub), access);
}

/* ---- what begins and ends ---- */

/* Of logins of this account beyond the most, the oldest goes. */
static void end_oldest(struct lumbard *hub, uint64_t user)
{
    unsigned count = 0;
    uint64_t oldest = 0;
    const struct pass *pass;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL; i++)
        if (pass->kind == PASS_LOGIN && pass->user == user && user != 0 && count++ == 0)
            oldest = pass->id;
    if (count < HUB_LOGINS_MAX)
        return;
    hub->logins_ended++;
    hub_remove_pass(hub, oldest);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

unsigned hub_most_logins(const struct lumbard *hub)
{
    static uint64_t users[USERS_PASSES_MAX]; /* the loop's thread only */
    size_t count = 0;
    unsigned most = 0, run = 0;
    const struct pass *pass;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL; i++)
        if (pass->kind == PASS_LOGIN && pass->user != 0)
            users[count++] = pass->user;
    qsort(users, count, sizeof(users[0]), by_number);
    for (size_t i = 0; i < count; i++) {
        run = i > 0 && users[i] == users[i - 1] ? run + 1 : 1;
        most = run > most ? run : most;
    }
    return most;
}

struct pass *hub_add_pass(struct lumbard *hub, struct pass *wanted, char secret[SECRET_TEXT_BYTES],
                          struct diag *diag)
{
    if (wanted->kind == PASS_LOGIN)
        end_oldest(hub, wanted->user);
    secret_make(secret);
    secret_hash(secret, strlen(secret), wanted->hash);
    wanted->made_ms = wanted->used_ms = hub_now_ms(hub);
    struct pass *pass = passes_add(hub->users, wanted, diag);
    if (pass != NULL)
        hub_store_pass(hub, pass);
    return pass;
}

static void end_of(struct lumbard *hub, uint64_t user, uint64_t token, bool invites)
{
    const struct pass *pass;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL;)
        if ((invites || pass->kind != PASS_INVITE) &&
            ((user != 0 && pass->user == user) || (token != 0 && pass->token == token)))
            hub_remove_pass(hub, pass->id);
        else
            i++;
}

void hub_end_logins(struct lumbard *hub, uint64_t user, uint64_t token, const char *why)
{
    end_of(hub, user, token, false);
    web_look_again(hub->web, why);
}

void hub_end_passes(struct lumbard *hub, uint64_t user, const char *why)
{
    end_of(hub, user, 0, true);
    web_look_again(hub->web, why);
}

void hub_tick_accounts(struct lumbard *hub, int64_t now_ms)
{
    struct pass *pass;
    bool ended = false;
    if (now_ms - hub->looked_ms < LOOK_MS)
        return;
    hub->looked_ms = now_ms;
    for (uint32_t i = 0; (pass = passes_at(hub->users, i)) != NULL;) {
        int64_t left_ms = pass->kind == PASS_TOKEN ? TOKEN_LEFT_MS : 0;
        bool holds = pass_holds(hub->users, pass, now_ms);
        if (!holds && now_ms >= pass->until_ms + left_ms) {
            hub_remove_pass(hub, pass->id);
            ended = true;
            continue;
        }
        ended |= !holds || (pass->glass_ms != 0 && now_ms >= pass->glass_ms);
        if (pass->used_ms - pass->noted_ms >= NOTED_MS)
            hub_store_pass(hub, pass);
        i++;
    }
    if (ended)
        web_look_again(hub->web, "the login is over");
}

/* Listening on all addresses, the one by which this machine reaches others, and they it; as it was
 * if there is none. Nothing is sent: the system is asked for the way only. */
static void find_address(char out[INET6_ADDRSTRLEN])
{
    struct sockaddr_in others = {.sin_family = AF_INET, .sin_port = htons(9)}, own = {0};
    socklen_t bytes = sizeof(own);
    inet_pton(AF_INET, "192.0.2.1", &others.sin_addr); /* for examples: nobody's */
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&others, sizeof(others)) == 0 &&
        getsockname(fd, (struct sockaddr *)&own, &bytes) == 0)
        inet_ntop(AF_INET, &own.sin_addr, out, INET6_ADDRSTRLEN);
    if (fd >= 0)
        close(fd);
}

void hub_write_link(const struct lumbard *hub, const char *what, const char *secret, char *out,
                    size_t bytes)
{
    const struct config *config = hub->setup.config;
    const char *scheme = hub->certificate != NULL ? "https" : "http", *host = config->web.host;
    char address[INET6_ADDRSTRLEN];
    snprintf(address, sizeof(address), "%s", config->web.listen);
    if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
        find_address(address);
    bool six = strchr(address, ':') != NULL;
    size_t length = strcspn(host, ", "); /* the first of the names */
    if (length > 0)
        snprintf(out, bytes, "%s://%.*s/#/%s/%s", scheme, (int)length, host, what, secret);
    else
        snprintf(out, bytes, "%s://%s%s%s:%d/#/%s/%s", scheme, six ? "[" : "", address,
                 six ? "]" : "", web_port(hub->web), what, secret);
}
