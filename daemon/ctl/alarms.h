/* Parts of lumbarctl alarms. */
#ifndef LUMBAR_CTL_ALARMS_H
#define LUMBAR_CTL_ALARMS_H

#include <jansson.h>

/* One line for an alarm as the hub tells it. */
void alarms_print(const json_t *alarm);

/* alarms_deeds.c: ack, unack, shelve, unshelve, reset; arguments[0] is which. */
int alarms_deed(int count, char **arguments);

/* alarms_history.c */
int alarms_history(int count, char **arguments);

/* alarms_load.c */
int alarms_load(int count, char **arguments);

/* alarms_pause.c: silence, pause, resume. */
int alarms_pause(int count, char **arguments);

#endif
