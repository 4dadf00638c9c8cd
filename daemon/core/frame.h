/*
 * Frames: what a browser is sent, as protobuf of proto/live.proto. Nothing else of the hub knows
 * the live wire.
 *
 * A client is a struct frame_cursor: where it looks, and what it has. frame_next() makes the frame
 * of everything that it has not yet had, up to FRAME_MAX_BYTES, from the state as it is now; the
 * rest comes with the next. Clients at the same place share the bytes: a frame is made once a view.
 * Order in a frame: hello, devices, alarms, pauses, what is suppressed, sessions, calibrations,
 * then values. Memory: one buffer and one arena, sized at create; no queue a client. Pure: time is
 * given.
 */
#ifndef LUMBAR_CORE_FRAME_H
#define LUMBAR_CORE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access.h"
#include "core/alarms.h"
#include "core/config.h"
#include "core/feed.h"
#include "core/pauses.h"
#include "core/suppressed.h"

#define FRAME_MAX_BYTES ((size_t)60 * 1024)
#define FRAME_HEADROOM  32 /* writable bytes before a frame, for the transport's own header */
#define FRAME_WATCH_MAX 1024

struct sessions;
struct calibration;

/* What a frame is made of. The pointers may change at a reload: call frame_reload() then. */
struct frame_world {
    const struct config *config;
    const struct drivers *drivers;
    struct devices *devices;
    const struct rules *rules;
    const struct alarms *alarms;
    const struct feed *feed;
    const struct sessions *sessions;         /* NULL: none */
    const struct calibration *calibration;   /* NULL: none */
    const struct suppressions *suppressions; /* NULL: none */
    const struct pauses *pauses;             /* NULL: none */
};

struct frame_health {
    bool broker, disk;
    uint32_t heartbeat_ms;
    uint64_t messages, refused, dropped;
    uint32_t alarms_begun; /* in the last ten minutes */
    bool flood;
    uint64_t alarms_lost;
    bool clock_unset;     /* the machine's, since it was switched on */
    int64_t clock_off_ms; /* it was set by so much, and hub time still is what it was */
    uint64_t oversize, quarantined;
    bool settling;         /* devices may be silent for no fault of theirs */
    bool config_old;       /* the hub runs with the last configuration that could be used */
    bool certificate_ends; /* the page's, soon */
    int32_t certificate_days;
    bool history_damaged, history_rebuilding; /* a damaged file lies there; it is being rebuilt */
    /* Not sent; a new one makes a frame, so that a quiet clinic does not look like a lost path. */
    int64_t second;
};

/* What is kept from a client: of rooms that are not theirs everything; and, on a wall, what was
 * said of a treatment and why, or, where only devices may be seen, all that is of clients. Zeroed
 * it keeps nothing: who opens sockets sets it. */
struct frame_veil {
    enum access_sight sight;
    struct access_rooms rooms;
    bool glass; /* is told when glass is broken */
};

/* A walk over a table for what changed: it may need several frames. */
struct frame_sweep {
    uint64_t have;  /* changes up to here were sent */
    uint64_t until; /* where `have` will stand at its end */
    uint32_t at;    /* next index; 0: none is under way */
};

/* Zero it when a client comes. Only `watching` and `room` are anybody else's business. */
struct frame_cursor {
    bool watching;               /* has said what it wants */
    bool missed;                 /* is to be told of a gap */
    uint32_t room;               /* 0: the wall */
    uint64_t hello, health;      /* generations that it has; 0: none */
    uint64_t suppressed, paused; /* change of theirs that it has, and one; 0: none */
    uint64_t glass;              /* the same of broken glass */
    struct frame_sweep devices, alarms, sessions, calibrations;
    struct frame_sweep latest; /* by feed position; in a room once */
    uint64_t feed;             /* room: the next record */
    uint64_t progress;         /* room: of its session; 0: none */
    int64_t last_ms;           /* when it last had values: begin of the gap it is told of */
    struct frame_veil veil;    /* by frame_set_veil() */
    uint64_t moves;            /* of sessions, that it has */
};

struct frame;

struct frame *frame_create(const struct frame_world *world, uint64_t instance); /* NULL: memory */
void frame_destroy(struct frame *frame);

/* The configuration, rules or drivers changed: everybody gets a hello, devices and alarms anew.
 * ERR_MEMORY: the new hello could not be made; nothing changed, the old world goes on. */
int frame_reload(struct frame *frame, const struct frame_world *world);

/* The hub's health, as it is now; sent when it differs from what was sent. */
void frame_set_health(struct frame *frame, const struct frame_health *health);

/* What this client may see, from now on: it gets everything anew. */
void frame_set_veil(struct frame_cursor *cursor, const struct frame_veil *veil);

/* Glass was broken, or seen: leads are told. */
void frame_glass_changed(struct frame *frame);

/* A session moved to another room: who sees only one of the two rooms gets everything anew, for
 * nobody else tells them that it is gone. */
void frame_session_moved(struct frame *frame);

/* Takes a Watch message. ERR_MALFORMED if it is none. A client that names our instance and a cursor
 * goes on from there; its alarms begin anew with every entry in use, ended ones among them, for the
 * cursor tells nothing of alarms. */
int frame_watch(struct frame *frame, struct frame_cursor *cursor, const uint8_t *bytes,
                size_t count, int64_t now_ms);

/* Is there anything for this client? Cheap. */
bool frame_due(const struct frame *frame, const struct frame_cursor *cursor);

/* The next frame; moves the cursor. Returns its length, 0 if there is nothing. The bytes are good
 * until the next call, with FRAME_HEADROOM writable bytes before them. Longer than FRAME_MAX_BYTES
 * only where the hello alone is. */
size_t frame_next(struct frame *frame, struct frame_cursor *cursor, int64_t now_ms,
                  uint8_t **bytes);

/* How many frames were made; those that shared one are not counted. */
uint64_t frame_made(const struct frame *frame);

/* A last frame that says why the connection ends. */
size_t frame_bye(struct frame *frame, const char *reason, int64_t now_ms, uint8_t **bytes);

#endif
