/*
 * The audit trail as it is kept, a page at a time, for who reads or verifies it.
 *
 * Read in uv's pool on a read-only connection of its own; what waits in the open batch is not yet
 * seen. Loop thread, but for what says otherwise.
 */
#ifndef LUMBAR_IO_STORE_AUDIT_H
#define LUMBAR_IO_STORE_AUDIT_H

#include <uv.h>

#include "io/store_rows.h"

struct store_trail {
    int code; /* 0, or why there is nothing: then words say it */
    char words[160];
};

/* Each line with a number above `after`, `limit` at most, as rows (store_rows.c) in the pool's
 * thread; then `on_end` from the loop, not before this returns. 0, or ERR_MEMORY. */
typedef void store_trail_cb(void *user, const struct store_trail *trail);
int store_audit(struct store *store, uv_loop_t *loop, uint64_t after, unsigned limit,
                store_row_cb *on_line, store_trail_cb *on_end, void *user);

#endif
