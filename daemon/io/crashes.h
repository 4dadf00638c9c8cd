/*
 * How often each version of a plugin killed the hub, so that one that goes on doing so is left out.
 *
 * A small file in the state folder, a line each: kind, version, count. It is replaced with each
 * crash, whole. Where there is no state folder ("") nothing is remembered. Before the loop, or by
 * it.
 */
#ifndef LUMBAR_IO_CRASHES_H
#define LUMBAR_IO_CRASHES_H

#include <stdbool.h>

#define CRASHES_MOST 2 /* then the plugin is left out, until another version or crashes_forget()   \
                        */

unsigned crashes_count(const char *folder, const char *kind, const char *version);

/* One more; returns the count. */
unsigned crashes_add(const char *folder, const char *kind, const char *version);

/* Whatever the version. False where it cannot be written. */
bool crashes_forget(const char *folder, const char *kind);

#endif
