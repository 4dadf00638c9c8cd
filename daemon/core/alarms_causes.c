/*
 * Root causes. Hub and broker hide the signals that were lost since they were away, of all devices;
 * then a rule those of a room; then a rule those of a device. What is hidden hides nothing itself,
 * so whoever reads a cause reads all that is behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/alarms_table.h"

void alarms_blame(struct alarms *alarms, int64_t hub_ms, int64_t broker_ms)
{
    if (alarms->hub_ms != hub_ms || alarms->broker_ms != broker_ms)
        alarms->placed = UINT64_MAX;
    alarms->hub_ms = hub_ms;
    alarms->broker_ms = broker_ms;
}

/* Is it about a value that does not come? */
static bool is_silence(const struct alarm *alarm)
{
    return alarm->rule->technical &&
           (alarm->rule->condition == RULE_ABSENT || alarm_is_lost(alarm->state));
}

int64_t alarms_blamed(const struct alarms *alarms, const struct alarm *alarm)
{
    if (!is_silence(alarm))
        return 0;
    int64_t silent_ms = alarm_is_lost(alarm->state) ? alarm->lost_ms : alarm->raised_ms;
    if (alarms->broker_ms != 0 && silent_ms >= alarms->broker_ms)
        return BEHIND_BROKER;
    return alarms->hub_ms != 0 && silent_ms >= alarms->hub_ms ? BEHIND_HUB : 0;
}

/* ---- Which alarms are causes ---- */

/* What is out of sight itself, or over and only latched, hides nothing. */
static bool is_cause(const struct alarm *alarm)
{
    return alarm->number != 0 && alarm->rule->inhibits != INHIBITS_NONE &&
           alarm_holds(alarm->state) && alarm->shelved_until_ms == 0;
}

static uint32_t room_of(struct devices *devices, const struct alarm *alarm)
{
    const struct device *device = devices_at(devices, alarm->device);
    return device != NULL ? device->room : ROOM_NONE;
}

/* The wider first, then the more urgent, then the older: of two that would hide each other, the
 * first does. */
static int by_strength(const void *first, const void *second, void *user)
{
    const struct alarms *alarms = user;
    const struct alarm *a = &alarms->list[((const struct alarm_cause *)first)->place];
    const struct alarm *b = &alarms->list[((const struct alarm_cause *)second)->place];
    if (a->rule->inhibits != b->rule->inhibits)
        return a->rule->inhibits > b->rule->inhibits ? -1 : 1;
    if (alarm_priority(a) != alarm_priority(b))
        return alarm_priority(a) > alarm_priority(b) ? -1 : 1;
    if (a->raised_ms != b->raised_ms)
        return a->raised_ms < b->raised_ms ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static void list_causes(struct alarms *alarms, struct devices *devices)
{
    uint32_t i = 0;
    alarms->cause_count = 0;
    for (; i < alarms->used && alarms->cause_count < ALARMS_CAUSES_MAX; i++) {
        const struct alarm *alarm = &alarms->list[i];
        if (is_cause(alarm))
            alarms->causes[alarms->cause_count++] =
                (struct alarm_cause){i, alarm->device, room_of(devices, alarm)};
    }
    alarms->listed = i;
    for (; i < alarms->used; i++)
        alarms->causes_lost += is_cause(&alarms->list[i]);
    qsort_r(alarms->causes, alarms->cause_count, sizeof(alarms->causes[0]), by_strength, alarms);
}

/* ---- Which cause an alarm is behind ---- */

static bool reaches(const struct alarm *by, const struct alarm_cause *cause,
                    const struct alarm *alarm, uint32_t room)
{
    if (by->rule->inhibits == INHIBITS_ROOM)
        return room != ROOM_NONE && cause->room == room;
    return cause->device == alarm->device;
}

static bool may_hide(const struct alarm *by, const struct alarm *alarm)
{
    return alarm->rule->technical &&
           (is_silence(alarm) || alarm_priority(alarm) <= alarm_priority(by));
}

/* The strongest of the first `count` causes that is in sight; NULL: none. */
static struct alarm *cause_of(const struct alarms *alarms, uint32_t count,
                              const struct alarm *alarm, uint32_t room)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct alarm_cause *cause = &alarms->causes[i];
        struct alarm *by = &alarms->list[cause->place];
        if (by->behind == 0 && reaches(by, cause, alarm, room) && may_hide(by, alarm))
            return by;
    }
    return NULL;
}

/* ---- Putting them there ---- */

struct placing {
    struct alarms *alarms;
    struct devices *devices;
    int64_t now_ms;
    alarms_change_cb *on_change;
    void *user;
};

static void put(const struct placing *placing, struct alarm *alarm, int64_t behind)
{
    struct alarms *alarms = placing->alarms;
    bool was = alarm->behind != 0, is = behind != 0;
    if (is && was && alarm->behind != behind)
        alarm->change = ++alarms->change; /* another cause: nothing to be told */
    if (is)
        alarm->behind = behind;
    if (was != is && alarms_act(alarms, alarm, is ? DEED_HIDE : DEED_SHOW, placing->now_ms, NULL))
        placing->on_change(placing->user, alarm);
}

/* Behind one of the first `count` causes, if any. */
static void place(const struct placing *placing, struct alarm *alarm, uint32_t count)
{
    struct alarms *alarms = placing->alarms;
    int64_t behind = alarms_blamed(alarms, alarm);
    if (behind == 0) {
        const struct alarm *by = cause_of(alarms, count, alarm, room_of(placing->devices, alarm));
        if (by != NULL) {
            behind = (int64_t)by->number;
            alarms->hides[by - alarms->list]++;
        }
    }
    put(placing, alarm, behind);
}

/* A cause is in sight, or behind another, before anything is put behind it. */
static void place_all(const struct placing *placing)
{
    struct alarms *alarms = placing->alarms;
    memset(alarms->hides, 0, sizeof(alarms->hides));
    list_causes(alarms, placing->devices);
    for (uint32_t i = 0; i < alarms->cause_count; i++)
        place(placing, &alarms->list[alarms->causes[i].place], i);
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        bool placed = i < alarms->listed && is_cause(alarm);
        if (alarm->number != 0 && alarm->state != STATE_OFF && !placed)
            place(placing, alarm, alarms->cause_count);
    }
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        if (alarm->hides == alarms->hides[i])
            continue;
        alarm->hides = alarms->hides[i];
        alarm->change = ++alarms->change;
    }
}

void alarms_place(struct alarms *alarms, struct devices *devices, int64_t now_ms,
                  alarms_change_cb *on_change, void *user)
{
    if (alarms->placed == alarms->change && alarms->placed_devices == devices_change(devices))
        return;
    const struct placing placing = {alarms, devices, now_ms, on_change, user};
    place_all(&placing);
    alarms->placed = alarms->change;
    alarms->placed_devices = devices_change(devices);
}
