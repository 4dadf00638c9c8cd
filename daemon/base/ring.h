/*
 * A ring of checksummed records in a mapped file, which outlives the process.
 *
 * One producer and one consumer, in different threads; each record has a position (bytes since the
 * ring was made, never falling) and stays readable, in order, until its place is needed for a newer
 * one. The file holds its own head and tail, so another process goes on where one was killed.
 * A record is in the ring when head has moved past it: a producer killed half-way leaves nothing.
 */
#ifndef LUMBAR_BASE_RING_H
#define LUMBAR_BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What became of a record: one store, so that it is either one or another. Kept in the file. */
enum ring_outcome {
    RING_WAITING,     /* not yet decoded */
    RING_USED,        /* decoded, its samples used */
    RING_REPEATED,    /* a repeat of one that was used */
    RING_REFUSED,     /* could not be used; its bytes are in quarantine */
};

/* A record as it lies in the file, followed by topic and payload, padded to 8 bytes. */
struct ring_record {
    uint64_t position;
    uint64_t checksum;     /* XXH3 of what follows up to the end of the payload, less outcome, begun */
    _Atomic uint32_t outcome;
    _Atomic uint32_t begun; /* how often its decoding was begun */
    int64_t wall_ms, mono_ns; /* when it came */
    uint32_t payload_bytes;
    uint16_t topic_bytes;
    uint16_t flags;        /* the caller's */
};

static inline const char *ring_topic(const struct ring_record *record)
{
    return (const char *)(record + 1);
}

static inline const uint8_t *ring_payload(const struct ring_record *record)
{
    return (const uint8_t *)(record + 1) + record->topic_bytes;
}

#endif
