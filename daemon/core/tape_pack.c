#include "core/tape_pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#define LEVEL 6 /* bench-recording: 3 takes a twentieth more bytes, 12 thrice the time for none */
#define SLOTS 32768 /* of the topics' table: at most half of them in use */

/* As a message lies in a gather, followed by topic and payload. */
struct gathered {
    int64_t received_ms;
    uint32_t payload_bytes;
    uint16_t topic_bytes;
};
#define GATHERED_BYTES 14 /* without padding */

struct topic {
    const char *name;
    uint32_t bytes;
    uint32_t payloads; /* of it, so far: where its next one begins */
};

struct tape_packer {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    uint8_t raw[TAPE_RAW_MAX];
    uint8_t out[TAPE_HEAD_BYTES + TAPE_STORED_MAX];
    struct topic topics[TAPE_MESSAGES_MAX];
    uint16_t slots[SLOTS]; /* index of a topic + 1 */
    struct tape_message messages[TAPE_MESSAGES_MAX];
    uint16_t topic_of[TAPE_MESSAGES_MAX];
    uint32_t topic_count, count;
    uint32_t given; /* of the messages that were unpacked */
};

/* ---- gathering ---- */

void tape_gather_clear(struct tape_gather *gather)
{
    gather->used = gather->count = 0;
    gather->first_ms = gather->last_ms = 0;
}

bool tape_gather_add(struct tape_gather *gather, const struct tape_message *message)
{
    size_t bytes = GATHERED_BYTES + message->topic_bytes + message->payload_bytes;
    if (message->topic_bytes > TAPE_TOPIC_MAX || message->payload_bytes > TAPE_PAYLOAD_MAX ||
        gather->count == TAPE_MESSAGES_MAX || bytes > TAPE_GATHER_BYTES - gather->used)
        return false;
    struct gathered head = {message->received_ms, (uint32_t)message->payload_bytes,
                            (uint16_t)message->topic_bytes};
    uint8_t *at = gather->bytes + gather->used;
    memcpy(at, &head, GATHERED_BYTES);
    memcpy(at + GATHERED_BYTES, message->topic, message->topic_bytes);
    if (message->payload_bytes > 0)
        memcpy(at + GATHERED_BYTES + message->topic_bytes, message->payload,
               message->payload_bytes);
    if (gather->count == 0 || message->received_ms < gather->first_ms)
        gather->first_ms = message->received_ms;
    if (gather->count == 0 || message->received_ms > gather->last_ms)
        gather->last_ms = message->received_ms;
    gather->used += bytes;
    gather->count++;
    return true;
}

static size_t gather_read(const struct tape_gather *gather, size_t at, struct tape_message *message)
{
    struct gathered head;
    memcpy(&head, gather->bytes + at, GATHERED_BYTES);
    const uint8_t *topic = gather->bytes + at + GATHERED_BYTES;
    *message = (struct tape_message){.topic = (const char *)topic,
                                     .topic_bytes = head.topic_bytes,
                                     .payload = topic + head.topic_bytes,
                                     .payload_bytes = head.payload_bytes,
                                     .received_ms = head.received_ms};
    return at + GATHERED_BYTES + head.topic_bytes + head.payload_bytes;
}

/* ---- packing ---- */

struct tape_packer *tape_packer_create(void)
{
    struct tape_packer *packer = calloc(1, sizeof(*packer));
    if (packer == NULL)
        return NULL;
    packer->compressor = ZSTD_createCCtx();
    packer->decompressor = ZSTD_createDCtx();
    if (packer->compressor == NULL || packer->decompressor == NULL) {
        tape_packer_destroy(packer);
        return NULL;
    }
    return packer;
}

void tape_packer_destroy(struct tape_packer *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->compressor);
    ZSTD_freeDCtx(packer->decompressor);
    free(packer);
}

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static uint64_t zigzag(int64_t number)
{
    return ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static uint16_t topic_number(struct tape_packer *packer, const char *name, size_t bytes)
{
    uint32_t slot = (uint32_t)XXH3_64bits(name, bytes) % SLOTS;
    for (; packer->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        const struct topic *topic = &packer->topics[packer->slots[slot] - 1];
        if (topic->bytes == bytes && memcmp(topic->name, name, bytes) == 0)
            return (uint16_t)(packer->slots[slot] - 1);
    }
    packer->topics[packer->topic_count] = (struct topic){.name = name, .bytes = (uint32_t)bytes};
    packer->slots[slot] = (uint16_t)++packer->topic_count;
    return (uint16_t)(packer->topic_count - 1);
}

static void take_gather(struct tape_packer *packer, const struct tape_gather *gather)
{
    memset(packer->slots, 0, sizeof(packer->slots));
    packer->topic_count = packer->count = 0;
    for (size_t at = 0; at < gather->used; packer->count++) {
        struct tape_message *message = &packer->messages[packer->count];
        at = gather_read(gather, at, message);
        uint16_t topic = topic_number(packer, message->topic, message->topic_bytes);
        packer->topic_of[packer->count] = topic;
        packer->topics[topic].payloads += (uint32_t)message->payload_bytes;
    }
}

/* Column by column: what is alike lies together. */
static size_t write_raw(struct tape_packer *packer, int64_t first_ms)
{
    uint8_t *at = put_number(packer->raw, packer->topic_count);
    for (uint32_t i = 0; i < packer->topic_count; i++) {
        at = put_number(at, packer->topics[i].bytes);
        memcpy(at, packer->topics[i].name, packer->topics[i].bytes);
        at += packer->topics[i].bytes;
    }
    for (uint32_t i = 0; i < packer->count; i++)
        at = put_number(at, packer->topic_of[i]);
    int64_t before_ms = first_ms;
    for (uint32_t i = 0; i < packer->count; i++) {
        at = put_number(at, zigzag(packer->messages[i].received_ms - before_ms));
        before_ms = packer->messages[i].received_ms;
    }
    for (uint32_t i = 0; i < packer->count; i++)
        at = put_number(at, packer->messages[i].payload_bytes);
    uint32_t next = 0;
    for (uint32_t i = 0; i < packer->topic_count; i++) {
        uint32_t bytes = packer->topics[i].payloads;
        packer->topics[i].payloads = next;
        next += bytes;
    }
    for (uint32_t i = 0; i < packer->count; i++) {
        const struct tape_message *message = &packer->messages[i];
        struct topic *topic = &packer->topics[packer->topic_of[i]];
        memcpy(at + topic->payloads, message->payload, message->payload_bytes);
        topic->payloads += (uint32_t)message->payload_bytes;
    }
    return (size_t)(at + next - packer->raw);
}

/* A message takes less in a block than in a gather, but for the numbers: up to 10 bytes of time, 3
 * of topic, 3 of length, and 2 of its topic's length, where a gather has 14. */
static_assert(TAPE_GATHER_BYTES + TAPE_MESSAGES_MAX * 4 + 16 <= TAPE_RAW_MAX,
              "what was gathered fits into a block");

size_t tape_pack(struct tape_packer *packer, const struct tape_gather *gather,
                 struct tape_block *block, uint64_t salt, const uint8_t **out)
{
    assert(gather->count > 0);
    take_gather(packer, gather);
    size_t raw = write_raw(packer, gather->first_ms);
    uint8_t *stored = packer->out + TAPE_HEAD_BYTES;
    size_t bytes =
        ZSTD_compressCCtx(packer->compressor, stored, TAPE_STORED_MAX, packer->raw, raw, LEVEL);
    assert(!ZSTD_isError(bytes)); /* there is room for what does not compress at all */
    block->kind = TAPE_MESSAGES;
    block->stored_bytes = (uint32_t)bytes;
    block->raw_bytes = (uint32_t)raw;
    block->count = gather->count;
    block->first_ms = gather->first_ms;
    block->last_ms = gather->last_ms;
    block->checksum = tape_sum(stored, bytes);
    tape_write_head(packer->out, block, salt);
    *out = packer->out;
    return TAPE_HEAD_BYTES + bytes;
}

/* ---- unpacking ---- */

/* What is left of a block; the first thing that does not fit ends it. */
struct rest {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t get_number(struct rest *rest)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest->at == rest->end)
            break;
        uint8_t byte = *rest->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    rest->bad = true;
    return 0;
}

/* A number that is at most so large. */
static uint32_t get_below(struct rest *rest, uint64_t most)
{
    uint64_t number = get_number(rest);
    rest->bad |= number > most;
    return rest->bad ? 0 : (uint32_t)number;
}

static void read_topics(struct tape_packer *packer, struct rest *rest)
{
    packer->topic_count = get_below(rest, TAPE_MESSAGES_MAX);
    for (uint32_t i = 0; i < packer->topic_count && !rest->bad; i++) {
        uint32_t bytes = get_below(rest, TAPE_TOPIC_MAX);
        if (bytes > (size_t)(rest->end - rest->at)) {
            rest->bad = true;
            return;
        }
        packer->topics[i] = (struct topic){.name = (const char *)rest->at, .bytes = bytes};
        rest->at += bytes;
    }
    rest->bad |= packer->topic_count == 0;
}

static void read_columns(struct tape_packer *packer, struct rest *rest,
                         const struct tape_block *block)
{
    for (uint32_t i = 0; i < packer->count; i++)
        packer->topic_of[i] = (uint16_t)get_below(rest, packer->topic_count - 1);
    int64_t before_ms = block->first_ms;
    for (uint32_t i = 0; i < packer->count; i++) {
        /* Wraps instead of overflowing: whatever comes of it is held against the head. */
        int64_t difference = unzigzag(get_number(rest));
        before_ms = (int64_t)((uint64_t)before_ms + (uint64_t)difference);
        packer->messages[i].received_ms = before_ms;
        rest->bad |= before_ms < block->first_ms || before_ms > block->last_ms;
    }
    for (uint32_t i = 0; i < packer->count; i++)
        packer->messages[i].payload_bytes = get_below(rest, TAPE_PAYLOAD_MAX);
}

static void place_payloads(struct tape_packer *packer, struct rest *rest)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < packer->count; i++)
        packer->topics[packer->topic_of[i]].payloads += (uint32_t)packer->messages[i].payload_bytes;
    for (uint32_t i = 0; i < packer->topic_count; i++) {
        uint32_t bytes = packer->topics[i].payloads;
        packer->topics[i].payloads = (uint32_t)next;
        next += bytes;
    }
    rest->bad |= next != (uint64_t)(rest->end - rest->at);
    for (uint32_t i = 0; i < packer->count && !rest->bad; i++) {
        struct tape_message *message = &packer->messages[i];
        struct topic *topic = &packer->topics[packer->topic_of[i]];
        message->topic = topic->name;
        message->topic_bytes = topic->bytes;
        message->payload = rest->at + topic->payloads;
        topic->payloads += (uint32_t)message->payload_bytes;
    }
}

bool tape_unpack(struct tape_packer *packer, const struct tape_block *block, const uint8_t *stored)
{
    packer->count = packer->given = packer->topic_count = 0;
    if (block->kind != TAPE_MESSAGES || block->raw_bytes > TAPE_RAW_MAX ||
        block->count > TAPE_MESSAGES_MAX)
        return false;
    size_t raw = ZSTD_decompressDCtx(packer->decompressor, packer->raw, block->raw_bytes, stored,
                                     block->stored_bytes);
    if (ZSTD_isError(raw) || raw != block->raw_bytes)
        return false;
    struct rest rest = {packer->raw, packer->raw + raw, false};
    read_topics(packer, &rest);
    if (rest.bad)
        return false;
    packer->count = block->count;
    read_columns(packer, &rest, block);
    if (!rest.bad)
        place_payloads(packer, &rest);
    if (rest.bad)
        packer->count = packer->topic_count = 0;
    return !rest.bad;
}

uint32_t tape_topics(const struct tape_packer *packer)
{
    return packer->topic_count;
}

const char *tape_topic(const struct tape_packer *packer, uint32_t topic, size_t *bytes)
{
    assert(topic < packer->topic_count);
    *bytes = packer->topics[topic].bytes;
    return packer->topics[topic].name;
}

bool tape_message(struct tape_packer *packer, struct tape_message *message, uint32_t *topic)
{
    if (packer->given == packer->count)
        return false;
    *message = packer->messages[packer->given];
    *topic = packer->topic_of[packer->given];
    packer->given++;
    return true;
}
