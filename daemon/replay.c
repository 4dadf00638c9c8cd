#include "replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/topic.h"

#define TICK_MS 250 /* as the hub's */
#define TICK_MOST_MS                                                                               \
    (INT64_C(86400) * 1000)    /* a longer silence than a day is passed over at once */
#define FEED_BYTES    1048576u /* holds what one message gives, many times over */
#define RECORDED_ROOM 1

struct replay {
    struct setup *setup;
    struct ingest ingest;
    struct replay_listener listener;
    struct tape_packer *packer;
    struct replay_counts counts;
    struct replay_series *series; /* of device 1, device 2 ... */
    uint32_t *first_series;       /* by device id - 1 */
    size_t series_count, series_room;
    uint32_t known;    /* devices that have series */
    uint64_t cursor;   /* of the feed */
    uint64_t position; /* made up: a message's place in the spool */
    int64_t now_ms, ticked_ms;
    struct note_session session; /* as the tape noted it last; id 0: none */
    char room[64];
    struct config_room had; /* the setup's first room, and how many it has: put back at the end */
    uint32_t had_count;
};

/* ---- news of the pipeline ---- */

static void on_alarm(void *user, const struct alarm *alarm)
{
    struct replay *replay = user;
    if (alarm->deed == DEED_RAISE)
        replay->counts.raised++;
    else if (alarm->deed == DEED_CLEAR)
        replay->counts.ended++;
    else /* nobody is there who would look after an alarm */
        return;
    if (replay->listener.on_alarm != NULL)
        replay->listener.on_alarm(replay->listener.user, alarm,
                                  devices_at(replay->ingest.devices, alarm->device));
}

static void on_refused(void *user, struct device *device, enum refusal refusal, const char *reason,
                       const struct ingest_message *message)
{
    struct replay *replay = user;
    (void)device, (void)refusal;
    if (replay->listener.on_refused != NULL)
        replay->listener.on_refused(replay->listener.user, message->received_ms, message->topic,
                                    message->topic_bytes, reason);
}

/* ---- what rules ask: the tape's notes ---- */

static const char *phase_of(void *user, uint32_t room)
{
    const struct replay *replay = user;
    bool runs = room == RECORDED_ROOM && replay->session.session.id != 0 && replay->session.running;
    return runs ? replay->session.phase : NULL;
}

static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    const struct replay *replay = user;
    const struct note_session *session = &replay->session;
    double ends[2] = {NAN, NAN};
    bool known = phase_of(user, room) != NULL &&
                 note_find(session->limits, session->limit_count, metric, &ends[0], &ends[1]);
    *limit = ends[high];
    return known && !isnan(*limit);
}

static bool own_range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    const struct replay *replay = user;
    return phase_of(user, room) != NULL &&
           note_find(replay->session.own, replay->session.own_count, metric, low, high);
}

static void take_neutral(struct replay *replay, const struct tape_message *message)
{
    struct neutral_zero zero;
    const struct driver *driver;
    char name[DEVICE_NAME_BYTES];
    if (!note_read_neutral(&zero, message, &replay->setup->drivers, &driver, name))
        return;
    const struct device *device = devices_hear(replay->ingest.devices, driver, name, strlen(name));
    if (device != NULL && zero.taken_ms != 0)
        calibration_restore(replay->ingest.calibration, device, &zero, NULL);
    else if (device != NULL)
        calibration_neutral_end(replay->ingest.calibration, device->id, "", message->received_ms);
}

static void take_account(const struct replay *replay, const struct tape_message *message,
                         const struct tape_moves *moves, uint64_t place)
{
    const struct replay_listener *listener = &replay->listener;
    struct note_account piece;
    if (listener->on_account != NULL && note_read_account(&piece, message))
        listener->on_account(listener->user, &piece, moves, place);
}

static void take_note(struct replay *replay, const struct tape_message *message)
{
    if (note_is(message, NOTE_SESSION))
        note_read_session(&replay->session, message, &replay->setup->drivers);
    else if (note_is(message, NOTE_NEUTRAL))
        take_neutral(replay, message);
}

/* ---- create, destroy ---- */

static const char *title_of(const struct replay *replay, const char *room)
{
    const struct config *config = replay->setup->config;
    for (uint32_t i = 0; i < replay->had_count; i++) {
        const struct config_room *of = i == 0 ? &replay->had : &config->rooms[i];
        if (strcmp(of->name, room) == 0)
            return of->title;
    }
    return NULL;
}

void replay_enter(struct replay *replay, const char *room)
{
    struct config *config = replay->setup->config;
    const char *title = title_of(replay, room);
    memset(replay->room, 0, sizeof(replay->room));
    strncpy(replay->room, room, sizeof(replay->room) - 1);
    config->rooms[0] =
        (struct config_room){.name = replay->room, .title = title != NULL ? title : replay->room};
    config->room_count = 1;
}

int replay_create(struct replay **out, struct setup *setup, const char *room,
                  const struct replay_listener *listener, struct diag *diag)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    uint32_t devices = (uint32_t)setup->config->devices.max;
    *out = NULL;
    if (replay == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    replay->setup = setup;
    replay->listener = *listener;
    replay->had = setup->config->rooms[0];
    replay->had_count = setup->config->room_count;
    replay_enter(replay, room);
    replay->ingest = (struct ingest){
        .config = setup->config,
        .drivers = &setup->drivers,
        .derive = setup->derive,
        .rules = setup->rules,
        .devices = devices_create(devices, (uint32_t)setup->config->devices.rate_per_s),
        .routes = routes_create(devices),
        .alarms = alarms_create(),
        .feed = feed_create(FEED_BYTES),
        .calibration = calibration_create(devices, NULL, NULL),
        .session = &replay->session.session,
        .user = replay,
        .on_alarm = on_alarm,
        .on_refused = on_refused,
    };
    replay->packer = tape_packer_create();
    replay->first_series = calloc(devices, sizeof(*replay->first_series));
    if (replay->ingest.devices == NULL || replay->ingest.routes == NULL ||
        replay->ingest.alarms == NULL || replay->ingest.feed == NULL ||
        replay->ingest.calibration == NULL || replay->packer == NULL ||
        replay->first_series == NULL) {
        replay_destroy(replay);
        return diag_set(diag, ERR_MEMORY, "out of memory");
    }
    if (setup->rules != NULL)
        rules_ask(setup->rules, &(struct rules_lookup){replay, phase_of, limit_of, own_range_of});
    *out = replay;
    return 0;
}

void replay_destroy(struct replay *replay)
{
    if (replay == NULL)
        return;
    replay->setup->config->rooms[0] = replay->had;
    replay->setup->config->room_count = replay->had_count;
    calibration_destroy(replay->ingest.calibration);
    feed_destroy(replay->ingest.feed);
    alarms_destroy(replay->ingest.alarms);
    routes_destroy(replay->ingest.routes);
    devices_destroy(replay->ingest.devices);
    tape_packer_destroy(replay->packer);
    free(replay->first_series);
    free(replay->series);
    free(replay);
}

/* ---- series ---- */

/* Makes room for the series of the devices that are new. */
static bool know_devices(struct replay *replay)
{
    for (uint32_t id = replay->known + 1; id <= devices_count(replay->ingest.devices); id++) {
        const struct device *device = devices_at(replay->ingest.devices, id);
        uint32_t metrics = device->driver->metric_count;
        if (replay->series_count + metrics > replay->series_room) {
            size_t more = (replay->series_count + metrics) * 2;
            struct replay_series *grown = realloc(replay->series, more * sizeof(*grown));
            if (grown == NULL)
                return false;
            replay->series = grown;
            replay->series_room = more;
        }
        replay->first_series[id - 1] = (uint32_t)replay->series_count;
        for (uint32_t i = 0; i < metrics; i++)
            replay->series[replay->series_count++] =
                (struct replay_series){.device = device, .metric = &device->driver->metrics[i]};
        replay->known = id;
    }
    return true;
}

static void count_column(const struct replay_listener *listener, struct replay_series *series,
                         const struct feed_record *record, const struct feed_column *column)
{
    for (uint32_t i = 0; i < column->count; i++) {
        int64_t time_ms = record->start_ms + column->dt_ms[i];
        if (column->value[i] == METRIC_NONE)
            continue;
        if (series->samples == 0 || time_ms < series->first_ms)
            series->first_ms = time_ms;
        if (series->samples == 0 || time_ms > series->last_ms)
            series->last_ms = time_ms;
        series->samples++;
        if (listener->on_sample != NULL)
            listener->on_sample(listener->user, series->device, series->metric, time_ms,
                                metric_value(series->metric, (uint16_t)column->value[i]));
    }
}

/* What the message gave lies in the feed, as the page would get it. */
static void count_samples(struct replay *replay)
{
    struct feed_record record;
    struct feed_column column;
    bool missed;
    while (feed_read(replay->ingest.feed, &replay->cursor, &record, &missed, NULL, NULL)) {
        if (record.device > replay->known && !know_devices(replay))
            return;
        struct replay_series *series = replay->series + replay->first_series[record.device - 1];
        for (uint32_t at = 0; feed_column(&record, &at, &column);) {
            uint64_t before = series[column.metric].samples;
            count_column(&replay->listener, &series[column.metric], &record, &column);
            replay->counts.samples += series[column.metric].samples - before;
        }
    }
}

/* ---- time and messages ---- */

/* Time never falls: the hub's does not either. */
static void advance(struct replay *replay, int64_t time_ms)
{
    if (replay->counts.messages == 0 || time_ms - replay->ticked_ms > TICK_MOST_MS)
        replay->ticked_ms = time_ms - TICK_MS;
    for (; replay->ticked_ms + TICK_MS <= time_ms; replay->ticked_ms += TICK_MS)
        ingest_tick(&replay->ingest, replay->ticked_ms + TICK_MS);
    if (replay->counts.messages == 0 || time_ms > replay->now_ms)
        replay->now_ms = time_ms;
}

static void take(struct replay *replay, const struct tape_message *message)
{
    struct replay_counts *counts = &replay->counts;
    advance(replay, message->received_ms);
    if (counts->messages == 0)
        counts->first_ms = message->received_ms;
    counts->last_ms = replay->now_ms;
    counts->messages++;
    struct ingest_message in = {.topic = message->topic,
                                .topic_bytes = message->topic_bytes,
                                .payload = message->payload,
                                .payload_bytes = message->payload_bytes,
                                .received_ms = message->received_ms,
                                .position = ++replay->position};
    if (replay->listener.history_for != NULL)
        replay->ingest.history = replay->listener.history_for(replay->listener.user, message);
    enum ingest_result result = ingest_take(&replay->ingest, &in, replay->now_ms);
    switch (result) {
    case INGEST_USED:
        counts->used++;
        break;
    case INGEST_REPEATED:
        counts->repeated++;
        break;
    default:
        counts->refused++;
    }
    count_samples(replay);
    if (replay->listener.on_taken != NULL)
        replay->listener.on_taken(replay->listener.user, message, result);
}

/* The devices of a block are put into the room before they speak: a rule may look at the room. */
static void assign_devices(struct replay *replay)
{
    struct devices *devices = replay->ingest.devices;
    for (uint32_t i = 0; i < tape_topics(replay->packer); i++) {
        size_t bytes;
        const char *name = tape_topic(replay->packer, i, &bytes);
        struct topic topic;
        const struct driver *driver = drivers_match(&replay->setup->drivers, name, bytes, &topic);
        struct device *device =
            driver == NULL ? NULL : devices_hear(devices, driver, topic.device, topic.device_bytes);
        if (device != NULL && device->room != RECORDED_ROOM)
            devices_assign(devices, device, RECORDED_ROOM);
    }
}

static void take_block(struct replay *replay, const struct tape_part *part,
                       const struct tape_moves *moves)
{
    struct tape_message next, message = {.topic = NULL};
    uint32_t topic;
    if (!tape_unpack(replay->packer, &part->block, part->stored)) {
        struct tape_part damage = *part;
        damage.why = "a block's messages cannot be read";
        replay->counts.damaged_bytes += part->bytes;
        if (replay->listener.on_damage != NULL)
            replay->listener.on_damage(replay->listener.user, &damage);
        return;
    }
    assign_devices(replay);
    while (tape_message(replay->packer, &next, &topic)) {
        bool note = note_is(&next, NULL);
        next.received_ms = tape_moved_ms(moves, part->offset, next.received_ms);
        /* What is noted behind a message held when it was judged. */
        if (message.topic != NULL && (!note || next.received_ms != message.received_ms)) {
            take(replay, &message);
            message.topic = NULL;
        }
        if (note && message.topic == NULL && replay->counts.messages > 0)
            advance(replay, next.received_ms);
        if (note && note_is(&next, NOTE_ACCOUNT))
            take_account(replay, &next, moves, part->offset);
        else if (note)
            take_note(replay, &next);
        else
            message = next;
    }
    if (message.topic != NULL)
        take(replay, &message);
}

void replay_run(struct replay *replay, struct tape_reader *reader)
{
    struct tape_part part;
    for (enum tape_step step; (step = tape_next(reader, &part)) != TAPE_END;) {
        if (step == TAPE_BLOCK && part.block.kind == TAPE_MESSAGES) {
            take_block(replay, &part, &reader->moves);
        } else if (step == TAPE_BLOCK) {
            replay->counts.lost += part.block.count;
            if (replay->listener.on_gap != NULL)
                replay->listener.on_gap(replay->listener.user, &part.block);
        } else {
            replay->counts.damaged_bytes += part.bytes;
            if (replay->listener.on_damage != NULL)
                replay->listener.on_damage(replay->listener.user, &part);
        }
    }
}

/* ---- what came of it ---- */

const struct replay_counts *replay_counts(const struct replay *replay)
{
    return &replay->counts;
}

struct devices *replay_devices(struct replay *replay)
{
    return replay->ingest.devices;
}

const struct device *replay_device(const struct replay *replay, uint32_t id)
{
    bool known = id >= 1 && id <= devices_count(replay->ingest.devices);
    return known ? devices_at(replay->ingest.devices, id) : NULL;
}

uint32_t replay_standing(const struct replay *replay)
{
    return alarms_standing(replay->ingest.alarms);
}

const struct replay_series *replay_series_at(const struct replay *replay, size_t place)
{
    return place < replay->series_count ? &replay->series[place] : NULL;
}
