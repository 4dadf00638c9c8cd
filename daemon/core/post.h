/*
 * A POST to somebody else's web server, as far as it is text: where to, the request's head, and what
 * the answer says. Pure; nothing is allocated.
 */
#ifndef LUMBAR_CORE_POST_H
#define LUMBAR_CORE_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define POST_HOST_BYTES 254
#define POST_PATH_BYTES 512
#define POST_HEAD_BYTES 1536
#define POST_WORD_BYTES 256 /* of what is sent as Authorization */

struct post_place {
    bool tls;
    char host[POST_HOST_BYTES]; /* a name or an address, that of IPv6 without its brackets */
    unsigned port;
    char path[POST_PATH_BYTES]; /* with its query; "/" where there is none */
};

/* "http://host[:port][/path]", or https. No user, no fragment, no white space. */
int post_read_place(struct post_place *place, const char *url, struct diag *diag);

/* The head of a request with a JSON body of so many bytes; `word` ("" none) goes as bearer of
 * Authorization. Returns its length, 0 where it does not fit. */
size_t post_write_head(char out[POST_HEAD_BYTES], const struct post_place *place, const char *word,
                       size_t body_bytes);

/* The status of an answer of which so much came: 100..599, 0: more is needed, -1: it is no HTTP. */
int post_read_status(const char *bytes, size_t count);

#endif
