#include "core/devices.h"

#include <stdlib.h>
#include <string.h>

#include "core/account.h"

#define RATE_BURST_MS INT64_C(2000)
#define FUTURE_MS     INT64_C(5000) /* as far as the accounting lets a sample lie ahead */

struct devices {
    struct device *list; /* by id - 1 */
    struct device_account *accounts;
    uint32_t count, max;
    uint32_t *slots; /* open addressing by driver and name: an id, 0 free */
    uint32_t slot_mask;
    uint32_t rate_per_s;
    int64_t away_ms;
    uint64_t change, refused;
    devices_new_cb *on_new; /* NULL: nobody is told */
    void *user;
};

struct devices *devices_create(uint32_t max, uint32_t rate_per_s)
{
    struct devices *devices = calloc(1, sizeof(*devices));
    if (devices == NULL)
        return NULL;
    uint32_t slots = 16;
    while (slots < 2 * max)
        slots *= 2;
    devices->max = max;
    devices->rate_per_s = rate_per_s;
    devices->slot_mask = slots - 1;
    devices->list = calloc(max, sizeof(*devices->list));
    devices->accounts = calloc(max, sizeof(*devices->accounts));
    devices->slots = calloc(slots, sizeof(*devices->slots));
    if (devices->list == NULL || devices->accounts == NULL || devices->slots == NULL) {
        devices_destroy(devices);
        return NULL;
    }
    return devices;
}

void devices_destroy(struct devices *devices)
{
    if (devices == NULL)
        return;
    for (uint32_t i = 0; i < devices->count; i++)
        free(devices->list[i].values);
    free(devices->slots);
    free(devices->accounts);
    free(devices->list);
    free(devices);
}

uint32_t devices_count(const struct devices *devices)
{
    return devices->count;
}

uint64_t devices_refused(const struct devices *devices)
{
    return devices->refused;
}

struct device *devices_at(struct devices *devices, uint32_t id)
{
    return id >= 1 && id <= devices->count ? &devices->list[id - 1] : NULL;
}

uint64_t devices_change(const struct devices *devices)
{
    return devices->change;
}

void devices_touch(struct devices *devices, struct device *device)
{
    device->change = ++devices->change;
}

/* FNV-1a. Names are labels from behind the broker's login, and at most `max` of them. */
static uint32_t name_hash(const struct driver *driver, const char *name, size_t name_bytes)
{
    uint32_t hash = 2166136261u ^ driver->index;
    for (size_t i = 0; i < name_bytes; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash ^ hash >> 15;
}

/* The slot that holds the device, or the free one where it would stand. */
static uint32_t *slot_of(const struct devices *devices, const struct driver *driver,
                         const char *name, size_t name_bytes)
{
    uint32_t at = name_hash(driver, name, name_bytes) & devices->slot_mask;
    for (;; at = (at + 1) & devices->slot_mask) {
        uint32_t id = devices->slots[at];
        if (id == 0)
            return &devices->slots[at];
        const struct device *device = &devices->list[id - 1];
        if (device->driver == driver && memcmp(device->name, name, name_bytes) == 0 &&
            device->name[name_bytes] == '\0')
            return &devices->slots[at];
    }
}

struct device *devices_find(struct devices *devices, const struct driver *driver, const char *name,
                            size_t name_bytes)
{
    if (name_bytes == 0 || name_bytes >= DEVICE_NAME_BYTES)
        return NULL;
    return devices_at(devices, *slot_of(devices, driver, name, name_bytes));
}

/* Values and the plugin's state in one block: the only allocation, once in a device's life, for
 * what they need is known with its driver only. */
static bool device_init(struct device *device, const struct driver *driver, const char *name,
                        size_t name_bytes)
{
    size_t count = driver->metric_count;
    size_t values_bytes = (count * sizeof(struct device_value) + 15) & ~(size_t)15;
    device->values = calloc(1, values_bytes + driver->plugin->state_bytes);
    if (device->values == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        device->values[i].value = (double)NAN;
    if (driver->plugin->state_bytes > 0)
        device->state = (unsigned char *)device->values + values_bytes;
    memcpy(device->name, name, name_bytes);
    device->driver = driver;
    return true;
}

struct device *devices_hear(struct devices *devices, const struct driver *driver, const char *name,
                            size_t name_bytes)
{
    if (name_bytes == 0 || name_bytes >= DEVICE_NAME_BYTES)
        return NULL;
    uint32_t *slot = slot_of(devices, driver, name, name_bytes);
    if (*slot != 0)
        return &devices->list[*slot - 1];
    struct device *device = &devices->list[devices->count];
    if (devices->count == devices->max || !device_init(device, driver, name, name_bytes)) {
        devices->refused++;
        return NULL;
    }
    device->account = &devices->accounts[devices->count];
    device->id = ++devices->count;
    *slot = device->id;
    devices_touch(devices, device);
    if (devices->on_new != NULL)
        devices->on_new(devices->user, device);
    return device;
}

void devices_tell(struct devices *devices, devices_new_cb *on_new, void *user)
{
    devices->on_new = on_new;
    devices->user = user;
}

void devices_set_away(struct devices *devices, int64_t away_ms)
{
    devices->away_ms = away_ms;
}

void devices_assign(struct devices *devices, struct device *device, uint32_t room)
{
    if (device->room == room)
        return;
    device->room = room;
    devices_touch(devices, device);
}

bool device_admit(struct device *device, int64_t now_ms, struct devices *devices)
{
    struct device_account *account = device->account;
    bool first = account->tokens_ms == 0;
    int64_t passed_ms = first ? devices->away_ms : now_ms - account->tokens_ms;
    account->tokens_ms = now_ms;
    if (passed_ms < 0)
        passed_ms = 0;
    if (passed_ms > DEVICES_SILENCE_MAX_MS)
        passed_ms = DEVICES_SILENCE_MAX_MS;
    /* What a silence has earned is kept until it is used; what else is not used is not gathered. */
    int64_t earned = passed_ms * devices->rate_per_s;
    int64_t most = earned, burst = devices->rate_per_s * RATE_BURST_MS;
    if (most < burst)
        most = burst;
    if (most < account->tokens)
        most = account->tokens;
    account->tokens = first ? most : account->tokens + earned;
    if (account->tokens > most)
        account->tokens = most;
    if (account->tokens < 1000)
        return false;
    account->tokens -= 1000;
    return true;
}

void device_note(struct device *device, const struct lumbar_batch *batch, int64_t offset_ms)
{
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        struct device_value *kept = &device->values[series->metric];
        uint32_t last = series->count - 1;
        while (last > 0 && isnan(series->value[last]))
            last--;
        double value = series->value[last];
        int64_t time_ms = series->time_ms[last] + offset_ms;
        if (isnan(value) ||
            (time_ms < kept->time_ms && kept->time_ms <= device->heard_ms + FUTURE_MS))
            continue;
        kept->value = value;
        kept->time_ms = time_ms;
    }
}

enum freshness device_freshness(const struct device *device, uint32_t metric, int64_t now_ms)
{
    const struct lumbar_metric *of = &device->driver->metrics[metric];
    int64_t stale_ms = metric_stale_ms(of), offline_ms = metric_offline_ms(of);
    if (device->values[metric].time_ms == 0)
        return OFFLINE;
    int64_t age_ms = now_ms - device->values[metric].time_ms;
    if (offline_ms > 0 && age_ms >= offline_ms)
        return OFFLINE;
    return stale_ms > 0 && age_ms >= stale_ms ? STALE : FRESH;
}

bool device_is_gone(const struct device *device, int64_t now_ms)
{
    bool told = false;
    for (uint32_t i = 0; i < device->driver->metric_count; i++) {
        const struct lumbar_metric *metric = &device->driver->metrics[i];
        if ((metric->flags & LUMBAR_HEALTH) != 0 || metric_offline_ms(metric) == 0 ||
            device->values[i].time_ms == 0)
            continue;
        if (device_freshness(device, i, now_ms) != OFFLINE)
            return false;
        told = true;
    }
    return told;
}
