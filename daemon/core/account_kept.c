#include "core/account_kept.h"

#include <string.h>

#include "core/account.h"

_Static_assert(KEPT_MISSED_MAX == DEVICE_MISSED_MAX, "all of them are kept");
#define MISSING_ALL (MISSING_HISTORY | MISSING_TAPE)

/* ---- Kept ---- */

bool device_has_news(const struct device *device)
{
    return device->account->news;
}

void device_keep_done(struct device *device)
{
    device->account->news = false;
}

void device_keep_anew(struct device *device)
{
    device->account->news = true;
}

static bool is_seen(const struct account_window *window, uint64_t sequence)
{
    return (window->seen[sequence % DEVICE_WINDOW / 64] >> sequence % 64 & 1) != 0;
}

/* Below the window nothing is known of single ones. */
static uint64_t oldest_of(const struct account_window *window)
{
    return window->newest >= DEVICE_WINDOW ? window->newest - DEVICE_WINDOW + 1 : 1;
}

/* How many from here on are alike, and whether they were seen: a word at a time where it can be,
 * for this is done for each device and batch. */
static uint64_t alike(const struct account_window *window, uint64_t at, bool *seen)
{
    uint64_t word = window->seen[at % DEVICE_WINDOW / 64];
    *seen = is_seen(window, at);
    bool whole = at % 64 == 0 && window->newest - at >= 64 && (word == 0 || word == UINT64_MAX);
    return whole ? 64 : 1;
}

static void keep_runs(const struct account_window *window, struct kept_boot *kept)
{
    bool seen, before = false;
    kept->run_count = 0;
    for (uint64_t at = oldest_of(window), count; at <= window->newest; at += count) {
        count = alike(window, at, &seen);
        if (seen && !before)
            kept->runs[kept->run_count++] = (struct kept_run){at, at + count - 1};
        else if (seen)
            kept->runs[kept->run_count - 1].to = at + count - 1;
        before = seen;
    }
}

bool device_keep(const struct device *device, unsigned number, struct kept_boot *kept)
{
    if (number >= KEPT_BOOTS || !device->account->boot[number].known)
        return false;
    const struct account_boot *boot = &device->account->boot[number];
    const struct account_clock *clock = &boot->clock;
    kept->id = boot->id;
    kept->first = boot->window.first;
    kept->newest = boot->window.newest;
    kept->whole = boot->window.whole;
    kept->safe = boot->ack.kept.whole < kept->newest ? boot->ack.kept.whole : kept->newest;
    kept->has_clock = clock->known;
    kept->offset_ms = clock->lowest[clock->lowest[1] < clock->lowest[0]];
    kept->received_ms = clock->received_ms;
    kept->now_ms = clock->now_ms;
    keep_runs(&boot->window, kept);
    kept->missed_count = boot->missed_count;
    for (unsigned i = 0; i < boot->missed_count; i++)
        kept->missed[i] =
            (struct kept_missed){{boot->missed[i].from, boot->missed[i].to}, boot->missed[i].what};
    return true;
}

/* ---- Restored ---- */

bool kept_is_possible(const struct kept_boot *kept)
{
    uint64_t before = 0;
    if (kept->first == 0 || kept->newest == 0 || kept->newest == UINT64_MAX ||
        kept->first > kept->newest || kept->whole > kept->newest || kept->safe > kept->newest ||
        kept->run_count > KEPT_RUNS_MAX)
        return false;
    for (uint32_t i = 0; i < kept->run_count; i++) {
        const struct kept_run *run = &kept->runs[i];
        if (run->from <= before || run->to < run->from || run->to > kept->newest)
            return false;
        before = run->to;
    }
    for (uint32_t i = 0; i < kept->missed_count && kept->missed_count <= KEPT_MISSED_MAX; i++) {
        const struct kept_missed *missed = &kept->missed[i];
        if (missed->of.from == 0 || missed->of.to < missed->of.from ||
            missed->of.to > kept->newest || missed->what == 0 || missed->what > MISSING_ALL)
            return false;
    }
    return kept->missed_count <= KEPT_MISSED_MAX;
}

static void mark(struct account_window *window, uint64_t from, uint64_t to)
{
    uint64_t oldest = oldest_of(window);
    for (uint64_t at = from > oldest ? from : oldest; at <= to && at <= window->newest; at++)
        window->seen[at % DEVICE_WINDOW / 64] |= UINT64_C(1) << at % 64;
}

static void window_restore(struct account_window *window, const struct kept_boot *kept)
{
    *window =
        (struct account_window){.first = kept->first, .newest = kept->newest, .whole = kept->whole};
    for (uint32_t i = 0; i < kept->run_count; i++)
        mark(window, kept->runs[i].from, kept->runs[i].to);
}

/* What the ring still told, and what was kept: each may know of some that the other does not. */
static void window_unite(struct account_window *window, const struct account_window *other)
{
    const bool newer = other->newest > window->newest;
    const struct account_window old = newer ? *window : *other;
    if (newer)
        *window = *other;
    if (old.first < window->first)
        window->first = old.first;
    for (uint64_t at = oldest_of(&old); at <= old.newest; at++)
        if (is_seen(&old, at))
            mark(window, at, at);
}

static void clock_restore(struct account_clock *clock, const struct kept_boot *kept)
{
    *clock = (struct account_clock){.known = true,
                                    .lowest = {kept->offset_ms, INT64_MAX},
                                    .received_ms = kept->received_ms,
                                    .now_ms = kept->now_ms};
}

static void boot_restore(struct account_boot *boot, const struct kept_boot *kept)
{
    struct account_window window;
    window_restore(&window, kept);
    if (boot->known)
        window_unite(&boot->window, &window);
    else
        boot->window = window;
    if (!boot->clock.known && kept->has_clock)
        clock_restore(&boot->clock, kept);
    boot->known = true;
    boot->alone = false;
    boot->id = kept->id;
    boot->missed_count = kept->missed_count;
    for (unsigned i = 0; i < kept->missed_count; i++)
        boot->missed[i] = (struct account_missed){kept->missed[i].of.from, kept->missed[i].of.to,
                                                  kept->missed[i].what};
    /* All of it is on disk, at places of the spool that are no longer of interest. */
    struct account_ack *ack = &boot->ack;
    if (kept->safe <= ack->kept.whole && ack->kept.newest != 0)
        return;
    ack->kept = boot->window;
    if (kept->safe < kept->whole) /* some are awaited again, nobody knows which */
        ack->kept =
            (struct account_window){.first = kept->safe, .newest = kept->safe, .whole = kept->safe};
    ack->safe = kept->safe;
    ack->reached = ack->waiting = (struct account_mark){.sequence = kept->safe};
}

static struct account_boot *place_of(struct device_account *account, uint64_t id)
{
    for (int i = 0; i < KEPT_BOOTS; i++)
        if (account->boot[i].known && account->boot[i].id == id)
            return &account->boot[i];
    for (int i = 0; i < KEPT_BOOTS; i++)
        if (!account->boot[i].known)
            return &account->boot[i];
    return NULL;
}

void device_restore(struct device *device, const struct kept_boot *boots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct account_boot *boot = place_of(device->account, boots[i].id);
        if (boot != NULL)
            boot_restore(boot, &boots[i]);
    }
    device->account->restored = device->account->restored || count > 0;
}
