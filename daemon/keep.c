#include <unistd.h>

#include "hub.h"

#define FLUSH_MS 250 /* between two calls to give places back: each costs a sync a room */

static void assign(struct lumbard *hub)
{
    const struct config *config = hub->setup.config;
    const char *names[CONFIG_ROOMS_MAX];
    for (uint32_t i = 0; i < config->room_count; i++)
        names[i] = config->rooms[i].name;
    recorder_rooms(hub->recorder, names, config->room_count);
}

int hub_open_recorder(struct lumbard *hub, struct diag *diag)
{
    const struct config *config = hub->setup.config;
    struct recorder_options options = {
        .folder = config->recorder.folder,
        .rooms = config->room_count,
        .days = config->recorder.days,
        .size_bytes = (uint64_t)config->recorder.size_bytes,
        .patience_ms = config->spool.patience_ms,
        .ring = spool_id(hub->spool),
        .tail = spool_tail(hub->spool),
        .head = spool_head(hub->spool),
    };
    int code = recorder_open(&hub->recorder, &options, diag);
    if (code != 0)
        return code;
    assign(hub);
    /* Before what the spool has left is gone through: there may be more of it than blocks. */
    return recorder_start(hub->recorder, diag);
}

void hub_assign_recorder(struct lumbard *hub)
{
    const struct config *config = hub->setup.config;
    recorder_keep(hub->recorder, config->recorder.days, (uint64_t)config->recorder.size_bytes);
    assign(hub);
}

/* Was it used, or refused for its content? A repeat is on the tape already. */
static bool is_kept(const struct ring_record *record, enum ingest_result result, bool again)
{
    if (again)
        return atomic_load(&record->outcome) == RING_USED;
    return result != INGEST_REPEATED;
}

void hub_record(struct lumbard *hub, const struct ring_record *record,
                const struct ingest_message *message, enum ingest_result result, bool again)
{
    /* A child that tries a message has no recorder's thread. */
    if (hub->recovering && getpid() != hub->pid)
        return;
    if (!hub->setup.config->recorder.always || !is_kept(record, result, again))
        return;
    const struct route *route =
        routes_find(hub->ingest.routes, message->topic, message->topic_bytes);
    if (route == NULL || route->device->room == ROOM_NONE)
        return;
    recorder_take(hub->recorder, &(struct recorder_message){
                                     .room = route->device->room,
                                     .topic = message->topic,
                                     .topic_bytes = message->topic_bytes,
                                     .payload = message->payload,
                                     .payload_bytes = message->payload_bytes,
                                     .received_ms = message->received_ms,
                                     .position = message->position,
                                     .again = again,
                                     .patient = hub->recovering,
                                 });
}

/* The recorder takes its time, a minute a block, unless the spool is half full of what it needs. */
void hub_keep(struct lumbard *hub)
{
    struct spool_stats spool;
    /* Where the disk refuses the spool for good, the recorder's may still work. */
    recorder_synced(hub->recorder,
                    spool_is_safe(hub->spool) ? spool_synced(hub->spool, NULL) : RECORDER_NONE);
    spool_keep(hub->spool, recorder_needs(hub->recorder));
    spool_stats(hub->spool, &spool);
    int64_t now_ms = hub_now_ms(hub);
    if (spool.used_bytes < spool.size_bytes / 2 || now_ms - hub->flushed_ms < FLUSH_MS)
        return;
    hub->flushed_ms = now_ms;
    recorder_flush(hub->recorder);
}
