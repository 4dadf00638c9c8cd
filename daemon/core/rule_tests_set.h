/*
 * One test of rules as it was read: shared by its parser (rule_tests_load.c) and rule_tests.c only.
 */
#ifndef LUMBAR_CORE_RULE_TESTS_SET_H
#define LUMBAR_CORE_RULE_TESTS_SET_H

#include "core/rule_series.h"
#include "core/rule_tests.h"
#include "core/yaml.h"

#define TEST_DEVICES_MAX 16
#define TEST_SERIES_MAX  32
#define TEST_STEPS_MAX   64
#define TEST_LIMITS_MAX  16
#define TEST_EXPECTS_MAX 128
#define TEST_ALARMS_MAX  32 /* expected at one time */
#define TEST_VALUES_MAX  16

struct test_device {
    const char *name;
    const struct driver *driver;
};

struct test_series {
    uint32_t metric; /* within the driver */
    uint32_t device; /* among the test's */
    int64_t interval_ms;
    struct rule_series values;
};

struct test_step {
    int64_t at_ms;
    const char *phase; /* NULL: the session ends */
};

/* Of the plan (high), or of the client's range. */
struct test_limit {
    uint32_t metric; /* through all drivers */
    double low, high;
};

struct test_alarm {
    const struct rule *rule;
    const char *device, *text, *plain, *action; /* NULL: any */
    double value;                               /* NaN: any */
    enum rule_priority priority;                /* 0: any */
};

/* What every device of the metric's kind must have said last, or the hub of it. */
struct test_value {
    uint32_t metric; /* through all drivers */
    double value;
};

struct test_expect {
    int64_t at_ms;
    int line;
    struct test_alarm alarms[TEST_ALARMS_MAX];
    uint32_t alarm_count;
    const struct rule *suppressed[TEST_ALARMS_MAX];
    uint32_t suppressed_count;
    bool of_suppressed; /* they were written */
    struct test_value values[TEST_VALUES_MAX];
    uint32_t value_count;
};

struct rule_test {
    const char *name;
    int64_t interval_ms;
    struct test_device devices[TEST_DEVICES_MAX];
    struct test_series series[TEST_SERIES_MAX];
    struct test_step steps[TEST_STEPS_MAX];
    struct test_limit limits[TEST_LIMITS_MAX], ranges[TEST_LIMITS_MAX];
    struct test_expect expects[TEST_EXPECTS_MAX];
    uint32_t device_count, series_count, step_count, limit_count, range_count, expect_count;
};

struct rule_tests {
    struct yaml *yaml;
    const struct yaml_node *files, *list;
    bool complete;
};

/* Reads the test at this place of the list, with the rules that it names. */
int rule_test_read(struct rule_test *test, const struct rule_tests *tests, size_t place,
                   const struct rules *rules, const struct drivers *drivers, struct diag *diag);

#endif
