#include "io/spool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ring_bundle.h"
#include "io/spool_state.h"
#include "io/spool_trial.h"

#define NAP_MIN_NS 50000
#define NAP_MAX_NS 2000000

/* A record's `begun`: how often its decoding was begun, and above that how often it was begun to be
 * remembered without coming to the end. */
#define BEGUN_ONE  1u
#define BEGUN_MASK 0xffffu
#define AGAIN_ONE  0x10000u

/* Refused without a further trial after so many. One is the rule's business (the trial); two can
 * be a second kill by chance at the same message, for the first thing a restarted hub does is to
 * decode just that one; three in the same few microseconds are no chance: such a message kills the
 * hub and not its trial, because of what only the hub has. */
#define BEGUN_MAX 3u

/* --- open and close --------------------------------------------------------------------------- */

/* Takes the ring from the copy where that is all there is, or has more. */
static int take_copy(struct spool *spool, const struct spool_options *options, struct diag *diag)
{
    if (!ring_copy_exists(spool->copy) || (spool->ring != NULL && !spool_has_copy(spool)))
        return 0;
    struct ring_image image;
    int rc = ring_copy_read(spool->copy, &image, diag);
    if (rc != 0)
        return rc;
    if (spool->ring == NULL || image.end > ring_head(spool->ring)) {
        ring_close(spool->ring);
        spool->ring = NULL;
        rc = ring_make(&spool->ring, options->ring_file, image.area.size, &image, diag);
        if (rc == 0)
            log_notice("spool: taken from the copy %s, %llu messages not yet decoded",
                       options->copy_file, (unsigned long long)ring_waiting(spool->ring));
        /* What was read may lie in the page cache only. */
        if (rc == 0 && ring_copy_sync(spool->copy))
            ring_set_copied(spool->ring, image.end, ring_done(spool->ring));
        /* Cut short in the middle, it may say that something waits before what it has bundled. */
        spool->anew = rc == 0 && ring_settled(spool->ring) < image.bundled;
    }
    ring_image_fini(&image);
    return rc;
}

/* Makes the ring as large as is wanted, with all that was in it; where that is not possible, it
 * stays as it is for this time. */
static int fit_ring(struct spool *spool, const struct spool_options *options, struct diag *diag)
{
    uint64_t has = ring_area(spool->ring)->size;
    if (has == options->size_bytes)
        return 0;
    struct ring_image image;
    struct ring *fitted = NULL;
    struct diag trouble = {0};
    int rc = ring_size_check(options->size_bytes, options->ring_file, diag);
    if (rc != 0)
        return rc;
    rc = ring_image_refit(&image, spool->ring, options->size_bytes, &trouble);
    if (rc == 0)
        rc = ring_make(&fitted, options->ring_file, options->size_bytes, &image, &trouble);
    ring_image_fini(&image);
    if (rc == 0) {
        ring_close(spool->ring);
        spool->ring = fitted;
        log_notice("spool: its size is now %zu bytes, before %llu", options->size_bytes,
                   (unsigned long long)has);
        return 0;
    }
    if (rc != ERR_LIMIT && rc != ERR_FULL)
        return diag_set(diag, rc, "%s", trouble.text);
    log_error("spool: keeps its %llu bytes, for nothing shall be lost: %s; start once more when "
              "there is room",
              (unsigned long long)has, trouble.text);
    return 0;
}

/* `known`: the ring from which this one was made, whose copy this one replaces. */
static int begin_copy(struct spool *spool, uint64_t known, struct diag *diag)
{
    int rc = 0;
    if (ring_copy_exists(spool->copy) && ring_copy_id(spool->copy) != known)
        rc = ring_copy_set_aside(spool->copy, "it is the copy of another spool", diag);
    struct ring *ring = spool->ring;
    uint64_t tail = ring_tail(ring), done = ring_done(ring), head = ring_head(ring);
    /* First, so that a new copy is never taken for one that has more. */
    ring_set_copied(ring, tail, tail);
    if (rc == 0)
        rc = ring_copy_begin(spool->copy, ring_area(ring), tail, head, ring_boot_from(ring), diag);
    if (rc == 0)
        ring_set_copied(ring, head, done);
    return rc;
}

static int open_ring(struct spool *spool, const struct spool_options *options, uint64_t *known,
                     struct diag *diag)
{
    int rc = ring_open(&spool->ring, options->ring_file, 0, diag);
    if (rc == 0)
        rc = ring_copy_open(&spool->copy, options->copy_file, diag);
    /* Everything in the ring is from an earlier boot, or there is none. */
    if (rc == 0 && (spool->ring == NULL || ring_boot_from(spool->ring) == ring_head(spool->ring)))
        rc = take_copy(spool, options, diag);
    if (rc == 0 && spool->ring == NULL)
        rc = ring_make(&spool->ring, options->ring_file, options->size_bytes, NULL, diag);
    if (rc != 0)
        return rc;
    *known = ring_id(spool->ring);
    return fit_ring(spool, options, diag);
}

static int open_files(struct spool *spool, const struct spool_options *options, struct diag *diag)
{
    uint64_t known;
    int rc = open_ring(spool, options, &known, diag);
    if (rc != 0)
        return rc;
    struct ring *ring = spool->ring;
    if (spool_has_copy(spool) && !spool->anew) {
        ring_copy_continue(spool->copy, ring_boot_from(ring), ring_head(ring));
        return 0;
    }
    struct diag trouble = {0};
    rc = begin_copy(spool, known, &trouble);
    if (rc == ERR_FULL) {
        /* The hub shall show the rooms with a full disk too; the copier tries again. */
        log_error("spool: no copy on disk, so nothing is acknowledged to devices: %s",
                  trouble.text);
        return 0;
    }
    return rc == 0 ? 0 : diag_set(diag, rc, "%s", trouble.text);
}

int spool_open(struct spool **out, const struct spool_options *options, struct diag *diag)
{
    *out = NULL;
    struct spool *spool = aligned_alloc(SPOOL_LINE_BYTES, sizeof(*spool));
    if (spool == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the spool");
    memset(spool, 0, sizeof(*spool));
    atomic_store(&spool->keep_from, UINT64_MAX);
    spool->sync_ms = options->sync_ms > 0 ? options->sync_ms : 1;
    spool->held_ms = options->held_ms;
    spool->patience_ms = options->patience_ms;
    pthread_mutex_init(&spool->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&spool->due, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = open_files(spool, options, diag);
    if (rc != 0) {
        spool_close(spool);
        return rc;
    }
    atomic_store(&spool->turned_ms, spool_now_ms());
    atomic_store(&spool->urgent, ring_head(spool->ring)); /* whose it was, nobody knows any more */
    if (ring_torn(spool->ring) != 0)
        log_error("spool: damaged in %llu places, which were passed over",
                  (unsigned long long)ring_torn(spool->ring));
    *out = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    spool_stop(spool);
    ring_copy_close(spool->copy);
    ring_close(spool->ring);
    pthread_cond_destroy(&spool->due);
    pthread_mutex_destroy(&spool->mutex);
    free(spool);
}

bool spool_mono_counts(const struct spool *spool, const struct ring_record *record)
{
    return record->position >= ring_boot_from(spool->ring);
}

/* --- recovery --------------------------------------------------------------------------------- */

struct recovery {
    struct spool *spool;
    spool_use_cb *use;
    void *user;
    void (*on_refused)(void *user, const struct ring_record *record);
};

/* Shall a record that was begun so often, and not ended, be left alone? */
static bool is_deadly(const struct recovery *recovery, const struct ring_record *record,
                      uint32_t begun, bool again)
{
    if (begun == 0)
        return false;
    if (begun < BEGUN_MAX &&
        spool_survives_trial(recovery->spool->ring, record, recovery->use, recovery->user, again))
        return false;
    log_error("spool: the message at %llu of %.*s ends the hub; it is put into quarantine",
              (unsigned long long)record->position, record->topic_bytes, ring_topic(record));
    return true;
}

/* Into quarantine first: killed between the two, it is there twice, but never nowhere. */
static void refuse(const struct recovery *recovery, struct ring_record *record)
{
    if (recovery->on_refused != NULL)
        recovery->on_refused(recovery->user, record);
    atomic_store_explicit(&record->outcome, RING_REFUSED, memory_order_release);
}

static void remember(const struct recovery *recovery, struct ring_record *record, uint32_t again)
{
    uint32_t begun = atomic_load(&record->begun) & BEGUN_MASK;
    if (is_deadly(recovery, record, again, true)) {
        refuse(recovery, record);
        return;
    }
    atomic_store(&record->begun, begun | (again + 1) * AGAIN_ONE);
    recovery->use(recovery->user, record, true);
    atomic_store(&record->begun, begun);
}

int spool_recover(struct spool *spool, spool_use_cb *use, void *user,
                  void (*on_refused)(void *user, const struct ring_record *record),
                  struct diag *diag)
{
    (void)diag;
    const struct recovery recovery = {spool, use, user, on_refused};
    struct ring *ring = spool->ring;
    uint64_t at = ring_tail(ring), done = ring_done(ring);
    bool tried = false; /* one after the other: only one can have been left unfinished */
    while (at < done) {
        struct ring_record *record = ring_next(ring, &at);
        if (record == NULL || record->position >= done)
            break;
        /* Of a repeat the first may be gone: freed while the disk refused, it is not in the copy.
         */
        if (atomic_load(&record->outcome) == RING_REFUSED)
            continue;
        uint32_t again = tried ? 0 : atomic_load(&record->begun) / AGAIN_ONE;
        tried = tried || again != 0;
        remember(&recovery, record, again);
    }
    struct ring_record *next = ring_peek(ring);
    if (next != NULL && is_deadly(&recovery, next, atomic_load(&next->begun) & BEGUN_MASK, false)) {
        refuse(&recovery, next);
        ring_end(ring, next, RING_REFUSED);
    }
    return 0;
}

/* --- producer and loop ------------------------------------------------------------------------ */

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Down to where the copy may have bundled what is still needed. */
static uint64_t free_now(const struct spool *spool)
{
    uint64_t done = ring_done(spool->ring), synced = ring_synced(spool->ring);
    uint64_t below = synced < done && spool_is_safe(spool) ? synced : done;
    return ring_bundle_floor(ring_area(spool->ring)->size,
                             lower(below, atomic_load(&spool->keep_from)));
}

void spool_hurry(struct spool *spool)
{
    if (ring_synced(spool->ring) >= ring_done(spool->ring))
        return;
    pthread_mutex_lock(&spool->mutex);
    if (!spool->hurry)
        pthread_cond_signal(&spool->due);
    spool->hurry = true;
    pthread_mutex_unlock(&spool->mutex);
}

static bool put_slowly(struct spool *spool, const struct ring_message *message, int qos)
{
    bool waits = false;
    for (long nap_ns = NAP_MIN_NS; !atomic_load(&spool->stopping);) {
        spool->free_below = free_now(spool);
        if (ring_put(spool->ring, message, spool->free_below))
            return true;
        spool_hurry(spool); /* it may be full of what is used but not yet on disk */
        if (qos == 0 || message->topic_bytes > RING_TOPIC_MAX ||
            message->payload_bytes > RING_PAYLOAD_MAX) {
            spool_count_one(&spool->dropped);
            return false;
        }
        if (!waits)
            spool_count_one(&spool->waited);
        waits = true;
        nanosleep(&(struct timespec){0, nap_ns}, NULL);
        nap_ns = nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
    }
    return false;
}

bool spool_put(struct spool *spool, const char *topic, size_t topic_bytes, const void *payload,
               size_t payload_bytes, int qos, int64_t wall_ms, int64_t mono_ns)
{
    const struct ring_message message = {.topic = topic,
                                         .topic_bytes = topic_bytes,
                                         .payload = payload,
                                         .payload_bytes = payload_bytes,
                                         .wall_ms = wall_ms,
                                         .mono_ns = mono_ns};
    if (atomic_load_explicit(&spool->stopping, memory_order_relaxed))
        return false;
    if (!ring_put(spool->ring, &message, spool->free_below) && !put_slowly(spool, &message, qos))
        return false;
    spool_count_one(&spool->put);
    /* The head was stored before this is read, and the loop stores this before it reads the head:
     * one of the two sees the other. Only the one who turns the flag wakes. */
    if (atomic_load(&spool->dozing) && atomic_exchange(&spool->dozing, false))
        spool->wake(spool->wake_user);
    return true;
}

unsigned spool_drain(struct spool *spool, unsigned most, spool_use_cb *use, void *user)
{
    unsigned count = 0;
    for (; count < most; count++) {
        struct ring_record *record = ring_peek(spool->ring);
        if (record == NULL)
            break;
        /* No other thread writes it. Killed or crashed in use(), the ring says where. */
        uint32_t begun = atomic_load_explicit(&record->begun, memory_order_relaxed);
        atomic_store_explicit(&record->begun, begun + BEGUN_ONE, memory_order_release);
        spool->held = false;
        ring_end(spool->ring, record, use(user, record, false));
        if (!spool->held)
            atomic_store_explicit(&spool->urgent, ring_done(spool->ring), memory_order_release);
    }
    return count;
}

void spool_held(struct spool *spool)
{
    spool->held = true;
}

void spool_keep(struct spool *spool, uint64_t from)
{
    /* Cut, so that what is drained next is kept until the next call says that it need not be. */
    atomic_store(&spool->keep_from, lower(from, ring_done(spool->ring)));
}

uint64_t spool_done(const struct spool *spool)
{
    return ring_done(spool->ring);
}

uint64_t spool_id(const struct spool *spool)
{
    return ring_id(spool->ring);
}

uint64_t spool_tail(const struct spool *spool)
{
    return ring_tail(spool->ring);
}

uint64_t spool_head(const struct spool *spool)
{
    return ring_head(spool->ring);
}

bool spool_doze(struct spool *spool)
{
    atomic_store(&spool->dozing, true);
    if (ring_peek(spool->ring) == NULL)
        return true;
    atomic_store(&spool->dozing, false);
    return false;
}

uint64_t spool_synced(const struct spool *spool, uint64_t *lost)
{
    uint64_t synced = ring_synced(spool->ring); /* first: the gap was noted before it moved */
    if (lost != NULL)
        *lost = atomic_load(&spool->lost);
    return synced;
}

bool spool_is_safe(const struct spool *spool)
{
    int64_t pending = atomic_load(&spool->pending_ms);
    return pending == 0 || spool_now_ms() - pending <= spool->patience_ms;
}

int64_t spool_copied_ms(const struct spool *spool)
{
    return atomic_load(&spool->turned_ms);
}

void spool_stats(const struct spool *spool, struct spool_stats *stats)
{
    uint64_t done = ring_done(spool->ring), synced = ring_synced(spool->ring);
    *stats = (struct spool_stats){
        .put = atomic_load(&spool->put),
        .dropped = atomic_load(&spool->dropped),
        .waited = atomic_load(&spool->waited),
        .recovered = ring_waiting(spool->ring),
        .torn = ring_torn(spool->ring),
        .used_bytes =
            ring_head(spool->ring) - lower(lower(done, synced), atomic_load(&spool->keep_from)),
        .size_bytes = ring_area(spool->ring)->size,
        .syncs = atomic_load(&spool->syncs),
        .sync_failures = atomic_load(&spool->failures),
        .uncopied_bytes = atomic_load(&spool->uncopied),
    };
}

int spool_walk(const char *ring_file, void (*each)(void *user, const struct ring_record *record),
               void *user, struct diag *diag)
{
    return ring_walk(ring_file, each, user, diag);
}
