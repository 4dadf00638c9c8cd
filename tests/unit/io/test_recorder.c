#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/tape_pack.h"
#include "io/recorder.h"
#include "io/recorder_state.h"
#include "io/tape_folder.h"

#define NOW      INT64_C(1700000000000)
#define RING     UINT64_C(77)
#define HOUR_MS  3600000
#define PATIENT  5000 /* ms that a test waits for the thread */
#define POSITION 4096 /* of message 0; each takes 64 */

static char folder[64];
static struct tape_packer *packer;
static const char *const rooms[] = {"one", "two"};

static int prepare(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    log_set_level((enum log_level)0);
    packer = tape_packer_create();
    return packer == NULL;
}

static int finish(void **state)
{
    (void)state;
    tape_packer_destroy(packer);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/lumbar-recorder-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static const char *tapes_folder(void)
{
    static char path[96];
    snprintf(path, sizeof(path), "%s/tapes", folder);
    return path;
}

static struct recorder *open_with(struct recorder_options options)
{
    struct recorder *recorder;
    struct diag diag = {0};
    options.folder = tapes_folder();
    if (recorder_open(&recorder, &options, &diag) != 0 || recorder_start(recorder, &diag) != 0)
        fail_msg("%s", diag.text);
    recorder_rooms(recorder, rooms, 2);
    return recorder;
}

static const struct recorder_options usual = {.rooms = 2,
                                              .days = 30,
                                              .size_bytes = 1 << 30,
                                              .patience_ms = 60000,
                                              .ring = RING,
                                              .head = UINT64_MAX};

static struct recorder *open_recorder(void)
{
    return open_with(usual);
}

/* Message i of a room: its payload says its number; its place follows from it. */
static struct recorder_message message_of(unsigned room, unsigned i)
{
    static char payload[32];
    int bytes = snprintf(payload, sizeof(payload), "%u", i);
    return (struct recorder_message){.room = room,
                                     .topic = "lumbar/v1/x/a/telemetry",
                                     .topic_bytes = 23,
                                     .payload = (const uint8_t *)payload,
                                     .payload_bytes = (size_t)bytes,
                                     .received_ms = NOW + i,
                                     .position = POSITION + 64 * (uint64_t)i};
}

static void take(struct recorder *recorder, unsigned room, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct recorder_message message = message_of(room, i);
        recorder_take(recorder, &message);
    }
}

/* What the folder holds. */
struct found {
    unsigned tapes, open, messages, gaps, lost, bad;
    unsigned times[4000]; /* by number of the message */
    struct tape_name newest;
};

static void read_tape(struct found *found, const char *file)
{
    char path[256], number[32];
    uint8_t *bytes;
    size_t count;
    struct tape_reader reader;
    struct tape_part part;
    struct tape_message message;
    uint32_t topic;
    struct diag diag = {0};
    snprintf(path, sizeof(path), "%s/%s", tapes_folder(), file);
    assert_int_equal(tape_file_load(path, &bytes, &count, &diag), 0);
    assert_int_equal(tape_open(&reader, bytes, count, &diag), 0);
    for (enum tape_step step; (step = tape_next(&reader, &part)) != TAPE_END;) {
        found->bad += step != TAPE_BLOCK;
        if (step == TAPE_BLOCK && part.block.kind == TAPE_GAP) {
            found->gaps++;
            found->lost += part.block.count;
        }
        if (step != TAPE_BLOCK || part.block.kind != TAPE_MESSAGES)
            continue;
        assert_true(tape_unpack(packer, &part.block, part.stored));
        while (tape_message(packer, &message, &topic)) {
            snprintf(number, sizeof(number), "%.*s", (int)message.payload_bytes,
                     (const char *)message.payload);
            unsigned i = (unsigned)atoi(number);
            assert_true(i < 4000);
            assert_int_equal(message.received_ms, NOW + i);
            found->times[i]++;
            found->messages++;
        }
    }
    free(bytes);
}

static struct found *look(void)
{
    static struct found found;
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    memset(&found, 0, sizeof(found));
    if (tape_folder_list(tapes_folder(), &list, &count, &diag) != 0)
        return &found;
    for (size_t i = 0; i < count; i++) {
        read_tape(&found, list[i].file);
        found.tapes++;
        found.open += list[i].open;
        found.newest = list[i];
    }
    free(list);
    return &found;
}

/* Each of [0, count) once, and nothing else. */
static void assert_once(const struct found *found, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (found->times[i] != 1)
            fail_msg("message %u is there %u times", i, found->times[i]);
    assert_int_equal(found->messages, count);
    assert_int_equal(found->bad, 0);
}

static void wait_for_needs(struct recorder *recorder, uint64_t needs)
{
    static const struct timespec rest = {0, 5000000};
    for (int ms = 0; ms < PATIENT && recorder_needs(recorder) != needs; ms += 5)
        nanosleep(&rest, NULL);
    assert_true(recorder_needs(recorder) == needs);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* ---- cases ---- */

static void what_is_taken_is_recorded_and_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 100);
    recorder_close(recorder);
    struct found *found = look();
    assert_once(found, 100);
    assert_int_equal(found->open, 1);
    recorder = open_recorder();
    take(recorder, 1, 100, 150);
    recorder_close(recorder);
    found = look();
    assert_once(found, 150);
    assert_int_equal(found->tapes, 1);
}

static void what_a_block_covers_is_passed_over_and_the_rest_taken_again(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 60);
    recorder_close(recorder);
    recorder = open_recorder();
    for (unsigned i = 0; i < 100; i++) { /* the spool gives all that it still has */
        struct recorder_message message = message_of(1, i);
        message.again = true;
        message.patient = true;
        recorder_take(recorder, &message);
    }
    recorder_end(recorder, 1);
    recorder_close(recorder);
    assert_once(look(), 100);
    assert_int_equal(look()->open, 0);
    recorder = open_recorder(); /* a finished tape tells as well */
    take(recorder, 1, 0, 120);
    recorder_close(recorder);
    assert_once(look(), 120);
    assert_int_equal(look()->tapes, 2);
}

static void a_first_tape_without_a_block_hides_nothing(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 50);
    recorder_end(recorder, 1);
    take(recorder, 1, 50, 60);
    recorder_close(recorder);
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", tapes_folder(), look()->newest.file);
    assert_int_equal(truncate(path, TAPE_HEADER_BYTES + 3), 0); /* killed in its first block */
    recorder = open_recorder();
    take(recorder, 1, 0, 60);
    recorder_close(recorder);
    assert_once(look(), 60);
}

static void another_ring_hides_what_was_used_before_only(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 60);
    recorder_close(recorder);
    struct recorder_options options = usual;
    options.ring = RING + 1;
    recorder = open_with(options);
    for (unsigned i = 0; i < 60; i++) {
        struct recorder_message message = message_of(1, i);
        message.again = true;
        recorder_take(recorder, &message);
    }
    for (unsigned i = 60; i < 100; i++) {
        struct recorder_message message = message_of(1, i);
        message.position = 64 * (uint64_t)i; /* lower than those of the other ring */
        recorder_take(recorder, &message);
    }
    recorder_close(recorder);
    assert_once(look(), 100);
}

static void a_session_or_an_hour_has_a_tape_of_its_own(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    static const struct {
        uint64_t session;
        int64_t at_ms;
    } sent[] = {
        {0, 0},
        {0, HOUR_MS - 1},     /* within the hour */
        {0, HOUR_MS},         /* the next one */
        {5, HOUR_MS + 1},     /* a session begins */
        {5, 5 * HOUR_MS},     /* and has no hours */
        {6, 5 * HOUR_MS + 1}, /* another */
    };
    for (unsigned i = 0; i < 6; i++) {
        struct recorder_message message = message_of(1, i);
        message.session = sent[i].session;
        message.received_ms = NOW + sent[i].at_ms;
        message.payload = (const uint8_t *)"";
        message.payload_bytes = 0;
        recorder_take(recorder, &message);
    }
    recorder_close(recorder);
    struct tape_name *list;
    size_t count;
    struct diag diag = {0};
    assert_int_equal(tape_folder_list(tapes_folder(), &list, &count, &diag), 0);
    static const unsigned messages[] = {2, 1, 2, 1}, sessions[] = {0, 0, 5, 6};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        struct tape_summary summary;
        snprintf(path, sizeof(path), "%s/%s", tapes_folder(), list[i].file);
        assert_int_equal(tape_file_summary(path, &summary, &diag), 0);
        assert_int_equal(summary.messages, messages[i]);
        assert_int_equal(summary.header.session, sessions[i]);
        assert_int_equal(summary.whole, i < 3);
        assert_int_equal(list[i].open, i == 3);
    }
    free(list);
}

static void each_room_has_its_tape_and_no_room_has_none(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 10);
    take(recorder, 2, 10, 20);
    take(recorder, 3, 20, 30);
    take(recorder, 0, 30, 40);
    recorder_close(recorder);
    assert_once(look(), 20);
    assert_int_equal(look()->tapes, 2);
}

static void a_room_that_a_reload_takes_away_ends_and_one_that_moves_goes_on(void **state)
{
    (void)state;
    static const char *const others[] = {"three", "one"};
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 10);
    take(recorder, 2, 10, 20);
    recorder_rooms(recorder, others, 2);
    recorder_tick(recorder, NOW + 1000);
    take(recorder, 2, 20, 30); /* room "one" */
    take(recorder, 1, 30, 40); /* room "three" */
    recorder_close(recorder);
    struct found *found = look();
    assert_once(found, 40);
    assert_int_equal(found->tapes, 3);
    assert_int_equal(found->open, 2);
}

static void the_spool_is_needed_until_a_block_is_on_disk(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    assert_true(recorder_needs(recorder) == RECORDER_NONE);
    take(recorder, 2, 7, 9);
    take(recorder, 1, 9, 12);
    assert_true(recorder_needs(recorder) == POSITION + 64 * 7);
    recorder_tick(recorder, NOW + 900); /* too early */
    assert_true(recorder_needs(recorder) == POSITION + 64 * 7);
    recorder_tick(recorder, NOW + 1100); /* the first block of a run is handed over soon */
    wait_for_needs(recorder, RECORDER_NONE);
    take(recorder, 1, 2000, 2001);
    recorder_tick(recorder, NOW + 61000);
    assert_true(recorder_needs(recorder) == POSITION + 64 * 2000);
    recorder_tick(recorder, NOW + 62000); /* a later one when it is a minute old */
    wait_for_needs(recorder, RECORDER_NONE);
    take(recorder, 1, 3000, 3001);
    recorder_flush(recorder);
    wait_for_needs(recorder, RECORDER_NONE);
    recorder_close(recorder);
    assert_int_equal(look()->messages, 7);
}

static void a_block_waits_for_the_spools_copy(void **state)
{
    static const struct timespec rest = {0, 100000000};
    (void)state;
    struct recorder *recorder = open_recorder();
    recorder_synced(recorder, POSITION);
    take(recorder, 1, 0, 10);
    recorder_flush(recorder);
    take(recorder, 2, 10, 20);
    recorder_tick(recorder, NOW + 2000);
    nanosleep(&rest, NULL);
    assert_int_equal(look()->messages, 0);
    assert_true(recorder_needs(recorder) == POSITION);
    recorder_synced(recorder, POSITION + 64 * 10); /* the first ten, to the end of the tenth */
    wait_for_needs(recorder, POSITION + 64 * 10);
    nanosleep(&rest, NULL);
    assert_once(look(), 10);
    recorder_synced(recorder, RECORDER_NONE);
    wait_for_needs(recorder, RECORDER_NONE);
    assert_once(look(), 20);
    recorder_close(recorder);
}

/* The copy had less than the tape: what comes now has places that the tape seems to cover. */
static void a_spool_that_comes_from_its_copy_begins_where_it_ends(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 40);
    recorder_close(recorder);
    struct recorder_options options = usual;
    options.head = POSITION + 64 * 30;
    recorder = open_with(options);
    for (unsigned i = 20; i < 30; i++)
        take(recorder, 1, i, i + 1);
    for (unsigned i = 40; i < 60; i++) {
        struct recorder_message message = message_of(1, i);
        message.position -= 640;
        recorder_take(recorder, &message);
    }
    recorder_close(recorder);
    assert_once(look(), 60);
}

static void a_tape_that_hears_nothing_ends(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 5);
    recorder_tick(recorder, NOW + 599000);
    recorder_tick(recorder, NOW + 601000);
    recorder_close(recorder);
    assert_once(look(), 5);
    assert_int_equal(look()->open, 0);
}

static void a_torn_tail_is_cut_off_and_taken_again(void **state)
{
    (void)state;
    for (unsigned cut = 1; cut < 200; cut += 13) {
        struct recorder *recorder = open_recorder();
        take(recorder, 1, 0, 40);
        recorder_flush(recorder);
        take(recorder, 1, 40, 60);
        recorder_close(recorder);
        char path[256];
        struct stat status;
        snprintf(path, sizeof(path), "%s/%s", tapes_folder(), look()->newest.file);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(truncate(path, status.st_size - (off_t)cut), 0);
        recorder = open_recorder();
        take(recorder, 1, 0, 70);
        recorder_close(recorder);
        assert_once(look(), 70);
        assert_int_equal(look()->tapes, 1);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_full_disk_loses_nothing_that_the_blocks_hold(void **state)
{
    (void)state;
    struct recorder_options options = usual;
    options.patience_ms = 50;
    struct recorder *recorder = open_with(options);
    take(recorder, 1, 0, 10);
    recorder_flush(recorder);
    wait_for_needs(recorder, RECORDER_NONE);
    limit_files(TAPE_HEADER_BYTES + 200);
    take(recorder, 1, 10, 50);
    recorder_flush(recorder);
    assert_true(recorder_needs(recorder) == POSITION + 640);
    for (unsigned i = 50; i < 150; i++) { /* the spool is in need: that uses up no blocks */
        take(recorder, 1, i, i + 1);
        recorder_flush(recorder);
    }
    for (int ms = 0; ms < PATIENT && recorder_is_safe(recorder); ms += 5)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    assert_false(recorder_is_safe(recorder));
    wait_for_needs(recorder, RECORDER_NONE); /* patience is over: the spool is let go */
    limit_files(RLIM_INFINITY);
    for (int ms = 0; ms < PATIENT && !recorder_is_safe(recorder); ms += 5)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    recorder_close(recorder);
    struct found *found = look();
    assert_once(found, 150);
    assert_int_equal(found->gaps, 0);
}

/* Twelve blocks, each filled by seven large messages: the rest is lost, and the tape says so. */
static void what_no_block_is_free_for_is_counted_and_noted(void **state)
{
    (void)state;
    static uint8_t large[TAPE_PAYLOAD_MAX];
    struct recorder *recorder = open_recorder();
    struct recorder_stats stats;
    take(recorder, 1, 0, 1);
    recorder_flush(recorder);
    wait_for_needs(recorder, RECORDER_NONE);
    limit_files(TAPE_HEADER_BYTES + 200);
    for (unsigned i = 1; i < 300; i++) {
        struct recorder_message message = message_of(1, i);
        snprintf((char *)large, sizeof(large), "%u", i);
        message.payload = large;
        message.payload_bytes = sizeof(large);
        recorder_take(recorder, &message);
    }
    recorder_stats(recorder, &stats);
    unsigned lost = (unsigned)stats.lost;
    assert_true(lost > 150 && lost < 280);
    limit_files(RLIM_INFINITY);
    for (int ms = 0; ms < PATIENT; ms += 50) {
        nanosleep(&(struct timespec){0, 50000000}, NULL);
        if (recorder_needs(recorder) == RECORDER_NONE)
            break;
    }
    recorder_tick(recorder, NOW + 400); /* noted although nothing more comes */
    take(recorder, 1, 300, 310);
    recorder_close(recorder);
    struct found *found = look();
    assert_int_equal(found->messages, 310 - lost);
    assert_int_equal(found->gaps, 1);
    assert_int_equal(found->lost, lost);
    for (unsigned i = 300 - lost; i < 300; i++)
        assert_int_equal(found->times[i], 0);
}

/* The spool's oldest place lies behind what the tape covers: nobody knows what was between. */
static void places_that_are_gone_are_a_gap_without_a_number(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 10);
    recorder_close(recorder);
    struct recorder_options options = usual;
    options.tail = POSITION + 64 * 20;
    recorder = open_with(options);
    take(recorder, 1, 20, 25);
    recorder_close(recorder);
    struct found *found = look();
    assert_int_equal(found->messages, 15);
    assert_int_equal(found->gaps, 1);
    assert_int_equal(found->lost, 0);
}

static void save(const char *name, size_t bytes, int days_old)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", tapes_folder(), name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++)
        fputc(0, file);
    fclose(file);
    struct timeval times[2] = {{.tv_sec = time(NULL) - days_old * 86400}, {0}};
    times[1] = times[0];
    assert_int_equal(utimes(path, times), 0);
}

static void what_is_too_old_or_too_much_goes_one_by_one(void **state)
{
    (void)state;
    struct recorder *recorder;
    struct recorder_options options = usual;
    struct diag diag = {0};
    struct tape_name *list;
    size_t count;
    assert_int_equal(mkdir(tapes_folder(), 0700), 0);
    save("one_20200101T000000.000Z.rec", 100, 31);
    save("two_20200102T000000.000Z.rec", 100, 32);
    save("one_20200103T000000.000Z.rec", 5000, 2);
    save("two_20200104T000000.000Z.rec", 3000, 1);
    save("other.txt", 9000, 99);
    options.folder = tapes_folder();
    options.size_bytes = 4000;
    assert_int_equal(recorder_open(&recorder, &options, &diag), 0);
    int64_t now_ms = clock_wall_ms();
    for (unsigned left = 4; left > 1; left--) { /* one a step */
        assert_int_equal(tape_folder_list(tapes_folder(), &list, &count, &diag), 0);
        assert_int_equal(count, left);
        free(list);
        assert_true(recorder_sweep(recorder, now_ms));
    }
    assert_false(recorder_sweep(recorder, now_ms));
    recorder_keep(recorder, 30, 1 << 20);
    save("one_20200105T000000.000Z.rec.part", 100, 99); /* one that goes on is left alone */
    assert_false(recorder_sweep(recorder, now_ms));
    recorder_keep(recorder, 1, 1);
    assert_true(recorder_sweep(recorder, now_ms));
    assert_false(recorder_sweep(recorder, now_ms));
    assert_int_equal(tape_folder_list(tapes_folder(), &list, &count, &diag), 0);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].file, "one_20200105T000000.000Z.rec.part");
    free(list);
    recorder_close(recorder);
}

static void a_folder_that_cannot_be_opened_is_said(void **state)
{
    (void)state;
    struct recorder *recorder;
    struct recorder_options options = usual;
    struct diag diag = {0};
    options.folder = "/dev/null";
    assert_int_equal(recorder_open(&recorder, &options, &diag), ERR_IO);
    assert_non_null(strstr(diag.text, "/dev/null: Not a directory"));
}

static void a_folder_that_another_hub_has_is_refused_in_a_sentence(void **state)
{
    (void)state;
    struct recorder *first = open_recorder(), *second;
    struct recorder_options options = usual;
    struct diag diag = {0};
    options.folder = tapes_folder();
    assert_int_equal(recorder_open(&second, &options, &diag), ERR_TAKEN);
    assert_null(second);
    assert_non_null(strstr(diag.text, "/tapes is in use by another program"));
    recorder_close(first);
    recorder_close(open_recorder());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_taken_is_recorded_and_goes_on_after_a_restart),
        CASE(what_a_block_covers_is_passed_over_and_the_rest_taken_again),
        CASE(a_first_tape_without_a_block_hides_nothing),
        CASE(another_ring_hides_what_was_used_before_only),
        CASE(a_session_or_an_hour_has_a_tape_of_its_own),
        CASE(each_room_has_its_tape_and_no_room_has_none),
        CASE(a_room_that_a_reload_takes_away_ends_and_one_that_moves_goes_on),
        CASE(the_spool_is_needed_until_a_block_is_on_disk),
        CASE(a_block_waits_for_the_spools_copy),
        CASE(a_spool_that_comes_from_its_copy_begins_where_it_ends),
        CASE(a_tape_that_hears_nothing_ends),
        CASE(a_torn_tail_is_cut_off_and_taken_again),
        CASE(a_full_disk_loses_nothing_that_the_blocks_hold),
        CASE(what_no_block_is_free_for_is_counted_and_noted),
        CASE(places_that_are_gone_are_a_gap_without_a_number),
        CASE(what_is_too_old_or_too_much_goes_one_by_one),
        CASE(a_folder_that_cannot_be_opened_is_said),
        CASE(a_folder_that_another_hub_has_is_refused_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
