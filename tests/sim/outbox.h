/*
 * What a device has measured and the hub has not yet confirmed: the device's side of the
 * acknowledgement.
 *
 * Messages get sequences 1, 2, 3 ... of this boot and are sent in that order. They are held until
 * the hub says that they are on its disk. After a reconnect, and when nothing is confirmed for
 * OUTBOX_PATIENCE_MS, it is sent again from the oldest held; each stall in a row waits twice as
 * long, so that a device without a hub does not shout.
 * Memory: a copy of each held message, OUTBOX_MAX of them; when full, the oldest is given up and
 * counted. Pure: time is given.
 */
#ifndef LUMBAR_SIM_OUTBOX_H
#define LUMBAR_SIM_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_MAX          1024
#define OUTBOX_PATIENCE_MS  10000
#define OUTBOX_PATIENCE_MAX 160000

struct outbox_message {
    uint8_t *bytes; /* NULL: lost inside the device */
    size_t length;
};

struct outbox {
    uint64_t boot_id;
    uint64_t first, next, end; /* held: first .. end-1; to be sent: next .. end-1 */
    uint64_t said;             /* below it all were sent once */
    uint64_t given_up;         /* because it was full */
    int64_t waits_since_ms;    /* for a confirmation of what was sent; 0: for nothing */
    int64_t patience_ms;
    struct outbox_message held[OUTBOX_MAX];
};

void outbox_init(struct outbox *outbox, uint64_t boot_id);
void outbox_fini(struct outbox *outbox);

/* Takes a copy, as the message of sequence outbox->end (which then grows). False: no memory. */
bool outbox_put(struct outbox *outbox, const uint8_t *bytes, size_t length);

/* Forgets a held message as if it had never been kept. */
void outbox_lose(struct outbox *outbox, uint64_t sequence);

/* The message to be sent next and its sequence, or NULL. It stays. */
const struct outbox_message *outbox_next(struct outbox *outbox, uint64_t *sequence);

/* The oldest that could be sent again; 0: none. */
uint64_t outbox_held_from(const struct outbox *outbox);

/* outbox_next() was given to the network. */
void outbox_sent(struct outbox *outbox, int64_t now_ms);

/* The hub has everything up to `sequence`. Of another boot, or beyond what was sent: nothing. */
void outbox_ack(struct outbox *outbox, uint64_t boot_id, uint64_t sequence, int64_t now_ms);

/* The connection is new: begin again from the oldest. */
void outbox_rewind(struct outbox *outbox);

/* Begins again if confirmations have stalled; says whether. Call every 100 ms or so. */
bool outbox_tick(struct outbox *outbox, int64_t now_ms);

#endif
