#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/tape.h"
#include "tape_made.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct tape_packer *packer;

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

/* Three blocks with a gap before the last, and the index. */
static void make(struct made *made)
{
    made_begin(made, "room-1");
    made_messages(made, packer, 5);
    made_messages(made, packer, 1);
    made_gap(made, 12);
    made_messages(made, packer, 40);
    made_index(made);
}

/* What a walk finds; bytes in memory of their own size, so that the sanitizers see its end. */
struct found {
    unsigned blocks, messages, gaps, damaged, torn;
    size_t torn_at, damaged_bytes;
    bool index;
};

static struct found walk(const uint8_t *bytes, size_t count)
{
    uint8_t *copy = malloc(count);
    struct tape_reader reader;
    struct tape_part part;
    struct diag diag = {0};
    struct found found = {0};
    memcpy(copy, bytes, count);
    assert_int_equal(tape_open(&reader, copy, count, &diag), 0);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        found.damaged += step == TAPE_DAMAGED;
        found.damaged_bytes += step == TAPE_DAMAGED ? part.bytes : 0;
        found.torn += step == TAPE_TORN;
        if (step == TAPE_TORN)
            found.torn_at = part.offset;
        if (step != TAPE_BLOCK) {
            assert_non_null(part.why);
            continue;
        }
        found.blocks++;
        found.gaps += part.block.kind == TAPE_GAP;
        if (part.block.kind == TAPE_MESSAGES) {
            assert_true(tape_unpack(packer, &part.block, part.stored));
            found.messages += part.block.count;
        }
    }
    found.index = part.block.kind == TAPE_INDEX;
    free(copy);
    return found;
}

static void a_header_comes_back(void **state)
{
    (void)state;
    struct tape_header in = {"9.8.7", "a-room", 42, 1700000000123}, out;
    uint8_t bytes[TAPE_HEADER_BYTES];
    uint64_t salt, written = tape_write_header(bytes, &in);
    struct diag diag = {0};
    assert_int_equal(tape_read_header(bytes, sizeof(bytes), &out, &salt, &diag), 0);
    assert_string_equal(out.version, "9.8.7");
    assert_string_equal(out.room, "a-room");
    assert_int_equal(out.session, 42);
    assert_int_equal(out.start_ms, 1700000000123);
    assert_true(salt == written);
}

static void what_is_no_tape_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        size_t bytes, at;
        uint8_t flip;
        int code;
        const char *words;
    } cases[] = {
        {0, 0, 0, ERR_MALFORMED, "no recording"},
        {TAPE_HEADER_BYTES - 1, 0, 0, ERR_MALFORMED, "no recording"}, /* cut short */
        {TAPE_HEADER_BYTES, 0, 1, ERR_MALFORMED, "no recording"},     /* another kind of file */
        {TAPE_HEADER_BYTES, 8, 3, ERR_VERSION, "format 2"},
        {TAPE_HEADER_BYTES, 17, 1, ERR_MALFORMED, "damaged"}, /* session */
        {TAPE_HEADER_BYTES, 63, 1, ERR_MALFORMED, "damaged"}, /* version without an end */
        {TAPE_HEADER_BYTES, 255, 1, ERR_MALFORMED, "damaged"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct made made;
        struct tape_reader reader;
        struct diag diag = {0};
        made_begin(&made, "room-1");
        made.bytes[cases[i].at] ^= cases[i].flip;
        assert_int_equal(tape_open(&reader, made.bytes, cases[i].bytes, &diag), cases[i].code);
        assert_non_null(strstr(diag.text, cases[i].words));
        free(made.bytes);
    }
}

static void a_whole_tape_is_walked_to_its_index(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    struct found found = walk(made.bytes, made.count);
    assert_int_equal(found.blocks, 4);
    assert_int_equal(found.messages, 46);
    assert_int_equal(found.gaps, 1);
    assert_int_equal(found.damaged + found.torn, 0);
    assert_true(found.index);
    free(made.bytes);
}

/* At each byte where it may be cut: all blocks that are whole, and at most one tail. */
static void a_torn_tail_costs_the_tail_only(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    for (size_t cut = TAPE_HEADER_BYTES; cut < made.count; cut++) {
        unsigned whole = 0;
        size_t whole_to = TAPE_HEADER_BYTES;
        for (unsigned i = 0; i < made.blocks; i++) {
            size_t end = i + 1 < made.blocks ? made.entries[i + 1].offset
                                             : made.count - tape_index_bytes(made.blocks);
            if (end > cut)
                break;
            whole = i + 1;
            whole_to = end;
        }
        struct found found = walk(made.bytes, cut);
        assert_int_equal(found.blocks, whole);
        assert_int_equal(found.damaged, 0);
        assert_int_equal(found.torn, cut > whole_to);
        assert_int_equal(found.torn_at, cut > whole_to ? whole_to : 0);
        assert_false(found.index);
    }
    free(made.bytes);
}

static void damage_costs_the_block_that_it_lies_in(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    for (unsigned block = 0; block < made.blocks; block++) {
        size_t from = made.entries[block].offset;
        size_t to = block + 1 < made.blocks ? made.entries[block + 1].offset
                                            : made.count - tape_index_bytes(made.blocks);
        for (size_t at = from; at < to; at++) {
            made.bytes[at] ^= 0x10;
            struct found found = walk(made.bytes, made.count);
            assert_int_equal(found.blocks, 3);
            assert_int_equal(found.damaged, 1);
            assert_int_equal(found.damaged_bytes, to - from);
            assert_int_equal(found.torn, 0);
            assert_true(found.index);
            made.bytes[at] ^= 0x10;
        }
    }
    free(made.bytes);
}

static void a_damaged_index_costs_nothing_but_itself(void **state)
{
    (void)state;
    struct made made;
    make(&made);
    for (size_t at = made.count - tape_index_bytes(made.blocks); at < made.count; at++) {
        made.bytes[at] ^= 0x10;
        struct found found = walk(made.bytes, made.count);
        assert_int_equal(found.blocks, 4);
        assert_int_equal(found.torn, 1);
        assert_false(found.index);
        made.bytes[at] ^= 0x10;
    }
    free(made.bytes);
}

static void a_block_of_another_tape_or_a_repeated_one_is_damage(void **state)
{
    (void)state;
    struct made one, other;
    made_begin(&one, "room-1");
    made_begin(&other, "room-2");
    made_messages(&one, packer, 3);
    made_messages(&other, packer, 3);
    made_add(&one, other.bytes + TAPE_HEADER_BYTES, other.count - TAPE_HEADER_BYTES);
    struct found found = walk(one.bytes, one.count);
    assert_int_equal(found.blocks, 1);
    assert_int_equal(found.torn, 1);
    free(one.bytes);

    made_begin(&one, "room-1");
    made_messages(&one, packer, 3);
    uint8_t block[512];
    size_t bytes = one.count - TAPE_HEADER_BYTES;
    assert_true(bytes <= sizeof(block));
    memcpy(block, one.bytes + TAPE_HEADER_BYTES, bytes);
    made_add(&one, block, bytes);
    found = walk(one.bytes, one.count);
    assert_int_equal(found.blocks, 1);
    assert_int_equal(found.torn, 1);
    free(one.bytes);
    free(other.bytes);
}

static void a_head_with_impossible_numbers_is_none(void **state)
{
    (void)state;
    static const struct tape_block sound = {
        .kind = TAPE_MESSAGES, .stored_bytes = 10, .raw_bytes = 10, .count = 1, .to = 1};
    struct tape_block cases[12], out;
    uint8_t head[TAPE_HEAD_BYTES];
    for (size_t i = 0; i < COUNT(cases); i++)
        cases[i] = sound;
    cases[0].kind = (enum tape_kind)0;
    cases[1].kind = (enum tape_kind)4;
    cases[2].number = TAPE_BLOCKS_MAX + 1;
    cases[3].stored_bytes = TAPE_STORED_MAX + 1;
    cases[4].raw_bytes = TAPE_RAW_MAX + 1;
    cases[5].count = 0;
    cases[6].count = 11;
    cases[7].from = 2;
    cases[8].first_ms = 1;
    cases[9].kind = TAPE_GAP;
    cases[10].kind = TAPE_INDEX;
    cases[11] = (struct tape_block){.kind = TAPE_INDEX, .count = 2, .stored_bytes = 64};
    tape_write_head(head, &sound, 9);
    assert_true(tape_read_head(head, &out, 9));
    assert_false(tape_read_head(head, &out, 8));
    for (size_t i = 0; i < COUNT(cases); i++) {
        tape_write_head(head, &cases[i], 9);
        assert_false(tape_read_head(head, &out, 9));
    }
}

static void the_index_tells_where_each_block_begins(void **state)
{
    (void)state;
    struct made made;
    struct tape_reader reader;
    struct tape_part part;
    struct diag diag = {0};
    make(&made);
    assert_int_equal(tape_open(&reader, made.bytes, made.count, &diag), 0);
    while (tape_next(&reader, &part) != TAPE_END)
        ;
    assert_int_equal(part.block.count, made.blocks);
    for (uint32_t i = 0; i < made.blocks; i++) {
        struct tape_entry entry;
        tape_read_entry(part.stored + i * TAPE_ENTRY_BYTES, &entry);
        assert_int_equal(entry.offset, made.entries[i].offset);
        assert_int_equal(entry.kind, made.entries[i].kind);
        assert_int_equal(entry.count, made.entries[i].count);
        assert_int_equal(entry.first_ms, made.entries[i].first_ms);
        assert_int_equal(entry.last_ms, made.entries[i].last_ms);
    }
    free(made.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(what_is_no_tape_is_refused_in_words),
        cmocka_unit_test(a_whole_tape_is_walked_to_its_index),
        cmocka_unit_test(a_torn_tail_costs_the_tail_only),
        cmocka_unit_test(damage_costs_the_block_that_it_lies_in),
        cmocka_unit_test(a_damaged_index_costs_nothing_but_itself),
        cmocka_unit_test(a_block_of_another_tape_or_a_repeated_one_is_damage),
        cmocka_unit_test(a_head_with_impossible_numbers_is_none),
        cmocka_unit_test(the_index_tells_where_each_block_begins),
    };
    return cmocka_run_group_tests(tests, make_packer, free_packer);
}
