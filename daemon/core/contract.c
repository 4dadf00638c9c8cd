/* driver_check(): a plugin's tables against the contract, before anything else reads them. The
 * tables come from a stranger's file, so every string is measured within a bound and shown only
 * after it was found to be plain. */
#include "core/driver.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "core/topic.h"

#define TITLE_MAX  79
#define UNIT_MAX   31
#define CODE_MAX   63
#define LEAVES_MAX 16

#define refuse(diag, ...) diag_set(diag, ERR_PLUGIN, __VA_ARGS__)

static bool is_name(const char *string)
{
    return string != NULL && text_is_name(string, strnlen(string, LUMBAR_NAME_MAX + 1));
}

/* 1..max bytes to be shown to people: anything but control characters. */
static bool is_words(const char *string, size_t max)
{
    size_t bytes = string != NULL ? strnlen(string, max + 1) : 0;
    if (bytes == 0 || bytes > max)
        return false;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)string[i] < ' ' || string[i] == 0x7f)
            return false;
    return true;
}

/* Could it be UCUM? Its alphabet, and brackets that match; not its whole grammar. */
static bool is_unit(const char *unit)
{
    size_t bytes = unit != NULL ? strnlen(unit, UNIT_MAX + 1) : 0;
    if (bytes == 0 || bytes > UNIT_MAX)
        return false;
    char open = 0;
    int depth = 0; /* of parentheses, the only ones that nest */
    for (size_t i = 0; i < bytes; i++) {
        char c = unit[i];
        if (c <= ' ' || c > '~')
            return false;
        if (open != 0) {
            if (c == open)
                open = 0;
            else if (strchr("[]{}", c) != NULL)
                return false;
        } else if (c == '[' || c == '{') {
            open = c == '[' ? ']' : '}';
        } else if (c == '(' || c == ')') {
            depth += c == '(' ? 1 : -1;
        } else if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     strchr("%*/^.'\"_-+", c) != NULL)) {
            return false;
        }
        if (depth < 0)
            return false;
    }
    return open == 0 && depth == 0 && strchr("*^.'\"_-+", unit[0]) == NULL;
}

static bool has_labels(const struct lumbar_metric *metric)
{
    return metric->kind == LUMBAR_STATE || metric->kind == LUMBAR_EVENT;
}

/* How many labels; LUMBAR_LABELS_MAX + 1 where the list does not end in time. */
static uint32_t label_count(const char *const *labels)
{
    uint32_t count = 0;
    while (count <= LUMBAR_LABELS_MAX && labels[count] != NULL)
        count++;
    return count;
}

static int check_labels(const struct lumbar_metric *metric, struct diag *diag)
{
    const char *name = metric->name;
    if (!has_labels(metric)) {
        if (metric->labels != NULL)
            return refuse(diag, "metric %s has labels, but is neither a state nor an event", name);
        return 0;
    }
    uint32_t count = metric->labels != NULL ? label_count(metric->labels) : 0;
    if (count == 0)
        return refuse(diag, "metric %s is a state or an event and has no labels", name);
    if (count > LUMBAR_LABELS_MAX)
        return refuse(diag, "metric %s has more than %d labels, or its list does not end with NULL",
                      name, LUMBAR_LABELS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_name(metric->labels[i]))
            return refuse(diag, "label %u of metric %s is not a name ([a-z][a-z0-9_]*, 1 to %d)", i,
                          name, LUMBAR_NAME_MAX);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(metric->labels[i], metric->labels[j]) == 0)
                return refuse(diag, "label \"%s\" of metric %s is there twice", metric->labels[i],
                              name);
    }
    if (metric->min != 0 || metric->max != count - 1)
        return refuse(diag, "metric %s has %u labels, so its range must be 0 to %u, not %g to %g",
                      name, count, count - 1, metric->min, metric->max);
    return 0;
}

static int check_range(const struct lumbar_metric *metric, struct diag *diag)
{
    const char *name = metric->name;
    if (!isfinite(metric->min) || !isfinite(metric->max) || !isfinite(metric->max - metric->min))
        return refuse(diag, "the range of metric %s is not finite", name);
    if (!has_labels(metric) && metric->min >= metric->max)
        return refuse(diag, "the range of metric %s is empty: %g to %g", name, metric->min,
                      metric->max);
    if (metric->kind == LUMBAR_COUNTER && metric->min != 0)
        return refuse(diag, "metric %s is a counter, so its range must begin at 0, not %g", name,
                      metric->min);
    if (metric->decimals > 6)
        return refuse(diag, "metric %s says %u decimals; at most 6", name, metric->decimals);
    return 0;
}

static int check_role(const struct lumbar_metric *metric, struct diag *diag)
{
    const char *name = metric->name;
    bool angle = metric->role >= LUMBAR_ROLE_FLEXION && metric->role <= LUMBAR_ROLE_ROTATION;
    if ((uint32_t)metric->role > LUMBAR_ROLE_SIGNAL)
        return refuse(diag, "metric %s has an unknown role (%u)", name, (unsigned)metric->role);
    if (metric->role != LUMBAR_ROLE_NONE && metric->kind != LUMBAR_GAUGE)
        return refuse(diag, "metric %s has a role, but is no gauge", name);
    if (angle && strcmp(metric->unit, "deg") != 0)
        return refuse(diag, "metric %s has the role of an angle, but is not in deg", name);
    if (metric->role > LUMBAR_ROLE_ROTATION && (metric->flags & LUMBAR_HEALTH) == 0)
        return refuse(diag, "metric %s has a role of health, but not the flag", name);
    if ((metric->phases & ~(uint32_t)(2 * LUMBAR_REST - 1)) != 0)
        return refuse(diag, "metric %s names unknown phases (%#x)", name, metric->phases);
    return 0;
}

static int check_metric(const struct lumbar_metric *metric, struct diag *diag)
{
    const char *name = metric->name;
    if (!is_words(metric->title, TITLE_MAX))
        return refuse(diag, "metric %s has no title of 1 to %d bytes", name, TITLE_MAX);
    if (!is_unit(metric->unit))
        return refuse(diag, "the unit of metric %s is no UCUM unit (\"1\" where there is none)",
                      name);
    if ((uint32_t)metric->kind > LUMBAR_EVENT)
        return refuse(diag, "metric %s is of an unknown kind (%u)", name, (unsigned)metric->kind);
    if ((metric->flags & ~(uint32_t)(LUMBAR_KEY | LUMBAR_HEALTH)) != 0)
        return refuse(diag, "metric %s has unknown flags (%#x)", name, metric->flags);
    int code = check_range(metric, diag);
    if (code == 0)
        code = check_labels(metric, diag);
    if (code == 0)
        code = check_role(metric, diag);
    if (code != 0)
        return code;
    if (metric->kind == LUMBAR_EVENT && metric->period_ms != 0)
        return refuse(diag, "metric %s is an event, so its period must be 0", name);
    if (metric->kind != LUMBAR_EVENT && metric->period_ms == 0)
        return refuse(diag, "metric %s has no period; only events have none", name);
    if (metric->code != NULL && !is_words(metric->code, CODE_MAX))
        return refuse(diag, "the code of metric %s is not 1 to %d bytes of text", name, CODE_MAX);
    return 0;
}

static int check_metrics(const struct lumbar_plugin *plugin, struct diag *diag)
{
    if (plugin->metrics == NULL || plugin->metric_count == 0)
        return refuse(diag, "plugin %s has no metrics", plugin->kind);
    if (plugin->metric_count > LUMBAR_METRICS_MAX)
        return refuse(diag, "plugin %s has %u metrics; at most %d", plugin->kind,
                      plugin->metric_count, LUMBAR_METRICS_MAX);
    for (uint32_t i = 0; i < plugin->metric_count; i++) {
        const struct lumbar_metric *metric = &plugin->metrics[i];
        if (!is_name(metric->name))
            return refuse(diag, "metric %u of plugin %s has a bad name ([a-z][a-z0-9_]*, 1 to %d)",
                          i, plugin->kind, LUMBAR_NAME_MAX);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(metric->name, plugin->metrics[j].name) == 0)
                return refuse(diag, "two metrics of plugin %s are called %s", plugin->kind,
                              metric->name);
        int code = check_metric(metric, diag);
        if (code != 0)
            return code;
    }
    return 0;
}

static bool hears(const struct lumbar_plugin *plugin, const char *leaf)
{
    for (uint32_t i = 0; plugin->leaves[i] != NULL; i++)
        if (strcmp(plugin->leaves[i], leaf) == 0)
            return true;
    return false;
}

/* What the hub itself says and no device may. */
static const char *const own_topics[] = {"lumbar/v1/hub/+/status", "lumbar/v1/hub/+/heartbeat",
                                         "lumbar/v1/alarm/+/+"};

static int check_not_own(const struct lumbar_plugin *plugin, const char *leaf, struct diag *diag)
{
    char filter[TOPIC_MAX_BYTES + 1];
    topic_filter(plugin->topic, leaf, filter, sizeof(filter));
    for (size_t i = 0; i < sizeof(own_topics) / sizeof(own_topics[0]); i++)
        if (topic_filters_meet(filter, own_topics[i]))
            return refuse(diag, "plugin %s hears %s, which meets %s, where the hub speaks",
                          plugin->kind, filter, own_topics[i]);
    return 0;
}

static int check_leaf(const struct lumbar_plugin *plugin, uint32_t index, struct diag *diag)
{
    const char *leaf = plugin->leaves[index];
    size_t bytes = strnlen(leaf, LUMBAR_NAME_MAX + 1);
    if (bytes > LUMBAR_NAME_MAX || !text_is_label(leaf, bytes))
        return refuse(diag, "leaf %u of plugin %s is not 1 to %d of A-Z a-z 0-9 _ - .", index,
                      plugin->kind, LUMBAR_NAME_MAX);
    if (topic_is_hubs(leaf))
        return refuse(diag, "plugin %s hears the leaf %s, which is what the hub says", plugin->kind,
                      leaf);
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(plugin->leaves[i], leaf) == 0)
            return refuse(diag, "plugin %s hears the leaf %s twice", plugin->kind, leaf);
    return check_not_own(plugin, leaf, diag);
}

static int check_topic(const struct lumbar_plugin *plugin, struct diag *diag)
{
    const char *const *leaves = plugin->leaves;
    int code = topic_check(plugin->topic, diag);
    if (code != 0)
        return code;
    if (leaves == NULL || leaves[0] == NULL)
        return refuse(diag, "plugin %s hears no leaf", plugin->kind);
    if (strstr(plugin->topic, "{leaf}") == NULL) {
        if (leaves[0][0] == '\0' && leaves[1] == NULL)
            return check_not_own(plugin, "", diag);
        return refuse(diag, "the topic of plugin %s has no {leaf}, so its one leaf must be \"\"",
                      plugin->kind);
    }
    for (uint32_t i = 0; leaves[i] != NULL && code == 0; i++) {
        if (i == LEAVES_MAX)
            return refuse(diag, "plugin %s hears more than %d leaves, or the list does not end",
                          plugin->kind, LEAVES_MAX);
        code = check_leaf(plugin, i, diag);
    }
    return code;
}

static int check_golden(const struct lumbar_plugin *plugin, uint32_t index, struct diag *diag)
{
    const struct lumbar_golden *golden = &plugin->golden[index];
    if (golden->leaf == NULL || strnlen(golden->leaf, LUMBAR_NAME_MAX + 1) > LUMBAR_NAME_MAX ||
        !hears(plugin, golden->leaf))
        return refuse(diag, "golden message %u of plugin %s is on a leaf that it does not hear",
                      index, plugin->kind);
    if (golden->payload_bytes > DRIVER_PAYLOAD_MAX_BYTES ||
        (golden->payload == NULL && golden->payload_bytes > 0))
        return refuse(diag, "golden message %u of plugin %s has no payload of at most %d bytes",
                      index, plugin->kind, DRIVER_PAYLOAD_MAX_BYTES);
    if (golden->metric == NULL)
        return 0;
    bool known = false;
    for (uint32_t i = 0; i < plugin->metric_count && is_name(golden->metric); i++)
        known = known || strcmp(plugin->metrics[i].name, golden->metric) == 0;
    if (!known || golden->count == 0)
        return refuse(diag, "golden message %u of plugin %s expects no value of a metric it has",
                      index, plugin->kind);
    return 0;
}

static int check_sizes(const struct lumbar_plugin *plugin, struct diag *diag)
{
    if (plugin->abi != LUMBAR_PLUGIN_ABI)
        return refuse(diag, "built for plugin ABI %u, this hub speaks %u", plugin->abi,
                      LUMBAR_PLUGIN_ABI);
    if (plugin->size < sizeof(struct lumbar_plugin))
        return refuse(diag, "struct lumbar_plugin is short: %u bytes, not %zu", plugin->size,
                      sizeof(struct lumbar_plugin));
    if (plugin->metric_bytes != sizeof(struct lumbar_metric))
        return refuse(diag, "struct lumbar_metric is of %u bytes, not %zu", plugin->metric_bytes,
                      sizeof(struct lumbar_metric));
    if (plugin->golden_bytes != sizeof(struct lumbar_golden))
        return refuse(diag, "struct lumbar_golden is of %u bytes, not %zu", plugin->golden_bytes,
                      sizeof(struct lumbar_golden));
    return 0;
}

int driver_check(const struct lumbar_plugin *plugin, struct diag *diag)
{
    int code = check_sizes(plugin, diag);
    if (code != 0)
        return code;
    if (!is_name(plugin->kind))
        return refuse(diag, "the kind is not a name ([a-z][a-z0-9_]*, 1 to %d)", LUMBAR_NAME_MAX);
    if (!is_words(plugin->title, TITLE_MAX))
        return refuse(diag, "plugin %s has no title of 1 to %d bytes", plugin->kind, TITLE_MAX);
    if (!is_words(plugin->version, TITLE_MAX))
        return refuse(diag, "plugin %s has no version of 1 to %d bytes", plugin->kind, TITLE_MAX);
    code = check_topic(plugin, diag);
    if (code == 0)
        code = check_metrics(plugin, diag);
    if (code != 0)
        return code;
    if (plugin->golden == NULL || plugin->golden_count == 0)
        return refuse(diag, "plugin %s has no golden message to test itself with", plugin->kind);
    if (plugin->golden_count > DRIVER_GOLDEN_MAX)
        return refuse(diag, "plugin %s has %u golden messages; at most %d", plugin->kind,
                      plugin->golden_count, DRIVER_GOLDEN_MAX);
    for (uint32_t i = 0; i < plugin->golden_count && code == 0; i++)
        code = check_golden(plugin, i, diag);
    if (code != 0)
        return code;
    if (plugin->state_bytes > DRIVER_STATE_MAX_BYTES)
        return refuse(diag, "plugin %s wants %zu bytes of state a device; at most %d", plugin->kind,
                      plugin->state_bytes, DRIVER_STATE_MAX_BYTES);
    if (plugin->decode == NULL)
        return refuse(diag, "plugin %s has no decode function", plugin->kind);
    return 0;
}
