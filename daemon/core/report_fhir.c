/*
 * A session as FHIR R4: a Bundle of a Patient (by pseudonym), its Devices, the Procedure and what
 * was observed. Units are UCUM. Of codes only those are given that a standard has for just this;
 * all else has a code of this hub's own and words.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "core/report_words.h"

#define UCUM         "http://unitsofmeasure.org"
#define LOINC        "http://loinc.org"
#define OWN          "urn:lumbar:code"
#define PSEUDONYM    "urn:lumbar:client"
#define SERIAL       "urn:lumbar:device"
#define SNOMED       "http://snomed.info/sct"
#define PHYSIO_CODE  "91251008" /* Physical therapy procedure (regime/therapy) */
#define PAIN_CODE    "72514-3"  /* Pain severity - 0-10 verbal numeric rating [Score] - Reported */
#define PAIN_DISPLAY "Pain severity - 0-10 verbal numeric rating [Score] - Reported"

struct bundle {
    const struct report *report;
    json_t *entries;
    char patient[48], procedure[48]; /* their urls */
};

/* ---- Names ---- */

/* A name of its own for each part of each session, the same whenever it is told: a UUID of the
 * version that is left to applications (RFC 9562, 8). */
static const char *url_of(char out[48], uint64_t session, unsigned part, unsigned number)
{
    uint64_t words[2] = {session, (uint64_t)part << 32 | number};
    for (unsigned i = 0; i < 8; i++) { /* mixed, so that they look and sort like any other */
        words[i % 2] ^= words[(i + 1) % 2] + UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        words[i % 2] = (words[i % 2] ^ words[i % 2] >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        words[i % 2] ^= words[i % 2] >> 31;
    }
    snprintf(out, 48, "urn:uuid:%08x-%04x-8%03x-%04x-%012llx", (unsigned)(words[0] >> 32),
             (unsigned)(words[0] >> 16 & 0xffff), (unsigned)(words[0] & 0xfff),
             (unsigned)(words[1] >> 48 & 0x3fff) | 0x8000,
             (unsigned long long)(words[1] & UINT64_C(0xffffffffffff)));
    return out;
}

enum {
    PART_PATIENT,
    PART_PROCEDURE,
    PART_DEVICE,
    PART_SCORE,
    PART_TRACE,
    PART_DOSE,
    PART_RANGE,
    PART_PHASE
};

static json_t *instant(int64_t ms)
{
    char at[INSTANT_BYTES];
    return json_string(instant_write(ms, at));
}

static json_t *period(int64_t from_ms, int64_t to_ms)
{
    json_t *json = json_pack("{s:o}", "start", instant(from_ms));
    if (to_ms != 0)
        json_object_set_new(json, "end", instant(to_ms));
    return json;
}

static json_t *reference(const char *url)
{
    return json_pack("{s:s}", "reference", url);
}

static void add(struct bundle *bundle, const char *url, json_t *resource)
{
    json_array_append_new(bundle->entries,
                          json_pack("{s:s, s:o}", "fullUrl", url, "resource", resource));
}

static json_t *rounded(double value, unsigned decimals)
{
    double scale = pow(10, (double)decimals);
    return json_real(round(value * scale) / scale);
}

/* ---- Codes and quantities ---- */

static json_t *concept_of(const char *system, const char *code, const char *display,
                          const char *text)
{
    json_t *coding = json_pack("{s:s, s:s}", "system", system, "code", code);
    if (display != NULL)
        json_object_set_new(coding, "display", json_string(display));
    return json_pack("{s:[o], s:s}", "coding", coding, "text", text);
}

/* The plugin's own code where a standard has one ("LOINC 38208-5"), beside the hub's. */
static json_t *concept_of_metric(const struct lumbar_metric *metric)
{
    json_t *concept = concept_of(OWN, metric->name, metric->title, metric->title);
    if (metric->code != NULL && strncmp(metric->code, "LOINC ", 6) == 0)
        json_array_insert_new(json_object_get(concept, "coding"), 0,
                              json_pack("{s:s, s:s}", "system", LOINC, "code", metric->code + 6));
    return concept;
}

static json_t *quantity(double value, unsigned decimals, const char *unit)
{
    return json_pack("{s:o, s:s, s:s, s:s}", "value", rounded(value, decimals), "unit", unit,
                     "system", UCUM, "code", unit);
}

static json_t *component(const char *code, const char *text, json_t *value)
{
    return json_pack("{s:o, s:o}", "code", concept_of(OWN, code, NULL, text), "valueQuantity",
                     value);
}

/* Takes the concept. */
static json_t *observation(const struct bundle *bundle, const char *category, json_t *concept)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:[{s:[{s:s, s:s}]}], s:o, s:[o]}", "resourceType", "Observation", "status",
        bundle->report->session.ended_ms != 0 ? "final" : "preliminary", "category", "coding",
        "system", "http://terminology.hl7.org/CodeSystem/observation-category", "code", category,
        "code", concept, "partOf", reference(bundle->procedure));
    if (bundle->patient[0] != '\0')
        json_object_set_new(json, "subject", reference(bundle->patient));
    return json;
}

/* ---- The resources ---- */

static void add_patient(struct bundle *bundle)
{
    const struct session *session = &bundle->report->session;
    if (session->client.name[0] == '\0')
        return;
    /* The same one in every session of a client: by the pseudonym, not by the session. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = session->client.name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    url_of(bundle->patient, hash, PART_PATIENT, 0);
    add(bundle, bundle->patient,
        json_pack("{s:s, s:[{s:s, s:s}]}", "resourceType", "Patient", "identifier", "system",
                  PSEUDONYM, "value", session->client.name));
}

static void add_device(struct bundle *bundle, uint32_t place)
{
    char url[48];
    const char *name = bundle->report->devices[place];
    char kind[REPORT_DEVICE_BYTES];
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(name, "/"), name);
    const char *title = kind;
    for (uint32_t i = 0; i < bundle->report->drivers->count; i++)
        if (strcmp(bundle->report->drivers->list[i].plugin->kind, kind) == 0)
            title = bundle->report->drivers->list[i].plugin->title;
    add(bundle, url_of(url, bundle->report->session.id, PART_DEVICE, place),
        json_pack("{s:s, s:[{s:s, s:s}], s:o, s:[{s:s, s:s}]}", "resourceType", "Device",
                  "identifier", "system", SERIAL, "value", name, "type",
                  concept_of(OWN, kind, title, title), "deviceName", "name", name, "type",
                  "user-friendly-name"));
}

static const char *status_of(enum session_state state)
{
    static const char *const words[SESSION_STATES] = {
        [SESSION_NONE] = "unknown",        [SESSION_PLANNED] = "preparation",
        [SESSION_RUNNING] = "in-progress", [SESSION_PAUSED] = "on-hold",
        [SESSION_DONE] = "completed",      [SESSION_ABORTED] = "stopped",
    };
    return words[state];
}

static json_t *notes_of(const struct session *session)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < session->note_count; i++) {
        const struct session_note *note = &session->notes[i];
        json_array_append_new(list, json_pack("{s:o, s:s}", "time", instant(note->at_ms), "text",
                                              note->text[0] != '\0' ? note->text : "Marker"));
    }
    return list;
}

static json_t *used_by(const struct bundle *bundle)
{
    json_t *list = json_array();
    char url[48];
    for (uint32_t i = 0; i < bundle->report->session.device_count; i++) {
        bool known = false;
        for (uint32_t j = 0; j < i; j++)
            known |= strcmp(bundle->report->devices[i], bundle->report->devices[j]) == 0;
        if (!known)
            json_array_append_new(
                list, reference(url_of(url, bundle->report->session.id, PART_DEVICE, i)));
    }
    return list;
}

static void set_list(json_t *object, const char *name, json_t *list)
{
    if (json_array_size(list) > 0) /* FHIR knows no empty lists */
        json_object_set(object, name, list);
    json_decref(list);
}

/* What SNOMED CT has for a kind of phase; NULL: nothing for just this. */
static json_t *concept_of_kind(enum plan_kind kind, const char *title)
{
    static const struct {
        const char *code, *display;
    } codes[PLAN_KINDS] = {
        [PLAN_HEAT] = {"266694003", "Heat therapy"},
        [PLAN_MASSAGE] = {"387854002", NULL},
        [PLAN_STRETCHING] = {"229070002", "Stretching exercises"},
        [PLAN_EXERCISE] = {"229065009", "Exercise therapy"},
    };
    json_t *concept = concept_of(OWN, plan_kind_name(kind), NULL, title);
    if (codes[kind].code == NULL)
    return concept;
    json_t *coding = json_pack("{s:s, s:s}", "system", SNOMED, "code", codes[kind].code);
    if (codes[kind].display != NULL)
        json_object_set_new(coding, "display", json_string(codes[kind].display));
    json_array_insert_new(json_object_get(concept, "coding"), 0, coding);
    return concept;
}

static json_t *subject_of(const struct bundle *bundle)
{
    return bundle->patient[0] != '\0' ? reference(bundle->patient)
                                      : json_pack("{s:s}", "display", "not named");
}

/* Each phase that was begun is a part of the treatment. */
static void add_phases(struct bundle *bundle)
{
    const struct session *session = &bundle->report->session;
    for (uint32_t i = 0; i < session->plan.phase_count; i++) {
        const struct session_phase *phase = &session->phases[i];
        char url[48];
        if (phase->began_ms == 0)
            continue;
        add(bundle, url_of(url, session->id, PART_PHASE, i),
            json_pack("{s:s, s:s, s:[o], s:o, s:o, s:o}", "resourceType", "Procedure", "status",
                      phase->ended_ms != 0 ? "completed" : status_of(session->state), "partOf",
                      reference(bundle->procedure), "code",
                      concept_of_kind(session->plan.phases[i].kind, session->plan.phases[i].title),
                      "subject", subject_of(bundle), "performedPeriod",
                      period(phase->began_ms, phase->ended_ms)));
    }
}

static void add_procedure(struct bundle *bundle)
{
    const struct report *report = bundle->report;
    const struct session *session = &report->session;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:{s:s}}", "resourceType", "Procedure", "status",
        status_of(session->state), "category",
        concept_of(SNOMED, PHYSIO_CODE, "Physical therapy procedure", "Physical therapy"), "code",
        concept_of(OWN, session->plan.name[0] != '\0' ? session->plan.name : "treatment", NULL,
                   session->plan.title[0] != '\0' ? session->plan.title : "Treatment"),
        "subject", subject_of(bundle), "location", "display", report->room);
    if (session->started_ms != 0)
        json_object_set_new(json, "performedPeriod",
                            period(session->started_ms, session->ended_ms));
    if (session->therapist[0] != '\0')
        json_object_set_new(json, "performer",
                            json_pack("[{s:{s:s}}]", "actor", "display", session->therapist));
    if (session->reason[0] != '\0')
        json_object_set_new(json, "statusReason", json_pack("{s:s}", "text", session->reason));
    if (session->adverse[0] != '\0')
        json_object_set_new(json, "complication", json_pack("[{s:s}]", "text", session->adverse));
    set_list(json, "note", notes_of(session));
    set_list(json, "usedReference", used_by(bundle));
    add(bundle, bundle->procedure, json);
}

static void add_score(struct bundle *bundle, unsigned number, int score, json_t *concept,
                      int64_t at_ms)
{
    char url[48];
    if (score == SESSION_NO_SCORE) {
        json_decref(concept);
        return;
    }
    json_t *json = observation(bundle, "survey", concept);
    json_object_set_new(json, "effectiveDateTime", instant(at_ms));
    json_object_set_new(json, "valueQuantity",
                        json_pack("{s:i, s:s, s:s, s:s}", "value", score, "unit", "{score}",
                                  "system", UCUM, "code", "{score}"));
    add(bundle, url_of(url, bundle->report->session.id, PART_SCORE, number), json);
}

static void add_scores(struct bundle *bundle)
{
    const struct report *report = bundle->report;
    const struct session *session = &report->session;
    static const char *const texts[] = {"Pain before the treatment", "Pain during the treatment",
                                        "Pain after the treatment"};
    int64_t to_ms = report_to_ms(report);
    for (unsigned i = 0; i < SESSION_MOMENTS; i++)
        add_score(bundle, i, session->pain[i], concept_of(LOINC, PAIN_CODE, PAIN_DISPLAY, texts[i]),
                  i == SESSION_BEFORE ? report_from_ms(report) : to_ms);
    add_score(bundle, 3, session->rmdq,
              concept_of(OWN, "rmdq", NULL, "Roland-Morris Disability Questionnaire, 0 to 24"),
              to_ms);
    add_score(bundle, 4, session->odi,
              concept_of(OWN, "odi", NULL, "Oswestry Disability Index, 0 to 100"), to_ms);
}

static void add_trace(struct bundle *bundle, unsigned number)
{
    const struct report *report = bundle->report;
    const struct report_trace *trace = &report->traces[number];
    const struct lumbar_metric *metric = trace->metric;
    struct report_point sum;
    char url[48], device[48];
    if (!report_sum(trace, &sum))
        return;
    json_t *json = observation(bundle, "procedure", concept_of_metric(metric));
    int64_t last_ms = trace->points[trace->count - 1].from_ms + trace->step_ms;
    json_object_set_new(json, "effectivePeriod", period(sum.from_ms, last_ms));
    json_object_set_new(json, "device",
                        reference(url_of(device, report->session.id, PART_DEVICE, trace->device)));
    json_object_set_new(json, "valueQuantity",
                        quantity(sum.mean, metric->decimals + 1, metric->unit));
    json_object_set_new(
        json, "component",
        json_pack(
            "[o, o]",
            component("minimum", "Least", quantity(sum.min, metric->decimals, metric->unit)),
            component("maximum", "Greatest", quantity(sum.max, metric->decimals, metric->unit))));
    add(bundle, url_of(url, report->session.id, PART_TRACE, number), json);
}

static void add_dose(struct bundle *bundle, uint32_t region)
{
    const struct report *report = bundle->report;
    const struct session_dose *dose = &report->session.doses[region];
    const struct lumbar_metric *metric = body_intensity(report->body, report->drivers);
    char url[48], unit[64], words[96];
    if (dose->time_ms == 0)
        return;
    json_t *json = observation(
        bundle, "procedure", concept_of(OWN, "region_dose", NULL, "Dose of a region of the body"));
    snprintf(words, sizeof(words), "%s", report->body->regions[region]);
    for (char *at = words; *at != '\0'; at++)
        if (*at == '_')
            *at = ' ';
    json_object_set_new(json, "bodySite",
                        concept_of(OWN, report->body->regions[region], NULL, words));
    json_object_set_new(json, "effectivePeriod",
                        period(report_from_ms(report), report_to_ms(report)));
    json_t *parts = json_pack(
        "[o]", component("time", "Time on it", quantity((double)dose->time_ms / 60000, 2, "min")));
    if (metric != NULL) {
        snprintf(unit, sizeof(unit), "%s.min", metric->unit);
        json_array_append_new(parts, component("mean", "Mean",
                                               quantity(dose->intensity_ms / (double)dose->time_ms,
                                                        metric->decimals + 1, metric->unit)));
        json_object_set_new(json, "valueQuantity", quantity(dose->intensity_ms / 60000, 1, unit));
    }
    json_object_set_new(json, "component", parts);
    add(bundle, url_of(url, report->session.id, PART_DOSE, region), json);
}

static void add_range(struct bundle *bundle, unsigned number)
{
    const struct report *report = bundle->report;
    const struct report_range *range = &report->ranges[number];
    char url[48], code[LUMBAR_NAME_MAX + 32], text[LUMBAR_NAME_MAX + 64];
    snprintf(code, sizeof(code), "range_of_%s_%s", range->metric,
             range->direction < 0 ? "low" : "high");
    snprintf(text, sizeof(text), "Range of motion, best repetition: %s, %s side", range->metric,
             range->direction < 0 ? "low" : "high");
    json_t *json = observation(bundle, "exam", concept_of(OWN, code, NULL, text));
    json_object_set_new(json, "effectiveDateTime", instant(range->at_ms));
    json_object_set_new(json, "valueQuantity", quantity(range->best, 1, "deg"));
    json_t *parts =
        json_pack("[o, o]", component("mean", "Mean", quantity(range->mean, 1, "deg")),
                  component("repetitions", "Repetitions", quantity(range->count, 0, "1")));
    if (!isnan(range->spread))
        json_array_append_new(
            parts, component("spread", "Standard deviation", quantity(range->spread, 1, "deg")));
    json_object_set_new(json, "component", parts);
    add(bundle, url_of(url, report->session.id, PART_RANGE, number), json);
}

json_t *report_fhir(const struct report *report)
{
    struct bundle bundle = {.report = report, .entries = json_array()};
    url_of(bundle.procedure, report->session.id, PART_PROCEDURE, 0);
    add_patient(&bundle);
    json_t *used = used_by(&bundle);
    char url[48];
    for (uint32_t i = 0; i < report->session.device_count; i++) {
        url_of(url, report->session.id, PART_DEVICE, i);
        for (size_t u = 0; u < json_array_size(used); u++)
            if (strcmp(json_string_value(json_object_get(json_array_get(used, u), "reference")),
                       url) == 0)
                add_device(&bundle, i);
    }
    json_decref(used);
    add_procedure(&bundle);
    add_phases(&bundle);
    add_scores(&bundle);
    for (uint32_t i = 0; i < report->trace_count; i++)
        add_trace(&bundle, i);
    for (uint32_t i = 0; i < report->body->count; i++)
        add_dose(&bundle, i);
    for (uint32_t i = 0; i < report->range_count; i++)
        add_range(&bundle, i);
    return json_pack("{s:s, s:s, s:o, s:o}", "resourceType", "Bundle", "type", "collection",
                     "timestamp", instant(report->made_ms), "entry", bundle.entries);
}
