/*
 * The options: one table of literals, which everything about an option comes from: where it stands
 * in the YAML, where in struct config, its type, range, default, unit, help, and whether a running
 * hub may change it. Pure; allocates nothing.
 */
#ifndef LUMBAR_CORE_OPTIONS_H
#define LUMBAR_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/yaml.h"

struct config;

enum option_type {
    OPTION_STRING,   /* min..max bytes */
    OPTION_LABEL,    /* as it may stand in a topic */
    OPTION_INTEGER,  /* min..max */
    OPTION_PORT,     /* min..65535 */
    OPTION_BOOLEAN,  /* true or false */
    OPTION_DURATION, /* "100 ms": min..max in ms */
    OPTION_SIZE,     /* "16 MiB": min..max in bytes, a multiple of step */
    OPTION_ADDRESS,  /* a numeric one, of IPv4 or IPv6 */
};

struct option {
    const char *path; /* "broker.port": nested maps */
    enum option_type type;
    size_t offset; /* in struct config: const char *, bool or int64_t, by the type */
    int64_t min, max, step;
    const char *fallback; /* the default, as it would be written; unquoted */
    const char *unit;     /* of min and max, for people; "" none */
    bool reloadable;
    const char *help;
};

extern const struct option options[];
extern const size_t option_count;

/* The option of this path, NULL if there is none. */
const struct option *option_find(const char *path);

/* Sets it from text; strings point into the text. Complains without a place. */
int option_set(const struct option *option, const char *text, struct config *config,
               struct diag *diag);

/* Does it have the same value in both? */
bool option_equal(const struct option *option, const struct config *a, const struct config *b);

/* In 127.0.0.0/8, or ::1. */
bool option_is_loopback(const char *address);

/* "a whole number, 1..1000": what may be written. Returns out. */
const char *option_describe(const struct option *option, char *out, size_t bytes);

#endif
