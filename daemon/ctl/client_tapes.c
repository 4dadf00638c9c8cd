/*
 * The recordings of a client's session, given out: nobody else's samples are in them.
 *
 * A recording is messages as they came, and one that reaches over the session's begin or end cannot
 * be cut. It is left out, and so is what cannot be decoded, for nobody knows what is in it. The
 * client's own samples of such messages are in a table beside it; those of the last one may lie on
 * the recording of whoever came next.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "core/tape_note.h"
#include "ctl.h"
#include "session.h"
#include "session_cut.h"
#include "tape_copy.h"

struct given_sample {
    const struct device *device;
    const struct lumbar_metric *metric;
    int64_t time_ms;
    double value;
};

/* One of the session's own recordings. */
struct given_tape {
    bool *whole; /* by message, in their order: may it be given? */
    size_t count, room, next;
    uint64_t beyond, unreadable; /* that may not: for what it has of others; for nobody knows */
};

struct giving {
    struct session_cut cut;
    struct recording_place place;
    struct given_tape *tapes;     /* of cut.tapes, its own */
    struct given_sample *samples; /* of the message that goes through */
    size_t count, room;
    FILE *table;
    uint64_t in_table;
    bool full; /* no memory */
};

/* ---- what belongs to whom ---- */

static void on_sample(void *user, const struct device *device, const struct lumbar_metric *metric,
                      int64_t time_ms, double value)
{
    struct giving *giving = user;
    if (giving->count == giving->room) {
        size_t room = giving->room == 0 ? 256 : giving->room * 2;
        struct given_sample *grown = realloc(giving->samples, room * sizeof(*grown));
        giving->full |= grown == NULL;
        if (grown == NULL)
            return;
        giving->samples = grown;
        giving->room = room;
    }
    giving->samples[giving->count++] = (struct given_sample){device, metric, time_ms, value};
}

static void add_verdict(struct giving *giving, struct given_tape *tape, bool whole)
{
    if (tape->count == tape->room) {
        size_t room = tape->room == 0 ? 1024 : tape->room * 2;
        bool *grown = realloc(tape->whole, room * sizeof(*grown));
        giving->full |= grown == NULL;
        if (grown == NULL)
            return;
        tape->whole = grown;
        tape->room = room;
    }
    tape->whole[tape->count++] = whole;
}

static void on_message(void *user, const struct cut_tape *of, bool whole, bool refused)
{
    struct giving *giving = user;
    if (of->uncut)
        giving->count = 0; /* whose they are, nobody knows */
    if (!of->others) {
        struct given_tape *tape = &giving->tapes[of - giving->cut.tapes];
        add_verdict(giving, tape, whole);
        tape->beyond += !whole && !refused;
        tape->unreadable += refused;
    }
    for (size_t i = 0; i < giving->count && (of->others || !whole); i++, giving->in_table++) {
        const struct given_sample *sample = &giving->samples[i];
        session_print_sample(giving->table, sample->device, sample->metric, sample->time_ms,
                             sample->value);
    }
    giving->count = 0;
}

/* ---- given ---- */

/* Notes are of the session that the recording is of. */
static bool wants(void *user, const struct tape_message *message)
{
    struct given_tape *tape = user;
    return note_is(message, NULL) || (tape->next < tape->count && tape->whole[tape->next++]);
}

static int give_tape(struct giving *giving, size_t at, const char *folder, json_t *told)
{
    const struct cut_tape *of = &giving->cut.tapes[at];
    struct given_tape *tape = &giving->tapes[at];
    struct tape_copy copy;
    struct tape_reader reader;
    struct diag diag = {0};
    uint8_t *bytes;
    char path[PATH_MAX];
    if (of->uncut) {
        fprintf(stderr,
                "lumbarctl: %s is not given: what of it is of session %" PRIu64
                " alone cannot be told\n",
                of->name, giving->cut.session);
        json_object_set_new(told, "given", json_false());
        return CTL_FAILED;
    }
    snprintf(path, sizeof(path), "%s/%s", folder, of->name);
    if (recording_load(&giving->place, of->path, &reader, &bytes, &diag) != 0)
        return ctl_complain(&diag);
    int code = tape_copy(&copy, &reader, path, wants, tape, &diag);
    free(bytes);
    if (code != 0)
        return ctl_complain(&diag);
    json_object_set_new(told, "given", json_true());
    json_object_set_new(told, "bytes", json_integer((json_int_t)copy.bytes));
    json_object_set_new(told, "left_out_beyond", json_integer((json_int_t)tape->beyond));
    json_object_set_new(told, "left_out_unreadable", json_integer((json_int_t)tape->unreadable));
    return copy.left_out_bytes > 0 ? CTL_FAILED : 0;
}

static json_t *told_of(const json_t *document, const char *name)
{
    json_t *list = json_object_get(document, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(ask_string(json_array_get(list, i), "name"), name) == 0)
            return json_incref(json_array_get(list, i));
    return json_object(); /* it was begun since the hub was asked */
}

static int give_all(struct giving *giving, const char *folder, const json_t *document)
{
    int code = 0;
    for (size_t i = 0; i < giving->cut.own; i++) {
        json_t *told = told_of(document, giving->cut.tapes[i].name);
        int failed = give_tape(giving, i, folder, told);
        code = code != 0 ? code : failed;
        json_decref(told);
    }
    return code;
}

/* Gone through before anything is given: all that is the client's is in the table, then. */
static int judge(struct giving *giving, const char *folder, struct diag *diag)
{
    const struct cut_listener listener = {
        .user = giving, .on_sample = on_sample, .on_message = on_message};
    char name[64], *text = NULL;
    size_t bytes = 0;
    giving->tapes = calloc(giving->cut.own, sizeof(*giving->tapes));
    giving->table = open_memstream(&text, &bytes);
    if (giving->tapes == NULL || giving->table == NULL)
        giving->full = true;
    int code = 0;
    if (!giving->full) {
        fputs(SESSION_SAMPLES_HEAD, giving->table);
        code = cut_run(&giving->cut, &giving->place, &listener, diag);
    }
    if (giving->table != NULL)
        giving->full |= fclose(giving->table) != 0;
    if (giving->full)
        code = diag_set(diag, ERR_MEMORY, "out of memory");
    snprintf(name, sizeof(name), "session-%" PRIu64 ".ends.csv", giving->cut.session);
    if (code == 0 && giving->in_table > 0 && client_save(folder, name, text, bytes) != 0)
        code = ERR_IO;
    free(text);
    return code;
}

static void fini(struct giving *giving)
{
    for (size_t i = 0; i < giving->cut.own && giving->tapes != NULL; i++)
        free(giving->tapes[i].whole);
    free(giving->tapes);
    free(giving->samples);
    cut_fini(&giving->cut);
}

int client_give_tapes(const struct ask *ask, const char *folder, const json_t *document,
                      uint64_t session)
{
    struct giving giving = {
        .cut = {.session = session},
        .place = {.config = ask->config, .folder = ask_string(document, "recordings_folder")}};
    struct diag diag = {0}, why = {0};
    int code = cut_find(&giving.cut, &giving.place, &why, &diag);
    if (code == ERR_UNKNOWN) { /* nothing was recorded of it, or it is gone */
        cut_fini(&giving.cut);
        return 0;
    }
    if (code == 0)
        code = judge(&giving, folder, &diag);
    if (code == 0)
        code = give_all(&giving, folder, document);
    else if (diag.code != 0)
        code = ctl_complain(&diag);
    fini(&giving);
    return code < 0 ? CTL_FAILED : code;
}
