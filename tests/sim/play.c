#include "play.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "applicator.h"
#include "base/log.h"
#include "clinic.h"
#include "run.h"
#include "wearable.h"

#define POSTURE_TO_MASSAGE 5 /* rows: a hand moves less quickly than a back */
#define PAST_STEPS         3000

/* A room with its two devices. */
struct ward {
    unsigned number;
    struct room room;
    struct wearable wearable;
    struct applicator applicator;
    struct device *posture, *massage;
    int64_t start_ms; /* of its first row */
    uint64_t row;     /* the next one */
};

struct clinic {
    const struct options *options;
    struct fleet *fleet;
    struct ward *wards;
    unsigned count;
};

static const struct fault *has(const struct clinic *clinic, const struct ward *ward, enum kind kind,
                               enum fault_what what, int64_t at_ms)
{
    const struct options *options = clinic->options;
    return fault_find(options->faults, options->fault_count, ward->number, kind, what, at_ms);
}

static void trouble(const struct clinic *clinic, const struct ward *ward, struct device *device,
                    int64_t at_ms)
{
    enum kind kind = device->kind;
    const struct fault *loss = has(clinic, ward, kind, FAULT_LOSS, at_ms);
    const struct fault *duplicates = has(clinic, ward, kind, FAULT_DUPLICATES, at_ms);
    const struct fault *clock = has(clinic, ward, kind, FAULT_CLOCK, at_ms);
    struct device_trouble now = {
        .silent = has(clinic, ward, kind, FAULT_SILENCE, at_ms) != NULL,
        .rebooting = has(clinic, ward, kind, FAULT_REBOOT, at_ms) != NULL,
        .reorder = has(clinic, ward, kind, FAULT_REORDER, at_ms) != NULL,
        .malformed = has(clinic, ward, kind, FAULT_MALFORMED, at_ms) != NULL,
        .loss = loss != NULL ? loss->value : 0,
        .duplicates = duplicates != NULL ? duplicates->value : 0,
        .clock_ms = clock != NULL ? (int64_t)(clock->value * 1000) : 0,
    };
    bool boots = device->trouble.rebooting && !now.rebooting;
    device_trouble(device, &now, boots ? fleet_boot_id() : 0);
}

static int battery(const struct clinic *clinic, const struct ward *ward, enum kind kind,
                   double level, int64_t at_ms)
{
    const struct fault *fault = has(clinic, ward, kind, FAULT_BATTERY, at_ms);
    return (int)lround(fault != NULL ? fault->value : level);
}

static void posture_row(struct clinic *clinic, struct ward *ward, int64_t at_ms, double dt_s)
{
    struct wearable *wearable = &ward->wearable;
    bool off = has(clinic, ward, KIND_POSTURE, FAULT_CONTACT, at_ms) != NULL;
    wearable_step(wearable, &ward->room, off, dt_s);
    struct batch_now now = batch_now_unknown();
    now.battery = battery(clinic, ward, KIND_POSTURE, wearable->battery, at_ms);
    now.rssi = (int)lround(wearable->rssi);
    now.contact = wearable->contact;
    now.slouch_s = (int64_t)wearable->firmware.slouch_s;
    now.sitting_s = (int64_t)wearable->firmware.sitting_s;
    if (wearable->range > 0)
        now.range = (int32_t)lround(wearable->range * 100);
    device_add_posture(ward->posture, ward->start_ms + at_ms, &wearable->measured,
                       wearable->firmware.posture, &now);
}

static void massage_row(struct clinic *clinic, struct ward *ward, int64_t at_ms, double dt_s)
{
    struct applicator *applicator = &ward->applicator;
    struct applicator_faults faults = {
        .off = has(clinic, ward, KIND_MASSAGE, FAULT_CONTACT, at_ms) != NULL,
        .overheat = has(clinic, ward, KIND_MASSAGE, FAULT_OVERHEAT, at_ms) != NULL,
        .stall = has(clinic, ward, KIND_MASSAGE, FAULT_STALL, at_ms) != NULL,
    };
    applicator_step(applicator, &ward->room, faults, dt_s);
    struct batch_now now = batch_now_unknown();
    now.battery = battery(clinic, ward, KIND_MASSAGE, applicator->battery, at_ms);
    now.rssi = (int)lround(applicator->rssi);
    now.contact = applicator->contact;
    now.state = (int)applicator->state;
    now.program = (int)applicator->program;
    now.region = (int)applicator->region;
    now.region_s = (int64_t)applicator->region_s;
    device_add_massage(ward->massage, ward->start_ms + at_ms, &applicator->measured,
                       applicator->fault, &now);
}

static void ward_row(struct clinic *clinic, struct ward *ward, int64_t at_ms)
{
    const struct options *options = clinic->options;
    double dt_s = options->speed / options->rate;
    uint64_t every = options->rate > POSTURE_TO_MASSAGE ? POSTURE_TO_MASSAGE : 1;
    room_step(&ward->room, dt_s);
    trouble(clinic, ward, ward->posture, at_ms);
    posture_row(clinic, ward, at_ms, dt_s);
    if (ward->row % every != 0)
        return;
    trouble(clinic, ward, ward->massage, at_ms);
    massage_row(clinic, ward, at_ms, dt_s * (double)every);
}

static bool on_advance(void *user, int64_t now_ms)
{
    struct clinic *clinic = user;
    for (unsigned i = 0; i < clinic->count; i++) {
        struct ward *ward = &clinic->wards[i];
        for (;;) {
            int64_t at_ms = (int64_t)((double)ward->row * 1000 / clinic->options->rate);
            if (ward->start_ms + at_ms > now_ms)
                break;
            ward_row(clinic, ward, at_ms);
            ward->row++;
        }
    }
    return true;
}

/* What was before the first row: counters, temperatures and poses are what they would be. */
static void run_past(struct ward *ward)
{
    const double dt_s = ROOM_PAST_S / PAST_STEPS;
    for (int i = 0; i < PAST_STEPS; i++) {
        room_step(&ward->room, dt_s);
        wearable_step(&ward->wearable, &ward->room, false, dt_s);
        applicator_step(&ward->applicator, &ward->room, (struct applicator_faults){0}, dt_s);
    }
}

static void open_ward(struct clinic *clinic, unsigned index, int64_t start_ms)
{
    const struct options *options = clinic->options;
    struct ward *ward = &clinic->wards[index];
    uint64_t seed = (uint64_t)options->seed;
    int64_t batch_ms = (int64_t)options->batch_ms;
    ward->number = index + 1;
    room_init(&ward->room, seed, ward->number);
    wearable_init(&ward->wearable, seed, ward->number);
    applicator_init(&ward->applicator, seed, ward->number);
    run_past(ward);
    /* Spread over a batch, so that not all devices speak at once. */
    ward->start_ms = start_ms + batch_ms * index / clinic->count;
    char name[16];
    snprintf(name, sizeof(name), "p-%02u", ward->number);
    ward->posture = fleet_add(clinic->fleet, KIND_POSTURE, name, POSTURE_HAS_ALL,
                              seed * 2000 + index * 2ull, batch_ms);
    snprintf(name, sizeof(name), "m-%02u", ward->number);
    ward->massage = fleet_add(clinic->fleet, KIND_MASSAGE, name, MASSAGE_HAS_ALL,
                              seed * 2000 + index * 2ull + 1, batch_ms);
}

int play_clinic(const struct options *options, struct diag *diag)
{
    struct clinic clinic = {.options = options, .count = (unsigned)options->rooms};
    clinic.wards = calloc(clinic.count, sizeof(*clinic.wards));
    if (clinic.wards == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for %u rooms", clinic.count);
    int result = fleet_create(&clinic.fleet, options, clinic.count * 2, diag);
    if (result == 0) {
        for (unsigned i = 0; i < clinic.count; i++)
            open_ward(&clinic, i, run_now_ms());
        result = fleet_start(clinic.fleet, diag);
    }
    if (result == 0) {
        struct show show = {.advance = on_advance, .user = &clinic};
        result = run_fleet(clinic.fleet, &show, options->seconds, options->verbose);
    }
    free(clinic.wards);
    return result;
}
