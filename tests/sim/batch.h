/*
 * Rows of a device on their way into one protobuf message. Pure.
 *
 * A row is a time on the device's clock and the numbers of its kind's columns, in the units of the
 * wire (0.01 deg, 0.1 kPa ...). What a sensor did not say is BATCH_SILENT; a column that the device
 * does not have at all is left out of `columns`.
 */
#ifndef LUMBAR_SIM_BATCH_H
#define LUMBAR_SIM_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "applicator.h"
#include "firmware.h"

#define BATCH_ROWS     320 /* keeps a message of silent sensors below 16 KiB */
#define BATCH_COLUMNS  9
#define BATCH_BYTES    (16 << 10)
#define BATCH_SILENT   INT32_MIN
#define BATCH_TAIL_MAX 32 /* what batch_finish() adds */
#define FIRMWARE_NAME  "lumbar-sim " LUMBAR_VERSION

enum kind { KIND_POSTURE, KIND_MASSAGE };
const char *kind_name(enum kind kind);

/* Columns of a posture wearable, as bits. */
enum {
    POSTURE_HAS_FLEXION = 1,
    POSTURE_HAS_VELOCITY = 2,
    POSTURE_HAS_TRUNK = 4,
    POSTURE_HAS_LATERAL = 8,
    POSTURE_HAS_ROTATION = 16,
    POSTURE_HAS_POSTURE = 32,
    POSTURE_HAS_ALL = 63,
};

/* Columns of a massage device, as bits. */
enum {
    MASSAGE_HAS_PRESSURE = 1,
    MASSAGE_HAS_FORCE = 2,
    MASSAGE_HAS_FREQUENCY = 4,
    MASSAGE_HAS_AMPLITUDE = 8,
    MASSAGE_HAS_SKIN = 16,
    MASSAGE_HAS_SURFACE = 32,
    MASSAGE_HAS_CURRENT = 64,
    MASSAGE_HAS_MOTOR = 128,
    MASSAGE_HAS_VIBRATION = 256,
    MASSAGE_HAS_ALL = 511,
};

/* What is said once a message, as it is now. -1: not known, left out. */
struct batch_now {
    int battery; /* % */
    int rssi;    /* dBm; 0: not known */
    int contact; /* 0 or 1 */
    int64_t slouch_s, sitting_s;
    int32_t range; /* 0.01 deg; BATCH_SILENT: not known */
    int state, program, region;
    int64_t region_s;
};

struct batch {
    enum kind kind;
    uint32_t columns; /* bits of the columns that the device has */
    uint32_t rows;
    int64_t start_ms, last_ms;
    uint32_t dt_ms[BATCH_ROWS];
    int32_t values[BATCH_COLUMNS][BATCH_ROWS];
    struct batch_now now; /* of the last row */
    uint32_t faults[4], fault_count;
};

void batch_init(struct batch *batch, enum kind kind, uint32_t columns);

/* Everything unknown. */
struct batch_now batch_now_unknown(void);

/* Adds a row; times may not fall. The batch must not be full. */
void batch_add_posture(struct batch *batch, int64_t time_ms, const struct posture_angles *angles,
                       unsigned posture);
void batch_add_massage(struct batch *batch, int64_t time_ms, const struct massage_values *values);
void batch_add_fault(struct batch *batch, unsigned fault);
bool batch_is_full(const struct batch *batch);

/* Encodes all but what is only known when it is sent, and empties the batch. `out` holds
 * BATCH_BYTES; returns the length. */
size_t batch_encode(struct batch *batch, uint64_t boot_id, uint64_t sequence, uint8_t *out);

/* The rest, to be put behind it: the same field said again, the later one counts, so a message is
 * made fresh at each sending without being taken apart. Returns the length. */
size_t batch_finish(enum kind kind, uint64_t held_from, int64_t now_ms, uint8_t *out);

/* A message for the leaf `status`. */
size_t batch_status(enum kind kind, uint64_t boot_id, int64_t now_ms, const struct batch_now *now,
                    uint8_t *out, size_t bytes);

#endif
