/*
 * What of a device's accounting is kept over a restart: its numbering, and its clock.
 *
 * A ring that was lapped or lost tells no repeat from what is new. So the store keeps, in the
 * transaction that holds what was made of the messages, which sequences of which boot those were;
 * what a device sends again after a crash is recognised by it, however much came in between. The
 * clock's offset is kept as well: a buffer that is emptied after the restart lands at its times.
 * Pure; nothing is allocated.
 */
#ifndef LUMBAR_CORE_ACCOUNT_KEPT_H
#define LUMBAR_CORE_ACCOUNT_KEPT_H

#include "core/devices.h"

#define KEPT_BOOTS      2
#define KEPT_RUNS_MAX   (DEVICE_WINDOW / 2)
#define KEPT_MISSED_MAX 16

/* Sequences from one to another, both of them. */
struct kept_run {
    uint64_t from, to;
};

struct kept_boot {
    uint64_t id;
    uint64_t first, newest;
    uint64_t whole; /* all up to here were seen, or are no longer held by the device */
    uint64_t safe;  /* up to here it may be acknowledged, once all that was accounted is on disk */
    bool has_clock;
    int64_t offset_ms, received_ms, now_ms; /* as in account.h */
    uint32_t run_count;
    uint32_t missed_count;
    struct kept_missed {
        struct kept_run of;
        unsigned what;                   /* enum device_missing */
    } missed[KEPT_MISSED_MAX];           /* seen, and not kept */
    struct kept_run runs[KEPT_RUNS_MAX]; /* that were seen, of the DEVICE_WINDOW newest */
};

/* Has something been accounted since device_keep_done()? */
bool device_has_news(const struct device *device);
void device_keep_done(struct device *device);
void device_keep_anew(struct device *device); /* all of it counts as new */

/* Boot `number` of the device, from 0, the newest first. False: there is no such. */
bool device_keep(const struct device *device, unsigned number, struct kept_boot *kept);

/* Is it one that could have been kept? */
bool kept_is_possible(const struct kept_boot *kept);

/* Adds what was kept to what is known; boots as device_keep() gave them. Everything in them is on
 * disk, so the device is acknowledged it, whether it says something or not. */
void device_restore(struct device *device, const struct kept_boot *boots, unsigned count);

#endif
