/* A note of a tape, of any bytes: it is read whole or refused, and what is read lies in its bounds.
 * The first byte says which note; 'a' an account, whose text is read as well. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/tape_note.h"
#include "io/session_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

static void check_ends(const struct note_ends *list, uint32_t count, const struct drivers *drivers)
{
    demand(count <= NOTE_ENDS_MAX);
    for (uint32_t i = 0; i < count; i++)
        demand(list[i].metric < drivers->metric_count);
}

static void check_session(const struct tape_message *message, const struct drivers *drivers)
{
    struct note_session note;
    if (!note_read_session(&note, message, drivers))
        return;
    demand(note.session.id != 0 && strlen(note.phase) <= LUMBAR_NAME_MAX);
    check_ends(note.limits, note.limit_count, drivers);
    check_ends(note.own, note.own_count, drivers);
}

static void check_neutral(const struct tape_message *message, const struct drivers *drivers)
{
    struct neutral_zero zero;
    const struct driver *driver;
    char name[DEVICE_NAME_BYTES];
    if (!note_read_neutral(&zero, message, drivers, &driver, name))
        return;
    demand(strlen(name) > 0 && strlen(name) < DEVICE_NAME_BYTES &&
           zero.count <= CALIBRATION_ANGLES);
    for (uint32_t i = 0; i < zero.count; i++)
        demand(zero.angles[i].metric < driver->plugin->metric_count &&
               isfinite(zero.angles[i].deg));
}

/* What a table has to have, or a rebuilt file would take nothing at all. */
static void check_row(void *user, enum store_table table, const struct store_value *row,
                      unsigned count)
{
    const uint64_t *session = user;
    demand(count <= STORE_COLUMNS_MAX && row[0].type == STORE_INT &&
           row[0].integer == (int64_t)*session);
    if (table == STORE_SESSION)
        demand(row[3].type == STORE_TEXT && row[5].type == STORE_TEXT && row[7].type == STORE_INT &&
               row[9].type == STORE_INT && row[9].integer != 0 &&
               (strcmp(row[5].text, "done") == 0 || strcmp(row[5].text, "aborted") == 0));
    else
        demand(row[1].type == STORE_INT);
    for (unsigned i = 0; i < count; i++)
        demand(row[i].type != STORE_TEXT || strlen(row[i].text) == row[i].bytes);
}

static void check_account(const struct tape_message *message, const struct drivers *drivers)
{
    struct note_account piece;
    struct session_text *text;
    struct session_text_facts facts;
    struct body body;
    struct diag diag = {0};
    if (!note_read_account(&piece, message))
        return;
    demand(piece.session != 0 && piece.part < piece.parts &&
           piece.text + piece.bytes == (const char *)message->payload + message->payload_bytes);
    body_init(&body, drivers);
    if (session_text_read(&text, piece.session, piece.text, piece.bytes, drivers, &body, &diag) !=
        0)
        return;
    session_text_facts(text, &facts);
    demand(facts.state != SESSION_NONE && facts.notes <= SESSION_NOTES_MAX);
    session_text_rows(text, 1, check_row, &piece.session);
    session_text_destroy(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drivers drivers;
    if (size == 0)
        return 0;
    clinic_init(&drivers);
    if (data[0] == 'a') {
        const struct tape_message account = {.topic = NOTE_ACCOUNT,
                                             .topic_bytes = strlen(NOTE_ACCOUNT),
                                             .payload = data + 1,
                                             .payload_bytes = size - 1};
        check_account(&account, &drivers);
        drivers_fini(&drivers);
        return 0;
    }
    struct tape_message message = {.topic = data[0] % 2 == 0 ? NOTE_SESSION : NOTE_NEUTRAL,
                                   .topic_bytes = strlen(NOTE_SESSION),
                                   .payload = data + 1,
                                   .payload_bytes = size - 1};
    demand(strlen(NOTE_SESSION) == strlen(NOTE_NEUTRAL) && note_is(&message, NULL));
    check_session(&message, &drivers);
    check_neutral(&message, &drivers);
    drivers_fini(&drivers);
    return 0;
}
