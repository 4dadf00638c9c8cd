/*
 * A browser by hand: opens /live of a hub, says Watch, reads frames with the generated code.
 */
#ifndef LUMBAR_TESTS_WEB_BROWSER_H
#define LUMBAR_TESTS_WEB_BROWSER_H

#include <malloc.h>

#include "live.pb-c.h"
#include "web_hub.h"
#include "web_raw.h"

#define BINARY      0x82
#define FRAME_BYTES 70000

typedef Lumbar__Live__V1__Frame Frame;

static struct hub hub;

static inline void start(void)
{
    struct diag diag = {0};
    struct web_options options = {.listen = "127.0.0.1", .host = "", .clients = 32};
    if (hub_start(&hub, &options, &diag) != 0)
        fail_msg("%s", diag.text);
}

static inline void stop(void)
{
    assert_int_equal(hub_stop(&hub), 0);
}

static inline int open_live(void)
{
    char head[2048];
    int fd = ws_open(hub.port, WS_UPGRADE "\r\n", head, sizeof(head));
    assert_int_equal(raw_status(head), 101);
    return fd;
}

static inline size_t pack_watch(uint8_t *out, uint32_t room, uint32_t backlog_s)
{
    Lumbar__Live__V1__Watch watch = LUMBAR__LIVE__V1__WATCH__INIT;
    watch.has_room = watch.has_backlog_s = true;
    watch.room = room;
    watch.backlog_s = backlog_s;
    return lumbar__live__v1__watch__pack(&watch, out);
}

static inline void send_watch(int fd, uint32_t room, uint32_t backlog_s)
{
    uint8_t bytes[64];
    size_t count = pack_watch(bytes, room, backlog_s);
    assert_true(ws_send(fd, BINARY, bytes, count));
}

/* The next frame; fails the test if something else comes. The caller frees it. */
static inline Frame *read_frame(int fd)
{
    static _Thread_local uint8_t bytes[FRAME_BYTES];
    size_t count = 0;
    int first = ws_read(fd, bytes, sizeof(bytes), &count);
    if (first != BINARY)
        fail_msg("no frame but %d", first);
    Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    assert_non_null(frame);
    return frame;
}

static inline void free_frame(Frame *frame)
{
    lumbar__live__v1__frame__free_unpacked(frame, NULL);
}

static inline bool is_readable(int fd, int within_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, within_ms) == 1;
}

/* Reads until nothing more comes for a while. */
static inline void drain(int fd)
{
    while (is_readable(fd, 60))
        free_frame(read_frame(fd));
}

static inline void do_push(struct hub *of, void *count)
{
    hub_push(of, *(uint32_t *)count);
    web_news(of->web);
}

static inline void push(uint32_t count)
{
    hub_call(&hub, do_push, &count);
}

static inline void do_stats(struct hub *of, void *stats)
{
    web_stats(of->web, stats);
}

static inline struct web_stats stats_now(void)
{
    struct web_stats stats;
    hub_call(&hub, do_stats, &stats);
    return stats;
}

/* The loop's thread: bytes in use of the whole program. */
static inline void do_measure(struct hub *of, void *bytes)
{
    (void)of;
    struct mallinfo2 info = mallinfo2();
    *(size_t *)bytes = info.uordblks + info.hblkhd;
}

#endif
