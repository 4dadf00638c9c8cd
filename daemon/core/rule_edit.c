#include "core/rule_edit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/yaml_edit.h"

#define DEPTH_MAX 16
#define HEAD      "# What this clinic changes of its rules: see lumbar-rules(5), CHANGES.\n"

/* ---- one rule ---- */

/* "- name: bent" and its first key, beneath the line of this place. */
static void put_rule(struct edit *edit, size_t at, int column, const char *rule, const char *key,
                     const json_t *value)
{
    char *dash = edit_indented(edit, at, column, "- name: ");
    char *line = edit_indented(edit, at, column + 2, "");
    char *first = NULL;
    if (dash == NULL || line == NULL || asprintf(&first, "%s%s%s", dash, rule, line) < 0)
        first = NULL;
    edit_put(edit, at, at, first != NULL ? edit_written(first, key, value, "") : NULL);
    free(first);
    free(line);
    free(dash);
}

static void add_to_list(struct edit *edit, const struct yaml_node *list, const char *rule,
                        const char *key, const json_t *value)
{
    char *before = NULL;
    size_t last = list->count > 0 ? edit_end_of(edit, &list->children[list->count - 1])
                                  : edit_begin_of(edit, list) + 1;
    if (!list->flow) {
        put_rule(edit, edit_line_end(edit, last), list->column, rule, key, value);
        return;
    }
    if (asprintf(&before, "%s{name: %s, ", list->count > 0 ? ", " : "", rule) < 0)
        before = NULL;
    edit_put(edit, last, last, before != NULL ? edit_written(before, key, value, "}") : NULL);
    free(before);
}

/* The first rule of the text: beneath `rules:`, which may have to be written. */
static void begin_list(struct edit *edit, const struct yaml_node *rules, const char *rule,
                       const char *key, const json_t *value)
{
    char *before = NULL;
    if (rules != NULL) {
        size_t colon = edit_skip(edit, edit_byte_of(edit, rules->key_end)) + 1;
        size_t end = edit_end_of(edit, rules);
        if (end > colon) /* [] */
            edit_put(edit, colon, end, strdup(""));
        put_rule(edit, edit_line_end(edit, end > colon ? end : colon), rules->key_column + 2, rule,
                 key, value);
        return;
    }
    bool lies = edit->bytes > 0 && edit->text[edit->bytes - 1] != '\n';
    bool bare = edit_is_bare(edit, 0, edit->bytes);
    if (asprintf(&before, "%srules:\n  - name: %s\n    ", bare ? HEAD : lies ? "\n" : "", rule) < 0)
        before = NULL;
    edit_put(edit, bare ? 0 : edit->bytes, edit->bytes,
             before != NULL ? edit_written(before, key, value, "\n") : NULL);
    free(before);
}

static void add_rule(struct edit *edit, const struct yaml_node *root, const char *rule,
                     const char *key, const json_t *value)
{
    const struct yaml_node *rules = root != NULL ? yaml_get(root, "rules") : NULL;
    bool list = rules != NULL && rules->kind == YAML_LIST;
    bool empty = rules == NULL || list || (rules->kind == YAML_SCALAR && rules->scalar[0] == '\0');
    if (list && (rules->count > 0 || root->flow))
        add_to_list(edit, rules, rule, key, value);
    else if (root == NULL || (rules != NULL && empty && !root->flow))
        begin_list(edit, rules, rule, key, value);
    else
        edit->failed = true;
}

/* ---- where it is, and what the text says then ---- */

static const char *name_of(const struct yaml_node *map)
{
    const struct yaml_node *name = yaml_get(map, "name");
    return name != NULL && name->kind == YAML_SCALAR ? name->scalar : "";
}

static const struct yaml_node *list_of(const struct yaml_node *root)
{
    const struct yaml_node *list = root != NULL ? yaml_get(root, "rules") : NULL;
    return list != NULL && list->kind == YAML_LIST ? list : NULL;
}

static size_t find_rule(const struct yaml_node *list, const char *name)
{
    size_t at = 0;
    while (list != NULL && at < list->count && strcmp(name_of(&list->children[at]), name) != 0)
        at++;
    return at;
}

static const struct yaml_node *step(const struct yaml_node *node, const json_t *to)
{
    if (json_is_string(to))
        return yaml_get(node, json_string_value(to));
    json_int_t index = json_integer_value(to);
    return json_is_integer(to) && node->kind == YAML_LIST && index >= 0 &&
                   (size_t)index < node->count
               ? &node->children[index]
               : NULL;
}

/* In the rule's map, which is there. False: the path leads nowhere. */
static bool change_in(struct edit *edit, const struct yaml_node *map, const json_t *path,
                      const json_t *value)
{
    size_t last = json_array_size(path) - 1;
    for (size_t i = 0; i < last; i++)
        if ((map = step(map, json_array_get(path, i))) == NULL)
            return false;
    const json_t *end = json_array_get(path, last);
    const struct yaml_node *node = step(map, end);
    if (node != NULL && json_is_null(value))
        edit_remove(edit, map, (size_t)(node - map->children));
    else if (node != NULL)
        edit_set(edit, node, value);
    else if (map->kind != YAML_MAP || !json_is_string(end))
        return false;
    else if (!json_is_null(value))
        edit_add(edit, map, json_string_value(end), value);
    return true;
}

/* The same of what the text says: what must come out. Takes and gives a list of rules. */
static bool expect(json_t *rules, size_t at, const char *rule, const json_t *path,
                   const json_t *value)
{
    if (at == json_array_size(rules) && json_is_null(value))
        return true;
    if (at == json_array_size(rules))
        json_array_append_new(rules, json_pack("{s:s}", "name", rule));
    json_t *of = json_array_get(rules, at);
    size_t last = json_array_size(path) - 1;
    for (size_t i = 0; i < last; i++) {
        const json_t *to = json_array_get(path, i);
        of = json_is_string(to) ? json_object_get(of, json_string_value(to))
                                : json_array_get(of, (size_t)json_integer_value(to));
    }
    const json_t *end = json_array_get(path, last);
    const char *key = json_string_value(end);
    if (!json_is_null(value))
        return (key != NULL ? json_object_set_new(of, key, json_deep_copy(value))
                            : json_array_set_new(of, (size_t)json_integer_value(end),
                                                 json_deep_copy(value))) == 0;
    if (key != NULL)
        json_object_del(of, key);
    else
        json_array_remove(of, (size_t)json_integer_value(end));
    const json_t *map = json_array_get(rules, at);
    if (json_object_size(map) <= 1 && json_object_get(map, "name") != NULL)
        json_array_remove(rules, at);
    return true;
}

/* Of a rule that would say nothing any more. */
static bool is_last(const struct yaml_node *map, const json_t *path, const json_t *value)
{
    return json_is_null(value) && json_array_size(path) == 1 && map->count == 2 &&
           step(map, json_array_get(path, 0)) != NULL;
}

static bool is_value(const json_t *value, int depth)
{
    size_t i;
    const char *key;
    json_t *each;
    if (depth == DEPTH_MAX || json_is_string(value))
        return json_is_string(value);
    json_array_foreach(value, i, each)
    {
        if (!is_value(each, depth + 1))
            return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, each)
    {
        if (!is_value(each, depth + 1))
            return false;
    }
    return json_is_array(value) || json_is_object(value);
}

static bool is_path(const json_t *path)
{
    size_t i;
    json_t *each;
    if (!json_is_array(path) || json_array_size(path) == 0 || json_array_size(path) > DEPTH_MAX)
        return false;
    json_array_foreach(path, i, each)
    {
        if (!json_is_string(each) && (i == 0 || !json_is_integer(each)))
            return false;
    }
    return strcmp(json_string_value(json_array_get(path, 0)), "name") != 0;
}

static int change(struct edit *edit, const struct yaml *yaml, const char *rule, const json_t *path,
                  const json_t *value, struct diag *diag)
{
    const struct yaml_node *root = yaml_root(yaml), *list = list_of(root);
    size_t at = find_rule(list, rule);
    bool there = list != NULL && at < list->count;
    if (there && is_last(&list->children[at], path, value))
        edit_remove(edit, list, at);
    else if (there ? !change_in(edit, &list->children[at], path, value)
                   : json_array_size(path) != 1 && !json_is_null(value))
        return diag_set(diag, ERR_UNKNOWN, "rule '%.60s' has nothing there to change", rule);
    else if (!there && !json_is_null(value))
        add_rule(edit, root, rule, json_string_value(json_array_get(path, 0)), value);
    return 0;
}

/* The same but for the value? */
static bool is_as_meant(const struct yaml *old, const char *file, const char *text,
                        const char *rule, const json_t *path, const json_t *value)
{
    const struct yaml_node *list = list_of(yaml_root(old));
    struct diag unheard = {0};
    json_t *meant = list != NULL ? yaml_json(list) : json_array();
    json_t *said = rule_edit_read(file, text, &unheard);
    bool same = said != NULL && expect(meant, find_rule(list, rule), rule, path, value) &&
                json_equal(meant, said);
    json_decref(meant);
    json_decref(said);
    return same;
}

char *rule_edit(const char *file, const char *text, const char *rule, const json_t *path,
                const json_t *value, struct diag *diag)
{
    struct yaml *yaml;
    struct edit edit = {.text = text, .bytes = strlen(text)};
    char *out = NULL;
    if (!is_path(path) || (!json_is_null(value) && !is_value(value, 0))) {
        diag_set(diag, ERR_SYNTAX, "a path of keys and places, and a value of words");
        return NULL;
    }
    if (yaml_parse(&yaml, file, text, edit.bytes, diag) != 0)
        return NULL;
    if (change(&edit, yaml, rule, path, value, diag) == 0) {
        out = edit.failed ? NULL : edit_text(&edit);
        if (out == NULL || !is_as_meant(yaml, file, out, rule, path, value)) {
            diag_set(diag, ERR_CONFLICT,
                     "rule '%.60s' is written in a way that only a person changes", rule);
            free(out);
            out = NULL;
        }
    }
    edit_fini(&edit);
    yaml_destroy(yaml);
    return out;
}

/* Each rule is a map. */
static bool are_maps(const struct yaml *yaml, const struct yaml_node *list, struct diag *diag)
{
    for (size_t i = 0; list != NULL && i < list->count; i++)
        if (list->children[i].kind != YAML_MAP) {
            yaml_complain(yaml, &list->children[i], diag, ERR_SYNTAX,
                          "a rule is a map: name, metric, a condition ...");
            return false;
        }
    return true;
}

json_t *rule_edit_read(const char *file, const char *text, struct diag *diag)
{
    struct yaml *yaml;
    if (yaml_parse(&yaml, file, text, strlen(text), diag) != 0)
        return NULL;
    const struct yaml_node *root = yaml_root(yaml), *list = list_of(root);
    const struct yaml_node *rules = root != NULL ? yaml_get(root, "rules") : NULL;
    json_t *said = NULL;
    if (root != NULL && root->kind != YAML_MAP)
        yaml_complain(yaml, root, diag, ERR_SYNTAX, "a rule file begins with 'rules:'");
    else if (rules != NULL && list == NULL &&
             (rules->kind != YAML_SCALAR || rules->scalar[0] != '\0'))
        yaml_complain(yaml, rules, diag, ERR_SYNTAX,
                      "rules are a list, each begun with '- name: ...'");
    else if (are_maps(yaml, list, diag))
        said = list != NULL ? yaml_json(list) : json_array();
    yaml_destroy(yaml);
    return said;
}
