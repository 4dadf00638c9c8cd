#include "io/store.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "io/store_state.h"

#define SEAL_MS      60000 /* a batch is sealed at that age */
#define SEAL_SOON_MS 1000  /* and so often at most where rows wait */
#define HURRY_MS     250   /* and so often where the spool needs its places: each costs a sync */
#define WAIT_MS      1000  /* so long messages wait for room while the disk is working */

static int64_t mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* ---- open, start ---- */

static int make_batches(struct store *store, struct diag *diag)
{
    const struct store_options *options = &store->options;
    uint32_t metrics = options->drivers->metric_count;
    uint32_t blocks = 0;
    for (int i = 0; i < 2; i++) {
        struct store_batch *batch = &store->batches[i];
        batch->history =
            history_create(options->history_bytes, options->max_devices, options->drivers);
        batch->rows.bytes = malloc(STORE_ROWS_BYTES);
        if (batch->history == NULL || batch->rows.bytes == NULL)
            return diag_set(diag, ERR_MEMORY, "no memory for the history");
        blocks = history_capacity(batch->history);
    }
    store->devices = calloc(options->max_devices, sizeof(*store->devices));
    store->metrics = calloc(metrics + (size_t)1, sizeof(*store->metrics));
    store->order = malloc((blocks + (size_t)1) * sizeof(*store->order));
    if (store->devices == NULL || store->metrics == NULL || store->order == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the history");
    return 0;
}

static int read_mark(struct store *store, struct store_mark *mark, struct diag *diag)
{
    int rc = store_read_mark(&store->db, mark);
    if (rc == 0)
        return 0;
    return diag_set(diag, store_outcome_of(rc) == STORE_DAMAGED ? ERR_MALFORMED : ERR_IO, "%s: %s",
                    store->file, sqlite3_errstr(rc));
}

/* The hub shall show the rooms with a full disk too. */
static int open_full(struct store *store, struct store_mark *mark, const char *why,
                     struct diag *diag)
{
    struct diag trouble = {0};
    int code = store_file_open_full(&store->db, store->file, &trouble);
    if (code == 0 && store->db.db != NULL)
        code = read_mark(store, mark, &trouble);
    if (code != 0)
        return diag_set(diag, code, "%s", why);
    store->full = true;
    log_error("store: nothing can be written (%s); rooms are shown live, and history waits", why);
    return 0;
}

/* Two hubs would take each other's place of the spool for their own. Where no lock can be made, the
 * file cannot be written either, and its opening says why. */
static int lock_file(struct store *store, struct diag *diag)
{
    struct diag trouble = {0};
    int code = lock_beside(store->file, &store->lock, &trouble);
    return code == ERR_TAKEN ? diag_set(diag, code, "history: %s", trouble.text) : 0;
}

static int open_file(struct store *store, struct store_mark *mark, struct diag *diag)
{
    struct diag trouble = {0};
    int code = store_file_open(&store->db, store->file, &trouble);
    if (code == 0)
        code = read_mark(store, mark, &trouble);
    if (code == ERR_MALFORMED) {
        code = store_begin_anew(store, trouble.text, diag);
        return code == 0 ? read_mark(store, mark, diag) : code;
    }
    if (code == ERR_IO)
        return open_full(store, mark, trouble.text, diag);
    return code == 0 ? 0 : diag_set(diag, code, "%s", trouble.text);
}

/* What the file says of the spool, against the spool as it is. */
static void take_mark(struct store *store, const struct store_mark *mark, int64_t now_ms)
{
    const struct store_options *options = &store->options;
    store->position = mark->position;
    if (mark->batch == 0) /* the file is new */
        return;
    if (mark->ring != options->ring) {
        log_notice("store: the spool is another one than before; what is in it and was used "
                   "counts as stored");
        store->position = options->head;
        store->another = true;
    } else if (mark->position > options->head) {
        log_warn("store: ahead of the spool by %llu bytes, for its copy on disk was not to be had; "
                 "it goes on from there",
                 (unsigned long long)(mark->position - options->head));
        store->position = options->head;
    } else if (mark->position < options->tail) {
        log_error("store: %llu bytes of messages left the spool before they were stored: a gap",
                  (unsigned long long)(options->tail - mark->position));
        store->losing = (struct store_gap){mark->sealed_ms, now_ms, 0, "left the spool unstored"};
    }
}

/* What left the spool before it was stored, or was in a spool that is gone, may be recorded. */
static void look_for_lack(struct store *store, const struct store_mark *mark)
{
    if (store->db.db == NULL || store->full)
        return;
    bool lacks = store->another || store->losing.why != NULL;
    store_read_lack(store);
    if (!store->lack.is_there && lacks && mark->heard_ms != 0)
        store_note_lack(store, mark->heard_ms, false);
}

static void begin_batch(struct store *store, uint64_t number, int64_t now_ms)
{
    struct store_batch *batch = store->open;
    batch->number = number;
    batch->begun_ms = now_ms;
    batch->gap.why = NULL;
    batch->clean = false;
    batch->rows.used = batch->rows.count = 0;
    history_clear(batch->history);
}

static void init_threads(struct store *store)
{
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->finished, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->due, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int store_open(struct store **out, const struct store_options *options, int64_t now_ms,
               struct diag *diag)
{
    *out = NULL;
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the store");
    store->options = *options;
    snprintf(store->file, sizeof(store->file), "%s", options->file);
    if (options->backups != NULL) {
        snprintf(store->backups, sizeof(store->backups), "%s", options->backups);
        store->options.backups = store->backups;
    }
    store->lock = -1;
    store->open = &store->batches[0];
    store->seconds_days = options->seconds_days;
    store->minutes_days = options->minutes_days;
    store->size_bytes = options->size_bytes;
    init_threads(store);
    struct store_mark mark = {0};
    int code = make_batches(store, diag);
    if (code == 0)
        code = lock_file(store, diag);
    if (code == 0)
        code = open_file(store, &mark, diag);
    if (code != 0) {
        store_close(store);
        return code;
    }
    if (!store->full)
        store_watch_log(store);
    atomic_store(&store->stored_heard_ms, mark.heard_ms);
    take_mark(store, &mark, now_ms);
    look_for_lack(store, &mark);
    store_look_aside(store);
    store->checking = !mark.clean;
    store->seconds_from = mark.seconds_from;
    store->heard_ms = mark.heard_ms;
    atomic_store(&store->committed, mark.batch);
    store->erased = mark.batch; /* a run before may have left copies */
    atomic_store(&store->turned_ms, mono_ms());
    begin_batch(store, mark.batch + 1, now_ms);
    *out = store;
    return 0;
}

int store_start(struct store *store, void (*wake)(void *user), void *user, struct diag *diag)
{
    store->wake = wake;
    store->wake_user = user;
    if (store->full)
        store_file_close(&store->db);
    /* Signals are the loop's; SIGXFSZ, blocked here, becomes an error like others. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&store->thread, NULL, store_run, store);
    if (rc == 0 && store->checking)
        store->checking = pthread_create(&store->checker, NULL, store_check, store) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return diag_set(diag, ERR_MEMORY, "cannot start the store's thread: %s", strerror(rc));
    pthread_setname_np(store->thread, "store");
    store->started = true;
    return 0;
}

void store_limit(struct store *store, int64_t size_bytes)
{
    pthread_mutex_lock(&store->mutex);
    store->size_bytes = size_bytes;
    pthread_mutex_unlock(&store->mutex);
}

/* ---- the open batch ---- */

uint64_t store_position(const struct store *store)
{
    return store->position;
}

bool store_has(const struct store *store, uint64_t position, bool used)
{
    return position < store->position && (used || !store->another);
}

uint64_t store_batch(const struct store *store)
{
    return store->open->number;
}

uint64_t store_rows_batch(const struct store *store)
{
    return store->open->number - (store->open->rows.count == 0);
}

uint64_t store_committed(const struct store *store)
{
    return atomic_load(&store->committed);
}

struct history *store_history(struct store *store)
{
    return history_has_room(store->open->history) ? store->open->history : NULL;
}

void store_doubt(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    atomic_store(&store->doubted, true);
    pthread_cond_signal(&store->due);
    pthread_mutex_unlock(&store->mutex);
}

void store_heard(struct store *store, int64_t received_ms)
{
    if (store->lack_open)
        store_close_lack(store, received_ms);
    store->heard_ms = received_ms;
}

bool store_is_safe(const struct store *store)
{
    int64_t refusing = atomic_load(&store->refusing_ms);
    return refusing == 0 || mono_ms() - refusing <= store->options.patience_ms;
}

bool store_can_take(const struct store *store, int64_t now_ms)
{
    if (history_has_room(store->open->history) || atomic_load(&store->refusing_ms) != 0)
        return true;
    return now_ms - store->sealed_at_ms > WAIT_MS;
}

/* A message that history has not. */
void store_lose(struct store *store, int64_t now_ms)
{
    if (store->losing.why == NULL)
        store->losing = (struct store_gap){now_ms, now_ms, 0, "no room while the disk refused"};
    store->losing.to_ms = now_ms;
    store->losing.messages++;
    store->lost++;
    uint64_t times = log_limit_hit(&store->complaint, now_ms);
    if (times > 0)
        log_error("store: history is suspended, %llu messages are shown live and not kept",
                  (unsigned long long)times);
}

/* ---- sealing and handing over ---- */

/* Names of devices that were heard since: they never change. */
static uint32_t note_devices(struct store *store)
{
    uint32_t count = devices_count(store->options.devices);
    for (uint32_t id = count; id >= 1 && store->devices[id - 1].name[0] == '\0'; id--) {
        const struct device *device = devices_at(store->options.devices, id);
        snprintf(store->devices[id - 1].kind, sizeof(store->devices[0].kind), "%s",
                 device->driver->plugin->kind);
        snprintf(store->devices[id - 1].name, sizeof(store->devices[0].name), "%s", device->name);
    }
    return count;
}

/* The other batch has to be free. */
static void seal(struct store *store, int64_t now_ms, uint64_t done)
{
    struct store_batch *batch = store->open;
    if (store->options.gather != NULL)
        store->options.gather(store->options.user);
    batch->devices = note_devices(store);
    batch->position = done;
    batch->sealed_ms = now_ms;
    batch->heard_ms = store->heard_ms;
    uint64_t lost = history_lost(batch->history);
    if (lost > 0 && store->losing.why == NULL)
        store->losing = (struct store_gap){batch->begun_ms, now_ms, 0, "no room for its samples"};
    batch->gap = store->losing;
    store->losing.why = NULL;
    store->sealed = true;
    store->sealed_at_ms = now_ms;
    store->open = store_other(store);
    begin_batch(store, batch->number + 1, now_ms);
}

static void hand_over(struct store *store)
{
    store->sealed = false;
    pthread_mutex_lock(&store->mutex);
    store->job = store_other(store);
    pthread_cond_signal(&store->due);
    pthread_mutex_unlock(&store->mutex);
}

/* Is the other batch on the disk? Then it needs no memory until it is filled again. */
static bool is_free(struct store *store)
{
    struct store_batch *other = store_other(store);
    if (other->number > atomic_load(&store->committed))
        return false;
    if (history_count(other->history) > 0)
        history_clear(other->history);
    if (other->number != 0 && other->position > store->position)
        store->position = other->position;
    return true;
}

static bool is_due(const struct store *store, int64_t now_ms, uint64_t done, bool hurry)
{
    const struct store_batch *batch = store->open;
    int64_t age_ms = now_ms - batch->begun_ms;
    if (!history_has_room(batch->history) ||
        batch->rows.used > STORE_ROWS_BYTES / 2) /* what comes next may find no place */
        return true;
    if (batch->rows.count > 0)
        return age_ms >= SEAL_SOON_MS || age_ms < 0;
    if (hurry)
        return age_ms >= HURRY_MS || age_ms < 0;
    bool has_something =
        !history_is_empty(batch->history) || done > store->position || store->losing.why != NULL;
    return has_something && (age_ms >= SEAL_MS || age_ms < 0);
}

bool store_turn(struct store *store, int64_t now_ms, uint64_t done, uint64_t synced, bool hurry)
{
    bool is_new = !store->sealed && is_free(store) && is_due(store, now_ms, done, hurry);
    if (is_new)
        seal(store, now_ms, done);
    if (store->sealed && store_other(store)->position <= synced)
        hand_over(store);
    return is_new && store->sealed;
}

uint64_t store_needs(const struct store *store)
{
    return store_is_safe(store) ? store->position : STORE_NONE;
}

int64_t store_turned_ms(const struct store *store)
{
    return atomic_load(&store->turned_ms);
}

void store_stats(const struct store *store, struct store_stats *stats)
{
    struct store *of = (struct store *)store;
    pthread_mutex_lock(&of->mutex);
    *stats = of->stats;
    pthread_mutex_unlock(&of->mutex);
    stats->lost = store->lost;
    stats->held_blocks = history_count(store->open->history);
    stats->most_blocks = history_capacity(store->open->history);
    stats->held_row_bytes = store->open->rows.used;
}

/* ---- flush, stop ---- */

/* Until the writer has no batch; false: it has given it up, or cannot write it now. */
static bool wait_for_writer(struct store *store)
{
    if (store->sealed)
        hand_over(store);
    pthread_mutex_lock(&store->mutex);
    while (store->started && store->job != NULL && !store->given_up &&
           (store->stop || atomic_load(&store->refusing_ms) == 0))
        pthread_cond_wait(&store->finished, &store->mutex);
    bool done = store->job == NULL;
    pthread_mutex_unlock(&store->mutex);
    return done && is_free(store);
}

bool store_flush(struct store *store, int64_t now_ms, uint64_t done)
{
    if (!wait_for_writer(store))
        return false;
    seal(store, now_ms, done);
    return wait_for_writer(store);
}

void store_stop(struct store *store, int64_t now_ms, uint64_t done)
{
    if (!store->started)
        return;
    pthread_mutex_lock(&store->mutex);
    store->stop = true;
    pthread_cond_signal(&store->due);
    pthread_mutex_unlock(&store->mutex);
    if (wait_for_writer(store)) {
        store->open->clean = true;
        seal(store, now_ms, done);
        wait_for_writer(store);
    }
    pthread_mutex_lock(&store->mutex);
    store->given_up = true; /* whatever is left */
    pthread_cond_signal(&store->due);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
    atomic_store(&store->check_stop, true);
    if (store->checking)
        pthread_join(store->checker, NULL);
    store->started = false;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    assert(!store->started);
    store_merge_close(store);
    store_file_close(&store->db);
    if (store->lock >= 0)
        close(store->lock);
    for (int i = 0; i < 2; i++) {
        history_destroy(store->batches[i].history);
        free(store->batches[i].rows.bytes);
    }
    pthread_cond_destroy(&store->finished);
    pthread_cond_destroy(&store->due);
    pthread_mutex_destroy(&store->mutex);
    free(store->order);
    free(store->metrics);
    free(store->devices);
    free(store);
}
