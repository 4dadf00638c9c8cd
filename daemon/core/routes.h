/*
 * Routes: which device and leaf a topic names, looked up by the topic as a whole.
 *
 * A topic is parsed once, when it is first heard; from then on its route is found by a hash and one
 * comparison. Forgetting is no harm: what is not here is parsed again, so nobody but ingest may ask
 * it whose a message was (struct ingest: heard).
 * Memory: reserved at create; a table that is full takes no more.
 */
#ifndef LUMBAR_CORE_ROUTES_H
#define LUMBAR_CORE_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "core/devices.h"

struct route {
    struct device *device;
    const char *leaf; /* the plugin's own string */
};

struct routes;

/* For the topics of so many devices. NULL: no memory. */
struct routes *routes_create(uint32_t devices);
void routes_destroy(struct routes *routes);

/* The route of this topic, good until routes_destroy(); NULL: not known. */
const struct route *routes_find(const struct routes *routes, const char *topic, size_t bytes);

/* Keeps the route of a topic that is not known, if there is room. */
void routes_add(struct routes *routes, const char *topic, size_t bytes, struct route route);

#endif
