#include "recording.h"

#include <getopt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "io/tape_folder.h"
#include "setup.h"

bool recording_option(struct recording_place *place, int option)
{
    if (option == RECORDING_CONFIG)
        place->config = optarg;
    else if (option == RECORDING_FOLDER)
        place->folder = optarg;
    else if (option == RECORDING_JSON)
        place->json = true;
    else
        return false;
    return true;
}

const char *recording_folder(struct recording_place *place, struct diag *diag)
{
    struct config *config;
    if (place->folder != NULL)
        return place->folder;
    if (setup_read_config(place->config, &config, diag) != 0)
        return NULL;
    snprintf(place->from_config, sizeof(place->from_config), "%s", config->recorder.folder);
    config_destroy(config);
    place->folder = place->from_config;
    return place->folder;
}

const char *recording_path(struct recording_place *place, const char *name, char out[PATH_MAX],
                           struct diag *diag)
{
    if (strchr(name, '/') != NULL || access(name, F_OK) == 0) {
        snprintf(out, PATH_MAX, "%s", name);
        return out;
    }
    const char *folder = recording_folder(place, diag);
    if (folder == NULL)
        return NULL;
    if (snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX)
        return out;
    diag_set(diag, ERR_LIMIT, "the path of %s is too long", name);
    return NULL;
}

int recording_load(struct recording_place *place, const char *name, struct tape_reader *reader,
                   uint8_t **bytes, struct diag *diag)
{
    char path[PATH_MAX];
    *bytes = NULL;
    if (recording_path(place, name, path, diag) == NULL)
        return diag->code;
    return tape_file_open(path, reader, bytes, diag);
}

const char *recording_date(int64_t ms, char out[RECORDING_DATE_BYTES])
{
    struct tm utc;
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &utc) == NULL) {
        snprintf(out, RECORDING_DATE_BYTES, "(no date)"); /* a year that does not fit an int */
        return out;
    }
    size_t length = strftime(out, RECORDING_DATE_BYTES - 5, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + length, RECORDING_DATE_BYTES - length, ".%03dZ", (int)(ms - seconds * 1000));
    return out;
}

static const struct ctl_command commands[] = {
    {"ls", "[--config FILE | --folder FOLDER]", "lists the recordings of a folder", recording_ls},
    {"export", "[--config FILE | --folder FOLDER] [--account] NAME OUT",
     "writes one recording to a file of its own, whole", recording_export},
    {"verify", "[--config FILE | --folder FOLDER] [NAME ...]",
     "checks every checksum, and the order; says what is wrong and where", recording_verify},
    {"replay", "[--config FILE] [--folder FOLDER] [--rules FOLDER | --mqtt HOST:PORT] NAME",
     "sends one through plugins and rules, and prints alarms and what was decoded; or to a broker",
     recording_replay},
};

int ctl_recording(int count, char **arguments)
{
    return ctl_run("lumbarctl recording", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
