/*
 * Instants: a moment as people and other programs write it, RFC 3339 ("2026-10-25T02:30:00.000Z").
 * In memory it is ms since 1970. Written always in UTC; read with an offset too, so that no hour of
 * a change of clocks can be meant by two. Pure.
 */
#ifndef LUMBAR_BASE_INSTANT_H
#define LUMBAR_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#define INSTANT_BYTES 32

/* Writes with milliseconds; "-" for what no year of four digits has. Returns out. */
const char *instant_write(int64_t ms, char out[INSTANT_BYTES]);

/* Reads date, time, a fraction of the second (beyond ms it is dropped), and Z or an offset. False:
 * it is no such thing, or before 1970. */
bool instant_read(const char *text, int64_t *ms);

#endif
