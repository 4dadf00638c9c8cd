/*
 * lumbarctl session: what its commands share.
 */
#ifndef LUMBAR_CTL_SESSION_H
#define LUMBAR_CTL_SESSION_H

#include <stdio.h>

struct ask;

/* Says something of a session that is over; the exit code. `who` NULL: nobody in particular. */
int session_amend(const struct ask *ask, const char *id, const char *what, const char *value,
                  const char *who);

/* A new file (NULL: standard output); NULL where there is one already, and that was said. */
FILE *session_out(const char *file);
int session_close_out(FILE *out, const char *file); /* the exit code */

/* Every value of the session's recordings, decoded; the exit code. */
int session_samples(const char *config, const char *id, const char *out);

#endif
