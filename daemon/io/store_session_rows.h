/*
 * The rows of one session, read into what they were: private to store*.c.
 *
 * Rooms, clients and devices are what the rows call them; who goes on with the session finds out
 * what those mean now. Any thread, if `rows` is for it: drivers and body never change.
 */
#ifndef LUMBAR_IO_STORE_SESSION_ROWS_H
#define LUMBAR_IO_STORE_SESSION_ROWS_H

#include <jansson.h>

#include "core/course.h"
#include "core/report.h"
#include "io/store_state.h"

/* What a start looks for; store_schema.c has an index for each. */
#define SESSIONS_UNDER_WAY "state IN ('planned', 'running', 'paused')"
#define SESSIONS_LAST      "ended_ms IS NOT NULL AND id IN (SELECT max(id) FROM session GROUP BY room)"

/* Places in a row of the table `session`, as they are loaded. */
enum {
    ID,
    CLIENT,
    PLAN,
    ROOM,
    THERAPIST,
    STATE,
    REASON,
    CREATED,
    STARTED,
    ENDED,
    PAIN_BEFORE,
    PAIN_AFTER,
    RMDQ,
    ODI,
    ADVERSE,
    BODY,
    COLUMNS
};

struct session_reading {
    const struct drivers *drivers; /* given */
    const struct body *body;

    struct session session; /* without client, room and ids of devices; id 0: there is none */
    char room[64];
    uint64_t client;                                        /* its number; 0: nobody */
    char devices[SESSION_DEVICES_MAX][REPORT_DEVICE_BYTES]; /* names of session.devices */
    uint32_t lost_bands; /* of the plan, as plan_parse_kept() has them */
    bool bad; /* it was made with what is no longer there, or cannot be read */
    json_t *body_json;
};

/* Calls `each` for the rows of a condition. */
typedef int session_rows_cb(void *user, enum store_table table, const char *where,
                            store_row_cb *each, void *reading);

/* What `rows` gave, where it was not 0. */
int session_read(struct session_reading *reading, uint64_t id, session_rows_cb *rows, void *user);

/* A session as its rows, the session's own first; false where one was not taken. */
typedef bool session_put(void *user, enum store_table table, const struct store_value *row,
                         unsigned count);
bool session_put_rows(const struct session *session, const struct store_clinic *clinic,
                      session_put *put, void *user);

/* What a session's row says of the dose, by region. */
void session_read_doses(const json_t *body_json, const struct body *body,
                        struct session_dose doses[BODY_REGIONS_MAX]);

/* A session of a course, from its row; without doses where `body` is NULL. */
void session_read_course(const struct store_value *values, const struct body *body,
                         struct course_session *session);

/* A test of a range, from a row of `calibration`; false: it is none. */
bool session_read_range(const struct store_value *values, struct report_range *range);

/* Of a value: 0, SESSION_NO_SCORE, "" where there is none. */
int64_t store_integer(const struct store_value *value);
int session_score(const struct store_value *value);
void store_copy_text(const struct store_value *value, char *out, size_t bytes);

enum session_state session_state_named(const char *name); /* SESSION_NONE: no state has this name */

#endif
