/*
 * A tape: the file of one recording, as bytes.
 *
 *   header    TAPE_HEADER_BYTES: magic, format, hub version, room, session, start, checksum
 *   block...  a head of TAPE_HEAD_BYTES, and what it says is stored behind it:
 *               messages   topics, times, lengths and payloads, compressed (tape_pack.h)
 *               gap        nothing: what the hub used, and could not record
 *   index     a block too, the last: TAPE_ENTRY_BYTES for each block before it
 *   trailer   TAPE_TRAILER_BYTES: where the index begins
 *
 * All numbers are little-endian. A block is only ever added, and each proves itself: its checksums
 * are bound to the header, so that a block of another tape, or of one that lay at the same place of
 * the disk before, is none. A tape that was cut short has no index, and costs its last block at
 * most; damage in the middle costs the blocks that it lies in.
 *
 * A block says which positions of the spool's ring it covers: every message of the room in
 * [from, to) is in it or in an earlier one, so that a recorder that was killed knows where to go
 * on. Pure: works on memory, and believes nothing that it reads.
 */
#ifndef LUMBAR_CORE_TAPE_H
#define LUMBAR_CORE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TAPE_HEADER_BYTES  256
#define TAPE_HEAD_BYTES    80
#define TAPE_ENTRY_BYTES   32
#define TAPE_TRAILER_BYTES 24
#define TAPE_BLOCKS_MAX    65536
#define TAPE_RAW_MAX       262144u /* bytes of a block, before it is compressed */
#define TAPE_STORED_MAX    327680u /* and after: what cannot be compressed grows a little */

struct tape_header {
    char version[32], room[64]; /* of the hub; terminated */
    uint64_t session;           /* 0: not of a session */
    int64_t start_ms;           /* hub time */
};

enum tape_kind { TAPE_MESSAGES = 1, TAPE_GAP, TAPE_INDEX };

/* The head of a block. */
struct tape_block {
    enum tape_kind kind;
    uint32_t number; /* 0, 1, 2 ... */
    uint32_t stored_bytes, raw_bytes;
    uint32_t count; /* messages; of a gap those lost (0: not known); of an index entries */
    uint64_t ring;  /* id of the spool's ring that these are positions in: */
    uint64_t from, to;
    int64_t first_ms, last_ms; /* hub time of its messages */
    uint64_t checksum;         /* of what is stored, as tape_sum() gives it */
};

/* What the index tells of a block. */
struct tape_entry {
    uint64_t offset; /* of its head in the file */
    int64_t first_ms, last_ms;
    enum tape_kind kind;
    uint32_t count;
};

/* Writes the header; returns the salt that the tape's blocks are bound to. */
uint64_t tape_write_header(uint8_t out[TAPE_HEADER_BYTES], const struct tape_header *header);

/* ERR_MALFORMED: it is no tape; ERR_VERSION: of a format that this hub does not know. */
int tape_read_header(const uint8_t *bytes, size_t count, struct tape_header *header, uint64_t *salt,
                     struct diag *diag);

uint64_t tape_sum(const void *stored, size_t bytes);
void tape_write_head(uint8_t out[TAPE_HEAD_BYTES], const struct tape_block *block, uint64_t salt);

/* False: there is no head of this tape. What it says is within bounds. */
bool tape_read_head(const uint8_t in[TAPE_HEAD_BYTES], struct tape_block *block, uint64_t salt);

void tape_read_entry(const uint8_t in[TAPE_ENTRY_BYTES], struct tape_entry *entry);

/* The index block and the trailer, for a tape whose blocks end at `offset`. `out` holds
 * tape_index_bytes(). */
size_t tape_index_bytes(uint32_t count);
void tape_write_index(uint8_t *out, const struct tape_entry *entries, uint32_t count,
                      uint64_t offset, uint64_t salt);

/* Where the index begins; 0: there is no trailer of this tape. */
uint64_t tape_read_trailer(const uint8_t in[TAPE_TRAILER_BYTES], uint64_t salt);

/* Times that a tape has from a clock that nobody had set, and by how much they are off: of what
 * begins before `bytes` in the file what is told as `from_ms` or later. Each is of the times as
 * those before it make them. */
#define TAPE_MOVES_MAX 8
struct tape_moves {
    struct tape_move {
        uint64_t bytes;
        int64_t from_ms, by_ms;
    } list[TAPE_MOVES_MAX];
    unsigned count;
};

/* The right time of what lies at this place and is told as this one. */
int64_t tape_moved_ms(const struct tape_moves *moves, uint64_t offset, int64_t told_ms);

/* Walks a tape in memory, block by block. Blocks have their times as they were told. */
struct tape_reader {
    const uint8_t *bytes;
    size_t count, at;
    uint64_t salt;
    uint32_t next; /* number of the block that is expected */
    struct tape_header header;
    struct tape_moves moves; /* whoever opens it fills them in, if there are any */
};

enum tape_step {
    TAPE_BLOCK,   /* a sound one: its head, and what it stores */
    TAPE_DAMAGED, /* bytes that are no sound block, and a sound one, or the index, behind them */
    TAPE_TORN,    /* bytes that are no sound block, and nothing behind them; then the end */
    TAPE_END,     /* after the index, or where the last block ends */
};

struct tape_part {
    size_t offset, bytes;    /* in the file; of the head, or of what is damaged */
    const char *why;         /* of damage, in words; NULL */
    struct tape_block block; /* TAPE_BLOCK; TAPE_END: the index, its kind 0 if there is none */
    const uint8_t *stored;
};

int tape_open(struct tape_reader *reader, const uint8_t *bytes, size_t count, struct diag *diag);
enum tape_step tape_next(struct tape_reader *reader, struct tape_part *part);

#endif
