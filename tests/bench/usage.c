#include "usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t usage_mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool read_line(const char *file, char *line, size_t bytes)
{
    FILE *in = fopen(file, "r");
    bool read = in != NULL && fgets(line, (int)bytes, in) != NULL;
    if (in != NULL)
        fclose(in);
    return read;
}

static int64_t thread_ns(pid_t pid, const char *thread)
{
    char file[320], line[128];
    long long ns = 0;
    snprintf(file, sizeof(file), "/proc/%d/task/%s/schedstat", (int)pid, thread);
    return read_line(file, line, sizeof(line)) && sscanf(line, "%lld", &ns) == 1 ? ns : 0;
}

struct usage usage_of(pid_t pid)
{
    char folder[32], file[320], name[64];
    struct usage usage = {0};
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0)
        usage.all = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
    snprintf(folder, sizeof(folder), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(folder);
    if (threads == NULL)
        return usage;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        snprintf(file, sizeof(file), "%s/%s/comm", folder, thread->d_name);
        if (thread->d_name[0] == '.' || !read_line(file, name, sizeof(name)))
            continue;
        if (strcmp(name, "MQTTAsync_rcv\n") == 0)
            usage.receiver = thread_ns(pid, thread->d_name);
        else if (atoi(thread->d_name) == (int)pid)
            usage.first = thread_ns(pid, thread->d_name);
    }
    closedir(threads);
    return usage;
}

static int64_t written(const char *file)
{
    char line[128];
    long long bytes = 0;
    FILE *in = fopen(file, "r");
    while (in != NULL && fgets(line, sizeof(line), in) != NULL)
        if (sscanf(line, "write_bytes: %lld", &bytes) == 1)
            break;
    if (in != NULL)
        fclose(in);
    return bytes;
}

struct usage_writes usage_writes(pid_t pid)
{
    char folder[32], file[320], name[64];
    struct usage_writes writes = {0};
    snprintf(file, sizeof(file), "/proc/%d/io", (int)pid);
    writes.all = written(file);
    snprintf(folder, sizeof(folder), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(folder);
    if (threads == NULL)
        return writes;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        snprintf(file, sizeof(file), "%s/%s/comm", folder, thread->d_name);
        if (thread->d_name[0] == '.' || !read_line(file, name, sizeof(name)))
            continue;
        snprintf(file, sizeof(file), "%s/%s/io", folder, thread->d_name);
        if (strcmp(name, "spool-copy\n") == 0)
            writes.spool = written(file);
        else if (strcmp(name, "recorder\n") == 0)
            writes.recorder = written(file);
        else if (strcmp(name, "store\n") == 0)
            writes.store = written(file);
    }
    closedir(threads);
    return writes;
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
