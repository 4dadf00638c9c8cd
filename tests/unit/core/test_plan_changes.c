/* What is told of a plan that was changed. */
#include "treatment.h"

#include "core/plan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void parse(struct treatment *treatment, struct plan *plan, const char *parts)
{
    char yaml[1000];
    struct diag diag = {0};
    struct text text = text_in(yaml, sizeof(yaml));
    text_add(&text, "name: p\n%s", parts);
    if (plan_parse(plan, "p", yaml, text.length, &treatment->drivers, &treatment->body, &diag) != 0)
        fail_msg("%s: %s", yaml, diag.text);
}

static void assert_told(const char *before, const char *after, const char *wanted)
{
    char told[600];
    struct plan old, plan;
    struct text out = text_in(told, sizeof(told));
    struct treatment *treatment = calloc(1, sizeof(*treatment));
    assert_non_null(treatment);
    treatment_init(treatment);
    parse(treatment, &old, before);
    parse(treatment, &plan, after);
    plan_tell_changes(&out, &plan, &old, &treatment->drivers);
    assert_string_equal(told, wanted);
    treatment_fini(treatment);
    free(treatment);
}

static void each_limit_is_told_with_what_it_was(void **state)
{
    (void)state;
    static const char *const old =
        "limits:\n"
        "  - {metric: angle, above: 45 deg, own: 80 %}\n"
        "  - {metric: pressure, own: 70 %}\n"
        "  - {metric: pressure, above: 300 kPa}\n"
        "phases:\n"
        "  - kind: heat\n"
        "    time: 5 min\n"
        "    limits: [{metric: temperature, above: 41.5 Cel}]\n"
        "    targets: [{metric: pressure, between: [100 kPa, 200 kPa]}]\n";
    static const struct {
        const char *word, *other, *told;
    } rows[] = {
        {"45", "45", ""},
        {"45 deg", "40 deg",
         "angle: above 40 deg, 80 % of the own range, was above 45 deg, 80 % of the own range"},
        {"above: 45 deg", "outside: [-5 deg, 45 deg]",
         "angle: below -5 deg, above 45 deg, 80 % of the own range, was above 45 deg, 80 % of the "
         "own range"},
        {"own: 70 %", "own: 75 %", "pressure: 75 % of the own range, was 70 % of the own range"},
        {"300", "250", "pressure: above 250 kPa, was above 300 kPa"}, /* the second of its kind */
        {"  - {metric: pressure, above: 300 kPa}\n", "", "pressure: none, was above 300 kPa"},
        {"41.5", "42", "temperature in Heat: above 42 Cel, was above 41.5 Cel"},
        {"[100 kPa, ", "[50 kPa, ",
         "pressure in Heat: at least 50 kPa, at most 200 kPa, was at least 100 kPa, at most 200 "
         "kPa"},
        {"metric: temperature, above", "metric: temperature, below",
         "temperature in Heat: below 41.5 Cel, was above 41.5 Cel"},
        {"temperature, above: 41.5 Cel", "pressure, above: 41.5 kPa",
         "pressure in Heat: above 41.5 kPa, was none; temperature in Heat: none, was above 41.5 "
         "Cel"},
        {"5 min", "6.5 min", "Heat: 6.5 min, was 5 min"},
        {"time: 5 min", "time: 5 min\n    regions: [hip_left]", "Heat: other regions"},
        {"time: 5 min", "time: 5 min\n    title: Warm",
         "temperature in Warm: above 41.5 Cel, was none; pressure in Warm: at least 100 kPa, at "
         "most "
         "200 kPa, was none; temperature in Heat: none, was above 41.5 Cel; pressure in Heat: "
         "none, "
         "was at least 100 kPa, at most 200 kPa; Warm: 5 min, was none; Heat: taken out"},
        {"phases:\n", "phases:\n  - {kind: rest, time: 2 min}\n", "Rest: 2 min, was none"},
        {"limits:\n", "title: New\nlimits:\n", "title: New, was p"},
        {"limits:\n", "goals: [Sit longer]\nlimits:\n", "other goals"},
        {"limits:\n", "regions: [hip_left]\nlimits:\n", "other regions"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char yaml[1000];
        struct text text = text_in(yaml, sizeof(yaml));
        const char *at = strstr(old, rows[i].word);
        assert_non_null(at);
        text_add(&text, "%.*s%s%s", (int)(at - old), old, rows[i].other, at + strlen(rows[i].word));
        assert_told(old, yaml, rows[i].told);
    }
}

static void a_phase_that_moved_takes_its_limits_along(void **state)
{
    (void)state;
#define REST   "  - {kind: rest, time: 2 min}\n"
#define HEAT   "  - {kind: heat, time: 5 min, limits: [{metric: temperature, above: 41 Cel}]}\n"
#define MORE   "  - {kind: heat, time: 8 min, limits: [{metric: temperature, above: 42 Cel}]}\n"
#define PHASES "phases:\n"
    assert_told(PHASES REST HEAT, PHASES HEAT REST, "other order of phases");
    assert_told(PHASES HEAT REST MORE, PHASES HEAT MORE REST, "other order of phases");
    assert_told(PHASES REST HEAT, PHASES HEAT, "Rest: taken out");
    assert_told(PHASES HEAT MORE, PHASES HEAT,
                "temperature in Heat: none, was above 42 Cel; Heat: taken out");
#undef REST
#undef HEAT
#undef MORE
#undef PHASES
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_is_told_with_what_it_was),
        cmocka_unit_test(a_phase_that_moved_takes_its_limits_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
