/* Rules with several conditions, limits from elsewhere, windows, arming: told the time, row by row.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/rules.h"
#include "core/rules_set.h"
#include "rules_clinic.h"
#include "tree_rows.h"

struct clinic {
    struct drivers drivers;
    struct devices *devices;
    struct device *back, *pad;
    struct rules *rules;
    const char *phase;
    double limit, range; /* NaN: none */
    unsigned events;     /* of the step */
    struct rule_event last;
    bool stands; /* its alarm, and since when: that is stored */
    int64_t since_ms;
    bool quiet; /* after a kill, old messages come again */
};

static void on_event(void *user, const struct rule_event *event)
{
    struct clinic *clinic = user;
    if (clinic->quiet)
        return;
    clinic->events++;
    clinic->last = *event;
    clinic->stands = event->on;
    clinic->since_ms = event->time_ms;
}

static const char *phase_of(void *user, uint32_t room)
{
    struct clinic *clinic = user;
    return room == 1 ? clinic->phase : NULL;
}

static bool limit_of(void *user, uint32_t room, uint32_t metric, bool high, double *limit)
{
    struct clinic *clinic = user;
    assert_int_equal(metric, 0);
    *limit = high ? clinic->limit : -clinic->limit;
    return room == 1 && !isnan(clinic->limit);
}

static bool range_of(void *user, uint32_t room, uint32_t metric, double *low, double *high)
{
    struct clinic *clinic = user;
    assert_int_equal(metric, 0);
    *high = clinic->range;
    *low = -clinic->range / 2;
    return room == 1 && !isnan(clinic->range);
}

/* Whose the rule is. */
static const struct device *rules_device(const struct clinic *clinic)
{
    bool pad = rules_at(clinic->rules, 0)->driver == clinic->pad->driver;
    return pad ? clinic->pad : clinic->back;
}

static struct rules *load_rule(struct clinic *clinic, const char *rule)
{
    char text[600];
    snprintf(text, sizeof(text), "rules: [{name: r, %s, priority: low, text: t}]", rule);
    struct rules *rules = clinic_rules(&clinic->drivers, 4, text);
    rules_ask(rules, &(struct rules_lookup){clinic, phase_of, limit_of, range_of});
    return rules;
}

static void open_clinic(struct clinic *clinic, const char *rule)
{
    *clinic = (struct clinic){.limit = NAN, .range = NAN};
    clinic_init(&clinic->drivers);
    clinic->devices = devices_create(4, 1000);
    clinic->back = devices_hear(clinic->devices, &clinic->drivers.list[0], "b-01", 4);
    clinic->pad = devices_hear(clinic->devices, &clinic->drivers.list[1], "p-01", 4);
    devices_assign(clinic->devices, clinic->back, 1);
    devices_assign(clinic->devices, clinic->pad, 1);
    clinic->rules = load_rule(clinic, rule);
}

static void close_clinic(struct clinic *clinic)
{
    rules_destroy(clinic->rules);
    devices_destroy(clinic->devices);
    drivers_fini(&clinic->drivers);
}

/* A step as it was written, read. */
struct step {
    char kind; /* a letter for a sample, T; else the first letter of its word */
    const char *word;
    int64_t at_ms;
    double value;
    char event;
};

static struct step read_step(char *word)
{
    struct step step = {.kind = word[0], .word = word, .value = NAN};
    char *equals = strchr(word, '='), *end;
    if (word[0] < 'a') {
        step.at_ms = strtoll(word + 1, &end, 10);
        step.event = *end == ':' ? end[1] : '\0';
    }
    if (equals != NULL && word[0] != 'i') {
        if (strncmp(equals, "=-", 2) == 0 && (equals[2] < '0' || equals[2] > '9'))
            end = equals + 2;
        else
            step.value = strtod(equals + 1, &end);
        step.event = *end == ':' ? end[1] : '\0';
    }
    return step;
}

static void give(struct clinic *clinic, const struct step *step)
{
    static const char letters[] = "AWPFCDSB", *letter;
    letter = strchr(letters, step->kind);
    assert_non_null(letter);
    bool pad = step->kind == 'S' || step->kind == 'B';
    struct lumbar_series series = {.metric = pad ? step->kind == 'S' : (uint32_t)(letter - letters),
                                   .count = 1,
                                   .time_ms = &step->at_ms,
                                   .value = &step->value};
    struct extent extent = extent_of(&series);
    struct decoded message = {{.series = &series, .series_count = 1}, &extent, 0};
    rules_judge(clinic->rules, clinic->devices, pad ? clinic->pad : clinic->back, &message, START,
                on_event, clinic);
}

static void reload(struct clinic *clinic, const struct row *row)
{
    struct rules *fresh = load_rule(clinic, row->reload ? row->reload : row->rule);
    rules_adopt(fresh, clinic->rules, clinic->devices);
    rules_destroy(clinic->rules);
    clinic->rules = fresh;
}

static bool stands(void *user, const struct rule *rule, uint32_t device)
{
    const struct clinic *clinic = user;
    return clinic->stands && rule->id == 0 && device == rules_device(clinic)->id;
}

/* The process ends, and another one begins: of the rules nothing is left. */
static void kill_it(struct clinic *clinic, const struct row *row)
{
    rules_destroy(clinic->rules);
    clinic->rules = load_rule(clinic, row->rule);
    clinic->quiet = true;
}

/* What the ring had was gone through; then the alarms are held against it. */
static void settle(struct clinic *clinic)
{
    clinic->quiet = false;
    rules_calm(clinic->rules, clinic->devices, stands, clinic);
    if (clinic->stands)
        rules_stand(clinic->rules, rules_at(clinic->rules, 0), rules_device(clinic)->id,
                    clinic->since_ms, NAN);
}

static void take_step(struct clinic *clinic, const struct row *row, const struct step *step)
{
    clinic->events = 0;
    if (step->kind == 'T')
        rules_tick(clinic->rules, clinic->devices, START + step->at_ms, on_event, clinic);
    else if (step->kind < 'a')
        give(clinic, step);
    else if (strncmp(step->word, "in=", 3) == 0)
        clinic->phase = step->word + 3;
    else if (strcmp(step->word, "out") == 0)
        clinic->phase = NULL;
    else if (strncmp(step->word, "plan=", 5) == 0)
        clinic->limit = step->value;
    else if (strncmp(step->word, "range=", 6) == 0)
        clinic->range = step->value;
    else if (strncmp(step->word, "pad=", 4) == 0)
        devices_assign(clinic->devices, clinic->pad, (uint32_t)step->value);
    else if (strcmp(step->word, "reload") == 0)
        reload(clinic, row);
    else if (strcmp(step->word, "kill") == 0)
        kill_it(clinic, row);
    else if (strcmp(step->word, "settle") == 0)
        settle(clinic);
    else if (strcmp(step->word, "forget") == 0)
        clinic->stands = false;
    else
        fail_msg("%s: what is '%s'?", row->proves, step->word);
}

static bool as_expected(const struct clinic *clinic, const struct step *step)
{
    const struct rule_event *event = &clinic->last;
    if (step->event == 0)
        return clinic->events == 0;
    return clinic->events == (step->event == '2' ? 2u : 1u) &&
           event->on == (step->event == '+' || step->event == '2') &&
           event->suppressed == (step->event == 's') && event->time_ms == START + step->at_ms;
}

static unsigned play(struct clinic *clinic, const struct row *row)
{
    static char steps[1000]; /* phases are pointed to */
    snprintf(steps, sizeof(steps), "%s", row->steps);
    for (char *rest = steps, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        struct step step = read_step(word);
        take_step(clinic, row, &step);
        if (as_expected(clinic, &step))
            continue;
        print_error("%s: %s: %u events, the last %s\n", row->proves, word, clinic->events,
                    clinic->last.on           ? "on"
                    : clinic->last.suppressed ? "suppressed"
                                              : "over");
        return 1;
    }
    return 0;
}

static void every_row_proves_its_sentence(void **state)
{
    (void)state;
    unsigned wrong = 0;
    assert_true(sizeof(rows) / sizeof(rows[0]) >= 120);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct clinic clinic;
        open_clinic(&clinic, rows[i].rule);
        wrong += play(&clinic, &rows[i]);
        close_clinic(&clinic);
    }
    print_message("%zu rows\n", sizeof(rows) / sizeof(rows[0]));
    assert_int_equal(wrong, 0);
}

/* A device that was away gives its minute at once, metric by metric: what was at the same time
 * counts, not what came last. */
static void a_message_is_judged_in_the_order_of_time(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 500, 1000, 1500, 2000, 2500};
    static const double angles[] = {25, 25, 10, 10, 25, 25}, warmths[] = {30, 30, 41, 41, 30, 30};
    struct lumbar_series series[] = {{0, 6, times, angles}, {1, 6, times, warmths}};
    struct extent extents[] = {extent_of(&series[0]), extent_of(&series[1])};
    struct decoded message = {{.series = series, .series_count = 2}, extents, 0};
    struct clinic clinic;
    open_clinic(&clinic, BENT_WARM);
    rules_judge(clinic.rules, clinic.devices, clinic.back, &message, START, on_event, &clinic);
    assert_int_equal(clinic.events, 0); /* never both, though each was */
    static const double later[] = {10, 10, 10, 25, 25, 10};
    series[0].value = later;
    extents[0] = extent_of(&series[0]);
    rules_judge(clinic.rules, clinic.devices, clinic.back, &message, START + 3000, on_event,
                &clinic);
    assert_int_equal(clinic.events, 2); /* at 1500 both were, at 2000 no longer */
    assert_true(!clinic.last.on && clinic.last.time_ms == START + 5000);
    close_clinic(&clinic);
}

static void where_a_rule_stands_can_be_seen(void **state)
{
    (void)state;
    struct clinic clinic;
    static const struct row row = {"standing", OVER_PLAN ", for: 1 s, armed: [heat]", NULL, ""};
    static const struct {
        const char *step;
        enum rule_standing standing;
    } steps[] = {
        {"A0=10", STANDING_UNARMED},         {"in=rest", STANDING_UNARMED},
        {"plan=30", STANDING_UNARMED},       {"A100=40", STANDING_UNARMED},
        {"A1100=40:s", STANDING_SUPPRESSED}, {"in=heat", STANDING_SUPPRESSED},
        {"A1200=40:-", STANDING_WAITING},    {"A2200=40:+", STANDING_ON},
        {"A2300=10:-", STANDING_CALM},       {"plan=-", STANDING_NO_LIMIT},
    };
    open_clinic(&clinic, row.rule);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char word[32];
        snprintf(word, sizeof(word), "%s", steps[i].step);
        struct step step = read_step(word);
        take_step(&clinic, &row, &step);
        clinic.phase = clinic.phase != NULL && clinic.phase[0] == 'h'   ? "heat"
                       : clinic.phase != NULL && clinic.phase[0] == 'r' ? "rest"
                                                                        : clinic.phase;
        if (!as_expected(&clinic, &step) ||
            rules_standing(clinic.rules, 0, clinic.back) != steps[i].standing)
            fail_msg("%s: stands %d", steps[i].step, rules_standing(clinic.rules, 0, clinic.back));
    }
    assert_int_equal(rules_standing(clinic.rules, 0, clinic.pad), STANDING_CALM);
    assert_int_equal(rules_standing(clinic.rules, 7, clinic.back), STANDING_CALM);
    close_clinic(&clinic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_proves_its_sentence),
        cmocka_unit_test(a_message_is_judged_in_the_order_of_time),
        cmocka_unit_test(where_a_rule_stands_can_be_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
