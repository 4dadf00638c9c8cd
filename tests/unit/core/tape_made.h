/* A tape made in memory, for tests: blocks of messages that say their own number. */
#ifndef LUMBAR_TEST_TAPE_MADE_H
#define LUMBAR_TEST_TAPE_MADE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tape_pack.h"

#define MADE_BLOCKS_MAX 8

struct made {
    uint8_t *bytes;
    size_t count;
    uint64_t salt;
    struct tape_entry entries[MADE_BLOCKS_MAX];
    uint32_t blocks;
    uint64_t position;
};

static inline void made_add(struct made *made, const void *bytes, size_t count)
{
    made->bytes = realloc(made->bytes, made->count + count);
    memcpy(made->bytes + made->count, bytes, count);
    made->count += count;
}

static inline void made_begin(struct made *made, const char *room)
{
    struct tape_header header = {.version = "1.2.3", .session = 77, .start_ms = 1700000000000};
    uint8_t bytes[TAPE_HEADER_BYTES];
    snprintf(header.room, sizeof(header.room), "%s", room);
    *made = (struct made){.position = 4096};
    made->salt = tape_write_header(bytes, &header);
    made_add(made, bytes, sizeof(bytes));
}

static inline void made_entry(struct made *made, const struct tape_block *block)
{
    made->entries[made->blocks++] = (struct tape_entry){made->count, block->first_ms,
                                                        block->last_ms, block->kind, block->count};
}

static inline struct tape_block made_next(const struct made *made)
{
    return (struct tape_block){
        .number = made->blocks, .ring = 5, .from = made->position, .to = made->position + 100};
}

/* A block of `count` messages from two devices: "message 0", "message 1" ... */
static inline void made_messages(struct made *made, struct tape_packer *packer, unsigned count)
{
    static uint8_t memory[TAPE_GATHER_BYTES];
    struct tape_gather gather = {.bytes = memory};
    tape_gather_clear(&gather);
    for (unsigned i = 0; i < count; i++) {
        char payload[32];
        int bytes = snprintf(payload, sizeof(payload), "message %u", i);
        struct tape_message message = {
            .topic = i % 2 == 0 ? "lumbar/v1/x/a/telemetry" : "lumbar/v1/x/b/telemetry",
            .topic_bytes = 23,
            .payload = (const uint8_t *)payload,
            .payload_bytes = (size_t)bytes,
            .received_ms = 1700000000000 + 1000 * (int64_t)made->blocks + i,
        };
        tape_gather_add(&gather, &message);
    }
    struct tape_block block = made_next(made);
    const uint8_t *out;
    size_t bytes = tape_pack(packer, &gather, &block, made->salt, &out);
    made_entry(made, &block);
    made_add(made, out, bytes);
    made->position = block.to;
}

static inline void made_gap(struct made *made, uint32_t lost)
{
    uint8_t head[TAPE_HEAD_BYTES];
    struct tape_block block = made_next(made);
    block.kind = TAPE_GAP;
    block.count = lost;
    block.checksum = tape_sum(head, 0);
    tape_write_head(head, &block, made->salt);
    made_entry(made, &block);
    made_add(made, head, sizeof(head));
    made->position = block.to;
}

static inline void made_index(struct made *made)
{
    size_t bytes = tape_index_bytes(made->blocks);
    uint8_t *out = malloc(bytes);
    tape_write_index(out, made->entries, made->blocks, made->count, made->salt);
    made_add(made, out, bytes);
    free(out);
}

#endif
