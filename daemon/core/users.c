#include "core/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)

struct users {
    struct user *list[USERS_MAX]; /* by number */
    uint32_t count;
    struct pass *passes[USERS_PASSES_MAX]; /* by number */
    uint32_t pass_count;
    uint64_t newest_pass;
    uint64_t users_refused, passes_refused;
};

/* Who lays hands on people is at a tablet all day; who rules accounts is there for minutes. */
static const struct {
    int64_t idle_ms, most_ms;
} limits[ROLES_ + 1] = {
    [ROLE_ADMIN] = {15 * MINUTE_MS, 8 * HOUR_MS},   [ROLE_LEAD] = {2 * HOUR_MS, 12 * HOUR_MS},
    [ROLE_THERAPIST] = {2 * HOUR_MS, 12 * HOUR_MS}, [ROLE_DISPLAY] = {0, 365 * 24 * HOUR_MS},
    [ROLE_AUDITOR] = {30 * MINUTE_MS, 8 * HOUR_MS}, [ROLE_NONE] = {MINUTE_MS, MINUTE_MS},
};

int64_t pass_idle_ms(enum access_role role)
{
    return limits[role].idle_ms;
}

int64_t pass_most_ms(enum access_role role)
{
    return limits[role].most_ms;
}

struct users *users_create(void)
{
    return calloc(1, sizeof(struct users));
}

void users_destroy(struct users *users)
{
    if (users == NULL)
        return;
    for (uint32_t i = 0; i < users->count; i++)
        free(users->list[i]);
    for (uint32_t i = 0; i < users->pass_count; i++)
        free(users->passes[i]);
    free(users);
}

/* ---- people ---- */

struct user *users_at(const struct users *users, uint32_t index)
{
    return index < users->count ? users->list[index] : NULL;
}

struct user *users_find(const struct users *users, const char *name)
{
    for (uint32_t i = 0; i < users->count; i++)
        if (strcmp(users->list[i]->name, name) == 0)
            return users->list[i];
    return NULL;
}

struct user *users_by_id(const struct users *users, uint64_t id)
{
    for (uint32_t i = 0; id != 0 && i < users->count; i++)
        if (users->list[i]->id == id)
            return users->list[i];
    return NULL;
}

struct user *users_add(struct users *users, const struct user *user, struct diag *diag)
{
    struct user *mine = NULL;
    if (users_find(users, user->name) != NULL)
        diag_set(diag, ERR_CONFLICT, "there is an account '%s' already", user->name);
    else if (users->count == USERS_MAX && ++users->users_refused > 0)
        diag_set(diag, ERR_FULL, "there are %d accounts, and no room for more", USERS_MAX);
    else if ((mine = malloc(sizeof(*mine))) == NULL)
        diag_set(diag, ERR_MEMORY, "no memory for an account");
    if (mine == NULL)
        return NULL;
    *mine = *user;
    if (mine->id == 0)
        mine->id = users->count > 0 ? users->list[users->count - 1]->id + 1 : 1;
    users->list[users->count++] = mine;
    return mine;
}

void users_stats(const struct users *users, struct users_stats *stats)
{
    *stats = (struct users_stats){users->count, users->pass_count, users->users_refused,
                                  users->passes_refused};
}

/* ---- passes ---- */

struct pass *passes_at(const struct users *users, uint32_t index)
{
    return index < users->pass_count ? users->passes[index] : NULL;
}

/* What is compared is a digest: how long it takes tells nothing of a secret. */
struct pass *passes_find(const struct users *users, const char *hash)
{
    for (uint32_t i = 0; i < users->pass_count; i++)
        if (strcmp(users->passes[i]->hash, hash) == 0)
            return users->passes[i];
    return NULL;
}

/* Its place, or where it would stand. */
static uint32_t place_of(const struct users *users, uint64_t id)
{
    uint32_t low = 0, high = users->pass_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (users->passes[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct pass *passes_by_id(const struct users *users, uint64_t id)
{
    uint32_t at = place_of(users, id);
    return at < users->pass_count && users->passes[at]->id == id ? users->passes[at] : NULL;
}

struct pass *passes_add(struct users *users, const struct pass *pass, struct diag *diag)
{
    struct pass *mine = NULL;
    if (users->pass_count == USERS_PASSES_MAX && ++users->passes_refused > 0)
        diag_set(diag, ERR_FULL,
                 "there are %d logins, tokens and invitations, and no room for more",
                 USERS_PASSES_MAX);
    else if ((mine = malloc(sizeof(*mine))) == NULL)
        diag_set(diag, ERR_MEMORY, "no memory for a login");
    if (mine == NULL)
        return NULL;
    *mine = *pass;
    if (mine->id == 0)
        mine->id = users->newest_pass + 1;
    passes_go_on(users, mine->id);
    users->passes[users->pass_count++] = mine;
    return mine;
}

void passes_go_on(struct users *users, uint64_t newest_id)
{
    if (newest_id > users->newest_pass)
        users->newest_pass = newest_id;
}

void passes_remove(struct users *users, uint64_t id)
{
    uint32_t at = place_of(users, id);
    if (at == users->pass_count || users->passes[at]->id != id)
        return;
    free(users->passes[at]);
    users->pass_count--;
    memmove(&users->passes[at], &users->passes[at + 1],
            (users->pass_count - at) * sizeof(*users->passes));
}

/* Whom or what a pass speaks for. */
static enum access_role role_of(const struct users *users, const struct pass *pass)
{
    const struct pass *token = pass->kind == PASS_TOKEN ? pass : passes_by_id(users, pass->token);
    const struct user *user = users_by_id(users, pass->user);
    return user != NULL ? user->role : token != NULL ? token->role : ROLE_NONE;
}

bool pass_holds(const struct users *users, const struct pass *pass, int64_t now_ms)
{
    const struct user *user = users_by_id(users, pass->user);
    if (now_ms >= pass->until_ms || (pass->user != 0 && (user == NULL || user->disabled)))
        return false;
    if (pass->kind == PASS_INVITE || pass->kind == PASS_TOKEN)
        return true;
    if (pass->token != 0) {
        const struct pass *token = passes_by_id(users, pass->token);
        return token != NULL && now_ms < token->until_ms;
    }
    int64_t idle_ms = pass_idle_ms(role_of(users, pass));
    return idle_ms == 0 || now_ms - pass->used_ms < idle_ms;
}

/* The next name of the list; its length, 0 at the end. */
static size_t next_name(const char **list, const char **name)
{
    *name = *list + strspn(*list, " ");
    size_t length = strcspn(*name, " ");
    *list = *name + length;
    return length;
}

static uint32_t room_named(const struct config *config, const char *name, size_t length)
{
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strncmp(config->rooms[i].name, name, length) == 0 &&
            config->rooms[i].name[length] == '\0')
            return i + 1;
    return 0;
}

static void read_rooms(const char *list, const struct config *config, struct access_rooms *rooms)
{
    const char *name;
    size_t length;
    while ((length = next_name(&list, &name)) > 0)
        access_add_room(rooms, room_named(config, name, length));
}

bool users_rooms_known(const char *rooms, const struct config *config,
                       char which[USER_NAME_BYTES * 2])
{
    const char *name;
    size_t length;
    while ((length = next_name(&rooms, &name)) > 0)
        if (room_named(config, name, length) == 0) {
            snprintf(which, USER_NAME_BYTES * 2, "%.*s", (int)length, name);
            return false;
        }
    return true;
}

bool pass_access(const struct users *users, const struct pass *pass, const struct config *config,
                 int64_t now_ms, struct access *access)
{
    *access = (struct access){.kind = ACCESS_NOBODY, .role = ROLE_NONE};
    if (pass->kind == PASS_INVITE || !pass_holds(users, pass, now_ms))
        return false;
    const struct user *user = users_by_id(users, pass->user);
    const struct pass *token = pass->kind == PASS_TOKEN ? pass : passes_by_id(users, pass->token);
    if (user == NULL && token == NULL)
        return false;
    access->kind = pass->kind == PASS_LOGIN ? ACCESS_LOGIN : ACCESS_TOKEN;
    access->role = user != NULL ? user->role : token->role;
    access->reads = user == NULL && token->reads;
    access->glass = now_ms < pass->glass_ms;
    access->person = user != NULL ? user->id : 0;
    access->login = pass->id;
    snprintf(access->name, sizeof(access->name), "%s", user != NULL ? user->name : token->name);
    read_rooms(user != NULL ? user->rooms : token->rooms, config, &access->rooms);
    return true;
}
