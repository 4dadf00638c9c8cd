/*
 * Messages into a tape's block, and back.
 *
 * A gather takes messages as they come, in memory that is given: two copies each, nothing else, for
 * that is the loop's part. A packer makes a block of it, and messages of a block: the topics once,
 * the times as differences, and the payloads of a topic side by side, all through zstd.
 * Memory: a packer is allocated once (about 4 MiB with its compressor), a gather is the caller's;
 * whatever is in a block, unpacking it takes no more. Threads: each belongs to one at a time. Pure.
 */
#ifndef LUMBAR_CORE_TAPE_PACK_H
#define LUMBAR_CORE_TAPE_PACK_H

#include "core/tape.h"

#define TAPE_GATHER_BYTES 131072u /* holds a minute of a room with two devices */
#define TAPE_TOPIC_MAX    512u
#define TAPE_PAYLOAD_MAX  16384u
#define TAPE_MESSAGES_MAX 16384u /* in a block */

struct tape_message {
    const char *topic; /* not terminated */
    size_t topic_bytes;
    const uint8_t *payload;
    size_t payload_bytes;
    int64_t received_ms; /* hub time */
};

struct tape_gather {
    uint8_t *bytes; /* TAPE_GATHER_BYTES */
    size_t used;
    uint32_t count;
    int64_t first_ms, last_ms;
};

void tape_gather_clear(struct tape_gather *gather);

/* False: no room for one more, or it is larger than a message can be. */
bool tape_gather_add(struct tape_gather *gather, const struct tape_message *message);

struct tape_packer;

struct tape_packer *tape_packer_create(void); /* NULL: no memory */
void tape_packer_destroy(struct tape_packer *packer);

/* Makes a block of what was gathered (one message at least): *out is its head and what it stores,
 * good until the next use of the packer; returns the bytes. `block`: number, ring, from and to are
 * the caller's, the rest is filled in. */
size_t tape_pack(struct tape_packer *packer, const struct tape_gather *gather,
                 struct tape_block *block, uint64_t salt, const uint8_t **out);

/* Takes a block's messages apart. False: what is stored is no block that tape_pack() made. */
bool tape_unpack(struct tape_packer *packer, const struct tape_block *block, const uint8_t *stored);

/* Of the block that was unpacked: its topics, and its messages in the order in which they came.
 * Pointers are good until the next use of the packer. */
uint32_t tape_topics(const struct tape_packer *packer);
const char *tape_topic(const struct tape_packer *packer, uint32_t topic, size_t *bytes);
bool tape_message(struct tape_packer *packer, struct tape_message *message, uint32_t *topic);

#endif
