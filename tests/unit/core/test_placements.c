/* Devices that were put into another room: whose word holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/placements.h"

static const struct lumbar_plugin plugin = {.kind = "pad"};
static const struct driver driver = {.plugin = &plugin};

struct floor {
    struct devices *devices;
    struct device *device;
    struct placements *placements;
    unsigned ended;
};

static struct config *parse(const char *yaml)
{
    struct config *config = NULL;
    struct diag diag = {0};
    if (config_parse(&config, "t.yaml", yaml, strlen(yaml), &diag) != 0)
        fail_msg("%s", diag.text);
    return config;
}

static void open_floor(struct floor *floor, const char *room, const char *configured)
{
    struct placement placement = {.at_ms = 1, .who = "Ana"};
    strcpy(placement.room, room);
    strcpy(placement.configured, configured);
    *floor = (struct floor){.devices = devices_create(4, 100), .placements = placements_create(4)};
    floor->device = devices_hear(floor->devices, &driver, "x", 1);
    assert_true(placements_put(floor->placements, floor->device->id, &placement));
}

static void close_floor(struct floor *floor)
{
    placements_destroy(floor->placements);
    devices_destroy(floor->devices);
}

static void on_end(void *user, const struct device *device, const struct placement *placement)
{
    struct floor *floor = user;
    assert_string_equal(placement->who, "Ana");
    assert_ptr_equal(device, floor->device);
    floor->ended++;
}

/* In which room of which configuration it is then, and whether that is by hand. */
static const struct row {
    const char *room, *configured, *yaml;
    uint32_t wanted;
    bool by_hand;
} rows[] = {
    /* The configuration says of it what it said. */
    {"b", "a", "rooms: [{name: a, devices: [pad/x]}, {name: b}]\n", 2, true},
    /* The same, and rooms have other numbers. */
    {"b", "a", "rooms: [{name: b}, {name: a, devices: [pad/x]}]\n", 1, true},
    /* It says something new, of this device, */
    {"b", "a", "rooms: [{name: a}, {name: b}, {name: c, devices: [pad/x]}]\n", 3, false},
    /* though it be the same room, */
    {"b", "a", "rooms: [{name: a}, {name: b, devices: [pad/x]}]\n", 2, false},
    /* or that it is in none. */
    {"b", "a", "rooms: [{name: a}, {name: b}]\n", ROOM_NONE, false},
    /* The room is gone. */
    {"b", "a", "rooms: [{name: a, devices: [pad/x]}]\n", 1, false},
    /* Out of any room, by hand. */
    {"", "a", "rooms: [{name: a, devices: [pad/x]}]\n", ROOM_NONE, true},
    /* One that the configuration does not name. */
    {"a", "", "rooms: [{name: a, devices: [pad/y, pa/x]}]\n", 1, true},
    {"a", "", "rooms: [{name: a}, {name: b, devices: [pad/x]}]\n", 2, false},
};

static void the_newer_word_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct floor floor;
        struct config *config = parse(rows[i].yaml);
        open_floor(&floor, rows[i].room, rows[i].configured);
        placements_adopt(floor.placements, floor.devices, config, on_end, &floor);
        bool by_hand = placements_of(floor.placements, floor.device->id) != NULL;
        uint32_t room = placements_room(floor.placements, config, floor.device);
        if (room != rows[i].wanted || by_hand != rows[i].by_hand || floor.ended == by_hand)
            fail_msg("row %zu: room %u, by hand %d, ended %u", i, room, by_hand, floor.ended);
        config_destroy(config);
        close_floor(&floor);
    }
}

static void one_that_is_dropped_leaves_the_device_where_it_is_configured(void **state)
{
    (void)state;
    struct floor floor;
    struct config *config = parse("rooms: [{name: a, devices: [pad/x]}, {name: b}]\n");
    open_floor(&floor, "b", "a");
    assert_int_equal(placements_room(floor.placements, config, floor.device), 2);
    placements_drop(floor.placements, floor.device->id);
    assert_int_equal(placements_room(floor.placements, config, floor.device), 1);
    assert_int_equal(placements_room(NULL, config, floor.device), 1);
    assert_int_equal(placements_room(floor.placements, NULL, floor.device), ROOM_NONE);
    config_destroy(config);
    close_floor(&floor);
}

static void there_is_none_for_a_device_beyond_the_table(void **state)
{
    (void)state;
    struct floor floor;
    const struct placement placement = {.at_ms = 1};
    open_floor(&floor, "b", "a");
    assert_false(placements_put(floor.placements, 0, &placement));
    assert_false(placements_put(floor.placements, 5, &placement));
    assert_null(placements_of(floor.placements, 5));
    placements_drop(floor.placements, 5);
    close_floor(&floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newer_word_holds),
        cmocka_unit_test(one_that_is_dropped_leaves_the_device_where_it_is_configured),
        cmocka_unit_test(there_is_none_for_a_device_beyond_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
