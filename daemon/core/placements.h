/*
 * Placements: devices that people put into another room than the configuration gives them.
 *
 * Whose word is the newer one holds. A placement keeps what the configuration said of the device
 * when it was made; it ends when the configuration says something else of this device, or has no
 * such room any more, and when somebody puts the device where the configuration wants it.
 * Memory: one block a placed device, allocated when it is placed. Pure: time is given.
 */
#ifndef LUMBAR_CORE_PLACEMENTS_H
#define LUMBAR_CORE_PLACEMENTS_H

#include "core/alarms.h"
#include "core/config.h"
#include "core/devices.h"

#define PLACEMENT_ROOM_BYTES 64

struct placement {
    char room[PLACEMENT_ROOM_BYTES];       /* "" in none */
    char configured[PLACEMENT_ROOM_BYTES]; /* where the configuration had it then; "" in none */
    int64_t at_ms;
    char who[ALARM_WHO_BYTES];
};

struct placements;

/* For the ids 1..devices. NULL: no memory. */
struct placements *placements_create(uint32_t devices);
void placements_destroy(struct placements *placements);

/* Of this device; NULL: it is where the configuration wants it. */
const struct placement *placements_of(const struct placements *placements, uint32_t device);

/* Puts one, in the place of what was. False: no memory, and nothing changed. */
bool placements_put(struct placements *placements, uint32_t device,
                    const struct placement *placement);
void placements_drop(struct placements *placements, uint32_t device);

/* The room that the configuration gives this device, and the one where it belongs; ROOM_NONE: none.
 * config may be NULL; so may placements. */
uint32_t placements_configured(const struct config *config, const struct device *device);
uint32_t placements_room(const struct placements *placements, const struct config *config,
                         const struct device *device);

/* Another configuration: those that it overrules end, and on_end is called for each before that. */
typedef void placements_end_cb(void *user, const struct device *device,
                               const struct placement *placement);
void placements_adopt(struct placements *placements, struct devices *devices,
                      const struct config *config, placements_end_cb *on_end, void *user);

#endif
