/*
 * The trail and a clock that was wrong: a line is sealed as it was told, so its time is not moved
 * with all else (wrong_clock.c). A line of the hub's own, sealed as well, names the lines that were
 * told by that clock and by how much; who reads the trail is given the right time beside the one
 * that was told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "base/text.h"

#define WHAT  "clock set"
#define ABOUT "lines %" PRIu64 "-%" PRIu64 " by %+" PRId64 " ms"

static void note(struct hub_audit *audit, const struct hub_told_wrong *more)
{
    if (audit->told_wrong_count == HUB_AUDIT_TOLD_WRONG)
        memmove(audit->told_wrong, audit->told_wrong + 1,
                --audit->told_wrong_count * sizeof(audit->told_wrong[0]));
    audit->told_wrong[audit->told_wrong_count++] = *more;
}

static void on_line(void *user, const struct store_value *values, unsigned count)
{
    struct hub_told_wrong said;
    struct audit_line line;
    (void)count;
    audit_take_row(&line, values);
    if (sscanf(line.about, "lines %" SCNu64 "-%" SCNu64 " by %" SCNd64 " ms", &said.first,
               &said.last, &said.by_ms) == 3)
        note(user, &said);
}

int hub_load_told_wrong(struct lumbard *hub, struct diag *diag)
{
    hub->audit.told_wrong_count = 0;
    return store_load(hub->store, STORE_AUDIT, "what = '" WHAT "'", on_line, &hub->audit, diag);
}

static void on_before(void *user, const struct store_value *values, unsigned count)
{
    uint64_t *first = user;
    (void)count;
    *first = (uint64_t)values[0].integer + 1;
}

/* Times that were moved, and no line says so yet. */
struct moved {
    int64_t from_ms, by_ms; /* by 0: there are none */
};

static void on_moved(void *user, const struct store_value *values, unsigned count)
{
    struct moved *moved = user;
    (void)count;
    *moved = (struct moved){values[0].integer, values[1].integer};
}

/* The line, and that it is told, are rows of one batch: it is told once, whenever the hub is
 * killed. */
static void tell(struct lumbard *hub, const struct moved *moved, const struct hub_told_wrong *lines)
{
    static const struct access itself = {.name = "hub"};
    const struct store_value row[] = {store_int(moved->from_ms), store_int(moved->by_ms),
                                      store_int(1)};
    char about[AUDIT_ABOUT_BYTES];
    struct text text = text_in(about, sizeof(about));
    text_add(&text, ABOUT, lines->first, lines->last, lines->by_ms);
    if (lines->first <= lines->last) {
        hub_audit(hub, &itself, WHAT, about, 200, "they were told by a clock that nobody had set");
        note(&hub->audit, lines);
    }
    store_put(hub->store, STORE_MOVED, row, sizeof(row) / sizeof(row[0]));
}

int hub_audit_clock(struct lumbard *hub, struct diag *diag)
{
    struct hub_told_wrong lines = {.first = 1, .last = hub->audit.newest};
    struct moved moved = {.by_ms = 0};
    char before[160];
    int code = store_load(hub->store, STORE_MOVED, "told = 0", on_moved, &moved, diag);
    if (code != 0 || moved.by_ms == 0)
        return code;
    struct text text = text_in(before, sizeof(before));
    text_add(&text,
             "id = (SELECT id FROM audit WHERE at_ms < %" PRId64 " ORDER BY id DESC LIMIT 1)",
             moved.from_ms);
    code = store_load(hub->store, STORE_AUDIT, before, on_before, &lines.first, diag);
    lines.by_ms = moved.by_ms;
    if (code == 0)
        tell(hub, &moved, &lines);
    return code;
}

int64_t hub_audit_off_ms(const struct lumbard *hub, uint64_t id)
{
    const struct hub_audit *audit = &hub->audit;
    for (unsigned i = 0; i < audit->told_wrong_count; i++)
        if (id >= audit->told_wrong[i].first && id <= audit->told_wrong[i].last)
            return audit->told_wrong[i].by_ms;
    return 0;
}
