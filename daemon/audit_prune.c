/*
 * The beginning of the trail goes with its age (history.audit_days), some lines at a time.
 *
 * What is left still verifies: the anchor keeps the number and the digest of the last line that
 * went, from which the chain goes on, and a line of the hub's own, in the chain as all others are,
 * says the same. So an anchor that somebody else moved has no line that knows of it. Line, anchor
 * and the removals are rows of one batch, and reach the disk together or not at all.
 *
 * A clock that is years ahead makes everything old. So nothing goes while no time service vouches
 * for the clock, or hub time is another one's; and of what is too old a week's worth goes a day, so
 * that a wrong time service is found out before the trail is gone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "base/log.h"
#include "io/store_audit.h"

#define DAY_MS     INT64_C(86400000)
#define DAILY_MS   (7 * DAY_MS) /* of the trail, a day (and a run) */
#define LOOK_MS    3600000
#define LOOK_SOON  1000 /* where there is more of it */
#define STEP       500  /* lines */
#define STEP_BYTES (64 * STEP)

struct pruning {
    struct lumbard *hub;
    int64_t before_ms, most_ms; /* what goes is older than both; most 0: it is not known yet */
    uint64_t id;                /* the last that goes; 0: none */
    int64_t at_ms;
    char hash[AUDIT_HASH_BYTES];
    bool ended; /* one is younger: it and all behind it stay */
};

static void on_anchor(void *user, const struct store_value *values, unsigned count)
{
    struct hub_anchor *anchor = user;
    (void)count;
    *anchor = (struct hub_anchor){.id = (uint64_t)values[1].integer, .at_ms = values[3].integer};
    snprintf(anchor->hash, sizeof(anchor->hash), "%s",
             values[2].type == STORE_TEXT ? values[2].text : AUDIT_BEGIN);
}

int hub_load_audit_anchor(struct lumbard *hub, struct diag *diag)
{
    return store_load(hub->store, STORE_AUDIT_ANCHOR, NULL, on_anchor, &hub->audit.anchor, diag);
}

/* The pool's thread. */
static void on_line(void *user, const struct store_value *values, unsigned count)
{
    struct pruning *pruning = user;
    struct audit_line line;
    (void)count;
    audit_take_row(&line, values);
    int64_t at_ms = line.at_ms + hub_audit_off_ms(pruning->hub, line.id);
    if (pruning->most_ms == 0)
        pruning->most_ms = at_ms + DAILY_MS;
    pruning->ended |= at_ms >= pruning->before_ms || at_ms >= pruning->most_ms;
    if (pruning->ended)
        return;
    pruning->id = line.id;
    pruning->at_ms = line.at_ms;
    memcpy(pruning->hash, line.hash, sizeof(pruning->hash));
}

static bool has_room(const struct lumbard *hub)
{
    struct store_stats store;
    store_stats(hub->store, &store);
    return hub->audit.waiting == 0 && store.held_row_bytes + STEP_BYTES < STORE_ROWS_BYTES;
}

static void prune(struct lumbard *hub, const struct pruning *pruning)
{
    static const struct access itself = {.name = "hub"};
    struct hub_anchor *anchor = &hub->audit.anchor;
    char about[AUDIT_ABOUT_BYTES];
    uint64_t from = anchor->id + 1;
    struct text text = text_in(about, sizeof(about));
    text_add(&text, AUDIT_PRUNED_ABOUT, pruning->id, pruning->hash);
    hub_audit(hub, &itself, AUDIT_PRUNED, about, 200,
              "they were kept as long as history.audit_days");
    *anchor = (struct hub_anchor){.id = pruning->id, .at_ms = pruning->at_ms};
    memcpy(anchor->hash, pruning->hash, sizeof(anchor->hash));
    const struct store_value row[] = {store_int(1), store_int((int64_t)anchor->id),
                                      store_text(anchor->hash), store_int(anchor->at_ms)};
    store_put(hub->store, STORE_AUDIT_ANCHOR, row, sizeof(row) / sizeof(row[0]));
    for (uint64_t id = from; id <= pruning->id; id++) {
        const struct store_value key = store_int((int64_t)id);
        store_remove(hub->store, STORE_AUDIT, &key, 1);
    }
    log_notice("audit: lines up to %" PRIu64 " have gone, for their age", pruning->id);
}

static void on_end(void *user, const struct store_trail *trail)
{
    struct pruning *pruning = user;
    struct lumbard *hub = pruning->hub;
    hub->audit.pruning = false;
    hub->audit.prune_most_ms = pruning->most_ms;
    hub->reports--;
    bool any = pruning->id > hub->audit.anchor.id;
    if (trail->code == 0 && any && !hub->stopping && has_room(hub))
        prune(hub, pruning);
    if (trail->code != 0 || any) /* what did not go now, or what is behind it */
        hub->audit.prune_ms = hub_now_ms(hub) + LOOK_SOON;
    free(pruning);
}

static bool is_clock_right(const struct hub_clock *clock)
{
    return clock->is_set && clock->is_synchronised && clock->off_ms == 0 &&
           clock->doubted_from_ms == 0;
}

void hub_prune_audit(struct lumbard *hub)
{
    struct hub_audit *audit = &hub->audit;
    int64_t days = hub->setup.config->history.audit_days, now_ms = hub_now_ms(hub);
    if (days == 0 || audit->pruning || now_ms < audit->prune_ms || !has_room(hub) ||
        !is_clock_right(&hub->clock))
        return;
    audit->prune_ms = now_ms + LOOK_MS;
    if (now_ms - audit->prune_day_ms >= DAY_MS) {
        audit->prune_day_ms = now_ms;
        audit->prune_most_ms = 0;
    }
    struct pruning *pruning = calloc(1, sizeof(*pruning));
    if (pruning == NULL)
        return;
    *pruning = (struct pruning){
        .hub = hub, .before_ms = now_ms - days * DAY_MS, .most_ms = audit->prune_most_ms};
    if (store_audit(hub->store, &hub->loop, audit->anchor.id, STEP, on_line, on_end, pruning) !=
        0) {
        free(pruning);
        return;
    }
    hub->reports++; /* the stop waits for it */
    audit->pruning = true;
}
