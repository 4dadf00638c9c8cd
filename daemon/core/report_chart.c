/* A trace of a report as SVG: presentation by classes only, so that the page needs no inline style.
 */
#include <math.h>

#include "core/report_words.h"

#define WIDTH  720
#define HEIGHT 92
#define LEFT   44
#define TOP    14
#define BOTTOM 78
#define TICKS  8 /* at most, along the time */

struct chart {
    struct text *text;
    const struct report *report;
    const struct report_trace *trace;
    int64_t from_ms, to_ms;
    double low, high; /* of the axis */
};

static double x_of(const struct chart *chart, int64_t ms)
{
    double share = (double)(ms - chart->from_ms) / (double)(chart->to_ms - chart->from_ms);
    return LEFT + fmin(fmax(share, 0), 1) * (WIDTH - LEFT);
}

static double y_of(const struct chart *chart, double value)
{
    double share = (value - chart->low) / (chart->high - chart->low);
    return BOTTOM - fmin(fmax(share, 0), 1) * (BOTTOM - TOP);
}

/* The bands of the plan for this metric; NULL behind the last. */
static const struct plan_band *next_band(const struct chart *chart, uint32_t *at)
{
    const struct plan *plan = &chart->report->session.plan;
    while (*at < plan->band_count) {
        const struct plan_band *band = &plan->bands[(*at)++];
        if (drivers_metric(chart->report->drivers, band->metric, NULL) == chart->trace->metric)
            return band;
    }
    return NULL;
}

static void reach(struct chart *chart, const struct report_point *sum, double limit, double span)
{
    if (isnan(limit) || limit < sum->min - span || limit > sum->max + span)
        return;
    chart->low = fmin(chart->low, limit);
    chart->high = fmax(chart->high, limit);
}

/* What was measured, and the limits that lie near it: a limit far off would press the line flat. */
static void scale(struct chart *chart, const struct report_point *sum)
{
    const struct plan_band *band;
    double span = fmax(sum->max - sum->min, 4 * pow(10, -(double)chart->trace->metric->decimals));
    chart->low = sum->min;
    chart->high = sum->max;
    for (uint32_t at = 0; (band = next_band(chart, &at)) != NULL;) {
        reach(chart, sum, band->low, span);
        reach(chart, sum, band->high, span);
    }
    double pad = fmax(chart->high - chart->low, span) * 0.06;
    chart->low -= pad;
    chart->high += pad;
}

/* ---- What stands behind ---- */

static void draw_phases(const struct chart *chart, bool titled)
{
    const struct session *session = &chart->report->session;
    for (uint32_t i = 0; i < session->plan.phase_count; i++) {
        const struct session_phase *phase = &session->phases[i];
        if (phase->began_ms == 0)
            continue;
        double from = x_of(chart, phase->began_ms);
        double to = x_of(chart, phase->ended_ms != 0 ? phase->ended_ms : chart->to_ms);
        text_add(chart->text,
                 "<rect class=\"p%u\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", i % 2,
                 from, TOP, to - from, BOTTOM - TOP);
        /* As many letters as have room: some 5.5 units each. */
        int letters = (int)((to - from) / 5.5);
        if (!titled || letters < 4)
            continue;
        text_add(chart->text, "<text x=\"%.1f\" y=\"%d\">", from + 2, TOP - 4);
        char title[PLAN_TITLE_BYTES];
        struct text cut = text_in(title, (size_t)letters + 1 < sizeof(title) ? (size_t)letters + 1
                                                                             : sizeof(title));
        text_add(&cut, "%s", session->plan.phases[i].title);
        text_add_html(chart->text, title);
        text_add(chart->text, "</text>");
    }
}

/* A step of minutes of which the span has no more than TICKS. */
static int64_t tick_ms(int64_t span_ms)
{
    static const int minutes[] = {1, 2, 5, 10, 15, 30, 60, 120, 240, 480};
    for (unsigned i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++)
        if (span_ms <= (int64_t)minutes[i] * 60000 * TICKS)
            return (int64_t)minutes[i] * 60000;
    return span_ms;
}

static void draw_times(const struct chart *chart)
{
    int64_t each_ms = tick_ms(chart->to_ms - chart->from_ms), zone_ms = chart->report->zone_ms;
    int64_t at_ms = (chart->from_ms + zone_ms + each_ms - 1) / each_ms * each_ms - zone_ms;
    for (; at_ms <= chart->to_ms; at_ms += each_ms) {
        double x = x_of(chart, at_ms);
        text_add(chart->text,
                 "<path class=\"g\" d=\"M%.1f %dV%d\"/><text class=\"t\" x=\"%.1f\" y=\"%d\">", x,
                 TOP, BOTTOM, fmin(x, WIDTH - 12), HEIGHT - 3);
        report_clock(chart->text, chart->report, at_ms, false);
        text_add(chart->text, "</text>");
    }
}

static void draw_value(const struct chart *chart, double value, int y)
{
    text_add(chart->text, "<text class=\"y\" x=\"%d\" y=\"%d\">", LEFT - 4, y);
    report_number(chart->text, chart->report->language, value, chart->trace->metric->decimals);
    text_add(chart->text, "</text>");
}

static void draw_limit(const struct chart *chart, double limit, const struct plan_band *band)
{
    if (isnan(limit) || limit < chart->low || limit > chart->high)
        return;
    const struct session *session = &chart->report->session;
    const struct session_phase *phase =
        band->phase < session->plan.phase_count ? &session->phases[band->phase] : NULL;
    if (phase != NULL && phase->began_ms == 0)
        return;
    int64_t from_ms = phase != NULL ? phase->began_ms : chart->from_ms;
    int64_t to_ms = phase != NULL && phase->ended_ms != 0 ? phase->ended_ms : chart->to_ms;
    text_add(chart->text, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>", band->target ? "k" : "l",
             x_of(chart, from_ms), y_of(chart, limit), x_of(chart, to_ms));
}

/* ---- What was measured ---- */

/* Does a gap lie between this point and the one before? */
static bool begins(const struct chart *chart, size_t i)
{
    const struct report_trace *trace = chart->trace;
    int64_t silent_ms = metric_stale_ms(trace->metric);
    if (i == 0)
        return true;
    int64_t apart_ms = trace->points[i].from_ms - trace->points[i - 1].from_ms - trace->step_ms;
    return silent_ms > 0 ? apart_ms >= silent_ms : apart_ms > 0;
}

/* From the first point of a stretch without gap to its last. */
static void draw_stretch(const struct chart *chart, size_t from, size_t to)
{
    const struct report_trace *trace = chart->trace;
    int64_t half_ms = trace->step_ms / 2;
    text_add(chart->text, "<polygon class=\"e\" points=\"");
    for (size_t i = from; i <= to; i++)
        text_add(chart->text, "%.1f,%.1f ", x_of(chart, trace->points[i].from_ms + half_ms),
                 y_of(chart, trace->points[i].max));
    for (size_t i = to + 1; i-- > from;)
        text_add(chart->text, "%.1f,%.1f ", x_of(chart, trace->points[i].from_ms + half_ms),
                 y_of(chart, trace->points[i].min));
    text_add(chart->text, "\"/><polyline class=\"m\" points=\"");
    for (size_t i = from; i <= to; i++)
        text_add(chart->text, "%.1f,%.1f ", x_of(chart, trace->points[i].from_ms + half_ms),
                 y_of(chart, trace->points[i].mean));
    text_add(chart->text, "\"/>");
}

static void draw_data(const struct chart *chart)
{
    size_t from = 0;
    for (size_t i = 1; i <= chart->trace->count; i++)
        if (i == chart->trace->count || begins(chart, i)) {
            draw_stretch(chart, from, i - 1);
            from = i;
        }
}

static void draw_notes(const struct chart *chart)
{
    const struct session *session = &chart->report->session;
    for (uint32_t i = 0; i < session->note_count; i++)
        if (session->notes[i].at_ms >= chart->from_ms && session->notes[i].at_ms < chart->to_ms)
            text_add(chart->text, "<path class=\"n\" d=\"M%.1f %dV%d\"/>",
                     x_of(chart, session->notes[i].at_ms), TOP, BOTTOM);
}

static void write_title(const struct chart *chart, const struct report_point *sum)
{
    const struct report *report = chart->report;
    const struct lumbar_metric *metric = chart->trace->metric;
    text_add(chart->text, "<figcaption><b>");
    text_add_html(chart->text, report_term(report->language, metric->title));
    text_add(chart->text, "</b> ");
    text_add_html(chart->text, report->devices[chart->trace->device]);
    text_add(chart->text, " · ");
    report_number(chart->text, report->language, sum->min, metric->decimals);
    text_add(chart->text, " … ");
    report_number(chart->text, report->language, sum->max, metric->decimals);
    unit_write(chart->text, metric->unit);
    text_add(chart->text, ", ");
    report_say(chart->text, report, W_MEAN);
    text_add(chart->text, " ");
    report_number(chart->text, report->language, sum->mean, metric->decimals);
    unit_write(chart->text, metric->unit);
    text_add(chart->text, "</figcaption>");
}

void report_chart(struct text *text, const struct report *report, const struct report_trace *trace,
                  bool titled)
{
    struct chart chart = {.text = text,
                          .report = report,
                          .trace = trace,
                          .from_ms = report_from_ms(report),
                          .to_ms = report_to_ms(report)};
    const struct plan_band *band;
    struct report_point sum;
    if (!report_sum(trace, &sum))
        return;
    scale(&chart, &sum);
    text_add(text, "<figure>");
    write_title(&chart, &sum);
    text_add(text, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    text_add_html(text, report_term(report->language, trace->metric->title));
    text_add(text, "\">");
    draw_phases(&chart, titled);
    draw_times(&chart);
    draw_value(&chart, chart.high, TOP + 8);
    draw_value(&chart, chart.low, BOTTOM);
    draw_data(&chart);
    for (uint32_t at = 0; (band = next_band(&chart, &at)) != NULL;) {
        draw_limit(&chart, band->low, band);
        draw_limit(&chart, band->high, band);
    }
    draw_notes(&chart);
    text_add(text, "</svg></figure>");
}
