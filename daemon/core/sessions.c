#include "core/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/sessions_set.h"

#define PROGRESS_MS 1000  /* what is accounted is told at most so often */
#define REST_MS     30000 /* without work, before a device may open the room's next session */

_Static_assert(CONFIG_ROOMS_MAX <= UINT8_MAX, "of_device holds a room in a byte");

/* ---- Life ---- */

struct sessions *sessions_create(uint32_t devices_max, const struct drivers *drivers,
                                 const struct body *body, sessions_event_cb *on_event, void *user)
{
    struct sessions *sessions = calloc(1, sizeof(*sessions));
    if (sessions == NULL)
        return NULL;
    sessions->of_device = calloc((size_t)devices_max + 1, sizeof(*sessions->of_device));
    sessions->left_ms = calloc((size_t)devices_max + 1, sizeof(*sessions->left_ms));
    if (sessions->of_device == NULL || sessions->left_ms == NULL) {
        free(sessions->left_ms);
        free(sessions->of_device);
        free(sessions);
        return NULL;
    }
    sessions->drivers = drivers;
    sessions->body = body;
    sessions->on_event = on_event;
    sessions->user = user;
    sessions->devices_max = devices_max;
    return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
    if (sessions == NULL)
        return;
    for (uint32_t room = 0; room <= CONFIG_ROOMS_MAX; room++)
        free(sessions->rooms[room]);
    free(sessions->left_ms);
    free(sessions->of_device);
    free(sessions);
}

uint64_t sessions_change(const struct sessions *sessions)
{
    return sessions->change;
}

static uint32_t more_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void sessions_held(const struct sessions *sessions, struct sessions_held *out)
{
    *out = (struct sessions_held){.notes_refused = sessions->notes_refused,
                                  .devices_refused = sessions->devices_refused};
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        const struct session *session = session_of_room(sessions, room);
        if (session == NULL)
            continue;
        out->notes = more_of(out->notes, session->note_count);
        out->devices = more_of(out->devices, session->device_count);
    }
}

const struct session *sessions_at(const struct sessions *sessions, uint32_t room)
{
    return session_of_room(sessions, room);
}

const struct session *sessions_find(const struct sessions *sessions, uint64_t id)
{
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        const struct session *session = session_of_room(sessions, room);
        if (session != NULL && session->id == id)
            return session;
    }
    return NULL;
}

const struct session *sessions_of_device(const struct sessions *sessions, uint32_t device)
{
    return device <= sessions->devices_max ? session_of_room(sessions, sessions->of_device[device])
                                           : NULL;
}

static bool was_in(const struct session *session, uint32_t device, int64_t at_ms)
{
    if (session->started_ms == 0 || at_ms < session->started_ms ||
        (session->ended_ms != 0 && at_ms >= session->ended_ms))
        return false;
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct session_device *stay = &session->devices[i];
        if (stay->device == device && at_ms >= stay->from_ms &&
            (stay->to_ms == 0 || at_ms < stay->to_ms))
            return true;
    }
    return false;
}

const struct session *sessions_then(const struct sessions *sessions, uint32_t device, int64_t at_ms)
{
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        const struct session *session = session_of_room(sessions, room);
        if (session != NULL && was_in(session, device, at_ms))
            return session;
    }
    return NULL;
}

uint32_t sessions_room_of(const struct sessions *sessions, const struct device *device)
{
    uint32_t room = device->id <= sessions->devices_max ? sessions->of_device[device->id] : 0;
    return room != 0 ? room : device->room;
}

void session_changed(struct sessions *sessions, struct session *session, enum session_op op)
{
    session->change = ++sessions->change;
    session->progress = ++sessions->progress;
    if (sessions->on_event != NULL)
        sessions->on_event(sessions->user, session, op);
}

/* ---- Devices come and go ---- */

static struct session_device *assignment(struct session *session, uint32_t device)
{
    for (uint32_t i = 0; i < session->device_count; i++)
        if (session->devices[i].device == device && session->devices[i].to_ms == 0)
            return &session->devices[i];
    return NULL;
}

int session_begin_device(struct sessions *sessions, struct session *session, uint32_t device,
                         bool by_hand, int64_t now_ms, struct diag *diag)
{
    struct session_device *known = assignment(session, device);
    if (known != NULL) {
        known->by_hand = known->by_hand || by_hand;
        return 0;
    }
    if (session->device_count == SESSION_DEVICES_MAX) {
        sessions->devices_refused++;
        return diag_set(diag, ERR_FULL, "devices of this session came and went %d times already",
                        SESSION_DEVICES_MAX);
    }
    uint32_t room = sessions->of_device[device];
    struct session *other = session_of_room(sessions, room);
    if (other != NULL && session_end_device(sessions, other, device, now_ms))
        session_changed(sessions, other, SESSION_UNASSIGN);
    session->devices[session->device_count++] =
        (struct session_device){.device = device, .by_hand = by_hand, .from_ms = now_ms};
    sessions->of_device[device] = (uint8_t)session->room;
    return 0;
}

bool session_end_device(struct sessions *sessions, struct session *session, uint32_t device,
                        int64_t now_ms)
{
    struct session_device *known = assignment(session, device);
    if (known == NULL)
        return false;
    known->to_ms = now_ms > known->from_ms ? now_ms : known->from_ms;
    sessions->of_device[device] = 0;
    sessions->left_ms[device] = known->to_ms;
    session_forget_device(session, device);
    return true;
}

/* Is it in a session by hand? Then its room does not matter. */
static bool held_by_hand(const struct sessions *sessions, uint32_t device)
{
    struct session *session = session_of_room(sessions, sessions->of_device[device]);
    const struct session_device *known = session != NULL ? assignment(session, device) : NULL;
    return known != NULL && known->by_hand;
}

static void follow_device(struct sessions *sessions, const struct device *device, int64_t now_ms)
{
    struct session *there = session_of_room(sessions, device->room);
    uint32_t wanted = there != NULL && session_is_open(there) ? device->room : ROOM_NONE;
    uint32_t now_in = sessions->of_device[device->id];
    if (wanted == now_in || held_by_hand(sessions, device->id))
        return;
    struct session *left = session_of_room(sessions, now_in);
    if (left != NULL && session_end_device(sessions, left, device->id, now_ms))
        session_changed(sessions, left, SESSION_UNASSIGN);
    if (wanted != ROOM_NONE &&
        session_begin_device(sessions, there, device->id, false, now_ms, NULL) == 0)
        session_changed(sessions, there, SESSION_ASSIGN);
}

void session_follow_rooms(struct sessions *sessions, struct devices *devices, int64_t now_ms)
{
    sessions->followed = devices_change(devices);
    for (uint32_t id = 1; id <= devices_count(devices) && id <= sessions->devices_max; id++)
        follow_device(sessions, devices_at(devices, id), now_ms);
}

/* ---- Opening ---- */

/* Whoever asks for an own range need not know how old one may be. */
void session_take_client(struct session *session, const struct client *client, int64_t own_age_ms,
                         int64_t now_ms)
{
    if (client == NULL)
        return;
    session->client = *client;
    session->client.own_count = 0;
    for (uint32_t i = 0; i < client->own_count; i++)
        if (now_ms - client->own[i].measured_ms <= own_age_ms)
            session->client.own[session->client.own_count++] = client->own[i];
}

int session_check_client(const struct sessions *sessions, const struct client *client,
                         struct diag *diag)
{
    const char *name = client != NULL ? client->name : "";
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX && *name != '\0'; room++) {
        const struct session *other = session_of_room(sessions, room);
        if (other != NULL && session_is_open(other) && strcmp(other->client.name, name) == 0)
            return diag_set(diag, ERR_CONFLICT, "client '%s' is in session %llu, which is %s", name,
                            (unsigned long long)other->id, session_state_name(other->state));
    }
    return 0;
}

int session_check_therapist(const char *initials, struct diag *diag)
{
    if (strlen(initials) < SESSION_THERAPIST_BYTES)
        return 0;
    return diag_set(diag, ERR_RANGE, "a therapist is told by initials of up to %d bytes",
                    SESSION_THERAPIST_BYTES - 1);
}

static int check_opening(const struct sessions *sessions, const struct session_opening *opening,
                         struct diag *diag)
{
    const struct session *there = session_of_room(sessions, opening->room);
    const struct plan *plan = opening->plan;
    const char *client = opening->client != NULL ? opening->client->name : "";
    if (opening->room < 1 || opening->room > CONFIG_ROOMS_MAX)
        return diag_set(diag, ERR_UNKNOWN, "there is no such room");
    if (there != NULL && session_is_open(there))
        return diag_set(diag, ERR_CONFLICT, "the room has session %llu, which is %s: end it first",
                        (unsigned long long)there->id, session_state_name(there->state));
    int code = session_check_therapist(opening->therapist, diag);
    if (code != 0)
        return code;
    if (plan != NULL && plan->client[0] != '\0' && strcmp(plan->client, client) != 0)
        return diag_set(diag, ERR_CONFLICT, "plan '%s' was tailored to client '%s'", plan->name,
                        plan->client);
    return session_check_client(sessions, opening->client, diag);
}

static void session_init(struct session *session, const struct session_opening *opening,
                         uint64_t id, int64_t now_ms)
{
    memset(session, 0, sizeof(*session));
    session->id = id;
    session->state = SESSION_PLANNED;
    session->room = opening->room;
    memcpy(session->therapist, opening->therapist, strlen(opening->therapist) + 1);
    session_take_client(session, opening->client, opening->own_age_ms, now_ms);
    if (opening->plan != NULL)
        session->plan = *opening->plan;
    plan_tailor(&session->plan, &session->client, now_ms, opening->own_age_ms);
    session->opened_ms = session->active_ms = now_ms;
    session->phase = session->plan.phase_count;
    for (int i = 0; i < SESSION_MOMENTS; i++)
        session->pain[i] = SESSION_NO_SCORE;
    session->rmdq = session->odi = SESSION_NO_SCORE;
}

/* The block of the room's last session is used again. */
static struct held *place(struct sessions *sessions, uint32_t room, struct diag *diag)
{
    if (sessions->rooms[room] == NULL)
        sessions->rooms[room] = calloc(1, sizeof(struct held));
    if (sessions->rooms[room] == NULL)
        diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    return sessions->rooms[room];
}

uint64_t sessions_open(struct sessions *sessions, const struct session_opening *opening,
                       struct devices *devices, int64_t now_ms, struct diag *diag)
{
    if (check_opening(sessions, opening, diag) != 0)
        return 0;
    struct held *held = place(sessions, opening->room, diag);
    if (held == NULL)
        return 0;
    session_init(&held->session, opening, ++sessions->newest_id, now_ms);
    session_watch(sessions, held);
    session_changed(sessions, &held->session, SESSION_OPEN);
    session_follow_rooms(sessions, devices, now_ms);
    return held->session.id;
}

/* ---- After a restart ---- */

static bool is_score(int score, int most)
{
    return score >= SESSION_NO_SCORE && score <= most;
}

static bool is_possible(const struct sessions *sessions, const struct session *session)
{
    bool counts =
        session->phase <= session->plan.phase_count &&
        session->plan.phase_count <= PLAN_PHASES_MAX &&
        session->plan.band_count <= PLAN_BANDS_MAX && session->client.own_count <= CLIENT_OWN_MAX &&
        session->device_count <= SESSION_DEVICES_MAX && session->note_count <= SESSION_NOTES_MAX;
    bool scores = is_score(session->rmdq, 24) && is_score(session->odi, 100);
    for (int i = 0; i < SESSION_MOMENTS; i++)
        scores = scores && is_score(session->pain[i], 10);
    if (!counts || !scores || session->id == 0 || session->state <= SESSION_NONE ||
        session->state >= SESSION_STATES || session->room < 1 || session->room > CONFIG_ROOMS_MAX)
        return false;
    for (uint32_t i = 0; i < session->plan.band_count; i++)
        if (session->plan.bands[i].metric >= sessions->drivers->metric_count)
            return false;
    for (uint32_t i = 0; i < session->device_count; i++)
        if (session->devices[i].device < 1 || session->devices[i].device > sessions->devices_max)
            return false;
    return true;
}

int sessions_restore(struct sessions *sessions, const struct session *session, struct diag *diag)
{
    if (!is_possible(sessions, session))
        return diag_set(diag, ERR_RANGE, "session %llu cannot be one",
                        (unsigned long long)session->id);
    const struct session *there = session_of_room(sessions, session->room);
    if (there != NULL)
        return diag_set(diag, ERR_CONFLICT, "session %llu is in the room of session %llu",
                        (unsigned long long)session->id, (unsigned long long)there->id);
    struct held *held = place(sessions, session->room, diag);
    if (held == NULL)
        return ERR_MEMORY;
    held->session = *session;
    session_watch(sessions, held);
    session_break(&held->session);
    if (session->id > sessions->newest_id)
        sessions->newest_id = session->id;
    for (uint32_t i = 0; i < session->device_count && session_is_open(session); i++)
        if (session->devices[i].to_ms == 0)
            sessions->of_device[session->devices[i].device] = (uint8_t)session->room;
    for (uint32_t i = 0; i < session->device_count; i++) {
        int64_t *left_ms = &sessions->left_ms[session->devices[i].device];
        if (session->devices[i].to_ms > *left_ms)
            *left_ms = session->devices[i].to_ms;
    }
    held->session.progress = ++sessions->progress;
    held->session.change = ++sessions->change; /* known where it comes from: no event */
    return 0;
}

void sessions_forget(struct sessions *sessions, uint32_t room)
{
    struct held *held = sessions->rooms[room];
    if (held == NULL)
        return;
    free(held);
    sessions->rooms[room] = NULL;
    sessions->change++;
}

void sessions_go_on(struct sessions *sessions, uint64_t newest_id)
{
    if (newest_id > sessions->newest_id)
        sessions->newest_id = newest_id;
}

/* ---- Rooms are configured anew ---- */

static uint32_t room_named(const struct config *config, const char *name)
{
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strcmp(config->rooms[i].name, name) == 0)
            return i + 1;
    return ROOM_NONE;
}

static void abort_roomless(struct sessions *sessions, struct held *held, int64_t now_ms)
{
    struct session *session = &held->session;
    struct text reason = text_in(session->reason, sizeof(session->reason));
    if (session_is_open(session)) {
        text_add(&reason, "its room is not configured any more");
        session_close(sessions, session, SESSION_ABORTED, now_ms);
        session_changed(sessions, session, SESSION_ABORT);
    }
    free(held);
}

void sessions_adopt(struct sessions *sessions, const struct config *old, const struct config *fresh,
                    int64_t now_ms)
{
    struct held *moved[CONFIG_ROOMS_MAX + 1] = {NULL};
    struct rest rests[CONFIG_ROOMS_MAX + 1] = {{0}};
    uint8_t to[CONFIG_ROOMS_MAX + 1] = {0};
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        struct held *held = sessions->rooms[room];
        to[room] = (uint8_t)(room <= old->room_count ? room_named(fresh, old->rooms[room - 1].name)
                                                     : ROOM_NONE);
        rests[to[room]] = sessions->rest[room];
        if (held != NULL && to[room] == ROOM_NONE)
            abort_roomless(sessions, held, now_ms);
        else if (held != NULL)
            moved[to[room]] = held;
    }
    memcpy(sessions->rooms, moved, sizeof(moved));
    for (uint32_t id = 1; id <= sessions->devices_max; id++)
        sessions->of_device[id] = to[sessions->of_device[id]];
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++)
        if (moved[room] != NULL && moved[room]->session.room != room) {
            moved[room]->session.room = room;
            session_changed(sessions, &moved[room]->session, SESSION_MOVE);
        }
    memcpy(sessions->rest, rests, sizeof(rests));
}

/* ---- Time ---- */

static bool is_automatic(const struct config *config, uint32_t room)
{
    return config != NULL && room <= config->room_count && config->rooms[room - 1].automatic;
}

/* Something in the room works: when it last did keeps the session from being idle. */
static bool room_works(const struct sessions *sessions, struct devices *devices, uint32_t room,
                       bool assigned, int64_t now_ms)
{
    for (uint32_t id = 1; id <= devices_count(devices) && id <= sessions->devices_max; id++) {
        const struct device *device = devices_at(devices, id);
        bool here = assigned ? sessions->of_device[id] == room : device->room == room;
        if (here && body_works(sessions->body, device, now_ms))
            return true;
    }
    return false;
}

static void open_by_device(struct sessions *sessions, const struct sessions_rules *rules,
                           struct devices *devices, uint32_t room, int64_t now_ms)
{
    const char *name = rules->config->rooms[room - 1].plan;
    struct session_opening opening = {
        .room = room,
        .therapist = "",
        .plan = rules->plan != NULL && *name != '\0' ? rules->plan(rules->user, name) : NULL,
        .own_age_ms = rules->own_age_ms,
    };
    uint64_t id = sessions_open(sessions, &opening, devices, now_ms, NULL);
    if (id != 0)
        sessions_do(sessions, id, &(struct session_order){.op = SESSION_START}, devices, now_ms,
                    NULL);
}

/* A device that goes on working when its session was ended by hand opens no new one. */
static void tick_empty(struct sessions *sessions, const struct sessions_rules *rules,
                       struct devices *devices, uint32_t room, int64_t now_ms)
{
    bool works = room_works(sessions, devices, room, false, now_ms);
    if (works && !sessions->rest[room].tired) {
        open_by_device(sessions, rules, devices, room, now_ms);
        sessions->rest[room].tired = true;
    }
    if (works)
        sessions->rest[room].worked_ms = now_ms;
    else if (now_ms - sessions->rest[room].worked_ms >= REST_MS)
        sessions->rest[room].tired = false;
}

static void tick_room(struct sessions *sessions, const struct sessions_rules *rules,
                      struct devices *devices, uint32_t room, int64_t now_ms)
{
    struct session *session = session_of_room(sessions, room);
    if (session == NULL || !session_is_open(session)) {
        if (is_automatic(rules->config, room))
            tick_empty(sessions, rules, devices, room, now_ms);
        return;
    }
    sessions->rest[room].tired = true;
    sessions->rest[room].worked_ms = now_ms;
    if (session->state == SESSION_PLANNED)
        return;
    if (session->state == SESSION_RUNNING && now_ms - session->progress_ms >= PROGRESS_MS) {
        session->progress = ++sessions->progress;
        session->progress_ms = now_ms;
    }
    if (room_works(sessions, devices, room, true, now_ms))
        session->active_ms = now_ms;
    if (now_ms - session->active_ms < rules->idle_ms)
        return;
    /* It was over when the last thing was done: a night without power belongs to no phase. */
    session->idle = true;
    session_close(sessions, session, SESSION_DONE, session->active_ms);
    session_changed(sessions, session, SESSION_END);
}

void sessions_tick(struct sessions *sessions, const struct sessions_rules *rules,
                   struct devices *devices, int64_t now_ms)
{
    if (sessions->followed != devices_change(devices))
        session_follow_rooms(sessions, devices, now_ms);
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++)
        if (sessions->rooms[room] != NULL || is_automatic(rules->config, room))
            tick_room(sessions, rules, devices, room, now_ms);
}
