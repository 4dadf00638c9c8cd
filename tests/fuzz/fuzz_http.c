/*
 * What comes to the web server from the network. The first byte of an input says where the rest
 * goes: 'p' to the pure checks, one header value a line; 'h' to a running server as the bytes of a
 * connection; 'w' the same, after a good upgrade to WebSocket.
 *
 * The server is the real one on a real loop, in this thread. It is made to believe in port 80, so
 * that inputs stay good whatever port it got.
 */
#include <fcntl.h>
#include <unistd.h>

#include "../unit/io/web_hub.h"
#include "../unit/io/web_raw.h"
#include "io/web_http.h"
#include "io/web_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort(); /* in every build */                                                          \
    } while (0)
#define LINES_MAX 8
#define TURNS_MAX 64 /* of the loop, for one input; each of them takes what there is */

static const struct http_server us = {
    .listen = "127.0.0.1", .port = 80, .host = "hub.example:8443, wall.example"};

/* A name that was taken holds nothing that could make it mean another one. */
static void check_names(const char *host, const char *origin)
{
    if (http_host_is_ours(&us, host)) {
        CHECK(strpbrk(host, "@/,? \t#\\%") == NULL);
        CHECK(strlen(host) < 300);
    }
    if (http_origin_is_host(origin, host))
        CHECK(strncasecmp(origin, "http", 4) == 0 && strpbrk(origin, "@, \t?#\\%") == NULL);
}

static void check_judges(char *const *lines)
{
    struct http_request request = {HTTP_GET, lines[0], lines[1], lines[2],
                                   lines[3], lines[4], lines[5], false};
    for (int method = HTTP_GET; method <= HTTP_OTHER; method++) {
        request.method = (enum http_method)method;
        bool ours = http_host_is_ours(&us, request.host);
        if (http_judge(&us, &request) == 0)
            CHECK(ours && method != HTTP_OTHER &&
                  (method <= HTTP_HEAD || http_path_is_api(request.path)));
        if (http_judge_upgrade(&us, &request) == 0)
            CHECK(ours && method == HTTP_GET && http_origin_is_host(request.origin, request.host) &&
                  strcmp(request.subprotocol, HTTP_SUBPROTOCOL) == 0);
    }
}

static void fuzz_pure(char *text)
{
    static char nothing[] = "";
    char *lines[LINES_MAX];
    size_t count = 0;
    for (; count < LINES_MAX && text != NULL; count++)
        lines[count] = strsep(&text, "\n");
    while (count < LINES_MAX)
        lines[count++] = nothing;
    check_names(lines[1], lines[2]);
    check_judges(lines);
    if (http_path_is_plain(lines[0]))
        CHECK(strstr(lines[0], "..") == NULL || strstr(lines[0], "/.") == NULL);
    CHECK(http_type_of(lines[0]) != NULL);
    http_takes_gzip(lines[6]);
    http_etag_matches(lines[7], "\"0123\"");
}

/* ---- a running server ---- */

static struct hub the_hub;

/* At the end of the process, whatever the number of inputs: the loop must close empty. */
static void stop_hub(void)
{
    web_stop(the_hub.web, "closing time");
    uv_run(&the_hub.loop, UV_RUN_DEFAULT);
    web_destroy(the_hub.web);
    CHECK(uv_loop_close(&the_hub.loop) == 0);
    hub_drop_world(&the_hub);
}

/* Answers with what it was given. */
static enum api_outcome on_thing(void *user, const struct api_call *call, struct api_answer *answer)
{
    (void)user;
    CHECK(call->request->body_bytes <= API_BODY_BYTES);
    return api_give(answer, 200,
                    json_pack("{s:I, s:O*}", "queries", (json_int_t)call->request->query_count,
                              "body", call->body));
}

static const struct api_endpoint things[] = {
    {API_GET, "/things", on_thing, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/things", on_thing, (const char *const[]){"name", NULL}, MAY_ALL, SCOPE_NONE},
    {API_PUT, "/things/{id}", on_thing, (const char *const[]){"name", NULL}, MAY_ALL, SCOPE_NONE},
    {API_DELETE, "/things/{id}", on_thing, NULL, MAY_ALL, SCOPE_NONE},
};

static struct hub *start_hub(void)
{
    struct web_options options = {.listen = "127.0.0.1",
                                  .host = "",
                                  .clients = 16,
                                  .api = {things, 4, NULL, NULL, NULL, NULL}};
    struct diag diag = {0};
    hub_make_world(&the_hub);
    CHECK(uv_loop_init(&the_hub.loop) == 0);
    CHECK(web_create(&the_hub.web, &the_hub.loop, &options, the_hub.frame, &diag) == 0);
    the_hub.web->server.port = 80;
    CHECK(atexit(stop_hub) == 0);
    return &the_hub;
}

static size_t count_clients(struct hub *hub)
{
    struct web_stats stats;
    web_stats(hub->web, &stats);
    return stats.clients;
}

/* Gives the bytes to the server and collects what it says, until neither has anything left. */
static size_t converse(struct hub *hub, int fd, const uint8_t *data, size_t size, char *out,
                       size_t room)
{
    size_t have = 0;
    unsigned quiet = 0;
    for (unsigned turn = 0; turn < TURNS_MAX && quiet < 3; turn++) {
        ssize_t sent = size > 0 ? send(fd, data, size, MSG_NOSIGNAL) : 0;
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
        uv_run(&hub->loop, UV_RUN_NOWAIT);
        char rest[4096];
        bool full = have == room - 1;
        ssize_t got = recv(fd, full ? rest : out + have, full ? sizeof(rest) : room - 1 - have, 0);
        if (got > 0 && !full)
            have += (size_t)got;
        quiet = got > 0 || sent > 0 ? 0 : quiet + 1;
        if (got == 0)
            break;
    }
    out[have] = '\0';
    return have;
}

static bool holds(const uint8_t *data, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= size; at++)
        if (strncasecmp((const char *)data + at, word, length) == 0)
            return true;
    return false;
}

static void fuzz_server(const uint8_t *data, size_t size, bool upgraded)
{
    static const char upgrade[] = "GET /live HTTP/1.1\r\nHost: localhost\r\n"
                                  "Origin: http://localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                  "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n";
    static struct hub *hub;
    static char out[65536];
    if (hub == NULL)
        hub = start_hub();
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(lws_adopt_socket_vhost(hub->web->vhost, pair[1]) != NULL);
    if (upgraded) {
        converse(hub, pair[0], (const uint8_t *)upgrade, sizeof(upgrade) - 1, out, sizeof(out));
        CHECK(strncmp(out, "HTTP/1.1 101 ", 13) == 0);
    }
    converse(hub, pair[0], data, size, out, sizeof(out));
    /* No page and no socket for who does not call us by a name of ours. */
    if (!upgraded && (raw_status(out) == 200 || raw_status(out) == 101))
        CHECK(holds(data, size, "127.") || holds(data, size, "localhost") ||
              holds(data, size, "["));
    close(pair[0]);
    for (unsigned turn = 0; turn < 1000 && count_clients(hub) > 0; turn++)
        uv_run(&hub->loop, UV_RUN_NOWAIT);
    CHECK(count_clients(hub) == 0); /* nothing of it stays */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 16384)
        return 0;
    if (data[0] == 'h' || data[0] == 'w') {
        fuzz_server(data + 1, size - 1, data[0] == 'w');
        return 0;
    }
    char *text = strndup((const char *)data + 1, size - 1);
    CHECK(text != NULL);
    fuzz_pure(text);
    free(text);
    return 0;
}
