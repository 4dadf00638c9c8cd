/*
 * Passwords: sealed and tried by argon2id (libsodium), in uv's pool, so that the loop goes on.
 *
 * A try costs PASSWORD_MEMORY and some tenths of a second on a Raspberry Pi; that is the point. So
 * at most PASSWORD_AT_ONCE run, PASSWORD_WAITING wait, and what is more is refused: memory and
 * processor have a bound, whoever knocks. A password is copied into the job and wiped behind it.
 * Loop thread; callbacks come from the loop, not before the call returns, in the order of the
 * calls where two take equally long.
 */
#ifndef LUMBAR_IO_PASSWORD_H
#define LUMBAR_IO_PASSWORD_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

#define PASSWORD_PASSES       3
#define PASSWORD_MEMORY       ((size_t)32 * 1024 * 1024)
#define PASSWORD_AT_ONCE      2
#define PASSWORD_WAITING      8
#define PASSWORD_MIN_BYTES    10
#define PASSWORD_MAX_BYTES    128
#define PASSWORD_SEALED_BYTES 129 /* with all that is needed to try it, terminated */

struct passwords;

struct passwords *passwords_create(uv_loop_t *loop); /* after secret_begin(); NULL: no memory */

/* right: it was the password that was sealed. `sealed` is what it was sealed to. */
typedef void password_cb(void *user, bool right, const char *sealed);

/* Is it this one? `sealed` "" (nobody, or none was set): it never is, and takes as long.
 * ERR_FULL: too many wait. */
int password_try(struct passwords *passwords, const char *password, const char *sealed,
                 password_cb *done, void *user);
int password_seal(struct passwords *passwords, const char *password, password_cb *done, void *user);

struct password_stats {
    unsigned held; /* waiting and being tried */
    uint64_t refused;
};
void passwords_stats(const struct passwords *passwords, struct password_stats *stats);

/* What waits is not tried any more, and told so at once; what runs comes to its end in the loop. */
void passwords_stop(struct passwords *passwords);
void passwords_destroy(struct passwords *passwords); /* the loop is empty */

#endif
