/*
 * Accounts of people, and passes: what somebody shows to be let in.
 *
 * A pass is a secret of 256 bits of which only the digest is kept: a login (in a cookie), a token
 * (of a display or a program) or an invitation (to set a password, once). It holds until a time,
 * and a login also ends when nobody used it for as long as its role allows. Accounts are never
 * removed, only disabled: what they did stays theirs.
 * Memory: a block each, up to a bound; what is beyond is refused. Pure: time is given.
 */
#ifndef LUMBAR_CORE_USERS_H
#define LUMBAR_CORE_USERS_H

#include "base/err.h"
#include "core/access.h"

#define USERS_MAX         500
#define USERS_PASSES_MAX  2000
#define USER_NAME_BYTES   33   /* a label in lower case */
#define USER_ROOMS_BYTES  2048 /* names, a space between; "" all */
#define USER_SEALED_BYTES 129
#define USER_TOTP_BYTES   65
#define USER_PLACES       4 /* addresses that are known */
#define PASS_HASH_BYTES   65
#define PASS_WHY_BYTES    201

struct user {
    uint64_t id; /* from 1 */
    char name[USER_NAME_BYTES];
    enum access_role role;
    char rooms[USER_ROOMS_BYTES];
    bool disabled;
    char sealed[USER_SEALED_BYTES]; /* the password's; "": none was set */
    char totp[USER_TOTP_BYTES];     /* secret of one-time codes, base32; "": none are asked for */
    int64_t totp_step;              /* the last that was used, never again */
    char totp_wanted[USER_TOTP_BYTES]; /* made, and no code of it was shown yet; not stored */
    int64_t created_ms, seen_ms;    /* seen: last login; 0: never */
    unsigned char places[USER_PLACES][16]; /* last entered from; not stored */
};

enum pass_kind { PASS_LOGIN, PASS_TOKEN, PASS_INVITE, PASS_KINDS_ };

struct pass {
    uint64_t id; /* from 1 */
    enum pass_kind kind;
    uint64_t user;  /* whose; 0: a token's, and of a login that it was shown for */
    uint64_t token; /* of a login that a token was shown for; 0 */
    char hash[PASS_HASH_BYTES];
    int64_t made_ms, used_ms, until_ms;
    int64_t noted_ms; /* `used_ms` as it was last stored */
    /* of a token */
    char name[USER_NAME_BYTES];
    enum access_role role;
    char rooms[USER_ROOMS_BYTES];
    bool reads;
    /* of a login: glass that was broken, until when and why; 0, "" */
    int64_t glass_ms;
    char why[PASS_WHY_BYTES];
};

struct users;

struct users *users_create(void); /* NULL: no memory */
void users_destroy(struct users *users);

/* In the order of their numbers; NULL beyond the last. What is given holds until it is removed. */
struct user *users_at(const struct users *users, uint32_t index);
struct user *users_find(const struct users *users, const char *name);
struct user *users_by_id(const struct users *users, uint64_t id);
/* A new one (id 0: the next number). ERR_CONFLICT where the name is taken, ERR_FULL, ERR_MEMORY. */
struct user *users_add(struct users *users, const struct user *user, struct diag *diag);

/* How many there are, and for how many there was no room. */
struct users_stats {
    uint32_t users, passes;
    uint64_t users_refused, passes_refused;
};
void users_stats(const struct users *users, struct users_stats *stats);

struct pass *passes_at(const struct users *users, uint32_t index);
struct pass *passes_find(const struct users *users, const char *hash);
struct pass *passes_by_id(const struct users *users, uint64_t id);
struct pass *passes_add(struct users *users, const struct pass *pass, struct diag *diag);
void passes_remove(struct users *users, uint64_t id);
void passes_go_on(struct users *users, uint64_t newest_id); /* numbers up to this one are taken */

/* Does it still hold, and whoever it is of? */
bool pass_holds(const struct users *users, const struct pass *pass, int64_t now_ms);

/* Who shows it. False: it holds no more. The rooms are those of the configuration by name. */
bool pass_access(const struct users *users, const struct pass *pass, const struct config *config,
                 int64_t now_ms, struct access *access);

/* How long a login of this role lasts: without use (0: no matter), and at most. One by a token
 * lasts as long as that. */
int64_t pass_idle_ms(enum access_role role);
int64_t pass_most_ms(enum access_role role);

/* Every room that is named is one of the configuration's; else the first that is not, in `which`.
 */
bool users_rooms_known(const char *rooms, const struct config *config,
                       char which[USER_NAME_BYTES * 2]);

#endif
