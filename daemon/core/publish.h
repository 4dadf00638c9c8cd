/*
 * What the hub tells the rest of the clinic by MQTT: each alarm, retained, as JSON on
 * lumbar/v1/alarm/<room>/<rule>. Devices of no room speak under "unassigned". Pure.
 *
 *   {"room":"room-1","rule":"skin-warm","presence":"on","priority":"medium","kind":"clinical",
 *    "device":"massage/m-01","metric":"skin_temperature","value":43.2,"unit":"Cel",
 *    "since":"2026-03-01T09:30:00.120Z","text":"...","action":"..."}
 *
 * Where several devices of a room raise the same rule, the one that stands longest speaks for all
 * of them; "off" is said when the last one is over.
 */
#ifndef LUMBAR_CORE_PUBLISH_H
#define LUMBAR_CORE_PUBLISH_H

#include "base/text.h"
#include "core/alarms.h"
#include "core/config.h"

void publish_alarm_topic(struct text *out, const struct config *config, uint32_t room,
                         const struct rule *rule);

/* `standing` is alarms_of_room(); NULL: none stands, and `changed` has just ended. */
void publish_alarm_json(struct text *out, const struct config *config, struct devices *devices,
                        const struct alarm *changed, const struct alarm *standing);

#endif
