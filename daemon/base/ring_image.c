#include "base/ring_image.h"

#include <stdlib.h>
#include <string.h>

static uint64_t bytes_of(const struct ring_record *record)
{
    return ring_record_bytes(record->topic_bytes, record->payload_bytes);
}

/* From where on the records take no more than `size_bytes`. */
static uint64_t newest_that_fit(struct ring *ring, uint64_t size_bytes)
{
    uint64_t bytes = 0, tail = ring_tail(ring);
    for (uint64_t at = tail; at < ring_head(ring);) {
        const struct ring_record *record = ring_next(ring, &at);
        bytes += record != NULL ? bytes_of(record) : 0;
    }
    while (bytes > size_bytes) {
        const struct ring_record *record = ring_next(ring, &tail);
        bytes -= record != NULL ? bytes_of(record) : bytes;
    }
    return tail;
}

static void take(struct ring_image *image, const struct ring_record *record)
{
    struct ring_record *taken = ring_area_at(&image->area, image->end);
    memcpy(taken, record, sizeof(*record) + record->topic_bytes + record->payload_bytes);
    taken->position = image->end;
    taken->checksum = ring_area_checksum(&image->area, taken);
    image->end += bytes_of(record);
}

int ring_image_refit(struct ring_image *image, struct ring *ring, size_t size_bytes,
                     struct diag *diag)
{
    *image = (struct ring_image){.area = {.size = size_bytes, .id = ring_fresh_id()}};
    uint64_t from = newest_that_fit(ring, size_bytes);
    const struct ring_record *waiting = ring_peek(ring);
    if (waiting != NULL && waiting->position < from)
        return diag_set(diag, ERR_LIMIT, "%llu messages that wait do not fit into %zu bytes",
                        (unsigned long long)ring_waiting(ring), size_bytes);
    image->area.data = calloc(1, size_bytes);
    if (image->area.data == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for a ring of %zu bytes", size_bytes);
    image->first = image->end = size_bytes;
    image->torn = ring_torn(ring);
    bool old = true;
    for (const struct ring_record *record; (record = ring_next(ring, &from)) != NULL;) {
        if (old && record->position >= ring_boot_from(ring))
            image->boot_from = image->end;
        old = record->position < ring_boot_from(ring);
        take(image, record);
    }
    if (old)
        image->boot_from = image->end;
    return 0;
}

void ring_image_fini(struct ring_image *image)
{
    free(image->area.data);
    image->area.data = NULL;
}
