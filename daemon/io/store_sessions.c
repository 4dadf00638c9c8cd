/* Sessions into their tables, and back after a restart. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/sessions.h"
#include "core/shelf.h"
#include "io/store_rows.h"
#include "io/store_session_rows.h"

#define DOCUMENT_BYTES 32768 /* of a plan as JSON */
#define SESSIONS_MAX   (2 * CONFIG_ROOMS_MAX)
#define COUNT(list)    (sizeof(list) / sizeof((list)[0]))

/* ---- written ---- */

static struct store_value score_value(int score)
{
    return score == SESSION_NO_SCORE ? store_null() : store_int(score);
}

static struct store_value time_value(int64_t ms)
{
    return ms == 0 ? store_null() : store_int(ms);
}

static struct store_value words_value(const char *text)
{
    return store_text(*text != '\0' ? text : NULL);
}

static json_t *plan_json(const struct store_clinic *clinic, const struct plan *plan)
{
    static char written[DOCUMENT_BYTES]; /* the loop's thread only */
    struct text text = text_in(written, sizeof(written));
    static struct plan nobodys;
    if (plan->name[0] == '\0')
        return json_null();
    nobodys = *plan;
    nobodys.client[0] = '\0'; /* a row of a session names nobody */
    plan_write(&text, &nobodys, clinic->drivers, clinic->body);
    return text.cut ? NULL : json_loads(written, 0, NULL);
}

/* A number, and not the name: who is erased is gone from here as well. */
static struct store_value client_value(const struct store_clinic *clinic,
                                       const struct session *session)
{
    const struct shelf_entry *entry = session->client.name[0] != '\0'
                                          ? shelf_find(clinic->clients, 0, session->client.name)
                                          : NULL;
    return entry != NULL ? store_int((int64_t)entry->id) : store_null();
}

static json_t *bands_json(const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->plan.band_count; i++) {
        const struct session_band *band = &session->bands[i];
        json_array_append_new(
            list, json_pack("[I, I, I, I]", (json_int_t)band->below_ms, (json_int_t)band->within_ms,
                            (json_int_t)band->above_ms, (json_int_t)band->excursions));
    }
    return list;
}

static json_t *doses_json(const struct store_clinic *clinic, const struct session *session)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < clinic->body->count; i++)
        if (session->doses[i].time_ms > 0)
            json_object_set_new(object, clinic->body->regions[i],
                                json_pack("[I, f]", (json_int_t)session->doses[i].time_ms,
                                          session->doses[i].intensity_ms));
    return object;
}

/* What the columns of session_device have no place for. */
static json_t *devices_json(const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->device_count; i++)
        json_array_append_new(list, json_pack("[b, I]", session->devices[i].by_hand,
                                              (json_int_t)session->devices[i].dosed_ms));
    return list;
}

/* Everything that a restart needs and nobody looks for by itself. */
static char *write_body(const struct store_clinic *clinic, const struct session *session)
{
    json_t *body =
        json_pack("{s:I, s:I, s:I, s:I, s:b, s:i, s:b, s:o, s:o, s:o, s:o}", "phase",
                  (json_int_t)session->phase, "lost_bands", (json_int_t)session->plan.lost_bands, "resumed_ms", (json_int_t)session->resumed_ms,
                  "active_ms", (json_int_t)session->active_ms, "idle", session->idle, "pain_during",
                  session->pain[SESSION_DURING], "ask_to_stop", session->ask_to_stop, "plan",
                  plan_json(clinic, &session->plan), "bands", bands_json(session), "doses",
                  doses_json(clinic, session), "devices", devices_json(session));
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static bool put_head(const struct session *session, const struct store_clinic *clinic,
                     session_put *put, void *user)
{
    char *body = write_body(clinic, session);
    const struct store_value row[COLUMNS] = {
        [ID] = store_int((int64_t)session->id),
        [CLIENT] = client_value(clinic, session),
        [PLAN] = store_null(),
        [ROOM] = store_text(clinic->config->rooms[session->room - 1].name),
        [THERAPIST] = words_value(session->therapist),
        [STATE] = store_text(session_state_name(session->state)),
        [REASON] = words_value(session->reason),
        [CREATED] = store_int(session->opened_ms),
        [STARTED] = time_value(session->started_ms),
        [ENDED] = time_value(session->ended_ms),
        [PAIN_BEFORE] = score_value(session->pain[SESSION_BEFORE]),
        [PAIN_AFTER] = score_value(session->pain[SESSION_AFTER]),
        [RMDQ] = score_value(session->rmdq),
        [ODI] = score_value(session->odi),
        [ADVERSE] = words_value(session->adverse),
        [BODY] = store_text(body),
    };
    bool done = body != NULL && put(user, STORE_SESSION, row, COLUMNS);
    free(body);
    return done;
}

static bool put_devices(const struct session *session, const struct store_clinic *clinic,
                        session_put *put, void *user)
{
    bool done = true;
    for (uint32_t i = 0; i < session->device_count && done; i++) {
        const struct session_device *assigned = &session->devices[i];
        const struct device *device = devices_at(clinic->devices, assigned->device);
        const struct store_value row[] = {store_int((int64_t)session->id),
                                          store_int(i),
                                          store_text(device->driver->plugin->kind),
                                          store_text(device->name),
                                          store_int(assigned->from_ms),
                                          time_value(assigned->to_ms)};
        done = put(user, STORE_SESSION_DEVICE, row, COUNT(row));
    }
    return done;
}

static bool put_phases(const struct session *session, session_put *put, void *user)
{
    bool done = true;
    for (uint32_t i = 0; i < session->plan.phase_count && done; i++) {
        const struct session_phase *phase = &session->phases[i];
        char spent[48];
        snprintf(spent, sizeof(spent), "{\"spent_ms\":%lld}", (long long)phase->spent_ms);
        const struct store_value row[] = {store_int((int64_t)session->id),
                                          store_int(i),
                                          store_text(session->plan.phases[i].title),
                                          store_int(session->plan.phases[i].time_ms),
                                          time_value(phase->began_ms),
                                          time_value(phase->ended_ms),
                                          store_text(spent)};
        done = put(user, STORE_SESSION_PHASE, row, COUNT(row));
    }
    return done;
}

static bool put_notes(const struct session *session, session_put *put, void *user)
{
    bool done = true;
    for (uint32_t i = 0; i < session->note_count && done; i++) {
        const struct session_note *note = &session->notes[i];
        const struct store_value row[] = {
            store_int((int64_t)session->id), store_int(i),
            store_int(note->at_ms),          store_text(note->marker ? "marker" : "note"),
            words_value(session->therapist), store_text(note->text)};
        done = put(user, STORE_SESSION_NOTE, row, COUNT(row));
    }
    return done;
}

bool session_put_rows(const struct session *session, const struct store_clinic *clinic,
                      session_put *put, void *user)
{
    return put_head(session, clinic, put, user) && put_devices(session, clinic, put, user) &&
           put_phases(session, put, user) && put_notes(session, put, user);
}

static bool put_to_store(void *user, enum store_table table, const struct store_value *row,
                         unsigned count)
{
    return store_put(user, table, row, count);
}

bool store_session_head(struct store *store, const struct session *session,
                        const struct store_clinic *clinic)
{
    return put_head(session, clinic, put_to_store, store);
}

bool store_session(struct store *store, const struct session *session,
                   const struct store_clinic *clinic)
{
    return session_put_rows(session, clinic, put_to_store, store);
}

/* ---- after a restart ---- */

struct loading {
    struct store *store;
    const struct store_clinic *clinic;
    uint64_t ids[SESSIONS_MAX];
    uint32_t count;
    uint64_t newest;
    struct session_reading reading; /* of one */
    struct diag *diag;
};

static int rows_of(void *user, enum store_table table, const char *where, store_row_cb *each,
                   void *reading)
{
    struct loading *loading = user;
    return store_load(loading->store, table, where, each, reading, loading->diag);
}

/* As it is known now, without what was too old already when the session was opened. One who was
 * erased is nobody. */
static void find_client(struct loading *loading)
{
    const struct store_clinic *clinic = loading->clinic;
    struct session *session = &loading->reading.session;
    struct client *client = &session->client;
    uint64_t id = loading->reading.client;
    const struct shelf_entry *entry = id != 0 ? shelf_by_id(clinic->clients, id) : NULL;
    if (entry == NULL)
        return;
    /* What was renamed since takes the own ranges, and not the session, nor whose it is. */
    if (client_parse(client, "store", entry->text, strlen(entry->text), clinic->drivers,
                     clinic->body, NULL) != 0) {
        memset(client, 0, sizeof(*client));
        snprintf(client->name, sizeof(client->name), "%s", entry->name);
    }
    uint32_t count = client->own_count;
    client->own_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (session->opened_ms - client->own[i].measured_ms <= clinic->own_age_ms)
            client->own[client->own_count++] = client->own[i];
}

static uint32_t room_named(const struct config *config, const char *name)
{
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strcmp(config->rooms[i].name, name) == 0)
            return i + 1;
    return ROOM_NONE;
}

static const struct driver *driver_of(const struct drivers *drivers, const char *device,
                                      size_t kind_bytes)
{
    for (uint32_t i = 0; i < drivers->count; i++) {
        const char *kind = drivers->list[i].plugin->kind;
        if (strlen(kind) == kind_bytes && memcmp(kind, device, kind_bytes) == 0)
            return &drivers->list[i];
    }
    return NULL;
}

static bool find_devices(struct loading *loading)
{
    struct session *session = &loading->reading.session;
    for (uint32_t i = 0; i < session->device_count; i++) {
        const char *full = loading->reading.devices[i], *slash = strchr(full, '/');
        if (slash == NULL) /* a kind longer than any */
            return false;
        const struct driver *driver =
            driver_of(loading->clinic->drivers, full, (size_t)(slash - full));
        const struct device *device =
            driver != NULL
                ? devices_hear(loading->clinic->devices, driver, slash + 1, strlen(slash + 1))
                : NULL;
        if (device == NULL)
            return false;
        session->devices[i].device = device->id;
    }
    return true;
}

static int read_session(struct loading *loading, uint64_t id)
{
    struct session_reading *reading = &loading->reading;
    int code = session_read(reading, id, rows_of, loading);
    if (code != 0)
        return code;
    reading->session.room = room_named(loading->clinic->config, reading->room);
    find_client(loading);
    if (!find_devices(loading))
        reading->bad = true;
    return 0;
}

/* Nobody could lead it any more: its row says so, all else of it stays as it is. */
struct giving_up {
    struct store *store;
    const char *why;
};

static void on_given_up(void *user, const struct store_value *values, unsigned count)
{
    const struct giving_up *giving = user;
    struct store_value row[COLUMNS];
    memcpy(row, values, sizeof(row));
    row[STATE] = store_text(session_state_name(SESSION_ABORTED));
    row[REASON] = store_text(giving->why);
    row[ENDED] = row[STARTED].type == STORE_INT ? row[STARTED] : row[CREATED];
    store_put(giving->store, STORE_SESSION, row, count);
}

static int give_up(struct store *store, uint64_t id, const char *why, struct diag *diag)
{
    char row[48];
    snprintf(row, sizeof(row), "id = %llu", (unsigned long long)id);
    log_error("store: session %llu cannot be taken up: %s", (unsigned long long)id, why);
    return store_load(store, STORE_SESSION, row, on_given_up, &(struct giving_up){store, why},
                      diag);
}

static void on_id(void *user, const struct store_value *values, unsigned count)
{
    struct loading *loading = user;
    (void)count;
    if (loading->count < SESSIONS_MAX)
        loading->ids[loading->count++] = (uint64_t)values[ID].integer;
    if ((uint64_t)values[ID].integer > loading->newest)
        loading->newest = (uint64_t)values[ID].integer;
}

static void log_going_on(const struct loading *loading, const struct session *session)
{
    unsigned long long id = session->id;
    log_notice("store: session %llu in %s goes on: %s", id,
               loading->clinic->config->rooms[session->room - 1].title,
               session_state_name(session->state));
    if (session->plan.lost_bands > 0)
        log_warn("store: of the plan of session %llu %u limits or targets cannot be read any more: "
                 "what they name is no longer there",
                 id, session->plan.lost_bands);
}

/* Those that are under way have their room before the last ones of the others. */
static int read_pass(struct store *store, struct loading *loading, struct sessions *sessions,
                     const char *where, struct diag *diag)
{
    loading->count = 0;
    int code = store_load(store, STORE_SESSION, where, on_id, loading, diag);
    for (uint32_t i = 0; i < loading->count && code == 0; i++) {
        struct diag why = {0};
        code = read_session(loading, loading->ids[i]);
        const struct session *session = &loading->reading.session;
        bool over = session->ended_ms != 0;
        if (code != 0)
            break;
        if (loading->reading.bad || session->room == ROOM_NONE)
            diag_set(&why, ERR_UNKNOWN, "what it was made with is no longer there");
        else
            sessions_restore(sessions, session, &why);
        if (why.code != 0 && !over)
            code = give_up(store, loading->ids[i], why.text, diag);
        else if (why.code == 0 && !over)
            log_going_on(loading, session);
    }
    return code;
}

int store_load_sessions(struct store *store, struct sessions *sessions,
                        const struct store_clinic *clinic, struct diag *diag)
{
    struct loading *loading = calloc(1, sizeof(*loading));
    if (loading == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the sessions");
    loading->store = store;
    loading->clinic = clinic;
    loading->reading.drivers = clinic->drivers;
    loading->reading.body = clinic->body;
    loading->diag = diag;
    int code = read_pass(store, loading, sessions, SESSIONS_UNDER_WAY, diag);
    if (code == 0)
        code = read_pass(store, loading, sessions, SESSIONS_LAST, diag);
    sessions_go_on(sessions, loading->newest);
    free(loading);
    return code;
}
