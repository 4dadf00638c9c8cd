/*
 * lumbarctl recording: what its commands share. They work on files, whether a hub runs or not.
 */
#ifndef LUMBAR_CTL_RECORDING_H
#define LUMBAR_CTL_RECORDING_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/tape.h"

/* Where recordings lie; what --config and --folder said. */
struct recording_place {
    const char *config; /* the configuration's file */
    const char *folder; /* NULL: recorder.folder of the configuration */
    char from_config[PATH_MAX];
    bool json; /* what is printed is an object a line */
};

/* --config, --folder and --json, for tables of getopt_long(). */
enum { RECORDING_CONFIG = 256, RECORDING_FOLDER, RECORDING_JSON, RECORDING_HELP, RECORDING_OTHER };
#define RECORDING_OPTIONS                                                                          \
    {"config", required_argument, NULL, RECORDING_CONFIG},                                         \
        {"folder", required_argument, NULL, RECORDING_FOLDER},                                     \
        {"json", no_argument, NULL, RECORDING_JSON},                                               \
    {                                                                                              \
        "help", no_argument, NULL, RECORDING_HELP                                                  \
    }

/* Takes one of the three; false for any other (help among them). */
bool recording_option(struct recording_place *place, int option);

/* The folder; NULL with a complaint. */
const char *recording_folder(struct recording_place *place, struct diag *diag);

/* The file that is meant: a path, or a name in the folder; returns out, NULL with a complaint. */
const char *recording_path(struct recording_place *place, const char *name, char out[PATH_MAX],
                           struct diag *diag);

/* A whole recording in memory; free() its bytes. */
int recording_load(struct recording_place *place, const char *name, struct tape_reader *reader,
                   uint8_t **bytes, struct diag *diag);

/* "2026-11-25T19:07:00.123Z"; returns out. */
#define RECORDING_DATE_BYTES 40
const char *recording_date(int64_t ms, char out[RECORDING_DATE_BYTES]);

int recording_ls(int count, char **arguments);
int recording_export(int count, char **arguments);
int recording_verify(int count, char **arguments);
int recording_replay(int count, char **arguments);

#endif
