#include "core/frame_set.h"

#include <string.h>

/* One frame being made. */
struct making {
    struct frame *frame;
    struct frame_cursor *cursor;
    struct wire wire;
    struct frame_changes world; /* as it is now */
    int64_t now_ms;
    int64_t gap_to_ms; /* 0: no gap */
};

static void sweep_begin(struct frame_sweep *sweep, uint64_t change, uint32_t first)
{
    if (sweep->at != 0)
        return;
    sweep->at = first;
    sweep->until = change;
}

static void sweep_end(struct frame_sweep *sweep)
{
    sweep->have = sweep->until;
    sweep->at = 0;
}

/* Each put_* is true when all of its kind is in the frame. */

static bool is_theirs(const struct making *making, const struct device *device)
{
    return access_rooms_have(&making->cursor->veil.rooms, device->room);
}

/* The hello but for rooms that are not theirs, whose slices are left out. */
static bool put_hello_of(struct wire *wire, const struct frame *frame,
                         const struct access_rooms *theirs)
{
    const struct frame_hello_rooms *rooms = &frame->hello_rooms;
    size_t bytes = frame->hello_bytes;
    for (uint32_t room = 1; room <= rooms->count; room++)
        if (!access_rooms_have(theirs, room))
            bytes -= rooms->at[room + 1] - rooms->at[room];
    uint8_t *at = wire_put_field(wire, WIRE_FRAME_HELLO, bytes);
    if (at == NULL)
        return false;
    const uint32_t begin = rooms->at[1], end = rooms->at[rooms->count + 1];
    memcpy(at, frame->hello, begin);
    at += begin;
    for (uint32_t room = 1; room <= rooms->count; room++)
        if (access_rooms_have(theirs, room)) {
            memcpy(at, frame->hello + rooms->at[room], rooms->at[room + 1] - rooms->at[room]);
            at += rooms->at[room + 1] - rooms->at[room];
        }
    memcpy(at, frame->hello + end, frame->hello_bytes - end);
    return true;
}

static bool put_hello(struct making *making)
{
    struct frame_cursor *cursor = making->cursor;
    if (frame_is_current(making->frame, cursor))
        return true;
    if (!put_hello_of(&making->wire, making->frame, &cursor->veil.rooms))
        return false;
    if (cursor->hello != 0) /* a reload: rooms may have other devices */
        cursor->latest = (struct frame_sweep){.have = 0};
    cursor->hello = making->frame->generation;
    cursor->moves = making->frame->moves;
    cursor->devices = cursor->alarms = cursor->sessions = cursor->calibrations =
        (struct frame_sweep){.have = 0};
    cursor->suppressed = cursor->paused = 0;
    return true;
}

static bool put_devices(struct making *making)
{
    struct devices *devices = making->frame->world.devices;
    struct frame_sweep *sweep = &making->cursor->devices;
    if (!frame_sweep_due(sweep, devices_change(devices)))
        return true;
    for (sweep_begin(sweep, devices_change(devices), 1); sweep->at <= devices_count(devices);
         sweep->at++) {
        const struct device *device = devices_at(devices, sweep->at);
        if (device->change > sweep->have && is_theirs(making, device) &&
            !frame_put_device(&making->wire, device))
            return false;
    }
    sweep_end(sweep);
    return true;
}

static bool is_told(const struct making *making, const struct alarm *alarm)
{
    const struct device *device = devices_at(making->frame->world.devices, alarm->device);
    return device != NULL && is_theirs(making, device) &&
           (making->cursor->veil.sight != SIGHT_DEVICES || alarm->rule->technical);
}

static bool put_alarms(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->alarms;
    const struct alarm *alarm;
    if (!frame_sweep_due(sweep, making->world.alarms))
        return true;
    sweep_begin(sweep, making->world.alarms, 1);
    for (; (alarm = alarms_at(world->alarms, sweep->at - 1)) != NULL; sweep->at++)
        if (alarm->number != 0 && alarm->change > sweep->have && is_told(making, alarm) &&
            !frame_put_alarm(&making->wire, world, alarm, making->cursor->veil.sight))
            return false;
    sweep_end(sweep);
    return true;
}

static bool put_suppressed(struct making *making)
{
    if (making->cursor->suppressed == making->world.suppressed)
        return true;
    if (!frame_put_suppressed(&making->wire, frame_arena(making->frame), &making->frame->world,
                              &making->cursor->veil))
        return false;
    making->cursor->suppressed = making->world.suppressed;
    return true;
}

static bool put_pauses(struct making *making)
{
    if (making->cursor->paused == making->world.paused)
        return true;
    if (!frame_put_pauses(&making->wire, frame_arena(making->frame), &making->frame->world,
                          &making->cursor->veil))
        return false;
    making->cursor->paused = making->world.paused;
    return true;
}

static bool put_sessions(struct making *making)
{
    const struct frame_veil *veil = &making->cursor->veil;
    struct frame_sweep *sweep = &making->cursor->sessions;
    uint64_t change = making->world.sessions;
    if (!frame_sweep_due(sweep, change))
        return true;
    for (sweep_begin(sweep, change, 1); sweep->at <= CONFIG_ROOMS_MAX; sweep->at++) {
        const struct session *session = sessions_at(making->frame->world.sessions, sweep->at);
        if (session != NULL && session->change > sweep->have && veil->sight != SIGHT_DEVICES &&
            access_rooms_have(&veil->rooms, sweep->at) &&
            !frame_put_session(&making->wire, &making->frame->world, session, veil->sight))
            return false;
    }
    sweep_end(sweep);
    return true;
}

static bool put_calibrations(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->calibrations;
    uint64_t change = making->world.calibrations;
    if (!frame_sweep_due(sweep, change))
        return true;
    for (sweep_begin(sweep, change, 1); sweep->at <= devices_count(world->devices); sweep->at++)
        if (calibration_changed(world->calibration, sweep->at) > sweep->have &&
            making->cursor->veil.sight == SIGHT_CARE &&
            is_theirs(making, devices_at(world->devices, sweep->at)) &&
            !frame_put_calibration(&making->wire, world, devices_at(world->devices, sweep->at)))
            return false;
    sweep_end(sweep);
    return true;
}

static bool put_wall(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->latest;
    uint32_t flags =
        making->cursor->veil.sight != SIGHT_DEVICES ? LUMBAR_KEY | LUMBAR_HEALTH : LUMBAR_HEALTH;
    if (!frame_sweep_due(sweep, feed_head(world->feed)))
        return true;
    sweep_begin(sweep, feed_head(world->feed), 1);
    for (; sweep->at <= devices_count(world->devices); sweep->at++) {
        const struct device *device = devices_at(world->devices, sweep->at);
        if (device->news > sweep->have && is_theirs(making, device) &&
            !frame_put_latest(&making->wire, device, flags, making->now_ms))
            return false;
    }
    sweep_end(sweep);
    return true;
}

/* Once, when the room is first looked at: what is slow has a value at once. */
static bool put_room_latest(struct making *making)
{
    const struct frame_room *view = frame_room(making->frame, making->cursor->room);
    struct frame_sweep *sweep = &making->cursor->latest;
    if (sweep->have == FRAME_SWEEP_DONE)
        return true;
    sweep_begin(sweep, FRAME_SWEEP_DONE, 1);
    for (; sweep->at <= view->count; sweep->at++) {
        const struct device *device =
            devices_at(making->frame->world.devices, view->device[sweep->at - 1]);
        if (!frame_put_latest(&making->wire, device, 0, making->now_ms))
            return false;
    }
    sweep_end(sweep);
    return true;
}

static bool put_progress(struct making *making)
{
    struct frame_cursor *cursor = making->cursor;
    uint64_t progress = frame_progress(making->frame, cursor->room);
    if (cursor->progress == progress)
        return true;
    if (progress != 0 && cursor->veil.sight == SIGHT_CARE &&
        !frame_put_progress(&making->wire, frame_arena(making->frame), &making->frame->world,
                            cursor->room, making->now_ms))
        return false;
    cursor->progress = progress;
    return true;
}

static bool in_room(void *user, uint32_t device)
{
    const struct making *making = user;
    return devices_at(making->frame->world.devices, device)->room == making->cursor->room;
}

/* Overwritten before the client came for it: it goes on with the oldest that is left. */
static void pass_gap(struct making *making)
{
    struct frame_cursor *cursor = making->cursor;
    uint64_t tail = feed_tail(making->frame->world.feed);
    if (cursor->feed >= tail)
        return;
    cursor->feed = tail;
    cursor->missed = true;
}

/* The gap is told of with the first values behind it, whose time is its end. */
static void tell_gap(struct making *making, int64_t to_ms)
{
    if (!making->cursor->missed)
        return;
    making->cursor->missed = false;
    making->gap_to_ms = to_ms;
}

static bool put_room_points(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_cursor *cursor = making->cursor;
    struct feed_record record;
    pass_gap(making);
    uint64_t at = cursor->feed;
    while (feed_read(world->feed, &at, &record, &cursor->missed, in_room, making)) {
        if (!frame_put_points(&making->wire, frame_arena(making->frame),
                              devices_at(world->devices, record.device), &record))
            return false;
        tell_gap(making, record.pushed_ms);
        cursor->feed = at;
    }
    tell_gap(making, making->now_ms);
    cursor->feed = at;
    return true;
}

static bool put_values(struct making *making)
{
    if (making->cursor->room == 0)
        return put_wall(making);
    /* The transport lets nobody watch a room that is not theirs; were it to, there is nothing. */
    if (!access_rooms_have(&making->cursor->veil.rooms, making->cursor->room) ||
        making->cursor->veil.sight == SIGHT_DEVICES)
        return true;
    return put_progress(making) && put_room_latest(making) && put_room_points(making);
}

static void fill_health(const struct frame_health *health, Lumbar__Live__V1__Health *out)
{
    out->has_broker = out->has_heartbeat_ms = out->has_messages = out->has_refused = 1;
    out->broker = health->broker;
    out->heartbeat_ms = health->heartbeat_ms;
    out->messages = health->messages;
    out->refused = health->refused;
    out->has_disk = out->has_dropped = 1;
    out->disk = health->disk;
    out->dropped = health->dropped;
    out->has_alarms_begun = out->has_flood = out->has_alarms_lost = 1;
    out->alarms_begun = health->alarms_begun;
    out->flood = health->flood;
    out->alarms_lost = health->alarms_lost;
    out->has_clock_unset = out->has_clock_off_ms = 1;
    out->clock_unset = health->clock_unset;
    out->clock_off_ms = health->clock_off_ms;
    out->has_oversize = out->has_quarantined = 1;
    out->oversize = health->oversize;
    out->quarantined = health->quarantined;
    out->has_settling = 1;
    out->settling = health->settling;
    out->has_config_old = out->config_old = health->config_old;
    out->has_certificate_days = health->certificate_ends;
    out->certificate_days = health->certificate_days;
    out->has_history_damaged = out->history_damaged = health->history_damaged;
    out->has_history_rebuilding = out->history_rebuilding = health->history_rebuilding;
}

/* What every frame has: where to resume, the hub's clock; and what is single. */
static void put_tail(struct making *making, int64_t last_ms)
{
    Lumbar__Live__V1__Frame tail = LUMBAR__LIVE__V1__FRAME__INIT;
    Lumbar__Live__V1__Health health = LUMBAR__LIVE__V1__HEALTH__INIT;
    Lumbar__Live__V1__Gap gap = LUMBAR__LIVE__V1__GAP__INIT;
    struct frame *frame = making->frame;
    struct frame_cursor *cursor = making->cursor;
    tail.has_cursor = tail.has_hub_ms = 1;
    tail.cursor = cursor->room == 0 ? cursor->latest.have : cursor->feed;
    tail.hub_ms = making->now_ms;
    tail.has_more = tail.more = frame_sweep_due(&cursor->alarms, making->world.alarms);
    if (cursor->health != frame->health_generation) {
        cursor->health = frame->health_generation;
        fill_health(&frame->health, &health);
        tail.health = &health;
    }
    if (frame_glass_due(cursor, making->world.glass)) {
        cursor->glass = making->world.glass;
        tail.has_glass = 1;
        tail.glass = cursor->glass;
    }
    if (making->gap_to_ms != 0) {
        gap.has_to_ms = 1;
        gap.to_ms = making->gap_to_ms;
        gap.has_from_ms = last_ms != 0;
        gap.from_ms = last_ms;
        tail.gap = &gap;
    }
    making->wire.length +=
        lumbar__live__v1__frame__pack(&tail, making->wire.bytes + making->wire.length);
}

static void list_rooms(struct frame *frame)
{
    struct devices *devices = frame->world.devices;
    if (frame->rooms_change == devices_change(devices))
        return;
    frame->rooms_change = devices_change(devices);
    memset(frame->rooms, 0, sizeof(frame->rooms));
    for (uint32_t id = 1; id <= devices_count(devices); id++) {
        uint32_t room = devices_at(devices, id)->room;
        if (room == ROOM_NONE || room > CONFIG_ROOMS_MAX)
            continue;
        struct frame_room *view = &frame->rooms[room];
        if (view->count < CONFIG_ROOM_DEVICES_MAX)
            view->device[view->count++] = id;
    }
}

void frame_make(struct frame *frame, struct frame_slot *slot, const struct frame_cursor *cursor,
                int64_t now_ms)
{
    list_rooms(frame);
    slot->before = slot->after = *cursor;
    slot->generation = frame->generation;
    slot->world = frame_changes(frame);
    slot->made_ms = now_ms;
    struct making making = {
        .frame = frame,
        .cursor = &slot->after,
        .wire = {slot->block + FRAME_HEADROOM, 0, frame->capacity - FRAME_TAIL_BYTES},
        .world = slot->world,
        .now_ms = now_ms,
    };
    bool hello = put_hello(&making);
    making.wire.capacity = FRAME_MAX_BYTES - FRAME_TAIL_BYTES; /* a large hello stands alone */
    if (hello && put_devices(&making) && put_alarms(&making) && put_pauses(&making) &&
        put_suppressed(&making) && put_sessions(&making) && put_calibrations(&making) &&
        put_values(&making))
        slot->after.last_ms = now_ms;
    put_tail(&making, cursor->last_ms);
    slot->length = making.wire.length;
    frame->made++;
}
