#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/account_kept.h"
#include "hub.h"
#include "io/store_rows.h"

#define HELD_MS  2000 /* later than this behind its newest sample, a message was held back */
#define FLUSH_MS 250  /* between two calls to give places back: each costs a sync a room */

/* The store's thread: a batch is on the disk, and the loop may seal the next one. */
static void on_stored(void *user)
{
    hub_wake(user);
}

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
    hub->noted_devices = calloc((size_t)config->devices.max + 1, sizeof(*hub->noted_devices));
    if (hub->noted_devices == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for what is noted of devices");
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
    hub->bound = (struct hub_bound){.looked_ms = 0};
    assign(hub);
}

/* Was it used, or refused for its content? A repeat is on the tape already. */
static bool is_kept(const struct ring_record *record, enum ingest_result result, bool again)
{
    if (again)
        return atomic_load(&record->outcome) == RING_USED;
    return result != INGEST_REPEATED;
}

/* Whose tape a message goes to. */
struct tape_of {
    uint32_t room; /* ROOM_NONE: no one's */
    uint64_t session;
};

/* What a device held back is of the session that it was in then, though it is in that of another
 * client by now. Where a tape of others is written in that room, it is in the history only. */
static struct tape_of tape_of(const struct lumbard *hub, const struct ingest_message *message)
{
    const struct sessions *sessions = hub->ingest.sessions;
    const struct device *device = hub->ingest.heard;
    const int64_t heard_ms = hub->ingest.heard_ms;
    if (device == NULL)
        return (struct tape_of){ROOM_NONE, 0};
    const uint32_t room = sessions_room_of(sessions, device);
    const uint64_t now_in = hub_running_session(hub, room);
    const bool always = hub->setup.config->recorder.always;
    if (heard_ms == 0 || message->received_ms - heard_ms <= HELD_MS)
        return (struct tape_of){room, now_in};
    const struct session *then = sessions_then(sessions, device->id, heard_ms);
    if (then != NULL && (then->ended_ms == 0 || !always))
        return (struct tape_of){then->room, then->id};
    return (struct tape_of){now_in == 0 ? room : ROOM_NONE, 0};
}

void hub_record(struct lumbard *hub, const struct ring_record *record,
                const struct ingest_message *message, enum ingest_result result, bool again)
{
    /* A child that tries a message has no recorder's thread. */
    if (hub->recovering && getpid() != hub->pid)
        return;
    if (!is_kept(record, result, again))
        return;
    if (hub->ingest.missing != 0 && (hub->ingest.missing & MISSING_TAPE) == 0)
        return; /* it came again for the history */
    const struct device *device = hub->ingest.heard;
    const struct tape_of tape = tape_of(hub, message);
    if (tape.room == ROOM_NONE || (tape.session == 0 && !hub->setup.config->recorder.always))
        return;
    const struct recorder_message recorded = {.room = tape.room,
                                              .session = tape.session,
                                              .topic = message->topic,
                                              .topic_bytes = message->topic_bytes,
                                              .payload = message->payload,
                                              .payload_bytes = message->payload_bytes,
                                              .received_ms = message->received_ms,
                                              .position = message->position,
                                              .again = again,
                                              .patient = hub->recovering};
    if (!recorder_take(hub->recorder, &recorded) && hub->ingest.accounted)
        device_miss(hub->ingest.heard, MISSING_TAPE);
    hub_note(hub, &recorded, device);
}

/* ---- the store ---- */

/* What has to be as it is at the batch's place of the spool: what a crash leaves in the spool
 * beyond it is accounted again. */
static void gather(void *user)
{
    struct lumbard *hub = user;
    struct derive *derive = hub->ingest.derive;
    hub_gather_sessions(hub);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++) {
        struct device *device = devices_at(hub->ingest.devices, id);
        if (derive_has_news(derive, device))
            store_derived(hub->store, derive, device);
        if (device_has_news(device) && store_numbering(hub->store, device))
            device_keep_done(device);
    }
}

/* What is gone through of the ring comes first: those are no repeats, though they were heard. */
static void on_new_device(void *user, struct device *device)
{
    struct lumbard *hub = user;
    if (hub->settled)
        heard_list_give(hub->heard, device);
}

static int load_alarms(struct lumbard *hub, struct diag *diag)
{
    const struct ingest *ingest = &hub->ingest;
    struct store_alarms_world world = {.alarms = ingest->alarms,
                                       .rules = ingest->rules,
                                       .devices = ingest->devices,
                                       .drivers = ingest->drivers,
                                       .publisher = hub->publisher};
    return store_load_alarms(hub->store, &world, hub_now_ms(hub), diag);
}

/* What the store knows goes where it belongs; the later leans on the earlier. */
static int load_kept(struct lumbard *hub, struct diag *diag)
{
    const struct ingest *ingest = &hub->ingest;
    int code = load_alarms(hub, diag);
    if (code == 0)
        code = hub_load_placements(hub, diag);
    if (code == 0)
        code = hub_load_pauses(hub, diag);
    if (code == 0)
        code = hub_load_repeats(hub, diag);
    if (code == 0)
        code = hub_load_accounts(hub, diag);
    if (code == 0)
        code = hub_load_audit(hub, diag);
    if (code == 0)
        code = hub_load_glass(hub, diag);
    if (code == 0)
        code = hub_load_people(hub, diag);
    if (code == 0)
        code = hub_load_sessions(hub, diag);
    if (code == 0)
        hub_skip_lost_sessions(hub);
    if (code == 0)
        code = hub_load_calibration(hub, diag);
    if (code == 0)
        hub_erase_again(hub, false);
    if (code == 0)
        code =
            store_load_derived(hub->store, ingest->derive, ingest->drivers, ingest->devices, diag);
    if (code == 0)
        code = store_load_heard(hub->store, &hub->heard, diag);
    return code == 0 ? hub_audit_clock(hub, diag) : code;
}

int hub_open_store(struct lumbard *hub, struct diag *diag)
{
    const struct config *config = hub->setup.config;
    struct ingest *ingest = &hub->ingest;
    char backups[PATH_MAX];
    hub_backups_folder(hub, backups);
    struct store_options options = {
        .file = config->history.file,
        .history_bytes = (size_t)config->history.memory_bytes,
        .max_devices = (uint32_t)config->devices.max,
        .drivers = &hub->setup.drivers,
        .devices = ingest->devices,
        .seconds_days = config->history.seconds_days,
        .minutes_days = config->history.minutes_days,
        .sessions_days = config->history.sessions_days,
        .alarms_days = config->history.alarms_days,
        .size_bytes = config->history.size_bytes,
        .patience_ms = config->spool.patience_ms,
        .backups = backups,
        .gather = gather,
        .user = hub,
        .ring = spool_id(hub->spool),
        .tail = spool_tail(hub->spool),
        .head = spool_head(hub->spool),
    };
    int code = store_open(&hub->store, &options, hub_now_ms(hub), diag);
    if (code == 0)
        hub_take_clock(hub);
    if (code == 0)
        code = load_kept(hub, diag);
    if (code != 0)
        return code;
    devices_tell(ingest->devices, on_new_device, hub);
    hub->history = true;
    hub->acked_from = STORE_NONE;
    hub->settled = store_position(hub->store) == 0; /* nothing is known of a time before */
    return store_start(hub->store, on_stored, hub, diag);
}

static bool stands(void *user, const struct rule *rule, uint32_t device)
{
    const struct alarms *alarms = user;
    for (const struct alarm *at = NULL; (at = alarms_next(alarms, at)) != NULL;)
        if (at->rule == rule && at->device == device && alarm_holds(at->state))
            return true;
    return false;
}

/* What old messages made of the rules is held against the alarms that were stored. */
void hub_settle(struct lumbard *hub)
{
    struct ingest *ingest = &hub->ingest;
    if (hub->settled)
        return;
    hub->settled = true;
    for (uint32_t id = 1; id <= devices_count(ingest->devices); id++)
        heard_list_give(hub->heard, devices_at(ingest->devices, id));
    rules_calm(ingest->rules, ingest->devices, stands, ingest->alarms);
    for (const struct alarm *at = NULL; (at = alarms_next(ingest->alarms, at)) != NULL;)
        if (alarm_holds(at->state))
            rules_stand(ingest->rules, at->rule, at->device, at->since_ms, at->worst);
}

/* A ring may hold more than a batch: what is gathered goes to the disk in between. */
static void make_room(struct lumbard *hub, uint64_t position)
{
    if (getpid() == hub->pid && store_history(hub->store) == NULL)
        store_flush(hub->store, hub_now_ms(hub), position);
}

void hub_prepare_record(struct lumbard *hub, const struct ring_record *record, bool again)
{
    struct ingest *ingest = &hub->ingest;
    bool stored = store_has(hub->store, record->position, again);
    if (!stored)
        hub_settle(hub);
    ingest->quiet = stored;
    if (hub->recovering)
        make_room(hub, record->position);
    hub->lost = false;
    ingest->history = store_history(hub->store);
    if (stored || (again && atomic_load(&record->outcome) != RING_USED))
        ingest->history = NULL;
    else if (ingest->history == NULL) {
        store_lose(hub->store, hub_now_ms(hub));
        hub->lost = true;
    }
}

void hub_miss(struct lumbard *hub, enum ingest_result result)
{
    const struct ingest *ingest = &hub->ingest;
    bool wanted = ingest->missing == 0 || (ingest->missing & MISSING_HISTORY) != 0;
    if (hub->lost && wanted && result == INGEST_USED && ingest->accounted)
        device_miss(ingest->heard, MISSING_HISTORY);
}

void hub_stop_store(struct lumbard *hub)
{
    store_stop(hub->store, hub_now_ms(hub), spool_done(hub->spool));
}

/* Live never stops for history; the spool is let go when the disk has refused for long enough. */
static uint64_t keep_store(struct lumbard *hub, uint64_t synced, bool hurry)
{
    bool safe = store_is_safe(hub->store);
    if (store_turn(hub->store, hub_now_ms(hub), spool_done(hub->spool), synced, hurry))
        spool_hurry(hub->spool); /* alarms and answers wait for it */
    if (safe != hub->history && safe)
        log_notice("store: history goes on");
    else if (safe != hub->history)
        log_error("store: history is suspended: what comes is no longer safe, and devices are not "
                  "told that it were");
    hub->history = safe;
    return store_needs(hub->store);
}

/* What the spool keeps until store and recorder have it is safe in its copy. Of what it let go,
 * for they could not take it in time, nobody is told before they have it all the same. */
static uint64_t acked_from(struct lumbard *hub, uint64_t taped, bool recorded)
{
    uint64_t stored = store_position(hub->store);
    if (!hub->history || !recorded)
        hub->let_go = spool_done(hub->spool);
    uint64_t lowest = stored < taped ? stored : taped;
    return lowest < hub->let_go ? lowest : STORE_NONE;
}

/* Recorder and store take their time, a minute a block, unless the spool is half full of what they
 * need, or devices wait for it. */
void hub_keep(struct lumbard *hub)
{
    struct spool_stats spool;
    spool_stats(hub->spool, &spool);
    bool hurry = spool.used_bytes >= spool.size_bytes / 2 || hub->acked_from != STORE_NONE;
    /* Where the disk refuses the spool for good, that of the others may still work. */
    uint64_t synced = spool_is_safe(hub->spool) ? spool_synced(hub->spool, NULL) : UINT64_MAX;
    recorder_synced(hub->recorder, synced);
    uint64_t stored = keep_store(hub, synced, hurry);
    hub_send_answers(hub);
    uint64_t taped, recorded = recorder_needs(hub->recorder, &taped);
    hub->acked_from = acked_from(hub, taped, recorded == taped);
    spool_keep(hub->spool, stored < recorded ? stored : recorded);
    int64_t now_ms = hub->kept_ms = hub_now_ms(hub);
    if (!hurry || now_ms - hub->flushed_ms < FLUSH_MS)
        return;
    hub->flushed_ms = now_ms;
    recorder_flush(hub->recorder);
    spool_hurry(hub->spool);
}
