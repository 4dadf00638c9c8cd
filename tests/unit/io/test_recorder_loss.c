/* io/recorder where something is lost: torn tails, full disks, gaps, what is too old. */
#include "recorder_place.h"

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
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
        char path[320];
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
    assert_true(recorder_needs(recorder, NULL) == POSITION + 640);
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
        if (recorder_needs(recorder, NULL) == RECORDER_NONE)
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
    char path[320];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
