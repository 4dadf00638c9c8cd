/*
 * Plans: what is to be done in a session, in phases, and within which limits.
 *
 * A plan is a template, or a client's copy of one that was tailored to the person. A phase has a
 * kind, a time, and regions of the body. A band is a limit (beyond it is not wanted) or a target
 * (within it is wanted) of one metric, in one phase or in all, perhaps on some regions only. Where
 * a band has a share `own`, that share of the client's own range takes its place as soon as it has
 * been measured.
 * Text: YAML, or JSON. Memory: one fixed block. Pure.
 */
#ifndef LUMBAR_CORE_PLAN_H
#define LUMBAR_CORE_PLAN_H

#include "core/client.h"

#define PLAN_NAME_BYTES  64
#define PLAN_TITLE_BYTES 101
#define PLAN_PHASES_MAX  16
#define PLAN_BANDS_MAX   32
#define PLAN_GOALS_MAX   CLIENT_GOALS_MAX
#define PLAN_GOAL_BYTES  CLIENT_GOAL_BYTES
#define PLAN_ANY_PHASE   UINT32_MAX

enum plan_kind { /* in the order of lumbar_phase */
                 PLAN_WARM_UP,
                 PLAN_HEAT,
                 PLAN_MASSAGE,
                 PLAN_PERCUSSION,
                 PLAN_STRETCHING,
                 PLAN_EXERCISE,
                 PLAN_REST,
                 PLAN_KINDS
};

struct plan_phase {
    enum plan_kind kind;
    char title[PLAN_TITLE_BYTES];
    int64_t time_ms;
    uint64_t regions; /* 0: no special ones */
};

struct plan_band {
    uint32_t metric;
    uint32_t phase;   /* its index, or PLAN_ANY_PHASE */
    uint64_t regions; /* counts while the device is on one of them; 0: anywhere */
    bool target;
    double low, high; /* in the metric's unit; NaN: open to this side */
    double own;       /* share of the client's own range that takes their place; 0: none */
};

struct plan {
    char name[PLAN_NAME_BYTES]; /* "": the empty plan, of no phases */
    char title[PLAN_TITLE_BYTES];
    char client[CLIENT_NAME_BYTES]; /* whose copy it is; "": a template */
    char goals[PLAN_GOALS_MAX][PLAN_GOAL_BYTES];
    uint32_t goal_count;
    uint64_t regions; /* what the treatment aims at */
    struct plan_phase phases[PLAN_PHASES_MAX];
    uint32_t phase_count;
    struct plan_band bands[PLAN_BANDS_MAX];
    uint32_t band_count;
    uint32_t lost_bands; /* of a kept one: that cannot be read any more */
};

/* "warm_up": as it is written in a plan and seen by rules. */
const char *plan_kind_name(enum plan_kind kind);
const char *plan_kind_find(const char *name); /* the same string; NULL: there is no such kind */

/* From YAML or JSON. Each complaint has line and column and the path of the field; unknown names
 * come with the nearest known one; limits are held against unit and range of their metric. */
int plan_parse(struct plan *plan, const char *file, const char *text, size_t bytes,
               const struct drivers *drivers, const struct body *body, struct diag *diag);

/* The same of a plan that a session has kept. What was renamed or taken out of plugins and body since
 * must not take the session with it: a band that cannot be read is left out and counted, a region
 * is, a kind of phase becomes a rest. `lost`: bit i where the band that was written as number i is
 * left out. */
int plan_parse_kept(struct plan *plan, const char *text, size_t bytes,
                    const struct drivers *drivers, const struct body *body, uint32_t *lost);

/* As JSON that plan_parse() reads to the same. */
void plan_write(struct text *text, const struct plan *plan, const struct drivers *drivers,
                const struct body *body);

/* Puts the client's own range in the place of limits that ask for it: what was measured no longer
 * than max_age_ms ago. To a side to which nothing was, the limit stays as it is written, or open.
 */
void plan_tailor(struct plan *plan, const struct client *client, int64_t now_ms,
                 int64_t max_age_ms);

/* plan_changes.c. What is another one in the plan than it was, limits and targets first: "flexion:
 * above 40 deg, was above 45 deg; skin in Heat: none, was above 41 Cel; Heat: 8 min, was 10 min;
 * other goals". A phase is the same where kind and title are, wherever it stands. Adds nothing
 * where all is the same. */
void plan_tell_changes(struct text *text, const struct plan *plan, const struct plan *old,
                       const struct drivers *drivers);

int64_t plan_time_ms(const struct plan *plan); /* of all phases */

#endif
