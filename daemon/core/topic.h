/*
 * Topics: a plugin's pattern against the topic of a message.
 *
 * A pattern is "lumbar/v1/posture/{device}/{leaf}": literal levels, {device} once, {leaf} once or
 * not at all. Pure; allocates nothing.
 */
#ifndef LUMBAR_CORE_TOPIC_H
#define LUMBAR_CORE_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What the hub says to any device. */
#define TOPIC_ACK_LEAF      "ack"      /* proto/ack.proto */
#define TOPIC_IDENTIFY_LEAF "identify" /* proto/identify.proto */

#define TOPIC_MAX_BYTES         255 /* of a topic that the hub takes */
#define TOPIC_PATTERN_MAX_BYTES 128 /* so that every device and leaf still fits the topic */

/* What a topic names; pointers into the topic. */
struct topic {
    const char *device;
    size_t device_bytes;
    const char *leaf; /* "" where the pattern has none */
    size_t leaf_bytes;
};

/* Is this a pattern that can be used? */
int topic_check(const char *pattern, struct diag *diag);

/* Does the topic fit the pattern, with a device name that is a label? */
bool topic_parse(const char *pattern, const char *topic, size_t topic_bytes, struct topic *out);

/* The filter to subscribe to: {device} as '+', {leaf} as the given leaf. Returns its length, or 0
 * where it does not fit, or where a leaf is given and the pattern has no {leaf} (or the reverse:
 * give "" to a pattern without). */
size_t topic_filter(const char *pattern, const char *leaf, char *out, size_t bytes);

/* Is there a topic that both filters take? Filters as topic_filter() makes them: literal levels and
 * '+'. */
bool topic_filters_meet(const char *filter, const char *other);

/* Does the hub itself say this to devices? Then no plugin hears it, nor says it. */
bool topic_is_hubs(const char *leaf);

/* The topic of one device and leaf. Returns its length, or 0 as topic_filter() does: a device whose
 * pattern has no {leaf} can be told nothing. */
size_t topic_make(const char *pattern, const char *device, const char *leaf, char *out,
                  size_t bytes);

#endif
