/* Who is told outside of the clinic: of alarms that are high, of those that nobody acknowledged in
 * their time, and of the end of both. */
#include <string.h>

#include "api/api.h"
#include "base/log.h"

int hub_open_webhook(struct lumbard *hub, struct diag *diag)
{
    struct webhook_target *target;
    int code = setup_webhook(hub->setup.config, &target, diag);
    if (code == 0)
        code = webhook_create(&hub->webhook, &hub->loop, WEBHOOK_PATIENCE, diag);
    if (code != 0) {
        webhook_target_destroy(target);
        return code;
    }
    webhook_aim(hub->webhook, target);
    return 0;
}

static bool is_high(const struct alarm *alarm)
{
    return alarm_priority(alarm) == PRIORITY_HIGH || alarm->escalated > 0;
}

static bool is_answered(enum alarm_deed deed)
{
    return deed == DEED_CLEAR || deed == DEED_ACK || deed == DEED_SHELVE || deed == DEED_RESET ||
           deed == DEED_UNSHELVE || deed == DEED_HIDE || deed == DEED_END;
}

/* Waits for somebody, or was told to and does not any more. */
static bool concerns(const struct alarm *alarm)
{
    bool waits = alarm_waits(alarm->state) && alarm->shelved_until_ms == 0 && alarm->behind == 0;
    bool begins = alarm->deed == DEED_RAISE || alarm->deed == DEED_ESCALATE ||
                  alarm->deed == DEED_UNACK || alarm->deed == DEED_EXPIRE ||
                  alarm->deed == DEED_REMIND || alarm->deed == DEED_SHOW;
    return is_high(alarm) && ((begins && waits) || is_answered(alarm->deed));
}

static void post(struct lumbard *hub, const struct alarm *alarm, const char *event, int64_t at_ms)
{
    char body[WEBHOOK_BODY_BYTES];
    json_t *object = api_alarm(hub, alarm);
    json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "clinic", json_string(hub->setup.config->clinic));
    json_object_set_new(object, "at", api_instant(at_ms));
    size_t bytes = json_dumpb(object, body, sizeof(body), JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (bytes == 0 || bytes > sizeof(body) || webhook_post(hub->webhook, body, bytes) != 0)
        log_error("webhook: alarm %llu is too long to be told", (unsigned long long)alarm->number);
    json_decref(object);
}

static uint32_t room_of(const struct lumbard *hub, const struct alarm *alarm)
{
    return devices_at(hub->ingest.devices, alarm->device)->room;
}

void hub_call(struct lumbard *hub, const struct alarm *alarm)
{
    if (webhook_is_aimed(hub->webhook) && concerns(alarm) &&
        !pauses_has(&hub->pauses, room_of(hub, alarm), PAUSE_ALARM))
        post(hub, alarm, alarm_deed_word(alarm->deed), alarm->deed_ms);
}

/* What was on its way when the hub ended may not have come there; of a room that was paused nothing
 * went out. */
void hub_call_again(struct lumbard *hub, uint32_t room)
{
    for (const struct alarm *at = NULL; (at = alarms_next(hub->ingest.alarms, at)) != NULL;)
        if (webhook_is_aimed(hub->webhook) && is_high(at) && alarm_waits(at->state) &&
            at->shelved_until_ms == 0 && at->behind == 0 && (room == 0 || room_of(hub, at) == room))
            post(hub, at, "stands", hub_now_ms(hub));
}
