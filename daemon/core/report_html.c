/* The report as a page: one file, printed on one sheet where the session was an ordinary one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/report_words.h"

#define CHARTS_MAX  8
#define CHARTS_TALL 5  /* more of them are printed lower, so that all is on one sheet */
#define NOTES_MAX   24 /* told; the others are in the bundle */

static void section(struct text *text, const struct report *report, enum report_word title,
                    const char *kind)
{
    text_add(text, "<section class=\"%s\"><h2>", kind);
    report_say(text, report, title);
    text_add(text, "</h2>");
}

/* "<dt>word</dt><dd>", to be closed by the caller with FACT_END. */
#define FACT_END "</dd></div>"
static void fact(struct text *text, const struct report *report, enum report_word word)
{
    text_add(text, "<div><dt>");
    report_say(text, report, word);
    text_add(text, "</dt><dd>");
}

static void value(struct text *text, const struct report *report,
                  const struct lumbar_metric *metric, double number)
{
    report_number(text, report->language, number, metric->decimals);
    unit_write(text, metric->unit);
}

/* ---- Who and when ---- */

static void write_state(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    static const enum report_word words[SESSION_STATES] = {
        [SESSION_PLANNED] = W_PLANNED, [SESSION_RUNNING] = W_RUNNING, [SESSION_PAUSED] = W_RUNNING,
        [SESSION_DONE] = W_DONE,       [SESSION_ABORTED] = W_ABORTED,
    };
    text_add(text, "<p class=\"state%s\">", session->state == SESSION_ABORTED ? " aborted" : "");
    report_say(text, report, session->idle ? W_IDLE : words[session->state]);
    if (session->reason[0] != '\0') {
        text_add(text, ": ");
        text_add_html(text, session->reason);
    }
    text_add(text, "</p>");
}

static void write_time(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    report_day(text, report, report_from_ms(report));
    text_add(text, ", ");
    report_clock(text, report, report_from_ms(report), false);
    if (session->ended_ms == 0)
        return;
    text_add(text, "–");
    report_clock(text, report, session->ended_ms, false);
}

static void write_head(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    text_add(text, "<header><p class=\"clinic\">");
    text_add_html(text, report->clinic);
    text_add(text, "</p><h1>");
    report_say(text, report, W_TITLE);
    text_add(text, " <small>%llu</small></h1>", (unsigned long long)session->id);
    write_state(text, report);
    text_add(text, "<dl class=\"facts\">");
    fact(text, report, W_CLIENT);
    text_add_html(text, session->client.name[0] != '\0' ? session->client.name
                                                        : report_word(report->language, W_NOBODY));
    text_add(text, FACT_END);
    fact(text, report, W_THERAPIST);
    text_add_html(text, session->therapist[0] != '\0' ? session->therapist
                                                      : report_word(report->language, W_BY_DEVICE));
    text_add(text, FACT_END);
    fact(text, report, W_ROOM);
    text_add_html(text, report->room);
    text_add(text, FACT_END);
    fact(text, report, W_PLAN);
    text_add_html(text, session->plan.title[0] != '\0' ? session->plan.title
                                                       : report_word(report->language, W_NO_PLAN));
    text_add(text, FACT_END);
    fact(text, report, W_TIME);
    write_time(text, report);
    text_add(text, FACT_END "</dl>");
    if (session->adverse[0] != '\0') {
        text_add(text, "<p class=\"adverse\"><b>");
        report_say(text, report, W_ADVERSE);
        text_add(text, ":</b> ");
        text_add_html(text, session->adverse);
        text_add(text, "</p>");
    }
    text_add(text, "</header>");
}

/* ---- What was felt ---- */

static void write_score(struct text *text, const struct report *report, enum report_word word,
                        int score)
{
    if (score == SESSION_NO_SCORE)
        return;
    fact(text, report, word);
    text_add(text, "%d" FACT_END, score);
}

static void write_pain(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    const int *pain = session->pain;
    static const enum report_word moments[] = {W_BEFORE, W_DURING, W_AFTER};
    static const enum report_word words[] = {W_PAIN_BETTER, W_PAIN_SAME, W_PAIN_WORSE};
    section(text, report, W_PAIN, "pain");
    text_add(text, "<ol class=\"scores\">");
    for (int i = 0; i < SESSION_MOMENTS; i++) {
        text_add(text, "<li><b>");
        if (pain[i] == SESSION_NO_SCORE)
            text_add(text, "–");
        else
            text_add(text, "%d", pain[i]);
        text_add(text, "</b> ");
        report_say(text, report, moments[i]);
        text_add(text, "</li>");
    }
    text_add(text, "</ol>");
    if (pain[SESSION_BEFORE] != SESSION_NO_SCORE && pain[SESSION_AFTER] != SESSION_NO_SCORE) {
        text_add(text, "<p>");
        report_say(text, report,
                   words[report_pain_change(pain[SESSION_BEFORE], pain[SESSION_AFTER]) + 1]);
        text_add(text, "</p>");
    }
    if (session->rmdq != SESSION_NO_SCORE || session->odi != SESSION_NO_SCORE) {
        text_add(text, "<dl>");
        write_score(text, report, W_RMDQ, session->rmdq);
        write_score(text, report, W_ODI, session->odi);
        text_add(text, "</dl>");
    }
    text_add(text, "</section>");
}

/* ---- What was planned, and done ---- */

static void write_phases(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    if (session->plan.phase_count == 0)
        return;
    section(text, report, W_PHASES, "phases");
    text_add(text, "<table><thead><tr><td></td><th class=\"n\">");
    report_say(text, report, W_DONE_TIME);
    text_add(text, "</th><th class=\"n\">");
    report_say(text, report, W_PLAN_TIME);
    text_add(text, "</th></tr></thead><tbody>");
    for (uint32_t i = 0; i < session->plan.phase_count; i++) {
        int64_t spent_ms = i == session->phase && session->ended_ms == 0
                               ? session_spent_ms(session, report->made_ms)
                               : session->phases[i].spent_ms;
        text_add(text, "<tr><td>");
        text_add_html(text, session->plan.phases[i].title);
        text_add(text, "</td><td class=\"n\">");
        if (session->phases[i].began_ms != 0)
            report_span(text, spent_ms);
        else
            text_add(text, "–");
        text_add(text, "</td><td class=\"n\">");
        report_span(text, session->plan.phases[i].time_ms);
        text_add(text, "</td></tr>");
    }
    text_add(text, "</tbody></table></section>");
}

/* "≤ 45°", "20 … 60°" */
static void write_band(struct text *text, const struct report *report, const struct plan_band *band,
                       const struct lumbar_metric *metric)
{
    if (isnan(band->low) && isnan(band->high)) {
        report_say(text, report, W_NO_VALUE);
        return;
    }
    if (isnan(band->high))
        text_add(text, "≥ ");
    else if (isnan(band->low))
        text_add(text, "≤ ");
    if (!isnan(band->low))
        report_number(text, report->language, band->low, metric->decimals);
    if (!isnan(band->low) && !isnan(band->high))
        text_add(text, " … ");
    if (!isnan(band->high))
        report_number(text, report->language, band->high, metric->decimals);
    unit_write(text, metric->unit);
}

static void write_zone(struct text *text, const struct report *report, uint32_t i)
{
    const struct session *session = &report->session;
    const struct plan_band *band = &session->plan.bands[i];
    const struct session_band *account = &session->bands[i];
    const struct lumbar_metric *metric = drivers_metric(report->drivers, band->metric, NULL);
    int64_t beyond_ms = account->below_ms + account->above_ms;
    bool open = isnan(band->low) && isnan(band->high); /* there is nothing to be beyond of */
    int64_t all_ms = open ? 0 : beyond_ms + account->within_ms;
    text_add(text, "<tr><td>");
    text_add_html(text, report_term(report->language, metric->title));
    text_add(text, "<br><small>");
    report_say(text, report, band->target ? W_TARGET : W_LIMIT);
    text_add(text, " ");
    write_band(text, report, band, metric);
    text_add(text, ", ");
    if (band->phase < session->plan.phase_count)
        text_add_html(text, session->plan.phases[band->phase].title);
    else
        report_say(text, report, W_ALL);
    if (all_ms == 0) {
        text_add(text, "</small></td><td class=\"n\" colspan=\"2\">");
        if (open)
            text_add(text, "–");
        else
            report_say(text, report, W_NOT_MEASURED);
        text_add(text, "</td></tr>");
        return;
    }
    text_add(text, "</small></td><td class=\"n\">%.0f %%</td><td class=\"n\">",
             100.0 * (double)account->within_ms / (double)all_ms);
    report_span(text, beyond_ms);
    text_add(text, " · %u ", account->excursions);
    report_say(text, report, W_TIMES);
    text_add(text, "</td></tr>");
}

static void write_zones(struct text *text, const struct report *report)
{
    if (report->session.plan.band_count == 0)
        return;
    section(text, report, W_ZONES, "zones");
    text_add(text, "<table><thead><tr><td></td><th class=\"n\">");
    report_say(text, report, W_WITHIN);
    text_add(text, "</th><th class=\"n\">");
    report_say(text, report, W_BEYOND);
    text_add(text, "</th></tr></thead><tbody>");
    for (uint32_t i = 0; i < report->session.plan.band_count; i++)
        write_zone(text, report, i);
    text_add(text, "</tbody></table></section>");
}

/* ---- Dose ---- */

static void write_dose(struct text *text, const struct report *report, uint32_t region)
{
    const struct session_dose *dose = &report->session.doses[region];
    const struct lumbar_metric *metric = body_intensity(report->body, report->drivers);
    text_add(text, "<tr><td>");
    for (const char *at = report->body->regions[region]; *at != '\0'; at++)
        text_add(text, "%c", *at == '_' ? ' ' : *at);
    text_add(text, "</td><td class=\"n\">");
    report_span(text, dose->time_ms);
    text_add(text, "</td><td class=\"n\">");
    if (metric != NULL)
        value(text, report, metric, dose->intensity_ms / (double)dose->time_ms);
    text_add(text, "</td><td class=\"n\">");
    if (metric != NULL) {
        report_number(text, report->language, dose->intensity_ms / 60000, 0);
        unit_write(text, metric->unit);
        text_add(text, "·min");
    }
    text_add(text, "</td></tr>");
}

static bool has_dose(const struct report *report)
{
    for (uint32_t i = 0; i < report->body->count; i++)
        if (report->session.doses[i].time_ms > 0)
            return true;
    return false;
}

/* What the hub itself accounts for, by configuration: the thermal dose, for one. */
static bool is_accounted(const struct report_trace *trace)
{
    return trace->derived && trace->count > 0 && (trace->metric->flags & LUMBAR_HEALTH) == 0 &&
           trace->points[trace->count - 1].max > 0;
}

static void write_doses(struct text *text, const struct report *report)
{
    bool accounted = false;
    for (uint32_t i = 0; i < report->trace_count; i++)
        accounted |= is_accounted(&report->traces[i]);
    if (!has_dose(report) && !accounted)
        return;
    section(text, report, W_DOSE, "dose");
    if (has_dose(report)) {
        text_add(text, "<table><thead><tr><td></td><th class=\"n\">");
        report_say(text, report, W_MINUTES);
        text_add(text, "</th><th class=\"n\">");
        report_say(text, report, W_MEAN);
        text_add(text, "</th><th class=\"n\">");
        report_say(text, report, W_SUM);
        text_add(text, "</th></tr></thead><tbody>");
        for (uint32_t i = 0; i < report->body->count; i++)
            if (report->session.doses[i].time_ms > 0)
                write_dose(text, report, i);
        text_add(text, "</tbody></table>");
    }
    for (uint32_t i = 0; i < report->trace_count; i++) {
        const struct report_trace *trace = &report->traces[i];
        if (!is_accounted(trace))
            continue;
        text_add(text, "<p>");
        text_add_html(text, report_term(report->language, trace->metric->title));
        text_add(text, ", ");
        report_say(text, report, W_AT_END);
        text_add(text, ": ");
        value(text, report, trace->metric, trace->points[trace->count - 1].max);
        text_add(text, "</p>");
    }
    text_add(text, "</section>");
}

/* ---- Range of motion ---- */

static const struct lumbar_metric *metric_named(const struct report *report, const char *device,
                                                const char *name)
{
    size_t kind = strcspn(device, "/");
    for (uint32_t d = 0; d < report->drivers->count; d++) {
        const struct driver *driver = &report->drivers->list[d];
        if (strlen(driver->plugin->kind) != kind || memcmp(driver->plugin->kind, device, kind) != 0)
            continue;
        for (uint32_t m = 0; m < driver->metric_count; m++)
            if (strcmp(driver->metrics[m].name, name) == 0)
                return &driver->metrics[m];
    }
    return NULL;
}

static void write_range(struct text *text, const struct report *report,
                        const struct report_range *range)
{
    const struct lumbar_metric *metric = metric_named(report, range->device, range->metric);
    if (metric == NULL)
        return;
    text_add(text, "<li><b>");
    text_add_html(text, report_term(report->language, metric->title));
    text_add(text, "</b> %s ", range->direction < 0 ? "−" : "+");
    report_say(text, report, W_BEST);
    text_add(text, " ");
    value(text, report, metric, range->best);
    text_add(text, ", ");
    report_say(text, report, W_MEAN);
    text_add(text, " ");
    value(text, report, metric, range->mean);
    if (!isnan(range->spread)) {
        text_add(text, ", ");
        report_say(text, report, W_SPREAD);
        text_add(text, " ");
        value(text, report, metric, range->spread);
    }
    text_add(text, " ");
    report_say(text, report, W_OF);
    text_add(text, " %u</li>", range->count);
}

static void write_ranges(struct text *text, const struct report *report)
{
    if (report->range_count == 0)
        return;
    section(text, report, W_RANGE, "range");
    text_add(text, "<ul>");
    for (uint32_t i = 0; i < report->range_count; i++)
        write_range(text, report, &report->ranges[i]);
    text_add(text, "</ul><p class=\"hint\">");
    report_say(text, report, W_RANGE_ERROR);
    text_add(text, "</p></section>");
}

/* ---- Alarms ---- */

static void write_worst(struct text *text, const struct report *report,
                        const struct lumbar_metric *metric, const struct report_alarm *alarm)
{
    if (metric == NULL || metric->labels != NULL || isnan(alarm->worst) ||
        alarm->worst == alarm->value)
        return;
    text_add(text, ", ");
    report_say(text, report, W_WORST);
    text_add(text, " ");
    value(text, report, metric, alarm->worst);
}

static void write_alarm(struct text *text, const struct report *report,
                        const struct report_alarm *alarm)
{
    static const enum report_word priorities[] = {W_LOW, W_LOW, W_MEDIUM, W_HIGH};
    const struct lumbar_metric *metric = metric_named(report, alarm->device, alarm->metric);
    int priority = alarm->priority >= 0 && alarm->priority <= 3 ? alarm->priority : 0;
    text_add(text, "<li><b class=\"p%d\">%.*s</b> ", priority, priority, "!!!");
    report_clock(text, report, alarm->raised_ms, true);
    text_add(text, "–");
    if (alarm->ended_ms != 0)
        report_clock(text, report, alarm->ended_ms, true);
    else
        report_say(text, report, W_STANDS);
    text_add(text, " ");
    text_add_html(text, alarm->title[0] != '\0' ? alarm->title : alarm->rule);
    if (metric != NULL && metric->labels == NULL && !isnan(alarm->value)) {
        text_add(text, ", ");
        value(text, report, metric, alarm->value);
    }
    write_worst(text, report, metric, alarm);
    text_add(text, " <small>");
    report_say(text, report, priorities[priority]);
    if (alarm->technical) {
        text_add(text, ", ");
        report_say(text, report, W_TECHNICAL);
    }
    if (alarm->acked_by[0] != '\0') {
        text_add(text, ", ");
        report_say(text, report, W_ACKED);
        text_add(text, ": ");
        text_add_html(text, alarm->acked_by);
    }
    text_add(text, "</small></li>");
}

static void write_alarms(struct text *text, const struct report *report)
{
    const uint32_t most = 12;
    uint32_t shown = report->alarm_count < most ? report->alarm_count : most;
    uint32_t more = report->alarm_count - shown + report->alarms_more;
    section(text, report, W_ALARMS, "alarms");
    if (report->alarm_count == 0) {
        text_add(text, "<p>");
        report_say(text, report, W_NO_ALARMS);
        text_add(text, "</p></section>");
        return;
    }
    text_add(text, "<ul>");
    for (uint32_t i = 0; i < shown; i++)
        write_alarm(text, report, &report->alarms[i]);
    if (more > 0) {
        text_add(text, "<li>+ %u ", more);
        report_say(text, report, W_MORE_ALARMS);
        text_add(text, "</li>");
    }
    text_add(text, "</ul></section>");
}

/* ---- Traces, notes, devices ---- */

static bool is_charted(const struct report *report, const struct report_trace *trace)
{
    return trace->count > 0 && report_shows(report, trace->metric, report->devices[trace->device]);
}

static void write_traces(struct text *text, const struct report *report)
{
    unsigned charts = 0, most = 0;
    for (uint32_t i = 0; i < report->trace_count && most < CHARTS_MAX; i++)
        most += is_charted(report, &report->traces[i]);
    section(text, report, W_TRACES, most > CHARTS_TALL ? "traces many" : "traces");
    for (uint32_t i = 0; i < report->trace_count && charts < most; i++)
        if (is_charted(report, &report->traces[i]))
            report_chart(text, report, &report->traces[i], charts++ == 0);
    text_add(text, "<p class=\"hint\">");
    report_say(text, report, charts > 0 ? W_TRACES_HINT : W_NO_TRACES);
    const bool lacks[] = {report->lost > 0, report->session.plan.lost_bands > 0};
    static const enum report_word words[] = {W_LOST, W_LOST_BANDS};
    for (int i = 0; i < 2; i++)
        if (lacks[i]) {
            text_add(text, " <b>");
            report_say(text, report, words[i]);
            text_add(text, "</b>");
        }
    text_add(text, "</p></section>");
}

static void write_notes(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    if (session->note_count == 0)
        return;
    section(text, report, W_NOTES, "notes");
    text_add(text, "<ul>");
    for (uint32_t i = 0; i < session->note_count && i < NOTES_MAX; i++) {
        const struct session_note *note = &session->notes[i];
        text_add(text, "<li><small>");
        report_clock(text, report, note->at_ms, true);
        text_add(text, "</small> %s", note->marker ? "⚑ " : "");
        if (note->text[0] != '\0')
            text_add_html(text, note->text);
        else
            report_say(text, report, W_MARKER);
        text_add(text, "</li>");
    }
    if (session->note_count > NOTES_MAX)
        text_add(text, "<li>+ %u</li>", session->note_count - NOTES_MAX);
    text_add(text, "</ul></section>");
}

static void write_devices(struct text *text, const struct report *report)
{
    const struct session *session = &report->session;
    if (session->device_count == 0)
        return;
    section(text, report, W_DEVICES, "devices");
    text_add(text, "<ul>");
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct session_device *stay = &session->devices[i];
        text_add(text, "<li>");
        text_add_html(text, report->devices[i]);
        text_add(text, " <small>");
        report_clock(text, report, stay->from_ms, false);
        text_add(text, "–");
        if (stay->to_ms != 0)
            report_clock(text, report, stay->to_ms, false);
        if (stay->by_hand) {
            text_add(text, ", ");
            report_say(text, report, W_BY_HAND);
        }
        text_add(text, "</small></li>");
    }
    text_add(text, "</ul></section>");
}

static void write_foot(struct text *text, const struct report *report)
{
    text_add(text, "<footer><p>");
    report_say(text, report, W_FOOT);
    text_add(text, "</p><p>");
    report_say(text, report, W_MADE);
    text_add(text, " ");
    report_day(text, report, report->made_ms);
    text_add(text, ", ");
    report_clock(text, report, report->made_ms, false);
    text_add(text, " (UTC%+03lld:%02lld) · Lumbar ", (long long)(report->zone_ms / 3600000),
             llabs((long long)(report->zone_ms / 60000 % 60)));
    text_add_html(text, report->version);
    text_add(text, "</p></footer>");
}

void report_html(struct text *text, const struct report *report, const char *style,
                 const char *policy)
{
    text_add(text, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">",
             report_word(report->language, W_LANGUAGE));
    text_add(text, "<meta http-equiv=\"Content-Security-Policy\" content=\"");
    text_add_html(text, policy);
    text_add(text, "\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                   "<link rel=\"icon\" href=\"data:,\"><title>");
    report_say(text, report, W_TITLE);
    text_add(text, " %llu</title><style>%s</style></head><body>",
             (unsigned long long)report->session.id, style);
    write_head(text, report);
    text_add(text, "<main><div class=\"columns\"><div>");
    write_pain(text, report);
    write_phases(text, report);
    write_notes(text, report);
    write_devices(text, report);
    text_add(text, "</div><div>");
    write_zones(text, report);
    write_doses(text, report);
    write_ranges(text, report);
    write_alarms(text, report);
    text_add(text, "</div></div>");
    write_traces(text, report);
    text_add(text, "</main>");
    write_foot(text, report);
    text_add(text, "</body></html>\n");
}
