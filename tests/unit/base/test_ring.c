#include "base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/ring_file.h"

#define SIZE       65536u
#define FILE_BYTES (SIZE + RING_DATA_OFFSET)

static char folder[64], file[128];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_ring.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/ring", folder);
    return 0;
}

/* Counts the files whose name contains `part`; removes them all with `part` "" and `remove`. */
static unsigned look(const char *part, bool remove_them)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.' || strstr(entry->d_name, part) == NULL)
            continue;
        count++;
        if (remove_them)
            assert_int_equal(unlinkat(dirfd(listing), entry->d_name, 0), 0);
    }
    closedir(listing);
    return count;
}

static int leave_folder(void **state)
{
    (void)state;
    look("", true);
    return rmdir(folder);
}

static struct ring *made(void)
{
    struct diag diag = {0};
    struct ring *ring = NULL;
    assert_int_equal(ring_make(&ring, file, SIZE, NULL, &diag), 0);
    return ring;
}

static struct ring *opened(void)
{
    struct diag diag = {0};
    struct ring *ring = NULL;
    assert_int_equal(ring_open(&ring, file, SIZE, &diag), 0);
    return ring;
}

/* A message whose length and bytes follow from its number. */
static size_t payload_of(uint64_t number, uint8_t *out)
{
    size_t bytes = 8 + number * 2654435761u % 700;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(number + i);
    memcpy(out, &number, 8);
    return bytes;
}

static bool put(struct ring *ring, uint64_t number, uint64_t free_below)
{
    uint8_t payload[1024];
    struct ring_message message = {.topic = "lumbar/v1/posture/p1/telemetry",
                                   .topic_bytes = number % 31,
                                   .payload = payload,
                                   .payload_bytes = payload_of(number, payload),
                                   .wall_ms = (int64_t)number,
                                   .mono_ns = -(int64_t)number,
                                   .flags = (uint16_t)number};
    return ring_put(ring, &message, free_below);
}

static uint64_t number_of(const struct ring_record *record)
{
    uint64_t number;
    memcpy(&number, ring_payload(record), 8);
    return number;
}

static void assert_is(const struct ring_record *record, uint64_t number)
{
    uint8_t payload[1024];
    size_t bytes = payload_of(number, payload);
    assert_non_null(record);
    assert_int_equal(number_of(record), number);
    assert_int_equal(record->payload_bytes, bytes);
    assert_memory_equal(ring_payload(record), payload, bytes);
    assert_int_equal(record->topic_bytes, number % 31);
    assert_memory_equal(ring_topic(record), "lumbar/v1/posture/p1/telemetry", number % 31);
    assert_int_equal(record->wall_ms, number);
    assert_int_equal(record->mono_ns, -(int64_t)number);
    assert_int_equal(record->flags, (uint16_t)number);
}

static void gives_back_in_order_over_a_hundred_laps(void **state)
{
    (void)state;
    struct ring *ring = made();
    uint64_t in = 0, out = 0;
    uint32_t dice = 7;
    while (ring_head(ring) < 100ull * SIZE) {
        dice = dice * 1664525u + 1013904223u;
        for (uint32_t i = dice >> 27; i > 0 && put(ring, in, ring_done(ring)); i--)
            in++;
        for (uint32_t i = dice >> 22 & 31; i > 0 && out < in; i--) {
            struct ring_record *record = ring_peek(ring);
            assert_is(record, out++);
            ring_end(ring, record, RING_USED);
        }
    }
    for (; out < in; out++) {
        assert_is(ring_peek(ring), out);
        ring_end(ring, ring_peek(ring), RING_USED);
    }
    assert_null(ring_peek(ring));
    ring_close(ring);
}

static void is_full_until_something_is_freed(void **state)
{
    (void)state;
    struct ring *ring = made();
    uint64_t in = 0;
    while (put(ring, in, ring_done(ring)))
        in++;
    assert_true(ring_head(ring) - ring_tail(ring) <= SIZE);
    assert_true(ring_head(ring) - ring_tail(ring) > SIZE - 1024);
    assert_false(put(ring, in, ring_done(ring)));
    /* The rest of the lap is too short for it, so it needs that and its own length. */
    while (ring_done(ring) - ring_tail(ring) < 2048)
        ring_end(ring, ring_peek(ring), RING_USED);
    assert_true(put(ring, in, ring_done(ring)));
    ring_close(ring);
}

static void takes_the_largest_and_refuses_a_larger_message(void **state)
{
    (void)state;
    static const struct {
        size_t topic, payload;
        bool taken;
    } cases[] = {
        {0, 0, true}, /* the smallest */
        {RING_TOPIC_MAX, RING_PAYLOAD_MAX, true},
        {RING_TOPIC_MAX + 1, 0, false},
        {0, RING_PAYLOAD_MAX + 1, false},
        {0, SIZE_MAX, false},
    };
    static const char bytes[RING_PAYLOAD_MAX];
    struct ring *ring = made();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ring_message message = {.topic = bytes,
                                       .topic_bytes = cases[i].topic,
                                       .payload = bytes,
                                       .payload_bytes = cases[i].payload};
        assert_int_equal(ring_put(ring, &message, ring_head(ring)), cases[i].taken);
    }
    ring_close(ring);
}

static void goes_on_where_another_process_ended(void **state)
{
    (void)state;
    struct ring *ring = made();
    for (uint64_t i = 0; i < 40; i++)
        assert_true(put(ring, i, 0));
    for (uint64_t i = 0; i < 15; i++)
        ring_end(ring, ring_peek(ring), i % 5 == 0 ? RING_REFUSED : RING_USED);
    uint64_t head = ring_head(ring), done = ring_done(ring);
    ring_close(ring);

    ring = opened();
    assert_non_null(ring);
    assert_true(ring_boot_from(ring) <= ring_tail(ring));
    assert_int_equal(ring_waiting(ring), 25);
    assert_int_equal(ring_torn(ring), 0);
    assert_int_equal(ring_head(ring), head);
    assert_int_equal(ring_done(ring), done);
    uint64_t at = ring_tail(ring);
    for (uint64_t i = 0; i < 40; i++) { /* what was used can still be read */
        struct ring_record *record = ring_next(ring, &at);
        assert_is(record, i);
        assert_int_equal(atomic_load(&record->outcome), i >= 15      ? RING_WAITING
                                                        : i % 5 == 0 ? RING_REFUSED
                                                                     : RING_USED);
    }
    assert_null(ring_next(ring, &at));
    assert_is(ring_peek(ring), 15);
    ring_close(ring);
}

static void is_open_for_one_only(void **state)
{
    (void)state;
    struct ring *ring = made(), *second = NULL;
    struct diag diag = {0};
    assert_int_equal(ring_open(&second, file, SIZE, &diag), ERR_TAKEN);
    assert_null(second);
    assert_non_null(strstr(diag.text, "in use by another program"));
    assert_int_equal(look("damaged", false), 0);
    ring_close(ring);
    ring = opened();
    assert_non_null(ring);
    ring_close(ring);
}

static void change_file(off_t offset, const void *bytes, size_t count)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, count, offset), count);
    close(fd);
}

/* What an id drawn by lot has a part in may hold any byte: turned over, it is another for certain. */
static void turn_over(off_t offset, size_t count)
{
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, offset + (off_t)i), 1);
        byte ^= 0xa5;
        assert_int_equal(pwrite(fd, &byte, 1, offset + (off_t)i), 1);
    }
    close(fd);
}

static void sets_aside_what_is_no_ring_and_keeps_its_bytes(void **state)
{
    (void)state;
    enum { CUT = -1, EMPTY = -2, LONGER = -3, MISSIZED = -4 };
    static const struct {
        const char *what;
        long where; /* a byte of the header to turn over, or one of the above */
    } cases[] = {
        {"magic", 0},
        {"format", 8},
        {"size", 16},
        {"id", 24},
        {"checksum", 32},
        {"head beyond", 135},
        {"head unaligned", 128},
        {"tail beyond", 143},
        {"cut short", CUT},
        {"empty", EMPTY},
        {"longer", LONGER},
        {"other size", MISSIZED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ring *ring = made();
        assert_true(put(ring, 1, 0));
        ring_close(ring);
        if (cases[i].where >= 0)
            turn_over(cases[i].where, 1);
        else if (cases[i].where != MISSIZED)
            assert_int_equal(truncate(file, cases[i].where == CUT     ? FILE_BYTES - 4096
                                            : cases[i].where == EMPTY ? 0
                                                                      : FILE_BYTES + 1),
                             0);
        struct stat before, after = {0};
        assert_int_equal(stat(file, &before), 0);
        struct diag diag = {0};
        size_t size = cases[i].where == MISSIZED ? 2 * SIZE : SIZE;
        if (ring_open(&ring, file, size, &diag) != 0 || ring != NULL)
            fail_msg("%s: believed", cases[i].what);
        assert_int_equal(look("ring.damaged-", false), 1);
        assert_int_equal(access(file, F_OK), -1);
        DIR *listing = opendir(folder);
        for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
            if (entry->d_name[0] != '.')
                assert_int_equal(fstatat(dirfd(listing), entry->d_name, &after, 0), 0);
        closedir(listing);
        assert_int_equal(after.st_ino, before.st_ino);
        assert_int_equal(after.st_size, before.st_size);
        look("", true);
    }
}

static void sets_aside_several_in_one_second(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 4; i++) {
        ring_close(made());
        change_file(0, "?", 1);
        assert_null(opened());
        assert_int_equal(look("ring.damaged-", false), i);
    }
}

static void refuses_what_is_not_a_file(void **state)
{
    (void)state;
    struct ring *ring;
    struct diag diag = {0};
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(ring_open(&ring, file, SIZE, &diag), ERR_IO);
    unlink(file);
    assert_int_equal(mkdir(file, 0700), 0);
    diag = (struct diag){0};
    assert_int_equal(ring_open(&ring, file, SIZE, &diag), ERR_IO);
    rmdir(file);
    diag = (struct diag){0};
    assert_int_equal(ring_make(&ring, "/nonexistent/ring", SIZE, NULL, &diag), ERR_IO);
    diag = (struct diag){0};
    assert_int_equal(ring_make(&ring, file, SIZE + 8, NULL, &diag), ERR_RANGE);
    assert_int_equal(ring_make(&ring, file, 4096, NULL, &diag), ERR_RANGE);
}

struct seen {
    uint64_t numbers[64];
    unsigned count;
};

static void note(void *user, const struct ring_record *record)
{
    struct seen *seen = user;
    assert_true(seen->count < 64);
    seen->numbers[seen->count++] = number_of(record);
}

/* Where record `number` of those put by passes_over_a_torn_record() begins in the file. */
static off_t place_of(uint64_t number)
{
    uint8_t payload[1024];
    uint64_t at = 0;
    for (uint64_t i = 0; i < number; i++)
        at += ring_record_bytes(i % 31, payload_of(i, payload));
    return (off_t)(RING_DATA_OFFSET + at);
}

static void passes_over_a_torn_record_and_finds_the_next(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint64_t record;
        size_t byte; /* of it */
    } cases[] = {
        {"the first's position", 0, 0}, {"a checksum", 3, 8},        {"a time", 3, 24},
        {"a payload's length", 3, 40},  {"a topic's length", 3, 45}, {"a payload", 3, 100},
        {"the last's payload", 19, 60},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ring *ring = made();
        for (uint64_t n = 0; n < 20; n++)
            assert_true(put(ring, n, 0));
        ring_close(ring);
        turn_over(place_of(cases[i].record) + (off_t)cases[i].byte, 2);

        struct seen seen = {0};
        struct diag diag = {0};
        assert_int_equal(ring_walk(file, note, &seen, &diag), 0);
        assert_int_equal(seen.count, 19);
        ring = opened();
        assert_non_null(ring);
        assert_int_equal(ring_torn(ring), 1);
        assert_int_equal(ring_waiting(ring), 19);
        for (uint64_t n = 0; n < 20; n++)
            if (n != cases[i].record) {
                assert_is(ring_peek(ring), n);
                ring_end(ring, ring_peek(ring), RING_USED);
            }
        assert_null(ring_peek(ring));
        for (uint64_t n = 20; n < 500; n++) /* and the damage is overwritten in its turn */
            assert_true(put(ring, n, ring_head(ring)));
        ring_close(ring);
        ring = opened();
        assert_int_equal(ring_torn(ring), 0);
        ring_close(ring);
    }
}

static void decodes_again_what_has_a_garbled_outcome(void **state)
{
    (void)state;
    struct ring *ring = made();
    for (uint64_t n = 0; n < 3; n++) {
        put(ring, n, 0);
        ring_end(ring, ring_peek(ring), RING_USED);
    }
    ring_close(ring);
    change_file(place_of(1) + 16, "\xff\xff", 2);
    ring = opened();
    assert_int_equal(ring_waiting(ring), 2); /* the one after it too: order is kept */
    assert_is(ring_peek(ring), 1);
    ring_close(ring);
    uint32_t waiting_then_repeat[] = {RING_WAITING, RING_REPEATED};
    for (uint64_t i = 0; i < 2; i++)
        change_file(place_of(1 + i) + 16, &waiting_then_repeat[i], 4);
    ring = opened(); /* of what it repeats nothing may be left */
    assert_int_equal(ring_waiting(ring), 2);
    ring_close(ring);
}

static void does_not_believe_a_record_inside_a_payload(void **state)
{
    (void)state;
    /* A device sends the very bytes of a record for the place where its payload will lie. */
    struct ring *ring = made();
    struct {
        struct ring_record record;
        char text[16];
    } forged = {
        .record = {.position = ring_head(ring) + sizeof(struct ring_record), .payload_bytes = 16}};
    struct ring_area guess = {NULL, SIZE, 0};
    forged.record.checksum = ring_area_checksum(&guess, &forged.record);
    struct ring_message message = {.payload = &forged, .payload_bytes = sizeof(forged)};
    assert_true(ring_put(ring, &message, 0));
    assert_true(put(ring, 1, 0));
    ring_close(ring);
    turn_over(RING_DATA_OFFSET + 8, 1); /* the one around it is torn */
    ring = opened();
    assert_int_equal(ring_waiting(ring), 1);
    assert_is(ring_peek(ring), 1);
    ring_close(ring);
}

static void skips_only_what_ends_before_the_head(void **state)
{
    (void)state;
    struct ring *ring = made();
    put(ring, 1, 0);
    uint64_t head = ring_head(ring);
    put(ring, 2, 0);
    ring_close(ring);
    uint64_t lap = head | RING_SKIP_LAP; /* "nothing more in this lap", but the head is in it */
    change_file((off_t)(RING_DATA_OFFSET + head % SIZE), &lap, sizeof(lap));
    ring = opened();
    assert_non_null(ring);
    assert_int_equal(ring_waiting(ring), 1);
    assert_is(ring_peek(ring), 1);
    ring_end(ring, ring_peek(ring), RING_USED);
    assert_null(ring_peek(ring));
    assert_true(put(ring, 3, 0));
    assert_is(ring_peek(ring), 3);
    ring_close(ring);
}

struct stress {
    struct ring *ring;
    uint64_t total;
};

static void *produce(void *user)
{
    struct stress *stress = user;
    for (uint64_t n = 0; n < stress->total;)
        if (put(stress->ring, n, ring_done(stress->ring)))
            n++;
        else
            sched_yield();
    return NULL;
}

static void two_threads_lose_and_tear_nothing(void **state)
{
    (void)state;
    struct stress stress = {made(), 50000};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, &stress), 0);
    for (uint64_t n = 0; n < stress.total;) {
        struct ring_record *record = ring_peek(stress.ring);
        if (record == NULL) {
            sched_yield();
            continue;
        }
        assert_is(record, n++);
        ring_end(stress.ring, record, RING_USED);
    }
    pthread_join(thread, NULL);
    assert_null(ring_peek(stress.ring));
    ring_close(stress.ring);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

int main(void)
{
    log_set_level((enum log_level)0);
    const struct CMUnitTest cases[] = {
        CASE(gives_back_in_order_over_a_hundred_laps),
        CASE(is_full_until_something_is_freed),
        CASE(takes_the_largest_and_refuses_a_larger_message),
        CASE(goes_on_where_another_process_ended),
        CASE(is_open_for_one_only),
        CASE(sets_aside_what_is_no_ring_and_keeps_its_bytes),
        CASE(sets_aside_several_in_one_second),
        CASE(refuses_what_is_not_a_file),
        CASE(passes_over_a_torn_record_and_finds_the_next),
        CASE(decodes_again_what_has_a_garbled_outcome),
        CASE(does_not_believe_a_record_inside_a_payload),
        CASE(skips_only_what_ends_before_the_head),
        CASE(two_threads_lose_and_tear_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
