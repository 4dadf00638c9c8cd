/*
 * What is inside: shared by frame.c and frame_make.c only.
 */
#ifndef LUMBAR_CORE_FRAME_SET_H
#define LUMBAR_CORE_FRAME_SET_H

#include "core/frame_wire.h"

#define FRAME_ARENA_BYTES      ((size_t)128 * 1024) /* for one part, or one Watch */
#define FRAME_TAIL_BYTES       192 /* kept free for cursor, clock, health, glass and gap */
#define FRAME_SLOTS            8   /* frames kept to be shared */
#define FRAME_BYE_REASON_BYTES 200
#define FRAME_SWEEP_DONE       UINT64_MAX /* latest.have of a room */

/* How often each of these has changed. A frame that is shared lacks none of them. */
struct frame_changes {
    uint64_t alarms, sessions, calibrations;
    uint64_t suppressed, paused, glass; /* one more than their change: 0 is a new client's */
};

/* A frame as it was made: who was here gets it, and is there. */
struct frame_slot {
    struct frame_cursor before, after;
    uint64_t generation;        /* of the hello */
    struct frame_changes world; /* it was made of */
    int64_t made_ms;
    uint64_t used;  /* for the choice of the one to be overwritten */
    uint8_t *block; /* FRAME_HEADROOM and the bytes */
    size_t length;
};

/* The devices of a room, so that only they are asked for news. */
struct frame_room {
    uint32_t count;
    uint32_t device[CONFIG_ROOM_DEVICES_MAX];
};

struct frame {
    struct frame_world world;
    uint64_t instance;
    uint64_t generation; /* of hello */
    uint8_t *hello;
    size_t hello_bytes;
    struct frame_hello_rooms hello_rooms; /* where they stand in it */
    uint64_t moves;                       /* of sessions from room to room */
    uint64_t glass;                       /* how often any was broken, or seen */
    size_t capacity;                      /* of a slot's frame */
    struct frame_slot slots[FRAME_SLOTS];
    uint64_t used, made;
    struct frame_health health;
    uint64_t health_generation;
    struct frame_room rooms[CONFIG_ROOMS_MAX + 1];
    uint64_t rooms_change; /* devices_change() when they were listed */
    unsigned char *arena;
    uint8_t bye[FRAME_HEADROOM + FRAME_BYE_REASON_BYTES + 64];
};

static inline struct lumbar_scratch frame_arena(const struct frame *frame)
{
    return (struct lumbar_scratch){frame->arena, frame->arena + FRAME_ARENA_BYTES};
}

static inline bool frame_sweep_due(const struct frame_sweep *sweep, uint64_t change)
{
    return sweep->at != 0 || change > sweep->have;
}

static inline const struct frame_room *frame_room(const struct frame *frame, uint32_t room)
{
    static const struct frame_room nothing = {.count = 0};
    return room <= CONFIG_ROOMS_MAX ? &frame->rooms[room] : &nothing;
}

/* Of the room's treatment; 0: there is none. */
static inline uint64_t frame_progress(const struct frame *frame, uint32_t room)
{
    const struct session *session =
        frame->world.sessions != NULL ? sessions_at(frame->world.sessions, room) : NULL;
    return session != NULL ? session->progress : 0;
}

/* Has it the hello, and all that one brings? */
static inline bool frame_is_current(const struct frame *frame, const struct frame_cursor *cursor)
{
    return cursor->hello == frame->generation &&
           (!cursor->veil.rooms.some || cursor->moves == frame->moves);
}

/* Is there news of broken glass, for one who is told of it? */
static inline bool frame_glass_due(const struct frame_cursor *cursor, uint64_t glass)
{
    return cursor->veil.glass && cursor->glass != glass;
}

struct frame_changes frame_changes(const struct frame *frame);

/* frame_make.c: what the client has not yet had, as far as it fits, into the slot. */
void frame_make(struct frame *frame, struct frame_slot *slot, const struct frame_cursor *cursor,
                int64_t now_ms);

#endif
