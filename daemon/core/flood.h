/*
 * Alarm floods: do more alarms begin than people can answer?
 *
 * Counted are those that began in the last ten minutes. A flood begins above the limit (ISA-18.2,
 * by exida: 10 for one operator) and ends when no more than half of it are left, so that it does
 * not flicker. Time is given. Memory: the struct; zeroed, nothing began. Pure.
 */
#ifndef LUMBAR_CORE_FLOOD_H
#define LUMBAR_CORE_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#define FLOOD_SPAN_MS 600000
#define FLOOD_SLOTS   60

struct flood {
    uint32_t counts[FLOOD_SLOTS];
    int64_t slot;   /* the newest, since 1970 */
    uint32_t count; /* of all slots */
    bool on;
};

void flood_note(struct flood *flood, int64_t now_ms); /* an alarm began */
void flood_take_back(struct flood *flood); /* the last one was none: something else is its cause */

/* Moves on to now_ms. True: a flood has begun, or is over. */
bool flood_tick(struct flood *flood, uint32_t limit, int64_t now_ms);

#endif
