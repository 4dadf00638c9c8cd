/* A file of rule tests of any bytes: it runs, or there is one complaint with its place. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "core/rule_tests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules_text[] =
    "rules:\n"
    "- {name: bent, metric: angle, above: 20 deg, for: 2 s, priority: low, text: 'Bent {value}.'}\n"
    "- {name: lost, metric: warmth, absent: 5 s, priority: low, text: 'Lost {device}.'}\n"
    "- {name: hot, metric: warmth, above: 41 Cel, armed: {except: [heat]}, priority: low,\n"
    "   text: 'Hot in {phase}.'}\n"
    "- {name: far, metric: angle, above: limit(angle), priority: low, text: t}\n"
    "- {name: own, metric: angle, outside: [50 % of own_range(angle), 50 % of own_range(angle)],\n"
    "   priority: low, text: t}\n";

struct heard {
    uint32_t ended, failed, untested;
    bool differed;
};

static void demand(int holds)
{
    if (!holds)
        abort();
}

static void on_difference(void *user, const char *test, int line, int64_t at_ms, const char *what)
{
    struct heard *heard = user;
    demand(test[0] != '\0' && line > 0 && at_ms >= 0 && what[0] != '\0');
    heard->differed = true;
}

static void on_end(void *user, const char *test, bool passed)
{
    struct heard *heard = user;
    (void)test;
    demand(passed != heard->differed);
    heard->differed = false;
    heard->ended++;
    heard->failed += !passed;
}

static void on_untested(void *user, const struct rule *rule, bool allowed)
{
    struct heard *heard = user;
    (void)rule, (void)allowed;
    heard->untested++;
}

static void run(const struct rule_tests *tests, struct diag *diag)
{
    const struct rules_text rules = {"rules.yaml", rules_text, sizeof(rules_text) - 1, false};
    struct heard heard = {.ended = 0};
    const struct rule_tests_listener listener = {&heard, on_difference, on_end, on_untested};
    struct rule_tests_counts counts;
    struct drivers drivers;
    clinic_init(&drivers);
    int code = rule_tests_run(tests, &drivers, &rules, 1, &listener, &counts, diag);
    demand(diag->code == code && (code == 0 || diag->text[0] != '\0'));
    demand(heard.ended == counts.tests && heard.failed == counts.failed);
    demand(code != 0 || heard.untested == counts.untested);
    drivers_fini(&drivers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_tests *tests;
    struct diag diag = {0};
    int code = rule_tests_parse(&tests, "fuzz.yaml", (const char *)data, size, &diag);
    demand((code == 0) == (tests != NULL) && diag.code == code);
    demand(code == 0 || diag.text[0] != '\0');
    if (code == 0)
        run(tests, &diag);
    rule_tests_destroy(tests);
    return 0;
}
