/*
 * lumbarctl session: what its commands share.
 */
#ifndef LUMBAR_CTL_SESSION_H
#define LUMBAR_CTL_SESSION_H

#include <stdbool.h>
#include <stdio.h>

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

#endif
