/* io/web against WebSocket clients that are no browsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "web_browser.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 0: the connection ends without a close; -1: it goes on. */
static const struct {
    const char *name;
    size_t count;
    const char *bytes;
    int code;
} frames[] = {
    {"text", 8, "\x81\x82\0\0\0\0hi", 1003},
    {"empty text", 6, "\x81\x80\0\0\0\0", 1003},
    {"no Watch", 9, "\x82\x83\0\0\0\0\xff\xff\xff", 1007},
    {"a Watch cut short", 8, "\x82\x82\0\0\0\0\x11\x01", 1007},
    {"1025 bytes announced", 9, "\x82\xfe\x04\x01\0\0\0\0x", 1009},
    {"64 KB announced", 15, "\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0x", 1009},
    {"2^63 announced", 10, "\x82\xff\x80\0\0\0\0\0\0\0", 0},
    {"reserved bit 1", 6, "\xc2\x80\0\0\0\0", 1002},
    {"reserved bit 2", 6, "\xa2\x80\0\0\0\0", 1002},
    {"reserved bit 3", 6, "\x92\x80\0\0\0\0", 1002},
    {"unknown opcode 3", 6, "\x83\x80\0\0\0\0", 1002},
    {"unknown opcode 11", 6, "\x8b\x80\0\0\0\0", 1002},
    {"a ping in pieces", 6, "\x09\x80\0\0\0\0", 1002},
    {"a ping of 126 bytes", 4, "\x89\xfe\x00\x7e", 0},
    {"a continuation of nothing", 6, "\x80\x80\0\0\0\0", 1002},
    {"a message within a message", 14, "\x02\x81\0\0\0\0\x08\x82\x81\0\0\0\0\x08", 1002},
    {"close", 8, "\x88\x82\0\0\0\0\x03\xe8", 1000},
    {"close without a code", 6, "\x88\x80\0\0\0\0", 1005},
    {"close with a code that cannot be", 8, "\x88\x82\0\0\0\0\0\x01", 1002},
    {"half a header", 1, "\x82", -1},
    {"half a mask", 4, "\x82\x82\0\0", -1},
    {"a pong that nobody asked for", 6, "\x8a\x80\0\0\0\0", -1},
    {"garbage", 26, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1002},
    {"an unmasked Watch of 65535 bytes", 5, "\x82\x7e\xff\xff\x08", 1009},
};

static void hostile_frames_are_refused_with_their_code(void **state)
{
    (void)state;
    start();
    int healthy = open_live();
    send_watch(healthy, 1, 0);
    drain(healthy);
    int wrong = 0;
    for (size_t i = 0; i < COUNT(frames); i++) {
        int fd = open_live();
        raw_send(fd, frames[i].bytes, frames[i].count);
        int code = frames[i].code == -1 && !is_readable(fd, 50) ? -1 : ws_read_close(fd);
        if (code != frames[i].code) {
            print_error("%s: %d, expected %d\n", frames[i].name, code, frames[i].code);
            wrong++;
        }
        close(fd);
        push(1);
        free_frame(read_frame(healthy)); /* the others are served */
    }
    assert_int_equal(wrong, 0);
    close(healthy);
    stop();
}

static void one_kilobyte_is_the_most_a_browser_may_say(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t pieces, bytes; /* of each */
        bool end;             /* the last one is final */
        int code;
    } cases[] = {
        {"1024 bytes of nonsense", 1, 1024, true, 1007}, /* taken whole, and looked at */
        {"1025 bytes", 1, 1025, true, 1009},
        {"8000 bytes", 1, 8000, true, 1009},
        {"two pieces of 512", 2, 512, true, 1007},
        {"two pieces of 513", 2, 513, true, 1009},
        {"pieces without an end", 2000, 1, false, 1009},
    };
    static uint8_t nonsense[8000];
    memset(nonsense, 0xff, sizeof(nonsense));
    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = open_live();
        for (size_t piece = 0; piece < cases[i].pieces; piece++) {
            bool last = cases[i].end && piece == cases[i].pieces - 1;
            ws_send(fd, (uint8_t)((last ? 0x80 : 0) | (piece == 0 ? 2 : 0)), nonsense,
                    cases[i].bytes);
        }
        int code = ws_read_close(fd);
        if (code != cases[i].code)
            fail_msg("%s: %d, expected %d", cases[i].name, code, cases[i].code);
        close(fd);
    }
    assert_int_equal(stats_now().refused, COUNT(cases));
    stop();
}

static void a_watch_may_come_in_pieces_with_a_ping_between(void **state)
{
    (void)state;
    start();
    int fd = open_live();
    uint8_t watch[64], payload[128];
    size_t count = pack_watch(watch, 1, 300);
    assert_true(count > 2);
    for (size_t i = 0; i < count; i++) {
        ws_send(fd, (uint8_t)((i == count - 1 ? 0x80 : 0) | (i == 0 ? 2 : 0)), watch + i, 1);
        if (i == 0)
            ws_send(fd, 0x89, "here?", 5);
        poll(NULL, 0, 10);
    }
    assert_int_equal(ws_read(fd, payload, sizeof(payload), &count), 0x8a);
    assert_int_equal(count, 5);
    assert_memory_equal(payload, "here?", 5);
    Frame *frame = read_frame(fd);
    assert_non_null(frame->hello);
    free_frame(frame);
    close(fd);
    stop();
}

static void an_unmasked_frame_does_no_harm(void **state)
{
    (void)state;
    /* RFC 6455 wants it refused; libwebsockets takes it as it is. A length of 0 in two bytes makes
     * it believe in an endless frame: ours must end it. */
    static const char endless[] = "\x82\x7e\0\0";
    start();
    int fd = open_live();
    raw_send(fd, endless, 4);
    static char more[3000];
    for (int i = 0; i < 100 && raw_send(fd, more, sizeof(more)); i++)
        ;
    ws_read_close(fd);
    close(fd);
    fd = open_live();
    send_watch(fd, 0, 0);
    free_frame(read_frame(fd));
    close(fd);
    stop();
}

static void who_asks_too_often_is_sent_away(void **state)
{
    (void)state;
    start();
    int fd = open_live();
    for (int i = 0; i < 60; i++)
        send_watch(fd, 1, 300);
    assert_int_equal(ws_read_close(fd), 1008);
    close(fd);
    stop();
}

static void a_flood_of_pings_stops_nobody(void **state)
{
    (void)state;
    start();
    int flood = open_live(), healthy = open_live();
    send_watch(healthy, 1, 0);
    drain(healthy);
    static uint8_t pings[100 * 16];
    size_t length = 0;
    for (int i = 0; i < 100; i++)
        length += ws_encode(pings + length, 0x89, "ping", 4);
    size_t before, after;
    hub_call(&hub, do_measure, &before);
    int sent = 0;
    for (int i = 0; i < 200; i++) {
        /* It never reads the pongs: what does not fit stays with it. */
        ssize_t got = send(flood, pings, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += got > 0 ? (int)(got / 10) : 0;
        push(1);
        free_frame(read_frame(healthy));
    }
    hub_call(&hub, do_measure, &after);
    print_message("%d pings, memory %+ld bytes\n", sent, (long)after - (long)before);
    assert_true(sent > 1000);
    assert_true((long)after - (long)before < 200000);
    close(flood);
    close(healthy);
    stop();
}

static void what_hostile_clients_provoke_does_not_flood_the_log(void **state)
{
    (void)state;
    char path[] = "/tmp/lumbar-web-log-XXXXXX", line[2048];
    int file = mkstemp(path), own = dup(STDERR_FILENO);
    assert_true(file >= 0);
    unlink(path);
    start();
    dup2(file, STDERR_FILENO);
    for (int i = 0; i < 300; i++) {
        /* lws calls this an error: no Connection header */
        char head[2048];
        close(ws_open(hub.port,
                      "GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                      "Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                      "dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n",
                      head, sizeof(head)));
    }
    dup2(own, STDERR_FILENO);
    close(own);
    stop();
    FILE *log = fdopen(file, "r");
    rewind(log);
    unsigned lines = 0;
    while (fgets(line, sizeof(line), log) != NULL)
        lines++;
    fclose(log);
    print_message("%u lines\n", lines);
    assert_true(lines <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_frames_are_refused_with_their_code),
        cmocka_unit_test(one_kilobyte_is_the_most_a_browser_may_say),
        cmocka_unit_test(a_watch_may_come_in_pieces_with_a_ping_between),
        cmocka_unit_test(an_unmasked_frame_does_no_harm),
        cmocka_unit_test(who_asks_too_often_is_sent_away),
        cmocka_unit_test(a_flood_of_pings_stops_nobody),
        cmocka_unit_test(what_hostile_clients_provoke_does_not_flood_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
