/*
 * What happens in the rooms: who sits, stands and bends, and what the massage device is set
 * to. The devices measure it (wearable.h, applicator.h); this is the person and the therapist.
 *
 * A room's day is one session after the other: talk (sitting, some slouch), warm-up (standing and
 * bending), heat and massage region by region with percussion (in a massage chair), pause,
 * stretching, and a change of clients with both devices in the cradle. Everything follows from the
 * seed and the time stepped. Pure: no clock. A struct room is its whole state.
 */
#ifndef LUMBAR_SIM_CLINIC_H
#define LUMBAR_SIM_CLINIC_H

#include <stdbool.h>
#include <stdint.h>

#include "prng.h"

enum phase {
    PHASE_TALK,
    PHASE_WARM_UP,
    PHASE_HEAT,
    PHASE_MASSAGE,
    PHASE_PAUSE,
    PHASE_STRETCHING,
    PHASE_CHANGE, /* nobody there: devices in the cradle */
    PHASE_COUNT_
};

/* Where the body wants to be, in deg, and how quickly it goes there. */
struct pose {
    double flexion, trunk, lateral, rotation;
    double pace; /* 1/s: natural frequency of the movement */
};

/* What the massage device is set to. Numbers of proto/massage.proto. */
struct treatment {
    unsigned state, program, region;
    double pressure;  /* kPa aimed at; 0: lifted */
    double frequency; /* Hz; 0: no percussion */
    double pad;       /* Cel aimed at; 0: heat is off */
};

struct room {
    struct prng prng;
    enum phase phase;
    double phase_s, phase_left_s; /* since it began, until it ends */
    double pose_left_s;           /* until the person moves */
    double spell_left_s;          /* until the therapist changes something */
    bool slouches;                /* in this talk or pause */
    bool away;                    /* nobody there */
    struct pose pose;
    struct treatment treatment;
    unsigned spell;  /* number of the spell in this phase */
    double warm_pad; /* Cel: what this client's heat is set to */
};

/* Room `number` (from 1) at its own point of the day, so that rooms are out of step. Rooms 1 and 2
 * begin where something is to be seen within two minutes: a long slouch, a pad set warm. */
void room_init(struct room *room, uint64_t seed, unsigned number);

/* Seconds of past that the models have to be run through before time 0, so that counters and
 * temperatures are what they would be. */
#define ROOM_PAST_S 300.0

void room_step(struct room *room, double dt_s);

const char *phase_name(enum phase phase);

#endif
