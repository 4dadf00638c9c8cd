/*
 * What is inside the table of alarms: shared by alarms.c and alarms_causes.c only.
 */
#ifndef LUMBAR_CORE_ALARMS_TABLE_H
#define LUMBAR_CORE_ALARMS_TABLE_H

#include "core/alarms.h"

/* A standing alarm that hides others, as it was found last. */
struct alarm_cause {
    uint32_t place; /* in the table */
    uint32_t device, room;
};

struct alarms {
    struct alarm *list;
    uint32_t used; /* entries that were ever taken */
    uint32_t standing;
    uint64_t change, numbers, overflow;
    struct alarm_hand hand; /* of the last deed */
    int64_t worsened_ms;    /* when that was last looked at */

    int64_t hub_ms, broker_ms; /* since when they are to blame; 0: they are not */
    struct alarm_cause causes[ALARMS_CAUSES_MAX];
    uint32_t cause_count, listed; /* of the places before `listed` */
    uint64_t causes_lost;
    uint32_t hides[ALARMS_PLACES];   /* of each place, as it is being found */
    uint64_t placed, placed_devices; /* changes when that was last done */
};

/* Does a deed; false, and nothing changed, where it means nothing. `order` NULL: nobody's. */
bool alarms_act(struct alarms *alarms, struct alarm *alarm, enum alarm_deed deed, int64_t now_ms,
                const struct alarm_order *order);

/* Whether hub or broker is to blame for it: one of alarms_behind, or 0. */
int64_t alarms_blamed(const struct alarms *alarms, const struct alarm *alarm);

#endif
