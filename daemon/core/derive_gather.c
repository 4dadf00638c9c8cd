/* What is gathered of a metric: when it counts, and what for. */
#include <math.h>
#include <string.h>

#include "core/derive_reading.h"

#define HOUR_MS     3600000
#define FULL_MAX_MS (INT64_C(24) * HOUR_MS)

static const struct {
    const char *name;
    double ms;
    uint32_t decimals;
    double most; /* of a time, where nothing else is said: a day */
} time_units[] = {{"min", 60000, 1, 1440}, {"s", 1000, 0, 86400}, {"h", HOUR_MS, 2, 24}};

static void read_value(struct reading *reading, const char *key, double *value)
{
    reader_value(&reading->reader, yaml_get(reading->inner, key), key, reading->source, value);
}

static void read_label(struct reading *reading)
{
    const struct yaml_node *node = yaml_get(reading->inner, "is");
    const char *const *labels = reading->source->labels;
    char label[LUMBAR_NAME_MAX + 1];
    size_t count = 0;
    if (labels == NULL) {
        COMPLAIN(reading, node, "is", ERR_CONFLICT, "%s has no labels", reading->source->name);
        return;
    }
    reader_line(&reading->reader, node, "is", true, label, sizeof(label));
    for (; labels[count] != NULL; count++)
        if (strcmp(labels[count], label) == 0) {
            reading->of->low = (double)count;
            return;
        }
    const char *nearest = text_nearest(label, labels, count);
    COMPLAIN(reading, node, "is", ERR_UNKNOWN, "%s is never '%s'; %s '%s'%s", reading->source->name,
             label, nearest ? "did you mean" : "it can be", nearest ? nearest : labels[0],
             nearest ? "?" : ", for one");
}

static void read_pair(struct reading *reading, const char *key)
{
    const struct yaml_node *node = yaml_get(reading->inner, key);
    const struct lumbar_metric *source = reading->source;
    if (node->kind != YAML_LIST || node->count != 2) {
        COMPLAIN(reading, node, key, ERR_SYNTAX, "expected two values, as [10 %s, 20 %s]",
                 source->unit, source->unit);
        return;
    }
    reader_value(&reading->reader, &node->children[0], key, source, &reading->of->low);
    reader_value(&reading->reader, &node->children[1], key, source, &reading->of->high);
    if (reading->of->low >= reading->of->high)
        COMPLAIN(reading, node, key, ERR_RANGE, "the lower value comes first");
}

/* A number with the source's unit, which is no place within its range. */
static void read_width(struct reading *reading, const char *key, double least, double *value)
{
    struct lumbar_metric width = *reading->source;
    const struct yaml_node *node = yaml_get(reading->inner, key);
    width.min = 0;
    width.max = DERIVE_MOST;
    if (node != NULL)
        reader_value(&reading->reader, node, key, &width, value);
    if (node != NULL && !reader_failed(&reading->reader) && *value < least)
        COMPLAIN(reading, node, key, ERR_RANGE, "has to be more than that");
}

/* above, below, within, outside or is; where an excursion is over lies `deadband` on its good side.
 */
static void read_zone(struct reading *reading)
{
    static const char *const keys[] = {"above", "below", "within", "outside", "is", "deadband"};
    struct derivation *of = reading->of;
    size_t zones = 0, zone = 0;
    double band = 0;
    reader_map(&reading->reader, reading->inner, keys, COUNT(keys));
    for (size_t i = 0; i < COUNT(keys) - 1 && !reader_failed(&reading->reader); i++)
        if (yaml_get(reading->inner, keys[i]) != NULL) {
            zones++;
            zone = i;
        }
    if (!reader_failed(&reading->reader) && zones != 1)
        COMPLAIN(reading, reading->inner, "", ERR_SYNTAX,
                 "expected one of above, below, within, outside and is");
    if (reader_failed(&reading->reader))
        return;
    of->zone = (enum derive_zone)zone;
    if (of->zone == ZONE_IS) {
        read_label(reading);
    } else if (reading->source->labels != NULL) {
        COMPLAIN(reading, reading->inner, keys[zone], ERR_CONFLICT, "%s is not measured in numbers",
                 reading->source->name);
    } else if (of->zone == ZONE_ABOVE) {
        read_value(reading, "above", &of->high);
    } else if (of->zone == ZONE_BELOW) {
        read_value(reading, "below", &of->low);
    } else {
        read_pair(reading, keys[zone]);
    }
    if (reader_failed(&reading->reader))
        return;
    if (of->zone == ZONE_IS || of->what != DERIVE_COUNT) {
        if (yaml_get(reading->inner, "deadband") != NULL)
            COMPLAIN(reading, yaml_get(reading->inner, "deadband"), "deadband", ERR_CONFLICT,
                     "only a count of values has one");
        return;
    }
    read_width(reading, "deadband", 0, &band);
    of->clear_low = of->zone == ZONE_WITHIN ? of->low - band : of->low + band;
    of->clear_high = of->zone == ZONE_WITHIN ? of->high + band : of->high - band;
}

/* ---- How it is measured ---- */

/* In time: alone, or behind the unit of what is gathered over it. */
static void read_time_unit(struct reading *reading, const char *unit)
{
    const char *names[COUNT(time_units)];
    for (size_t i = 0; i < COUNT(time_units); i++)
        names[i] = time_units[i].name;
    size_t which = derive_read_word(reading, "unit", names, COUNT(names));
    struct derivation *of = reading->of;
    struct text text = text_in(of->unit, sizeof(of->unit));
    text_add(&text, "%s%s%s", unit, *unit != '\0' ? "." : "", names[which]);
    of->per_ms = 1 / time_units[which].ms;
    of->metric.decimals = time_units[which].decimals;
    of->metric.max = time_units[which].most;
}

void derive_read_time(struct reading *reading)
{
    read_zone(reading);
    read_time_unit(reading, "");
    if (reading->of->event)
        COMPLAIN(reading, reading->inner, "", ERR_CONFLICT, "%s is an event, which does not last",
                 reading->source->name);
}

void derive_read_count(struct reading *reading)
{
    read_zone(reading);
    derive_refuse(reading, "unit", "a count has none");
    memcpy(reading->of->unit, "1", 2);
    reading->of->metric.max = METRIC_NONE - 1; /* so that a step is one */
}

/* What doubles with each so many units: after `full` at the value `at` it is 100 %. */
static void read_doubling(struct reading *reading)
{
    static const char *const needed[] = {"full", "at", "doubles"};
    struct derivation *of = reading->of;
    int64_t full_ms = 0;
    for (size_t i = 0; i < COUNT(needed); i++)
        if (yaml_get(reading->inner, needed[i]) == NULL)
            COMPLAIN(reading, reading->inner, needed[i], ERR_SYNTAX,
                     "is needed (or 'above': what lies above it counts)");
    if (reader_failed(&reading->reader))
        return;
    derive_refuse(reading, "unit", "a dose of the whole is in %");
    reader_duration(&reading->reader, reading->inner, "full", 1000, FULL_MAX_MS, &full_ms);
    read_width(reading, "doubles", 1e-3, &of->doubles);
    read_value(reading, "at", &of->at);
    of->from = reading->source->min;
    if (yaml_get(reading->inner, "from") != NULL)
        read_value(reading, "from", &of->from);
    memcpy(of->unit, "%", 2);
    of->per_ms = 100 / (double)full_ms;
    of->metric.decimals = 1;
    of->metric.max = 200;
}

void derive_read_dose(struct reading *reading)
{
    static const char *const keys[] = {"above", "full", "at", "doubles", "from"};
    static const char *const above[] = {"above"};
    const char *unit = reading->source->unit;
    reader_map(&reading->reader, reading->inner, keys, COUNT(keys));
    if (reader_failed(&reading->reader))
        return;
    if (reading->source->kind != LUMBAR_GAUGE) {
        COMPLAIN(reading, reading->inner, "", ERR_CONFLICT, "%s is not measured",
                 reading->source->name);
        return;
    }
    if (yaml_get(reading->inner, "above") == NULL) {
        read_doubling(reading);
        return;
    }
    reader_map(&reading->reader, reading->inner, above, COUNT(above));
    read_value(reading, "above", &reading->of->from);
    read_time_unit(reading, strcmp(unit, "1") == 0 ? "" : unit);
    if (yaml_get(reading->map, "max") == NULL)
        COMPLAIN(reading, reading->map, "max", ERR_SYNTAX, "is needed: the most that is told of");
}
