#include "core/alarms.h"

#include <stdlib.h>

struct alarms {
    struct alarm *list;
    uint32_t used; /* entries that were ever taken */
    uint32_t standing;
    uint64_t change, numbers, overflow;
};

struct alarms *alarms_create(void)
{
    struct alarms *alarms = calloc(1, sizeof(*alarms));
    if (alarms == NULL)
        return NULL;
    alarms->list = calloc(ALARMS_MAX, sizeof(*alarms->list));
    if (alarms->list == NULL) {
        free(alarms);
        return NULL;
    }
    return alarms;
}

void alarms_destroy(struct alarms *alarms)
{
    if (alarms == NULL)
        return;
    free(alarms->list);
    free(alarms);
}

uint64_t alarms_change(const struct alarms *alarms)
{
    return alarms->change;
}

uint32_t alarms_standing(const struct alarms *alarms)
{
    return alarms->standing;
}

uint64_t alarms_overflow(const struct alarms *alarms)
{
    return alarms->overflow;
}

/* A walk over the table: transitions are rare, and a rule's state lies with the rule. */
static struct alarm *find(struct alarms *alarms, const struct rule *rule, uint32_t device)
{
    for (uint32_t i = 0; i < alarms->used; i++)
        if (alarms->list[i].rule == rule && alarms->list[i].device == device)
            return &alarms->list[i];
    return NULL;
}

/* A free entry, a new one, or the one that has been off the longest. NULL: all stand. */
static struct alarm *place(struct alarms *alarms)
{
    struct alarm *oldest = NULL;
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0)
            return alarm;
        if (alarm->presence == ALARM_OFF && (oldest == NULL || alarm->change < oldest->change))
            oldest = alarm;
    }
    if (alarms->used < ALARMS_MAX)
        return &alarms->list[alarms->used++];
    return oldest;
}

static const struct alarm *alarm_raise(struct alarms *alarms, struct alarm *alarm,
                                       const struct rule_event *event)
{
    if (alarm == NULL)
        alarm = place(alarms);
    if (alarm == NULL) {
        alarms->overflow++;
        return NULL;
    }
    *alarm = (struct alarm){
        .number = ++alarms->numbers,
        .rule = event->rule,
        .device = event->device,
        .presence = ALARM_ON,
        .raised_ms = event->time_ms,
        .since_ms = event->time_ms,
        .value = event->value,
        .limit = event->limit,
        .change = ++alarms->change,
    };
    alarms->standing++;
    return alarm;
}

static const struct alarm *alarm_end(struct alarms *alarms, struct alarm *alarm, int64_t now_ms)
{
    alarm->presence = ALARM_OFF;
    alarm->since_ms = now_ms;
    alarm->change = ++alarms->change;
    alarms->standing--;
    return alarm;
}

void alarms_go_on(struct alarms *alarms, uint64_t numbers, uint64_t change)
{
    alarms->numbers = numbers;
    alarms->change = change;
}

bool alarms_restore(struct alarms *alarms, const struct alarm *alarm)
{
    if (alarms->used == ALARMS_MAX)
        return false;
    alarms->list[alarms->used++] = *alarm;
    alarms->standing += alarm->presence == ALARM_ON;
    return true;
}

const struct alarm *alarms_take(struct alarms *alarms, const struct rule_event *event)
{
    struct alarm *alarm = find(alarms, event->rule, event->device);
    bool standing = alarm != NULL && alarm->presence == ALARM_ON;
    if (event->on == standing)
        return NULL;
    return event->on ? alarm_raise(alarms, alarm, event) : alarm_end(alarms, alarm, event->time_ms);
}

/* The rule that goes on where `old` ended: as rules_adopt() takes over its states. */
static const struct rule *heir(const struct rules *rules, const struct rule *old)
{
    const struct rule *rule = rules_find(rules, old->name);
    return rule != NULL && rule_continues(rule, old) ? rule : NULL;
}

void alarms_adopt(struct alarms *alarms, const struct rules *rules, int64_t now_ms,
                  alarms_change_cb *on_change, void *user)
{
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0)
            continue;
        const struct rule *rule = heir(rules, alarm->rule);
        if (rule != NULL) {
            alarm->rule = rule;
            continue;
        }
        if (alarm->presence == ALARM_ON)
            on_change(user, alarm_end(alarms, alarm, now_ms));
        *alarm = (struct alarm){.number = 0}; /* nobody could say any more what it was */
    }
}

const struct alarm *alarms_at(const struct alarms *alarms, uint32_t at)
{
    return at < alarms->used ? &alarms->list[at] : NULL;
}

const struct alarm *alarms_next(const struct alarms *alarms, const struct alarm *after)
{
    uint32_t i = after == NULL ? 0 : (uint32_t)(after - alarms->list) + 1;
    for (; i < alarms->used; i++)
        if (alarms->list[i].number != 0)
            return &alarms->list[i];
    return NULL;
}

const struct alarm *alarms_of_room(const struct alarms *alarms, const struct rule *rule,
                                   struct devices *devices, uint32_t room)
{
    const struct alarm *longest = NULL;
    for (uint32_t i = 0; i < alarms->used; i++) {
        const struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0 || alarm->presence != ALARM_ON || alarm->rule != rule)
            continue;
        const struct device *device = devices_at(devices, alarm->device);
        if (device == NULL || device->room != room)
            continue;
        if (longest == NULL || alarm->raised_ms < longest->raised_ms)
            longest = alarm;
    }
    return longest;
}
