#include "recording.h"

#include <math.h>

static const struct format {
    const char *name;
    enum kind kind;
    bool datetime;    /* else a number */
    const char *time; /* title of its column */
    double rate;      /* numbers of it a second */
    const char *titles[RECORDING_VALUES];
} formats[RECORDING_COUNT_] = {
    [RECORDING_SITTING] = {.name = "sitting-imu",
                           .kind = KIND_POSTURE,
                           .time = "Index",
                           .rate = 50,
                           .titles = {[L5_X] = "L5_Acceleration X(g)",
                                      [L5_Y] = "L5_Acceleration Y(g)",
                                      [L5_Z] = "L5_Acceleration Z(g)",
                                      [T12_X] = "T12_Acceleration X(g)",
                                      [T12_Y] = "T12_Acceleration Y(g)",
                                      [T12_Z] = "T12_Acceleration Z(g)"}},
    [RECORDING_LOWER_BACK] = {.name = "lower-back",
                              .kind = KIND_POSTURE,
                              .time = "samples",
                              .rate = 100,
                              .titles = {[ACC_X] = "acc_x",
                                         [ACC_Y] = "acc_y",
                                         [ACC_Z] = "acc_z",
                                         [GYR_X] = "gyr_x",
                                         [GYR_Y] = "gyr_y",
                                         [GYR_Z] = "gyr_z"}},
    [RECORDING_PUMP] = {.name = "pump",
                        .kind = KIND_MASSAGE,
                        .time = "datetime",
                        .datetime = true,
                        .rate = 1,
                        .titles = {[VIBRATION_1] = "Accelerometer1RMS",
                                   [VIBRATION_2] = "Accelerometer2RMS",
                                   [CURRENT] = "Current",
                                   [PRESSURE] = "Pressure",
                                   [MOTOR] = "Temperature",
                                   [FLUID] = "Thermocouple"}},
    [RECORDING_HEATER] = {.name = "heater",
                          .kind = KIND_MASSAGE,
                          .time = "Time (sec)",
                          .rate = 1,
                          .titles = {[HEATER_1] = "Heater 1 (%)",
                                     [HEATER_2] = "Heater 2 (%)",
                                     [TEMPERATURE_1] = "Temperature 1 (degC)",
                                     [TEMPERATURE_2] = "Temperature 2 (degC)"}},
};

static int find_columns(struct recording *recording, const struct format *format, struct diag *diag)
{
    const struct csv *csv = &recording->csv;
    recording->time_column = (unsigned)csv_find(csv, format->time);
    for (unsigned i = 0; i < RECORDING_VALUES && format->titles[i] != NULL; i++) {
        int column = csv_find(csv, format->titles[i]);
        if (column < 0)
            return diag_at(diag, ERR_SYNTAX, csv->file, 1, 1,
                           "the header of a %s recording lacks '%s'", format->name,
                           format->titles[i]);
        recording->columns[i] = (unsigned)column;
    }
    return 0;
}

int recording_open(struct recording *recording, const char *file, const char *text, size_t bytes,
                   struct diag *diag)
{
    *recording = (struct recording){0};
    int error = csv_open(&recording->csv, file, text, bytes, diag);
    if (error != 0)
        return error;
    for (unsigned i = 0; i < RECORDING_COUNT_; i++) {
        if (csv_find(&recording->csv, formats[i].time) < 0)
            continue; /* their titles of time differ: that tells them apart */
        recording->format = (enum recording_format)i;
        return find_columns(recording, &formats[i], diag);
    }
    return diag_at(diag, ERR_UNKNOWN, file, 1, 1,
                   "no known recording: its header has no column Index, samples, datetime or "
                   "Time (sec)");
}

static int read_time(struct recording *recording, double *time_s, struct diag *diag)
{
    const struct format *format = &formats[recording->format];
    const struct csv *csv = &recording->csv;
    double given;
    int error = format->datetime ? csv_datetime(csv, recording->time_column, &given, diag)
                                 : csv_number(csv, recording->time_column, &given, diag);
    if (error != 0)
        return error;
    if (isnan(given) || fabs(given) > 1e12)
        return diag_at(diag, ERR_SYNTAX, csv->file, csv->line, 1, "the time is missing");
    given /= format->rate;
    if (!recording->begun)
        recording->first_s = recording->last_s = given;
    recording->begun = true;
    if (given < recording->last_s)
        return diag_at(diag, ERR_SYNTAX, csv->file, csv->line, 1,
                       "time goes back: a recording is in the order of its times");
    recording->last_s = given;
    *time_s = given - recording->first_s;
    return 0;
}

int recording_next(struct recording *recording, struct recording_row *row, struct diag *diag)
{
    int result = csv_next(&recording->csv, diag);
    if (result <= 0)
        return result;
    int error = read_time(recording, &row->time_s, diag);
    const struct format *format = &formats[recording->format];
    for (unsigned i = 0; error == 0 && i < RECORDING_VALUES; i++) {
        row->values[i] = (double)NAN;
        if (format->titles[i] != NULL)
            error = csv_number(&recording->csv, recording->columns[i], &row->values[i], diag);
    }
    return error != 0 ? error : 1;
}

const char *recording_format_name(enum recording_format format)
{
    return formats[format].name;
}

enum kind recording_kind(enum recording_format format)
{
    return formats[format].kind;
}
