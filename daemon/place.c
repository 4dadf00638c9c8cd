/* Devices that people put into another room than the configuration gives them: kept, told, ended.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "hub.h"
#include "io/store_rows.h"

static const char *name_of(const struct lumbard *hub, uint32_t room)
{
    return room == ROOM_NONE ? "" : hub->setup.config->rooms[room - 1].name;
}

/* As it is: with its row, or without one. */
static void store(struct lumbard *hub, const struct device *device)
{
    const struct placement *placement = placements_of(hub->placements, device->id);
    const char *kind = device->driver->plugin->kind;
    if (placement == NULL) {
        const struct store_value key[] = {store_text(kind), store_text(device->name)};
        hub->unstored.places |= !store_remove(hub->store, STORE_PLACEMENT, key, 2);
        return;
    }
    const struct store_value row[] = {
        store_text(kind),
        store_text(device->name),
        store_text(placement->room),
        store_text(placement->configured),
        store_int(placement->at_ms),
        store_text(placement->who),
    };
    hub->unstored.places |=
        !store_put(hub->store, STORE_PLACEMENT, row, sizeof(row) / sizeof(row[0]));
}

void hub_store_placements_again(struct lumbard *hub)
{
    if (!hub->unstored.places)
        return;
    hub->unstored.places = false;
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++)
        store(hub, devices_at(hub->ingest.devices, id));
}

/* ---- moving ---- */

/* What it says of its alarms, the broker is to be told of the room in which it is now. */
static void tell_alarms(struct lumbard *hub, const struct device *device, bool moved)
{
    for (const struct alarm *at = NULL; (at = alarms_next(hub->ingest.alarms, at)) != NULL;) {
        if (at->device != device->id || at->state == STATE_OFF)
            continue;
        publisher_mark(hub->publisher, device->room, at->rule);
        if (moved && !store_alarm_room(hub->store, at, device, name_of(hub, device->room)) &&
            hub->unstored.alarm == 0)
            hub->unstored.alarm = at->change;
    }
}

/* The alarms of the room that it leaves are those of the room that it comes to, and what it has
 * begun in a session ends, with its times. */
static void move(struct lumbard *hub, struct device *device, uint32_t room, const char *who)
{
    if (device->room == room)
        return;
    log_notice("%s/%s: from %s to %s, by %s", device->driver->plugin->kind, device->name,
               hub_room_title(hub, device->room), hub_room_title(hub, room), who);
    tell_alarms(hub, device, false);
    devices_assign(hub->ingest.devices, device, room);
    tell_alarms(hub, device, true);
    hub_tick_sessions(hub, hub_now_ms(hub));
    hub_publish(hub);
    web_alarm(hub->web);
}

int hub_place(struct lumbard *hub, struct device *device, uint32_t room, const char *who,
              struct diag *diag)
{
    uint32_t configured = placements_configured(hub->setup.config, device);
    bool placed = placements_of(hub->placements, device->id) != NULL;
    if (device->room == room && placed == (room != configured))
        return 0; /* asked once more */
    struct placement placement = {.at_ms = hub_now_ms(hub)};
    snprintf(placement.room, sizeof(placement.room), "%s", name_of(hub, room));
    snprintf(placement.configured, sizeof(placement.configured), "%s", name_of(hub, configured));
    snprintf(placement.who, sizeof(placement.who), "%s", who);
    if (room == configured)
        placements_drop(hub->placements, device->id);
    else if (!placements_put(hub->placements, device->id, &placement))
        return diag_set(diag, ERR_MEMORY, "no memory for where %s is", device->name);
    store(hub, device);
    move(hub, device, room, placement.who);
    return 0;
}

/* ---- what the configuration says ---- */

static void on_end(void *user, const struct device *device, const struct placement *placement)
{
    struct lumbard *hub = user;
    const struct store_value key[] = {store_text(device->driver->plugin->kind),
                                      store_text(device->name)};
    log_notice("%s/%s: the configuration is newer than that %s put it into %s",
               device->driver->plugin->kind, device->name, placement->who,
               placement->room[0] != '\0' ? placement->room : "no room");
    hub->unstored.places |= !store_remove(hub->store, STORE_PLACEMENT, key, 2);
}

void hub_adopt_placements(struct lumbard *hub)
{
    placements_adopt(hub->placements, hub->ingest.devices, hub->setup.config, on_end, hub);
}

int hub_open_placements(struct lumbard *hub, struct diag *diag)
{
    hub->placements = placements_create((uint32_t)hub->setup.config->devices.max);
    hub->ingest.placements = hub->placements;
    return hub->placements != NULL ? 0 : diag_set(diag, ERR_MEMORY, "no memory for placements");
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    struct placement placement = {.at_ms = values[4].integer};
    char name[2 * PLACEMENT_ROOM_BYTES];
    (void)count;
    for (int i = 0; i <= 5; i++)
        if (i != 4 && values[i].text == NULL)
            return; /* the file is damaged */
    snprintf(name, sizeof(name), "%s/%s", values[0].text, values[1].text);
    const struct driver *driver = ingest_driver_of(&hub->setup.drivers, name);
    struct device *device = driver == NULL ? NULL
                                           : devices_hear(hub->ingest.devices, driver,
                                                          values[1].text, strlen(values[1].text));
    if (device == NULL)
        return; /* its plugin is gone, or so many devices may not be; its row stays */
    snprintf(placement.room, sizeof(placement.room), "%s", values[2].text);
    snprintf(placement.configured, sizeof(placement.configured), "%s", values[3].text);
    snprintf(placement.who, sizeof(placement.who), "%s", values[5].text);
    placements_put(hub->placements, device->id, &placement);
}

int hub_load_placements(struct lumbard *hub, struct diag *diag)
{
    int code = store_load(hub->store, STORE_PLACEMENT, NULL, on_row, hub, diag);
    if (code != 0)
        return code;
    hub_adopt_placements(hub);
    for (uint32_t id = 1; id <= devices_count(hub->ingest.devices); id++) {
        struct device *device = devices_at(hub->ingest.devices, id);
        devices_assign(hub->ingest.devices, device,
                       placements_room(hub->placements, hub->setup.config, device));
    }
    return 0;
}
