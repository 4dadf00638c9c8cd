/*
 * The work of a process that tries changes of rules on the last sessions that were recorded, for a
 * page that wants to know what they would mean: `lumbard --try`, begun by the hub (io/child.h).
 */
#ifndef LUMBAR_TRYING_H
#define LUMBAR_TRYING_H

#include <stdio.h>

#include "base/err.h"

#define TRYING_SESSIONS_MAX 50
#define TRYING_BUDGET_MS    15000 /* after so long no further recording is begun */
#define TRYING_LATE_MS      25000 /* after so long the hub gives it up */

/* Reads {"text": ..., "sessions": 10, "rooms": [...] or null}: the changes, and how many sessions
 * of which rooms; says, as JSON, how often each rule raised an alarm with the present changes, and
 * with these. */
int trying_run(const char *config_file, FILE *in, FILE *out, struct diag *diag);

#endif
