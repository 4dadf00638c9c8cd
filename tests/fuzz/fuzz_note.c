/* A note of a tape, of any bytes: it is read whole or refused, and what is read lies in its bounds.
 * The first byte says which note. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/tape_note.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct drivers drivers;
    if (size == 0)
        return 0;
    clinic_init(&drivers);
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
