/* What a plugin wants said to its device, and when it is. */
#include "core/ingest.h"
#include "sensor.h"

#define TOPIC "lumbar/v1/talker/t-01/telemetry"

/* Sequence by sequence; it always has something to say. */
static int decode(void *state, const struct lumbar_message *message, struct lumbar_scratch *scratch,
                  struct lumbar_batch *batch)
{
    (void)state, (void)scratch;
    batch->flags = LUMBAR_HAS_SEQUENCE;
    batch->boot_id = 7;
    batch->sequence = message->payload[0];
    batch->command_leaf = "set";
    batch->command = message->payload;
    batch->command_bytes = message->payload_bytes;
    return LUMBAR_DECODED;
}

struct world {
    struct drivers drivers;
    struct ingest ingest;
    struct lumbar_plugin plugin;
    unsigned said;
    uint8_t last;
    bool refuse;
};

static bool on_command(void *user, const struct device *device, const char *leaf,
                       const uint8_t *command, size_t bytes)
{
    struct world *world = user;
    assert_string_equal(device->name, "t-01");
    assert_string_equal(leaf, "set");
    assert_int_equal(bytes, 1);
    if (world->refuse)
        return false;
    world->said++;
    world->last = command[0];
    return true;
}

static int open_world(void **state)
{
    static struct world world;
    struct diag diag = {0};
    memset(&world, 0, sizeof(world));
    world.plugin = sensor_plugin;
    world.plugin.kind = "talker";
    world.plugin.topic = "lumbar/v1/talker/{device}/{leaf}";
    world.plugin.decode = decode;
    drivers_init(&world.drivers);
    assert_int_equal(drivers_add(&world.drivers, &world.plugin, &diag), 0);
    struct ingest *ingest = &world.ingest;
    assert_int_equal(rules_load(&ingest->rules, NULL, 0, &world.drivers, 2, &diag), 0);
    ingest->drivers = &world.drivers;
    ingest->devices = devices_create(2, 1000);
    ingest->routes = routes_create(2);
    ingest->alarms = alarms_create();
    ingest->feed = feed_create(64 * 1024);
    ingest->user = &world;
    ingest->on_command = on_command;
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    feed_destroy(world->ingest.feed);
    alarms_destroy(world->ingest.alarms);
    routes_destroy(world->ingest.routes);
    devices_destroy(world->ingest.devices);
    rules_destroy(world->ingest.rules);
    drivers_fini(&world->drivers);
    return 0;
}

static void say(struct world *world, uint8_t sequence, int64_t now_ms, bool used)
{
    struct ingest_message message = {TOPIC,  strlen(TOPIC),   &sequence, 1,
                                     now_ms, sequence * 100u, used};
    ingest_take(&world->ingest, &message, now_ms);
}

static void a_command_is_said_once_a_second_of_what_is_new(void **state)
{
    struct world *world = *state;
    static const struct {
        uint8_t sequence;
        int64_t now_ms;
        bool used, refuse;
        unsigned said, refused; /* then */
    } steps[] = {
        {1, 10000, false, false, 1, 0}, {1, 11500, false, false, 1, 0}, /* a repeat */
        {2, 12000, false, false, 2, 0}, {3, 12999, false, false, 2, 1}, /* too soon */
        {4, 13000, false, false, 3, 1}, {5, 15000, false, true, 3, 2},  /* the broker is away */
        {6, 15001, false, false, 4, 2}, /* what was not said does not count as said */
        {7, 20000, true, false, 4, 2},  /* of a run before */
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        world->refuse = steps[i].refuse;
        say(world, steps[i].sequence, steps[i].now_ms, steps[i].used);
        const struct device *device = devices_at(world->ingest.devices, 1);
        assert_int_equal(world->said, steps[i].said);
        assert_int_equal(device->commands, steps[i].said);
        assert_int_equal(device->commands_refused, steps[i].refused);
    }
    assert_int_equal(world->last, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_said_once_a_second_of_what_is_new, open_world,
                                        close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
