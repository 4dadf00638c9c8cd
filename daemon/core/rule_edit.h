/*
 * One value in the text of a file of changes (core/rules.h), changed where it stands.
 *
 * The parser says where each value is, in whatever style of YAML it was written; nothing else of
 * the text is touched, comments and line ends included. What came out is read again before it is
 * given: it says the same as before but for that one value, or the text stays as it was and the
 * complaint says so. Text of a person that is not YAML is no text that can be changed.
 * Memory: the tree of the text while it is read. Pure.
 */
#ifndef LUMBAR_CORE_RULE_EDIT_H
#define LUMBAR_CORE_RULE_EDIT_H

#include <jansson.h>

#include "base/err.h"

/* The rules that the text names, as a list of maps; NULL with a complaint. */
json_t *rule_edit_read(const char *file, const char *text, struct diag *diag);

/* The text with another value of a rule: the path leads to it from the rule's map, by keys and
 * places ("above"; "all", 0, "above"). A value is a string, or a list or map of them; JSON's null
 * takes it out, and the rule with its last one. A rule that is not there yet comes last.
 * Free() it; NULL with a complaint. */
char *rule_edit(const char *file, const char *text, const char *rule, const json_t *path,
                const json_t *value, struct diag *diag);

#endif
