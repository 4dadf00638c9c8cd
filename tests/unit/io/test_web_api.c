/* The JSON API as its clients see it: bodies in pieces, hostile ones, answers that come later, and
 * the hub's own socket. Every test ends with an empty loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "web_hub.h"
#include "web_raw.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOST         "Host: 127.0.0.1:{port}\r\n"
#define JSON         "Content-Type: application/json\r\n"

static struct hub hub;
static char answer[1 << 20];
static char folder[] = "/tmp/lumbar-api-XXXXXX";
static char socket_path[64];

/* The loop's thread. */
static uint64_t waiting[4];
static unsigned waiting_count, handled;

static enum api_outcome on_list(void *user, const struct api_call *call, struct api_answer *out)
{
    (void)user, (void)call;
    return api_give(out, 200,
                    json_pack("{s:b}", "local", call->request->who->kind == ACCESS_LOCAL));
}

static enum api_outcome on_add(void *user, const struct api_call *call, struct api_answer *out)
{
    struct api_reader reader = {.call = call};
    (void)user;
    handled++;
    const char *name = api_text(&reader, "name", 1, 16000, NULL);
    if (reader.complaint[0] != '\0')
        return api_refuse(&reader, out);
    return api_give(out, 201, json_pack("{s:i}", "length", (int)strlen(name)));
}

static enum api_outcome on_much(void *user, const struct api_call *call, struct api_answer *out)
{
    (void)user, (void)call;
    json_t *list = json_array();
    for (int i = 0; i < 60000; i++)
        json_array_append_new(list, json_integer(100000000 + i));
    return api_give(out, 200, list);
}

static enum api_outcome on_wait(void *user, const struct api_call *call, struct api_answer *out)
{
    (void)user, (void)out;
    if (waiting_count < COUNT(waiting))
        waiting[waiting_count++] = call->request->ticket;
    return API_LATER;
}

static const struct api_endpoint endpoints[] = {
    {API_GET, "/things", on_list, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/things", on_add, (const char *const[]){"name", NULL}, MAY_ALL, SCOPE_NONE},
    {API_PUT, "/things/{id}", on_add, (const char *const[]){"name", NULL}, MAY_ALL, SCOPE_NONE},
    {API_DELETE, "/things/{id}", on_list, NULL, MAY_ALL, SCOPE_NONE},
    {API_GET, "/much", on_much, NULL, MAY_ALL, SCOPE_NONE},
    {API_POST, "/wait", on_wait, NULL, MAY_ALL, SCOPE_NONE},
};

static struct web_options options_now(void)
{
    return (struct web_options){.listen = "127.0.0.1",
                                .host = "",
                                .clients = 32,
                                .api = {endpoints, COUNT(endpoints), NULL, NULL, NULL, NULL},
                                .socket = socket_path};
}

static void start(void)
{
    struct diag diag = {0};
    struct web_options options = options_now();
    waiting_count = handled = 0;
    if (hub_start(&hub, &options, &diag) != 0)
        fail_msg("%s", diag.text);
}

static void stop(void)
{
    assert_int_equal(hub_stop(&hub), 0);
}

static int send_text(const char *text)
{
    static char request[40000];
    raw_fill(request, sizeof(request), text, hub.port);
    int fd = raw_open(hub.port);
    raw_send(fd, request, strlen(request));
    return fd;
}

static int read_answer(int fd)
{
    raw_read_all(fd, answer, sizeof(answer));
    close(fd);
    return raw_status(answer);
}

static int ask_text(const char *text)
{
    return read_answer(send_text(text));
}

static const char *body_of(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

static void expect_serving(const char *after)
{
    if (ask_text("GET /api/v1/things HTTP/1.1\r\n" HOST "\r\n") != 200)
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
        {"a list", "GET /api/v1/things HTTP/1.1\r\n" HOST "\r\n", 200},
        {"the same by HEAD", "HEAD /api/v1/things HTTP/1.1\r\n" HOST "\r\n", 200},
        {"own origin",
         "GET /api/v1/things HTTP/1.1\r\n" HOST "Origin: http://127.0.0.1:{port}\r\n\r\n", 200},
        {"one more",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 12\r\n\r\n{\"name\":\"a\"}",
         201},
        {"from our page",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Origin: http://127.0.0.1:{port}\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}",
         201},
        {"PUT",
         "PUT /api/v1/things/7 HTTP/1.1\r\n" HOST JSON "Content-Length: 12\r\n\r\n{\"name\":\"a\"}",
         201},
        {"DELETE", "DELETE /api/v1/things/7 HTTP/1.1\r\n" HOST JSON "\r\n", 200},
        {"DELETE with a length",
         "DELETE /api/v1/things/7 HTTP/1.1\r\n" HOST JSON "Content-Length: 0\r\n\r\n", 200},
        {"an empty body", "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 0\r\n\r\n",
         422},
        {"no such path", "GET /api/v1/nothing HTTP/1.1\r\n" HOST "\r\n", 404},
        {"no such version", "GET /api/v2/things HTTP/1.1\r\n" HOST "\r\n", 404},
        {"another method",
         "PUT /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 405},
        {"PATCH", "PATCH /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 405},
        {"OPTIONS", "OPTIONS /api/v1/things HTTP/1.1\r\n" HOST "\r\n", 405},
        /* other people's pages */
        {"foreign origin",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Origin: http://evil.example\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}",
         403},
        {"null origin",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Origin: null\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}",
         403},
        {"foreign origin, only reading",
         "GET /api/v1/things HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n", 403},
        {"rebound name",
         "POST /api/v1/things HTTP/1.1\r\nHost: evil.example:{port}\r\n" JSON
         "Content-Length: 12\r\n\r\n{\"name\":\"a\"}",
         421},
        {"a form",
         "POST /api/v1/things HTTP/1.1\r\n" HOST
         "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\nname=a",
         415},
        {"a form that looks like JSON",
         "POST /api/v1/things HTTP/1.1\r\n" HOST
         "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n{\"name\":\"a\"}",
         415},
        {"no type",
         "POST /api/v1/things HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\n{\"name\":\"a\"}", 415},
        {"DELETE without a type", "DELETE /api/v1/things/7 HTTP/1.1\r\n" HOST "\r\n", 415},
        /* bodies */
        {"no length", "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "\r\n", 411},
        {"pieces without a length",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
         411},
        {"pieces and a length",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
         411},
        {"two lengths",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
         400},
        {"a length below nothing",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: -1\r\n\r\n{}", 400},
        {"16385 announced",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 16385\r\n\r\n", 413},
        {"a terabyte announced",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 1099511627776\r\n\r\nx",
         413},
        {"no JSON", "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{]",
         400},
        {"a list for an object",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n[]", 422},
        {"a member unknown",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 13\r\n\r\n{\"nmae\":\"ab\"}",
         422},
        {"more than announced: the rest is another request, and never read",
         "POST /api/v1/things HTTP/1.1\r\n" HOST JSON
         "Content-Length: 12\r\n\r\n{\"name\":\"a\"}GET / HTTP/1.1\r\n\r\n",
         201},
        {"GET with a body", "GET /api/v1/things HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi",
         200},
        {"an upgrade of the API",
         "GET /api/v1/things HTTP/1.1\r\n" HOST "Origin: http://127.0.0.1:{port}\r\n"
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n",
         404},
    };
    int wrong = 0;
    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        int status = ask_text(cases[i].request);
        if (status != cases[i].status) {
            print_error("%s: %d, expected %d\n", cases[i].name, status, cases[i].status);
            wrong++;
        }
        bool upgrade = strstr(cases[i].request, "Upgrade") != NULL;
        if (status >= 400 && !upgrade &&
            (strstr(answer, "\r\nContent-Type: application/problem+json\r\n") == NULL ||
             strstr(body_of(answer), "\"type\":\"about:blank\"") == NULL))
            fail_msg("%s: no problem details in\n%s", cases[i].name, answer);
        if (strcasestr(answer, "\r\ncontent-security-policy: default-src 'none';") == NULL)
            fail_msg("%s: no Content-Security-Policy in\n%s", cases[i].name, answer);
        expect_serving(cases[i].name);
    }
    stop();
    assert_int_equal(wrong, 0);
}

static void a_405_says_what_is_allowed(void **state)
{
    (void)state;
    start();
    ask_text("PUT /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}");
    assert_non_null(strstr(answer, "\r\nAllow: GET, POST\r\n"));
    assert_int_equal(ask_text("HEAD /api/v1/things HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_string_equal(body_of(answer), "");
    stop();
}

static void a_body_comes_in_any_pieces(void **state)
{
    (void)state;
    static char name[API_BODY_BYTES];
    start();
    for (size_t piece = 1; piece < 3000; piece = piece * 7 + 1) {
        char head[400], text[400];
        size_t length = API_BODY_BYTES - 500;
        memset(name, 'x', length);
        name[length] = '\0';
        snprintf(text, sizeof(text),
                 "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: %zu\r\n\r\n",
                 length + 11);
        raw_fill(head, sizeof(head), text, hub.port);
        int fd = raw_open(hub.port);
        raw_send(fd, head, strlen(head));
        raw_send(fd, "{\"name\":\"", 9);
        size_t step = piece == 1 ? 800 : piece;
        for (size_t at = 0; at < length; at += step)
            raw_send(fd, name + at, length - at < step ? length - at : step);
        poll(NULL, 0, 5);
        raw_send(fd, "\"}", 2);
        assert_int_equal(read_answer(fd), 201);
        snprintf(text, sizeof(text), "{\"length\":%zu}", length);
        assert_string_equal(body_of(answer), text);
    }
    stop();
}

/* Who sends far too much gets its 413 although it has not finished speaking. */
static void a_huge_body_is_refused_with_words(void **state)
{
    (void)state;
    static char much[100000];
    memset(much, 'x', sizeof(much));
    start();
    for (int i = 0; i < 10; i++) {
        int fd = send_text("POST /api/v1/things HTTP/1.1\r\n" HOST JSON
                           "Content-Length: 100000\r\n\r\n");
        raw_send(fd, much, sizeof(much));
        int status = read_answer(fd);
        assert_true(status == 413 || status == 0); /* 0: the kernel dropped what we had not read */
        expect_serving("a huge body");
    }
    assert_int_equal(handled, 0);
    stop();
}

static void a_torn_body_does_nothing(void **state)
{
    (void)state;
    static const char *const pieces[] = {"", "{", "{\"name\":\"a\"", "{\"name\":\"a\"} "};
    start();
    for (size_t i = 0; i < COUNT(pieces); i++) {
        char text[400];
        snprintf(text, sizeof(text),
                 "POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 20\r\n\r\n%s",
                 pieces[i]);
        int fd = send_text(text);
        poll(NULL, 0, 10);
        close(fd);
        fd = send_text(text);
        shutdown(fd, SHUT_WR);
        assert_int_equal(read_answer(fd), 0);
        expect_serving("a torn body");
    }
    assert_int_equal(handled, 0);
    int half =
        send_text("POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 20\r\n\r\n{");
    poll(NULL, 0, 20);
    stop(); /* nothing of the half one stays */
    close(half);
}

static void a_dripping_body_is_cut_off(void **state)
{
    (void)state;
    start();
    int64_t began = hub_now_ms();
    int fd =
        send_text("POST /api/v1/things HTTP/1.1\r\n" HOST JSON "Content-Length: 16000\r\n\r\n");
    bool open = true;
    while (open && hub_now_ms() - began < 16000) {
        open = raw_send(fd, " ", 1);
        poll(NULL, 0, 100);
        char byte;
        ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
        open = open && got < 0;
    }
    assert_false(open);
    assert_in_range(hub_now_ms() - began, 5000, 14000);
    assert_int_equal(handled, 0);
    close(fd);
    stop();
}

static void a_large_answer_comes_whole(void **state)
{
    (void)state;
    start();
    assert_int_equal(ask_text("GET /api/v1/much HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(strlen(body_of(answer)), 60000 * 10 + 1);
    stop();
}

static void do_answer(struct hub *of, void *place)
{
    struct api_answer late = {0};
    api_give(&late, 202, json_pack("{s:s}", "done", "late"));
    web_api_answer(of->web, waiting[*(unsigned *)place], &late);
}

static void do_count(struct hub *of, void *count)
{
    (void)of;
    *(unsigned *)count = waiting_count;
}

static void wait_for_calls(unsigned wanted)
{
    unsigned count = 0;
    for (int tries = 0; tries < 500 && count < wanted; tries++) {
        hub_call(&hub, do_count, &count);
        poll(NULL, 0, 10);
    }
    assert_int_equal(count, wanted);
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    static const char wait[] =
        "POST /api/v1/wait HTTP/1.1\r\n" HOST JSON "Content-Length: 0\r\n\r\n";
    start();
    int first = send_text(wait);
    wait_for_calls(1);
    int second = send_text(wait);
    wait_for_calls(2);
    int gone = send_text(wait);
    wait_for_calls(3);
    close(gone);
    expect_serving("waiting");
    unsigned place = 1;
    hub_call(&hub, do_answer, &place); /* in another order than they came */
    assert_int_equal(read_answer(second), 202);
    assert_string_equal(body_of(answer), "{\"done\":\"late\"}");
    place = 2;
    hub_call(&hub, do_answer, &place); /* nobody is there */
    place = 0;
    hub_call(&hub, do_answer, &place);
    hub_call(&hub, do_answer, &place); /* twice: the second is dropped */
    assert_int_equal(read_answer(first), 202);
    int last = send_text(wait);
    wait_for_calls(4);
    stop(); /* with one that never gets its answer */
    close(last);
}

/* ---- the hub's own socket ---- */

static int connect_local(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 15};
    strcpy(address.sun_path, socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int ask_local(const char *text)
{
    int fd = connect_local();
    assert_true(fd >= 0);
    raw_send(fd, text, strlen(text));
    return read_answer(fd);
}

static void the_own_socket_serves_the_same(void **state)
{
    (void)state;
    start();
    assert_int_equal(ask_local("GET /api/v1/things HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    assert_string_equal(body_of(answer), "{\"local\":true}");
    assert_int_equal(ask_text("GET /api/v1/things HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_string_equal(body_of(answer), "{\"local\":false}");
    assert_int_equal(ask_local("POST /api/v1/things HTTP/1.1\r\nHost: x\r\n" JSON
                               "Content-Length: 12\r\n\r\n{\"name\":\"a\"}"),
                     201);
    assert_int_equal(ask_local("POST /api/v1/things HTTP/1.1\r\nHost: x\r\n" JSON
                               "Origin: http://evil.example\r\n"
                               "Content-Length: 12\r\n\r\n{\"name\":\"a\"}"),
                     403);
    stop();
    struct stat status;
    assert_int_not_equal(stat(socket_path, &status), 0); /* nothing is left */
}

static void the_own_socket_is_for_its_group(void **state)
{
    (void)state;
    struct stat status;
    start();
    assert_int_equal(stat(socket_path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0660);
    stop();

    struct diag diag = {0};
    struct web_options options = options_now();
    options.group = "no-such-group-here";
    assert_int_equal(hub_start(&hub, &options, &diag), ERR_UNKNOWN);
    assert_non_null(strstr(diag.text, "no-such-group-here"));
    assert_int_not_equal(stat(socket_path, &status), 0);
    const struct group *own = getgrgid(getegid());
    if (own == NULL)
        skip();
    options.group = own->gr_name;
    diag = (struct diag){0};
    assert_int_equal(hub_start(&hub, &options, &diag), 0);
    assert_int_equal(stat(socket_path, &status), 0);
    assert_int_equal(status.st_gid, getegid());
    stop();
}

static void a_socket_that_a_killed_hub_left_is_replaced(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd); /* the file stays, as after a kill */
    start();
    assert_int_equal(ask_local("GET /api/v1/things HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);

    struct hub other;
    struct diag diag = {0};
    struct web_options options = options_now();
    assert_int_equal(hub_start(&other, &options, &diag), ERR_TAKEN); /* but not a living one */
    assert_non_null(strstr(diag.text, socket_path));
    assert_int_equal(ask_local("GET /api/v1/things HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    stop();
}

static void what_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    FILE *file = fopen(socket_path, "w");
    assert_non_null(file);
    fclose(file);
    struct diag diag = {0};
    struct web_options options = options_now();
    assert_int_equal(hub_start(&hub, &options, &diag), ERR_TAKEN);
    assert_int_equal(unlink(socket_path), 0); /* it is still there */
    char longest[200];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    options.socket = longest;
    diag = (struct diag){0};
    assert_int_equal(hub_start(&hub, &options, &diag), ERR_LIMIT);
    options.socket = "/no/such/folder/ctl";
    diag = (struct diag){0};
    assert_int_equal(hub_start(&hub, &options, &diag), ERR_IO);
}

static void a_crowd_at_the_own_socket_does_no_harm(void **state)
{
    (void)state;
    int fds[100];
    unsigned connected = 0;
    start();
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_local();
        connected += fds[i] >= 0;
    }
    assert_true(connected > 40);
    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    int status = 0;
    for (int tries = 0; tries < 200 && status != 200; tries++) {
        status = ask_text("GET /api/v1/things HTTP/1.1\r\n" HOST "\r\n");
        poll(NULL, 0, 10);
    }
    assert_int_equal(status, 200);
    stop();
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(socket_path, sizeof(socket_path), "%s/ctl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_get_the_answer_they_deserve),
        cmocka_unit_test(a_405_says_what_is_allowed),
        cmocka_unit_test(a_body_comes_in_any_pieces),
        cmocka_unit_test(a_huge_body_is_refused_with_words),
        cmocka_unit_test(a_torn_body_does_nothing),
        cmocka_unit_test(a_dripping_body_is_cut_off),
        cmocka_unit_test(a_large_answer_comes_whole),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(the_own_socket_serves_the_same),
        cmocka_unit_test(the_own_socket_is_for_its_group),
        cmocka_unit_test(a_socket_that_a_killed_hub_left_is_replaced),
        cmocka_unit_test(what_is_no_socket_is_left_alone),
        cmocka_unit_test(a_crowd_at_the_own_socket_does_no_harm),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
