#include "io/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "io/recorder_state.h"

#define BLOCK_AGE_MS       60000  /* a block is handed over at that age */
#define FIRST_BLOCK_AGE_MS 1000   /* the first of a run: then the tape knows the spool's ring */
#define SILENCE_MS         600000 /* a tape that hears nothing for so long is finished */
#define HOUR_MS            3600000
#define SPARE_JOBS         8

static const struct tape_header no_header;

/* ---- what a run before left ---- */

static struct recorder_track *track_named(struct recorder *recorder, const char *room)
{
    struct recorder_track *unused = NULL;
    for (unsigned i = 0; i < RECORDER_TRACKS; i++) {
        struct recorder_track *track = &recorder->tracks[i];
        if (strcmp(track->room, room) == 0)
            return track;
        if (unused == NULL && track->room[0] == '\0')
            unused = track;
    }
    if (unused != NULL) {
        *unused = (struct recorder_track){0};
        snprintf(unused->room, sizeof(unused->room), "%s", room);
    }
    return unused;
}

static void learn_covered(struct recorder *recorder, struct recorder_track *track,
                          const struct tape_block *newest)
{
    if (newest->ring != recorder->options.ring)
        track->others = true;
    else if (newest->to > track->covered)
        track->covered = newest->to < recorder->options.head ? newest->to : recorder->options.head;
}

/* An open tape that another one of its room follows: nothing will be added to it. */
static void finish_stale(struct recorder *recorder, struct recorder_file *file)
{
    if (!recorder_file_finish(file, recorder->folder)) {
        log_error("recorder: %s could not be finished: %s", file->name.file, strerror(errno));
        recorder_file_close(file);
    }
}

static void take_up(struct recorder *recorder, struct recorder_track *track,
                    const struct tape_name *name)
{
    struct recorder_file *file = &recorder->files[track - recorder->tracks];
    uint64_t torn;
    if (file->fd >= 0)
        finish_stale(recorder, file);
    if (!recorder_file_take_up(file, recorder->folder, name, &torn)) {
        int error = errno;
        if (recorder_file_drop_begun(recorder->folder, name))
            log_notice("recorder: %s had just been begun, and is removed: nothing is in it",
                       name->file);
        else
            log_error("recorder: %s is not gone on with: %s", name->file,
                      error != 0 ? strerror(error) : "it is no recording");
        track->open = false;
        return;
    }
    if (torn > 0)
        log_warn("recorder: %s: %llu bytes of its tail were torn, and cut off", name->file,
                 (unsigned long long)torn);
    track->open = true;
    track->session = file->header.session;
    track->opened_ms = file->header.start_ms;
    track->heard_ms = file->last_ms != 0 ? file->last_ms : file->header.start_ms;
    if (file->newest.kind == 0)
        return;
    learn_covered(recorder, track, &file->newest);
    /* Places that it did not cover were given away: whether its room said something, nobody knows.
     */
    if (file->newest.ring == recorder->options.ring && file->newest.to < recorder->options.tail)
        track->lost = (struct tape_block){.kind = TAPE_GAP,
                                          .from = file->newest.to,
                                          .to = recorder->options.tail,
                                          .first_ms = file->last_ms,
                                          .last_ms = file->last_ms};
}

/* The newest finished tape of a room says how far it came; older ones are not looked at. */
static int look_around(struct recorder *recorder, struct diag *diag)
{
    struct tape_name *list;
    size_t count;
    bool known[RECORDER_TRACKS] = {false};
    if (recorder->folder < 0)
        return 0;
    int code = tape_folder_list(recorder->folder_name, &list, &count, diag);
    if (code != 0)
        return code;
    for (size_t i = count; i-- > 0;) {
        struct recorder_track *track = track_named(recorder, list[i].room);
        if (track == NULL)
            continue;
        size_t number = (size_t)(track - recorder->tracks);
        struct tape_block newest;
        if (list[i].start_ms > recorder->newest_name_ms[number])
            recorder->newest_name_ms[number] = list[i].start_ms;
        if (list[i].open || known[number])
            continue;
        known[number] = recorder_file_newest(recorder->folder, &list[i], &newest);
        if (known[number])
            learn_covered(recorder, track, &newest);
    }
    for (size_t i = 0; i < count; i++) {
        struct recorder_track *track = list[i].open ? track_named(recorder, list[i].room) : NULL;
        if (track != NULL)
            take_up(recorder, track, &list[i]);
    }
    free(list);
    return 0;
}

/* ---- open, start ---- */

int recorder_open_folder(struct recorder *recorder, struct diag *diag)
{
    const char *name = recorder->folder_name;
    if (mkdir(name, 0750) != 0 && errno != EEXIST)
        return 0;
    int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return diag_set(diag, ERR_IO, "cannot open the folder of recordings %s: %s", name,
                        strerror(errno));
    struct diag trouble = {0};
    int code = lock_take(folder, name, &trouble);
    if (code != 0) {
        close(folder);
        return diag_set(diag, code, "recordings: %s", trouble.text);
    }
    recorder->folder = folder;
    return 0;
}

/* Pages are the system's until they are written to. */
static int make_jobs(struct recorder *recorder, struct diag *diag)
{
    size_t count = 2 * (size_t)recorder->options.rooms + SPARE_JOBS;
    recorder->packer = tape_packer_create();
    recorder->jobs = calloc(count, sizeof(*recorder->jobs));
    recorder->memory = malloc(count * TAPE_GATHER_BYTES);
    if (recorder->packer == NULL || recorder->jobs == NULL || recorder->memory == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the recorder");
    for (size_t i = 0; i < count; i++) {
        struct recorder_job *job = &recorder->jobs[i];
        job->gather.bytes = recorder->memory + i * TAPE_GATHER_BYTES;
        job->next = i + 1 < count ? job + 1 : NULL;
    }
    recorder->free.first = recorder->jobs;
    recorder->job_count = (unsigned)count;
    return 0;
}

int recorder_open(struct recorder **out, const struct recorder_options *options, struct diag *diag)
{
    *out = NULL;
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (recorder == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the recorder");
    recorder->options = *options;
    recorder->synced = RECORDER_NONE;
    atomic_store(&recorder->turned_ms, clock_mono_ns() / 1000000);
    recorder->folder = -1;
    snprintf(recorder->folder_name, sizeof(recorder->folder_name), "%s", options->folder);
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        recorder->files[i].fd = -1;
    pthread_mutex_init(&recorder->mutex, NULL);
    pthread_cond_init(&recorder->freed, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&recorder->due, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = recorder_open_folder(recorder, diag);
    if (code == 0)
        code = make_jobs(recorder, diag);
    if (code == 0)
        code = look_around(recorder, diag);
    if (code != 0) {
        recorder_close(recorder);
        return code;
    }
    *out = recorder;
    return 0;
}

int recorder_start(struct recorder *recorder, struct diag *diag)
{
    /* Signals are the loop's; SIGXFSZ, blocked here, becomes an error like others. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&recorder->thread, NULL, recorder_run, recorder);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return diag_set(diag, ERR_MEMORY, "cannot start the recorder's thread: %s", strerror(rc));
    pthread_setname_np(recorder->thread, "recorder");
    recorder->started = true;
    return 0;
}

/* ---- between the threads ---- */

static void hand_over(struct recorder *recorder, struct recorder_track *track)
{
    struct recorder_job *job = track->filling;
    track->filling = NULL;
    track->proven = true;
    job->next = NULL;
    pthread_mutex_lock(&recorder->mutex);
    if (recorder->queue.first == NULL)
        recorder->queue.first = job;
    else
        recorder->queue.last->next = job;
    recorder->queue.last = job;
    pthread_cond_signal(&recorder->due);
    pthread_mutex_unlock(&recorder->mutex);
}

static struct recorder_job *take_free(struct recorder *recorder, bool patient)
{
    pthread_mutex_lock(&recorder->mutex);
    while (patient && recorder->started && recorder->free.first == NULL &&
           recorder->refused_ms == 0)
        pthread_cond_wait(&recorder->freed, &recorder->mutex);
    struct recorder_job *job = recorder->free.first;
    if (job != NULL)
        recorder->free.first = job->next;
    pthread_mutex_unlock(&recorder->mutex);
    return job;
}

/* A block to be filled; it also carries what was lost before it. NULL: there is none. */
static struct recorder_job *begin_job(struct recorder *recorder, struct recorder_track *track,
                                      int64_t now_ms, bool patient)
{
    struct recorder_job *job = take_free(recorder, patient);
    if (job == NULL)
        return NULL;
    job->track = (unsigned)(track - recorder->tracks);
    job->header = no_header;
    snprintf(job->header.version, sizeof(job->header.version), "%s", LUMBAR_VERSION);
    snprintf(job->header.room, sizeof(job->header.room), "%s", track->room);
    job->header.session = track->session;
    job->header.start_ms = now_ms;
    job->gap = track->lost;
    job->gap.ring = recorder->options.ring;
    track->lost.kind = (enum tape_kind)0;
    job->from = job->to = 0;
    job->begun_ms = now_ms;
    job->ends = false;
    tape_gather_clear(&job->gather);
    track->filling = job;
    return job;
}

static void end_tape(struct recorder *recorder, struct recorder_track *track, int64_t now_ms)
{
    if (!track->open)
        return;
    if (track->filling == NULL && begin_job(recorder, track, now_ms, false) == NULL)
        return; /* the disk refuses; the next attempt is at the next tick */
    track->filling->ends = true;
    hand_over(recorder, track);
    track->open = false;
}

/* ---- rooms ---- */

static bool is_named(const char *room, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], room) == 0)
            return true;
    return false;
}

/* Of a room that is no longer there, and has nothing on its way to the disk. */
static void release(struct recorder_track *track)
{
    if (!track->wanted && !track->open && track->filling == NULL)
        track->room[0] = '\0';
}

void recorder_rooms(struct recorder *recorder, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < RECORDER_TRACKS; i++) {
        struct recorder_track *track = &recorder->tracks[i];
        track->wanted = track->room[0] != '\0' && is_named(track->room, names, count);
        release(track);
    }
    for (unsigned i = 0; i < CONFIG_ROOMS_MAX; i++)
        recorder->track_of_room[i] = RECORDER_TRACKS;
    for (unsigned i = 0; i < count && i < CONFIG_ROOMS_MAX; i++) {
        struct recorder_track *track = track_named(recorder, names[i]);
        if (track == NULL) { /* many rooms were renamed at once, and their tapes are still open */
            log_error("recorder: no place for one more room: %s is not recorded", names[i]);
            recorder->tracks_refused++;
            continue;
        }
        track->wanted = true;
        recorder->track_of_room[i] = (unsigned)(track - recorder->tracks);
    }
}

void recorder_keep(struct recorder *recorder, int64_t days, uint64_t size_bytes)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->options.days = days;
    recorder->options.size_bytes = size_bytes;
    recorder->swept_ms = 0; /* looked for at once */
    pthread_cond_signal(&recorder->due);
    pthread_mutex_unlock(&recorder->mutex);
}

static struct recorder_track *track_of(struct recorder *recorder, unsigned room)
{
    if (room == 0 || room > CONFIG_ROOMS_MAX ||
        recorder->track_of_room[room - 1] >= RECORDER_TRACKS)
        return NULL;
    return &recorder->tracks[recorder->track_of_room[room - 1]];
}

/* ---- messages ---- */

/* Shall it be on the tape, and is it not there already? Where a room has tapes of another ring only
 * (the spool's size was changed, which takes a stop), what was used before is on them. */
static bool takes(const struct recorder_track *track, const struct recorder_message *message)
{
    if (message->position < track->covered)
        return false;
    return !message->again || !track->others || track->covered != 0;
}

static void lose(struct recorder *recorder, struct recorder_track *track,
                 const struct recorder_message *message)
{
    struct tape_block *lost = &track->lost;
    if (lost->kind == 0)
        *lost = (struct tape_block){.kind = TAPE_GAP,
                                    .from = message->position,
                                    .first_ms = message->received_ms,
                                    .last_ms = message->received_ms};
    lost->count++;
    lost->to = message->position + 1;
    if (message->received_ms > lost->last_ms)
        lost->last_ms = message->received_ms;
    pthread_mutex_lock(&recorder->mutex);
    recorder->stats.lost++;
    pthread_mutex_unlock(&recorder->mutex);
    if (log_limit_hit(&recorder->complaint, message->received_ms) > 0)
        log_error("recorder: messages are lost to the recording of %s, for no block is free",
                  track->room);
}

static bool add(struct recorder_job *job, const struct recorder_message *message)
{
    const struct tape_message taken = {message->topic, message->topic_bytes, message->payload,
                                       message->payload_bytes, message->received_ms};
    if (!tape_gather_add(&job->gather, &taken))
        return false;
    if (job->gather.count == 1)
        job->from = message->position;
    job->to = message->position + 1;
    return true;
}

static bool is_another_tape(const struct recorder_track *track,
                            const struct recorder_message *message)
{
    return track->open &&
           (track->session != message->session ||
            (message->session == 0 && message->received_ms - track->opened_ms >= HOUR_MS));
}

bool recorder_take(struct recorder *recorder, const struct recorder_message *message)
{
    struct recorder_track *track = track_of(recorder, message->room);
    if (track == NULL || !takes(track, message))
        return true;
    if (is_another_tape(track, message))
        end_tape(recorder, track, message->received_ms);
    if (track->open && track->session != message->session) {
        lose(recorder, track, message); /* the end of the other one cannot even be queued */
        return false;
    }
    if (!track->open) {
        track->open = true;
        track->session = message->session;
        track->opened_ms = message->received_ms;
    }
    track->heard_ms = message->received_ms;
    for (int tries = 0; tries < 2; tries++) {
        if (track->filling == NULL &&
            begin_job(recorder, track, message->received_ms, message->patient) == NULL)
            break;
        if (add(track->filling, message))
            return true;
        hand_over(recorder, track);
    }
    lose(recorder, track, message);
    return false;
}

void recorder_end(struct recorder *recorder, unsigned room)
{
    struct recorder_track *track = track_of(recorder, room);
    if (track != NULL)
        end_tape(recorder, track, track->heard_ms);
}

/* ---- time ---- */

static void tick_track(struct recorder *recorder, struct recorder_track *track, int64_t now_ms)
{
    int64_t age_ms = track->proven ? BLOCK_AGE_MS : FIRST_BLOCK_AGE_MS;
    /* What was lost is noted when there is a block for it, though nothing more may come. */
    if (track->lost.kind != 0 && track->filling == NULL)
        begin_job(recorder, track, now_ms, false);
    if (track->open && (!track->wanted || now_ms - track->heard_ms >= SILENCE_MS))
        end_tape(recorder, track, now_ms);
    else if (track->filling != NULL && now_ms - track->filling->begun_ms >= age_ms)
        hand_over(recorder, track);
    release(track);
}

void recorder_tick(struct recorder *recorder, int64_t now_ms)
{
    uint64_t lost = log_limit_over(&recorder->complaint, now_ms);
    if (lost > 0)
        log_notice("recorder: a minute without a message that is lost to a recording, after %llu",
                   (unsigned long long)lost);
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        if (recorder->tracks[i].room[0] != '\0')
            tick_track(recorder, &recorder->tracks[i], now_ms);
}

static void hand_over_all(struct recorder *recorder)
{
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        if (recorder->tracks[i].filling != NULL)
            hand_over(recorder, &recorder->tracks[i]);
}

void recorder_flush(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    bool idle = recorder->queue.first == NULL && recorder->writing == NULL;
    pthread_mutex_unlock(&recorder->mutex);
    if (idle)
        hand_over_all(recorder);
}

void recorder_synced(struct recorder *recorder, uint64_t below)
{
    pthread_mutex_lock(&recorder->mutex);
    if (recorder->queue.first != NULL && below > recorder->synced)
        pthread_cond_signal(&recorder->due);
    recorder->synced = below;
    pthread_mutex_unlock(&recorder->mutex);
}

/* ---- what the others want to know ---- */

static uint64_t lower(uint64_t needs, const struct recorder_job *job)
{
    return job != NULL && job->from != job->to && job->from < needs ? job->from : needs;
}

static bool is_patient(const struct recorder *recorder)
{
    return recorder->refused_ms == 0 ||
           clock_mono_ns() / 1000000 - recorder->refused_ms <= recorder->options.patience_ms;
}

uint64_t recorder_needs(struct recorder *recorder, uint64_t *unwritten)
{
    uint64_t lowest = RECORDER_NONE;
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        lowest = lower(lowest, recorder->tracks[i].filling);
    pthread_mutex_lock(&recorder->mutex);
    lowest = lower(lowest, recorder->writing);
    for (const struct recorder_job *job = recorder->queue.first; job != NULL; job = job->next)
        lowest = lower(lowest, job);
    bool patient = is_patient(recorder);
    pthread_mutex_unlock(&recorder->mutex);
    if (unwritten != NULL)
        *unwritten = lowest;
    return patient ? lowest : RECORDER_NONE;
}

int64_t recorder_turned_ms(const struct recorder *recorder)
{
    return atomic_load(&recorder->turned_ms);
}

bool recorder_is_safe(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->mutex);
    bool safe = recorder->refused_ms == 0;
    pthread_mutex_unlock(&recorder->mutex);
    return safe;
}

void recorder_stats(struct recorder *recorder, struct recorder_stats *stats)
{
    pthread_mutex_lock(&recorder->mutex);
    *stats = recorder->stats;
    stats->held_blocks = stats->most_blocks = recorder->job_count;
    for (const struct recorder_job *job = recorder->free.first; job != NULL; job = job->next)
        stats->held_blocks--;
    pthread_mutex_unlock(&recorder->mutex);
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        stats->tracks += recorder->tracks[i].room[0] != '\0';
    stats->most_tracks = RECORDER_TRACKS;
    stats->tracks_refused = recorder->tracks_refused;
}

/* ---- stop, close ---- */

void recorder_stop(struct recorder *recorder)
{
    if (recorder == NULL || !recorder->started)
        return;
    hand_over_all(recorder);
    pthread_mutex_lock(&recorder->mutex);
    recorder->stop = true;
    pthread_cond_signal(&recorder->due);
    pthread_mutex_unlock(&recorder->mutex);
    pthread_join(recorder->thread, NULL);
    recorder->started = false;
}

void recorder_close(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    recorder_stop(recorder);
    for (unsigned i = 0; i < RECORDER_TRACKS; i++)
        recorder_file_close(&recorder->files[i]);
    if (recorder->folder >= 0)
        close(recorder->folder);
    tape_packer_destroy(recorder->packer);
    free(recorder->jobs);
    free(recorder->memory);
    pthread_cond_destroy(&recorder->due);
    pthread_cond_destroy(&recorder->freed);
    pthread_mutex_destroy(&recorder->mutex);
    free(recorder);
}
