/* What a device is acknowledged: what is on disk, and what never came there. */
#include "one_device.h"

/* ---- Acknowledgement ---- */

struct acks {
    bool refuses;
    unsigned count;
    uint64_t boot_id, sequence;
};

static bool on_ack(void *user, const struct device *device, uint64_t boot_id, uint64_t sequence)
{
    struct acks *acks = user;
    assert_non_null(device);
    acks->count++;
    acks->boot_id = boot_id;
    acks->sequence = sequence;
    return !acks->refuses;
}

/* What is acknowledged with this synced position, end of the last gap, and time; 0: nothing. */
static uint64_t acked_but(struct world *world, uint64_t synced, uint64_t lost, int64_t now_ms)
{
    struct acks acks = {0};
    devices_acks(world->devices, synced, lost, now_ms, 1000, on_ack, &acks);
    assert_true(acks.count <= 1);
    return acks.sequence;
}

static uint64_t acked(struct world *world, uint64_t synced, int64_t now_ms)
{
    return acked_but(world, synced, 0, now_ms);
}

static void only_what_is_on_disk_is_acknowledged(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    hear(world.device, 1, 1, 100);
    hear(world.device, 2, 1, 200);
    assert_int_equal(acked(&world, 200, 0), 0); /* 2 begins at 200: positions below are on disk */
    assert_int_equal(acked(&world, 201, 10), 2);
    assert_int_equal(acked(&world, 201, 5000), 0); /* said once */
    devices_destroy(world.devices);
}

static void while_messages_come_the_goal_does_not_run_away(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    uint64_t last = 0;
    unsigned said = 0;
    for (uint64_t i = 1; i <= 400; i++) { /* the copy on disk is always 3 messages behind */
        hear(world.device, i, last + 1, i * 100);
        uint64_t sequence = acked(&world, i < 3 ? 0 : (i - 3) * 100 + 1, (int64_t)i * 250);
        if (sequence == 0)
            continue;
        assert_true(sequence > last);
        assert_true(sequence <= i - 3);
        last = sequence;
        said++;
    }
    assert_true(last > 390);
    assert_in_range(said, 80, 100); /* 100 s, each second at most */
    devices_destroy(world.devices);
}

static void a_gap_the_device_can_fill_is_waited_for(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    hear(world.device, 3, 1, 200);
    assert_int_equal(acked(&world, 1000, 0), 1);
    hear(world.device, 2, 1, 300);
    assert_int_equal(acked(&world, 300, 2000), 0);
    assert_int_equal(acked(&world, 301, 4000), 3);
    devices_destroy(world.devices);
}

static void a_gap_the_device_no_longer_holds_is_not_waited_for(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    hear(world.device, 5, 4, 200); /* 2 and 3 are gone; 4 it holds */
    assert_int_equal(acked(&world, 1000, 0), 3);
    hear(world.device, 6, 5, 300); /* now 4 is gone as well */
    assert_int_equal(acked(&world, 1000, 2000), 6);
    devices_destroy(world.devices);
}

#define FAR (UINT64_C(1) << 40)

static void a_number_in_doubt_is_not_acknowledged_before_it_is_borne_out(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    hear(world.device, FAR, 1, 200);
    hear(world.device, 2, 1, 300);
    hear(world.device, FAR, 1, 400);
    assert_int_equal(acked(&world, 1000, 0), 2);
    hear(world.device, FAR + 1, FAR, 1100);
    assert_int_equal(acked(&world, 1100, 2000), 0); /* not before all of it is on disk */
    assert_int_equal(acked(&world, 1101, 4000), FAR + 1);
    devices_destroy(world.devices);
}

static void what_was_in_doubt_and_never_came_to_the_disk_has_to_come_again(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked(&world, 150, 0), 1);
    hear(world.device, FAR, FAR, 200);
    hear(world.device, FAR + 1, FAR, 300);
    assert_int_equal(acked_but(&world, 1000, 250, 2000), 0); /* the record at 200 is lost */
    hear(world.device, FAR, FAR, 1100);
    hear(world.device, FAR + 1, FAR, 1200);
    assert_int_equal(acked_but(&world, 1300, 250, 4000), FAR + 1);
    devices_destroy(world.devices);
}

static void a_device_that_holds_nothing_is_owed_nothing(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 0, 100);
    hear(world.device, 2, 0, 200);
    assert_int_equal(acked(&world, 1000, 0), 0);
    devices_destroy(world.devices);
}

static void a_repeat_brings_the_acknowledgement_again(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked(&world, 1000, 0), 1);
    hear(world.device, 1, 1, 200);                 /* it has not heard */
    assert_int_equal(acked(&world, 1000, 500), 0); /* not before the interval is over */
    assert_int_equal(acked(&world, 1000, 1000), 1);
    assert_int_equal(acked(&world, 1000, 9000), 0);
    devices_destroy(world.devices);
}

static void what_could_not_be_sent_stays_due(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    struct acks acks = {.refuses = true};
    hear(world.device, 1, 1, 100);
    for (int64_t now_ms = 0; now_ms < 1000; now_ms += 250)
        devices_acks(world.devices, 1000, 0, now_ms, 1000, on_ack, &acks);
    assert_int_equal(acks.count, 4);
    assert_int_equal(acked(&world, 1000, 1000), 1); /* the interval counts from one that was sent */
    assert_int_equal(acked(&world, 1000, 9000), 0);
    hear(world.device, 1, 1, 200); /* it has not heard, and the answer is lost here */
    devices_acks(world.devices, 1000, 0, 10000, 1000, on_ack, &acks);
    assert_int_equal(acked(&world, 1000, 10250), 1);
    devices_destroy(world.devices);
}

static void a_boot_before_is_acknowledged_by_its_own_id(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    struct acks acks = {0};
    struct lumbar_batch batch = {
        .flags = LUMBAR_HAS_SEQUENCE, .boot_id = 6, .sequence = 9, .held_from = 9};
    int64_t offset_ms;
    device_account(world.device, &batch, 10, 50, &offset_ms);
    hear(world.device, 1, 1, 100);
    devices_acks(world.devices, 60, 0, 0, 1000, on_ack, &acks);
    assert_int_equal(acks.count, 1);
    assert_int_equal(acks.boot_id, 6);
    assert_int_equal(acks.sequence, 9);
    devices_destroy(world.devices);
}

/* ---- What never came to the disk ---- */

static void what_was_lost_is_not_acknowledged_before_it_came_again(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked(&world, 101, 0), 1);
    for (uint64_t sequence = 2; sequence <= 4; sequence++) /* the disk refuses */
        hear(world.device, sequence, 2, sequence * 100);
    assert_int_equal(acked(&world, 101, 2000), 0);
    assert_int_equal(acked_but(&world, 500, 350, 4000), 0); /* 2 and 3 were overwritten */
    hear(world.device, 5, 2, 500);
    assert_int_equal(acked_but(&world, 600, 350, 6000), 0);
    hear(world.device, 2, 2, 600); /* a repeat, but not to the disk */
    hear(world.device, 3, 2, 700);
    assert_int_equal(world.device->duplicates, 2);
    assert_int_equal(acked_but(&world, 601, 350, 8000),
                     1); /* what it has is told to one who asks */
    assert_int_equal(acked_but(&world, 701, 350, 10000), 3);
    hear(world.device, 4, 4, 800);
    assert_int_equal(acked_but(&world, 801, 350, 12000), 5);
    devices_destroy(world.devices);
}

static void what_lies_behind_the_gap_is_acknowledged(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    struct device *other = devices_hear(world.devices, &driver, "p-02", 4);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked(&world, 101, 0), 1);
    hear(other, 1, 1, 200);
    hear(world.device, 2, 2, 350); /* the first that was still there to be copied */
    struct acks acks = {0};
    devices_acks(world.devices, 400, 350, 2000, 1000, on_ack, &acks);
    assert_int_equal(acks.count, 1);
    assert_int_equal(acks.sequence, 2);
    hear(other, 1, 1, 400);
    devices_acks(world.devices, 401, 350, 4000, 1000, on_ack, &acks);
    assert_int_equal(acks.count, 2);
    assert_int_equal(acks.sequence, 1);
    devices_destroy(world.devices);
}

static void what_was_on_disk_before_the_gap_is_still_acknowledged(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked(&world, 101, 0), 1);
    hear(world.device, 2, 1, 200);
    assert_int_equal(acked(&world, 201, 500), 0); /* on disk, but it was told a moment ago */
    hear(world.device, 3, 1, 300);
    assert_int_equal(acked_but(&world, 500, 400, 1000), 2);
    assert_int_equal(acked_but(&world, 500, 400, 9000), 0);
    devices_destroy(world.devices);
}

static void a_first_message_that_was_lost_is_waited_for(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 5000, 4999, 100);
    hear(world.device, 5001, 4999, 200);
    assert_int_equal(acked_but(&world, 250, 150, 0), 0);
    hear(world.device, 4999, 4999, 300);
    assert_int_equal(acked_but(&world, 301, 150, 1000), 4999);
    hear(world.device, 5000, 5000, 400);
    hear(world.device, 5001, 5000, 500);
    assert_int_equal(acked_but(&world, 501, 150, 2000), 5001);
    devices_destroy(world.devices);
}

static void a_lost_message_that_the_device_gave_up_is_not_waited_for(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    for (uint64_t sequence = 1; sequence <= 3; sequence++)
        hear(world.device, sequence, 1, sequence * 100);
    assert_int_equal(acked_but(&world, 400, 350, 0), 0);
    hear(world.device, 4, 4, 400);
    assert_int_equal(acked_but(&world, 401, 350, 1000), 4);
    devices_destroy(world.devices);
}

static void a_loss_longer_than_the_window_is_acknowledged_as_it_comes_again(void **state)
{
    (void)state;
    enum { COUNT = 3 * DEVICE_WINDOW };
    struct world world = world_of(1, 10);
    for (uint64_t i = 1; i <= COUNT; i++)
        hear(world.device, i, 1, i);
    assert_int_equal(acked_but(&world, COUNT + 1, COUNT + 1, 0), 0);
    uint64_t at = COUNT + 1;
    for (uint64_t i = 1; i <= COUNT; i++, at++) {
        hear(world.device, i, i, at); /* all that it holds is from here on */
        if (i % 500 == 0)
            assert_int_equal(acked_but(&world, at + 1, COUNT + 1, (int64_t)i * 10), i);
    }
    assert_int_equal(acked_but(&world, at, COUNT + 1, 1000000), COUNT);
    assert_int_equal(world.device->duplicates, COUNT); /* nothing was used twice */
    devices_destroy(world.devices);
}

static void a_gap_is_forgotten_when_all_came_again(void **state)
{
    (void)state;
    struct world world = world_of(1, 10);
    hear(world.device, 1, 1, 100);
    assert_int_equal(acked_but(&world, 300, 200, 0), 0);
    hear(world.device, 1, 1, 300);
    assert_int_equal(acked_but(&world, 301, 200, 1000), 1);
    hear(world.device, 2, 2, 400);
    assert_int_equal(acked_but(&world, 401, 200, 3000), 2); /* the same gap is told for ever */
    hear(world.device, 3, 3, 500);
    assert_int_equal(acked_but(&world, 700, 600, 5000), 0); /* and this is another */
    devices_destroy(world.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_on_disk_is_acknowledged),
        cmocka_unit_test(while_messages_come_the_goal_does_not_run_away),
        cmocka_unit_test(a_gap_the_device_can_fill_is_waited_for),
        cmocka_unit_test(a_gap_the_device_no_longer_holds_is_not_waited_for),
        cmocka_unit_test(a_number_in_doubt_is_not_acknowledged_before_it_is_borne_out),
        cmocka_unit_test(what_was_in_doubt_and_never_came_to_the_disk_has_to_come_again),
        cmocka_unit_test(a_device_that_holds_nothing_is_owed_nothing),
        cmocka_unit_test(a_repeat_brings_the_acknowledgement_again),
        cmocka_unit_test(what_could_not_be_sent_stays_due),
        cmocka_unit_test(a_boot_before_is_acknowledged_by_its_own_id),
        cmocka_unit_test(what_was_lost_is_not_acknowledged_before_it_came_again),
        cmocka_unit_test(what_lies_behind_the_gap_is_acknowledged),
        cmocka_unit_test(what_was_on_disk_before_the_gap_is_still_acknowledged),
        cmocka_unit_test(a_first_message_that_was_lost_is_waited_for),
        cmocka_unit_test(a_lost_message_that_the_device_gave_up_is_not_waited_for),
        cmocka_unit_test(a_loss_longer_than_the_window_is_acknowledged_as_it_comes_again),
        cmocka_unit_test(a_gap_is_forgotten_when_all_came_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
