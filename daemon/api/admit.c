/* Who may ask for what: each request is held against its row of the table and the room that it is
 * about. What the hub serves is open to nobody by any other way. */
#include "audit.h"

#include <stdlib.h>
#include <string.h>

/* ROOM_NONE: it is in none, or is not known, which its handler says. */
struct place {
    bool known;
    uint32_t room;
};

static struct place place_of_room(const struct lumbard *hub, const char *name)
{
    uint32_t room = name != NULL ? api_room_named(hub, name) : ROOM_NONE;
    return (struct place){room != ROOM_NONE, room};
}

static struct place place_of_device(const struct lumbard *hub, const char *name)
{
    const struct device *device = name != NULL ? api_find_device(hub, name) : NULL;
    return (struct place){device != NULL, device != NULL ? device->room : ROOM_NONE};
}

static struct place place_of_path_device(const struct lumbard *hub, const struct api_call *call)
{
    char name[2 * API_ID_BYTES];
    snprintf(name, sizeof(name), "%s/%s", call->ids[0], call->ids[1]);
    return place_of_device(hub, name);
}

static struct place place_of_alarm(const struct lumbard *hub, const char *number)
{
    const struct alarm *alarm = alarms_by_number(hub->ingest.alarms, strtoull(number, NULL, 10));
    if (alarm == NULL)
        return (struct place){false, ROOM_NONE};
    return (struct place){true, devices_at(hub->ingest.devices, alarm->device)->room};
}

static struct place place_of_session(const struct lumbard *hub, const char *id)
{
    const struct session *session = sessions_find(hub->ingest.sessions, strtoull(id, NULL, 10));
    return (struct place){session != NULL, session != NULL ? session->room : ROOM_NONE};
}

static bool sees(const struct api_call *call, struct place place)
{
    return !place.known || api_sees(call, place.room);
}

/* What the body of an order names beside the session: where it moves to, what is put into it. */
static bool sees_named(const struct lumbard *hub, const struct api_call *call)
{
    return sees(call, place_of_room(hub, json_string_value(json_object_get(call->body, "room")))) &&
           sees(call,
                place_of_device(hub, json_string_value(json_object_get(call->body, "device"))));
}

/* Where the body puts the device of the path; null: out of any room. */
static bool sees_new_place(const struct lumbard *hub, const struct api_call *call)
{
    const json_t *room = json_object_get(call->body, "room");
    return room == NULL ||
           (json_is_null(room) ? api_sees(call, ROOM_NONE)
                               : sees(call, place_of_room(hub, json_string_value(room))));
}

static bool is_theirs(const struct lumbard *hub, enum access_scope scope,
                      const struct api_call *call)
{
    switch (scope) {
    case SCOPE_NONE:
    case SCOPE_LISTS:
    case SCOPE_RECORD: /* its handler looks when it has read it */
    case SCOPES_:
        break;
    case SCOPE_ROOM:
        return sees(call, place_of_room(hub, call->ids[0]));
    case SCOPE_INTO:
        return sees_named(hub, call);
    case SCOPE_DEVICE:
        return sees(call, place_of_path_device(hub, call)) && sees_new_place(hub, call);
    case SCOPE_MEASURE: /* one that was heard by a run before may have been anywhere */
        return api_sees(call, place_of_device(hub, api_query(call, "device")).room);
    case SCOPE_ALARM:
        return sees(call, place_of_alarm(hub, call->ids[0]));
    case SCOPE_SESSION:
        return sees(call, place_of_session(hub, call->ids[0])) && sees_named(hub, call);
    }
    return true;
}

bool hub_admit(void *user, const struct api_endpoint *endpoint, const struct api_call *call,
               struct api_answer *answer)
{
    static const struct access nobody = {.kind = ACCESS_NOBODY, .role = ROLE_NONE};
    const struct access *who = call->request->who != NULL ? call->request->who : &nobody;
    bool changes = call->request->method != API_GET;
    (void)user;
    if (!access_may(who, endpoint->may, changes)) {
        if (who->kind == ACCESS_NOBODY)
            api_problem(answer, 401, "Log in first.");
        else
            api_problem(answer, 403, "Your account (%s) may not do this.",
                        access_role_name(who->role));
        return false;
    }
    /* A browser says whose page it is that changes something; what is no browser has no cookie. */
    if (changes && who->kind == ACCESS_LOGIN && !call->request->origin) {
        api_problem(answer, 403, "What changes something says its Origin.");
        return false;
    }
    return true;
}

bool hub_admit_room(void *user, const struct api_endpoint *endpoint, const struct api_call *call,
                    struct api_answer *answer)
{
    hub_name_subject(user, endpoint, call);
    if (is_theirs(user, endpoint->scope, call))
        return true;
    api_problem(answer, 403, API_NOT_THEIRS);
    return false;
}
