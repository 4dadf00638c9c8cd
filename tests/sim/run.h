/*
 * The loop of a run: moves a show forward, pumps the fleet, ends on SIGINT, SIGTERM or in time.
 */
#ifndef LUMBAR_SIM_RUN_H
#define LUMBAR_SIM_RUN_H

#include "fleet.h"

struct show {
    /* Adds all rows up to now_ms to the devices; false when there are no more. */
    bool (*advance)(void *user, int64_t now_ms);
    void *user;
};

/* Blocks the signals that end a run: before any thread starts. */
void run_block_signals(void);

/* The true time in ms since 1970: steady, whatever becomes of the machine's clock. */
int64_t run_now_ms(void);

/* seconds 0: until a signal or the end of the show. Returns the exit code. */
int run_fleet(struct fleet *fleet, const struct show *show, double seconds, bool verbose);

#endif
