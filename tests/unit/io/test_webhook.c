/* Alarms told to a web server: a real one on loopback, well behaved and not. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "io/webhook.h"

#define REQUESTS_MAX 256
#define PATIENCE     ((struct webhook_patience){500, 10, 3})

/* What the server does with one connection. */
enum manner { GOOD, BUSY, RUDE, GARBAGE, SILENT, BIT_BY_BIT, CHATTY };

static const char good[] = "HTTP/1.1 204 No Content\r\n\r\n";

struct server {
    int fd;
    unsigned port;
    pthread_t thread;
    enum manner manners[REQUESTS_MAX]; /* of the connections in turn; then GOOD */
    _Atomic unsigned connections;
    char bodies[REQUESTS_MAX][64]; /* of the requests that were answered well */
    _Atomic unsigned taken;
    char head[2048]; /* of the last one */
};

/* Reads a whole request; false: it hung up. */
static bool read_request(struct server *server, int fd, char *request, size_t room)
{
    size_t have = 0;
    for (;;) {
        ssize_t got = read(fd, request + have, room - 1 - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
        request[have] = '\0';
        const char *end = strstr(request, "\r\n\r\n"),
                   *length = strstr(request, "Content-Length: ");
        if (end == NULL || length == NULL)
            continue;
        if (have - (size_t)(end + 4 - request) >= strtoul(length + 16, NULL, 10)) {
            snprintf(server->head, sizeof(server->head), "%.*s", (int)(end - request), request);
            return true;
        }
    }
}

static void answer(struct server *server, int fd, enum manner manner)
{
    char request[8192] = "";
    if (manner == RUDE || !read_request(server, fd, request, sizeof(request)))
        return;
    if (manner == SILENT) {
        read(fd, request, 1); /* until it hangs up */
        return;
    }
    if (manner == BUSY)
        write(fd, "HTTP/1.1 503 Busy\r\n\r\n", 21);
    if (manner == GARBAGE)
        write(fd, "220 mail.example ESMTP\r\n", 24);
    if (manner == BUSY || manner == GARBAGE)
        return;
    snprintf(server->bodies[server->taken], sizeof(server->bodies[0]), "%s",
             strstr(request, "\r\n\r\n") + 4);
    server->taken++;
    for (size_t i = 0; manner == BIT_BY_BIT && i < sizeof(good) - 1; i++) {
        send(fd, &good[i], 1, MSG_NOSIGNAL);
        usleep(1000);
    }
    if (manner != BIT_BY_BIT)
        send(fd, good, sizeof(good) - 1, MSG_NOSIGNAL);
    for (int i = 0; manner == CHATTY && i < 100; i++) /* more than anybody asked for */
        send(fd, request, sizeof(request), MSG_NOSIGNAL);
}

static void *serve(void *user)
{
    struct server *server = user;
    for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0; close(fd)) {
        unsigned turn = server->connections++;
        answer(server, fd, server->manners[turn % REQUESTS_MAX]);
    }
    return NULL;
}

static void server_start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &bytes), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

struct world {
    struct server server;
    uv_loop_t loop;
    struct webhook *webhook;
    struct webhook_stats stats;
};

static void aim(struct world *world, const char *word)
{
    struct webhook_target *target;
    struct diag diag = {0};
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/alarm", world->server.port);
    assert_int_equal(
        webhook_target_create(&target, &(struct webhook_options){url, word, ""}, &diag), 0);
    webhook_aim(world->webhook, target);
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct diag diag = {0};
    log_set_level(0);
    server_start(&world->server);
    uv_loop_init(&world->loop);
    assert_int_equal(webhook_create(&world->webhook, &world->loop, PATIENCE, &diag), 0);
    aim(world, "");
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    webhook_stop(world->webhook);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    webhook_destroy(world->webhook);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    server_stop(&world->server);
    free(world);
    return 0;
}

/* Until nothing waits any more. */
static void run(struct world *world)
{
    do {
        uv_run(&world->loop, UV_RUN_ONCE);
        webhook_stats(world->webhook, &world->stats);
    } while (world->stats.waiting > 0);
}

static void post(struct world *world, const char *body)
{
    assert_int_equal(webhook_post(world->webhook, body, strlen(body)), 0);
}

static void posts_arrive_one_by_one_in_their_order(void **state)
{
    struct world *world = *state;
    char body[16];
    for (int i = 0; i < 10; i++) {
        snprintf(body, sizeof(body), "{\"n\":%d}", i);
        post(world, body);
    }
    run(world);
    assert_int_equal(world->server.taken, 10);
    for (int i = 0; i < 10; i++) {
        snprintf(body, sizeof(body), "{\"n\":%d}", i);
        assert_string_equal(world->server.bodies[i], body);
    }
    assert_int_equal(world->stats.sent, 10);
    assert_int_equal(world->stats.failed, 0);
    assert_non_null(strstr(world->server.head, "POST /alarm HTTP/1.1\r\n"));
    assert_null(strstr(world->server.head, "Authorization"));
    aim(world, "sesame");
    post(world, "{}");
    run(world);
    assert_non_null(strstr(world->server.head, "Authorization: Bearer sesame"));
}

static void what_fails_is_tried_again_and_comes_before_what_came_later(void **state)
{
    static const struct {
        enum manner manner;
        const char *words;
    } cases[] = {{BUSY, "it answered 503"},
                 {RUDE, "hung up"},
                 {GARBAGE, "no HTTP"},
                 {SILENT, "no answer within 500 ms"}};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned from = world->server.connections, taken = world->server.taken;
        world->server.manners[from] = cases[i].manner;
        post(world, "first");
        post(world, "second");
        do {
            uv_run(&world->loop, UV_RUN_ONCE);
            webhook_stats(world->webhook, &world->stats);
        } while (world->stats.failed == i);
        if (strstr(world->stats.error, cases[i].words) == NULL &&
            strstr(world->stats.error, "reset") == NULL) /* so a hang-up may look */
            fail_msg("'%s' is not '%s'", world->stats.error, cases[i].words);
        run(world);
        assert_int_equal(world->server.taken, taken + 2);
        assert_string_equal(world->server.bodies[taken], "first");
        assert_string_equal(world->server.bodies[taken + 1], "second");
    }
}

static void an_answer_may_come_bit_by_bit_or_with_more_than_was_asked(void **state)
{
    struct world *world = *state;
    world->server.manners[0] = BIT_BY_BIT;
    world->server.manners[1] = CHATTY;
    post(world, "a");
    post(world, "b");
    post(world, "c");
    run(world);
    assert_int_equal(world->stats.sent, 3);
    assert_int_equal(world->stats.failed, 0);
}

static void what_fails_too_often_is_given_up_and_the_next_is_not(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++)
        world->server.manners[i] = BUSY;
    post(world, "lost");
    post(world, "told");
    run(world);
    assert_int_equal(world->stats.dropped, 1);
    assert_int_equal(world->stats.failed, 3);
    assert_int_equal(world->server.taken, 1);
    assert_string_equal(world->server.bodies[0], "told");
}

static void the_oldest_that_waits_goes_where_there_is_no_room(void **state)
{
    struct world *world = *state;
    char body[16], longest[WEBHOOK_BODY_BYTES + 1] = {'x'};
    for (int i = 0; i < WEBHOOK_POSTS + 5; i++) {
        snprintf(body, sizeof(body), "%d", i);
        post(world, body);
    }
    assert_int_equal(webhook_post(world->webhook, longest, sizeof(longest)), ERR_LIMIT);
    run(world);
    assert_int_equal(world->stats.dropped, 5);
    assert_int_equal(world->server.taken, WEBHOOK_POSTS);
    assert_string_equal(world->server.bodies[0], "0"); /* it was on its way */
    assert_string_equal(world->server.bodies[1], "6");
}

static void nobody_there_is_said(void **state)
{
    struct world *world = *state;
    struct webhook_target *target;
    struct server none = {0};
    char url[64];
    server_start(&none);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", none.port);
    server_stop(&none);
    assert_int_equal(webhook_target_create(&target, &(struct webhook_options){url, "", ""}, NULL),
                     0);
    webhook_aim(world->webhook, target);
    post(world, "x");
    run(world);
    assert_string_equal(world->stats.error, "connecting: connection refused");
    assert_int_equal(
        webhook_target_create(&target, &(struct webhook_options){"http://nobody.invalid/", "", ""},
                              NULL),
        0);
    webhook_aim(world->webhook, target);
    post(world, "x");
    run(world);
    assert_non_null(strstr(world->stats.error, "its name: "));
    assert_int_equal(world->stats.dropped, 2);
}

static void another_target_forgets_what_waits_for_none(void **state)
{
    struct world *world = *state;
    world->server.manners[0] = SILENT;
    post(world, "forgotten");
    while (world->server.connections == 0)
        uv_run(&world->loop, UV_RUN_ONCE);
    webhook_aim(world->webhook, NULL);
    assert_false(webhook_is_aimed(world->webhook));
    post(world, "nobody is told");
    aim(world, "");
    post(world, "told");
    run(world);
    assert_int_equal(world->server.taken, 1);
    assert_string_equal(world->server.bodies[0], "told");
}

/* At each step the loop ends empty: see close_world(). */
static void it_stops_in_the_middle_of_anything(void **state)
{
    struct world *world = *state;
    world->server.manners[0] = SILENT;
    post(world, "a");
    post(world, "b");
    while (world->server.connections == 0)
        uv_run(&world->loop, UV_RUN_ONCE);
}

static void it_stops_before_it_has_begun(void **state)
{
    struct world *world = *state;
    post(world, "a");
}

static void a_place_that_is_none_is_refused(void **state)
{
    (void)state;
    struct webhook_target *target;
    struct diag diag = {0};
    assert_int_equal(
        webhook_target_create(&target, &(struct webhook_options){"ftp://a", "", ""}, &diag),
        ERR_SYNTAX);
    assert_null(target);
    diag = (struct diag){0};
    assert_int_equal(
        webhook_target_create(&target, &(struct webhook_options){"https://a", "", "/nowhere.pem"},
                              &diag),
        ERR_IO);
    assert_non_null(strstr(diag.text, "/nowhere.pem"));
    assert_int_equal(webhook_target_create(&target, &(struct webhook_options){"", "", ""}, &diag),
                     0);
    assert_null(target);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(posts_arrive_one_by_one_in_their_order),
        CASE(what_fails_is_tried_again_and_comes_before_what_came_later),
        CASE(an_answer_may_come_bit_by_bit_or_with_more_than_was_asked),
        CASE(what_fails_too_often_is_given_up_and_the_next_is_not),
        CASE(the_oldest_that_waits_goes_where_there_is_no_room),
        CASE(nobody_there_is_said),
        CASE(another_target_forgets_what_waits_for_none),
        CASE(it_stops_in_the_middle_of_anything),
        CASE(it_stops_before_it_has_begun),
        cmocka_unit_test(a_place_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
