/*
 * What lumbar-sim is told on its command line. One table of options makes parser and help.
 */
#ifndef LUMBAR_SIM_OPTIONS_H
#define LUMBAR_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "faults.h"

#define OPTIONS_FAULTS 64
#define OPTIONS_FILES  32
#define ROOMS_MAX      999

struct options {
    bool replay, help, verbose;
    const char *host;
    double port, rooms, seed, rate, batch_ms, speed, seconds; /* seconds 0: for ever */
    struct fault faults[OPTIONS_FAULTS];
    unsigned fault_count;
    const char *files[OPTIONS_FILES]; /* of a replay */
    unsigned file_count;
    const char *as, *neutral, *accounts; /* NULL: not given */
};

/* Strings point into argv. */
int options_parse(struct options *out, int argc, char **argv, struct diag *diag);
void options_help(FILE *out);

#endif
