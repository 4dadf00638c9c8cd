#include "rebuild.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "io/store_rows.h"
#include "io/tape_folder.h"
#include "replay.h"

#define HISTORY_BYTES (1024 * 1024)
#define PATIENCE_MS   5000

/* A session that is put together from its tapes, in whatever order they come. */
struct found {
    uint64_t id;
    int64_t began_ms, ended_ms;
    char room[64]; /* that it was in at last */
    struct found_device {
        char kind[LUMBAR_NAME_MAX + 1], name[DEVICE_NAME_BYTES];
        int64_t from_ms, to_ms;
    } * devices;
    uint32_t device_count;
};

struct rebuild {
    struct rebuild_options options;
    char file[PATH_MAX];
    pthread_t thread;
    _Atomic bool stop, ended;

    /* The thread's, until it has ended. */
    struct setup setup;
    struct store *store; /* of the file; NULL between two tapes */
    struct replay *replay;
    struct found *found;
    size_t found_count;
    const char *room;
    uint64_t position; /* made up: a place for each batch */
    uint64_t alarms,
        alarms_before; /* numbers given to alarms, and of them to those of other tapes */
    unsigned tapes;
    uint64_t messages;
    bool lacking; /* the message that goes through is one that the store has not */
    bool full;    /* the disk refused, or memory */
    struct diag diag;
};

/* ---- into the file ---- */

static void flush(struct rebuild *rebuild)
{
    if (!store_flush(rebuild->store, rebuild->options.lack.to_ms, ++rebuild->position))
        rebuild->full = true;
}

static void put(struct rebuild *rebuild, enum store_table table, const struct store_value *row,
                unsigned count)
{
    if (store_put(rebuild->store, table, row, count))
        return;
    flush(rebuild);
    if (!store_put(rebuild->store, table, row, count))
        rebuild->full = true;
}

uint64_t rebuild_sum(const char *topic, size_t topic_bytes, const uint8_t *payload,
                     size_t payload_bytes)
{
    return 31 * tape_sum(topic, topic_bytes) + tape_sum(payload, payload_bytes);
}

static int by_sum(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static bool is_lacking(const struct rebuild *rebuild, const struct tape_message *message)
{
    const struct rebuild_options *options = &rebuild->options;
    int64_t slack_ms = options->taken_count > 0 ? REBUILD_SLACK_MS : 0;
    if (message->received_ms <= options->lack.from_ms ||
        message->received_ms > options->lack.to_ms + slack_ms)
        return false;
    uint64_t sum =
        rebuild_sum(message->topic, message->topic_bytes, message->payload, message->payload_bytes);
    return options->taken_count == 0 ||
           bsearch(&sum, options->taken, options->taken_count, sizeof(sum), by_sum) == NULL;
}

/* Those before it make the devices known, so that what is repeated later is recognised. */
static struct history *on_message(void *user, const struct tape_message *message)
{
    struct rebuild *rebuild = user;
    rebuild->lacking = is_lacking(rebuild, message);
    if (!rebuild->lacking)
        return NULL;
    struct history *history = store_history(rebuild->store);
    if (history == NULL) {
        flush(rebuild);
        history = store_history(rebuild->store);
    }
    rebuild->messages++;
    return history;
}

static void on_alarm(void *user, const struct alarm *alarm, const struct device *device)
{
    static const struct alarm_hand nobody;
    struct rebuild *rebuild = user;
    struct alarm numbered = *alarm;
    numbered.number += rebuild->alarms_before;
    if (!rebuild->lacking) /* the store has it, of the same message */
        return;
    if (numbered.number > rebuild->alarms)
        rebuild->alarms = numbered.number;
    if (store_alarm(rebuild->store, &numbered, device, rebuild->room, &nobody))
        return;
    flush(rebuild);
    if (!store_alarm(rebuild->store, &numbered, device, rebuild->room, &nobody))
        rebuild->full = true;
}

/* ---- a session ---- */

static struct found *found_of(struct rebuild *rebuild, uint64_t id)
{
    for (size_t i = 0; i < rebuild->found_count; i++)
        if (rebuild->found[i].id == id)
            return &rebuild->found[i];
    struct found *grown =
        realloc(rebuild->found, (rebuild->found_count + 1) * sizeof(*rebuild->found));
    if (grown == NULL)
        return NULL;
    rebuild->found = grown;
    struct found *found = &grown[rebuild->found_count++];
    *found = (struct found){.id = id, .began_ms = INT64_MAX};
    return found;
}

static struct found_device *add_device(struct found *found, const struct device *device)
{
    struct found_device *grown =
        realloc(found->devices, (found->device_count + 1) * sizeof(*found->devices));
    if (grown == NULL)
        return NULL;
    found->devices = grown;
    struct found_device *of = &grown[found->device_count++];
    *of = (struct found_device){.from_ms = INT64_MAX};
    snprintf(of->kind, sizeof(of->kind), "%s", device->driver->plugin->kind);
    snprintf(of->name, sizeof(of->name), "%s", device->name);
    return of;
}

static bool note_device(struct found *found, const struct device *device,
                        const struct tape_summary *tape)
{
    const char *kind = device->driver->plugin->kind;
    uint32_t at = 0;
    while (at < found->device_count && (strcmp(found->devices[at].kind, kind) != 0 ||
                                        strcmp(found->devices[at].name, device->name) != 0))
        at++;
    struct found_device *of =
        at < found->device_count ? &found->devices[at] : add_device(found, device);
    if (of == NULL)
        return false;
    of->from_ms = tape->first_ms < of->from_ms ? tape->first_ms : of->from_ms;
    of->to_ms = tape->last_ms > of->to_ms ? tape->last_ms : of->to_ms;
    return true;
}

static void put_devices(struct rebuild *rebuild, const struct found *found)
{
    for (uint32_t i = 0; i < found->device_count; i++) {
        const struct found_device *of = &found->devices[i];
        const struct store_value row[] = {store_int((int64_t)found->id), store_int(i),
                                          store_text(of->kind),          store_text(of->name),
                                          store_int(of->from_ms),        store_int(of->to_ms)};
        put(rebuild, STORE_SESSION_DEVICE, row, sizeof(row) / sizeof(row[0]));
    }
}

static void put_session(struct rebuild *rebuild, const struct found *found)
{
    const struct store_value none = store_null(), id = store_int((int64_t)found->id);
    const struct store_value row[] = {id,
                                      none,
                                      none,
                                      store_text(found->room),
                                      none,
                                      store_text("done"),
                                      none,
                                      store_int(found->began_ms),
                                      store_int(found->began_ms),
                                      store_int(found->ended_ms),
                                      none,
                                      none,
                                      none,
                                      none,
                                      none,
                                      store_text("{}")};
    const struct store_value note[] = {
        id,
        store_int(0),
        store_int(found->ended_ms),
        store_text("note"),
        store_text("hub"),
        store_text("Rebuilt from its recording, after the history was damaged: client, therapist, "
                   "plan, phases, doses, pain, scores, adverse event and notes are not known.")};
    put(rebuild, STORE_SESSION, row, sizeof(row) / sizeof(row[0]));
    put(rebuild, STORE_SESSION_NOTE, note, sizeof(note) / sizeof(note[0]));
    put_devices(rebuild, found);
}

/* A long session has several tapes, and so has one that changed rooms: with each it is put anew, as
 * far as it is known by then. */
static void note_session(struct rebuild *rebuild, const struct tape_summary *tape)
{
    struct devices *devices = replay_devices(rebuild->replay);
    if (tape->header.session == 0)
        return;
    struct found *found = found_of(rebuild, tape->header.session);
    if (found == NULL) {
        rebuild->full = true;
        return;
    }
    if (tape->first_ms < found->began_ms)
        found->began_ms = tape->first_ms;
    if (tape->last_ms >= found->ended_ms) {
        found->ended_ms = tape->last_ms;
        snprintf(found->room, sizeof(found->room), "%s", tape->header.room);
    }
    for (uint32_t id = 1; id <= devices_count(devices); id++)
        rebuild->full |= !note_device(found, devices_at(devices, id), tape);
    put_session(rebuild, found);
}

/* ---- a tape ---- */

static int open_store(struct rebuild *rebuild)
{
    const struct store_options options = {
        .file = rebuild->file,
        .history_bytes = HISTORY_BYTES,
        .max_devices = (uint32_t)rebuild->setup.config->devices.max,
        .drivers = &rebuild->setup.drivers,
        .devices = replay_devices(rebuild->replay),
        .seconds_days = 36500,
        .size_bytes = INT64_MAX,
        .patience_ms = PATIENCE_MS,
        .ring = 1,
        .head = UINT64_MAX,
    };
    int code = store_open(&rebuild->store, &options, rebuild->options.lack.to_ms, &rebuild->diag);
    if (code == 0)
        code = store_start(rebuild->store, NULL, NULL, &rebuild->diag);
    return code;
}

static void close_store(struct rebuild *rebuild)
{
    if (rebuild->store == NULL)
        return;
    store_stop(rebuild->store, rebuild->options.lack.to_ms, ++rebuild->position);
    store_close(rebuild->store);
    rebuild->store = NULL;
}

/* Each tape has devices of its own numbers: what rules and derivations knew is of others. */
static int begin_anew(struct rebuild *rebuild)
{
    struct setup *setup = &rebuild->setup;
    struct rules *rules;
    int code = setup_read_rules(rebuild->options.config_file, setup->config, &setup->drivers,
                                setup->derive, &rules, &rebuild->diag);
    if (code != 0)
        return code;
    rules_destroy(setup->rules);
    setup->rules = rules;
    derive_clear(setup->derive);
    return 0;
}

static int take_tape(struct rebuild *rebuild, const char *path, const struct tape_summary *tape)
{
    const struct replay_listener listener = {
        .user = rebuild, .on_alarm = on_alarm, .history_for = on_message};
    struct tape_reader reader;
    uint8_t *bytes;
    int code = tape_file_open(path, &reader, &bytes, &rebuild->diag);
    if (code == 0)
        code = begin_anew(rebuild);
    if (code == 0)
        code = replay_create(&rebuild->replay, &rebuild->setup, tape->header.room, &listener,
                             &rebuild->diag);
    if (code == 0)
        code = open_store(rebuild);
    if (code == 0) {
        rebuild->tapes++;
        rebuild->lacking = false;
        rebuild->room = tape->header.room;
        rebuild->alarms_before = rebuild->alarms;
        replay_run(rebuild->replay, &reader);
        note_session(rebuild, tape);
    }
    close_store(rebuild);
    replay_destroy(rebuild->replay);
    rebuild->replay = NULL;
    free(bytes);
    if (code == 0 && rebuild->full)
        code = diag_set(&rebuild->diag, ERR_IO, "%s cannot be written", rebuild->file);
    return code;
}

/* One that cannot be read costs itself only. */
static int take_tapes(struct rebuild *rebuild, const struct tape_name *list, size_t count)
{
    int code = 0;
    for (size_t i = 0; i < count && code == 0 && !atomic_load(&rebuild->stop); i++) {
        char path[PATH_MAX];
        struct tape_summary tape;
        struct diag why = {0};
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - TAPE_NAME_BYTES - 2,
                 rebuild->options.recordings, list[i].file);
        if (tape_file_summary(path, &tape, &why) != 0)
            log_warn("store: %s is not taken: %s", list[i].file, why.text);
        else if (tape.messages > 0 && tape.last_ms > rebuild->options.lack.from_ms)
            code = take_tape(rebuild, path, &tape);
    }
    return code;
}

/* ---- the thread ---- */

static void remove_old(const struct rebuild *rebuild)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char path[PATH_MAX + 8];
        snprintf(path, sizeof(path), "%s%s", rebuild->file, parts[i]);
        unlink(path);
    }
}

static void *run(void *user)
{
    struct rebuild *rebuild = user;
    struct tape_name *list = NULL;
    size_t count = 0;
    remove_old(rebuild);
    int code = setup_load(&rebuild->setup, rebuild->options.config_file, &rebuild->diag);
    if (code == 0)
        code = tape_folder_list(rebuild->options.recordings, &list, &count, &rebuild->diag);
    if (code == 0)
        take_tapes(rebuild, list, count);
    free(list);
    setup_fini(&rebuild->setup);
    atomic_store(&rebuild->ended, true);
    rebuild->options.wake(rebuild->options.user);
    return NULL;
}

/* ---- the loop's side ---- */

int rebuild_start(struct rebuild **out, const struct rebuild_options *options, struct diag *diag)
{
    struct rebuild *rebuild = calloc(1, sizeof(*rebuild));
    *out = NULL;
    if (rebuild == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory to rebuild the history");
    rebuild->options = *options;
    snprintf(rebuild->file, sizeof(rebuild->file), "%s", options->file);
    sigset_t all, before; /* signals are the loop's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&rebuild->thread, NULL, run, rebuild);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        free(rebuild);
        return diag_set(diag, ERR_MEMORY, "cannot start a thread: %s", strerror(rc));
    }
    pthread_setname_np(rebuild->thread, "rebuild");
    *out = rebuild;
    return 0;
}

bool rebuild_has_ended(const struct rebuild *rebuild, unsigned *tapes, uint64_t *messages,
                       struct diag *diag)
{
    if (!atomic_load(&rebuild->ended))
        return false;
    *tapes = rebuild->tapes;
    *messages = rebuild->messages;
    *diag = rebuild->diag;
    return true;
}

void rebuild_destroy(struct rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    atomic_store(&rebuild->stop, true);
    pthread_join(rebuild->thread, NULL);
    for (size_t i = 0; i < rebuild->found_count; i++)
        free(rebuild->found[i].devices);
    free(rebuild->found);
    free(rebuild);
}

uint64_t rebuild_newest_session(const char *recordings)
{
    struct tape_name *list;
    size_t count;
    uint64_t newest = 0;
    struct diag diag = {0};
    if (tape_folder_list(recordings, &list, &count, &diag) != 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct tape_header of;
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - TAPE_NAME_BYTES - 2, recordings,
                 list[i].file);
        if (tape_file_header(path, &of) && of.session > newest)
            newest = of.session;
    }
    free(list);
    return newest;
}
