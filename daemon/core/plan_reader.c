#include "core/plan_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int reader_open(struct plan_reader *reader, struct yaml **yaml, const char *file, const char *text,
                size_t bytes, const struct drivers *drivers, const struct body *body,
                struct diag *diag)
{
    *reader = (struct plan_reader){.drivers = drivers, .body = body, .diag = diag};
    reader->path = text_in(reader->path_bytes, sizeof(reader->path_bytes));
    int code = yaml_parse(yaml, file, text, bytes, diag);
    if (code != 0)
        return code;
    reader->yaml = *yaml;
    if (yaml_root(*yaml) != NULL)
        return 0;
    yaml_destroy(*yaml);
    *yaml = NULL;
    return diag_at(diag, ERR_SYNTAX, file, 1, 1, "there is nothing in it");
}

bool reader_failed(const struct plan_reader *reader)
{
    return reader->diag->code != 0;
}

size_t reader_enter(struct plan_reader *reader, const char *key, int index)
{
    size_t mark = reader->path.length;
    if (index < 0)
        text_add(&reader->path, "%s.", key);
    else
        text_add(&reader->path, "%s[%d].", key, index);
    return mark;
}

void reader_leave(struct plan_reader *reader, size_t mark)
{
    reader->path.length = mark;
    reader->path.cut = false;
    reader->path_bytes[mark] = '\0';
}

void reader_complain(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                     int code, const char *format, ...)
{
    char words[sizeof(reader->diag->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    const char *path = reader->path_bytes;
    size_t length = strlen(path);
    if (*key == '\0' && length > 0) /* the map itself: without the dot behind it */
        yaml_complain(reader->yaml, node, reader->diag, code, "%.*s: %s", (int)length - 1, path,
                      words);
    else if (*key == '\0')
        yaml_complain(reader->yaml, node, reader->diag, code, "%s", words);
    else
        yaml_complain(reader->yaml, node, reader->diag, code, "%s%s: %s", path, key, words);
}

void reader_map(struct plan_reader *reader, const struct yaml_node *map, const char *const *keys,
                size_t count)
{
    if (reader_failed(reader))
        return;
    if (map->kind != YAML_MAP) {
        reader_complain(reader, map, "", ERR_SYNTAX, "expected a map of 'key: value' here");
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *node = &map->children[i];
        size_t known = 0;
        while (known < count && strcmp(keys[known], node->key) != 0)
            known++;
        if (known < count)
            continue;
        const char *nearest = text_nearest(node->key, keys, count);
        reader_complain(reader, node, "", ERR_UNKNOWN, "unknown key '%.60s'%s%s%s", node->key,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : "");
        return;
    }
}

const struct yaml_node *reader_list(struct plan_reader *reader, const struct yaml_node *map,
                                    const char *key, size_t most)
{
    const struct yaml_node *list = reader_failed(reader) ? NULL : yaml_get(map, key);
    if (list == NULL)
        return NULL;
    if (list->kind != YAML_LIST)
        reader_complain(reader, list, key, ERR_SYNTAX, "expected a list");
    else if (list->count > most)
        reader_complain(reader, list, key, ERR_LIMIT, "%zu of them, %zu at most", list->count,
                        most);
    return reader_failed(reader) ? NULL : list;
}

/* Of one scalar; with nothing in it, or no value at all, a complaint. */
static const char *scalar(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                          const char *wanted)
{
    if (reader_failed(reader))
        return NULL;
    if (node->kind == YAML_SCALAR && node->scalar[0] != '\0')
        return node->scalar;
    reader_complain(reader, node, key, ERR_SYNTAX, "expected %s", wanted);
    return NULL;
}

static bool has_control(const char *line)
{
    for (; *line != '\0'; line++)
        if ((unsigned char)*line < ' ' || *line == 0x7f)
            return true;
    return false;
}

void reader_line(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                 bool needed, char *out, size_t bytes)
{
    out[0] = '\0';
    if (reader_failed(reader) || node == NULL)
        return;
    const char *line = node->kind == YAML_SCALAR ? node->scalar : NULL;
    if (line == NULL || strlen(line) >= bytes || has_control(line) || (needed && *line == '\0'))
        reader_complain(reader, node, key, ERR_SYNTAX, "expected one line of %d..%zu bytes",
                        needed ? 1 : 0, bytes - 1);
    else
        memcpy(out, line, strlen(line) + 1);
}

void reader_label(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                  bool needed, char *out, size_t bytes)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, key);
    out[0] = '\0';
    if (reader_failed(reader) || (node == NULL && !needed))
        return;
    if (node == NULL) {
        reader_complain(reader, map, key, ERR_SYNTAX, "is needed");
        return;
    }
    size_t length = node->kind == YAML_SCALAR ? strlen(node->scalar) : 0;
    if (length == 0 && !needed && node->kind == YAML_SCALAR)
        return;
    if (!text_is_label(node->kind == YAML_SCALAR ? node->scalar : "", length) || length >= bytes)
        reader_complain(reader, node, key, ERR_SYNTAX, "expected 1..%zu of A-Z a-z 0-9 _ - .",
                        bytes - 1);
    else
        memcpy(out, node->scalar, length + 1);
}

void reader_duration(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                     int64_t least_ms, int64_t most_ms, int64_t *ms)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, key);
    *ms = 0;
    if (node == NULL)
        return;
    const char *text = scalar(reader, node, key, "a time with its unit, as '5 min'");
    if (text == NULL)
        return;
    if (!text_duration_ms(text, ms))
        reader_complain(reader, node, key, ERR_SYNTAX,
                        "expected a time with its unit, as '5 min', not '%.40s'", text);
    else if (*ms < least_ms || *ms > most_ms)
        reader_complain(reader, node, key, ERR_RANGE, "%lld s .. %lld min, not '%.40s'",
                        (long long)least_ms / 1000, (long long)most_ms / 60000, text);
}

static uint64_t region(struct plan_reader *reader, const struct yaml_node *node)
{
    struct diag complaint = {0};
    const char *name = scalar(reader, node, "regions", "a region of the body");
    if (name == NULL)
        return 0;
    uint64_t set = body_find(reader->body, name, &complaint);
    if (set == 0 && !reader->kept)
        reader_complain(reader, node, "regions", complaint.code, "%s", complaint.text);
    return set;
}

void reader_regions(struct plan_reader *reader, const struct yaml_node *map, uint64_t *set)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, "regions");
    *set = 0;
    if (node == NULL)
        return;
    if (node->kind != YAML_LIST) {
        *set = region(reader, node);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        *set |= region(reader, &node->children[i]);
}

const struct lumbar_metric *reader_metric(struct plan_reader *reader, const struct yaml_node *map,
                                          uint32_t *number)
{
    struct diag complaint = {0};
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, "metric");
    if (reader_failed(reader))
        return NULL;
    if (node == NULL) {
        reader_complain(reader, map, "metric", ERR_SYNTAX, "is needed");
        return NULL;
    }
    const char *name = scalar(reader, node, "metric", "the name of a metric");
    if (name == NULL)
        return NULL;
    int64_t found = drivers_find(reader->drivers, name, &complaint);
    if (found < 0) {
        reader_complain(reader, node, "metric", complaint.code, "%s", complaint.text);
        return NULL;
    }
    const struct lumbar_metric *metric = drivers_metric(reader->drivers, (uint32_t)found, NULL);
    if (metric->labels != NULL) {
        reader_complain(reader, node, "metric", ERR_CONFLICT, "%s is not measured in numbers",
                        metric->name);
        return NULL;
    }
    *number = (uint32_t)found;
    return metric;
}

static const char *written_unit(const struct lumbar_metric *metric)
{
    return strcmp(metric->unit, "1") == 0 ? "" : metric->unit;
}

/* With the digits that writer_value() keeps, so that what is written reads to the same. */
static double as_written(double value)
{
    return rint(value * 1e6) / 1e6;
}

void reader_value(struct plan_reader *reader, const struct yaml_node *node, const char *key,
                  const struct lumbar_metric *metric, double *value)
{
    const char *unit, *wanted = written_unit(metric);
    const char *text = scalar(reader, node, key, "a number with its unit");
    if (text == NULL)
        return;
    if (!text_quantity(text, value, &unit)) {
        reader_complain(reader, node, key, ERR_SYNTAX, "expected a number with the unit %s",
                        metric->unit);
        return;
    }
    *value = as_written(*value);
    char number[40];
    struct text out = text_in(number, sizeof(number));
    if (strcmp(unit, wanted) != 0) {
        text_add_number(&out, *value, 6);
        reader_complain(reader, node, key, ERR_RANGE,
                        "%s is measured in %s: write '%s%s%s', not '%.40s'", metric->name,
                        metric->unit, number, *wanted ? " " : "", wanted, text);
    } else if (!(*value >= metric->min && *value <= metric->max)) {
        text_add_number(&out, metric->min, 6);
        text_add(&out, "..");
        text_add_number(&out, metric->max, 6);
        reader_complain(reader, node, key, ERR_RANGE, "%s is %s %s, never '%.40s'", metric->name,
                        number, metric->unit, text);
    }
}

void reader_share(struct plan_reader *reader, const struct yaml_node *map, const char *key,
                  int least, int most, double *share)
{
    const struct yaml_node *node = reader_failed(reader) ? NULL : yaml_get(map, key);
    const char *unit;
    double percent;
    *share = 0;
    if (node == NULL)
        return;
    const char *text = scalar(reader, node, key, "a share, as '80 %'");
    if (text == NULL)
        return;
    if (!text_quantity(text, &percent, &unit) || strcmp(unit, "%") != 0)
        reader_complain(reader, node, key, ERR_SYNTAX, "expected a share, as '80 %%', not '%.40s'",
                        text);
    else if (!(percent >= least && percent <= most))
        reader_complain(reader, node, key, ERR_RANGE, "%d..%d %%, not '%.40s'", least, most, text);
    else
        *share = as_written(percent) / 100;
}

void writer_regions(struct text *text, const struct body *body, uint64_t set)
{
    const char *between = "";
    text_add(text, "[");
    for (uint32_t i = 0; i < body->count; i++) {
        if ((set >> i & 1) == 0)
            continue;
        text_add(text, "%s\"%s\"", between, body->regions[i]);
        between = ", ";
    }
    text_add(text, "]");
}

void writer_metric(struct text *text, const struct drivers *drivers, uint32_t number)
{
    const struct driver *driver;
    const struct lumbar_metric *metric = drivers_metric(drivers, number, &driver);
    if (drivers_find(drivers, metric->name, NULL) == number)
        text_add(text, "\"%s\"", metric->name);
    else
        text_add(text, "\"%s/%s\"", driver->plugin->kind, metric->name);
}

void writer_value(struct text *text, const struct lumbar_metric *metric, double value)
{
    const char *unit = written_unit(metric);
    text_add(text, "\"");
    text_add_number(text, value, 6);
    text_add(text, "%s%s\"", *unit ? " " : "", unit);
}
