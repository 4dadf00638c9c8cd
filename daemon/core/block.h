/*
 * Blocks: sixty buckets of one value in a row, as they are kept for years.
 *
 * A bucket is what was heard in a span of time: how many values, the least, the mean and the
 * greatest, in 16 bits as driver.h has them. A block of seconds holds a minute, a block of minutes
 * holds an hour; both are packed alike: which slots are there, then a column each for count, least,
 * and the distances to mean and greatest, as differences in as few bytes as they need.
 * Pure; allocates nothing. What is unpacked comes from a file that may be damaged: it is believed
 * only where every bucket makes sense, and nothing is left over.
 */
#ifndef LUMBAR_CORE_BLOCK_H
#define LUMBAR_CORE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_SLOTS     60
#define BLOCK_MAX_BYTES (1 + 8 + BLOCK_SLOTS * (5 + 3 + 3 + 3)) /* packed, at most */

struct bucket {
    uint32_t count; /* of values; 0: nothing was heard, and the rest says nothing */
    uint16_t min, mean, max;
};

struct block {
    struct bucket slots[BLOCK_SLOTS];
};

/* Adds one bucket to another: counts add up (and stay at their most), the mean is weighed. */
void bucket_add(struct bucket *bucket, const struct bucket *more);

/* Adds a block's buckets to those in the same slots. */
void block_add(struct block *block, const struct block *more);

/* All of a block as one bucket. */
struct bucket block_sum(const struct block *block);

/* Packs into out (BLOCK_MAX_BYTES); returns the length. */
size_t block_pack(const struct block *block, uint8_t *out);

/* False: it is no block; then *block is empty. */
bool block_unpack(struct block *block, const uint8_t *bytes, size_t count);

#endif
