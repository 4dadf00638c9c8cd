/* The spool and a disk that refuses: live goes on, and what never was on disk is not said to be. */
#include "spool_place.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static struct given given;

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static uint64_t positions[20000]; /* of each number */

static enum ring_outcome take_and_note(void *user, const struct ring_record *record, bool again)
{
    (void)user;
    positions[number_of(record)] = record->position;
    return take(&given, record, again);
}

/* Puts and drains [from, to). */
static void live(struct spool *spool, uint64_t from, uint64_t to)
{
    given.fresh_count = 0;
    for (uint64_t n = from; n < to; n++) {
        assert_true(put(spool, n, 1));
        spool_drain(spool, 10, take_and_note, NULL);
    }
    assert_int_equal(given.fresh_count, to - from);
}

static void live_goes_on_when_the_disk_refuses(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    signal(SIGXFSZ, SIG_IGN);
    options.size_bytes = RING_SIZE_MIN;
    options.patience_ms = 200;
    struct spool *spool = spool_of_test();
    start(spool);
    live(spool, 0, 100);
    WAIT_UNTIL(stats_of(spool).used_bytes == 0);
    uint64_t synced = spool_synced(spool, NULL);

    limit_files(8192); /* the headers can be written, but no message */
    int64_t from = clock_mono_ns();
    live(spool, 100, 3000);                           /* many laps */
    assert_true(clock_mono_ns() - from >= 190000000); /* it was patient before */
    limit_files(RLIM_INFINITY);
    struct spool_stats stats = stats_of(spool);
    assert_true(stats.sync_failures > 0);
    assert_true(stats.waited > 0);
    assert_int_equal(stats.dropped, 0);
    assert_false(spool_is_safe(spool));
    assert_int_equal(spool_synced(spool, NULL), synced); /* nobody is told that it is safe */

    WAIT_UNTIL(spool_is_safe(spool));
    uint64_t lost;
    assert_true(spool_synced(spool, &lost) > positions[2999]);
    assert_true(stats_of(spool).uncopied_bytes > 0);
    assert_int_equal(stats_of(spool).uncopied_bytes, lost - synced);
    spool_close(spool);
    cut_power();
    spool = spool_of_test();
    take_all(spool, &given);
    /* Whatever was said to be on disk is there, and the gap is what is not. */
    uint64_t behind = 100;
    while (positions[behind] < lost)
        behind++;
    assert_in_range(behind, 2000, 2900);
    assert_int_equal(given.fresh_count, 0);
    assert_int_equal(given.again_count, 3000 - behind);
    for (size_t i = 0; i < given.again_count; i++)
        assert_int_equal(given.again[i], behind + i);
    start(spool);
    live(spool, 3000, 3100);
    WAIT_UNTIL(spool_synced(spool, &lost) > positions[3099]);
    assert_int_equal(lost, 0); /* the gap is behind us */
    spool_close(spool);
}

/* A disk like a kernel's after EIO: what could not be written stays as it was, and counts as clean.
 */
static _Atomic bool failing;
static _Atomic unsigned failed;

int fdatasync(int fd)
{
    static uint8_t disk[1 << 19];
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_true((size_t)status.st_size <= sizeof(disk));
    if (atomic_load(&failing)) {
        assert_int_equal(pwrite(fd, disk, (size_t)status.st_size, 0), status.st_size);
        atomic_fetch_add(&failed, 1);
        errno = EIO;
        return -1;
    }
    assert_int_equal(pread(fd, disk, (size_t)status.st_size, 0), status.st_size);
    return (int)syscall(SYS_fdatasync, fd);
}

static void what_could_not_be_synced_is_written_again_in_full(void **state)
{
    (void)state;
    memset(&given, 0, sizeof(given));
    options.size_bytes = RING_SIZE_MIN;
    options.patience_ms = 1;
    struct spool *spool = spool_of_test();
    start(spool);
    live(spool, 0, 100);
    WAIT_UNTIL(stats_of(spool).used_bytes == 0);
    atomic_store(&failing, true);
    live(spool, 100, 3000);
    unsigned before = atomic_load(&failed);
    WAIT_UNTIL(atomic_load(&failed) > before + 1); /* so nothing is new in the turn that succeeds */
    atomic_store(&failing, false);
    WAIT_UNTIL(spool_is_safe(spool));
    cut_power(); /* before it is closed, which would write a header */
    char saved[128];
    snprintf(saved, sizeof(saved), "%s/saved", folder);
    assert_int_equal(link(options.copy_file, saved), 0);
    int fd = open(saved, O_RDONLY | O_CLOEXEC);
    static uint8_t bytes[1 << 19];
    ssize_t count = read(fd, bytes, sizeof(bytes));
    close(fd);
    spool_close(spool);
    change(options.copy_file, 0, bytes, (size_t)count);
    spool = spool_of_test();
    take_all(spool, &given);
    spool_close(spool);
    assert_true(given.again_count > 150);
    assert_int_equal(given.again[given.again_count - 1], 2999);
}

static void starts_with_a_full_disk_and_copies_when_there_is_room(void **state)
{
    (void)state;
    char disk[96], copy[128];
    snprintf(disk, sizeof(disk), "%s/disk", folder);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=65536") != 0) {
        rmdir(disk);
        print_message("skipped: a small file system can be mounted by root only\n");
        skip();
    }
    memset(&given, 0, sizeof(given));
    snprintf(copy, sizeof(copy), "%s/copy", disk);
    options.copy_file = copy;
    options.patience_ms = 100;
    struct spool *spool = spool_of_test();
    start(spool);
    uint64_t synced = spool_synced(spool, NULL);
    live(spool, 0, 5000);
    bool safe_when_full = spool_is_safe(spool);
    uint64_t lost, lost_when_full, synced_when_full = spool_synced(spool, &lost_when_full);
    assert_int_equal(mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=1m"), 0);
    WAIT_UNTIL(spool_synced(spool, NULL) > synced && spool_is_safe(spool));
    spool_synced(spool, &lost);
    live(spool, 5000, 5100);
    spool_close(spool);
    unlink(options.ring_file);
    spool = spool_of_test();
    take_all(spool, &given);
    spool_close(spool);
    assert_int_equal(umount(disk), 0);
    assert_int_equal(rmdir(disk), 0);
    assert_false(safe_when_full);
    assert_int_equal(synced_when_full, synced);
    assert_int_equal(lost_when_full, 0); /* not before it is copied what is left */
    assert_in_range(lost, positions[1000], positions[4999]);
    assert_true(given.again_count > 1000);
    assert_int_equal(given.again[given.again_count - 1], 5099);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(live_goes_on_when_the_disk_refuses),
        CASE(what_could_not_be_synced_is_written_again_in_full),
        CASE(starts_with_a_full_disk_and_copies_when_there_is_room),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
