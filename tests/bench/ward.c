#include "ward.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "applicator.h"
#include "clinic.h"
#include "device.h"
#include "wearable.h"

#define EVERY      5 /* rows of posture, a massage row */
#define BATCH_MS   200
#define PAST_STEPS 3000

struct ward {
    struct room room;
    struct wearable wearable;
    struct applicator applicator;
    struct device posture, massage;
    uint64_t samples, states;
};

struct ward *ward_create(uint64_t seed, unsigned number, ward_send_cb *send, void *user)
{
    const double dt_s = ROOM_PAST_S / PAST_STEPS;
    char name[16];
    struct ward *ward = calloc(1, sizeof(*ward));
    if (ward == NULL)
        abort();
    room_init(&ward->room, seed, number);
    wearable_init(&ward->wearable, seed, number);
    applicator_init(&ward->applicator, seed, number);
    for (int i = 0; i < PAST_STEPS; i++) {
        room_step(&ward->room, dt_s);
        wearable_step(&ward->wearable, &ward->room, false, dt_s);
        applicator_step(&ward->applicator, &ward->room, (struct applicator_faults){0}, dt_s);
    }
    snprintf(name, sizeof(name), "p-%02u", number);
    device_init(&ward->posture, KIND_POSTURE, name, POSTURE_HAS_ALL, 7919 * seed * number, number,
                BATCH_MS, send, user);
    snprintf(name, sizeof(name), "m-%02u", number);
    device_init(&ward->massage, KIND_MASSAGE, name, MASSAGE_HAS_ALL, 104729 * seed * number, number,
                BATCH_MS, send, user);
    return ward;
}

void ward_destroy(struct ward *ward)
{
    device_fini(&ward->posture);
    device_fini(&ward->massage);
    free(ward);
}

static unsigned known(const double *values, unsigned count)
{
    unsigned known = 0;
    for (unsigned i = 0; i < count; i++)
        known += !isnan(values[i]);
    return known;
}

static void posture_row(struct ward *ward, int64_t at_ms)
{
    const struct wearable *wearable = &ward->wearable;
    const struct posture_angles *angles = &wearable->measured;
    struct batch_now now = batch_now_unknown();
    wearable_step(&ward->wearable, &ward->room, false, 1.0 / WARD_RATE);
    now.battery = (int)lround(wearable->battery);
    now.rssi = (int)lround(wearable->rssi);
    now.contact = wearable->contact;
    now.slouch_s = (int64_t)wearable->firmware.slouch_s;
    now.sitting_s = (int64_t)wearable->firmware.sitting_s;
    if (wearable->range > 0)
        now.range = (int32_t)lround(wearable->range * 100);
    device_add_posture(&ward->posture, at_ms, angles, wearable->firmware.posture, &now);
    ward->samples += known((const double[]){angles->flexion, angles->velocity, angles->trunk,
                                            angles->lateral, angles->rotation},
                           5);
    ward->states++;
}

static void massage_row(struct ward *ward, int64_t at_ms)
{
    const struct applicator *applicator = &ward->applicator;
    const struct massage_values *values = &applicator->measured;
    struct batch_now now = batch_now_unknown();
    applicator_step(&ward->applicator, &ward->room, (struct applicator_faults){0},
                    (double)EVERY / WARD_RATE);
    now.battery = (int)lround(applicator->battery);
    now.rssi = (int)lround(applicator->rssi);
    now.contact = applicator->contact;
    now.state = (int)applicator->state;
    now.program = (int)applicator->program;
    now.region = (int)applicator->region;
    now.region_s = (int64_t)applicator->region_s;
    device_add_massage(&ward->massage, at_ms, values, applicator->fault, &now);
    ward->samples += known((const double[]){values->pressure, values->force, values->frequency,
                                            values->amplitude, values->skin, values->surface,
                                            values->current, values->motor},
                           8);
}

/* The hub confirms each 2 s, as it does by default. */
static void acknowledge(struct device *device, int64_t now_ms)
{
    outbox_ack(&device->outbox, device->outbox.boot_id, device->outbox.next - 1, now_ms);
}

void ward_row(struct ward *ward, int64_t row, int64_t at_ms)
{
    room_step(&ward->room, 1.0 / WARD_RATE);
    posture_row(ward, at_ms);
    if (row % EVERY == 0)
        massage_row(ward, at_ms);
    device_pump(&ward->posture, at_ms, false);
    device_pump(&ward->massage, at_ms, false);
    if (row % (2 * WARD_RATE) == 0) {
        acknowledge(&ward->posture, at_ms);
        acknowledge(&ward->massage, at_ms);
    }
}

uint64_t ward_samples(const struct ward *ward)
{
    return ward->samples;
}

uint64_t ward_states(const struct ward *ward)
{
    return ward->states;
}
