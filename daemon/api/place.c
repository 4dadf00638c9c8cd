/* The room of a device: as it is configured, or where somebody put it. */
#include "api/api.h"

#include <stdio.h>
#include <string.h>

/* Another one with every placement: who looked at the one before is asked to look again. */
static void tag_place(const struct lumbard *hub, const struct device *device,
                      char tag[API_TAG_BYTES])
{
    const struct placement *placement = placements_of(hub->placements, device->id);
    char text[PLACEMENT_ROOM_BYTES + 48];
    snprintf(text, sizeof(text), "%s at %lld",
             device->room != ROOM_NONE ? hub->setup.config->rooms[device->room - 1].name : "",
             placement != NULL ? (long long)placement->at_ms : 0);
    api_tag(tag, text);
}

static json_t *place_of(const struct lumbard *hub, const struct device *device,
                        const char tag[API_TAG_BYTES])
{
    const struct placement *placement = placements_of(hub->placements, device->id);
    uint32_t configured = placements_configured(hub->setup.config, device);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "device", api_device_name(device), "room",
                     api_room_name(hub, device->room), "configured", api_room_name(hub, configured),
                     "by", placement != NULL ? json_string(placement->who) : json_null(), "at",
                     api_instant(placement != NULL ? placement->at_ms : 0), "tag", tag);
}

enum api_outcome api_get_place(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    const struct device *device = api_path_device(hub, call, answer);
    if (device == NULL)
        return API_DONE;
    tag_place(hub, device, answer->tag);
    return api_give(answer, 200, place_of(hub, device, answer->tag));
}

/* A room's name, or null for none; false: answered. */
static bool read_room(const struct lumbard *hub, struct api_reader *reader, uint32_t *room,
                      struct api_answer *answer)
{
    const json_t *given = json_object_get(reader->call->body, "room");
    *room = ROOM_NONE;
    const char *name =
        json_is_null(given) ? "" : api_text(reader, "room", 1, PLACEMENT_ROOM_BYTES - 1, NULL);
    if (reader->complaint[0] != '\0') {
        api_refuse(reader, answer);
        return false;
    }
    if (name[0] != '\0' && (*room = api_room_named(hub, name)) == ROOM_NONE) {
        api_problem(answer, 404, "There is no room '%.60s'.", name);
        return false;
    }
    return true;
}

enum api_outcome api_put_place(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    struct diag diag = {0};
    char tag[API_TAG_BYTES];
    uint32_t room;
    struct device *device = api_path_device(hub, call, answer);
    if (device == NULL)
        return API_DONE;
    const char *who = api_who(&reader);
    tag_place(hub, device, tag);
    if (!read_room(hub, &reader, &room, answer) || !api_may_edit(call, tag, answer))
        return API_DONE;
    int code = hub_place(hub, device, room, who, &diag);
    if (code != 0)
        return api_complain(answer, code, &diag);
    tag_place(hub, device, answer->tag);
    return api_stored(hub, call, answer, 200, place_of(hub, device, answer->tag));
}
