/* The engine: one rule on one device, told the time, row by row. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "core/rules.h"
#include "core/rules_set.h"
#include "rules_clinic.h"
#include "rules_rows.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct heard {
    unsigned count;
    struct rule_event last;
};

static void on_event(void *user, const struct rule_event *event)
{
    struct heard *heard = user;
    heard->count++;
    heard->last = *event;
}

static void judge(struct rules *rules, const struct device *device,
                  const struct lumbar_series *series, int64_t offset_ms, struct heard *heard)
{
    struct extent extent = extent_of(series);
    struct decoded message = {{.series = series, .series_count = 1}, &extent, 0};
    rules_judge(rules, NULL, device, &message, offset_ms, on_event, heard);
}

struct bench {
    struct drivers drivers;
    struct devices *devices;
    struct device *device;
    struct rules *rules;
};

static struct rules *load_rule(const struct bench *bench, const char *rule)
{
    char text[400];
    snprintf(text, sizeof(text), "rules: [{name: r, %s, priority: low, text: t}]", rule);
    return clinic_rules(&bench->drivers, 4, text);
}

static void set_up(struct bench *bench, const char *rule)
{
    clinic_init(&bench->drivers);
    bench->devices = devices_create(4, 1000);
    assert_non_null(bench->devices);
    bench->device = devices_hear(bench->devices, &bench->drivers.list[0], "b-01", 4);
    devices_assign(bench->devices, bench->device, 1);
    bench->rules = load_rule(bench, rule);
}

static void tear_down(struct bench *bench)
{
    rules_destroy(bench->rules);
    devices_destroy(bench->devices);
    drivers_fini(&bench->drivers);
}

static void give(struct bench *bench, const int64_t *time_ms, const double *value, uint32_t count,
                 int64_t offset_ms, struct heard *heard)
{
    struct lumbar_series series = {.metric = rules_at(bench->rules, 0)->metric,
                                   .count = count,
                                   .time_ms = time_ms,
                                   .value = value};
    judge(bench->rules, bench->device, &series, offset_ms, heard);
}

static void take_step(struct bench *bench, const struct row *row, const struct step *step,
                      struct heard *heard)
{
    if (step->kind == VALUE) {
        give(bench, &step->at_ms, &step->value, 1, START, heard);
    } else if (step->kind == TICK) {
        rules_tick(bench->rules, bench->devices, START + step->at_ms, on_event, heard);
    } else if (step->kind == ADOPT) {
        struct rules *fresh = load_rule(bench, row->reload ? row->reload : row->rule);
        rules_adopt(fresh, bench->rules, bench->devices);
        rules_destroy(bench->rules);
        bench->rules = fresh;
    }
}

/* Was it this, of this rule and device, at this time, decided by the newest value? */
static bool as_expected(const struct bench *bench, const struct step *step,
                        const struct heard *heard, double newest)
{
    if (step->event == 0 || heard->count == 0)
        return step->event == 0 && heard->count == 0;
    const struct rule_event *event = &heard->last;
    double value = event->rule->condition == RULE_ABSENT ? NAN : newest;
    return heard->count == 1 && event->on == (step->event == '+') &&
           event->rule == rules_at(bench->rules, 0) && event->device == bench->device->id &&
           event->time_ms == START + step->at_ms &&
           (event->value == value || (isnan(event->value) && isnan(value)));
}

/* Does the engine know that each tick has to look at this device, once? */
static bool looks_at_what_runs(const struct bench *bench)
{
    const struct rule_state *state = &bench->rules->states[0]; /* of the only rule in the text */
    bool runs = state->phase == PHASE_PENDING || state->phase == PHASE_CLEARING ||
                (state->phase == PHASE_ON && bench->rules->details[0].event);
    bool absent = rules_at(bench->rules, 0)->condition == RULE_ABSENT;
    return bench->rules->active_count == state->active && (state->active || !runs || absent);
}

static unsigned play(struct bench *bench, const struct row *row)
{
    double newest = NAN;
    for (size_t s = 0; s < STEPS_MAX && row->steps[s].kind != END; s++) {
        const struct step *step = &row->steps[s];
        struct heard heard = {0};
        take_step(bench, row, step, &heard);
        if (step->kind == VALUE && !isnan(step->value))
            newest = step->value;
        if (as_expected(bench, step, &heard, newest) && looks_at_what_runs(bench))
            continue;
        print_error("%s: step %zu (at %lld ms): %u events, the last %s\n", row->proves, s,
                    (long long)step->at_ms, heard.count, heard.last.on ? "on" : "over");
        return 1;
    }
    return 0;
}

static void every_row_proves_its_sentence(void **state)
{
    (void)state;
    unsigned wrong = 0;
    assert_true(COUNT(rows) >= 60);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench bench;
        set_up(&bench, rows[i].rule);
        wrong += play(&bench, &rows[i]);
        tear_down(&bench);
    }
    assert_int_equal(wrong, 0);
}

static bool has_only_values(const struct row *row)
{
    int64_t before = INT64_MIN;
    for (size_t s = 0; s < STEPS_MAX && row->steps[s].kind != END; s++) {
        if (row->steps[s].kind != VALUE || row->steps[s].at_ms < before)
            return false;
        before = row->steps[s].at_ms;
    }
    return true;
}

/* The same rows, given as one series on a clock of the device's own. */
static void a_batch_is_judged_like_its_samples(void **state)
{
    (void)state;
    unsigned played = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!has_only_values(&rows[i]))
            continue;
        struct bench bench;
        struct heard heard = {0};
        int64_t times[STEPS_MAX];
        double values[STEPS_MAX];
        unsigned count = 0, events = 0;
        for (; count < STEPS_MAX && rows[i].steps[count].kind != END; count++) {
            times[count] = rows[i].steps[count].at_ms - 5000000;
            values[count] = rows[i].steps[count].value;
            events += rows[i].steps[count].event != 0;
        }
        set_up(&bench, rows[i].rule);
        give(&bench, times, values, count, START + 5000000, &heard);
        if (heard.count != events)
            fail_msg("%s: %u events", rows[i].proves, heard.count);
        tear_down(&bench);
        played++;
    }
    assert_true(played > 20);
}

static void absence_waits_for_devices_that_somebody_waits_for(void **state)
{
    (void)state;
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABSENT_5);
    devices_assign(bench.devices, bench.device, ROOM_NONE);
    for (int64_t at = 0; at < 60000; at += 250) /* in no room, never gave one: nobody waits */
        rules_tick(bench.rules, bench.devices, START + at, on_event, &heard);
    assert_int_equal(heard.count, 0);
    devices_assign(bench.devices, bench.device, 2);
    rules_tick(bench.rules, bench.devices, START + 60000, on_event, &heard);
    devices_assign(bench.devices, bench.device, ROOM_NONE); /* taken out and put in again */
    rules_tick(bench.rules, bench.devices, START + 63000, on_event, &heard);
    devices_assign(bench.devices, bench.device, 2);
    rules_tick(bench.rules, bench.devices, START + 64000, on_event, &heard);
    rules_tick(bench.rules, bench.devices, START + 68999, on_event, &heard);
    assert_int_equal(heard.count, 0);
    rules_tick(bench.rules, bench.devices, START + 69000, on_event, &heard);
    assert_int_equal(heard.count, 1);
    assert_true(heard.last.on);
    tear_down(&bench);

    /* In no room, but it gave one: it is missed. */
    set_up(&bench, ABSENT_5);
    devices_assign(bench.devices, bench.device, ROOM_NONE);
    heard.count = 0;
    give(&bench, &(int64_t){0}, &(double){1}, 1, START, &heard);
    rules_tick(bench.rules, bench.devices, START + 5000, on_event, &heard);
    assert_int_equal(heard.count, 1);
    tear_down(&bench);
}

static enum rule_sight sight_at(struct bench *bench, int64_t at_ms)
{
    struct heard heard = {0};
    rules_tick(bench->rules, bench->devices, START + at_ms, on_event, &heard);
    return rules_know(bench->rules, bench->devices, rules_at(bench->rules, 0), bench->device,
                      START + at_ms);
}

/* So a restart neither finds nor loses the value of an alarm that stands. */
static void what_was_not_said_yet_is_neither_known_nor_lost(void **state)
{
    (void)state;
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABOVE_20);
    const struct rule *rule = rules_at(bench.rules, 0);
    int64_t stale_ms = metric_stale_ms(&bench.drivers.list[0].metrics[rule->metric]);
    assert_int_equal(sight_at(&bench, 0), SIGHT_UNSAID);
    give(&bench, &(int64_t){-60000}, &(double){1}, 1, START, &heard); /* of before */
    assert_int_equal(sight_at(&bench, stale_ms), SIGHT_UNSAID);
    assert_int_equal(sight_at(&bench, stale_ms + 1), SIGHT_LOST);
    give(&bench, &(int64_t){stale_ms + 2}, &(double){1}, 1, START, &heard);
    assert_int_equal(sight_at(&bench, stale_ms + 2), SIGHT_KNOWN);
    give(&bench, &(int64_t){stale_ms + 3}, &(double){NAN}, 1, START, &heard);
    assert_int_equal(sight_at(&bench, stale_ms + 3), SIGHT_LOST);
    tear_down(&bench);

    set_up(&bench, ABOVE_20);
    assert_int_equal(sight_at(&bench, 0), SIGHT_UNSAID);
    give(&bench, &(int64_t){1}, &(double){1}, 1, START, &heard);
    assert_int_equal(sight_at(&bench, 1), SIGHT_KNOWN); /* at once, where it speaks */
    tear_down(&bench);
}

static void devices_and_rules_do_not_touch_each_other(void **state)
{
    (void)state;
    static const char text[] =
        "rules:\n"
        "- {name: pad-low, metric: pad/battery, below: 20 %, for: 5 s, priority: low, text: t}\n"
        "- {name: bent, metric: angle, above: 20 deg, priority: low, text: t}\n"
        "- {name: bent-far, metric: angle, above: 60 deg, priority: high, text: t}\n"
        "- {name: fast, metric: speed, above: 40 deg/s, priority: low, text: t}\n";
    static const struct {
        uint32_t device, metric;
        double value;
        unsigned events;
        const char *rule; /* of the last of them */
        bool on;
    } steps[] = {
        {0, 0, 25, 1, "bent", true},     {1, 0, 25, 1, "bent", true},
        {0, 0, 65, 1, "bent-far", true}, {2, 0, 15, 0, NULL, false},
        {2, 1, 41, 1, "fast", true},     {0, 0, 30, 1, "bent-far", false},
        {0, 5, 10, 0, NULL, false},      {0, 0, 10, 1, "bent", false},
        {1, 0, 70, 1, "bent-far", true}, {1, 0, 5, 2, "bent-far", false},
        {2, 1, 40, 1, "fast", false},    {1, 0, 5, 0, NULL, false},
    };
    struct drivers drivers;
    clinic_init(&drivers);
    struct devices *devices = devices_create(3, 1000);
    struct device *list[] = {devices_hear(devices, &drivers.list[0], "b-01", 4),
                             devices_hear(devices, &drivers.list[0], "b-02", 4),
                             devices_hear(devices, &drivers.list[1], "p-01", 4)};
    struct rules *rules = clinic_rules(&drivers, 3, text);
    int64_t at_ms = 0;
    for (size_t i = 0; i < COUNT(steps); i++, at_ms += 100) {
        struct heard heard = {0};
        struct lumbar_series series = {steps[i].metric, 1, &at_ms, &steps[i].value};
        judge(rules, list[steps[i].device], &series, START, &heard);
        if (heard.count != steps[i].events)
            fail_msg("step %zu: %u events", i, heard.count);
        if (heard.count == 0)
            continue;
        assert_string_equal(heard.last.rule->name, steps[i].rule);
        assert_int_equal(heard.last.on, steps[i].on);
        assert_int_equal(heard.last.device, list[steps[i].device]->id);
    }
    struct heard heard = {0}; /* the pad's battery was low since its sample at 300 ms */
    rules_tick(rules, devices, START + 5299, on_event, &heard);
    assert_int_equal(heard.count, 0);
    rules_tick(rules, devices, START + 5300, on_event, &heard);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.last.rule->name, "pad-low");
    assert_int_equal(heard.last.device, list[2]->id);
    rules_destroy(rules);
    devices_destroy(devices);
    drivers_fini(&drivers);
}

static void devices_beyond_those_reserved_are_passed_over(void **state)
{
    (void)state;
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABOVE_20);
    struct device beyond = {.id = 5, .driver = &bench.drivers.list[0]};
    struct lumbar_series series = {0, 1, &(int64_t){0}, &(double){25}};
    judge(bench.rules, &beyond, &series, START, &heard);
    beyond.id = 0;
    judge(bench.rules, &beyond, &series, START, &heard);
    assert_int_equal(heard.count, 0);
    beyond.id = 4;
    judge(bench.rules, &beyond, &series, START, &heard);
    assert_int_equal(heard.count, 1);
    tear_down(&bench);
}

static void adopting_knows_rules_by_name(void **state)
{
    (void)state;
#define BENT(name) "- {name: " name ", metric: angle, above: 20 deg, priority: low, text: t}\n"
    static const char before[] = "rules:\n" BENT("a") BENT("b") BENT("c");
    static const char after[] = "rules:\n" BENT("new") BENT("c") BENT("a");
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABOVE_20);
    struct rules *old = clinic_rules(&bench.drivers, 4, before);
    struct rules *fresh = clinic_rules(&bench.drivers, 2, after); /* room for fewer devices */
    struct lumbar_series series = {0, 1, &(int64_t){0}, &(double){25}};
    judge(old, bench.device, &series, START, &heard);
    assert_int_equal(heard.count, 3);
    rules_adopt(fresh, old, bench.devices);
    rules_destroy(old);
    heard.count = 0;
    judge(fresh, bench.device, &series, START, &heard);
    assert_int_equal(heard.count, 1); /* a and c were on already */
    assert_string_equal(heard.last.rule->name, "new");
    rules_destroy(fresh);
    tear_down(&bench);
}

/* Of another kind of device a rule has no state, though one of that number has. */
static void adopting_leaves_devices_of_other_kinds_alone(void **state)
{
    (void)state;
#define PAD "- {name: pad, metric: pad/battery, below: 20 %, priority: low, text: t}\n"
    static const char before[] = "rules:\n" PAD BENT("a");
    static const char after[] = "rules:\n" PAD BENT("first") BENT("a");
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABOVE_20);
    struct device *pad = devices_hear(bench.devices, &bench.drivers.list[1], "p-01", 4);
    struct rules *old = clinic_rules(&bench.drivers, 4, before);
    struct rules *fresh = clinic_rules(&bench.drivers, 4, after);
    struct lumbar_series bent = {0, 1, &(int64_t){0}, &(double){25}};
    struct lumbar_series empty = {0, 1, &(int64_t){0}, &(double){10}};
    judge(old, bench.device, &bent, START, &heard);
    judge(old, pad, &empty, START, &heard);
    assert_int_equal(heard.count, 2);
    rules_adopt(fresh, old, bench.devices);
    rules_destroy(old);
    heard.count = 0;
    judge(fresh, pad, &empty, START, &heard);
    assert_int_equal(heard.count, 0); /* it stands already */
    judge(fresh, bench.device, &bent, START, &heard);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.last.rule->name, "first");
    rules_destroy(fresh);
    tear_down(&bench);
}

/* ---- The worst value ---- */

static double worst_after(const char *rule, const double *values, uint32_t count, int64_t each_ms)
{
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, rule);
    for (uint32_t i = 0; i < count; i++)
        give(&bench, &(int64_t){i * each_ms}, &values[i], 1, START, &heard);
    double worst = rules_worst(bench.rules, rules_at(bench.rules, 0), bench.device->id);
    if (heard.count > 0 && !heard.last.on) /* and its end tells of it */
        worst = heard.last.worst;
    tear_down(&bench);
    return worst;
}

static void the_worst_value_since_it_was_raised_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        double values[6], worst;
    } cases[] = {
        {"metric: angle, above: 20 deg", {10, 25, 40, 30, 22, 21}, 40},
        {"metric: angle, above: 20 deg", {25, NAN, 21, NAN, 24, 23}, 25}, /* it was the first */
        {"metric: angle, below: 0 deg", {1, -2, -9, -3, -1, -2}, -9},
        {"metric: angle, outside: [-5 deg, 50 deg]", {60, 55, -30, 52, 61, 70}, -30}, /* 25 off */
        {"metric: angle, above: 20 deg", {10, 25, 44, 30, 5, 5}, 44},                 /* over */
        {"metric: angle, above: 20 deg", {10, 11, 12, 13, 14, 15}, NAN},
        {"metric: angle, above: 20 deg, for: 250 ms", {50, 21, 22, 33, 23, 22}, 33}, /* from 300 */
        {"metric: pose, is: slouched", {1, 1, 1, 1, 1, 1}, NAN}, /* none is worse */
        {"all: [{metric: angle, above: 20 deg}]", {10, 25, 40, 30, 22, 21}, 40},
        {"all: [{metric: angle, below: 0 deg}]", {1, -2, -9, -3, -1, 5}, -9},
        {"not: {metric: angle, above: 20 deg}", {30, 18, 15, 19, 20, 20}, 15},
        {"metric: angle, count: 10 s, above: 20 deg, times: 1", {10, 25, 10, 25, 10, 25}, 3},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        double worst = worst_after(cases[i].rule, cases[i].values, 6, 100);
        if (worst != cases[i].worst && !(isnan(worst) && isnan(cases[i].worst)))
            fail_msg("%s, case %zu: %g", cases[i].rule, i, worst);
    }
}

/* What a reload or a restart takes over is still the worst. */
static void the_worst_value_outlives_reload_and_restart(void **state)
{
    (void)state;
    struct bench bench;
    struct heard heard = {0};
    set_up(&bench, ABOVE_20);
    give(&bench, &(int64_t){0}, &(double){44}, 1, START, &heard);
    struct rules *fresh = load_rule(&bench, ABOVE_20);
    rules_adopt(fresh, bench.rules, bench.devices);
    assert_true(rules_worst(fresh, rules_at(fresh, 0), bench.device->id) == 44);
    rules_destroy(fresh);
    fresh = load_rule(&bench, ABOVE_20);
    rules_stand(fresh, rules_at(fresh, 0), bench.device->id, START, 43.5);
    rules_destroy(bench.rules);
    bench.rules = fresh;
    assert_true(rules_worst(fresh, rules_at(fresh, 0), bench.device->id) == 43.5);
    give(&bench, &(int64_t){100}, &(double){42}, 1, START, &heard);
    assert_true(rules_worst(fresh, rules_at(fresh, 0), bench.device->id) == 43.5);
    give(&bench, &(int64_t){200}, &(double){47}, 1, START, &heard);
    assert_true(rules_worst(fresh, rules_at(fresh, 0), bench.device->id) == 47);
    tear_down(&bench);
}

/* ---- What it costs ---- */

/* Nanoseconds that a tick costs with `count` rules on what does not come, and on what is calm. */
static double tick_cost(struct bench *bench, const char *rule, int count)
{
    static char buffer[100000];
    struct text text = text_in(buffer, sizeof(buffer));
    struct heard heard = {0};
    double best = INFINITY;
    text_add(&text, "rules:\n");
    for (int i = 0; i < count; i++)
        text_add(&text, "- {name: o%d, %s, priority: low, text: t}\n", i, rule);
    assert_false(text.cut);
    struct rules *rules = clinic_rules(&bench->drivers, 4, buffer);
    int64_t now_ms = START;
    for (int round = 0; round < 5; round++) {
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < 4000; i++, now_ms += 250) {
            struct lumbar_series series = {0, 1, &now_ms, &(double){10}};
            if (i % 4 == 0)
                judge(rules, bench->device, &series, 0, &heard);
            rules_tick(rules, bench->devices, now_ms, on_event, &heard);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec));
        best = ns / 4000 < best ? ns / 4000 : best;
    }
    assert_int_equal(heard.count, 0);
    rules_destroy(rules);
    return best;
}

/* Looking at each would cost hundreds of times as much; absence is looked at when it is due. */
static void a_tick_costs_what_is_due(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench, ABOVE_20);
    double few = tick_cost(&bench, "metric: warmth, above: 40 Cel, for: 5 s", 10);
    double many = tick_cost(&bench, "metric: warmth, above: 40 Cel, for: 5 s", 1000);
    double absent = tick_cost(&bench, "metric: angle, absent: 60 s", 1000);
    print_message("a tick costs %.0f ns with 10 rules, %.0f ns with 1,000; of absence %.0f ns\n",
                  few, many, absent);
    assert_true(many < 4 * few + 100);
    /* A twentieth of them each time, 5 s being the longest: 80 times as much, where all would be
     * 1,600 times. */
    assert_true(absent < 400 * few + 100);
    tear_down(&bench);
}

/* Nanoseconds that one sample costs, the best of five. */
static double cost_of(struct rules *rules, const struct device *device)
{
    double best = INFINITY;
    struct heard heard = {0};
    int64_t at_ms = 0;
    for (int round = 0; round < 5; round++) {
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < 20000; i++, at_ms++) {
            struct lumbar_series series = {0, 1, &at_ms, &(double){10}};
            judge(rules, device, &series, START, &heard);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double ns = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec));
        best = ns / 20000 < best ? ns / 20000 : best;
    }
    assert_int_equal(heard.count, 0);
    return best;
}

static void a_thousand_rules_on_other_metrics_cost_a_sample_nothing(void **state)
{
    (void)state;
    static char buffer[100000];
    struct text text = text_in(buffer, sizeof(buffer));
    text_add(&text, "rules:\n- {name: r, metric: angle, above: 20 deg, priority: low, text: t}\n");
    for (int i = 0; i < 1000; i++)
        text_add(&text, "- {name: o%d, metric: warmth, above: 40 Cel, priority: low, text: t}\n",
                 i);
    assert_false(text.cut);
    struct bench bench;
    set_up(&bench, ABOVE_20);
    struct rules *many = clinic_rules(&bench.drivers, 4, buffer);
    double alone = cost_of(bench.rules, bench.device), among = cost_of(many, bench.device);
    print_message("a sample costs %.1f ns alone, %.1f ns among 1,001 rules\n", alone, among);
    assert_true(among < 4 * alone + 20); /* looking at each would cost hundreds of times as much */
    rules_destroy(many);
    tear_down(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_proves_its_sentence),
        cmocka_unit_test(a_batch_is_judged_like_its_samples),
        cmocka_unit_test(absence_waits_for_devices_that_somebody_waits_for),
        cmocka_unit_test(what_was_not_said_yet_is_neither_known_nor_lost),
        cmocka_unit_test(devices_and_rules_do_not_touch_each_other),
        cmocka_unit_test(devices_beyond_those_reserved_are_passed_over),
        cmocka_unit_test(adopting_knows_rules_by_name),
        cmocka_unit_test(adopting_leaves_devices_of_other_kinds_alone),
        cmocka_unit_test(the_worst_value_since_it_was_raised_is_kept),
        cmocka_unit_test(the_worst_value_outlives_reload_and_restart),
        cmocka_unit_test(a_tick_costs_what_is_due),
        cmocka_unit_test(a_thousand_rules_on_other_metrics_cost_a_sample_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
