#include "core/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define NONE      UINT32_MAX
#define ROOM      256 /* blocks: a message that brings more minutes than that is no ordinary one */
#define CELL_MOST UINT16_MAX

/* A bucket that is still filled. A sum of CELL_MOST values fits. */
struct cell {
    uint32_t sum;
    uint16_t count, min, max;
};

struct gathered {
    uint32_t device, metric;
    int64_t minute;
    uint32_t next; /* in the chain of its slot */
    struct cell cells[BLOCK_SLOTS];
};

/* One value of one device. */
struct series {
    uint32_t newest; /* the block that it was last added to; NONE: none */
};

struct history {
    struct gathered *blocks;
    uint32_t count, max;
    uint32_t *slots; /* chains by device, metric and minute */
    uint32_t slot_mask;
    struct series *series;
    uint32_t width, max_devices; /* series of a device: the most metrics that one driver has */
    uint64_t samples, lost;
};

static bool reserve(struct history *history, size_t bytes)
{
    history->max = (uint32_t)(bytes / sizeof(*history->blocks));
    if (history->max < 2 * ROOM)
        history->max = 2 * ROOM;
    uint32_t slots = 64;
    while (slots < history->max)
        slots *= 2;
    history->slot_mask = slots - 1;
    history->blocks = malloc(history->max * sizeof(*history->blocks));
    history->slots = malloc(slots * sizeof(*history->slots));
    history->series =
        malloc(((size_t)history->max_devices * history->width + 1) * sizeof(*history->series));
    return history->blocks != NULL && history->slots != NULL && history->series != NULL;
}

struct history *history_create(size_t bytes, uint32_t max_devices, const struct drivers *drivers)
{
    struct history *history = calloc(1, sizeof(*history));
    if (history == NULL)
        return NULL;
    history->max_devices = max_devices;
    for (uint32_t d = 0; d < drivers->count; d++)
        if (drivers->list[d].metric_count > history->width)
            history->width = drivers->list[d].metric_count;
    if (!reserve(history, bytes)) {
        history_destroy(history);
        return NULL;
    }
    history_clear(history);
    return history;
}

void history_destroy(struct history *history)
{
    if (history == NULL)
        return;
    free(history->series);
    free(history->slots);
    free(history->blocks);
    free(history);
}

void history_clear(struct history *history)
{
    memset(history->slots, 0xff, (history->slot_mask + (size_t)1) * sizeof(*history->slots));
    memset(history->series, 0xff,
           (size_t)history->max_devices * history->width * sizeof(*history->series));
    /* Of two gatherings one is empty nearly all the time: it need not hold memory. */
    memory_forget(history->blocks, history->count * sizeof(*history->blocks));
    history->count = 0;
    history->samples = history->lost = 0;
}

static uint32_t slot_of(const struct history *history, uint32_t device, uint32_t metric,
                        int64_t minute)
{
    uint64_t key = ((uint64_t)device << 40 ^ (uint64_t)metric << 28 ^ (uint64_t)minute) *
                   UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(key >> 32) & history->slot_mask;
}

static bool is_of(const struct gathered *block, uint32_t device, uint32_t metric, int64_t minute)
{
    return block->minute == minute && block->device == device && block->metric == metric;
}

static uint32_t find(const struct history *history, uint32_t device, uint32_t metric,
                     int64_t minute)
{
    uint32_t at = history->slots[slot_of(history, device, metric, minute)];
    while (at != NONE && !is_of(&history->blocks[at], device, metric, minute))
        at = history->blocks[at].next;
    return at;
}

/* A new one stands before older ones of the same value and minute. */
static uint32_t begin(struct history *history, uint32_t device, uint32_t metric, int64_t minute)
{
    if (history->count == history->max)
        return NONE;
    uint32_t number = history->count++;
    uint32_t *slot = &history->slots[slot_of(history, device, metric, minute)];
    struct gathered *block = &history->blocks[number];
    memset(block, 0, sizeof(*block));
    block->device = device;
    block->metric = metric;
    block->minute = minute;
    block->next = *slot;
    *slot = number;
    return number;
}

/* Kept out of the way of what nearly always happens: the minute that was added to before. */
__attribute__((noinline)) static struct gathered *turn_to(struct history *history,
                                                          struct series *series, uint32_t device,
                                                          uint32_t metric, int64_t minute)
{
    uint32_t number = find(history, device, metric, minute);
    if (number == NONE)
        number = begin(history, device, metric, minute);
    series->newest = number;
    return number != NONE ? &history->blocks[number] : NULL;
}

static struct gathered *block_of(struct history *history, struct series *series, uint32_t device,
                                 uint32_t metric, int64_t minute)
{
    if (series->newest != NONE) {
        struct gathered *block = &history->blocks[series->newest];
        if (block->minute == minute)
            return block;
    }
    return turn_to(history, series, device, metric, minute);
}

/* The cell of a second. One that can hold no more is left, in a block that is followed by another.
 */
static struct cell *cell_of(struct history *history, struct series *series, uint32_t device,
                            uint32_t metric, int64_t second)
{
    struct gathered *block = block_of(history, series, device, metric, second / BLOCK_SLOTS);
    if (block == NULL)
        return NULL;
    struct cell *cell = &block->cells[second % BLOCK_SLOTS];
    if (cell->count < CELL_MOST)
        return cell;
    series->newest = begin(history, device, metric, block->minute);
    return series->newest != NONE ? &history->blocks[series->newest].cells[second % BLOCK_SLOTS]
                                  : NULL;
}

/* As metric_quantise(), with what is the same for all values done once; that they are in range or
 * NaN is known, and that so many fit. */
static void fill(struct cell *cell, const double *value, uint32_t count, double min, double step)
{
    uint32_t sum = cell->sum, taken = cell->count, least = cell->min, most = cell->max;
    if (taken == 0) {
        least = METRIC_NONE;
        most = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        double steps = (value[i] - min) / step + 0.5;
        if (!(steps < METRIC_NONE)) /* NaN is not less */
            continue;
        uint32_t quantised = (uint32_t)(int32_t)steps;
        sum += quantised;
        taken++;
        least = quantised < least ? quantised : least;
        most = quantised > most ? quantised : most;
    }
    if (taken == 0)
        return;
    *cell = (struct cell){sum, (uint16_t)taken, (uint16_t)least, (uint16_t)most};
}

static uint32_t none_among(const double *value, uint32_t count)
{
    uint32_t none = 0;
    for (uint32_t i = 0; i < count; i++)
        none += isnan(value[i]) != 0;
    return none;
}

/* The samples from `at` on that fall into one second and fit into its cell; returns how many. */
static uint32_t add_second(struct history *history, struct series *into, uint32_t device,
                           uint32_t metric, const struct lumbar_metric *of,
                           const struct lumbar_series *series, uint32_t at, int64_t offset_ms)
{
    const int64_t *time_ms = series->time_ms;
    int64_t second = (time_ms[at] + offset_ms) / 1000, end_ms = (second + 1) * 1000 - offset_ms;
    struct cell *cell = NULL;
    if (time_ms[at] + offset_ms >= 0) /* no device was there before 1970 */
        cell = cell_of(history, into, device, metric, second);
    uint32_t count = 1, most = cell != NULL ? (uint32_t)CELL_MOST - cell->count : 1;
    while (at + count < series->count && count < most && time_ms[at + count] < end_ms)
        count++;
    if (cell == NULL) {
        history->lost += count - none_among(&series->value[at], count);
        return count;
    }
    uint32_t before = cell->count;
    fill(cell, &series->value[at], count, of->min, metric_step(of));
    history->samples += cell->count - before;
    return count;
}

void history_add(struct history *history, const struct device *device,
                 const struct lumbar_batch *batch, int64_t offset_ms)
{
    if (device->id == 0 || device->id > history->max_devices)
        return;
    const struct driver *driver = device->driver;
    struct series *of_device = &history->series[(size_t)(device->id - 1) * history->width];
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        const struct lumbar_metric *metric = &driver->metrics[series->metric];
        for (uint32_t at = 0; at < series->count;)
            at += add_second(history, &of_device[series->metric], device->id,
                             driver->first_metric + series->metric, metric, series, at, offset_ms);
    }
}

uint64_t history_samples(const struct history *history)
{
    return history->samples;
}

uint64_t history_lost(const struct history *history)
{
    return history->lost;
}

bool history_has_room(const struct history *history)
{
    return history->max - history->count >= ROOM;
}

bool history_is_empty(const struct history *history)
{
    return history->samples == 0;
}

uint32_t history_capacity(const struct history *history)
{
    return history->max;
}

uint32_t history_count(const struct history *history)
{
    return history->count;
}

static void add_to(struct block *block, const struct gathered *gathered)
{
    for (unsigned i = 0; i < BLOCK_SLOTS; i++) {
        const struct cell *cell = &gathered->cells[i];
        if (cell->count == 0)
            continue;
        struct bucket bucket = {.count = cell->count,
                                .min = cell->min,
                                .mean = (uint16_t)((cell->sum + cell->count / 2) / cell->count),
                                .max = cell->max};
        bucket_add(&block->slots[i], &bucket);
    }
}

struct history_block history_key(const struct history *history, uint32_t number)
{
    const struct gathered *gathered = &history->blocks[number];
    return (struct history_block){gathered->device, gathered->metric, gathered->minute};
}

struct history_block history_at(const struct history *history, uint32_t number, struct block *block)
{
    const struct gathered *gathered = &history->blocks[number];
    memset(block, 0, sizeof(*block));
    add_to(block, gathered);
    return history_key(history, number);
}

bool history_find(const struct history *history, uint32_t device, uint32_t metric, int64_t minute,
                  struct block *block)
{
    bool found = false;
    for (uint32_t at = history->slots[slot_of(history, device, metric, minute)]; at != NONE;
         at = history->blocks[at].next) {
        if (!is_of(&history->blocks[at], device, metric, minute))
            continue;
        add_to(block, &history->blocks[at]);
        found = true;
    }
    return found;
}
