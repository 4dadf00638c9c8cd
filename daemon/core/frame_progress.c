/* How far a room's treatment is: regions of the body with dose against plan, own ranges. */
#include "core/frame_wire.h"

#include <math.h>

typedef Lumbar__Live__V1__Progress__Region Region;
typedef Lumbar__Live__V1__Progress__Own Own;

/* The number of the metric that doses are measured in; -1: none is. */
static int64_t intensity_of(const struct frame_world *world, const struct body *body)
{
    for (uint32_t i = 0; i < world->drivers->count; i++)
        if (body->kinds[i].intensity >= 0)
            return (int64_t)world->drivers->list[i].first_metric + body->kinds[i].intensity;
    return -1;
}

/* The regions that devices of the session work on now. */
static uint64_t regions_now(const struct frame_world *world, const struct session *session,
                            const struct body *body, int64_t now_ms)
{
    uint64_t set = 0;
    for (uint32_t i = 0; i < session->device_count; i++) {
        const struct device *device = devices_at(world->devices, session->devices[i].device);
        if (session->devices[i].to_ms != 0 || device == NULL)
            continue;
        uint8_t region = body_region(body, device);
        if (region != BODY_NONE && body_works(body, device, now_ms))
            set |= UINT64_C(1) << region;
    }
    return set;
}

static void fill_region(Region *out, const struct session *session, uint32_t region,
                        int64_t intensity)
{
    const struct session_dose *dose = &session->doses[region];
    out->has_target = out->has_planned_ms = out->has_time_ms = 1;
    out->target = (session->plan.regions >> region & 1) != 0;
    out->planned_ms = (uint32_t)session_planned_ms(session, region);
    out->time_ms = (uint32_t)dose->time_ms;
    if (intensity < 0 || dose->time_ms == 0)
        return;
    out->has_metric = out->has_mean = 1;
    out->metric = (uint32_t)intensity;
    out->mean = dose->intensity_ms / (double)dose->time_ms;
}

/* False: the arena is used up. */
static bool add_regions(Lumbar__Live__V1__Progress *out, struct lumbar_scratch *arena,
                        const struct frame_world *world, const struct session *session,
                        int64_t now_ms)
{
    const struct body *body = sessions_body(world->sessions);
    int64_t intensity = intensity_of(world, body);
    uint64_t now =
        session->state == SESSION_RUNNING ? regions_now(world, session, body, now_ms) : 0;
    out->regions = lumbar_scratch_alloc(arena, BODY_REGIONS_MAX * sizeof(Region *));
    for (uint32_t i = 0; out->regions != NULL && i < body->count; i++) {
        bool told = (now >> i & 1) != 0 || (session->plan.regions >> i & 1) != 0 ||
                    session->doses[i].time_ms > 0 || session_planned_ms(session, i) > 0;
        Region *region = told ? lumbar_scratch_alloc(arena, sizeof(*region)) : NULL;
        if (!told)
            continue;
        if (region == NULL)
            return false;
        lumbar__live__v1__progress__region__init(region);
        region->name = (char *)(uintptr_t)body->regions[i];
        fill_region(region, session, i, intensity);
        region->has_now = 1;
        region->now = (now >> i & 1) != 0;
        out->regions[out->n_regions++] = region;
    }
    return out->regions != NULL;
}

/* Not those of one region only. */
static bool add_own(Lumbar__Live__V1__Progress *out, struct lumbar_scratch *arena,
                    const struct client *client)
{
    out->own = lumbar_scratch_alloc(arena, CLIENT_OWN_MAX * sizeof(Own *));
    for (uint32_t i = 0; out->own != NULL && i < client->own_count; i++) {
        const struct client_own *own = &client->own[i];
        if (own->regions != 0)
            continue;
        Own *told = lumbar_scratch_alloc(arena, sizeof(*told));
        if (told == NULL)
            return false;
        lumbar__live__v1__progress__own__init(told);
        told->has_metric = 1;
        told->metric = own->metric;
        told->has_low = !isnan(own->low);
        told->low = own->low;
        told->has_high = !isnan(own->high);
        told->high = own->high;
        out->own[out->n_own++] = told;
    }
    return out->own != NULL;
}

bool frame_put_progress(struct wire *wire, struct lumbar_scratch arena,
                        const struct frame_world *world, uint32_t room, int64_t now_ms)
{
    const struct session *session = sessions_at(world->sessions, room);
    Lumbar__Live__V1__Progress out = LUMBAR__LIVE__V1__PROGRESS__INIT;
    out.has_session = 1;
    out.session = session->id;
    return add_regions(&out, &arena, world, session, now_ms) &&
           add_own(&out, &arena, &session->client) &&
           wire_put(wire, WIRE_FRAME_PROGRESS, &out.base);
}
