/*
 * Plays recordings over MQTT as a device, see played.h.
 *
 * At --speed N rows come N times as fast and are stamped so: the device's clock is the true one, as
 * the hub's skew logic wants it, and the recording's seconds shrink. A rule's delays have to be
 * divided by N to mean the same; counters of the firmware (slouch duration) count recorded seconds.
 */
#ifndef LUMBAR_SIM_REPLAY_H
#define LUMBAR_SIM_REPLAY_H

#include "options.h"

/* Runs to the end; returns the exit code, or a negative error with the reason in diag. */
int replay_recordings(const struct options *options, struct diag *diag);

#endif
