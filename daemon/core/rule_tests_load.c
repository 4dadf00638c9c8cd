/* Tests of rules from YAML: everything that can be wrong with one is said here, with its place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule_tests_set.h"

#define DAY_MS (24 * 3600 * 1000)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct reader {
    const struct yaml *yaml;
    const struct rules *rules;
    const struct drivers *drivers;
    struct rule_test *test;
    struct diag *diag;
};

#define COMPLAIN(reader, node, code, ...)                                                          \
    yaml_complain((reader)->yaml, node, (reader)->diag, code, __VA_ARGS__)

/* ---- the file ---- */

static int check_list(const struct yaml *yaml, const struct yaml_node *root, const char *key,
                      const struct yaml_node **out, struct diag *diag)
{
    *out = yaml_get(root, key);
    if (*out == NULL || (*out)->kind != YAML_LIST || (*out)->count == 0)
        return yaml_complain(yaml, *out != NULL ? *out : root, diag, ERR_SYNTAX,
                             "a file of rule tests has a list of %s", key);
    return 0;
}

static int parse_file(struct rule_tests *tests, struct diag *diag)
{
    static const char *const keys[] = {"rules", "complete", "tests"};
    const struct yaml_node *root = yaml_root(tests->yaml);
    if (root == NULL || root->kind != YAML_MAP)
        return diag_at(diag, ERR_SYNTAX, yaml_file(tests->yaml), 1, 1,
                       "a file of rule tests has a list of rules, and one of tests");
    int code = yaml_only(tests->yaml, root, keys, COUNT(keys), diag);
    if (code == 0)
        code = check_list(tests->yaml, root, "rules", &tests->files, diag);
    if (code == 0)
        code = check_list(tests->yaml, root, "tests", &tests->list, diag);
    for (size_t i = 0; code == 0 && i < tests->files->count; i++)
        if (tests->files->children[i].kind != YAML_SCALAR)
            code = yaml_complain(tests->yaml, &tests->files->children[i], diag, ERR_SYNTAX,
                                 "expected the name of a rule file");
    const struct yaml_node *complete = code == 0 ? yaml_get(root, "complete") : NULL;
    if (complete == NULL)
        return code;
    tests->complete = complete->kind == YAML_SCALAR && strcmp(complete->scalar, "true") == 0;
    if (!tests->complete &&
        (complete->kind != YAML_SCALAR || strcmp(complete->scalar, "false") != 0))
        return yaml_complain(tests->yaml, complete, diag, ERR_SYNTAX, "complete is true or false");
    return 0;
}

int rule_tests_parse(struct rule_tests **out, const char *file, const char *text, size_t bytes,
                     struct diag *diag)
{
    struct rule_tests *tests = calloc(1, sizeof(*tests));
    *out = NULL;
    if (tests == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    int code = yaml_parse(&tests->yaml, file, text, bytes, diag);
    if (code == 0)
        code = parse_file(tests, diag);
    if (code != 0) {
        rule_tests_destroy(tests);
        return code;
    }
    *out = tests;
    return 0;
}

void rule_tests_destroy(struct rule_tests *tests)
{
    if (tests == NULL)
        return;
    yaml_destroy(tests->yaml);
    free(tests);
}

const char *rule_tests_file(const struct rule_tests *tests, size_t place)
{
    return place < tests->files->count ? tests->files->children[place].scalar : NULL;
}

/* ---- words, times, values ---- */

static const char *scalar_of(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node != NULL && node->kind == YAML_SCALAR ? node->scalar : NULL;
}

static int read_time(struct reader *reader, const struct yaml_node *map, const char *key,
                     int64_t least_ms, int64_t *out_ms)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        return COMPLAIN(reader, map, ERR_SYNTAX, "'%s' is missing: a time, as 5 s", key);
    if (node->kind != YAML_SCALAR || !text_duration_ms(node->scalar, out_ms))
        return COMPLAIN(reader, node, ERR_SYNTAX, "%s is a time, as 5 s (ms, s, min or h)", key);
    if (*out_ms < least_ms || *out_ms > DAY_MS)
        return COMPLAIN(reader, node, ERR_RANGE, "%s is %lld ms to 24 h", key, (long long)least_ms);
    return 0;
}

/* A number with exactly this unit. */
static int read_value(struct reader *reader, const struct yaml_node *node, const char *unit,
                      double *out)
{
    const char *found;
    const char *wanted = strcmp(unit, "1") == 0 ? "" : unit;
    if (node->kind != YAML_SCALAR || !text_quantity(node->scalar, out, &found) ||
        strcmp(found, wanted) != 0)
        return COMPLAIN(reader, node, ERR_SYNTAX, "expected a number with the unit %s", unit);
    return 0;
}

static int read_metric(struct reader *reader, const struct yaml_node *node, const char *name,
                       uint32_t *out)
{
    struct diag why = {0};
    int64_t metric = name != NULL ? drivers_find(reader->drivers, name, &why) : -1;
    if (metric < 0)
        return COMPLAIN(reader, node, ERR_UNKNOWN, "%s",
                        name != NULL ? why.text : "expected the name of a metric");
    *out = (uint32_t)metric;
    return 0;
}

static int read_rule(struct reader *reader, const struct yaml_node *node, const char *name,
                     const struct rule **out)
{
    const char *names[64], *nearest;
    size_t count = rules_written(reader->rules);
    if (name == NULL)
        return COMPLAIN(reader, node, ERR_SYNTAX, "expected the name of a rule");
    *out = rules_find(reader->rules, name);
    if (*out != NULL)
        return 0;
    count = count < COUNT(names) ? count : COUNT(names);
    for (size_t i = 0; i < count; i++)
        names[i] = rules_at(reader->rules, (uint32_t)i)->name;
    nearest = text_nearest(name, names, count);
    return COMPLAIN(reader, node, ERR_UNKNOWN, "there is no rule '%.60s'%s%s%s", name,
                    nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "'?" : "");
}

/* The list of this key, NULL where there is none. */
static int get_list(struct reader *reader, const struct yaml_node *map, const char *key, size_t max,
                    const struct yaml_node **out)
{
    *out = yaml_get(map, key);
    if (*out != NULL && ((*out)->kind != YAML_LIST || (*out)->count > max))
        return COMPLAIN(reader, *out, ERR_SYNTAX, "%s is a list of up to %zu", key, max);
    return 0;
}

static int check_map(struct reader *reader, const struct yaml_node *node, const char *what,
                     const char *const *keys, size_t count)
{
    if (node->kind != YAML_MAP)
        return COMPLAIN(reader, node, ERR_SYNTAX, "%s", what);
    return yaml_only(reader->yaml, node, keys, count, reader->diag);
}

/* ---- series ---- */

static int find_device(struct reader *reader, const struct yaml_node *map,
                       const struct driver *driver, uint32_t *out)
{
    struct rule_test *test = reader->test;
    const struct yaml_node *node = yaml_get(map, "device");
    const char *name = node == NULL ? driver->plugin->kind : scalar_of(map, "device");
    if (name == NULL || !text_is_label(name, strlen(name)))
        return COMPLAIN(reader, node, ERR_SYNTAX, "device is a name of A-Z a-z 0-9 _ - .");
    for (*out = 0; *out < test->device_count; ++*out)
        if (test->devices[*out].driver == driver && strcmp(test->devices[*out].name, name) == 0)
            return 0;
    if (test->device_count == TEST_DEVICES_MAX)
        return COMPLAIN(reader, map, ERR_LIMIT, "more than %d devices", TEST_DEVICES_MAX);
    test->devices[test->device_count++] = (struct test_device){name, driver};
    return 0;
}

static int read_series(struct reader *reader, const struct yaml_node *map)
{
    static const char *const keys[] = {"metric", "device", "interval", "values"};
    struct rule_test *test = reader->test;
    struct test_series *series = &test->series[test->series_count];
    const struct driver *driver;
    char sentence[200];
    struct text why = text_in(sentence, sizeof(sentence));
    uint32_t metric = 0;
    int code = check_map(reader, map, "a series is a map: metric, values", keys, COUNT(keys));
    if (code == 0)
        code = read_metric(reader, map, scalar_of(map, "metric"), &metric);
    if (code != 0)
        return code;
    const struct lumbar_metric *described = drivers_metric(reader->drivers, metric, &driver);
    code = find_device(reader, map, driver, &series->device);
    series->metric = metric - driver->first_metric;
    series->interval_ms = test->interval_ms;
    if (code == 0 && yaml_get(map, "interval") != NULL)
        code = read_time(reader, map, "interval", 1, &series->interval_ms);
    if (code != 0)
        return code;
    const char *values = scalar_of(map, "values");
    if (values == NULL || !rule_series_read(&series->values, values, described, &why))
        return COMPLAIN(reader, yaml_get(map, "values") != NULL ? yaml_get(map, "values") : map,
                        ERR_SYNTAX, "%s", values == NULL ? "a series has values" : sentence);
    for (uint32_t i = 0; i < test->series_count; i++)
        if (test->series[i].device == series->device && test->series[i].metric == series->metric)
            return COMPLAIN(reader, map, ERR_CONFLICT, "a second series of %s of %s",
                            described->name, test->devices[series->device].name);
    test->series_count++;
    return 0;
}

static int read_all_series(struct reader *reader, const struct yaml_node *map)
{
    const struct yaml_node *list;
    int code = get_list(reader, map, "series", TEST_SERIES_MAX, &list);
    if (code == 0 && (list == NULL || list->count == 0))
        return COMPLAIN(reader, map, ERR_SYNTAX, "a test has series");
    for (size_t i = 0; code == 0 && i < list->count; i++)
        code = read_series(reader, &list->children[i]);
    return code;
}

/* ---- the session ---- */

static int read_step(struct reader *reader, const struct yaml_node *map)
{
    static const char *const keys[] = {"at", "phase", "end"};
    struct rule_test *test = reader->test;
    struct test_step *step = &test->steps[test->step_count];
    int code = check_map(reader, map, "a step of the session is {at: TIME, phase: NAME}", keys,
                         COUNT(keys));
    if (code == 0)
        code = read_time(reader, map, "at", 0, &step->at_ms);
    if (code != 0)
        return code;
    const char *end = scalar_of(map, "end");
    step->phase = scalar_of(map, "phase");
    if ((step->phase == NULL) == (end == NULL) || (end != NULL && strcmp(end, "true") != 0))
        return COMPLAIN(reader, map, ERR_SYNTAX, "a step has a phase, or is the end: end: true");
    if (test->step_count > 0 && step->at_ms < step[-1].at_ms)
        return COMPLAIN(reader, map, ERR_CONFLICT, "the steps of a session go up in time");
    test->step_count++;
    return 0;
}

static int read_session(struct reader *reader, const struct yaml_node *map)
{
    const struct yaml_node *list;
    int code = get_list(reader, map, "session", TEST_STEPS_MAX, &list);
    for (size_t i = 0; code == 0 && list != NULL && i < list->count; i++)
        code = read_step(reader, &list->children[i]);
    return code;
}

/* A limit of the plan is one number for both sides, or two as a range has. */
static int read_limit(struct reader *reader, const struct yaml_node *node, bool range,
                      struct test_limit *limit)
{
    int code = read_metric(reader, node, node->key, &limit->metric);
    if (code != 0)
        return code;
    const char *unit = drivers_metric(reader->drivers, limit->metric, NULL)->unit;
    if (!range && node->kind == YAML_SCALAR) {
        code = read_value(reader, node, unit, &limit->high);
        limit->low = limit->high;
        return code;
    }
    if (node->kind != YAML_LIST || node->count != 2)
        return COMPLAIN(reader, node, ERR_SYNTAX, "a range is [low, high]");
    code = read_value(reader, &node->children[0], unit, &limit->low);
    return code == 0 ? read_value(reader, &node->children[1], unit, &limit->high) : code;
}

static int read_limits(struct reader *reader, const struct yaml_node *map, const char *key,
                       bool range, struct test_limit *limits, uint32_t *count)
{
    const struct yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        return 0;
    if (node->kind != YAML_MAP || node->count > TEST_LIMITS_MAX)
        return COMPLAIN(reader, node, ERR_SYNTAX, "%s is a map of up to %d metrics", key,
                        TEST_LIMITS_MAX);
    int code = 0;
    for (size_t i = 0; code == 0 && i < node->count; i++)
        code = read_limit(reader, &node->children[i], range, &limits[(*count)++]);
    return code;
}

/* ---- what is expected ---- */

/* Of a rate or a count, what the rule's window gives. */
static void value_unit(const struct rule *rule, struct text *out)
{
    const char *unit = rule->driver->metrics[rule->metric - rule->driver->first_metric].unit;
    if (rule->window != WINDOW_COUNT && strcmp(unit, "1") != 0)
        text_add(out, "%s", unit);
    text_add(out, "%s", rule->rate_unit != NULL ? rule->rate_unit : "");
}

static int read_priority(struct reader *reader, const struct yaml_node *node,
                         enum rule_priority *priority)
{
    static const char *const words[] = {"low", "medium", "high"};
    for (size_t i = 0; node->kind == YAML_SCALAR && i < COUNT(words); i++)
        if (strcmp(words[i], node->scalar) == 0) {
            *priority = (enum rule_priority)(PRIORITY_LOW + i);
            return 0;
        }
    return COMPLAIN(reader, node, ERR_UNKNOWN, "priority is low, medium or high");
}

static int read_alarm(struct reader *reader, const struct yaml_node *node, struct test_alarm *alarm)
{
    static const char *const keys[] = {"rule",  "device", "value",   "text",
                                       "plain", "action", "priority"};
    char unit[64];
    struct text text = text_in(unit, sizeof(unit));
    *alarm = (struct test_alarm){.value = NAN};
    if (node->kind == YAML_SCALAR)
        return read_rule(reader, node, node->scalar, &alarm->rule);
    int code = check_map(reader, node, "an alarm is a rule's name, or {rule: NAME, ...}", keys,
                         COUNT(keys));
    if (code == 0)
        code = read_rule(reader, node, scalar_of(node, "rule"), &alarm->rule);
    if (code != 0)
        return code;
    alarm->device = scalar_of(node, "device");
    alarm->text = scalar_of(node, "text");
    alarm->plain = scalar_of(node, "plain");
    alarm->action = scalar_of(node, "action");
    if (yaml_get(node, "priority") != NULL)
        code = read_priority(reader, yaml_get(node, "priority"), &alarm->priority);
    if (code != 0)
        return code;
    value_unit(alarm->rule, &text);
    const struct yaml_node *value = yaml_get(node, "value");
    return value != NULL ? read_value(reader, value, unit, &alarm->value) : 0;
}

static int read_last(struct reader *reader, const struct yaml_node *node, struct test_value *value)
{
    int code = read_metric(reader, node, node->key, &value->metric);
    if (code != 0)
        return code;
    const struct driver *driver;
    const char *unit = drivers_metric(reader->drivers, value->metric, &driver)->unit;
    bool known = false;
    for (uint32_t d = 0; d < reader->test->device_count; d++)
        known = known || reader->test->devices[d].driver == driver;
    if (!known)
        return COMPLAIN(reader, node, ERR_CONFLICT, "no series is of a device that has %s",
                        node->key);
    return read_value(reader, node, unit, &value->value);
}

static int read_values(struct reader *reader, const struct yaml_node *map,
                       struct test_expect *expect)
{
    const struct yaml_node *node = yaml_get(map, "values");
    if (node == NULL)
        return 0;
    if (node->kind != YAML_MAP || node->count > TEST_VALUES_MAX)
        return COMPLAIN(reader, node, ERR_SYNTAX, "values is a map of up to %d metrics",
                        TEST_VALUES_MAX);
    int code = 0;
    for (size_t i = 0; code == 0 && i < node->count; i++)
        code = read_last(reader, &node->children[i], &expect->values[expect->value_count++]);
    return code;
}

static int read_expect(struct reader *reader, const struct yaml_node *map)
{
    static const char *const keys[] = {"at", "alarms", "suppressed", "values"};
    struct rule_test *test = reader->test;
    struct test_expect *expect = &test->expects[test->expect_count];
    const struct yaml_node *alarms = NULL, *suppressed = NULL;
    int code =
        check_map(reader, map, "an expectation is {at: TIME, alarms: [...]}", keys, COUNT(keys));
    if (code == 0)
        code = read_time(reader, map, "at", 0, &expect->at_ms);
    if (code == 0)
        code = get_list(reader, map, "alarms", TEST_ALARMS_MAX, &alarms);
    if (code == 0)
        code = get_list(reader, map, "suppressed", TEST_ALARMS_MAX, &suppressed);
    if (code != 0)
        return code;
    if (alarms == NULL)
        return COMPLAIN(reader, map, ERR_SYNTAX, "say which alarms stand; [] for none");
    if (test->expect_count > 0 && expect->at_ms < expect[-1].at_ms)
        return COMPLAIN(reader, map, ERR_CONFLICT, "what is expected goes up in time");
    expect->line = map->line;
    for (size_t i = 0; code == 0 && i < alarms->count; i++)
        code = read_alarm(reader, &alarms->children[i], &expect->alarms[expect->alarm_count++]);
    expect->of_suppressed = suppressed != NULL;
    for (size_t i = 0; code == 0 && suppressed != NULL && i < suppressed->count; i++) {
        const struct yaml_node *rule = &suppressed->children[i];
        code = read_rule(reader, rule, rule->kind == YAML_SCALAR ? rule->scalar : NULL,
                         &expect->suppressed[expect->suppressed_count++]);
    }
    if (code == 0)
        code = read_values(reader, map, expect);
    test->expect_count++;
    return code;
}

static int read_expects(struct reader *reader, const struct yaml_node *map)
{
    const struct yaml_node *list;
    int code = get_list(reader, map, "expect", TEST_EXPECTS_MAX, &list);
    if (code == 0 && (list == NULL || list->count == 0))
        return COMPLAIN(reader, map, ERR_SYNTAX, "a test that expects nothing proves nothing");
    for (size_t i = 0; code == 0 && i < list->count; i++)
        code = read_expect(reader, &list->children[i]);
    return code;
}

int rule_test_read(struct rule_test *test, const struct rule_tests *tests, size_t place,
                   const struct rules *rules, const struct drivers *drivers, struct diag *diag)
{
    static const char *const keys[] = {"name",   "interval",  "series", "session",
                                       "limits", "own_range", "expect"};
    const struct yaml_node *map = &tests->list->children[place];
    struct reader reader = {tests->yaml, rules, drivers, test, diag};
    memset(test, 0, sizeof(*test));
    test->interval_ms = 1000;
    int code = check_map(&reader, map, "a test is a map: name, series, expect", keys, COUNT(keys));
    if (code != 0)
        return code;
    test->name = scalar_of(map, "name");
    if (test->name == NULL || test->name[0] == '\0')
        return COMPLAIN(&reader, map, ERR_SYNTAX, "a test has a name: the sentence that it proves");
    if (yaml_get(map, "interval") != NULL)
        code = read_time(&reader, map, "interval", 1, &test->interval_ms);
    if (code == 0)
        code = read_all_series(&reader, map);
    if (code == 0)
        code = read_session(&reader, map);
    if (code == 0)
        code = read_limits(&reader, map, "limits", false, test->limits, &test->limit_count);
    if (code == 0)
        code = read_limits(&reader, map, "own_range", true, test->ranges, &test->range_count);
    return code == 0 ? read_expects(&reader, map) : code;
}
