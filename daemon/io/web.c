#include "io/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/web_page.h"
#include "io/web_state.h"

#define OVER_CLIENTS      8   /* sockets above the cap, to tell them so */
#define SPARE_DESCRIPTORS 64  /* for all the rest of the hub */
#define HEADER_SECONDS    5   /* to send a request's head */
#define STOP_MS           500 /* for the browsers to answer the close */
#define ANSWER_BYTES      (512 * 1024)

/* What lws says, at most one line a minute. It has no user pointer, hence the static; it is one
 * thread's. What hostile clients provoke it calls errors: for us they are warnings. */
static void on_lws_log(int level, const char *line)
{
    static struct log_limit limit;
    int64_t now = web_mono_ms();
    uint64_t all = log_limit_over(&limit, now);
    if (all > 1)
        log_info("libwebsockets: over, %llu complaints in all", (unsigned long long)all);
    uint64_t fresh = log_limit_hit(&limit, now);
    if (fresh == 0)
        return;
    int length = (int)strcspn(line, "\n");
    log_line(level == LLL_ERR ? LOG_WARN : LOG_INFO, "libwebsockets: %.*s (%llu)", length, line,
             (unsigned long long)fresh);
}

static int on_socket(struct web *web, struct lws *wsi)
{
    unsigned others = web_count_clients(web, NULL);
    for (unsigned i = 0; i < web->places; i++) {
        struct client *client = &web->clients[i];
        if (client->wsi != NULL)
            continue;
        *client = (struct client){.wsi = wsi,
                                  .over = others >= web->cap,
                                  .local = web->adopting,
                                  .uid = web->adopting_uid};
        web_address_of(lws_get_socket_fd(wsi), &client->address);
        lws_set_opaque_user_data(wsi, client);
        /* An answer shall go into the kernel whole. */
        int bytes = ANSWER_BYTES;
        setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        return 0;
    }
    return -1;
}

static void finish_stop(struct web *web)
{
    web_local_stop(web);
    uv_close((uv_handle_t *)&web->tick, NULL);
    lws_context_destroy(web->context); /* the first of two: closes, frees nothing */
}

static void on_stop_timer(uv_timer_t *timer)
{
    finish_stop(timer->data);
}

static unsigned count_upgraded(const struct web *web)
{
    unsigned count = 0;
    for (unsigned i = 0; i < web->places; i++)
        count += web->clients[i].upgraded;
    return count;
}

static void on_gone(struct web *web, struct client *client)
{
    web_api_drop(client);
    *client = (struct client){0};
    /* Not from here: lws is in the middle of its own work. */
    if (web->stopping && !uv_is_closing((uv_handle_t *)&web->tick) && count_upgraded(web) == 0)
        uv_timer_start(&web->tick, on_stop_timer, 0, 0);
}

static int on_client_event(struct web *web, struct client *client, struct lws *wsi,
                           enum lws_callback_reasons reason, void *in, size_t bytes)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return web_serve_request(web, client, wsi);
    case LWS_CALLBACK_HTTP_BODY:
        return web_api_body(web, client, in, bytes);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return web_api_complete(web, client);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return web_api_write(client);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return web_serve_upgrade(web, client, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return web_live_open(client);
    case LWS_CALLBACK_RECEIVE:
        return web_live_receive(web, client, in, bytes);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return web_live_write(web, client);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: /* lws echoes it; no frame comes after */
    case LWS_CALLBACK_CLOSED:
        client->live = false;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        on_gone(web, client);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT makes lws leave HTTP */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t bytes)
{
    struct web *web = lws_context_user(lws_get_context(wsi));
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        web_tls_context(web, user);
        return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return web_accept(web, (int)(intptr_t)in);
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return on_socket(web, wsi);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return web_serve_filter(web, wsi);
    default:
        break;
    }
    /* The listening socket and lws's own pipe have no client. */
    struct client *client = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
    return client != NULL ? on_client_event(web, client, wsi, reason, in, bytes) : 0;
}

/* Tries the address itself: lws does not say why it could not. */
static int try_address(const struct web_options *options, struct diag *diag)
{
    struct sockaddr_in six_or_four = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)options->port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)options->port)};
    struct sockaddr *address = (struct sockaddr *)&six_or_four;
    socklen_t bytes = sizeof(six_or_four);
    if (inet_pton(AF_INET6, options->listen, &six.sin6_addr) == 1) {
        address = (struct sockaddr *)&six;
        bytes = sizeof(six);
    } else if (inet_pton(AF_INET, options->listen, &six_or_four.sin_addr) != 1) {
        return diag_set(diag, ERR_RANGE, "web: %s is not a numeric address", options->listen);
    }
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    /* Two may bind with SO_REUSEADDR; only one may listen. */
    int failed = fd < 0 || bind(fd, address, bytes) != 0 || listen(fd, 1) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (failed == EADDRINUSE)
        return diag_set(diag, ERR_TAKEN, "web: %s port %d is in use by another program",
                        options->listen, options->port);
    if (failed != 0)
        return diag_set(diag, ERR_IO, "web: cannot listen on %s port %d: %s", options->listen,
                        options->port, strerror(failed));
    return 0;
}

static int check_descriptors(const struct web_options *options, struct diag *diag)
{
    struct rlimit limit;
    uint64_t needs = (uint64_t)options->clients + OVER_CLIENTS + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < needs)
        return diag_set(diag, ERR_LIMIT, "web: %u clients need %llu descriptors, the limit is %llu",
                        options->clients, (unsigned long long)needs,
                        (unsigned long long)limit.rlim_cur);
    return 0;
}

/* lws answers some requests before it asks us (a method that it does not know); it adds these. */
static void fill_headers(struct web *web)
{
    size_t count = 0;
    for (; http_headers[count].name != NULL; count++) {
        snprintf(web->header_names[count], sizeof(web->header_names[count]),
                 "%s:", http_headers[count].name);
        web->headers[count].name = web->header_names[count];
        web->headers[count].value = http_headers[count].value;
        web->headers[count].next = &web->headers[count + 1];
    }
    web->headers[count - 1].next = web->server.tls ? &web->headers[count] : NULL;
    web->headers[count] = (struct lws_protocol_vhost_options){
        .name = HTTP_STRICT ":", .value = HTTP_STRICT_VALUE};
}

static void fill_protocols(struct web *web)
{
    /* The first one is for HTTP and for every event without a client. */
    web->protocols[0] = (struct lws_protocols){
        .name = "http", .callback = on_event, .tx_packet_size = WEB_PAGE_MAX_BYTES};
    web->protocols[1] = (struct lws_protocols){.name = HTTP_SUBPROTOCOL,
                                               .callback = on_event,
                                               .rx_buffer_size = WEB_WATCH_BYTES,
                                               .tx_packet_size = 65536};
}

static struct lws_context_creation_info make_info(struct web *web)
{
    static const lws_retry_bo_t validity = {.secs_since_valid_ping = 20,
                                            .secs_since_valid_hangup = 30};
    bool six = strchr(web->listen, ':') != NULL;
    bool any = strcmp(web->listen, "0.0.0.0") == 0 || strcmp(web->listen, "::") == 0;
    return (struct lws_context_creation_info){
        .iface = any ? NULL : web->listen,
        .protocols = web->protocols,
        .headers = web->headers,
        .port = web->server.port,
        .user = web,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                   (web->server.tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                                          LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX
                                    : 0) |
                   (six ? LWS_SERVER_OPTION_IPV6_V6ONLY_MODIFY | LWS_SERVER_OPTION_IPV6_V6ONLY_VALUE
                        : LWS_SERVER_OPTION_DISABLE_IPV6),
        .alpn = "http/1.1",
        .vhost_name = "lumbar",
        .fd_limit_per_thread = web->places + 8,
        .max_http_header_data = 4096,
        .max_http_header_pool = (unsigned short)(web->places < 64 ? web->places : 64),
        .pt_serv_buf_size = 65536,
        .timeout_secs = 2 * HEADER_SECONDS,
        .timeout_secs_ah_idle = HEADER_SECONDS,
        .retry_and_idle_policy = &validity,
    };
}

/* Undoes a context that never served: its handles close in the loop, so let that turn. */
static void drop_context(struct web *web)
{
    lws_context_destroy(web->context);
    for (int i = 0; i < 8; i++)
        uv_run(web->loop, UV_RUN_NOWAIT);
    lws_context_destroy(web->context);
}

static int open_context(struct web *web, const struct web_options *options, struct diag *diag)
{
    struct lws_context_creation_info info = make_info(web);
    void *loops[] = {web->loop};
    info.foreign_loops = loops;
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    web->context = lws_create_context(&info);
    if (web->context == NULL)
        return diag_set(diag, ERR_IO,
                        "web: libwebsockets did not start (is libwebsockets-evlib-uv installed?)");
    web->vhost = lws_create_vhost(web->context, &info);
    int port = web->vhost != NULL ? lws_get_vhost_listen_port(web->vhost) : 0;
    if (port <= 0) {
        drop_context(web);
        return diag_set(diag, ERR_TAKEN, "web: cannot listen on %s port %d", web->listen,
                        web->server.port);
    }
    if (options->certificate != NULL && !web_take_certificate(web, options->certificate)) {
        drop_context(web);
        return diag_set(diag, ERR_CONFLICT, "web: OpenSSL does not take the certificate");
    }
    web->server.port = port;
    return 0;
}

void web_take_names(struct web *web, const char *host, const char *origin)
{
    snprintf(web->host, sizeof(web->host), "%s", host != NULL ? host : "");
    snprintf(web->origin, sizeof(web->origin), "%s", origin != NULL ? origin : "");
}

static struct web *make_web(uv_loop_t *loop, const struct web_options *options, struct frame *frame)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL)
        return NULL;
    web->loop = loop;
    web->frame = frame;
    web->cap = options->clients > 0 ? options->clients : 1;
    web->places = web->cap + OVER_CLIENTS;
    web->hub_offset_ms = options->hub_offset_ms;
    snprintf(web->listen, sizeof(web->listen), "%s", options->listen);
    web_take_names(web, options->host, options->origin);
    if (options->web_root != NULL)
        snprintf(web->web_root, sizeof(web->web_root), "%s", options->web_root);
    web->server = (struct http_server){.listen = web->listen,
                                       .port = options->port,
                                       .tls = options->certificate != NULL,
                                       .host = web->host,
                                       .origin = web->origin};
    web->api = options->api;
    web->see_who = options->see_who;
    web->still_may = options->still_may;
    web->on_watch = options->on_watch;
    web->people = options->people;
    web->local_fd = -1;
    web->clients = calloc(web->places, sizeof(*web->clients));
    if (web->clients == NULL) {
        free(web);
        return NULL;
    }
    fill_headers(web);
    fill_protocols(web);
    return web;
}

int web_port(const struct web *web)
{
    return web->server.port;
}

int web_create(struct web **out, uv_loop_t *loop, const struct web_options *options,
               struct frame *frame, struct diag *diag)
{
    int code = check_descriptors(options, diag);
    if (code == 0)
        code = try_address(options, diag);
    if (code != 0)
        return code;
    struct web *web = make_web(loop, options, frame);
    if (web == NULL)
        return diag_set(diag, ERR_MEMORY, "web: out of memory");
    code = web_local_bind(web, options, diag);
    if (code == 0)
        code = open_context(web, options, diag);
    if (code != 0) {
        web_local_close(web);
        free(web->clients);
        free(web);
        return code;
    }
    uv_timer_init(loop, &web->tick);
    web->tick.data = web;
    web_local_start(web);
    *out = web;
    return 0;
}

void web_stop(struct web *web, const char *reason)
{
    if (web->stopping)
        return;
    web->stopping = true;
    for (unsigned i = 0; i < web->places; i++)
        if (web->clients[i].live)
            web_live_bye(web, &web->clients[i], reason);
    if (count_upgraded(web) == 0)
        finish_stop(web);
    else
        uv_timer_start(&web->tick, on_stop_timer, STOP_MS, 0);
}

void web_destroy(struct web *web)
{
    if (web == NULL)
        return;
    lws_context_destroy(web->context); /* the second of two: frees */
    free(web->clients);
    free(web);
}
