/*
 * lumbarctl client: all that is kept of one client, given out and erased.
 */
#ifndef LUMBAR_CTL_CLIENT_H
#define LUMBAR_CTL_CLIENT_H

#include "ask.h"

/* Into a folder that is made for it; NULL: the document alone, printed. Exit codes of ctl.h. */
int client_export(const struct ask *ask, const char *name, const char *folder);
int client_erase(const struct ask *ask, const char *name);

#endif
