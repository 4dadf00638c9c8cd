/*
 * Times in the file that were told by a clock that was wrong. Before store_start(), and before
 * anything is loaded.
 */
#ifndef LUMBAR_IO_STORE_TIMES_H
#define LUMBAR_IO_STORE_TIMES_H

#include "io/store.h"

/* The newest time that the file speaks of; 0: it is new. */
int64_t store_newest_ms(struct store *store);

/* Moves everything from `from_ms` on by so much: sessions, alarms, and what was measured (by whole
 * minutes, in which it is kept). What was written of who did what stays, for it is sealed:
 * daemon/audit_clock.c. All of it or nothing, and once: where it was moved from that time on
 * already, *again is true, and *by_ms by how much. A file that cannot be written is left as it is.
 */
int store_move_times(struct store *store, int64_t from_ms, int64_t *by_ms, bool *again,
                     struct diag *diag);

#endif
