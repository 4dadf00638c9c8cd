/*
 * Ingest: the way of one message, from its bytes to the samples, the feed, the history and the
 * alarms.
 *
 * The daemon, the bench, the fuzzer and any replay go through the same function. It allocates
 * nothing for a message (a device that is heard for the first time gets its plugin's state).
 * Pure: time is given; what is to be said, published or kept goes out through the callbacks.
 */
#ifndef LUMBAR_CORE_INGEST_H
#define LUMBAR_CORE_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alarms.h"
#include "core/calibration.h"
#include "core/config.h"
#include "core/derive.h"
#include "core/feed.h"
#include "core/history.h"
#include "core/pauses.h"
#include "core/placements.h"
#include "core/routes.h"
#include "core/sessions.h"
#include "core/suppressed.h"

#define INGEST_COMMAND_MS 1000 /* between two commands to one device */

enum ingest_result {
    INGEST_USED,     /* decoded, its samples are in */
    INGEST_REPEATED, /* decoded and known already */
    INGEST_REFUSED,  /* cannot be used; on_refused was called */
};

struct ingest_message {
    const char *topic; /* not terminated */
    size_t topic_bytes;
    const uint8_t *payload;
    size_t payload_bytes;
    int64_t received_ms; /* hub time */
    uint64_t position;   /* in the spool */
    bool used; /* by a run before: what is known now may not tell why, but history takes it */
};

/* What the messages go through; all of it borrowed. The daemon may exchange config and rules
 * between two messages. */
struct ingest {
    const struct config *config; /* rooms; NULL: none */
    struct drivers *drivers;
    struct devices *devices;
    struct routes *routes; /* of these devices */
    struct derive *derive; /* NULL: nothing is derived */
    struct rules *rules;
    struct alarms *alarms;
    const struct pauses *pauses;       /* NULL: nothing is ever paused */
    struct suppressions *suppressions; /* NULL: they are not kept */
    struct feed *feed;
    struct history *history; /* NULL: nothing is gathered */
    bool clock_in_doubt;     /* the hub's own: nobody's skew is spoken of (ingest_doubt_clock) */
    bool quiet; /* stored already: rules learn what is, sessions know it; nothing comes of it */
    struct sessions *sessions;            /* NULL: none */
    const struct derive_session *session; /* of all devices; NULL: as `sessions` has it */
    struct calibration *calibration;      /* NULL: none */
    const struct placements *placements;  /* NULL: devices are where they are configured */

    void *user;
    /* Has a message like this one killed the hub, so that it must not be decoded? NULL: none has.
     */
    bool (*is_condemned)(void *user, const struct ingest_message *message);
    /* An alarm changed; NULL: nobody is told. */
    void (*on_alarm)(void *user, const struct alarm *alarm);
    /* What it is about has become worse, which is no change of its state. NULL: nobody is told. */
    void (*on_worse)(void *user, const struct alarm *alarm);
    /* A rule found something, and there was no room left to keep it: it waits for a place. */
    void (*on_overflow)(void *user, const struct rule_event *event);
    /* The message cannot be used. device: NULL where it is not known, or there is no room for it.
     * reason: a few words. */
    void (*on_refused)(void *user, struct device *device, enum refusal refusal, const char *reason,
                       const struct ingest_message *message);

    /* Publishes what a plugin wants said to its device. False: it could not. NULL: nobody does. */
    bool (*on_command)(void *user, const struct device *device, const char *leaf,
                       const uint8_t *command, size_t bytes);

    struct device *heard; /* whose the last message was; NULL: nobody's that is known */
    int64_t heard_ms;     /* hub time of its newest sample; 0: it had none */
    bool accounted;       /* device_account() was told of it */
    unsigned missing; /* it came again, for this was not kept (enum device_missing); 0: it is new */
    bool held;        /* its sender holds it until it is acknowledged */
    uint64_t messages, refused; /* counters since start */
    uint32_t alarms_waiting; /* what is on, and found no place among the alarms; as of the tick */
};

/* Takes one message; hub time is now_ms. */
enum ingest_result ingest_take(struct ingest *ingest, const struct ingest_message *message,
                               int64_t now_ms);

/* Hub time is not what a wall clock should say now, or is again. */
void ingest_doubt_clock(struct ingest *ingest, bool in_doubt);

/* Delays, absence, and alarms that waited for a place; call every 250 ms or so. */
void ingest_tick(struct ingest *ingest, int64_t now_ms);

/* Puts every known device where it was placed, or the configuration wants it, and makes those that it names known
 * before they speak. Complains of the first device whose kind no plugin has, or that finds no
 * room in the table, and goes on with the others. */
int ingest_assign(struct ingest *ingest, struct diag *diag);

/* Would ingest_assign() have nothing to complain of, where these devices are known (NULL: none)?
 * Complains with the place in the file. */
int ingest_check(const struct config *config, const struct drivers *drivers,
                 struct devices *devices, struct diag *diag);

/* The driver of a configured device, "posture/p-01"; NULL if no plugin has the kind. */
const struct driver *ingest_driver_of(const struct drivers *drivers, const char *device);

#endif
