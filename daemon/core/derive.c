#include "core/derive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/derive_set.h"

#define AHEAD_MS 5000 /* a value from further ahead was told by a clock that was wrong */

void derive_destroy(struct derive *derive)
{
    if (derive == NULL)
        return;
    free(derive->list);
    free(derive->derived);
    free(derive->health);
    free(derive->news);
    free(derive);
}

uint32_t derive_count(const struct derive *derive)
{
    return derive->count;
}

static struct derived *derived_of(const struct derive *derive, const struct device *device,
                                  uint32_t place)
{
    return &derive->derived[(size_t)(device->id - 1) * derive->width + place -
                            derive->first[device->driver->index]];
}

static bool is_within(const struct derive *derive, const struct device *device)
{
    return device->id != 0 && device->id <= derive->max_devices;
}

bool derive_is_of(const struct derive *derive, const struct device *device)
{
    uint32_t driver = device->driver->index;
    return derive->first[driver] != derive->first[driver + 1];
}

void derive_put(struct derive *derive, const struct derivation *derivation, double value,
                int64_t time_ms, struct decoded *message)
{
    const struct lumbar_metric *metric = &derivation->metric;
    struct lumbar_batch *batch = &message->batch;
    uint32_t made = derive->made++, count = batch->series_count++;
    if (batch->series != derive->series && count > 0) {
        memcpy(derive->series, batch->series, count * sizeof(*derive->series));
        memcpy(derive->extents, message->extents, count * sizeof(*derive->extents));
    }
    batch->series = derive->series;
    message->extents = derive->extents;
    derive->values[made] = value < metric->min   ? metric->min
                           : value > metric->max ? metric->max
                                                 : value;
    /* Those of the same time share it, as the samples of a message do. */
    uint32_t shared = made > 0 && derive->times_ms[made - 1] == time_ms ? made - 1 : made;
    derive->times_ms[made] = time_ms;
    const int64_t *times =
        shared == made ? &derive->times_ms[made] : derive->series[count - 1].time_ms;
    derive->series[count] =
        (struct lumbar_series){derivation->index, 1, times, &derive->values[made]};
    derive->extents[count] = extent_of(&derive->series[count]);
}

/* ---- What a value is worth ---- */

static bool in_zone(const struct derivation *of, double value, double low, double high)
{
    switch (of->zone) {
    case ZONE_ABOVE:
        return value > high;
    case ZONE_BELOW:
        return value < low;
    case ZONE_WITHIN:
        return value >= low && value <= high;
    case ZONE_OUTSIDE:
        return value < low || value > high;
    case ZONE_IS:
        break;
    }
    return value == low;
}

static double worth(const struct derivation *of, double value)
{
    if (of->what == DERIVE_TIME)
        return in_zone(of, value, of->low, of->high);
    if (of->what != DERIVE_DOSE || value < of->from)
        return 0;
    return of->doubles > 0 ? exp2((value - of->at) / of->doubles) : value - of->from;
}

static void count(const struct derivation *of, struct derived *derived, double value)
{
    bool stays = derived->inside && of->zone != ZONE_IS;
    bool inside = stays ? in_zone(of, value, of->clear_low, of->clear_high)
                        : in_zone(of, value, of->low, of->high);
    derived->sum += inside && (!derived->inside || of->event);
    derived->inside = inside;
}

/* The value before held until now, unless it was stale before. */
static void take_value(const struct derivation *of, struct derived *derived, double value,
                       int64_t time_ms)
{
    int64_t dt_ms = derived->holds ? time_ms - derived->at_ms : 0;
    if (dt_ms > 0 && (of->holds_ms == 0 || dt_ms <= of->holds_ms))
        derived->sum += worth(of, derived->last) * (double)dt_ms * of->per_ms;
    derived->at_ms = time_ms;
    derived->holds = !isnan(value);
    if (!derived->holds)
        return;
    derived->last = value;
    if (of->what == DERIVE_COUNT)
        count(of, derived, value);
}

/* ---- A message ---- */

/* Another session, or phase, has begun, or none goes on. */
static bool begin_anew(const struct derivation *of, struct derived *derived,
                       const struct derive_session *session)
{
    uint32_t phase = of->reset == RESET_PHASE ? session->phase : 0;
    if (of->reset == RESET_NEVER || (derived->session == session->id && derived->phase == phase))
        return false;
    *derived = (struct derived){.at_ms = derived->at_ms, .session = session->id, .phase = phase};
    return true;
}

/* Since when samples count; INT64_MAX: they do not. */
static int64_t counts_from(const struct derivation *of, const struct derive_session *session)
{
    if (of->reset == RESET_NEVER)
        return INT64_MIN;
    if (session->id == 0)
        return INT64_MAX;
    return of->reset == RESET_PHASE ? session->phase_ms : session->began_ms;
}

static const struct lumbar_series *find_series(const struct lumbar_batch *batch, uint32_t metric)
{
    for (uint32_t i = 0; i < batch->series_count; i++)
        if (batch->series[i].metric == metric)
            return &batch->series[i];
    return NULL;
}

/* Accounts for its samples; false where all of them are older than what was accounted. */
static bool take_series(const struct derivation *of, struct derived *derived,
                        const struct lumbar_series *series, int64_t from_ms, int64_t offset_ms)
{
    if (series->time_ms[series->count - 1] + offset_ms < derived->at_ms)
        return false;
    for (uint32_t i = 0; i < series->count; i++) {
        int64_t time_ms = series->time_ms[i] + offset_ms;
        if (time_ms >= derived->at_ms && time_ms >= from_ms)
            take_value(of, derived, series->value[i], time_ms);
    }
    return true;
}

void derive_take(struct derive *derive, const struct device *device,
                 const struct derive_session *session, int64_t received_ms, int64_t offset_ms,
                 struct decoded *message)
{
    uint32_t driver = device->driver->index;
    derive->made = 0;
    if (!is_within(derive, device))
        return;
    for (uint32_t i = derive->first[driver]; i < derive->first[driver + 1]; i++) {
        const struct derivation *of = &derive->list[i];
        struct derived *derived = derived_of(derive, device, i);
        if (derive_is_health(of))
            continue;
        if (derived->at_ms > received_ms + AHEAD_MS) {
            derived->at_ms = 0;
            derived->holds = false;
        }
        const struct lumbar_series *series = find_series(&message->batch, of->source);
        bool anew = begin_anew(of, derived, session);
        bool taken =
            series != NULL && take_series(of, derived, series, counts_from(of, session), offset_ms);
        derive->news[device->id - 1] = derive->news[device->id - 1] || anew || taken;
        if (taken)
            derive_put(derive, of, isnan(series->value[series->count - 1]) ? NAN : derived->sum,
                       series->time_ms[series->count - 1], message);
        else if (anew)
            derive_put(derive, of, 0, received_ms - offset_ms, message);
    }
    if (derive->has_health[driver])
        derive_take_health(derive, device, received_ms, offset_ms, message);
}

void derive_clear(struct derive *derive)
{
    size_t devices = derive->max_devices;
    memset(derive->derived, 0, devices * derive->width * sizeof(*derive->derived));
    memset(derive->news, 0, devices * sizeof(*derive->news));
    if (derive->health != NULL)
        memset(derive->health, 0, devices * sizeof(*derive->health));
}

/* ---- Over a restart ---- */

static const char *const whats[] = {"time", "count", "dose"};

bool derive_has_news(struct derive *derive, const struct device *device)
{
    if (!is_within(derive, device) || !derive->news[device->id - 1])
        return false;
    derive->news[device->id - 1] = false;
    return true;
}

void derive_tell_all(struct derive *derive)
{
    for (uint32_t i = 0; derive != NULL && i < derive->max_devices; i++)
        derive->news[i] = true;
}

bool derive_keep(const struct derive *derive, const struct device *device, uint32_t place,
                 struct derive_kept *kept)
{
    uint32_t driver = device->driver->index;
    if (!is_within(derive, device))
        return false;
    for (uint32_t i = derive->first[driver]; i < derive->first[driver + 1]; i++) {
        const struct derivation *of = &derive->list[i];
        const struct derived *derived = derived_of(derive, device, i);
        if (derive_is_health(of) || place-- > 0)
            continue;
        *kept = (struct derive_kept){.name = of->name,
                                     .what = whats[of->what],
                                     .sum = derived->sum,
                                     .last = derived->last,
                                     .at_ms = derived->holds ? derived->at_ms : 0,
                                     .session = derived->session,
                                     .phase = derived->phase,
                                     .inside = derived->inside};
        return true;
    }
    return false;
}

bool derive_restore(struct derive *derive, const struct device *device,
                    const struct derive_kept *kept)
{
    uint32_t driver = device->driver->index;
    if (!is_within(derive, device))
        return false;
    for (uint32_t i = derive->first[driver]; i < derive->first[driver + 1]; i++) {
        const struct derivation *of = &derive->list[i];
        if (derive_is_health(of) || strcmp(of->name, kept->name) != 0 ||
            strcmp(whats[of->what], kept->what) != 0)
            continue;
        *derived_of(derive, device, i) = (struct derived){.sum = kept->sum,
                                                          .last = kept->last,
                                                          .at_ms = kept->at_ms,
                                                          .holds = kept->at_ms != 0,
                                                          .session = kept->session,
                                                          .phase = kept->phase,
                                                          .inside = kept->inside};
        return true;
    }
    return false;
}
