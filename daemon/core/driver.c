#include "core/driver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/topic.h"

/* Behind the plugin's arena, where no plugin writes: the series as they were checked, and copies of
 * those values that had to be mended. Nothing that was checked lies where it could be changed by
 * mending something else, however the plugin's arrays overlap. */
struct mended {
    struct lumbar_series series[LUMBAR_METRICS_MAX];
    struct extent extents[LUMBAR_METRICS_MAX];
    double values[DRIVER_VALUES_MAX];
};

#define FRESH_STATE_OFFSET ((DRIVER_ARENA_BYTES + sizeof(struct mended) + 15) & ~(size_t)15)

_Static_assert(DRIVER_ARENA_BYTES % sizeof(double) == 0, "struct mended stands behind the arena");
_Static_assert(sizeof(struct lumbar_series) == 24, "counted in words of 8 bytes");

void drivers_init(struct drivers *drivers)
{
    *drivers = (struct drivers){.count = 0};
    drivers->arena = malloc(FRESH_STATE_OFFSET + DRIVER_STATE_MAX_BYTES);
    if (drivers->arena == NULL)
        abort();
}

void drivers_fini(struct drivers *drivers)
{
    for (uint32_t i = 0; i < drivers->count; i++)
        free(drivers->list[i].extended);
    free(drivers->arena);
    *drivers = (struct drivers){.count = 0};
}

/* Each topic on which a kind's devices speak or are told something: the leaves, and `ack` where the
 * pattern has room for it. Begin with 0; false: there are no more. */
static bool next_filter(const struct lumbar_plugin *plugin, uint32_t *at,
                        char filter[TOPIC_MAX_BYTES + 1])
{
    if (*at > 0 && plugin->leaves[*at - 1] == NULL)
        return false;
    const char *leaf = plugin->leaves[(*at)++];
    return topic_filter(plugin->topic, leaf != NULL ? leaf : TOPIC_ACK_LEAF, filter,
                        TOPIC_MAX_BYTES + 1) > 0;
}

static int check_apart(const struct lumbar_plugin *plugin, const struct lumbar_plugin *other,
                       struct diag *diag)
{
    char filter[TOPIC_MAX_BYTES + 1], others[TOPIC_MAX_BYTES + 1];
    for (uint32_t i = 0; next_filter(plugin, &i, filter);)
        for (uint32_t j = 0; next_filter(other, &j, others);)
            if (topic_filters_meet(filter, others))
                return diag_set(diag, ERR_PLUGIN, "the topic %s of plugin %s meets %s of plugin %s",
                                filter, plugin->kind, others, other->kind);
    return 0;
}

static uint32_t count_leaves(const struct lumbar_plugin *plugin)
{
    uint32_t count = 0;
    while (plugin->leaves[count] != NULL)
        count++;
    return count;
}

int drivers_add(struct drivers *drivers, const struct lumbar_plugin *plugin, struct diag *diag)
{
    for (uint32_t i = 0; i < drivers->count; i++)
        if (strcmp(drivers->list[i].plugin->kind, plugin->kind) == 0)
            return diag_set(
                diag, ERR_PLUGIN, "a plugin of kind %s is there already (\"%s\", version %s)",
                plugin->kind, drivers->list[i].plugin->title, drivers->list[i].plugin->version);
    if (drivers->count == DRIVERS_MAX)
        return diag_set(diag, ERR_FULL, "there are %d plugins already, which is the most",
                        DRIVERS_MAX);
    for (uint32_t i = 0; i < drivers->count; i++) {
        int code = check_apart(plugin, drivers->list[i].plugin, diag);
        if (code != 0)
            return code;
    }
    uint32_t leaves = count_leaves(plugin);
    if (drivers->filter_count + leaves > DRIVERS_FILTERS_MAX)
        return diag_set(diag, ERR_FULL,
                        "the %u leaves of plugin %s would make more than %d subscriptions", leaves,
                        plugin->kind, DRIVERS_FILTERS_MAX);
    drivers->list[drivers->count] = (struct driver){
        .plugin = plugin,
        .index = drivers->count,
        .first_metric = drivers->metric_count,
        .metric_count = plugin->metric_count,
        .metrics = plugin->metrics,
    };
    drivers->count++;
    drivers->metric_count += plugin->metric_count;
    drivers->filter_count += leaves;
    return 0;
}

static int64_t find_in(const struct driver *driver, const char *name)
{
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (strcmp(driver->metrics[i].name, name) == 0)
            return driver->first_metric + i;
    return -1;
}

int drivers_extend(struct drivers *drivers, uint32_t index, const struct lumbar_metric *metric,
                   struct diag *diag)
{
    struct driver *driver = &drivers->list[index];
    if (find_in(driver, metric->name) >= 0)
        return diag_set(diag, ERR_CONFLICT, "%s has a metric %s already", driver->plugin->kind,
                        metric->name);
    if (driver->metric_count == DRIVER_METRICS_MAX)
        return diag_set(diag, ERR_LIMIT, "%s would have more than %d metrics", driver->plugin->kind,
                        DRIVER_METRICS_MAX);
    uint32_t count = driver->metric_count + 1;
    struct lumbar_metric *metrics = realloc(driver->extended, count * sizeof(*metrics));
    if (metrics == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    if (driver->extended == NULL)
        memcpy(metrics, driver->plugin->metrics, driver->metric_count * sizeof(*metrics));
    metrics[count - 1] = *metric;
    driver->metrics = driver->extended = metrics;
    driver->metric_count = count;
    drivers->metric_count++;
    for (uint32_t i = index + 1; i < drivers->count; i++)
        drivers->list[i].first_metric++;
    return 0;
}

/* The plugin's own string of the leaf, which is terminated; NULL if it does not hear it. */
static const char *heard_leaf(const struct lumbar_plugin *plugin, const struct topic *topic)
{
    for (const char *const *leaf = plugin->leaves; *leaf != NULL; leaf++)
        if (strlen(*leaf) == topic->leaf_bytes &&
            memcmp(*leaf, topic->leaf, topic->leaf_bytes) == 0)
            return *leaf;
    return NULL;
}

const struct driver *drivers_match(const struct drivers *drivers, const char *topic,
                                   size_t topic_bytes, struct topic *parsed)
{
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct driver *driver = &drivers->list[i];
        if (!topic_parse(driver->plugin->topic, topic, topic_bytes, parsed))
            continue;
        const char *leaf = heard_leaf(driver->plugin, parsed);
        if (leaf != NULL) {
            parsed->leaf = leaf;
            return driver;
        }
    }
    return NULL;
}

const struct lumbar_metric *drivers_metric(const struct drivers *drivers, uint32_t metric,
                                           const struct driver **driver)
{
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct driver *each = &drivers->list[i];
        if (metric - each->first_metric < each->metric_count) {
            if (driver != NULL)
                *driver = each;
            return &each->metrics[metric - each->first_metric];
        }
    }
    return NULL;
}

/* Complains that `name` is no `what`, proposing the nearest. */
static int64_t unknown(const char *what, const char *name, const char *const *names, size_t count,
                       struct diag *diag)
{
    const char *nearest = text_nearest(name, names, count);
    if (nearest != NULL)
        diag_set(diag, ERR_UNKNOWN, "there is no %s \"%s\"; did you mean \"%s\"?", what, name,
                 nearest);
    else
        diag_set(diag, ERR_UNKNOWN, "there is no %s \"%s\"", what, name);
    return -1;
}

static size_t metric_names(const struct driver *driver, const char **names)
{
    for (uint32_t i = 0; i < driver->metric_count; i++)
        names[i] = driver->metrics[i].name;
    return driver->metric_count;
}

static int64_t find_of_kind(const struct drivers *drivers, const char *name, const char *slash,
                            struct diag *diag)
{
    const char *names[DRIVER_METRICS_MAX + DRIVERS_MAX];
    size_t bytes = (size_t)(slash - name);
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct driver *driver = &drivers->list[i];
        const char *kind = driver->plugin->kind;
        names[i] = kind;
        if (strlen(kind) != bytes || memcmp(kind, name, bytes) != 0)
            continue;
        int64_t metric = find_in(driver, slash + 1);
        if (metric >= 0)
            return metric;
        char what[LUMBAR_NAME_MAX + 16];
        struct text text = text_in(what, sizeof(what));
        text_add(&text, "%s metric", kind);
        return unknown(what, slash + 1, names, metric_names(driver, names), diag);
    }
    char kind[LUMBAR_NAME_MAX + 1];
    struct text text = text_in(kind, sizeof(kind));
    text_add(&text, "%.*s", (int)(bytes < sizeof(kind) ? bytes : sizeof(kind)), name);
    return unknown("kind of device", kind, names, drivers->count, diag);
}

int64_t drivers_find(const struct drivers *drivers, const char *name, struct diag *diag)
{
    const char *slash = strchr(name, '/');
    if (slash != NULL)
        return find_of_kind(drivers, name, slash, diag);
    const char *names[DRIVERS_MAX * DRIVER_METRICS_MAX];
    size_t count = 0;
    int64_t found = -1;
    const char *found_kind = NULL;
    for (uint32_t i = 0; i < drivers->count; i++) {
        const struct driver *driver = &drivers->list[i];
        int64_t metric = find_in(driver, name);
        count += metric_names(driver, names + count);
        if (metric < 0)
            continue;
        const char *kind = driver->plugin->kind;
        if (found >= 0) {
            diag_set(diag, ERR_CONFLICT,
                     "\"%s\" is a metric of two kinds of device: say %s/%s or %s/%s", name,
                     found_kind, name, kind, name);
            return -1;
        }
        found = metric;
        found_kind = kind;
    }
    return found >= 0 ? found : unknown("metric", name, names, count, diag);
}

int64_t metric_stale_ms(const struct lumbar_metric *metric)
{
    int64_t stale_ms = (int64_t)metric->period_ms * DRIVER_STALE_PERIODS;
    if (metric->period_ms == 0)
        return 0;
    return stale_ms > DRIVER_STALE_MIN_MS ? stale_ms : DRIVER_STALE_MIN_MS;
}

int64_t metric_offline_ms(const struct lumbar_metric *metric)
{
    int64_t offline_ms = (int64_t)metric->period_ms * DRIVER_OFFLINE_PERIODS;
    int64_t stale_ms = metric_stale_ms(metric);
    return offline_ms > stale_ms ? offline_ms : stale_ms;
}

void unit_write(struct text *out, const char *ucum)
{
    static const struct {
        const char *ucum, *shown;
    } units[] = {{"Cel", " °C"}, {"deg", "°"}, {"deg/s", "°/s"}, {"1", ""}, {"dB{mW}", " dBm"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(ucum, units[i].ucum) == 0) {
            text_add(out, "%s", units[i].shown);
            return;
        }
    text_add(out, " ");
    for (const char *at = ucum; *at != '\0'; at++)
        if (*at == '.')
            text_add(out, "·");
        else
            text_add(out, "%c", *at);
}

double metric_step(const struct lumbar_metric *metric)
{
    if (metric->labels != NULL)
        return 1;
    return (metric->max - metric->min) / (METRIC_NONE - 1);
}

uint16_t metric_quantise(const struct lumbar_metric *metric, double value)
{
    if (!(value >= metric->min && value <= metric->max)) /* NaN is neither */
        return METRIC_NONE;
    return (uint16_t)((value - metric->min) / metric_step(metric) + 0.5);
}

double metric_value(const struct lumbar_metric *metric, uint16_t quantised)
{
    if (quantised == METRIC_NONE)
        return NAN;
    return metric->min + quantised * metric_step(metric);
}

/* Is this an array of `count` numbers of 8 bytes in the arena? count is at most DRIVER_VALUES_MAX.
 */
static inline bool in_arena(const unsigned char *arena, const void *array, size_t count)
{
    uintptr_t offset = (uintptr_t)array - (uintptr_t)arena;
    return offset % 8 == 0 && offset <= DRIVER_ARENA_BYTES &&
           count * 8 <= DRIVER_ARENA_BYTES - offset;
}

static bool times_are_sane(const int64_t *time_ms, uint32_t count)
{
    int64_t before = -DRIVER_TIME_MAX_MS;
    for (uint32_t i = 0; i < count; i++) {
        if (time_ms[i] < before)
            return false;
        before = time_ms[i];
    }
    return before <= DRIVER_TIME_MAX_MS;
}

static bool is_sane(const struct lumbar_metric *metric, double value)
{
    if (!(value >= metric->min && value <= metric->max))
        return false;
    return metric->labels == NULL || value == (double)(uint32_t)value;
}

/* Are all values what the sensor can say? Nearly always they are; NaN is mended into itself. */
static bool all_sane(const struct lumbar_metric *metric, const struct lumbar_series *series,
                     const struct extent *extent)
{
    if (!extent->known || extent->min < metric->min || extent->max > metric->max)
        return false;
    for (uint32_t i = 0; metric->labels != NULL && i < series->count; i++)
        if (series->value[i] != (double)(int32_t)series->value[i])
            return false;
    return true;
}

/* Gives the series a copy of its values in which the insane ones are NaN; returns how many there
 * were. NaN is not one of them: the sensor said nothing. */
static uint32_t mend(const struct lumbar_metric *metric, struct lumbar_series *series, double *copy)
{
    uint32_t insane = 0;
    for (uint32_t i = 0; i < series->count; i++) {
        bool sane = is_sane(metric, series->value[i]);
        insane += !sane && !isnan(series->value[i]);
        copy[i] = sane ? series->value[i] : NAN;
    }
    series->value = copy;
    return insane;
}

/* Checks and takes over every series of the batch. False: it breaks the contract. */
static bool take_series(struct drivers *drivers, const struct lumbar_plugin *plugin,
                        struct decoded *out)
{
    struct mended *mended = (struct mended *)(void *)(drivers->arena + DRIVER_ARENA_BYTES);
    struct lumbar_batch *batch = &out->batch;
    const unsigned char *arena = drivers->arena;
    if (batch->series_count > plugin->metric_count ||
        !in_arena(arena, batch->series, batch->series_count * (sizeof(struct lumbar_series) / 8)))
        return false;
    uint64_t seen = 0;
    uint32_t values = 0, timed = 0;
    const int64_t *times = NULL; /* of which `timed` were checked: series share them */
    for (uint32_t i = 0; i < batch->series_count; i++) {
        struct lumbar_series *series = &mended->series[i];
        struct extent *extent = &mended->extents[i];
        *series = batch->series[i];
        uint32_t count = series->count;
        if (series->metric >= plugin->metric_count || (seen >> series->metric & 1) != 0 ||
            count == 0 || count > DRIVER_VALUES_MAX - values ||
            !in_arena(arena, series->value, count))
            return false;
        seen |= UINT64_C(1) << series->metric;
        if (series->time_ms != times || count > timed) {
            times = series->time_ms;
            timed = count;
            if (!in_arena(arena, times, count) || !times_are_sane(times, count))
                return false;
        }
        const struct lumbar_metric *metric = &plugin->metrics[series->metric];
        *extent = extent_of(series);
        if (!all_sane(metric, series, extent)) {
            out->out_of_range += mend(metric, series, mended->values + values);
            *extent = extent_of(series);
        }
        values += count;
    }
    batch->series = mended->series;
    out->extents = mended->extents;
    return true;
}

/* What is said to a device must not come back as what it says. */
static bool command_is_sane(const struct lumbar_plugin *plugin, const struct lumbar_batch *batch)
{
    const char *leaf = batch->command_leaf;
    if (leaf == NULL)
        return true;
    if (!text_is_label(leaf, strnlen(leaf, LUMBAR_NAME_MAX + 1)) || topic_is_hubs(leaf) ||
        batch->command_bytes > LUMBAR_COMMAND_MAX ||
        (batch->command == NULL && batch->command_bytes > 0))
        return false;
    for (const char *const *heard = plugin->leaves; *heard != NULL; heard++)
        if (strcmp(*heard, leaf) == 0)
            return false;
    return true;
}

/* Is what the batch says besides its series within the contract? */
static bool head_is_sane(const struct lumbar_plugin *plugin, const struct lumbar_batch *batch)
{
    if ((batch->flags & ~(uint32_t)(LUMBAR_HAS_SEQUENCE | LUMBAR_WALL_CLOCK)) != 0 ||
        batch->now_ms < -DRIVER_TIME_MAX_MS || batch->now_ms > DRIVER_TIME_MAX_MS)
        return false;
    if ((batch->flags & LUMBAR_HAS_SEQUENCE) != 0 &&
        (batch->sequence == 0 || batch->held_from > batch->sequence))
        return false;
    return command_is_sane(plugin, batch);
}

int driver_decode(struct drivers *drivers, const struct driver *driver, void *state,
                  const struct lumbar_message *message, struct decoded *out)
{
    *out = (struct decoded){.out_of_range = 0};
    if (message->payload_bytes > DRIVER_PAYLOAD_MAX_BYTES)
        return LUMBAR_MALFORMED;
    struct lumbar_scratch scratch = {drivers->arena, drivers->arena + DRIVER_ARENA_BYTES};
    int result = driver->plugin->decode(state, message, &scratch, &out->batch);
    if (result == LUMBAR_DECODED && head_is_sane(driver->plugin, &out->batch) &&
        (out->batch.series_count == 0 || take_series(drivers, driver->plugin, out)))
        return LUMBAR_DECODED;
    *out = (struct decoded){.out_of_range = 0};
    return result == LUMBAR_IGNORED ? LUMBAR_IGNORED : LUMBAR_MALFORMED;
}

void drivers_shift(struct drivers *drivers, const struct driver *driver, struct decoded *decoded,
                   uint32_t series, uint32_t from, uint32_t to, double by)
{
    struct mended *mended = (struct mended *)(void *)(drivers->arena + DRIVER_ARENA_BYTES);
    struct lumbar_series *of = &mended->series[series];
    const struct lumbar_metric *metric = &driver->metrics[of->metric];
    uint32_t before = 0; /* where a copy of its values has its place */
    for (uint32_t i = 0; i < series; i++)
        before += mended->series[i].count;
    double *copy = mended->values + before;
    for (uint32_t i = 0; i < of->count; i++) {
        double value = of->value[i];
        if (i >= from && i < to && !isnan(value))
            value = fmin(fmax(value + by, metric->min), metric->max);
        copy[i] = value;
    }
    of->value = copy;
    mended->extents[series] = extent_of(of);
    decoded->batch.series = mended->series;
}

int driver_try(struct drivers *drivers, const struct driver *driver,
               const struct lumbar_message *message)
{
    struct decoded decoded;
    size_t bytes = driver->plugin->state_bytes;
    void *state = bytes > 0 ? drivers->arena + FRESH_STATE_OFFSET : NULL;
    if (state != NULL)
        memset(state, 0, bytes);
    return driver_decode(drivers, driver, state, message, &decoded);
}
