/* The health of a device as values: of the last minute, each ten seconds. */
#include "core/derive_set.h"

static struct health_mark mark_of(const struct device *device)
{
    struct health_mark mark = {.lost = device->lost,
                               .received = device->messages - device->duplicates};
    for (unsigned i = 0; i < REFUSED_COUNT_; i++)
        mark.refused += device->refused[i];
    return mark;
}

/* Of what was sent since `then`, in %. What came late after all is no longer lost. */
static double loss(const struct health_mark *then, const struct health_mark *now)
{
    double lost = now->lost > then->lost ? (double)(now->lost - then->lost) : 0;
    double received = (double)(now->received - then->received);
    return lost > 0 ? 100 * lost / (lost + received) : 0;
}

/* False: it is not known yet. */
static bool value_of(const struct derivation *of, const struct device *device,
                     const struct health *health, const struct health_mark *now, double *value)
{
    const struct health_mark *oldest =
        &health->marks[health->count < HEALTH_SLOTS ? 0 : health->next];
    switch (of->what) {
    case DERIVE_LOSS: /* one in a few seconds' messages says nothing yet */
        *value = loss(oldest, now);
        return health->count == HEALTH_SLOTS;
    case DERIVE_SKEW:
        *value = (double)device->skew_ms / 1000;
        return device->has_skew;
    default:
        *value = (double)(now->refused - oldest->refused);
        return health->count > 0;
    }
}

void derive_take_health(struct derive *derive, const struct device *device, int64_t received_ms,
                        int64_t offset_ms, struct decoded *message)
{
    uint32_t driver = device->driver->index;
    struct health *health = &derive->health[device->id - 1];
    if (health->told_ms != 0 && received_ms >= health->told_ms &&
        received_ms - health->told_ms < HEALTH_EACH_MS)
        return;
    struct health_mark now = mark_of(device);
    for (uint32_t i = derive->first[driver]; i < derive->first[driver + 1]; i++) {
        double value;
        if (derive_is_health(&derive->list[i]) &&
            value_of(&derive->list[i], device, health, &now, &value))
            derive_put(derive, &derive->list[i], value, received_ms - offset_ms, message);
    }
    health->told_ms = received_ms;
    health->marks[health->next] = now;
    health->next = (health->next + 1) % HEALTH_SLOTS;
    health->count += health->count < HEALTH_SLOTS;
}
