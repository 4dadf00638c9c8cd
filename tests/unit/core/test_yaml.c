#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "core/yaml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct yaml *parsed(const char *text)
{
    struct yaml *yaml;
    struct diag diag = {0};
    char sentence[600];
    if (yaml_parse(&yaml, "f.yaml", text, strlen(text), &diag) != 0)
        fail_msg("%s", diag_sentence(&diag, sentence, sizeof(sentence)));
    return yaml;
}

/* Each with what must be in the sentence, its place among it. */
static void what_cannot_be_used_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *sentence;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", ERR_CONFLICT, "f.yaml:3:1: 'a' is set twice; first in line 1"},
        {"x:\n  {a: 1, 'a': 2}\n", ERR_CONFLICT, "f.yaml:2:10: 'a' is set twice"},
        {"a: &x 1\n", ERR_SYNTAX, "f.yaml:1:4: anchors"},
        {"a: &x [1]\nb: 2\n", ERR_SYNTAX, "f.yaml:1:4: anchors"},
        {"a: 1\nb: *x\n", ERR_SYNTAX, "f.yaml:2:4: aliases"},
        {"a: !!int 1\n", ERR_SYNTAX, "f.yaml:1:4: tags"},
        {"a: !mine {}\n", ERR_SYNTAX, "f.yaml:1:4: tags"},
        {"a: 1\n---\nb: 2\n", ERR_SYNTAX, "f.yaml:2:1: a second document"},
        {"[1, 2]: 3\n", ERR_SYNTAX, "f.yaml:1:1: a key must be a plain word"},
        {"? {a: 1}\n: 3\n", ERR_SYNTAX, "f.yaml:1:3: a key must be a plain word"},
        {"'': 1\n", ERR_SYNTAX, "f.yaml:1:1: an empty key"},
        {"a: \"x\\0y\"\n", ERR_SYNTAX, "f.yaml:1:4: a control character"},
        {"a: \"\\e[2J\"\n", ERR_SYNTAX, "f.yaml:1:4: a control character"},
        {"\"a\\x7f\": 1\n", ERR_SYNTAX, "f.yaml:1:1: a control character"},
        {"a: [1, 2\n", ERR_SYNTAX, "f.yaml:2:1: did not find expected"},
        {"a: 1\n b: 2\n", ERR_SYNTAX, "f.yaml:2:3: mapping values are not allowed"},
        {"a:\n\t- b\n", ERR_SYNTAX, "f.yaml:2:1: a tab: only spaces indent a line"},
        {"a: 1\nb: \xff\xfe\n", ERR_SYNTAX, "f.yaml:2:4: "},
        {"\xc3", ERR_SYNTAX, "f.yaml:1:1: "},
        {"a: \x01\n", ERR_SYNTAX, "f.yaml:1:4: control characters"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", ERR_LIMIT, "f.yaml:1:17: nested deeper than 16"},
        {"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1", ERR_LIMIT,
         "nested deeper than 16"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct yaml *yaml;
        struct diag diag = {0};
        char sentence[600];
        int code = yaml_parse(&yaml, "f.yaml", cases[i].text, strlen(cases[i].text), &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (code != cases[i].code || strncmp(sentence, "f.yaml:", 7) != 0 ||
            strstr(sentence, cases[i].sentence) == NULL)
            fail_msg("row %zu: %d %s", i, code, sentence);
        assert_int_equal(diag.code, code);
        assert_null(yaml);
    }
}

static void sixteen_levels_are_taken(void **state)
{
    (void)state;
    struct yaml *yaml = parsed("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
    const struct yaml_node *node = yaml_root(yaml);
    int depth = 0;
    for (; node->kind == YAML_LIST; node = node->children)
        depth++;
    assert_int_equal(depth, 16);
    assert_string_equal(node->scalar, "1");
    assert_int_equal(node->column, 17);
    yaml_destroy(yaml);
}

static void every_node_knows_its_place(void **state)
{
    (void)state;
    struct yaml *yaml =
        parsed("# words\nclinic: Hill\nrooms:\n  - name: one\n    devices: [a, 'b c']\n"
               "  - {name: \"two\"}\nempty:\n");
    const struct yaml_node *root = yaml_root(yaml), *rooms = yaml_get(root, "rooms");
    const struct yaml_node *devices = yaml_get(&rooms->children[0], "devices");
    const struct yaml_node *name = yaml_get(&rooms->children[1], "name");
    assert_string_equal(yaml_file(yaml), "f.yaml");
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 3);
    assert_int_equal(rooms->kind, YAML_LIST);
    assert_int_equal(rooms->key_line, 3);
    assert_int_equal(rooms->key_column, 1);
    assert_int_equal(rooms->count, 2);
    assert_string_equal(devices->children[1].scalar, "b c");
    assert_int_equal(devices->children[1].line, 5);
    assert_int_equal(devices->children[1].column, 18);
    assert_string_equal(name->scalar, "two");
    assert_int_equal(name->line, 6);
    assert_int_equal(name->column, 12);
    assert_int_equal(name->key_column, 6);
    assert_string_equal(yaml_get(root, "empty")->scalar, "");
    assert_null(yaml_get(root, "room"));
    assert_null(yaml_get(rooms, "name"));
    assert_null(yaml_get(NULL, "name"));
    yaml_destroy(yaml);
}

static void an_empty_document_has_no_root(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# only words\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct yaml *yaml = parsed(texts[i]);
        assert_null(yaml_root(yaml));
        yaml_destroy(yaml);
    }
    yaml_destroy(NULL);
}

/* `count` times the piece, between head and tail. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
    size_t bytes = strlen(head) + strlen(piece) * count + count * 8 + strlen(tail) + 1;
    char *out = malloc(bytes);
    assert_non_null(out);
    struct text text = text_in(out, bytes);
    text_add(&text, "%s", head);
    for (size_t i = 0; i < count; i++) /* a printf a piece would count the length each time */
        memcpy(out + text.length + i * strlen(piece), piece, strlen(piece));
    text.length += strlen(piece) * count;
    text_add(&text, "%s", tail);
    assert_false(text.cut);
    return out;
}

static void size_and_number_of_values_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *piece;
        size_t count;
        int code;
    } cases[] = {
        {"1,", 65534, 0}, /* the list itself is a value, and the last scalar */
        {"1,", 65535, ERR_LIMIT},  {"\"\",", 300000, ERR_LIMIT},
        {"          ", 104856, 0}, {"          ", 104858, ERR_LIMIT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = repeated("[", cases[i].piece, cases[i].count, "2]");
        struct yaml *yaml;
        struct diag diag = {0};
        assert_int_equal(yaml_parse(&yaml, "f.yaml", text, strlen(text), &diag), cases[i].code);
        yaml_destroy(yaml);
        free(text);
    }
}

static void a_map_has_256_keys_at_most(void **state)
{
    (void)state;
    for (int keys = 256; keys <= 257; keys++) {
        static char buffer[8192];
        struct text text = text_in(buffer, sizeof(buffer));
        for (int i = 0; i < keys; i++)
            text_add(&text, "k%d: 1\n", i);
        struct yaml *yaml;
        struct diag diag = {0};
        int code = yaml_parse(&yaml, "f.yaml", buffer, text.length, &diag);
        assert_int_equal(code, keys == 256 ? 0 : ERR_LIMIT);
        assert_int_equal(diag.line, keys == 256 ? 0 : 257);
        yaml_destroy(yaml);
    }
}

static void the_length_counts_and_not_a_terminator(void **state)
{
    (void)state;
    struct yaml *yaml;
    struct diag diag = {0};
    char text[] = {'a', ':', ' ', '1', '2', '3'};
    assert_int_equal(yaml_parse(&yaml, "f.yaml", text, 5, &diag), 0);
    assert_string_equal(yaml_get(yaml_root(yaml), "a")->scalar, "12");
    yaml_destroy(yaml);
}

static void unknown_keys_are_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    static const char *const names[] = {"name", "title", "devices"};
    static const struct {
        const char *text, *sentence; /* NULL: taken */
    } cases[] = {
        {"name: 1\ntitle: 2\n", NULL},
        {"name: 1\ntitel: 2\n", "f.yaml:2:1: 'titel' is not known here; did you mean 'title'?"},
        {"colour: 1\n", "f.yaml:1:1: 'colour' is not known here"},
        {"{name: 1, Device: 2}",
         "f.yaml:1:11: 'Device' is not known here; did you mean 'devices'?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct yaml *yaml = parsed(cases[i].text);
        struct diag diag = {0};
        char sentence[600];
        int code = yaml_only(yaml, yaml_root(yaml), names, COUNT(names), &diag);
        assert_int_equal(code, cases[i].sentence != NULL ? ERR_UNKNOWN : 0);
        if (cases[i].sentence != NULL)
            assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)),
                                cases[i].sentence);
        yaml_destroy(yaml);
    }
}

static void complaints_name_the_node(void **state)
{
    (void)state;
    struct yaml *yaml = parsed("a:\n  b: 7\n");
    struct diag at_node = {0}, at_file = {0};
    char sentence[600];
    const struct yaml_node *node = yaml_get(yaml_get(yaml_root(yaml), "a"), "b");
    assert_int_equal(yaml_complain(yaml, node, &at_node, ERR_RANGE, "not %d", 7), ERR_RANGE);
    assert_string_equal(diag_sentence(&at_node, sentence, sizeof(sentence)), "f.yaml:2:6: not 7");
    yaml_complain(yaml, NULL, &at_file, ERR_RANGE, "nothing");
    assert_string_equal(diag_sentence(&at_file, sentence, sizeof(sentence)), "f.yaml: nothing");
    yaml_destroy(yaml);
}

static void a_map_is_changed_by_another_one(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct yaml *yaml = parsed("a: 1\nb: [2, 3]\nc: 4\n"), *changes;
    static const char text[] = "\n\nd: 5\nc: \nb: 6\ne:\n";
    assert_int_equal(yaml_parse(&changes, "g.yaml", text, strlen(text), &diag), 0);
    const struct yaml_node *merged = yaml_merge(changes, yaml_root(yaml), yaml_root(changes));
    assert_int_equal(merged->count, 3);
    assert_string_equal(merged->file, "g.yaml");
    assert_int_equal(merged->line, 3);
    assert_string_equal(merged->children[0].scalar, "1");
    assert_string_equal(merged->children[0].file, "f.yaml");
    assert_string_equal(merged->children[1].scalar, "6"); /* in its place */
    assert_int_equal(merged->children[1].key_line, 5);
    assert_string_equal(merged->children[2].key, "d"); /* new ones last; `e:` takes nothing away */
    assert_int_equal(yaml_root(yaml)->count, 3);
    yaml_destroy(yaml);
    yaml_destroy(changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_used_is_refused_with_its_place),
        cmocka_unit_test(sixteen_levels_are_taken),
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(an_empty_document_has_no_root),
        cmocka_unit_test(size_and_number_of_values_have_a_limit),
        cmocka_unit_test(a_map_has_256_keys_at_most),
        cmocka_unit_test(the_length_counts_and_not_a_terminator),
        cmocka_unit_test(unknown_keys_are_refused_with_the_nearest_known_one),
        cmocka_unit_test(complaints_name_the_node),
        cmocka_unit_test(a_map_is_changed_by_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
