/* A text of changes of any bytes: each value in it is changed and taken out, or there is one
 * complaint; what comes out is read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

static void try_value(const char *text, const char *rule, const json_t *path, json_t *value)
{
    struct diag diag = {0};
    char *edited = rule_edit("fuzz.yaml", text, rule, path, value, &diag);
    demand((edited == NULL) == (diag.code != 0));
    demand(edited != NULL || diag.text[0] != '\0');
    json_t *said = edited != NULL ? rule_edit_read("fuzz.yaml", edited, &diag) : NULL;
    demand(edited == NULL || said != NULL);
    json_decref(said);
    json_decref(value);
    free(edited);
}

/* All that is in it, from the map of the rule down. */
static void try_all(const char *text, const char *rule, json_t *path, const json_t *of)
{
    size_t i = 0, count = json_is_array(of) ? json_array_size(of) : json_object_size(of);
    void *at = json_object_iter((json_t *)(uintptr_t)of);
    for (; i < count && i < 40; i++) {
        const json_t *inner = at != NULL ? json_object_iter_value(at) : json_array_get(of, i);
        json_array_append_new(path, at != NULL ? json_string(json_object_iter_key(at))
                                               : json_integer((json_int_t)i));
        try_value(text, rule, path, json_string("5 dB{mW}"));
        try_value(text, rule, path, json_pack("[s, {s:s}]", "a: #b", "c", "\"\n"));
        try_value(text, rule, path, json_null());
        try_all(text, rule, path, inner);
        json_array_remove(path, json_array_size(path) - 1);
        at = at != NULL ? json_object_iter_next((json_t *)(uintptr_t)of, at) : NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct diag diag = {0};
    json_t *path = json_pack("[s]", "fresh");
    demand(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    json_t *rules = rule_edit_read("fuzz.yaml", text, &diag);
    demand((rules == NULL) == (diag.code != 0));
    try_value(text, "new", path, json_string("1"));
    for (size_t i = 0; rules != NULL && i < json_array_size(rules) && i < 8; i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *name = json_string_value(json_object_get(rule, "name"));
        if (name == NULL)
            continue;
        try_value(text, name, path, json_string("1"));
        json_array_clear(path);
        try_all(text, name, path, rule);
        json_array_append_new(path, json_string("fresh"));
    }
    json_decref(rules);
    json_decref(path);
    free(text);
    return 0;
}
