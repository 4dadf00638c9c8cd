#include "core/frame_set.h"

#include <stdlib.h>
#include <string.h>

#define SHARE_MS      5 /* so old may a frame be that is shared */
#define BACKLOG_MAX_S 300

/* ---- Life ---- */

static void blocks_free(uint8_t **blocks)
{
    for (int i = 0; i < FRAME_SLOTS; i++)
        free(blocks[i]);
}

/* Makes every slot so large that the hello fits with what always goes along. */
static int slots_grow(struct frame *frame, size_t capacity)
{
    if (capacity <= frame->capacity)
        return 0;
    uint8_t *blocks[FRAME_SLOTS] = {NULL};
    for (int i = 0; i < FRAME_SLOTS; i++) {
        blocks[i] = malloc(FRAME_HEADROOM + capacity);
        if (blocks[i] == NULL) {
            blocks_free(blocks);
            return ERR_MEMORY;
        }
    }
    for (int i = 0; i < FRAME_SLOTS; i++) {
        free(frame->slots[i].block);
        frame->slots[i] = (struct frame_slot){.block = blocks[i]};
    }
    frame->capacity = capacity;
    return 0;
}

int frame_reload(struct frame *frame, const struct frame_world *world)
{
    uint8_t *hello;
    size_t bytes;
    struct frame_hello_rooms rooms;
    int code = frame_hello_make(&hello, &bytes, &rooms, world, frame->instance);
    if (code == 0) {
        size_t least = bytes + 16 + FRAME_TAIL_BYTES;
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
    frame->hello_rooms = rooms;
    frame->generation++;
    return 0;
}

struct frame *frame_create(const struct frame_world *world, uint64_t instance)
{
    struct frame *frame = calloc(1, sizeof(*frame));
    if (frame == NULL)
        return NULL;
    frame->instance = instance;
    frame->arena = malloc(FRAME_ARENA_BYTES);
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
    for (int i = 0; i < FRAME_SLOTS; i++)
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
        had->settling == health->settling && had->config_old == health->config_old &&
        had->certificate_ends == health->certificate_ends &&
        had->certificate_days == health->certificate_days &&
        had->history_damaged == health->history_damaged &&
        had->history_rebuilding == health->history_rebuilding && had->second == health->second)
        return;
    frame->health = *health;
    frame->health_generation++;
}

uint64_t frame_made(const struct frame *frame)
{
    return frame->made;
}

/* ---- What a client wants ---- */

static void *arena_alloc(void *arena, size_t bytes)
{
    return lumbar_scratch_alloc(arena, bytes);
}

static void arena_free(void *arena, void *block)
{
    (void)arena;
    (void)block;
}

static bool veil_same(const struct frame_veil *a, const struct frame_veil *b)
{
    return a->sight == b->sight && a->glass == b->glass && a->rooms.some == b->rooms.some &&
           memcmp(a->rooms.bits, b->rooms.bits, sizeof(a->rooms.bits)) == 0;
}

void frame_set_veil(struct frame_cursor *cursor, const struct frame_veil *veil)
{
    if (veil_same(&cursor->veil, veil))
        return;
    cursor->veil = *veil;
    if (cursor->hello != 0)
        cursor->hello = UINT64_MAX; /* another one than there is */
}

void frame_glass_changed(struct frame *frame)
{
    frame->glass++;
}

void frame_session_moved(struct frame *frame)
{
    frame->moves++;
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
    cursor->progress = 0;
    if (watch->room == 0)
        cursor->latest.have = resumes ? watch->cursor : 0;
    else
        cursor->feed = resumes ? feed_align(feed, watch->cursor)
                               : feed_since(feed, now_ms - (int64_t)backlog_s * 1000);
    return 0;
}

/* ---- Is there anything? ---- */

/* Has the room samples that the client has not? The list of its devices may be old: then their
 * change makes the frame that lists them anew. */
static bool room_due(const struct frame *frame, const struct frame_cursor *cursor)
{
    const struct frame_room *view = frame_room(frame, cursor->room);
    uint64_t head = feed_head(frame->world.feed), tail = feed_tail(frame->world.feed);
    if (cursor->latest.have != FRAME_SWEEP_DONE ||
        cursor->progress != frame_progress(frame, cursor->room))
        return true;
    for (uint32_t i = 0; i < view->count; i++)
        if (devices_at(frame->world.devices, view->device[i])->news > cursor->feed)
            return true;
    /* A silent room is moved along before its place is overwritten by the others. */
    return cursor->feed < tail + (head - tail) / 4;
}

struct frame_changes frame_changes(const struct frame *frame)
{
    const struct frame_world *world = &frame->world;
    return (struct frame_changes){
        .alarms = alarms_change(world->alarms),
        .sessions = world->sessions != NULL ? sessions_change(world->sessions) : 0,
        .calibrations = world->calibration != NULL ? calibration_change(world->calibration) : 0,
        .suppressed = world->suppressions != NULL ? world->suppressions->change + 1 : 0,
        .paused = world->pauses != NULL ? world->pauses->change + 1 : 0,
        .glass = frame->glass + 1,
    };
}

bool frame_due(const struct frame *frame, const struct frame_cursor *cursor)
{
    const struct frame_world *world = &frame->world;
    const struct frame_changes now = frame_changes(frame);
    if (!cursor->watching)
        return false;
    if (!frame_is_current(frame, cursor) || cursor->health != frame->health_generation ||
        cursor->suppressed != now.suppressed || cursor->paused != now.paused ||
        frame_glass_due(cursor, now.glass) ||
        frame_sweep_due(&cursor->devices, devices_change(world->devices)) ||
        frame_sweep_due(&cursor->alarms, now.alarms) ||
        frame_sweep_due(&cursor->sessions, now.sessions) ||
        frame_sweep_due(&cursor->calibrations, now.calibrations))
        return true;
    if (cursor->room != 0)
        return room_due(frame, cursor);
    return frame_sweep_due(&cursor->latest, feed_head(world->feed));
}

/* ---- Sharing ---- */

static bool sweep_same(const struct frame_sweep *a, const struct frame_sweep *b)
{
    return a->have == b->have && a->until == b->until && a->at == b->at;
}

static bool cursor_same(const struct frame_cursor *a, const struct frame_cursor *b)
{
    return a->watching == b->watching && a->missed == b->missed && a->room == b->room &&
           veil_same(&a->veil, &b->veil) && (!a->veil.rooms.some || a->moves == b->moves) &&
           a->hello == b->hello && a->health == b->health && a->suppressed == b->suppressed &&
           a->paused == b->paused && a->glass == b->glass && a->feed == b->feed &&
           a->progress == b->progress && a->last_ms == b->last_ms &&
           sweep_same(&a->devices, &b->devices) && sweep_same(&a->alarms, &b->alarms) &&
           sweep_same(&a->sessions, &b->sessions) &&
           sweep_same(&a->calibrations, &b->calibrations) && sweep_same(&a->latest, &b->latest);
}

static bool changes_same(const struct frame_changes *a, const struct frame_changes *b)
{
    return a->alarms == b->alarms && a->sessions == b->sessions &&
           a->calibrations == b->calibrations && a->suppressed == b->suppressed &&
           a->paused == b->paused && a->glass == b->glass;
}

/* A frame made a moment ago from the same place, that lacks no alarm, session or calibration. */
static struct frame_slot *slot_shared(struct frame *frame, const struct frame_cursor *cursor,
                                      int64_t now_ms)
{
    const struct frame_changes now = frame_changes(frame);
    for (int i = 0; i < FRAME_SLOTS; i++) {
        struct frame_slot *slot = &frame->slots[i];
        if (slot->length > 0 && slot->generation == frame->generation &&
            changes_same(&slot->world, &now) && slot->made_ms <= now_ms &&
            now_ms - slot->made_ms <= SHARE_MS && cursor_same(&slot->before, cursor))
            return slot;
    }
    return NULL;
}

static struct frame_slot *slot_oldest(struct frame *frame)
{
    struct frame_slot *oldest = &frame->slots[0];
    for (int i = 1; i < FRAME_SLOTS; i++)
        if (frame->slots[i].used < oldest->used)
            oldest = &frame->slots[i];
    return oldest;
}

size_t frame_next(struct frame *frame, struct frame_cursor *cursor, int64_t now_ms, uint8_t **bytes)
{
    if (!frame_due(frame, cursor))
        return 0;
    struct frame_slot *slot = slot_shared(frame, cursor, now_ms);
    if (slot == NULL) {
        slot = slot_oldest(frame);
        frame_make(frame, slot, cursor, now_ms);
    }
    slot->used = ++frame->used;
    *cursor = slot->after;
    *bytes = slot->block + FRAME_HEADROOM;
    return slot->length;
}

size_t frame_bye(struct frame *frame, const char *reason, int64_t now_ms, uint8_t **bytes)
{
    char text[FRAME_BYE_REASON_BYTES];
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
