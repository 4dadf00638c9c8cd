#include "core/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"
#include "core/report_words.h"

/* ---- What the facts say ---- */

int64_t report_from_ms(const struct report *report)
{
    const struct session *session = &report->session;
    return session->started_ms != 0 ? session->started_ms : session->opened_ms;
}

int64_t report_to_ms(const struct report *report)
{
    int64_t to_ms = report->session.ended_ms != 0 ? report->session.ended_ms : report->made_ms;
    return to_ms > report_from_ms(report) ? to_ms : report_from_ms(report) + 1;
}

bool report_shows(const struct report *report, const struct lumbar_metric *metric,
                  const char *device)
{
    if (metric->kind != LUMBAR_GAUGE || (metric->flags & LUMBAR_HEALTH) != 0)
        return false;
    if ((metric->flags & LUMBAR_KEY) != 0)
        return true;
    const struct plan *plan = &report->session.plan;
    for (uint32_t i = 0; i < plan->band_count; i++)
        if (drivers_metric(report->drivers, plan->bands[i].metric, NULL) == metric)
            return true;
    for (uint32_t i = 0; i < report->alarm_count; i++)
        if (strcmp(report->alarms[i].metric, metric->name) == 0 &&
            strcmp(report->alarms[i].device, device) == 0)
            return true;
    return false;
}

bool report_sum(const struct report_trace *trace, struct report_point *sum)
{
    double values = 0;
    *sum = (struct report_point){.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < trace->count; i++) {
        const struct report_point *point = &trace->points[i];
        sum->count += point->count;
        sum->min = fmin(sum->min, point->min);
        sum->max = fmax(sum->max, point->max);
        values += point->mean * (double)point->count;
    }
    sum->from_ms = trace->count > 0 ? trace->points[0].from_ms : 0;
    sum->mean = sum->count > 0 ? values / (double)sum->count : NAN;
    return sum->count > 0;
}

int report_pain_change(int before, int after)
{
    int change = after - before;
    double least = fmin(PAIN_MATTERS, PAIN_MATTERS_SHARE * before);
    if (before == 0)
        least = PAIN_MATTERS; /* 30 % of nothing is nothing */
    if (change == 0 || abs(change) < least)
        return 0;
    return change < 0 ? -1 : 1;
}

struct report_when report_when(const struct report *report, int64_t ms)
{
    int64_t local_ms = ms + report->zone_ms;
    time_t seconds = (time_t)(local_ms / 1000);
    struct tm at = {0};
    gmtime_r(&seconds, &at);
    return (struct report_when){at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
                                at.tm_hour,        at.tm_min,     at.tm_sec};
}

/* ---- Words ---- */

const char *report_word(enum report_language language, enum report_word word)
{
    static const char *const words[REPORT_WORDS_][REPORT_LANGUAGES] = {
#define X(word, english, german) [word] = {english, german},
        REPORT_WORDS(X)
#undef X
    };
    return words[word][language];
}

const char *report_term(enum report_language language, const char *title)
{
    static const char *const terms[][REPORT_LANGUAGES] = {
#define X(english, german) {english, german},
        REPORT_TERMS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
        if (strcmp(terms[i][REPORT_ENGLISH], title) == 0)
            return terms[i][language];
    return title;
}

void report_say(struct text *text, const struct report *report, enum report_word word)
{
    text_add_html(text, report_word(report->language, word));
}

void report_number(struct text *text, enum report_language language, double value,
                   unsigned decimals)
{
    char digits[48];
    struct text number = text_in(digits, sizeof(digits));
    if (!isfinite(value)) {
        text_add(text, "–");
        return;
    }
    if (fabs(value) < 0.5 * pow(10, -(double)decimals))
        value = 0; /* there is no minus nothing */
    text_add(&number, "%.*f", (int)decimals, value);
    for (char *at = digits; *at != '\0'; at++)
        if (*at == '-')
            text_add(text, "−");
        else
            text_add(text, "%c", *at == '.' && language == REPORT_GERMAN ? ',' : *at);
}

void report_span(struct text *text, int64_t ms)
{
    text_add(text, "%lld:%02d", (long long)(ms / 60000), (int)(ms / 1000 % 60));
}

void report_clock(struct text *text, const struct report *report, int64_t ms, bool seconds)
{
    struct report_when at = report_when(report, ms);
    text_add(text, "%02d:%02d", at.hour, at.minute);
    if (seconds)
        text_add(text, ":%02d", at.second);
}

void report_day(struct text *text, const struct report *report, int64_t ms)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct report_when at = report_when(report, ms);
    if (report->language == REPORT_GERMAN)
        text_add(text, "%d.%d.%04d", at.day, at.month, at.year);
    else
        text_add(text, "%d %s %04d", at.day, months[at.month - 1], at.year);
}

/* ---- The table ---- */

void report_csv(struct text *text, const struct report *report)
{
    text_add(text, "at,device,metric,unit,count,min,mean,max\r\n");
    for (uint32_t t = 0; t < report->trace_count; t++) {
        const struct report_trace *trace = &report->traces[t];
        unsigned decimals = trace->metric->decimals + 1; /* a mean of many has a digit more */
        for (size_t i = 0; i < trace->count; i++) {
            const struct report_point *point = &trace->points[i];
            char at[INSTANT_BYTES];
            text_add(text, "%s,%s,%s,", instant_write(point->from_ms, at),
                     report->devices[trace->device], trace->metric->name);
            text_add_csv(text, trace->metric->unit);
            text_add(text, ",%llu,", (unsigned long long)point->count);
            text_add_number(text, point->min, decimals);
            text_add(text, ",");
            text_add_number(text, point->mean, decimals);
            text_add(text, ",");
            text_add_number(text, point->max, decimals);
            text_add(text, "\r\n");
        }
    }
}
