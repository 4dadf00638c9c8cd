#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "io/store_state.h"

#define RETRY_MS    500   /* between attempts while the disk refuses */
#define TURN_MS     5000  /* a sign of life to the watchdog */
#define UPKEEP_MS   100   /* between two steps of upkeep */
#define UPKEEP_SOON 500   /* where people wait for it */
#define UPKEEP_REST 10000 /* and where there is nothing to do */
#define COMPLAIN_MS 60000

/* ---- names: keys of the file ---- */

static int find_key(sqlite3_stmt *bound, int64_t *key)
{
    int rc = sqlite3_step(bound);
    if (rc == SQLITE_ROW)
        *key = sqlite3_column_int64(bound, 0);
    sqlite3_reset(bound);
    return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int device_key(struct store *store, uint32_t device, int64_t *key)
{
    struct store_device *of = &store->devices[device - 1];
    int rc = 0;
    if (of->key == 0) {
        rc = store_step(store_bind(&store->db, ON_DEVICE_ADD, "tt", of->kind, of->name));
        if (rc == 0)
            rc = find_key(store_bind(&store->db, ON_DEVICE_FIND, "tt", of->kind, of->name),
                          &of->key);
    }
    *key = of->key;
    return rc;
}

static int metric_key(struct store *store, uint32_t number, int64_t *key)
{
    int64_t *known = &store->metrics[number];
    int rc = 0;
    if (*known == 0) {
        const struct driver *driver;
        const struct lumbar_metric *metric =
            drivers_metric(store->options.drivers, number, &driver);
        double step = metric_step(metric);
        rc = store_step(store_bind(&store->db, ON_METRIC_ADD, "tttdd", driver->plugin->kind,
                                   metric->name, metric->unit, metric->min, step));
        if (rc == 0)
            rc = find_key(store_bind(&store->db, ON_METRIC_FIND, "ttdd", driver->plugin->kind,
                                     metric->name, metric->min, step),
                          known);
    }
    *key = *known;
    return rc;
}

/* A transaction that is undone takes the keys with it that it made. */
static void forget_keys(struct store *store)
{
    for (uint32_t i = 0; i < store->options.max_devices; i++)
        store->devices[i].key = 0;
    memset(store->metrics, 0, store->options.drivers->metric_count * sizeof(*store->metrics));
}

/* ---- blocks ---- */

/* What the file has of this minute already: it was sealed before, or came late. */
static int add_stored(sqlite3_stmt *read, struct block *block)
{
    struct block stored;
    int rc = sqlite3_step(read);
    if (rc == SQLITE_ROW) {
        if (block_unpack(&stored, sqlite3_column_blob(read, 0),
                         (size_t)sqlite3_column_bytes(read, 0)))
            block_add(block, &stored);
        else
            log_error("store: a minute of history is damaged; it begins anew");
    }
    sqlite3_reset(read);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

static int write_block(struct store *store, const struct store_batch *batch, uint32_t number,
                       int64_t *hour)
{
    struct block block;
    uint8_t packed[BLOCK_MAX_BYTES];
    int64_t device, metric;
    struct history_block of = history_at(batch->history, number, &block);
    int rc = device_key(store, of.device, &device);
    if (rc == 0)
        rc = metric_key(store, of.metric, &metric);
    if (rc == 0)
        rc = add_stored(store_bind(&store->db, ON_SECOND_READ, "iii", of.minute, device, metric),
                        &block);
    if (rc != 0)
        return rc;
    int bytes = (int)block_pack(&block, packed);
    rc = store_step(
        store_bind(&store->db, ON_SECOND_WRITE, "iiib", of.minute, device, metric, packed, bytes));
    if (rc == 0 && of.minute / 60 != *hour)
        rc = store_step(store_bind(&store->db, ON_ROLLUP_ADD, "i", of.minute / 60));
    *hour = of.minute / 60;
    return rc;
}

/* As the table lies, so that a minute's rows share their pages. */
static int by_key(const void *a, const void *b, void *user)
{
    const struct history *history = user;
    struct history_block left = history_key(history, *(const uint32_t *)a);
    struct history_block right = history_key(history, *(const uint32_t *)b);
    if (left.minute != right.minute)
        return left.minute < right.minute ? -1 : 1;
    if (left.device != right.device)
        return left.device < right.device ? -1 : 1;
    return (left.metric > right.metric) - (left.metric < right.metric);
}

static int write_blocks(struct store *store, const struct store_batch *batch)
{
    uint32_t count = history_count(batch->history);
    int64_t hour = INT64_MIN;
    int rc = 0;
    for (uint32_t i = 0; i < count; i++)
        store->order[i] = i;
    qsort_r(store->order, count, sizeof(*store->order), by_key, batch->history);
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = write_block(store, batch, store->order[i], &hour);
    return rc;
}

/* ---- a batch ---- */

static int write_batch(struct store *store, const struct store_batch *batch)
{
    int rc = store_step(store_bind(&store->db, ON_BEGIN, ""));
    if (rc == 0)
        rc = write_blocks(store, batch);
    if (rc == 0)
        rc = store_rows_write(&store->db, &batch->rows);
    if (rc == 0 && batch->gap.why != NULL)
        rc = store_step(store_bind(&store->db, ON_GAP, "iiit", batch->gap.from_ms, batch->gap.to_ms,
                                   (int64_t)batch->gap.messages, batch->gap.why));
    if (rc == 0)
        rc = store_step(store_bind(&store->db, ON_MARK, "iiiiii", (int64_t)store->options.ring,
                                   (int64_t)batch->position, (int64_t)batch->number,
                                   batch->sealed_ms, (int64_t)batch->clean, batch->heard_ms));
    return rc == 0 ? store_step(store_bind(&store->db, ON_COMMIT, "")) : rc;
}

void store_undo(struct store *store)
{
    if (store->db.db == NULL)
        return;
    if (!sqlite3_get_autocommit(store->db.db))
        store_step(store_bind(&store->db, ON_ROLLBACK, ""));
    forget_keys(store);
}

static void begin_anew(struct store *store, const char *why)
{
    struct diag diag = {0};
    if (store_begin_anew(store, why, &diag) != 0)
        log_error("store: %s", diag.text);
}

/* One attempt. A damaged file is set aside within it, so that the next attempt meets a new one. */
static bool try_batch(struct store *store, const struct store_batch *batch, struct diag *diag)
{
    if (store->db.db == NULL) {
        if (store_file_open(&store->db, store->file, diag) != 0)
            return false;
        store_watch_log(store);
    }
    int rc = write_batch(store, batch);
    if (rc == 0)
        return true;
    diag_set(diag, ERR_IO, "%s", sqlite3_errmsg(store->db.db));
    store_undo(store);
    if (store_outcome_of(rc) == STORE_DAMAGED)
        begin_anew(store, diag->text);
    return false;
}

/* ---- the thread; its lock is held but where a batch or upkeep is at work ---- */

static int64_t mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

static void wait_ms(struct store *store, int64_t ms)
{
    int64_t at = clock_mono_ns() + ms * 1000000;
    struct timespec until = {at / 1000000000, at % 1000000000};
    atomic_store(&store->turned_ms, mono_ms());
    pthread_cond_timedwait(&store->due, &store->mutex, &until);
    atomic_store(&store->turned_ms, mono_ms());
}

static void note_refusal(struct store *store, const struct diag *diag)
{
    int64_t now = mono_ms();
    store->stats.failures++;
    if (atomic_load(&store->refusing_ms) == 0)
        atomic_store(&store->refusing_ms, now);
    else if (now - store->reported_ms < COMPLAIN_MS)
        return;
    store->reported_ms = now;
    log_error("store: cannot write to %s: %s; rooms are shown live, and history waits", store->file,
              diag->text);
    pthread_cond_broadcast(&store->finished);
}

static void note_success(struct store *store, const struct store_batch *batch)
{
    store->stats.batches++;
    store->stats.blocks += history_count(batch->history);
    store->stats.samples += history_samples(batch->history);
    store->stats.rows += batch->rows.count;
    if (atomic_exchange(&store->refusing_ms, 0) != 0)
        log_notice("store: %s can be written again", store->file);
    if (batch->gap.why != NULL)
        log_error("store: a gap in the history is noted: %s", batch->gap.why);
}

/* Once more after the other until it is there; at the end of the run twice at most. */
static void do_job(struct store *store)
{
    const struct store_batch *batch = store->job;
    for (int attempts = 0;;) {
        struct diag diag = {0};
        pthread_mutex_unlock(&store->mutex);
        bool done = try_batch(store, batch, &diag);
        pthread_mutex_lock(&store->mutex);
        if (done)
            break;
        note_refusal(store, &diag);
        attempts += store->stop;
        if (attempts >= 2 || store->given_up) {
            store->given_up = true;
            pthread_cond_broadcast(&store->finished);
            return;
        }
        wait_ms(store, RETRY_MS);
    }
    note_success(store, batch);
    atomic_store(&store->committed, batch->number);
    atomic_store(&store->stored_heard_ms, batch->heard_ms);
    store->job = NULL;
    pthread_cond_broadcast(&store->finished);
    if (store->wake != NULL)
        store->wake(store->wake_user);
}

static int64_t do_upkeep(struct store *store)
{
    bool more = false;
    if (atomic_load(&store->refusing_ms) != 0)
        return RETRY_MS;
    pthread_mutex_unlock(&store->mutex);
    enum store_outcome outcome = store_upkeep(store, clock_wall_ms(), &more);
    if (outcome != STORE_DONE)
        store_undo(store);
    if (outcome == STORE_DAMAGED)
        begin_anew(store, "met when it was kept in order");
    pthread_mutex_lock(&store->mutex);
    return more && outcome == STORE_DONE ? UPKEEP_MS : UPKEEP_REST;
}

/* Is something to be looked at or taken over that people wait for? */
static bool has_hurry(const struct store *store)
{
    return atomic_load(&store->found_damage) || atomic_load(&store->doubted) ||
           atomic_load(&store->merging) ||
           atomic_load(&store->merged) < atomic_load(&store->filled);
}

void *store_run(void *user)
{
    struct store *store = user;
    int64_t upkeep_ms = mono_ms() + UPKEEP_REST; /* not while the hub starts */
    pthread_mutex_lock(&store->mutex);
    while (!store->given_up) {
        int64_t now = mono_ms();
        if (has_hurry(store) && upkeep_ms > now + UPKEEP_SOON)
            upkeep_ms = now + UPKEEP_SOON;
        if (store->job != NULL) {
            do_job(store);
        } else if (!store->stop && now >= upkeep_ms) {
            upkeep_ms = now + do_upkeep(store);
        } else {
            int64_t rest_ms = upkeep_ms - now;
            wait_ms(store, rest_ms < 1 || rest_ms > TURN_MS ? TURN_MS : rest_ms);
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}
