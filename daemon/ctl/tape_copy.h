/*
 * A recording into a file of its own: every sound block and an index; what is torn or damaged is
 * left out, and a gap stands for it. Messages may be left out, too. The copy has no list of moved
 * times beside it (io/tape_folder.h): its times are right.
 */
#ifndef LUMBAR_CTL_TAPE_COPY_H
#define LUMBAR_CTL_TAPE_COPY_H

#include "core/tape.h"
#include "core/tape_pack.h"

struct tape_copy {
    uint64_t messages, bytes; /* that were written; notes (core/tape_note.h) are messages, too */
    uint64_t left_out_bytes;  /* of what is torn or damaged */
    uint32_t blocks;
};

/* Is it to be in the copy? Asked for each message and note, in their order; NULL: all are. */
typedef bool tape_copy_wants(void *user, const struct tape_message *message);

/* Makes the file, which must not be there; on an error there is none. */
int tape_copy(struct tape_copy *copy, struct tape_reader *reader, const char *path,
              tape_copy_wants *wants, void *user, struct diag *diag);

#endif
