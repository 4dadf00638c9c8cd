/*
 * A massage device: hand-held head with motor and heat pad, the skin below it, its firmware. Pure.
 */
#ifndef LUMBAR_SIM_APPLICATOR_H
#define LUMBAR_SIM_APPLICATOR_H

#include "clinic.h"

/* What its sensors say, in the units of proto/massage.proto's comments less their factors; NaN
 * where silent. */
struct massage_values {
    double pressure;  /* kPa */
    double force;     /* N */
    double frequency; /* Hz */
    double amplitude; /* mm */
    double skin;      /* Cel */
    double surface;   /* Cel */
    double current;   /* A */
    double motor;     /* Cel */
    double vibration; /* m/s2, RMS */
};

struct applicator_faults {
    bool off;      /* lifted from the body */
    bool overheat; /* the pad's thermostat sticks */
    bool stall;    /* the motor is blocked */
};

struct applicator {
    struct prng prng, shaking;        /* of its own: so the other values are those of before */
    double pressure, frequency;       /* as they are */
    double pad, surface, skin, motor; /* Cel; skin: at the sensor under the pad */
    double stroke_s;                  /* the hand comes and goes */
    double stalled_s;                 /* for how long the motor has been blocked */
    bool cut_out;                     /* the firmware has switched everything off */
    unsigned state, program, region;  /* of proto/massage.proto, as the firmware reports them */
    double region_s;
    unsigned fault; /* that began in this step; 0: none */
    struct massage_values measured;
    double battery, rssi;
    bool contact;
};

void applicator_init(struct applicator *applicator, uint64_t seed, unsigned room);
void applicator_step(struct applicator *applicator, const struct room *room,
                     struct applicator_faults faults, double dt_s);

#endif
