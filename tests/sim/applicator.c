#include "applicator.h"

#include <math.h>

#include "massage.pb-c.h"

#define STATE(name) LUMBAR__MASSAGE__V1__STATE__STATE_##name
#define FAULT(name) LUMBAR__MASSAGE__V1__FAULT__FAULT_##name

#define ROOM_CEL    23.0
#define SKIN_CEL    33.0 /* of a back without clothes */
#define PAD_TAU_S   40.0 /* the pad follows its set temperature */
#define PAD_STUCK   54.0 /* where a stuck thermostat drives it */
#define PAD_CUT_OUT 53.5 /* where a fuse of its own switches it off */
#define SKIN_TAU_S  70.0
#define SKIN_SHARE  0.80 /* of the way from the skin's own temperature to the pad's: blood cools */
#define MOTOR_TAU_S 240.0
#define IDLE_AMP    0.18
#define STALL_AMP   7.5
#define STALL_OFF_S 4.0 /* the firmware lets a blocked motor be for so long */
#define HEAD_CM2    9.0 /* area of the head: 1 kPa on it is 0.1 N per cm2 */
/* What the housing shakes, m/s2 RMS: our choice, of no device's papers. */
#define SHAKE_IDLE  0.1
#define SHAKE_PER_A 0.4
#define SHAKE_30_HZ 5.0 /* of percussion; it grows with the square of its pace */

void applicator_init(struct applicator *applicator, uint64_t seed, unsigned room)
{
    *applicator = (struct applicator){.prng = prng_seed(seed, 2000000u + room),
                                      .shaking = prng_seed(seed, 3000000u + room),
                                      .pad = ROOM_CEL,
                                      .surface = ROOM_CEL,
                                      .skin = ROOM_CEL,
                                      .motor = ROOM_CEL,
                                      .state = STATE(IDLE),
                                      .contact = true};
    applicator->battery = prng_between(&applicator->prng, 50, 98);
    applicator->rssi = prng_between(&applicator->prng, -68, -45);
}

/* First order, exact for any step. */
static void approach(double *value, double target, double tau_s, double dt_s)
{
    *value += (target - *value) * (1 - exp(-dt_s / tau_s));
}

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* What the firmware makes of the set treatment: it switches off what is not safe. */
static void protect(struct applicator *applicator, struct applicator_faults faults, double dt_s)
{
    applicator->fault = FAULT(NONE);
    applicator->stalled_s = faults.stall ? applicator->stalled_s + dt_s : 0;
    bool hot = applicator->pad > PAD_CUT_OUT;
    bool blocked = applicator->stalled_s > STALL_OFF_S;
    if (!applicator->cut_out && (hot || blocked)) {
        applicator->cut_out = true;
        applicator->fault = hot ? FAULT(OVERHEAT) : FAULT(STALL);
    } else if (applicator->cut_out && !faults.overheat && !faults.stall) {
        applicator->cut_out = false; /* somebody has seen to it */
    }
}

static void heat_flow(struct applicator *applicator, double set_pad, bool stuck, double dt_s)
{
    double pad = stuck ? PAD_STUCK : set_pad > 0 ? set_pad : ROOM_CEL;
    if (applicator->cut_out)
        pad = ROOM_CEL;
    approach(&applicator->pad, pad, PAD_TAU_S, dt_s);
    /* Away from the skin the sensor below the pad says how warm the air is there. */
    double rest = applicator->contact ? SKIN_CEL : ROOM_CEL;
    bool warms = applicator->pad > rest;
    double below = warms ? rest + SKIN_SHARE * (applicator->pad - rest) : rest;
    approach(&applicator->skin, below, SKIN_TAU_S, dt_s);
    /* The handle is warmed by the pad and by the motor. */
    double handle =
        ROOM_CEL + 0.35 * (applicator->pad - ROOM_CEL) + 0.25 * (applicator->motor - ROOM_CEL);
    approach(&applicator->surface, handle, 90, dt_s);
}

static double motor_current(const struct applicator *applicator)
{
    if (applicator->stalled_s > 0 && !applicator->cut_out)
        return STALL_AMP;
    if (applicator->cut_out || applicator->state != STATE(RUNNING))
        return IDLE_AMP;
    return IDLE_AMP + 0.022 * applicator->pressure + 0.03 * applicator->frequency;
}

static double vibration(struct applicator *applicator, double current)
{
    double pace = applicator->frequency / 30;
    double shake = SHAKE_IDLE + SHAKE_PER_A * current + SHAKE_30_HZ * pace * pace;
    return within(shake * (1 + prng_normal(&applicator->shaking, 0.03)), 0, 160);
}

static void sense(struct applicator *applicator, double current)
{
    struct prng *prng = &applicator->prng;
    struct massage_values *seen = &applicator->measured;
    double pressure = within(applicator->pressure + prng_normal(prng, 0.4), 0, 300);
    bool beats = applicator->frequency > 5;
    seen->pressure = pressure;
    seen->force = pressure * HEAD_CM2 / 10;
    seen->frequency = within(applicator->frequency + (beats ? prng_normal(prng, 0.15) : 0), 0, 60);
    /* The tissue takes some of the stroke when the head is pressed in. */
    seen->amplitude = beats ? within(11 - 0.04 * pressure + prng_normal(prng, 0.1), 0, 20) : 0;
    seen->skin = applicator->skin + prng_normal(prng, 0.03);
    seen->surface = applicator->surface + prng_normal(prng, 0.03);
    seen->current = within(current + prng_normal(prng, 0.02), 0, 20);
    seen->motor = applicator->motor + prng_normal(prng, 0.05);
    seen->vibration = vibration(applicator, current);
}

static void report(struct applicator *applicator, const struct treatment *set, double dt_s)
{
    if (set->region != applicator->region || set->program != applicator->program)
        applicator->region_s = 0;
    applicator->region = set->region;
    applicator->program = set->program;
    applicator->state = applicator->cut_out ? STATE(FAULT) : set->state;
    if (applicator->state == STATE(RUNNING))
        applicator->region_s += dt_s;
}

static void power(struct applicator *applicator, bool in_cradle, double current, double dt_s)
{
    double drain = (6.0 + 4.0 * current) / 3600; /* % a second */
    double charge = in_cradle ? 90.0 / 3600 : -drain;
    applicator->battery = within(applicator->battery + charge * dt_s, 0, 100);
    if (in_cradle && applicator->battery < 40)
        applicator->battery = 97; /* somebody takes a charged one from the rack */
    double pull = dt_s / 20 < 1 ? dt_s / 20 : 1;
    double step = prng_normal(&applicator->prng, 4) * sqrt(2 * pull);
    applicator->rssi = within(applicator->rssi + (-57 - applicator->rssi) * pull + step, -82, -38);
}

void applicator_step(struct applicator *applicator, const struct room *room,
                     struct applicator_faults faults, double dt_s)
{
    const struct treatment *set = &room->treatment;
    protect(applicator, faults, dt_s);
    report(applicator, set, dt_s);
    bool runs = applicator->state == STATE(RUNNING);
    applicator->contact = runs && !faults.off;
    /* Long strokes, one in about six seconds: the hand presses and eases. */
    applicator->stroke_s = fmod(applicator->stroke_s + dt_s, 6.0);
    double hand = set->pad > 0 ? 1 : 0.85 + 0.25 * sin(applicator->stroke_s * (3.14159265 / 3));
    double pressure = applicator->contact ? set->pressure * hand : 0;
    double frequency = runs && applicator->stalled_s <= 0 ? set->frequency : 0;
    approach(&applicator->pressure, pressure, 0.5, dt_s);
    approach(&applicator->frequency, frequency, 1.0, dt_s);
    heat_flow(applicator, runs ? set->pad : 0, faults.overheat, dt_s);
    double current = motor_current(applicator);
    approach(&applicator->motor, ROOM_CEL + 4.5 * current * current + 2 * current, MOTOR_TAU_S,
             dt_s);
    power(applicator, room->away, current, dt_s);
    sense(applicator, current);
}
