/*
 * bench-writes: what a clinic costs the disk of its hub.
 *
 *   bench-writes [MINUTES]   default: 5, after one that is not counted
 *
 * A real hub with 20 rooms, every one recorded, and lumbar-sim for them: a posture wearable (5
 * metrics at 50 Hz, and its posture) and a massage device (8 at 10 Hz) each, a message each 200 ms,
 * with the shipped rules. Counted is what the kernel counts for the hub's process (usage.h), by its
 * threads: spool's copy, recordings, database. The last is counted to the end of the process, when
 * the log is taken into the file: in service that is once in a quarter of an hour, for fewer pages.
 * Exit 0: at most 60 KB/s; 1: more; 77: /tmp is a tmpfs, where nothing is counted.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub.h"
#include "source.h"
#include "table.h"
#include "usage.h"

#define ROOMS       20
#define KB_MOST     60
#define MINUTE_MS   60000
#define TMPFS_MAGIC 0x01021994

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-writes: %s\n", what);
    exit(2);
}

static pid_t start_clinic(int port)
{
    char at[16], rooms[16];
    snprintf(at, sizeof(at), "%d", port);
    snprintf(rooms, sizeof(rooms), "%d", ROOMS);
    pid_t pid = fork();
    if (pid < 0)
        give_up(strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(BUILD_FOLDER "/tests/sim/lumbar-sim", "lumbar-sim", "--port", at, "--rooms", rooms,
          (char *)NULL);
    _exit(127);
}

static void add_rate(struct table *table, const char *what, int64_t bytes, double seconds,
                     enum wanted wanted)
{
    table_add(table, what, (double)bytes / seconds / 1000, "KB/s", wanted, KB_MOST);
}

/* Ends the hub, and says what it had written by then. */
static int64_t end_hub(struct hub *hub)
{
    siginfo_t info;
    kill(hub->pid, SIGTERM);
    /* It stays to be asked until it is waited for. */
    if (waitid(P_PID, (id_t)hub->pid, &info, WEXITED | WNOWAIT) != 0)
        give_up(strerror(errno));
    int64_t bytes = usage_writes(hub->pid).all;
    if (hub_end(hub, 0) != 0)
        give_up("the hub did not end well");
    return bytes;
}

static void measure(struct hub *hub, struct source *source, int minutes, struct table *table)
{
    pid_t clinic = start_clinic(source_port(source));
    source_run(source, MINUTE_MS);
    struct usage_writes from = usage_writes(hub->pid);
    int64_t from_ns = usage_mono_ns();
    source_run(source, minutes * MINUTE_MS);
    struct usage_writes to = usage_writes(hub->pid);
    double seconds = (double)(usage_mono_ns() - from_ns) / 1e9;
    int64_t last = end_hub(hub);
    kill(clinic, SIGTERM);
    waitpid(clinic, NULL, 0);
    if (to.all == from.all || last < to.all)
        give_up("the kernel does not say what is written (CONFIG_TASK_IO_ACCOUNTING)");
    int64_t rest = last - to.all; /* of all that was written since the start, not since `from` */
    double share = seconds / (seconds + MINUTE_MS / 1000.0);
    int64_t end = (int64_t)((double)rest * share);
    table_head(table, "written by a hub with %d rooms, recorded, %d minutes", ROOMS, minutes);
    add_rate(table, "in all", to.all - from.all + end, seconds, AT_MOST);
    add_rate(table, "  the spool's copy", to.spool - from.spool, seconds, NOTHING);
    add_rate(table, "  recordings", to.recorder - from.recorder, seconds, NOTHING);
    add_rate(table, "  the database's log", to.store - from.store, seconds, NOTHING);
    add_rate(table, "  its file, from the log, and what the end writes", end, seconds, NOTHING);
}

int main(int count, char **arguments)
{
    static struct source_shared shared;
    static struct table table;
    struct statfs place;
    int minutes = count > 1 ? atoi(arguments[1]) : 5;
    if (minutes < 1 || count > 2)
        give_up("bench-writes [MINUTES]");
    signal(SIGPIPE, SIG_IGN);
    struct source *source =
        source_create(&(struct source_options){.devices = 1, .window = 1, .shared = &shared});
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = source_port(source),
                      .rooms = ROOMS,
                      .clinic = true,
                      .recorded = true,
                      .ring_size = "16 MiB",
                      .rules = SOURCE_FOLDER "/config/rules.d"};
    hub_prepare(&hub);
    if (statfs(hub.folder, &place) == 0 && place.f_type == TMPFS_MAGIC) {
        printf("skipped: %s lies in a tmpfs, where nothing is counted\n", hub.folder);
        hub_clear(&hub, false);
        return 77;
    }
    hub_start(&hub);
    measure(&hub, source, minutes, &table);
    bool met = table_print(&table);
    hub_clear(&hub, false);
    source_destroy(source);
    return met ? 0 : 1;
}
