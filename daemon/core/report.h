/*
 * The report of a session: what was planned, done, felt and measured, to be printed, read by other
 * programs, and kept by a clinic's own records.
 *
 * One struct holds all that is known; the writers make of it a page (HTML with charts as SVG, for
 * print), a table (CSV) and a FHIR R4 bundle. A value is never told more precisely than its sensor;
 * a change of pain is held against what matters to people (CLINIC), so that nobody reads more into
 * it than it says. Times are told on the clinic's clock, zone_ms ahead of UTC.
 * Pure: what it was read from is given. Memory: the caller's, points are his too.
 */
#ifndef LUMBAR_CORE_REPORT_H
#define LUMBAR_CORE_REPORT_H

#include <jansson.h>

#include "core/rules.h"
#include "core/sessions.h"

#define REPORT_DEVICE_BYTES (LUMBAR_NAME_MAX + 1 + DEVICE_NAME_BYTES) /* "posture/p-01" */
#define REPORT_ALARMS_MAX   100
#define REPORT_RANGES_MAX   40
#define REPORT_CHANGES_MAX  100
#define REPORT_TRACES_MAX   512

/* Ostelo 2008: the smallest change of pain (NRS 0..10) that matters: 2, or 30 %. */
#define PAIN_MATTERS       2
#define PAIN_MATTERS_SHARE 0.3

enum report_language { REPORT_ENGLISH, REPORT_GERMAN, REPORT_LANGUAGES };

struct report_alarm {
    uint64_t number;
    char rule[RULE_NAME_BYTES],
        title[101]; /* title: of the rule as it is now; "": there is none any more */
    char device[REPORT_DEVICE_BYTES], metric[LUMBAR_NAME_MAX + 1];
    int priority; /* 1..3 */
    bool technical;
    int64_t raised_ms, ended_ms; /* ended 0: it stands */
    double value, worst;         /* that raised it; since then, NaN where none is worse */
    char acked_by[48];
};

/* A test of a range of motion. */
struct report_range {
    char device[REPORT_DEVICE_BYTES], metric[LUMBAR_NAME_MAX + 1];
    int64_t at_ms;
    int direction;             /* 1: to the high side of the metric; -1 */
    double best, mean, spread; /* deg from the start; spread NaN: of one repetition */
    uint32_t count;
};

struct report_point {
    int64_t from_ms;
    uint64_t count;
    double min, mean, max;
};

/* What was said of the session when it was over. */
struct report_change {
    int64_t at_ms;
    char what[16], who[48], text[SESSION_NOTE_BYTES];
    int number; /* where text is "" */
};

/* A metric of a device while it was in the session. */
struct report_trace {
    uint32_t device; /* place in report.devices */
    const struct lumbar_metric *metric;
    bool derived; /* the hub made it */
    int64_t step_ms;
    struct report_point *points;
    size_t count;
};

struct report {
    struct session session; /* of the client only the name; devices[].device is not set */
    char room[101];         /* what people read */
    char devices[SESSION_DEVICES_MAX][REPORT_DEVICE_BYTES]; /* names of session.devices */
    struct report_alarm alarms[REPORT_ALARMS_MAX];
    uint32_t alarm_count, alarms_more; /* beyond those that found a place */
    struct report_range ranges[REPORT_RANGES_MAX];
    uint32_t range_count;
    struct report_change changes[REPORT_CHANGES_MAX];
    uint32_t change_count;
    uint64_t lost; /* spans of the session of which history lost something */

    const struct drivers *drivers;
    const struct body *body;
    char clinic[101];
    const char *version;
    int64_t made_ms, zone_ms;
    enum report_language language;

    struct report_trace traces[REPORT_TRACES_MAX];
    uint32_t trace_count;
};

/* When it began and ended to be measured: from its start to its end, or to the present. */
int64_t report_from_ms(const struct report *report);
int64_t report_to_ms(const struct report *report);

/* Does a trace belong onto the page: a key value, one with a limit or target, or with an alarm? */
bool report_shows(const struct report *report, const struct lumbar_metric *metric,
                  const char *device);

/* A trace's whole: least, mean of all values, greatest. False: there is no value. */
bool report_sum(const struct report_trace *trace, struct report_point *sum);

/* The page. `style` is put into it, and `policy` as its Content-Security-Policy. */
struct text;
void report_html(struct text *text, const struct report *report, const char *style,
                 const char *policy);

/* at,device,metric,unit,count,min,mean,max: a line a bucket. */
void report_csv(struct text *text, const struct report *report);

/* A FHIR R4 Bundle (collection): Patient by pseudonym, Devices, Procedure, Observations; NULL: no
 * memory. */
json_t *report_fhir(const struct report *report);

/* ---- for the writers ---- */

struct report_when {
    int year, month, day, hour, minute, second;
};
struct report_when report_when(const struct report *report, int64_t ms);

/* How pain changed, as what matters: -1 better, 1 worse, 0 neither. */
int report_pain_change(int before, int after);

#endif
