#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "played.h"
#include "run.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

struct file {
    const char *path;
    char *text; /* owned */
    size_t bytes;
};

struct replay {
    const struct options *options;
    struct fleet *fleet;
    struct device *device;
    struct file files[OPTIONS_FILES];
    struct played played;
    struct recording recording;
    struct recording_row row; /* the next one */
    unsigned file;            /* that it comes from */
    double file_start_s;      /* of that file, on the recordings' common time */
    int64_t start_ms;
    bool over;
    struct diag *diag;
    int error;
};

static int read_file(struct file *out, const char *path, struct diag *diag)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
    out->path = path;
    int error = 0;
    size_t room = 0;
    while (error == 0) {
        if (out->bytes == room) {
            room = room == 0 ? (size_t)1 << 20 : room * 2;
            char *larger = room <= FILE_MAX_BYTES ? realloc(out->text, room) : NULL;
            if (larger == NULL) {
                error = diag_set(diag, ERR_LIMIT, "%s: larger than 64 MiB", path);
                break;
            }
            out->text = larger;
        }
        size_t got = fread(out->text + out->bytes, 1, room - out->bytes, file);
        out->bytes += got;
        if (got == 0)
            break;
    }
    if (error == 0 && ferror(file))
        error = diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
    fclose(file);
    return error;
}

/* All rows are read once before anything is sent: a recording is played whole or not at all. */
static int check_file(const struct file *file, enum recording_format *format, struct diag *diag)
{
    struct recording recording;
    int result = recording_open(&recording, file->path, file->text, file->bytes, diag);
    if (result != 0)
        return result;
    struct recording_row row;
    unsigned rows = 0;
    while ((result = recording_next(&recording, &row, diag)) > 0)
        rows++;
    if (result == 0 && rows == 0)
        return diag_at(diag, ERR_SYNTAX, file->path, 1, 1, "no row after the header");
    *format = recording.format;
    return result;
}

static int check_files(struct replay *replay, enum recording_format *format, struct diag *diag)
{
    const struct options *options = replay->options;
    for (unsigned i = 0; i < options->file_count; i++) {
        enum recording_format found = RECORDING_SITTING;
        int error = read_file(&replay->files[i], options->files[i], diag);
        if (error == 0)
            error = check_file(&replay->files[i], &found, diag);
        if (error != 0)
            return error;
        if (i > 0 && found != *format)
            return diag_at(diag, ERR_CONFLICT, options->files[i], 1, 1,
                           "a %s recording after a %s one: one device has one kind of sensor",
                           recording_format_name(found), recording_format_name(*format));
        *format = found;
    }
    return 0;
}

static int read_neutral(const struct replay *replay, enum recording_format format,
                        struct neutral *out, struct diag *diag)
{
    *out = (struct neutral){0};
    const char *path = replay->options->neutral;
    if (path == NULL)
        return 0;
    if (recording_kind(format) != KIND_POSTURE)
        return diag_set(diag, ERR_CONFLICT, "--neutral %s: a %s recording has no pose", path,
                        recording_format_name(format));
    struct file file = {0};
    int error = read_file(&file, path, diag);
    if (error == 0)
        error = neutral_read(out, path, file.text, file.bytes, format, diag);
    free(file.text);
    return error;
}

/* Reads the next row, of the next file if need be, into replay->row. */
static void fetch(struct replay *replay)
{
    for (;;) {
        int result = recording_next(&replay->recording, &replay->row, replay->diag);
        if (result > 0)
            return;
        if (result < 0) /* cannot be: it was read once */
            replay->error = result;
        if (result < 0 || ++replay->file == replay->options->file_count) {
            replay->over = true;
            return;
        }
        /* A second between two of them, as if they had been recorded in turn. */
        replay->file_start_s += replay->row.time_s + 1;
        const struct file *file = &replay->files[replay->file];
        recording_open(&replay->recording, file->path, file->text, file->bytes, replay->diag);
    }
}

static bool on_advance(void *user, int64_t now_ms)
{
    struct replay *replay = user;
    if (replay->start_ms == 0)
        replay->start_ms = now_ms;
    while (!replay->over) {
        double time_s = replay->file_start_s + replay->row.time_s;
        int64_t at_ms = replay->start_ms + (int64_t)(time_s * 1000 / replay->options->speed);
        if (at_ms > now_ms)
            return true;
        struct played *played = &replay->played;
        struct recording_row row = replay->row;
        row.time_s = time_s;
        played_row(played, &row);
        struct batch_now now = played_now(played);
        if (recording_kind(played->format) == KIND_POSTURE)
            device_add_posture(replay->device, at_ms, &played->angles, played->firmware.posture,
                               &now);
        else
            device_add_massage(replay->device, at_ms, &played->massage, 0, &now);
        fetch(replay);
    }
    return false;
}

static int prepare(struct replay *replay, struct diag *diag)
{
    const struct options *options = replay->options;
    enum recording_format format = RECORDING_SITTING;
    struct neutral neutral;
    int error = check_files(replay, &format, diag);
    if (error == 0)
        error = read_neutral(replay, format, &neutral, diag);
    if (error != 0)
        return error;
    enum kind kind = recording_kind(format);
    if (strncmp(options->as, kind_name(kind), strlen(kind_name(kind))) != 0)
        return diag_set(diag, ERR_CONFLICT, "--as %s: a %s recording is played as %s/NAME",
                        options->as, recording_format_name(format), kind_name(kind));
    played_init(&replay->played, format, &neutral);
    const struct file *first = &replay->files[0];
    recording_open(&replay->recording, first->path, first->text, first->bytes, diag);
    fetch(replay);
    error = fleet_create(&replay->fleet, options, 1, diag);
    if (error != 0)
        return error;
    replay->device = fleet_add(replay->fleet, kind, strchr(options->as, '/') + 1,
                               played_columns(format), 1, (int64_t)options->batch_ms);
    return fleet_start(replay->fleet, diag);
}

int replay_recordings(const struct options *options, struct diag *diag)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    if (replay == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for a replay");
    replay->options = options;
    replay->diag = diag;
    int result = prepare(replay, diag);
    if (result == 0) {
        struct show show = {.advance = on_advance, .user = replay};
        result = run_fleet(replay->fleet, &show, options->seconds, options->verbose);
    }
    if (replay->error != 0)
        result = replay->error;
    for (unsigned i = 0; i < OPTIONS_FILES; i++)
        free(replay->files[i].text);
    free(replay);
    return result;
}
