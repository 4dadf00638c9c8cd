/* Kinds of device, their topics and their metrics by name. */
#include "driver_subject.h"

#include "core/topic.h"

static void a_kind_is_there_once_and_there_are_at_most_16(void **state)
{
    (void)state;
    struct diag diag = {.code = 0};
    assert_int_equal(drivers_add(&ward.drivers, &ward.pump.plugin, &diag), ERR_PLUGIN);
    assert_string_equal(diag.text,
                        "a plugin of kind pump is there already (\"Pump\", version 1.0)");
    struct subject more[DRIVERS_MAX];
    char kinds[DRIVERS_MAX][4], topics[DRIVERS_MAX][32];
    for (uint32_t i = 3; i < DRIVERS_MAX; i++) {
        snprintf(kinds[i], sizeof(kinds[i]), "k%c", (char)('a' + i));
        snprintf(topics[i], sizeof(topics[i]), "%s/{device}/{leaf}", kinds[i]);
        make_subject(&more[i], kinds[i], topics[i]);
        assert_int_equal(drivers_add(&ward.drivers, &more[i].plugin, &diag), 0);
    }
    make_subject(&more[0], "last", "last/{device}/{leaf}");
    assert_int_equal(drivers_add(&ward.drivers, &more[0].plugin, &diag), ERR_FULL);
    assert_int_equal(ward.drivers.count, DRIVERS_MAX);
}

static void a_topic_finds_its_driver_and_the_plugins_own_leaf(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        size_t bytes;
        const char *kind, *device, *leaf; /* kind NULL: nobody's */
    } cases[] = {
        {"lumbar/v1/pump/a/telemetry", 26, "pump", "a", "telemetry"},
        {"lumbar/v1/pump/a/status", 23, "pump", "a", "status"},
        {"lumbar/v1/pump/a/ack", 20, NULL, NULL, NULL}, /* a leaf it does not hear */
        {"lumbar/v1/pump/a/stat", 21, NULL, NULL, NULL},
        {"lumbar/v1/pump/a/status\0xxxxxxxx", 32, NULL, NULL, NULL},
        {"lumbar/v1/pumps/a/status", 24, NULL, NULL, NULL},
        {"acme/b", 6, "valve", "b", ""},
        {"acme/b/status", 13, "probe", "b", "status"}, /* the second that begins so */
        {"", 0, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct topic topic;
        const struct driver *driver =
            drivers_match(&ward.drivers, cases[i].topic, cases[i].bytes, &topic);
        assert_int_equal(driver != NULL, cases[i].kind != NULL);
        if (driver == NULL)
            continue;
        assert_string_equal(driver->plugin->kind, cases[i].kind);
        assert_int_equal(topic.device_bytes, strlen(cases[i].device));
        assert_memory_equal(topic.device, cases[i].device, topic.device_bytes);
        assert_string_equal(topic.leaf, cases[i].leaf); /* terminated, though the topic is not */
    }
}

static void metrics_are_numbered_through_all_drivers(void **state)
{
    (void)state;
    const struct driver *driver = NULL;
    assert_int_equal(ward.drivers.metric_count, 2 * METRIC_COUNT + 1);
    assert_ptr_equal(drivers_metric(&ward.drivers, 0, &driver), &ward.pump.metrics[0]);
    assert_int_equal(driver->index, 0);
    assert_ptr_equal(drivers_metric(&ward.drivers, METRIC_COUNT + MODE, &driver),
                     &ward.valve.metrics[MODE]);
    assert_int_equal(driver->index, 1);
    assert_ptr_equal(drivers_metric(&ward.drivers, 2 * METRIC_COUNT, NULL), &ward.probe.metrics[0]);
    assert_null(drivers_metric(&ward.drivers, 2 * METRIC_COUNT + 1, NULL));
    assert_null(drivers_metric(&ward.drivers, UINT32_MAX, NULL));
}

static void a_kind_is_given_metrics_that_the_hub_makes(void **state)
{
    (void)state;
    const struct lumbar_metric more = {
        .name = "loss", .title = "Loss", .unit = "%", .max = 100, .period_ms = 5000};
    const struct driver *driver = NULL;
    struct diag diag = {0};
    assert_int_equal(drivers_extend(&ward.drivers, 0, &more, &diag), 0);
    assert_int_equal(ward.drivers.metric_count, 2 * METRIC_COUNT + 2);
    const struct lumbar_metric *found = drivers_metric(&ward.drivers, METRIC_COUNT, &driver);
    assert_string_equal(found->name, "loss");
    assert_int_equal(driver->index, 0);
    assert_string_equal(drivers_metric(&ward.drivers, 1, NULL)->name, ward.pump.metrics[1].name);
    assert_ptr_equal(drivers_metric(&ward.drivers, METRIC_COUNT + 1 + MODE, &driver),
                     &ward.valve.metrics[MODE]); /* those behind it moved */
    assert_int_equal(drivers_find(&ward.drivers, "loss", &diag), METRIC_COUNT);
    assert_int_equal(drivers_extend(&ward.drivers, 0, &more, &diag), ERR_CONFLICT);
    diag = (struct diag){0};
    char names[DRIVER_METRICS_MAX][8];
    for (unsigned i = 0; i < DRIVER_METRICS_MAX; i++) {
        struct lumbar_metric each = more;
        snprintf(names[i], sizeof(names[i]), "m%u", i);
        each.name = names[i];
        int code = drivers_extend(&ward.drivers, 1, &each, &diag);
        assert_int_equal(code, i < DRIVER_METRICS_MAX - METRIC_COUNT ? 0 : ERR_LIMIT);
    }
}

static void metrics_are_found_by_a_name_that_is_not_ambiguous(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t metric;
        const char *sentence;
    } cases[] = {
        {"skin_temperature", 2 * METRIC_COUNT, ""},
        {"pump/mode", MODE, ""},
        {"valve/mode", METRIC_COUNT + MODE, ""},
        {"mode", -1, "\"mode\" is a metric of two kinds of device: say pump/mode or valve/mode"},
        {"skin_temprature", -1,
         "there is no metric \"skin_temprature\"; did you mean \"skin_temperature\"?"},
        {"qqqqqqqq", -1, "there is no metric \"qqqqqqqq\""},
        {"pump/mod", -1, "there is no pump metric \"mod\"; did you mean \"mode\"?"},
        {"pomp/mode", -1, "there is no kind of device \"pomp\"; did you mean \"pump\"?"},
        {"pump/", -1, "there is no pump metric \"\""},
        {"/mode", -1, "there is no kind of device \"\""},
        {"", -1, "there is no metric \"\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {.code = 0};
        int64_t metric = drivers_find(&ward.drivers, cases[i].name, &diag);
        assert_string_equal(diag.text, cases[i].sentence);
        assert_int_equal(metric, cases[i].metric);
    }
}

static void a_kind_longer_than_any_is_unknown_and_cut(void **state)
{
    (void)state;
    char name[400];
    memset(name, 'k', sizeof(name));
    memcpy(name + sizeof(name) - 6, "/mode", 6);
    struct diag diag = {.code = 0};
    assert_int_equal(drivers_find(&ward.drivers, name, &diag), -1);
    assert_non_null(strstr(diag.text, "there is no kind of device \"kkkk"));
}

static void values_are_stale_after_3_periods_and_offline_after_10(void **state)
{
    (void)state;
    static const struct {
        uint32_t period_ms;
        int64_t stale_ms, offline_ms;
    } cases[] = {
        {0, 0, 0},         /* an event is never */
        {1, 2000, 2000},   /* 2 s at least */
        {100, 2000, 2000}, /* offline never before stale */
        {1000, 3000, 10000}, {UINT32_MAX, 12884901885, 42949672950},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lumbar_metric metric = {.period_ms = cases[i].period_ms};
        assert_int_equal(metric_stale_ms(&metric), cases[i].stale_ms);
        assert_int_equal(metric_offline_ms(&metric), cases[i].offline_ms);
    }
}

static void values_survive_16_bits_to_half_a_step(void **state)
{
    (void)state;
    const struct lumbar_metric *level = &ward.pump.metrics[LEVEL];
    assert_int_equal(metric_quantise(level, 0), 0);
    assert_int_equal(metric_quantise(level, 100), METRIC_NONE - 1);
    for (double value = 0; value <= 100; value += 0.37)
        assert_true(fabs(metric_value(level, metric_quantise(level, value)) - value) <=
                    metric_step(level) / 2 + 1e-12);
    static const double none[] = {NAN, -0.001, 100.001, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(metric_quantise(level, none[i]), METRIC_NONE);
    assert_true(isnan(metric_value(level, METRIC_NONE)));
    for (unsigned label = 0; label < 3; label++) {
        assert_int_equal(metric_quantise(&ward.pump.metrics[MODE], label), label);
        assert_true(metric_value(&ward.pump.metrics[MODE], (uint16_t)label) == label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WARD(a_kind_is_there_once_and_there_are_at_most_16),
        IN_WARD(a_topic_finds_its_driver_and_the_plugins_own_leaf),
        IN_WARD(metrics_are_numbered_through_all_drivers),
        IN_WARD(a_kind_is_given_metrics_that_the_hub_makes),
        IN_WARD(metrics_are_found_by_a_name_that_is_not_ambiguous),
        IN_WARD(a_kind_longer_than_any_is_unknown_and_cut),
        cmocka_unit_test(values_are_stale_after_3_periods_and_offline_after_10),
        IN_WARD(values_survive_16_bits_to_half_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
