/*
 * The trial of a message that may have killed the hub: it is used in a child process with limits of
 * time and memory, which sees the ring but cannot change it. Private to spool.c; before any thread
 * runs. Takes up to 3 s.
 */
#ifndef LUMBAR_IO_SPOOL_TRIAL_H
#define LUMBAR_IO_SPOOL_TRIAL_H

#include "io/spool.h"

/* Did the child come to its end? True as well where none could be made. */
bool spool_survives_trial(struct ring *ring, const struct ring_record *record, spool_use_cb *use,
                          void *user, bool again);

#endif
