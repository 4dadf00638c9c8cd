/* The checks of io/web_http.h, without a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "io/web_http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_host_is_taken_only_if_it_is_ours(void **state)
{
    (void)state;
    static const struct {
        const char *listen;
        int port;
        const char *configured, *host;
        bool taken;
    } cases[] = {
        {"127.0.0.1", 8080, "", "127.0.0.1:8080", true},
        {"127.0.0.1", 8080, "", "localhost:8080", true},
        {"127.0.0.1", 8080, "", "LocalHost:8080", true},
        {"127.0.0.1", 8080, "", "127.0.0.2:8080", true}, /* a literal cannot be rebound */
        {"127.0.0.1", 8080, "", "[::1]:8080", true},
        {"127.0.0.1", 80, "", "localhost", true},    /* no port means 80 */
        {"127.0.0.1", 8080, "", "localhost", false}, /* which ours is not */
        {"127.0.0.1", 8080, "", "localhost:8081", false},
        {"127.0.0.1", 8080, "", "evil.example:8080", false},
        {"127.0.0.1", 8080, "", "localhost.evil.example:8080", false},
        {"127.0.0.1", 8080, "", "127.0.0.1.evil.example:8080", false},
        {"127.0.0.1", 8080, "", "localhost.:8080", false},
        {"127.0.0.1", 8080, "", "192.168.1.7:8080", false},
        {"127.0.0.1", 8080, "", "127.1:8080", false}, /* other spellings of an address */
        {"127.0.0.1", 8080, "", "0x7f000001:8080", false},
        {"127.0.0.1", 8080, "", "2130706433:8080", false},
        {"127.0.0.1", 8080, "", "user@127.0.0.1:8080", false},
        {"127.0.0.1", 8080, "", "127.0.0.1:8080,evil.example", false}, /* two Host headers */
        {"127.0.0.1", 8080, "", "127.0.0.1:8080 ", false},
        {"127.0.0.1", 8080, "", "127.0.0.1:", false},
        {"127.0.0.1", 8080, "", "127.0.0.1:08080", true},
        {"127.0.0.1", 8080, "", "127.0.0.1:4294975376", false}, /* 8080 modulo 2^32 */
        {"127.0.0.1", 8080, "", "127.0.0.1:-8080", false},
        {"127.0.0.1", 8080, "", "[::1:8080", false},
        {"127.0.0.1", 8080, "", "[]:8080", false},
        {"127.0.0.1", 8080, "", "", false},
        {"127.0.0.1", 8080, "", "?", false},
        {"::1", 8080, "", "[::1]:8080", true},
        {"::1", 8080, "", "[0:0:0:0:0:0:0:1]:8080", true}, /* the same address */
        {"::1", 8080, "", "localhost:8080", true},
        {"192.168.1.7", 8080, "", "192.168.1.7:8080", true},
        {"192.168.1.7", 8080, "", "localhost:8080", false},
        {"192.168.1.7", 8080, "", "192.168.1.8:8080", false},
        {"0.0.0.0", 8080, "", "192.168.1.8:8080", true}, /* any address may be ours */
        {"0.0.0.0", 8080, "", "localhost:8080", true},
        {"0.0.0.0", 8080, "", "evil.example:8080", false},
        {"127.0.0.1", 8080, "hub.clinic", "hub.clinic", true}, /* behind a proxy */
        {"127.0.0.1", 8080, "hub.clinic", "HUB.clinic:8080", true},
        {"127.0.0.1", 8080, "hub.clinic", "hub.clinic:9000", false},
        {"127.0.0.1", 8080, "hub.clinic:9000", "hub.clinic:9000", true},
        {"127.0.0.1", 8080, "hub.clinic:9000", "hub.clinic", false},
        {"127.0.0.1", 8080, "hub.clinic", "hub.clinic.evil.example", false},
        {"127.0.0.1", 8080, "hub.clinic, wall.clinic:9000", "wall.clinic:9000", true},
        {"127.0.0.1", 8080, "hub.clinic, wall.clinic:9000", "hub.clinic", true},
        {"127.0.0.1", 8080, "hub.clinic, wall.clinic:9000", "wall.clinic", false},
        {"127.0.0.1", 8080, "hub.clinic, wall.clinic:9000", "hub.clinic, wall.clinic:9000", false},
        {"127.0.0.1", 8080, ", ,", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_server server = {
            .listen = cases[i].listen, .port = cases[i].port, .host = cases[i].configured};
        if (http_host_is_ours(&server, cases[i].host) != cases[i].taken)
            fail_msg("listening on %s, \"%s\": expected %d", cases[i].listen, cases[i].host,
                     cases[i].taken);
    }
    char longest[HTTP_VALUE_BYTES];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    struct http_server server = {.listen = "127.0.0.1", .port = 80, .host = longest};
    assert_false(http_host_is_ours(&server, longest));
}

static void by_tls_only_a_page_that_came_so_is_ours(void **state)
{
    (void)state;
    static const struct {
        bool tls;
        const char *origins, *origin;
        bool good;
    } cases[] = {
        {true, "", "https://hub:8443", true},
        {true, "", "http://hub:8443", false},
        {false, "", "http://hub:8443", true},
        {false, "", "https://hub:8443", true}, /* behind a proxy */
        {true, "https://portal, https://b:1", "https://portal", true},
        {true, "https://portal, https://b:1", "HTTPS://Portal", true},
        {true, "https://portal, https://b:1", "https://b:1", true},
        {true, "https://portal, https://b:1", "https://b", false},
        {true, "https://portal, https://b:1", "http://portal", false},
        {true, "https://portal, https://b:1", "https://portal, https://b:1", false},
        {true, "null", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_server server = {.listen = "127.0.0.1",
                                     .port = 8443,
                                     .tls = cases[i].tls,
                                     .host = "hub",
                                     .origin = cases[i].origins};
        if (http_origin_is_good(&server, cases[i].origin, "hub:8443") != cases[i].good)
            fail_msg("%s: expected %d", cases[i].origin, cases[i].good);
    }
    struct http_server https = {.listen = "127.0.0.1", .port = 443, .tls = true, .host = ""};
    assert_true(http_host_is_ours(&https, "localhost")); /* no port means 443 */
    https.port = 80;
    assert_false(http_host_is_ours(&https, "localhost"));
}

static void an_origin_must_be_the_host(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *host;
        bool same;
    } cases[] = {
        {"http://127.0.0.1:8080", "127.0.0.1:8080", true},
        {"HTTP://LOCALHOST:8080", "localhost:8080", true},
        {"http://hub.clinic", "hub.clinic", true},
        {"http://hub.clinic:80", "hub.clinic", true},
        {"https://hub.clinic", "hub.clinic", true}, /* a proxy does TLS */
        {"https://hub.clinic", "hub.clinic:443", true},
        {"http://[::1]:8080", "[::1]:8080", true},
        {"http://localhost:8080", "127.0.0.1:8080", false}, /* another origin to a browser */
        {"http://127.0.0.1:8081", "127.0.0.1:8080", false},
        {"http://evil.example", "127.0.0.1:8080", false},
        {"http://127.0.0.1:8080.evil.example", "127.0.0.1:8080", false},
        {"http://127.0.0.1:8080@evil.example", "127.0.0.1:8080", false},
        {"http://127.0.0.1:8080/", "127.0.0.1:8080", false},
        {"http://", "127.0.0.1:8080", false},
        {"http:/127.0.0.1:8080", "127.0.0.1:8080", false},
        {"ftp://127.0.0.1:8080", "127.0.0.1:8080", false},
        {"file://", "127.0.0.1:8080", false},
        {"null", "127.0.0.1:8080", false},
        {"", "127.0.0.1:8080", false},
        {"127.0.0.1:8080", "127.0.0.1:8080", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (http_origin_is_host(cases[i].origin, cases[i].host) != cases[i].same)
            fail_msg("\"%s\" at \"%s\": expected %d", cases[i].origin, cases[i].host,
                     cases[i].same);
}

static void gzip_is_sent_only_where_it_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *accepts;
        bool taken;
    } cases[] = {
        {"gzip", true},
        {"gzip, deflate, br", true},
        {"br;q=1.0, GZIP;q=0.8", true},
        {"deflate\t,\tgzip", true},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0.001", true},
        {"deflate, br", false},
        {"xgzip", false},
        {"gzipx", false},
        {"identity", false},
        {"*", false}, /* would do, but plain is right for everybody */
        {"", false},
        {",,,", false},
        {";q=1", false},
        {"gzip;", true},
        {"?", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (http_takes_gzip(cases[i].accepts) != cases[i].taken)
            fail_msg("\"%s\": expected %d", cases[i].accepts, cases[i].taken);
}

static void an_entity_tag_is_found_in_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool found;
    } cases[] = {
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"\"x\", \"abc\"", true},
        {"\"x\" , W/\"abc\" ", true},
        {"*", true},
        {"\"abcd\"", false},
        {"\"ab\"", false},
        {"abc", false},
        {"", false},
        {"W/", false},
        {"\"abc", false},
        {"w/\"abc\"", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (http_etag_matches(cases[i].header, "\"abc\"") != cases[i].found)
            fail_msg("%s: expected %d", cases[i].header, cases[i].found);
}

static void a_path_has_no_way_up_and_nothing_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool plain;
    } cases[] = {
        {"/index.html", true},
        {"/a/b-c_d.js", true},
        {"/..", false},
        {"/../a", false},
        {"/a/../b", false},
        {"/.git/config", false},
        {"/a/.env", false},
        {"//etc/passwd", false},
        {"/a//b", false},
        {"/a/", false},
        {"/", false},
        {"", false},
        {"index.html", false},
        {"/a\\b", false},
        {"/a b", false},
        {"/a%2e", false},
        {"/caf\xc3\xa9", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (http_path_is_plain(cases[i].path) != cases[i].plain)
            fail_msg("%s: expected %d", cases[i].path, cases[i].plain);
}

static void a_type_follows_from_the_ending(void **state)
{
    (void)state;
    assert_string_equal(http_type_of("/index.html"), "text/html; charset=utf-8");
    assert_string_equal(http_type_of("/a/APP.JS"), "text/javascript; charset=utf-8");
    assert_string_equal(http_type_of("/x.css"), "text/css; charset=utf-8");
    assert_string_equal(http_type_of("/icon.svg"), "image/svg+xml");
    assert_string_equal(http_type_of("/js"), "application/octet-stream");
    assert_string_equal(http_type_of(".js"), "application/octet-stream");
}

static void an_upgrade_needs_everything(void **state)
{
    (void)state;
    struct http_server server = {.listen = "127.0.0.1", .port = 8080, .host = ""};
    const struct http_request good = {
        HTTP_GET,         "/live", "127.0.0.1:8080",           "http://127.0.0.1:8080",
        "lumbar.live.v1", "13",    "dGhlIHNhbXBsZSBub25jZQ==", false};
    assert_int_equal(http_judge_upgrade(&server, &good), 0);
#define EXPECT(status, field, value)                                                               \
    do {                                                                                           \
        struct http_request request = good;                                                        \
        request.field = value;                                                                     \
        assert_int_equal(http_judge_upgrade(&server, &request), status);                           \
    } while (0)
    EXPECT(405, method, HTTP_HEAD);
    EXPECT(405, method, HTTP_OTHER);
    EXPECT(404, path, "/");
    EXPECT(404, path, "/live/");
    EXPECT(400, host, "");
    EXPECT(421, host, "evil.example:8080");
    EXPECT(403, origin, "");
    EXPECT(403, origin, "null");
    EXPECT(403, origin, "http://evil.example");
    EXPECT(400, subprotocol, "");
    EXPECT(400, subprotocol, "lumbar.live.v2");
    EXPECT(400, subprotocol, "lumbar.live.v1, lumbar.live.v2");
    EXPECT(426, version, "");
    EXPECT(426, version, "8");
    EXPECT(426, version, "13, 8");
    EXPECT(400, key, "");
    EXPECT(400, key, "dGhlIHNhbXBsZSBub25jZQ=");
    EXPECT(400, key, "dGhlIHNhbXBsZSBub25jZQ===");
    EXPECT(400, key, "dGhlIHNhbXBsZSBub25j\rQ==");
#undef EXPECT
}

static void every_answer_has_the_security_headers(void **state)
{
    (void)state;
    static const int statuses[] = {200, 201, 202, 304, 400, 403, 404, 405, 409,
                                   411, 413, 415, 421, 422, 426, 500, 503};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        char head[HTTP_HEAD_BYTES];
        struct http_answer answer = {.status = statuses[i],
                                     .type = "text/css; charset=utf-8",
                                     .etag = "\"0123456789abcdef0123456789abcdef0123456789abcdef\"",
                                     .gzip = true,
                                     .body_bytes = SIZE_MAX};
        size_t length = http_write_head(head, sizeof(head), &answer);
        assert_int_equal(length, strlen(head));
        assert_true(length > 0);
        for (const struct http_header *header = http_headers; header->name != NULL; header++) {
            char line[512];
            snprintf(line, sizeof(line), "\r\n%s: %s\r\n", header->name, header->value);
            assert_non_null(strstr(head, line));
        }
        assert_string_equal(head + length - 4, "\r\n\r\n");
        assert_int_equal(statuses[i] == 304, strstr(head, "Content-Length") == NULL);
        assert_int_equal(statuses[i] == 405, strstr(head, "\r\nAllow: GET, HEAD\r\n") != NULL);
        if (statuses[i] >= 400)
            assert_true(strlen(http_words(statuses[i])) > 0);
    }
}

static void only_the_api_is_changed(void **state)
{
    (void)state;
    struct http_server server = {.listen = "127.0.0.1", .port = 8080, .host = ""};
    static const struct {
        enum http_method method;
        const char *path, *host, *origin;
        bool local;
        int status;
    } cases[] = {
#define OURS "127.0.0.1:8080"
        {HTTP_GET, "/", OURS, "", false, 0},
        {HTTP_HEAD, "/", OURS, "", false, 0},
        {HTTP_POST, "/", OURS, "", false, 405},
        {HTTP_POST, "/api", OURS, "", false, 405},
        {HTTP_POST, "/apis/v1", OURS, "", false, 405},
        {HTTP_GET, "/api/v1/rooms", OURS, "", false, 0},
        {HTTP_POST, "/api/v1/rooms", OURS, "", false, 0},
        {HTTP_PUT, "/api/v1/rooms", OURS, "", false, 0},
        {HTTP_DELETE, "/api/v1/rooms", OURS, "", false, 0},
        {HTTP_OTHER, "/api/v1/rooms", OURS, "", false, 405},
        {HTTP_POST, "/api/v1/rooms", OURS, "http://127.0.0.1:8080", false, 0},
        {HTTP_POST, "/api/v1/rooms", OURS, "http://evil.example", false, 403},
        {HTTP_POST, "/api/v1/rooms", OURS, "null", false, 403},
        {HTTP_POST, "/api/v1/rooms", "evil.example:8080", "", false, 421},
        {HTTP_POST, "/api/v1/rooms", "", "", false, 400},
        /* by our own socket there is no name to be mistaken, but still no other page */
        {HTTP_POST, "/api/v1/rooms", "", "", true, 0},
        {HTTP_POST, "/api/v1/rooms", "localhost", "", true, 0},
        {HTTP_POST, "/api/v1/rooms", "localhost", "http://evil.example", true, 403},
        {HTTP_POST, "/", "localhost", "", true, 405},
        {HTTP_GET, "/live", OURS, "", false, 426},
#undef OURS
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_request request = {.method = cases[i].method,
                                       .path = cases[i].path,
                                       .host = cases[i].host,
                                       .origin = cases[i].origin,
                                       .local = cases[i].local};
        if (http_judge(&server, &request) != cases[i].status)
            fail_msg("%d %s %s: %d", cases[i].method, cases[i].path, cases[i].origin,
                     http_judge(&server, &request));
    }
}

static void a_body_says_its_length_once(void **state)
{
    (void)state;
    static const struct {
        const char *length, *encoding;
        int status;
        size_t bytes;
    } cases[] = {
        {"0", "", 0, 0},           {"2", "", 0, 2},
        {"0002", "", 0, 2},        {"1000", "", 0, 1000},
        {"1001", "", 413, 0},      {"99999999999999999999999999", "", 413, 0},
        {"", "", 411, 0},          {"", "chunked", 411, 0},
        {"2", "chunked", 411, 0}, /* two programs could read it differently */
        {"2", "identity", 411, 0}, {"-1", "", 400, 0},
        {"+2", "", 400, 0},        {"2 ", "", 400, 0},
        {"2,2", "", 400, 0},       {"0x2", "", 400, 0},
        {"?", "", 400, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t bytes;
        int status = http_body_length(cases[i].length, cases[i].encoding, 1000, &bytes);
        if (status != cases[i].status)
            fail_msg("'%s' '%s': %d", cases[i].length, cases[i].encoding, status);
        if (status == 0)
            assert_int_equal(bytes, cases[i].bytes);
    }
}

static void a_head_that_does_not_fit_is_none(void **state)
{
    (void)state;
    char head[HTTP_HEAD_BYTES];
    struct http_answer answer = {.status = 200, .type = "text/css", .body_bytes = 3};
    size_t length = http_write_head(head, sizeof(head), &answer);
    for (size_t bytes = 1; bytes <= length; bytes++)
        assert_int_equal(http_write_head(head, bytes, &answer), 0);
    assert_int_equal(http_write_head(head, length + 1, &answer), length);
}

static void an_answer_may_have_a_stricter_policy_and_a_file_name(void **state)
{
    (void)state;
    char head[HTTP_HEAD_BYTES];
    struct http_answer answer = {.status = 200,
                                 .type = "text/html",
                                 .policy = "default-src 'none'",
                                 .file = "session-1.csv"};
    assert_true(http_write_head(head, sizeof(head), &answer) > 0);
    const char *policy = strstr(head, "Content-Security-Policy: ");
    assert_non_null(policy);
    assert_null(strstr(policy + 1, "Content-Security-Policy"));
    assert_non_null(strstr(head, "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors "
                                 "'none'\r\n"));
    assert_non_null(
        strstr(head, "\r\nContent-Disposition: attachment; filename=\"session-1.csv\"\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_taken_only_if_it_is_ours),
        cmocka_unit_test(by_tls_only_a_page_that_came_so_is_ours),
        cmocka_unit_test(an_origin_must_be_the_host),
        cmocka_unit_test(gzip_is_sent_only_where_it_is_taken),
        cmocka_unit_test(an_entity_tag_is_found_in_a_list),
        cmocka_unit_test(a_path_has_no_way_up_and_nothing_hidden),
        cmocka_unit_test(a_type_follows_from_the_ending),
        cmocka_unit_test(an_upgrade_needs_everything),
        cmocka_unit_test(every_answer_has_the_security_headers),
        cmocka_unit_test(an_answer_may_have_a_stricter_policy_and_a_file_name),
        cmocka_unit_test(only_the_api_is_changed),
        cmocka_unit_test(a_body_says_its_length_once),
        cmocka_unit_test(a_head_that_does_not_fit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
