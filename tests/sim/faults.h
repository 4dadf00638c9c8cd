/*
 * Faults on demand: ROOM:KIND:WHAT@START[+DURATION].
 *
 *     1:posture:silence@30+20        nothing is sent from second 30 to 50, then all of it
 *     2:massage:loss=20@0            a fifth of the messages is lost inside the device
 *     3:posture:clock=+90@10+60      the device's clock is 90 s ahead for a minute
 *     all:massage:overheat@60        the pad's thermostat sticks in every room
 *
 * START and DURATION are seconds since the first row; without DURATION it lasts to the end. Pure.
 */
#ifndef LUMBAR_SIM_FAULTS_H
#define LUMBAR_SIM_FAULTS_H

#include "base/err.h"
#include "batch.h"

enum fault_what {
    FAULT_SILENCE,    /* the radio is off; rows are held and sent afterwards */
    FAULT_LOSS,       /* =PCT of the messages is lost inside the device, for good */
    FAULT_DUPLICATES, /* =PCT of the messages is sent twice */
    FAULT_REORDER,    /* neighbours change places */
    FAULT_CLOCK,      /* =+SECONDS or =-SECONDS: the device's clock is wrong */
    FAULT_MALFORMED,  /* what is sent cannot be decoded; it is held, and sent again later */
    FAULT_BATTERY,    /* =PCT is left */
    FAULT_OVERHEAT,   /* massage only */
    FAULT_STALL,      /* massage only: the motor is blocked */
    FAULT_CONTACT,    /* off the body */
    FAULT_REBOOT,     /* off for DURATION (3 s), then another boot, nothing held */
    FAULT_COUNT_
};

#define FAULT_FOR_EVER (-1)

struct fault {
    unsigned room; /* 0: all */
    enum kind kind;
    enum fault_what what;
    double value;
    int64_t start_ms, duration_ms; /* since the first row; FAULT_FOR_EVER */
};

/* Reads one SPEC; complaints say what is wrong with which part. */
int fault_parse(struct fault *out, const char *spec, struct diag *diag);

/* The first fault of that kind which holds for this device at this time, or NULL. */
const struct fault *fault_find(const struct fault *faults, unsigned count, unsigned room,
                               enum kind kind, enum fault_what what, int64_t at_ms);

/* One line for each fault, for --help. */
const char *fault_help(void);

#endif
