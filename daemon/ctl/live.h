/*
 * What the hub shows live, over its Unix socket: the WebSocket of the page, and its frames as JSON
 * with names in the place of numbers, and values in units. Blocks.
 */
#ifndef LUMBAR_CTL_LIVE_H
#define LUMBAR_CTL_LIVE_H

#include <jansson.h>

#include "ask.h"

struct live;

/* Watches a room ("": the wall, the newest values of all). 0, or an exit code and it was said. */
int live_open(struct live **out, const struct ask *ask, const char *room);
void live_close(struct live *live);

/* The next frame, owned by the caller; NULL: the hub has hung up, or does not speak any more. */
json_t *live_next(struct live *live);

#endif
