#include "ordeal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/spool.h"

unsigned ordeal_random(unsigned limit)
{
    unsigned number = 0;
    assert_int_equal(getrandom(&number, sizeof(number), 0), sizeof(number));
    return number % limit;
}

int ordeal_rounds(int usual)
{
    const char *more = getenv("LUMBAR_ROUNDS");
    return more != NULL ? atoi(more) : usual;
}

/* ---- the disk ---- */

static void limit_files(const struct hub *hub, rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(prlimit(hub->pid, RLIMIT_FSIZE, NULL, &limit), 0);
    limit.rlim_cur = bytes;
    prlimit(hub->pid, RLIMIT_FSIZE, &limit, NULL);
}

static void filler_of(const struct hub *hub, char *path, size_t bytes)
{
    snprintf(path, bytes, "%s/disk/filler", hub->folder);
}

/* Takes all that is left of the file system, but for some KiB. */
static void fill_disk(const struct hub *hub)
{
    static const char zeros[65536];
    char path[128];
    filler_of(hub, path, sizeof(path));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    off_t size = 0;
    for (ssize_t wrote; (wrote = write(fd, zeros, sizeof(zeros))) > 0;)
        size += wrote;
    off_t left = 4096 * (off_t)ordeal_random(8);
    assert_int_equal(ftruncate(fd, size > left ? size - left : 0), 0);
    close(fd);
}

static void free_disk(const struct hub *hub)
{
    char path[128];
    filler_of(hub, path, sizeof(path));
    unlink(path);
}

static bool mount_disk(const struct hub *hub, const char *size)
{
    char path[128], options[32];
    snprintf(path, sizeof(path), "%s/disk", hub->folder);
    snprintf(options, sizeof(options), "size=%s", size);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("tmpfs", path, "tmpfs", 0, options) == 0)
        return true;
    printf("skipped: a small file system cannot be mounted: %s\n", strerror(errno));
    return false;
}

static void unmount_disk(const struct hub *hub)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/disk", hub->folder);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void disk_refuses(struct hub *hub, const struct ordeal *ordeal, bool refuses)
{
    if (ordeal->file_most != 0)
        limit_files(hub, refuses ? ordeal->file_most : RLIM_INFINITY);
    if (ordeal->disk != NULL && refuses)
        fill_disk(hub);
    else if (ordeal->disk != NULL)
        free_disk(hub);
}

/* ---- rounds ---- */

static void count_waiting(void *user, const struct ring_record *record)
{
    *(uint64_t *)user += record->outcome == RING_WAITING;
}

void ordeal_drain(struct hub *hub, struct source *source, struct source_shared *shared)
{
    struct diag diag = {0};
    uint64_t waiting = 1;
    shared->until = shared->published;
    source_run(source, 50); /* sees that the one which was killed is gone */
    for (int ms = 0; ms < ORDEAL_PATIENT; ms += 50) {
        if (source_has_sink(source) && source_in_flight(source) == 0)
            break;
        source_run(source, 50);
    }
    assert_int_equal(source_in_flight(source), 0);
    for (int ms = 0; ms < ORDEAL_PATIENT && waiting > 0; ms += 200) {
        source_run(source, 200);
        waiting = 0;
        spool_walk(hub->ring, count_waiting, &waiting, &diag);
    }
    assert_int_equal(waiting, 0);
}

static void wait_for_sink(struct source *source)
{
    source_run(source, 20); /* sees that the one which was killed is gone */
    for (int ms = 0; ms < ORDEAL_PATIENT && !source_has_sink(source); ms += 20)
        source_run(source, 20);
}

/* Most kills fall on a hub at work, some on one that starts, recovers, or whose disk is full. */
static void run_round(struct hub *hub, struct source *source, const struct ordeal *ordeal,
                      int round)
{
    bool may_refuse = ordeal->file_most != 0 || ordeal->disk != NULL;
    hub_start(hub);
    /* Also where it takes longer than that to come up; the first one makes its files. */
    if (round % 2 == 1 || round == 0)
        wait_for_sink(source);
    source_run(source, (int)(20 + ordeal_random(2000)));
    if (may_refuse && round % 2 == 0) {
        disk_refuses(hub, ordeal, true);
        source_run(source, (int)(20 + ordeal_random(1500)));
        if (round % 4 == 0) {
            disk_refuses(hub, ordeal, false);
            source_run(source, (int)ordeal_random(1500));
        }
    }
    if (round % 3 == 0) {
        source_lose_acknowledgements(source);
        source_run(source, 10);
    }
    int status = hub_end(hub, SIGKILL);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("round %d: the hub ended by itself, status 0x%x", round, status);
    if (ordeal->disk != NULL && round % 8 == 2) /* else the next one starts with a full disk */
        free_disk(hub);
    if (ordeal->after_kill != NULL)
        ordeal->after_kill(hub, round);
}

static void go_on(const struct ordeal *ordeal, struct hub *hub, struct source *source,
                  struct source_shared *shared)
{
    for (int round = 0; round < ordeal->rounds; round++)
        run_round(hub, source, ordeal, round);
    if (ordeal->disk != NULL)
        free_disk(hub);
    hub_start(hub);
    ordeal_drain(hub, source, shared);
    assert_int_equal(hub_end(hub, SIGTERM), 0);
}

void ordeal_go(const struct ordeal *ordeal,
               void (*look)(const struct hub *hub, const struct source *source,
                            const struct ordeal *ordeal))
{
    static struct source_shared shared;
    memset(&shared, 0, sizeof(shared));
    shared.rate = ordeal->rate;
    shared.until = UINT64_MAX;
    struct source_options options = {
        .devices = ordeal->devices, .window = 500, .qos = 1, .ledger = true, .shared = &shared};
    struct source *source = source_create(&options);
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = source_port(source),
                      .rooms = ordeal->rooms,
                      .devices = ordeal->devices,
                      .ring_size = ordeal->ring_size,
                      .recorded = ordeal->recorded,
                      .disk_apart = ordeal->disk != NULL,
                      .rules = ""};
    hub_prepare(&hub);
    bool mounted = ordeal->disk != NULL && mount_disk(&hub, ordeal->disk);
    if (mounted || ordeal->disk == NULL) {
        go_on(ordeal, &hub, source, &shared);
        look(&hub, source, ordeal);
    }
    if (mounted)
        unmount_disk(&hub);
    source_destroy(source);
    hub_clear(&hub, false);
}
