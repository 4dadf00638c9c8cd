#include "played.h"

#include <math.h>
#include <string.h>

#include "massage.pb-c.h"

#define STATE(name)   LUMBAR__MASSAGE__V1__STATE__STATE_##name
#define PROGRAM(name) LUMBAR__MASSAGE__V1__PROGRAM__PROGRAM_##name
#define DEG           (180 / 3.14159265358979323846)
#define FILTER_TAU_S  1.0 /* beyond this the accelerometer is believed, below it the gyroscope */
#define KPA_PER_BAR   100
#define M_S2_PER_G    9.80665

static double forward(double x, double z)
{
    return atan2(z, x) * DEG;
}

/* Against the plane of x and z, so that bending forward does not look like bending sideways. */
static double sideways(double x, double y, double z)
{
    return atan2(y, hypot(x, z)) * DEG;
}

struct mean {
    double sum;
    unsigned count;
};

static void mean_add(struct mean *mean, double value)
{
    if (isnan(value))
        return;
    mean->sum += value;
    mean->count++;
}

static double mean_of(const struct mean *mean)
{
    return mean->count > 0 ? mean->sum / mean->count : 0;
}

int neutral_read(struct neutral *out, const char *file, const char *text, size_t bytes,
                 enum recording_format format, struct diag *diag)
{
    struct recording recording;
    int error = recording_open(&recording, file, text, bytes, diag);
    if (error != 0)
        return error;
    if (recording.format != format)
        return diag_at(diag, ERR_CONFLICT, file, 1, 1,
                       "a %s recording cannot be the neutral pose of a %s one",
                       recording_format_name(recording.format), recording_format_name(format));
    struct mean means[4] = {{0}};
    struct recording_row row;
    int more;
    while ((more = recording_next(&recording, &row, diag)) > 0) {
        const double *v = row.values;
        double turn = format == RECORDING_LOWER_BACK ? -1 : 1; /* z to the front */
        mean_add(&means[0], turn * forward(v[L5_X], v[L5_Z]));
        mean_add(&means[1], sideways(v[L5_X], v[L5_Y], v[L5_Z]));
        mean_add(&means[2], forward(v[T12_X], v[T12_Z]));
        mean_add(&means[3], sideways(v[T12_X], v[T12_Y], v[T12_Z]));
    }
    if (more == 0 && means[0].count == 0)
        return diag_at(diag, ERR_SYNTAX, file, 1, 1, "no row that says anything");
    *out = (struct neutral){mean_of(&means[0]), mean_of(&means[1]), mean_of(&means[2]),
                            mean_of(&means[3])};
    return more;
}

uint32_t played_columns(enum recording_format format)
{
    switch (format) {
    case RECORDING_SITTING:
        return POSTURE_HAS_ALL & ~(uint32_t)POSTURE_HAS_ROTATION;
    case RECORDING_LOWER_BACK:
        return POSTURE_HAS_TRUNK | POSTURE_HAS_POSTURE;
    case RECORDING_PUMP:
        return MASSAGE_HAS_PRESSURE | MASSAGE_HAS_SURFACE | MASSAGE_HAS_CURRENT |
               MASSAGE_HAS_MOTOR | MASSAGE_HAS_VIBRATION;
    default:
        return MASSAGE_HAS_SKIN | MASSAGE_HAS_SURFACE;
    }
}

void played_init(struct played *played, enum recording_format format, const struct neutral *neutral)
{
    *played = (struct played){.format = format,
                              .neutral = *neutral,
                              .angles = {NAN, NAN, NAN, NAN, NAN},
                              .massage = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
                              .state = STATE(UNKNOWN)};
    firmware_init(&played->firmware, &posture_limits_sitting);
}

/* The change over the last rows: between two neighbours there is more noise than movement. */
static double velocity(struct played *played, double flexion, double time_s)
{
    unsigned slot = played->past % PLAYED_PAST;
    double since_s = time_s - played->past_s[slot];
    double change = flexion - played->past_flexion[slot];
    bool known = played->past >= PLAYED_PAST && since_s > 0;
    played->past_flexion[slot] = flexion;
    played->past_s[slot] = time_s;
    played->past++;
    return known ? change / since_s : (double)NAN;
}

static void sitting_row(struct played *played, const struct recording_row *row, double dt_s)
{
    const double *v = row->values;
    const struct neutral *neutral = &played->neutral;
    struct posture_angles *angles = &played->angles;
    double l5 = forward(v[L5_X], v[L5_Z]) - neutral->l5_forward;
    double t12 = forward(v[T12_X], v[T12_Z]) - neutral->t12_forward;
    double l5_side = sideways(v[L5_X], v[L5_Y], v[L5_Z]) - neutral->l5_sideways;
    double t12_side = sideways(v[T12_X], v[T12_Y], v[T12_Z]) - neutral->t12_sideways;
    angles->trunk = l5;
    angles->flexion = t12 - l5; /* NaN if one of them is silent */
    angles->lateral = t12_side - l5_side;
    angles->velocity = velocity(played, angles->flexion, row->time_s);
    firmware_judge(&played->firmware, angles, true, dt_s);
}

static void lower_back_row(struct played *played, const struct recording_row *row, double dt_s)
{
    const double *v = row->values;
    double seen = -forward(v[ACC_X], v[ACC_Z]) - played->neutral.l5_forward;
    double rate = -v[GYR_Y];
    if (!played->begun || isnan(played->filtered_deg)) {
        played->filtered_deg = seen;
    } else {
        played->filtered_deg += rate * dt_s;
        played->filtered_deg += (seen - played->filtered_deg) * (dt_s / (FILTER_TAU_S + dt_s));
    }
    struct posture_angles angles = {NAN, rate, played->filtered_deg, NAN, NAN};
    firmware_judge(&played->firmware, &angles, true, dt_s);
    angles.velocity = (double)NAN; /* of the trunk, not of the lumbar spine: not sent */
    played->angles = angles;
}

static void pump_row(struct played *played, const struct recording_row *row)
{
    const double *v = row->values;
    played->massage.current = v[CURRENT];
    played->massage.pressure = v[PRESSURE] * KPA_PER_BAR;
    played->massage.motor = v[MOTOR];
    played->massage.surface = v[FLUID];
    played->state = STATE(RUNNING);
    played->program = PROGRAM(MASSAGE);
    played->massage.vibration = (v[VIBRATION_1] + v[VIBRATION_2]) / 2 * M_S2_PER_G;
}

static void heater_row(struct played *played, const struct recording_row *row)
{
    const double *v = row->values;
    bool heats = v[HEATER_1] > 0;
    played->massage.skin = v[TEMPERATURE_1];
    played->massage.surface = v[TEMPERATURE_2];
    played->state = heats ? STATE(RUNNING) : STATE(IDLE);
    played->program = heats ? PROGRAM(HEAT) : PROGRAM(NONE);
}

void played_row(struct played *played, const struct recording_row *row)
{
    double dt_s = played->begun && row->time_s > played->last_s ? row->time_s - played->last_s : 0;
    switch (played->format) {
    case RECORDING_SITTING:
        sitting_row(played, row, dt_s);
        break;
    case RECORDING_LOWER_BACK:
        lower_back_row(played, row, dt_s);
        break;
    case RECORDING_PUMP:
        pump_row(played, row);
        break;
    default:
        heater_row(played, row);
    }
    played->last_s = row->time_s;
    played->begun = true;
}

struct batch_now played_now(const struct played *played)
{
    struct batch_now now = batch_now_unknown();
    if (recording_kind(played->format) == KIND_POSTURE) {
        if (!isnan(played->angles.trunk) && played->format == RECORDING_SITTING)
            now.slouch_s = (int64_t)played->firmware.slouch_s;
        return now;
    }
    now.state = (int)played->state;
    now.program = (int)played->program;
    return now;
}
