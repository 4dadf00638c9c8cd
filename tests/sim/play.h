/*
 * Plays a clinic: rooms, the devices in them, the faults asked for.
 */
#ifndef LUMBAR_SIM_PLAY_H
#define LUMBAR_SIM_PLAY_H

#include "options.h"

/* Runs to the end; returns the exit code, or a negative error with the reason in diag. */
int play_clinic(const struct options *options, struct diag *diag);

#endif
