/*
 * Quarantine: the bytes of messages that could not be used, kept to be looked at.
 *
 * A file of fixed size, mapped; kept through restarts. Loop thread only.
 *
 * The newest is always kept; when the file is full, something older goes. Not simply the oldest, or
 * one bad device would push out the evidence of all others: who has less than half of an even share
 * loses nothing. All whom nobody knows are one sender, or made-up names would each have a share.
 *
 * A message whose decoding killed the hub is condemned: its like, by topic and payload, is known
 * again in this run and in later ones, as long as its entry lies in the file. So what a device or
 * the broker sends again does not kill the hub again. Such entries stay, up to half of the file.
 */
#ifndef LUMBAR_IO_QUARANTINE_H
#define LUMBAR_IO_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define QUARANTINE_REASON_BYTES 64
#define QUARANTINE_SENDER_BYTES 128

/* Reason and sender are cut at these bytes, topic and payload at what a record of a ring holds. */
struct quarantine_entry {
    const char *sender; /* "posture/p-01"; "": none that is known */
    const char *topic;  /* not terminated */
    size_t topic_bytes;
    const uint8_t *payload;
    size_t payload_bytes;
    const char *reason; /* a few words */
    int64_t wall_ms;
};

struct quarantine;

int quarantine_open(struct quarantine **out, const char *file, size_t size_bytes,
                    struct diag *diag);
void quarantine_close(struct quarantine *quarantine);

void quarantine_put(struct quarantine *quarantine, const struct quarantine_entry *entry);

/* Keeps one whose decoding killed the hub, and condemns its like. Of QUARANTINE_CONDEMNED_MAX the
 * first is forgotten. */
#define QUARANTINE_CONDEMNED_MAX 64
void quarantine_condemn(struct quarantine *quarantine, const struct quarantine_entry *entry);
bool quarantine_is_condemned(const struct quarantine *quarantine, const char *topic,
                             size_t topic_bytes, const void *payload, size_t payload_bytes);
unsigned quarantine_condemned(const struct quarantine *quarantine); /* how many are known */

uint64_t quarantine_count(const struct quarantine *quarantine); /* put since the file was made */
uint64_t quarantine_held(const struct quarantine *quarantine);  /* in it now */

struct quarantine_room {
    uint64_t bytes, size, pushed_out; /* of messages; that gave way to newer ones, in this run */
    uint64_t condemned, forgotten;    /* messages that are known again, and no longer are */
};
void quarantine_room(const struct quarantine *quarantine, struct quarantine_room *room);

/* Walks a quarantine file read-only, oldest first (`lumbard --quarantine`). ERR_MEMORY where it
 * cannot be put in order. */
int quarantine_walk(const char *file,
                    void (*each)(void *user, const struct quarantine_entry *entry), void *user,
                    struct diag *diag);

#endif
