/*
 * What a ring is made from: the records of a copy, or of a ring that had another size, in memory of
 * their own.
 */
#ifndef LUMBAR_BASE_RING_IMAGE_H
#define LUMBAR_BASE_RING_IMAGE_H

#include "base/ring.h"
#include "base/ring_file.h"

struct ring_image {
    struct ring_area area;
    uint64_t first, end; /* positions of the oldest record, and behind the newest */
    uint64_t torn;
    uint64_t boot_from; /* what lies from here on came in this boot of the machine */
    uint64_t bundled;   /* end of the last bundle that it was made from; 0: there was none */
};

/* What a ring holds, laid out for another size, with an id of its own and positions that begin
 * anew. The oldest go where there is no room for all. ERR_LIMIT: there is none even for those that
 * wait. */
int ring_image_refit(struct ring_image *image, struct ring *ring, size_t size_bytes,
                     struct diag *diag);
void ring_image_fini(struct ring_image *image);

#endif
