#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/tape_pack.h"

static struct tape_packer *packer;
static uint8_t memory[TAPE_GATHER_BYTES];

static int make_packer(void **state)
{
    (void)state;
    packer = tape_packer_create();
    return packer == NULL;
}

static int free_packer(void **state)
{
    (void)state;
    tape_packer_destroy(packer);
    return 0;
}

/* What message i of a case is; into static memory. */
struct shape {
    const char *name;
    unsigned count, topics;
    size_t payload_bytes; /* at most; message i has i % (payload_bytes + 1) or all */
    bool all;
    int64_t step_ms;
};

static struct tape_message message_of(const struct shape *shape, unsigned i)
{
    static char topic[TAPE_TOPIC_MAX];
    static uint8_t payload[TAPE_PAYLOAD_MAX];
    int bytes = snprintf(topic, sizeof(topic), "lumbar/v1/x/%u/leaf", i * 7 % shape->topics);
    size_t size = shape->all ? shape->payload_bytes : i % (shape->payload_bytes + 1);
    uint32_t noise = i * 2654435761u + 1;
    for (size_t k = 0; k < size; k++) {
        noise = noise * 1664525u + 1013904223u; /* does not compress */
        payload[k] = (uint8_t)(noise >> 24);
    }
    return (struct tape_message){topic, (size_t)bytes, payload, size,
                                 1700000000000 + (int64_t)i * shape->step_ms};
}

static struct tape_gather gather_of(const struct shape *shape, unsigned *taken)
{
    struct tape_gather gather = {.bytes = memory};
    tape_gather_clear(&gather);
    for (*taken = 0; *taken < shape->count; ++*taken) {
        struct tape_message message = message_of(shape, *taken);
        if (!tape_gather_add(&gather, &message))
            break;
    }
    return gather;
}

static void what_was_gathered_comes_back_in_order(void **state)
{
    (void)state;
    static const struct shape cases[] = {
        {"one without a payload", 1, 1, 0, true, 0},
        {"one of the greatest size", 1, 1, TAPE_PAYLOAD_MAX, true, 0},
        {"some of one device", 100, 1, 200, false, 100},
        {"some of many", 500, 40, 90, false, 7},
        {"all in the same millisecond", 50, 3, 20, false, 0},
        {"a clock that goes back", 50, 3, 20, false, -5000},
        {"days between them", 20, 2, 20, false, 86400000000},
        {"as many as go in", 100000, 9, 300, false, 1},
        {"as many small ones as go in", 100000, 16384, 0, true, 1},
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        const struct shape *shape = &cases[c];
        unsigned taken;
        struct tape_gather gather = gather_of(shape, &taken);
        struct tape_block block = {.number = 3, .ring = 1, .from = 10, .to = 20}, read;
        const uint8_t *out;
        print_message("%s\n", shape->name);
        size_t bytes = tape_pack(packer, &gather, &block, 99, &out);
        uint8_t *copy = malloc(bytes);
        memcpy(copy, out, bytes);
        assert_true(tape_read_head(copy, &read, 99));
        assert_int_equal(bytes, TAPE_HEAD_BYTES + read.stored_bytes);
        assert_true(tape_unpack(packer, &read, copy + TAPE_HEAD_BYTES));
        struct tape_message message;
        uint32_t topic;
        for (unsigned i = 0; i < taken; i++) {
            struct tape_message sent = message_of(shape, i);
            size_t topic_bytes;
            assert_true(tape_message(packer, &message, &topic));
            assert_int_equal(message.received_ms, sent.received_ms);
            assert_int_equal(message.topic_bytes, sent.topic_bytes);
            assert_memory_equal(message.topic, sent.topic, sent.topic_bytes);
            assert_ptr_equal(tape_topic(packer, topic, &topic_bytes), message.topic);
            assert_int_equal(message.payload_bytes, sent.payload_bytes);
            if (sent.payload_bytes > 0)
                assert_memory_equal(message.payload, sent.payload, sent.payload_bytes);
        }
        assert_false(tape_message(packer, &message, &topic));
        assert_int_equal(read.count, taken);
        free(copy);
    }
}

static void what_is_too_large_or_has_no_room_is_not_taken(void **state)
{
    (void)state;
    static const uint8_t payload[TAPE_PAYLOAD_MAX + 1];
    static const char topic[TAPE_TOPIC_MAX + 1];
    static const struct shape full = {"", 100000, 1, TAPE_PAYLOAD_MAX, true, 1};
    struct tape_gather gather = {.bytes = memory};
    tape_gather_clear(&gather);
    struct tape_message large = {topic, 1, payload, TAPE_PAYLOAD_MAX + 1, 1};
    struct tape_message long_topic = {topic, TAPE_TOPIC_MAX + 1, payload, 1, 1};
    assert_false(tape_gather_add(&gather, &large));
    assert_false(tape_gather_add(&gather, &long_topic));
    assert_int_equal(gather.count, 0);
    unsigned taken;
    gather = gather_of(&full, &taken);
    assert_int_equal(taken, 7);
    assert_int_equal(gather.count, 7);
    assert_true(gather.used <= TAPE_GATHER_BYTES);
}

/* Each byte of a small block's content changed, compressed anew: refused, or other messages, and
 * never anything beyond what the block holds. */
static void a_block_that_says_more_than_it_has_is_refused(void **state)
{
    (void)state;
    static const struct shape shape = {"", 6, 2, 9, false, 10};
    unsigned taken, refused = 0;
    struct tape_gather gather = gather_of(&shape, &taken);
    struct tape_block block = {0}, changed;
    const uint8_t *out;
    size_t bytes = tape_pack(packer, &gather, &block, 0, &out);
    uint8_t *copy = malloc(bytes);
    memcpy(copy, out, bytes);
    struct tape_message message;
    uint32_t topic;
    /* The head's numbers do not fit what is stored. */
    changed = block, changed.count++;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    changed = block, changed.count--;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    changed = block, changed.raw_bytes--;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    changed = block, changed.raw_bytes++;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    changed = block, changed.last_ms--;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    changed = block, changed.kind = TAPE_GAP;
    assert_false(tape_unpack(packer, &changed, copy + TAPE_HEAD_BYTES));
    assert_false(tape_message(packer, &message, &topic));
    for (size_t i = TAPE_HEAD_BYTES; i < bytes; i++) {
        copy[i] ^= 0x55;
        refused += !tape_unpack(packer, &block, copy + TAPE_HEAD_BYTES);
        copy[i] ^= 0x55;
    }
    assert_true(refused > 0);
    assert_true(tape_unpack(packer, &block, copy + TAPE_HEAD_BYTES));
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_gathered_comes_back_in_order),
        cmocka_unit_test(what_is_too_large_or_has_no_room_is_not_taken),
        cmocka_unit_test(a_block_that_says_more_than_it_has_is_refused),
    };
    return cmocka_run_group_tests(tests, make_packer, free_packer);
}
