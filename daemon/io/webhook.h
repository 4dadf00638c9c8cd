/*
 * Alarms told to somebody else's web server (a pager, a messenger): each as a POST of JSON.
 *
 * One after the other, each over a connection of its own, by libuv: nothing waits. What is not
 * answered with 2xx in time is tried again after 1, 2, 4, 8 and 16 s, and then given up; what finds
 * no room takes the place of the oldest. Both are counted and said in the log. https is verified
 * against the system's certificates, or a ca_file. Loop thread. Memory: WEBHOOK_POSTS times
 * WEBHOOK_BODY_BYTES, at create.
 */
#ifndef LUMBAR_IO_WEBHOOK_H
#define LUMBAR_IO_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

#define WEBHOOK_POSTS      64
#define WEBHOOK_BODY_BYTES 4096

struct webhook_options {
    const char *url;     /* as core/post.h has it; "" none */
    const char *word;    /* sent as bearer of Authorization; "" none */
    const char *ca_file; /* PEM; "" the system's */
};

/* Where to: made before anything changes, so that a reload may still refuse. NULL in *out, and 0:
 * the url is "". */
struct webhook_target;
int webhook_target_create(struct webhook_target **out, const struct webhook_options *options,
                          struct diag *diag);
void webhook_target_destroy(struct webhook_target *target);

struct webhook_patience {
    unsigned answer_ms; /* of an attempt */
    unsigned first_ms;  /* until the second one; doubled each time */
    unsigned attempts;
};
#define WEBHOOK_PATIENCE ((struct webhook_patience){10000, 1000, 6})

struct webhook;
int webhook_create(struct webhook **out, uv_loop_t *loop, struct webhook_patience patience,
                   struct diag *diag);
/* From the next attempt on; takes the target, or NULL for none: then what waits is dropped. */
void webhook_aim(struct webhook *webhook, struct webhook_target *target);
bool webhook_is_aimed(const struct webhook *webhook);

/* Copies the body. ERR_LIMIT: it is too long. */
int webhook_post(struct webhook *webhook, const char *body, size_t bytes);

struct webhook_stats {
    uint64_t sent, failed; /* attempts that were not answered with 2xx */
    uint64_t dropped;      /* given up, or without room */
    unsigned waiting;
    char error[160]; /* of the last attempt; "" it went well */
};
void webhook_stats(const struct webhook *webhook, struct webhook_stats *stats);

void webhook_stop(struct webhook *webhook);    /* closes its handles; the loop then has to run */
void webhook_destroy(struct webhook *webhook); /* after that */

#endif
