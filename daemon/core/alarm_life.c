#include "core/alarm_life.h"

/* In place of a state: the deed is done and changes none, or means nothing. */
enum { SAME = STATES_, NO };

/* Short, so that the table can be read as one. */
enum {
    OFF = STATE_OFF,
    ON = STATE_ON,
    LOST = STATE_LOST,
    ACK = STATE_ACK,
    ACK_L = STATE_ACK_LOST,
    L_ACK = STATE_LOST_ACK,
    LATCH = STATE_LATCHED,
    LATCH_A = STATE_LATCHED_ACK,
};

/* DEED_CLEAR is of a rule that latches; without that it leads to OFF. DEED_UNSHELVE and DEED_EXPIRE
 * are of shelved alarms only, DEED_SHELVE, DEED_YIELD, DEED_ESCALATE and DEED_REMIND of others
 * only; of hidden ones DEED_SHOW, and neither DEED_HIDE nor what time does. */
/* clang-format off */
static const uint8_t table[STATES_][DEEDS_] = {
/*                     raise clear    lose   find  ack      unack  shelve unshelve reset expire esc.  remind end   hide   show  yield */
[STATE_OFF]         = {ON,   NO,      NO,    NO,   NO,      NO,    NO,    SAME,    NO,   SAME,  NO,   NO,    OFF,  NO,   NO,   NO},
[STATE_ON]          = {NO,   LATCH,   LOST,  NO,   ACK,     NO,    SAME,  ACK,     NO,   SAME,  SAME, NO,    OFF,  SAME, SAME, OFF},
[STATE_LOST]        = {NO,   LATCH,   NO,    ON,   L_ACK,   NO,    SAME,  L_ACK,   NO,   SAME,  SAME, NO,    OFF,  SAME, SAME, OFF},
[STATE_ACK]         = {NO,   LATCH_A, ACK_L, NO,   NO,      ON,    SAME,  SAME,    NO,   ON,    NO,   ON,    OFF,  SAME, SAME, OFF},
[STATE_ACK_LOST]    = {NO,   LATCH_A, NO,    ACK,  NO,      LOST,  SAME,  SAME,    NO,   LOST,  NO,   LOST,  OFF,  SAME, SAME, OFF},
[STATE_LOST_ACK]    = {NO,   LATCH,   NO,    ON,   NO,      LOST,  SAME,  SAME,    NO,   LOST,  NO,   LOST,  OFF,  SAME, SAME, OFF},
[STATE_LATCHED]     = {ON,   NO,      NO,    NO,   LATCH_A, NO,    SAME,  LATCH_A, OFF,  SAME,  SAME, NO,    OFF,  SAME, SAME, NO},
[STATE_LATCHED_ACK] = {ON,   NO,      NO,    NO,   NO,      LATCH, SAME,  SAME,    OFF,  LATCH, NO,   NO,    OFF,  SAME, SAME, NO},
};
/* clang-format on */

static bool may(const struct alarm_life *life, enum alarm_deed deed)
{
    switch (deed) {
    case DEED_UNSHELVE:
    case DEED_EXPIRE:
        return life->shelved;
    case DEED_SHELVE:
    case DEED_YIELD:
        return !life->shelved;
    case DEED_ESCALATE:
    case DEED_REMIND:
        return !life->shelved && !life->hidden;
    case DEED_HIDE:
        return !life->hidden;
    case DEED_SHOW:
        return life->hidden;
    case DEED_END:
        return life->state != STATE_OFF || life->shelved;
    default:
        return true;
    }
}

bool alarm_live(struct alarm_life *life, enum alarm_deed deed, bool latches)
{
    uint8_t next = table[life->state][deed];
    if (next == NO || !may(life, deed))
        return false;
    if (deed == DEED_CLEAR && !latches)
        next = STATE_OFF;
    if (next != SAME)
        life->state = (enum alarm_state)next;
    if (deed == DEED_SHELVE)
        life->shelved = true;
    else if (deed == DEED_UNSHELVE || deed == DEED_EXPIRE || deed == DEED_END)
        life->shelved = false;
    if (deed == DEED_HIDE)
        life->hidden = true;
    else if (deed == DEED_SHOW || life->state == STATE_OFF)
        life->hidden = false;
    return true;
}

enum alarm_presence alarm_presence_of(enum alarm_state state)
{
    static const enum alarm_presence presences[STATES_] = {
        [STATE_OFF] = ALARM_OFF,         [STATE_ON] = ALARM_ON,
        [STATE_LOST] = ALARM_ON,         [STATE_ACK] = ALARM_ACK,
        [STATE_ACK_LOST] = ALARM_ACK,    [STATE_LOST_ACK] = ALARM_ACK,
        [STATE_LATCHED] = ALARM_LATCHED, [STATE_LATCHED_ACK] = ALARM_LATCHED,
    };
    return presences[state];
}

bool alarm_holds(enum alarm_state state)
{
    return state >= STATE_ON && state <= STATE_LOST_ACK;
}

bool alarm_is_lost(enum alarm_state state)
{
    return state == STATE_LOST || state == STATE_ACK_LOST || state == STATE_LOST_ACK;
}

bool alarm_waits(enum alarm_state state)
{
    return state == STATE_ON || state == STATE_LOST || state == STATE_LATCHED;
}

const char *alarm_state_word(enum alarm_state state)
{
    static const char *const words[STATES_] = {
        [STATE_OFF] = "off",           [STATE_ON] = "on",
        [STATE_LOST] = "lost",         [STATE_ACK] = "ack",
        [STATE_ACK_LOST] = "ack-lost", [STATE_LOST_ACK] = "lost-ack",
        [STATE_LATCHED] = "latched",   [STATE_LATCHED_ACK] = "latched-ack",
    };
    return words[state];
}

const char *alarm_presence_word(enum alarm_state state)
{
    static const char *const words[] = {"off", "on", "latched", "ack"};
    return words[alarm_presence_of(state)];
}

const char *alarm_deed_word(enum alarm_deed deed)
{
    static const char *const words[DEEDS_] = {
        [DEED_RAISE] = "on",        [DEED_CLEAR] = "over",         [DEED_LOSE] = "lost",
        [DEED_FIND] = "back",       [DEED_ACK] = "acknowledged",   [DEED_UNACK] = "unacknowledged",
        [DEED_SHELVE] = "shelved",  [DEED_UNSHELVE] = "unshelved", [DEED_RESET] = "reset",
        [DEED_EXPIRE] = "returned", [DEED_ESCALATE] = "escalated", [DEED_REMIND] = "reminded",
        [DEED_END] = "ended",       [DEED_HIDE] = "hidden",        [DEED_SHOW] = "in sight",
        [DEED_YIELD] = "displaced",
    };
    return words[deed];
}
