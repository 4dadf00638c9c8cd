/* What a device's own numbering and clock tell: loss, repeats, order, time. Acknowledgements:
 * test_account_ack.c. */
#include "one_device.h"

#define HOUR 3600000

/* ---- Accounting: what was heard, and what must be counted ---- */

#define ANY INT64_MIN /* an offset that is not looked at */

struct heard {
    uint64_t boot, sequence, held_from; /* boot 0: ends the list; sequence 0: it has none */
    int64_t now_ms, received_ms;
    enum device_verdict verdict;
    int64_t offset_ms;
};

struct account_case {
    const char *name;
    struct heard heard[8];
    uint64_t lost, duplicates, late, boots, jumps;
};

static const struct account_case account_cases[] = {
    {"messages_in_order_are_neither_lost_nor_late",
     {{7, 1, 1, 100, 1000, DEVICE_NEW, 900}, {7, 2, 1, 200, 1100, DEVICE_NEW, 900}},
     .boots = 1},
    {"what_was_before_the_first_message_heard_is_not_lost",
     {{7, 5000, 0, 100, 1000, DEVICE_NEW, ANY}},
     .boots = 1},
    {"a_gap_in_the_sequence_counts_as_lost",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY}, {7, 5, 0, 200, 1100, DEVICE_NEW, ANY}},
     .lost = 3,
     .boots = 1},
    {"a_late_arrival_is_used_and_taken_back_from_lost",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 3, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, 2, 0, 200, 1250, DEVICE_NEW, 900}},
     .late = 1,
     .boots = 1},
    {"a_message_older_than_the_first_heard_is_late_and_was_not_lost",
     {{7, 3, 0, 100, 1000, DEVICE_NEW, ANY}, {7, 2, 0, 90, 1010, DEVICE_NEW, ANY}},
     .late = 1,
     .boots = 1},
    {"a_repeat_of_the_newest_is_known",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY}, {7, 1, 0, 100, 1100, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .boots = 1},
    {"a_late_arrival_that_comes_twice_is_used_once",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 3, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, 2, 0, 200, 1250, DEVICE_NEW, ANY},
      {7, 2, 0, 200, 1260, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .late = 1,
     .boots = 1},
    {"another_boot_id_begins_anew_and_loses_nothing",
     {{7, 90, 0, 100, 1000, DEVICE_NEW, ANY}, {8, 1, 0, 5, 2000, DEVICE_NEW, 1995}},
     .boots = 2},
    {"a_repeat_from_before_a_reboot_is_known",
     {{7, 90, 0, 100, 1000, DEVICE_NEW, ANY},
      {8, 1, 0, 5, 2000, DEVICE_NEW, ANY},
      {7, 90, 0, 100, 2100, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .boots = 2},
    {"a_message_from_before_a_reboot_not_yet_heard_keeps_its_own_clock",
     {{7, 90, 0, 100, 1000, DEVICE_NEW, 900},
      {8, 1, 0, 5, 2000, DEVICE_NEW, 1995},
      {7, 89, 0, 90, 2100, DEVICE_NEW, 900},
      {8, 2, 0, 15, 2010, DEVICE_NEW, 1995}},
     .late = 1,
     .boots = 2},
    /* Numbers that are far off. */
    {"a_number_that_is_far_off_is_used_and_moves_nothing",
     {{7, 41, 41, 100, 1000, DEVICE_NEW, ANY},
      {7, 41 | 1 << 19, 41, 200, 1100, DEVICE_NEW, 900},
      {7, 43, 41, 300, 1200, DEVICE_NEW, ANY},
      {7, 41 | 1 << 19, 41, 200, 1300, DEVICE_DUPLICATE, ANY},
      {7, 44, 0, 400, 1300, DEVICE_NEW, ANY},
      {7, 44, 0, 400, 1300, DEVICE_DUPLICATE, ANY}},
     .lost = 1, /* the one whose number was wrong */
     .duplicates = 2,
     .boots = 1},
    {"a_second_one_bears_it_out_as_a_loss",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 5001, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, 5002, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, 5001, 0, 200, 1300, DEVICE_DUPLICATE, ANY},
      {7, 2, 0, 150, 1300, DEVICE_DUPLICATE, ANY}},
     .lost = 4999,
     .duplicates = 2,
     .boots = 1},
    {"a_second_one_bears_it_out_as_a_new_start",
     {{7, 41, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, UINT64_C(1) << 40, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, (UINT64_C(1) << 40) + 2, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, UINT64_C(1) << 40, 0, 200, 1300, DEVICE_DUPLICATE, ANY},
      {7, (UINT64_C(1) << 40) + 3, 0, 400, 1300, DEVICE_NEW, ANY}},
     .lost = 1,
     .duplicates = 1,
     .boots = 2},
    {"two_that_do_not_belong_together_bear_out_nothing",
     {{7, 41, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 41 | 1 << 19, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, 41 | 1 << 18, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, UINT64_MAX, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, 42, 0, 400, 1300, DEVICE_NEW, ANY}},
     .boots = 1},
    {"a_million_back_is_a_repeat",
     {{7, 1000000, 0, 50, 900, DEVICE_NEW, ANY},
      {7, 1000001, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 1, 0, 200, 1100, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .boots = 1},
    {"more_than_a_million_back_is_a_new_start",
     {{7, 1000002, 0, 50, 900, DEVICE_NEW, ANY},
      {7, 1000003, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 1, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, 2, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, 1, 0, 200, 1200, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .boots = 2},
    {"the_very_first_number_may_be_the_wrong_one",
     {{7, 41 | 1 << 19, 0, 100, 1000, DEVICE_NEW, ANY},
      {7, 42, 0, 200, 1100, DEVICE_NEW, ANY},
      {7, 43, 0, 300, 1200, DEVICE_NEW, ANY},
      {7, 43, 0, 300, 1200, DEVICE_DUPLICATE, ANY}},
     .duplicates = 1,
     .boots = 2},
    {"a_backlog_behind_the_first_message_is_taken_and_its_repeats_are_known",
     {{7, 5000, 1, 100, 1000, DEVICE_NEW, ANY},
      {7, 1, 1, 90, 1010, DEVICE_NEW, ANY},
      {7, 2, 1, 91, 1020, DEVICE_NEW, ANY},
      {7, 1, 1, 90, 1030, DEVICE_DUPLICATE, ANY},
      {7, 2, 1, 91, 1040, DEVICE_DUPLICATE, ANY}},
     .duplicates = 2,
     .late = 2,
     .boots = 1},
    {"after_a_long_silence_a_jump_is_a_loss",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY}, {7, 1000002, 0, 200, 1001000, DEVICE_NEW, ANY}},
     .lost = 1000000,
     .boots = 1},
    /* A queue is emptied, and the broker has dropped what came last. */
    {"where_the_devices_clock_was_silent_too_a_jump_is_a_loss",
     {{7, 1, 0, 100, 1000, DEVICE_NEW, ANY}, {7, 10002, 0, 3600100, 1001, DEVICE_NEW, ANY}},
     .lost = 10000,
     .boots = 1,
     .jumps = 0},
    /* The clock. */
    {"the_shortest_delay_tells_the_offset",
     {{7, 1, 0, 100, 1030, DEVICE_NEW, 930},
      {7, 2, 0, 200, 1102, DEVICE_NEW, 902},
      {7, 3, 0, 300, 1240, DEVICE_NEW, 902}},
     .boots = 1},
    {"what_waited_in_a_queue_lands_in_the_past",
     {{7, 1, 0, 1000, 2000, DEVICE_NEW, 1000},
      {7, 2, 0, 2000, 303000, DEVICE_NEW, 1000},
      {7, 3, 0, 302000, 303001, DEVICE_NEW, 1000}},
     .boots = 1},
    {"a_clock_set_back_is_followed_at_once",
     {{7, 1, 0, 10000, 20000, DEVICE_NEW, 10000},
      {7, 2, 0, 4000, 20100, DEVICE_NEW, 16100},
      {7, 3, 0, 4100, 20200, DEVICE_NEW, 16100}},
     .boots = 1,
     .jumps = 1},
    {"a_clock_set_back_is_seen_across_a_loss",
     {{7, 1, 0, 10000, 20000, DEVICE_NEW, 10000}, {7, 4, 0, 4000, 20100, DEVICE_NEW, 16100}},
     .lost = 2,
     .boots = 1,
     .jumps = 1},
    {"a_late_arrival_does_not_set_the_clock_back",
     {{7, 1, 0, 10000, 20000, DEVICE_NEW, 10000},
      {7, 3, 0, 12000, 22000, DEVICE_NEW, 10000},
      {7, 2, 0, 11000, 22001, DEVICE_NEW, 10000}},
     .late = 1,
     .boots = 1},
    {"a_status_without_a_sequence_may_overtake_and_sets_no_clock",
     {{7, 0, 0, 9999, 19999, DEVICE_NEW, 10000},
      {7, 1, 0, 9998, 20000, DEVICE_NEW, 10002}, /* a boot has a clock of its own */
      {7, 0, 0, 11000, 21000, DEVICE_NEW, 10000},
      {7, 2, 0, 10990, 21001, DEVICE_NEW, 10000}},
     .boots = 1},
    {"a_clock_set_forward_is_followed_at_once",
     {{7, 1, 0, 10000, 20000, DEVICE_NEW, 10000},
      {7, 2, 0, 15000, 25000, DEVICE_NEW, 10000},
      {7, 3, 0, 76000, 26000, DEVICE_NEW, -50000}},
     .boots = 1,
     .jumps = 1},
    {"a_queue_emptied_at_the_first_hearing_is_no_jump",
     {{7, 1, 0, 10000, 100000, DEVICE_NEW, 90000},
      {7, 2, 0, 20000, 100001, DEVICE_NEW, 80001},
      {7, 3, 0, 30000, 100002, DEVICE_NEW, 70002}},
     .boots = 1},
    {"a_device_without_a_clock_has_the_time_of_receipt",
     {{7, 1, 0, 0, 20000, DEVICE_NEW, 20000}, {7, 2, 0, 0, 20100, DEVICE_NEW, 20100}},
     .boots = 1},
};

static void run_account_case(void **state)
{
    const struct account_case *test = *state;
    struct world world = world_of(4, 100);
    for (unsigned i = 0; i < 8 && test->heard[i].boot != 0; i++) {
        const struct heard *heard = &test->heard[i];
        struct lumbar_batch batch = {.flags = heard->sequence > 0 ? LUMBAR_HAS_SEQUENCE : 0,
                                     .boot_id = heard->boot,
                                     .sequence = heard->sequence,
                                     .held_from = heard->held_from,
                                     .now_ms = heard->now_ms};
        int64_t offset_ms = ANY;
        enum device_verdict verdict =
            device_account(world.device, &batch, heard->received_ms, i, &offset_ms);
        if (verdict != heard->verdict)
            fail_msg("message %u: verdict %d", i, (int)verdict);
        if (heard->offset_ms != ANY && offset_ms != heard->offset_ms)
            fail_msg("message %u: offset %lld", i, (long long)offset_ms);
        assert_int_equal(world.device->heard_ms, heard->received_ms);
    }
    assert_int_equal(world.device->lost, test->lost);
    assert_int_equal(world.device->duplicates, test->duplicates);
    assert_int_equal(world.device->late, test->late);
    assert_int_equal(world.device->boots, test->boots);
    assert_int_equal(world.device->clock_jumps, test->jumps);
    devices_destroy(world.devices);
}

static void a_repeat_is_known_anywhere_in_the_window(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    for (uint64_t sequence = 1; sequence <= 5000; sequence++)
        assert_int_equal(hear(world.device, sequence, 0, sequence), DEVICE_NEW);
    for (uint64_t sequence = 5000 - DEVICE_WINDOW + 1; sequence <= 5000; sequence++)
        assert_int_equal(hear(world.device, sequence, 0, 6000), DEVICE_DUPLICATE);
    assert_int_equal(hear(world.device, 1, 0, 6000), DEVICE_DUPLICATE); /* no gap since: known */
    assert_int_equal(world.device->lost, 0);
    devices_destroy(world.devices);
}

static void a_window_full_of_holes_is_filled_exactly_once(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    for (uint64_t sequence = 1; sequence <= 1001; sequence += 2)
        assert_int_equal(hear(world.device, sequence, 1, sequence), DEVICE_NEW);
    assert_int_equal(world.device->lost, 500);
    for (uint64_t sequence = 2; sequence <= 1000; sequence += 2)
        assert_int_equal(hear(world.device, sequence, 1, sequence), DEVICE_NEW);
    for (uint64_t sequence = 1; sequence <= 1001; sequence++)
        assert_int_equal(hear(world.device, sequence, 1, sequence), DEVICE_DUPLICATE);
    assert_int_equal(world.device->lost, 0);
    assert_int_equal(world.device->late, 500);
    devices_destroy(world.devices);
}

/* The device sends the newest at once and what it kept behind it, 4,000 messages of it. */
static void a_backlog_longer_than_the_window_is_taken(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    hear(world.device, 999, 999, 1);
    assert_int_equal(hear(world.device, 5000, 1000, 2), DEVICE_NEW);
    assert_int_equal(world.device->lost, 4000);
    for (uint64_t sequence = 1000; sequence < 5000; sequence++)
        assert_int_equal(hear(world.device, sequence, 1000, sequence), DEVICE_NEW);
    assert_int_equal(world.device->lost, 0);
    for (uint64_t sequence = 1000; sequence < 5000; sequence++)
        assert_int_equal(hear(world.device, sequence, 1000, sequence), DEVICE_DUPLICATE);
    devices_destroy(world.devices);
}

static void messages_without_a_sequence_are_always_new(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    struct lumbar_batch batch = {.now_ms = 100};
    int64_t offset_ms;
    for (int i = 0; i < 3; i++)
        assert_int_equal(device_account(world.device, &batch, 1000 + i, 0, &offset_ms), DEVICE_NEW);
    assert_int_equal(offset_ms, 900);
    assert_int_equal(world.device->messages, 3);
    assert_int_equal(world.device->boots, 0);
    devices_destroy(world.devices);
}

/* ---- Clock, over longer times ---- */

static int64_t offset_of(struct device *device, uint64_t sequence, int64_t now_ms,
                         int64_t received_ms)
{
    struct lumbar_batch batch = {.flags = LUMBAR_HAS_SEQUENCE | LUMBAR_WALL_CLOCK,
                                 .boot_id = 7,
                                 .sequence = sequence,
                                 .now_ms = now_ms};
    int64_t offset_ms = ANY;
    device_account(device, &batch, received_ms, 0, &offset_ms);
    return offset_ms;
}

static void jitter_does_not_move_the_strips(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    offset_of(world.device, 1, 0 + 1, 1001);
    for (uint64_t i = 2; i <= 6000; i++) { /* 10 minutes; delays of 0..40 ms, 0 each 5 s or so */
        int64_t now_ms = (int64_t)i * 100, jitter_ms = (int64_t)(i * 37 % 41);
        int64_t offset_ms = offset_of(world.device, i, now_ms, now_ms + 1000 + jitter_ms);
        assert_int_equal(offset_ms, 1000);
    }
    assert_int_equal(world.device->clock_jumps, 0);
    devices_destroy(world.devices);
}

static void a_clock_that_drifts_is_followed_within_a_minute(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    int64_t worst_ms = 0;
    for (uint64_t i = 1; i <= 36000; i++) { /* an hour at 10/s; the device is 500 ppm slow */
        int64_t now_ms = (int64_t)i * 100, hub_ms = now_ms + now_ms / 2000 + 5000;
        int64_t error_ms = hub_ms - (now_ms + offset_of(world.device, i, now_ms, hub_ms));
        worst_ms = error_ms > worst_ms ? error_ms : worst_ms;
    }
    assert_in_range(worst_ms, 1, 30); /* 60 s of 500 ppm */
    assert_int_equal(world.device->clock_jumps, 0);
    devices_destroy(world.devices);
}

static void a_queue_after_five_silent_minutes_lands_where_it_belongs(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    uint64_t sequence = 0;
    int64_t now_ms = 0;
    for (; now_ms < 60000; now_ms += 1000)
        offset_of(world.device, ++sequence, now_ms + 1, now_ms + 1 + 5000);
    int64_t received_ms = 60000 + 300000 + 5000; /* the network is back: 300 messages in 3 s */
    for (; now_ms < 360000; now_ms += 1000, received_ms += 10)
        assert_int_equal(offset_of(world.device, ++sequence, now_ms + 1, received_ms), 5000);
    assert_int_equal(world.device->clock_jumps, 0);
    devices_destroy(world.devices);
}

static void skew_is_spoken_of_only_where_the_clock_is_meant_to_be_right(void **state)
{
    (void)state;
    struct world world = world_of(2, 100);
    offset_of(world.device, 1, HOUR, HOUR + 7000);
    assert_true(world.device->has_skew);
    assert_int_equal(world.device->skew_ms, 7000);

    struct device *uptime = devices_hear(world.devices, &driver, "p-02", 4);
    hear(uptime, 1, 0, 0);
    assert_false(uptime->has_skew);
    devices_destroy(world.devices);
}

static void samples_from_the_future_end_now(void **state)
{
    (void)state;
    struct world world = world_of(1, 100);
    struct sent sent;
    struct lumbar_batch *batch = sent_values(&sent, ANGLE, 3, (double[]){1, 2, 3}, 10000);
    int64_t offset_ms;
    sent.time_ms[2] = 10000 + 4000; /* jitter of a device's own making is left alone */
    device_account(world.device, batch, 50000, 0, &offset_ms);
    assert_int_equal(offset_ms, 40000);
    sent.time_ms[2] = 10000 + HOUR;
    device_account(world.device, batch, 50000, 0, &offset_ms);
    assert_int_equal(sent.time_ms[2] + offset_ms, 50000);
    assert_int_equal(world.device->clock_jumps, 1);
    devices_destroy(world.devices);
}

#define CASES (sizeof(account_cases) / sizeof(account_cases[0]))

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_repeat_is_known_anywhere_in_the_window),
        cmocka_unit_test(a_window_full_of_holes_is_filled_exactly_once),
        cmocka_unit_test(a_backlog_longer_than_the_window_is_taken),
        cmocka_unit_test(messages_without_a_sequence_are_always_new),
        cmocka_unit_test(jitter_does_not_move_the_strips),
        cmocka_unit_test(a_clock_that_drifts_is_followed_within_a_minute),
        cmocka_unit_test(a_queue_after_five_silent_minutes_lands_where_it_belongs),
        cmocka_unit_test(skew_is_spoken_of_only_where_the_clock_is_meant_to_be_right),
        cmocka_unit_test(samples_from_the_future_end_now),
    };
    struct CMUnitTest cases[CASES];
    for (size_t i = 0; i < CASES; i++)
        cases[i] = (struct CMUnitTest){.name = account_cases[i].name,
                                       .test_func = run_account_case,
                                       .initial_state = (void *)(uintptr_t)&account_cases[i]};
    int failed = cmocka_run_group_tests_name("accounting", cases, NULL, NULL);
    return failed + cmocka_run_group_tests_name("account", others, NULL, NULL);
}
