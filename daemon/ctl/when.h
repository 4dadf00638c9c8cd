/*
 * Times as they are typed: "now", "-2h" (before now), "19:07", "2026-11-25", "2026-11-25 19:07:30"
 * on this machine's clock, and what instant.h reads.
 */
#ifndef LUMBAR_CTL_WHEN_H
#define LUMBAR_CTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* False: said on standard error. A time that a change of clocks skipped, or brought twice, is
 * refused: it is to be given with its zone. */
bool when_read(const char *text, int64_t now_ms, int64_t *ms);

/* "2026-10-25 02:30:00 +0200": this machine's clock, and which of two it is. Returns out. */
#define WHEN_BYTES 32
const char *when_write(int64_t ms, char out[WHEN_BYTES]);

#endif
