#include "core/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/calibration.h"
#include "core/report_words.h"

/* ---- Values over time ---- */

static void add(struct course_told *told, int64_t at_ms, double value)
{
    if (told->count++ == 0) {
        told->first_ms = at_ms;
        told->first = value;
    }
    told->last_ms = at_ms;
    told->last = value;
}

static int score_of(const struct course_session *session, enum course_what what)
{
    return what == COURSE_PAIN   ? session->pain[SESSION_BEFORE]
           : what == COURSE_RMDQ ? session->rmdq
                                 : session->odi;
}

static enum course_verdict by_sign(double change)
{
    return change < 0 ? COURSE_LESS : COURSE_MORE;
}

static enum course_verdict judge(const struct course_told *told)
{
    double change = told->last - told->first;
    if (told->count < 2)
        return COURSE_ONCE;
    switch (told->what) {
    case COURSE_PAIN:
        return report_pain_change((int)told->first, (int)told->last) == 0 ? COURSE_SAME
                                                                          : by_sign(change);
    case COURSE_RMDQ:
        return fabs(change) < RMDQ_MATTERS ? COURSE_SAME : by_sign(change);
    case COURSE_ODI:
        return fabs(change) < ODI_MATTERS ? COURSE_SAME : by_sign(change);
    case COURSE_RANGE:
        break;
    }
    switch (range_change_of(told->first, told->last)) {
    case RANGE_NO_CHANGE:
        return COURSE_SAME;
    case RANGE_UNCERTAIN:
        return COURSE_UNCERTAIN;
    default:
        return by_sign(change);
    }
}

static size_t tell_scores(const struct course *course, struct course_told *told)
{
    size_t count = 0;
    for (int what = COURSE_PAIN; what <= COURSE_ODI; what++) {
        struct course_told *of = &told[count];
        *of = (struct course_told){.what = (enum course_what)what};
        for (size_t i = 0; i < course->session_count; i++) {
            const struct course_session *session = &course->sessions[i];
            int score = score_of(session, (enum course_what)what);
            if (score != SESSION_NO_SCORE)
                add(of, session->opened_ms, score);
        }
        count += of->count > 0;
    }
    return count;
}

/* One of this movement already; else the place for it. NULL: there is none. */
static struct course_told *range_told(struct course_told *told, size_t *count, size_t from,
                                      const struct report_range *range)
{
    for (size_t i = from; i < *count; i++)
        if (strcmp(told[i].metric, range->metric) == 0 && told[i].direction == range->direction)
            return &told[i];
    if (*count == COURSE_TOLD_MAX)
        return NULL;
    told[*count] = (struct course_told){
        .what = COURSE_RANGE, .metric = range->metric, .direction = range->direction};
    return &told[(*count)++];
}

size_t course_tell(const struct course *course, struct course_told told[COURSE_TOLD_MAX])
{
    size_t count = tell_scores(course, told), scores = count;
    for (size_t i = 0; i < course->range_count; i++) {
        const struct report_range *range = &course->ranges[i].of;
        struct course_told *of = range_told(told, &count, scores, range);
        if (of != NULL)
            add(of, range->at_ms, range->best);
    }
    for (size_t i = 0; i < count; i++)
        told[i].verdict = judge(&told[i]);
    return count;
}

/* ---- In words ---- */

static const char *const subjects[][REPORT_LANGUAGES] = {
    [COURSE_PAIN] = {"Pain before a treatment", "Schmerz vor einer Behandlung"},
    [COURSE_RMDQ] = {"Roland-Morris (RMDQ)", "Roland-Morris (RMDQ)"},
    [COURSE_ODI] = {"Oswestry (ODI)", "Oswestry (ODI)"},
};

static const char *const scores[][REPORT_LANGUAGES] = {
    [COURSE_ONCE] = {"told once; nothing to hold it against.",
                     "einmal erhoben; nichts, woran es zu messen wäre."},
    [COURSE_SAME] = {"no change that matters to people.", "keine Änderung, die Menschen spüren."},
    [COURSE_LESS] = {"less, by as much as matters to people.",
                     "weniger, um so viel, wie Menschen spüren."},
    [COURSE_MORE] = {"more, by as much as matters to people.",
                     "mehr, um so viel, wie Menschen spüren."},
};

static const char *const ranges[][REPORT_LANGUAGES] = {
    [COURSE_ONCE] = {"tested once; nothing to hold it against.",
                     "einmal getestet; nichts, woran es zu messen wäre."},
    [COURSE_SAME] = {"no change beyond measurement error.",
                     "keine Änderung über den Messfehler hinaus."},
    [COURSE_UNCERTAIN] = {"a change that may be measurement error (5 to 15 degrees by method).",
                          "eine Änderung, die Messfehler sein kann (je nach Verfahren 5 bis 15 "
                          "Grad)."},
    [COURSE_LESS] = {"less, beyond measurement error.", "weniger, über den Messfehler hinaus."},
    [COURSE_MORE] = {"more, beyond measurement error.", "mehr, über den Messfehler hinaus."},
};

void course_say(struct text *text, const struct course_told *told, const char *title,
                enum report_language language)
{
    if (told->what != COURSE_RANGE) {
        text_add(text, "%s: %s", subjects[told->what][language], scores[told->verdict][language]);
        return;
    }
    text_add(text, language == REPORT_GERMAN ? "Bewegungsumfang" : "Range of motion");
    text_add(text, ", %s %s: %s", report_term(language, title), told->direction < 0 ? "−" : "+",
             ranges[told->verdict][language]);
}

const char *course_verdict_name(enum course_verdict verdict)
{
    static const char *const names[] = {[COURSE_ONCE] = "once",
                                        [COURSE_SAME] = "same",
                                        [COURSE_UNCERTAIN] = "uncertain",
                                        [COURSE_LESS] = "less",
                                        [COURSE_MORE] = "more"};
    return names[verdict];
}

const char *course_what_name(enum course_what what)
{
    static const char *const names[] = {[COURSE_PAIN] = "pain",
                                        [COURSE_RMDQ] = "rmdq",
                                        [COURSE_ODI] = "odi",
                                        [COURSE_RANGE] = "range"};
    return names[what];
}

struct session_dose course_dose(const struct course_session *session)
{
    struct session_dose sum = {0};
    for (uint32_t i = 0; i < BODY_REGIONS_MAX; i++) {
        sum.time_ms += session->doses[i].time_ms;
        sum.intensity_ms += session->doses[i].intensity_ms;
    }
    return sum;
}
