#include "firmware.h"

#include <math.h>

#include "posture.pb-c.h"

#define POSTURE(name) LUMBAR__POSTURE__V1__POSTURE__POSTURE_##name

#define LYING_TRUNK    65.0 /* deg: nobody stands like that for long */
#define SLOUCH_OVER_S  5.0
#define SITTING_OVER_S 20.0

const struct posture_limits posture_limits_standing = {
    .slouch_flexion = 30,
    .slouch_trunk = 5,
    .forward = 20,
    .backward = -12,
    .sideways = 15,
    .moving = 20,
    .sitting_flexion = 12,
};

/* From sitting upright there is less way to go, and whether somebody sits cannot be told. */
const struct posture_limits posture_limits_sitting = {
    .slouch_flexion = 4,
    .slouch_trunk = 5,
    .forward = 14,
    .backward = -12,
    .sideways = 15,
    .moving = 20,
};

void firmware_init(struct posture_firmware *firmware, const struct posture_limits *limits)
{
    *firmware = (struct posture_firmware){.limits = limits, .posture = POSTURE(UNKNOWN)};
}

static unsigned posture_of(const struct posture_limits *limits, const struct posture_angles *a)
{
    if (isnan(a->trunk))
        return POSTURE(UNKNOWN);
    if (a->trunk > LYING_TRUNK || a->trunk < -LYING_TRUNK)
        return POSTURE(LYING);
    if (fabs(a->velocity) > limits->moving) /* false for NaN */
        return POSTURE(MOVING);
    if (a->trunk > limits->forward)
        return POSTURE(FORWARD);
    if (a->trunk < limits->backward)
        return POSTURE(BACKWARD);
    if (a->lateral > limits->sideways)
        return POSTURE(RIGHT);
    if (a->lateral < -limits->sideways)
        return POSTURE(LEFT);
    if (a->flexion > limits->slouch_flexion && a->trunk > limits->slouch_trunk)
        return POSTURE(SLOUCHED);
    return POSTURE(UPRIGHT);
}

/* A fidget does not end a slouch, and standing up to shift the chair does not end a sitting bout.
 */
static void count(double *seconds, double *pause_s, bool now, double over_s, double dt_s)
{
    if (now) {
        *seconds += dt_s;
        *pause_s = fmax(0, *pause_s - dt_s);
        return;
    }
    *pause_s += dt_s;
    if (*pause_s >= over_s)
        *seconds = 0;
}

void firmware_judge(struct posture_firmware *firmware, const struct posture_angles *angles,
                    bool contact, double dt_s)
{
    const struct posture_limits *limits = firmware->limits;
    firmware->posture = contact ? posture_of(limits, angles) : POSTURE(OFF_BODY);
    if (contact && firmware->posture == POSTURE(UNKNOWN))
        return; /* nothing is known: the counters stand still */
    bool slouched = firmware->posture == POSTURE(SLOUCHED);
    bool seated = contact && limits->sitting_flexion > 0 &&
                  angles->flexion > limits->sitting_flexion && fabs(angles->trunk) < 20;
    count(&firmware->slouch_s, &firmware->straight_s, slouched, SLOUCH_OVER_S, dt_s);
    count(&firmware->sitting_s, &firmware->standing_s, seated, SITTING_OVER_S, dt_s);
}
