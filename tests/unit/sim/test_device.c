/* Batches, sending and troubles of a device, on a wire that is a list. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ack.pb-c.h"
#include "device.h"
#include "posture.pb-c.h"

#define BOOT  5
#define BATCH 200 /* ms */

typedef Lumbar__Posture__V1__Telemetry Telemetry;

/* What was sent, and whether the wire takes anything. */
struct wire {
    bool down;
    unsigned count, statuses, malformed;
    Telemetry *messages[2000];
};

static bool on_send(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    struct wire *wire = user;
    if (wire->down)
        return false;
    if (strcmp(topic, "lumbar/v1/posture/p-01/status") == 0) {
        wire->statuses++;
        return true;
    }
    assert_string_equal(topic, "lumbar/v1/posture/p-01/telemetry");
    assert_true(length <= BATCH_BYTES);
    Telemetry *message = lumbar__posture__v1__telemetry__unpack(NULL, length, bytes);
    wire->malformed += message == NULL;
    if (message != NULL)
        wire->messages[wire->count++] = message;
    return true;
}

struct fixture {
    struct device device;
    struct wire wire;
    int64_t now_ms; /* rows come each 20 ms */
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    device_init(&fixture->device, KIND_POSTURE, "p-01", POSTURE_HAS_ALL, BOOT, 1, BATCH, on_send,
                &fixture->wire);
    fixture->now_ms = 1000000;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < fixture->wire.count; i++)
        lumbar__posture__v1__telemetry__free_unpacked(fixture->wire.messages[i], NULL);
    device_fini(&fixture->device);
    free(fixture);
    return 0;
}

/* Time goes on for so long, with rows or without. */
static void pass(struct fixture *fixture, int64_t ms, bool rows)
{
    struct batch_now now = batch_now_unknown();
    now.contact = 1;
    for (int64_t end = fixture->now_ms + ms; fixture->now_ms < end; fixture->now_ms += 20) {
        struct posture_angles angles = {1, 2, 3, NAN, 5};
        if (rows)
            device_add_posture(&fixture->device, fixture->now_ms, &angles, 1, &now);
        device_pump(&fixture->device, fixture->now_ms, false);
    }
}

static void acknowledge(struct fixture *fixture, uint64_t boot, uint64_t sequence)
{
    Lumbar__Ack__V1__Ack ack = LUMBAR__ACK__V1__ACK__INIT;
    ack.has_boot_id = ack.has_sequence = true;
    ack.boot_id = boot;
    ack.sequence = sequence;
    uint8_t bytes[64];
    device_hear_ack(&fixture->device, bytes, lumbar__ack__v1__ack__pack(&ack, bytes),
                    fixture->now_ms);
}

static void rows_go_out_in_batches_that_say_what_they_are(void **state)
{
    struct fixture *fixture = *state;
    pass(fixture, 1000, true);
    const struct wire *wire = &fixture->wire;
    assert_in_range(wire->count, 4, 5);
    const Telemetry *second = wire->messages[1];
    assert_int_equal(second->boot_id, BOOT);
    assert_int_equal(second->sequence, 2);
    assert_int_equal(second->held_from, 1);
    assert_int_equal(second->n_dt_ms, 10);
    assert_int_equal(second->dt_ms[0], 0);
    assert_int_equal(second->dt_ms[9], 20);
    assert_int_equal(second->start_ms, 1000200);
    assert_in_range(second->now_ms, 1000400, 1000420);
    assert_true(second->wall_clock && second->contact);
    assert_int_equal(second->lumbar_flexion[0], 100);
    assert_int_equal(second->lumbar_flexion_velocity[0], 20);
    assert_int_equal(second->lumbar_lateral_flexion[0], INT32_MIN); /* NaN: silent */
    assert_int_equal(wire->statuses, 1);                            /* when it starts */
}

static void late_pumping_makes_the_same_messages(void **state)
{
    struct fixture *fixture = *state;
    struct batch_now now = batch_now_unknown();
    for (int i = 0; i < 100; i++) {
        struct posture_angles angles = {1, 2, 3, 4, 5};
        device_add_posture(&fixture->device, 1000000 + i * 20, &angles, 1, &now);
    }
    device_pump(&fixture->device, 1005000, true);
    assert_int_equal(fixture->wire.count, 10);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(fixture->wire.messages[i]->n_dt_ms, 10);
        assert_int_equal(fixture->wire.messages[i]->start_ms, 1000000 + i * 200);
    }
}

static void what_is_sent_again_has_its_times_and_a_fresh_clock(void **state)
{
    struct fixture *fixture = *state;
    pass(fixture, 1000, true);
    unsigned before = fixture->wire.count;
    acknowledge(fixture, BOOT, 3);
    device_connected(&fixture->device);
    fixture->now_ms += 60000;
    pass(fixture, 400, false);
    assert_int_equal(fixture->wire.messages[before]->sequence, 4);
    assert_int_equal(fixture->wire.messages[before]->held_from, 4);
    assert_int_equal(fixture->wire.messages[before]->start_ms, 1000600);
    assert_true(fixture->wire.messages[before]->now_ms >= 1061000);
}

static void a_wire_that_takes_nothing_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->wire.down = true;
    pass(fixture, 4000, true);
    assert_int_equal(fixture->wire.count, 0);
    fixture->wire.down = false;
    pass(fixture, 4000, false);
    assert_int_equal(fixture->wire.count, 20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(fixture->wire.messages[i]->sequence, i + 1);
}

static void nonsense_as_an_acknowledgement_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    pass(fixture, 1000, true);
    static const uint8_t garbage[] = {0xff, 0xff, 0xff, 0x09};
    device_hear_ack(&fixture->device, garbage, sizeof(garbage), fixture->now_ms);
    device_hear_ack(&fixture->device, garbage, 0, fixture->now_ms); /* an empty one says nothing */
    acknowledge(fixture, BOOT + 1, 2);
    acknowledge(fixture, BOOT, 1000);
    assert_int_equal(outbox_held_from(&fixture->device.outbox), 1);
}

static void trouble(struct fixture *fixture, struct device_trouble trouble)
{
    device_trouble(&fixture->device, &trouble, BOOT + 1);
}

static void silence_holds_everything_and_sends_it_afterwards(void **state)
{
    struct fixture *fixture = *state;
    trouble(fixture, (struct device_trouble){.silent = true});
    pass(fixture, 2000, true);
    assert_int_equal(fixture->wire.count, 0);
    trouble(fixture, (struct device_trouble){0});
    pass(fixture, 2000, false);
    assert_int_equal(fixture->wire.count, 10);
}

static void a_fifth_lost_leaves_gaps_for_good(void **state)
{
    struct fixture *fixture = *state;
    trouble(fixture, (struct device_trouble){.loss = 20});
    pass(fixture, 100000, true); /* 500 messages */
    const struct wire *wire = &fixture->wire;
    unsigned sent = wire->count;
    uint64_t newest = 0;
    for (unsigned i = 0; i < sent; i++)
        newest = wire->messages[i]->sequence > newest ? wire->messages[i]->sequence : newest;
    assert_true(newest > 480);
    unsigned first_time = 0;
    bool seen[600] = {false};
    for (unsigned i = 0; i < sent; i++) {
        first_time += !seen[wire->messages[i]->sequence];
        seen[wire->messages[i]->sequence] = true;
    }
    assert_in_range(newest - first_time, 70, 130);
}

static void duplicates_are_the_same_message_twice(void **state)
{
    struct fixture *fixture = *state;
    trouble(fixture, (struct device_trouble){.duplicates = 100});
    pass(fixture, 1000, true);
    const struct wire *wire = &fixture->wire;
    assert_true(wire->count >= 8 && wire->count % 2 == 0);
    for (unsigned i = 0; i < wire->count; i += 2)
        assert_int_equal(wire->messages[i]->sequence, wire->messages[i + 1]->sequence);
}

static void reordering_loses_nothing_and_changes_the_order(void **state)
{
    struct fixture *fixture = *state;
    trouble(fixture, (struct device_trouble){.reorder = true});
    pass(fixture, 9000, true);
    trouble(fixture, (struct device_trouble){0});
    pass(fixture, 400, true); /* the last one that was overtaken follows */
    const struct wire *wire = &fixture->wire;
    bool seen[64] = {false};
    unsigned backwards = 0;
    for (unsigned i = 0; i < wire->count; i++) {
        seen[wire->messages[i]->sequence] = true;
        backwards += i > 0 && wire->messages[i]->sequence < wire->messages[i - 1]->sequence;
    }
    assert_true(backwards >= 5);
    for (unsigned sequence = 1; sequence <= 45; sequence++)
        assert_true(seen[sequence]);
}

static void a_wrong_clock_stamps_rows_and_message_alike(void **state)
{
    struct fixture *fixture = *state;
    pass(fixture, 500, true);
    trouble(fixture, (struct device_trouble){.clock_ms = 90000});
    pass(fixture, 1000, true);
    trouble(fixture, (struct device_trouble){0}); /* and back: time falls between messages */
    pass(fixture, 1000, true);
    const struct wire *wire = &fixture->wire;
    unsigned ahead = 0;
    for (unsigned i = 0; i < wire->count; i++) {
        bool wrong = wire->messages[i]->start_ms > 1080000;
        ahead += wrong;
        if (wrong && i + 1 < wire->count && wire->messages[i + 1]->start_ms > 1080000)
            assert_true(wire->messages[i]->now_ms > 1080000);
    }
    assert_in_range(ahead, 5, 6);
    assert_true(wire->messages[wire->count - 1]->now_ms < 1010000);
}

static void what_is_malformed_cannot_be_decoded_and_is_sent_again_whole(void **state)
{
    struct fixture *fixture = *state;
    trouble(fixture, (struct device_trouble){.malformed = true});
    pass(fixture, 1000, true);
    assert_int_equal(fixture->wire.count, 0);
    assert_in_range(fixture->wire.malformed, 4, 5);
    trouble(fixture, (struct device_trouble){0});
    pass(fixture, 11000, false); /* nothing is confirmed: it begins again */
    const struct wire *wire = &fixture->wire;
    bool seen[8] = {false};
    for (unsigned i = 0; i < wire->count; i++) {
        assert_int_equal(wire->messages[i]->n_dt_ms, 10);
        seen[wire->messages[i]->sequence] = true;
    }
    for (unsigned sequence = 1; sequence <= 5; sequence++)
        assert_true(seen[sequence]);
}

static void a_reboot_is_another_boot_from_sequence_1_and_holds_nothing(void **state)
{
    struct fixture *fixture = *state;
    pass(fixture, 1000, true);
    unsigned before = fixture->wire.count;
    trouble(fixture, (struct device_trouble){.rebooting = true});
    pass(fixture, 1000, true);
    assert_int_equal(fixture->wire.count, before); /* it is off, and measures nothing */
    trouble(fixture, (struct device_trouble){0});
    pass(fixture, 1000, true);
    const Telemetry *first = fixture->wire.messages[before];
    assert_int_equal(first->boot_id, BOOT + 1);
    assert_int_equal(first->sequence, 1);
    assert_int_equal(first->held_from, 1);
    assert_int_equal(first->start_ms, 1002000);
    assert_int_equal(fixture->wire.statuses, 2);
}

static void a_full_batch_of_silent_sensors_fits_a_message(void **state)
{
    struct fixture *fixture = *state;
    fixture->device.batch_ms = 10000;
    struct batch_now now = batch_now_unknown();
    for (int i = 0; i < 2 * BATCH_ROWS; i++) {
        struct posture_angles angles = {NAN, NAN, NAN, NAN, NAN};
        device_add_posture(&fixture->device, 1000000 + i, &angles, 0, &now);
    }
    device_pump(&fixture->device, 1100000, true);
    assert_int_equal(fixture->wire.count, 2);
    assert_int_equal(fixture->wire.messages[0]->n_dt_ms, BATCH_ROWS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_go_out_in_batches_that_say_what_they_are),
        TEST(late_pumping_makes_the_same_messages),
        TEST(what_is_sent_again_has_its_times_and_a_fresh_clock),
        TEST(a_wire_that_takes_nothing_loses_nothing),
        TEST(nonsense_as_an_acknowledgement_changes_nothing),
        TEST(silence_holds_everything_and_sends_it_afterwards),
        TEST(a_fifth_lost_leaves_gaps_for_good),
        TEST(duplicates_are_the_same_message_twice),
        TEST(reordering_loses_nothing_and_changes_the_order),
        TEST(a_wrong_clock_stamps_rows_and_message_alike),
        TEST(what_is_malformed_cannot_be_decoded_and_is_sent_again_whole),
        TEST(a_reboot_is_another_boot_from_sequence_1_and_holds_nothing),
        TEST(a_full_batch_of_silent_sensors_fits_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
