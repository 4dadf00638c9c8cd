#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/recorder_state.h"

#define RETRY_MS      500
#define SWEEP_MS      600000                /* between looks for what is too old */
#define SWEEP_MORE_MS 1000                  /* while there is more of it */
#define TURN_MS       1000                  /* between turns at most, for who watches it */
#define FILE_MOST     (UINT64_C(256) << 20) /* of one tape; then another one begins */
#define DAY_MS        INT64_C(86400000)

static int64_t mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* ---- one job ---- */

static bool write_gap(struct recorder_file *file, struct recorder_job *job)
{
    if (job->gap.kind == 0)
        return true;
    if (!recorder_file_add_gap(file, &job->gap))
        return false;
    job->gap.kind = (enum tape_kind)0; /* it is there: not once more at the next attempt */
    return true;
}

static bool write_messages(struct recorder *recorder, struct recorder_file *file,
                           struct recorder_job *job)
{
    if (job->gather.count == 0)
        return true;
    struct tape_block block = {
        .number = file->count, .ring = recorder->options.ring, .from = job->from, .to = job->to};
    const uint8_t *bytes;
    size_t count = tape_pack(recorder->packer, &job->gather, &block, file->salt, &bytes);
    if (!recorder_file_add(file, &block, bytes, count))
        return false;
    pthread_mutex_lock(&recorder->mutex);
    recorder->stats.messages += block.count;
    recorder->stats.blocks++;
    recorder->stats.bytes += count;
    pthread_mutex_unlock(&recorder->mutex);
    tape_gather_clear(&job->gather);
    return true;
}

static bool have_folder(struct recorder *recorder)
{
    struct diag diag = {0};
    if (recorder->folder < 0 && recorder_open_folder(recorder, &diag) == ERR_TAKEN)
        errno = EBUSY;
    return recorder->folder >= 0;
}

/* Each step is done once, however often the job has to be tried. */
static bool write_job(struct recorder *recorder, struct recorder_job *job)
{
    struct recorder_file *file = &recorder->files[job->track];
    int64_t *newest_ms = &recorder->newest_name_ms[job->track];
    bool has_something = job->gather.count > 0 || job->gap.kind != 0;
    if (file->fd < 0 && has_something) {
        if (!have_folder(recorder) ||
            !recorder_file_make(file, recorder->folder, &job->header, *newest_ms))
            return false;
        *newest_ms = file->name.start_ms;
    }
    if (!write_gap(file, job) || !write_messages(recorder, file, job))
        return false;
    bool full = file->offset > FILE_MOST || file->count >= TAPE_BLOCKS_MAX - 2;
    if (file->fd >= 0 && (job->ends || full))
        return recorder_file_finish(file, recorder->folder);
    return true;
}

/* ---- the thread ---- */

static void wait_ms(struct recorder *recorder, int64_t ms)
{
    int64_t at = clock_mono_ns() + ms * 1000000;
    struct timespec until = {at / 1000000000, at % 1000000000};
    pthread_cond_timedwait(&recorder->due, &recorder->mutex, &until);
}

static void note_turn(struct recorder *recorder)
{
    atomic_store(&recorder->turned_ms, mono_ms());
}

static void note_refusal(struct recorder *recorder, int error)
{
    recorder->stats.failures++;
    if (recorder->refused_ms != 0)
        return;
    recorder->refused_ms = mono_ms();
    log_error("recorder: cannot write to %s: %s; rooms are shown live, and what cannot be recorded "
              "is counted",
              recorder->folder_name, strerror(error));
    pthread_cond_broadcast(
        &recorder->freed); /* who waits for a block shall not wait for the disk */
}

static void note_success(struct recorder *recorder)
{
    if (recorder->refused_ms != 0)
        log_notice("recorder: %s can be written again", recorder->folder_name);
    recorder->refused_ms = 0;
}

/* Once more after the other, until it is written or, at the end, refused. Lock held. */
static void do_job(struct recorder *recorder, struct recorder_job *job)
{
    recorder->writing = job;
    for (;;) {
        note_turn(recorder);
        pthread_mutex_unlock(&recorder->mutex);
        bool done = write_job(recorder, job);
        int error = errno;
        pthread_mutex_lock(&recorder->mutex);
        if (done) {
            note_success(recorder);
            break;
        }
        note_refusal(recorder, error);
        if (recorder->stop) {
            recorder->stats.lost += job->gather.count;
            break;
        }
        wait_ms(recorder, RETRY_MS);
    }
    recorder->writing = NULL;
    job->next = recorder->free.first;
    recorder->free.first = job;
    pthread_cond_broadcast(&recorder->freed);
}

static void sweep_if_due(struct recorder *recorder)
{
    int64_t now = mono_ms();
    if (recorder->stop || (recorder->swept_ms != 0 && recorder->swept_ms + SWEEP_MS > now))
        return;
    recorder->swept_ms = now; /* before: meanwhile other limits may be set, and asked to hold */
    pthread_mutex_unlock(&recorder->mutex);
    bool more = recorder_sweep(recorder, clock_wall_ms());
    pthread_mutex_lock(&recorder->mutex);
    if (more)
        recorder->swept_ms -= SWEEP_MS - SWEEP_MORE_MS;
}

/* The next job whose messages the spool has on disk; at the end any. Lock held. */
static struct recorder_job *next_job(struct recorder *recorder)
{
    struct recorder_job *job = recorder->queue.first;
    if (job == NULL || (job->to > recorder->synced && !recorder->stop))
        return NULL;
    recorder->queue.first = job->next;
    return job;
}

void *recorder_run(void *user)
{
    struct recorder *recorder = user;
    pthread_mutex_lock(&recorder->mutex);
    for (;;) {
        note_turn(recorder);
        struct recorder_job *job = next_job(recorder);
        if (job != NULL) {
            do_job(recorder, job);
        } else if (recorder->stop) {
            break;
        } else {
            wait_ms(recorder, TURN_MS);
        }
        sweep_if_due(recorder);
    }
    pthread_mutex_unlock(&recorder->mutex);
    return NULL;
}

/* ---- what is too old, or too much ---- */

static void note_kept(struct recorder *recorder, uint64_t bytes, bool removed)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->stats.kept_bytes = bytes;
    recorder->stats.removed += removed;
    pthread_mutex_unlock(&recorder->mutex);
}

bool recorder_sweep(struct recorder *recorder, int64_t wall_ms)
{
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    pthread_mutex_lock(&recorder->mutex);
    int64_t oldest_ms = wall_ms - recorder->options.days * DAY_MS;
    uint64_t most = recorder->options.size_bytes, all = 0;
    pthread_mutex_unlock(&recorder->mutex);
    if (recorder->folder < 0 || tape_folder_list(recorder->folder_name, &list, &count, &diag) != 0)
        return false;
    const struct tape_name *oldest = NULL;
    bool aged = false;
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        if (fstatat(recorder->folder, list[i].file, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        all += (uint64_t)status.st_size;
        /* By when it was last written: a tape that began long ago may go on. */
        if (!list[i].open && oldest == NULL) {
            oldest = &list[i];
            aged = (int64_t)status.st_mtim.tv_sec * 1000 < oldest_ms;
        }
    }
    bool remove = oldest != NULL && (aged || all > most);
    bool removed = remove && unlinkat(recorder->folder, oldest->file, 0) == 0;
    note_kept(recorder, all, removed);
    if (removed)
        log_info("recorder: %s was removed, %s", oldest->file,
                 aged ? "it is older than recorder.days"
                      : "recordings are more than recorder.size");
    free(list);
    return remove;
}
