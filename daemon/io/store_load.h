/*
 * The alarm load of a span (core/load.h), from the alarms that are kept.
 *
 * Read in uv's pool on a read-only connection of its own; what waits in the open batch is not yet
 * seen. Loop thread.
 */
#ifndef LUMBAR_IO_STORE_LOAD_H
#define LUMBAR_IO_STORE_LOAD_H

#include <uv.h>

#include "core/load.h"
#include "io/store.h"

/* `report` is NULL where the alarms cannot be read: then `words` say why. Called from the loop, not
 * before store_load_of() returns; the report goes with the call. */
typedef void store_load_cb(void *user, const struct load_report *report, const char *words);

/* Of the alarms that were raised in [from_ms, to_ms); `limit` as load_create(). 0, or ERR_MEMORY. */
int store_load_of(struct store *store, uv_loop_t *loop, int64_t from_ms, int64_t to_ms,
                  uint32_t limit, store_load_cb *on_load, void *user);

#endif
