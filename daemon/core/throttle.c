#include "core/throttle.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t throttle_key(const struct throttle *throttle, const void *bytes, size_t count,
                      uint64_t kind)
{
    return XXH3_64bits_withSeed(bytes, count, throttle->seed ^ kind * UINT64_C(0x9e3779b97f4a7c15));
}

const struct throttle_pace throttle_account = {8, 10000}, throttle_address = {40, 2000};

int64_t throttle_try(struct throttle *throttle, const struct throttle_pace *pace, uint64_t key,
                     int64_t now_ms)
{
    int64_t *due_ms = &throttle->due_ms[key % THROTTLE_PLACES];
    int64_t from_ms = *due_ms > now_ms ? *due_ms : now_ms;
    int64_t wait_ms = from_ms - now_ms - (pace->burst - 1) * pace->period_ms;
    if (wait_ms > 0)
        return wait_ms;
    *due_ms = from_ms + pace->period_ms;
    return 0;
}

void throttle_give_back(struct throttle *throttle, const struct throttle_pace *pace, uint64_t key)
{
    throttle->due_ms[key % THROTTLE_PLACES] -= pace->period_ms;
}
