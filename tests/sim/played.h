/*
 * What a device's firmware would make of the rows of a recording. Pure.
 *
 * sitting-imu as a posture wearable: trunk inclination is the tilt of L5 forward, atan2(acc z,
 * acc x), lumbar flexion the tilt of T12 less that of L5, lateral flexion the same sideways, all
 * relative to the mean of a neutral recording. There is no rotation: it cannot be had from gravity.
 * A sensor that is silent makes its angles silent and the posture unknown.
 *
 * lower-back as a posture wearable: one sensor, so trunk inclination only, from gyroscope and
 * gravity (complementary filter), because a walking body shakes the accelerometer. The axes are
 * taken to be right-handed with z to the front, as the gyroscope's agreement with the tilt shows
 * the hand and lordosis the front.
 *
 * pump as a massage device: current, pressure (bar to kPa; negative ones stay negative), motor
 * temperature, fluid temperature as that of the surface, vibration as the mean of both sensors (g
 * to m/s2). No stroke can be worked out from it, for the rig's speed was not recorded.
 *
 * heater as a massage device: temperature 1 as the skin's, 2 as the surface's, program heat while
 * heater 1 is on. Heater 2's setting is not used.
 */
#ifndef LUMBAR_SIM_PLAYED_H
#define LUMBAR_SIM_PLAYED_H

#include "firmware.h"
#include "recording.h"

#define PLAYED_PAST 5 /* rows over which an angle's change is its velocity */

/* The pose that angles are relative to, in deg; all zero: the vertical. */
struct neutral {
    double l5_forward, l5_sideways, t12_forward, t12_sideways;
};

/* The mean over a recording of the same format. */
int neutral_read(struct neutral *out, const char *file, const char *text, size_t bytes,
                 enum recording_format format, struct diag *diag);

struct played {
    enum recording_format format;
    struct neutral neutral;
    double last_s; /* time of the row before; NaN: none */
    bool begun;

    struct posture_firmware firmware;
    struct posture_angles angles;
    double past_flexion[PLAYED_PAST], past_s[PLAYED_PAST];
    unsigned past;
    double filtered_deg;

    struct massage_values massage;
    unsigned state, program;
};

/* The wire's columns of a device that plays this format. */
uint32_t played_columns(enum recording_format format);

void played_init(struct played *played, enum recording_format format,
                 const struct neutral *neutral);
void played_row(struct played *played, const struct recording_row *row);

/* What goes with the row on the wire. */
struct batch_now played_now(const struct played *played);

#endif
