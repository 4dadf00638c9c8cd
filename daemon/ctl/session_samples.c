/*
 * lumbarctl session csv --samples: every value of a session, decoded from its recordings.
 *
 * A message lies whole on one tape, though it may reach over the session's begin or end, into the
 * session of somebody else: what was not taken while its device was in the session is left out.
 * Where nobody can say when that was, nothing is told at all, unless it is wanted all the same.
 * So all recordings are gone through twice: first it is looked whether they can be cut.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/text.h"
#include "ask.h"
#include "ctl.h"
#include "io/store_stay.h"
#include "io/tape_folder.h"
#include "recording.h"
#include "replay.h"
#include "session.h"

/* A recording of the session. */
struct told_tape {
    char path[PATH_MAX];
    uint64_t samples, timely; /* that it has; that are of the session's time */
    bool uncut;               /* none is, and it is wanted all the same */
};

struct table {
    FILE *out; /* NULL: they are counted only */
    uint64_t session;
    int64_t lost, damaged; /* gaps; parts of a file */
    struct store_stay *stays;
    size_t stay_count;
    struct told_tape *tapes;
    size_t tape_count;
    struct told_tape *tape; /* that is gone through */
};

/* ---- a sample ---- */

static bool is_inside(const struct table *table, const struct device *device, int64_t time_ms)
{
    for (size_t i = 0; i < table->stay_count; i++) {
        const struct store_stay *stay = &table->stays[i];
        if (time_ms >= stay->from_ms && time_ms < stay->to_ms &&
            strcmp(stay->name, device->name) == 0 &&
            strcmp(stay->kind, device->driver->plugin->kind) == 0)
            return true;
    }
    return false;
}

/* Is it of the time of the session, whatever device it is of? */
static bool is_timely(const struct table *table, int64_t time_ms)
{
    bool later = false, earlier = false;
    for (size_t i = 0; i < table->stay_count; i++) {
        later |= time_ms >= table->stays[i].from_ms;
        earlier |= time_ms < table->stays[i].to_ms;
    }
    return later && earlier;
}

static void print_sample(FILE *out, const struct device *device, const struct lumbar_metric *metric,
                         int64_t time_ms, double value)
{
    char at[INSTANT_BYTES], number[64], unit[2 * LUMBAR_NAME_MAX];
    struct text text = text_in(number, sizeof(number)), units = text_in(unit, sizeof(unit));
    text_add_number(&text, value, metric->decimals);
    text_add_csv(&units, metric->unit);
    fprintf(out, "%s,%s/%s,%s,%s,%s\r\n", instant_write(time_ms, at), device->driver->plugin->kind,
            device->name, metric->name, unit,
            metric->labels != NULL ? metric->labels[(size_t)value] : number);
}

static void on_sample(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value)
{
    struct table *table = user;
    if (table->out == NULL) {
        table->tape->samples++;
        table->tape->timely += is_timely(table, time_ms);
    } else if (table->tape->uncut || is_inside(table, device, time_ms)) {
        print_sample(table->out, device, metric, time_ms, value);
    }
}

static void on_gap(void *user, const struct tape_block *gap)
{
    struct table *table = user;
    (void)gap;
    table->lost += table->out != NULL;
}

static void on_damage(void *user, const struct tape_part *part)
{
    struct table *table = user;
    if (table->out == NULL)
        return; /* it is said when it is told */
    fprintf(stderr, "lumbarctl: %zu bytes at %zu are passed over: %s\n", part->bytes, part->offset,
            part->why);
    table->damaged++;
}

/* ---- its recordings ---- */

static int add_tape(struct table *table, const char *folder, const char *file, struct diag *diag)
{
    struct told_tape *grown =
        realloc(table->tapes, (table->tape_count + 1) * sizeof(*table->tapes));
    if (grown == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    table->tapes = grown;
    struct told_tape *tape = &grown[table->tape_count++];
    *tape = (struct told_tape){.samples = 0};
    struct text path = text_in(tape->path, sizeof(tape->path));
    text_add(&path, "%s/%s", folder, file);
    return 0;
}

static int find_tapes(struct table *table, struct recording_place *place, struct diag *diag)
{
    struct tape_name *list;
    size_t names;
    const char *folder = recording_folder(place, diag);
    if (folder == NULL || tape_folder_list(folder, &list, &names, diag) != 0)
        return diag->code;
    int code = 0;
    for (size_t i = 0; i < names && code == 0; i++) {
        char path[PATH_MAX];
        struct tape_header header;
        if (recording_path(place, list[i].file, path, diag) == NULL)
            code = diag->code;
        else if (tape_file_header(path, &header) && header.session == table->session)
            code = add_tape(table, folder, list[i].file, diag);
    }
    free(list);
    if (code == 0 && table->tape_count == 0)
        return diag_set(diag, ERR_UNKNOWN, "there is no recording of session %" PRIu64 " in %s",
                        table->session, folder);
    return code;
}

static int run_tape(struct table *table, struct replay **replay, struct setup *setup,
                    struct recording_place *place, struct diag *diag)
{
    static const struct replay_listener news = {
        .on_sample = on_sample, .on_gap = on_gap, .on_damage = on_damage};
    struct replay_listener listener = news;
    struct tape_reader reader;
    uint8_t *bytes;
    listener.user = table;
    int code = recording_load(place, table->tape->path, &reader, &bytes, diag);
    if (code == 0 && *replay == NULL)
        code = replay_create(replay, setup, reader.header.room, &listener, diag);
    if (code == 0) {
        replay_enter(*replay, reader.header.room);
        replay_run(*replay, &reader);
    }
    free(bytes);
    return code;
}

/* All of them are one: what is derived goes on from one to the next. */
static int run_all(struct table *table, struct recording_place *place, struct diag *diag)
{
    struct setup setup;
    struct replay *replay = NULL;
    int code = setup_load(&setup, place->config, diag);
    if (code != 0)
        return code;
    for (size_t i = 0; i < table->tape_count && code == 0; i++) {
        table->tape = &table->tapes[i];
        code = run_tape(table, &replay, &setup, place, diag);
    }
    replay_destroy(replay);
    setup_fini(&setup);
    return code;
}

/* ---- can they be cut? ---- */

/* A tape keeps the times of a clock that nobody had set, while those of the session were put right:
 * then they have nothing in common. */
static int check_tape(struct told_tape *tape, uint64_t session, bool uncut, struct diag *diag)
{
    tape->uncut = tape->samples > 0 && tape->timely == 0;
    if (tape->uncut && !uncut)
        return diag_set(diag, ERR_CONFLICT,
                        "%s tells other times than session %" PRIu64
                        ": samples of others may be among them; --uncut tells them all the same",
                        tape->path, session);
    if (tape->uncut)
        fprintf(stderr,
                "lumbarctl: %s tells other times than the session: it is not cut at its ends\n",
                tape->path);
    return 0;
}

static int check_all(struct table *table, struct recording_place *place, bool uncut,
                     struct diag *diag)
{
    struct config *config;
    struct diag why = {0};
    int code = setup_read_config(place->config, &config, diag);
    if (code != 0)
        return code;
    code =
        store_stays(config->history.file, table->session, &table->stays, &table->stay_count, &why);
    config_destroy(config);
    if (code != 0 && !uncut)
        return diag_set(diag, code,
                        "%s: samples of others may be among those of its recordings; --uncut "
                        "tells them all the same",
                        why.text);
    if (code != 0)
        fprintf(stderr, "lumbarctl: %s\n", why.text);
    code = run_all(table, place, diag);
    for (size_t i = 0; i < table->tape_count && code == 0; i++)
        code = check_tape(&table->tapes[i], table->session, uncut, diag);
    return code;
}

static int tell_all(struct table *table, struct recording_place *place, const char *out, bool json)
{
    struct diag diag = {0};
    table->out = session_out(out);
    if (table->out == NULL)
        return CTL_FAILED;
    fputs("at,device,metric,unit,value\r\n", table->out);
    int code = run_all(table, place, &diag) == 0 ? 0 : ctl_complain(&diag);
    int closed = session_close_out(table->out, out, json);
    code = code != 0 ? code : closed;
    if (code == 0 && table->lost + table->damaged > 0) {
        fprintf(stderr,
                "lumbarctl: the recording is not whole: %" PRId64 " gaps, %" PRId64
                " damaged parts\n",
                table->lost, table->damaged);
        return CTL_FAILED;
    }
    return code;
}

int session_samples(const struct ask *ask, const char *id, const char *out, bool uncut)
{
    struct recording_place place = {.config = ask->config};
    struct table table = {.session = strtoull(id, NULL, 10)};
    struct diag diag = {0};
    if (table.session == 0) {
        fprintf(stderr, "lumbarctl: '%s' is no number of a session\n", id);
        return CTL_ARGUMENTS;
    }
    int code = find_tapes(&table, &place, &diag);
    if (code == 0)
        code = check_all(&table, &place, uncut, &diag);
    code = code == 0 ? tell_all(&table, &place, out, ask->json) : ctl_complain(&diag);
    free(table.stays);
    free(table.tapes);
    return code;
}
