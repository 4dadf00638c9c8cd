/*
 * YAML as a read-only tree with places, over libyaml; shared by configuration and rules.
 *
 * Every node knows its line and column. A tree is one document; anchors and aliases are refused
 * (they multiply), as are tags, doubled keys, a second document, nesting deeper than 16, maps of
 * more than 256 keys, and text over 1 MiB or 65536 values. The sticky first error: once diag is
 * set, every further getter is a no-op that returns its default, so a parser reads straight through
 * and asks once at the end.
 */
#ifndef LUMBAR_CORE_YAML_H
#define LUMBAR_CORE_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    const char *file;
    int line, column;   /* from 1 */
    const char *scalar; /* of a scalar, terminated */
    const char *key;    /* where it is a map's value */
    int key_line, key_column;
    const struct yaml_node *children; /* of a list or map, in order */
    size_t count;
    bool flow; /* a list or map in brackets */

    /* Where it stands in the text: its characters (not bytes), from the first to behind the last. A
     * list or map that is not in brackets ends with its last value; of a block of text (| and >)
     * the empty lines behind belong to it. */
    unsigned begin, end, key_begin, key_end;
};

struct yaml; /* owns nodes and strings */

int yaml_parse(struct yaml **out, const char *file, const char *text, size_t bytes,
               struct diag *diag);
void yaml_destroy(struct yaml *yaml);
const struct yaml_node *yaml_root(const struct yaml *yaml); /* NULL: an empty document */
const char *yaml_file(const struct yaml *yaml);

/* A map's value, NULL if it has none. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* A map as another one changes it: its values take the place of those of the same key, one that is
 * empty (`key:`) takes it away, and what is new comes last. It lies in yaml's memory, at the place
 * of `changes`; its values are those of the two. NULL: no memory. */
const struct yaml_node *yaml_merge(struct yaml *yaml, const struct yaml_node *map,
                                   const struct yaml_node *changes);

/* As it is written: words as they stand, lists and maps of them; NULL: null. */
json_t *yaml_json(const struct yaml_node *node);

/* Complains at a node: "file:line:column: ...". Returns the code. */
int yaml_complain(const struct yaml *yaml, const struct yaml_node *node, struct diag *diag,
                  int code, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Refuses the first key of the map that is not among names, with the nearest one that is. */
int yaml_only(const struct yaml *yaml, const struct yaml_node *map, const char *const *names,
              size_t count, struct diag *diag);

#endif
