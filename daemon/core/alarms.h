/*
 * Alarms: what the rules found, as occurrences with a life of their own.
 *
 * One entry for each rule and device. Presence is ON or OFF here; latched, acknowledged, shelved
 * and escalation have their place in this module and come with it. An entry that is OFF stays
 * until its place is needed, so a page that was away learns what it missed.
 * Memory: ALARMS_MAX entries, allocated at create. When all of them are ON, a further one is
 * counted as overflow and said loudly by the caller. Pure.
 */
#ifndef LUMBAR_CORE_ALARMS_H
#define LUMBAR_CORE_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rules.h"

#define ALARMS_MAX 4096

enum alarm_presence { ALARM_OFF, ALARM_ON };

struct alarm {
    uint64_t number; /* of the occurrence, from 1; 0: the entry is free */
    const struct rule *rule;
    uint32_t device;
    enum alarm_presence presence;
    int64_t raised_ms, since_ms; /* hub time; since: of this presence */
    double value, limit;         /* that raised it, and what it passed; NaN: none */
    uint64_t change;             /* alarms_change() when it last changed */
};

struct alarms;

struct alarms *alarms_create(void);
void alarms_destroy(struct alarms *alarms);

uint64_t alarms_change(const struct alarms *alarms);   /* grows with every transition */
uint32_t alarms_standing(const struct alarms *alarms); /* ON now */
uint64_t alarms_overflow(const struct alarms *alarms);

/* Before anything is taken: goes on where a run before ended. The numbers given and the changes
 * made so far, and each alarm that stood (its change is kept). False: no room. */
void alarms_go_on(struct alarms *alarms, uint64_t numbers, uint64_t change);
bool alarms_restore(struct alarms *alarms, const struct alarm *alarm);

/* Takes what a rule found. Returns the alarm that changed, or NULL if nothing did. */
const struct alarm *alarms_take(struct alarms *alarms, const struct rule_event *event);

/* Points each alarm to the rule of the same name, metric and condition in a new set. Alarms whose
 * rule is gone end at now_ms and leave the table: on_change is called for each of them that stood,
 * while the old rule still is. */
typedef void alarms_change_cb(void *user, const struct alarm *alarm);
void alarms_adopt(struct alarms *alarms, const struct rules *rules, int64_t now_ms,
                  alarms_change_cb *on_change, void *user);

/* An entry by its place in the table, from 0; NULL beyond the last one ever used. Its number is 0
 * where it is free. An alarm stays in its place while it is kept. */
const struct alarm *alarms_at(const struct alarms *alarms, uint32_t place);

/* Walks the entries in use: start with NULL. */
const struct alarm *alarms_next(const struct alarms *alarms, const struct alarm *after);

/* The one that stands longest for rule and room, over its devices; NULL if none. For the MQTT
 * topic: a rule has one priority, so the longest is the worst. */
const struct alarm *alarms_of_room(const struct alarms *alarms, const struct rule *rule,
                                   struct devices *devices, uint32_t room);

#endif
