#include "core/tape.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BLOCK_MAGIC 0x4b4c424cu /* "LBLK" */
#define FORMAT      1u

#define HEADER_SUM_AT (TAPE_HEADER_BYTES - 8)
#define HEAD_SUM_AT   (TAPE_HEAD_BYTES - 8)

static const uint8_t header_magic[8] = {'L', 'U', 'M', 'T', 'A', 'P', 'E', '\n'};
static const uint8_t trailer_magic[8] = {'L', 'U', 'M', 'I', 'N', 'D', 'E', 'X'};

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

uint64_t tape_sum(const void *stored, size_t bytes)
{
    return XXH3_64bits(stored, bytes);
}

/* ---- header: magic 0, format 8, session 16, start 24, version 32, room 64, checksum 248 ---- */

uint64_t tape_write_header(uint8_t out[TAPE_HEADER_BYTES], const struct tape_header *header)
{
    memset(out, 0, TAPE_HEADER_BYTES);
    memcpy(out, header_magic, 8);
    put32(out + 8, FORMAT);
    put64(out + 16, header->session);
    put64(out + 24, (uint64_t)header->start_ms);
    memcpy(out + 32, header->version, strnlen(header->version, sizeof(header->version) - 1));
    memcpy(out + 64, header->room, strnlen(header->room, sizeof(header->room) - 1));
    uint64_t sum = XXH3_64bits(out, HEADER_SUM_AT);
    put64(out + HEADER_SUM_AT, sum);
    return sum;
}

int tape_read_header(const uint8_t *bytes, size_t count, struct tape_header *header, uint64_t *salt,
                     struct diag *diag)
{
    if (count < TAPE_HEADER_BYTES || memcmp(bytes, header_magic, 8) != 0)
        return diag_set(diag, ERR_MALFORMED, "it is no recording");
    if (get32(bytes + 8) != FORMAT)
        return diag_set(diag, ERR_VERSION, "it is of format %u, and only %u is known here",
                        get32(bytes + 8), FORMAT);
    *salt = get64(bytes + HEADER_SUM_AT);
    if (*salt != XXH3_64bits(bytes, HEADER_SUM_AT) || bytes[63] != '\0' || bytes[127] != '\0')
        return diag_set(diag, ERR_MALFORMED, "its header is damaged");
    header->session = get64(bytes + 16);
    header->start_ms = (int64_t)get64(bytes + 24);
    memcpy(header->version, bytes + 32, sizeof(header->version));
    memcpy(header->room, bytes + 64, sizeof(header->room));
    return 0;
}

/* ---- a block's head ---- */

void tape_write_head(uint8_t out[TAPE_HEAD_BYTES], const struct tape_block *block, uint64_t salt)
{
    put32(out, BLOCK_MAGIC);
    put32(out + 4, (uint32_t)block->kind);
    put32(out + 8, block->number);
    put32(out + 12, block->stored_bytes);
    put32(out + 16, block->raw_bytes);
    put32(out + 20, block->count);
    put64(out + 24, block->ring);
    put64(out + 32, block->from);
    put64(out + 40, block->to);
    put64(out + 48, (uint64_t)block->first_ms);
    put64(out + 56, (uint64_t)block->last_ms);
    put64(out + 64, block->checksum);
    put64(out + HEAD_SUM_AT, XXH3_64bits_withSeed(out, HEAD_SUM_AT, salt));
}

static bool is_possible(const struct tape_block *block)
{
    if (block->number > TAPE_BLOCKS_MAX || block->first_ms > block->last_ms ||
        block->from > block->to)
        return false;
    switch (block->kind) {
    case TAPE_MESSAGES:
        return block->stored_bytes <= TAPE_STORED_MAX && block->raw_bytes <= TAPE_RAW_MAX &&
               block->count > 0 && block->count <= block->raw_bytes;
    case TAPE_GAP:
        return block->stored_bytes == 0 && block->raw_bytes == 0;
    case TAPE_INDEX:
        return block->count == block->number &&
               block->stored_bytes == block->count * TAPE_ENTRY_BYTES;
    default:
        return false;
    }
}

bool tape_read_head(const uint8_t in[TAPE_HEAD_BYTES], struct tape_block *block, uint64_t salt)
{
    if (get32(in) != BLOCK_MAGIC ||
        get64(in + HEAD_SUM_AT) != XXH3_64bits_withSeed(in, HEAD_SUM_AT, salt))
        return false;
    *block = (struct tape_block){
        .kind = (enum tape_kind)get32(in + 4),
        .number = get32(in + 8),
        .stored_bytes = get32(in + 12),
        .raw_bytes = get32(in + 16),
        .count = get32(in + 20),
        .ring = get64(in + 24),
        .from = get64(in + 32),
        .to = get64(in + 40),
        .first_ms = (int64_t)get64(in + 48),
        .last_ms = (int64_t)get64(in + 56),
        .checksum = get64(in + 64),
    };
    return is_possible(block);
}

/* ---- index and trailer ---- */

static void write_entry(uint8_t out[TAPE_ENTRY_BYTES], const struct tape_entry *entry)
{
    put64(out, entry->offset);
    put64(out + 8, (uint64_t)entry->first_ms);
    put64(out + 16, (uint64_t)entry->last_ms);
    put32(out + 24, (uint32_t)entry->kind);
    put32(out + 28, entry->count);
}

void tape_read_entry(const uint8_t in[TAPE_ENTRY_BYTES], struct tape_entry *entry)
{
    *entry = (struct tape_entry){
        .offset = get64(in),
        .first_ms = (int64_t)get64(in + 8),
        .last_ms = (int64_t)get64(in + 16),
        .kind = (enum tape_kind)get32(in + 24),
        .count = get32(in + 28),
    };
}

size_t tape_index_bytes(uint32_t count)
{
    return TAPE_HEAD_BYTES + (size_t)count * TAPE_ENTRY_BYTES + TAPE_TRAILER_BYTES;
}

void tape_write_index(uint8_t *out, const struct tape_entry *entries, uint32_t count,
                      uint64_t offset, uint64_t salt)
{
    uint8_t *stored = out + TAPE_HEAD_BYTES, *trailer = stored + (size_t)count * TAPE_ENTRY_BYTES;
    struct tape_block block = {.kind = TAPE_INDEX,
                               .number = count,
                               .count = count,
                               .stored_bytes = count * TAPE_ENTRY_BYTES};
    for (uint32_t i = 0; i < count; i++) {
        write_entry(stored + (size_t)i * TAPE_ENTRY_BYTES, &entries[i]);
        if (i == 0 || entries[i].first_ms < block.first_ms)
            block.first_ms = entries[i].first_ms;
        if (i == 0 || entries[i].last_ms > block.last_ms)
            block.last_ms = entries[i].last_ms;
    }
    block.checksum = tape_sum(stored, block.stored_bytes);
    tape_write_head(out, &block, salt);
    put64(trailer, offset);
    memcpy(trailer + 8, trailer_magic, 8);
    put64(trailer + 16, XXH3_64bits_withSeed(trailer, 16, salt));
}

uint64_t tape_read_trailer(const uint8_t in[TAPE_TRAILER_BYTES], uint64_t salt)
{
    bool sound = memcmp(in + 8, trailer_magic, 8) == 0 &&
                 get64(in + 16) == XXH3_64bits_withSeed(in, 16, salt);
    return sound ? get64(in) : 0;
}

/* ---- a wrong clock ---- */

int64_t tape_moved_ms(const struct tape_moves *moves, uint64_t offset, int64_t told_ms)
{
    for (unsigned i = 0; i < moves->count; i++)
        if (offset < moves->list[i].bytes && told_ms >= moves->list[i].from_ms)
            told_ms += moves->list[i].by_ms;
    return told_ms;
}

/* ---- the walk ---- */

int tape_open(struct tape_reader *reader, const uint8_t *bytes, size_t count, struct diag *diag)
{
    *reader = (struct tape_reader){.bytes = bytes, .count = count, .at = TAPE_HEADER_BYTES};
    return tape_read_header(bytes, count, &reader->header, &reader->salt, diag);
}

/* Why there is no sound block here; NULL: there is one. */
static const char *examine(const struct tape_reader *reader, size_t at, struct tape_part *part)
{
    size_t rest = reader->count - at;
    if (rest < TAPE_HEAD_BYTES)
        return "a block's head is cut short";
    if (!tape_read_head(reader->bytes + at, &part->block, reader->salt))
        return "a block's head is damaged";
    part->offset = at;
    part->bytes = TAPE_HEAD_BYTES + part->block.stored_bytes;
    part->stored = reader->bytes + at + TAPE_HEAD_BYTES;
    if (rest < part->bytes)
        return "a block is cut short";
    if (part->block.checksum != tape_sum(part->stored, part->block.stored_bytes))
        return "a block's checksum is wrong";
    if (part->block.number < reader->next)
        return "a block stands here for the second time";
    return NULL;
}

/* Passes over what is damaged, to the next sound block if there is one. */
static enum tape_step pass_damage(struct tape_reader *reader, struct tape_part *part,
                                  const char *why)
{
    const uint8_t magic[4] = {BLOCK_MAGIC & 0xff, BLOCK_MAGIC >> 8 & 0xff, BLOCK_MAGIC >> 16 & 0xff,
                              BLOCK_MAGIC >> 24};
    size_t from = reader->at, at = from + 1;
    struct tape_part found;
    for (; at < reader->count; at++) {
        const uint8_t *next = memmem(reader->bytes + at, reader->count - at, magic, sizeof(magic));
        at = next != NULL ? (size_t)(next - reader->bytes) : reader->count;
        if (next != NULL && examine(reader, at, &found) == NULL)
            break;
    }
    if (at > reader->count)
        at = reader->count;
    reader->at = at;
    *part = (struct tape_part){.offset = from, .bytes = at - from, .why = why};
    return at < reader->count ? TAPE_DAMAGED : TAPE_TORN;
}

enum tape_step tape_next(struct tape_reader *reader, struct tape_part *part)
{
    *part = (struct tape_part){.offset = reader->at};
    if (reader->at >= reader->count)
        return TAPE_END;
    const char *why = examine(reader, reader->at, part);
    if (why != NULL)
        return pass_damage(reader, part, why);
    reader->at += part->bytes;
    reader->next = part->block.number + 1; /* what was passed over may have had blocks in it */
    if (part->block.kind != TAPE_INDEX)
        return TAPE_BLOCK;
    size_t rest = reader->count - reader->at;
    if (rest == TAPE_TRAILER_BYTES &&
        tape_read_trailer(reader->bytes + reader->at, reader->salt) == part->offset) {
        reader->at = reader->count;
        return TAPE_END;
    }
    /* The index can be had from the blocks; without its trailer it is a tail like any other. */
    *part = (struct tape_part){.offset = part->offset,
                               .bytes = reader->count - part->offset,
                               .why = "the index has no end"};
    reader->at = reader->count;
    return TAPE_TORN;
}
