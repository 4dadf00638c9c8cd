/*
 * What a process used, from the outside.
 */
#ifndef LUMBAR_BENCH_USAGE_H
#define LUMBAR_BENCH_USAGE_H

#include <stdint.h>
#include <sys/types.h>

int64_t usage_mono_ns(void);
int64_t usage_cpu_ns(pid_t pid); /* user and system, of all its threads */

/* Resident memory less the pages of files whose path begins so (the spool's ring). */
int64_t usage_rss_kib(pid_t pid, const char *less_path, int64_t *less_kib);

#endif
