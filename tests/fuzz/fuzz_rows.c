/*
 * A session as its rows may stand in a file that somebody else wrote, or a disk has changed: it is
 * read whole or said to be bad, and what is taken up can go on.
 *
 * An input is lines, each a row: the table (s, d, p, n: session, device, phase, note; r: of a test
 * of range), and its values behind tabs: "i12" a number, "tabc" a text, anything else is none.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/sessions.h"
#include "io/store_session_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_MAX 256
#define NOW      INT64_C(1793000000000)

static struct row {
    char table;
    struct store_value values[STORE_COLUMNS_MAX];
} rows[ROWS_MAX];
static size_t row_count;

static void must(bool truth)
{
    if (!truth)
        abort(); /* in every build */
}

static struct store_value value_of(const char *word)
{
    if (word != NULL && word[0] == 'i')
        return store_int(strtoll(word + 1, NULL, 10));
    return word != NULL && word[0] == 't' ? store_text(word + 1) : store_null();
}

static void read_rows(char *text)
{
    for (row_count = 0; text != NULL && row_count < ROWS_MAX; row_count++) {
        char *line = strsep(&text, "\n");
        rows[row_count].table = line[0];
        strsep(&line, "\t");
        for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
            rows[row_count].values[i] = value_of(line != NULL ? strsep(&line, "\t") : NULL);
    }
}

static int give(void *user, enum store_table table, const char *where, store_row_cb *each,
                void *reading)
{
    static const char names[STORE_TABLES_] = {[STORE_SESSION] = 's',
                                              [STORE_SESSION_DEVICE] = 'd',
                                              [STORE_SESSION_PHASE] = 'p',
                                              [STORE_SESSION_NOTE] = 'n'};
    (void)user;
    must(where[0] != '\0');
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].table != names[table])
            continue;
        each(reading, rows[i].values, STORE_COLUMNS_MAX);
        if (table == STORE_SESSION) /* of a number there is one */
            break;
    }
    return 0;
}

static void check(struct session *session, const struct session_reading *reading)
{
    must(session->device_count <= SESSION_DEVICES_MAX);
    must(session->note_count <= SESSION_NOTES_MAX);
    must(session->plan.phase_count <= PLAN_PHASES_MAX);
    for (uint32_t i = 0; i < session->device_count; i++) {
        must(memchr(reading->devices[i], '\0', sizeof(reading->devices[i])) != NULL);
        session->devices[i].device = 1 + i % 4;
    }
}

/* What is taken up answers as any other, and ends. */
static void go_on(const struct session *session, struct sessions *sessions, struct devices *devices)
{
    static const struct session_order orders[] = {{.op = SESSION_PAUSE},
                                                  {.op = SESSION_RESUME},
                                                  {.op = SESSION_NEXT},
                                                  {.op = SESSION_NOTE, .text = "x"},
                                                  {.op = SESSION_END}};
    double low, high;
    if (sessions_restore(sessions, session, NULL) != 0)
        return;
    sessions_limit(sessions, 1, 0, &low, &high);
    sessions_phase(sessions, 1);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        sessions_do(sessions, session->id, &orders[i], devices, NOW, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session_reading reading;
    struct drivers drivers;
    struct body body;
    struct report_range range;
    char *text = strndup((const char *)data, size);
    must(text != NULL);
    clinic_init(&drivers);
    body_init(&body, &drivers);
    struct devices *devices = devices_create(4, 1000);
    struct sessions *sessions = sessions_create(4, &drivers, &body, NULL, NULL);
    for (unsigned i = 0; i < 4; i++)
        devices_hear(devices, &drivers.list[0], (char[]){(char)('a' + i), '\0'}, 1);
    read_rows(text);
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].table == 'r' && session_read_range(rows[i].values, &range))
            must(range.direction == 1 || range.direction == -1);
    reading.drivers = &drivers;
    reading.body = &body;
    must(session_read(&reading, 1, give, NULL) == 0 && reading.body_json == NULL);
    check(&reading.session, &reading);
    reading.session.room = 1;
    if (!reading.bad)
        go_on(&reading.session, sessions, devices);
    sessions_destroy(sessions);
    devices_destroy(devices);
    drivers_fini(&drivers);
    free(text);
    return 0;
}
