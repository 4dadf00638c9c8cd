/* The copy of a ring, and the bundles in it, on a disk that may be cut short, or fail, anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/ring_bundle.h"
#include "base/ring_copy.h"

#define SIZE   (256 * 1024)
#define FILE_  (SIZE + RING_DATA_OFFSET)
#define PAGE   4096
#define SECTOR 512
#define TOPIC  "lumbar/v1/posture/p1/telemetry"

static char folder[64], ring_file[96], copy_file[96];

/* ---- a disk ---- */

static struct {
    uint8_t cache[FILE_], disk[FILE_];
    bool dirty[FILE_ / PAGE];
    int fd; /* of the file that it stands for; -1: none */
    bool failing;
    uint64_t written; /* bytes of pages that became dirty */
} disk = {.fd = -1};

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(dice >> 8) * sides >> 24);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (fd == disk.fd) {
        memcpy(disk.cache + offset, bytes, count);
        for (size_t page = (size_t)offset / PAGE; page <= ((size_t)offset + count - 1) / PAGE;
             page++) {
            disk.written += disk.dirty[page] ? 0 : PAGE;
            disk.dirty[page] = true;
        }
    }
    return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

/* As kernels do it after an error: some pages came to the disk, and none is tried again. */
int fdatasync(int fd)
{
    if (fd != disk.fd)
        return (int)syscall(SYS_fdatasync, fd);
    for (size_t page = 0; page < FILE_ / PAGE; page++) {
        if (disk.dirty[page] && (!disk.failing || roll(2) == 0))
            memcpy(disk.disk + page * PAGE, disk.cache + page * PAGE, PAGE);
        disk.dirty[page] = false;
    }
    if (!disk.failing)
        return 0;
    errno = EIO;
    return -1;
}

/* What is on its way comes to the disk sector by sector, or not. */
static void cut_power(void)
{
    for (size_t at = 0; at < FILE_; at += SECTOR)
        if (disk.dirty[at / PAGE] && roll(2) == 0)
            memcpy(disk.disk + at, disk.cache + at, SECTOR);
    memset(disk.dirty, 0, sizeof(disk.dirty));
}

/* The file as it came through the power cut. */
static void load_disk(void)
{
    int fd = open(copy_file, O_WRONLY | O_CLOEXEC);
    disk.fd = -1;
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, disk.disk, FILE_, 0), FILE_);
    close(fd);
}

/* ---- a ring, its copy, and what is known of them ---- */

#define MOST 100000
struct known {
    uint64_t position;
    enum ring_outcome outcome;
};

struct place {
    struct ring *ring;
    struct ring_copy *copy;
    struct known known[MOST];
    unsigned count;
    uint64_t kept;            /* from here on it is still needed */
    uint64_t synced, settled; /* as the last success said */
};
static struct place place;

static int enter(void **state)
{
    (void)state;
    log_set_level((enum log_level)0);
    snprintf(folder, sizeof(folder), "/tmp/test_copy.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(ring_file, sizeof(ring_file), "%s/ring", folder);
    snprintf(copy_file, sizeof(copy_file), "%s/copy", folder);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    dice = (uint32_t)now.tv_nsec;
    print_message("seed %u\n", dice);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    unlink(ring_file);
    unlink(copy_file);
    return rmdir(folder);
}

static void watch_file(void)
{
    int fd = open(copy_file, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, disk.disk, FILE_), FILE_);
    memcpy(disk.cache, disk.disk, FILE_);
    memset(disk.dirty, 0, sizeof(disk.dirty));
    close(fd);
    /* The copy's own descriptor is the last one that was made. */
    disk.fd = fd;
    char name[64], target[128];
    for (int i = 3; i < 64; i++) {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", i);
        ssize_t length = readlink(name, target, sizeof(target) - 1);
        if (length > 0 && strncmp(target, copy_file, (size_t)length) == 0 &&
            strlen(copy_file) == (size_t)length)
            disk.fd = i;
    }
}

static void open_place(void)
{
    struct diag diag = {0};
    memset(&place, 0, sizeof(place));
    disk.failing = false;
    assert_int_equal(ring_make(&place.ring, ring_file, SIZE, NULL, &diag), 0);
    assert_int_equal(ring_copy_open(&place.copy, copy_file, &diag), 0);
    uint64_t head = ring_head(place.ring);
    assert_int_equal(ring_copy_begin(place.copy, ring_area(place.ring), head, head, head, &diag),
                     0);
    place.kept = place.synced = place.settled = head;
    watch_file();
}

static void close_place(void)
{
    disk.fd = -1;
    ring_copy_close(place.copy);
    ring_close(place.ring);
    unlink(ring_file);
}

/* Telemetry is nine tenths alike; some messages cannot be compressed at all. */
static void put(void)
{
    uint8_t payload[600];
    size_t bytes = 20 + roll(sizeof(payload) - 20);
    bool noise = roll(8) == 0;
    for (size_t i = 0; i < bytes; i++)
        payload[i] = noise ? (uint8_t)roll(256) : (uint8_t)(i / 7);
    memcpy(payload, &place.count, sizeof(place.count));
    const struct ring_message message = {.topic = TOPIC,
                                         .topic_bytes = sizeof(TOPIC) - 1,
                                         .payload = payload,
                                         .payload_bytes = bytes,
                                         .wall_ms = place.count};
    uint64_t free_below = place.kept < place.synced ? place.kept : place.synced;
    uint64_t before = ring_head(place.ring);
    if (!ring_put(place.ring, &message, ring_bundle_floor(SIZE, free_below)))
        return;
    assert_true(place.count < MOST);
    struct ring_record *record = NULL; /* behind what may have been skipped at the end of a lap */
    for (uint64_t at = before; (record = ring_next(place.ring, &at)) != NULL;)
        place.known[place.count].position = record->position;
    place.known[place.count++].outcome = RING_WAITING;
}

static void use(void)
{
    struct ring_record *record = ring_peek(place.ring);
    if (record == NULL)
        return;
    unsigned number;
    memcpy(&number, ring_payload(record), sizeof(number));
    enum ring_outcome outcome = roll(4) == 0 ? RING_REPEATED : RING_USED;
    ring_end(place.ring, record, outcome);
    place.known[number].outcome = outcome;
}

/* As the spool does it; false: the disk failed. `cut`: the power, before it is synced. */
static bool copy_turn(bool cut)
{
    uint64_t done = ring_done(place.ring), head = ring_head(place.ring);
    uint64_t from = place.settled < place.synced ? place.settled : place.synced;
    if (!ring_copy_write(place.copy, ring_area(place.ring), from, head, done))
        return false;
    if (cut || !ring_copy_sync(place.copy))
        return false;
    place.synced = head;
    place.settled = done;
    return true;
}

static void must_hold(const struct ring_image *image, const struct known *known, unsigned number)
{
    const struct ring_record *record = ring_area_at(&image->area, known->position);
    unsigned found;
    if (!ring_area_is_record(&image->area, known->position, image->end))
        fail_msg("message %u at %llu is not there", number, (unsigned long long)known->position);
    memcpy(&found, ring_payload(record), sizeof(found));
    assert_int_equal(found, number);
    if (known->position < place.settled && record->outcome != known->outcome)
        fail_msg("message %u has outcome %u", number, record->outcome);
}

/* Whatever was said to be on the disk, and is needed, is there. Returns the messages looked at. */
static unsigned look_at_copy(uint64_t *bundled)
{
    struct diag diag = {0};
    struct ring_copy *copy;
    struct ring_image image;
    unsigned looked = 0;
    load_disk();
    ring_copy_close(place.copy);
    assert_int_equal(ring_copy_open(&copy, copy_file, &diag), 0);
    assert_true(ring_copy_exists(copy));
    assert_int_equal(ring_copy_read(copy, &image, &diag), 0);
    for (unsigned i = 0; i < place.count; i++) {
        const struct known *known = &place.known[i];
        if (known->position < place.kept || known->position >= place.synced)
            continue;
        must_hold(&image, known, i);
        looked++;
    }
    *bundled = image.bundled;
    ring_image_fini(&image);
    place.copy = copy;
    return looked;
}

/* ---- cases ---- */

static void whatever_moment_the_power_goes_what_was_synced_is_there(void **state)
{
    (void)state;
    unsigned looked = 0, with_bundles = 0, failures = 0;
    uint64_t laps = 0;
    for (int round = 0; round < 60; round++) {
        open_place();
        unsigned turns = 1 + roll(120), patient = roll(2) == 0 ? 4 : 30;
        for (unsigned turn = 0; turn < turns; turn++) {
            for (unsigned i = roll(60); i > 0; i--) {
                put();
                if (roll(3) != 0)
                    use();
            }
            for (unsigned i = roll(60); i > 0; i--)
                use();
            disk.failing = roll(12) == 0;
            failures += !copy_turn(false) && disk.failing;
            if (roll(patient) == 0 && place.settled > place.kept) /* what was needed is not now */
                place.kept += (place.settled - place.kept) / (1 + roll(3));
        }
        disk.failing = false;
        copy_turn(true);
        cut_power();
        laps += ring_head(place.ring) / SIZE - 1;
        uint64_t bundled;
        looked += look_at_copy(&bundled);
        with_bundles += bundled != 0;
        close_place();
        unlink(copy_file);
    }
    print_message("%u messages looked for, %u copies with bundles, %u failures of the disk, "
                  "%llu laps\n",
                  looked, with_bundles, failures, (unsigned long long)laps);
    assert_true(looked > 3000 && with_bundles > 40 && failures > 50 && laps > 30);
}

/* What is all used when it is copied takes less than two thirds of itself, an eighth of which is
 * noise. */
static void what_is_used_is_bundled(void **state)
{
    (void)state;
    open_place();
    uint64_t before = disk.written;
    while (place.count < 500) {
        for (unsigned i = 0; i < 100; i++)
            put();
        while (ring_peek(place.ring) != NULL)
            use();
        assert_true(copy_turn(false));
        place.kept = place.settled;
    }
    uint64_t raw = ring_head(place.ring) - SIZE;
    print_message("%llu bytes of pages for %llu bytes of ring\n",
                  (unsigned long long)(disk.written - before), (unsigned long long)raw);
    assert_true(disk.written - before < raw * 2 / 3);
    close_place();
}

/* A bundle is believed only where it stands, whole, and of this ring. */
static void a_bundle_that_is_not_whole_is_none(void **state)
{
    (void)state;
    enum { FROM = 3 * SIZE + 8192, TO = FROM + 3000 };
    static uint8_t data[SIZE], other[SIZE], bytes[4096];
    struct ring_area area = {data, SIZE, 0x1234567890abcdefu}, stranger = {data, SIZE, 77};
    struct ring_area into = {other, SIZE, area.id};
    struct ring_bundler *bundler = ring_bundler_create();
    const void *out;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i / 9);
    size_t count = ring_bundle_make(bundler, &area, FROM, TO, bytes, &out);
    assert_in_range(count, 30, 1000);
    memcpy(data + FROM % SIZE, out, count);
    assert_int_equal(ring_bundle_end(&area, FROM, TO), TO);
    assert_int_equal(ring_bundle_end(&area, FROM, FROM + SIZE), TO);
    assert_true(ring_bundle_open(&area, FROM, &into));
    assert_memory_equal(other + FROM % SIZE, bytes, TO - FROM);
    assert_int_equal(ring_bundle_end(&area, FROM, TO - 8), 0);           /* it goes beyond */
    assert_int_equal(ring_bundle_end(&stranger, FROM, TO), 0);           /* another ring's */
    assert_int_equal(ring_bundle_end(&area, FROM + SIZE, TO + SIZE), 0); /* another lap's */
    assert_int_equal(ring_bundle_end(&area, FROM + 8, TO), 0);
    for (size_t i = 0; i < count; i++) {
        data[FROM % SIZE + i] ^= 1;
        if (ring_bundle_end(&area, FROM, TO) != 0)
            fail_msg("byte %zu does not matter", i);
        data[FROM % SIZE + i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)roll(256);
    assert_int_equal(ring_bundle_make(bundler, &area, FROM, TO, bytes, &out), 0); /* no gain */
    assert_int_equal(ring_bundle_make(bundler, &area, FROM, FROM + 24, bytes, &out), 0);
    ring_bundler_destroy(bundler);
}

static void edges_follow_the_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t size, edge;
    } cases[] = {
        {65536, 4096},
        {69632, 4096},
        {131072, 8192},
        {262144, 16384},
        {1 << 20, 65536},
        {16 << 20, 65536},
        {(1 << 20) - 4096, 32768},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ring_bundle_edge(cases[i].size), cases[i].edge);
    assert_int_equal(ring_bundle_floor(65536, 70000), 69632);
    assert_int_equal(ring_bundle_floor(65536, 69632), 69632);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_follow_the_size),
        cmocka_unit_test(a_bundle_that_is_not_whole_is_none),
        cmocka_unit_test_setup_teardown(what_is_used_is_bundled, enter, leave),
        cmocka_unit_test_setup_teardown(whatever_moment_the_power_goes_what_was_synced_is_there,
                                        enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
