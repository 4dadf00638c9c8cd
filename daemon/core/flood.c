#include "core/flood.h"

#include <string.h>

#define SLOT_MS (FLOOD_SPAN_MS / FLOOD_SLOTS)

/* Forgets what is too old. A clock that steps back counts on in the newest slot. */
static void move_on(struct flood *flood, int64_t now_ms)
{
    int64_t slot = now_ms / SLOT_MS;
    if (slot - flood->slot >= FLOOD_SLOTS) {
        memset(flood->counts, 0, sizeof(flood->counts));
        flood->count = 0;
        flood->slot = slot;
    }
    while (flood->slot < slot) {
        uint32_t *oldest = &flood->counts[++flood->slot % FLOOD_SLOTS];
        flood->count -= *oldest;
        *oldest = 0;
    }
}

void flood_note(struct flood *flood, int64_t now_ms)
{
    move_on(flood, now_ms);
    flood->counts[flood->slot % FLOOD_SLOTS]++;
    flood->count++;
}

void flood_take_back(struct flood *flood)
{
    uint32_t *newest = &flood->counts[flood->slot % FLOOD_SLOTS];
    if (*newest == 0)
        return;
    (*newest)--;
    flood->count--;
}

bool flood_tick(struct flood *flood, uint32_t limit, int64_t now_ms)
{
    bool was = flood->on;
    move_on(flood, now_ms);
    flood->on = flood->count > limit || (was && flood->count > limit / 2);
    return flood->on != was;
}
