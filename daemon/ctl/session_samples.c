/*
 * lumbarctl session csv --samples: every value of a session, decoded from its recordings.
 *
 * A message lies whole on one tape, though it may reach over the session's begin or end, into the
 * session of somebody else: what was not taken while its device was in the session is left out.
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

struct table {
    FILE *out;
    uint64_t session, samples;
    int64_t lost, damaged; /* gaps; parts of a file */
    struct store_stay *stays;
    size_t stay_count;
    bool cuts; /* the tape that is read is told by the stays' clock */
};

static bool is_of_session(const struct table *table, const struct device *device, int64_t time_ms)
{
    for (size_t i = 0; i < table->stay_count; i++) {
        const struct store_stay *stay = &table->stays[i];
        if (time_ms >= stay->from_ms && time_ms < stay->to_ms &&
            strcmp(stay->name, device->name) == 0 &&
            strcmp(stay->kind, device->driver->plugin->kind) == 0)
            return true;
    }
    return !table->cuts;
}

/* A tape whose list of moved times is gone tells those of a clock that nobody had set, while the
 * session's were put right: then they have nothing in common. */
static bool is_of_that_clock(const struct table *table, const struct tape_summary *tape)
{
    for (size_t i = 0; i < table->stay_count; i++)
        if (tape->last_ms >= table->stays[i].from_ms && tape->first_ms < table->stays[i].to_ms)
            return true;
    return false;
}

static void on_sample(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value)
{
    struct table *table = user;
    if (!is_of_session(table, device, time_ms))
        return;
    char at[INSTANT_BYTES], number[64], unit[2 * LUMBAR_NAME_MAX];
    struct text text = text_in(number, sizeof(number)), units = text_in(unit, sizeof(unit));
    text_add_number(&text, value, metric->decimals);
    text_add_csv(&units, metric->unit);
    table->samples++;
    fprintf(table->out, "%s,%s/%s,%s,%s,", instant_write(time_ms, at), device->driver->plugin->kind,
            device->name, metric->name, unit);
    if (metric->labels != NULL)
        fprintf(table->out, "%s\r\n", metric->labels[(size_t)value]);
    else
        fprintf(table->out, "%s\r\n", number);
}

static void on_gap(void *user, const struct tape_block *gap)
{
    (void)gap;
    ((struct table *)user)->lost++;
}

static void on_damage(void *user, const struct tape_part *part)
{
    fprintf(stderr, "lumbarctl: %zu bytes at %zu are passed over: %s\n", part->bytes, part->offset,
            part->why);
    ((struct table *)user)->damaged++;
}

static int run_tape(struct table *table, struct setup *setup, const char *file,
                    struct tape_reader *reader, struct diag *diag)
{
    const struct replay_listener listener = {
        .user = table, .on_sample = on_sample, .on_gap = on_gap, .on_damage = on_damage};
    struct replay *replay;
    struct config *config;
    int code = setup_read_config(file, &config, diag); /* a replay leaves its one room in it */
    if (code != 0)
        return code;
    config_destroy(setup->config);
    setup->config = config;
    derive_clear(setup->derive);
    code = replay_create(&replay, setup, reader->header.room, &listener, diag);
    if (code == 0)
        replay_run(replay, reader);
    if (code == 0)
        replay_destroy(replay);
    return code;
}

/* Is it one of this session's? Then it is decoded. */
static int take_file(struct table *table, struct setup *setup, struct recording_place *place,
                     const char *file, unsigned *found, struct diag *diag)
{
    struct tape_reader reader;
    uint8_t *bytes;
    struct tape_summary summary;
    char path[PATH_MAX];
    struct diag other = {0}; /* a file that is no recording is not this session's */
    if (recording_path(place, file, path, diag) == NULL)
        return diag->code;
    if (tape_file_summary(path, &summary, &other) != 0 || summary.header.session != table->session)
        return 0;
    (*found)++;
    table->cuts = is_of_that_clock(table, &summary);
    if (!table->cuts)
        fprintf(stderr,
                "lumbarctl: %s tells other times than the session: it is not cut at its ends\n",
                file);
    int code = recording_load(place, path, &reader, &bytes, diag);
    if (code == 0)
        code = run_tape(table, setup, place->config, &reader, diag);
    free(bytes);
    return code;
}

static int take_all(struct table *table, struct setup *setup, struct recording_place *place,
                    struct diag *diag)
{
    struct tape_name *list;
    size_t names;
    unsigned found = 0;
    const char *folder = recording_folder(place, diag);
    if (folder == NULL || tape_folder_list(folder, &list, &names, diag) != 0)
        return diag->code;
    int code = 0;
    for (size_t i = 0; i < names && code == 0; i++)
        code = take_file(table, setup, place, list[i].file, &found, diag);
    free(list);
    if (code == 0 && found == 0)
        return diag_set(diag, ERR_UNKNOWN, "there is no recording of session %" PRIu64 " in %s",
                        table->session, folder);
    return code;
}

int session_samples(const struct ask *ask, const char *id, const char *out)
{
    struct recording_place place = {.config = ask->config};
    struct table table = {.session = strtoull(id, NULL, 10)};
    struct setup setup;
    struct diag diag = {0};
    if (table.session == 0) {
        fprintf(stderr, "lumbarctl: '%s' is no number of a session\n", id);
        return CTL_ARGUMENTS;
    }
    if (setup_load(&setup, ask->config, &diag) != 0)
        return ctl_complain(&diag);
    table.out = session_out(out);
    int code = CTL_FAILED;
    if (table.out != NULL && store_stays(setup.config->history.file, table.session, &table.stays,
                                         &table.stay_count, &diag) != 0)
        fprintf(stderr, "lumbarctl: %s\n", diag.text);
    diag = (struct diag){0};
    if (table.out != NULL) {
        fputs("at,device,metric,unit,value\r\n", table.out);
        code = take_all(&table, &setup, &place, &diag) == 0 ? 0 : ctl_complain(&diag);
        int closed = session_close_out(table.out, out, ask->json);
        code = code != 0 ? code : closed;
    }
    setup_fini(&setup);
    free(table.stays);
    if (code == 0 && table.lost + table.damaged > 0) {
        fprintf(stderr,
                "lumbarctl: the recording is not whole: %" PRId64 " gaps, %" PRId64
                " damaged parts\n",
                table.lost, table.damaged);
        return CTL_FAILED;
    }
    return code;
}
