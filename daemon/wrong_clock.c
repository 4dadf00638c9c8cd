/*
 * A machine without a battery for its clock begins with a wrong one, until a time service has set
 * it. Until then hub time is put behind everything that is known: nothing happens before what
 * happened before. When the clock is right, and the hub was started anew, what was written
 * meanwhile is moved to when it was: a note in the state folder says since when, and by which
 * clock.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "hub.h"
#include "io/files.h"
#include "io/store_times.h"
#include "io/tape_folder.h"

#define FILE_NAME "wrong-clock"
#define SAME_MS   5000 /* a clock that differs by less was not set */

/* What a run noted whose clock nobody had set. */
struct note {
    char boot[CLOCK_BOOT_BYTES];       /* of the machine: the monotonic clock counts within one */
    int64_t offset_ms, wall_offset_ms; /* hub time and wall clock, less the monotonic one */
    int64_t from_ms;                   /* hub time: what is later was told by it */
};

static const char *path_of(const struct lumbard *hub, char out[PATH_MAX])
{
    struct text text = text_in(out, PATH_MAX);
    text_add(&text, "%s/" FILE_NAME, hub->state);
    return out;
}

static bool read_note(const struct lumbard *hub, struct note *note)
{
    char path[PATH_MAX], line[200];
    struct diag diag = {0};
    return hub->state[0] != '\0' &&
           files_read_line(path_of(hub, path), line, sizeof(line), &diag) == 0 &&
           sscanf(line, "%39s %" SCNd64 " %" SCNd64 " %" SCNd64, note->boot, &note->offset_ms,
                  &note->wall_offset_ms, &note->from_ms) == 4;
}

static void write_note(const struct lumbard *hub)
{
    char path[PATH_MAX], boot[CLOCK_BOOT_BYTES], line[CLOCK_BOOT_BYTES + 80];
    struct text text = text_in(line, sizeof(line));
    struct diag diag = {0};
    if (hub->state[0] == '\0')
        return;
    clock_boot(boot);
    text_add(&text, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n", boot, hub->offset_ms,
             hub->clock.wall_offset_ms, hub->clock.doubted_from_ms);
    if (files_put(path_of(hub, path), line, text.length, &diag) != 0)
        log_error("clock: what is told until it is set cannot be put right then: %s", diag.text);
}

static void drop_note(const struct lumbard *hub)
{
    char path[PATH_MAX];
    if (hub->state[0] != '\0' && unlink(path_of(hub, path)) != 0 && errno != ENOENT)
        log_error("clock: %s cannot be removed: %s", path, strerror(errno));
}

/* Recordings first, for the hub goes on with them when this returns: what it adds is right. */
static bool mend_recordings(const struct lumbard *hub, int64_t from_ms, int64_t *by_ms)
{
    struct diag diag = {0};
    if (tape_folder_move(hub->setup.config->recorder.folder, from_ms, by_ms, &diag) == 0)
        return true;
    log_error("clock: recordings since the machine was switched on tell times that are wrong by "
              "%.1f s: %s",
              (double)*by_ms / 1000, diag.text);
    return false;
}

/* What the runs before wrote by the wrong clock is moved to when it was by this one. */
static bool mend(struct lumbard *hub, const struct note *note)
{
    int64_t by_ms = hub->clock.wall_offset_ms - note->offset_ms;
    bool again;
    struct diag diag = {0};
    bool recorded = mend_recordings(hub, note->from_ms, &by_ms);
    if (store_move_times(hub->store, note->from_ms, &by_ms, &again, &diag) != 0) {
        log_error("clock: times since the machine was switched on stay wrong by %.1f s: %s",
                  (double)by_ms / 1000, diag.text);
        return false;
    }
    if (!again)
        log_notice("clock: it is set now; what was kept since the machine was switched on is moved "
                   "by %+.1f s",
                   (double)by_ms / 1000);
    return recorded;
}

/* Hub time goes on from what is known; whoever has set the clock is believed. */
static void put_behind(struct lumbard *hub)
{
    int64_t newest_ms = store_newest_ms(hub->store), now_ms = hub_now_ms(hub);
    if (now_ms > newest_ms)
        return;
    log_warn("clock: it is %.0f s behind what is known already; times go on from there until it is "
             "set",
             (double)(newest_ms - now_ms) / 1000);
    hub->offset_ms += newest_ms - now_ms + 1000;
    hub->clock.is_behind = true;
}

void hub_take_clock(struct lumbard *hub)
{
    struct note note;
    char boot[CLOCK_BOOT_BYTES];
    struct hub_clock *clock = &hub->clock;
    bool is_synchronised = clock_is_synchronised();
    bool noted = read_note(hub, &note);
    clock->wall_offset_ms = hub->offset_ms;
    clock_boot(boot);
    if (noted && strcmp(note.boot, boot) != 0) {
        drop_note(hub); /* how long the machine was off is not known */
        noted = false;
    }
    if (noted && llabs(clock->wall_offset_ms - note.wall_offset_ms) < SAME_MS && !is_synchronised) {
        hub->offset_ms = note.offset_ms; /* the same clock, not set yet: on in its time */
        clock->is_behind = llabs(note.offset_ms - note.wall_offset_ms) >= SAME_MS;
        clock->doubted_from_ms = note.from_ms;
    } else {
        if (noted && !mend(hub, &note))
            return; /* another start tries again */
        if (!is_synchronised)
            put_behind(hub);
        clock->doubted_from_ms = is_synchronised ? 0 : hub_now_ms(hub);
    }
    hub->started_ms = hub_now_ms(hub);
    if (clock->doubted_from_ms != 0)
        write_note(hub);
    else
        drop_note(hub);
}
