/*
 * What is inside the spool: for spool.c (open, recovery, the producer's and the loop's side) and
 * spool_copier.c (the thread that copies).
 */
#ifndef LUMBAR_IO_SPOOL_STATE_H
#define LUMBAR_IO_SPOOL_STATE_H

#include <pthread.h>
#include <stdalign.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ring_copy.h"
#include "io/spool.h"

#define SPOOL_LINE_BYTES 128 /* two cache lines: some processors fetch them in pairs */

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): threads write to lines of their own
struct spool {
    struct ring *ring;
    struct ring_copy *copy;
    int64_t sync_ms, held_ms, patience_ms;
    void (*wake)(void *user);
    void *wake_user;

    alignas(SPOOL_LINE_BYTES) uint64_t free_below; /* the producer's: as far as it knows */
    _Atomic uint64_t put, dropped, waited;

    alignas(SPOOL_LINE_BYTES) _Atomic uint64_t keep_from; /* the loop's */
    _Atomic uint64_t urgent; /* end of the newest that nobody but us holds */
    bool held;               /* said of the record that is used just now */
    _Atomic bool dozing;
    _Atomic bool stopping;

    /* The copier's. pending_ms: since when it has been trying to bring something to the disk; 0: it
     * is not. The others judge by it how long the disk has been refusing, for a copier that hangs
     * in the kernel cannot say so. */
    alignas(SPOOL_LINE_BYTES) _Atomic int64_t pending_ms;
    _Atomic int64_t turned_ms;
    _Atomic uint64_t syncs, failures, uncopied;
    _Atomic uint64_t lost; /* end of the last gap in what was copied */
    struct log_limit complaint;
    bool refusing;    /* the last turn failed */
    bool anew;        /* places that are bundled in the copy would have to be written again */
    uint64_t seen;    /* the ring's head at the turn before */
    int64_t since_ms; /* there is something to be copied since; 0: there is nothing */

    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* of the two below */
    pthread_cond_t due;
    bool hurry, stop;
};

static inline int64_t spool_now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* Written by one thread only, so no bus lock. */
static inline void spool_count_one(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

static inline bool spool_has_copy(const struct spool *spool)
{
    return ring_copy_id(spool->copy) == ring_id(spool->ring);
}

#endif
