/*
 * Sessions: one treatment each, a client in a room, in phases, by a plan.
 *
 * A room has one session at most; one that ended stays (for the pain afterwards, scores, a last
 * note) until the next is opened there. What may be done in which state is one table
 * (sessions_orders.c), and what may not is refused with a sentence. Devices come and go with the
 * room that the configuration gives them, or by hand; a device is in one session at a time, and
 * every assignment keeps its times, so one that moves tears nothing.
 * While a session runs, samples are accounted by their own times: the time below, within and above
 * each band of the plan, and minutes and intensity on each region of the body. What a device held
 * back, or what is in one message with what it measured elsewhere, is of the session in which it
 * was then, in the phase of then, though that one may be over. Samples from before a session last
 * began to run or its device came, or older than what was accounted, count for nothing. Memory: one
 * block a session, allocated when it is opened; every list in it is bounded, and what is full is
 * refused. Nothing is allocated for a message. Pure: time is hub time, given.
 */
#ifndef LUMBAR_CORE_SESSIONS_H
#define LUMBAR_CORE_SESSIONS_H

#include "core/config.h"
#include "core/plan.h"

#define SESSION_THERAPIST_BYTES 9 /* initials */
#define SESSION_NOTE_BYTES      201
#define SESSION_NOTES_MAX       64
#define SESSION_DEVICES_MAX     48 /* assignments, not devices */
#define SESSION_NO_SCORE        (-1)
#define SESSION_PAIN_STOP       2 /* more pain than before by so much: stop and ask [U] */

enum session_state {
    SESSION_NONE,
    SESSION_PLANNED,
    SESSION_RUNNING,
    SESSION_PAUSED,
    SESSION_DONE,
    SESSION_ABORTED,
    SESSION_STATES
};

enum session_op {
    SESSION_OPEN,
    SESSION_START,
    SESSION_PAUSE,
    SESSION_RESUME,
    SESSION_NEXT, /* phase; after the last one the session is done */
    SESSION_END,
    SESSION_ABORT,    /* text: the reason, needed */
    SESSION_NOTE,     /* text */
    SESSION_MARKER,   /* text may be "" */
    SESSION_PAIN,     /* number 0..10, moment */
    SESSION_RMDQ,     /* number 0..24 */
    SESSION_ODI,      /* number 0..100 */
    SESSION_ADVERSE,  /* text: what happened */
    SESSION_ASSIGN,   /* device, by hand */
    SESSION_UNASSIGN, /* device */
    SESSION_MOVE,     /* room */
    SESSION_NAME,     /* client, text: the therapist; what is "" or NULL stays as it is */
    SESSION_LEARN,    /* by sessions_learn() */
    SESSION_OPS
};

enum session_moment { SESSION_BEFORE, SESSION_DURING, SESSION_AFTER, SESSION_MOMENTS };

/* A row each for the store: identified by session id and place. */
struct session_device {
    uint32_t device;
    bool by_hand;           /* it stays, whatever room it is in */
    int64_t from_ms, to_ms; /* to: 0 while it is assigned */
    int64_t dosed_ms;       /* its newest value that was accounted */
};

struct session_phase {
    int64_t began_ms, ended_ms; /* 0: not yet */
    int64_t spent_ms;           /* up to `ended`, or to the last pause; without pauses */
};

struct session_note {
    int64_t at_ms;
    bool marker;
    char text[SESSION_NOTE_BYTES];
};

/* Of one band of the plan, by the samples' own times. */
struct session_band {
    int64_t below_ms, within_ms, above_ms;
    uint32_t excursions; /* from within to beyond */
    uint32_t device;     /* which it follows; 0: none yet */
    int64_t at_ms;       /* of the newest value; 0: none that goes on */
    double value;
};

/* Of one region of the body. */
struct session_dose {
    int64_t time_ms;
    double intensity_ms; /* sum of intensity (in its unit) x ms, where it is measured */
};

struct session {
    uint64_t id;         /* from 1, over all sessions ever */
    uint64_t change;     /* sessions_change() when it last changed, apart from what is accounted */
    uint64_t progress;   /* another one with each change, and each second while it runs */
    int64_t progress_ms; /* when it was for that */
    enum session_state state;
    uint32_t room;
    char therapist[SESSION_THERAPIST_BYTES]; /* "": opened by a device */
    struct client client;                    /* as it was when this was opened */
    struct plan plan;                        /* tailored to the client */

    int64_t opened_ms, started_ms, ended_ms; /* 0: not yet */
    int64_t resumed_ms;                      /* when it last began to run */
    int64_t active_ms;                       /* when something was last done, by hand or device */
    bool idle;                               /* ended by idleness */
    char reason[SESSION_NOTE_BYTES];         /* of an abort */
    char adverse[SESSION_NOTE_BYTES];        /* event; "": none */

    uint32_t phase; /* the present one, from 0; plan.phase_count: none */
    struct session_phase phases[PLAN_PHASES_MAX];
    int pain[SESSION_MOMENTS]; /* 0..10 or SESSION_NO_SCORE; during: the newest */
    int rmdq, odi;
    bool ask_to_stop; /* SESSION_PAIN_STOP more pain than before */

    struct session_device devices[SESSION_DEVICES_MAX];
    uint32_t device_count;
    struct session_note notes[SESSION_NOTES_MAX];
    uint32_t note_count;

    struct session_band bands[PLAN_BANDS_MAX]; /* of plan.bands */
    struct session_dose doses[BODY_REGIONS_MAX];
    bool late; /* something was accounted after its end: see sessions_take_late() */
};

/* What is wanted of a session. Fields that the op does not name are not looked at. */
struct session_order {
    enum session_op op;
    const char *text;
    int number;
    enum session_moment moment;
    uint32_t device, room;
    const struct client *client;
    int64_t own_age_ms; /* own ranges no older count */
};

struct session_opening {
    uint32_t room;
    const char *therapist;       /* up to 8 bytes; "" for a device */
    const struct client *client; /* NULL: an unknown person */
    const struct plan *plan;     /* NULL: without phases */
    int64_t own_age_ms;          /* own ranges no older count */
};

struct sessions;

/* For the devices' ids 1..max; drivers and body are borrowed. on_event, where it is not NULL, is
 * told of every change after it was made. NULL: no memory. */
typedef void sessions_event_cb(void *user, const struct session *session, enum session_op op);
struct sessions *sessions_create(uint32_t devices_max, const struct drivers *drivers,
                                 const struct body *body, sessions_event_cb *on_event, void *user);
void sessions_destroy(struct sessions *sessions);

/* Grows with each change of any session, apart from what is accounted. */
uint64_t sessions_change(const struct sessions *sessions);

/* The session of a room (1..), NULL: there was none yet. */
const struct session *sessions_at(const struct sessions *sessions, uint32_t room);
const struct session *sessions_find(const struct sessions *sessions, uint64_t id);

/* What the fullest of them holds, and what found no room in any since the start. */
struct sessions_held {
    uint32_t notes, devices; /* of SESSION_NOTES_MAX and SESSION_DEVICES_MAX */
    uint64_t notes_refused, devices_refused;
};
void sessions_held(const struct sessions *sessions, struct sessions_held *out);

/* The open session that a device is in now; NULL: none. */
const struct session *sessions_of_device(const struct sessions *sessions, uint32_t device);

/* The session that a device was in at that time, while it was under way; it may be over, but is
 * still the last one of its room. NULL: none. */
const struct session *sessions_then(const struct sessions *sessions, uint32_t device,
                                    int64_t at_ms);

/* Where a device is at work: the room of its session, which holds it by hand perhaps; else its own.
 */
uint32_t sessions_room_of(const struct sessions *sessions, const struct device *device);

/* Opens one (PLANNED), and puts the room's devices into it. Its id, or 0 with a complaint. */
uint64_t sessions_open(struct sessions *sessions, const struct session_opening *opening,
                       struct devices *devices, int64_t now_ms, struct diag *diag);

/* Does what is ordered, whole or not at all: 0, or a code with a sentence in diag. */
int sessions_do(struct sessions *sessions, uint64_t id, const struct session_order *order,
                struct devices *devices, int64_t now_ms, struct diag *diag);

/* Something was measured of the client meanwhile: limits that ask for it follow. ERR_UNKNOWN where
 * there is no such session that is open, ERR_FULL where there is no room for it. */
int sessions_learn(struct sessions *sessions, uint64_t id, const struct client_own *own,
                   int64_t own_age_ms, int64_t now_ms);

/* A session as the store knew it, after a restart: it goes on as it was; its id and those below are
 * taken. ERR_CONFLICT where the room has one already, ERR_RANGE where it cannot be one. */
int sessions_restore(struct sessions *sessions, const struct session *session, struct diag *diag);

/* The session of a room leaves nothing behind, whatever it is in. */
void sessions_forget(struct sessions *sessions, uint32_t room);

/* The numbers up to this one are taken, though their sessions are not here. */
void sessions_go_on(struct sessions *sessions, uint64_t newest_id);

/* The rooms are configured anew: each session goes with the name of its room. One whose room is
 * gone is aborted, told of, and forgotten. Call it before devices are put into their new rooms. */
void sessions_adopt(struct sessions *sessions, const struct config *old, const struct config *fresh,
                    int64_t now_ms);

/* The samples of a message, after device_note(). Cheap for devices in no running session. */
void sessions_touch(struct sessions *sessions, const struct device *device,
                    const struct lumbar_batch *batch, int64_t offset_ms);

/* Was something accounted for the room's session that is over, since this was last asked? */
bool sessions_take_late(struct sessions *sessions, uint32_t room);

/* Each 250 ms or so: follows devices that changed rooms, opens sessions in rooms where a device may
 * and one works, and ends those that were idle for idle_ms: as of when they were last active. */
struct sessions_rules {
    const struct config *config; /* rooms with `auto` */
    /* The plan of this name, for rooms that name one; NULL: there is none. */
    const struct plan *(*plan)(void *user, const char *name);
    void *user;
    int64_t idle_ms, own_age_ms;
};
void sessions_tick(struct sessions *sessions, const struct sessions_rules *rules,
                   struct devices *devices, int64_t now_ms);

/* The present phase's time, spent and left (below 0: over it), without pauses. */
int64_t session_spent_ms(const struct session *session, int64_t now_ms);
int64_t session_left_ms(const struct session *session, int64_t now_ms);

/* What the plan gives a region of the body: its phases' times, in equal parts. */
int64_t session_planned_ms(const struct session *session, uint32_t region);

/* The body that regions are numbered by. */
const struct body *sessions_body(const struct sessions *sessions);

const char *session_state_name(enum session_state state); /* "running" */
const char *session_op_name(enum session_op op);          /* "pause" */

/* ---- What rules ask; a room without a running session has no answers ---- */

/* Name of the kind of the present phase, NULL: none. */
const char *sessions_phase(const struct sessions *sessions, uint32_t room);

/* The limits of the room's plan that hold now for this metric on any region: the narrowest of them.
 * Targets are none. NaN for an end that is open. False: there is none. */
bool sessions_limit(const struct sessions *sessions, uint32_t room, uint32_t metric, double *low,
                    double *high);

/* The own range of the room's client (not of one region). False: not measured, or too long ago. */
bool sessions_own(const struct sessions *sessions, uint32_t room, uint32_t metric, double *low,
                  double *high);

#endif
