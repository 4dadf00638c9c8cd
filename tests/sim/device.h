/*
 * A device as the network sees it: rows into batches, batches into its outbox, from there to the
 * wire, with the troubles that a fault asks for. Pure: time is given, sending is a callback.
 */
#ifndef LUMBAR_SIM_DEVICE_H
#define LUMBAR_SIM_DEVICE_H

#include "batch.h"
#include "faults.h"
#include "outbox.h"
#include "prng.h"

#define DEVICE_TOPIC_BYTES 128

/* Gives a message to the network; false where it takes none now: it is tried again later. */
typedef bool device_send_cb(void *user, const char *topic, const uint8_t *bytes, size_t length);

/* What is wrong with the device at the moment. */
struct device_trouble {
    bool silent, rebooting, reorder, malformed;
    double loss, duplicates; /* % */
    int64_t clock_ms;        /* the device's clock less the true one */
};

struct device_counts {
    uint64_t rows, messages, sent, resends, stalls;
};

struct device {
    enum kind kind;
    char name[64];
    char telemetry[DEVICE_TOPIC_BYTES], status[DEVICE_TOPIC_BYTES], ack[DEVICE_TOPIC_BYTES];
    char identify[DEVICE_TOPIC_BYTES];
    struct prng prng; /* of troubles only */
    struct batch batch;
    int64_t batch_ms;
    struct outbox outbox;
    struct device_trouble trouble;
    struct device_counts counts;
    bool status_due;
    struct batch_now reported; /* in the last status */
    int64_t send_after_ms;     /* the wire is busy until then */
    uint64_t highest;          /* sequence that was ever sent of this boot */
    uint8_t *postponed;        /* a message that its neighbour overtakes */
    size_t postponed_length;
    device_send_cb *send;
    void *user;
};

/* name: a label, at most 63 bytes. boot_id: another one each time. The batch is closed after
 * batch_ms of rows. */
void device_init(struct device *device, enum kind kind, const char *name, uint32_t columns,
                 uint64_t boot_id, uint64_t seed, int64_t batch_ms, device_send_cb *send,
                 void *user);
void device_fini(struct device *device);

/* The faults that hold now. A reboot's begin and end, and a clock's, are acted on here;
 * fresh_boot_id is used if it boots. */
void device_trouble(struct device *device, const struct device_trouble *trouble,
                    uint64_t fresh_boot_id);

/* A row, sampled at time_ms of the true clock. `now`: the state that goes with it. */
void device_add_posture(struct device *device, int64_t time_ms, const struct posture_angles *angles,
                        unsigned posture, const struct batch_now *now);
void device_add_massage(struct device *device, int64_t time_ms, const struct massage_values *values,
                        unsigned fault, const struct batch_now *now);

/* Closes the batch if it is old enough (at once, with `all`), and sends what is due. */
void device_pump(struct device *device, int64_t now_ms, bool all);

/* An Ack's payload as it came. */
void device_hear_ack(struct device *device, const uint8_t *bytes, size_t length, int64_t now_ms);

/* An Identify's payload as it came: for how many seconds it shows itself now, 0: it ends; -1: it
 * does nothing. */
int device_hear_identify(const struct device *device, const uint8_t *bytes, size_t length);

/* The connection is new. */
void device_connected(struct device *device);

#endif
