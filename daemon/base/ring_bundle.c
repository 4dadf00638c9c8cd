#include "base/ring_bundle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#define LEVEL    1 /* it is on the way of an acknowledgement, and levels beyond gain little */
#define EDGE_MIN 4096

/* In front of what is compressed. Its stamp is no record's and no skip word's. */
struct bundle {
    uint64_t stamp; /* position | STAMP */
    uint64_t checksum;
    uint32_t bytes, packed_bytes; /* of what it holds; of what follows */
};
#define STAMP 4u

struct ring_bundler {
    ZSTD_CCtx *compressor;
    struct {
        struct bundle head;
        uint8_t packed[RING_BUNDLE_MOST - sizeof(struct bundle)];
    } out;
};

uint64_t ring_bundle_edge(uint64_t size)
{
    uint64_t edge = RING_BUNDLE_MOST;
    while (edge > EDGE_MIN && edge > size / 16)
        edge /= 2;
    return edge;
}

struct ring_bundler *ring_bundler_create(void)
{
    struct ring_bundler *bundler = malloc(sizeof(*bundler));
    if (bundler == NULL)
        return NULL;
    bundler->compressor = ZSTD_createCCtx();
    if (bundler->compressor != NULL)
        return bundler;
    free(bundler);
    return NULL;
}

void ring_bundler_destroy(struct ring_bundler *bundler)
{
    if (bundler == NULL)
        return;
    ZSTD_freeCCtx(bundler->compressor);
    free(bundler);
}

static uint64_t checksum(const struct ring_area *area, const struct bundle *bundle)
{
    const size_t from = offsetof(struct bundle, bytes);
    return XXH3_64bits_withSeed((const uint8_t *)bundle + from,
                                sizeof(*bundle) - from + bundle->packed_bytes,
                                area->id ^ bundle->stamp);
}

size_t ring_bundle_make(struct ring_bundler *bundler, const struct ring_area *area, uint64_t from,
                        uint64_t to, const void *bytes, const void **out)
{
    size_t count = (size_t)(to - from);
    assert(count <= RING_BUNDLE_MOST && from % 8 == 0 && to % 8 == 0);
    if (count <= sizeof(struct bundle))
        return 0;
    struct bundle *head = &bundler->out.head;
    size_t packed = ZSTD_compressCCtx(bundler->compressor, bundler->out.packed,
                                      count - sizeof(*head), bytes, count, LEVEL);
    if (ZSTD_isError(packed)) /* it does not fit into its own place */
        return 0;
    *head = (struct bundle){
        .stamp = from | STAMP, .bytes = (uint32_t)count, .packed_bytes = (uint32_t)packed};
    head->checksum = checksum(area, head);
    *out = &bundler->out;
    return sizeof(*head) + packed;
}

static const struct bundle *bundle_at(const struct ring_area *area, uint64_t position)
{
    return (const struct bundle *)(const void *)(area->data + position % area->size);
}

uint64_t ring_bundle_end(const struct ring_area *area, uint64_t position, uint64_t end)
{
    const struct bundle *bundle = bundle_at(area, position);
    if (bundle->stamp != (position | STAMP))
        return 0;
    uint64_t rest = area->size - position % area->size, edge = ring_bundle_edge(area->size);
    if (end - position < rest)
        rest = end - position;
    if (edge - position % edge < rest)
        rest = edge - position % edge;
    if (rest < sizeof(*bundle))
        return 0;
    if (bundle->bytes > rest || bundle->bytes % 8 != 0 || bundle->bytes < sizeof(*bundle) ||
        bundle->packed_bytes > bundle->bytes - sizeof(*bundle))
        return 0;
    return bundle->checksum == checksum(area, bundle) ? position + bundle->bytes : 0;
}

bool ring_bundle_open(const struct ring_area *area, uint64_t position, struct ring_area *into)
{
    const struct bundle *bundle = bundle_at(area, position);
    size_t bytes = ZSTD_decompress(into->data + position % into->size, bundle->bytes, bundle + 1,
                                   bundle->packed_bytes);
    return bytes == bundle->bytes;
}
