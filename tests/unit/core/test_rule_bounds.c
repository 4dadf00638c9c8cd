/* The limits that strips draw: of which conditions, to which side, and where a session gives them.
 */
#include "sensor.h"

#include "core/rules.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct expected {
    uint32_t metric;
    bool above;
    double limit;
};

/* The plan of room 1 allows an angle of -5 to 30; its client's own range is -20 to 80. */
static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    (void)user;
    *limit = high ? 30 : -5;
    return room == 1 && metric == ANGLE;
}

static bool range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    (void)user;
    *low = -20;
    *high = 80;
    return room == 1 && metric == ANGLE;
}

static struct rules *load(const struct drivers *drivers, const char *condition)
{
    char text[1024];
    struct rules *rules = NULL;
    struct diag diag = {0};
    struct rules_text file = {"f.yaml", text, 0, false};
    file.bytes = (size_t)snprintf(
        text, sizeof(text), "rules: [{name: r, title: R, priority: low, text: T, %s}]", condition);
    if (rules_load(&rules, &file, 1, drivers, 4, &diag) != 0)
        fail_msg("%s: %s", condition, diag.text);
    rules_ask(rules, &(struct rules_lookup){.limit = limit_of, .own_range = range_of});
    return rules;
}

static void check(const struct rules *rules, uint32_t room, const struct expected *expected,
                  size_t most)
{
    struct rule_bound bounds[RULE_BOUNDS_MAX];
    uint32_t count = rules_bounds(rules, 0, room, bounds), wanted = 0;
    while (wanted < most && expected[wanted].limit != 0)
        wanted++;
    assert_int_equal(count, wanted);
    for (uint32_t i = 0; i < count && i < wanted; i++) {
        assert_int_equal(bounds[i].metric, expected[i].metric);
        assert_int_equal(bounds[i].above, expected[i].above);
        assert_true(fabs(bounds[i].limit - expected[i].limit) < 1e-9);
    }
}

static void each_limit_is_drawn_to_its_side_and_as_what_it_comes_to(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        struct expected numbers[4], given[4]; /* as they are; in room 1 */
    } cases[] = {
        {"metric: angle, above: 45 deg", {{ANGLE, true, 45}}, {{0}}},
        {"metric: angle, below: -3 deg, armed: session", {{ANGLE, false, -3}}, {{0}}},
        {"metric: angle, outside: [-3 deg, 45 deg]",
         {{ANGLE, false, -3}, {ANGLE, true, 45}},
         {{0}}},
        {"metric: posture, is: slouched", {{0}}, {{0}}},
        {"metric: angle, absent: 5 s", {{0}}, {{0}}},
        /* What a window comes to has the metric's unit; a rate has not. */
        {"metric: angle, mean: 20 s, above: 45 deg", {{ANGLE, true, 45}}, {{0}}},
        {"metric: angle, count: 20 s, times: 3, above: 45 deg", {{ANGLE, true, 45}}, {{0}}},
        {"metric: angle, rate: 20 s, above: 45 deg/min", {{0}}, {{0}}},
        /* A session's. */
        {"metric: angle, above: limit(angle)", {{0}}, {{ANGLE, true, 30}}},
        {"metric: angle, outside: [limit(angle), limit(angle)]",
         {{0}},
         {{ANGLE, false, -5}, {ANGLE, true, 30}}},
        {"metric: angle, above: 80 % of own_range(angle)", {{0}}, {{ANGLE, true, 64}}},
        {"metric: angle, outside: 50 % of own_range(angle)",
         {{0}},
         {{ANGLE, false, -10}, {ANGLE, true, 40}}},
        {"metric: angle, outside: [-3 deg, limit(angle) + 2 deg]",
         {{ANGLE, false, -3}},
         {{ANGLE, true, 32}}},
        {"metric: rotation, above: limit(rotation)", {{0}}, {{0}}}, /* the plan has none */
        {"metric: angle, above: metric(rotation)", {{0}}, {{0}}},   /* that moves */
        /* Every condition, on whatever metric it is. */
        {"all: [{metric: posture, is: slouched}, {metric: angle, above: 20 deg}, "
         "{metric: temperature, below: 30 Cel}, {metric: angle, below: limit(angle)}]",
         {{ANGLE, true, 20}, {TEMPERATURE, false, 30}},
         {{ANGLE, false, -5}}},
        {"any: [{metric: angle, above: 20 deg}, {not: {metric: rotation, above: 5 deg}}]",
         {{ANGLE, true, 20}, {ROTATION, false, 5}},
         {{0}}},
    };
    struct drivers drivers;
    struct diag diag = {0};
    drivers_init(&drivers);
    assert_int_equal(drivers_add(&drivers, &sensor_plugin, &diag), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rules *rules = load(&drivers, cases[i].condition);
        print_message("%s\n", cases[i].condition);
        check(rules, ROOM_NONE, cases[i].numbers, COUNT(cases[i].numbers));
        check(rules, 1, cases[i].given, COUNT(cases[i].given));
        check(rules, 2, (struct expected[]){{0}}, 1); /* no session there */
        rules_destroy(rules);
    }
    drivers_fini(&drivers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_is_drawn_to_its_side_and_as_what_it_comes_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
