#include "session_cut.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define FOLLOWS_MS                                                                                 \
    600000 /* a message that reaches over the end is heard so long after it, at most */

/* ---- its times ---- */

static bool is_inside(const struct session_cut *cut, const struct device *device, int64_t time_ms)
{
    for (size_t i = 0; i < cut->stay_count; i++) {
        const struct store_stay *stay = &cut->stays[i];
        if (time_ms >= stay->from_ms && time_ms < stay->to_ms &&
            strcmp(stay->name, device->name) == 0 &&
            strcmp(stay->kind, device->driver->plugin->kind) == 0)
            return true;
    }
    return false;
}

/* Is something from one time to another of the session's, whatever device it is of? */
static bool is_timely(const struct session_cut *cut, int64_t from_ms, int64_t to_ms)
{
    bool later = false, earlier = false;
    for (size_t i = 0; i < cut->stay_count; i++) {
        later |= to_ms >= cut->stays[i].from_ms;
        earlier |= from_ms < cut->stays[i].to_ms;
    }
    return later && earlier;
}

/* ---- its tapes ---- */

static int add_tape(struct session_cut *cut, const char *folder, const char *file, bool others,
                    struct diag *diag)
{
    struct cut_tape *grown = realloc(cut->tapes, (cut->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    cut->tapes = grown;
    struct cut_tape *tape = &grown[cut->count++];
    *tape = (struct cut_tape){.others = others};
    struct text path = text_in(tape->path, sizeof(tape->path));
    text_add(&path, "%s/%s", folder, file);
    cut->own += !others;
    return path.cut ? diag_set(diag, ERR_LIMIT, "the path of %s is too long", file) : 0;
}

static bool is_wanted(const struct session_cut *cut, const char *path, bool others)
{
    struct tape_summary tape;
    struct diag none = {0}; /* a file that is no recording is nobody's */
    if (!tape_file_header(path, &tape.header) || (tape.header.session == cut->session) == others)
        return false;
    return !others || (tape_file_summary(path, &tape, &none) == 0 && tape.messages > 0 &&
                       is_timely(cut, tape.first_ms - FOLLOWS_MS, tape.last_ms));
}

static int find_tapes(struct session_cut *cut, const char *folder, struct diag *diag)
{
    struct tape_name *list;
    size_t names;
    int code = tape_folder_list(folder, &list, &names, diag);
    if (code != 0)
        return code;
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < names && code == 0; i++) {
            char path[PATH_MAX + TAPE_NAME_BYTES];
            snprintf(path, sizeof(path), "%s/%s", folder, list[i].file);
            if (is_wanted(cut, path, others))
                code = add_tape(cut, folder, list[i].file, others, diag);
        }
    for (size_t i = 0; i < cut->count; i++)
        cut->tapes[i].name = strrchr(cut->tapes[i].path, '/') + 1;
    free(list);
    if (code == 0 && cut->own == 0)
        return diag_set(diag, ERR_UNKNOWN, "there is no recording of session %" PRIu64 " in %s",
                        cut->session, folder);
    return code;
}

/* ---- through the pipeline ---- */

struct run {
    struct session_cut *cut;
    const struct cut_listener *listener;
    struct cut_tape *tape;
    bool beyond; /* the message has something that is not the session's */
    uint32_t samples;
};

static void on_sample(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value)
{
    struct run *run = user;
    bool inside = is_inside(run->cut, device, time_ms);
    /* On the tape of another session totals are of that one. */
    bool derived =
        (size_t)(metric - device->driver->metrics) >= device->driver->plugin->metric_count;
    run->samples++;
    run->beyond |= !inside;
    run->tape->samples++;
    run->tape->timely += is_timely(run->cut, time_ms, time_ms);
    if (run->listener->on_sample != NULL && !(run->tape->others && derived) &&
        (inside || run->tape->uncut))
        run->listener->on_sample(run->listener->user, device, metric, time_ms, value);
}

/* What has no samples, as a device's state, is of whom it was heard in. */
static void on_taken(void *user, const struct tape_message *message, enum ingest_result result)
{
    struct run *run = user;
    bool timely = is_timely(run->cut, message->received_ms, message->received_ms);
    bool whole = result != INGEST_REFUSED && !run->beyond && (run->samples > 0 || timely);
    if (run->listener->on_message != NULL)
        run->listener->on_message(run->listener->user, run->tape, whole, result == INGEST_REFUSED);
    run->beyond = false;
    run->samples = 0;
}

static void on_gap(void *user, const struct tape_block *gap)
{
    struct run *run = user;
    (void)gap;
    if (run->listener->on_gap != NULL && !run->tape->others)
        run->listener->on_gap(run->listener->user);
}

static void on_damage(void *user, const struct tape_part *part)
{
    struct run *run = user;
    if (run->listener->on_damage != NULL && !run->tape->others)
        run->listener->on_damage(run->listener->user, part);
}

static int run_tape(struct run *run, struct replay *replay, struct recording_place *place,
                    struct diag *diag)
{
    struct tape_reader reader;
    uint8_t *bytes;
    int code = recording_load(place, run->tape->path, &reader, &bytes, diag);
    if (code == 0) {
        replay_enter(replay, reader.header.room);
        replay_run(replay, &reader);
    }
    free(bytes);
    return code;
}

/* One replay; or, of others, one each. */
static int run_some(struct run *run, struct recording_place *place, size_t from, size_t to,
                    struct diag *diag)
{
    const struct replay_listener listener = {.user = run,
                                             .on_sample = on_sample,
                                             .on_taken = on_taken,
                                             .on_gap = on_gap,
                                             .on_damage = on_damage};
    struct setup setup;
    struct replay *replay;
    int code = setup_load(&setup, place->config, diag);
    if (code != 0)
        return code;
    code = replay_create(&replay, &setup, "", &listener, diag);
    for (size_t i = from; i < to && code == 0; i++) {
        run->tape = &run->cut->tapes[i];
        run->tape->samples = run->tape->timely = 0;
        code = run_tape(run, replay, place, diag);
    }
    replay_destroy(replay);
    setup_fini(&setup);
    return code;
}

int cut_run(struct session_cut *cut, struct recording_place *place,
            const struct cut_listener *listener, struct diag *diag)
{
    struct run run = {.cut = cut, .listener = listener};
    int code = run_some(&run, place, 0, cut->own, diag);
    for (size_t i = cut->own; i < cut->count && code == 0; i++)
        code = run_some(&run, place, i, i + 1, diag);
    return code;
}

/* ---- found ---- */

int cut_find(struct session_cut *cut, struct recording_place *place, struct diag *why,
             struct diag *diag)
{
    static const struct cut_listener nobody;
    struct config *config;
    const char *folder = recording_folder(place, diag);
    if (folder == NULL || setup_read_config(place->config, &config, diag) != 0)
        return diag->code;
    store_stays(config->history.file, cut->session, &cut->stays, &cut->stay_count, why);
    config_destroy(config);
    int code = find_tapes(cut, folder, diag);
    if (code == 0 && why->code == 0)
        code = cut_run(cut, place, &nobody, diag);
    for (size_t i = 0; i < cut->own; i++)
        cut->tapes[i].uncut =
            why->code != 0 || (cut->tapes[i].samples > 0 && cut->tapes[i].timely == 0);
    return code;
}

void cut_fini(struct session_cut *cut)
{
    free(cut->stays);
    free(cut->tapes);
    cut->stays = NULL;
    cut->tapes = NULL;
    cut->count = cut->own = cut->stay_count = 0;
}
