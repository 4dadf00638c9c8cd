/*
 * The hub: owns everything, starts it in order, stops it in reverse, and introduces the modules of
 * io/ to each other. One loop, in the thread that calls lumbard_run().
 */
#ifndef LUMBAR_LUMBARD_H
#define LUMBAR_LUMBARD_H

#include "base/err.h"

struct lumbard_options {
    const char *config_file;
    const char *state;    /* folder, for configurations to fall back on; NULL: none */
    const char *web_root; /* NULL: the page of the program */
};

/* Runs until SIGTERM or SIGINT; SIGHUP reloads. Returns 0, or the error that kept it from
 * starting. Paho's threads still run afterwards: the caller leaves by _exit (mqtt.h). */
int lumbard_run(const struct lumbard_options *options, struct diag *diag);

#endif
