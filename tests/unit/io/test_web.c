/* io/web as its clients see it: HTTP, the upgrade, hostile bytes, start and stop. What has to do
 * with frames is in test_web_live.c. Every test ends with an empty loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>

#include "io/web_page.h"
#include "web_hub.h"
#include "web_raw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOST         "Host: 127.0.0.1:{port}\r\n"

static struct hub hub;
static char answer[1 << 20];

static void start_with(const struct web_options *options)
{
    struct diag diag = {0};
    if (hub_start(&hub, options, &diag) != 0)
        fail_msg("%s", diag.text);
}

static void start(void)
{
    start_with(&(struct web_options){.listen = "127.0.0.1", .host = "", .clients = 32});
}

static void stop(void)
{
    assert_int_equal(hub_stop(&hub), 0);
}

/* Sends text ({port} is filled in) and reads until the hub closes. */
static int ask_text(const char *text)
{
    char request[4096];
    raw_fill(request, sizeof(request), text, hub.port);
    int fd = raw_open(hub.port);
    raw_send(fd, request, strlen(request));
    raw_read_all(fd, answer, sizeof(answer));
    close(fd);
    return raw_status(answer);
}

static void expect_serving(const char *after)
{
    if (ask_text("GET /healthz HTTP/1.1\r\n" HOST "\r\n") != 200)
        fail_msg("no longer serving after: %s", after);
}

/* 0: closed without an answer. */
static void requests_get_the_answer_they_deserve(void **state)
{
    (void)state;
    static const struct {
        const char *name, *request;
        int status;
    } cases[] = {
        {"health", "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200},
        {"health by HEAD", "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n", 200},
        {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n" HOST "\r\n", 200},
        {"by localhost", "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n", 200},
        {"a query", "GET /healthz?a=b&c HTTP/1.1\r\n" HOST "\r\n", 200},
        {"bare line feeds", "GET /healthz HTTP/1.1\nHost: 127.0.0.1:{port}\n\n", 200},
        {"own origin", "GET /healthz HTTP/1.1\r\n" HOST "Origin: http://127.0.0.1:{port}\r\n\r\n",
         200},
        {"unknown path", "GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404},
        {"a WebSocket's place", "GET /live HTTP/1.1\r\n" HOST "\r\n", 426},
        /* names */
        {"no host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"no host, HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 400},
        {"empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"foreign host", "GET /healthz HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n", 421},
        {"foreign port", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 421},
        {"two hosts", "GET /healthz HTTP/1.1\r\n" HOST "Host: evil.example\r\n\r\n", 421},
        {"absolute target", "GET http://evil.example/healthz HTTP/1.1\r\n" HOST "\r\n", 403},
        {"foreign origin", "GET /healthz HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n",
         403},
        {"null origin", "GET /healthz HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", 403},
        /* methods */
        {"POST", "POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", 405},
        {"POST of nothing", "POST /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405},
        {"POST without a length", "POST /healthz HTTP/1.1\r\n" HOST "\r\n", 405},
        {"PUT", "PUT /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", 405},
        {"PATCH", "PATCH /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", 405},
        {"DELETE", "DELETE /healthz HTTP/1.1\r\n" HOST "\r\n", 405},
        {"OPTIONS", "OPTIONS /healthz HTTP/1.1\r\n" HOST "\r\n", 405},
        {"GET with a body", "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", 200},
        {"an unknown method", "BREW /healthz HTTP/1.1\r\n" HOST "\r\n", 403},
        {"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\n" HOST "\r\n", 0},
        {"two methods", "GET /healthz HTTP/1.1\r\n" HOST "POST /healthz HTTP/1.1\r\n\r\n", 0},
        /* paths */
        {"up", "GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
        {"up, escaped", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
        {"up, slash escaped", "GET /..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" HOST "\r\n", 404},
        {"up, escaped twice", "GET /%252e%252e/etc/passwd HTTP/1.1\r\n" HOST "\r\n", 404},
        {"up, backslash", "GET /..\\..\\etc\\passwd HTTP/1.1\r\n" HOST "\r\n", 404},
        {"a NUL at the end", "GET /healthz%00 HTTP/1.1\r\n" HOST "\r\n", 0},
        {"a NUL after a good path", "GET /healthz%00.js HTTP/1.1\r\n" HOST "\r\n", 0},
        {"half an escape", "GET /%4 HTTP/1.1\r\n" HOST "\r\n", 403},
        {"no escape", "GET /%zz HTTP/1.1\r\n" HOST "\r\n", 403},
        {"no path", "GET HTTP/1.1\r\n" HOST "\r\n", 403},
        /* other protocols */
        {"h2c",
         "GET /healthz HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade, "
         "HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         400},
        {"h2c without settings", "GET /healthz HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n", 400},
        {"H2C", "GET /healthz HTTP/1.1\r\n" HOST "Upgrade: H2C\r\nConnection: Upgrade\r\n\r\n",
         400},
        {"another upgrade",
         "GET /healthz HTTP/1.1\r\n" HOST "Upgrade: mqtt\r\n"
         "Connection: Upgrade\r\n\r\n",
         403},
        {"two upgrades",
         "GET /live HTTP/1.1\r\n" HOST "Upgrade: h2c, websocket\r\n"
         "Connection: Upgrade\r\n\r\n",
         403},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403},
        {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", 403},
        {"a TLS hello", "\x16\x03\x01\x02", 403},
    };
    int wrong = 0;
    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        int status = ask_text(cases[i].request);
        if (status != cases[i].status) {
            print_error("%s: %d, expected %d\n", cases[i].name, status, cases[i].status);
            wrong++;
        }
        if (status != 0 && strstr(answer, "ontent-") != NULL &&
            strcasestr(answer, "\r\ncontent-security-policy: default-src 'none';") == NULL)
            fail_msg("%s: no Content-Security-Policy in\n%s", cases[i].name, answer);
        expect_serving(cases[i].name);
    }
    stop();
    assert_int_equal(wrong, 0);
}

static void a_header_with_a_nul_is_not_ours(void **state)
{
    (void)state;
    start();
    char request[256];
    int length = snprintf(request, sizeof(request),
                          "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d#evil\r\n\r\n", hub.port);
    *strchr(request, '#') = '\0';
    int fd = raw_open(hub.port);
    raw_send(fd, request, (size_t)length);
    raw_read_all(fd, answer, sizeof(answer));
    close(fd);
    assert_int_not_equal(raw_status(answer), 200);
    stop();
}

static void the_page_is_served_with_tag_and_gzip(void **state)
{
    (void)state;
    start();
    const struct page_file *page = page_files;
    while (page->path != NULL && strcmp(page->path, "/") != 0)
        page++;
    if (page->path == NULL) {
        stop();
        print_message("skipped: the program holds no page\n");
        skip();
    }
    assert_int_equal(ask_text("GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_memory_equal(body, page->plain, page->plain_bytes);
    assert_null(strstr(answer, "Content-Encoding"));
    assert_non_null(strstr(answer, page->etag));

    assert_int_equal(ask_text("GET / HTTP/1.1\r\n" HOST "Accept-Encoding: gzip, br\r\n\r\n"), 200);
    body = strstr(answer, "\r\n\r\n") + 4;
    assert_memory_equal(body, page->gzip, page->gzip_bytes);
    assert_non_null(strstr(answer, "\r\nContent-Encoding: gzip\r\n"));

    assert_int_equal(ask_text("HEAD / HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");

    char request[512];
    snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n",
             page->etag);
    assert_int_equal(ask_text(request), 304);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    stop();
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t count)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(bytes, 1, count, file);
    fclose(file);
}

static void a_folder_is_read_anew_and_never_left(void **state)
{
    (void)state;
    char folder[] = "/tmp/lumbar-web-XXXXXX", inner[64], pipe[96], path[160];
    assert_non_null(mkdtemp(folder));
    snprintf(inner, sizeof(inner), "%s/page", folder);
    snprintf(pipe, sizeof(pipe), "%s/pipe", inner);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    static char big[900000];
    memset(big, 'b', sizeof(big));
    write_file(folder, "secret", "secret", 6);
    write_file(inner, "index.html", "one", 3);
    write_file(inner, ".hidden", "hidden", 6);
    write_file(inner, "empty.css", "", 0);
    write_file(inner, "big.js", big, sizeof(big));
    start_with(
        &(struct web_options){.listen = "127.0.0.1", .host = "", .clients = 32, .web_root = inner});

    assert_int_equal(ask_text("GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\none");
    write_file(inner, "index.html", "another", 7);
    assert_int_equal(ask_text("GET /index.html HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\nanother");
    assert_int_equal(ask_text("GET /empty.css HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_non_null(strstr(answer, "\r\nContent-Length: 0\r\n"));
    /* more than a socket takes at once */
    assert_int_equal(ask_text("GET /big.js HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), sizeof(big));

    static const char *const absent[] = {"/../secret", "/..%2fsecret", "/%2e%2e/secret",
                                         "/.hidden",   "/pipe",        "/nothing.js"};
    for (size_t i = 0; i < COUNT(absent); i++) {
        snprintf(path, sizeof(path), "GET %s HTTP/1.1\r\n" HOST "\r\n", absent[i]);
        if (ask_text(path) != 404)
            fail_msg("%s was answered with %d", absent[i], raw_status(answer));
    }
    stop();
    static const char *const names[] = {"page/index.html", "page/.hidden", "page/empty.css",
                                        "page/big.js",     "page/pipe",    "secret"};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(inner);
    rmdir(folder);
}

static void an_upgrade_is_granted_only_to_our_page(void **state)
{
    (void)state;
#define FIRST  "GET /live HTTP/1.1\r\n"
#define ORIGIN "Origin: http://127.0.0.1:{port}\r\n"
#define UP     "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13    "Sec-WebSocket-Version: 13\r\n"
#define KEY    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTO  "Sec-WebSocket-Protocol: lumbar.live.v1\r\n"
    static const struct {
        const char *name, *request;
        int status;
    } cases[] = {
        {"our page", FIRST HOST ORIGIN UP V13 KEY PROTO, 101},
        {"as Firefox says it",
         FIRST HOST ORIGIN "Upgrade: WebSocket\r\nConnection: keep-alive, "
                           "Upgrade\r\n" V13 KEY PROTO,
         101},
        {"deflate offered",
         FIRST HOST ORIGIN UP V13 KEY PROTO
         "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
         101},
        {"no origin", FIRST HOST UP V13 KEY PROTO, 403},
        {"foreign origin", FIRST HOST "Origin: http://evil.example\r\n" UP V13 KEY PROTO, 403},
        {"null origin", FIRST HOST "Origin: null\r\n" UP V13 KEY PROTO, 403},
        {"two origins", FIRST HOST ORIGIN ORIGIN UP V13 KEY PROTO, 403},
        {"rebound name",
         FIRST
         "Host: evil.example:{port}\r\nOrigin: http://evil.example:{port}\r\n" UP V13 KEY PROTO,
         421},
        {"no host", FIRST ORIGIN UP V13 KEY PROTO, 400},
        {"another path", "GET / HTTP/1.1\r\n" HOST ORIGIN UP V13 KEY PROTO, 404},
        {"POST", "POST /live HTTP/1.1\r\n" HOST ORIGIN UP V13 KEY PROTO, 405},
        {"no subprotocol", FIRST HOST ORIGIN UP V13 KEY, 400},
        {"another subprotocol",
         FIRST HOST ORIGIN UP V13 KEY "Sec-WebSocket-Protocol: lumbar.live.v2\r\n", 400},
        {"the inner protocol's name",
         FIRST HOST ORIGIN UP V13 KEY "Sec-WebSocket-Protocol: http\r\n", 400},
        {"two subprotocols",
         FIRST HOST ORIGIN UP V13 KEY "Sec-WebSocket-Protocol: lumbar.live.v1, http\r\n", 400},
        {"two subprotocols in two headers",
         FIRST HOST ORIGIN UP V13 KEY PROTO "Sec-WebSocket-Protocol: http\r\n", 400},
        {"an old version", FIRST HOST ORIGIN UP KEY PROTO "Sec-WebSocket-Version: 8\r\n", 426},
        {"no version", FIRST HOST ORIGIN UP KEY PROTO, 426},
        {"no key", FIRST HOST ORIGIN UP V13 PROTO, 400},
        {"a key too short", FIRST HOST ORIGIN UP V13 PROTO "Sec-WebSocket-Key: AAAA\r\n", 400},
        {"no Connection header", FIRST HOST ORIGIN "Upgrade: websocket\r\n" V13 KEY PROTO, 0},
    };
    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char request[2048];
        snprintf(request, sizeof(request), "%s\r\n", cases[i].request);
        int fd = ws_open(hub.port, request, answer, sizeof(answer));
        int status = raw_status(answer);
        if (status != cases[i].status)
            fail_msg("%s: %d, expected %d", cases[i].name, status, cases[i].status);
        if (status == 101) {
            assert_non_null(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
            assert_non_null(strstr(answer, "\r\nSec-WebSocket-Protocol: lumbar.live.v1\r\n"));
            assert_null(strcasestr(answer, "Sec-WebSocket-Extensions"));
        }
        close(fd);
        expect_serving(cases[i].name);
    }
    stop();
}

static void a_head_without_end_is_cut_off(void **state)
{
    (void)state;
    start();
    /* 1 MB in one header, and in many */
    static const char *const lines[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        "Cookie: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", "Host: 127.0.0.1\r\n",
        "/../../../../../../../../"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        int fd = raw_open(hub.port);
        const char *first = i < 4 ? "GET /healthz HTTP/1.1\r\nX: " : "GET ";
        raw_send(fd, first, strlen(first));
        bool open = true;
        for (size_t sent = 0; open && sent < 1000000; sent += strlen(lines[i]))
            open = raw_send(fd, lines[i], strlen(lines[i]));
        raw_send(fd, "\r\n\r\n", 4);
        raw_read_all(fd, answer, sizeof(answer));
        assert_int_not_equal(raw_status(answer), 200);
        close(fd);
        expect_serving(lines[i]);
    }
    stop();
}

static void a_slow_head_is_cut_off(void **state)
{
    (void)state;
    start();
    int dribble = raw_open(hub.port), silent = raw_open(hub.port);
    int64_t began = hub_now_ms();
    bool open = raw_send(dribble, "GET /healthz HTTP/1.1\r\n", 23);
    while (open && hub_now_ms() - began < 14000) {
        open = raw_send(dribble, "X", 1);
        poll(NULL, 0, 100);
        char byte;
        open = open && recv(dribble, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    }
    assert_false(open);
    assert_in_range(hub_now_ms() - began, 3000, 12000);
    /* and he who says nothing at all */
    assert_int_equal(raw_read_all(silent, answer, sizeof(answer)), 0);
    assert_in_range(hub_now_ms() - began, 3000, 14000);
    close(dribble);
    close(silent);
    stop();
}

static void sockets_beyond_the_cap_are_told_so(void **state)
{
    (void)state;
    start_with(&(struct web_options){.listen = "127.0.0.1", .host = "", .clients = 4});
    int held[4];
    for (size_t i = 0; i < COUNT(held); i++) {
        held[i] = ws_open(hub.port, WS_UPGRADE "\r\n", answer, sizeof(answer));
        assert_int_equal(raw_status(answer), 101);
    }
    assert_int_equal(ask_text("GET /healthz HTTP/1.1\r\n" HOST "\r\n"), 503);
    assert_non_null(strstr(answer, "\r\nRetry-After: 5\r\n"));
    close(ws_open(hub.port, WS_UPGRADE "\r\n", answer, sizeof(answer)));
    assert_int_equal(raw_status(answer), 503);
    for (size_t i = 0; i < COUNT(held); i++)
        close(held[i]);
    int status = 503;
    for (int tries = 0; tries < 100 && status != 200; tries++) {
        status = ask_text("GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        poll(NULL, 0, 10);
    }
    assert_int_equal(status, 200); /* there is room again */
    stop();
}

static void read_stats(struct hub *of, void *stats)
{
    web_stats(of->web, stats);
}

static void one_address_cannot_take_every_place(void **state)
{
    (void)state;
    start_with(&(struct web_options){.listen = "127.0.0.1", .host = "", .clients = 40});
    int fds[60];
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = raw_open_from(hub.port, "127.0.0.9");
    struct web_stats stats = {0};
    for (int tries = 0; tries < 200 && stats.refused < 50; tries++) {
        hub_call(&hub, read_stats, &stats);
        poll(NULL, 0, 10);
    }
    assert_int_equal(stats.clients, 10); /* a quarter */
    assert_int_equal(stats.refused, 50);
    expect_serving("a greedy address"); /* others are served */
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    stop();
}

static void more_sockets_than_places_do_no_harm(void **state)
{
    (void)state;
    start_with(&(struct web_options){.listen = "127.0.0.1", .host = "", .clients = 4});
    int fds[200];
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = raw_open(hub.port);
    struct web_stats stats = {0};
    for (int tries = 0; tries < 200 && stats.refused < COUNT(fds) - 12; tries++) {
        hub_call(&hub, read_stats, &stats);
        poll(NULL, 0, 10);
    }
    assert_int_equal(stats.clients, 12); /* the cap, and those that are told so */
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    int status = 0;
    for (int tries = 0; tries < 100 && status != 200; tries++) {
        status = ask_text("GET /healthz HTTP/1.1\r\n" HOST "\r\n");
        poll(NULL, 0, 10);
    }
    assert_int_equal(status, 200);
    stop();
}

static void who_pipelines_without_reading_gets_one_answer(void **state)
{
    (void)state;
    start();
    char request[256];
    raw_fill(request, sizeof(request), "GET / HTTP/1.1\r\n" HOST "\r\n", hub.port);
    int fd = raw_open(hub.port);
    for (int i = 0; i < 1000 && raw_send(fd, request, strlen(request)); i++)
        ;
    struct web_stats stats;
    hub_call(&hub, read_stats, &stats);
    assert_in_range(stats.requests, 0, 1);
    close(fd);
    expect_serving("pipelining");
    stop();
}

static void a_taken_port_is_a_clear_error(void **state)
{
    (void)state;
    start();
    struct hub other;
    struct diag diag = {0};
    struct web_options options = {
        .listen = "127.0.0.1", .port = hub.port, .host = "", .clients = 4};
    assert_int_equal(hub_start(&other, &options, &diag), ERR_TAKEN);
    char port[16];
    snprintf(port, sizeof(port), "%d", hub.port);
    assert_non_null(strstr(diag.text, "127.0.0.1"));
    assert_non_null(strstr(diag.text, port));
    stop();
}

static void an_address_that_cannot_be_is_a_clear_error(void **state)
{
    (void)state;
    static const struct {
        const char *listen;
        int code;
    } cases[] = {
        {"nonsense", ERR_RANGE},
        {"", ERR_RANGE},
        {"192.0.2.1", ERR_IO},
        {"127.0.0.1:80", ERR_RANGE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hub other;
        struct diag diag = {0};
        struct web_options options = {.listen = cases[i].listen, .host = "", .clients = 4};
        assert_int_equal(hub_start(&other, &options, &diag), cases[i].code);
        assert_true(strlen(diag.text) > 0);
    }
    struct hub other;
    struct diag diag = {0};
    struct web_options many = {.listen = "127.0.0.1", .host = "", .clients = 1u << 30};
    assert_int_equal(hub_start(&other, &many, &diag), ERR_LIMIT);
}

static void start_and_stop_leave_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        start();
        if (i == 1)
            expect_serving("start");
        int idle = i == 2 ? raw_open(hub.port) : -1;
        int half = i == 3 ? raw_open(hub.port) : -1;
        if (half >= 0)
            raw_send(half, "GET /hea", 8);
        poll(NULL, 0, 20);
        stop();
        close(idle);
        close(half);
    }
}

static void an_ipv6_address_is_served(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct web_options options = {.listen = "::1", .host = "", .clients = 4};
    int code = hub_start(&hub, &options, &diag);
    if (code == ERR_IO) {
        print_message("skipped: this machine has no ::1\n");
        skip();
    }
    assert_int_equal(code, 0);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)hub.port),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    char request[256];
    raw_fill(request, sizeof(request), "GET /healthz HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n",
             hub.port);
    raw_send(fd, request, strlen(request));
    raw_read_all(fd, answer, sizeof(answer));
    close(fd);
    assert_int_equal(raw_status(answer), 200);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_get_the_answer_they_deserve),
        cmocka_unit_test(a_header_with_a_nul_is_not_ours),
        cmocka_unit_test(the_page_is_served_with_tag_and_gzip),
        cmocka_unit_test(a_folder_is_read_anew_and_never_left),
        cmocka_unit_test(an_upgrade_is_granted_only_to_our_page),
        cmocka_unit_test(a_head_without_end_is_cut_off),
        cmocka_unit_test(a_slow_head_is_cut_off),
        cmocka_unit_test(sockets_beyond_the_cap_are_told_so),
        cmocka_unit_test(one_address_cannot_take_every_place),
        cmocka_unit_test(more_sockets_than_places_do_no_harm),
        cmocka_unit_test(who_pipelines_without_reading_gets_one_answer),
        cmocka_unit_test(a_taken_port_is_a_clear_error),
        cmocka_unit_test(an_address_that_cannot_be_is_a_clear_error),
        cmocka_unit_test(start_and_stop_leave_nothing),
        cmocka_unit_test(an_ipv6_address_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
