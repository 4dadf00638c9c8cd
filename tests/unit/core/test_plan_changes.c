/* What is told of a plan that was changed. */
#include "treatment.h"

#include "core/plan.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
        {"5 min", "6 min", "other parts"},
    };
    struct treatment *treatment = calloc(1, sizeof(*treatment));
    treatment_init(treatment);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char yaml[1000], told[300];
        struct plan before, plan;
        struct diag diag = {0};
        struct text text = text_in(yaml, sizeof(yaml)), out = text_in(told, sizeof(told));
        text_add(&text, "name: p\n%s", old);
        assert_int_equal(plan_parse(&before, "p", yaml, text.length, &treatment->drivers,
                                    &treatment->body, &diag),
                         0);
        const char *at = strstr(old, rows[i].word);
        assert_non_null(at);
        text = text_in(yaml, sizeof(yaml));
        text_add(&text, "name: p\n%.*s%s%s", (int)(at - old), old, rows[i].other,
                 at + strlen(rows[i].word));
        if (plan_parse(&plan, "p", yaml, text.length, &treatment->drivers, &treatment->body,
                       &diag) != 0)
            fail_msg("row %zu: %s", i, diag.text);
        plan_tell_changes(&out, &plan, &before, &treatment->drivers);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("row %zu: %s", i, told);
    }
    treatment_fini(treatment);
    free(treatment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_limit_is_told_with_what_it_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
