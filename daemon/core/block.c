#include "core/block.h"

#include <string.h>

#include "core/driver.h"

/* First byte: the format, and what needs not be written. */
#define FORMAT     1u
#define FORMAT_OF  0x0fu
#define ALL_SLOTS  0x10u /* every slot has a bucket: no bits of which */
#define ONE_COUNT  0x20u /* all buckets have the same count: it stands once */
#define FLAT       0x40u /* in every bucket least, mean and greatest are one */
#define ALL_FLAGS  (ALL_SLOTS | ONE_COUNT | FLAT)
#define SLOTS_MASK ((UINT64_C(1) << BLOCK_SLOTS) - 1)

void bucket_add(struct bucket *bucket, const struct bucket *more)
{
    if (more->count == 0)
        return;
    if (bucket->count == 0) {
        *bucket = *more;
        return;
    }
    uint64_t count = (uint64_t)bucket->count + more->count;
    uint64_t sum = (uint64_t)bucket->mean * bucket->count + (uint64_t)more->mean * more->count;
    bucket->mean = (uint16_t)((sum + count / 2) / count);
    bucket->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    bucket->min = more->min < bucket->min ? more->min : bucket->min;
    bucket->max = more->max > bucket->max ? more->max : bucket->max;
}

void block_add(struct block *block, const struct block *more)
{
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        bucket_add(&block->slots[i], &more->slots[i]);
}

struct bucket block_sum(const struct block *block)
{
    struct bucket all = {0};
    uint64_t count = 0, sum = 0;
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        const struct bucket *slot = &block->slots[i];
        bucket_add(&all, slot);
        count += slot->count;
        sum += (uint64_t)slot->mean * slot->count;
    }
    if (count > 0) /* once, so that rounding does not add up */
        all.mean = (uint16_t)((sum + count / 2) / count);
    return all;
}

/* ---- Packing ---- */

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static uint64_t zigzag(int64_t difference)
{
    return ((uint64_t)difference << 1) ^ (uint64_t)(difference >> 63);
}

static int64_t unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

/* The slots that are there, and what is the same in all of them. */
static unsigned look_at(const struct block *block, const struct bucket *list[BLOCK_SLOTS],
                        uint64_t *present, uint8_t *flags)
{
    unsigned count = 0;
    *present = 0;
    *flags = ONE_COUNT | FLAT;
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        const struct bucket *slot = &block->slots[i];
        if (slot->count == 0)
            continue;
        *present |= UINT64_C(1) << i;
        list[count++] = slot;
        if (slot->count != list[0]->count)
            *flags &= (uint8_t)~ONE_COUNT;
        if (slot->min != slot->max)
            *flags &= (uint8_t)~FLAT;
    }
    if (count == BLOCK_SLOTS)
        *flags |= ALL_SLOTS;
    return count;
}

size_t block_pack(const struct block *block, uint8_t *out)
{
    const struct bucket *list[BLOCK_SLOTS];
    uint64_t present;
    uint8_t flags;
    unsigned count = look_at(block, list, &present, &flags);
    uint8_t *at = out;
    *at++ = (uint8_t)(FORMAT | flags);
    for (unsigned i = 0; (flags & ALL_SLOTS) == 0 && i < 8; i++)
        *at++ = (uint8_t)(present >> 8 * i);
    int64_t before = 0;
    for (unsigned i = 0; i < ((flags & ONE_COUNT) != 0 && count > 0 ? 1 : count); i++) {
        at = put_number(at, zigzag(list[i]->count - before));
        before = list[i]->count;
    }
    before = 0;
    for (unsigned i = 0; i < count; i++) {
        at = put_number(at, zigzag(list[i]->min - before));
        before = list[i]->min;
    }
    for (unsigned i = 0; (flags & FLAT) == 0 && i < count; i++)
        at = put_number(at, (uint64_t)(list[i]->mean - list[i]->min));
    for (unsigned i = 0; (flags & FLAT) == 0 && i < count; i++)
        at = put_number(at, (uint64_t)(list[i]->max - list[i]->mean));
    return (size_t)(at - out);
}

/* ---- Unpacking: a reader that keeps its first failure ---- */

struct reader {
    const uint8_t *at, *end;
    bool failed;
};

static uint64_t get_number(struct reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 35 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    reader->failed = true;
    return 0;
}

/* `from` and a distance, within what is allowed. */
static int64_t get_within(struct reader *reader, int64_t from, int64_t distance, int64_t least,
                          int64_t most)
{
    int64_t value = from + distance;
    if (value < least || value > most)
        reader->failed = true;
    return reader->failed ? least : value;
}

static uint64_t get_slots(struct reader *reader, uint8_t flags)
{
    uint64_t present = 0;
    if ((flags & ALL_SLOTS) != 0)
        return SLOTS_MASK;
    for (unsigned i = 0; i < 8; i++) {
        if (reader->at == reader->end) {
            reader->failed = true;
            return 0;
        }
        present |= (uint64_t)*reader->at++ << 8 * i;
    }
    if ((present & ~SLOTS_MASK) != 0)
        reader->failed = true;
    return present & SLOTS_MASK;
}

static void get_columns(struct reader *reader, uint8_t flags, struct bucket **list, unsigned count)
{
    const int64_t most = METRIC_NONE - 1;
    int64_t before = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i == 0 || (flags & ONE_COUNT) == 0)
            before = get_within(reader, before, unzigzag(get_number(reader)), 1, UINT32_MAX);
        list[i]->count = (uint32_t)before;
    }
    before = 0;
    for (unsigned i = 0; i < count; i++) {
        before = get_within(reader, before, unzigzag(get_number(reader)), 0, most);
        list[i]->min = list[i]->mean = list[i]->max = (uint16_t)before;
    }
    if ((flags & FLAT) != 0)
        return;
    for (unsigned i = 0; i < count; i++)
        list[i]->mean =
            (uint16_t)get_within(reader, list[i]->min, (int64_t)get_number(reader), 0, most);
    for (unsigned i = 0; i < count; i++)
        list[i]->max =
            (uint16_t)get_within(reader, list[i]->mean, (int64_t)get_number(reader), 0, most);
}

bool block_unpack(struct block *block, const uint8_t *bytes, size_t count)
{
    struct reader reader = {bytes, bytes + count, count == 0};
    struct bucket *list[BLOCK_SLOTS];
    unsigned present_count = 0;
    uint8_t first = count > 0 ? *reader.at++ : 0;
    memset(block, 0, sizeof(*block));
    if ((first & FORMAT_OF) != FORMAT || (first & ~(FORMAT_OF | ALL_FLAGS)) != 0)
        return false;
    uint64_t present = get_slots(&reader, first);
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        if ((present >> i & 1) != 0)
            list[present_count++] = &block->slots[i];
    get_columns(&reader, first, list, present_count);
    if (!reader.failed && reader.at == reader.end)
        return true;
    memset(block, 0, sizeof(*block));
    return false;
}
