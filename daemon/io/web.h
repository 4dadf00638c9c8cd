/*
 * The web server: the page, and /live for browsers, over libwebsockets inside our uv loop.
 *
 * HTTP/1.1 and WebSocket without extensions, over TLS where a certificate is given. GET and HEAD only, but for the JSON API below /api/.
 * Host and Origin are checked against what we listen on; every answer carries the
 * Content-Security-Policy. The same is served on a Unix socket for who is in its group. The page is
 * built into the program; web_root serves a folder instead, for work on it. An answer ends its
 * connection. A client holds no queue: when its socket can be written it is given one frame made
 * from its cursor, at most one each display frame (16 ms); alarms do not wait for that. Slow ones
 * skip. Dead peers are pinged after 20 s and dropped after 30. Loop thread only.
 */
#ifndef LUMBAR_IO_WEB_H
#define LUMBAR_IO_WEB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/err.h"
#include "core/api.h"
#include "core/frame.h"

struct certificate; /* io/certificate.h */

/* What a request shows of who is behind it. */
struct web_claim {
    bool local; /* by the hub's own socket */
    uid_t uid;  /* and of whom */
    bool tls;
    const char *cookie, *authorization; /* as they came; "" none, or longer than any of ours */
};

/* Who that is; and whether one who came in still may, with what they may now. */
typedef void web_see_who_cb(void *user, const struct web_claim *claim, struct access *access);
typedef bool web_still_may_cb(void *user, struct access *access);

struct web_options {
    const char *listen;    /* a numeric address */
    int port;              /* 0: any free one */
    const char *host;      /* more Hosts that are taken, with commas between; "" none */
    const char *origin;    /* and Origins beside our own; NULL or "" none */
    const struct certificate *certificate; /* TLS, and nothing else on the port; NULL: none */
    unsigned clients;      /* sockets at most; then 503. One other machine: a quarter, 8 at least */
    const char *web_root;  /* NULL: the page of the program */
    int64_t hub_offset_ms; /* clock.h */
    struct api api;        /* a table of none: there is no API */
    web_see_who_cb *see_who; /* NULL: everything is for everybody (tests) */
    web_still_may_cb *still_may;
    /* A socket watches this room, or the wall (0). NULL: nobody is told. */
    void (*on_watch)(void *user, const struct access *access, uint32_t room);
    void *people;          /* of all three */
    const char *socket;    /* path of a Unix socket, mode 0660; NULL or "": none */
    const char *group;     /* of that socket; NULL or "": our own */
};

/* From the arrival of a message to the frame of its room, in seconds; then what took longer. */
#define WEB_LATENCY_BOUNDS 11
extern const double web_latency_bounds[WEB_LATENCY_BOUNDS];
struct web_latency {
    uint64_t counts[WEB_LATENCY_BOUNDS + 1];
    double sum_s;
};

struct web_stats {
    struct web_latency latency;
    unsigned clients, watching;
    uint64_t frames, skipped, refused, requests; /* refused: origin, host, size, cap */
};

struct web;

/* ERR_TAKEN where the port or the socket is in use. A socket that a killed hub left is replaced. */
int web_create(struct web **out, uv_loop_t *loop, const struct web_options *options,
               struct frame *frame, struct diag *diag);
int web_port(const struct web *web);

/* A reload: other Hosts and Origins that are taken besides our own, from the next request on. */
void web_take_names(struct web *web, const char *host, const char *origin);

/* Another certificate, for the connections that come from now on; those that are there go on. False:
 * there is no TLS, or OpenSSL refuses it. */
bool web_take_certificate(struct web *web, const struct certificate *certificate);

/* A message that arrived then is among what is new of this room. */
void web_heard(struct web *web, uint32_t room, int64_t mono_ns);
/* Of all frames so far, this share came within so many seconds (a bound above it); NaN: none did.
 */
double web_latency_share(const struct web_latency *latency, double share);

void web_news(struct web *web);  /* something new: by the next display frame */
void web_alarm(struct web *web); /* at once */
void web_stats(const struct web *web, struct web_stats *stats);

/* Something changed of who may what: sockets of who may no longer are closed at once, with a reason
 * for people, and the others are given what they may see now. */
void web_look_again(struct web *web, const char *reason);

/* The answer to a call whose handler said API_LATER. Where the client is gone, it is dropped. */
void web_api_answer(struct web *web, uint64_t ticket, struct api_answer *answer);

/* Stop: bye to the browsers, closes everything of ours on the loop. Then run the loop until it is
 * empty, and destroy. */
void web_stop(struct web *web, const char *reason);
void web_destroy(struct web *web);

#endif
