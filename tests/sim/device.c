#include "device.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ack.pb-c.h"
#include "identify.pb-c.h"

#define RESEND_EVERY_MS 20 /* at most so often a message of one device, unless it makes more */
#define REORDER_CHANCE  0.3
#define STATUS_BYTES    256
#define IDENTIFY_S      10 /* where it is not said for how long */
#define IDENTIFY_MOST_S 60

void device_init(struct device *device, enum kind kind, const char *name, uint32_t columns,
                 uint64_t boot_id, uint64_t seed, int64_t batch_ms, device_send_cb *send,
                 void *user)
{
    memset(device, 0, sizeof(*device));
    device->kind = kind;
    device->prng = prng_seed(seed, 3);
    device->batch_ms = batch_ms;
    device->status_due = true;
    device->send = send;
    device->user = user;
    device->reported = batch_now_unknown();
    snprintf(device->name, sizeof(device->name), "%s", name);
    const char *kind_of = kind_name(kind);
    snprintf(device->telemetry, DEVICE_TOPIC_BYTES, "lumbar/v1/%s/%s/telemetry", kind_of, name);
    snprintf(device->status, DEVICE_TOPIC_BYTES, "lumbar/v1/%s/%s/status", kind_of, name);
    snprintf(device->ack, DEVICE_TOPIC_BYTES, "lumbar/v1/%s/%s/ack", kind_of, name);
    snprintf(device->identify, DEVICE_TOPIC_BYTES, "lumbar/v1/%s/%s/identify", kind_of, name);
    batch_init(&device->batch, kind, columns);
    outbox_init(&device->outbox, boot_id);
}

void device_fini(struct device *device)
{
    outbox_fini(&device->outbox);
    free(device->postponed);
    device->postponed = NULL;
}

static void close_batch(struct device *device)
{
    static uint8_t bytes[BATCH_BYTES]; /* one thread makes messages */
    if (device->batch.rows == 0)
        return;
    uint64_t sequence = device->outbox.end;
    size_t length = batch_encode(&device->batch, device->outbox.boot_id, sequence, bytes);
    if (!outbox_put(&device->outbox, bytes, length))
        return;
    device->counts.messages++;
    if (prng_chance(&device->prng, device->trouble.loss / 100))
        outbox_lose(&device->outbox, sequence);
}

static void boot(struct device *device, uint64_t boot_id)
{
    outbox_fini(&device->outbox);
    outbox_init(&device->outbox, boot_id);
    device->batch.rows = 0;
    device->batch.fault_count = 0;
    device->highest = 0;
    free(device->postponed);
    device->postponed = NULL;
    device->status_due = true;
}

void device_trouble(struct device *device, const struct device_trouble *trouble,
                    uint64_t fresh_boot_id)
{
    struct device_trouble before = device->trouble;
    if (trouble->clock_ms != before.clock_ms)
        close_batch(device); /* times may not fall within a message */
    device->trouble = *trouble;
    if (before.rebooting && !trouble->rebooting)
        boot(device, fresh_boot_id);
}

/* Is there room for the row, and somebody to measure it? */
static bool takes_row(struct device *device)
{
    if (device->trouble.rebooting)
        return false;
    if (batch_is_full(&device->batch))
        close_batch(device);
    device->counts.rows++;
    return true;
}

static void note(struct device *device, const struct batch_now *now)
{
    device->batch.now = *now;
    if (now->contact != device->reported.contact || now->state != device->reported.state)
        device->status_due = true;
}

/* A row beyond the batch's end begins the next one, however late it is asked to be sent: so the
 * same rows always make the same messages. */
static int64_t time_of_row(struct device *device, int64_t time_ms)
{
    int64_t stamp = time_ms + device->trouble.clock_ms;
    if (device->batch.rows > 0 && stamp >= device->batch.start_ms + device->batch_ms)
        close_batch(device);
    return stamp;
}

void device_add_posture(struct device *device, int64_t time_ms, const struct posture_angles *angles,
                        unsigned posture, const struct batch_now *now)
{
    if (!takes_row(device))
        return;
    batch_add_posture(&device->batch, time_of_row(device, time_ms), angles, posture);
    note(device, now);
}

void device_add_massage(struct device *device, int64_t time_ms, const struct massage_values *values,
                        unsigned fault, const struct batch_now *now)
{
    if (!takes_row(device))
        return;
    batch_add_massage(&device->batch, time_of_row(device, time_ms), values);
    if (fault != 0)
        batch_add_fault(&device->batch, fault);
    note(device, now);
}

static bool send_status(struct device *device, int64_t now_ms)
{
    uint8_t bytes[STATUS_BYTES];
    size_t length =
        batch_status(device->kind, device->outbox.boot_id, now_ms + device->trouble.clock_ms,
                     &device->batch.now, bytes, sizeof(bytes));
    if (!device->send(device->user, device->status, bytes, length))
        return false;
    device->reported = device->batch.now;
    device->status_due = false;
    return true;
}

/* A tag with more than ten bytes of varint is none: no decoder can take it. */
static void spoil(uint8_t *bytes, size_t length)
{
    memset(bytes, 0xff, length < 11 ? length : 11);
}

/* Gives up to two messages to the network: one that its neighbour has overtaken follows it. */
static bool transmit(struct device *device, const uint8_t *bytes, size_t length)
{
    const struct device_trouble *trouble = &device->trouble;
    if (trouble->reorder && device->postponed == NULL &&
        prng_chance(&device->prng, REORDER_CHANCE)) {
        device->postponed = malloc(length);
        if (device->postponed != NULL) {
            memcpy(device->postponed, bytes, length);
            device->postponed_length = length;
            return true;
        }
    }
    if (!device->send(device->user, device->telemetry, bytes, length))
        return false;
    if (prng_chance(&device->prng, trouble->duplicates / 100))
        device->send(device->user, device->telemetry, bytes, length);
    if (device->postponed != NULL) {
        device->send(device->user, device->telemetry, device->postponed, device->postponed_length);
        free(device->postponed);
        device->postponed = NULL;
    }
    return true;
}

static bool send_next(struct device *device, int64_t now_ms)
{
    static uint8_t bytes[BATCH_BYTES + BATCH_TAIL_MAX];
    uint64_t sequence;
    const struct outbox_message *message = outbox_next(&device->outbox, &sequence);
    if (message == NULL)
        return false;
    memcpy(bytes, message->bytes, message->length);
    size_t length = message->length;
    length += batch_finish(device->kind, outbox_held_from(&device->outbox),
                           now_ms + device->trouble.clock_ms, bytes + length);
    if (device->trouble.malformed)
        spoil(bytes, length);
    if (!transmit(device, bytes, length))
        return false;
    outbox_sent(&device->outbox, now_ms);
    device->counts.sent++;
    if (sequence <= device->highest)
        device->counts.resends++;
    else
        device->highest = sequence;
    return true;
}

void device_pump(struct device *device, int64_t now_ms, bool all)
{
    const struct batch *batch = &device->batch;
    int64_t true_start = batch->start_ms - device->trouble.clock_ms;
    if (batch->rows > 0 && (all || now_ms >= true_start + device->batch_ms))
        close_batch(device);
    if (device->trouble.silent || device->trouble.rebooting)
        return;
    if (outbox_tick(&device->outbox, now_ms))
        device->counts.stalls++;
    /* Before its first row it knows nothing of itself. */
    if (device->status_due && device->counts.rows > 0 && !send_status(device, now_ms))
        return;
    int64_t pace_ms =
        device->batch_ms / 2 < RESEND_EVERY_MS ? device->batch_ms / 2 : RESEND_EVERY_MS;
    if (device->send_after_ms < now_ms - 1000)
        device->send_after_ms = now_ms;
    while ((all || device->send_after_ms <= now_ms) && send_next(device, now_ms))
        device->send_after_ms += pace_ms;
}

void device_hear_ack(struct device *device, const uint8_t *bytes, size_t length, int64_t now_ms)
{
    if (device->trouble.silent || device->trouble.rebooting)
        return; /* its radio is off */
    Lumbar__Ack__V1__Ack *ack = lumbar__ack__v1__ack__unpack(NULL, length, bytes);
    if (ack == NULL)
        return;
    if (ack->has_boot_id && ack->has_sequence)
        outbox_ack(&device->outbox, ack->boot_id, ack->sequence, now_ms);
    lumbar__ack__v1__ack__free_unpacked(ack, NULL);
}

int device_hear_identify(const struct device *device, const uint8_t *bytes, size_t length)
{
    if (device->trouble.silent || device->trouble.rebooting)
        return -1;
    Lumbar__Identify__V1__Identify *identify =
        lumbar__identify__v1__identify__unpack(NULL, length, bytes);
    if (identify == NULL)
        return -1;
    uint32_t seconds = identify->has_seconds ? identify->seconds : IDENTIFY_S;
    lumbar__identify__v1__identify__free_unpacked(identify, NULL);
    return (int)(seconds < IDENTIFY_MOST_S ? seconds : IDENTIFY_MOST_S);
}

void device_connected(struct device *device)
{
    outbox_rewind(&device->outbox);
    device->status_due = true;
}
