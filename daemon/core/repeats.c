#include "core/repeats.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

bool repeats_key_is_good(const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < length; i++)
        if (key[i] <= 0x20 || key[i] >= 0x7f)
            return false;
    return length > 0 && length < REPEATS_KEY_BYTES;
}

uint64_t repeats_hash(uint64_t before, const void *bytes, size_t count)
{
    return XXH3_64bits_withSeed(bytes, count, before);
}

static bool holds(const struct repeat *repeat, int64_t now_ms)
{
    return repeat->key[0] != '\0' && now_ms - repeat->at_ms < REPEATS_MS;
}

const struct repeat *repeats_find(const struct repeats *repeats, const char *key, int64_t now_ms)
{
    for (uint32_t i = 0; i < REPEATS_MAX; i++) {
        const struct repeat *repeat = &repeats->list[i];
        if (holds(repeat, now_ms) && strcmp(repeat->key, key) == 0)
            return repeat;
    }
    return NULL;
}

uint32_t repeats_held(const struct repeats *repeats, int64_t now_ms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REPEATS_MAX; i++)
        count += holds(&repeats->list[i], now_ms);
    return count;
}

uint32_t repeats_add(struct repeats *repeats, const struct repeat *repeat)
{
    uint32_t place = repeats->next;
    repeats->lost += holds(&repeats->list[place], repeat->at_ms);
    repeats->list[place] = *repeat;
    repeats->next = (place + 1) % REPEATS_MAX;
    return place;
}

void repeats_load(struct repeats *repeats, uint32_t place, const struct repeat *repeat)
{
    uint32_t newest = (repeats->next + REPEATS_MAX - 1) % REPEATS_MAX;
    if (place >= REPEATS_MAX)
        return;
    repeats->list[place] = *repeat;
    if (repeats->list[newest].key[0] == '\0' || repeat->at_ms >= repeats->list[newest].at_ms)
        repeats->next = (place + 1) % REPEATS_MAX;
}

bool repeats_forget(struct repeats *repeats, enum repeat_kind kind, uint64_t id, uint32_t *place)
{
    for (uint32_t i = 0; i < REPEATS_MAX; i++) {
        struct repeat *repeat = &repeats->list[i];
        if (repeat->key[0] == '\0' || repeat->kind != kind || repeat->id != id)
            continue;
        *repeat = (struct repeat){0};
        *place = i;
        return true;
    }
    return false;
}
