/*
 * lumbarctl session: what its commands share.
 */
#ifndef LUMBAR_CTL_SESSION_H
#define LUMBAR_CTL_SESSION_H

#include <stdbool.h>
#include <stdio.h>

#include "core/devices.h"

struct ask;

/* Says something of a session that is over; the exit code. `who` NULL: nobody in particular. */
int session_amend(const struct ask *ask, const char *id, const char *what, const char *value,
                  const char *who);

/* A new file (NULL: standard output); NULL where there is one already, and that was said. */
FILE *session_out(const char *file);
/* With `json` the file is named on standard output; the exit code. */
int session_close_out(FILE *out, const char *file, bool json);

/* Every value of the session's recordings, decoded; the exit code. What cannot be cut at the ends of
 * the session is refused, or, if it is wanted `uncut`, told with a line on standard error. */
int session_samples(const struct ask *ask, const char *id, const char *out, bool uncut);

/* A line of the table that it tells, of one sample in the metric's unit; and the table's head. */
#define SESSION_SAMPLES_HEAD "at,device,metric,unit,value\r\n"
void session_print_sample(FILE *out, const struct device *device,
                          const struct lumbar_metric *metric, int64_t time_ms, double value);

#endif
