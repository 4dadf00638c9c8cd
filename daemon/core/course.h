/*
 * The course of a client: sessions over months, dose against pain and range of motion, and what may
 * be said of it.
 *
 * A change is told only where it is more than the error of its measurement, and called one that
 * matters only where it matters to people (CLINIC.md): pain by 2 or 30 %, RMDQ by 5, ODI by 10
 * (Ostelo 2008); range of motion beyond the published MDC90 of 5 to 15 degrees, and in between
 * nobody knows. The first value of the span is held against the last. What caused a change is not
 * said: a course has no control.
 * Pure; the lists are the caller's.
 */
#ifndef LUMBAR_CORE_COURSE_H
#define LUMBAR_CORE_COURSE_H

#include "core/report.h"

#define RMDQ_MATTERS    5
#define ODI_MATTERS     10
#define COURSE_TOLD_MAX 24

struct course_session {
    uint64_t id;
    int64_t opened_ms, started_ms, ended_ms; /* 0: not yet */
    enum session_state state;
    char room[64], therapist[SESSION_THERAPIST_BYTES], plan[PLAN_TITLE_BYTES];
    int pain[SESSION_MOMENTS], rmdq, odi; /* SESSION_NO_SCORE: not told */
    bool adverse;
    struct session_dose doses[BODY_REGIONS_MAX]; /* by region of the body */
};

struct course_range {
    uint64_t session; /* 0: of none */
    struct report_range of;
};

struct course {
    const struct course_session *sessions; /* by their begin */
    size_t session_count;
    const struct course_range *ranges; /* by their time */
    size_t range_count;
};

enum course_what { COURSE_PAIN, COURSE_RMDQ, COURSE_ODI, COURSE_RANGE };

enum course_verdict {
    COURSE_ONCE,      /* one value: there is nothing to hold it against */
    COURSE_SAME,      /* no change beyond what measuring it again would give, or that matters */
    COURSE_UNCERTAIN, /* it may be measurement error */
    COURSE_LESS,
    COURSE_MORE,
};

/* What is told of one thing. */
struct course_told {
    enum course_what what;
    const char *metric; /* of a range; NULL */
    int direction;      /* of a range: its side */
    uint32_t count;     /* values */
    int64_t first_ms, last_ms;
    double first, last;
    enum course_verdict verdict;
};

/* Pain before each session, the scores, and each range that was tested. Returns how many. */
size_t course_tell(const struct course *course, struct course_told told[COURSE_TOLD_MAX]);

/* One sentence, without a value: "Pain: less, by as much as matters to people." `title`: of the
 * range's metric. */
struct text;
void course_say(struct text *text, const struct course_told *told, const char *title,
                enum report_language language);

const char *course_verdict_name(enum course_verdict verdict); /* "same" */
const char *course_what_name(enum course_what what);          /* "pain" */

/* Over all regions, in the unit of the intensity times minutes; and how long. */
struct session_dose course_dose(const struct course_session *session);

#endif
