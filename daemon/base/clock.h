/*
 * The clock. Read in io/ and above only: everything below is told the time.
 *
 * Hub time is what all of the core counts in: ms since 1970, but steady. It is the monotonic clock
 * plus the difference to the wall clock that was found at start, so it never jumps.
 */
#ifndef LUMBAR_BASE_CLOCK_H
#define LUMBAR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_ms(void); /* CLOCK_REALTIME, ms since 1970 */

/* No program of ours ran before 2026: a wall clock that says so was not set since the machine was
 * switched on. */
#define CLOCK_PLAUSIBLE_MS INT64_C(1767225600000)

/* Has a time service set the wall clock since the machine was switched on? False too where nobody
 * says so. */
bool clock_is_synchronised(void);

/* This boot of the machine, in hex; "" where it cannot be told. A service that does not see
 * /proc/sys (ProcSubset=pid) is told it by its unit: LUMBAR_BOOT=%b. */
#define CLOCK_BOOT_BYTES 40
void clock_boot(char boot[CLOCK_BOOT_BYTES]);

/* The difference to be added to clock_mono_ns() / 1000000 to have hub time. Ask once, at start. */
int64_t clock_hub_offset_ms(void);

#endif
