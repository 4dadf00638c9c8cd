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

/* Resident memory less the pages of files whose path begins so (the spool's ring). */
int64_t usage_rss_kib(pid_t pid, const char *less_path, int64_t *less_kib);

#endif
