/*
 * The promise of the recorder, held against the real hub: it is killed at random moments while a
 * broker stand-in, which keeps the list of what was acknowledged, floods it, while tails of what it
 * was recording are torn, the spool is small, or the disk is full. Then every acknowledged message
 * is in the recordings, once.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tape_pack.h"
#include "hub.h"
#include "io/spool.h"
#include "io/tape_folder.h"
#include "source.h"

#define ROOMS     5
#define DEVICES   25
#define RATE      4000  /* messages a second */
#define PATIENT   20000 /* ms */
#define FILE_MOST 40000 /* bytes: no tape grows beyond, as on a full disk */

/* What a hub has to go through. */
struct ordeal {
    const char *name;
    int rounds;
    const char *ring_size;
    bool torn; /* tails are torn: the ring then has to hold everything that they cost */
    bool full; /* the disk is full now and then, for less time than spool.patience */
};

struct tally {
    uint64_t messages, strangers, lost, damaged;
    unsigned tapes, open;
    uint8_t *recorded[DEVICES]; /* by sequence: how often */
    uint64_t room[DEVICES];
};

static void count_message(struct tally *tally, const struct tape_message *message)
{
    int device = source_device_of(message->topic, message->topic_bytes);
    uint64_t sequence = source_sequence_of(message->payload, message->payload_bytes);
    tally->messages++;
    if (device < 0 || device >= DEVICES || sequence == 0 || sequence >= tally->room[device])
        tally->strangers++;
    else
        tally->recorded[device][sequence]++;
}

static void count_tape(struct tally *tally, struct tape_packer *packer, const char *path)
{
    uint8_t *bytes;
    size_t count;
    struct tape_reader reader;
    struct tape_part part;
    struct tape_message message;
    uint32_t topic;
    struct diag diag = {0};
    if (tape_file_load(path, &bytes, &count, &diag) != 0 ||
        tape_open(&reader, bytes, count, &diag) != 0)
        fail_msg("%s: %s", path, diag.text);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        tally->damaged += step != TAPE_BLOCK;
        /* Without a number it is no loss: the spool has given places away that others needed. */
        if (step == TAPE_BLOCK && part.block.kind == TAPE_GAP)
            tally->lost += part.block.count;
        if (step != TAPE_BLOCK || part.block.kind != TAPE_MESSAGES)
            continue;
        assert_true(tape_unpack(packer, &part.block, part.stored));
        while (tape_message(packer, &message, &topic))
            count_message(tally, &message);
    }
    free(bytes);
}

static void count_all(struct tally *tally, const struct hub *hub, const struct source *source)
{
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    struct tape_packer *packer = tape_packer_create();
    assert_non_null(packer);
    memset(tally, 0, sizeof(*tally));
    for (unsigned i = 0; i < DEVICES; i++) {
        tally->room[i] = source_published(source, i) + 1;
        tally->recorded[i] = calloc(tally->room[i], 1);
        assert_non_null(tally->recorded[i]);
    }
    assert_int_equal(tape_folder_list(hub->recordings, &list, &count, &diag), 0);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", hub->recordings, list[i].file);
        count_tape(tally, packer, path);
        tally->tapes++;
        tally->open += list[i].open;
    }
    free(list);
    tape_packer_destroy(packer);
}

static unsigned random_below(unsigned limit)
{
    unsigned number = 0;
    assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
    return number % limit;
}

/* As a power cut may leave it: cut short, or with something behind that was never written. */
static void tear(const struct hub *hub, bool longer)
{
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    if (tape_folder_list(hub->recordings, &list, &count, &diag) != 0)
        return; /* killed before the first tape */
    for (size_t i = 0; i < count; i++) {
        char path[512];
        struct stat status;
        snprintf(path, sizeof(path), "%s/%s", hub->recordings, list[i].file);
        assert_int_equal(stat(path, &status), 0);
        off_t bytes = status.st_size;
        bytes += longer ? (off_t)random_below(5000) : -(off_t)random_below(5000);
        if (list[i].open && bytes > TAPE_HEADER_BYTES)
            assert_int_equal(truncate(path, bytes), 0);
    }
    free(list);
}

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

static void compare(struct tally *tally, const struct source *source, const struct ordeal *ordeal)
{
    uint64_t acknowledged = 0, missing = 0, doubled = 0;
    for (unsigned device = 0; device < DEVICES; device++) {
        for (uint64_t s = 1; s < tally->room[device]; s++) {
            bool was = source_is_acknowledged(source, device, s);
            acknowledged += was;
            missing += was && tally->recorded[device][s] == 0;
            doubled += tally->recorded[device][s] > 1;
        }
        free(tally->recorded[device]);
    }
    printf(
        "%s: killed %d times: %llu messages acknowledged, %llu of them not recorded (%llu noted as "
        "lost), %llu recorded twice, %u tapes\n",
        ordeal->name, ordeal->rounds, (unsigned long long)acknowledged, (unsigned long long)missing,
        (unsigned long long)tally->lost, (unsigned long long)doubled, tally->tapes);
    assert_true(acknowledged > (uint64_t)ordeal->rounds * RATE / 20);
    assert_int_equal(missing, 0);
    assert_int_equal(doubled, 0);
    assert_int_equal(tally->strangers, 0);
    assert_int_equal(tally->damaged, 0);
    assert_int_equal(tally->lost, 0);
}

static void limit_files(const struct hub *hub, rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(prlimit(hub->pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes;
    prlimit(hub->pid, RLIMIT_FSIZE, &limit, NULL);
}

/* Runs it for a while; most kills fall on a hub at work, some on one that starts or whose disk is
 * full. */
static void run_round(struct hub *hub, struct source *source, const struct ordeal *ordeal,
                      int round)
{
    hub_start(hub);
    source_run(source, (int)(20 + random_below(2000)));
    if (ordeal->full && round % 2 == 0) {
        limit_files(hub, FILE_MOST);
        source_run(source, (int)(20 + random_below(1500)));
        if (round % 4 == 0) {
            limit_files(hub, RLIM_INFINITY);
            source_run(source, (int)random_below(1500));
        }
    }
    if (round % 3 == 0) {
        source_lose_acknowledgements(source);
        source_run(source, 10);
    }
    assert_int_equal(WTERMSIG(hub_end(hub, SIGKILL)), SIGKILL);
    if (ordeal->torn && round % 4 == 1)
        tear(hub, round % 8 == 1);
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
                      .rooms = ROOMS,
                      .devices = DEVICES,
                      .ring_size = ordeal->ring_size,
                      .recorded = true,
                      .rules = ""};
    struct tally tally;
    hub_prepare(&hub);
    for (int round = 0; round < ordeal->rounds; round++)
        run_round(&hub, source, ordeal, round);
    hub_start(&hub);
    drain(&hub, source, &shared);
    assert_int_equal(hub_end(&hub, SIGTERM), 0);
    count_all(&tally, &hub, source);
    assert_int_equal(tally.tapes, ROOMS);
    assert_int_equal(tally.open, ROOMS); /* a stop ends no tape: it goes on with the next start */
    compare(&tally, source, ordeal);
    source_destroy(source);
    hub_clear(&hub, false);
}

/* LUMBAR_ROUNDS: other than the usual number of them, for who has the time. */
static int rounds(int usual)
{
    const char *more = getenv("LUMBAR_ROUNDS");
    return more != NULL ? atoi(more) : usual;
}

static void torn_tails_are_taken_again_from_the_spool(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){"torn tails", rounds(20), "128 MiB", .torn = true});
}

static void a_spool_that_is_lapped_keeps_what_is_not_yet_recorded(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){"a small spool", rounds(12), "256 KiB", .torn = false});
}

static void a_full_disk_for_a_while_costs_nothing(void **unused)
{
    (void)unused;
    go_through(&(struct ordeal){"a full disk", rounds(12), "4 MiB", .full = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torn_tails_are_taken_again_from_the_spool),
        cmocka_unit_test(a_spool_that_is_lapped_keeps_what_is_not_yet_recorded),
        cmocka_unit_test(a_full_disk_for_a_while_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
