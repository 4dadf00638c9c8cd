/* What is accounted while a session runs: time in each band, and dose by region of the body. */
#include <string.h>

#include "core/sessions_set.h"

/* ---- What is looked at ---- */

static void watch(struct held *held, uint32_t driver, uint32_t metric)
{
    held->watched[driver][metric / 64] |= UINT64_C(1) << metric % 64;
}

void session_watch(const struct sessions *sessions, struct held *held)
{
    memset(held->watched, 0, sizeof(held->watched));
    for (uint32_t i = 0; i < held->session.plan.band_count; i++) {
        const struct driver *driver;
        uint32_t metric = held->session.plan.bands[i].metric;
        if (drivers_metric(sessions->drivers, metric, &driver) != NULL)
            watch(held, driver->index, metric - driver->first_metric);
    }
    for (uint32_t i = 0; i < sessions->drivers->count; i++) {
        const struct body_kind *kind = &sessions->body->kinds[i];
        if (kind->region >= 0)
            watch(held, i, (uint32_t)(kind->intensity >= 0 ? kind->intensity : kind->region));
    }
}

void session_forget_device(struct session *session, uint32_t device)
{
    for (uint32_t i = 0; i < session->plan.band_count; i++)
        if (session->bands[i].device == device) {
            session->bands[i].device = 0;
            session->bands[i].at_ms = 0;
        }
}

void session_break(struct session *session)
{
    for (uint32_t i = 0; i < session->plan.band_count; i++)
        session->bands[i].at_ms = 0;
}

/* ---- Bands ---- */

/* -1 below, 0 within, 1 above. */
static int side(const struct plan_band *band, double value)
{
    return value < band->low ? -1 : value > band->high ? 1 : 0;
}

static void account_value(struct session_band *account, const struct plan_band *band,
                          int64_t time_ms, double value, int64_t holds_ms)
{
    int64_t dt_ms = account->at_ms != 0 ? time_ms - account->at_ms : 0;
    int was = account->at_ms != 0 ? side(band, account->value) : 0, is = side(band, value);
    if (dt_ms > 0 && dt_ms <= holds_ms) /* the value before held until now */
        *(was < 0   ? &account->below_ms
          : was > 0 ? &account->above_ms
                    : &account->within_ms) += dt_ms;
    if (is != 0 && (account->at_ms == 0 || was == 0))
        account->excursions++;
    account->at_ms = time_ms;
    account->value = value;
}

static struct session_device *assigned_of(struct session *session, uint32_t device)
{
    for (uint32_t i = session->device_count; i-- > 0;)
        if (session->devices[i].device == device)
            return &session->devices[i];
    return NULL;
}

/* A device that came delivers what it held back elsewhere: only what is of its stay here counts. */
static int64_t counts_from_ms(const struct session *session, const struct session_device *assigned)
{
    return assigned->from_ms > session->resumed_ms ? assigned->from_ms : session->resumed_ms;
}

/* A series of a device, and what is needed to account it. */
struct heard {
    const struct device *device;
    struct session_device *assigned;
    const struct lumbar_series *series;
    uint8_t region;
    uint32_t phase;
    int64_t offset_ms, from_ms, until_ms; /* what was measured outside of these is not of it */
    int64_t after_ms;                     /* up to here its bands have accounted for it already */
};

static void account_band(struct session *session, uint32_t index, const struct heard *heard)
{
    const struct device *device = heard->device;
    const struct lumbar_series *series = heard->series;
    struct session_band *account = &session->bands[index];
    const struct plan_band *band = &session->plan.bands[index];
    int64_t holds_ms = metric_stale_ms(&device->driver->metrics[series->metric]);
    account->device = device->id;
    for (uint32_t i = 0; i < series->count; i++) {
        int64_t time_ms = series->time_ms[i] + heard->offset_ms;
        if (time_ms < heard->from_ms || time_ms >= heard->until_ms || time_ms <= heard->after_ms ||
            time_ms <= account->at_ms)
            continue;
        if (isnan(series->value[i]))
            account->at_ms = 0;
        else
            account_value(account, band, time_ms, series->value[i], holds_ms);
    }
}

/* Does the band count for this device, where it is now? */
static bool applies(const struct session_band *account, const struct plan_band *band,
                    const struct heard *heard)
{
    const uint8_t region = heard->region;
    return (band->phase == PLAN_ANY_PHASE || band->phase == heard->phase) &&
           (account->device == 0 || account->device == heard->device->id) &&
           (band->regions == 0 || (region != BODY_NONE && (band->regions >> region & 1) != 0));
}

static void account_bands(struct session *session, const struct heard *heard)
{
    const struct device *device = heard->device;
    uint32_t metric = device->driver->first_metric + heard->series->metric;
    for (uint32_t i = 0; i < session->plan.band_count; i++) {
        const struct plan_band *band = &session->plan.bands[i];
        struct session_band *account = &session->bands[i];
        if (band->metric != metric)
            continue;
        if (applies(account, band, heard))
            account_band(session, i, heard);
        else if (account->device == device->id)
            account->at_ms = 0; /* what comes when it applies again follows nothing */
    }
}

/* ---- Dose ---- */

static bool is_running(const struct body_kind *kind, const struct device *device)
{
    return kind->state < 0 || device->values[kind->state].value == kind->running;
}

/* Each value counts since the one before it, where that is not stale. */
static void account_dose(struct session *session, const struct heard *heard,
                         const struct body_kind *kind)
{
    const struct device *device = heard->device;
    const struct lumbar_series *series = heard->series;
    struct session_device *assigned = heard->assigned;
    const uint8_t region = heard->region;
    int64_t holds_ms = metric_stale_ms(&device->driver->metrics[series->metric]);
    bool counts = region != BODY_NONE && is_running(kind, device);
    bool measured = kind->intensity >= 0;
    for (uint32_t i = 0; i < series->count; i++) {
        int64_t time_ms = series->time_ms[i] + heard->offset_ms;
        if (time_ms < heard->from_ms || time_ms >= heard->until_ms || time_ms <= assigned->dosed_ms)
            continue;
        int64_t dt_ms = time_ms - assigned->dosed_ms;
        if (counts && assigned->dosed_ms >= heard->from_ms && dt_ms <= holds_ms) {
            session->doses[region].time_ms += dt_ms;
            if (measured && !isnan(series->value[i]))
                session->doses[region].intensity_ms += series->value[i] * (double)dt_ms;
        }
        assigned->dosed_ms = time_ms;
    }
}

static int64_t oldest_ms(const struct lumbar_batch *batch, int64_t offset_ms)
{
    int64_t oldest = INT64_MAX;
    for (uint32_t i = 0; i < batch->series_count; i++)
        if (batch->series[i].count > 0 && batch->series[i].time_ms[0] + offset_ms < oldest)
            oldest = batch->series[i].time_ms[0] + offset_ms;
    return oldest;
}

static int64_t newest_ms(const struct lumbar_batch *batch, int64_t offset_ms)
{
    int64_t newest = 0;
    for (uint32_t i = 0; i < batch->series_count; i++) {
        const struct lumbar_series *series = &batch->series[i];
        if (series->count > 0 && series->time_ms[series->count - 1] + offset_ms > newest)
            newest = series->time_ms[series->count - 1] + offset_ms;
    }
    return newest;
}

/* All series of a message that the session looks at. */
static void account_all(struct sessions *sessions, struct held *held,
                        const struct lumbar_batch *batch, struct heard *heard)
{
    const struct driver *driver = heard->device->driver;
    const struct body_kind *kind = &sessions->body->kinds[driver->index];
    const int32_t dosed = kind->region < 0       ? -1
                          : kind->intensity >= 0 ? kind->intensity
                                                 : kind->region;
    heard->region = body_region(sessions->body, heard->device);
    for (uint32_t s = 0; s < batch->series_count; s++) {
        const struct lumbar_series *series = &batch->series[s];
        if ((held->watched[driver->index][series->metric / 64] >> series->metric % 64 & 1) == 0)
            continue;
        heard->series = series;
        account_bands(&held->session, heard);
        if ((int32_t)series->metric == dosed)
            account_dose(&held->session, heard, kind);
    }
    int64_t newest = newest_ms(batch, heard->offset_ms);
    newest = newest < heard->until_ms ? newest : heard->until_ms - 1;
    if (dosed < 0 && newest >= heard->from_ms && newest > heard->assigned->dosed_ms)
        heard->assigned->dosed_ms = newest; /* else its dose keeps it */
}

/* ---- What was measured before the device came to where it is now ---- */

static uint32_t phase_at(const struct session *session, int64_t at_ms)
{
    for (uint32_t i = session->plan.phase_count; i-- > 0;)
        if (session->phases[i].began_ms != 0 && session->phases[i].began_ms <= at_ms)
            return i;
    return session->plan.phase_count;
}

/* Of one stay that is over. What it has accounted already is not told from what was missing but by
 * its time, so only what is newer counts. */
static void account_stay(struct sessions *sessions, struct held *held, struct session_device *stay,
                         const struct device *device, const struct lumbar_batch *batch,
                         int64_t offset_ms)
{
    struct session *session = &held->session;
    int64_t until_ms =
        session->ended_ms != 0 && session->ended_ms < stay->to_ms ? session->ended_ms : stay->to_ms;
    int64_t from_ms = counts_from_ms(session, stay), newest = newest_ms(batch, offset_ms);
    newest = newest < until_ms ? newest : until_ms - 1;
    if (oldest_ms(batch, offset_ms) >= until_ms || newest < from_ms || newest <= stay->dosed_ms)
        return;
    struct heard heard = {.device = device,
                          .assigned = stay,
                          .phase = phase_at(session, newest),
                          .offset_ms = offset_ms,
                          .from_ms = from_ms,
                          .until_ms = until_ms,
                          .after_ms = stay->dosed_ms};
    account_all(sessions, held, batch, &heard);
    session->late = true;
}

static void account_late(struct sessions *sessions, const struct device *device,
                         const struct lumbar_batch *batch, int64_t offset_ms)
{
    for (uint32_t room = 1; room <= CONFIG_ROOMS_MAX; room++) {
        struct held *held = sessions->rooms[room];
        if (held == NULL || held->session.started_ms == 0)
            continue;
        for (uint32_t i = 0; i < held->session.device_count; i++) {
            struct session_device *stay = &held->session.devices[i];
            if (stay->device == device->id && stay->to_ms != 0)
                account_stay(sessions, held, stay, device, batch, offset_ms);
        }
    }
}

bool sessions_take_late(struct sessions *sessions, uint32_t room)
{
    struct session *session = session_of_room(sessions, room);
    bool late = session != NULL && session->late;
    if (late)
        session->late = false;
    return late;
}

void sessions_touch(struct sessions *sessions, const struct device *device,
                    const struct lumbar_batch *batch, int64_t offset_ms)
{
    if (device->id > sessions->devices_max)
        return;
    if (oldest_ms(batch, offset_ms) < sessions->left_ms[device->id])
        account_late(sessions, device, batch, offset_ms);
    uint32_t room = sessions->of_device[device->id];
    if (room == 0 || sessions->rooms[room]->session.state != SESSION_RUNNING)
        return;
    struct session *session = &sessions->rooms[room]->session;
    struct heard heard = {.device = device,
                          .assigned = assigned_of(session, device->id),
                          .phase = session->phase,
                          .offset_ms = offset_ms,
                          .until_ms = INT64_MAX};
    if (heard.assigned == NULL)
        return;
    heard.from_ms = counts_from_ms(session, heard.assigned);
    account_all(sessions, sessions->rooms[room], batch, &heard);
}

int64_t session_planned_ms(const struct session *session, uint32_t region)
{
    int64_t planned_ms = 0;
    for (uint32_t i = 0; i < session->plan.phase_count; i++) {
        const struct plan_phase *phase = &session->plan.phases[i];
        if ((phase->regions >> region & 1) != 0)
            planned_ms += phase->time_ms / __builtin_popcountll(phase->regions);
    }
    return planned_ms;
}

const struct body *sessions_body(const struct sessions *sessions)
{
    return sessions->body;
}

/* ---- What rules ask ---- */

static const struct session *running_in(const struct sessions *sessions, uint32_t room)
{
    const struct session *session = session_of_room(sessions, room);
    return session != NULL && session->state == SESSION_RUNNING ? session : NULL;
}

const char *sessions_phase(const struct sessions *sessions, uint32_t room)
{
    const struct session *session = running_in(sessions, room);
    return session != NULL && session->phase < session->plan.phase_count
               ? plan_kind_name(session->plan.phases[session->phase].kind)
               : NULL;
}

bool sessions_limit(const struct sessions *sessions, uint32_t room, uint32_t metric, double *low,
                    double *high)
{
    const struct session *session = running_in(sessions, room);
    *low = *high = NAN;
    for (uint32_t i = 0; session != NULL && i < session->plan.band_count; i++) {
        const struct plan_band *band = &session->plan.bands[i];
        if (band->metric != metric || band->target || band->regions != 0 ||
            (band->phase != PLAN_ANY_PHASE && band->phase != session->phase))
            continue;
        *low = fmax(*low, band->low); /* of a number and NaN: the number */
        *high = fmin(*high, band->high);
    }
    return !isnan(*low) || !isnan(*high);
}

bool sessions_own(const struct sessions *sessions, uint32_t room, uint32_t metric, double *low,
                  double *high)
{
    const struct session *session = running_in(sessions, room);
    struct client_own own = {.low = NAN, .high = NAN};
    bool found =
        session != NULL && client_find_own(&session->client, metric, 0, 0, INT64_MAX, &own);
    *low = own.low;
    *high = own.high;
    return found;
}
