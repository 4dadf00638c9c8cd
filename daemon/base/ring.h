/*
 * A ring of checksummed records in a mapped file, which outlives the process.
 *
 * One producer and one consumer, in different threads; each record has a position (bytes since the
 * ring was made, never falling) and stays readable, in order, until its place is needed for a newer
 * one. The file holds its own head and tail, so another process goes on where one was killed.
 * A record is in the ring when head has moved past it: a producer killed half-way leaves nothing.
 *
 * Records are 8-byte aligned and never split across the end of the file. What is in the file is
 * checked once, when it is opened; on the way of a message nothing is checked again. The file is
 * locked: a second opener gets ERR_TAKEN. Nothing is allocated after opening.
 */
#ifndef LUMBAR_BASE_RING_H
#define LUMBAR_BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RING_SIZE_MIN    65536u /* bytes of records; a ring's size is a multiple of 4096 */
#define RING_TOPIC_MAX   512u
#define RING_PAYLOAD_MAX 16384u

/* What became of a record: one store, so that it is either one or another. Kept in the file. */
enum ring_outcome {
    RING_WAITING,  /* not yet decoded */
    RING_USED,     /* decoded, its samples used */
    RING_REPEATED, /* a repeat of one that was used */
    RING_REFUSED,  /* could not be used */
};

/* A record as it lies in the file, followed by topic and payload, padded to 8 bytes. */
struct ring_record {
    uint64_t position;
    uint64_t checksum; /* XXH3 of all that follows begun, bound to the ring's id and the position */
    _Atomic uint32_t outcome;
    _Atomic uint32_t begun;   /* how often it was begun and has not ended: spool.c counts in it */
    int64_t wall_ms, mono_ns; /* when it came */
    uint32_t payload_bytes;
    uint16_t topic_bytes;
    uint16_t flags; /* the caller's */
};

static inline const char *ring_topic(const struct ring_record *record)
{
    return (const char *)(record + 1);
}

static inline const uint8_t *ring_payload(const struct ring_record *record)
{
    return (const uint8_t *)(record + 1) + record->topic_bytes;
}

struct ring_message {
    const char *topic;
    size_t topic_bytes; /* RING_TOPIC_MAX at most */
    const void *payload;
    size_t payload_bytes; /* RING_PAYLOAD_MAX at most */
    int64_t wall_ms, mono_ns;
    uint16_t flags;
};

struct ring;
struct ring_area;  /* ring_file.h */
struct ring_image; /* ring_image.h */

/* Opens an existing ring; *out is NULL where there is none. A file that is no ring of this size (0:
 * of any) is renamed to "<file>.damaged-<seconds>", said loudly, and counts as none. */
int ring_open(struct ring **out, const char *file, size_t size_bytes, struct diag *diag);

/* Makes a ring, empty or from an image, in place of what may be there. */
int ring_make(struct ring **out, const char *file, size_t size_bytes,
              const struct ring_image *image, struct diag *diag);
void ring_close(struct ring *ring);

/* What was found at open. */
uint64_t ring_waiting(const struct ring *ring); /* records not yet decoded */
uint64_t ring_torn(const struct ring *ring);    /* places with something damaged, passed over */

/* Producer: puts one, overwriting the oldest as far as they end at or below `free_below`. False:
 * there is no room, or the message is too large. */
bool ring_put(struct ring *ring, const struct ring_message *message, uint64_t free_below);

/* Consumer: the oldest that waits, NULL if none; and what became of it. */
struct ring_record *ring_peek(struct ring *ring);
void ring_end(struct ring *ring, struct ring_record *record, enum ring_outcome outcome);

/* Any thread. */
uint64_t ring_head(const struct ring *ring); /* where the next record comes */
uint64_t ring_tail(const struct ring *ring); /* the oldest one that is there */
uint64_t ring_done(const struct ring *ring); /* everything below it has an outcome */

/* For the copier, kept in the file; the ring itself makes nothing of it. Below `synced` all records
 * are in the copy, below `settled` with what became of them. */
uint64_t ring_synced(const struct ring *ring);
uint64_t ring_settled(const struct ring *ring);
void ring_set_copied(struct ring *ring, uint64_t synced, uint64_t settled);

/* While no other thread uses the ring: the record at or after *position, which moves behind it;
 * NULL at the head. */
struct ring_record *ring_next(struct ring *ring, uint64_t *position);

/* For the copier. ring_boot_from(): records below it came in an earlier boot of the machine. */
const struct ring_area *ring_area(const struct ring *ring);
uint64_t ring_id(const struct ring *ring);
uint64_t ring_boot_from(const struct ring *ring);

/* The memory of the ring, for a child process that shall not change it. */
void ring_make_readonly(struct ring *ring);

/* Walks the intact records of a file, oldest first, without locking or changing it: it may belong
 * to a running program. ERR_IO, or ERR_MALFORMED where it is no ring. */
int ring_walk(const char *file, void (*each)(void *user, const struct ring_record *record),
              void *user, struct diag *diag);

#endif
