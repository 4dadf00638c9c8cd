#include "core/placements.h"

#include <stdlib.h>
#include <string.h>

struct placements {
    uint32_t devices;
    struct placement *of[]; /* by id; 0 is nobody's */
};

struct placements *placements_create(uint32_t devices)
{
    struct placements *placements =
        calloc(1, sizeof(*placements) + ((size_t)devices + 1) * sizeof(placements->of[0]));
    if (placements != NULL)
        placements->devices = devices;
    return placements;
}

void placements_destroy(struct placements *placements)
{
    if (placements == NULL)
        return;
    for (uint32_t id = 1; id <= placements->devices; id++)
        free(placements->of[id]);
    free(placements);
}

const struct placement *placements_of(const struct placements *placements, uint32_t device)
{
    return placements != NULL && device <= placements->devices ? placements->of[device] : NULL;
}

bool placements_put(struct placements *placements, uint32_t device,
                    const struct placement *placement)
{
    if (device == 0 || device > placements->devices)
        return false;
    struct placement *own = placements->of[device];
    if (own == NULL)
        own = malloc(sizeof(*own));
    if (own == NULL)
        return false;
    *own = *placement;
    placements->of[device] = own;
    return true;
}

void placements_drop(struct placements *placements, uint32_t device)
{
    if (device > placements->devices)
        return;
    free(placements->of[device]);
    placements->of[device] = NULL;
}

uint32_t placements_configured(const struct config *config, const struct device *device)
{
    const char *kind = device->driver->plugin->kind;
    size_t kind_bytes = strlen(kind);
    for (uint32_t r = 0; config != NULL && r < config->room_count; r++) {
        const struct config_room *room = &config->rooms[r];
        for (uint32_t d = 0; d < room->device_count; d++) {
            const char *name = room->devices[d];
            if (strncmp(name, kind, kind_bytes) == 0 && name[kind_bytes] == '/' &&
                strcmp(name + kind_bytes + 1, device->name) == 0)
                return r + 1;
        }
    }
    return ROOM_NONE;
}

static uint32_t room_named(const struct config *config, const char *name)
{
    for (uint32_t r = 0; config != NULL && r < config->room_count; r++)
        if (strcmp(config->rooms[r].name, name) == 0)
            return r + 1;
    return ROOM_NONE;
}

uint32_t placements_room(const struct placements *placements, const struct config *config,
                         const struct device *device)
{
    const struct placement *placement = placements_of(placements, device->id);
    return placement != NULL ? room_named(config, placement->room)
                             : placements_configured(config, device);
}

/* Does the configuration say of it what it said when the device was placed, and know the room? */
static bool holds(const struct placement *placement, const struct device *device,
                  const struct config *config)
{
    uint32_t room = placements_configured(config, device);
    const char *configured = room != ROOM_NONE ? config->rooms[room - 1].name : "";
    return strcmp(configured, placement->configured) == 0 &&
           (placement->room[0] == '\0' || room_named(config, placement->room) != ROOM_NONE);
}

void placements_adopt(struct placements *placements, struct devices *devices,
                      const struct config *config, placements_end_cb *on_end, void *user)
{
    for (uint32_t id = 1; id <= devices_count(devices) && id <= placements->devices; id++) {
        const struct device *device = devices_at(devices, id);
        if (placements->of[id] == NULL || holds(placements->of[id], device, config))
            continue;
        on_end(user, device, placements->of[id]);
        placements_drop(placements, id);
    }
}
