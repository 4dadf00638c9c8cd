/* What becomes of a message that cannot be used, and whose it was. */
#include "ingest_world.h"

static void each_message_has_one_of_three_ends(void **state)
{
    struct world *world = *state;
    const char *topic = "lumbar/v1/posture/p-01/telemetry";
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    const struct {
        const char *topic;
        const void *payload;
        size_t bytes;
        enum ingest_result result;
        enum refusal why;
    } cases[] = {
        {topic, good, bytes, INGEST_USED, 0},
        {topic, good, bytes, INGEST_REPEATED, 0},
        {topic, good, bytes - 1, INGEST_REFUSED, REFUSED_MALFORMED}, /* cut short */
        {topic, "\xff", 1, INGEST_REFUSED, REFUSED_MALFORMED},
        {"lumbar/v1/scale/s-01/telemetry", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
        {"lumbar/v1/posture/a b/telemetry", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
        {"", good, bytes, INGEST_REFUSED, REFUSED_MALFORMED},
    };
    unsigned refused = 0;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum ingest_result result =
            take(world, cases[i].topic, cases[i].payload, cases[i].bytes, NOW);
        assert_int_equal(result, cases[i].result);
        refused += result == INGEST_REFUSED;
        assert_int_equal(world->refused, refused);
        if (result == INGEST_REFUSED)
            assert_int_equal(world->why, cases[i].why);
    }
    assert_int_equal(world->ingest.refused, refused);
}

/* A table without place for one topic: each message's is parsed anew. */
static void whose_a_message_was_is_known_though_the_routes_are_full(void **state)
{
    struct world *world = *state;
    routes_destroy(world->ingest.routes);
    world->ingest.routes = routes_create(0);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        assert_int_equal(take_batch(world, sequence, NOW, 10), INGEST_USED);
        assert_ptr_equal(world->ingest.heard, devices_at(world->ingest.devices, 1));
    }
    take(world, "lumbar/v1/posture/p-01/telemetry", "\xff", 1, NOW); /* refused, but known */
    assert_ptr_equal(world->ingest.heard, devices_at(world->ingest.devices, 1));
    take(world, "lumbar/v1/scale/s-01/telemetry", "\xff", 1, NOW);
    assert_null(world->ingest.heard);
}

/* The table has eight places. */
static void made_up_names_take_no_place_from_a_device_that_speaks(void **state)
{
    struct world *world = *state;
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    char topic[64];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(topic, sizeof(topic), "lumbar/v1/posture/made-up-%u/telemetry", i);
        assert_int_equal(take(world, topic, "\xff\xff", 2, NOW + i), INGEST_REFUSED);
        assert_int_equal(world->why, REFUSED_MALFORMED);
    }
    assert_int_equal(devices_count(world->ingest.devices), 1);
    assert_int_equal(take(world, "lumbar/v1/posture/p-02/telemetry", good, bytes, NOW + 100),
                     INGEST_USED);
    assert_int_equal(devices_count(world->ingest.devices), 2);
    assert_int_equal(devices_at(world->ingest.devices, 2)->messages, 1);
}

static bool any_is_condemned(void *user, const struct ingest_message *message)
{
    (void)user, (void)message;
    return true;
}

static void what_killed_the_hub_is_not_decoded_whoever_sends_it(void **state)
{
    static const char *const topics[] = {"lumbar/v1/posture/p-01/telemetry",
                                         "lumbar/v1/posture/never-heard/telemetry"};
    struct world *world = *state;
    struct device *device = devices_at(world->ingest.devices, 1);
    uint8_t deadly[512];
    size_t bytes = write_batch(deadly, 1, NOW, 1);
    world->ingest.is_condemned = any_is_condemned;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(take(world, topics[i], deadly, bytes, NOW), INGEST_REFUSED);
        assert_int_equal(world->why, REFUSED_QUARANTINE);
    }
    assert_int_equal(devices_count(world->ingest.devices), 1);
    assert_int_equal(device->refused[REFUSED_QUARANTINE], 1);
    assert_int_equal(device->messages, 0);
    /* What a run before has used did no harm then. */
    struct ingest_message used = {topics[0], strlen(topics[0]), deadly, bytes, NOW, 0, true};
    assert_int_equal(ingest_take(&world->ingest, &used, NOW), INGEST_USED);
    assert_int_equal(device->messages, 1);
}

/* Each with its words, and counted for the device where it is known. */
static void each_refusal_has_its_reason(void **state)
{
    struct world *world = *state;
    struct diag diag = {0};
    routes_destroy(world->ingest.routes);
    devices_destroy(world->ingest.devices);
    world->ingest.routes = routes_create(8);
    world->ingest.devices = devices_create(8, 20);
    assert_int_equal(ingest_assign(&world->ingest, &diag), 0);
    struct device *device = devices_at(world->ingest.devices, 1);
    uint8_t good[512];
    size_t bytes = write_batch(good, 1, NOW, 1);
    char topic[64];
    for (unsigned i = 2; i <= 8; i++) { /* as many as have a place */
        snprintf(topic, sizeof(topic), "lumbar/v1/posture/p-0%u/telemetry", i);
        assert_int_equal(take(world, topic, good, bytes, NOW), INGEST_USED);
    }
    enum { NOBODY = REFUSED_COUNT_ };
    static const struct {
        const char *topic;
        size_t cut; /* off a good message */
        bool deadly, often;
        enum refusal why;
        const char *reason;
        unsigned of_device; /* which of p-01's counters grows */
    } cases[] = {
        {"lumbar/v1/scale/s-01/telemetry", 0, false, false, REFUSED_MALFORMED,
         "no plugin knows its topic", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 1, false, false, REFUSED_MALFORMED,
         "its plugin cannot decode it", REFUSED_MALFORMED},
        {"lumbar/v1/posture/p-99/telemetry", 1, false, false, REFUSED_MALFORMED,
         "its plugin cannot decode it", NOBODY},
        {"lumbar/v1/posture/p-99/telemetry", 0, false, false, REFUSED_RATE,
         "no place for one more device", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 0, true, false, REFUSED_QUARANTINE,
         "one like it killed the hub", REFUSED_QUARANTINE},
        {"lumbar/v1/posture/p-99/telemetry", 0, true, false, REFUSED_QUARANTINE,
         "one like it killed the hub", NOBODY},
        {"lumbar/v1/posture/p-01/telemetry", 0, false, true, REFUSED_RATE,
         "it sends more than it may", REFUSED_RATE},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t before[REFUSED_COUNT_];
        world->ingest.is_condemned = cases[i].deadly ? any_is_condemned : NULL;
        for (unsigned n = 0; cases[i].often && n < 50; n++)
            take(world, cases[i].topic, good, bytes, NOW); /* until it may say no more */
        memcpy(before, device->refused, sizeof(before));
        assert_int_equal(take(world, cases[i].topic, good, bytes - cases[i].cut, NOW),
                         INGEST_REFUSED);
        assert_int_equal(world->why, cases[i].why);
        assert_string_equal(world->reason, cases[i].reason);
        for (unsigned r = 0; r < REFUSED_COUNT_; r++)
            assert_int_equal(device->refused[r] - before[r], r == cases[i].of_device);
        world->why = REFUSED_COUNT_;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_message_has_one_of_three_ends, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(whose_a_message_was_is_known_though_the_routes_are_full,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(made_up_names_take_no_place_from_a_device_that_speaks,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_killed_the_hub_is_not_decoded_whoever_sends_it,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(each_refusal_has_its_reason, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
