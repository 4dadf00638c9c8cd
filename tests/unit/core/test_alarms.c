/* Alarms: occurrences, their table, and what a reload makes of them. */
#include "sensor.h"

#include "core/alarms.h"

#define NOW 1700000000000

static const char two_rules[] = "rules:\n"
                                "  - {name: bent, title: Bent, metric: angle, above: 45 deg,"
                                " priority: medium, text: Bent}\n"
                                "  - {name: hot, title: Hot, metric: temperature, above: 43 Cel,"
                                " priority: high, text: Hot}\n";
static const char hot_only[] = "rules:\n"
                               "  - {name: hot, title: Hot, metric: temperature, above: 41 Cel,"
                               " priority: low, text: Warm}\n";
static const char bent_other_way[] =
    "rules:\n"
    "  - {name: bent, title: Bent, metric: angle, below: -10 deg, priority: low, text: Back}\n";

static const char label_2[] =
    "rules:\n"
    "  - {name: slack, title: S, metric: posture, is: slouched, priority: low, text: S}\n";
static const char label_1[] =
    "rules:\n"
    "  - {name: slack, title: S, metric: posture, is: upright, priority: low, text: S}\n";

struct world {
    struct drivers drivers;
    struct rules *rules;
    struct devices *devices;
    struct alarms *alarms;
};

static struct rules *rules_of(const struct drivers *drivers, const char *yaml)
{
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text text = {"test.yaml", yaml, strlen(yaml), false};
    if (rules_load(&rules, &text, 1, drivers, 8, &diag) != 0)
        fail_msg("%s", diag.text);
    return rules;
}

static void world_init(struct world *world)
{
    struct diag diag = {0};
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    world->rules = rules_of(&world->drivers, two_rules);
    world->devices = devices_create(8, 10);
    for (int i = 0; i < 4; i++)
        devices_hear(world->devices, &world->drivers.list[0],
                     (const char *[]){"a", "b", "c", "d"}[i], 1);
    world->alarms = alarms_create();
}

static void world_fini(struct world *world)
{
    alarms_destroy(world->alarms);
    devices_destroy(world->devices);
    rules_destroy(world->rules);
    drivers_fini(&world->drivers);
}

static const struct alarm *take(struct world *world, const char *rule, uint32_t device, bool on,
                                int64_t time_ms)
{
    struct rule_event event = {.rule = rules_find(world->rules, rule),
                               .device = device,
                               .on = on,
                               .value = 50,
                               .worst = 50,
                               .limit = 40,
                               .time_ms = time_ms};
    return alarms_take(world->alarms, &event);
}

static void an_alarm_is_raised_once_and_ends_once(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_null(take(&world, "bent", 1, false, NOW)); /* over without having been */
    assert_int_equal(alarms_change(world.alarms), 0);

    const struct alarm *alarm = take(&world, "bent", 1, true, NOW);
    assert_int_equal(alarm->presence, ALARM_ON);
    assert_int_equal(alarm->number, 1);
    assert_int_equal(alarm->raised_ms, NOW);
    assert_true(alarm->value == 50);
    assert_null(take(&world, "bent", 1, true, NOW + 1));
    assert_int_equal(alarms_standing(world.alarms), 1);
    assert_int_equal(alarms_change(world.alarms), 1);

    assert_ptr_equal(take(&world, "bent", 1, false, NOW + 2), alarm);
    assert_int_equal(alarm->presence, ALARM_OFF);
    assert_int_equal(alarm->raised_ms, NOW);
    assert_int_equal(alarm->since_ms, NOW + 2);
    assert_int_equal(alarms_standing(world.alarms), 0);
    assert_int_equal(alarm->change, 2);
    assert_null(take(&world, "bent", 1, false, NOW + 3));
    world_fini(&world);
}

static void an_occurrence_after_the_end_has_its_own_number_in_the_same_place(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    const struct alarm *first = take(&world, "bent", 1, true, NOW);
    take(&world, "bent", 1, false, NOW + 1);
    const struct alarm *second = take(&world, "bent", 1, true, NOW + 2);
    assert_ptr_equal(first, second);
    assert_int_equal(second->number, 2);
    assert_int_equal(second->raised_ms, NOW + 2);
    assert_null(alarms_next(world.alarms, second));
    world_fini(&world);
}

static void rules_and_devices_have_alarms_of_their_own(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    take(&world, "bent", 1, true, NOW);
    take(&world, "hot", 1, true, NOW);
    take(&world, "bent", 2, true, NOW);
    take(&world, "bent", 1, false, NOW + 1);
    assert_int_equal(alarms_standing(world.alarms), 2);
    unsigned count = 0;
    for (const struct alarm *at = NULL; (at = alarms_next(world.alarms, at)) != NULL;)
        count++;
    assert_int_equal(count, 3);
    world_fini(&world);
}

/* Devices beyond those in the table: the place is what is looked at. */
static void a_full_table_gives_the_place_of_the_alarm_longest_over(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (uint32_t device = 1; device <= ALARMS_MAX; device++)
        assert_non_null(take(&world, "bent", device, true, NOW + device));
    assert_null(take(&world, "hot", 1, true, NOW)); /* all stand: said, not dropped in silence */
    assert_int_equal(alarms_overflow(world.alarms), 1);
    assert_int_equal(alarms_standing(world.alarms), ALARMS_MAX);

    take(&world, "bent", 17, false, NOW + 5000);
    take(&world, "bent", 16, false, NOW + 6000);
    for (uint32_t i = 0; i < ALARMS_PLACES - ALARMS_MAX; i++) { /* these have places of their own */
        if (i > 1)
            take(&world, "bent", 100 + i, false, NOW + 6000 + i);
        const struct alarm *hot = take(&world, "hot", 1 + i, true, NOW + 6000 + i);
        assert_ptr_equal(hot, alarms_at(world.alarms, ALARMS_MAX + i));
    }
    assert_null(take(&world, "hot", 4000, true, NOW + 7000)); /* as many stand as may */
    assert_int_equal(alarms_overflow(world.alarms), 2);
    take(&world, "bent", 15, false, NOW + 7000);
    const struct alarm *alarm = take(&world, "hot", 4000, true, NOW + 7000);
    assert_non_null(alarm);
    assert_ptr_equal(alarm, alarms_at(world.alarms, 16));
    assert_int_equal(alarms_overflow(world.alarms), 2);
    assert_null(take(&world, "bent", 17, false, NOW + 8000)); /* forgotten, and over anyway */
    assert_null(alarms_at(world.alarms, ALARMS_PLACES));
    world_fini(&world);
}

static const struct alarm *order(struct world *world, uint64_t number, enum alarm_deed deed)
{
    const struct alarm_order order = {.deed = deed, .now_ms = NOW, .until_ms = NOW + 1000};
    const struct alarm *alarm;
    assert_int_equal(alarms_order(world->alarms, number, &order, &alarm), 0);
    return alarm;
}

static void a_more_urgent_alarm_takes_the_place_of_the_least(void **state)
{
    (void)state;
    struct world world;
    world_init(&world); /* bent is medium, hot is high */
    take(&world, "hot", 1, true, NOW);
    for (uint32_t device = 1; device <= 5; device++)
        take(&world, "bent", device, true, NOW + device);
    assert_null(alarms_displace(world.alarms, PRIORITY_LOW, NOW));
    assert_null(alarms_displace(world.alarms, PRIORITY_MEDIUM, NOW));
    order(&world, 6, DEED_ACK);                     /* bent of device 5: it is known */
    order(&world, 5, DEED_SHELVE);                  /* of 4: its shelf keeps the place */
    static const uint32_t devices[] = {3, 2, 1, 5}; /* the newest first, what is known last */
    for (size_t i = 0; i < 4; i++) {
        const struct alarm *least = alarms_displace(world.alarms, PRIORITY_HIGH, NOW + 100);
        assert_non_null(least);
        assert_int_equal(least->device, devices[i]);
        assert_int_equal(least->state, STATE_OFF);
        assert_int_equal(least->deed, DEED_YIELD);
    }
    assert_null(alarms_displace(world.alarms, PRIORITY_HIGH, NOW + 100));
    assert_int_equal(alarms_standing(world.alarms), 2);
    world_fini(&world);
}

struct ended {
    unsigned count;
    char name[32];
    int64_t since_ms;
};

static void on_change(void *user, const struct alarm *alarm)
{
    struct ended *ended = user;
    ended->count++;
    assert_int_equal(alarm->presence, ALARM_OFF);
    snprintf(ended->name, sizeof(ended->name), "%s", alarm->rule->name);
    ended->since_ms = alarm->since_ms;
}

static void reload(struct world *world, const char *yaml, struct ended *ended)
{
    struct rules *fresh = rules_of(&world->drivers, yaml);
    alarms_adopt(world->alarms, fresh, NOW + 99, on_change, ended);
    rules_destroy(world->rules); /* whoever still points to it is found by the sanitizer */
    world->rules = fresh;
}

static void a_reload_keeps_the_alarms_of_rules_that_stay(void **state)
{
    (void)state;
    struct world world;
    struct ended ended = {0};
    world_init(&world);
    const struct alarm *alarm = take(&world, "hot", 2, true, NOW);
    reload(&world, two_rules, &ended);
    assert_int_equal(ended.count, 0);
    assert_ptr_equal(alarm->rule, rules_find(world.rules, "hot"));
    reload(&world, hot_only, &ended); /* another limit and priority, the same matter */
    assert_int_equal(ended.count, 0);
    assert_int_equal(alarm->rule->priority, PRIORITY_LOW);
    assert_ptr_equal(take(&world, "hot", 2, false, NOW + 100), alarm);
    world_fini(&world);
}

static void a_reload_ends_the_alarms_of_rules_that_go_or_turn_into_others(void **state)
{
    (void)state;
    const char *const sets[] = {hot_only, bent_other_way};
    for (int i = 0; i < 2; i++) {
        struct world world;
        struct ended ended = {0};
        world_init(&world);
        take(&world, "bent", 1, true, NOW);
        take(&world, "bent", 2, true, NOW);
        take(&world, "bent", 2, false, NOW + 1); /* over already: nobody is told again */
        reload(&world, sets[i], &ended);
        assert_int_equal(ended.count, 1);
        assert_string_equal(ended.name, "bent");
        assert_int_equal(ended.since_ms, NOW + 99);
        assert_int_equal(alarms_standing(world.alarms), 0);
        assert_null(alarms_next(world.alarms, NULL));
        world_fini(&world);
    }
}

/* The same question as the rules' states are taken over by: another label is another matter. */
static void a_reload_ends_the_alarm_of_another_label(void **state)
{
    (void)state;
    struct world world;
    struct ended ended = {0};
    world_init(&world);
    reload(&world, label_2, &ended);
    take(&world, "slack", 1, true, NOW);
    reload(&world, label_2, &ended);
    assert_int_equal(ended.count, 0);
    reload(&world, label_1, &ended);
    assert_int_equal(ended.count, 1);
    assert_string_equal(ended.name, "slack");
    world_fini(&world);
}

static enum rule_sight known_always(void *user, const struct rule *rule, uint32_t device)
{
    (void)user, (void)rule, (void)device;
    return SIGHT_KNOWN;
}

static void nothing(void *user, const struct alarm *alarm)
{
    (void)user, (void)alarm;
}

/* Beyond age: what is shelved or known to somebody speaks last. */
static void a_room_shows_the_alarm_that_waits(void **state)
{
    (void)state;
    struct world world;
    const struct alarm *alarm;
    world_init(&world);
    const struct rule *bent = rules_find(world.rules, "bent");
    for (uint32_t id = 1; id <= 3; id++) {
        devices_assign(world.devices, devices_at(world.devices, id), 1);
        take(&world, "bent", id, true, NOW + id);
    }
    const struct alarm_order shelve = {.deed = DEED_SHELVE, .now_ms = NOW, .until_ms = NOW + 9999};
    const struct alarm_order ack = {.deed = DEED_ACK, .now_ms = NOW};
    assert_int_equal(alarms_order(world.alarms, 1, &shelve, &alarm), 0);
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 2);
    assert_int_equal(alarms_order(world.alarms, 2, &ack, &alarm), 0);
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 3);
    assert_int_equal(alarms_order(world.alarms, 3, &ack, &alarm), 0);
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 2);
    alarms_tick(world.alarms, NOW + 9999, known_always, NULL, nothing,
                NULL); /* the shelf's time is over */
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 1);
    world_fini(&world);
}

static void a_room_shows_the_alarm_that_stands_longest(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    const struct rule *bent = rules_find(world.rules, "bent");
    for (uint32_t id = 1; id <= 4; id++)
        devices_assign(world.devices, devices_at(world.devices, id), id == 4 ? 2 : 1);
    assert_null(alarms_of_room(world.alarms, bent, world.devices, 1));
    take(&world, "bent", 1, true, NOW + 20);
    take(&world, "bent", 2, true, NOW + 10);
    take(&world, "bent", 4, true, NOW); /* another room */
    take(&world, "hot", 3, true, NOW);  /* another rule */
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 2);
    take(&world, "bent", 2, false, NOW + 30);
    assert_int_equal(alarms_of_room(world.alarms, bent, world.devices, 1)->device, 1);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_is_raised_once_and_ends_once),
        cmocka_unit_test(an_occurrence_after_the_end_has_its_own_number_in_the_same_place),
        cmocka_unit_test(rules_and_devices_have_alarms_of_their_own),
        cmocka_unit_test(a_more_urgent_alarm_takes_the_place_of_the_least),
        cmocka_unit_test(a_full_table_gives_the_place_of_the_alarm_longest_over),
        cmocka_unit_test(a_reload_keeps_the_alarms_of_rules_that_stay),
        cmocka_unit_test(a_reload_ends_the_alarms_of_rules_that_go_or_turn_into_others),
        cmocka_unit_test(a_reload_ends_the_alarm_of_another_label),
        cmocka_unit_test(a_room_shows_the_alarm_that_waits),
        cmocka_unit_test(a_room_shows_the_alarm_that_stands_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
