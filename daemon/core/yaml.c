#include "core/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

#define DEPTH_MAX   16
#define BYTES_MAX   (1024 * 1024)
#define VALUES_MAX  65536
#define KEYS_MAX    256 /* of one map: doubled keys are looked for one by one */
#define BLOCK_BYTES 16384

struct block {
    struct block *next;
    size_t used, bytes;
    _Alignas(max_align_t) char at[];
};

struct yaml {
    struct block *blocks; /* all nodes and strings, freed together */
    const struct yaml_node *root;
    const char *file;
};

/* A list or map that is still open. */
struct level {
    struct yaml_node node;
    struct yaml_node *list; /* its children so far; the memory is used again by the next */
    size_t count, room;
    const char *key; /* a map's key that waits for its value */
    int key_line, key_column;
    unsigned key_begin, key_end;
};

struct builder {
    struct yaml *yaml;
    struct diag *diag;
    struct level levels[DEPTH_MAX];
    size_t depth, values;
    bool ended;
};

static void *take(struct yaml *yaml, size_t bytes)
{
    bytes = (bytes + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    struct block *block = yaml->blocks;
    if (block == NULL || block->bytes - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = malloc(sizeof(*block) + room);
        if (block == NULL)
            return NULL;
        *block = (struct block){.next = yaml->blocks, .bytes = room};
        yaml->blocks = block;
    }
    void *at = block->at + block->used;
    block->used += bytes;
    return at;
}

static const char *take_string(struct yaml *yaml, const char *string, size_t length)
{
    char *copy = take(yaml, length + 1);
    if (copy != NULL) {
        memcpy(copy, string, length);
        copy[length] = '\0';
    }
    return copy;
}

static int refuse(struct builder *builder, const yaml_mark_t *mark, int code, const char *what)
{
    return diag_at(builder->diag, code, builder->yaml->file, (int)mark->line + 1,
                   (int)mark->column + 1, "%s", what);
}

static int out_of_memory(struct builder *builder)
{
    return diag_set(builder->diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
}

/* The value of the waiting key, an entry of the list, or the root. */
static int keep_value(struct builder *builder, const struct yaml_node *value)
{
    if (builder->depth == 0) {
        struct yaml_node *root = take(builder->yaml, sizeof(*root));
        if (root == NULL)
            return out_of_memory(builder);
        *root = *value;
        builder->yaml->root = root;
        return 0;
    }
    struct level *level = &builder->levels[builder->depth - 1];
    if (level->count == level->room) {
        size_t room = level->room > 0 ? level->room * 2 : 16;
        struct yaml_node *list = realloc(level->list, room * sizeof(*list));
        if (list == NULL)
            return out_of_memory(builder);
        level->list = list;
        level->room = room;
    }
    struct yaml_node *kept = &level->list[level->count++];
    *kept = *value;
    kept->key = level->key;
    kept->key_line = level->key_line;
    kept->key_column = level->key_column;
    kept->key_begin = level->key_begin;
    kept->key_end = level->key_end;
    level->key = NULL;
    return 0;
}

static int keep_key(struct builder *builder, struct level *level, const struct yaml_node *key)
{
    const char *file = builder->yaml->file;
    if (key->scalar[0] == '\0')
        return diag_at(builder->diag, ERR_SYNTAX, file, key->line, key->column, "an empty key");
    if (level->count >= KEYS_MAX)
        return diag_at(builder->diag, ERR_LIMIT, file, key->line, key->column,
                       "more than %d keys in one map", KEYS_MAX);
    for (size_t i = 0; i < level->count; i++)
        if (strcmp(level->list[i].key, key->scalar) == 0)
            return diag_at(builder->diag, ERR_CONFLICT, file, key->line, key->column,
                           "'%.60s' is set twice; first in line %d", key->scalar,
                           level->list[i].key_line);
    level->key = key->scalar;
    level->key_line = key->line;
    level->key_column = key->column;
    level->key_begin = key->begin;
    level->key_end = key->end;
    return 0;
}

static bool expects_key(const struct builder *builder)
{
    if (builder->depth == 0)
        return false;
    const struct level *level = &builder->levels[builder->depth - 1];
    return level->node.kind == YAML_MAP && level->key == NULL;
}

/* A scalar can write any character as an escape; what cannot be seen is a mistake or a trick. */
static bool has_control(const unsigned char *at, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((at[i] < 0x20 && at[i] != '\n' && at[i] != '\t') || at[i] == 0x7f)
            return true;
    return false;
}

static int on_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (has_control(event->data.scalar.value, length))
        return refuse(builder, &event->start_mark, ERR_SYNTAX, "a control character");
    struct yaml_node node = {.kind = YAML_SCALAR,
                             .file = builder->yaml->file,
                             .line = (int)event->start_mark.line + 1,
                             .column = (int)event->start_mark.column + 1,
                             .begin = (unsigned)event->start_mark.index,
                             .end = (unsigned)event->end_mark.index,
                             .scalar = take_string(builder->yaml, value, length)};
    if (node.scalar == NULL)
        return out_of_memory(builder);
    if (expects_key(builder))
        return keep_key(builder, &builder->levels[builder->depth - 1], &node);
    return keep_value(builder, &node);
}

static bool is_flow(const yaml_event_t *event)
{
    return event->type == YAML_MAPPING_START_EVENT
               ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
               : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
}

static int on_open(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind)
{
    if (expects_key(builder))
        return refuse(builder, &event->start_mark, ERR_SYNTAX, "a key must be a plain word");
    if (builder->depth == DEPTH_MAX)
        return refuse(builder, &event->start_mark, ERR_LIMIT, "nested deeper than 16");
    struct level *level = &builder->levels[builder->depth++];
    level->node = (struct yaml_node){.kind = kind,
                                     .file = builder->yaml->file,
                                     .line = (int)event->start_mark.line + 1,
                                     .column = (int)event->start_mark.column + 1,
                                     .begin = (unsigned)event->start_mark.index,
                                     .end = (unsigned)event->start_mark.index,
                                     .flow = is_flow(event)};
    level->count = 0;
    level->key = NULL;
    return 0;
}

static int on_close(struct builder *builder, const yaml_event_t *event)
{
    struct level *level = &builder->levels[--builder->depth];
    if (level->count > 0) {
        struct yaml_node *children = take(builder->yaml, level->count * sizeof(*children));
        if (children == NULL)
            return out_of_memory(builder);
        memcpy(children, level->list, level->count * sizeof(*children));
        level->node.children = children;
        level->node.count = level->count;
        /* Without brackets the parser notices its end only at what comes next. */
        level->node.end = children[level->count - 1].end;
    }
    if (level->node.flow)
        level->node.end = (unsigned)event->end_mark.index;
    return keep_value(builder, &level->node);
}

static const char *anchor_of(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT ? (const char *)event->data.scalar.anchor
           : event->type == YAML_SEQUENCE_START_EVENT
               ? (const char *)event->data.sequence_start.anchor
               : (const char *)event->data.mapping_start.anchor;
}

static const char *tag_of(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT           ? (const char *)event->data.scalar.tag
           : event->type == YAML_SEQUENCE_START_EVENT ? (const char *)event->data.sequence_start.tag
                                                      : (const char *)event->data.mapping_start.tag;
}

static int on_value(struct builder *builder, const yaml_event_t *event)
{
    if (anchor_of(event) != NULL)
        return refuse(builder, &event->start_mark, ERR_SYNTAX, "anchors (&) are not taken here");
    if (tag_of(event) != NULL)
        return refuse(builder, &event->start_mark, ERR_SYNTAX, "tags (!) are not taken here");
    if (++builder->values > VALUES_MAX)
        return refuse(builder, &event->start_mark, ERR_LIMIT, "more than 65536 values");
    if (event->type == YAML_SCALAR_EVENT)
        return on_scalar(builder, event);
    return on_open(builder, event, event->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST);
}

static int on_yaml_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse(builder, &event->start_mark, ERR_SYNTAX, "aliases (*) are not taken here");
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_value(builder, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(builder, event);
    case YAML_DOCUMENT_START_EVENT:
        if (builder->ended)
            return refuse(builder, &event->start_mark, ERR_SYNTAX, "a second document (---)");
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        builder->ended = true;
        return 0;
    default:
        return 0;
    }
}

/* libyaml's reader (bad UTF-8, a control character) knows an offset only. */
static void find_place(const char *text, size_t offset, yaml_mark_t *mark)
{
    for (size_t i = 0; i < offset; i++) {
        mark->column++;
        if (text[i] == '\n') {
            mark->line++;
            mark->column = 0;
        }
    }
}

/* What an editor puts there unasked, and YAML does not take. */
static bool begins_with_tab(const char *text, size_t bytes, size_t line)
{
    size_t at = 0;
    for (; line > 0 && at < bytes; at++)
        line -= text[at] == '\n';
    while (at < bytes && text[at] == ' ')
        at++;
    return at < bytes && text[at] == '\t';
}

static int parser_complaint(struct builder *builder, const yaml_parser_t *parser, const char *text,
                            size_t bytes)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(builder);
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){0};
        find_place(text, parser->problem_offset < bytes ? parser->problem_offset : bytes, &mark);
    }
    if (parser->error == YAML_SCANNER_ERROR && begins_with_tab(text, bytes, mark.line))
        return diag_at(builder->diag, ERR_SYNTAX, builder->yaml->file, (int)mark.line + 1,
                       (int)mark.column + 1, "a tab: only spaces indent a line");
    return diag_at(builder->diag, ERR_SYNTAX, builder->yaml->file, (int)mark.line + 1,
                   (int)mark.column + 1, "%s%s%s", parser->problem ? parser->problem : "not YAML",
                   parser->context ? " " : "", parser->context ? parser->context : "");
}

static int build(struct builder *builder, const char *text, size_t bytes)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return out_of_memory(builder);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    int code = 0;
    bool over = false;
    while (code == 0 && !over) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            code = parser_complaint(builder, &parser, text, bytes);
            break;
        }
        over = event.type == YAML_STREAM_END_EVENT;
        code = on_yaml_event(builder, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return code;
}

int yaml_parse(struct yaml **out, const char *file, const char *text, size_t bytes,
               struct diag *diag)
{
    *out = NULL;
    if (bytes > BYTES_MAX)
        return diag_at(diag, ERR_LIMIT, file, 0, 0, "larger than 1 MiB");
    struct yaml *yaml = calloc(1, sizeof(*yaml));
    if (yaml == NULL || (yaml->file = take_string(yaml, file, strlen(file))) == NULL) {
        free(yaml);
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    }
    struct builder builder = {.yaml = yaml, .diag = diag};
    int code = build(&builder, text, bytes);
    for (size_t i = 0; i < DEPTH_MAX; i++)
        free(builder.levels[i].list);
    if (code != 0) {
        yaml_destroy(yaml);
        return code;
    }
    *out = yaml;
    return 0;
}

void yaml_destroy(struct yaml *yaml)
{
    if (yaml == NULL)
        return;
    for (struct block *block = yaml->blocks; block != NULL;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(yaml);
}

const struct yaml_node *yaml_root(const struct yaml *yaml)
{
    return yaml->root;
}

const char *yaml_file(const struct yaml *yaml)
{
    return yaml->file;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->children[i].key, key) == 0)
            return &map->children[i];
    return NULL;
}

json_t *yaml_json(const struct yaml_node *node)
{
    if (node == NULL)
        return json_null();
    if (node->kind == YAML_SCALAR)
        return json_string(node->scalar);
    json_t *json = node->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++)
        if (node->kind == YAML_MAP)
            json_object_set_new(json, node->children[i].key, yaml_json(&node->children[i]));
        else
            json_array_append_new(json, yaml_json(&node->children[i]));
    return json;
}

static bool takes_away(const struct yaml_node *change)
{
    return change->kind == YAML_SCALAR && change->scalar[0] == '\0';
}

const struct yaml_node *yaml_merge(struct yaml *yaml, const struct yaml_node *map,
                                   const struct yaml_node *changes)
{
    struct yaml_node *merged = take(yaml, sizeof(*merged));
    struct yaml_node *children = take(yaml, (map->count + changes->count + 1) * sizeof(*children));
    if (merged == NULL || children == NULL)
        return NULL;
    *merged = *changes;
    merged->children = children;
    merged->count = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *change = yaml_get(changes, map->children[i].key);
        if (change == NULL || !takes_away(change))
            children[merged->count++] = change != NULL ? *change : map->children[i];
    }
    for (size_t i = 0; i < changes->count; i++) {
        const struct yaml_node *change = &changes->children[i];
        if (!takes_away(change) && yaml_get(map, change->key) == NULL)
            children[merged->count++] = *change;
    }
    return merged;
}

int yaml_complain(const struct yaml *yaml, const struct yaml_node *node, struct diag *diag,
                  int code, const char *format, ...)
{
    char text[sizeof(diag->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return diag_at(diag, code, node != NULL ? node->file : yaml->file,
                   node != NULL ? node->line : 0, node != NULL ? node->column : 0, "%s", text);
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

int yaml_only(const struct yaml *yaml, const struct yaml_node *map, const char *const *names,
              size_t count, struct diag *diag)
{
    (void)yaml; /* a map that was merged has keys of two */
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *child = &map->children[i];
        if (is_among(child->key, names, count))
            continue;
        const char *nearest = text_nearest(child->key, names, count);
        return diag_at(diag, ERR_UNKNOWN, child->file, child->key_line, child->key_column,
                       "'%.60s' is not known here%s%s%s", child->key,
                       nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'?" : "");
    }
    return 0;
}
