#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES  1024
#define ENTRY_BYTES 2048 /* with its fields */
#define QUIET_MS    60000

static _Atomic int level_now = LOG_INFO;

void log_set_level(enum log_level level)
{
    level_now = level;
}

/* Control characters become '?'. */
static void clean(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

/* What was given is added, as much of it as there is room for. */
__attribute__((format(printf, 4, 0))) static void add(char *out, size_t room, size_t *have,
                                                      const char *format, va_list args)
{
    size_t left = room - *have;
    int length = left > 0 ? vsnprintf(out + *have, left, format, args) : 0;
    size_t kept = length < 0 ? 0 : (size_t)length < left ? (size_t)length : left - 1;
    clean(out + *have, kept);
    *have += kept;
}

__attribute__((format(printf, 4, 5))) static void put(char *out, size_t room, size_t *have,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(out, room, have, format, args);
    va_end(args);
}

/* "<6>" for the journal, the local time for a person. */
static void put_prefix(char *line, size_t room, size_t *have, enum log_level level)
{
    static const char *const words[] = {
        "", "", "", "error: ", "warning: ", "notice: ", "", "debug: "};
    if (getenv("JOURNAL_STREAM") != NULL) {
        put(line, room, have, "<%d>", (int)level);
        return;
    }
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    put(line, room, have, "%02d:%02d:%02d.%03d %s", local.tm_hour, local.tm_min, local.tm_sec,
        (int)(now.tv_nsec / 1000000), words[level]);
}

size_t log_write_entry(char *out, size_t bytes, enum log_level level,
                       const struct log_field *fields, const char *message)
{
    size_t have = 0, room = bytes - 1; /* for the last line end */
    put(out, room, &have, "PRIORITY=%d", (int)level);
    out[have++] = '\n';
    put(out, room, &have, "SYSLOG_IDENTIFIER=%s", program_invocation_short_name);
    for (; fields != NULL && fields->name != NULL && have + 1 < room; fields++) {
        out[have++] = '\n';
        put(out, room, &have, "%s=%s", fields->name, fields->value);
    }
    if (have + 1 < room) {
        out[have++] = '\n';
        put(out, room, &have, "MESSAGE=%s", message);
    }
    out[have++] = '\n';
    return have;
}

/* Is standard error the journal's own stream, and not a file or a pipe that came later? */
static bool is_journal(void)
{
    unsigned long long device, inode;
    struct stat status;
    const char *stream = getenv("JOURNAL_STREAM");
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/* By the journal's own protocol, with fields; false: it did not take it. */
static bool send_entry(enum log_level level, const struct log_field *fields, const char *message)
{
    struct sockaddr_un journal = {AF_UNIX, "/run/systemd/journal/socket"};
    char entry[ENTRY_BYTES];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    size_t bytes = log_write_entry(entry, sizeof(entry), level, fields, message);
    ssize_t sent = sendto(fd, entry, bytes, MSG_NOSIGNAL | MSG_DONTWAIT,
                          (struct sockaddr *)&journal, sizeof(journal));
    close(fd);
    return sent == (ssize_t)bytes;
}

__attribute__((format(printf, 3, 0))) static void
say(enum log_level level, const struct log_field *fields, const char *format, va_list args)
{
    char line[LINE_BYTES];
    size_t start = 0, room = sizeof(line) - 1; /* for the line end */
    if ((int)level > level_now)
        return;
    put_prefix(line, room, &start, level);
    size_t end = start;
    add(line, room, &end, format, args);
    if (is_journal() && send_entry(level, fields, line + start))
        return;
    line[end] = '\n';
    /* A log that cannot be written has nobody to complain to. */
    ssize_t ignored = write(STDERR_FILENO, line, end + 1);
    (void)ignored;
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(level, NULL, format, args);
    va_end(args);
}

void log_fields(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(level, fields, format, args);
    va_end(args);
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
