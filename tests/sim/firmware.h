/*
 * What a posture wearable works out by itself from its angles: which posture it is, for how long
 * the slouch has lasted, for how long its wearer has been sitting.
 *
 * Simple thresholds, as such firmware has them. Used by the simulated wearable and by recordings
 * that are played as one. Pure.
 */
#ifndef LUMBAR_SIM_FIRMWARE_H
#define LUMBAR_SIM_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

/* In deg and deg/s; NaN where a sensor is silent. */
struct posture_angles {
    double flexion, velocity, trunk, lateral, rotation;
};

/* Beyond which angle it is another posture. They depend on the pose that is called neutral. */
struct posture_limits {
    double slouch_flexion, slouch_trunk; /* deg: slouched when both are passed */
    double forward, backward;            /* deg of trunk */
    double sideways;                     /* deg */
    double moving;                       /* deg/s */
    double sitting_flexion;              /* deg: the pelvis rolls back on a seat; 0: cannot tell */
};

extern const struct posture_limits posture_limits_standing; /* neutral: standing */
extern const struct posture_limits posture_limits_sitting;  /* neutral: sitting upright */

struct posture_firmware {
    const struct posture_limits *limits;
    unsigned posture;  /* of proto/posture.proto */
    double slouch_s;   /* in the present slouch */
    double sitting_s;  /* in the present sitting bout */
    double straight_s; /* not slouched, less what was again since: a slouch ends at 5 s */
    double standing_s; /* the same: a bout ends at 20 s */
};

void firmware_init(struct posture_firmware *firmware, const struct posture_limits *limits);

/* Judges one row, dt_s after the one before. Without a trunk angle the posture is unknown, off the
 * body it is off_body: never one of the others. */
void firmware_judge(struct posture_firmware *firmware, const struct posture_angles *angles,
                    bool contact, double dt_s);

#endif
