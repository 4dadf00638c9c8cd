#include "core/yaml_edit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

/* Of a character of the parser's, the byte. */
size_t edit_byte_of(const struct edit *edit, unsigned character)
{
    size_t at = 0;
    for (; at < edit->bytes; at++)
        if (((unsigned char)edit->text[at] & 0xc0) != 0x80 && character-- == 0)
            break;
    return at;
}

static bool is_blank(char sign)
{
    return sign == ' ' || sign == '\t';
}

static bool is_end(char sign)
{
    return sign == '\0' || sign == '\n' || sign == '\r';
}

static size_t skip_blanks(const struct edit *edit, size_t at)
{
    while (is_blank(edit->text[at]))
        at++;
    return at;
}

size_t edit_line_end(const struct edit *edit, size_t at)
{
    while (!is_end(edit->text[at]))
        at++;
    return at;
}

static size_t next_line(const struct edit *edit, size_t at)
{
    at = edit_line_end(edit, at);
    at += edit->text[at] == '\r';
    return at + (edit->text[at] == '\n');
}

static size_t line_begin(const struct edit *edit, size_t at)
{
    while (at > 0 && edit->text[at - 1] != '\n')
        at--;
    return at;
}

/* What comes next that is no blank and no comment. Not from within a scalar. */
size_t edit_skip(const struct edit *edit, size_t at)
{
    for (;;) {
        at = skip_blanks(edit, at);
        if (edit->text[at] == '\0' || (edit->text[at] != '#' && !is_end(edit->text[at])))
            return at;
        at = next_line(edit, at);
    }
}

/* Is there nothing but blanks and line ends between? */
bool edit_is_bare(const struct edit *edit, size_t from, size_t to)
{
    for (; from < to; from++)
        if (!is_blank(edit->text[from]) && !is_end(edit->text[from]))
            return false;
    return true;
}

size_t edit_begin_of(const struct edit *edit, const struct yaml_node *node)
{
    return edit_byte_of(edit, node->begin);
}

/* Less the empty lines behind a block of text. */
size_t edit_end_of(const struct edit *edit, const struct yaml_node *node)
{
    size_t begin = edit_begin_of(edit, node), end = edit_byte_of(edit, node->end);
    while (end > begin && (is_blank(edit->text[end - 1]) || is_end(edit->text[end - 1])))
        end--;
    return end;
}

/* ---- splices ---- */

static void add_splice(struct edit *edit, size_t from, size_t to, char *put)
{
    if (edit->count == EDIT_SPLICES_MAX) {
        free(put);
        edit->failed = true;
        return;
    }
    edit->splices[edit->count++] = (struct edit_splice){from, to, put};
}

/* With the blanks around it, and the lines that nothing else stands in. */
static void erase(struct edit *edit, size_t from, size_t to)
{
    size_t begin = line_begin(edit, from), end = skip_blanks(edit, to);
    bool first = edit_is_bare(edit, begin, from);
    if (first && is_end(edit->text[end]))
        add_splice(edit, begin, next_line(edit, end), NULL);
    else if (first || !is_end(edit->text[end]))
        add_splice(edit, from, end, NULL);
    else {
        while (from > begin && is_blank(edit->text[from - 1]))
            from--;
        add_splice(edit, from, to, NULL);
    }
}

/* Two that follow each other, as one where only blanks lie between. */
static void erase_both(struct edit *edit, size_t from, size_t to, size_t then, size_t end)
{
    if (edit_is_bare(edit, to, then)) {
        erase(edit, from, end);
        return;
    }
    add_splice(edit, from, to, NULL);
    add_splice(edit, then, end, NULL);
}

void edit_fini(struct edit *edit)
{
    for (size_t i = 0; i < edit->count; i++)
        free(edit->splices[i].put);
}

char *edit_text(const struct edit *edit)
{
    char *out = NULL;
    size_t bytes, at = 0;
    FILE *file = open_memstream(&out, &bytes);
    if (file == NULL)
        return NULL;
    for (size_t i = 0; i < edit->count; i++) {
        const struct edit_splice *each = &edit->splices[i];
        fwrite(edit->text + at, 1, each->from - at, file);
        if (each->put != NULL)
            fputs(each->put, file);
        at = each->to;
    }
    fwrite(edit->text + at, 1, edit->bytes - at, file);
    if (fclose(file) == 0)
        return out;
    free(out);
    return NULL;
}

/* ---- values, as they are written ---- */

/* A word that means itself wherever it stands; what looks otherwise gets quotes. */
static bool is_plain(const char *word)
{
    size_t length = strlen(word);
    return length > 0 && strpbrk(word, ",[]{}:#\"'\\&*!|>@`\n\t") == NULL && word[0] != ' ' &&
           word[length - 1] != ' ' && strchr("%?=<~", word[0]) == NULL &&
           (word[0] != '-' || (word[1] >= '0' && word[1] <= '9')) && strncmp(word, "...", 3) != 0;
}

static void write_word(FILE *out, const char *word)
{
    if (is_plain(word)) {
        fputs(word, out);
        return;
    }
    fputc('"', out);
    for (; *word != '\0'; word++) {
        if (*word == '\n' || *word == '\t')
            fputs(*word == '\n' ? "\\n" : "\\t", out);
        else
            fprintf(out, *word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
    }
    fputc('"', out);
}

static void write_value(FILE *out, const json_t *value)
{
    size_t i;
    const char *key, *between = "";
    json_t *each;
    if (json_is_array(value)) {
        fputc('[', out);
        json_array_foreach(value, i, each)
        {
            fputs(i > 0 ? ", " : "", out);
            write_value(out, each);
        }
        fputc(']', out);
    } else if (json_is_object(value)) {
        fputc('{', out);
        json_object_foreach((json_t *)(uintptr_t)value, key, each)
        {
            fputs(between, out);
            write_word(out, key);
            fputs(": ", out);
            write_value(out, each);
            between = ", ";
        }
        fputc('}', out);
    } else
        write_word(out, json_string_value(value));
}

char *edit_written(const char *before, const char *key, const json_t *value, const char *after)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        return NULL;
    fputs(before, out);
    if (key != NULL)
        write_word(out, key);
    fputs(key != NULL ? ": " : "", out);
    write_value(out, value);
    fputs(after, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* ---- one value ---- */

void edit_put(struct edit *edit, size_t from, size_t to, char *text)
{
    if (text == NULL)
        edit->failed = true;
    else
        add_splice(edit, from, to, text);
}

/* In the place of one that is there. */
void edit_set(struct edit *edit, const struct yaml_node *node, const json_t *value)
{
    size_t begin = edit_begin_of(edit, node), end = edit_end_of(edit, node);
    size_t colon = node->key != NULL ? edit_skip(edit, edit_byte_of(edit, node->key_end)) : begin;
    bool empty = node->kind == YAML_SCALAR && begin == edit_byte_of(edit, node->end);
    if (empty && node->key != NULL) {
        edit_put(edit, begin, begin,
                 edit_written(edit->text[colon] == ':' ? " " : ": ", NULL, value, ""));
    } else if (node->kind != YAML_SCALAR && !node->flow && node->key != NULL) {
        /* In brackets it could not begin where its lines do. */
        edit_put(edit, colon + 1, colon + 1, edit_written(" ", NULL, value, ""));
        erase(edit, begin, end);
    } else
        edit_put(edit, begin, end, edit_written("", NULL, value, ""));
}

/* The mark before an entry of a list that is not in brackets. */
static size_t dash_of(const struct edit *edit, const struct yaml_node *list, size_t index)
{
    return index == 0 ? edit_begin_of(edit, list)
                      : edit_skip(edit, edit_end_of(edit, &list->children[index - 1]));
}

static void remove_flow(struct edit *edit, const struct yaml_node *of, size_t index, size_t begin)
{
    size_t end = edit_end_of(edit, &of->children[index]), comma = edit_skip(edit, end);
    if (edit->text[comma] == ',') {
        erase_both(edit, begin, end, comma, comma + 1);
    } else if (index > 0) {
        comma = edit_skip(edit, edit_end_of(edit, &of->children[index - 1]));
        if (edit_is_bare(edit, comma + 1, begin)) {
            add_splice(edit, comma, end, NULL);
        } else {
            add_splice(edit, comma, comma + 1, NULL);
            erase(edit, begin, end);
        }
    } else
        add_splice(edit, begin, end, NULL);
}

/* Out of a list or map, with its key. */
void edit_remove(struct edit *edit, const struct yaml_node *of, size_t index)
{
    const struct yaml_node *node = &of->children[index];
    size_t begin =
        node->key != NULL ? edit_byte_of(edit, node->key_begin) : edit_begin_of(edit, node);
    size_t end = edit_end_of(edit, node);
    if (of->flow) {
        remove_flow(edit, of, index, begin);
        return;
    }
    if (of->kind == YAML_LIST)
        begin = dash_of(edit, of, index);
    /* The first one of an entry stands behind its dash, where the next one comes now. */
    bool leads = of->kind == YAML_MAP && index == 0 && of->count > 1 &&
                 !edit_is_bare(edit, line_begin(edit, begin), begin);
    size_t next = leads ? edit_byte_of(edit, of->children[1].key_begin) : end;
    if (leads && edit_is_bare(edit, end, next))
        add_splice(edit, begin, next, NULL);
    else
        erase(edit, begin, end);
}

/* A new line behind the one of this place, so far to the right; the caller has one there. */
char *edit_indented(const struct edit *edit, size_t at, int column, const char *begin)
{
    char *line = NULL;
    const char *ends = edit->text[edit_line_end(edit, at)] == '\r' ? "\r\n" : "\n";
    return asprintf(&line, "%s%*s%s", ends, column - 1, "", begin) < 0 ? NULL : line;
}

void edit_add(struct edit *edit, const struct yaml_node *map, const char *key, const json_t *value)
{
    size_t last = map->count > 0 ? edit_end_of(edit, &map->children[map->count - 1])
                                 : edit_begin_of(edit, map) + 1;
    if (map->flow) {
        edit_put(edit, last, last, edit_written(map->count > 0 ? ", " : "", key, value, ""));
        return;
    }
    size_t at = edit_line_end(edit, last);
    char *before = edit_indented(edit, at, map->children[0].key_column, "");
    edit_put(edit, at, at, before != NULL ? edit_written(before, key, value, "") : NULL);
    free(before);
}
