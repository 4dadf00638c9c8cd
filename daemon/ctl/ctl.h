/*
 * lumbarctl: commands as tables. A command is a word, its own arguments behind it, and a function
 * that gives the exit code:
 *
 *   0  done, and nothing is wrong
 *   1  it could not be done, or what was looked at is not sound
 *   2  the arguments are wrong
 *   3  no hub answers
 *   4  you may not do this
 *   5  something is other: config diff
 */
#ifndef LUMBAR_CTL_H
#define LUMBAR_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#ifndef LUMBAR_CONFIG_FILE
#define LUMBAR_CONFIG_FILE "/etc/lumbar/lumbard.yaml"
#endif

enum { CTL_FAILED = 1, CTL_ARGUMENTS, CTL_NO_HUB, CTL_NOT_ALLOWED, CTL_OTHER };

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

/* Help that was asked for, or that is needed; returns the exit code. */
int ctl_usage(const char *help, bool asked);

/* A line of JSON on standard output; takes the reference. */
void ctl_print_line(json_t *line);

int ctl_recording(int count, char **arguments);
int ctl_rules(int count, char **arguments);
int ctl_status(int count, char **arguments);
int ctl_fingerprint(int count, char **arguments);
int ctl_devices(int count, char **arguments);
int ctl_place(int count, char **arguments);
int ctl_identify(int count, char **arguments);
int ctl_device(int count, char **arguments);
int ctl_rooms(int count, char **arguments);
int ctl_history(int count, char **arguments);
int ctl_alarms(int count, char **arguments);
int ctl_session(int count, char **arguments);
int ctl_client(int count, char **arguments);
int ctl_backup(int count, char **arguments);
int ctl_calibration(int count, char **arguments);
int ctl_config(int count, char **arguments);
int ctl_plugins(int count, char **arguments);
int ctl_watch(int count, char **arguments);
int ctl_top(int count, char **arguments);
int ctl_diagnose(int count, char **arguments);
int ctl_setup(int count, char **arguments);
int ctl_users(int count, char **arguments);
int ctl_tokens(int count, char **arguments);
int ctl_audit(int count, char **arguments);

#endif
