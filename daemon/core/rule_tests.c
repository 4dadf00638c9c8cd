#include "core/rule_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/derive.h"
#include "core/rule_tests_set.h"

#define START_MS  INT64_C(1700000000000) /* any: times are counted from it */
#define TICK_MS   250                    /* as the hub's */
#define ROOM      1
#define ROOM_NAME "Room 1"
#define RATE      1000000 /* messages a second: a test may be as quick as it likes */
#define NEAR      1e-6    /* what was written with decimals is meant */

/* What a rule said last of a device. */
struct told {
    bool on;
    double value, limit;
    const char *phase;
};

/* One test on its way. */
struct run {
    const struct rule_test *test;
    struct rules *rules;
    struct derive *derive;
    struct devices *devices;
    struct device *device[TEST_DEVICES_MAX];
    struct told *told;                  /* by rule, then device */
    double (*last)[DRIVER_METRICS_MAX]; /* by device: what it said, or was derived of it; or NaN */
    const char *phase;                  /* NULL: no session runs */
    struct derive_session session;
    uint64_t sessions; /* so far */
    uint32_t step, expect;
    const struct rule_tests_listener *listener;
    bool passed;
};

static struct told *told_of(const struct run *run, uint32_t rule, uint32_t device)
{
    return &run->told[(size_t)rule * TEST_DEVICES_MAX + device];
}

/* ---- what rules ask, and say ---- */

static const char *phase_of(void *user, uint32_t room)
{
    const struct run *run = user;
    return room == ROOM ? run->phase : NULL;
}

static const struct test_limit *find_limit(const struct test_limit *limits, uint32_t count,
                                           uint32_t metric)
{
    for (uint32_t i = 0; i < count; i++)
        if (limits[i].metric == metric)
            return &limits[i];
    return NULL;
}

static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    const struct run *run = user;
    const struct test_limit *found = find_limit(run->test->limits, run->test->limit_count, metric);
    if (room != ROOM || run->phase == NULL || found == NULL)
        return false;
    *limit = high ? found->high : found->low;
    return true;
}

static bool range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    const struct run *run = user;
    const struct test_limit *found = find_limit(run->test->ranges, run->test->range_count, metric);
    if (room != ROOM || run->phase == NULL || found == NULL)
        return false;
    *low = found->low;
    *high = found->high;
    return true;
}

static void on_event(void *user, const struct rule_event *event)
{
    struct run *run = user;
    *told_of(run, event->rule->id, event->device - 1) =
        (struct told){event->on, event->value, event->limit, run->phase};
}

/* ---- time ---- */

/* The session begins, comes into another phase, or ends. */
static void take_step(struct run *run, const struct test_step *step)
{
    bool begins = run->phase == NULL && step->phase != NULL;
    int64_t now_ms = START_MS + step->at_ms;
    run->phase = step->phase;
    if (begins)
        run->session = (struct derive_session){.id = ++run->sessions, .began_ms = now_ms};
    else if (run->phase == NULL)
        run->session = (struct derive_session){.id = 0};
    else
        run->session.phase++;
    run->session.phase_ms = now_ms;
}

/* The samples of a device at this time, as one message. */
static void give_device(struct run *run, uint32_t device, int64_t at_ms)
{
    struct lumbar_series series[TEST_SERIES_MAX];
    struct extent extents[TEST_SERIES_MAX];
    double values[TEST_SERIES_MAX];
    uint32_t count = 0;
    bool derives = true;
    for (uint32_t i = 0; i < run->test->series_count; i++) {
        const struct test_series *from = &run->test->series[i];
        if (from->device == device &&
            from->metric >= run->device[device]->driver->plugin->metric_count)
            derives = false;
        if (from->device != device || at_ms % from->interval_ms != 0 ||
            rule_series_at(&from->values, at_ms / from->interval_ms, &values[count]) ==
                SERIES_SILENT)
            continue;
        series[count] = (struct lumbar_series){from->metric, 1, &at_ms, &values[count]};
        extents[count] = extent_of(&series[count]);
        count++;
    }
    struct decoded message = {{.series = series, .series_count = count}, extents, 0};
    if (count > 0 && derives)
        derive_take(run->derive, run->device[device], &run->session, START_MS + at_ms, START_MS,
                    &message);
    if (count == 0)
        return;
    for (uint32_t i = 0; i < message.batch.series_count; i++) {
        const struct lumbar_series *said = &message.batch.series[i];
        run->last[device][said->metric] = said->value[said->count - 1];
    }
    rules_judge(run->rules, run->devices, run->device[device], &message, START_MS, on_event, run);
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t next_ms(const struct run *run, int64_t at_ms)
{
    int64_t next = (at_ms / TICK_MS + 1) * TICK_MS;
    for (uint32_t i = 0; i < run->test->series_count; i++) {
        const struct test_series *series = &run->test->series[i];
        int64_t step = at_ms / series->interval_ms + 1;
        if (step < series->values.steps)
            next = sooner(next, step * series->interval_ms);
    }
    if (run->step < run->test->step_count)
        next = sooner(next, run->test->steps[run->step].at_ms);
    return sooner(next, run->test->expects[run->expect].at_ms);
}

/* ---- what is expected ---- */

static void differ(struct run *run, const struct test_expect *expect, const struct text *what)
{
    run->passed = false;
    run->listener->on_difference(run->listener->user, run->test->name, expect->line, expect->at_ms,
                                 what->at);
}

static void write_words(const struct run *run, const struct rule *rule, const char *words,
                        uint32_t device, struct text *out)
{
    const struct told *told = told_of(run, rule->id, device);
    rule_write_text(out, rule, words,
                    &(struct rule_facts){.device = run->test->devices[device].name,
                                         .room = ROOM_NAME,
                                         .phase = told->phase,
                                         .value = told->value,
                                         .limit = told->limit});
}

/* One of the texts of an alarm that stands, against what is expected (NULL: any). */
static void check_text(struct run *run, const struct test_expect *expect, const struct rule *rule,
                       const char *of_rule, uint32_t device, const char *wanted)
{
    char words[400], sentence[1000];
    struct text text = text_in(words, sizeof(words)), what = text_in(sentence, sizeof(sentence));
    write_words(run, rule, of_rule, device, &text);
    if (wanted == NULL || strcmp(wanted, words) == 0)
        return;
    text_add(&what, "%s of %s says \"%s\", not \"%.400s\"", rule->name,
             run->test->devices[device].name, words, wanted);
    differ(run, expect, &what);
}

/* What of an alarm that stands is not as expected. */
static void check_alarm(struct run *run, const struct test_expect *expect,
                        const struct test_alarm *alarm, uint32_t device)
{
    const struct rule *rule = alarm->rule;
    const struct told *told = told_of(run, rule->id, device);
    const char *name = run->test->devices[device].name;
    char sentence[200];
    struct text what = text_in(sentence, sizeof(sentence));
    if (alarm->priority != 0 && alarm->priority != rule->priority) {
        text_add(&what, "%s is of another priority", rule->name);
        differ(run, expect, &what);
    }
    if (!isnan(alarm->value) && !(fabs(alarm->value - told->value) <= NEAR)) {
        what = text_in(sentence, sizeof(sentence));
        text_add(&what, "%s of %s has the value ", rule->name, name);
        text_add_number(&what, told->value, 6);
        text_add(&what, ", not ");
        text_add_number(&what, alarm->value, 6);
        differ(run, expect, &what);
    }
    check_text(run, expect, rule, rule->text, device, alarm->text);
    check_text(run, expect, rule, rule->plain, device, alarm->plain);
    check_text(run, expect, rule, rule->action, device, alarm->action);
}

/* A device for which this alarm stands and that no other expectation has taken; -1: none. */
static int find_standing(const struct run *run, const struct test_alarm *alarm, const bool *taken)
{
    for (uint32_t d = 0; d < run->test->device_count; d++)
        if (told_of(run, alarm->rule->id, d)->on &&
            !taken[(size_t)alarm->rule->id * TEST_DEVICES_MAX + d] &&
            (alarm->device == NULL || strcmp(alarm->device, run->test->devices[d].name) == 0))
            return (int)d;
    return -1;
}

/* Those that name a device take it before the others take any. */
static void check_expected(struct run *run, const struct test_expect *expect, bool of_device,
                           bool *taken)
{
    for (uint32_t i = 0; i < expect->alarm_count; i++) {
        const struct test_alarm *alarm = &expect->alarms[i];
        if ((alarm->device != NULL) != of_device)
            continue;
        int device = find_standing(run, alarm, taken);
        if (device >= 0) {
            taken[(size_t)alarm->rule->id * TEST_DEVICES_MAX + (size_t)device] = true;
            check_alarm(run, expect, alarm, (uint32_t)device);
            continue;
        }
        char sentence[200];
        struct text what = text_in(sentence, sizeof(sentence));
        text_add(&what, "%s%s%s does not stand", alarm->rule->name,
                 alarm->device != NULL ? " of " : "", alarm->device != NULL ? alarm->device : "");
        differ(run, expect, &what);
    }
}

static void check_unexpected(struct run *run, const struct test_expect *expect, const bool *taken)
{
    for (uint32_t r = 0; r < rules_written(run->rules); r++)
        for (uint32_t d = 0; d < run->test->device_count; d++) {
            if (!told_of(run, r, d)->on || taken[(size_t)r * TEST_DEVICES_MAX + d])
                continue;
            const struct rule *rule = rules_at(run->rules, r);
            char sentence[600];
            struct text what = text_in(sentence, sizeof(sentence));
            text_add(&what, "%s of %s stands: ", rule->name, run->test->devices[d].name);
            write_words(run, rule, rule->text, d, &what);
            differ(run, expect, &what);
        }
}

static void check_suppressed(struct run *run, const struct test_expect *expect)
{
    for (uint32_t r = 0; r < rules_written(run->rules); r++) {
        const struct rule *rule = rules_at(run->rules, r);
        bool is = false, wanted = false;
        for (uint32_t d = 0; d < run->test->device_count; d++)
            is = is || rules_standing(run->rules, r, run->device[d]) == STANDING_SUPPRESSED;
        for (uint32_t i = 0; i < expect->suppressed_count; i++)
            wanted = wanted || expect->suppressed[i] == rule;
        char sentence[200];
        struct text what = text_in(sentence, sizeof(sentence));
        text_add(&what, "%s is %ssuppressed", rule->name, is ? "" : "not ");
        if (is != wanted)
            differ(run, expect, &what);
    }
}

static void check_value(struct run *run, const struct test_expect *expect,
                        const struct test_value *wanted)
{
    for (uint32_t d = 0; d < run->test->device_count; d++) {
        const struct driver *driver = run->test->devices[d].driver;
        uint32_t place = wanted->metric - driver->first_metric;
        if (wanted->metric < driver->first_metric || place >= driver->metric_count ||
            fabs(run->last[d][place] - wanted->value) <= NEAR)
            continue;
        char sentence[200];
        struct text what = text_in(sentence, sizeof(sentence));
        const char *name = driver->metrics[place].name, *unit = driver->metrics[place].unit;
        text_add(&what, "%s of %s is ", name, run->test->devices[d].name);
        if (isnan(run->last[d][place]))
            text_add(&what, "not known");
        else
            text_add_number(&what, run->last[d][place], 6);
        text_add(&what, ", not ");
        text_add_number(&what, wanted->value, 6);
        text_add(&what, " %s", strcmp(unit, "1") == 0 ? "" : unit);
        differ(run, expect, &what);
    }
}

static int check(struct run *run, const struct test_expect *expect)
{
    bool *taken = calloc((size_t)rules_written(run->rules) * TEST_DEVICES_MAX + 1, sizeof(*taken));
    if (taken == NULL)
        return ERR_MEMORY;
    check_expected(run, expect, true, taken);
    check_expected(run, expect, false, taken);
    check_unexpected(run, expect, taken);
    if (expect->of_suppressed)
        check_suppressed(run, expect);
    for (uint32_t i = 0; i < expect->value_count; i++)
        check_value(run, expect, &expect->values[i]);
    free(taken);
    return 0;
}

/* ---- one test ---- */

static int play(struct run *run)
{
    const struct rule_test *test = run->test;
    int code = 0;
    for (int64_t at_ms = 0; code == 0; at_ms = next_ms(run, at_ms)) {
        for (; run->step < test->step_count && test->steps[run->step].at_ms == at_ms; run->step++)
            take_step(run, &test->steps[run->step]);
        for (uint32_t d = 0; d < test->device_count; d++)
            give_device(run, d, at_ms);
        if (at_ms % TICK_MS == 0)
            rules_tick(run->rules, run->devices, START_MS + at_ms, on_event, run);
        for (; code == 0 && run->expect < test->expect_count &&
               test->expects[run->expect].at_ms == at_ms;
             run->expect++)
            code = check(run, &test->expects[run->expect]);
        if (run->expect == test->expect_count)
            break;
    }
    return code;
}

static int run_test(const struct rule_test *test, struct rules *rules, struct derive *derive,
                    const struct rule_tests_listener *listener, bool *passed)
{
    struct run run = {
        .test = test, .rules = rules, .derive = derive, .listener = listener, .passed = true};
    int code = ERR_MEMORY;
    run.devices = devices_create(TEST_DEVICES_MAX, RATE);
    run.told = calloc((size_t)rules_written(rules) * TEST_DEVICES_MAX + 1, sizeof(*run.told));
    run.last = malloc(TEST_DEVICES_MAX * sizeof(*run.last));
    if (run.devices == NULL || run.told == NULL || run.last == NULL)
        goto end;
    for (uint32_t d = 0; d < TEST_DEVICES_MAX; d++)
        for (uint32_t m = 0; m < DRIVER_METRICS_MAX; m++)
            run.last[d][m] = NAN;
    for (uint32_t d = 0; d < test->device_count; d++) {
        const struct test_device *device = &test->devices[d];
        run.device[d] =
            devices_hear(run.devices, device->driver, device->name, strlen(device->name));
        if (run.device[d] == NULL)
            goto end;
        devices_assign(run.devices, run.device[d], ROOM);
    }
    rules_ask(rules, &(struct rules_lookup){&run, phase_of, limit_of, range_of});
    derive_clear(derive);
    code = play(&run);
    *passed = run.passed;
end:
    free(run.last);
    free(run.told);
    devices_destroy(run.devices);
    return code;
}

/* ---- all of them ---- */

struct suite {
    const struct rule_tests *tests;
    struct drivers drivers; /* with what the files derive */
    struct derive *derive;
    const struct rule_tests_listener *listener;
    struct rule_tests_counts *counts;
    struct rule_test *test; /* the one that is at work */
    struct rules *rules;    /* its own */
    bool *tested;           /* by rule: a test wants it to be raised */
};

static int take_test(struct suite *suite, size_t place, struct diag *diag)
{
    struct rule_test *test = suite->test;
    bool passed = false;
    int code = rule_test_read(test, suite->tests, place, suite->rules, &suite->drivers, diag);
    if (code != 0)
        return code;
    for (uint32_t e = 0; e < test->expect_count; e++)
        for (uint32_t i = 0; i < test->expects[e].alarm_count; i++)
            suite->tested[test->expects[e].alarms[i].rule->id] = true;
    code = run_test(test, suite->rules, suite->derive, suite->listener, &passed);
    if (code != 0)
        return diag_set(diag, code, "%s", err_words(code));
    suite->counts->tests++;
    suite->counts->failed += !passed;
    suite->listener->on_end(suite->listener->user, test->name, passed);
    return 0;
}

static void tell_untested(const struct suite *suite)
{
    struct rule_tests_counts *counts = suite->counts;
    bool complete = suite->tests->complete;
    counts->rules = rules_written(suite->rules);
    for (uint32_t r = 0; r < counts->rules; r++)
        if (!suite->tested[r]) {
            counts->untested++;
            suite->listener->on_untested(suite->listener->user, rules_at(suite->rules, r),
                                         !complete);
        }
    counts->passed = counts->failed == 0 && (!complete || counts->untested == 0);
}

/* A test has rules of its own: nothing of the one before may be left in them. */
static int load_rules(struct suite *suite, const struct rules_text *files, size_t count,
                      struct diag *diag)
{
    rules_destroy(suite->rules);
    int code = rules_load(&suite->rules, files, count, &suite->drivers, TEST_DEVICES_MAX, diag);
    if (code != 0 || suite->tested != NULL)
        return code;
    suite->tested = calloc((size_t)rules_written(suite->rules) + 1, sizeof(*suite->tested));
    return suite->tested != NULL ? 0 : diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}

/* The same plugins, and the metrics that the files derive. */
static int load_drivers(struct suite *suite, const struct drivers *drivers,
                        const struct rules_text *files, size_t count, struct diag *diag)
{
    int code = 0;
    drivers_init(&suite->drivers);
    for (uint32_t i = 0; i < drivers->count && code == 0; i++)
        code = drivers_add(&suite->drivers, drivers->list[i].plugin, diag);
    return code != 0
               ? code
               : derive_load(&suite->derive, files, count, &suite->drivers, TEST_DEVICES_MAX, diag);
}

int rule_tests_run(const struct rule_tests *tests, const struct drivers *drivers,
                   const struct rules_text *files, size_t count,
                   const struct rule_tests_listener *listener, struct rule_tests_counts *counts,
                   struct diag *diag)
{
    struct suite suite = {.tests = tests,
                          .listener = listener,
                          .counts = counts,
                          .test = malloc(sizeof(*suite.test))};
    int code = load_drivers(&suite, drivers, files, count, diag);
    if (suite.test == NULL)
        code = diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    *counts = (struct rule_tests_counts){0};
    for (size_t i = 0; code == 0 && i < tests->list->count; i++) {
        code = load_rules(&suite, files, count, diag);
        if (code == 0)
            code = take_test(&suite, i, diag);
    }
    if (code == 0)
        tell_untested(&suite);
    rules_destroy(suite.rules);
    free(suite.tested);
    free(suite.test);
    drivers_fini(&suite.drivers);
    derive_destroy(suite.derive);
    return code;
}
