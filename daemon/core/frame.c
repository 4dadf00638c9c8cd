#include "core/frame_wire.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES      ((size_t)128 * 1024) /* for one part, or one Watch */
#define TAIL_BYTES       192                  /* kept free for cursor, clock, health and gap */
#define SLOTS            8                    /* frames kept to be shared */
#define SHARE_MS         5                    /* so old may a frame be that is shared */
#define BACKLOG_MAX_S    300
#define BYE_REASON_BYTES 200
#define SWEEP_DONE       UINT64_MAX /* latest.have of a room */

/* A frame as it was made: who was here gets it, and is there. */
struct slot {
    struct frame_cursor before, after;
    uint64_t generation, alarms, suppressed, paused, sessions, calibrations; /* of its world */
    int64_t made_ms;
    uint64_t used;  /* for the choice of the one to be overwritten */
    uint8_t *block; /* FRAME_HEADROOM and the bytes */
    size_t length;
};

/* The devices of a room, so that only they are asked for news. */
struct room_view {
    uint32_t count;
    uint32_t device[CONFIG_ROOM_DEVICES_MAX];
};

struct frame {
    struct frame_world world;
    uint64_t instance;
    uint64_t generation; /* of hello */
    uint8_t *hello;
    size_t hello_bytes;
    size_t capacity; /* of a slot's frame */
    struct slot slots[SLOTS];
    uint64_t used, made;
    struct frame_health health;
    uint64_t health_generation;
    struct room_view rooms[CONFIG_ROOMS_MAX + 1];
    uint64_t rooms_change; /* devices_change() when they were listed */
    unsigned char *arena;
    uint8_t bye[FRAME_HEADROOM + BYE_REASON_BYTES + 64];
};

/* ---- Life ---- */

static void blocks_free(uint8_t **blocks)
{
    for (int i = 0; i < SLOTS; i++)
        free(blocks[i]);
}

/* Makes every slot so large that the hello fits with what always goes along. */
static int slots_grow(struct frame *frame, size_t capacity)
{
    if (capacity <= frame->capacity)
        return 0;
    uint8_t *blocks[SLOTS] = {NULL};
    for (int i = 0; i < SLOTS; i++) {
        blocks[i] = malloc(FRAME_HEADROOM + capacity);
        if (blocks[i] == NULL) {
            blocks_free(blocks);
            return ERR_MEMORY;
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        free(frame->slots[i].block);
        frame->slots[i] = (struct slot){.block = blocks[i]};
    }
    frame->capacity = capacity;
    return 0;
}

int frame_reload(struct frame *frame, const struct frame_world *world)
{
    uint8_t *hello;
    size_t bytes;
    int code = frame_hello_make(&hello, &bytes, world, frame->instance);
    if (code == 0) {
        size_t least = bytes + 16 + TAIL_BYTES;
        code = slots_grow(frame, least > FRAME_MAX_BYTES ? least : FRAME_MAX_BYTES);
        if (code != 0)
            free(hello);
    }
    if (code != 0)
        return code;
    frame->world = *world;
    frame->rooms_change = UINT64_MAX;
    free(frame->hello);
    frame->hello = hello;
    frame->hello_bytes = bytes;
    frame->generation++;
    return 0;
}

struct frame *frame_create(const struct frame_world *world, uint64_t instance)
{
    struct frame *frame = calloc(1, sizeof(*frame));
    if (frame == NULL)
        return NULL;
    frame->instance = instance;
    frame->arena = malloc(ARENA_BYTES);
    if (frame->arena == NULL || frame_reload(frame, world) != 0) {
        frame_destroy(frame);
        return NULL;
    }
    return frame;
}

void frame_destroy(struct frame *frame)
{
    if (frame == NULL)
        return;
    for (int i = 0; i < SLOTS; i++)
        free(frame->slots[i].block);
    free(frame->hello);
    free(frame->arena);
    free(frame);
}

void frame_set_health(struct frame *frame, const struct frame_health *health)
{
    const struct frame_health *had = &frame->health;
    if (frame->health_generation > 0 && had->broker == health->broker &&
        had->disk == health->disk && had->heartbeat_ms == health->heartbeat_ms &&
        had->messages == health->messages && had->refused == health->refused &&
        had->dropped == health->dropped && had->alarms_begun == health->alarms_begun &&
        had->flood == health->flood && had->alarms_lost == health->alarms_lost &&
        had->clock_unset == health->clock_unset && had->clock_off_ms == health->clock_off_ms &&
        had->oversize == health->oversize && had->quarantined == health->quarantined &&
        had->settling == health->settling && had->second == health->second)
        return;
    frame->health = *health;
    frame->health_generation++;
}

uint64_t frame_made(const struct frame *frame)
{
    return frame->made;
}

/* ---- What a client wants ---- */

static struct lumbar_scratch frame_arena(const struct frame *frame)
{
    return (struct lumbar_scratch){frame->arena, frame->arena + ARENA_BYTES};
}

static void *arena_alloc(void *arena, size_t bytes)
{
    return lumbar_scratch_alloc(arena, bytes);
}

static void arena_free(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

int frame_watch(struct frame *frame, struct frame_cursor *cursor, const uint8_t *bytes,
                size_t count, int64_t now_ms)
{
    struct lumbar_scratch arena = frame_arena(frame);
    ProtobufCAllocator allocator = {arena_alloc, arena_free, &arena};
    const struct feed *feed = frame->world.feed;
    if (count > FRAME_WATCH_MAX)
        return ERR_MALFORMED;
    const Lumbar__Live__V1__Watch *watch =
        lumbar__live__v1__watch__unpack(&allocator, count, bytes);
    if (watch == NULL)
        return ERR_MALFORMED;

    bool resumes = watch->has_cursor && watch->has_instance && watch->instance == frame->instance &&
                   watch->cursor <= feed_head(feed);
    uint32_t backlog_s = watch->backlog_s < BACKLOG_MAX_S ? watch->backlog_s : BACKLOG_MAX_S;
    cursor->watching = true;
    cursor->missed = false;
    cursor->last_ms = 0;
    cursor->room = watch->room;
    cursor->latest = (struct frame_sweep){.have = 0};
    if (watch->room == 0)
        cursor->latest.have = resumes ? watch->cursor : 0;
    else
        cursor->feed = resumes ? feed_align(feed, watch->cursor)
                               : feed_since(feed, now_ms - (int64_t)backlog_s * 1000);
    return 0;
}

/* ---- Is there anything? ---- */

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
        struct room_view *view = &frame->rooms[room];
        if (view->count < CONFIG_ROOM_DEVICES_MAX)
            view->device[view->count++] = id;
    }
}

static const struct room_view *room_view(const struct frame *frame, uint32_t room)
{
    static const struct room_view nothing = {.count = 0};
    return room <= CONFIG_ROOMS_MAX ? &frame->rooms[room] : &nothing;
}

/* Has the room samples that the client has not? The list of its devices may be old: then their
 * change makes the frame that lists them anew. */
static bool room_due(const struct frame *frame, const struct frame_cursor *cursor)
{
    const struct room_view *view = room_view(frame, cursor->room);
    uint64_t head = feed_head(frame->world.feed), tail = feed_tail(frame->world.feed);
    if (cursor->latest.have != SWEEP_DONE)
        return true;
    for (uint32_t i = 0; i < view->count; i++)
        if (devices_at(frame->world.devices, view->device[i])->news > cursor->feed)
            return true;
    /* A silent room is moved along before its place is overwritten by the others. */
    return cursor->feed < tail + (head - tail) / 4;
}

static bool sweep_due(const struct frame_sweep *sweep, uint64_t change)
{
    return sweep->at != 0 || change > sweep->have;
}

static uint64_t sessions_changes(const struct frame *frame)
{
    return frame->world.sessions != NULL ? sessions_change(frame->world.sessions) : 0;
}

/* One more than their change: 0 is what a new client has. */
static uint64_t suppressed_changes(const struct frame *frame)
{
    return frame->world.suppressions != NULL ? frame->world.suppressions->change + 1 : 0;
}

static uint64_t pause_changes(const struct frame *frame)
{
    return frame->world.pauses != NULL ? frame->world.pauses->change + 1 : 0;
}

static uint64_t calibration_changes(const struct frame *frame)
{
    return frame->world.calibration != NULL ? calibration_change(frame->world.calibration) : 0;
}

bool frame_due(const struct frame *frame, const struct frame_cursor *cursor)
{
    const struct frame_world *world = &frame->world;
    if (!cursor->watching)
        return false;
    if (cursor->hello != frame->generation || cursor->health != frame->health_generation ||
        cursor->suppressed != suppressed_changes(frame) || cursor->paused != pause_changes(frame) ||
        sweep_due(&cursor->devices, devices_change(world->devices)) ||
        sweep_due(&cursor->alarms, alarms_change(world->alarms)) ||
        sweep_due(&cursor->sessions, sessions_changes(frame)) ||
        sweep_due(&cursor->calibrations, calibration_changes(frame)))
        return true;
    if (cursor->room != 0)
        return room_due(frame, cursor);
    return sweep_due(&cursor->latest, feed_head(world->feed));
}

/* ---- Making one ---- */

/* One frame being made. */
struct making {
    struct frame *frame;
    struct frame_cursor *cursor;
    struct wire wire;
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

static bool put_hello(struct making *making)
{
    struct frame_cursor *cursor = making->cursor;
    if (cursor->hello == making->frame->generation)
        return true;
    if (!wire_put_bytes(&making->wire, WIRE_FRAME_HELLO, making->frame->hello,
                        making->frame->hello_bytes))
        return false;
    if (cursor->hello != 0) /* a reload: rooms may have other devices */
        cursor->latest = (struct frame_sweep){.have = 0};
    cursor->hello = making->frame->generation;
    cursor->devices = cursor->alarms = cursor->sessions = cursor->calibrations =
        (struct frame_sweep){.have = 0};
    cursor->suppressed = cursor->paused = 0;
    return true;
}

static bool put_devices(struct making *making)
{
    struct devices *devices = making->frame->world.devices;
    struct frame_sweep *sweep = &making->cursor->devices;
    if (!sweep_due(sweep, devices_change(devices)))
        return true;
    for (sweep_begin(sweep, devices_change(devices), 1); sweep->at <= devices_count(devices);
         sweep->at++) {
        const struct device *device = devices_at(devices, sweep->at);
        if (device->change > sweep->have && !frame_put_device(&making->wire, device))
            return false;
    }
    sweep_end(sweep);
    return true;
}

static bool put_alarms(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->alarms;
    const struct alarm *alarm;
    if (!sweep_due(sweep, alarms_change(world->alarms)))
        return true;
    sweep_begin(sweep, alarms_change(world->alarms), 1);
    for (; (alarm = alarms_at(world->alarms, sweep->at - 1)) != NULL; sweep->at++)
        if (alarm->number != 0 && alarm->change > sweep->have &&
            !frame_put_alarm(&making->wire, world, alarm))
            return false;
    sweep_end(sweep);
    return true;
}

static bool put_suppressed(struct making *making)
{
    uint64_t change = suppressed_changes(making->frame);
    if (making->cursor->suppressed == change)
        return true;
    if (!frame_put_suppressed(&making->wire, frame_arena(making->frame), &making->frame->world))
        return false;
    making->cursor->suppressed = change;
    return true;
}

static bool put_pauses(struct making *making)
{
    uint64_t change = pause_changes(making->frame);
    if (making->cursor->paused == change)
        return true;
    if (!frame_put_pauses(&making->wire, frame_arena(making->frame), &making->frame->world))
        return false;
    making->cursor->paused = change;
    return true;
}

static bool put_sessions(struct making *making)
{
    struct frame_sweep *sweep = &making->cursor->sessions;
    uint64_t change = sessions_changes(making->frame);
    if (!sweep_due(sweep, change))
        return true;
    for (sweep_begin(sweep, change, 1); sweep->at <= CONFIG_ROOMS_MAX; sweep->at++) {
        const struct session *session = sessions_at(making->frame->world.sessions, sweep->at);
        if (session != NULL && session->change > sweep->have &&
            !frame_put_session(&making->wire, session))
            return false;
    }
    sweep_end(sweep);
    return true;
}

static bool put_calibrations(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->calibrations;
    uint64_t change = calibration_changes(making->frame);
    if (!sweep_due(sweep, change))
        return true;
    for (sweep_begin(sweep, change, 1); sweep->at <= devices_count(world->devices); sweep->at++)
        if (calibration_changed(world->calibration, sweep->at) > sweep->have &&
            !frame_put_calibration(&making->wire, world, devices_at(world->devices, sweep->at)))
            return false;
    sweep_end(sweep);
    return true;
}

static bool put_wall(struct making *making)
{
    const struct frame_world *world = &making->frame->world;
    struct frame_sweep *sweep = &making->cursor->latest;
    if (!sweep_due(sweep, feed_head(world->feed)))
        return true;
    sweep_begin(sweep, feed_head(world->feed), 1);
    for (; sweep->at <= devices_count(world->devices); sweep->at++) {
        const struct device *device = devices_at(world->devices, sweep->at);
        if (device->news > sweep->have &&
            !frame_put_latest(&making->wire, device, LUMBAR_KEY | LUMBAR_HEALTH, making->now_ms))
            return false;
    }
    sweep_end(sweep);
    return true;
}

/* Once, when the room is first looked at: what is slow has a value at once. */
static bool put_room_latest(struct making *making)
{
    const struct room_view *view = room_view(making->frame, making->cursor->room);
    struct frame_sweep *sweep = &making->cursor->latest;
    if (sweep->have == SWEEP_DONE)
        return true;
    sweep_begin(sweep, SWEEP_DONE, 1);
    for (; sweep->at <= view->count; sweep->at++) {
        const struct device *device =
            devices_at(making->frame->world.devices, view->device[sweep->at - 1]);
        if (!frame_put_latest(&making->wire, device, 0, making->now_ms))
            return false;
    }
    sweep_end(sweep);
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
    return put_room_latest(making) && put_room_points(making);
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
    tail.has_more = tail.more =
        sweep_due(&cursor->alarms, alarms_change(frame->world.alarms));
    if (cursor->health != frame->health_generation) {
        cursor->health = frame->health_generation;
        fill_health(&frame->health, &health);
        tail.health = &health;
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

static void slot_make(struct frame *frame, struct slot *slot, const struct frame_cursor *cursor,
                      int64_t now_ms)
{
    list_rooms(frame);
    slot->before = slot->after = *cursor;
    slot->generation = frame->generation;
    slot->alarms = alarms_change(frame->world.alarms);
    slot->suppressed = suppressed_changes(frame);
    slot->paused = pause_changes(frame);
    slot->sessions = sessions_changes(frame);
    slot->calibrations = calibration_changes(frame);
    slot->made_ms = now_ms;
    struct making making = {
        .frame = frame,
        .cursor = &slot->after,
        .wire = {slot->block + FRAME_HEADROOM, 0, frame->capacity - TAIL_BYTES},
        .now_ms = now_ms,
    };
    bool hello = put_hello(&making);
    making.wire.capacity = FRAME_MAX_BYTES - TAIL_BYTES; /* a large hello stands alone */
    if (hello && put_devices(&making) && put_alarms(&making) && put_pauses(&making) &&
        put_suppressed(&making) && put_sessions(&making) && put_calibrations(&making) &&
        put_values(&making))
        slot->after.last_ms = now_ms;
    put_tail(&making, cursor->last_ms);
    slot->length = making.wire.length;
    frame->made++;
}

/* ---- Sharing ---- */

static bool sweep_same(const struct frame_sweep *a, const struct frame_sweep *b)
{
    return a->have == b->have && a->until == b->until && a->at == b->at;
}

static bool cursor_same(const struct frame_cursor *a, const struct frame_cursor *b)
{
    return a->watching == b->watching && a->missed == b->missed && a->room == b->room &&
           a->hello == b->hello && a->health == b->health &&
           a->suppressed == b->suppressed && a->paused == b->paused && a->feed == b->feed &&
           a->last_ms == b->last_ms && sweep_same(&a->devices, &b->devices) &&
           sweep_same(&a->alarms, &b->alarms) && sweep_same(&a->sessions, &b->sessions) &&
           sweep_same(&a->calibrations, &b->calibrations) && sweep_same(&a->latest, &b->latest);
}

/* A frame made a moment ago from the same place, that lacks no alarm, session or calibration. */
static struct slot *slot_shared(struct frame *frame, const struct frame_cursor *cursor,
                                int64_t now_ms)
{
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &frame->slots[i];
        if (slot->length > 0 && slot->generation == frame->generation &&
            slot->alarms == alarms_change(frame->world.alarms) &&
            slot->suppressed == suppressed_changes(frame) && slot->paused == pause_changes(frame) &&
            slot->sessions == sessions_changes(frame) &&
            slot->calibrations == calibration_changes(frame) && slot->made_ms <= now_ms &&
            now_ms - slot->made_ms <= SHARE_MS && cursor_same(&slot->before, cursor))
            return slot;
    }
    return NULL;
}

static struct slot *slot_oldest(struct frame *frame)
{
    struct slot *oldest = &frame->slots[0];
    for (int i = 1; i < SLOTS; i++)
        if (frame->slots[i].used < oldest->used)
            oldest = &frame->slots[i];
    return oldest;
}

size_t frame_next(struct frame *frame, struct frame_cursor *cursor, int64_t now_ms, uint8_t **bytes)
{
    if (!frame_due(frame, cursor))
        return 0;
    struct slot *slot = slot_shared(frame, cursor, now_ms);
    if (slot == NULL) {
        slot = slot_oldest(frame);
        slot_make(frame, slot, cursor, now_ms);
    }
    slot->used = ++frame->used;
    *cursor = slot->after;
    *bytes = slot->block + FRAME_HEADROOM;
    return slot->length;
}

size_t frame_bye(struct frame *frame, const char *reason, int64_t now_ms, uint8_t **bytes)
{
    char text[BYE_REASON_BYTES];
    Lumbar__Live__V1__Frame out = LUMBAR__LIVE__V1__FRAME__INIT;
    Lumbar__Live__V1__Bye bye = LUMBAR__LIVE__V1__BYE__INIT;
    struct text cut = text_in(text, sizeof(text));
    text_add(&cut, "%s", reason);
    bye.reason = text;
    out.has_hub_ms = 1;
    out.hub_ms = now_ms;
    out.bye = &bye;
    *bytes = frame->bye + FRAME_HEADROOM;
    return lumbar__live__v1__frame__pack(&out, *bytes);
}
