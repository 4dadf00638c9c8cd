#include "outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct outbox_message *slot(struct outbox *outbox, uint64_t sequence)
{
    return &outbox->held[sequence % OUTBOX_MAX];
}

void outbox_init(struct outbox *outbox, uint64_t boot_id)
{
    *outbox = (struct outbox){
        .boot_id = boot_id, .first = 1, .next = 1, .end = 1, .patience_ms = OUTBOX_PATIENCE_MS};
}

void outbox_fini(struct outbox *outbox)
{
    for (uint64_t sequence = outbox->first; sequence < outbox->end; sequence++)
        free(slot(outbox, sequence)->bytes);
    outbox->first = outbox->next = outbox->end;
}

/* Lets go of the oldest, and of the holes behind it. */
static void drop_first(struct outbox *outbox)
{
    do {
        struct outbox_message *message = slot(outbox, outbox->first++);
        free(message->bytes);
        message->bytes = NULL;
    } while (outbox->first < outbox->end && slot(outbox, outbox->first)->bytes == NULL);
    if (outbox->next < outbox->first)
        outbox->next = outbox->first;
}

bool outbox_put(struct outbox *outbox, const uint8_t *bytes, size_t length)
{
    assert(length > 0);
    uint8_t *copy = malloc(length);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, length);
    if (outbox->end - outbox->first == OUTBOX_MAX) {
        drop_first(outbox);
        outbox->given_up++;
    }
    *slot(outbox, outbox->end++) = (struct outbox_message){copy, length};
    return true;
}

void outbox_lose(struct outbox *outbox, uint64_t sequence)
{
    if (sequence < outbox->first || sequence >= outbox->end)
        return;
    struct outbox_message *message = slot(outbox, sequence);
    free(message->bytes);
    message->bytes = NULL;
    if (sequence == outbox->first)
        drop_first(outbox);
}

const struct outbox_message *outbox_next(struct outbox *outbox, uint64_t *sequence)
{
    while (outbox->next < outbox->end && slot(outbox, outbox->next)->bytes == NULL)
        outbox->next++;
    if (outbox->next == outbox->end)
        return NULL;
    *sequence = outbox->next;
    return slot(outbox, outbox->next);
}

uint64_t outbox_held_from(const struct outbox *outbox)
{
    return outbox->first < outbox->end ? outbox->first : 0;
}

void outbox_sent(struct outbox *outbox, int64_t now_ms)
{
    assert(outbox->next < outbox->end);
    outbox->next++;
    if (outbox->said < outbox->next)
        outbox->said = outbox->next;
    if (outbox->waits_since_ms == 0)
        outbox->waits_since_ms = now_ms;
}

void outbox_ack(struct outbox *outbox, uint64_t boot_id, uint64_t sequence, int64_t now_ms)
{
    if (boot_id != outbox->boot_id || sequence >= outbox->said || sequence < outbox->first)
        return;
    while (outbox->first <= sequence)
        drop_first(outbox);
    outbox->patience_ms = OUTBOX_PATIENCE_MS;
    outbox->waits_since_ms = outbox->next > outbox->first ? now_ms : 0;
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->next = outbox->first;
    outbox->waits_since_ms = 0;
}

bool outbox_tick(struct outbox *outbox, int64_t now_ms)
{
    if (outbox->waits_since_ms == 0 || now_ms - outbox->waits_since_ms <= outbox->patience_ms)
        return false;
    outbox_rewind(outbox);
    if (outbox->patience_ms < OUTBOX_PATIENCE_MAX)
        outbox->patience_ms *= 2;
    return true;
}
