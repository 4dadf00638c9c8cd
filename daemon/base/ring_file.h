/*
 * The inside of a ring's files, for ring.c and ring_copy.c: how they are made, locked and set
 * aside, and how a record is known from what is not one.
 *
 * A file is RING_DATA_OFFSET bytes of header, then `size` bytes in which position p lies at
 * p % size. Positions begin at `size`, so a zeroed word is never the stamp of its place. Each
 * record begins with its own position, and its checksum is bound to the ring's random id: neither
 * an older lap nor bytes that a device sent can pass for a record.
 */
#ifndef LUMBAR_BASE_RING_FILE_H
#define LUMBAR_BASE_RING_FILE_H

#include "base/clock.h"
#include "base/ring.h"

#define RING_DATA_OFFSET 8192
#define RING_FORMAT      1u
#define RING_BOOT_BYTES  CLOCK_BOOT_BYTES

/* Low bits of a word that stands where no record does: positions are multiples of 8. */
#define RING_SKIP_LAP  1u /* nothing more up to the end of the file */
#define RING_SKIP_WORD 2u /* nothing in these 8 bytes */

struct ring_area {
    uint8_t *data;
    uint64_t size, id;
};

static inline uint64_t ring_record_bytes(size_t topic_bytes, size_t payload_bytes)
{
    return (sizeof(struct ring_record) + topic_bytes + payload_bytes + 7) & ~(uint64_t)7;
}

static inline struct ring_record *ring_area_at(const struct ring_area *area, uint64_t position)
{
    return (struct ring_record *)(void *)(area->data + position % area->size);
}

uint64_t ring_area_checksum(const struct ring_area *area, const struct ring_record *record);

uint64_t ring_header_checksum(const void *header, size_t bytes);

/* Is there an intact record at `position` that ends at or before `end`? */
bool ring_area_is_record(const struct ring_area *area, uint64_t position, uint64_t end);

/* Bytes of whatever stands at a position of a mended area: record, word, or rest of a lap. */
uint64_t ring_area_step(const struct ring_area *area, uint64_t position);

/* The end of the last intact record in [from, to), `from` if there is none. Changes nothing. */
uint64_t ring_area_find_end(const struct ring_area *area, uint64_t from, uint64_t to);

struct ring_mended {
    uint64_t first; /* the first intact record; `to` if there is none */
    uint64_t torn;  /* places that were damaged */
};

/* Makes [from, to) walkable: what is not an intact record becomes skip words. `exact`: `from` is
 * known to begin a record, so that whatever else is there is damage. */
struct ring_mended ring_area_mend(struct ring_area *area, uint64_t from, uint64_t to, bool exact);

/* Makes outcomes those of a ring that was drained in order: after the first that waits, none is
 * used or found a repeat, and only the first can have been begun. Returns the number that wait and
 * sets *done to the first of them (`to` if none). */
uint64_t ring_area_settle(struct ring_area *area, uint64_t from, uint64_t to, uint64_t *done);

uint64_t ring_fresh_id(void); /* at random, not 0 */

/* Checks a size; *diag says what is wrong with it. */
int ring_size_check(size_t size_bytes, const char *file, struct diag *diag);

/* Opens and locks; *fd is -1 where there is no such file. On a file system that has become
 * read-only it is opened for reading. */
int ring_file_open(const char *file, int *fd, struct diag *diag);

/* Makes "<file>.new" with all its blocks, locked; ring_file_publish() gives it its name. So a file
 * of that name is always a whole one. ERR_FULL: the disk's trouble (full, failing, read-only),
 * not the configuration's. */
int ring_file_make(const char *file, uint64_t bytes, int *fd, struct diag *diag);
int ring_file_publish(const char *file, struct diag *diag);
void ring_file_unmake(const char *file);

/* Renames it to "<file>.damaged-<seconds>" and says so. Never overwrites another. */
int ring_file_set_aside(const char *file, const char *why, struct diag *diag);

/* All or nothing; false with errno. */
bool ring_file_read(int fd, void *out, size_t bytes, uint64_t offset);
bool ring_file_write(int fd, const void *from, size_t bytes, uint64_t offset);

/* This boot of the machine; "" where it cannot be told. */
void ring_boot_now(char boot[RING_BOOT_BYTES]);
bool ring_boot_is_now(const char boot[RING_BOOT_BYTES]);

#endif
