/* Another spool.size: what is in the files is taken over, whatever becomes of the rest. */
#include "spool_place.h"

static struct given given;

#define KIB 1024u

/* A spool of `size_bytes` with messages [0, to), of which `used` were drained, all of it copied. */
static void fill(size_t size_bytes, uint64_t used, uint64_t to)
{
    memset(&given, 0, sizeof(given));
    options.size_bytes = size_bytes;
    struct spool *spool = spool_of_test();
    start(spool);
    for (uint64_t n = 0, drained = 0; n < to; n++) {
        assert_true(put(spool, n, 1));
        if (drained < used)
            drained += spool_drain(spool, 1, take, &given);
    }
    spool_close(spool);
}

static void assert_given(uint64_t first, uint64_t used, uint64_t to)
{
    assert_int_equal(given.again_count, used - first);
    assert_int_equal(given.fresh_count, to - used);
    for (uint64_t n = first; n < used; n++)
        assert_int_equal(given.again[n - first], n);
    for (uint64_t n = used; n < to; n++)
        assert_int_equal(given.fresh[n - used], n);
}

static void what_was_there_is_there_in_another_size(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t before, after;
        uint64_t used, to;
        unsigned again; /* at least; 0: all */
        bool cut;       /* the power, so that only the copy is left */
    } cases[] = {
        {"larger", 128 * KIB, 512 * KIB, 100, 300, 0, false},
        {"larger, after laps", 64 * KIB, 256 * KIB, 3000, 3050, 150, false},
        {"larger, nothing used", 64 * KIB, 128 * KIB, 0, 200, 0, false},
        {"larger, all used", 64 * KIB, 128 * KIB, 200, 200, 0, false},
        {"larger, empty", 64 * KIB, 128 * KIB, 0, 0, 0, false},
        {"smaller, with room for all", 512 * KIB, 128 * KIB, 100, 300, 0, false},
        {"smaller, with room for what waits", 512 * KIB, 64 * KIB, 1000, 1050, 150, false},
        {"larger, with the power cut", 128 * KIB, 512 * KIB, 100, 300, 0, true},
        {"smaller, with the power cut", 512 * KIB, 64 * KIB, 1000, 1050, 150, true},
        {"no power of two", 132 * KIB, 140 * KIB, 3000, 3050, 300, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("- %s\n", cases[i].what);
        fill(cases[i].before, cases[i].used, cases[i].to);
        if (cases[i].cut)
            cut_power();
        options.size_bytes = cases[i].after;
        for (int cut = 0; cut < 2; cut++) { /* its copy is whole before any thread has run */
            struct spool *spool = spool_of_test();
            assert_int_equal(stats_of(spool).size_bytes, cases[i].after);
            assert_int_equal(stats_of(spool).torn, 0);
            if (cut == 1)
                take_all(spool, &given);
            spool_close(spool);
            if (cut == 0)
                cut_power();
        }
        uint64_t first = cases[i].again == 0 ? 0 : cases[i].used - given.again_count;
        assert_true(given.again_count >= cases[i].again);
        assert_given(first, cases[i].used, cases[i].to);
        assert_int_equal(count_files(""), 2); /* and nothing was set aside */
        remove_files();
    }
}

static void it_is_a_spool_to_work_with(void **state)
{
    (void)state;
    fill(64 * KIB, 3000, 3050);
    options.size_bytes = 96 * KIB;
    struct spool *spool = spool_of_test();
    take_all(spool, &given);
    start(spool);
    for (uint64_t n = 3050; n < 6000; n++) { /* laps */
        assert_true(put(spool, n, 1));
        spool_drain(spool, 1, take, &given);
    }
    assert_int_equal(given.fresh_count, 3000);
    spool_close(spool);
    cut_power();
    spool = spool_of_test();
    take_all(spool, &given);
    spool_close(spool);
    assert_true(given.again_count > 250);
    assert_int_equal(given.again[given.again_count - 1], 5999);
}

static void it_stays_as_it_is_until_what_waits_has_room(void **state)
{
    (void)state;
    fill(512 * KIB, 10, 1000);
    options.size_bytes = 64 * KIB;
    for (int i = 0; i < 2; i++) { /* a start that does not come to draining changes nothing */
        struct spool *spool = spool_of_test();
        assert_int_equal(stats_of(spool).size_bytes, 512 * KIB);
        assert_int_equal(stats_of(spool).recovered, 990);
        spool_close(spool);
    }
    struct spool *spool = spool_of_test();
    take_all(spool, &given);
    assert_given(0, 10, 1000);
    start(spool);
    spool_close(spool);
    spool = spool_of_test();
    assert_int_equal(stats_of(spool).size_bytes, 64 * KIB);
    take_all(spool, &given);
    assert_int_equal(given.fresh_count, 0);
    assert_true(given.again_count > 150);
    assert_int_equal(given.again[given.again_count - 1], 999);
    spool_close(spool);
    assert_int_equal(count_files(""), 2);
}

static void what_is_of_an_earlier_boot_stays_so(void **state)
{
    (void)state;
    fill(64 * KIB, 10, 20);
    garble_boot(options.ring_file);
    options.size_bytes = 128 * KIB;
    struct spool *spool = spool_of_test();
    assert_false(counts_at(spool, spool_tail(spool)));
    take_all(spool, &given);
    assert_given(0, 10, 20);
    spool_close(spool);
    remove_files();
    fill(64 * KIB, 10, 20);
    options.size_bytes = 128 * KIB;
    spool = spool_of_test();
    assert_true(counts_at(spool, spool_tail(spool)));
    spool_close(spool);
}

static void a_size_that_is_none_is_refused_and_touches_nothing(void **state)
{
    (void)state;
    fill(64 * KIB, 10, 20);
    static const size_t sizes[] = {4096, 64 * KIB + 8, 0};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct diag diag = {0};
        struct spool *spool;
        options.size_bytes = sizes[i];
        assert_int_equal(spool_open(&spool, &options, &diag), ERR_RANGE);
    }
    options.size_bytes = 64 * KIB;
    struct spool *spool = spool_of_test();
    take_all(spool, &given);
    assert_given(0, 10, 20);
    spool_close(spool);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(what_was_there_is_there_in_another_size),
        CASE(it_is_a_spool_to_work_with),
        CASE(it_stays_as_it_is_until_what_waits_has_room),
        CASE(what_is_of_an_earlier_boot_stays_so),
        CASE(a_size_that_is_none_is_refused_and_touches_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
