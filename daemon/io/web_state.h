/*
 * The web server's inside, shared by its files: web.c (life), web_accept.c (who may come),
 * web_tls.c, web_serve.c (HTTP), web_api.c (the JSON API), web_local.c (the hub's own socket),
 * web_live.c (WebSocket and cadence). Nobody else includes it.
 */
#ifndef LUMBAR_IO_WEB_STATE_H
#define LUMBAR_IO_WEB_STATE_H

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "core/api.h"
#include "core/frame.h"
#include "io/web.h"
#include "io/web_http.h"

#define WEB_WATCH_BYTES 1024 /* of a message from a browser */

struct web_call; /* web_api.c: what a client asks of the API */

/* A socket: first of HTTP, then perhaps of a WebSocket. */
struct client {
    struct lws *wsi; /* NULL: the place is free */
    struct in6_addr address;
    bool over;                 /* one too many: is told so */
    bool local;                /* came by our own socket */
    uid_t uid;                 /* and of whom */
    struct access access;      /* who asks, as of the request at hand */
    bool upgraded;             /* a WebSocket */
    bool live;                 /* and may be given frames */
    bool asked;                /* for the socket to be writable */
    int64_t asked_ms, next_ms; /* monotonic; next: no frame before, but for alarms */
    int64_t watch_ms;          /* the second in which `watches` came */
    unsigned watches;
    struct web_call *call; /* until it is answered; NULL: none */
    struct frame_cursor cursor;
    size_t part_bytes;
    uint8_t part[WEB_WATCH_BYTES]; /* of a message that comes in pieces */
};

/* How often a machine came lately. */
#define WEB_RATES 64
struct web_rate {
    struct in6_addr address;
    int64_t at_ms; /* monotonic */
    double left;   /* connections that it may still make */
};

struct web {
    uv_loop_t *loop;
    struct frame *frame;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[3];
    struct lws_protocol_vhost_options headers[8]; /* of answers that lws makes by itself */
    char header_names[8][40];
    struct http_server server;
    struct api api;
    web_see_who_cb *see_who;
    web_still_may_cb *still_may;
    void (*on_watch)(void *user, const struct access *access, uint32_t room);
    void *people;
    uint64_t tickets; /* of answers that come later */
    void *ssl; /* OpenSSL's, borrowed of lws; NULL: no TLS */
    char listen[INET6_ADDRSTRLEN], host[1024], origin[1024], web_root[1024];
    int64_t hub_offset_ms;
    uv_timer_t tick;
    int64_t tick_ms; /* monotonic, the last one */
    bool stopping, stopped;
    unsigned cap, places;
    uint64_t frames, skipped, refused, requests;
    struct web_latency latency;
    int64_t
        heard_ns[CONFIG_ROOMS_MAX + 1]; /* by room: the oldest that is in no frame yet; 0: none */
    int local_fd;  /* the own socket; -1: none */
    bool adopting; /* what comes now is from there */
    uid_t adopting_uid;
    char local_path[108];
    uv_poll_t local_poll;
    struct client *clients; /* places of them */
    struct web_rate rates[WEB_RATES];
};

static inline int64_t web_mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

static inline int64_t web_hub_ms(const struct web *web)
{
    return web_mono_ms() + web->hub_offset_ms;
}

/* web_serve.c; they return what lws wants of a callback: 0, or -1 to close. */
int web_serve_request(struct web *web, struct client *client, struct lws *wsi);
int web_serve_upgrade(struct web *web, struct client *client, struct lws *wsi);
int web_serve_filter(struct web *web, struct lws *wsi);

/* One answer, and the end of the connection; returns -1. */
int web_send(struct lws *wsi, const struct http_answer *answer, const void *body);

/* Who is behind the request at hand: into client->access. */
void web_see_who(struct web *web, struct client *client, struct lws *wsi);

/* A header as a string; "?" (which nothing accepts) where it is too long or holds a NUL. */
void web_header(struct lws *wsi, enum lws_token_indexes token, char out[HTTP_VALUE_BYTES]);

/* web_api.c; the same. A request that was judged good, its body in pieces, its end, and a socket
 * that may be written. */
int web_api_request(struct web *web, struct client *client, struct lws *wsi,
                    const struct http_request *request);
int web_api_body(struct web *web, struct client *client, const void *in, size_t bytes);
int web_api_complete(struct web *web, struct client *client);
int web_api_write(struct client *client);
int web_api_refuse(struct lws *wsi, int status, bool head); /* as problem details */
void web_api_drop(struct client *client);                   /* the client is gone */

/* web_accept.c: 0, or -1 to close it at once. */
int web_accept(struct web *web, int fd);
bool web_address_of(int fd, struct in6_addr *address);
/* NULL: of all machines. */
unsigned web_count_clients(const struct web *web, const struct in6_addr *address);

/* web_tls.c: the context that lws has just made. */
void web_tls_context(struct web *web, void *context);

/* web_local.c: opens the socket, then, with the context, serves it. */
int web_local_bind(struct web *web, const struct web_options *options, struct diag *diag);
void web_local_start(struct web *web);
void web_local_close(struct web *web); /* bound only */
void web_local_stop(struct web *web);  /* started */

/* web_live.c; the same. */
int web_live_open(struct client *client);
int web_live_receive(struct web *web, struct client *client, const void *in, size_t bytes);
int web_live_write(struct web *web, struct client *client);
void web_live_bye(struct web *web, struct client *client, const char *reason); /* and closes */

#endif
