/* What people do with an alarm: acknowledge, shelve, reset. Answered when it is on the disk. */
#include "api/api.h"

#include <string.h>

#define SHELF_MIN_S 1
#define SHELF_MAX_S 86400

static enum api_outcome deed(struct lumbard *hub, const struct api_call *call,
                             struct api_answer *answer, enum alarm_deed deed)
{
    struct api_reader reader = {.call = call};
    uint64_t number = api_id(&reader, 0);
    bool shelves = deed == DEED_SHELVE;
    struct alarm_order order = {
        .deed = deed,
        .now_ms = hub_now_ms(hub),
        .who = api_who(&reader),
        /* What is put out of sight has a reason. */
        .why = api_text(&reader, "why", shelves, ALARM_WHY_BYTES - 1, shelves ? NULL : ""),
    };
    if (shelves)
        order.until_ms =
            order.now_ms + 1000 * api_integer(&reader, "seconds", SHELF_MIN_S, SHELF_MAX_S, 0);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, answer);
    const struct alarm *alarm;
    int code = alarms_order(hub->ingest.alarms, number, &order, &alarm);
    if (code == ERR_UNKNOWN)
        return api_problem(answer, 404, "There is no alarm %llu.", (unsigned long long)number);
    if (code != 0)
        return api_problem(answer, 409, "Alarm %llu is %s%s: it cannot be %s.",
                           (unsigned long long)number, alarm_state_word(alarm->state),
                           alarm->shelved_until_ms != 0 ? " and shelved" : "",
                           alarm_deed_word(deed));
    hub_tell_alarm(hub, alarm);
    return api_stored(hub, call, answer, 200, api_alarm(hub, alarm));
}

enum api_outcome api_ack_alarm(void *user, const struct api_call *call, struct api_answer *answer)
{
    return deed(user, call, answer, DEED_ACK);
}

enum api_outcome api_unack_alarm(void *user, const struct api_call *call, struct api_answer *answer)
{
    return deed(user, call, answer, DEED_UNACK);
}

enum api_outcome api_shelve_alarm(void *user, const struct api_call *call,
                                  struct api_answer *answer)
{
    return deed(user, call, answer, DEED_SHELVE);
}

enum api_outcome api_unshelve_alarm(void *user, const struct api_call *call,
                                    struct api_answer *answer)
{
    return deed(user, call, answer, DEED_UNSHELVE);
}

enum api_outcome api_reset_alarm(void *user, const struct api_call *call, struct api_answer *answer)
{
    return deed(user, call, answer, DEED_RESET);
}
