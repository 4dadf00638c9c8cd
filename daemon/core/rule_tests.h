/*
 * Tests of rules: what would come from the devices, and which alarms must stand at which times.
 *
 *   rules: [../posture.yaml]        # as seen from this file's folder
 *   complete: true                  # every rule of them must be raised by a test
 *   tests:
 *     - name: bent for 5 s
 *       interval: 1 s               # between the steps of a series (1 s)
 *       series:
 *         - {metric: lumbar_flexion, device: p-01, values: "20 50x9 _x5 stale"}
 *       session: [{at: 0 s, phase: heat}, {at: 20 s, end: true}]
 *       limits: {lumbar_flexion: 40 deg}               # of the plan; or [low, high]
 *       own_range: {lumbar_flexion: [-10 deg, 60 deg]} # of the client
 *       expect:
 *         - {at: 5 s, alarms: []}
 *         - {at: 6 s, alarms: [flexion-held]}
 *         - {at: 9 s, alarms: [{rule: flexion-held, device: p-01, value: 50 deg, priority: medium,
 *                               text: "Low back bent 50° for 5 s."}], suppressed: [skin-warm]}
 *                              # plain and action as text
 *         - {at: 9 s, alarms: [flexion-held], values: {bent_time: 1 min}}
 *
 * Series are written as rule_series.h says; a device of which a derived metric is written derives
 * none itself. Devices are all in one room, named by their kind where
 * no name is given. At a time the session comes first, then the samples of each device as one
 * message, then the tick that the hub has each 250 ms, then what is expected: exactly these alarms
 * stand, of all rules of the files, and, where `suppressed` is written, exactly these would be
 * raised if they were armed. `values` are what every device that has the metric said last, or what
 * the hub last derived of it.
 * Each test has devices and rules of its own, and what they derive begins at 0. Each step of a
 * session is a phase of its own. Pure: texts are given, time is counted.
 */
#ifndef LUMBAR_CORE_RULE_TESTS_H
#define LUMBAR_CORE_RULE_TESTS_H

#include "core/rules.h"

struct rule_tests;

int rule_tests_parse(struct rule_tests **out, const char *file, const char *text, size_t bytes,
                     struct diag *diag);
void rule_tests_destroy(struct rule_tests *tests);

/* The names of the rule files, as they are written; NULL behind the last one. */
const char *rule_tests_file(const struct rule_tests *tests, size_t place);

struct rule_tests_listener {
    void *user;
    /* Something is not as expected. line: of the expectation. */
    void (*on_difference)(void *user, const char *test, int line, int64_t at_ms, const char *what);
    void (*on_end)(void *user, const char *test, bool passed);
    /* No test expects that it is raised. */
    void (*on_untested)(void *user, const struct rule *rule, bool allowed);
};

struct rule_tests_counts {
    uint32_t tests, failed, rules, untested;
    bool passed; /* nothing failed, and nothing is untested where that is wanted */
};

/* Runs every test with these rules, whose texts are those of rule_tests_file(). A code where tests
 * or rules cannot be read, with the place. */
int rule_tests_run(const struct rule_tests *tests, const struct drivers *drivers,
                   const struct rules_text *files, size_t count,
                   const struct rule_tests_listener *listener, struct rule_tests_counts *counts,
                   struct diag *diag);

#endif
