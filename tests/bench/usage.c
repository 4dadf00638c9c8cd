#include "usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t usage_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t usage_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t usage_rss_kib(pid_t pid, const char *less_path, int64_t *less_kib)
{
    char line[512], file[64];
    int64_t all = 0;
    long kib;
    bool less = false;
    *less_kib = 0;
    snprintf(file, sizeof(file), "/proc/%d/smaps", (int)pid);
    FILE *in = fopen(file, "r");
    if (in == NULL)
        return 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        if (sscanf(line, "Rss: %ld kB", &kib) == 1) {
            all += kib;
            *less_kib += less ? kib : 0;
        } else if (strchr(line, '-') != NULL && strchr(line, '-') < strchr(line, ' ')) {
            less = strstr(line, less_path) != NULL; /* the head of a mapping */
        }
    }
    fclose(in);
    return all - *less_kib;
}
