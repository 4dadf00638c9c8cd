#include "base/log.h"
#include "hub.h"
#include "io/store_rows.h"

#define DAY_MS INT64_C(86400000)

struct store_clinic hub_clinic(const struct lumbard *hub)
{
    return (struct store_clinic){.config = hub->setup.config,
                                 .drivers = &hub->setup.drivers,
                                 .devices = hub->ingest.devices,
                                 .body = &hub->setup.body,
                                 .clients = hub->clients,
                                 .own_age_ms = hub_own_age_ms(hub)};
}

static const struct plan *find_plan(void *user, const char *name)
{
    const struct lumbard *hub = user;
    return plans_find(hub->setup.plans, name, NULL);
}

/* No client and no note: a log is read by others than the session is. */
static void log_session(const struct lumbard *hub, const struct session *session,
                        enum session_op op)
{
    const char *room = hub_room_title(hub, session->room);
    unsigned long long id = session->id;
    if (op == SESSION_OPEN)
        log_notice("session %llu: opened in %s by %s, plan %s", id, room,
                   *session->therapist ? session->therapist : "a device",
                   *session->plan.name ? session->plan.name : "none");
    else
        log_notice("session %llu: %s in %s%s", id, session_state_name(session->state), room,
                   session->idle ? ", as nothing was done any more" : "");
}

static void store_all_of(struct lumbard *hub, const struct session *session)
{
    struct store_clinic clinic = hub_clinic(hub);
    if (!store_session(hub->store, session, &clinic) && hub->unstored.session == 0)
        hub->unstored.session = session->change;
}

/* It goes on in another room, on a tape of that one. */
static void end_tapes_elsewhere(struct lumbard *hub, const struct session *session)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++)
        if (room != session->room && hub->noted_rooms[room].session == session->id) {
            recorder_end(hub->recorder, room);
            hub->noted_rooms[room].session = 0;
        }
}

static void on_session(void *user, const struct session *session, enum session_op op)
{
    struct lumbard *hub = user;
    bool ends = op == SESSION_END || op == SESSION_ABORT ||
                (op == SESSION_NEXT && session->state == SESSION_DONE);
    if (ends || op == SESSION_OPEN || op == SESSION_START || op == SESSION_PAUSE ||
        op == SESSION_RESUME)
        log_session(hub, session, op);
    /* Rooms are numbered anew: all are stored when that is over, but for one whose room is gone. It
     * has its old number still, and is forgotten next. */
    if (!hub->reloading || op == SESSION_ABORT)
        store_all_of(hub, session);
    if (op == SESSION_MOVE)
        frame_session_moved(hub->frame);
    if (op == SESSION_NAME)
        hub_name_calibration(hub, session);
    if (ends)
        hub_end_calibration(hub, session);
    if (op == SESSION_MOVE && !hub->reloading)
        end_tapes_elsewhere(hub, session);
    hub_note_change(hub, session);
    if (session->ended_ms != 0) /* its tape is finished, and waits for no message of another */
        recorder_end(hub->recorder, session->room);
    if (hub->web != NULL)
        web_alarm(hub->web); /* shown at once */
}

/* ---- What is stored ---- */

int hub_load_sessions(struct lumbard *hub, struct diag *diag)
{
    struct store_clinic clinic = hub_clinic(hub);
    return store_load_sessions(hub->store, hub->ingest.sessions, &clinic, diag);
}

void hub_store_sessions(struct lumbard *hub)
{
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session != NULL && session->ended_ms == 0)
            store_all_of(hub, session);
    }
}

void hub_store_sessions_again(struct lumbard *hub)
{
    struct store_clinic clinic = hub_clinic(hub);
    if (hub->unstored.session == 0)
        return;
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        if (session != NULL && session->change >= hub->unstored.session &&
            !store_session(hub->store, session, &clinic))
            return;
    }
    hub->unstored.session = 0;
}

/* What is accounted goes with the history that it was made of, so that a crash counts nothing
 * twice. */
void hub_gather_sessions(void *user)
{
    struct lumbard *hub = user;
    struct store_clinic clinic = hub_clinic(hub);
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++) {
        const struct session *session = sessions_at(hub->ingest.sessions, room);
        bool late = sessions_take_late(hub->ingest.sessions, room);
        if (session != NULL && (late || session->state == SESSION_RUNNING))
            store_session_head(hub->store, session, &clinic);
    }
}

/* ---- What rules ask ---- */

/* A session without a plan is one all the same: it is between phases. */
static const char *phase_of(void *user, uint32_t room)
{
    const struct lumbard *hub = user;
    const struct session *session = sessions_at(hub->ingest.sessions, room);
    const char *phase = sessions_phase(hub->ingest.sessions, room);
    if (phase == NULL && session != NULL && session->state == SESSION_RUNNING)
        return "";
    return phase;
}

static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    const struct lumbard *hub = user;
    double ends[2];
    bool found = sessions_limit(hub->ingest.sessions, room, metric, &ends[0], &ends[1]);
    *limit = ends[high];
    return found && !isnan(*limit);
}

static bool own_range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    const struct lumbard *hub = user;
    return sessions_own(hub->ingest.sessions, room, metric, low, high);
}

void hub_stop_phase(struct lumbard *hub, const struct alarm *alarm)
{
    struct diag diag = {0};
    const struct device *device = devices_at(hub->ingest.devices, alarm->device);
    const struct session *session =
        sessions_at(hub->ingest.sessions, sessions_room_of(hub->ingest.sessions, device));
    if (!alarm->rule->stops || alarm->deed != DEED_RAISE || session == NULL ||
        session->state != SESSION_RUNNING)
        return;
    const struct session_order orders[] = {
        {.op = SESSION_MARKER, .text = alarm->rule->title}, /* where there is room for one more */
        {.op = SESSION_PAUSE},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        sessions_do(hub->ingest.sessions, session->id, &orders[i], hub->ingest.devices,
                    hub_now_ms(hub), &diag);
    log_notice("session %llu: its phase stops for the alarm %s", (unsigned long long)session->id,
               alarm->rule->name);
}

const struct alarm *hub_stopped_by(const struct lumbard *hub, const struct session *session)
{
    for (const struct alarm *at = NULL; (at = alarms_next(hub->ingest.alarms, at)) != NULL;) {
        const struct device *device = devices_at(hub->ingest.devices, at->device);
        if (at->rule->stops && alarm_waits(at->state) &&
            sessions_room_of(hub->ingest.sessions, device) == session->room)
            return at;
    }
    return NULL;
}

uint64_t hub_running_session(const struct lumbard *hub, uint32_t room)
{
    const struct session *session = sessions_at(hub->ingest.sessions, room);
    bool runs =
        session != NULL && (session->state == SESSION_RUNNING || session->state == SESSION_PAUSED);
    return runs ? session->id : 0;
}

int hub_open_sessions(struct lumbard *hub, struct diag *diag)
{
    uint32_t devices = (uint32_t)hub->setup.config->devices.max;
    hub->ingest.sessions =
        sessions_create(devices, &hub->setup.drivers, &hub->setup.body, on_session, hub);
    if (hub->ingest.sessions == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory for sessions");
    rules_ask(hub->ingest.rules, &(struct rules_lookup){hub, phase_of, limit_of, own_range_of});
    return hub_open_calibration(hub, diag);
}

int64_t hub_own_age_ms(const struct lumbard *hub)
{
    return hub->setup.config->calibration.range_days * DAY_MS;
}

void hub_tick_sessions(struct lumbard *hub, int64_t now_ms)
{
    const struct config *config = hub->setup.config;
    const struct sessions_rules rules = {
        .config = config,
        .plan = find_plan,
        .user = hub,
        .idle_ms = config->sessions.idle_ms,
        .own_age_ms = hub_own_age_ms(hub),
    };
    sessions_tick(hub->ingest.sessions, &rules, hub->ingest.devices, now_ms);
    hub_tick_calibration(hub, now_ms);
}
