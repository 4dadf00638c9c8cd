#include "core/body.h"

#include <string.h>

#include "base/text.h"

#define HEARD_MS 10000 /* a device that tells neither state nor contact speaks if it did so then   \
                        */

/* A state of the kind by name, -1: none. */
static int32_t find_state(const struct driver *driver, const char *name)
{
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (driver->metrics[i].kind == LUMBAR_STATE && strcmp(driver->metrics[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

/* The same, with a label that it must have. */
static int32_t find_label(const struct driver *driver, const char *name, const char *label,
                          uint32_t *number)
{
    int32_t metric = find_state(driver, name);
    if (metric < 0)
        return -1;
    const char *const *labels = driver->metrics[metric].labels;
    for (uint32_t i = 0; labels[i] != NULL; i++)
        if (strcmp(labels[i], label) == 0) {
            *number = i;
            return metric;
        }
    return -1;
}

static int32_t find_intensity(const struct driver *driver)
{
    for (uint32_t i = 0; i < driver->metric_count; i++)
        if (driver->metrics[i].kind == LUMBAR_GAUGE && (driver->metrics[i].flags & LUMBAR_KEY) != 0)
            return (int32_t)i;
    return -1;
}

static uint8_t number_of(struct body *body, const char *region)
{
    if (strcmp(region, "none") == 0)
        return BODY_NONE;
    for (uint32_t i = 0; i < body->count; i++)
        if (strcmp(body->regions[i], region) == 0)
            return (uint8_t)i;
    if (body->count == BODY_REGIONS_MAX)
        return BODY_NONE;
    body->regions[body->count] = region;
    return (uint8_t)body->count++;
}

static void add_kind(struct body *body, const struct driver *driver)
{
    struct body_kind *kind = &body->kinds[driver->index];
    kind->region = find_state(driver, "region");
    kind->state = find_label(driver, "state", "running", &kind->running);
    kind->contact = find_label(driver, "contact", "on_skin", &kind->on_skin);
    kind->intensity = kind->region >= 0 ? find_intensity(driver) : -1;
    memset(kind->number, BODY_NONE, sizeof(kind->number));
    if (kind->region < 0)
        return;
    const char *const *labels = driver->metrics[kind->region].labels;
    for (uint32_t i = 0; labels[i] != NULL && i < LUMBAR_LABELS_MAX; i++)
        kind->number[i] = number_of(body, labels[i]);
}

void body_init(struct body *body, const struct drivers *drivers)
{
    memset(body, 0, sizeof(*body));
    for (uint32_t i = 0; i < drivers->count; i++)
        add_kind(body, &drivers->list[i]);
}

uint64_t body_find(const struct body *body, const char *name, struct diag *diag)
{
    uint64_t set = 0;
    size_t length = strlen(name);
    for (uint32_t i = 0; i < body->count; i++) {
        const char *region = body->regions[i];
        if (length > 0 && strncmp(region, name, length) == 0 &&
            (region[length] == '\0' || strcmp(region + length, "_left") == 0 ||
             strcmp(region + length, "_right") == 0))
            set |= UINT64_C(1) << i;
    }
    if (set != 0)
        return set;
    const char *nearest = text_nearest(name, body->regions, body->count);
    if (body->count == 0)
        diag_set(diag, ERR_UNKNOWN, "no device tells of a region of the body, so not of '%.60s'",
                 name);
    else if (nearest != NULL)
        diag_set(diag, ERR_UNKNOWN, "no region '%.60s' of the body; did you mean '%s'?", name,
                 nearest);
    else
        diag_set(diag, ERR_UNKNOWN, "no region '%.60s' of the body; there is '%s', for one", name,
                 body->regions[0]);
    return 0;
}

uint8_t body_region(const struct body *body, const struct device *device)
{
    const struct body_kind *kind = &body->kinds[device->driver->index];
    if (kind->region < 0)
        return BODY_NONE;
    double label = device->values[kind->region].value;
    return label >= 0 && label < LUMBAR_LABELS_MAX ? kind->number[(uint32_t)label] : BODY_NONE;
}

const struct lumbar_metric *body_intensity(const struct body *body, const struct drivers *drivers)
{
    for (uint32_t i = 0; i < drivers->count; i++)
        if (body->kinds[i].intensity >= 0)
            return &drivers->list[i].metrics[body->kinds[i].intensity];
    return NULL;
}

/* Is the value of this metric the label, and not stale? */
static bool says(const struct device *device, int32_t metric, uint32_t label, int64_t now_ms)
{
    return device->values[metric].value == label &&
           device_freshness(device, (uint32_t)metric, now_ms) == FRESH;
}

bool body_works(const struct body *body, const struct device *device, int64_t now_ms)
{
    const struct body_kind *kind = &body->kinds[device->driver->index];
    if (kind->state >= 0)
        return says(device, kind->state, kind->running, now_ms);
    if (kind->contact >= 0)
        return says(device, kind->contact, kind->on_skin, now_ms);
    return device->heard_ms != 0 && now_ms - device->heard_ms < HEARD_MS;
}
