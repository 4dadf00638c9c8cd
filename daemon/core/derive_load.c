/* Derived metrics from YAML: everything that can be wrong with one is said here, with its place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/derive_reading.h"

/* ---- Names ---- */

static bool is_taken(const struct reading *reading, uint32_t driver, const char *name)
{
    const struct driver *of = &reading->reader.drivers->list[driver];
    for (uint32_t i = 0; i < of->plugin->metric_count; i++)
        if (strcmp(of->metrics[i].name, name) == 0)
            return true;
    for (uint32_t i = 0; i < reading->count; i++)
        if (reading->list[i].driver == driver && strcmp(reading->list[i].name, name) == 0)
            return true;
    return false;
}

static void read_names(struct reading *reading)
{
    const struct yaml_node *name = yaml_get(reading->map, "name");
    struct derivation *of = reading->of;
    if (name == NULL) {
        COMPLAIN(reading, reading->map, "name", ERR_SYNTAX, "is needed");
        return;
    }
    reader_line(&reading->reader, name, "name", true, of->name, sizeof(of->name));
    if (!text_is_name(of->name, strlen(of->name)))
        COMPLAIN(reading, name, "name", ERR_SYNTAX, "expected a letter and up to %d of a-z 0-9 _",
                 LUMBAR_NAME_MAX - 1);
    reader_line(&reading->reader, yaml_get(reading->map, "title"), "title", true, of->title,
                sizeof(of->title));
    if (of->title[0] == '\0')
        memcpy(of->title, of->name, sizeof(of->name));
}

/* One of these words, which stands under the key; the first where it is not set. */
static size_t pick_word(struct reading *reading, const struct yaml_node *node, const char *key,
                        const char *const *words, size_t count)
{
    char word[32];
    reader_line(&reading->reader, node, key, true, word, sizeof(word));
    if (node == NULL || reader_failed(&reading->reader))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    const char *nearest = text_nearest(word, words, count);
    COMPLAIN(reading, node, key, ERR_UNKNOWN, "no '%s' here; %s '%s'%s", word,
             nearest ? "did you mean" : "it can be", nearest ? nearest : words[0],
             nearest ? "?" : ", for one");
    return 0;
}

size_t derive_read_word(struct reading *reading, const char *key, const char *const *words,
                        size_t count)
{
    return pick_word(reading, yaml_get(reading->map, key), key, words, count);
}

/* The key stands where it says nothing. */
void derive_refuse(struct reading *reading, const char *key, const char *why)
{
    const struct yaml_node *node = yaml_get(reading->map, key);
    if (node != NULL)
        COMPLAIN(reading, node, key, ERR_CONFLICT, "%s", why);
}

/* ---- What it is made of ---- */

static void read_source(struct reading *reading)
{
    const struct drivers *drivers = reading->reader.drivers;
    const struct yaml_node *node = yaml_get(reading->map, "metric");
    const struct driver *driver;
    char name[2 * LUMBAR_NAME_MAX + 2];
    struct diag complaint = {0};
    if (node == NULL) {
        COMPLAIN(reading, reading->map, "metric", ERR_SYNTAX, "is needed");
        return;
    }
    reader_line(&reading->reader, node, "metric", true, name, sizeof(name));
    if (reader_failed(&reading->reader))
        return;
    int64_t found = drivers_find(drivers, name, &complaint);
    if (found < 0) {
        COMPLAIN(reading, node, "metric", complaint.code, "%s", complaint.text);
        return;
    }
    reading->source = drivers_metric(drivers, (uint32_t)found, &driver);
    reading->of->driver = driver->index;
    reading->of->source = (uint32_t)found - driver->first_metric;
    reading->of->event = reading->source->kind == LUMBAR_EVENT;
    reading->of->holds_ms = metric_stale_ms(reading->source);
    if (reading->of->source >= driver->plugin->metric_count)
        COMPLAIN(reading, node, "metric", ERR_CONFLICT, "%s is derived itself", name);
}

/* ---- Health ---- */

static const struct {
    const char *name, *unit;
    double min, max;
    uint32_t decimals;
} healths[] = {
    {"loss", "%", 0, 100, 1},
    {"clock_skew", "s", -86400, 86400, 0},
    {"refused", "1", 0, METRIC_NONE - 1, 0}, /* messages in the last minute */
};

static void read_health(struct reading *reading)
{
    const char *names[COUNT(healths)];
    struct derivation *of = reading->of;
    for (size_t i = 0; i < COUNT(healths); i++)
        names[i] = healths[i].name;
    size_t which = derive_read_word(reading, "health", names, COUNT(names));
    derive_refuse(reading, "metric", "health is of the device, not of a metric");
    derive_refuse(reading, "unit", "this has its own");
    derive_refuse(reading, "max", "this has its own");
    derive_refuse(reading, "reset", "this is of the last minute");
    of->what = (enum derive_what)(DERIVE_HEALTH + which);
    memcpy(of->unit, healths[which].unit, strlen(healths[which].unit) + 1);
    of->metric = (struct lumbar_metric){.kind = LUMBAR_GAUGE,
                                        .flags = LUMBAR_HEALTH,
                                        .min = healths[which].min,
                                        .max = healths[which].max,
                                        .decimals = healths[which].decimals,
                                        .period_ms = 2 * HEALTH_EACH_MS};
}

/* ---- One, all of a file, all files ---- */

/* Keeps what was read, as a metric of this driver. */
static void keep(struct reading *reading, uint32_t driver)
{
    uint32_t of_driver = 0;
    if (reader_failed(&reading->reader))
        return;
    for (uint32_t i = 0; i < reading->count; i++)
        of_driver += reading->list[i].driver == driver;
    const char *kind = reading->reader.drivers->list[driver].plugin->kind;
    struct derivation *more = realloc(reading->list, (reading->count + 1) * sizeof(*reading->list));
    if (more != NULL)
        reading->list = more;
    if (more == NULL)
        COMPLAIN(reading, reading->map, "", ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    else if (is_taken(reading, driver, reading->of->name))
        COMPLAIN(reading, yaml_get(reading->map, "name"), "name", ERR_CONFLICT,
                 "%s has a metric %s already", kind, reading->of->name);
    else if (of_driver == DERIVE_MAX)
        COMPLAIN(reading, reading->map, "", ERR_LIMIT, "more than %d metrics are derived for %s",
                 DERIVE_MAX, kind);
    else {
        reading->list[reading->count] = *reading->of;
        reading->list[reading->count++].driver = driver;
    }
}

/* Of one kind of device, or of all. */
static void keep_health(struct reading *reading)
{
    const struct drivers *drivers = reading->reader.drivers;
    const char *kinds[DRIVERS_MAX];
    for (uint32_t i = 0; i < drivers->count; i++)
        kinds[i] = drivers->list[i].plugin->kind;
    if (yaml_get(reading->map, "of") != NULL) {
        size_t driver = derive_read_word(reading, "of", kinds, drivers->count);
        keep(reading, (uint32_t)driver);
        return;
    }
    for (uint32_t i = 0; i < drivers->count; i++)
        keep(reading, i);
}

/* Kinds of phases in which it is what matters most. */
static void read_phases(struct reading *reading)
{
    const struct yaml_node *node = yaml_get(reading->map, "phases");
    const char *kinds[PLAN_KINDS];
    for (uint32_t i = 0; i < PLAN_KINDS; i++)
        kinds[i] = plan_kind_name((enum plan_kind)i);
    if (node != NULL && node->kind != YAML_LIST)
        COMPLAIN(reading, node, "phases", ERR_SYNTAX, "expected a list, as [exercise]");
    for (size_t i = 0; node != NULL && i < node->count; i++)
        reading->of->metric.phases |=
            1u << pick_word(reading, &node->children[i], "phases", kinds, PLAN_KINDS);
}

static void read_flags(struct reading *reading)
{
    static const char *const resets[] = {"never", "session", "phase"};
    static const char *const keys[] = {"false", "true"};
    struct derivation *of = reading->of;
    of->reset = (enum derive_reset)derive_read_word(reading, "reset", resets, COUNT(resets));
    if (derive_read_word(reading, "key", keys, COUNT(keys)) == 1)
        of->metric.flags |= LUMBAR_KEY;
    read_phases(reading);
}

/* What is gathered: it only grows, and starts again at 0. */
static void read_gathered(struct reading *reading, enum derive_what what)
{
    static void (*const reads[])(struct reading *) = {derive_read_time, derive_read_count,
                                                      derive_read_dose};
    struct derivation *of = reading->of;
    double most = 0;
    read_source(reading);
    derive_refuse(reading, "of", "the metric says whose it is");
    if (reader_failed(&reading->reader))
        return;
    of->what = what;
    of->metric =
        (struct lumbar_metric){.kind = LUMBAR_COUNTER, .period_ms = reading->source->period_ms};
    reads[what](reading);
    if (reader_failed(&reading->reader) || yaml_get(reading->map, "max") == NULL)
        return;
    struct lumbar_metric as = {.name = of->name, .unit = of->unit, .max = DERIVE_MOST};
    reader_value(&reading->reader, yaml_get(reading->map, "max"), "max", &as, &most);
    of->metric.max = most;
    if (!reader_failed(&reading->reader) && most <= 0)
        COMPLAIN(reading, yaml_get(reading->map, "max"), "max", ERR_RANGE, "has to be above 0");
}

static void read_one(struct reading *reading)
{
    static const char *const keys[] = {"name",  "title", "metric", "of",   "time",
                                       "count", "dose",  "health", "unit", "max",
                                       "reset", "key",   "phases"};
    static const char *const kinds[] = {"time", "count", "dose", "health"};
    size_t given = 0, kind = 0;
    reader_map(&reading->reader, reading->map, keys, COUNT(keys));
    if (reader_failed(&reading->reader))
        return;
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (yaml_get(reading->map, kinds[i]) != NULL) {
            given++;
            kind = i;
        }
    if (given != 1) {
        COMPLAIN(reading, reading->map, "", ERR_SYNTAX,
                 "expected one of time, count, dose and health");
        return;
    }
    read_names(reading);
    reading->inner = yaml_get(reading->map, kinds[kind]);
    if (reader_failed(&reading->reader))
        return;
    if (kind == COUNT(kinds) - 1)
        read_health(reading);
    else
        read_gathered(reading, (enum derive_what)kind);
    read_flags(reading);
    if (derive_is_health(reading->of))
        keep_health(reading);
    else
        keep(reading, reading->of->driver);
}

static int read_file(struct reading *reading, const struct rules_text *file)
{
    struct yaml *yaml = NULL;
    struct diag *diag = reading->reader.diag;
    int code = yaml_parse(&yaml, file->file, file->text, file->bytes, diag);
    if (code != 0)
        return code;
    struct plan_reader *reader = &reading->reader;
    const struct yaml_node *root = yaml_root(yaml);
    reader->yaml = yaml;
    reader->path = text_in(reader->path_bytes, sizeof(reader->path_bytes));
    /* What else is wrong with the file, its rules say. */
    const struct yaml_node *list = NULL;
    if (root != NULL && root->kind == YAML_MAP)
        list = reader_list(reader, root, "derived", (size_t)DERIVE_MAX * DRIVERS_MAX);
    for (size_t i = 0; list != NULL && i < list->count && !reader_failed(reader); i++) {
        struct derivation of = {
            .file = file->file, .line = list->children[i].line, .column = list->children[i].column};
        size_t mark = reader_enter(reader, "derived", (int)i);
        reading->map = &list->children[i];
        reading->of = &of;
        read_one(reading);
        reader_leave(reader, mark);
    }
    yaml_destroy(yaml);
    return diag->code;
}

/* The derivations of all files, in their order. */
static int read_files(struct reading *reading, const struct rules_text *files, size_t count,
                      const struct drivers *drivers, struct diag *diag)
{
    *reading = (struct reading){.reader = {.drivers = drivers, .diag = diag}};
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        code = files[i].changes ? 0 : read_file(reading, &files[i]);
    if (code != 0) {
        free(reading->list);
        reading->list = NULL;
    }
    return code;
}

/* ---- All of them ---- */

/* Sorts them by driver and makes each a metric of it. */
static int extend(struct derive *derive, const struct reading *reading, struct drivers *drivers,
                  struct diag *diag)
{
    int code = 0;
    for (uint32_t d = 0; d < DRIVERS_MAX; d++) {
        derive->first[d] = derive->count;
        for (uint32_t i = 0; i < reading->count && code == 0; i++) {
            struct derivation *of = &derive->list[derive->count];
            if (reading->list[i].driver != d)
                continue;
            *of = reading->list[i];
            of->file = NULL; /* the files' text goes */
            of->metric.name = of->name;
            of->metric.title = of->title;
            of->metric.unit = of->unit;
            of->index = drivers->list[d].metric_count;
            derive->has_health[d] = derive->has_health[d] || derive_is_health(of);
            derive->count++;
            code = drivers_extend(drivers, d, &of->metric, diag);
        }
        uint32_t width = derive->count - derive->first[d];
        derive->width = width > derive->width ? width : derive->width;
    }
    derive->first[DRIVERS_MAX] = derive->count;
    return code;
}

static bool reserve(struct derive *derive, uint32_t max_devices)
{
    bool health = false;
    for (uint32_t d = 0; d < DRIVERS_MAX; d++)
        health = health || derive->has_health[d];
    derive->max_devices = max_devices;
    derive->derived = calloc((size_t)max_devices * derive->width + 1, sizeof(*derive->derived));
    derive->news = calloc((size_t)max_devices + 1, sizeof(*derive->news));
    if (health)
        derive->health = calloc((size_t)max_devices + 1, sizeof(*derive->health));
    return derive->derived != NULL && derive->news != NULL && (derive->health != NULL || !health);
}

int derive_load(struct derive **out, const struct rules_text *files, size_t count,
                struct drivers *drivers, uint32_t max_devices, struct diag *diag)
{
    struct reading reading;
    *out = NULL;
    int code = read_files(&reading, files, count, drivers, diag);
    if (code != 0)
        return code;
    struct derive *derive = calloc(1, sizeof(*derive));
    if (derive != NULL)
        derive->list = calloc(reading.count + 1, sizeof(*derive->list));
    if (derive == NULL || derive->list == NULL)
        code = diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    if (code == 0)
        code = extend(derive, &reading, drivers, diag);
    if (code == 0 && !reserve(derive, max_devices))
        code = diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    free(reading.list);
    if (code != 0) {
        derive_destroy(derive);
        return code;
    }
    *out = derive;
    return 0;
}

static bool is_same(const struct derivation *a, const struct derivation *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->title, b->title) == 0 &&
           strcmp(a->unit, b->unit) == 0 && a->driver == b->driver && a->source == b->source &&
           a->metric.max == b->metric.max && a->metric.flags == b->metric.flags &&
           a->what == b->what && a->reset == b->reset && a->zone == b->zone && a->low == b->low &&
           a->high == b->high && a->clear_low == b->clear_low && a->clear_high == b->clear_high &&
           a->at == b->at && a->doubles == b->doubles && a->from == b->from &&
           a->per_ms == b->per_ms;
}

int derive_check(const struct derive *derive, const struct rules_text *files, size_t count,
                 const struct drivers *drivers, struct diag *diag)
{
    struct reading reading;
    int code = read_files(&reading, files, count, drivers, diag);
    if (code != 0)
        return code;
    for (uint32_t i = 0; i < reading.count && code == 0; i++) {
        const struct derivation *of = &reading.list[i];
        bool known = false;
        for (uint32_t k = derive->first[of->driver]; k < derive->first[of->driver + 1]; k++)
            known = known || is_same(of, &derive->list[k]);
        if (!known)
            code = diag_at(diag, ERR_RESTART, of->file, of->line, of->column,
                           "%s is derived anew, or in another way: that needs a restart", of->name);
    }
    if (code == 0 && reading.count != derive->count)
        code = diag_set(diag, ERR_RESTART,
                        "%u metrics are derived now, and %u by the files: that needs a restart",
                        derive->count, reading.count);
    free(reading.list);
    return code;
}
