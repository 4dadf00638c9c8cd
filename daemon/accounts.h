/*
 * Accounts in the running hub: who asks, what lets them in and for how long. The accounts and
 * passes themselves are core/users.h; here is what they mean to store, web and clock. Loop thread.
 */
#ifndef LUMBAR_ACCOUNTS_H
#define LUMBAR_ACCOUNTS_H

#include "api/api.h"
#include "core/users.h"
#include "hub.h"
#include "io/secret.h"

/* For web_options: who is behind a request; and whether one who came in still may, with what they
 * may now. */
void hub_see_who(void *hub, const struct web_claim *claim, struct access *access);
bool hub_still_may(void *hub, struct access *access);

bool hub_has_admin(const struct lumbard *hub); /* one who can log in */

/* As they are now. */
void hub_store_user(struct lumbard *hub, const struct user *user);
void hub_store_pass(struct lumbard *hub, struct pass *pass);
void hub_remove_pass(struct lumbard *hub, uint64_t id);

/* Makes one, and its secret, which is nowhere else. NULL with a complaint. */
struct pass *hub_add_pass(struct lumbard *hub, struct pass *wanted, char secret[SECRET_TEXT_BYTES],
                          struct diag *diag);

/* Of an account's logins beyond HUB_LOGINS_MAX the oldest ends. How many the account has that has
 * the most. */
#define HUB_LOGINS_MAX 20
unsigned hub_most_logins(const struct lumbard *hub);

/* All logins of an account, or by a token: their sockets close at once. And all that lets into an
 * account, invitations among it. */
void hub_end_logins(struct lumbard *hub, uint64_t user, uint64_t token, const char *why);
void hub_end_passes(struct lumbard *hub, uint64_t user, const char *why);

/* What the body of a request says of an account or token; false: answered. Rooms that are not said
 * stay as they are. */
bool api_read_role(struct api_reader *reader, const char *fallback, enum access_role *role,
                   struct api_answer *answer);
bool api_read_rooms(const struct lumbard *hub, const struct api_call *call,
                    char rooms[USER_ROOMS_BYTES], struct api_answer *answer);
json_t *api_rooms_list(const char *rooms);

#define HUB_LINK_BYTES 400
/* Where the page takes this secret: "enrol" an invitation, "token" a token. */
void hub_write_link(const struct lumbard *hub, const char *what, const char *secret, char *out,
                    size_t bytes);

json_t *api_access(const struct lumbard *hub, const struct access *who); /* as GET /me */

#endif
