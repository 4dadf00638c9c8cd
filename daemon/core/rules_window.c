/* Windows over time: bounded memory, whatever the rate of the values. */
#include <math.h>

#include "core/rules_set.h"

bool window_cut(struct rule_term *term, int64_t stale_ms)
{
    /* A slot is as long as a value may take to come, so that an empty one is a missing value. */
    int64_t most = stale_ms > 0 ? term->window_ms / stale_ms : WINDOW_SLOTS;
    term->slots = most > WINDOW_SLOTS ? WINDOW_SLOTS : (uint32_t)most;
    if (term->slots < 2 || term->window_ms < WINDOW_SLOTS)
        return false;
    term->slot_ms = term->window_ms / term->slots;
    return true;
}

/* Hub time is after 1970, so numbers are not negative but for clocks that are wrong by decades. */
static int64_t slot_number(const struct rule_term *term, int64_t time_ms)
{
    return time_ms < 0 ? 0 : time_ms / term->slot_ms;
}

/* The slot of this number; NULL: nothing came in its time. */
static const struct rule_slot *slot_at(const struct rule_memory *memory,
                                       const struct rule_term *term, int64_t number)
{
    const struct rule_slot *slot = &memory->slots[number % term->slots];
    return number >= 0 && slot->number == (uint32_t)number && slot->count > 0 ? slot : NULL;
}

/* What this value adds to a slot of its window; false: nothing. */
static bool weigh(struct rule_memory *memory, const struct rule_term *term, double *value)
{
    bool holds;
    switch (term->window) {
    case WINDOW_COUNT:
        holds = memory->inside ? term_stays(term, *value) : term_holds(term, *value);
        bool begins = holds && (!memory->inside || term->event);
        memory->inside = holds;
        *value = 0;
        return begins;
    case WINDOW_RATE:
        if (term->driver->metrics[term->metric - term->driver->first_metric].kind ==
                LUMBAR_COUNTER &&
            memory->fed && *value < memory->last)
            memory->base += memory->last;
        memory->last = *value;
        memory->fed = true;
        *value += memory->base;
        return true;
    default:
        return true;
    }
}

void window_add(struct rule_memory *memory, const struct rule_term *term, double value,
                int64_t time_ms)
{
    int64_t number = slot_number(term, time_ms);
    struct rule_slot *slot = &memory->slots[number % term->slots];
    if (!weigh(memory, term, &value))
        return;
    if (slot->number != (uint32_t)number || slot->count == 0)
        *slot = (struct rule_slot){.value = value, .number = (uint32_t)number};
    else if (term->window == WINDOW_MEAN)
        slot->value += value;
    else if (term->window == WINDOW_RATE || (term->window == WINDOW_MIN && value < slot->value) ||
             (term->window == WINDOW_MAX && value > slot->value))
        slot->value = value;
    slot->count++;
    slot->time_ms = time_ms;
}

/* The oldest and the newest slot that has a value: how much changed, in what time? */
static double rate(const struct rule_memory *memory, const struct rule_term *term, int64_t newest)
{
    const struct rule_slot *first = NULL, *last = NULL;
    for (int64_t number = newest - term->slots + 1; number <= newest; number++) {
        const struct rule_slot *slot = slot_at(memory, term, number);
        if (slot == NULL)
            continue;
        first = first == NULL ? slot : first;
        last = slot;
    }
    if (first == last)
        return NAN;
    return (last->value - first->value) * (double)term->rate_ms /
           (double)(last->time_ms - first->time_ms);
}

double window_value(const struct rule_memory *memory, const struct rule_term *term, int64_t time_ms)
{
    int64_t newest = slot_number(term, time_ms);
    uint32_t empty = 0, count = 0;
    double sum = 0, min = INFINITY, max = -INFINITY;
    for (int64_t number = newest - term->slots + 1; number <= newest; number++) {
        const struct rule_slot *slot = slot_at(memory, term, number);
        if (slot == NULL) {
            empty += number < newest; /* the one that runs may still get its value */
            continue;
        }
        count += slot->count;
        sum += slot->value;
        min = slot->value < min ? slot->value : min;
        max = slot->value > max ? slot->value : max;
    }
    if (term->window == WINDOW_COUNT)
        return count;
    if (count == 0 || empty * 4 > term->slots - 1)
        return NAN;
    switch (term->window) {
    case WINDOW_MEAN:
        return sum / count;
    case WINDOW_MIN:
        return min;
    case WINDOW_MAX:
        return max;
    default:
        return rate(memory, term, newest);
    }
}
