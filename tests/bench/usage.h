/*
 * What a process used, from the outside.
 */
#ifndef LUMBAR_BENCH_USAGE_H
#define LUMBAR_BENCH_USAGE_H

#include <stdint.h>
#include <sys/types.h>

int64_t usage_mono_ns(void);

/* CPU time, user and system, in ns. */
struct usage {
    int64_t all;      /* of all threads */
    int64_t receiver; /* Paho's, which calls the subscriber */
    int64_t first;    /* the one that runs main(): the hub's loop */
};

struct usage usage_of(pid_t pid);

/* What a process had the system write to a disk: bytes of the pages of files that became dirty,
 * whole pages each time (write_bytes of /proc/PID/io; files in a tmpfs are none). Of its threads
 * those that write; `all` also of threads that have ended. */
struct usage_writes {
    int64_t all, spool, recorder, store;
};

struct usage_writes usage_writes(pid_t pid);

/* Resident memory less the pages of files whose path begins so (the spool's ring). */
int64_t usage_rss_kib(pid_t pid, const char *less_path, int64_t *less_kib);

#endif
