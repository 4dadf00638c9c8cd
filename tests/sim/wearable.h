/*
 * A posture wearable on a person: the body's movement, the sensors, the firmware. Pure.
 */
#ifndef LUMBAR_SIM_WEARABLE_H
#define LUMBAR_SIM_WEARABLE_H

#include "clinic.h"
#include "firmware.h"

struct joint {
    double angle, velocity; /* deg, deg/s */
};

struct wearable {
    struct prng prng;
    struct joint flexion, trunk, lateral, rotation;
    double drift; /* deg: a slow error of the sensor, within 1 */
    struct posture_firmware firmware;
    struct posture_angles measured; /* NaN where silent */
    double range;                   /* deg: the largest flexion seen in this session */
    double battery, rssi;           /* %, dBm */
    bool contact;
};

void wearable_init(struct wearable *wearable, uint64_t seed, unsigned room);

/* One row, dt_s after the one before. `off` takes it off the body (a fault). */
void wearable_step(struct wearable *wearable, const struct room *room, bool off, double dt_s);

#endif
