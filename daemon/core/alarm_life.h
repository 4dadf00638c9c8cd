/*
 * The life of an alarm, as one table: what each deed makes of each state. Pure, and without time:
 * core/alarms.c says when a deed is due, and what else is kept of it.
 *
 * Whether its condition holds, whether its value is known and whether somebody acknowledged it are
 * three things, so the states are their sensible combinations. A lost signal never ends an alarm.
 * An acknowledgement given while the value is unknown is one of the loss: when the value is back
 * and the condition still holds, the alarm stands unacknowledged.
 * Shelved is apart from all of them: it belongs to the rule and device and outlasts occurrences.
 * So is hidden: what stands only because of a root cause that is told itself needs nobody until the
 * cause ends.
 */
#ifndef LUMBAR_CORE_ALARM_LIFE_H
#define LUMBAR_CORE_ALARM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers and names are in the database: new ones go to the end. */
enum alarm_state {
    STATE_OFF,
    STATE_ON,
    STATE_LOST,        /* it holds, as far as is known: its value is not any more */
    STATE_ACK,         /* it holds, and somebody knows */
    STATE_ACK_LOST,    /* the same, and then the value was lost */
    STATE_LOST_ACK,    /* somebody knows of the loss, not of what is behind it */
    STATE_LATCHED,     /* over, and kept until it is reset */
    STATE_LATCHED_ACK, /* the same, and somebody knows */
    STATES_
};

/* What others are told of a state: the four of BICEPS. */
enum alarm_presence { ALARM_OFF, ALARM_ON, ALARM_LATCHED, ALARM_ACK };

enum alarm_deed {
    DEED_RAISE, /* the rule's */
    DEED_CLEAR,
    DEED_LOSE, /* the value is unknown, and known again */
    DEED_FIND,
    DEED_ACK, /* somebody's */
    DEED_UNACK,
    DEED_SHELVE,
    DEED_UNSHELVE,
    DEED_RESET,
    DEED_EXPIRE, /* time's: the shelf's is over */
    DEED_ESCALATE,
    DEED_REMIND, /* acknowledged so long ago that it is told again */
    DEED_END,    /* a reload's, which took the rule away */
    DEED_HIDE,   /* its root cause's, which begins and ends */
    DEED_SHOW,
    DEED_YIELD, /* a more urgent one's, which has no place else: it waits for one */
    DEEDS_
};

struct alarm_life {
    enum alarm_state state;
    bool shelved, hidden;
};

/* Does the deed; false, and nothing changed, where it means nothing in this state. `latches`: the
 * rule keeps what is over until it is reset. */
bool alarm_live(struct alarm_life *life, enum alarm_deed deed, bool latches);

enum alarm_presence alarm_presence_of(enum alarm_state state);
bool alarm_holds(enum alarm_state state);   /* its condition does, as far as is known */
bool alarm_is_lost(enum alarm_state state); /* its value is unknown */
bool alarm_waits(enum alarm_state state);   /* for somebody to acknowledge it */

const char *alarm_state_word(enum alarm_state state);    /* "latched-ack" */
const char *alarm_presence_word(enum alarm_state state); /* "latched" */
const char *alarm_deed_word(enum alarm_deed deed);       /* "shelved" */

#endif
