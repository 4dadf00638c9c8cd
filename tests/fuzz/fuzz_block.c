/* A packed block of history, as it may stand in a damaged file: what is taken makes sense, and
 * comes out of packing as it went in. */
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right)
{
    if (!right)
        abort();
}

static void check(const struct bucket *bucket)
{
    if (bucket->count > 0)
        must(bucket->min <= bucket->mean && bucket->mean <= bucket->max &&
             bucket->max < METRIC_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block block, again;
    uint8_t packed[BLOCK_MAX_BYTES];
    if (!block_unpack(&block, data, size)) {
        for (unsigned i = 0; i < BLOCK_SLOTS; i++)
            must(block.slots[i].count == 0);
        return 0;
    }
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        check(&block.slots[i]);
    size_t bytes = block_pack(&block, packed);
    must(bytes <= sizeof(packed));
    must(block_unpack(&again, packed, bytes));
    must(memcmp(&block, &again, sizeof(block)) == 0);
    block_add(&block, &again);
    struct bucket sum = block_sum(&block);
    check(&sum);
    for (unsigned i = 0; i < BLOCK_SLOTS; i++)
        check(&block.slots[i]);
    return 0;
}
