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
#include "io/session_text.h"
#include "io/tape_folder.h"
#include "replay.h"

#define HISTORY_BYTES (1024 * 1024)
#define PATIENCE_MS   5000

/* The session whose tapes are gone through. */
struct found {
    uint64_t id; /* 0: they are of none */
    int64_t began_ms, ended_ms;
    char room[64]; /* that it was in at last */
    struct found_device {
        char kind[LUMBAR_NAME_MAX + 1], name[DEVICE_NAME_BYTES];
        int64_t from_ms, to_ms;
        uint64_t messages; /* up to the tape before */
    } * devices;
    uint32_t device_count;
    char *account; /* io/session_text.h; NULL: there is none */
    size_t account_bytes;
    struct tape_moves moves; /* of its times, and where it lies */
    uint64_t place;
    char *pieces; /* of one that is not yet whole */
    size_t pieces_bytes;
    unsigned part;
};

struct rebuild_tape {
    char file[TAPE_NAME_BYTES];
    struct tape_summary summary;
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
    struct found found;
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

/* Devices are numbered from 1 on, in the order in which the session had them. */
static bool note_device(struct found *found, const struct device *device,
                        const struct tape_summary *tape)
{
    struct found_device *of = device->id <= found->device_count ? &found->devices[device->id - 1]
                                                                : add_device(found, device);
    if (of == NULL)
        return false;
    if (device->messages == of->messages && of->to_ms != 0)
        return true; /* it says nothing on this tape */
    of->messages = device->messages;
    of->from_ms = tape->first_ms < of->from_ms ? tape->first_ms : of->from_ms;
    of->to_ms = tape->last_ms > of->to_ms ? tape->last_ms : of->to_ms;
    return true;
}

static void note_tape(struct rebuild *rebuild, const struct tape_summary *tape)
{
    struct found *found = &rebuild->found;
    struct devices *devices = replay_devices(rebuild->replay);
    if (tape->first_ms < found->began_ms)
        found->began_ms = tape->first_ms;
    if (tape->last_ms >= found->ended_ms) {
        found->ended_ms = tape->last_ms;
        snprintf(found->room, sizeof(found->room), "%s", tape->header.room);
    }
    for (uint32_t id = 1; id <= devices_count(devices); id++)
        rebuild->full |= !note_device(found, devices_at(devices, id), tape);
}

/* Its pieces stand one behind the other, or it is none. */
static void on_account(void *user, const struct note_account *piece, const struct tape_moves *moves,
                       uint64_t place)
{
    struct rebuild *rebuild = user;
    struct found *found = &rebuild->found;
    if (piece->session != found->id || (piece->part != 0 && piece->part != found->part))
        return;
    size_t had = piece->part == 0 ? 0 : found->pieces_bytes;
    char *grown = realloc(found->pieces, had + piece->bytes + 1);
    rebuild->full |= grown == NULL;
    if (grown == NULL)
        return;
    memcpy(grown + had, piece->text, piece->bytes);
    found->pieces = grown;
    found->pieces_bytes = had + piece->bytes;
    found->part = piece->part + 1;
    if (found->part < piece->parts)
        return;
    free(found->account);
    found->account = found->pieces;
    found->account_bytes = found->pieces_bytes;
    found->moves = *moves;
    found->place = place;
    found->pieces = NULL;
    found->pieces_bytes = found->part = 0;
}

static void forget(struct found *found)
{
    free(found->devices);
    free(found->account);
    free(found->pieces);
    *found = (struct found){.id = 0};
}

/* ---- what is put of it ---- */

static void put_note(struct rebuild *rebuild, uint32_t number, const char *text)
{
    const struct found *found = &rebuild->found;
    const struct store_value row[] = {store_int((int64_t)found->id),
                                      store_int(number),
                                      store_int(found->ended_ms),
                                      store_text("note"),
                                      store_text("hub"),
                                      store_text(text)};
    put(rebuild, STORE_SESSION_NOTE, row, sizeof(row) / sizeof(row[0]));
}

static void put_devices(struct rebuild *rebuild)
{
    const struct found *found = &rebuild->found;
    for (uint32_t i = 0; i < found->device_count; i++) {
        const struct found_device *of = &found->devices[i];
        const struct store_value row[] = {store_int((int64_t)found->id), store_int(i),
                                          store_text(of->kind),          store_text(of->name),
                                          store_int(of->from_ms),        store_int(of->to_ms)};
        put(rebuild, STORE_SESSION_DEVICE, row, sizeof(row) / sizeof(row[0]));
    }
}

/* By its messages alone: an earlier hub wrote no account. */
static void put_heard(struct rebuild *rebuild)
{
    const struct found *found = &rebuild->found;
    const struct store_value none = store_null();
    const struct store_value row[] = {store_int((int64_t)found->id),
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
    put(rebuild, STORE_SESSION, row, sizeof(row) / sizeof(row[0]));
    put_note(rebuild, 0,
             "Rebuilt from its recording, after the history was damaged: client, therapist, "
             "plan, phases, doses, pain, scores, adverse event and notes are not known.");
    put_devices(rebuild);
}

/* One session's account, as it is written into the store that is rebuilt. */
struct telling {
    struct rebuild *rebuild;
    struct store_value client;
};

static void put_row(void *user, enum store_table table, const struct store_value *row,
                    unsigned count)
{
    const struct telling *telling = user;
    struct store_value own[STORE_COLUMNS_MAX];
    memcpy(own, row, count * sizeof(*row));
    if (table == STORE_SESSION)
        own[1] = telling->client;
    put(telling->rebuild, table, own, count);
}

static void put_account(struct rebuild *rebuild, const struct session_text *text)
{
    struct session_text_facts facts;
    session_text_facts(text, &facts);
    if (facts.ended_ms != 0)
        rebuild->found.ended_ms = facts.ended_ms;
    struct telling telling = {rebuild, facts.client != 0
                                           ? store_int(STORE_WHOSE(facts.client, facts.client_ms))
                                           : store_null()};
    session_text_rows(text, rebuild->found.ended_ms, put_row, &telling);
    put_note(rebuild, facts.notes,
             facts.ended_ms != 0
                 ? "Rebuilt from its recording, after the history was damaged: as it was noted "
                   "there. Calibrations, and what was amended later, are not known."
                 : "Rebuilt from its recording, after the history was damaged: as it was noted "
                   "there before it ended. Doses and times are those of the last change; how it "
                   "ended, calibrations and what was amended later are not known.");
}

static void put_session(struct rebuild *rebuild)
{
    const struct found *found = &rebuild->found;
    struct session_text *text = NULL;
    struct diag why = {0};
    if (found->account != NULL &&
        session_text_read(&text, found->id, found->account, found->account_bytes,
                          &rebuild->setup.drivers, &rebuild->setup.body, &why) != 0)
        log_warn("store: the account of session %llu on its recording is not taken: %s",
                 (unsigned long long)found->id, why.text);
    if (text != NULL)
        session_text_move(text, &found->moves, found->place);
    if (text != NULL)
        put_account(rebuild, text);
    else
        put_heard(rebuild);
    session_text_destroy(text);
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

/* Each session has devices of its own numbers: what rules and derivations knew is of others. */
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

/* One that cannot be read costs itself only. */
static void take_tape(struct rebuild *rebuild, const struct rebuild_tape *tape)
{
    struct tape_reader reader;
    struct diag why = {0};
    char path[PATH_MAX];
    uint8_t *bytes;
    snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - TAPE_NAME_BYTES - 2,
             rebuild->options.recordings, tape->file);
    if (tape_file_open(path, &reader, &bytes, &why) == 0) {
        rebuild->tapes++;
        rebuild->lacking = false;
        rebuild->room = tape->summary.header.room;
        replay_enter(rebuild->replay, rebuild->room);
        replay_run(rebuild->replay, &reader);
        note_tape(rebuild, &tape->summary);
    } else {
        log_warn("store: %s is not taken: %s", tape->file, why.text);
    }
    free(bytes);
}

/* The tapes of one session, in their order, are one. */
static int take_session(struct rebuild *rebuild, const struct rebuild_tape *tapes, size_t count)
{
    const struct replay_listener listener = {
        .user = rebuild, .on_alarm = on_alarm, .on_account = on_account, .history_for = on_message};
    rebuild->found = (struct found){.id = tapes[0].summary.header.session, .began_ms = INT64_MAX};
    rebuild->alarms_before = rebuild->alarms;
    int code = begin_anew(rebuild);
    if (code == 0)
        code = replay_create(&rebuild->replay, &rebuild->setup, tapes[0].summary.header.room,
                             &listener, &rebuild->diag);
    if (code == 0)
        code = open_store(rebuild);
    for (size_t i = 0; i < count && code == 0 && !atomic_load(&rebuild->stop); i++)
        take_tape(rebuild, &tapes[i]);
    if (code == 0 && rebuild->found.id != 0 && rebuild->found.ended_ms != 0)
        put_session(rebuild);
    close_store(rebuild);
    replay_destroy(rebuild->replay);
    rebuild->replay = NULL;
    forget(&rebuild->found);
    if (code == 0 && rebuild->full)
        code = diag_set(&rebuild->diag, ERR_IO, "%s cannot be written", rebuild->file);
    return code;
}

/* ---- all of them ---- */

static int by_session(const void *a, const void *b)
{
    const struct rebuild_tape *left = a, *right = b;
    uint64_t of = left->summary.header.session, other = right->summary.header.session;
    if (of != other)
        return of < other ? -1 : 1;
    if (left->summary.first_ms != right->summary.first_ms)
        return left->summary.first_ms < right->summary.first_ms ? -1 : 1;
    return strcmp(left->file, right->file);
}

static int list_tapes(struct rebuild *rebuild, struct rebuild_tape **tapes, size_t *count)
{
    struct tape_name *names;
    size_t name_count;
    *count = 0;
    int code = tape_folder_list(rebuild->options.recordings, &names, &name_count, &rebuild->diag);
    if (code != 0)
        return code;
    *tapes = calloc(name_count + 1, sizeof(**tapes));
    if (*tapes == NULL)
        code = diag_set(&rebuild->diag, ERR_MEMORY, "no memory to rebuild the history");
    for (size_t i = 0; i < name_count && code == 0; i++) {
        char path[PATH_MAX];
        struct rebuild_tape *tape = &(*tapes)[*count];
        struct diag why = {0};
        snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX - TAPE_NAME_BYTES - 2,
                 rebuild->options.recordings, names[i].file);
        memcpy(tape->file, names[i].file, sizeof(tape->file));
        if (tape_file_summary(path, &tape->summary, &why) != 0)
            log_warn("store: %s is not taken: %s", tape->file, why.text);
        else
            *count += tape->summary.messages > 0;
    }
    free(names);
    if (code == 0)
        qsort(*tapes, *count, sizeof(**tapes), by_session);
    return code;
}

/* Each session that has something of the time that is lacking; what is of none, tape by tape. */
static int take_tapes(struct rebuild *rebuild, const struct rebuild_tape *tapes, size_t count)
{
    int code = 0;
    for (size_t i = 0, end; i < count && code == 0 && !atomic_load(&rebuild->stop); i = end) {
        const uint64_t session = tapes[i].summary.header.session;
        bool lacking = false;
        for (end = i; end < count && tapes[end].summary.header.session == session; end++) {
            if (session == 0 && end > i)
                break;
            lacking |= tapes[end].summary.last_ms > rebuild->options.lack.from_ms;
        }
        if (lacking)
            code = take_session(rebuild, &tapes[i], end - i);
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
    struct rebuild_tape *tapes = NULL;
    size_t count = 0;
    remove_old(rebuild);
    int code = setup_load(&rebuild->setup, rebuild->options.config_file, &rebuild->diag);
    if (code == 0)
        code = list_tapes(rebuild, &tapes, &count);
    if (code == 0)
        take_tapes(rebuild, tapes, count);
    free(tapes);
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
