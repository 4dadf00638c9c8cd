/*
 * A clinic of three rooms for the tests of sessions; devices come and go in the third, which opens
 * them by itself.
 */
#ifndef LUMBAR_TESTS_SESSION_CLINIC_H
#define LUMBAR_TESTS_SESSION_CLINIC_H

#include "treatment.h"

#include "core/sessions.h"

#define NOW     INT64_C(1700000000000)
#define MINUTE  INT64_C(60000)
#define DEVICES 8

static const char rooms_yaml[] = "rooms:\n"
                                 "  - {name: a, devices: [sensor/p-01]}\n"
                                 "  - {name: b}\n"
                                 "  - {name: c, devices: [pad/m-01], auto: true, plan: short}\n";
static const char plan_text[] = "{name: short, phases: [{kind: warm_up, time: 5 min},"
                                " {kind: massage, time: 10 min}, {kind: rest, time: 2 min}]}";

struct clinic {
    struct treatment treatment;
    struct sessions *sessions;
    struct config *config;
    struct plan plan;
    unsigned events;
    enum session_op last_op;
    struct device *sensor, *pad;
};

static inline void on_event(void *user, const struct session *session, enum session_op op)
{
    struct clinic *clinic = user;
    assert_non_null(session);
    clinic->events++;
    clinic->last_op = op;
}

static inline int open_clinic(void **state)
{
    struct clinic *clinic = calloc(1, sizeof(*clinic));
    struct diag diag = {0};
    treatment_init(&clinic->treatment);
    assert_int_equal(config_parse(&clinic->config, "rooms", rooms_yaml, strlen(rooms_yaml), &diag),
                     0);
    assert_int_equal(plan_parse(&clinic->plan, "plan", plan_text, strlen(plan_text),
                                &clinic->treatment.drivers, &clinic->treatment.body, &diag),
                     0);
    clinic->sessions = sessions_create(DEVICES, &clinic->treatment.drivers, &clinic->treatment.body,
                                       on_event, clinic);
    clinic->sensor = treatment_device(&clinic->treatment, 0, "p-01", 1);
    clinic->pad = treatment_device(&clinic->treatment, 1, "m-01", 3);
    *state = clinic;
    return 0;
}

static inline int close_clinic(void **state)
{
    struct clinic *clinic = *state;
    sessions_destroy(clinic->sessions);
    config_destroy(clinic->config);
    treatment_fini(&clinic->treatment);
    free(clinic);
    return 0;
}

static inline uint64_t open_in(struct clinic *clinic, uint32_t room, const struct client *client,
                               struct diag *diag)
{
    struct session_opening opening = {
        .room = room, .therapist = "AB", .client = client, .plan = &clinic->plan};
    return sessions_open(clinic->sessions, &opening, clinic->treatment.devices, NOW, diag);
}

static inline int order(struct clinic *clinic, uint64_t id, struct session_order order,
                        int64_t now_ms, struct diag *diag)
{
    return sessions_do(clinic->sessions, id, &order, clinic->treatment.devices, now_ms, diag);
}

static inline int op(struct clinic *clinic, uint64_t id, enum session_op op, int64_t now_ms)
{
    struct diag diag = {0};
    int code =
        order(clinic, id, (struct session_order){.op = op, .text = "because"}, now_ms, &diag);
    assert_int_equal(code, diag.code);
    return code;
}

static const struct plan *find_plan(void *user, const char *name)
{
    struct clinic *clinic = user;
    return strcmp(name, clinic->plan.name) == 0 ? &clinic->plan : NULL;
}

static inline void tick(struct clinic *clinic, int64_t now_ms)
{
    struct sessions_rules rules = {
        .config = clinic->config, .plan = find_plan, .user = clinic, .idle_ms = 15 * MINUTE};
    sessions_tick(clinic->sessions, &rules, clinic->treatment.devices, now_ms);
}

/* Brings a new session into a state. */
static inline uint64_t session_in(struct clinic *clinic, enum session_state wanted)
{
    uint64_t id = open_in(clinic, 1, NULL, NULL);
    if (wanted != SESSION_PLANNED && wanted != SESSION_ABORTED)
        op(clinic, id, SESSION_START, NOW);
    if (wanted == SESSION_PAUSED)
        op(clinic, id, SESSION_PAUSE, NOW);
    if (wanted == SESSION_DONE)
        op(clinic, id, SESSION_END, NOW);
    if (wanted == SESSION_ABORTED)
        op(clinic, id, SESSION_ABORT, NOW);
    assert_int_equal(sessions_find(clinic->sessions, id)->state, wanted);
    return id;
}

#endif
