/*
 * The copy of a ring on a disk, against a power cut.
 *
 * Allocated in full when it is made; its data lie where they lie in the ring, or are bundled there
 * (ring_bundle.h), so that less is written. Two header blocks are written in turn, each with a
 * number and a checksum, so one of them is whole whatever is cut short. They are written seldom:
 * what lies beyond the header's head is found by looking, since each record and bundle proves
 * itself.
 *
 * A place is bundled at most when it is written for the first time: what lies there already is only
 * ever written again as what it is. So a power cut in the middle of writing over it costs nothing.
 * Who finds places in a bundle that have to be written again begins the copy anew.
 * Threads: one at a time.
 */
#ifndef LUMBAR_BASE_RING_COPY_H
#define LUMBAR_BASE_RING_COPY_H

#include "base/ring.h"
#include "base/ring_file.h"
#include "base/ring_image.h"

struct ring_copy;

/* Opens what is there, of whatever size; a file that is no copy is set aside. Succeeds without a
 * file: ring_copy_begin() makes it. */
int ring_copy_open(struct ring_copy **out, const char *file, struct diag *diag);
void ring_copy_close(struct ring_copy *copy);

bool ring_copy_exists(const struct ring_copy *copy);
uint64_t ring_copy_id(const struct ring_copy *copy); /* of the ring; 0: no file */

/* What the copy holds, mended. */
int ring_copy_read(const struct ring_copy *copy, struct ring_image *image, struct diag *diag);

/* Keeps what is there under another name; then there is no file. */
int ring_copy_set_aside(struct ring_copy *copy, const char *why, struct diag *diag);

/* Makes a new file for this ring with [from, to) of it, synced, in place of what is there: before
 * it is whole it has not the name. ERR_FULL: the disk's trouble, may be tried again; what was there
 * is there still. */
int ring_copy_begin(struct ring_copy *copy, const struct ring_area *area, uint64_t from,
                    uint64_t to, uint64_t boot_from, struct diag *diag);

/* Goes on with the file that is there; anything up to the ring's head may lie in it. */
void ring_copy_continue(struct ring_copy *copy, uint64_t boot_from, uint64_t head);

/* Writes [from, to) of the area, and a header when enough has come since the last one, or there is
 * a gap before `from`. What lies below `settled` will not have to be written once more, unless this
 * fails: it is bundled. Not yet synced. False with errno. */
bool ring_copy_write(struct ring_copy *copy, const struct ring_area *area, uint64_t from,
                     uint64_t to, uint64_t settled);

/* False with errno: then all since the last sync has to be written again. */
bool ring_copy_sync(struct ring_copy *copy);
bool ring_copy_finish(struct ring_copy *copy, uint64_t head); /* a header now; synced */

#endif
