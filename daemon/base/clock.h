/*
 * The clock. Read in io/ and in lumbard.c only: everything below is told the time.
 *
 * Hub time is what all of the core counts in: ms since 1970, but steady. It is the monotonic clock
 * plus the difference to the wall clock that was found at start, so it never jumps.
 */
#ifndef LUMBAR_BASE_CLOCK_H
#define LUMBAR_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME, ms since 1970 */

/* The difference to be added to clock_mono_ns() / 1000000 to have hub time. Ask once, at start. */
int64_t clock_hub_offset_ms(void);

#endif
