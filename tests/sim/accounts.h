/*
 * Passwords of devices at the broker, as `lumbarctl device add --accounts FILE` writes them: a line
 * a device, "KIND/NAME PASSWORD"; the last of a device holds. Whole in memory, for the life of the
 * process.
 */
#ifndef LUMBAR_SIM_ACCOUNTS_H
#define LUMBAR_SIM_ACCOUNTS_H

#include "base/err.h"

struct accounts;

/* Refuses a file that everybody on the machine may read. */
int accounts_read(struct accounts **out, const char *file, struct diag *diag);
void accounts_destroy(struct accounts *accounts); /* NULL is fine */

/* Of "posture/p-01"; NULL: it has none. Owned by the accounts. */
const char *accounts_password(const struct accounts *accounts, const char *device);

#endif
