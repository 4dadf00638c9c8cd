/*
 * Quarantine: the bytes of messages that could not be used, kept to be looked at.
 *
 * A file of fixed size, mapped, the oldest overwritten; kept through restarts. Loop thread only.
 *
 * A message whose decoding killed the hub is condemned: its like, by topic and payload, is known
 * again in this run and in later ones, as long as its entry lies in the file. So what a device or
 * the broker sends again does not kill the hub again.
 */
#ifndef LUMBAR_IO_QUARANTINE_H
#define LUMBAR_IO_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define QUARANTINE_REASON_BYTES 64

struct quarantine;

int quarantine_open(struct quarantine **out, const char *file, size_t size_bytes,
                    struct diag *diag);
void quarantine_close(struct quarantine *quarantine);

/* Keeps one; reason is cut at QUARANTINE_REASON_BYTES. */
void quarantine_put(struct quarantine *quarantine, const char *topic, size_t topic_bytes,
                    const void *payload, size_t payload_bytes, const char *reason, int64_t wall_ms);

/* Keeps one whose decoding killed the hub, and condemns its like. Of QUARANTINE_CONDEMNED_MAX the
 * first is forgotten. */
#define QUARANTINE_CONDEMNED_MAX 64
void quarantine_condemn(struct quarantine *quarantine, const char *topic, size_t topic_bytes,
                        const void *payload, size_t payload_bytes, const char *reason,
                        int64_t wall_ms);
bool quarantine_is_condemned(const struct quarantine *quarantine, const char *topic,
                             size_t topic_bytes, const void *payload, size_t payload_bytes);
unsigned quarantine_condemned(const struct quarantine *quarantine); /* how many are known */

struct quarantine_entry {
    const char *topic; /* not terminated */
    size_t topic_bytes;
    const uint8_t *payload;
    size_t payload_bytes;
    const char *reason; /* terminated */
    int64_t wall_ms;
};

uint64_t quarantine_count(const struct quarantine *quarantine); /* since the file was made */

/* Walks a quarantine file read-only, oldest first (`lumbard --quarantine`). */
int quarantine_walk(const char *file,
                    void (*each)(void *user, const struct quarantine_entry *entry), void *user,
                    struct diag *diag);

#endif
