/* A session from its rows: for the restart, and for who reads it later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_session_rows.h"

static int64_t time_of(const struct store_value *value)
{
    return value->type == STORE_INT ? value->integer : 0;
}

static int score_of(const struct store_value *value)
{
    return value->type == STORE_INT ? (int)value->integer : SESSION_NO_SCORE;
}

static void copy_words(const struct store_value *value, char *out, size_t bytes)
{
    snprintf(out, bytes, "%s", value->type == STORE_TEXT ? value->text : "");
}

static int64_t number(const json_t *of, const char *name)
{
    return json_integer_value(json_object_get(of, name));
}

static int64_t number_at(const json_t *list, size_t place)
{
    return json_integer_value(json_array_get(list, place));
}

static bool read_plan(struct session_reading *reading)
{
    const json_t *json = json_object_get(reading->body_json, "plan");
    char *text = json_is_object(json) ? json_dumps(json, JSON_COMPACT) : NULL;
    int code = text == NULL ? 0
                            : plan_parse(&reading->session.plan, "store", text, strlen(text),
                                         reading->drivers, reading->body, NULL);
    free(text);
    return code == 0;
}

static void read_accounts(struct session_reading *reading)
{
    struct session *session = &reading->session;
    const json_t *bands = json_object_get(reading->body_json, "bands");
    const json_t *doses = json_object_get(reading->body_json, "doses");
    for (uint32_t i = 0; i < session->plan.band_count; i++) {
        const json_t *band = json_array_get(bands, i);
        session->bands[i] = (struct session_band){.below_ms = number_at(band, 0),
                                                  .within_ms = number_at(band, 1),
                                                  .above_ms = number_at(band, 2),
                                                  .excursions = (uint32_t)number_at(band, 3)};
    }
    for (uint32_t i = 0; i < reading->body->count; i++) {
        const json_t *dose = json_object_get(doses, reading->body->regions[i]);
        session->doses[i] = (struct session_dose){
            .time_ms = number_at(dose, 0),
            .intensity_ms = json_number_value(json_array_get(dose, 1)),
        };
    }
}

static enum session_state state_named(const char *name)
{
    for (int i = 0; i < SESSION_STATES; i++)
        if (strcmp(session_state_name((enum session_state)i), name) == 0)
            return (enum session_state)i;
    return SESSION_NONE;
}

static void on_session(void *user, const struct store_value *values, unsigned count)
{
    struct session_reading *reading = user;
    struct session *session = &reading->session;
    (void)count;
    if (values[ROOM].type != STORE_TEXT || values[STATE].type != STORE_TEXT)
        return;
    session->id = (uint64_t)values[ID].integer;
    session->state = state_named(values[STATE].text);
    reading->client = (uint64_t)time_of(&values[CLIENT]);
    copy_words(&values[ROOM], reading->room, sizeof(reading->room));
    copy_words(&values[THERAPIST], session->therapist, sizeof(session->therapist));
    copy_words(&values[REASON], session->reason, sizeof(session->reason));
    copy_words(&values[ADVERSE], session->adverse, sizeof(session->adverse));
    session->opened_ms = time_of(&values[CREATED]);
    session->started_ms = time_of(&values[STARTED]);
    session->ended_ms = time_of(&values[ENDED]);
    session->pain[SESSION_BEFORE] = score_of(&values[PAIN_BEFORE]);
    session->pain[SESSION_AFTER] = score_of(&values[PAIN_AFTER]);
    session->rmdq = score_of(&values[RMDQ]);
    session->odi = score_of(&values[ODI]);
    const json_t *body = reading->body_json =
        values[BODY].type == STORE_TEXT ? json_loads(values[BODY].text, 0, NULL) : NULL;
    session->phase = (uint32_t)number(body, "phase");
    session->resumed_ms = number(body, "resumed_ms");
    session->active_ms = number(body, "active_ms");
    session->pain[SESSION_DURING] = (int)number(body, "pain_during");
    session->idle = json_is_true(json_object_get(body, "idle"));
    session->ask_to_stop = json_is_true(json_object_get(body, "ask_to_stop"));
    reading->bad = body == NULL || !read_plan(reading);
    read_accounts(reading);
}

static void on_device(void *user, const struct store_value *values, unsigned count)
{
    struct session_reading *reading = user;
    struct session *session = &reading->session;
    (void)count;
    uint32_t place = session->device_count;
    if (values[2].type != STORE_TEXT || values[3].type != STORE_TEXT ||
        place == SESSION_DEVICES_MAX) {
        reading->bad = true;
        return;
    }
    const json_t *more = json_array_get(json_object_get(reading->body_json, "devices"), place);
    snprintf(reading->devices[place], sizeof(reading->devices[place]), "%s/%s", values[2].text,
             values[3].text);
    session->devices[session->device_count++] =
        (struct session_device){.by_hand = json_is_true(json_array_get(more, 0)),
                                .from_ms = time_of(&values[4]),
                                .to_ms = time_of(&values[5]),
                                .dosed_ms = number_at(more, 1)};
}

static void on_phase(void *user, const struct store_value *values, unsigned count)
{
    struct session_reading *reading = user;
    (void)count;
    if (values[1].integer < 0 || values[1].integer >= PLAN_PHASES_MAX)
        return;
    json_t *body = values[6].type == STORE_TEXT ? json_loads(values[6].text, 0, NULL) : NULL;
    reading->session.phases[values[1].integer] =
        (struct session_phase){.began_ms = time_of(&values[4]),
                               .ended_ms = time_of(&values[5]),
                               .spent_ms = number(body, "spent_ms")};
    json_decref(body);
}

static void on_note(void *user, const struct store_value *values, unsigned count)
{
    struct session *session = &((struct session_reading *)user)->session;
    (void)count;
    if (session->note_count == SESSION_NOTES_MAX)
        return;
    struct session_note *note = &session->notes[session->note_count++];
    note->at_ms = time_of(&values[2]);
    note->marker = values[3].type == STORE_TEXT && strcmp(values[3].text, "marker") == 0;
    copy_words(&values[5], note->text, sizeof(note->text));
}

static const struct part {
    enum store_table table;
    const char *key;
    store_row_cb *each;
} parts[] = {
    {STORE_SESSION, "id", on_session}, /* first: it says what the others belong to */
    {STORE_SESSION_DEVICE, "session", on_device},
    {STORE_SESSION_PHASE, "session", on_phase},
    {STORE_SESSION_NOTE, "session", on_note},
};

int session_read(struct session_reading *reading, uint64_t id, session_rows_cb *rows, void *user)
{
    int code = 0;
    memset(&reading->session, 0, sizeof(reading->session));
    reading->body_json = NULL;
    reading->client = 0;
    reading->bad = true;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == 0; i++) {
        char where[64];
        snprintf(where, sizeof(where), "%s = %llu", parts[i].key, (unsigned long long)id);
        code = rows(user, parts[i].table, where, parts[i].each, reading);
    }
    json_decref(reading->body_json);
    reading->body_json = NULL;
    return code;
}
