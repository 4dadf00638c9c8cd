#include "api.h"

static const char *const deed_members[] = {"by", "why", NULL};
static const char *const shelve_members[] = {"by", "why", "seconds", NULL};

static const struct api_endpoint endpoints[] = {
    {API_GET, "/health", api_get_health, NULL},
    {API_GET, "/status", api_get_status, NULL},
    {API_GET, "/rooms", api_get_rooms, NULL},
    {API_GET, "/devices", api_get_devices, NULL},
    {API_GET, "/devices/{kind}/{name}", api_get_device, NULL},
    {API_GET, "/history", api_get_history, NULL},
    {API_GET, "/alarms", api_get_alarms, NULL},
    {API_GET, "/alarms/{number}", api_get_alarm, NULL},
    {API_POST, "/alarms/{number}/ack", api_ack_alarm, deed_members},
    {API_POST, "/alarms/{number}/unack", api_unack_alarm, deed_members},
    {API_POST, "/alarms/{number}/shelve", api_shelve_alarm, shelve_members},
    {API_POST, "/alarms/{number}/unshelve", api_unshelve_alarm, deed_members},
    {API_POST, "/alarms/{number}/reset", api_reset_alarm, deed_members},
};

struct api hub_api(struct lumbard *hub)
{
    return (struct api){endpoints, sizeof(endpoints) / sizeof(endpoints[0]), hub};
}

json_t *api_device_name(const struct device *device)
{
    return json_sprintf("%s/%s", device->driver->plugin->kind, device->name);
}

json_t *api_room_name(const struct lumbard *hub, uint32_t room)
{
    return room == ROOM_NONE ? json_null() : json_string(hub->setup.config->rooms[room - 1].name);
}
