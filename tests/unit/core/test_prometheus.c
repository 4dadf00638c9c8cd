/* What metrics are called for Prometheus, and how they are written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/prometheus.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_metric_is_named_by_its_own_words_in_base_units(void **state)
{
    (void)state;
    static const char *const labels[] = {"on", "off", NULL};
    static const struct {
        struct lumbar_metric metric;
        const char *name;
        double factor;
    } cases[] = {
        {{.name = "warmth", .unit = "Cel"}, "lumbar_pad_warmth_celsius", 1},
        {{.name = "bout", .unit = "min"}, "lumbar_pad_bout_seconds", 60},
        {{.name = "battery", .unit = "%"}, "lumbar_pad_battery_ratio", 0.01},
        {{.name = "pressure", .unit = "kPa"}, "lumbar_pad_pressure_pascals", 1000},
        {{.name = "strokes", .unit = "1", .kind = LUMBAR_COUNTER}, "lumbar_pad_strokes_total", 1},
        {{.name = "dose", .unit = "%", .kind = LUMBAR_COUNTER},
         "lumbar_pad_dose_ratio_total",
         0.01},
        {{.name = "state", .unit = "1", .kind = LUMBAR_STATE, .labels = labels},
         "lumbar_pad_state",
         1},
        {{.name = "odd", .unit = "mmol/L"}, "lumbar_pad_odd_mmol_l", 1}, /* unknown here */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct prometheus_name name = prometheus_name_of("pad", &cases[i].metric);
        assert_string_equal(name.text, cases[i].name);
        assert_true(name.factor == cases[i].factor);
    }
}

static void samples_are_written_whatever_is_in_them(void **state)
{
    (void)state;
    static const double bounds[] = {0.5, 1};
    static const uint64_t counts[] = {2, 0, 3};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    prometheus_family(out, "a", PROMETHEUS_GAUGE, "back\\slash\nand line");
    prometheus_sample(out, "a", 0.1, (const char *const[]){"x", "\"q\" \\ \n", "y", "", NULL});
    prometheus_sample(out, "a", NAN, NULL);
    prometheus_sample(out, "a", INFINITY, (const char *const[]){NULL});
    prometheus_one(out, "b_total", PROMETHEUS_COUNTER, "B.", 12345678901);
    prometheus_one_histogram(out, "h", "H.",
                             &(struct prometheus_histogram){bounds, counts, 2, 7.25});
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "# HELP a back\\\\slash\\nand line\n# TYPE a gauge\n"
                              "a{x=\"\\\"q\\\" \\\\ \\n\",y=\"\"} 0.1\na NaN\na +Inf\n"
                              "# HELP b_total B.\n# TYPE b_total counter\nb_total 12345678901\n"
                              "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 2\n"
                              "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 5\nh_sum 7.25\n"
                              "h_count 5\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_is_named_by_its_own_words_in_base_units),
        cmocka_unit_test(samples_are_written_whatever_is_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
