#include "core/routes.h"

#include <stdlib.h>
#include <string.h>

#define TOPICS_PER_DEVICE 2  /* telemetry and status */
#define TOPIC_BYTES       48 /* of one, on the average */

struct entry {
    uint64_t hash; /* 0: free */
    struct route route;
    const char *topic;
    size_t bytes;
};

struct routes {
    struct entry *entries; /* open addressing, half empty at least */
    uint64_t mask;
    size_t free_entries;
    char *text, *text_end; /* where the next topic is kept, and where no more is */
    char *texts;
};

struct routes *routes_create(uint32_t devices)
{
    struct routes *routes = calloc(1, sizeof(*routes));
    if (routes == NULL)
        return NULL;
    size_t topics = (size_t)devices * TOPICS_PER_DEVICE, slots = 16;
    while (slots < 2 * topics)
        slots *= 2;
    routes->mask = slots - 1;
    routes->free_entries = slots / 2;
    routes->entries = calloc(slots, sizeof(*routes->entries));
    routes->texts = routes->text = malloc(topics * TOPIC_BYTES + 1);
    if (routes->entries == NULL || routes->texts == NULL) {
        routes_destroy(routes);
        return NULL;
    }
    routes->text_end = routes->texts + topics * TOPIC_BYTES;
    return routes;
}

void routes_destroy(struct routes *routes)
{
    if (routes == NULL)
        return;
    free(routes->texts);
    free(routes->entries);
    free(routes);
}

/* Multiplies and folds 8 bytes at a time, the last ones overlapping. Never 0. Who could make it
 * collide must be a device that the hub knows; the harm would be a longer search among as many. */
static uint64_t topic_hash(const char *topic, size_t bytes)
{
    uint64_t hash = bytes, word = 0;
    if (bytes < sizeof(word)) {
        memcpy(&word, topic, bytes);
    } else {
        const char *last = topic + bytes - sizeof(word);
        for (const char *at = topic; at < last; at += sizeof(word)) {
            memcpy(&word, at, sizeof(word));
            hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
            hash ^= hash >> 32;
        }
        memcpy(&word, last, sizeof(word));
    }
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return (hash ^ hash >> 29) | 1;
}

/* The entry of this topic, or the free one where it would stand. */
static struct entry *entry_of(const struct routes *routes, uint64_t hash, const char *topic,
                              size_t bytes)
{
    for (uint64_t at = hash >> 1;; at++) {
        struct entry *entry = &routes->entries[at & routes->mask];
        if (entry->hash == 0 || (entry->hash == hash && entry->bytes == bytes &&
                                 memcmp(entry->topic, topic, bytes) == 0))
            return entry;
    }
}

const struct route *routes_find(const struct routes *routes, const char *topic, size_t bytes)
{
    const struct entry *entry = entry_of(routes, topic_hash(topic, bytes), topic, bytes);
    return entry->hash != 0 ? &entry->route : NULL;
}

void routes_add(struct routes *routes, const char *topic, size_t bytes, struct route route)
{
    uint64_t hash = topic_hash(topic, bytes);
    struct entry *entry = entry_of(routes, hash, topic, bytes);
    if (entry->hash != 0 || routes->free_entries == 0 ||
        bytes > (size_t)(routes->text_end - routes->text))
        return;
    memcpy(routes->text, topic, bytes);
    *entry = (struct entry){hash, route, routes->text, bytes};
    routes->text += bytes;
    routes->free_entries--;
}
