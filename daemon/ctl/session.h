/*
 * lumbarctl session: what its commands share.
 */
#ifndef LUMBAR_CTL_SESSION_H
#define LUMBAR_CTL_SESSION_H

#include <stdio.h>

/* A new file (NULL: standard output); NULL where there is one already, and that was said. */
FILE *session_out(const char *file);
int session_close_out(FILE *out, const char *file); /* the exit code */

/* Every value of the session's recordings, decoded; the exit code. */
int session_samples(const char *config, const char *id, const char *out);

#endif
