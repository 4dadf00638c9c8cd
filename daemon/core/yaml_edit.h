/*
 * Values in the text of YAML, changed where they stand: private to rule_edit.c.
 *
 * The places are those of the parser (core/yaml.h), whatever style something was written in. What
 * is changed is told as at most three splices, in their order in the text; the rest of it stays as
 * it is. Whether it is YAML then, and says what was meant, is for the caller to look at. Pure.
 */
#ifndef LUMBAR_CORE_YAML_EDIT_H
#define LUMBAR_CORE_YAML_EDIT_H

#include <jansson.h>

#include "core/yaml.h"

#define EDIT_SPLICES_MAX 3

/* Bytes of the text in whose place something else comes. */
struct edit_splice {
    size_t from, to;
    char *put; /* owned; NULL: nothing */
};

struct edit {
    const char *text;
    size_t bytes;
    struct edit_splice splices[EDIT_SPLICES_MAX];
    size_t count;
    bool failed; /* no memory, or it takes more splices */
};

void edit_fini(struct edit *edit);

/* The text with all splices. Free() it; NULL without memory. */
char *edit_text(const struct edit *edit);

/* In the place of a value that is there. */
void edit_set(struct edit *edit, const struct yaml_node *node, const json_t *value);

/* Out of a list or map: an entry with its key or dash, and the comma or line that it leaves. */
void edit_remove(struct edit *edit, const struct yaml_node *of, size_t index);

/* Behind the last entry of a map. */
void edit_add(struct edit *edit, const struct yaml_node *map, const char *key, const json_t *value);

/* ---- steps of these, for what is made of several ---- */

size_t edit_byte_of(const struct edit *edit, unsigned character); /* of the parser's */
size_t edit_begin_of(const struct edit *edit, const struct yaml_node *node);
size_t edit_end_of(const struct edit *edit, const struct yaml_node *node);
size_t edit_line_end(const struct edit *edit, size_t at);

/* What comes next that is no blank and no comment; not from within a scalar. */
size_t edit_skip(const struct edit *edit, size_t at);

/* Is there nothing but blanks and line ends between? */
bool edit_is_bare(const struct edit *edit, size_t from, size_t to);

/* Takes the text; NULL is no memory, which edit.failed says. */
void edit_put(struct edit *edit, size_t from, size_t to, char *text);

/* A line that begins so far to the right, for behind the one of this place. NULL: no memory. */
char *edit_indented(const struct edit *edit, size_t at, int column, const char *begin);

/* `before`, the key (NULL: none) with its colon, the value, `after`. NULL: no memory. */
char *edit_written(const char *before, const char *key, const json_t *value, const char *after);

#endif
