/*
 * Devices: who was heard, its accounting, its newest values.
 *
 * A device appears when it is first heard with something that can be used, and stays. Its boot id
 * and sequence tell loss, repeats and order; its clock is mapped to hub time. Availability follows
 * from the age of each value (driver.h), so there is no timer a device.
 * Memory: sized at create for `max` devices; values and plugin state are allocated when a device is
 * first heard, nothing for a message. A table that is full refuses new devices and counts them.
 * Pure: time is given.
 */
#ifndef LUMBAR_CORE_DEVICES_H
#define LUMBAR_CORE_DEVICES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "core/driver.h"

#define DEVICE_NAME_BYTES 64
#define DEVICE_WINDOW     1024 /* sequences below the newest in which a repeat is recognised */
#define ROOM_NONE         0u   /* rooms are numbered from 1 */

struct device_value {
    double value;    /* the newest that was one; NaN before the first */
    int64_t time_ms; /* of it, in hub time, so a sensor that says nothing grows old; 0: never */
};

/* Why a message could not be used, for counters and for one line a minute each. */
enum refusal {
    REFUSED_MALFORMED,  /* the plugin could not decode it */
    REFUSED_RATE,       /* the device sends more than it may */
    REFUSED_QUARANTINE, /* its decoding killed the hub */
    REFUSED_COUNT_
};

struct device {
    uint32_t id; /* from 1; index + 1 */
    char name[DEVICE_NAME_BYTES];
    const struct driver *driver;
    uint32_t room;               /* ROOM_NONE: not assigned */
    void *state;                 /* the plugin's */
    struct device_value *values; /* one a metric of the driver */

    uint64_t change; /* devices_change() when it was new or moved; for the page */
    uint64_t news;   /* feed position after its newest samples, kept by feed_push() */

    int64_t heard_ms;  /* hub time */
    uint64_t messages; /* decoded, repeats among them */
    uint64_t lost, duplicates, late;
    uint64_t boots; /* starts seen, the first among them */
    uint64_t clock_jumps, out_of_range;
    uint64_t commands, commands_refused; /* that its plugin wanted said to it */
    int64_t commanded_ms;                /* hub time; 0: never */
    uint64_t refused[REFUSED_COUNT_];
    struct log_limit complaint[REFUSED_COUNT_];
    bool has_skew;
    int64_t skew_ms; /* hub's clock less the device's */

    struct device_account *account; /* boot, window, clock, rate, ack: account.h */
};

/* What the accounting says of a message. */
enum device_verdict {
    DEVICE_NEW,       /* use it */
    DEVICE_DUPLICATE, /* seen already: count it, use nothing */
    DEVICE_WANTED,    /* seen already, but something of it is not kept: device_missing() */
};

/* Where a message is not kept that should be. */
enum device_missing { MISSING_HISTORY = 1, MISSING_TAPE = 2 };
#define DEVICE_MISSED_MAX 16 /* spans of them, of one boot */

struct devices;

struct devices *devices_create(uint32_t max, uint32_t rate_per_s); /* NULL: no memory */
void devices_destroy(struct devices *devices);

uint32_t devices_count(const struct devices *devices);
uint64_t devices_refused(const struct devices *devices); /* new ones, because the table was full */
struct device *devices_at(struct devices *devices, uint32_t id); /* 1..count */

/* Grows with each device that is new, moved or whose counters were published. */
uint64_t devices_change(const struct devices *devices);
void devices_touch(struct devices *devices, struct device *device); /* counters changed: publish */

/* The device of this driver and name (a label, checked by topic_parse); new if need be. NULL where
 * the table is full. */
struct device *devices_hear(struct devices *devices, const struct driver *driver, const char *name,
                            size_t name_bytes);
struct device *devices_find(struct devices *devices, const struct driver *driver, const char *name,
                            size_t name_bytes);

/* Told of each device that becomes known from now on, before anything is accounted of it. */
typedef void devices_new_cb(void *user, struct device *device);
void devices_tell(struct devices *devices, devices_new_cb *on_new, void *user);

/* The hub heard nothing for so long before it started: a silence of each device not yet heard. */
void devices_set_away(struct devices *devices, int64_t away_ms);

/* Puts it into a room (ROOM_NONE: out of any). */
void devices_assign(struct devices *devices, struct device *device, uint32_t room);

/* May it speak now? A token bucket of rate_per_s with a burst of 2 s; after a silence, of as much
 * as it could have said meanwhile (an hour's at most), for what broker or device kept comes at
 * once. */
#define DEVICES_SILENCE_MAX_MS INT64_C(3600000)
bool device_admit(struct device *device, int64_t now_ms, struct devices *devices);

/* Accounts for a decoded message received at received_ms (hub time) whose spool record begins at
 * `position`, which grows from message to message. `offset_ms` is what is to be added to the
 * batch's times to have hub time. */
enum device_verdict device_account(struct device *device, const struct lumbar_batch *batch,
                                   int64_t received_ms, uint64_t position, int64_t *offset_ms);

/* Of the message that device_account() was last told of something could not be kept (enum
 * device_missing): its device is not acknowledged it, and when it comes again it is wanted. */
void device_miss(struct device *device, unsigned what);
unsigned device_missing(const struct device *device); /* of that message, which came again */

/* Spans of such messages: the most that one device has, of DEVICE_MISSED_MAX in each of its boots,
 * and how many found no place: those stay a gap, though their device may have them still. */
struct devices_missed {
    unsigned most;
    uint64_t given_up;
};
void devices_missed(struct devices *devices, struct devices_missed *out);

/* Is what it said before the start known from the store, and not only from what the ring holds? */
bool device_is_restored(const struct device *device);

/* Keeps the newest value of each series; call it after device_account(). A kept value from the
 * future (a clock was wrong when it came) gives way to any. */
void device_note(struct device *device, const struct lumbar_batch *batch, int64_t offset_ms);

/* The state of a value: how old it is against its metric's period. */
enum freshness { FRESH, STALE, OFFLINE };
enum freshness device_freshness(const struct device *device, uint32_t metric, int64_t now_ms);

/* Is nothing heard that should be? Of what it measures, and has told, all is offline. */
bool device_is_gone(const struct device *device, int64_t now_ms);

/* Calls for each device whose acknowledgement is due: the records of everything up to `sequence` of
 * `boot_id` begin below the spool position `synced` and are on disk, or are lost and no longer held
 * by the device. At most once each interval and boot, and again when repeats show that the last one
 * was lost; soon again where on_ack says that it could not be sent. A device that holds nothing is
 * owed nothing.
 *
 * `synced`, `lost`: of one call of spool_synced(). Records below `lost` that were not below
 * `synced` in the call before may never have come to the disk: the device that sent one is
 * acknowledged nothing more before it has sent again whatever it holds. */
typedef bool devices_ack_cb(void *user, const struct device *device, uint64_t boot_id,
                            uint64_t sequence);
void devices_acks(struct devices *devices, uint64_t synced, uint64_t lost, int64_t now_ms,
                  int64_t interval_ms, devices_ack_cb *on_ack, void *user);

#endif
