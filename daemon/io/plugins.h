/*
 * Plugins: opens the shared objects of a folder and hands them to core/driver.
 *
 * Each is refused in one sentence: wrong ABI, short struct, bad or doubled names, doubled kind or
 * topic, recursive message types, a failed self-test on its own golden messages. The self-test runs
 * in a forked child with limits on time and memory first, so a plugin that crashes harms nothing.
 * Call before any thread is started. Opened plugins stay open for the life of the process.
 */
#ifndef LUMBAR_IO_PLUGINS_H
#define LUMBAR_IO_PLUGINS_H

#include "base/err.h"
#include "core/driver.h"

typedef void plugins_refused_cb(void *user, const char *sentence);

/* Loads every *.so of the folder, in the order of their names, adding those that pass to drivers.
 * Returns 0 even if some were refused; an error where the folder cannot be read or none passed. */
int plugins_load(const char *folder, struct drivers *drivers, plugins_refused_cb *on_refused,
                 void *user, struct diag *diag);

#endif
