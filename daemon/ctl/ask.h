/*
 * A question to the running hub: one HTTP request over its Unix socket, JSON there and back. Used
 * by every command that needs a hub. Blocks, ASK_SECONDS at most.
 */
#ifndef LUMBAR_CTL_ASK_H
#define LUMBAR_CTL_ASK_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define ASK_SECONDS    60
#define ASK_MOST_BYTES ((size_t)32 * 1024 * 1024) /* of an answer */

/* Where the hub is, and how its answer is shown. */
struct ask {
    const char *config; /* file that names the socket */
    const char *socket; /* NULL: what the configuration says */
    bool json;          /* print the answer as it is */
    bool quiet;         /* say nothing of a hub that does not answer */
};

/* --config, --socket, --json and --help, for tables of getopt_long(). */
enum { ASK_CONFIG = 256, ASK_SOCKET, ASK_JSON, ASK_HELP, ASK_OTHER };
#define ASK_OPTIONS                                                                                \
    {"config", required_argument, NULL, ASK_CONFIG},                                               \
        {"socket", required_argument, NULL, ASK_SOCKET}, {"json", no_argument, NULL, ASK_JSON},    \
    {                                                                                              \
        "help", no_argument, NULL, ASK_HELP                                                        \
    }

/* Those options in words. */
#define ASK_HELP_TEXT                                                                              \
    "  --config FILE   the hub's configuration, which names its socket\n"                          \
    "                  (default " LUMBAR_CONFIG_FILE ")\n"                                         \
    "  --socket PATH   the socket itself\n"                                                        \
    "  --json          print what the hub says, as JSON\n"

#define ASK_DEFAULT                                                                                \
    (struct ask)                                                                                   \
    {                                                                                              \
        .config = LUMBAR_CONFIG_FILE                                                               \
    }

/* Takes one of the four; false for any other (help among them). */
bool ask_option(struct ask *ask, int option);

/* A connection with the hub, which the caller closes; else an exit code, and it was said why. */
int ask_connect(const struct ask *ask, int *fd);

/* Asks; `body` is taken (NULL: none). 0 and the answer, owned by the caller; else an exit code, and
 * the reason was said on standard error. */
int ask_hub(const struct ask *ask, const char *method, const char *path, json_t *body,
            json_t **answer);

/* The same for what is no JSON: the body as it is, owned by the caller. */
int ask_hub_text(const struct ask *ask, const char *path, char **text, size_t *bytes);

/* Prints the answer if --json was given: then true, and it is freed. */
bool ask_printed(const struct ask *ask, json_t *answer);

/* A part of a path or query, escaped; returns out. */
const char *ask_escape(const char *text, char *out, size_t bytes);

/* Asks about a device, as in posture/p-01: `rest` is what follows it in the path. */
int ask_device(const struct ask *ask, const char *method, const char *device, const char *rest,
               json_t *body, json_t **answer);

/* A member as text, "" where it is none. */
const char *ask_string(const json_t *object, const char *name);
long long ask_integer(const json_t *object, const char *name);

/* "2026-11-25T19:07:00.123Z" as "19:07:00" local time, with the date where it is not today's. */
#define ASK_TIME_BYTES 32
const char *ask_time(const json_t *object, const char *name, char out[ASK_TIME_BYTES]);

/* "7 s", "12 min", "3 h". */
const char *ask_span(long long ms, char out[ASK_TIME_BYTES]);

#endif
