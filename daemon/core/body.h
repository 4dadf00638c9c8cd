/*
 * The body as the devices tell of it: regions by name, and which kind of device works on them.
 *
 * Nothing here knows a kind of device. Names of metrics say it, in any plugin: a state `region` is
 * the region of the body that the device is on (label "none": on none), a state `state` with the
 * label "running" says that it works, a state `contact` with the label "on_skin" that it lies on
 * the skin. What it does there is dosed by its first gauge that is a key value. A name without its
 * side stands for both: "lower_back" is lower_back_left and lower_back_right. Memory: one fixed
 * block; the names are the plugins' own. Pure.
 */
#ifndef LUMBAR_CORE_BODY_H
#define LUMBAR_CORE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/devices.h"

#define BODY_REGIONS_MAX 64 /* a set of them is the bits of a uint64_t */
#define BODY_NONE        UINT8_MAX

/* A kind of device; its metrics by their index in the plugin, -1 where it has none. */
struct body_kind {
    int32_t region, state, contact, intensity;
    uint32_t running, on_skin;         /* their labels */
    uint8_t number[LUMBAR_LABELS_MAX]; /* of the region of a label, BODY_NONE for "none" */
};

struct body {
    const char *regions[BODY_REGIONS_MAX];
    uint32_t count;
    struct body_kind kinds[DRIVERS_MAX]; /* by the driver's index */
};

/* Of all drivers. Regions beyond BODY_REGIONS_MAX are taken for "none". */
void body_init(struct body *body, const struct drivers *drivers);

/* The set of regions of this name; 0, with the nearest one in diag, where there is none. */
uint64_t body_find(const struct body *body, const char *name, struct diag *diag);

/* The region that a device is on, BODY_NONE for none or where it is not known. */
uint8_t body_region(const struct body *body, const struct device *device);

/* What the dose of a region is measured in: the first kind's that doses one; NULL: none does. */
const struct lumbar_metric *body_intensity(const struct body *body, const struct drivers *drivers);

/* Does it work on somebody now? It runs; or lies on the skin, where it does not tell that it runs;
 * or speaks, where it tells neither. Values that are stale count as no. */
bool body_works(const struct body *body, const struct device *device, int64_t now_ms);

#endif
