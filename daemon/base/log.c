#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1024
#define QUIET_MS   60000

static _Atomic int level_now = LOG_INFO;

void log_set_level(enum log_level level)
{
    level_now = level;
}

/* "<6>" for the journal, the local time for a person; returns its length. */
static int write_prefix(char *line, enum log_level level)
{
    static const char *const words[] = {"",        "",        "",      "error: ",
                                        "warning: ", "notice: ", "", "debug: "};
    if (getenv("JOURNAL_STREAM") != NULL)
        return snprintf(line, LINE_BYTES, "<%d>", (int)level);
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    return snprintf(line, LINE_BYTES, "%02d:%02d:%02d.%03d %s", local.tm_hour, local.tm_min,
                    local.tm_sec, (int)(now.tv_nsec / 1000000), words[level]);
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level > level_now)
        return;
    char line[LINE_BYTES];
    int start = write_prefix(line, level);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line + start, sizeof(line) - (size_t)start - 1, format, args);
    va_end(args);
    if (length < 0)
        return;
    int end = start + length;
    if (end > LINE_BYTES - 2)
        end = LINE_BYTES - 2;
    for (int i = start; i < end; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[end] = '\n';
    /* A log that cannot be written has nobody to complain to. */
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)end + 1);
    (void)ignored;
}

uint64_t log_limit_hit(struct log_limit *limit, int64_t now_ms)
{
    limit->counted_ms = now_ms;
    limit->count++;
    if (limit->count > 1 && now_ms - limit->said_ms < QUIET_MS)
        return 0;
    uint64_t fresh = limit->count - limit->said;
    limit->said = limit->count;
    limit->said_ms = now_ms;
    return fresh;
}

uint64_t log_limit_over(struct log_limit *limit, int64_t now_ms)
{
    if (limit->count == 0 || now_ms - limit->counted_ms < QUIET_MS)
        return 0;
    uint64_t all = limit->count;
    *limit = (struct log_limit){0};
    return all;
}
