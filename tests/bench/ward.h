/*
 * A room of lumbar-sim without a clock and without a network: its messages as fast as they can be
 * made.
 *
 * A posture wearable (5 metrics at 50 Hz, and its posture) and a massage device (8 at 10 Hz), a
 * message each 200 ms, which the hub confirms each 2 s. The same number and seed give the same
 * samples.
 */
#ifndef LUMBAR_BENCH_WARD_H
#define LUMBAR_BENCH_WARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARD_RATE 50 /* rows a second */

struct ward;

/* Gives a message to whoever is meant; false: it takes none now. */
typedef bool ward_send_cb(void *user, const char *topic, const uint8_t *bytes, size_t length);

/* `send` is called with `user` for each message. Room `number` has posture/p-01 and massage/m-01
 * for 1. Ends the process without memory. */
struct ward *ward_create(uint64_t seed, unsigned number, ward_send_cb *send, void *user);
void ward_destroy(struct ward *ward);

/* The row of this number, at its time. */
void ward_row(struct ward *ward, int64_t row, int64_t at_ms);

uint64_t ward_samples(const struct ward *ward); /* measured so far; no states */
uint64_t ward_states(const struct ward *ward);

#endif
