/*
 * Calibration of a wearable on a person: the neutral posture, and a test of the range of motion.
 *
 * Neutral: the mean of every angle (a gauge in deg) of a device over a while of stillness; refused,
 * with the reason, where it moves or says nothing. From then on it is the zero of that angle:
 * ingest takes it off each value, so that what is shown, judged and kept is told from the person's
 * own neutral posture; what the wearable said itself is on the recording. A zero ends when it has
 * grown old, when the wearable starts anew, and when whoever wears it takes it off. Range:
 * repetitions of one movement. A repetition goes out by RANGE_LEAST_DEG at least and comes back by
 * half of it; its end point counts, from where the first one began. Memory: sized at create, an
 * entry allocated when a device is first calibrated; a table that is full refuses. Pure: time is
 * given.
 */
#ifndef LUMBAR_CORE_CALIBRATION_H
#define LUMBAR_CORE_CALIBRATION_H

#include "core/devices.h"

#define CALIBRATION_ANGLES       8   /* of one device */
#define CALIBRATION_STILL_DEG    2.0 /* CLINIC: the deadband of angles */
#define CALIBRATION_LEAST        10  /* values of an angle, to speak of a mean */
#define CALIBRATION_REPETITIONS  10
#define CALIBRATION_REASON_BYTES 120
#define RANGE_LEAST_DEG          10.0 /* what the test can say: 10..100 deg */

/* MDC90 of lumbar range of motion, 5-15 deg by method and direction (PMC5034504). */
#define RANGE_MDC_LOW_DEG  5.0
#define RANGE_MDC_HIGH_DEG 15.0

enum calibration_state {
    CALIBRATION_IDLE,
    CALIBRATION_UNDER_WAY,
    CALIBRATION_DONE,
    CALIBRATION_REFUSED, /* reason says why */
};

/* The zero of each angle, as it was taken. */
struct neutral_zero {
    uint64_t number;              /* of all calibrations ever, from 1 */
    uint64_t session;             /* for which it was taken; 0: none yet */
    int64_t taken_ms, expires_ms; /* taken 0: there is no zero */
    bool has_boot;                /* the device tells its starts: it holds for this one */
    uint64_t boot_id;
    uint32_t count;
    struct {
        uint32_t metric; /* of the device's kind */
        double deg;
    } angles[CALIBRATION_ANGLES];
};

struct neutral_angle {
    uint32_t metric; /* of the device's kind */
    uint32_t count;
    double sum, low, high; /* of what was heard meanwhile */
};

struct neutral {
    enum calibration_state state;          /* of listening */
    char reason[CALIBRATION_REASON_BYTES]; /* of a refusal, or why no zero holds any more */
    int64_t began_ms, until_ms, holds_ms;
    bool has_boot, restarted; /* the device was heard meanwhile; it started anew meanwhile */
    uint64_t boot_id;
    struct neutral_angle angles[CALIBRATION_ANGLES];
    uint32_t angle_count;
    struct neutral_zero zero; /* the one that holds */
};

struct range_test {
    enum calibration_state state;
    char reason[CALIBRATION_REASON_BYTES];
    uint64_t number;                       /* of all calibrations ever */
    uint64_t session;                      /* in which it was made; 0: none */
    uint32_t metric;                       /* of the device's kind */
    uint32_t wanted;                       /* repetitions */
    double start;                          /* deg; what follows is told from it */
    double peak, valley;                   /* of the repetition; between two of them */
    double peaks[CALIBRATION_REPETITIONS]; /* of those that are done */
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

/* What is told of. */
enum calibration_news {
    NEUTRAL_BEGUN,
    NEUTRAL_TAKEN,
    NEUTRAL_REFUSED, /* the zero before holds on */
    NEUTRAL_ENDED,   /* the zero is still there, its expires_ms is now; forgotten after the call */
    RANGE_BEGUN,
    RANGE_REPEATED, /* one more repetition */
    RANGE_DONE,
    RANGE_REFUSED,
};

struct calibration;

/* For devices of ids 1..max. on_news, where it is not NULL, is told after each change but for
 * NEUTRAL_ENDED. NULL: no memory. */
typedef void calibration_news_cb(void *user, uint32_t device, enum calibration_news news);
struct calibration *calibration_create(uint32_t devices_max, calibration_news_cb *on_news,
                                       void *user);
void calibration_destroy(struct calibration *calibration);

/* Grows with every change; calibration_changed(): its value when that device's last changed. */
uint64_t calibration_change(const struct calibration *calibration);
uint64_t calibration_changed(const struct calibration *calibration, uint32_t device);

/* The numbers up to this one are taken. */
void calibration_go_on(struct calibration *calibration, uint64_t newest);

/* ---- Neutral posture ---- */

/* Begins to listen for so long (1..30 s); what is taken then holds for holds_ms. The zero that
 * there was holds until the new one is done. */
int calibration_neutral_begin(struct calibration *calibration, const struct device *device,
                              int64_t for_ms, int64_t holds_ms, int64_t now_ms, struct diag *diag);
const struct neutral *calibration_neutral(const struct calibration *calibration, uint32_t device);

/* A zero that a run before took. */
int calibration_restore(struct calibration *calibration, const struct device *device,
                        const struct neutral_zero *zero, struct diag *diag);

/* The zero holds no longer; the reason is shown. Nothing where there is none. */
void calibration_neutral_end(struct calibration *calibration, uint32_t device, const char *reason,
                             int64_t now_ms);

/* For this session it was taken. */
void calibration_belongs(struct calibration *calibration, uint32_t device, uint64_t session);

/* What is to be taken off an angle (index in its kind) of that time; 0 where no zero holds. */
double calibration_zero(const struct calibration *calibration, uint32_t device, uint32_t metric,
                        int64_t time_ms);

/* Takes the zeros off a message that was just decoded. Cheap where there are none. */
void calibration_apply(const struct calibration *calibration, const struct device *device,
                       struct drivers *drivers, struct decoded *decoded, int64_t offset_ms);

/* ---- Range of motion ---- */

/* Begins a test of 1..CALIBRATION_REPETITIONS repetitions of an angle (index in its kind). */
int calibration_range_begin(struct calibration *calibration, const struct device *device,
                            uint32_t metric, uint32_t repetitions, uint64_t session, int64_t now_ms,
                            struct diag *diag);
/* Ends it with the repetitions that were done; refused where there was none. */
int calibration_range_end(struct calibration *calibration, const struct device *device,
                          int64_t now_ms, struct diag *diag);
/* Tests of range of a session that is over leave nothing behind. */
void calibration_forget(struct calibration *calibration, uint64_t session);
const struct range_test *calibration_range(const struct calibration *calibration, uint32_t device);
bool calibration_range_result(const struct range_test *test, struct range_result *result);

/* ---- Both ---- */

/* The samples of a message, before calibration_apply(). Cheap for devices never calibrated. */
void calibration_touch(struct calibration *calibration, const struct device *device,
                       const struct lumbar_batch *batch, int64_t offset_ms);

/* Ends what has listened long enough, and zeros that have grown old; every 250 ms or so. */
void calibration_tick(struct calibration *calibration, int64_t now_ms);

/* How a change of range is to be spoken of. */
enum range_change {
    RANGE_NO_CHANGE, /* within measurement error */
    RANGE_UNCERTAIN, /* beyond the best, not beyond the worst published error */
    RANGE_CHANGED,
};
enum range_change range_change_of(double before_deg, double after_deg);
const char *range_change_words(enum range_change change);

#endif
