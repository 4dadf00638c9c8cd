/*
 * A recording to a broker: its messages with QoS 1, in their own time or quicker, as if the devices
 * said them now. Their payloads are as they came, the devices' clocks and numbers in them.
 */
#ifndef LUMBAR_CTL_PUBLISH_H
#define LUMBAR_CTL_PUBLISH_H

#include <stdint.h>

#include "base/err.h"
#include "core/tape.h"

struct publish_result {
    uint64_t messages;      /* confirmed by the broker */
    uint64_t damaged_bytes; /* of the file */
};

/* `broker`: "HOST:PORT". speed: 1 is real time, 0 as quickly as the broker confirms. Blocks until
 * the last message is confirmed. */
int publish_tape(struct tape_reader *reader, const char *broker, double speed,
                 struct publish_result *result, struct diag *diag);

#endif
