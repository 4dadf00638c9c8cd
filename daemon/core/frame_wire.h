/*
 * How a frame's parts are written: private to frame*.c.
 *
 * A part is packed by the generated code straight into the frame behind its field's key, one after
 * the other. So a frame needs no tree of all its parts, and its length is known at every step.
 */
#ifndef LUMBAR_CORE_FRAME_WIRE_H
#define LUMBAR_CORE_FRAME_WIRE_H

#include "core/calibration.h"
#include "core/frame.h"
#include "core/sessions.h"

#include "live.pb-c.h"

/* Bytes being written, up to capacity. */
struct wire {
    uint8_t *bytes;
    size_t length, capacity;
};

/* Fields of Frame and Hello that repeat. */
enum wire_field {
    WIRE_FRAME_HELLO = 3,
    WIRE_FRAME_DEVICES = 4,
    WIRE_FRAME_ALARMS = 5,
    WIRE_FRAME_LATEST = 6,
    WIRE_FRAME_POINTS = 7,
    WIRE_FRAME_SESSIONS = 11,
    WIRE_FRAME_CALIBRATIONS = 12,
    WIRE_FRAME_SUPPRESSED = 13,
    WIRE_FRAME_PAUSES = 14,
    WIRE_FRAME_PROGRESS = 16,
    WIRE_HELLO_METRICS = 4,
    WIRE_HELLO_ROOMS = 5,
    WIRE_HELLO_RULES = 6,
    WIRE_HELLO_KINDS = 7,
};

/* Appends a field of message type. False, and nothing changed, where it does not fit. */
bool wire_put(struct wire *wire, enum wire_field field, const ProtobufCMessage *message);
bool wire_put_bytes(struct wire *wire, enum wire_field field, const uint8_t *bytes, size_t count);

/* Begins a field of `count` bytes, which the caller writes; NULL where it does not fit. */
uint8_t *wire_put_field(struct wire *wire, enum wire_field field, size_t count);

/* Where each room stands in a Hello, from 1; and where what is behind the last begins. */
struct frame_hello_rooms {
    uint32_t count;
    uint32_t at[CONFIG_ROOMS_MAX + 2];
};

/* frame_hello.c: the whole Hello into a block of its own, which the caller frees; 0 or ERR_MEMORY.
 */
int frame_hello_make(uint8_t **out, size_t *bytes, struct frame_hello_rooms *rooms,
                     const struct frame_world *world, uint64_t instance);

/* frame_parts.c: one part each. False where it does not fit. The arena is for this part only. */
bool frame_put_device(struct wire *wire, const struct device *device);
bool frame_put_alarm(struct wire *wire, const struct frame_world *world, const struct alarm *alarm,
                     enum access_sight sight);

/* Limits of rules, as a message has them. */
#define LIMITS_TOLD 128
struct frame_limits {
    Lumbar__Live__V1__Limit items[LIMITS_TOLD], *list[LIMITS_TOLD];
    size_t count;
};
/* Those of a rule that are numbers, or that the session of the room gives; as many as have room. */
void frame_add_limits(struct frame_limits *limits, const struct rules *rules, uint32_t rule,
                      uint32_t room);

/* All of them, up to SUPPRESSED_TOLD; the arena is for them. */
#define SUPPRESSED_TOLD 64
bool frame_put_suppressed(struct wire *wire, struct lumbar_scratch arena,
                          const struct frame_world *world, const struct frame_veil *veil);

/* All pauses. */
bool frame_put_pauses(struct wire *wire, struct lumbar_scratch arena,
                      const struct frame_world *world, const struct frame_veil *veil);

bool frame_put_session(struct wire *wire, const struct frame_world *world,
                       const struct session *session, enum access_sight sight);

/* frame_progress.c: of the treatment in a room that has one; the arena is for its lists. */
bool frame_put_progress(struct wire *wire, struct lumbar_scratch arena,
                        const struct frame_world *world, uint32_t room, int64_t now_ms);
bool frame_put_calibration(struct wire *wire, const struct frame_world *world,
                           const struct device *device);

/* The newest values that were ever there; `flags`: of metrics that have one of them, or matter most
 * in a phase; 0: of all. */
bool frame_put_latest(struct wire *wire, const struct device *device, uint32_t flags,
                      int64_t now_ms);

/* A record of the feed as one Points for each set of times in it. */
bool frame_put_points(struct wire *wire, struct lumbar_scratch arena, const struct device *device,
                      const struct feed_record *record);

#endif
