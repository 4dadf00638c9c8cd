/* When the store's file was damaged and begun anew: it is given all that is known here, and what it
 * lacks still, as far as it was recorded. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/account_kept.h"
#include "hub.h"

#define TAKEN_MAX 1000000 /* more than a spool holds */
#define QUIET_MS  10000

/* All of it counts as what found no room, which is put as soon as there is some. */
static void put_all_anew(struct lumbard *hub)
{
    struct hub_unstored *unstored = &hub->unstored;
    unstored->client = unstored->plan = 1;
    unstored->session = unstored->alarm = 1;
    unstored->calibration = unstored->pauses = unstored->accounts = unstored->places = true;
    derive_tell_all(hub->ingest.derive);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++)
        device_keep_anew(devices_at(hub->ingest.devices, id));
}

static int by_sum(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* What waited in the spool, and comes first: the time of this run may be another one than that on
 * its recording. */
void hub_note_taken(struct lumbard *hub, const struct ingest_message *message)
{
    struct hub_taken *taken = &hub->taken;
    if (taken->until_ms == INT64_MAX && !hub->recovering)
        taken->until_ms = message->received_ms + 2 * REBUILD_SLACK_MS;
    if (taken->count == TAKEN_MAX || message->received_ms > taken->until_ms) {
        taken->until_ms = 0;
        return;
    }
    if (taken->count == taken->room) {
        size_t room = taken->room == 0 ? 1024 : 2 * taken->room;
        uint64_t *grown = realloc(taken->sums, room * sizeof(*grown));
        if (grown == NULL)
            return;
        taken->sums = grown;
        taken->room = room;
    }
    taken->sums[taken->count++] =
        rebuild_sum(message->topic, message->topic_bytes, message->payload, message->payload_bytes);
}

static void on_rebuilt(void *user)
{
    hub_wake(user);
}

static void begin(struct lumbard *hub, const struct store_lack *lack)
{
    const struct config *config = hub->setup.config;
    struct diag diag = {0};
    if (hub->taken.count > 0)
        qsort(hub->taken.sums, hub->taken.count, sizeof(*hub->taken.sums), by_sum);
    snprintf(hub->rebuilt, sizeof(hub->rebuilt), "%s.rebuilt", config->history.file);
    const struct rebuild_options options = {
        .config_file = hub->options->config_file,
        .recordings = config->recorder.folder,
        .file = hub->rebuilt,
        .lack = *lack,
        .taken = hub->taken.sums,
        .taken_count = hub->taken.count,
        .wake = on_rebuilt,
        .user = hub,
    };
    if (rebuild_start(&hub->rebuild, &options, &diag) != 0)
        log_error("store: %s", diag.text);
}

/* What cannot be rebuilt now is tried again at the next start. */
static void end(struct lumbard *hub)
{
    unsigned tapes;
    uint64_t messages;
    struct diag diag = {0};
    if (!rebuild_has_ended(hub->rebuild, &tapes, &messages, &diag))
        return;
    if (diag.code != 0) {
        log_error("store: what recordings have of the damaged history is not taken: %s", diag.text);
        hub->rebuild_failed = true;
    } else if (!store_fill(hub->store, tapes > 0 ? hub->rebuilt : NULL)) {
        return; /* no room: the next time */
    } else if (tapes > 0) {
        log_notice("store: %u recordings have %llu messages of the time that the history lacks",
                   tapes, (unsigned long long)messages);
    }
    rebuild_destroy(hub->rebuild);
    hub->rebuild = NULL;
}

/* Where nobody speaks, what is lacking ends all the same, and there is nothing more to be noted. */
static void end_waiting(struct lumbard *hub, const struct store_lack *lack, int64_t now_ms)
{
    if (lack->is_there && lack->open && now_ms - hub->started_ms > QUIET_MS)
        store_heard(hub->store, now_ms);
    if (hub->taken.until_ms == INT64_MAX && lack->is_there && !lack->open)
        hub->taken.until_ms = now_ms + 2 * REBUILD_SLACK_MS;
    if (now_ms > hub->taken.until_ms)
        hub->taken.until_ms = 0;
}

void hub_renew_store(struct lumbard *hub)
{
    struct store_lack lack;
    if (store_renewals(hub->store) != hub->renewals) {
        hub->renewals = store_renewals(hub->store);
        put_all_anew(hub);
        hub_erase_again(hub, true);
    }
    store_lack(hub->store, &lack);
    end_waiting(hub, &lack, hub_now_ms(hub));
    if (hub->rebuild != NULL)
        end(hub);
    else if (lack.is_there && !lack.open && !hub->rebuild_failed && hub->taken.until_ms == 0)
        begin(hub, &lack);
}

/* Numbers of sessions that were lost, and have a recording, are not given again. */
void hub_skip_lost_sessions(struct lumbard *hub)
{
    struct store_lack lack;
    store_lack(hub->store, &lack);
    if (!lack.is_there)
        return;
    sessions_go_on(hub->ingest.sessions,
                   rebuild_newest_session(hub->setup.config->recorder.folder));
    hub->taken.until_ms = lack.open ? INT64_MAX : 0;
}
