/* Pauses of rooms: kept, told, ended. */
#include <string.h>

#include "base/log.h"
#include "hub.h"
#include "io/store_rows.h"

static const char *name_of(const struct lumbard *hub, uint32_t room)
{
    return hub->setup.config->rooms[room - 1].name;
}

/* As it is: with its row, or without one. */
static void store(struct lumbard *hub, uint32_t room, enum pause_kind kind)
{
    const struct pause *pause = &hub->pauses.rooms[room][kind];
    const struct store_value row[] = {store_text(name_of(hub, room)), store_text(pause_word(kind)),
                                      store_int(pause->hand.at_ms), store_int(pause->until_ms),
                                      store_text(pause->hand.who)};
    bool stored = pauses_has(&hub->pauses, room, kind)
                      ? store_put(hub->store, STORE_PAUSE, row, 5)
                      : store_remove(hub->store, STORE_PAUSE, row, 2);
    hub->unstored.pauses |= !stored;
}

void hub_store_pauses_again(struct lumbard *hub)
{
    if (!hub->unstored.pauses)
        return;
    hub->unstored.pauses = false;
    for (uint32_t room = 1; room <= hub->setup.config->room_count; room++)
        for (int kind = 0; kind < PAUSE_KINDS_; kind++)
            store(hub, room, (enum pause_kind)kind);
}

void hub_begin_pause(struct lumbard *hub, uint32_t room, enum pause_kind kind, int64_t until_ms,
                     const char *who)
{
    pauses_begin(&hub->pauses, room, kind, hub_now_ms(hub), until_ms, who);
    const struct pause *pause = &hub->pauses.rooms[room][kind];
    store(hub, room, kind);
    log_notice("%s: %s paused for %lld s by %s", hub_room_title(hub, room), pause_word(kind),
               (long long)(until_ms - pause->hand.at_ms) / 1000, pause->hand.who);
    web_alarm(hub->web);
}

/* Who was not called meanwhile is called now. */
static void on_end(void *user, uint32_t room, enum pause_kind kind)
{
    struct lumbard *hub = user;
    store(hub, room, kind);
    log_notice("%s: %s no longer paused", hub_room_title(hub, room), pause_word(kind));
    if (kind == PAUSE_ALARM)
        hub_call_again(hub, room);
    web_alarm(hub->web);
}

bool hub_end_pause(struct lumbard *hub, uint32_t room, enum pause_kind kind)
{
    if (!pauses_end(&hub->pauses, room, kind))
        return false;
    on_end(hub, room, kind);
    return true;
}

void hub_tick_pauses(struct lumbard *hub, int64_t now_ms)
{
    pauses_tick(&hub->pauses, now_ms, on_end, hub);
}

/* What is silenced is what somebody heard: not what begins now. */
void hub_note_pauses(struct lumbard *hub, const struct alarm *alarm, uint32_t room)
{
    bool begins = alarm->deed == DEED_RAISE || alarm->deed == DEED_SHOW ||
                  alarm->deed == DEED_EXPIRE || alarm->deed == DEED_ESCALATE;
    if (begins && alarm_waits(alarm->state) && alarm->shelved_until_ms == 0 && alarm->behind == 0)
        hub_end_pause(hub, room, PAUSE_AUDIO);
}

static void on_row(void *user, const struct store_value *values, unsigned count)
{
    struct lumbard *hub = user;
    const struct config *config = hub->setup.config;
    enum pause_kind kind;
    (void)count;
    if (values[0].text == NULL || values[1].text == NULL || !pause_find(values[1].text, &kind))
        return; /* the file is damaged */
    for (uint32_t room = 1; room <= config->room_count; room++)
        if (strcmp(config->rooms[room - 1].name, values[0].text) == 0)
            pauses_begin(&hub->pauses, room, kind, values[2].integer, values[3].integer,
                         values[4].text != NULL ? values[4].text : "");
}

int hub_load_pauses(struct lumbard *hub, struct diag *diag)
{
    return store_load(hub->store, STORE_PAUSE, NULL, on_row, hub, diag);
}
