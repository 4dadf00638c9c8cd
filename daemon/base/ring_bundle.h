/*
 * Bundles: a stretch of a ring, compressed, that lies in its copy in the place of itself.
 *
 * A bundle of [from, to) begins at `from` and takes no more room than what it holds, so nobody has
 * to keep a list of them: each proves itself where it stands, as a record does, by its place and a
 * checksum bound to the ring's id. What lies between its end and `to` says nothing.
 * It can be read only whole. So it never crosses an edge, a multiple of ring_bundle_edge(), nor the
 * end of a lap, and who keeps a place of the ring from being overwritten keeps all from the edge
 * before it (ring_bundle_floor).
 * Pure but for the compressor's memory, which is its own. Threads: a bundler belongs to one.
 */
#ifndef LUMBAR_BASE_RING_BUNDLE_H
#define LUMBAR_BASE_RING_BUNDLE_H

#include "base/ring_file.h"

#define RING_BUNDLE_MOST 65536u /* bytes of what one holds */

/* A power of two, 4 KiB to RING_BUNDLE_MOST: a sixteenth of a ring of this size at most. */
uint64_t ring_bundle_edge(uint64_t size);

/* Where what holds this position begins at the earliest. */
static inline uint64_t ring_bundle_floor(uint64_t size, uint64_t position)
{
    return position & ~(ring_bundle_edge(size) - 1);
}

struct ring_bundler;
struct ring_bundler *ring_bundler_create(void); /* NULL: no memory; takes some 300 KiB at work */
void ring_bundler_destroy(struct ring_bundler *bundler);

/* Makes a bundle of [from, to), whose bytes these are: *out, good until the next call. Returns its
 * length; 0: it would save nothing. `area`: size and id are used. */
size_t ring_bundle_make(struct ring_bundler *bundler, const struct ring_area *area, uint64_t from,
                        uint64_t to, const void *bytes, const void **out);

/* The end of the intact bundle that begins at `position` and ends at or before `end`; 0: there is
 * none. */
uint64_t ring_bundle_end(const struct ring_area *area, uint64_t position, uint64_t end);

/* Puts what such a bundle holds into its place of another area. False: it cannot be read. */
bool ring_bundle_open(const struct ring_area *area, uint64_t position, struct ring_area *into);

#endif
