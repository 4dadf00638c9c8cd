#include "run.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS      5
#define SAY_EVERY_MS 5000
#define FLUSH_MS     2000 /* at the end, for what the broker has not yet taken */
#define HURRY_MS     300  /* the same after a signal */

static sigset_t ending_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void run_block_signals(void)
{
    sigset_t set = ending_signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int64_t run_now_ms(void)
{
    static int64_t offset_ms; /* found once: the clock may be set while it runs */
    if (offset_ms == 0)
        offset_ms = clock_hub_offset_ms();
    return clock_mono_ns() / 1000000 + offset_ms;
}

/* Sleeps a tick; true when a signal wants the end. */
static bool tick(void)
{
    sigset_t set = ending_signals();
    struct timespec rest = {.tv_nsec = TICK_MS * 1000000L};
    return sigtimedwait(&set, NULL, &rest) > 0;
}

static void say(struct fleet *fleet)
{
    struct device_counts counts = fleet_counts(fleet);
    log_info("%llu rows, %llu messages, %llu sent, %llu of them again, %llu stalls%s",
             (unsigned long long)counts.rows, (unsigned long long)counts.messages,
             (unsigned long long)counts.sent, (unsigned long long)counts.resends,
             (unsigned long long)counts.stalls, fleet_is_up(fleet) ? "" : ", not connected");
}

static void flush(struct fleet *fleet, int64_t patience_ms)
{
    int64_t end_ms = run_now_ms() + patience_ms;
    fleet_pump(fleet, run_now_ms(), true);
    while (fleet_pending(fleet) > 0 && run_now_ms() < end_ms) {
        if (tick() && patience_ms > HURRY_MS)
            return;
    }
    fleet_stop(fleet);
    tick(); /* Paho's thread writes the goodbye */
}

int run_fleet(struct fleet *fleet, const struct show *show, double seconds, bool verbose)
{
    int64_t start_ms = run_now_ms(), say_ms = start_ms;
    bool signalled = false, over = false, was_up = false;
    while (!signalled && !over) {
        int64_t now_ms = run_now_ms();
        over = seconds > 0 && now_ms - start_ms >= (int64_t)(seconds * 1000);
        over = !show->advance(show->user, now_ms) || over;
        fleet_pump(fleet, now_ms, false);
        was_up = was_up || fleet_is_up(fleet);
        if (verbose && now_ms - say_ms >= SAY_EVERY_MS) {
            say_ms = now_ms;
            say(fleet);
        }
        signalled = tick();
    }
    flush(fleet, signalled ? HURRY_MS : FLUSH_MS);
    if (verbose)
        say(fleet);
    if (was_up || signalled)
        return 0;
    log_error("the broker was never reached");
    return 1;
}
