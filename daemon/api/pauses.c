/* Pauses of rooms: no sound, or nobody called at all, for a time. Answered when it is on the disk.
 */
#include "api/api.h"

#include <string.h>

void api_add_pauses(json_t *object, const struct lumbard *hub, uint32_t room)
{
    json_t *paused = json_object();
    for (int kind = 0; kind < PAUSE_KINDS_; kind++) {
        const struct pause *pause = &hub->pauses.rooms[room][kind];
        if (pauses_has(&hub->pauses, room, (enum pause_kind)kind))
            json_object_set_new(paused, pause_word((enum pause_kind)kind),
                                json_pack("{s:o, s:s, s:o}", "at", api_instant(pause->hand.at_ms),
                                          "by", pause->hand.who, "until",
                                          api_instant(pause->until_ms)));
    }
    json_object_set_new(object, "paused", paused);
}

/* The room and what of it; false: answered. */
static bool read_what(const struct lumbard *hub, struct api_reader *reader, uint32_t *room,
                      enum pause_kind *kind, struct api_answer *answer)
{
    const char *what = api_text(reader, "what", 1, 16, NULL);
    *room = api_room_named(hub, reader->call->ids[0]);
    if (*room == ROOM_NONE)
        api_problem(answer, 404, "There is no room '%.60s'.", reader->call->ids[0]);
    else if (reader->complaint[0] != '\0')
        api_refuse(reader, answer);
    else if (!pause_find(what, kind))
        api_problem(answer, 422, "'what' is audio or alarm, not '%s'.", what);
    else
        return true;
    return false;
}

static enum api_outcome tell(struct lumbard *hub, const struct api_call *call,
                             struct api_answer *answer, uint32_t room)
{
    json_t *body = json_pack("{s:o}", "room", api_room_name(hub, room));
    api_add_pauses(body, hub, room);
    return api_stored(hub, call, answer, 200, body);
}

enum api_outcome api_pause_room(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint32_t room;
    enum pause_kind kind;
    const char *who = api_who(&reader);
    int64_t ms =
        1000 * api_integer(&reader, "seconds", PAUSE_MIN_MS / 1000, PAUSE_MAX_MS / 1000, 0);
    if (!read_what(hub, &reader, &room, &kind, answer))
        return API_DONE;
    hub_begin_pause(hub, room, kind, hub_now_ms(hub) + ms, who);
    return tell(hub, call, answer, room);
}

enum api_outcome api_resume_room(void *user, const struct api_call *call, struct api_answer *answer)
{
    struct lumbard *hub = user;
    struct api_reader reader = {.call = call};
    uint32_t room;
    enum pause_kind kind;
    api_who(&reader);
    if (!read_what(hub, &reader, &room, &kind, answer))
        return API_DONE;
    if (!hub_end_pause(hub, room, kind))
        return api_problem(answer, 409, "In this room %s is not paused.", pause_word(kind));
    return tell(hub, call, answer, room);
}
