/*
 * The promise of the store, held against the real hub: it is killed at random moments while a
 * broker stand-in floods it, with a large spool and with one that is lapped, while the disk is full
 * now and then. Then the file is sound, and each sample of each message is in its buckets, once.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/ring_file.h"
#include "core/block.h"
#include "core/history.h"
#include "hub.h"
#include "io/spool.h"
#include "source.h"
#include "telemetry.h"

#define DEVICES   20
#define RATE      4000   /* messages a second */
#define PATIENT   20000  /* ms */
#define FILE_MOST 200000 /* bytes: no file grows beyond, as on a full disk */

/* What a hub has to go through. */
struct ordeal {
    const char *name;
    int rounds;
    const char *ring_size;
    bool limited; /* no file grows, now and then */
    bool full;    /* the file system is full, now and then */
};

static unsigned random_below(unsigned limit)
{
    unsigned number = 0;
    assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
    return number % limit;
}

/* ---- what is in the file ---- */

static sqlite3 *open_history(const struct hub *hub)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(hub->history, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static void must_be_sound(sqlite3 *db)
{
    sqlite3_stmt *check;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
}

/* Samples of one metric of one device. */
static uint64_t samples_of(sqlite3 *db, const char *device, const char *metric)
{
    sqlite3_stmt *list;
    uint64_t samples = 0;
    int rc;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT block FROM second"
                                        " JOIN device ON device.id = second.device"
                                        " JOIN metric ON metric.id = second.metric"
                                        " WHERE device.name = ?1 AND metric.name = ?2",
                                        -1, &list, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(list, 1, device, -1, SQLITE_STATIC);
    sqlite3_bind_text(list, 2, metric, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(list)) == SQLITE_ROW) {
        struct block block;
        assert_true(block_unpack(&block, sqlite3_column_blob(list, 0),
                                 (size_t)sqlite3_column_bytes(list, 0)));
        samples += block_sum(&block).count;
    }
    assert_int_equal(rc, SQLITE_DONE);
    sqlite3_finalize(list);
    return samples;
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Everything published was acknowledged, so each of its samples has to be there. */
static void compare(const struct hub *hub, const struct source *source, const struct ordeal *ordeal)
{
    static const struct {
        const char *name;
        uint64_t each; /* samples in a message */
    } metrics[] = {
        {"lumbar_rotation", TELEMETRY_ROWS}, {"posture", TELEMETRY_ROWS}, {"battery", 1}};
    uint64_t messages = 0, missing = 0, doubled = 0;
    sqlite3 *db = open_history(hub);
    must_be_sound(db);
    for (unsigned i = 0; i < DEVICES; i++) {
        char device[16];
        snprintf(device, sizeof(device), "p-%04u", i + 1);
        uint64_t published = source_published(source, i);
        messages += published;
        for (unsigned m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
            uint64_t want = published * metrics[m].each;
            uint64_t have = samples_of(db, device, metrics[m].name);
            missing += have < want ? want - have : 0;
            doubled += have > want ? have - want : 0;
        }
    }
    printf("%s: killed %d times: %llu messages acknowledged, %llu samples missing, %llu too many, "
           "%lld batches, %lld gaps\n",
           ordeal->name, ordeal->rounds, (unsigned long long)messages, (unsigned long long)missing,
           (unsigned long long)doubled, (long long)number_of(db, "SELECT batch FROM spool"),
           (long long)number_of(db, "SELECT count(*) FROM gap"));
    assert_true(messages > (uint64_t)ordeal->rounds * RATE / 20);
    assert_int_equal(missing, 0);
    assert_int_equal(doubled, 0);
    assert_int_equal(number_of(db, "SELECT count(*) FROM gap"), 0);
    assert_int_equal(number_of(db, "SELECT clean FROM spool"), 1);
    sqlite3_close(db);
}

/* ---- the disk ---- */

static void limit_files(const struct hub *hub, rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(prlimit(hub->pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes;
    prlimit(hub->pid, RLIMIT_FSIZE, &limit, NULL);
}

static void filler_of(const struct hub *hub, char *path, size_t bytes)
{
    snprintf(path, bytes, "%s/disk/filler", hub->folder);
}

/* Takes all that is left of the file system, but for some KiB. */
static void fill_disk(const struct hub *hub)
{
    static const char zeros[4096];
    char path[128];
    filler_of(hub, path, sizeof(path));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    off_t size = 0;
    for (ssize_t wrote; (wrote = write(fd, zeros, sizeof(zeros))) > 0;)
        size += wrote;
    off_t left = 4096 * (off_t)random_below(8);
    assert_int_equal(ftruncate(fd, size > left ? size - left : 0), 0);
    close(fd);
}

static void free_disk(const struct hub *hub)
{
    char path[128];
    filler_of(hub, path, sizeof(path));
    unlink(path);
}

static bool mount_disk(const struct hub *hub)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/disk", hub->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, "size=16m") == 0)
        return true;
    printf("skipped: a small file system cannot be mounted: %s\n", strerror(errno));
    return false;
}

static void unmount_disk(const struct hub *hub)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/disk", hub->folder);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void disk_refuses(struct hub *hub, const struct ordeal *ordeal, bool refuses)
{
    if (ordeal->limited)
        limit_files(hub, refuses ? FILE_MOST : RLIM_INFINITY);
    if (ordeal->full && refuses)
        fill_disk(hub);
    else if (ordeal->full)
        free_disk(hub);
}

/* ---- rounds ---- */

static void count_waiting(void *user, const struct ring_record *record)
{
    *(uint64_t *)user += record->outcome == RING_WAITING;
}

/* All that is in flight is acknowledged, and all that is in the ring used. */
static void drain(struct hub *hub, struct source *source, struct source_shared *shared)
{
    struct diag diag = {0};
    uint64_t waiting = 1;
    shared->until = shared->published;
    source_run(source, 50);
    for (int ms = 0; ms < PATIENT; ms += 50) {
        if (source_has_sink(source) && source_in_flight(source) == 0)
            break;
        source_run(source, 50);
    }
    assert_int_equal(source_in_flight(source), 0);
    for (int ms = 0; ms < PATIENT && waiting > 0; ms += 200) {
        source_run(source, 200);
        waiting = 0;
        spool_walk(hub->ring, count_waiting, &waiting, &diag);
    }
    assert_int_equal(waiting, 0);
}

/* Most kills fall on a hub at work, some on one that starts, recovers, or whose disk is full. */
static void run_round(struct hub *hub, struct source *source, const struct ordeal *ordeal,
                      int round)
{
    hub_start(hub);
    source_run(source, (int)(20 + random_below(2000)));
    if (round % 2 == 0) {
        disk_refuses(hub, ordeal, true);
        source_run(source, (int)(20 + random_below(1500)));
        if (round % 4 == 0) {
            disk_refuses(hub, ordeal, false);
            source_run(source, (int)random_below(1500));
        }
    }
    if (round % 3 == 0) {
        source_lose_acknowledgements(source);
        source_run(source, 10);
    }
    assert_int_equal(WTERMSIG(hub_end(hub, SIGKILL)), SIGKILL);
    if (ordeal->full && round % 8 == 2) /* else the next one starts with a full disk */
        free_disk(hub);
}

static void go_through(const struct ordeal *ordeal)
{
    static struct source_shared shared;
    memset(&shared, 0, sizeof(shared));
    shared.rate = RATE;
    shared.until = UINT64_MAX;
    struct source_options options = {
        .devices = DEVICES, .window = 500, .qos = 1, .ledger = true, .shared = &shared};
    struct source *source = source_create(&options);
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = source_port(source),
                      .rooms = 4,
                      .devices = DEVICES,
                      .ring_size = ordeal->ring_size,
                      .history_apart = ordeal->full,
                      .rules = ""};
    hub_prepare(&hub);
    bool mounted = ordeal->full && mount_disk(&hub);
    for (int round = 0; round < ordeal->rounds && mounted == ordeal->full; round++)
        run_round(&hub, source, ordeal, round);
    if (mounted)
        free_disk(&hub);
    if (mounted == ordeal->full) {
        hub_start(&hub);
        drain(&hub, source, &shared);
        assert_int_equal(hub_end(&hub, SIGTERM), 0);
        compare(&hub, source, ordeal);
    }
    if (mounted)
        unmount_disk(&hub);
    source_destroy(source);
    hub_clear(&hub, false);
}

/* LUMBAR_ROUNDS: other than the usual number of them, for who has the time. */
static int rounds(int usual)
{
    const char *more = getenv("LUMBAR_ROUNDS");
    return more != NULL ? atoi(more) : usual;
}

static void what_was_not_stored_is_taken_again_from_the_spool(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){.name = "kill", .rounds = rounds(20), .ring_size = "128 MiB"});
}

static void a_spool_that_is_lapped_keeps_what_is_not_yet_stored(void **unused)
{
    (void)unused;
    go_through(
        &(struct ordeal){.name = "a small spool", .rounds = rounds(12), .ring_size = "512 KiB"});
}

static void files_that_cannot_grow_for_a_while_cost_nothing(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){.name = "files that cannot grow",
                                .rounds = rounds(8),
                                .ring_size = "4 MiB",
                                .limited = true});
}

static void a_full_file_system_costs_nothing_while_there_is_patience(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){
        .name = "a full file system", .rounds = rounds(12), .ring_size = "4 MiB", .full = true});
}

/* ---- another boot ---- */

#define OLD_MESSAGES 20
#define TEN_DAYS_NS  INT64_C(864000000000000)

/* A ring as a power cut leaves it, whose copy gives it back: of a machine that had been up for ten
 * days more than this one, and of messages that came a minute ago and wait. */
static void leave_ring_of_another_boot(const struct hub *hub, int64_t wall_ms)
{
    struct diag diag = {0};
    struct ring *ring;
    uint8_t payload[TELEMETRY_BYTES];
    char topic[64], boot[RING_BOOT_BYTES];
    int topic_bytes = source_topic(topic, sizeof(topic), 0);
    assert_int_equal(ring_make(&ring, hub->ring, 1 << 20, NULL, &diag), 0);
    for (uint64_t sequence = 1; sequence <= OLD_MESSAGES; sequence++) {
        int64_t sent_ms = wall_ms + (int64_t)sequence * 100;
        struct telemetry telemetry = {
            .boot_id = 9, .sequence = sequence, .last_ms = sent_ms - 100, .now_ms = sent_ms};
        struct ring_message message = {.topic = topic,
                                       .topic_bytes = (size_t)topic_bytes,
                                       .payload = payload,
                                       .payload_bytes = telemetry_write(payload, &telemetry),
                                       .wall_ms = sent_ms,
                                       .mono_ns = clock_mono_ns() + TEN_DAYS_NS};
        assert_true(ring_put(ring, &message, 0));
    }
    ring_close(ring);
    ring_boot_now(boot);
    int fd = open(hub->ring, O_RDWR | O_CLOEXEC);
    uint8_t header[RING_DATA_OFFSET];
    assert_int_equal(pread(fd, header, sizeof(header), 0), sizeof(header));
    uint8_t *at = memmem(header, sizeof(header), boot, strlen(boot));
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "another boot!", 13, at - header), 13);
    close(fd);
}

/* The newest messages of a ring wait as if they had never been used. */
static void let_wait(const struct hub *hub, unsigned count)
{
    struct diag diag = {0};
    struct ring *ring;
    struct ring_record *records[2000];
    unsigned all = 0;
    assert_int_equal(ring_open(&ring, hub->ring, 0, &diag), 0);
    for (uint64_t at = ring_tail(ring);
         all < 2000 && (records[all] = ring_next(ring, &at)) != NULL;)
        all++;
    assert_in_range(all, count + 1, 1999);
    for (unsigned i = all - count; i < all; i++)
        atomic_store(&records[i]->outcome, RING_WAITING);
    ring_close(ring);
}

/* The file of history knows of another ring than there is. */
static void forget_spool(const struct hub *hub)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(hub->history, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE spool SET ring = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A hub starts with messages that came at wall_ms, as the clock was before the power cut; their
 * values lie around expected_ms. */
static void start_after_a_power_cut(int64_t wall_ms, int64_t expected_ms)
{
    static struct source_shared shared;
    memset(&shared, 0, sizeof(shared));
    struct source_options options = {.devices = 1, .window = 100, .qos = 1, .shared = &shared};
    struct source *source = source_create(&options);
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = source_port(source),
                      .rooms = 1,
                      .devices = 1,
                      .ring_size = "1 MiB",
                      .rules = ""};
    hub_prepare(&hub);
    leave_ring_of_another_boot(&hub, wall_ms);
    hub_start(&hub);
    drain(&hub, source, &shared);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    sqlite3 *db = open_history(&hub);
    assert_int_equal(samples_of(db, "p-0001", "lumbar_rotation"), OLD_MESSAGES * TELEMETRY_ROWS);
    assert_in_range(number_of(db, "SELECT min(minute) FROM second"),
                    expected_ms / HISTORY_MINUTE_MS - 1, expected_ms / HISTORY_MINUTE_MS);
    assert_in_range(number_of(db, "SELECT max(minute) FROM second"),
                    expected_ms / HISTORY_MINUTE_MS, expected_ms / HISTORY_MINUTE_MS + 1);
    sqlite3_close(db);
    source_destroy(source);
    hub_clear(&hub, false);
}

static void what_waited_through_a_power_cut_keeps_the_time_it_came(void **unused)
{
    (void)unused;
    int64_t wall_ms = clock_wall_ms() - HISTORY_MINUTE_MS;
    start_after_a_power_cut(wall_ms, wall_ms);
}

static void what_waited_while_the_clock_was_set_back_does_not_come_from_the_future(void **unused)
{
    (void)unused;
    int64_t now_ms = clock_wall_ms();
    start_after_a_power_cut(now_ms + 60 * HISTORY_MINUTE_MS, now_ms);
}

/* A power cut may take the outcomes of messages that were copied before they were used, though the
 * store has them. Of another spool it has none that waits. */
static void what_waits_again_is_stored_once(void **unused)
{
    (void)unused;
    enum { MESSAGES = 400, WAIT = 50 };
    static struct source_shared shared;
    for (int i = 0; i < 2; i++) {
        memset(&shared, 0, sizeof(shared));
        shared.rate = RATE;
        shared.until = MESSAGES;
        struct source_options options = {
            .devices = 1, .window = 100, .qos = 1, .ledger = true, .shared = &shared};
        struct source *source = source_create(&options);
        struct hub hub = {.build = BUILD_FOLDER,
                          .plugins = BUILD_FOLDER "/plugins",
                          .broker_port = source_port(source),
                          .rooms = 1,
                          .devices = 1,
                          .ring_size = "1 MiB",
                          .rules = ""};
        hub_prepare(&hub);
        hub_start(&hub);
        for (int ms = 0; ms < PATIENT && shared.acknowledged < MESSAGES; ms += 50)
            source_run(source, 50);
        drain(&hub, source, &shared);
        assert_int_equal(hub_end(&hub, SIGTERM), 0);
        let_wait(&hub, WAIT);
        if (i == 1)
            forget_spool(&hub);
        hub_start(&hub);
        drain(&hub, source, &shared);
        assert_int_equal(hub_end(&hub, SIGTERM), 0);
        sqlite3 *db = open_history(&hub);
        uint64_t twice = i == 1 ? WAIT : 0; /* it cannot know, and rather has them twice */
        assert_int_equal(samples_of(db, "p-0001", "lumbar_rotation"),
                         (MESSAGES + twice) * TELEMETRY_ROWS);
        sqlite3_close(db);
        source_destroy(source);
        hub_clear(&hub, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_stored_is_taken_again_from_the_spool),
        cmocka_unit_test(a_spool_that_is_lapped_keeps_what_is_not_yet_stored),
        cmocka_unit_test(files_that_cannot_grow_for_a_while_cost_nothing),
        cmocka_unit_test(a_full_file_system_costs_nothing_while_there_is_patience),
        cmocka_unit_test(what_waited_through_a_power_cut_keeps_the_time_it_came),
        cmocka_unit_test(what_waited_while_the_clock_was_set_back_does_not_come_from_the_future),
        cmocka_unit_test(what_waits_again_is_stored_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
