#include "core/tape_note.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool note_is(const struct tape_message *message, const char *note)
{
    if (message->topic_bytes == 0 || message->topic[0] != '$')
        return false;
    return note == NULL || (strlen(note) == message->topic_bytes &&
                            memcmp(note, message->topic, message->topic_bytes) == 0);
}

/* ---- written ---- */

typedef bool ends_fn(const struct sessions *sessions, uint32_t room, uint32_t metric, double *low,
                     double *high);

static void add_ends(struct text *out, const char *name, ends_fn *ask,
                     const struct sessions *sessions, uint32_t room, const struct drivers *drivers)
{
    const char *between = "";
    text_add(out, ", \"%s\": {", name);
    for (uint32_t metric = 0; metric < drivers->metric_count; metric++) {
        double low, high;
        const struct driver *driver;
        if (!ask(sessions, room, metric, &low, &high))
            continue;
        const struct lumbar_metric *of = drivers_metric(drivers, metric, &driver);
        text_add(out, "%s\"%s/%s\": [", between, driver->plugin->kind, of->name);
        text_add_number(out, low, 6);
        text_add(out, ", ");
        text_add_number(out, high, 6);
        text_add(out, "]");
        between = ", ";
    }
    text_add(out, "}");
}

void note_write_session(struct text *out, const struct sessions *sessions, uint32_t room,
                        const struct drivers *drivers)
{
    const struct session *session = sessions_at(sessions, room);
    const char *phase = sessions_phase(sessions, room);
    if (session == NULL)
        return;
    bool runs = session->state == SESSION_RUNNING;
    bool has_phase = session->phase < session->plan.phase_count;
    text_add(out, "{\"session\": %" PRIu64 ", \"running\": %s, \"phase\": %" PRIu32, session->id,
             runs ? "true" : "false", session->phase);
    text_add(out, ", \"kind\": \"%s\", \"began_ms\": %" PRId64 ", \"phase_ms\": %" PRId64,
             phase != NULL ? phase : "", session->started_ms,
             has_phase ? session->phases[session->phase].began_ms : 0);
    add_ends(out, "limits", sessions_limit, sessions, room, drivers);
    add_ends(out, "own", sessions_own, sessions, room, drivers);
    text_add(out, "}");
}

void note_write_neutral(struct text *out, const struct device *device,
                        const struct neutral_zero *zero)
{
    text_add(out,
             "{\"device\": \"%s/%s\", \"taken_ms\": %" PRId64 ", \"expires_ms\": %" PRId64
             ", \"angles\": {",
             device->driver->plugin->kind, device->name, zero->taken_ms, zero->expires_ms);
    for (uint32_t i = 0; i < zero->count && zero->taken_ms != 0; i++) {
        text_add(out, "%s\"%s\": ", i > 0 ? ", " : "",
                 device->driver->metrics[zero->angles[i].metric].name);
        text_add_number(out, zero->angles[i].deg, 6);
    }
    text_add(out, "}}");
}

void note_write_account(struct text *out, const struct note_account *piece)
{
    text_add(out, "%" PRIu64 " %u %u\n%.*s", piece->session, piece->part, piece->parts,
             (int)piece->bytes, piece->text);
}

/* ---- read ---- */

static json_t *load(const struct tape_message *message)
{
    json_t *json = json_loadb((const char *)message->payload, message->payload_bytes, 0, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static int64_t integer(const json_t *of, const char *name)
{
    return json_integer_value(json_object_get(of, name));
}

static double number_or_nan(const json_t *json)
{
    return json_is_number(json) ? json_number_value(json) : NAN;
}

static uint32_t read_ends(struct note_ends *out, const json_t *from, const struct drivers *drivers)
{
    uint32_t count = 0;
    const char *name;
    json_t *ends;
    json_object_foreach((json_t *)(uintptr_t)from, name, ends)
    {
        int64_t metric = drivers_find(drivers, name, NULL);
        if (metric >= 0 && count < NOTE_ENDS_MAX && json_is_array(ends))
            out[count++] =
                (struct note_ends){(uint32_t)metric, number_or_nan(json_array_get(ends, 0)),
                                   number_or_nan(json_array_get(ends, 1))};
    }
    return count;
}

bool note_read_session(struct note_session *out, const struct tape_message *message,
                       const struct drivers *drivers)
{
    json_t *json = load(message);
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const char *phase = kind != NULL ? plan_kind_find(kind) : NULL;
    if (json == NULL || integer(json, "session") <= 0) {
        json_decref(json);
        return false;
    }
    *out = (struct note_session){
        .session = {.id = (uint64_t)integer(json, "session"),
                    .phase = (uint32_t)integer(json, "phase"),
                    .began_ms = integer(json, "began_ms"),
                    .phase_ms = integer(json, "phase_ms")},
        .running = json_is_true(json_object_get(json, "running")),
        .phase = phase != NULL ? phase : "",
    };
    out->limit_count = read_ends(out->limits, json_object_get(json, "limits"), drivers);
    out->own_count = read_ends(out->own, json_object_get(json, "own"), drivers);
    json_decref(json);
    return true;
}

/* "posture/p-01" */
static bool read_device(const char *text, const struct drivers *drivers,
                        const struct driver **driver, char name[DEVICE_NAME_BYTES])
{
    const char *slash = text != NULL ? strchr(text, '/') : NULL;
    size_t bytes = slash != NULL ? strlen(slash + 1) : 0;
    if (bytes == 0 || bytes >= DEVICE_NAME_BYTES || !text_is_label(slash + 1, bytes))
        return false;
    memcpy(name, slash + 1, bytes + 1);
    for (uint32_t i = 0; i < drivers->count; i++) {
        const char *kind = drivers->list[i].plugin->kind;
        if (strlen(kind) == (size_t)(slash - text) && memcmp(kind, text, strlen(kind)) == 0) {
            *driver = &drivers->list[i];
            return true;
        }
    }
    return false;
}

static void read_angles(struct neutral_zero *out, const json_t *from, const struct driver *driver)
{
    const char *name;
    json_t *deg;
    json_object_foreach((json_t *)(uintptr_t)from, name,
                        deg) for (uint32_t i = 0; i < driver->plugin->metric_count;
                                  i++) if (out->count < CALIBRATION_ANGLES && json_is_number(deg) &&
                                           strcmp(driver->metrics[i].name, name) == 0)
    {
        out->angles[out->count].metric = i;
        out->angles[out->count++].deg = json_number_value(deg);
    }
}

bool note_read_neutral(struct neutral_zero *out, const struct tape_message *message,
                       const struct drivers *drivers, const struct driver **driver,
                       char name[DEVICE_NAME_BYTES])
{
    json_t *json = load(message);
    *out = (struct neutral_zero){.taken_ms = 0};
    bool known =
        read_device(json_string_value(json_object_get(json, "device")), drivers, driver, name);
    if (known) {
        read_angles(out, json_object_get(json, "angles"), *driver);
        out->taken_ms = out->count > 0 ? integer(json, "taken_ms") : 0;
        out->expires_ms = integer(json, "expires_ms");
    }
    json_decref(json);
    return known;
}

#define ACCOUNT_PARTS_MAX 64

bool note_read_account(struct note_account *out, const struct tape_message *message)
{
    const char *text = (const char *)message->payload;
    const char *end = memchr(text, '\n', message->payload_bytes < 64 ? message->payload_bytes : 64);
    char line[64];
    if (end == NULL)
        return false;
    memcpy(line, text, (size_t)(end - text));
    line[end - text] = '\0';
    *out = (struct note_account){.text = end + 1,
                                 .bytes = message->payload_bytes - (size_t)(end + 1 - text)};
    return sscanf(line, "%" SCNu64 " %u %u", &out->session, &out->part, &out->parts) == 3 &&
           out->session != 0 && out->part < out->parts && out->parts <= ACCOUNT_PARTS_MAX;
}

bool note_find(const struct note_ends *list, uint32_t count, uint32_t metric, double *low,
               double *high)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i].metric == metric) {
            *low = list[i].low;
            *high = list[i].high;
            return true;
        }
    return false;
}
