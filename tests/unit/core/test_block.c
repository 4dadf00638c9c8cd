/* Blocks of history: what is packed comes out again, in few bytes; what is damaged is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/block.h"

static struct block made(const char *pattern)
{
    struct block block = {0};
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        struct bucket *slot = &block.slots[i];
        uint16_t wave = (uint16_t)(30000 + 400 * (i % 7));
        switch (pattern[i % strlen(pattern)]) {
        case 'w': /* a value that moves */
            *slot = (struct bucket){50, wave, (uint16_t)(wave + 40), (uint16_t)(wave + 90)};
            break;
        case 'f': /* one that stands still */
            *slot = (struct bucket){1, 700, 700, 700};
            break;
        case 'x': /* from end to end */
            *slot = (struct bucket){i % 2 ? 1 : UINT32_MAX, i % 2 ? 0 : 65534, 65534, 65534};
            break;
        default: /* nothing was heard */
            break;
        }
    }
    return block;
}

static void what_is_packed_comes_out_in_few_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t most;
    } cases[] = {
        {".", 9},                            /* nothing at all */
        {"f", 70},                           /* all alike: a byte a slot */
        {"w", 1 + 1 + 3 + 59 * 2 + 60 + 60}, /* full: two bytes a least, one a distance */
        {"f.........", 1 + 8 + 1 + 2 + 6},   /* each ten seconds */
        {"wf", 1 + 60 * 6},                  /* counts that change */
        {"x", BLOCK_MAX_BYTES},              /* the worst there is */
        {"x.w.f", BLOCK_MAX_BYTES},          /* everything at once */
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct block block = made(cases[i].pattern), again;
        uint8_t bytes[BLOCK_MAX_BYTES];
        size_t count = block_pack(&block, bytes);
        if (count > cases[i].most)
            fail_msg("'%s': %zu bytes, at most %zu", cases[i].pattern, count, cases[i].most);
        assert_true(block_unpack(&again, bytes, count));
        assert_memory_equal(&block, &again, sizeof(block));
    }
}

static void a_block_that_makes_no_sense_is_refused_and_empty(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {"", 0},
        {"\x00", 1},                                              /* no format */
        {"\x02\0\0\0\0\0\0\0\0", 9},                              /* of another format */
        {"\x81\0\0\0\0\0\0\0\0", 9},                              /* a flag nobody knows */
        {"\x01\0\0\0\0\0\0\0", 8},                                /* slots cut short */
        {"\x01\0\0\0\0\0\0\0\x80", 9},                            /* slot 63 */
        {"\x01\0\0\0\0\0\0\0\0\0", 10},                           /* something left over */
        {"\x61\x01\0\0\0\0\0\0\0\0\0", 11},                       /* a count of 0 */
        {"\x61\x01\0\0\0\0\0\0\0\x01\0", 11},                     /* a count of -1 */
        {"\x61\x01\0\0\0\0\0\0\0\x02\x01", 11},                   /* a least below 0 */
        {"\x61\x01\0\0\0\0\0\0\0\x02\xfe\xff\x07", 13},           /* a least of 65535: none */
        {"\x21\x01\0\0\0\0\0\0\0\x02\0\xff\xff\x03\0", 15},       /* a mean of 65535 */
        {"\x61\x01\0\0\0\0\0\0\0\x02\x80\x80\x80\x80\x80\0", 16}, /* a number without end */
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct block block = made("w"), empty = {0};
        if (block_unpack(&block, (const uint8_t *)cases[i].bytes, cases[i].count))
            fail_msg("case %u was taken", i);
        assert_memory_equal(&block, &empty, sizeof(block));
    }
    struct block block = made("wf"), out;
    uint8_t bytes[BLOCK_MAX_BYTES];
    size_t count = block_pack(&block, bytes);
    for (size_t cut = 0; cut < count; cut++)
        assert_false(block_unpack(&out, bytes, cut));
}

/* Field by field: what fills up the struct is anything. */
static void assert_bucket(const struct bucket *is, const struct bucket *right)
{
    assert_int_equal(is->count, right->count);
    assert_int_equal(is->min, right->min);
    assert_int_equal(is->mean, right->mean);
    assert_int_equal(is->max, right->max);
}

static void buckets_add_up(void **state)
{
    (void)state;
    static const struct {
        struct bucket a, b, sum;
    } cases[] = {
        {{0, 9, 9, 9}, {2, 1, 2, 3}, {2, 1, 2, 3}}, /* nothing and something */
        {{2, 1, 2, 3}, {0, 9, 9, 9}, {2, 1, 2, 3}},
        {{1, 10, 10, 10}, {3, 20, 30, 40}, {4, 10, 25, 40}}, /* weighed by their counts */
        {{1, 0, 0, 0}, {1, 1, 1, 1}, {2, 0, 1, 1}},          /* a half is rounded up */
        {{UINT32_MAX, 5, 5, 5}, {7, 5, 5, 5}, {UINT32_MAX, 5, 5, 5}},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bucket sum = cases[i].a;
        bucket_add(&sum, &cases[i].b);
        assert_bucket(&sum, &cases[i].sum);
    }
    struct block block = {0};
    for (uint16_t i = 0; i < BLOCK_SLOTS; i++)
        block.slots[i] = (struct bucket){2, i, i, i};
    struct block twice = block;
    block_add(&twice, &block);
    struct bucket sum = block_sum(&twice), right = {240, 0, 30, 59};
    assert_bucket(&sum, &right); /* 29.5, rounded once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_out_in_few_bytes),
        cmocka_unit_test(a_block_that_makes_no_sense_is_refused_and_empty),
        cmocka_unit_test(buckets_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
