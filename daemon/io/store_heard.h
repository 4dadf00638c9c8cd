/*
 * What devices said already, as core/account_kept.h has it: into its table, and back after a
 * restart.
 *
 * What was kept is read at start, and given to each device when it becomes known, which may be
 * long after. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_HEARD_H
#define LUMBAR_IO_STORE_HEARD_H

#include "core/devices.h"
#include "io/store.h"

/* What is accounted of a device: before the batch is sealed that has what was made of its messages.
 * False: no room in the batch. */
bool store_numbering(struct store *store, const struct device *device);

struct heard_list; /* of all devices that were ever heard */

/* At start, before store_start(). NULL in *out where it fails. */
int store_load_heard(struct store *store, struct heard_list **out, struct diag *diag);
void heard_list_destroy(struct heard_list *list);

/* The device learns what was kept of it, if anything was; once, the second time it is nothing. */
void heard_list_give(struct heard_list *list, struct device *device);

#endif
