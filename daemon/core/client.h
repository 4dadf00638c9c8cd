/*
 * Clients: a pseudonym that the clinic chose, and what was measured of this person.
 *
 * No names: a pseudonym is a label as it may stand in a topic. `own` is what a client reaches or
 * bears in a metric: the range of motion of an angle, the pressure-pain threshold of a pressure,
 * perhaps of a region of the body; each with the day it was measured, since it grows old.
 * Memory: one fixed block. Pure.
 */
#ifndef LUMBAR_CORE_CLIENT_H
#define LUMBAR_CORE_CLIENT_H

#include "core/body.h"

#define CLIENT_NAME_BYTES 33 /* a pseudonym that fits on a tile */
#define CLIENT_GOALS_MAX  8
#define CLIENT_GOAL_BYTES 161
#define CLIENT_OWN_MAX    24

struct text;

struct client_own {
    uint32_t metric;
    uint64_t regions;    /* of the body; 0: any */
    double low, high;    /* in the metric's unit; NaN: not measured to this side */
    int64_t measured_ms; /* begin of that day, UTC */
};

struct client {
    char name[CLIENT_NAME_BYTES]; /* "": none, an unknown person */
    char goals[CLIENT_GOALS_MAX][CLIENT_GOAL_BYTES];
    uint32_t goal_count;
    struct client_own own[CLIENT_OWN_MAX];
    uint32_t own_count;
};

/* From YAML or JSON; everything that can be wrong is said with its place. */
int client_parse(struct client *client, const char *file, const char *text, size_t bytes,
                 const struct drivers *drivers, const struct body *body, struct diag *diag);

/* As JSON that client_parse() reads to the same. */
void client_write(struct text *text, const struct client *client, const struct drivers *drivers,
                  const struct body *body);

/* What the client has of a metric, for one of these regions (0: any): to each side the newest that
 * is no older than max_age_ms; measured_ms is that of the older side. False: none. One for a region
 * is found only for regions that are all in it. */
bool client_find_own(const struct client *client, uint32_t metric, uint64_t regions, int64_t now_ms,
                     int64_t max_age_ms, struct client_own *own);

/* Takes in what was measured (of one metric and these regions, one side or both): it takes the
 * place of what there was of each side. ERR_FULL where there is no room. */
int client_learn(struct client *client, const struct client_own *own);

/* "2024-05-03" of UTC; false where there is no such day. */
bool client_read_day(const char *text, int64_t *ms);
void client_write_day(struct text *text, int64_t ms);

#endif
