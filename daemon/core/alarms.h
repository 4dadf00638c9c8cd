/*
 * Alarms: what the rules found, as occurrences with a life of their own (alarm_life.h).
 *
 * One entry for each rule and device. One that is OFF stays until its place is needed, so a page
 * that was away learns what it missed; a shelved one keeps its place in any case. Time is given:
 * alarms_tick() brings what is due by it.
 * Memory: ALARMS_PLACES entries, allocated at create. When ALARMS_MAX stand, a further one is
 * counted as overflow; the caller says so loudly, lets it displace a less urgent one, if there is
 * any, and takes who found no place again when there is one. Pure.
 */
#ifndef LUMBAR_CORE_ALARMS_H
#define LUMBAR_CORE_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/alarm_life.h"
#include "core/rules.h"

#define ALARMS_MAX      4096               /* that stand, or are shelved */
#define ALARMS_PLACES   (ALARMS_MAX + 256) /* so that some that ended are remembered, even then */
#define ALARM_WHO_BYTES 48
#define ALARM_WHY_BYTES 168

/* Somebody's deed. */
struct alarm_hand {
    int64_t at_ms; /* 0: nobody's */
    char who[ALARM_WHO_BYTES], why[ALARM_WHY_BYTES];
};

struct alarm {
    uint64_t number; /* of the occurrence, from 1; 0: the entry is free */
    const struct rule *rule;
    uint32_t device;
    enum alarm_state state;
    enum alarm_presence presence; /* of the state */
    int64_t raised_ms, since_ms;  /* hub time; since: of this presence */
    double value, limit;          /* that raised it last, and what it passed; NaN: none */
    double worst;                 /* since it was raised; NaN: no value is worse than another */
    const char *phase; /* of the session that it was raised in, of core/plan.h; NULL: of none */
    uint64_t change;   /* alarms_change() when it last changed */

    enum alarm_deed deed; /* the last one, and when it was done */
    int64_t deed_ms;
    int64_t lost_ms;           /* since when its value is unknown; 0: it is known */
    int64_t waits_ms;          /* since when it waits for somebody, or was escalated */
    uint32_t escalated;        /* so often */
    struct alarm_hand acked;   /* while it is, or was when it ended */
    struct alarm_hand shelved; /* while it is */
    int64_t shelved_until_ms;  /* 0: it is not */
    int64_t behind; /* the number of the alarm that hides it, or one of alarms_behind; 0: none */
    uint32_t hides; /* so many are behind this one */
};

/* What hides alarms and is none itself: signals are lost for no fault of their devices. */
enum alarms_behind { BEHIND_BROKER = -1, BEHIND_HUB = -2 };

struct alarms;

struct alarms *alarms_create(void);
void alarms_destroy(struct alarms *alarms);

uint64_t alarms_change(const struct alarms *alarms);   /* grows with every transition */
uint32_t alarms_standing(const struct alarms *alarms); /* not OFF now */
uint64_t alarms_overflow(const struct alarms *alarms); /* so many found no place when raised */

/* Root causes that hide others, of this many at most; and how often a further one was passed over.
 */
#define ALARMS_CAUSES_MAX 1024
uint32_t alarms_causes(const struct alarms *alarms);
uint64_t alarms_causes_lost(const struct alarms *alarms);
uint32_t alarms_places(const struct alarms *alarms); /* that a further one could have */

/* The rule's, or a higher one after escalation. */
enum rule_priority alarm_priority(const struct alarm *alarm);

/* Before anything is taken: goes on where a run before ended. The numbers given and the changes
 * made so far, and each alarm that stood or was shelved (its change is kept). False: no room. */
void alarms_go_on(struct alarms *alarms, uint64_t numbers, uint64_t change);
bool alarms_restore(struct alarms *alarms, const struct alarm *alarm);

/* Takes what a rule found. Returns the alarm that changed, or NULL if nothing did. */
const struct alarm *alarms_take(struct alarms *alarms, const struct rule_event *event);

/* Makes room for an alarm of this priority: of those that are less urgent, the least ends, which
 * its caller takes again when there is a place. NULL: there is none. */
const struct alarm *alarms_displace(struct alarms *alarms, enum rule_priority priority,
                                    int64_t now_ms);

/* What somebody wants: DEED_ACK, _UNACK, _SHELVE, _UNSHELVE or _RESET. Texts are cut to what is
 * kept. */
struct alarm_order {
    enum alarm_deed deed;
    int64_t now_ms, until_ms; /* until: of DEED_SHELVE */
    const char *who, *why;
};

/* ERR_UNKNOWN: there is no such alarm. ERR_CONFLICT: not in its state. `alarm` is set unless it is
 * unknown. */
int alarms_order(struct alarms *alarms, uint64_t number, const struct alarm_order *order,
                 const struct alarm **alarm);

/* Who did the last deed, and why; "" where it was no person's. */
const struct alarm_hand *alarms_hand(const struct alarms *alarms);

typedef void alarms_change_cb(void *user, const struct alarm *alarm);

/* Is the value known that a standing alarm is about? */
typedef enum rule_sight alarms_known_cb(void *user, const struct rule *rule, uint32_t device);

/* Are the alarms of its room paused? */
typedef bool alarms_paused_cb(void *user, uint32_t device);

/* Shelves that end, values lost and found, escalation, reminders; call every 250 ms or so.
 * on_change is called for each deed. While an alarm is paused (`paused` NULL: none is) it grows no
 * more urgent; afterwards its time begins anew. */
void alarms_tick(struct alarms *alarms, int64_t now_ms, alarms_known_cb *known,
                 alarms_paused_cb *paused, alarms_change_cb *on_change, void *user);

/* The worst value since the rule raised its alarm, as the rules know it; NaN: none is. */
typedef double alarms_worst_cb(void *user, const struct rule *rule, uint32_t device);

/* Looks, once a second, how bad it has been by now. It is no deed: on_worse is called for what has
 * become worse. */
void alarms_worsen(struct alarms *alarms, int64_t now_ms, alarms_worst_cb *worst,
                   alarms_change_cb *on_worse, void *user);

/* ---- Root causes (alarms_causes.c) ---- */

/* Since when the hub, or the broker, is to blame for signals that are lost from then on: it has
 * just begun or stood still, or is away. 0: it is not. Holds for what is raised at once, of what
 * stands with the next alarms_place(). */
void alarms_blame(struct alarms *alarms, int64_t hub_ms, int64_t broker_ms);

/* Puts behind its root cause what need not be told while that stands, and in sight again what had
 * been; call after alarms_tick(). A cause is a technical alarm, in sight, whose rule inhibits
 * others of its device or room, or what alarms_blame() was told. What may be hidden is technical,
 * too: a lost signal, or what is no more urgent than its cause. An alarm about a person never is.
 */
void alarms_place(struct alarms *alarms, struct devices *devices, int64_t now_ms,
                  alarms_change_cb *on_change, void *user);

/* Points each alarm to the rule that continues its own in a new set. Alarms whose rule is gone end
 * at now_ms and leave the table: on_change is called for each of them that stood or was shelved,
 * while the old rule still is. */
void alarms_adopt(struct alarms *alarms, const struct rules *rules, int64_t now_ms,
                  alarms_change_cb *on_change, void *user);

/* An entry by its place in the table, from 0; NULL beyond the last one ever used. Its number is 0
 * where it is free. An alarm stays in its place while it is kept. */
const struct alarm *alarms_at(const struct alarms *alarms, uint32_t place);

/* Walks the entries in use: start with NULL. */
const struct alarm *alarms_next(const struct alarms *alarms, const struct alarm *after);

const struct alarm *alarms_by_number(const struct alarms *alarms, uint64_t number);

/* The one that matters most for rule and room, over its devices; NULL if none is known. For the
 * MQTT topic: standing before over, in sight before shelved and hidden, waiting before
 * acknowledged, by priority, by age; of those over, the last. */
const struct alarm *alarms_of_room(const struct alarms *alarms, const struct rule *rule,
                                   struct devices *devices, uint32_t room);

#endif
