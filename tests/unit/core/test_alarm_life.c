/* The life of an alarm: each thing that may happen to it, in each of its states. */
#include "sensor.h"

#include "core/alarms.h"

#define NOW      1700000000000
#define SHELF_MS 50000 /* shorter than what escalates and reminds */
#define LONG_MS  1000000
#define ESCALATE 60000
#define REMIND   100000

/* All of them latch, so that every state can be reached; apart, so that one thing is due; technical,
 * so that a root cause may hide them. */
static const char rules_text[] =
    "rules:\n"
    "  - {name: plain, title: P, metric: angle, above: 45 deg, priority: low, text: P,"
    " technical: true, latch: true}\n"
    "  - {name: rising, title: R, metric: angle, above: 45 deg, priority: low, text: R,"
    " technical: true, latch: true, escalate: 60 s}\n"
    "  - {name: coming, title: C, metric: angle, above: 45 deg, priority: low, text: C,"
    " technical: true, latch: true, realarm: 100 s}\n"
    "  - {name: urgent, title: U, metric: angle, above: 45 deg, priority: high, text: U,"
    " escalate: 60 s}\n"
    "  - {name: brief, title: B, metric: angle, above: 45 deg, priority: low, text: B}\n";

struct world {
    struct drivers drivers;
    struct rules *rules;
    struct devices *devices;
    struct alarms *alarms;
    const char *rule;
    bool known, blamed;
    bool paused; /* its room */
    bool unsaid; /* nothing was heard since a restart */
    bool hidden; /* before what is tried */
    unsigned told;
    int64_t shelf_ms;
};

static struct rules *load(struct world *world, const char *yaml)
{
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text text = {"test.yaml", yaml, strlen(yaml), false};
    if (rules_load(&rules, &text, 1, &world->drivers, 4, &diag) != 0)
        fail_msg("%s", diag.text);
    return rules;
}

static void world_init(struct world *world, const char *rule)
{
    struct diag diag = {0};
    *world = (struct world){.rule = rule, .known = true, .shelf_ms = LONG_MS};
    drivers_init(&world->drivers);
    assert_int_equal(drivers_add(&world->drivers, &sensor_plugin, &diag), 0);
    world->rules = load(world, rules_text);
    world->devices = devices_create(4, 10);
    devices_hear(world->devices, &world->drivers.list[0], "a", 1);
    world->alarms = alarms_create();
}

static void world_fini(struct world *world)
{
    alarms_destroy(world->alarms);
    devices_destroy(world->devices);
    rules_destroy(world->rules);
    drivers_fini(&world->drivers);
}

static enum rule_sight is_known(void *user, const struct rule *rule, uint32_t device)
{
    const struct world *world = user;
    (void)rule;
    assert_int_equal(device, 1);
    return world->unsaid ? SIGHT_UNSAID : world->known ? SIGHT_KNOWN : SIGHT_LOST;
}

static bool is_paused(void *user, uint32_t device)
{
    const struct world *world = user;
    (void)device;
    return world->paused;
}

static void on_change(void *user, const struct alarm *alarm)
{
    struct world *world = user;
    assert_non_null(alarm);
    world->told++;
}

static void find_out(struct world *world, bool on)
{
    const struct rule_event event = {.rule = rules_find(world->rules, world->rule),
                                     .device = 1,
                                     .on = on,
                                     .value = 50,
                                     .limit = 45,
                                     .time_ms = NOW};
    world->told += alarms_take(world->alarms, &event) != NULL;
}

static void order(struct world *world, enum alarm_deed deed)
{
    const struct alarm *alarm;
    const struct alarm_order order = {.deed = deed,
                                      .now_ms = NOW,
                                      .until_ms = NOW + world->shelf_ms,
                                      .who = "Ana",
                                      .why = "she is told"};
    world->told += alarms_order(world->alarms, 1, &order, &alarm) == 0;
    assert_non_null(alarm);
}

static void tick(struct world *world, int64_t after_ms)
{
    alarms_blame(world->alarms, world->blamed ? NOW : 0, 0);
    alarms_tick(world->alarms, NOW + after_ms, is_known, is_paused, on_change, world);
    alarms_place(world->alarms, world->devices, NOW + after_ms, on_change, world);
}

static void reload(struct world *world, const char *yaml)
{
    struct rules *fresh = load(world, yaml);
    alarms_adopt(world->alarms, fresh, NOW, on_change, world);
    rules_destroy(world->rules);
    world->rules = fresh;
}

/* What a kill leaves is what was stored: the entry itself. Nothing is known at first. */
static void restart(struct world *world)
{
    struct alarm kept = *alarms_at(world->alarms, 0);
    uint64_t change = alarms_change(world->alarms);
    alarms_destroy(world->alarms);
    world->alarms = alarms_create();
    alarms_go_on(world->alarms, kept.number, change);
    assert_true(alarms_restore(world->alarms, &kept));
    assert_int_equal(alarms_standing(world->alarms), kept.state != STATE_OFF);
    world->unsaid = true;
    tick(world, 1);
}

/* One letter each, in the order of the columns below; L and B are the value lost and back, H and S
 * the hub to blame, and not any more. */
static void apply(struct world *world, char what)
{
    static const char letters[] = "aushr";
    static const enum alarm_deed deeds[] = {DEED_ACK, DEED_UNACK, DEED_SHELVE, DEED_UNSHELVE,
                                            DEED_RESET};
    switch (what) {
    case '1':
    case '0':
        find_out(world, what == '1');
        break;
    case 'L':
    case 'B':
        world->known = what == 'B';
        tick(world, 1);
        break;
    case 'H':
    case 'S':
        world->blamed = what == 'H';
        tick(world, 1);
        break;
    case 'x':
        tick(world, SHELF_MS);
        break;
    case 'e':
        tick(world, ESCALATE);
        break;
    case 'm':
        tick(world, REMIND);
        break;
    case 'R':
        reload(world, rules_text);
        break;
    case 'G':
        reload(world, "rules: []\n");
        break;
    case 'K':
        restart(world);
        break;
    default:
        order(world, deeds[strchr(letters, what) - letters]);
        break;
    }
}

/* "on", "on+" shelved, "on^" escalated, "lost<" hidden, "-" nothing happened. */
static const char *outcome(struct world *world, char *out, size_t bytes)
{
    const struct alarm *alarm = alarms_at(world->alarms, 0);
    if (world->told == 0)
        return "-";
    /* What is known again is in sight again: two things. */
    assert_int_equal(world->told, 1 + (world->hidden && alarm->state != STATE_OFF &&
                                       alarm->behind == 0 && world->blamed));
    if (alarm->number == 0) { /* its rule went: it was told, and left the table */
        snprintf(out, bytes, "gone");
        return out;
    }
    snprintf(out, bytes, "%s%s%s%s", alarm_state_word(alarm->state),
             alarm->shelved_until_ms != 0 ? "+" : "", alarm->behind != 0 ? "<" : "",
             alarm_priority(alarm) > alarm->rule->priority ? "^" : "");
    assert_int_equal(alarm->presence, alarm_presence_of(alarm->state));
    assert_int_equal(alarm->lost_ms != 0, alarm_is_lost(alarm->state));
    if (alarm->state != STATE_OFF)
        assert_int_equal(alarm->acked.at_ms == 0, alarm_waits(alarm->state));
    assert_int_equal(alarms_standing(world->alarms), alarm->state != STATE_OFF);
    return out;
}

/* on off lost back | ack unack shelve unshelve reset | shelf over, escalate, remind |
 * reload with the rule, without it, restart | the hub to blame, and not any more */
static const char operators[] = "10LBaushrxemRGKHS";
#define OPERATORS (sizeof(operators) - 1)

/* clang-format off */
static const struct row {
    const char *state, *way; /* and how to come there */
    const char *outcomes[OPERATORS];
} rows[] = {
{"off",          "10r",  {"on",  "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"}},
{"on",           "1",    {"-", "latched", "lost", "-", "ack", "-", "on+", "-", "-", "-", "on^", "-", "-", "gone", "-", "-", "-"}},
{"lost",         "1L",   {"-", "latched", "-", "on", "lost-ack", "-", "lost+", "-", "-", "-", "lost^", "-", "-", "gone", "-", "lost<", "-"}},
{"ack",          "1a",   {"-", "latched-ack", "ack-lost", "-", "-", "on", "ack+", "-", "-", "-", "-", "on", "-", "gone", "-", "-", "-"}},
{"ack-lost",     "1aL",  {"-", "latched-ack", "-", "ack", "-", "lost", "ack-lost+", "-", "-", "-", "-", "lost", "-", "gone", "-", "ack-lost<", "-"}},
{"lost-ack",     "1La",  {"-", "latched", "-", "on", "-", "lost", "lost-ack+", "-", "-", "-", "-", "lost", "-", "gone", "-", "lost-ack<", "-"}},
{"latched",      "10",   {"on", "-", "-", "-", "latched-ack", "-", "latched+", "-", "off", "-", "latched^", "-", "-", "gone", "-", "-", "-"}},
{"latched-ack",  "1a0",  {"on", "-", "-", "-", "-", "latched", "latched-ack+", "-", "off", "-", "-", "-", "-", "gone", "-", "-", "-"}},
{"off+",         "1s0r", {"on+", "-", "-", "-", "-", "-", "-", "off", "-", "off", "-", "-", "-", "gone", "-", "-", "-"}},
{"on+",          "1s",   {"-", "latched+", "lost+", "-", "ack+", "-", "-", "ack", "-", "on", "-", "-", "-", "gone", "-", "-", "-"}},
{"lost+",        "1Ls",  {"-", "latched+", "-", "on+", "lost-ack+", "-", "-", "lost-ack", "-", "lost", "-", "-", "-", "gone", "-", "lost+<", "-"}},
{"ack+",         "1as",  {"-", "latched-ack+", "ack-lost+", "-", "-", "on+", "-", "ack", "-", "on", "-", "-", "-", "gone", "-", "-", "-"}},
{"ack-lost+",    "1aLs", {"-", "latched-ack+", "-", "ack+", "-", "lost+", "-", "ack-lost", "-", "lost", "-", "-", "-", "gone", "-", "ack-lost+<", "-"}},
{"lost-ack+",    "1Las", {"-", "latched+", "-", "on+", "-", "lost+", "-", "lost-ack", "-", "lost", "-", "-", "-", "gone", "-", "lost-ack+<", "-"}},
{"latched+",     "10s",  {"on+", "-", "-", "-", "latched-ack+", "-", "-", "latched-ack", "off+", "latched", "-", "-", "-", "gone", "-", "-", "-"}},
{"latched-ack+", "1a0s", {"on+", "-", "-", "-", "-", "latched+", "-", "latched-ack", "off+", "latched", "-", "-", "-", "gone", "-", "-", "-"}},
{"lost<",         "1LH",  {"-", "latched<", "-", "on", "lost-ack<", "-", "lost+<", "-", "-", "-", "-", "-", "-", "gone", "-", "-", "lost"}},
{"ack-lost<",     "1aLH", {"-", "latched-ack<", "-", "ack", "-", "lost<", "ack-lost+<", "-", "-", "-", "-", "-", "-", "gone", "-", "-", "ack-lost"}},
{"lost-ack<",     "1LaH", {"-", "latched<", "-", "on", "-", "lost<", "lost-ack+<", "-", "-", "-", "-", "-", "-", "gone", "-", "-", "lost-ack"}},
{"lost+<",        "1LsH", {"-", "latched+<", "-", "on+", "lost-ack+<", "-", "-", "lost-ack<", "-", "lost<", "-", "-", "-", "gone", "-", "-", "lost+"}},
};
/* clang-format on */

static void come_to(struct world *world, const struct row *row)
{
    char state[32];
    for (const char *at = row->way; *at != '\0'; at++)
        apply(world, *at);
    world->told = 1;
    if (strcmp(outcome(world, state, sizeof(state)), row->state) != 0)
        fail_msg("%s led to %s, not %s", row->way, state, row->state);
    world->told = 0;
    world->hidden = alarms_at(world->alarms, 0)->behind != 0;
}

static bool same_hand(const struct alarm_hand *a, const struct alarm_hand *b)
{
    return a->at_ms == b->at_ms && strcmp(a->who, b->who) == 0 && strcmp(a->why, b->why) == 0;
}

/* All of it: another set has its own rules, the same by name. */
static void assert_kept(const struct alarm *alarm, const struct alarm *before)
{
    assert_int_equal(alarm->number, before->number);
    assert_int_equal(alarm->device, before->device);
    assert_int_equal(alarm->state, before->state);
    assert_int_equal(alarm->presence, before->presence);
    assert_int_equal(alarm->raised_ms, before->raised_ms);
    assert_int_equal(alarm->since_ms, before->since_ms);
    assert_true(alarm->value == before->value && alarm->limit == before->limit);
    assert_ptr_equal(alarm->phase, before->phase);
    assert_int_equal(alarm->change, before->change);
    assert_int_equal(alarm->deed, before->deed);
    assert_int_equal(alarm->deed_ms, before->deed_ms);
    assert_int_equal(alarm->lost_ms, before->lost_ms);
    assert_int_equal(alarm->waits_ms, before->waits_ms);
    assert_int_equal(alarm->escalated, before->escalated);
    assert_true(same_hand(&alarm->acked, &before->acked));
    assert_true(same_hand(&alarm->shelved, &before->shelved));
    assert_int_equal(alarm->shelved_until_ms, before->shelved_until_ms);
    assert_int_equal(alarm->behind, before->behind);
    assert_int_equal(alarm->hides, before->hides);
}

static void every_operator_in_every_state(void **unused)
{
    (void)unused;
    unsigned cases = 0;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        for (size_t o = 0; o < OPERATORS; o++, cases++) {
            char after[32];
            struct world world;
            world_init(&world, operators[o] == 'e'   ? "rising"
                               : operators[o] == 'm' ? "coming"
                                                     : "plain");
            world.shelf_ms = operators[o] == 'x' ? SHELF_MS : LONG_MS;
            come_to(&world, &rows[r]);
            struct alarm before = *alarms_at(world.alarms, 0);
            apply(&world, operators[o]);
            if (strcmp(outcome(&world, after, sizeof(after)), rows[r].outcomes[o]) != 0)
                fail_msg("%s and '%c': not %s", rows[r].state, operators[o], rows[r].outcomes[o]);
            const struct alarm *alarm = alarms_at(world.alarms, 0);
            bool kept = strchr("RK", operators[o]) != NULL;
            if (kept)
                assert_kept(alarm, &before);
            world_fini(&world);
        }
    assert_int_equal(cases, 340);
}

/* What is over of a rule that does not latch is off, whoever knew of it. */
static void without_a_latch_what_is_over_is_off(void **unused)
{
    static const char *const ways[] = {"1", "1L", "1a", "1aL", "1La", "1s", "1as"};
    (void)unused;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char after[32];
        struct world world;
        world_init(&world, "brief");
        for (const char *at = ways[i]; *at != '\0'; at++)
            apply(&world, *at);
        world.told = 0;
        apply(&world, '0');
        assert_string_equal(outcome(&world, after, sizeof(after)),
                            strchr(ways[i], 's') != NULL ? "off+" : "off");
        world_fini(&world);
    }
}

static void who_when_and_why_are_kept_while_they_hold(void **unused)
{
    (void)unused;
    struct world world;
    world_init(&world, "plain");
    apply(&world, '1');
    assert_string_equal(alarms_hand(world.alarms)->who, "");
    apply(&world, 'a');
    const struct alarm *alarm = alarms_by_number(world.alarms, 1);
    assert_string_equal(alarm->acked.who, "Ana");
    assert_string_equal(alarm->acked.why, "she is told");
    assert_int_equal(alarm->acked.at_ms, NOW);
    assert_string_equal(alarms_hand(world.alarms)->who, "Ana");
    apply(&world, 's');
    assert_int_equal(alarm->shelved_until_ms, NOW + LONG_MS);
    assert_string_equal(alarm->shelved.why, "she is told");
    apply(&world, '0'); /* latched: still hers */
    assert_string_equal(alarm->acked.who, "Ana");
    apply(&world, '1'); /* again: nobody's, the same occurrence, still shelved */
    assert_int_equal(alarm->number, 1);
    assert_int_equal(alarm->acked.at_ms, 0);
    assert_string_equal(alarm->acked.who, "");
    apply(&world, 'h'); /* taken back by hand: who took it back knows */
    assert_string_equal(alarm->acked.who, "Ana");
    assert_string_equal(alarm->shelved.who, "");
    world_fini(&world);
}

static void an_order_needs_its_alarm_and_a_long_word_is_cut(void **unused)
{
    (void)unused;
    struct world world;
    const struct alarm *alarm;
    char longest[400];
    memset(longest, 'w', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    const struct alarm_order ack = {
        .deed = DEED_ACK, .now_ms = NOW, .who = longest, .why = longest};
    world_init(&world, "plain");
    assert_int_equal(alarms_order(world.alarms, 1, &ack, &alarm), ERR_UNKNOWN);
    assert_int_equal(alarms_order(world.alarms, 0, &ack, &alarm), ERR_UNKNOWN);
    apply(&world, '1');
    assert_int_equal(alarms_order(world.alarms, 1, &ack, &alarm), 0);
    assert_int_equal(strlen(alarm->acked.who), ALARM_WHO_BYTES - 1);
    assert_int_equal(strlen(alarm->acked.why), ALARM_WHY_BYTES - 1);
    assert_int_equal(alarms_order(world.alarms, 1, &ack, &alarm), ERR_CONFLICT);
    assert_string_equal(alarms_hand(world.alarms)->who, alarm->acked.who);
    world_fini(&world);
}

/* Times at which the priority is looked at; what it is then. */
static void escalation_goes_up_a_step_each_time_and_waits_while_somebody_knows(void **unused)
{
    (void)unused;
    struct world world;
    world_init(&world, "rising");
    apply(&world, '1');
    const struct alarm *alarm = alarms_at(world.alarms, 0);
    static const struct {
        int64_t at_ms;
        enum rule_priority priority;
    } steps[] = {{59999, PRIORITY_LOW},   {60000, PRIORITY_MEDIUM}, {119999, PRIORITY_MEDIUM},
                 {120000, PRIORITY_HIGH}, {180000, PRIORITY_HIGH},  {900000, PRIORITY_HIGH}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        tick(&world, steps[i].at_ms);
        assert_int_equal(alarm_priority(alarm), steps[i].priority);
    }
    assert_int_equal(alarm->escalated, 2); /* no further than high */
    world_fini(&world);

    world_init(&world, "rising");
    apply(&world, '1');
    apply(&world, 'a');
    tick(&world, 10 * ESCALATE);
    assert_int_equal(alarm_priority(alarms_at(world.alarms, 0)), PRIORITY_LOW);
    world_fini(&world);
}

static void a_high_one_that_nobody_acknowledges_is_told_once_more(void **unused)
{
    (void)unused;
    struct world world;
    world_init(&world, "urgent");
    apply(&world, '1');
    const struct alarm *alarm = alarms_at(world.alarms, 0);
    world.told = 0;
    tick(&world, ESCALATE - 1);
    assert_int_equal(world.told, 0);
    tick(&world, ESCALATE);
    assert_int_equal(world.told, 1);
    assert_int_equal(alarm->deed, DEED_ESCALATE);
    assert_int_equal(alarm->escalated, 1);
    assert_int_equal(alarm_priority(alarm), PRIORITY_HIGH);
    tick(&world, 10 * ESCALATE);
    assert_int_equal(world.told, 1);
    assert_int_equal(alarm->escalated, 1);
    world_fini(&world);
}

static void a_pause_gives_an_alarm_its_whole_time_again(void **unused)
{
    (void)unused;
    struct world world;
    world_init(&world, "rising");
    apply(&world, '1');
    const struct alarm *alarm = alarms_at(world.alarms, 0);
    world.paused = true;
    tick(&world, 50000);
    tick(&world, 3 * ESCALATE);
    assert_int_equal(alarm->escalated, 0);
    world.paused = false;
    tick(&world, 4 * ESCALATE - 1);
    assert_int_equal(alarm->escalated, 0);
    tick(&world, 4 * ESCALATE);
    assert_int_equal(alarm->escalated, 1);
    world_fini(&world);

    world_init(&world, "coming");
    apply(&world, '1');
    apply(&world, 'a');
    world.paused = true;
    tick(&world, 2 * REMIND);
    assert_int_equal(alarms_at(world.alarms, 0)->state, STATE_ACK);
    world.paused = false;
    tick(&world, 2 * REMIND + 1);
    assert_int_equal(alarms_at(world.alarms, 0)->state, STATE_ON);
    world_fini(&world);
}

static void a_shelf_keeps_its_place_and_outlasts_occurrences(void **unused)
{
    (void)unused;
    struct world world;
    world_init(&world, "brief");
    apply(&world, '1');
    apply(&world, 's');
    apply(&world, '0');
    for (uint32_t device = 2; device <= ALARMS_MAX; device++) {
        struct rule_event event = {
            .rule = rules_find(world.rules, "plain"), .device = device, .on = true, .time_ms = NOW};
        assert_non_null(alarms_take(world.alarms, &event));
    }
    struct rule_event more = {.rule = rules_find(world.rules, "rising"), .device = 1, .on = true};
    assert_null(alarms_take(world.alarms, &more)); /* no place: the shelf's is not one */
    assert_int_equal(alarms_overflow(world.alarms), 1);
    apply(&world, '1');
    const struct alarm *alarm = alarms_at(world.alarms, 0);
    assert_int_equal(alarm->number, ALARMS_MAX + 1);
    assert_int_equal(alarm->shelved_until_ms, NOW + LONG_MS);
    assert_string_equal(alarm->shelved.who, "Ana");
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_in_every_state),
        cmocka_unit_test(without_a_latch_what_is_over_is_off),
        cmocka_unit_test(who_when_and_why_are_kept_while_they_hold),
        cmocka_unit_test(an_order_needs_its_alarm_and_a_long_word_is_cut),
        cmocka_unit_test(escalation_goes_up_a_step_each_time_and_waits_while_somebody_knows),
        cmocka_unit_test(a_high_one_that_nobody_acknowledges_is_told_once_more),
        cmocka_unit_test(a_pause_gives_an_alarm_its_whole_time_again),
        cmocka_unit_test(a_shelf_keeps_its_place_and_outlasts_occurrences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
