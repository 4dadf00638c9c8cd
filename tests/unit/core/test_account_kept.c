/* What is kept of a device's numbering, and known again after a restart with an empty ring. */
#include "core/account_kept.h"
#include "one_device.h"

/* The device as a hub that was started anew knows it, before any message. */
static struct world again(const struct world *before)
{
    static struct kept_boot boots[KEPT_BOOTS];
    struct world world = world_of(2, 10);
    unsigned count = 0;
    while (device_keep(before->device, count, &boots[count]) && ++count < KEPT_BOOTS)
        assert_true(kept_is_possible(&boots[count - 1]));
    device_restore(world.device, boots, count);
    devices_destroy(before->devices);
    return world;
}

static void a_repeat_is_recognised_after_a_restart(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    for (uint64_t sequence = 1; sequence <= 3000; sequence++)
        hear(world.device, sequence, 1, sequence);
    world = again(&world);
    assert_int_equal(hear(world.device, 3000, 1, 1), DEVICE_DUPLICATE);
    assert_int_equal(hear(world.device, 2990, 1, 2), DEVICE_DUPLICATE);
    assert_int_equal(hear(world.device, 5, 1, 3), DEVICE_DUPLICATE); /* below the window too */
    assert_int_equal(hear(world.device, 3001, 1, 4), DEVICE_NEW);
    devices_destroy(world.devices);
}

static void what_was_missing_is_taken_after_a_restart(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    static const uint64_t heard[] = {1, 2, 3, 10, 11, 64, 65, 130, 700};
    for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
        hear(world.device, heard[i], 1, i + 1);
    world = again(&world);
    for (uint64_t sequence = 1, i = 0; sequence <= 700; sequence++) {
        bool was = sequence == heard[i];
        i += was;
        assert_int_equal(hear(world.device, sequence, 1, sequence),
                         was ? DEVICE_DUPLICATE : DEVICE_NEW);
    }
    devices_destroy(world.devices);
}

static void the_boot_before_is_known_as_well(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    hear(world.device, 4, 1, 1);
    struct lumbar_batch next = {.flags = LUMBAR_HAS_SEQUENCE, .boot_id = 8, .sequence = 1};
    int64_t offset_ms;
    device_account(world.device, &next, 2000, 2, &offset_ms);
    world = again(&world);
    assert_int_equal(hear(world.device, 4, 1, 3), DEVICE_DUPLICATE);
    assert_int_equal(device_account(world.device, &next, 2000, 4, &offset_ms), DEVICE_DUPLICATE);
    devices_destroy(world.devices);
}

static void what_the_ring_still_told_is_united_with_it(void **state)
{
    (void)state;
    static struct kept_boot kept;
    struct world before = world_of(2, 10), world = world_of(2, 10);
    for (uint64_t sequence = 1; sequence <= 20; sequence++)
        hear(before.device, sequence, 1, sequence);
    assert_true(device_keep(before.device, 0, &kept));
    devices_destroy(before.devices);
    for (uint64_t sequence = 18; sequence <= 22; sequence++) /* two of them after it was kept */
        hear(world.device, sequence, 1, sequence);
    device_restore(world.device, &kept, 1);
    assert_int_equal(hear(world.device, 3, 1, 30), DEVICE_DUPLICATE);
    assert_int_equal(hear(world.device, 22, 1, 31), DEVICE_DUPLICATE);
    assert_int_equal(hear(world.device, 23, 1, 32), DEVICE_NEW);
    devices_destroy(world.devices);
}

struct acks {
    unsigned count;
    uint64_t boot_id, sequence;
};

static bool on_ack(void *user, const struct device *device, uint64_t boot_id, uint64_t sequence)
{
    struct acks *acks = user;
    assert_non_null(device);
    *acks = (struct acks){acks->count + 1, boot_id, sequence};
    return true;
}

static void it_is_acknowledged_before_it_says_anything(void **state)
{
    (void)state;
    struct acks acks = {0};
    struct world world = world_of(2, 10);
    for (uint64_t sequence = 1; sequence <= 9; sequence++)
        hear(world.device, sequence == 7 ? 6 : sequence, 1, sequence); /* 7 is not there */
    world = again(&world);
    devices_acks(world.devices, 1, 0, 0, 1000, on_ack, &acks);
    assert_int_equal(acks.count, 1);
    assert_int_equal(acks.boot_id, 7);
    assert_int_equal(acks.sequence, 6);
    hear(world.device, 7, 1, 100);
    devices_acks(world.devices, 101, 0, 5000, 1000, on_ack, &acks);
    assert_int_equal(acks.sequence, 9);
    devices_destroy(world.devices);
}

/* A buffer that is emptied after the restart: its first message waited for an hour. */
static void its_clock_is_known_again(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    for (uint64_t sequence = 1; sequence <= 9; sequence++)
        hear(world.device, sequence, 1, sequence);
    world = again(&world);
    struct lumbar_batch late = {
        .flags = LUMBAR_HAS_SEQUENCE, .boot_id = 7, .sequence = 10, .held_from = 10, .now_ms = 100};
    int64_t offset_ms = 0;
    assert_int_equal(device_account(world.device, &late, 3600000, 10, &offset_ms), DEVICE_NEW);
    assert_int_equal(offset_ms, 1000);
    devices_destroy(world.devices);
}

static void news_are_what_was_accounted_since(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    assert_false(device_has_news(world.device));
    hear(world.device, 1, 1, 1);
    assert_true(device_has_news(world.device));
    device_keep_done(world.device);
    assert_false(device_has_news(world.device));
    hear(world.device, 1, 1, 2); /* what the device holds may have changed */
    assert_true(device_has_news(world.device));
    devices_destroy(world.devices);
}

static void what_cannot_have_been_kept_is_known(void **state)
{
    (void)state;
    static const struct kept_boot impossible[] = {
        {.first = 0, .newest = 3},                 /* sequences begin at 1 */
        {.first = 4, .newest = 3},                 /* the wrong way round */
        {.first = 1, .newest = UINT64_MAX},        /* nothing could come after it */
        {.first = 1, .newest = 3, .whole = 4},     /* more than there is */
        {.first = 1, .newest = 3, .safe = 4},      /* the same */
        {.first = 1, .newest = 3, .run_count = 1}, /* a run from 0 */
        {.first = 1, .newest = 3, .run_count = 1, .runs = {{2, 4}}},         /* beyond the newest */
        {.first = 1, .newest = 9, .run_count = 2, .runs = {{2, 4}, {4, 5}}}, /* overlapping */
        {.first = 1, .newest = 9, .run_count = KEPT_RUNS_MAX + 1},
    };
    for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++)
        assert_false(kept_is_possible(&impossible[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_repeat_is_recognised_after_a_restart),
        cmocka_unit_test(what_was_missing_is_taken_after_a_restart),
        cmocka_unit_test(the_boot_before_is_known_as_well),
        cmocka_unit_test(what_the_ring_still_told_is_united_with_it),
        cmocka_unit_test(it_is_acknowledged_before_it_says_anything),
        cmocka_unit_test(its_clock_is_known_again),
        cmocka_unit_test(news_are_what_was_accounted_since),
        cmocka_unit_test(what_cannot_have_been_kept_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
