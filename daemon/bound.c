/* The bound on all that is kept: history, recordings and backups together. Beyond it the oldest
 * seconds go, and when none is left to go, recordings. */
#include "base/log.h"
#include "hub.h"

#define LOOK_MS     10000
#define LEAST_BYTES (INT64_C(1) << 20)

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Each within its own bound as well. A recording is let go only where seconds alone are not enough;
 * a backup never is: the newest of them is what a damaged history comes back from. */
void hub_hold_bound(struct lumbard *hub, int64_t now_ms)
{
    const struct config *config = hub->setup.config;
    struct hub_bound *bound = &hub->bound;
    struct store_stats store;
    struct recorder_stats recorder;
    struct backup_state backups;
    if (config->storage.size_bytes == 0 || now_ms - bound->looked_ms < LOOK_MS)
        return;
    bound->looked_ms = now_ms;
    store_stats(hub->store, &store);
    recorder_stats(hub->recorder, &recorder);
    backup_state(hub->backup, &backups);
    int64_t history = (int64_t)store.content_bytes, tapes = (int64_t)recorder.kept_bytes;
    int64_t copies = (int64_t)backups.bytes, all = config->storage.size_bytes;
    bool over = history + tapes + copies > all;
    if (over != bound->over)
        log_line(over ? LOG_WARN : LOG_NOTICE, "storage: %lld MiB are kept, %s storage.size%s",
                 (long long)(history + tapes + copies) >> 20, over ? "more than" : "again within",
                 over ? ": the oldest seconds go, and then recordings" : "");
    bound->over = over;
    store_limit(hub->store,
                most(LEAST_BYTES, least(config->history.size_bytes, all - tapes - copies)));
    int64_t left = config->recorder.size_bytes;
    if (over && (store.at_least || history <= LEAST_BYTES))
        left = most(0, least(left, all - history - copies));
    if (left == bound->recordings)
        return;
    bound->recordings = left;
    recorder_keep(hub->recorder, config->recorder.days, (uint64_t)left);
}
