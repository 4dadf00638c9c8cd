/*
 * A real lumbard in folders of its own, for benches and for tests that kill it. The ring lies in
 * /dev/shm, as in service it lies in /run. Failures of the world end the process with a sentence.
 */
#ifndef LUMBAR_BENCH_HUB_H
#define LUMBAR_BENCH_HUB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hub {
    const char *build;   /* build folder: daemon/lumbard in it */
    const char *plugins; /* folder of plugins */
    int broker_port;
    unsigned rooms;        /* 1 ... */
    unsigned devices;      /* p-0001 ... in turn over the rooms */
    const char *ring_size; /* "64 MiB" */
    bool disk_apart; /* history and recordings in a folder "disk", for a file system to be put there
                      */
    const char *rules; /* folder of rules, "" for none */
    bool recorded;     /* every room, all the time */
    bool clinic; /* rooms as lumbar-sim plays them: posture/p-01 and massage/m-01 in room 1, ... */
    const char *more;          /* further lines of YAML */
    const char *const *launch; /* what to put before the command, NULL-terminated; NULL: nothing */

    char folder[64], ring_folder[64];
    char ring[128], quarantine[128], recordings[128], log[128];
    char history[128]; /* set before hub_prepare(): one that is there, and stays */
    pid_t pid;         /* 0: not running */
};

void hub_prepare(struct hub *hub); /* makes the folders, writes the configuration */
void hub_start(struct hub *hub);
int hub_end(struct hub *hub, int signal); /* signal 0: none; waits; gives the wait status */
bool hub_has_ended(struct hub *hub, int *status);
int hub_web_port(const struct hub *hub);        /* waits until it listens */
void hub_clear(struct hub *hub, bool keep_log); /* removes the folders */

#endif
