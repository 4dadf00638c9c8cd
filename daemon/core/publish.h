/*
 * What the hub tells the rest of the clinic by MQTT: each alarm, retained, as JSON on
 * lumbar/v1/alarm/<room>/<rule>. Devices of no room speak under "unassigned". Pure.
 *
 *   {"room":"room-1","rule":"skin-warm","presence":"on","priority":"medium","kind":"clinical",
 *    "device":"massage/m-01","metric":"skin_temperature","value":43.2,"unit":"Cel",
 *    "raised":"2026-03-01T09:30:00.120Z","since":"2026-03-01T09:30:00.120Z","text":"...",
 *    "action":"..."}
 *
 * presence is off, on, latched or ack; "escalated" says how often nobody acknowledged it in time
 * (absent: never), "acknowledged" and "shelved" say by whom, why and until
 * when, "unknown_since" that the value is not known any more, "behind" the rule (or "broker", "hub")
 * that is its root cause and needs somebody in its place. Where several devices of a room raise
 * the same rule, the one that matters most speaks for all of them (alarms_of_room()).
 *
 * A retained word stands until the next one, so none may be lost: what is to be told is a mark for
 * room and rule, which goes when the word about their state as it is then was taken. All are marked
 * when the broker may have forgotten, or the hub: after each connection, a start, a reload. A topic
 * that an alarm had and that is none any more, for its room or rule is gone, is told "off".
 * Memory: a bit for each room and rule; the topics of before, while they wait.
 */
#ifndef LUMBAR_CORE_PUBLISH_H
#define LUMBAR_CORE_PUBLISH_H

#include "base/text.h"
#include "core/alarms.h"
#include "core/config.h"

#define PUBLISH_TOPIC_BYTES 192
#define PUBLISH_BYTES       1536

struct publish_world {
    const struct config *config;
    const struct rules *rules;
    struct devices *devices;
    const struct alarms *alarms;
};

struct publisher;

struct publisher *publisher_create(void);
void publisher_destroy(struct publisher *publisher);

/* Before a set of rules is used: room for its marks, and for the topics of so many alarms that
 * stand. Nothing else changes. 0 or ERR_MEMORY. */
int publisher_prepare(struct publisher *publisher, uint32_t rules, uint32_t standing);
/* While the old set is: an alarm of this room ("" none) and rule was told there. */
void publisher_was(struct publisher *publisher, const char *room, const char *rule);
void publisher_were(struct publisher *publisher, const struct publish_world *world);
/* From now on the prepared set: all is to be told. */
void publisher_begin(struct publisher *publisher, const struct publish_world *world);

void publisher_mark(struct publisher *publisher, uint32_t room, const struct rule *rule);
void publisher_mark_all(struct publisher *publisher, const struct publish_world *world);

/* Sends what waits, `most` words, until `send` refuses one. */
typedef bool publish_send_cb(void *user, const char *topic, const char *json, size_t bytes);
void publisher_send(struct publisher *publisher, const struct publish_world *world, unsigned most,
                    publish_send_cb *send, void *user);

/* The state of a rule in a room, as one object; the sentences are left out where they do not fit.
 */
void publish_json(struct text *out, const struct publish_world *world, uint32_t room,
                  const struct rule *rule);

#endif
