/*
 * An archive of files from memory (ustar), for what is handed on: lumbarctl diagnose.
 */
#ifndef LUMBAR_CTL_TAR_H
#define LUMBAR_CTL_TAR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One file, of up to 8 GiB, with a name of up to 99 bytes; false: it could not be written. */
bool tar_add(FILE *out, const char *name, const void *bytes, size_t count, int64_t seconds);
bool tar_end(FILE *out);

#endif
