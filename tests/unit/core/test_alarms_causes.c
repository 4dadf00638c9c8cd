/* Root causes: what is put behind them, and when it is in sight again. */
#include "sensor.h"

#include "core/alarms.h"

#define NOW INT64_C(1700000000000)

/* By the first letter of their names. Devices 1 and 2 are in room 1, 3 in room 2, 4 in none. */
static const char rules_text[] =
    "rules:\n"
    "  - {name: absent, title: A, metric: angle, absent: 5 s, priority: medium, text: A,"
    " inhibits: device, escalate: 60 s}\n"
    "  - {name: gateway, title: G, metric: posture, is: slouched, priority: medium, text: G,"
    " technical: true, inhibits: room, latch: true}\n"
    "  - {name: mute, title: M, metric: temperature, absent: 15 s, priority: high, text: M}\n"
    "  - {name: weak, title: W, metric: battery, below: 20 %, priority: medium, text: W,"
    " technical: true, escalate: 60 s}\n"
    "  - {name: urgent, title: U, metric: battery, below: 5 %, priority: high, text: U,"
    " technical: true}\n"
    "  - {name: kept, title: K, metric: battery, below: 10 %, priority: low, text: K,"
    " technical: true, latch: true}\n"
    "  - {name: bent, title: B, metric: angle, above: 45 deg, priority: low, text: B}\n"
    "  - {name: zeal, title: Z, metric: posture, is: upright, priority: low, text: Z,"
    " technical: true, inhibits: device}\n";

struct world {
    struct drivers drivers;
    struct rules *rules;
    struct devices *devices;
    struct alarms *alarms;
    int64_t now_ms;
    int64_t hub_ms, broker_ms;
    bool lost;
    unsigned told;
};

static void world_init(struct world *world)
{
    struct diag diag = {0};
    struct rules_text text = {"test.yaml", rules_text, strlen(rules_text), false};
    *world = (struct world){.now_ms = NOW};
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    if (rules_load(&world->rules, &text, 1, &world->drivers, 4, &diag) != 0)
        fail_msg("%s", diag.text);
    world->devices = devices_create(4, 10);
    for (uint32_t i = 0; i < 4; i++) {
        const char name[] = {(char)('1' + i), '\0'};
        struct device *device = devices_hear(world->devices, &world->drivers.list[0], name, 1);
        devices_assign(world->devices, device, (const uint32_t[]){1, 1, 2, ROOM_NONE}[i]);
    }
    world->alarms = alarms_create();
}

static void world_fini(struct world *world)
{
    alarms_destroy(world->alarms);
    devices_destroy(world->devices);
    rules_destroy(world->rules);
    drivers_fini(&world->drivers);
}

static void on_change(void *user, const struct alarm *alarm)
{
    struct world *world = user;
    assert_non_null(alarm);
    world->told++;
}

static enum rule_sight is_known(void *user, const struct rule *rule, uint32_t device)
{
    const struct world *world = user;
    (void)device;
    return !world->lost || rule->condition == RULE_ABSENT ? SIGHT_KNOWN : SIGHT_LOST;
}

static void tick(struct world *world, int64_t after_ms)
{
    world->now_ms += after_ms;
    alarms_blame(world->alarms, world->hub_ms, world->broker_ms);
    alarms_tick(world->alarms, world->now_ms, is_known, NULL, on_change, world);
    alarms_place(world->alarms, world->devices, world->now_ms, on_change, world);
}

static const struct rule *rule_of(const struct world *world, char letter)
{
    for (uint32_t i = 0; i < rules_count(world->rules); i++)
        if (rules_at(world->rules, i)->name[0] == letter)
            return rules_at(world->rules, i);
    fail_msg("no rule '%c'", letter);
    return NULL;
}

static const struct alarm *alarm_of(const struct world *world, char rule, char device)
{
    const struct alarm *at = NULL;
    while ((at = alarms_next(world->alarms, at)) != NULL)
        if (at->rule->name[0] == rule && at->device == (uint32_t)(device - '0'))
            return at;
    fail_msg("no alarm %c%c", rule, device);
    return NULL;
}

static void order(struct world *world, const char *what, enum alarm_deed deed)
{
    const struct alarm *alarm = alarm_of(world, what[0], what[1]);
    const struct alarm_order order = {.deed = deed,
                                      .now_ms = world->now_ms,
                                      .until_ms = world->now_ms + 3600000,
                                      .who = "Ana",
                                      .why = "-"};
    assert_int_equal(alarms_order(world->alarms, alarm->number, &order, &alarm), 0);
}

/* One word of a way: "+a1" raised, "-a1" over, "!a1" acknowledged, "?a1" un-acknowledged, "_a1"
 * shelved, "^a1" taken back, ".a1" reset, ">23" device 2 moves to room 3; "B" "b" the broker is
 * away and back, "H" "h" the hub, "L" "l" all values lost and back; "m" a minute. */
static void step(struct world *world, const char *word)
{
    const char *what = word + 1;
    struct rule_event event = {.value = 1, .limit = 2, .time_ms = world->now_ms};
    switch (word[0]) {
    case '+':
    case '-':
        event.rule = rule_of(world, what[0]);
        event.device = (uint32_t)(what[1] - '0');
        event.on = word[0] == '+';
        world->told += alarms_take(world->alarms, &event) != NULL;
        break;
    case '!':
        order(world, what, DEED_ACK);
        break;
    case '?':
        order(world, what, DEED_UNACK);
        break;
    case '_':
        order(world, what, DEED_SHELVE);
        break;
    case '^':
        order(world, what, DEED_UNSHELVE);
        break;
    case '.':
        order(world, what, DEED_RESET);
        break;
    case '>':
        devices_assign(world->devices, devices_at(world->devices, (uint32_t)(what[0] - '0')),
                       (uint32_t)(what[1] - '0'));
        break;
    case 'm':
        tick(world, 60000);
        break;
    default:
        world->now_ms += 1000;
        if (word[0] == 'B' || word[0] == 'b')
            world->broker_ms = word[0] == 'B' ? world->now_ms : 0;
        else if (word[0] == 'H' || word[0] == 'h')
            world->hub_ms = word[0] == 'H' ? world->now_ms : 0;
        else
            world->lost = word[0] == 'L';
        break;
    }
}

/* What stands, in the order that it came: "m1<a1" behind another, "<B" "<H"; "a1:2" hides two. */
static void write_all(const struct world *world, struct text *out)
{
    for (const struct alarm *at = NULL; (at = alarms_next(world->alarms, at)) != NULL;) {
        const struct alarm *by =
            at->behind > 0 ? alarms_by_number(world->alarms, (uint64_t)at->behind) : NULL;
        if (at->state == STATE_OFF) {
            assert_int_equal(at->behind, 0);
            assert_int_equal(at->hides, 0);
            continue;
        }
        text_add(out, "%s%c%u", out->length > 0 ? " " : "", at->rule->name[0], at->device);
        if (by != NULL)
            text_add(out, "<%c%u", by->rule->name[0], by->device);
        else if (at->behind != 0)
            text_add(out, "<%c", at->behind == BEHIND_BROKER ? 'B' : 'H');
        if (at->hides > 0)
            text_add(out, ":%u", at->hides);
        assert_true(by == NULL || by->behind == 0); /* who reads a cause reads all behind it */
    }
}

static void go(struct world *world, const char *way, char *all, size_t bytes)
{
    struct text out = text_in(all, bytes);
    while (*way != '\0') {
        step(world, way);
        if (strchr("+-!?_^.>", *way) == NULL)
            tick(world, 0);
        way += strcspn(way, " ");
        way += strspn(way, " ");
    }
    tick(world, 0);
    all[0] = '\0';
    write_all(world, &out);
}

static void each_way_leads_to_what_stands(void **state)
{
    static const struct {
        const char *way, *all;
    } cases[] = {
        /* a device's cause hides what is silent of it, whatever its priority */
        {"+a1", "a1"},
        {"+m1 +a1", "m1<a1 a1:1"},
        {"+a1 +m1", "a1:1 m1<a1"},
        {"+a1 +m2", "a1 m2"},
        /* and what is known, of the equipment and no more urgent */
        {"+a1 +w1", "a1:1 w1<a1"},
        {"+a1 +u1", "a1 u1"},
        {"+a1 +u1 L", "a1:1 u1<a1"}, /* its value is lost as well */
        /* never what is about a person, known or not */
        {"+a1 +b1", "a1 b1"},
        {"+a1 +b1 L", "a1 b1"},
        /* it is in sight again when the cause is over */
        {"+a1 +w1 +m1 -a1", "w1 m1"},
        {"+a1 +w1 -w1", "a1"},
        {"+a1 +u1 L l", "a1 u1"},
        /* acknowledged, a cause goes on hiding; shelved or latched, nothing */
        {"+a1 +w1 !a1", "a1:1 w1<a1"},
        {"+a1 +w1 _a1", "a1 w1"},
        {"+a1 +w1 _a1 ^a1", "a1:1 w1<a1"},
        {"+g1 +w1 -g1", "g1 w1"},
        {"+g1 +w1 -g1 .g1", "w1"},
        {"+a1 +k1 -k1", "a1:1 k1<a1"}, /* latched itself, it is hidden all the same */
        /* a room's cause hides those of its devices */
        {"+g1 +w1 +w2 +w3 +w4", "g1:2 w1<g1 w2<g1 w3 w4"},
        {"+g4 +w4", "g4 w4"}, /* of no room: not even of itself */
        {"+g1 +w3 >31", "g1:1 w3<g1"},
        {"+g1 +w2 >22", "g1 w2"},
        /* a cause behind another hides nothing: all is behind the one that is told */
        {"+a1 +w1 +g2", "a1<g2 w1<g2 g2:2"},
        {"+a1 +m1 +g2 -g2", "a1:1 m1<a1 g2"},
        {"+g2 +g1", "g2:1 g1<g2"},
        {"+a1 +z1", "a1:1 z1<a1"},
        {"+z1 +a1", "z1<a1 a1:1"}, /* the more urgent one hides, though it came later */
        {"+z1 +w1", "z1 w1"},      /* one of low priority hides none that is medium */
        {"+z1 +m1", "z1:1 m1<z1"},
        {"+z1 +k1 +a1", "z1<a1 k1<a1 a1:2"},
        /* the broker and the hub hide all silence since they are away, and nothing that is known */
        {"B +a1 +m2 +w1 +b1", "a1<B m2<B w1 b1"},
        {"+a1 +w1 B", "a1:1 w1<a1"},
        {"+a1 +w1 B L", "a1 w1<B"},
        {"+a1 H +m1", "a1 m1<H"},
        {"B +a1 +m1 b", "a1:1 m1<a1"},
        {"B +a1 -a1 b", ""},
        {"H +a1", "a1<H"},
        {"H +a1 B", "a1<H"}, /* it was silent before */
        {"H B +a1 b", "a1<H"},
        {"H +a1 +a2 h", "a1 a2"},
        {"H +b1 L", "b1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        char all[256];
        world_init(&world);
        go(&world, cases[i].way, all, sizeof(all));
        if (strcmp(all, cases[i].all) != 0)
            fail_msg("%s: %s, not %s", cases[i].way, all, cases[i].all);
        unsigned told = world.told; /* and there it stays */
        uint64_t change = alarms_change(world.alarms);
        tick(&world, 250);
        assert_int_equal(world.told, told);
        assert_int_equal(alarms_change(world.alarms), change);
        world_fini(&world);
    }
}

static void what_is_hidden_grows_no_more_urgent_until_it_is_in_sight(void **state)
{
    (void)state;
    struct world world;
    char all[256];
    world_init(&world);
    go(&world, "+w1 +a1 h m m m", all, sizeof(all));
    assert_string_equal(all, "w1<a1 a1:1");
    assert_int_equal(alarm_priority(alarm_of(&world, 'w', '1')), PRIORITY_MEDIUM);
    assert_int_equal(alarm_priority(alarm_of(&world, 'a', '1')),
                     PRIORITY_HIGH); /* the cause does */
    go(&world, "-a1", all, sizeof(all));
    assert_int_equal(alarm_priority(alarm_of(&world, 'w', '1')), PRIORITY_MEDIUM); /* from now on */
    go(&world, "m", all, sizeof(all));
    assert_int_equal(alarm_priority(alarm_of(&world, 'w', '1')), PRIORITY_HIGH);
    world_fini(&world);
}

static void who_acknowledges_a_cause_acknowledges_nothing_behind_it(void **state)
{
    (void)state;
    struct world world;
    char all[256];
    world_init(&world);
    go(&world, "+w1 +b1 +a1 L !a1", all, sizeof(all));
    assert_string_equal(all, "w1<a1 b1 a1:1");
    assert_int_equal(alarm_of(&world, 'a', '1')->state, STATE_ACK);
    assert_int_equal(alarm_of(&world, 'w', '1')->state, STATE_LOST);
    assert_int_equal(alarm_of(&world, 'b', '1')->state, STATE_LOST);
    go(&world, "-a1 l", all, sizeof(all));
    assert_int_equal(alarm_of(&world, 'w', '1')->state, STATE_ON);
    assert_int_equal(alarm_of(&world, 'b', '1')->state, STATE_ON);
    world_fini(&world);
}

static void a_restart_goes_on_with_what_was_hidden(void **state)
{
    (void)state;
    struct world world;
    char all[256];
    world_init(&world);
    go(&world, "+a1 +w1 +m1", all, sizeof(all));
    struct alarms *before = world.alarms;
    world.alarms = alarms_create();
    alarms_go_on(world.alarms, 3, alarms_change(before));
    for (const struct alarm *at = NULL; (at = alarms_next(before, at)) != NULL;) {
        struct alarm kept = *at;
        kept.hides = 0; /* it is counted anew */
        assert_true(alarms_restore(world.alarms, &kept));
    }
    alarms_destroy(before);
    world.told = 0;
    go(&world, "", all, sizeof(all));
    assert_string_equal(all, "a1:2 w1<a1 m1<a1");
    assert_int_equal(world.told, 0); /* nobody is told again */
    world_fini(&world);
}

/* More of them than are looked at: what finds no cause is in sight. */
static void a_thousand_causes_hide_what_they_can(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    devices_destroy(world.devices);
    world.devices = devices_create(2000, 10);
    for (uint32_t id = 1; id <= 2000; id++) {
        char name[8];
        int bytes = snprintf(name, sizeof(name), "%u", id);
        devices_assign(world.devices,
                       devices_hear(world.devices, &world.drivers.list[0], name, (size_t)bytes), 1);
        const struct rule_event gone = {
            .rule = rule_of(&world, 'a'), .device = id, .on = true, .time_ms = NOW};
        const struct rule_event weak = {
            .rule = rule_of(&world, 'w'), .device = id, .on = true, .time_ms = NOW};
        assert_non_null(alarms_take(world.alarms, &gone));
        assert_non_null(alarms_take(world.alarms, &weak));
    }
    tick(&world, 0);
    unsigned hidden = 0, hides = 0;
    for (const struct alarm *at = NULL; (at = alarms_next(world.alarms, at)) != NULL;) {
        hidden += at->behind != 0;
        hides += at->hides;
    }
    assert_int_equal(hidden, 1024);
    assert_int_equal(hides, 1024);
    assert_int_equal(alarms_causes(world.alarms), ALARMS_CAUSES_MAX);
    assert_int_equal(alarms_causes_lost(world.alarms) % (2000 - ALARMS_CAUSES_MAX), 0);
    assert_true(alarms_causes_lost(world.alarms) > 0);
    world.broker_ms = NOW;
    tick(&world, 0);
    hidden = 0;
    for (const struct alarm *at = NULL; (at = alarms_next(world.alarms, at)) != NULL;)
        hidden += at->behind == BEHIND_BROKER;
    assert_int_equal(hidden, 2000);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_leads_to_what_stands),
        cmocka_unit_test(what_is_hidden_grows_no_more_urgent_until_it_is_in_sight),
        cmocka_unit_test(who_acknowledges_a_cause_acknowledges_nothing_behind_it),
        cmocka_unit_test(a_restart_goes_on_with_what_was_hidden),
        cmocka_unit_test(a_thousand_causes_hide_what_they_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
