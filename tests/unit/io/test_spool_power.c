/* Power cuts: the ring in tmpfs is gone, and only the copy on disk is left, in whatever state. */
#include "spool_place.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct given given;

static void recover(struct spool *spool)
{
    struct diag diag = {0};
    memset(&given, 0, sizeof(given));
    assert_int_equal(spool_recover(spool, take, &given, NULL, &diag), 0);
}

static void drain(struct spool *spool)
{
    while (spool_drain(spool, 100, take, &given) != 0)
        continue;
}

static void put_all(struct spool *spool, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++)
        assert_true(put(spool, n, 1));
}

static void copies_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(in >= 0 && out >= 0);
    ssize_t n = read(in, bytes, sizeof(bytes));
    assert_true(n > 0 && n < (ssize_t)sizeof(bytes));
    assert_int_equal(write(out, bytes, (size_t)n), n);
    close(in);
    close(out);
}

/* A spool with messages [0, to), of which `used` were drained, all of it copied, then the power is
 * cut. Returns the position behind the last. */
static uint64_t fill_and_cut(uint64_t used, uint64_t to)
{
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, to);
    assert_int_equal(spool_drain(spool, (unsigned)used, take, &given), used);
    spool_stop(spool);
    uint64_t end = spool_synced(spool, NULL);
    spool_close(spool);
    cut_power();
    return end;
}

static void everything_synced_is_there_again(void **state)
{
    (void)state;
    fill_and_cut(100, 200);
    struct spool *spool = spool_of_test();
    assert_int_equal(stats_of(spool).recovered, 100);
    assert_int_equal(stats_of(spool).torn, 0);
    assert_true(counts_at(spool, spool_tail(spool))); /* in truth the machine has not been off */
    recover(spool);
    start(spool);
    uint64_t syncs = stats_of(spool).syncs;
    put_all(spool, 200, 300);
    WAIT_UNTIL(stats_of(spool).syncs > syncs); /* copied while they wait */
    drain(spool);                              /* take() sees to it that positions go on growing */
    assert_int_equal(given.again_count, 100);
    assert_int_equal(given.fresh_count, 200);
    for (uint64_t n = 0; n < 300; n++)
        assert_int_equal(n < 100 ? given.again[n] : given.fresh[n - 100], n);
    spool_close(spool);
    cut_power(); /* and a second one */
    spool = spool_of_test();
    assert_int_equal(stats_of(spool).recovered, 0); /* the copy has learnt what was used */
    recover(spool);
    assert_int_equal(given.again_count, 300);
    spool_close(spool);
}

static void a_damaged_copy_gives_what_is_whole(void **state)
{
    (void)state;
    enum { END = 1 << 30 }; /* offset from the end of the last record */
    static const struct {
        const char *what;
        long offset;
        size_t bytes;
        unsigned found_at_least, found_at_most;
    } cases[] = {
        {"the last record's end", END - 16, 16, 199, 199},
        {"a block in the middle", RING_DATA_OFFSET + 8192, 4096, 150, 199},
        {"the first header", 0, 4096, 200, 200},
        {"the second header", 4096, 4096, 200, 200},
        {"one bit of the first header's head", 32, 1, 200, 200},
        {"both headers", 0, 8192, 0, 0},
    };
    static uint8_t garbage[8192];
    memset(garbage, 0xa7, sizeof(garbage));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t end = fill_and_cut(50, 200);
        uint64_t offset = (uint64_t)cases[i].offset;
        if (cases[i].offset >= END - 4096)
            offset =
                RING_DATA_OFFSET + end % options.size_bytes - (uint64_t)(END - cases[i].offset);
        change(options.copy_file, offset, garbage, cases[i].bytes);
        struct spool *spool = spool_of_test();
        take_all(spool, &given);
        size_t found = given.again_count + given.fresh_count;
        if (found < cases[i].found_at_least || found > cases[i].found_at_most)
            fail_msg("%s: found %zu", cases[i].what, found);
        assert_int_equal(count_files("copy.damaged-"), found == 0);
        start(spool); /* and it is a spool to work with */
        put_all(spool, 1000, 1500);
        drain(spool);
        spool_close(spool);
        cut_power();
        spool = spool_of_test();
        assert_int_equal(stats_of(spool).recovered, 0);
        recover(spool);
        assert_true(given.again_count >= 500);
        assert_int_equal(given.again[given.again_count - 1], 1499);
        spool_close(spool);
        remove_files();
    }
}

static void a_copy_that_is_cut_short_is_set_aside(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        fill_and_cut(0, 100);
        assert_int_equal(truncate(options.copy_file, i == 0 ? 100000 : 0), 0);
        struct spool *spool = spool_of_test();
        assert_int_equal(stats_of(spool).recovered, 0);
        assert_int_equal(count_files("copy.damaged-"), 1);
        spool_close(spool);
        remove_files();
    }
}

static void an_old_header_finds_what_was_written_after_it(void **state)
{
    (void)state;
    char saved[128];
    snprintf(saved, sizeof(saved), "%s/saved", folder);
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, 10);
    WAIT_UNTIL(stats_of(spool).syncs >= 1);
    copies_file(options.copy_file, saved);
    put_all(spool, 10, 100); /* less than makes a new header due */
    drain(spool);
    spool_close(spool);
    cut_power();
    uint8_t headers[8192];
    int fd = open(saved, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, headers, sizeof(headers)), sizeof(headers));
    close(fd);
    change(options.copy_file, 0, headers, sizeof(headers));
    spool = spool_of_test();
    take_all(spool, &given);
    assert_int_equal(given.again_count + given.fresh_count, 100);
    spool_close(spool);
}

/* What waited was bundled with nothing; then it was used, and what came behind it was bundled. The
 * power goes when the second is on the disk, and of the first not yet what became of it. */
static void a_copy_that_would_have_to_write_over_a_bundle_is_begun_anew(void **state)
{
    (void)state;
    enum { BEFORE = 20, ALL = 60 };
    static uint8_t early[1 << 20];
    struct stat before, after;
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, BEFORE);
    uint64_t end = spool_head(spool);
    WAIT_UNTIL(spool_synced(spool, NULL) == end);
    int fd = open(options.copy_file, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, early, sizeof(early)) > 0);
    close(fd);
    drain(spool);
    for (uint64_t n = BEFORE; n < ALL; n++) {
        put_all(spool, n, n + 1);
        drain(spool);
    }
    spool_close(spool);
    cut_power();
    change(options.copy_file, RING_DATA_OFFSET, early + RING_DATA_OFFSET, end - options.size_bytes);
    assert_int_equal(stat(options.copy_file, &before), 0);

    spool = spool_of_test();
    assert_int_equal(stat(options.copy_file, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(stats_of(spool).recovered, ALL);
    spool_close(spool);
    cut_power();
    spool = spool_of_test(); /* and it holds everything */
    take_all(spool, &given);
    assert_int_equal(given.fresh_count, ALL);
    spool_close(spool);
}

static void a_ring_of_an_earlier_boot_counts_but_its_clock_does_not(void **state)
{
    (void)state;
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, 100);
    spool_close(spool);
    garble_boot(options.ring_file);
    for (int i = 0; i < 2; i++) { /* not after one more restart either: they are still the old */
        spool = spool_of_test();
        assert_false(counts_at(spool, spool_tail(spool)));
        assert_false(counts_at(spool, spool_head(spool) - 8)); /* what waits is no younger */
        assert_true(counts_at(spool, spool_head(spool)));      /* but what comes now */
        assert_int_equal(stats_of(spool).recovered, 100);
        spool_close(spool);
    }
    spool = spool_of_test();
    take_all(spool, &given);
    start(spool);
    for (uint64_t n = 1000; n < 4000; n++) { /* over a lap: now nothing old is left */
        put(spool, n, 1);
        spool_drain(spool, 10, take, &given);
    }
    spool_close(spool);
    spool = spool_of_test();
    assert_true(counts_at(spool, spool_tail(spool)));
    spool_close(spool);
}

static void a_copy_newer_than_a_ring_of_an_earlier_boot_is_taken(void **state)
{
    (void)state;
    char old[128];
    snprintf(old, sizeof(old), "%s/old", folder);
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, 50);
    copies_file(options.ring_file, old);
    put_all(spool, 50, 120);
    spool_close(spool);
    assert_int_equal(rename(old, options.ring_file), 0);
    garble_boot(options.ring_file);
    spool = spool_of_test();
    take_all(spool, &given);
    assert_int_equal(given.again_count + given.fresh_count, 120);
    spool_close(spool);
}

static enum ring_outcome take_and_call_it_a_repeat(void *user, const struct ring_record *record,
                                                   bool again)
{
    take(user, record, again);
    return number_of(record) % 2 == 0 ? RING_USED : RING_REPEATED;
}

/* What it repeats may never have come to the disk, and was acknowledged when the repeat did. */
static void a_repeat_is_remembered_like_a_first(void **state)
{
    (void)state;
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, 20);
    assert_int_equal(spool_drain(spool, 20, take_and_call_it_a_repeat, &given), 20);
    spool_close(spool);
    for (int i = 0; i < 2; i++) { /* after a kill, and after a power cut */
        spool = spool_of_test();
        take_all(spool, &given);
        assert_int_equal(given.again_count, 20);
        assert_int_equal(given.fresh_count, 0);
        spool_close(spool);
        if (i == 0)
            cut_power();
    }
}

static void a_copy_that_is_gone_is_made_again_in_full(void **state)
{
    (void)state;
    struct spool *spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 0, 100);
    drain(spool);
    spool_close(spool);
    assert_int_equal(unlink(options.copy_file), 0);
    spool = spool_of_test();
    recover(spool);
    start(spool);
    put_all(spool, 100, 150);
    spool_close(spool);
    cut_power();
    spool = spool_of_test();
    take_all(spool, &given);
    assert_int_equal(given.again_count, 100);
    assert_int_equal(given.fresh_count, 50);
    spool_close(spool);
}

static void the_copy_of_another_spool_is_set_aside(void **state)
{
    (void)state;
    struct spool *spool = spool_of_test();
    start(spool);
    put_all(spool, 0, 10);
    spool_close(spool);
    char other[128];
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_int_equal(rename(options.copy_file, other), 0);
    assert_int_equal(unlink(options.ring_file), 0);
    spool = spool_of_test();
    start(spool);
    put_all(spool, 100, 120);
    spool_close(spool);
    assert_int_equal(rename(other, options.copy_file), 0);
    spool = spool_of_test();
    take_all(spool, &given);
    assert_int_equal(given.fresh_count, 20);
    assert_int_equal(given.fresh[0], 100);
    assert_int_equal(count_files("copy.damaged-"), 1);
    spool_close(spool);
}

/* --- power cut while the hub works -------------------------------------------------------------
 */

struct gauge {               /* shared with the hub */
    _Atomic uint64_t synced; /* a number: all below it were in the copy */
    _Atomic uint64_t positions[1 << 20];
};
static struct gauge *gauge;

static enum ring_outcome note_position(void *user, const struct ring_record *record, bool again)
{
    (void)user;
    (void)again;
    atomic_store(&gauge->positions[number_of(record) & 0xfffff], record->position);
    return RING_USED;
}

static void *flood(void *user)
{
    for (uint64_t n = 0; put(user, n, 1); n++)
        if (n % 50 == 0)
            nanosleep(&(struct timespec){0, 100000}, NULL);
    return NULL;
}

static _Noreturn void run_hub(void)
{
    struct diag diag = {0};
    struct spool *spool;
    pthread_t producer;
    if (spool_open(&spool, &options, &diag) != 0 || spool_start(spool, on_wake, NULL, &diag) != 0 ||
        pthread_create(&producer, NULL, flood, spool) != 0)
        _exit(1);
    for (uint64_t below = 0, drained = 0;;) {
        uint64_t synced = spool_synced(spool, NULL);
        while (below < drained && atomic_load(&gauge->positions[below & 0xfffff]) < synced)
            below++;
        atomic_store(&gauge->synced, below);
        drained += spool_drain(spool, 100, note_position, NULL);
    }
}

static void cut_at_any_moment_what_was_synced_is_there(void **state)
{
    (void)state;
    gauge = mmap(NULL, sizeof(*gauge), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char saved[128];
    snprintf(saved, sizeof(saved), "%s/saved", folder);
    uint32_t dice = (uint32_t)clock_mono_ns();
    print_message("seed %u\n", dice);
    uint64_t most = 0;
    int kept_a_lap = 0;
    for (int cuts = 0; cuts < 15; cuts++) {
        memset(gauge, 0, sizeof(*gauge));
        pid_t hub = fork_hub();
        if (hub == 0)
            run_hub();
        dice = dice * 1664525u + 1013904223u;
        uint64_t enough = (dice >> 8) % 4000; /* up to three laps, as fast as the machine is */
        WAIT_UNTIL(atomic_load(&gauge->synced) >= enough);
        nanosleep(&(struct timespec){0, (long)(dice & 0xff) * 20000}, NULL);
        /* The file as it is while the hub works, in the middle of its writing. */
        uint64_t synced = atomic_load(&gauge->synced);
        bool has_copy = access(options.copy_file, F_OK) == 0;
        if (has_copy)
            copies_file(options.copy_file, saved);
        kill(hub, SIGKILL);
        waitpid(hub, NULL, 0);
        assert_true(has_copy || synced == 0);
        if (!has_copy) {
            remove_files();
            continue;
        }
        cut_power();
        assert_int_equal(rename(saved, options.copy_file), 0);

        struct spool *spool = spool_of_test();
        take_all(spool, &given);
        spool_close(spool);
        size_t count = given.again_count + given.fresh_count;
        if (synced != 0) {
            assert_true(count > 0);
            uint64_t first = given.again_count != 0 ? given.again[0] : given.fresh[0];
            for (size_t i = 0; i < count; i++) { /* no hole before what was synced */
                uint64_t n =
                    i < given.again_count ? given.again[i] : given.fresh[i - given.again_count];
                if (n < synced)
                    assert_int_equal(n, first + i);
            }
            uint64_t last = given.fresh_count != 0 ? given.fresh[given.fresh_count - 1]
                                                   : given.again[given.again_count - 1];
            assert_true(last + 1 >= synced);
            kept_a_lap += first == 0 || count * 200 > options.size_bytes / 4;
        }
        most = synced > most ? synced : most;
        remove_files();
    }
    print_message("up to %llu messages synced before a cut\n", (unsigned long long)most);
    assert_true(most > 1000);
    /* A lap is kept, but for what the copier was overwriting with newer ones: where it was near
     * the end of a whole lap, that is nearly all of it. */
    assert_true(kept_a_lap >= 8);
    munmap(gauge, sizeof(*gauge));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(everything_synced_is_there_again),
        CASE(a_damaged_copy_gives_what_is_whole),
        CASE(a_copy_that_is_cut_short_is_set_aside),
        CASE(an_old_header_finds_what_was_written_after_it),
        CASE(a_copy_that_would_have_to_write_over_a_bundle_is_begun_anew),
        CASE(a_ring_of_an_earlier_boot_counts_but_its_clock_does_not),
        CASE(a_copy_newer_than_a_ring_of_an_earlier_boot_is_taken),
        CASE(a_repeat_is_remembered_like_a_first),
        CASE(a_copy_that_is_gone_is_made_again_in_full),
        CASE(the_copy_of_another_spool_is_set_aside),
        CASE(cut_at_any_moment_what_was_synced_is_there),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
