/* What was heard and could not be kept: it is not acknowledged, and wanted when it comes again. */
#include "one_device.h"

#include "core/account_kept.h"

static bool on_ack(void *user, const struct device *device, uint64_t boot_id, uint64_t sequence)
{
    assert_non_null(device);
    assert_int_equal(boot_id, 7);
    *(uint64_t *)user = sequence;
    return true;
}

/* Up to which sequence it was told now; 0: nothing. All of it is on disk. */
static uint64_t acked(struct world *world, int64_t now_ms)
{
    uint64_t sequence = 0;
    devices_acks(world->devices, 1000000, 0, now_ms, 1000, on_ack, &sequence);
    return sequence;
}

static void hear_all(struct world *world, uint64_t from, uint64_t to, unsigned what)
{
    for (uint64_t sequence = from; sequence <= to; sequence++) {
        assert_int_equal(hear(world->device, sequence, 1, sequence), DEVICE_NEW);
        device_miss(world->device, what);
    }
}

static void what_is_not_kept_is_not_acknowledged(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    hear_all(&world, 1, 4, 0);
    hear_all(&world, 5, 9, MISSING_HISTORY);
    hear_all(&world, 10, 12, 0);
    assert_int_equal(acked(&world, 0), 4);
    devices_destroy(world.devices);
}

static void it_is_wanted_once_when_it_comes_again(void **state)
{
    (void)state;
    static const uint64_t order[] = {7, 5, 9, 6, 8}; /* each splits what is left in another way */
    struct world world = world_of(2, 10);
    hear_all(&world, 1, 4, 0);
    hear_all(&world, 5, 9, MISSING_HISTORY);
    hear_all(&world, 10, 12, 0);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        assert_true(acked(&world, 2000 * (int64_t)i) < 9);
        assert_int_equal(hear(world.device, order[i], 1, 100), DEVICE_WANTED);
        assert_int_equal(device_missing(world.device), MISSING_HISTORY);
        assert_int_equal(hear(world.device, order[i], 1, 100), DEVICE_DUPLICATE);
        assert_int_equal(device_missing(world.device), 0);
    }
    assert_int_equal(hear(world.device, 4, 1, 100), DEVICE_DUPLICATE);
    assert_int_equal(acked(&world, 20000), 12);
    devices_destroy(world.devices);
}

static void tape_and_history_miss_it_each_for_itself(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    hear_all(&world, 1, 3, MISSING_TAPE);
    hear(world.device, 4, 1, 4);
    device_miss(world.device, MISSING_HISTORY);
    device_miss(world.device, MISSING_TAPE);
    assert_int_equal(hear(world.device, 2, 1, 100), DEVICE_WANTED);
    assert_int_equal(device_missing(world.device), MISSING_TAPE);
    assert_int_equal(hear(world.device, 4, 1, 100), DEVICE_WANTED);
    assert_int_equal(device_missing(world.device), MISSING_TAPE | MISSING_HISTORY);
    device_miss(world.device, MISSING_HISTORY); /* again there was no room for it */
    assert_int_equal(hear(world.device, 4, 1, 100), DEVICE_WANTED);
    assert_int_equal(device_missing(world.device), MISSING_HISTORY);
    devices_destroy(world.devices);
}

static void what_the_device_let_go_is_not_waited_for(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    hear_all(&world, 1, 9, MISSING_HISTORY);
    hear(world.device, 10, 6, 10); /* it holds nothing before 6 */
    assert_int_equal(acked(&world, 0), 5);
    assert_int_equal(hear(world.device, 3, 6, 100), DEVICE_DUPLICATE);
    hear(world.device, 11, 10, 11);
    assert_int_equal(acked(&world, 2000), 11);
    devices_destroy(world.devices);
}

static void spans_are_bounded(void **state)
{
    (void)state;
    struct world world = world_of(2, 10);
    for (uint64_t sequence = 1; sequence <= 80; sequence++) {
        hear(world.device, sequence, 1, sequence);
        device_miss(world.device, sequence % 2 == 0 ? MISSING_HISTORY : 0);
    }
    struct devices_missed missed;
    devices_missed(world.devices, &missed);
    assert_int_equal(missed.most, DEVICE_MISSED_MAX);
    assert_int_equal(missed.given_up, 40 - DEVICE_MISSED_MAX);
    assert_int_equal(hear(world.device, 80, 1, 100), DEVICE_WANTED);
    assert_int_equal(hear(world.device, 2, 1, 100), DEVICE_DUPLICATE); /* a gap for ever */
    devices_destroy(world.devices);
}

static void it_is_known_after_a_restart(void **state)
{
    (void)state;
    static struct kept_boot kept;
    struct world before = world_of(2, 10), world = world_of(2, 10);
    hear_all(&before, 1, 4, 0);
    hear_all(&before, 5, 9, MISSING_HISTORY);
    assert_true(device_keep(before.device, 0, &kept));
    assert_true(kept_is_possible(&kept));
    device_restore(world.device, &kept, 1);
    assert_int_equal(acked(&world, 0), 4);
    assert_int_equal(hear(world.device, 6, 1, 100), DEVICE_WANTED);
    assert_int_equal(hear(world.device, 4, 1, 100), DEVICE_DUPLICATE);
    devices_destroy(before.devices);
    devices_destroy(world.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_kept_is_not_acknowledged),
        cmocka_unit_test(it_is_wanted_once_when_it_comes_again),
        cmocka_unit_test(tape_and_history_miss_it_each_for_itself),
        cmocka_unit_test(what_the_device_let_go_is_not_waited_for),
        cmocka_unit_test(spans_are_bounded),
        cmocka_unit_test(it_is_known_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
