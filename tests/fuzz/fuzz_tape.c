/* A hostile or garbled recording must never crash, hang or fill the memory of who reads it, and
 * whatever is given out of it must lie within its own bounds.
 *
 * The first byte says what the rest is:
 *   0  the file itself
 *   1  changes to a sound one: offset (2 bytes), length (1 byte), bytes; after them all checksums
 *      are set right, so that what lies behind them is reached
 *   2  the content of a block: number of messages (2 bytes), then what is compressed into it
 *   3  the same as it is stored: what the decompressor gets
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "../unit/core/tape_made.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tape_packer *packer;
static struct made sound;

static void must(bool right)
{
    if (!right)
        abort();
}

static void look_at(const struct tape_block *block, const uint8_t *stored)
{
    static volatile uint8_t sum;
    struct tape_message message;
    uint32_t topic, given = 0;
    size_t all = 0;
    if (!tape_unpack(packer, block, stored)) {
        must(!tape_message(packer, &message, &topic));
        return;
    }
    for (; tape_message(packer, &message, &topic); given++) {
        must(topic < tape_topics(packer));
        must(message.topic_bytes <= TAPE_TOPIC_MAX && message.payload_bytes <= TAPE_PAYLOAD_MAX);
        must(message.received_ms >= block->first_ms && message.received_ms <= block->last_ms);
        for (size_t i = 0; i < message.topic_bytes; i++)
            sum = (uint8_t)(sum + message.topic[i]);
        for (size_t i = 0; i < message.payload_bytes; i++)
            sum = (uint8_t)(sum + message.payload[i]);
        all += message.payload_bytes;
    }
    must(given == block->count && all <= TAPE_RAW_MAX);
}

static void walk(const uint8_t *bytes, size_t count)
{
    struct tape_reader reader;
    struct tape_part part;
    struct diag diag = {0};
    size_t at = TAPE_HEADER_BYTES;
    if (tape_open(&reader, bytes, count, &diag) != 0) {
        must(diag.text[0] != '\0');
        return;
    }
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        must(part.offset == at && part.bytes > 0 && part.bytes <= count - at);
        at += part.bytes;
        must((step == TAPE_BLOCK) == (part.why == NULL));
        if (step == TAPE_BLOCK)
            look_at(&part.block, part.stored);
        if (step == TAPE_TORN)
            must(at == count);
    }
    struct tape_part again;
    must(tape_next(&reader, &again) == TAPE_END);
}

static void set_sums_right(uint8_t *bytes)
{
    uint64_t salt = XXH3_64bits(bytes, TAPE_HEADER_BYTES - 8);
    memcpy(bytes + TAPE_HEADER_BYTES - 8, &salt, 8);
    for (uint32_t i = 0; i < sound.blocks; i++) {
        uint8_t *head = bytes + sound.entries[i].offset;
        uint32_t stored;
        memcpy(&stored, head + 12, 4);
        if (stored > sound.count - sound.entries[i].offset - TAPE_HEAD_BYTES)
            continue;
        uint64_t sum = tape_sum(head + TAPE_HEAD_BYTES, stored);
        memcpy(head + 64, &sum, 8);
        sum = XXH3_64bits_withSeed(head, TAPE_HEAD_BYTES - 8, salt);
        memcpy(head + TAPE_HEAD_BYTES - 8, &sum, 8);
    }
}

static void change(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(sound.count);
    memcpy(bytes, sound.bytes, sound.count);
    while (size > 3) {
        size_t offset = ((size_t)data[0] << 8 | data[1]) % sound.count, count = data[2];
        data += 3;
        size -= 3;
        count = count < size ? count : size;
        count = count < sound.count - offset ? count : sound.count - offset;
        memcpy(bytes + offset, data, count);
        data += count;
        size -= count;
    }
    set_sums_right(bytes);
    walk(bytes, sound.count);
    free(bytes);
}

/* The head is what a hostile one would say: as much as may be said. */
static void content(const uint8_t *data, size_t size, bool stored)
{
    if (size < 2)
        return;
    struct tape_block block = {.kind = TAPE_MESSAGES,
                               .count = (uint32_t)data[0] << 8 | data[1],
                               .raw_bytes = TAPE_RAW_MAX,
                               .last_ms = 1 << 20};
    data += 2;
    size -= 2;
    size_t room = ZSTD_compressBound(size), bytes = size;
    uint8_t *copy = malloc(room);
    if (stored) {
        memcpy(copy, data, size);
        unsigned long long says = ZSTD_getFrameContentSize(data, size);
        if (says <= TAPE_RAW_MAX)
            block.raw_bytes = (uint32_t)says;
    } else {
        bytes = ZSTD_compress(copy, room, data, size, 1);
        block.raw_bytes = (uint32_t)size;
    }
    block.stored_bytes = (uint32_t)bytes;
    look_at(&block, copy);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (packer == NULL) {
        packer = tape_packer_create();
        must(packer != NULL);
        made_begin(&sound, "room-1");
        made_messages(&sound, packer, 9);
        made_gap(&sound, 3);
        made_messages(&sound, packer, 20);
        made_index(&sound);
    }
    if (size == 0)
        return 0;
    switch (data[0] % 4) {
    case 0:
        walk(data + 1, size - 1);
        break;
    case 1:
        change(data + 1, size - 1);
        break;
    default:
        content(data + 1, size - 1, data[0] % 4 == 3);
    }
    return 0;
}
