/*
 * The log: one line an event, on standard error, for the journal or a terminal.
 *
 * Where standard error is the journal's, a line goes there by the journal's own protocol, with its
 * priority and fields (journalctl LUMBAR_DEVICE=posture/p-01 finds what is about a device); where
 * that fails it begins with "<n>", which journald takes as the priority; on a terminal with the
 * local time. Control characters in arguments become '?', so that what came from the network cannot
 * draw on an administrator's terminal. Threads: any; a line is one write().
 */
#ifndef LUMBAR_BASE_LOG_H
#define LUMBAR_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR_ = 3, LOG_WARN = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG_ = 7 };

/* Lines above this level are not written. The default is LOG_INFO. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, with fields for the journal; the last one has no name. On a terminal they are not seen.
 */
struct log_field {
    const char *name, *value; /* "LUMBAR_ROOM" */
};
void log_fields(enum log_level level, const struct log_field *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The journal's datagram of a line; returns its length. Fields that find no room are cut. */
size_t log_write_entry(char *out, size_t bytes, enum log_level level,
                       const struct log_field *fields, const char *message);

#define log_error(...)  log_line(LOG_ERROR_, __VA_ARGS__)
#define log_warn(...)   log_line(LOG_WARN, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)   log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)  log_line(LOG_DEBUG_, __VA_ARGS__)

/* A complaint that must not flood: said when it begins, once a minute while it lasts with the
 * number since, and when it is over. Zero it before use. */
struct log_limit {
    uint64_t count;     /* since it began */
    uint64_t said;      /* of them, when a line was last written */
    int64_t said_ms;    /* when that was */
    int64_t counted_ms; /* when it last happened */
};

/* Counts one; returns the number to say now (1 when it begins), 0 when to be silent. */
uint64_t log_limit_hit(struct log_limit *limit, int64_t now_ms);

/* The number that it came to, once, when it has not happened for a minute; else 0. */
uint64_t log_limit_over(struct log_limit *limit, int64_t now_ms);

#endif
