/*
 * The inside of the sessions, for sessions*.c only.
 */
#ifndef LUMBAR_CORE_SESSIONS_SET_H
#define LUMBAR_CORE_SESSIONS_SET_H

#include "core/sessions.h"

#define WATCH_WORDS ((DRIVER_METRICS_MAX + 63) / 64)

/* A session, and which metrics of each kind of device its accounting looks at. */
struct held {
    struct session session;
    uint64_t watched[DRIVERS_MAX][WATCH_WORDS];
};

struct sessions {
    const struct drivers *drivers;
    const struct body *body;
    sessions_event_cb *on_event;
    void *user;
    uint32_t devices_max;
    uint64_t change, progress, newest_id;
    struct held *rooms[CONFIG_ROOMS_MAX + 1]; /* by room; 0: unused */
    uint8_t *of_device;                       /* by id: the room whose session it is in, 0: none */
    int64_t *left_ms; /* by id: when it last left one, as far as this run knows; 0: never */
    struct rest {
        int64_t worked_ms; /* when a device of the room was last seen to work */
        bool tired;        /* a session ended here: none is opened by a device before a rest */
    } rest[CONFIG_ROOMS_MAX + 1];
    uint64_t notes_refused, devices_refused;
    uint64_t followed; /* devices_change() when devices were last put where their rooms are */
};

static inline bool session_is_open(const struct session *session)
{
    return session->state == SESSION_PLANNED || session->state == SESSION_RUNNING ||
           session->state == SESSION_PAUSED;
}

static inline struct session *session_of_room(const struct sessions *sessions, uint32_t room)
{
    return room >= 1 && room <= CONFIG_ROOMS_MAX && sessions->rooms[room] != NULL
               ? &sessions->rooms[room]->session
               : NULL;
}

/* sessions.c: the change is told of. */
void session_changed(struct sessions *sessions, struct session *session, enum session_op op);

/* A copy of the client without what has grown too old. */
void session_take_client(struct session *session, const struct client *client, int64_t own_age_ms,
                         int64_t now_ms);
/* ERR_CONFLICT where another open session has this client; NULL or nobody is in none. */
int session_check_client(const struct sessions *sessions, const struct client *client,
                         struct diag *diag);
int session_check_therapist(const char *initials, struct diag *diag);

/* Begins or ends an assignment. begin: ERR_FULL where the list is; nothing where it is in already.
 */
int session_begin_device(struct sessions *sessions, struct session *session, uint32_t device,
                         bool by_hand, int64_t now_ms, struct diag *diag);
bool session_end_device(struct sessions *sessions, struct session *session, uint32_t device,
                        int64_t now_ms);
void session_follow_rooms(struct sessions *sessions, struct devices *devices, int64_t now_ms);

/* sessions_orders.c: done as ordered, or aborted; devices leave, the phase ends. */
void session_close(struct sessions *sessions, struct session *session, enum session_state state,
                   int64_t now_ms);

/* sessions_account.c */
void session_watch(const struct sessions *sessions, struct held *held);
void session_forget_device(struct session *session, uint32_t device); /* bands let go of it */
void session_break(struct session *session); /* what comes next follows nothing */

#endif
