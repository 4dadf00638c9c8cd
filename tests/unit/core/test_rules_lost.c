/* A value that an alarm needs and that does not come is an alarm of its own, with the real posture
 * plugin and time as a number. */
#include "ingest_world.h"

#define BENT                                                                                       \
    "  - {name: bent, metric: posture/trunk_inclination, above: 20 deg, priority: medium,\n"       \
    "     text: Bent}\n"
#define LOST_NAME "posture.trunk_inclination.lost"

static void tick_until(struct world *world, int64_t from_ms, int64_t to_ms)
{
    for (int64_t at = from_ms; at <= to_ms; at += 250)
        ingest_tick(&world->ingest, NOW + at);
}

static const struct alarm *alarm_named(const struct world *world, const char *rule)
{
    for (const struct alarm *at = NULL; (at = alarms_next(world->ingest.alarms, at)) != NULL;)
        if (strcmp(at->rule->name, rule) == 0 && at->state != STATE_OFF)
            return at;
    return NULL;
}

static int deed(struct world *world, const struct alarm *alarm, enum alarm_deed what, int64_t at_ms)
{
    const struct alarm_order order = {.deed = what, .now_ms = NOW + at_ms, .who = "Ana"};
    const struct alarm *changed;
    return alarms_order(world->ingest.alarms, alarm->number, &order, &changed);
}

/* Bent since 0 ms, and silent since. */
static struct world *bent_and_silent(void **state, const char *rules)
{
    open_world_of(state, rules, 8);
    struct world *world = *state;
    tick_until(world, -2500, -250);
    take_batch(world, 1, NOW, 30);
    assert_non_null(alarm_named(world, "bent"));
    return world;
}

static void it_is_an_alarm_of_its_own_after_a_while(void **unused)
{
    void *state;
    (void)unused;
    struct world *world = bent_and_silent(&state, "rules:\n" BENT);
    tick_until(world, 0, 2000);
    assert_int_equal(alarm_named(world, "bent")->state, STATE_ON);
    tick_until(world, 2250, 5000);
    assert_int_equal(alarm_named(world, "bent")->state, STATE_LOST);
    assert_null(alarm_named(world, LOST_NAME));
    tick_until(world, 5250, 6000);
    const struct alarm *lost = alarm_named(world, LOST_NAME);
    assert_non_null(lost);
    assert_true(lost->rule->technical && isnan(lost->value));
    assert_int_equal(alarm_priority(lost), PRIORITY_MEDIUM);
    char words[300];
    struct text text = text_in(words, sizeof(words));
    rule_write_text(&text, lost->rule, lost->rule->text,
                    &(struct rule_facts){.device = "p-01", .value = NAN, .limit = NAN});
    assert_non_null(strstr(words, "from p-01"));
    assert_null(strchr(words, '{'));

    /* Who knows of the loss does not know of what is behind it. */
    assert_int_equal(deed(world, lost, DEED_ACK, 6000), 0);
    assert_int_equal(alarm_named(world, LOST_NAME)->state, STATE_ACK);
    assert_int_equal(alarm_named(world, "bent")->state, STATE_LOST);
    assert_true(alarm_waits(alarm_named(world, "bent")->state));

    take_batch(world, 2, NOW + 7000, 30); /* back, and no better */
    for (int64_t at = 7250; at < 10000; at += 250) {
        take_batch(world, (uint64_t)at, NOW + at, 30);
        tick_until(world, at, at);
    }
    assert_null(alarm_named(world, LOST_NAME));
    assert_int_equal(alarm_named(world, "bent")->state, STATE_ON);
    close_world(&state);
}

static void it_is_over_with_the_alarm_that_needs_the_value(void **unused)
{
    void *state;
    (void)unused;
    struct world *world = bent_and_silent(&state, "rules:\n" BENT);
    tick_until(world, 0, 6000);
    assert_non_null(alarm_named(world, LOST_NAME));
    take_batch(world, 2, NOW + 6100, 5);
    assert_null(alarm_named(world, "bent"));
    tick_until(world, 6250, 8000);
    assert_non_null(alarm_named(world, LOST_NAME)); /* for its off-delay */
    tick_until(world, 8250, 8500);
    assert_null(alarm_named(world, LOST_NAME));
    assert_int_equal(world->ended, 2);
    close_world(&state);
}

static void without_an_alarm_nothing_is_missed(void **unused)
{
    void *state;
    (void)unused;
    open_world_of(&state, "rules:\n" BENT, 8);
    struct world *world = state;
    take_batch(world, 1, NOW, 10);
    tick_until(world, 0, 60000);
    assert_int_equal(world->raised, 0);
    close_world(&state);
}

/* Each set of rules, whether the loss is built in, and what it is told by. */
static void where_a_rule_tells_of_it_nothing_is_built_in(void **unused)
{
    (void)unused;
    static const struct {
        const char *rules;
        bool built_in;
    } cases[] = {
        {"rules:\n" BENT, true},
        {"rules:\n" BENT "  - {name: gone, metric: posture/trunk_inclination, absent: 5 s,\n"
         "     priority: low, text: Gone}\n",
         false},
        {"rules:\n" BENT "  - {name: gone, metric: posture/trunk_inclination, absent: 2 min,\n"
         "     priority: low, text: Gone}\n",
         true}, /* too late */
        {"rules:\n" BENT "  - {name: gone, metric: posture/trunk_inclination, absent: 5 s,\n"
         "     armed: session, technical: true, priority: low, text: Gone}\n",
         true}, /* not always */
        {"rules:\n" BENT "  - name: gone\n    all:\n"
         "      - {metric: posture/trunk_inclination, absent: 5 s}\n"
         "      - {metric: posture/battery, below: 20 %}\n"
         "    priority: low\n    text: Gone\n",
         true}, /* not alone */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *state;
        struct world *world = bent_and_silent(&state, cases[i].rules);
        tick_until(world, 0, 8000);
        if ((alarm_named(world, LOST_NAME) != NULL) != cases[i].built_in ||
            (rules_find(world->ingest.rules, LOST_NAME) != NULL) != cases[i].built_in)
            fail_msg("case %zu", i);
        close_world(&state);
    }
}

static void a_root_cause_hides_it(void **unused)
{
    (void)unused;
    static const char rules[] =
        "rules:\n" BENT "  - {name: gone, metric: posture/battery, absent: 10 min,\n"
        "     inhibits: device, priority: medium, text: Gone}\n";
    void *state;
    struct world *world = bent_and_silent(&state, rules); /* its device is silent: a rule says so */
    struct rule_event event = {.rule = rules_find(world->ingest.rules, "gone"),
                               .device = 1,
                               .on = true,
                               .value = NAN,
                               .limit = NAN,
                               .worst = NAN,
                               .time_ms = NOW + 1000};
    const struct alarm *cause = alarms_take(world->ingest.alarms, &event);
    tick_until(world, 1000, 8000);
    assert_int_equal(alarm_named(world, LOST_NAME)->behind, cause->number);
    assert_int_equal(cause->hides, 1); /* and not the alarm about a person */
    close_world(&state);

    world = bent_and_silent(&state, "rules:\n" BENT); /* its broker is away */
    alarms_blame(world->ingest.alarms, 0, NOW + 1000);
    tick_until(world, 1000, 8000);
    assert_int_equal(alarm_named(world, LOST_NAME)->behind, BEHIND_BROKER);
    assert_int_equal(alarm_named(world, "bent")->behind, 0);
    close_world(&state);
}

/* With a tree it is whatever value is missing, and nothing else. */
static void of_several_conditions_the_one_without_a_value_is_told(void **unused)
{
    (void)unused;
    static const char rules[] = "rules:\n  - name: bent\n    all:\n"
                                "      - {metric: posture/trunk_inclination, above: 20 deg}\n"
                                "      - not: {metric: posture/lumbar_rotation, above: 20 deg}\n"
                                "    priority: medium\n    text: Bent\n";
    void *state;
    open_world_of(&state, rules, 8);
    struct world *world = state;
    struct rules *of = world->ingest.rules;
    struct device *device = devices_at(world->ingest.devices, 1);
    assert_non_null(rules_find(of, "posture.lumbar_rotation.lost"));
    take_batch(world, 1, NOW, 30); /* what never came is no less missing */
    rules_miss(of, world->ingest.devices, rules_find(of, "bent"), device, SIGHT_LOST, NOW);
    for (int64_t at = 250; at <= 5000; at += 250) {
        take_batch(world, (uint64_t)at, NOW + at, 30);
        rules_miss(of, world->ingest.devices, rules_find(of, "bent"), device, SIGHT_LOST, NOW + at);
        ingest_tick(&world->ingest, NOW + at);
    }
    assert_non_null(alarm_named(world, "posture.lumbar_rotation.lost"));
    assert_null(alarm_named(world, LOST_NAME));
    close_world(&state);
}

/* After a restart nothing is said of what has not come yet: the loss stands, and does not begin. */
static void what_is_unsaid_goes_on_being_lost_and_does_not_begin(void **unused)
{
    (void)unused;
    void *state;
    open_world_of(&state, "rules:\n" BENT, 8);
    struct world *world = state;
    struct rules *of = world->ingest.rules;
    const struct rule *bent = rules_find(of, "bent"), *lost = rules_find(of, LOST_NAME);
    const struct alarm kept[] = {
        {.number = 1, .rule = bent, .device = 1, .state = STATE_LOST, .lost_ms = NOW - 9000},
        {.number = 2, .rule = lost, .device = 1, .state = STATE_ACK, .raised_ms = NOW - 6000},
    };
    for (size_t i = 0; i < 2; i++) {
        assert_true(alarms_restore(world->ingest.alarms, &kept[i]));
        rules_stand(of, kept[i].rule, 1, NOW - 9000, NAN);
    }
    tick_until(world, 0, 9000); /* silent all the time */
    assert_int_equal(alarm_named(world, LOST_NAME)->number, 2);
    assert_int_equal(alarm_named(world, LOST_NAME)->state, STATE_ACK);
    assert_int_equal(world->raised + world->ended, 0);
    close_world(&state);

    open_world_of(&state, "rules:\n" BENT, 8);
    world = state;
    assert_true(alarms_restore(world->ingest.alarms,
                               &(struct alarm){.number = 1,
                                               .rule = rules_find(world->ingest.rules, "bent"),
                                               .device = 1,
                                               .state = STATE_ON}));
    tick_until(world, 0, 2000);
    assert_int_equal(world->raised, 0);
    tick_until(world, 2250, 6000);
    assert_int_equal(world->raised, 1);
    close_world(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_an_alarm_of_its_own_after_a_while),
        cmocka_unit_test(it_is_over_with_the_alarm_that_needs_the_value),
        cmocka_unit_test(without_an_alarm_nothing_is_missed),
        cmocka_unit_test(where_a_rule_tells_of_it_nothing_is_built_in),
        cmocka_unit_test(a_root_cause_hides_it),
        cmocka_unit_test(of_several_conditions_the_one_without_a_value_is_told),
        cmocka_unit_test(what_is_unsaid_goes_on_being_lost_and_does_not_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
