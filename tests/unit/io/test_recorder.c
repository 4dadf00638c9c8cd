/* io/recorder: what is recorded, in which tape, and when the spool may forget it. */
#include "recorder_place.h"

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
    char path[320];
    snprintf(path, sizeof(path), "%s/%s", tapes_folder(), look()->newest.file);
    assert_int_equal(truncate(path, TAPE_HEADER_BYTES + 3), 0); /* killed in its first block */
    recorder = open_recorder();
    take(recorder, 1, 0, 60);
    recorder_close(recorder);
    assert_once(look(), 60);
}

static void a_tape_without_a_whole_header_is_removed(void **state)
{
    (void)state;
    struct recorder *recorder = open_recorder();
    take(recorder, 1, 0, 10);
    recorder_close(recorder);
    for (int bytes = 0; bytes < TAPE_HEADER_BYTES; bytes += TAPE_HEADER_BYTES - 1) {
        char path[320];
        snprintf(path, sizeof(path), "%s/%s", tapes_folder(), look()->newest.file);
        assert_int_equal(truncate(path, bytes), 0); /* killed as it was begun */
        recorder = open_recorder();
        take(recorder, 1, 0, 10);
        recorder_close(recorder);
        assert_once(look(), 10);
        assert_int_equal(look()->tapes, 1);
    }
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
        char path[320];
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
    assert_true(recorder_needs(recorder, NULL) == RECORDER_NONE);
    take(recorder, 2, 7, 9);
    take(recorder, 1, 9, 12);
    assert_true(recorder_needs(recorder, NULL) == POSITION + 64 * 7);
    recorder_tick(recorder, NOW + 900); /* too early */
    assert_true(recorder_needs(recorder, NULL) == POSITION + 64 * 7);
    recorder_tick(recorder, NOW + 1100); /* the first block of a run is handed over soon */
    wait_for_needs(recorder, RECORDER_NONE);
    take(recorder, 1, 2000, 2001);
    recorder_tick(recorder, NOW + 61000);
    assert_true(recorder_needs(recorder, NULL) == POSITION + 64 * 2000);
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
    assert_true(recorder_needs(recorder, NULL) == POSITION);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_taken_is_recorded_and_goes_on_after_a_restart),
        CASE(what_a_block_covers_is_passed_over_and_the_rest_taken_again),
        CASE(a_first_tape_without_a_block_hides_nothing),
        CASE(a_tape_without_a_whole_header_is_removed),
        CASE(another_ring_hides_what_was_used_before_only),
        CASE(a_session_or_an_hour_has_a_tape_of_its_own),
        CASE(each_room_has_its_tape_and_no_room_has_none),
        CASE(a_room_that_a_reload_takes_away_ends_and_one_that_moves_goes_on),
        CASE(the_spool_is_needed_until_a_block_is_on_disk),
        CASE(a_block_waits_for_the_spools_copy),
        CASE(a_spool_that_comes_from_its_copy_begins_where_it_ends),
        CASE(a_tape_that_hears_nothing_ends),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
