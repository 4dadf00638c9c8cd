/*
 * lumbarctl: commands as tables. A command is a word, its own arguments behind it, and a function
 * that gives the exit code:
 *
 *   0  done, and nothing is wrong
 *   1  it could not be done, or what was looked at is not sound
 *   2  the arguments are wrong
 */
#ifndef LUMBAR_CTL_H
#define LUMBAR_CTL_H

#include <stddef.h>

#include "base/err.h"

#ifndef LUMBAR_CONFIG_FILE
#define LUMBAR_CONFIG_FILE "/etc/lumbar/lumbard.yaml"
#endif

struct ctl_command {
    const char *name;
    const char *arguments; /* as help shows them */
    const char *summary;
    int (*run)(int count, char **arguments); /* arguments[0] is the name; getopt-ready */
};

/* Runs the command that arguments[1] names; `program` is what stands before it in help. */
int ctl_run(const char *program, const struct ctl_command *table, size_t commands, int count,
            char **arguments);

/* Says a complaint on standard error; returns 1. */
int ctl_complain(const struct diag *diag);

int ctl_recording(int count, char **arguments);

#endif
