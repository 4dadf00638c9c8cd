/*
 * lumbarctl client: all that is kept of one client, given out and erased.
 */
#ifndef LUMBAR_CTL_CLIENT_H
#define LUMBAR_CTL_CLIENT_H

#include <stdint.h>

#include "ask.h"

/* Into a folder that is made for it; NULL: the document alone, printed. Exit codes of ctl.h. */
int client_export(const struct ask *ask, const char *name, const char *folder);
/* The recordings of one of the client's sessions, cut at its ends, into the folder; what came of
 * each is put into the document. The exit code. */
int client_give_tapes(const struct ask *ask, const char *folder, const json_t *document,
                      uint64_t session);
/* A new file in the folder; the exit code. */
int client_save(const char *folder, const char *name, const char *text, size_t bytes);
int client_erase(const struct ask *ask, const char *name);

#endif
