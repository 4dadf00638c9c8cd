#include "core/pauses.h"

#include <string.h>

#include "base/text.h"

static const char *const names[PAUSE_KINDS_] = {[PAUSE_AUDIO] = "audio", [PAUSE_ALARM] = "alarm"};

const char *pause_word(enum pause_kind kind)
{
    return names[kind];
}

bool pause_find(const char *word, enum pause_kind *kind)
{
    for (int i = 0; i < PAUSE_KINDS_; i++)
        if (strcmp(names[i], word) == 0) {
            *kind = (enum pause_kind)i;
            return true;
        }
    return false;
}

void pauses_begin(struct pauses *pauses, uint32_t room, enum pause_kind kind, int64_t now_ms,
                  int64_t until_ms, const char *who)
{
    struct pause *pause = &pauses->rooms[room][kind];
    struct text name = text_in(pause->hand.who, sizeof(pause->hand.who));
    pause->until_ms = until_ms;
    pause->hand.at_ms = now_ms;
    pause->hand.who[0] = '\0';
    text_add(&name, "%s", who);
    pauses->change++;
}

bool pauses_end(struct pauses *pauses, uint32_t room, enum pause_kind kind)
{
    if (!pauses_has(pauses, room, kind))
        return false;
    pauses->rooms[room][kind] = (struct pause){.until_ms = 0};
    pauses->change++;
    return true;
}

bool pauses_has(const struct pauses *pauses, uint32_t room, enum pause_kind kind)
{
    return room <= CONFIG_ROOMS_MAX && pauses->rooms[room][kind].until_ms != 0;
}

void pauses_tick(struct pauses *pauses, int64_t now_ms, pauses_end_cb *on_end, void *user)
{
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++)
        for (int kind = 0; kind < PAUSE_KINDS_; kind++) {
            const struct pause *pause = &pauses->rooms[room][kind];
            if (pause->until_ms == 0 || now_ms < pause->until_ms)
                continue;
            pauses_end(pauses, room, (enum pause_kind)kind);
            on_end(user, room, (enum pause_kind)kind);
        }
}

static uint32_t room_of(const struct config *config, const char *name)
{
    for (uint32_t i = 0; i < config->room_count; i++)
        if (strcmp(config->rooms[i].name, name) == 0)
            return i + 1;
    return 0;
}

void pauses_adopt(struct pauses *pauses, const struct config *old, const struct config *config)
{
    struct pauses fresh = {.change = pauses->change + 1};
    for (uint32_t i = 0; i < old->room_count; i++) {
        uint32_t room = room_of(config, old->rooms[i].name);
        if (room != 0)
            memcpy(fresh.rooms[room], pauses->rooms[i + 1], sizeof(fresh.rooms[room]));
    }
    *pauses = fresh;
}
