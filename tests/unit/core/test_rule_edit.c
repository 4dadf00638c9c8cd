#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/rule_edit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEAD         "# What this clinic changes of its rules: see lumbar-rules(5), CHANGES.\n"

static json_t *json_of(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

/* As it is told, or the complaint. */
static void edited(const char *text, const char *rule, const char *path, const char *value,
                   char *out, size_t bytes)
{
    struct diag diag = {0};
    json_t *to = json_of(path), *said = json_of(value);
    char *result = rule_edit("page.yaml", text, rule, to, said, &diag);
    char sentence[300];
    snprintf(out, bytes, "%s",
             result != NULL ? result : diag_sentence(&diag, sentence, sizeof(sentence)));
    assert_int_equal(result == NULL, diag.code != 0);
    free(result);
    json_decref(to);
    json_decref(said);
}

struct edit_case {
    const char *text, *path, *value, *result; /* of the rule "bent" */
};

static void try_cases(const struct edit_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char out[600];
        edited(cases[i].text, "bent", cases[i].path, cases[i].value, out, sizeof(out));
        if (strcmp(out, cases[i].result) != 0)
            fail_msg("row %zu:\n%s\nnot:\n%s", i, out, cases[i].result);
    }
}

static void a_value_is_changed_where_it_stands_in_whatever_style(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"rules:\n- name: \"bent\"   # the back\n  above: 50 deg # far\n", "[\"above\"]",
         "\"60 deg\"", "rules:\n- name: \"bent\"   # the back\n  above: 60 deg # far\n"},
        /* Blocks of text, with what stands behind them. */
        {"rules:\n  - name: bent\n    text: >-\n      Bent {value}\n      for long.\n\n    # for\n"
         "    for: 5 s\n",
         "[\"text\"]", "\"Sit up: {value}.\"",
         "rules:\n  - name: bent\n    text: \"Sit up: {value}.\"\n\n    # for\n    for: 5 s\n"},
        {"rules:\n  - name: bent\n    text: |-\n      # no comment\n    for: 5 s\n", "[\"for\"]",
         "\"8 s\"", "rules:\n  - name: bent\n    text: |-\n      # no comment\n    for: 8 s\n"},
        {"rules:\n  - name: bent\n    above: |-\n      50 deg", "[\"above\"]", "\"60 deg\"",
         "rules:\n  - name: bent\n    above: 60 deg"},
        /* Over several lines without any mark, and in quotes. */
        {"rules:\n  - name: bent\n    text: Bent\n      a lot # said\n    for: 5 s\n", "[\"text\"]",
         "\"Bent.\"", "rules:\n  - name: bent\n    text: Bent. # said\n    for: 5 s\n"},
        {"rules:\n  - name: bent\n    text: \"Bent # {value}\n      a lot\" # said\n", "[\"text\"]",
         "\"No # 2\"", "rules:\n  - name: bent\n    text: \"No # 2\" # said\n"},
        {"rules:\n  - name: bent\n    text: 'it''s #1'\n    for: 5 s # x\n", "[\"for\"]", "\"8 s\"",
         "rules:\n  - name: bent\n    text: 'it''s #1'\n    for: 8 s # x\n"},
        /* Maps and lists in brackets, over several lines as well. */
        {"rules:\n  - {name: bent, # the back\n     above: 50 deg, # far\n     for: 5 s}\n",
         "[\"above\"]", "\"60 deg\"",
         "rules:\n  - {name: bent, # the back\n     above: 60 deg, # far\n     for: 5 s}\n"},
        {"rules: [{name: bent, \"above\":50 deg}]\n", "[\"above\"]", "\"60 deg\"",
         "rules: [{name: bent, \"above\":60 deg}]\n"},
        {"rules:\n  - name: bent\n    outside: [ -5 deg,   # back\n      50 deg ]\n",
         "[\"outside\", 1]", "\"60 deg\"",
         "rules:\n  - name: bent\n    outside: [ -5 deg,   # back\n      60 deg ]\n"},
        {"rules:\n  - name: bent\n    all:\n      - {metric: a, above: 4 Cel}   # the pad\n"
         "      - not:\n          metric: b\n          below: \"2 deg\" # hand\n",
         "[\"all\", 1, \"not\", \"below\"]", "\"3 deg\"",
         "rules:\n  - name: bent\n    all:\n      - {metric: a, above: 4 Cel}   # the pad\n"
         "      - not:\n          metric: b\n          below: 3 deg # hand\n"},
        {"rules:\n  - name: bent\n    all: # both\n    - metric: a\n    - metric: b\n    for: 5 "
         "s\n",
         "[\"all\"]", "[{\"metric\": \"a\", \"is\": \"b{c}\"}]",
         "rules:\n  - name: bent\n    all: [{metric: a, is: \"b{c}\"}] # both\n    for: 5 s\n"},
        /* A key that takes something away, and one that has no colon. */
        {"rules:\n  - name: bent\n    for:   # none\n    above: 5 deg\n", "[\"for\"]", "\"5 s\"",
         "rules:\n  - name: bent\n    for: 5 s   # none\n    above: 5 deg\n"},
        {"rules: [{name: bent, for, above: 5 deg}]", "[\"for\"]", "\"5 s\"",
         "rules: [{name: bent, for: 5 s, above: 5 deg}]"},
        /* Characters of several bytes, and lines of two. */
        {"# Rücken 😀\r\nrules:\r\n  - name: bent\r\n    text: größer # ü\r\n    for: 5 s\r\n",
         "[\"for\"]", "\"8 s\"",
         "# Rücken 😀\r\nrules:\r\n  - name: bent\r\n    text: größer # ü\r\n    for: 8 s\r\n"},
        {"rules:\n  - name: bent\n    text: a\n", "[\"text\"]", "\"\\\"x\\\\y\\\"\\n# ü\"",
         "rules:\n  - name: bent\n    text: \"\\\"x\\\\y\\\"\\n# ü\"\n"},
    };
    try_cases(cases, COUNT(cases));
}

static void what_is_taken_out_leaves_everything_else(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"rules:\n  - name: bent\n    above: 50 deg\n    for: 5 s\n  - name: hot\n", "[\"above\"]",
         "null", "rules:\n  - name: bent\n    for: 5 s\n  - name: hot\n"},
        {"rules:\n  - name: bent\n    above: 50 deg # why\n    for: 5 s\n", "[\"above\"]", "null",
         "rules:\n  - name: bent\n    # why\n    for: 5 s\n"},
        {"rules:\n  - name: bent\n    all:\n    - metric: a\n    # b\n    - metric: b\n\n    # c\n"
         "    for: 5 s\n",
         "[\"all\"]", "null", "rules:\n  - name: bent\n\n    # c\n    for: 5 s\n"},
        {"rules:\n  - above: 50 deg\n    name: bent\n    for: 5 s\n", "[\"above\"]", "null",
         "rules:\n  - name: bent\n    for: 5 s\n"},
        {"rules:\n  - above: 50 deg # why\n    name: bent\n    for: 5 s\n", "[\"above\"]", "null",
         "rules:\n  - # why\n    name: bent\n    for: 5 s\n"},
        {"rules:\n  - name: bent\n    for: 5 s\n    text: >-\n      a\n      b\n\n  - name: hot\n",
         "[\"text\"]", "null", "rules:\n  - name: bent\n    for: 5 s\n\n  - name: hot\n"},
        {"rules: [{name: bent, above: 50 deg, for: 5 s}]", "[\"above\"]", "null",
         "rules: [{name: bent, for: 5 s}]"},
        {"rules: [{name: bent, above: 50 deg, for: 5 s}]", "[\"for\"]", "null",
         "rules: [{name: bent, above: 50 deg}]"},
        {"rules: [{above: 50 deg, name: bent, for: 5 s,}]", "[\"for\"]", "null",
         "rules: [{above: 50 deg, name: bent, }]"},
        {"rules:\n  - {name: bent, # a\n     above: 50 deg, # b\n     for: 5 s # c\n    }\n",
         "[\"above\"]", "null",
         "rules:\n  - {name: bent, # a\n     # b\n     for: 5 s # c\n    }\n"},
        {"rules:\n  - {name: bent, # a\n     above: 50 deg, # b\n     for: 5 s # c\n    }\n",
         "[\"for\"]", "null",
         "rules:\n  - {name: bent, # a\n     above: 50 deg # b\n     # c\n    }\n"},
        /* A rule that says nothing any more goes with its last value. */
        {"rules:\n  - name: bent\n    above: 50 deg\n  - name: hot\n    off: true\n", "[\"above\"]",
         "null", "rules:\n  - name: hot\n    off: true\n"},
        {"rules:\n  - name: hot\n    off: true\n  - above: 50 deg\n    name: bent\n# end\n",
         "[\"above\"]", "null", "rules:\n  - name: hot\n    off: true\n# end\n"},
        {"rules:\n  - name: bent\n    above: 50 deg\n", "[\"above\"]", "null", "rules:\n"},
        {"rules: [{name: bent, above: 50 deg}, {name: hot, off: true}]", "[\"above\"]", "null",
         "rules: [{name: hot, off: true}]"},
        {"rules: [{name: bent, above: 50 deg}]\n", "[\"above\"]", "null", "rules: []\n"},
        /* What is not there. */
        {"rules:\n  - name: bent\n    for: 5 s\n", "[\"above\"]", "null",
         "rules:\n  - name: bent\n    for: 5 s\n"},
        {"", "[\"above\"]", "null", ""},
    };
    try_cases(cases, COUNT(cases));
}

static void what_is_new_is_written_where_it_belongs(void **state)
{
    (void)state;
    static const struct edit_case cases[] = {
        {"", "[\"above\"]", "\"5 deg\"", HEAD "rules:\n  - name: bent\n    above: 5 deg\n"},
        {"# mine", "[\"above\"]", "\"5 deg\"",
         "# mine\nrules:\n  - name: bent\n    above: 5 deg\n"},
        {"rules: [] # none\n", "[\"above\"]", "\"5 deg\"",
         "rules: # none\n  - name: bent\n    above: 5 deg\n"},
        {"rules: # none", "[\"above\"]", "\"5 deg\"",
         "rules: # none\n  - name: bent\n    above: 5 deg"},
        {"{rules: []}", "[\"above\"]", "\"5 deg\"", "{rules: [{name: bent, above: 5 deg}]}"},
        {"rules: [{name: hot, off: true}]", "[\"above\"]", "\"5 deg\"",
         "rules: [{name: hot, off: true}, {name: bent, above: 5 deg}]"},
        {"rules:\n- {name: hot,\n   off: true} # yes\n# the end\n", "[\"above\"]", "\"5 deg\"",
         "rules:\n- {name: hot,\n   off: true} # yes\n- name: bent\n  above: 5 deg\n# the end\n"},
        {"rules:\n  - name: hot\n    text: >-\n      a\n\n", "[\"above\"]", "\"5 deg\"",
         "rules:\n  - name: hot\n    text: >-\n      a\n  - name: bent\n    above: 5 deg\n\n"},
        {"rules:\n  - name: bent # the back\n    for:\n  - name: hot\n", "[\"above\"]",
         "[\"1 deg\", \"2 deg\"]",
         "rules:\n  - name: bent # the back\n    for:\n    above: [1 deg, 2 deg]\n  - name: hot\n"},
        {"rules: [{name: bent, for: }]", "[\"above\"]", "\"5 deg\"",
         "rules: [{name: bent, for: , above: 5 deg}]"},
        {"rules: [{name: bent}]", "[\"above\"]", "\"-5 dB{mW}\"",
         "rules: [{name: bent, above: \"-5 dB{mW}\"}]"},
        {"rules:\r\n  - name: bent\r\n    for: 5 s\r\n", "[\"above\"]", "\"5 deg\"",
         "rules:\r\n  - name: bent\r\n    for: 5 s\r\n    above: 5 deg\r\n"},
    };
    try_cases(cases, COUNT(cases));
}

static void what_cannot_be_changed_is_said_and_stays(void **state)
{
    (void)state;
#define BY_HAND   "rule 'bent' is written in a way that only a person changes"
#define NOT_MEANT "a path of keys and places, and a value of words"
    static const struct edit_case cases[] = {
        {"rules:\n  - ? above\n    : 5 deg\n    ? name\n    : bent\n    ? for\n    : 5 s\n",
         "[\"for\"]", "null", BY_HAND},
        {"derived: []\n", "[\"above\"]", "\"5 deg\"", BY_HAND},
        {"---\n", "[\"above\"]", "\"5 deg\"", BY_HAND},
        {"rules:\n  - name: bent\n  above: 5 deg\n", "[\"above\"]", "\"5 deg\"",
         "page.yaml:3:3: did not find expected '-' indicator while parsing a block collection"},
        {"rules: 5", "[\"above\"]", "\"5 deg\"", BY_HAND},
        {"rules:\n  - name: bent\n    all: [{metric: a}]\n", "[\"all\", 1, \"above\"]", "\"5 deg\"",
         "rule 'bent' has nothing there to change"},
        {"rules: []", "[\"all\", 1, \"above\"]", "\"5 deg\"",
         "rule 'bent' has nothing there to change"},
        {"rules: []", "[\"name\"]", "\"hot\"", NOT_MEANT},
        {"rules: []", "[]", "\"hot\"", NOT_MEANT},
        {"rules: []", "[1]", "\"hot\"", NOT_MEANT},
        {"rules: []", "[\"above\"]", "5", NOT_MEANT},
    };
    try_cases(cases, COUNT(cases));
}

static void a_text_is_read_as_the_rules_that_it_names(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said; /* JSON, or the complaint */
    } cases[] = {
        {"", "[]"},
        {"rules:\n", "[]"},
        {"rules:\n  - name: bent # a\n    text: >-\n      a\n      b\n    for:\n    all: [{x: "
         "'#1'}]\n",
         "[{\"name\":\"bent\",\"text\":\"a b\",\"for\":\"\",\"all\":[{\"x\":\"#1\"}]}]"},
        {"[]", "page.yaml:1:1: a rule file begins with 'rules:'"},
        {"rules: 5", "page.yaml:1:8: rules are a list, each begun with '- name: ...'"},
        {"rules:\n  - bent\n", "page.yaml:2:5: a rule is a map: name, metric, a condition ..."},
        {"rules: [", "page.yaml:2:1: did not find expected node content while parsing a flow node"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag diag = {0};
        char sentence[300];
        json_t *said = rule_edit_read("page.yaml", cases[i].text, &diag);
        char *text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
        assert_string_equal(text != NULL ? text : diag_sentence(&diag, sentence, sizeof(sentence)),
                            cases[i].said);
        free(text);
        json_decref(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_changed_where_it_stands_in_whatever_style),
        cmocka_unit_test(what_is_taken_out_leaves_everything_else),
        cmocka_unit_test(what_is_new_is_written_where_it_belongs),
        cmocka_unit_test(what_cannot_be_changed_is_said_and_stays),
        cmocka_unit_test(a_text_is_read_as_the_rules_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
