/*
 * Calibration of a wearable on a person: the neutral posture, and a test of the range of motion.
 *
 * Neutral: the mean of every angle (a gauge in deg) of a device over a while of stillness; refused,
 * with the reason, where it moves or says nothing. From then on it is the zero of that angle, until
 * it is too old or the wearable starts anew. Values themselves are never changed: who shows or
 * judges one asks calibration_zero().
 * Range: repetitions of one movement. A repetition goes out by RANGE_LEAST_DEG at least and comes
 * back by half of it; its end point counts.
 * Memory: sized at create; a table that is full refuses. Pure: time is given.
 */
#ifndef LUMBAR_CORE_CALIBRATION_H
#define LUMBAR_CORE_CALIBRATION_H

#include "core/devices.h"

#define CALIBRATION_ANGLES      8   /* of one device */
#define CALIBRATION_STILL_DEG   2.0 /* CLINIC: the deadband of angles */
#define CALIBRATION_LEAST       10  /* values of an angle, to speak of a mean */
#define CALIBRATION_REPETITIONS 10
#define RANGE_LEAST_DEG         10.0 /* what the test can say: 10..100 deg */

/* MDC90 of lumbar range of motion, 5-15 deg by method and direction (PMC5034504). */
#define RANGE_MDC_LOW_DEG  5.0
#define RANGE_MDC_HIGH_DEG 15.0

enum calibration_state {
    CALIBRATION_IDLE,
    CALIBRATION_UNDER_WAY,
    CALIBRATION_DONE,
    CALIBRATION_REFUSED, /* reason says why */
};

struct neutral_angle {
    uint32_t metric; /* of the device's kind */
    uint32_t count;
    double sum, low, high; /* of what was heard meanwhile */
    double zero;           /* once done */
};

struct neutral {
    enum calibration_state state;
    char reason[120];
    int64_t began_ms, until_ms;
    int64_t taken_ms;        /* when the zero that holds was taken; 0: none */
    uint64_t boots;          /* of the device then */
    uint64_t listened_boots; /* when it began to listen */
    bool restarted;          /* it did so since */
    struct neutral_angle angles[CALIBRATION_ANGLES];
    uint32_t angle_count;
};

struct range_test {
    enum calibration_state state;
    uint32_t metric; /* of the device's kind */
    uint32_t wanted; /* repetitions */
    double start, peak, peaks[CALIBRATION_REPETITIONS];
    int direction; /* 1: upwards; -1; 0: not yet known */
    bool started, out;
    uint32_t count;
    int64_t began_ms, ended_ms;
};

struct range_result {
    double best, mean, spread; /* deg from the start; spread: standard deviation, NaN of one */
    uint32_t count;
    int64_t measured_ms;
};

struct calibration;

struct calibration *calibration_create(uint32_t devices_max); /* NULL: no memory */
void calibration_destroy(struct calibration *calibration);

/* Begins to listen for so long (1..30 s). The zero that there was holds until the new one is done.
 */
int calibration_neutral_begin(struct calibration *calibration, const struct device *device,
                              int64_t for_ms, int64_t now_ms, struct diag *diag);
const struct neutral *calibration_neutral(const struct calibration *calibration, uint32_t device);

/* Begins a test of 1..CALIBRATION_REPETITIONS repetitions of an angle (index in its kind). */
int calibration_range_begin(struct calibration *calibration, const struct device *device,
                            uint32_t metric, uint32_t repetitions, int64_t now_ms,
                            struct diag *diag);
const struct range_test *calibration_range(const struct calibration *calibration, uint32_t device);
bool calibration_range_result(const struct range_test *test, struct range_result *result);

/* The samples of a message. Cheap while nothing is under way for the device. */
void calibration_touch(struct calibration *calibration, const struct device *device,
                       const struct lumbar_batch *batch, int64_t offset_ms);

/* Ends what has listened long enough; every 250 ms or so. */
void calibration_tick(struct calibration *calibration, int64_t now_ms);

/* What is to be taken off an angle (index in its kind), 0 where no zero holds: none was taken, it
 * is older than max_age_ms, or the device has started anew since, so that it may sit otherwise. */
double calibration_zero(const struct calibration *calibration, const struct device *device,
                        uint32_t metric, int64_t now_ms, int64_t max_age_ms);

/* How a change of range is to be spoken of. */
enum range_change {
    RANGE_NO_CHANGE, /* within measurement error */
    RANGE_UNCERTAIN, /* beyond the best, not beyond the worst published error */
    RANGE_CHANGED,
};
enum range_change calibration_change(double before_deg, double after_deg);
const char *calibration_change_words(enum range_change change);

#endif
