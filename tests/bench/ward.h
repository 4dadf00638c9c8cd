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

#include "applicator.h"
#include "clinic.h"
#include "device.h"
#include "wearable.h"

#define WARD_RATE 50 /* rows a second */

struct ward {
    unsigned number;
    struct room room;
    struct wearable wearable;
    struct applicator applicator;
    struct device posture, massage;
    int64_t now_ms;
    uint64_t samples, states;
};

/* `send` is called with `user` for each message. */
void ward_open(struct ward *ward, uint64_t seed, unsigned number, device_send_cb *send, void *user);
void ward_close(struct ward *ward);

/* The row of this number, at its time. */
void ward_row(struct ward *ward, int64_t row, int64_t at_ms);

#endif
