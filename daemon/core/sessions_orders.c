/* What may be done with a session, and doing it: one table of states and operations. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/sessions_set.h"

struct work {
    struct sessions *sessions;
    struct session *session;
    const struct session_order *order;
    struct devices *devices;
    int64_t now_ms;
    struct diag *diag;
};

static const char *const state_names[SESSION_STATES] = {
    [SESSION_NONE] = "none",     [SESSION_PLANNED] = "planned", [SESSION_RUNNING] = "running",
    [SESSION_PAUSED] = "paused", [SESSION_DONE] = "done",       [SESSION_ABORTED] = "aborted",
};

const char *session_state_name(enum session_state state)
{
    return state_names[state];
}

/* ---- The clock of phases ---- */

int64_t session_spent_ms(const struct session *session, int64_t now_ms)
{
    if (session->phase >= session->plan.phase_count)
        return 0;
    const struct session_phase *phase = &session->phases[session->phase];
    if (session->state != SESSION_RUNNING)
        return phase->spent_ms;
    int64_t since_ms =
        phase->began_ms > session->resumed_ms ? phase->began_ms : session->resumed_ms;
    return phase->spent_ms + (now_ms > since_ms ? now_ms - since_ms : 0);
}

int64_t session_left_ms(const struct session *session, int64_t now_ms)
{
    if (session->phase >= session->plan.phase_count)
        return 0;
    return session->plan.phases[session->phase].time_ms - session_spent_ms(session, now_ms);
}

static void begin_phase(struct session *session, uint32_t phase, int64_t now_ms)
{
    session->phase = phase;
    if (phase < session->plan.phase_count)
        session->phases[phase].began_ms = now_ms;
}

static void end_phase(struct session *session, int64_t now_ms)
{
    if (session->phase >= session->plan.phase_count)
        return;
    struct session_phase *phase = &session->phases[session->phase];
    phase->spent_ms = session_spent_ms(session, now_ms);
    phase->ended_ms = now_ms;
}

void session_close(struct sessions *sessions, struct session *session, enum session_state state,
                   int64_t now_ms)
{
    if (session->state != SESSION_PLANNED)
        end_phase(session, now_ms);
    session->phase = session->plan.phase_count;
    session->state = state;
    session->ended_ms = now_ms;
    for (uint32_t i = 0; i < session->device_count; i++)
        session_end_device(sessions, session, session->devices[i].device, now_ms);
}

/* ---- Doing ---- */

static int do_start(struct work *work)
{
    struct session *session = work->session;
    session->state = SESSION_RUNNING;
    session->started_ms = session->resumed_ms = work->now_ms;
    begin_phase(session, 0, work->now_ms);
    session_break(session);
    return 0;
}

static int do_pause(struct work *work)
{
    struct session *session = work->session;
    if (session->phase < session->plan.phase_count)
        session->phases[session->phase].spent_ms = session_spent_ms(session, work->now_ms);
    session->state = SESSION_PAUSED;
    session_break(session);
    return 0;
}

static int do_resume(struct work *work)
{
    work->session->state = SESSION_RUNNING;
    work->session->resumed_ms = work->now_ms;
    return 0;
}

static int do_next(struct work *work)
{
    struct session *session = work->session;
    if (session->plan.phase_count == 0)
        return diag_set(work->diag, ERR_CONFLICT, "the session has no phases");
    if (session->phase + 1 >= session->plan.phase_count) {
        session_close(work->sessions, session, SESSION_DONE, work->now_ms);
        return 0;
    }
    end_phase(session, work->now_ms);
    begin_phase(session, session->phase + 1, work->now_ms);
    session_break(session);
    return 0;
}

static int do_end(struct work *work)
{
    session_close(work->sessions, work->session, SESSION_DONE, work->now_ms);
    return 0;
}

/* One line of what a person wrote; nothing of it is cut off silently. */
static int take_text(struct work *work, const char *what, bool needed, char *out)
{
    const char *text = work->order->text != NULL ? work->order->text : "";
    size_t length = strlen(text);
    if (needed && length == 0)
        return diag_set(work->diag, ERR_SYNTAX, "%s is needed", what);
    if (length >= SESSION_NOTE_BYTES)
        return diag_set(work->diag, ERR_RANGE, "%s has %zu bytes; up to %d can be kept", what,
                        length, SESSION_NOTE_BYTES - 1);
    memcpy(out, text, length + 1);
    return 0;
}

static int do_abort(struct work *work)
{
    int code = take_text(work, "the reason of an abort", true, work->session->reason);
    if (code == 0)
        session_close(work->sessions, work->session, SESSION_ABORTED, work->now_ms);
    return code;
}

static int do_note(struct work *work)
{
    struct session *session = work->session;
    bool marker = work->order->op == SESSION_MARKER;
    if (session->note_count == SESSION_NOTES_MAX) {
        work->sessions->notes_refused++;
        return diag_set(work->diag, ERR_FULL, "the session has %d notes and markers already",
                        SESSION_NOTES_MAX);
    }
    struct session_note *note = &session->notes[session->note_count];
    int code = take_text(work, marker ? "a marker" : "the text of a note", !marker, note->text);
    if (code != 0)
        return code;
    note->at_ms = work->now_ms;
    note->marker = marker;
    session->note_count++;
    return 0;
}

static int check_number(struct work *work, const char *what, int most)
{
    if (work->order->number >= 0 && work->order->number <= most)
        return 0;
    return diag_set(work->diag, ERR_RANGE, "%s is 0..%d, not %d", what, most, work->order->number);
}

static int do_pain(struct work *work)
{
    struct session *session = work->session;
    enum session_moment moment = work->order->moment;
    bool open = session_is_open(session);
    int code = check_number(work, "pain", 10);
    if (code != 0)
        return code;
    if (moment == SESSION_BEFORE && !open)
        return diag_set(work->diag, ERR_CONFLICT,
                        "the session is over: pain before it cannot be asked any more");
    if (moment == SESSION_DURING && (!open || session->state == SESSION_PLANNED))
        return diag_set(work->diag, ERR_CONFLICT, "the session is %s, not under way",
                        state_names[session->state]);
    if (moment == SESSION_AFTER && session->state == SESSION_PLANNED)
        return diag_set(work->diag, ERR_CONFLICT, "the session has not begun");
    session->pain[moment] = work->order->number;
    int before = session->pain[SESSION_BEFORE], during = session->pain[SESSION_DURING];
    session->ask_to_stop = before != SESSION_NO_SCORE && during != SESSION_NO_SCORE &&
                           during - before >= SESSION_PAIN_STOP;
    return 0;
}

static int do_score(struct work *work)
{
    bool rmdq = work->order->op == SESSION_RMDQ;
    int code = check_number(work, rmdq ? "RMDQ" : "ODI", rmdq ? 24 : 100);
    if (code == 0)
        *(rmdq ? &work->session->rmdq : &work->session->odi) = work->order->number;
    return code;
}

static int do_adverse(struct work *work)
{
    return take_text(work, "what happened", true, work->session->adverse);
}

static int check_device(struct work *work)
{
    uint32_t id = work->order->device;
    if (id >= 1 && id <= devices_count(work->devices) && id <= work->sessions->devices_max)
        return 0;
    return diag_set(work->diag, ERR_UNKNOWN, "there is no such device");
}

static int do_assign(struct work *work)
{
    int code = check_device(work);
    return code != 0 ? code
                     : session_begin_device(work->sessions, work->session, work->order->device,
                                            true, work->now_ms, work->diag);
}

static int do_unassign(struct work *work)
{
    int code = check_device(work);
    if (code != 0)
        return code;
    const struct device *device = devices_at(work->devices, work->order->device);
    if (device->room == work->session->room)
        return diag_set(work->diag, ERR_CONFLICT, "%s is in this room by the configuration",
                        device->name);
    if (!session_end_device(work->sessions, work->session, device->id, work->now_ms))
        return diag_set(work->diag, ERR_CONFLICT, "%s is not in this session", device->name);
    return 0;
}

static int do_move(struct work *work)
{
    struct sessions *sessions = work->sessions;
    struct session *session = work->session;
    uint32_t from = session->room, to = work->order->room;
    if (to < 1 || to > CONFIG_ROOMS_MAX)
        return diag_set(work->diag, ERR_UNKNOWN, "there is no such room");
    const struct session *there = session_of_room(sessions, to);
    if (to == from || (there != NULL && session_is_open(there)))
        return diag_set(work->diag, ERR_CONFLICT, "that room has session %llu, which is %s",
                        (unsigned long long)there->id, state_names[there->state]);
    free(sessions->rooms[to]); /* what was over there makes place */
    sessions->rooms[to] = sessions->rooms[from];
    sessions->rooms[from] = NULL;
    session->room = to;
    for (uint32_t i = 1; i <= sessions->devices_max; i++)
        if (sessions->of_device[i] == from)
            sessions->of_device[i] = (uint8_t)to;
    session_follow_rooms(sessions, work->devices, work->now_ms);
    return 0;
}

/* One that a device opened is somebody's all the same, and somebody may come to lead it. Once it is
 * a client's it stays that one's. */
static int do_name(struct work *work)
{
    struct session *session = work->session;
    const struct client *client = work->order->client;
    const char *therapist = work->order->text != NULL ? work->order->text : "";
    bool is_new = client != NULL && strcmp(client->name, session->client.name) != 0;
    if (is_new && session->client.name[0] != '\0')
        return diag_set(work->diag, ERR_CONFLICT, "session %llu is that of client '%s'",
                        (unsigned long long)session->id, session->client.name);
    int code = session_check_therapist(therapist, work->diag);
    if (code == 0 && is_new && session_is_open(session))
        code = session_check_client(work->sessions, client, work->diag);
    if (code != 0)
        return code;
    if (is_new)
        session_take_client(session, client, work->order->own_age_ms, work->now_ms);
    if (is_new && session_is_open(session))
        plan_tailor(&session->plan, &session->client, work->now_ms, work->order->own_age_ms);
    if (therapist[0] != '\0')
        memcpy(session->therapist, therapist, strlen(therapist) + 1);
    return 0;
}

/* ---- The table ---- */

#define IN(state) (1u << (state))
#define PLANNED   IN(SESSION_PLANNED)
#define RUNNING   IN(SESSION_RUNNING)
#define PAUSED    IN(SESSION_PAUSED)
#define ENDED     (IN(SESSION_DONE) | IN(SESSION_ABORTED))
#define GOING     (RUNNING | PAUSED)

static const struct row {
    const char *name, *words; /* as in "a done session cannot be paused" */
    unsigned states;          /* in which it may be done */
    int (*work)(struct work *work);
} rows[SESSION_OPS] = {
    [SESSION_OPEN] = {"open", "opened", 0, NULL}, /* a new one: sessions_open() */
    [SESSION_START] = {"start", "started", PLANNED, do_start},
    [SESSION_PAUSE] = {"pause", "paused", RUNNING, do_pause},
    [SESSION_RESUME] = {"resume", "resumed", PAUSED, do_resume},
    [SESSION_NEXT] = {"next", "led to its next phase", RUNNING, do_next},
    [SESSION_END] = {"end", "ended", GOING, do_end},
    [SESSION_ABORT] = {"abort", "aborted", PLANNED | GOING, do_abort},
    [SESSION_NOTE] = {"note", "noted on", PLANNED | GOING | ENDED, do_note},
    [SESSION_MARKER] = {"marker", "marked", GOING, do_note},
    [SESSION_PAIN] = {"pain", "given pain", PLANNED | GOING | ENDED, do_pain},
    [SESSION_RMDQ] = {"rmdq", "given an RMDQ", PLANNED | GOING | ENDED, do_score},
    [SESSION_ODI] = {"odi", "given an ODI", PLANNED | GOING | ENDED, do_score},
    [SESSION_ADVERSE] = {"adverse", "given an adverse event", GOING | ENDED, do_adverse},
    [SESSION_ASSIGN] = {"assign", "given a device", PLANNED | GOING, do_assign},
    [SESSION_UNASSIGN] = {"unassign", "rid of a device", PLANNED | GOING, do_unassign},
    [SESSION_MOVE] = {"move", "moved", PLANNED | GOING, do_move},
    [SESSION_NAME] = {"name", "named", PLANNED | GOING | ENDED, do_name},
    [SESSION_LEARN] = {"learn", "told what was measured", 0, NULL}, /* sessions_learn() */
};

const char *session_op_name(enum session_op op)
{
    return rows[op].name;
}

int sessions_do(struct sessions *sessions, uint64_t id, const struct session_order *order,
                struct devices *devices, int64_t now_ms, struct diag *diag)
{
    struct session *session = (struct session *)(uintptr_t)sessions_find(sessions, id);
    if (session == NULL)
        return diag_set(diag, ERR_UNKNOWN, "there is no session %llu in any room",
                        (unsigned long long)id);
    const struct row *row = &rows[order->op];
    if ((row->states & IN(session->state)) == 0)
        return diag_set(diag, ERR_CONFLICT, "session %llu is %s and cannot be %s",
                        (unsigned long long)id, state_names[session->state], row->words);
    struct work work = {sessions, session, order, devices, now_ms, diag};
    int code = row->work(&work);
    if (code != 0)
        return code;
    session->active_ms = now_ms;
    session_changed(sessions, session, order->op);
    return 0;
}

int sessions_learn(struct sessions *sessions, uint64_t id, const struct client_own *own,
                   int64_t own_age_ms, int64_t now_ms)
{
    struct session *session = (struct session *)(uintptr_t)sessions_find(sessions, id);
    if (session == NULL || !session_is_open(session))
        return ERR_UNKNOWN;
    int code = client_learn(&session->client, own);
    if (code != 0)
        return code;
    plan_tailor(&session->plan, &session->client, now_ms, own_age_ms);
    session->active_ms = now_ms;
    session_changed(sessions, session, SESSION_LEARN);
    return 0;
}
