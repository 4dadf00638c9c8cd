/* lumbarctl rules test: files of core/rule_tests, and what is not as they expect. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule_tests.h"
#include "ctl.h"
#include "io/files.h"
#include "io/plugins.h"
#include "rules.h"
#include "setup.h"

static const char help[] =
    "usage: lumbarctl rules test [--config FILE | --plugins FOLDER] FILE ...\n"
    "\n"
    "Runs tests of rules and prints what is not as they expect. The exit code is 0 where\n"
    "everything is, else 1. A file has rules, and tests with series of samples and the alarms\n"
    "that must stand:\n"
    "\n"
    "  rules: [../posture.yaml]\n"
    "  complete: true                      every rule must be raised by a test\n"
    "  tests:\n"
    "    - name: bent for 5 s\n"
    "      interval: 1 s                   between the steps of a series\n"
    "      series:\n"
    "        - {metric: lumbar_flexion, device: p-01, values: \"20 50x9 _x5 stale\"}\n"
    "      session: [{at: 0 s, phase: heat}, {at: 20 s, end: true}]\n"
    "      limits: {lumbar_flexion: 40 deg}                 of the plan\n"
    "      own_range: {lumbar_flexion: [-10 deg, 60 deg]}   of the client\n"
    "      expect:\n"
    "        - {at: 5 s, alarms: []}\n"
    "        - {at: 6 s, alarms: [flexion-held], suppressed: []}\n"
    "        - at: 7 s\n"
    "          alarms: [{rule: flexion-held, device: p-01, value: 50 deg, text: \"...\"}]\n"
    "\n"
    "Values: 20 (one), 20+5x3 (20 25 30 35), 30x4 (30 and four more), a state's label (upright,\n"
    "slouchedx9), _ (the device speaks, but has no value; _x5), stale (nothing comes; stalex60).\n"
    "\n"
    "  --config FILE     the hub's configuration, which names the plugins\n"
    "                    (default " LUMBAR_CONFIG_FILE ")\n"
    "  --plugins FOLDER  the plugins; no configuration is read\n"
    "  --json            an object a line, for programs\n";

struct told {
    const char *file;
    unsigned differences;
    bool json;
};

static void on_difference(void *user, const char *test, int line, int64_t at_ms, const char *what)
{
    struct told *told = user;
    if (told->json)
        ctl_print_line(json_pack("{s:s, s:s, s:i, s:s, s:f, s:s}", "what", "difference", "file",
                                 told->file, "line", line, "test", test, "at_s",
                                 (double)at_ms / 1000, "words", what));
    else
        printf("%s:%d: %s: at %g s: %s\n", told->file, line, test, (double)at_ms / 1000, what);
    told->differences++;
}

static void on_end(void *user, const char *test, bool passed)
{
    const struct told *told = user;
    if (told->json)
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:b}", "what", "test", "file", told->file, "test",
                                 test, "passed", passed));
    else
        printf("%s  %s: %s\n", passed ? "passed" : "FAILED", told->file, test);
}

static void on_untested(void *user, const struct rule *rule, bool allowed)
{
    const struct told *told = user;
    if (told->json)
        ctl_print_line(json_pack("{s:s, s:s, s:s, s:b}", "what", "untested", "file", told->file,
                                 "rule", rule->name, "allowed", allowed));
    else
        printf("%s  %s: no test raises '%s'\n", allowed ? "note  " : "FAILED", told->file,
               rule->name);
}

/* The rule files that the tests name, as seen from their folder. */
static int read_rules(const struct rule_tests *tests, const char *from, struct files_rules *rules,
                      struct diag *diag)
{
    const char *name;
    rules->count = 0;
    for (size_t i = 0; (name = rule_tests_file(tests, i)) != NULL; i++) {
        char path[PATH_MAX], *text;
        struct rules_text *file = &rules->list[rules->count];
        if (rules->count == FILES_MAX_RULES)
            return diag_set(diag, ERR_LIMIT, "%s: more than %d rule files", from, FILES_MAX_RULES);
        int code =
            files_read(files_beside(from, name, path, sizeof(path)), &text, &file->bytes, diag);
        if (code != 0)
            return code;
        file->text = text;
        file->file = strdup(path);
        rules->count++;
        if (file->file == NULL)
            return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    }
    return 0;
}

/* 0: all as expected; 1: not; a code below 0: it could not be found out. */
static int test_file(const char *file, const struct drivers *drivers, bool json, struct diag *diag)
{
    static const struct rule_tests_listener words = {NULL, on_difference, on_end, on_untested};
    struct rule_tests_listener listener = words;
    struct rule_tests_counts counts = {0};
    struct told told = {.file = file, .json = json};
    struct rule_tests *tests = NULL;
    struct files_rules rules = {.count = 0};
    char *text;
    size_t bytes;
    int code = files_read(file, &text, &bytes, diag);
    if (code != 0)
        return code;
    listener.user = &told;
    code = rule_tests_parse(&tests, file, text, bytes, diag);
    free(text);
    if (code == 0)
        code = read_rules(tests, file, &rules, diag);
    if (code == 0)
        code = rule_tests_run(tests, drivers, rules.list, rules.count, &listener, &counts, diag);
    if (code == 0 && json)
        ctl_print_line(json_pack("{s:s, s:s, s:i, s:i, s:i, s:b}", "what", "end", "file", file,
                                 "tests", (int)counts.tests, "rules", (int)counts.rules, "failed",
                                 (int)counts.failed, "passed", counts.passed));
    else if (code == 0)
        printf("%s: %u tests of %u rules, %u failed\n", file, counts.tests, counts.rules,
               counts.failed);
    files_free_rules(&rules);
    rule_tests_destroy(tests);
    return code != 0 ? code : counts.passed ? 0 : CTL_FAILED;
}

static void on_refused(void *user, const char *sentence)
{
    (void)user;
    fprintf(stderr, "lumbarctl: plugin refused: %s\n", sentence);
}

static int load_plugins(struct setup *setup, const char *config, const char *plugins,
                        struct diag *diag)
{
    if (plugins == NULL)
        return setup_load_plugins(setup, config, diag);
    memset(setup, 0, sizeof(*setup));
    drivers_init(&setup->drivers);
    int code = plugins_load(plugins, &setup->drivers, on_refused, NULL, diag);
    if (code != 0)
        setup_fini(setup);
    return code;
}

int rules_test(int count, char **arguments)
{
    enum { CONFIG = 256, PLUGINS, JSON, HELP };
    static const struct option options[] = {{"config", required_argument, NULL, CONFIG},
                                            {"plugins", required_argument, NULL, PLUGINS},
                                            {"json", no_argument, NULL, JSON},
                                            {"help", no_argument, NULL, HELP},
                                            {NULL, 0, NULL, 0}};
    const char *config = LUMBAR_CONFIG_FILE, *plugins = NULL;
    struct setup setup;
    struct diag diag = {0};
    bool json = false;
    int worst = 0;
    for (int c; (c = getopt_long(count, arguments, "", options, NULL)) != -1;)
        switch (c) {
        case CONFIG:
            config = optarg;
            break;
        case PLUGINS:
            plugins = optarg;
            break;
        case JSON:
            json = true;
            break;
        default:
            return ctl_usage(help, c == HELP);
        }
    if (optind == count)
        return ctl_usage(help, false);
    if (load_plugins(&setup, config, plugins, &diag) != 0)
        return ctl_complain(&diag);
    for (int i = optind; i < count; i++) {
        diag = (struct diag){0};
        int code = test_file(arguments[i], &setup.drivers, json, &diag);
        if (code != 0)
            worst = code < 0 ? ctl_complain(&diag) : code;
    }
    setup_fini(&setup);
    return worst;
}
