/* A session from its rows: for the restart, and for who reads it later. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/store_session_rows.h"

int64_t store_integer(const struct store_value *value)
{
    return value->type == STORE_INT ? value->integer : 0;
}

int session_score(const struct store_value *value)
{
    return value->type == STORE_INT ? (int)value->integer : SESSION_NO_SCORE;
}

void store_copy_text(const struct store_value *value, char *out, size_t bytes)
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
    struct plan *plan = &reading->session.plan;
    reading->lost_bands = 0;
    int code = text == NULL ? 0
                            : plan_parse_kept(plan, text, strlen(text), reading->drivers,
                                              reading->body, &reading->lost_bands);
    plan->lost_bands += (uint32_t)number(reading->body_json, "lost_bands");
    free(text);
    return code == 0;
}

void session_read_doses(const json_t *body_json, const struct body *body,
                        struct session_dose doses[BODY_REGIONS_MAX])
{
    const json_t *all = json_object_get(body_json, "doses");
    for (uint32_t i = 0; i < body->count; i++) {
        const json_t *dose = json_object_get(all, body->regions[i]);
        doses[i] = (struct session_dose){
            .time_ms = number_at(dose, 0),
            .intensity_ms = json_number_value(json_array_get(dose, 1)),
        };
    }
}

static void read_accounts(struct session_reading *reading)
{
    struct session *session = &reading->session;
    const json_t *bands = json_object_get(reading->body_json, "bands");
    for (uint32_t i = 0, written = 0; i < session->plan.band_count; i++, written++) {
        while (written < PLAN_BANDS_MAX && (reading->lost_bands >> written & 1) != 0)
            written++;
        const json_t *band = json_array_get(bands, written);
        session->bands[i] = (struct session_band){.below_ms = number_at(band, 0),
                                                  .within_ms = number_at(band, 1),
                                                  .above_ms = number_at(band, 2),
                                                  .excursions = (uint32_t)number_at(band, 3)};
    }
    session_read_doses(reading->body_json, reading->body, session->doses);
}

bool session_read_range(const struct store_value *values, struct report_range *range)
{
    if (values[3].type != STORE_TEXT || strcmp(values[3].text, "range") != 0 ||
        values[8].type != STORE_TEXT)
        return false;
    json_t *body = json_loads(values[8].text, 0, NULL);
    const json_t *spread = json_object_get(body, "spread");
    *range = (struct report_range){
        .at_ms = store_integer(&values[6]),
        .direction = number(body, "direction") < 0 ? -1 : 1,
        .best = json_number_value(json_object_get(body, "best")),
        .mean = json_number_value(json_object_get(body, "mean")),
        .spread = json_is_number(spread) ? json_number_value(spread) : NAN,
        .count = (uint32_t)json_array_size(json_object_get(body, "peaks")),
    };
    store_copy_text(&values[4], range->device, sizeof(range->device));
    store_copy_text(&values[5], range->metric, sizeof(range->metric));
    json_decref(body);
    return true;
}

enum session_state session_state_named(const char *name)
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
    session->state = session_state_named(values[STATE].text);
    reading->client = (uint64_t)store_integer(&values[CLIENT]);
    store_copy_text(&values[ROOM], reading->room, sizeof(reading->room));
    store_copy_text(&values[THERAPIST], session->therapist, sizeof(session->therapist));
    store_copy_text(&values[REASON], session->reason, sizeof(session->reason));
    store_copy_text(&values[ADVERSE], session->adverse, sizeof(session->adverse));
    session->opened_ms = store_integer(&values[CREATED]);
    session->started_ms = store_integer(&values[STARTED]);
    session->ended_ms = store_integer(&values[ENDED]);
    session->pain[SESSION_BEFORE] = session_score(&values[PAIN_BEFORE]);
    session->pain[SESSION_AFTER] = session_score(&values[PAIN_AFTER]);
    session->rmdq = session_score(&values[RMDQ]);
    session->odi = session_score(&values[ODI]);
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
                                .from_ms = store_integer(&values[4]),
                                .to_ms = store_integer(&values[5]),
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
        (struct session_phase){.began_ms = store_integer(&values[4]),
                               .ended_ms = store_integer(&values[5]),
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
    note->at_ms = store_integer(&values[2]);
    note->marker = values[3].type == STORE_TEXT && strcmp(values[3].text, "marker") == 0;
    store_copy_text(&values[5], note->text, sizeof(note->text));
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
