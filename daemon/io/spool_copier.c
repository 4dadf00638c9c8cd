#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "io/spool_state.h"

#define RETRY_MS 500 /* between attempts while the disk refuses */

static int begin_copy(struct spool *spool, uint64_t head, struct diag *diag)
{
    int rc = ring_copy_begin(spool->copy, ring_area(spool->ring), ring_tail(spool->ring), head,
                             ring_boot_from(spool->ring), diag);
    if (rc == 0)
        spool->anew = false;
    return rc;
}

/* Does not touch `synced`, which has to stay where it is until a gap was noted. */
static int copy_to_disk(struct spool *spool, uint64_t from, uint64_t head, uint64_t done,
                        struct diag *diag)
{
    if (!spool_has_copy(spool) || spool->anew)
        return begin_copy(spool, head, diag);
    if (!ring_copy_write(spool->copy, ring_area(spool->ring), from, head, done) ||
        !ring_copy_sync(spool->copy))
        return diag_set(diag, ERR_FULL, "cannot write: %s", strerror(errno));
    return 0;
}

static void note_failure(struct spool *spool, const struct diag *diag)
{
    spool_count_one(&spool->failures);
    spool->refusing = true;
    uint64_t times = log_limit_hit(&spool->complaint, spool_now_ms());
    if (times != 0)
        log_error("spool: no copy on disk, so nothing is acknowledged to devices (%llu times): %s",
                  (unsigned long long)times, diag->text);
}

/* To be known before spool_synced() moves past the gap. */
static void note_gap(struct spool *spool, uint64_t from, uint64_t to)
{
    uint64_t all = atomic_load(&spool->uncopied) + (to - from);
    atomic_store(&spool->uncopied, all);
    atomic_store(&spool->lost, to);
    log_error("spool: %llu bytes of messages were used, but never on disk; devices that hold them "
              "are not acknowledged before they send them again",
              (unsigned long long)(to - from));
}

static void note_success(struct spool *spool)
{
    spool_count_one(&spool->syncs);
    if (spool->refusing)
        log_notice("spool: the copy on disk can be written again");
    spool->refusing = false;
    spool->complaint = (struct log_limit){0};
}

/* Must what is new be copied in this turn? What its device holds, and sends again, may wait a
 * little, so that more is written at once; and so may what was copied before it was used. What the
 * loop has not used by the second turn may be anything. */
static bool is_due(const struct spool *spool, uint64_t synced, uint64_t done, uint64_t head)
{
    return spool->refusing || atomic_load(&spool->urgent) > synced || done < spool->seen ||
           head - synced >= ring_area(spool->ring)->size / 8 ||
           spool_now_ms() - spool->since_ms >= spool->held_ms;
}

/* Copies what is new, and once more what was still waiting the last time, so that the copy knows
 * what became of it. When the disk was given up meanwhile, the producer may be overwriting what is
 * being copied: what has gone below the tail by the end counts as never copied. `now`: whether it
 * is due or not. */
static void copy_turn(struct spool *spool, bool now)
{
    struct ring *ring = spool->ring;
    uint64_t synced = ring_synced(ring), settled = ring_settled(ring);
    uint64_t done = ring_done(ring), head = ring_head(ring); /* in this order: done <= head */
    bool nothing = head == synced && done == settled;
    if (nothing || spool->since_ms == 0)
        spool->since_ms = nothing ? 0 : spool_now_ms();
    bool due = !nothing && (now || is_due(spool, synced, done, head));
    /* What came this very moment is used by the next turn, and then need not be copied twice. */
    uint64_t to = done < spool->seen ? head : done > synced ? done : synced;
    spool->seen = head;
    if (!due || (to == synced && done == settled))
        return;
    if (to != synced && atomic_load(&spool->pending_ms) == 0)
        atomic_store(&spool->pending_ms, spool_now_ms());
    uint64_t from = settled < synced ? settled : synced, tail = ring_tail(ring);
    struct diag diag = {0};
    if (copy_to_disk(spool, from > tail ? from : tail, to, done, &diag) != 0) {
        note_failure(spool, &diag);
        return;
    }
    tail = ring_tail(ring);
    if (tail > to)
        tail = to;
    if (tail > synced)
        note_gap(spool, synced, tail);
    ring_set_copied(ring, to, done);
    spool->since_ms = 0;
    atomic_store(&spool->pending_ms, 0);
    note_success(spool);
}

static struct timespec in_ms(int64_t ms)
{
    int64_t at = clock_mono_ns() + ms * 1000000;
    return (struct timespec){at / 1000000000, at % 1000000000};
}

/* Until the next turn; false: it is the last one. A hurry counts only while the disk works. */
static bool wait_turn(struct spool *spool, bool *hurry)
{
    struct timespec until =
        in_ms(spool->refusing && spool->sync_ms < RETRY_MS ? RETRY_MS : spool->sync_ms);
    pthread_mutex_lock(&spool->mutex);
    int rc = 0;
    while (!spool->stop && !(spool->hurry && !spool->refusing) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&spool->due, &spool->mutex, &until);
    *hurry = spool->hurry;
    spool->hurry = false;
    bool go_on = !spool->stop;
    pthread_mutex_unlock(&spool->mutex);
    return go_on;
}

static void *run_copier(void *user)
{
    struct spool *spool = user;
    bool hurry;
    while (wait_turn(spool, &hurry)) {
        copy_turn(spool, hurry);
        atomic_store(&spool->turned_ms, spool_now_ms());
    }
    for (int i = 0; i < 2; i++) /* the second takes what nobody has used */
        copy_turn(spool, true);
    if (spool_has_copy(spool) && !spool->refusing)
        ring_copy_finish(spool->copy, ring_synced(spool->ring));
    return NULL;
}

int spool_start(struct spool *spool, void (*wake)(void *user), void *user, struct diag *diag)
{
    spool->wake = wake;
    spool->wake_user = user;
    /* Signals are the loop's; SIGXFSZ, blocked here, becomes an error like others. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&spool->thread, NULL, run_copier, spool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return diag_set(diag, ERR_MEMORY, "cannot start the spool's thread: %s", strerror(rc));
    pthread_setname_np(spool->thread, "spool-copy");
    spool->started = true;
    return 0;
}

void spool_stop(struct spool *spool)
{
    atomic_store(&spool->stopping, true);
    if (!spool->started)
        return;
    pthread_mutex_lock(&spool->mutex);
    spool->stop = true;
    pthread_cond_signal(&spool->due);
    pthread_mutex_unlock(&spool->mutex);
    pthread_join(spool->thread, NULL);
    spool->started = false;
}
