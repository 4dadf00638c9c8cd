/* The body: regions by name, and who works on them. */
#include "treatment.h"

#define NOW INT64_C(1700000000000)

static void a_region_has_a_name_with_its_side_or_without(void **state)
{
    static const struct {
        const char *name;
        uint64_t set;
        const char *complaint;
    } rows[] = {
        {"lower_back_left", 1, NULL},
        {"lower_back_right", 2, NULL},
        {"lower_back", 3, NULL}, /* both sides */
        {"hip", 4, NULL},
        {"lower", 0, "no region 'lower'"}, /* no part of a word */
        {"lower_back_", 0, "no region"},
        {"", 0, "no region ''"},
        {"none", 0, "no region 'none'"},
        {"hip_lefd", 0, "did you mean 'hip_left'?"},
    };
    struct treatment treatment;
    (void)state;
    treatment_init(&treatment);
    assert_int_equal(treatment.body.count, 3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct diag diag = {0};
        assert_int_equal(body_find(&treatment.body, rows[i].name, &diag), rows[i].set);
        assert_int_equal(diag.code, rows[i].set != 0 ? 0 : ERR_UNKNOWN);
        if (rows[i].complaint != NULL && strstr(diag.text, rows[i].complaint) == NULL)
            fail_msg("'%s': %s", rows[i].name, diag.text);
    }
    treatment_fini(&treatment);
}

static void a_clinic_without_such_devices_has_no_regions(void **state)
{
    struct drivers drivers;
    struct body body;
    struct diag diag = {0};
    (void)state;
    drivers_init(&drivers);
    assert_int_equal(drivers_add(&drivers, &sensor_plugin, &diag), 0);
    body_init(&body, &drivers);
    assert_int_equal(body_find(&body, "hip", &diag), 0);
    assert_string_equal(diag.text, "no device tells of a region of the body, so not of 'hip'");
    drivers_fini(&drivers);
}

static void a_device_works_when_it_says_so_now(void **state)
{
    struct treatment treatment;
    (void)state;
    treatment_init(&treatment);
    const struct body *body = &treatment.body;
    struct device *pad = treatment_device(&treatment, 1, "m-01", 1);
    struct device *sensor = treatment_device(&treatment, 0, "p-01", 1);
    assert_false(body_works(body, pad, NOW)); /* never heard */
    assert_false(body_works(body, sensor, NOW));

    treatment_set(pad, PAD_CONTACT, 1, NOW); /* it lies there, and does not run */
    treatment_set(pad, PAD_STATE, PAD_IDLE, NOW);
    assert_false(body_works(body, pad, NOW));
    treatment_set(pad, PAD_STATE, PAD_RUNNING, NOW);
    assert_true(body_works(body, pad, NOW));
    assert_true(body_works(body, pad, NOW + 14999));
    assert_false(body_works(body, pad, NOW + 15000)); /* three periods later: stale */

    treatment_set(sensor, ANGLE, 3, NOW); /* tells neither: it is enough that it speaks */
    assert_true(body_works(body, sensor, NOW + 9999));
    assert_false(body_works(body, sensor, NOW + 10000));
    treatment_fini(&treatment);
}

static void a_device_is_on_the_region_that_it_names(void **state)
{
    struct treatment treatment;
    (void)state;
    treatment_init(&treatment);
    struct device *pad = treatment_device(&treatment, 1, "m-01", 1);
    struct device *sensor = treatment_device(&treatment, 0, "p-01", 1);
    pad->values[PAD_REGION].value = NAN;
    assert_int_equal(body_region(&treatment.body, pad), BODY_NONE);
    treatment_set(pad, PAD_REGION, PAD_NOWHERE, NOW);
    assert_int_equal(body_region(&treatment.body, pad), BODY_NONE);
    treatment_set(pad, PAD_REGION, PAD_HIP, NOW);
    assert_string_equal(treatment.body.regions[body_region(&treatment.body, pad)], "hip_left");
    assert_int_equal(body_region(&treatment.body, sensor), BODY_NONE);
    assert_string_equal(body_intensity(&treatment.body, &treatment.drivers)->name, "pressure");
    treatment_fini(&treatment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_has_a_name_with_its_side_or_without),
        cmocka_unit_test(a_clinic_without_such_devices_has_no_regions),
        cmocka_unit_test(a_device_works_when_it_says_so_now),
        cmocka_unit_test(a_device_is_on_the_region_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
