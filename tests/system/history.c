/*
 * The promise of the store, held against the real hub: it is killed at random moments, with a large
 * spool and with one that is lapped, while the disk is full now and then. Then the file is sound,
 * and each sample of each message is in its buckets, once. And what a power cut may leave.
 */
#include "ordeal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/ring_file.h"
#include "core/history.h"
#include "io/spool.h"
#include "telemetry.h"

#define FILE_MOST 200000 /* bytes: no file grows beyond, as on a full disk */

static void go_through(struct ordeal ordeal)
{
    ordeal.rooms = 4;
    ordeal.devices = 20;
    ordeal.rate = 4000;
    ordeal_go(&ordeal, stored_compare);
}

static void what_was_not_stored_is_taken_again_from_the_spool(void **unused)
{
    (void)unused;
    go_through(
        (struct ordeal){.name = "kill", .rounds = ordeal_rounds(20), .ring_size = "128 MiB"});
}

static void a_spool_that_is_lapped_keeps_what_is_not_yet_stored(void **unused)
{
    (void)unused;
    go_through((struct ordeal){
        .name = "a small spool", .rounds = ordeal_rounds(12), .ring_size = "512 KiB"});
}

static void files_that_cannot_grow_for_a_while_cost_nothing(void **unused)
{
    (void)unused;
    go_through((struct ordeal){.name = "files that cannot grow",
                               .rounds = ordeal_rounds(8),
                               .ring_size = "4 MiB",
                               .file_most = FILE_MOST});
}

static void a_full_file_system_costs_nothing_while_there_is_patience(void **unused)
{
    (void)unused;
    go_through((struct ordeal){.name = "a full file system",
                               .rounds = ordeal_rounds(12),
                               .ring_size = "4 MiB",
                               .disk = "16m"});
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
    ordeal_drain(&hub, source, &shared);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    sqlite3 *db = stored_open(&hub);
    assert_int_equal(stored_samples(db, "p-0001", "lumbar_rotation"),
                     OLD_MESSAGES * TELEMETRY_ROWS);
    assert_in_range(stored_number(db, "SELECT min(minute) FROM second"),
                    expected_ms / HISTORY_MINUTE_MS - 1, expected_ms / HISTORY_MINUTE_MS);
    assert_in_range(stored_number(db, "SELECT max(minute) FROM second"),
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
        shared.rate = 4000;
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
        for (int ms = 0; ms < ORDEAL_PATIENT && shared.acknowledged < MESSAGES; ms += 50)
            source_run(source, 50);
        ordeal_drain(&hub, source, &shared);
        assert_int_equal(hub_end(&hub, SIGTERM), 0);
        let_wait(&hub, WAIT);
        if (i == 1)
            forget_spool(&hub);
        hub_start(&hub);
        ordeal_drain(&hub, source, &shared);
        assert_int_equal(hub_end(&hub, SIGTERM), 0);
        sqlite3 *db = stored_open(&hub);
        assert_int_equal(stored_samples(db, "p-0001", "lumbar_rotation"),
                         MESSAGES * TELEMETRY_ROWS);
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
