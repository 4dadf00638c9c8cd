#include "core/alarms_table.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"

#define WORSEN_MS 1000

struct alarms *alarms_create(void)
{
    struct alarms *alarms = calloc(1, sizeof(*alarms));
    if (alarms == NULL)
        return NULL;
    alarms->list = calloc(ALARMS_PLACES, sizeof(*alarms->list));
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

uint32_t alarms_causes(const struct alarms *alarms)
{
    return alarms->cause_count;
}

uint64_t alarms_causes_lost(const struct alarms *alarms)
{
    return alarms->causes_lost;
}

/* A walk over the table: transitions are rare, and a rule's state lies with the rule. */
static struct alarm *find(struct alarms *alarms, const struct rule *rule, uint32_t device)
{
    for (uint32_t i = 0; i < alarms->used; i++)
        if (alarms->list[i].rule == rule && alarms->list[i].device == device)
            return &alarms->list[i];
    return NULL;
}

static bool is_taken(const struct alarm *alarm)
{
    return alarm->number != 0 && (alarm->state != STATE_OFF || alarm->shelved_until_ms != 0);
}

uint32_t alarms_places(const struct alarms *alarms)
{
    uint32_t places = ALARMS_MAX;
    for (uint32_t i = 0; i < alarms->used; i++)
        places -= is_taken(&alarms->list[i]);
    return places;
}

/* A free entry, a new one, or the one that has been off the longest. NULL: as many stand as may. */
static struct alarm *place(struct alarms *alarms)
{
    struct alarm *oldest = NULL;
    if (alarms_places(alarms) == 0)
        return NULL;
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0)
            return alarm;
        if (!is_taken(alarm) && (oldest == NULL || alarm->change < oldest->change))
            oldest = alarm;
    }
    if (alarms->used < ALARMS_PLACES)
        return &alarms->list[alarms->used++];
    return oldest;
}

static bool stands(const struct alarm *alarm)
{
    return alarm->state != STATE_OFF;
}

static void keep_hand(struct alarm_hand *hand, int64_t at_ms, const struct alarm_order *order)
{
    struct text who = text_in(hand->who, sizeof(hand->who));
    struct text why = text_in(hand->why, sizeof(hand->why));
    hand->at_ms = at_ms;
    hand->who[0] = hand->why[0] = '\0';
    if (order != NULL && order->who != NULL)
        text_add(&who, "%s", order->who);
    if (order != NULL && order->why != NULL)
        text_add(&why, "%s", order->why);
}

/* What a deed that changed the life leaves behind. */
static void note(struct alarms *alarms, struct alarm *alarm, const struct alarm_life *life,
                 enum alarm_deed deed, int64_t now_ms)
{
    enum alarm_state before = alarm->state;
    enum alarm_presence presence = alarm_presence_of(life->state);
    bool acked = life->state != STATE_OFF && !alarm_waits(life->state);
    bool was_acked = before != STATE_OFF && !alarm_waits(before);
    alarms->standing += life->state != STATE_OFF;
    alarms->standing -= before != STATE_OFF;
    alarm->state = life->state;
    if (presence != alarm->presence || deed == DEED_RAISE)
        alarm->since_ms = now_ms;
    alarm->presence = presence;
    alarm->lost_ms = !alarm_is_lost(life->state) ? 0
                     : alarm->lost_ms != 0       ? alarm->lost_ms
                                                 : now_ms;
    if (alarm_waits(life->state) &&
        (!alarm_waits(before) || deed == DEED_RAISE || deed == DEED_EXPIRE ||
         deed == DEED_ESCALATE || deed == DEED_SHOW))
        alarm->waits_ms = now_ms;
    if (acked && !was_acked)
        alarm->acked = alarms->hand;
    else if (alarm_waits(life->state))
        alarm->acked = (struct alarm_hand){.at_ms = 0};
    if (deed == DEED_SHELVE)
        alarm->shelved = alarms->hand;
    else if (!life->shelved)
        alarm->shelved = (struct alarm_hand){.at_ms = 0};
    if (!life->shelved)
        alarm->shelved_until_ms = 0;
    if (!life->hidden)
        alarm->behind = 0;
    alarm->escalated += deed == DEED_ESCALATE;
    alarm->deed = deed;
    alarm->deed_ms = now_ms;
    alarm->change = ++alarms->change;
}

bool alarms_act(struct alarms *alarms, struct alarm *alarm, enum alarm_deed deed, int64_t now_ms,
                const struct alarm_order *order)
{
    struct alarm_life life = {alarm->state, alarm->shelved_until_ms != 0,
                              alarm->behind != 0 && deed != DEED_HIDE};
    if (!alarm_live(&life, deed, alarm->rule->latch))
        return false;
    keep_hand(&alarms->hand, now_ms, order);
    if (deed == DEED_SHELVE)
        alarm->shelved_until_ms = order->until_ms;
    note(alarms, alarm, &life, deed, now_ms);
    return true;
}

/* Of limits that are no numbers the rules alone know what is further away. */
static double worse(const struct alarm *alarm, double value)
{
    const struct rule *rule = alarm->rule;
    bool asked = rule->worse == WORSE_FARTHER && (isnan(rule->low) || isnan(rule->high));
    if (asked)
        return isnan(value) ? alarm->worst : value;
    return rule_worse(alarm->rule, alarm->rule->low, alarm->rule->high, alarm->worst, value);
}

/* A new occurrence; what is shelved stays so. Latched, it is the same one again. */
static const struct alarm *alarm_raise(struct alarms *alarms, struct alarm *alarm,
                                       const struct rule_event *event)
{
    if (alarm == NULL)
        alarm = place(alarms);
    if (alarm == NULL) {
        alarms->overflow++;
        return NULL;
    }
    bool same = alarm->rule == event->rule && alarm->device == event->device;
    bool again = same && stands(alarm);
    if (!again)
        *alarm = (struct alarm){
            .number = ++alarms->numbers,
            .rule = event->rule,
            .device = event->device,
            .raised_ms = event->time_ms,
            .shelved = same ? alarm->shelved : (struct alarm_hand){.at_ms = 0},
            .shelved_until_ms = same ? alarm->shelved_until_ms : 0,
        };
    alarm->value = event->value;
    alarm->limit = event->limit;
    alarm->worst = again ? worse(alarm, event->worst) : event->worst;
    alarm->phase = event->phase;
    if (alarm->behind == 0)
        alarm->behind = alarms_blamed(alarms, alarm);
    alarms_act(alarms, alarm, DEED_RAISE, event->time_ms, NULL);
    return alarm;
}

void alarms_go_on(struct alarms *alarms, uint64_t numbers, uint64_t change)
{
    alarms->numbers = numbers;
    alarms->change = change;
    alarms->placed = UINT64_MAX;
}

bool alarms_restore(struct alarms *alarms, const struct alarm *alarm)
{
    if (alarms->used == ALARMS_MAX)
        return false;
    struct alarm *at = &alarms->list[alarms->used++];
    *at = *alarm;
    at->presence = alarm_presence_of(at->state);
    alarms->standing += stands(at);
    return true;
}

const struct alarm *alarms_take(struct alarms *alarms, const struct rule_event *event)
{
    struct alarm *alarm = find(alarms, event->rule, event->device);
    bool holds = alarm != NULL && alarm_holds(alarm->state);
    if (event->on == holds)
        return NULL;
    if (event->on)
        return alarm_raise(alarms, alarm, event);
    if (holds)
        alarm->worst = worse(alarm, event->worst);
    return alarms_act(alarms, alarm, DEED_CLEAR, event->time_ms, NULL) ? alarm : NULL;
}

/* Does a less need its place than b? Of one priority what is told by its cause, then what nobody
 * knows of yet, for that costs nobody an acknowledgement; the newest first. */
static bool yields_before(const struct alarm *a, const struct alarm *b)
{
    if (b == NULL)
        return true;
    if (alarm_priority(a) != alarm_priority(b))
        return alarm_priority(a) < alarm_priority(b);
    if ((a->behind != 0) != (b->behind != 0))
        return a->behind != 0;
    if (alarm_waits(a->state) != alarm_waits(b->state))
        return alarm_waits(a->state);
    return a->number > b->number;
}

const struct alarm *alarms_displace(struct alarms *alarms, enum rule_priority priority,
                                    int64_t now_ms)
{
    struct alarm *least = NULL;
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        bool may = alarm->number != 0 && alarm_holds(alarm->state) &&
                   alarm->shelved_until_ms == 0 && alarm_priority(alarm) < priority;
        if (may && yields_before(alarm, least))
            least = alarm;
    }
    return least != NULL && alarms_act(alarms, least, DEED_YIELD, now_ms, NULL) ? least : NULL;
}

int alarms_order(struct alarms *alarms, uint64_t number, const struct alarm_order *order,
                 const struct alarm **alarm)
{
    *alarm = alarms_by_number(alarms, number);
    if (*alarm == NULL)
        return ERR_UNKNOWN;
    struct alarm *at = &alarms->list[*alarm - alarms->list];
    return alarms_act(alarms, at, order->deed, order->now_ms, order) ? 0 : ERR_CONFLICT;
}

const struct alarm_hand *alarms_hand(const struct alarms *alarms)
{
    return &alarms->hand;
}

/* ---- Time ---- */

enum rule_priority alarm_priority(const struct alarm *alarm)
{
    uint32_t priority = (uint32_t)alarm->rule->priority + alarm->escalated;
    return priority > PRIORITY_HIGH ? PRIORITY_HIGH : (enum rule_priority)priority;
}

/* One that is high already is told once more. */
static bool escalates(const struct alarm *alarm, int64_t now_ms)
{
    int64_t each_ms = alarm->rule->escalate_ms;
    bool room = alarm->escalated == 0 || alarm_priority(alarm) < PRIORITY_HIGH;
    return each_ms > 0 && room && alarm_waits(alarm->state) && now_ms - alarm->waits_ms >= each_ms;
}

static bool reminds(const struct alarm *alarm, int64_t now_ms)
{
    int64_t after_ms = alarm->rule->realarm_ms;
    return after_ms > 0 && alarm->acked.at_ms != 0 && now_ms - alarm->acked.at_ms >= after_ms;
}

void alarms_tick(struct alarms *alarms, int64_t now_ms, alarms_known_cb *known,
                 alarms_paused_cb *paused, alarms_change_cb *on_change, void *user)
{
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        bool shelved = alarm->shelved_until_ms != 0;
        if (alarm->number == 0 || (!stands(alarm) && !shelved))
            continue;
        if (shelved && now_ms >= alarm->shelved_until_ms &&
            alarms_act(alarms, alarm, DEED_EXPIRE, now_ms, NULL))
            on_change(user, alarm);
        bool lost = alarm_is_lost(alarm->state);
        if (alarm_holds(alarm->state) &&
            known(user, alarm->rule, alarm->device) == (lost ? SIGHT_KNOWN : SIGHT_LOST) &&
            alarms_act(alarms, alarm, lost ? DEED_FIND : DEED_LOSE, now_ms, NULL))
            on_change(user, alarm);
        if (paused != NULL && paused(user, alarm->device)) {
            alarm->waits_ms = now_ms;
            continue;
        }
        if (escalates(alarm, now_ms) && alarms_act(alarms, alarm, DEED_ESCALATE, now_ms, NULL))
            on_change(user, alarm);
        if (reminds(alarm, now_ms) && alarms_act(alarms, alarm, DEED_REMIND, now_ms, NULL))
            on_change(user, alarm);
    }
}

void alarms_worsen(struct alarms *alarms, int64_t now_ms, alarms_worst_cb *worst,
                   alarms_change_cb *on_worse, void *user)
{
    if (now_ms >= alarms->worsened_ms && now_ms - alarms->worsened_ms < WORSEN_MS)
        return;
    alarms->worsened_ms = now_ms;
    for (uint32_t i = 0; i < alarms->used; i++) {
        struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0 || !alarm_holds(alarm->state))
            continue;
        double now = worse(alarm, worst(user, alarm->rule, alarm->device));
        if (now == alarm->worst || isnan(now))
            continue;
        alarm->worst = now;
        alarm->change = ++alarms->change;
        on_worse(user, alarm);
    }
}

/* ---- A new set of rules ---- */

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
        if (alarms_act(alarms, alarm, DEED_END, now_ms, NULL))
            on_change(user, alarm);
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

const struct alarm *alarms_by_number(const struct alarms *alarms, uint64_t number)
{
    for (uint32_t i = 0; number != 0 && i < alarms->used; i++)
        if (alarms->list[i].number == number)
            return &alarms->list[i];
    return NULL;
}

static bool is_seen(const struct alarm *alarm)
{
    return alarm->shelved_until_ms == 0 && alarm->behind == 0;
}

/* Does a matter more than b? */
static bool matters(const struct alarm *a, const struct alarm *b)
{
    if (b == NULL)
        return true;
    if (stands(a) != stands(b))
        return stands(a);
    if (!stands(a))
        return a->change > b->change;
    if (is_seen(a) != is_seen(b))
        return is_seen(a);
    if (alarm_waits(a->state) != alarm_waits(b->state))
        return alarm_waits(a->state);
    if (alarm_priority(a) != alarm_priority(b))
        return alarm_priority(a) > alarm_priority(b);
    return a->raised_ms < b->raised_ms;
}

const struct alarm *alarms_of_room(const struct alarms *alarms, const struct rule *rule,
                                   struct devices *devices, uint32_t room)
{
    const struct alarm *most = NULL;
    for (uint32_t i = 0; i < alarms->used; i++) {
        const struct alarm *alarm = &alarms->list[i];
        if (alarm->number == 0 || alarm->rule != rule)
            continue;
        const struct device *device = devices_at(devices, alarm->device);
        if (device != NULL && device->room == room && matters(alarm, most))
            most = alarm;
    }
    return most;
}
