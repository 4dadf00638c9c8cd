/*
 * Recordings of real sensors: which one a file is, and its rows. The format is known by the header
 * line. Parses from memory, keeps nothing but pointers into the text. Pure.
 */
#ifndef LUMBAR_SIM_RECORDING_H
#define LUMBAR_SIM_RECORDING_H

#include "batch.h"
#include "csv.h"

enum recording_format {
    RECORDING_SITTING,    /* body-worn sensors at L5 and T12, 50 Hz */
    RECORDING_LOWER_BACK, /* one sensor at the lower back, 100 Hz */
    RECORDING_PUMP,       /* a motor rig, about 1 Hz */
    RECORDING_HEATER,     /* two heaters, 1 Hz */
    RECORDING_COUNT_
};

#define RECORDING_VALUES 6

/* Which value is which, in the file's units. */
enum { L5_X, L5_Y, L5_Z, T12_X, T12_Y, T12_Z };    /* RECORDING_SITTING: g */
enum { ACC_X, ACC_Y, ACC_Z, GYR_X, GYR_Y, GYR_Z }; /* RECORDING_LOWER_BACK: g, deg/s */
enum { VIBRATION_1, VIBRATION_2, CURRENT, PRESSURE, MOTOR, FLUID }; /* PUMP: g, A, bar, Cel */
enum { HEATER_1, HEATER_2, TEMPERATURE_1, TEMPERATURE_2 };          /* HEATER: %, Cel */

struct recording {
    struct csv csv;
    enum recording_format format;
    unsigned time_column;
    unsigned columns[RECORDING_VALUES];
    bool begun;
    double first_s, last_s;
};

struct recording_row {
    double time_s;                   /* since the first row; never falls */
    double values[RECORDING_VALUES]; /* NaN where the cell is empty */
};

/* Complains if the header is of no known recording, or lacks a column of one. */
int recording_open(struct recording *recording, const char *file, const char *text, size_t bytes,
                   struct diag *diag);

/* The next row: 1, 0 at the end, or a negative error. */
int recording_next(struct recording *recording, struct recording_row *row, struct diag *diag);

const char *recording_format_name(enum recording_format format);

/* What such a sensor can be played as. */
enum kind recording_kind(enum recording_format format);

#endif
