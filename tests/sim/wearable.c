#include "wearable.h"

#include <math.h>

#define NOISE_DEG      0.12
#define DRIFT_TAU_S    120.0
#define BATTERY_PER_S  (8.0 / 3600) /* %: a day's work */
#define CHARGING_PER_S (60.0 / 3600)

void wearable_init(struct wearable *wearable, uint64_t seed, unsigned room)
{
    *wearable = (struct wearable){.prng = prng_seed(seed, 1000000u + room), .contact = true};
    firmware_init(&wearable->firmware, &posture_limits_standing);
    wearable->battery = prng_between(&wearable->prng, 55, 98);
    wearable->rssi = prng_between(&wearable->prng, -70, -48);
}

/* A critically damped movement towards the target: no jerk at the start, no overshoot. Implicit in
 * the velocity, so that it is stable at any step. */
static void joint_step(struct joint *joint, double target, double pace, double dt_s)
{
    double damping = 1 + 2 * pace * dt_s + pace * pace * dt_s * dt_s;
    double push = pace * pace * (target - joint->angle);
    joint->velocity = (joint->velocity + push * dt_s) / damping;
    joint->angle += joint->velocity * dt_s;
}

static void body_step(struct wearable *wearable, const struct pose *pose, double dt_s)
{
    joint_step(&wearable->flexion, pose->flexion, pose->pace, dt_s);
    joint_step(&wearable->trunk, pose->trunk, pose->pace, dt_s);
    joint_step(&wearable->lateral, pose->lateral, pose->pace, dt_s);
    joint_step(&wearable->rotation, pose->rotation, pose->pace, dt_s);
}

static double measure(struct wearable *wearable, double angle)
{
    return angle + wearable->drift + prng_normal(&wearable->prng, NOISE_DEG);
}

/* The generator is asked for the same numbers whether the sensor lies on the body or not: a fault
 * changes what is seen, not what happens afterwards. */
static void sense(struct wearable *wearable)
{
    struct posture_angles *seen = &wearable->measured;
    seen->flexion = measure(wearable, wearable->flexion.angle);
    seen->velocity = wearable->flexion.velocity + prng_normal(&wearable->prng, 0.4);
    seen->trunk = measure(wearable, wearable->trunk.angle);
    seen->lateral = measure(wearable, wearable->lateral.angle);
    seen->rotation = measure(wearable, wearable->rotation.angle);
    if (wearable->contact)
        return;
    *seen = (struct posture_angles){NAN, NAN, NAN, NAN, NAN};
}

/* A value that wanders about a middle and always finds back. */
static double wander(struct prng *prng, double value, double middle, double spread, double tau_s,
                     double dt_s)
{
    double pull = dt_s / tau_s < 1 ? dt_s / tau_s : 1;
    return value + (middle - value) * pull + prng_normal(prng, spread) * sqrt(2 * pull);
}

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void wearable_step(struct wearable *wearable, const struct room *room, bool off, double dt_s)
{
    struct prng *prng = &wearable->prng;
    wearable->contact = !room->away && !off;
    body_step(wearable, &room->pose, dt_s);
    wearable->drift = within(wander(prng, wearable->drift, 0, 0.3, DRIFT_TAU_S, dt_s), -1, 1);
    wearable->rssi = within(wander(prng, wearable->rssi, -60, 5, 20, dt_s), -82, -38);
    double charge = room->away ? CHARGING_PER_S : -BATTERY_PER_S;
    wearable->battery = within(wearable->battery + charge * dt_s, 0, 100);
    if (room->away && wearable->battery < 40)
        wearable->battery = 97; /* somebody takes a charged one from the rack */
    sense(wearable);
    if (room->away)
        wearable->range = 0;
    if (wearable->contact && wearable->measured.flexion > wearable->range)
        wearable->range = wearable->measured.flexion;
    firmware_judge(&wearable->firmware, &wearable->measured, wearable->contact, dt_s);
}
