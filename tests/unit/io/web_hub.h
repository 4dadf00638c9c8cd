/*
 * A web server on a real loop in a thread of its own, with a small world to look at, and blocking
 * raw sockets to talk to it. For the tests of io/web.
 */
#ifndef LUMBAR_TESTS_WEB_HUB_H
#define LUMBAR_TESTS_WEB_HUB_H

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/web.h"

struct hub {
    uv_loop_t loop;
    uv_async_t door;
    pthread_t thread;
    sem_t done;
    void (*work)(struct hub *hub, void *argument);
    void *argument;

    struct config *config;
    struct drivers drivers;
    struct devices *devices;
    struct rules *rules;
    struct alarms *alarms;
    struct feed *feed;
    struct device *device;
    uint64_t sequence;
    struct frame *frame;
    struct web *web;
    int port;
};

static inline int hub_decode(void *state, const struct lumbar_message *message,
                             struct lumbar_scratch *scratch, struct lumbar_batch *batch)
{
    (void)state, (void)message, (void)scratch, (void)batch;
    return LUMBAR_IGNORED;
}

static const struct lumbar_metric hub_metrics[] = {
    {.name = "level",
     .title = "Level",
     .unit = "mm",
     .kind = LUMBAR_GAUGE,
     .flags = LUMBAR_KEY,
     .max = 1000,
     .period_ms = 1000},
};
static const struct lumbar_plugin hub_plugin = {
    .abi = LUMBAR_PLUGIN_ABI,
    .size = sizeof(struct lumbar_plugin),
    .metric_bytes = sizeof(struct lumbar_metric),
    .golden_bytes = sizeof(struct lumbar_golden),
    .kind = "probe",
    .title = "Probe",
    .version = "1.0.0",
    .topic = "lumbar/v1/probe/{device}/{leaf}",
    .leaves = (const char *const[]){"telemetry", NULL},
    .metrics = hub_metrics,
    .metric_count = 1,
    .decode = hub_decode,
};

static inline int64_t hub_now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* The loop's thread: so many values a millisecond apart, up to now, into room 1. */
static inline void hub_push(struct hub *hub, uint32_t count)
{
    static _Thread_local int64_t times[4096];
    static _Thread_local double values[4096];
    int64_t now = hub_now_ms();
    assert(count <= 4096);
    for (uint32_t i = 0; i < count; i++) {
        times[i] = now - (int64_t)(count - 1 - i);
        values[i] = (double)((hub->sequence * 7919 + i * 31) % 1000);
    }
    hub->sequence++;
    struct lumbar_series series = {0, count, times, values};
    struct lumbar_batch batch = {.now_ms = now, .series = &series, .series_count = 1};
    device_note(hub->device, &batch, 0);
    feed_push(hub->feed, hub->device, &batch, 0, now);
}

static inline void hub_make_world(struct hub *hub)
{
    static const char yaml[] = "clinic: Test\nrooms:\n  - name: one\n    devices: [probe/p-1]\n";
    struct diag diag = {0};
    drivers_init(&hub->drivers);
    if (drivers_add(&hub->drivers, &hub_plugin, &diag) != 0 ||
        config_parse(&hub->config, "test.yaml", yaml, sizeof(yaml) - 1, &diag) != 0 ||
        rules_load(&hub->rules, NULL, 0, &hub->drivers, 16, &diag) != 0) {
        fprintf(stderr, "%s\n", diag.text);
        abort();
    }
    hub->devices = devices_create(16, 1000);
    hub->alarms = alarms_create();
    hub->feed = feed_create(4 * 1024 * 1024);
    hub->device = devices_hear(hub->devices, &hub->drivers.list[0], "p-1", 3);
    devices_assign(hub->devices, hub->device, 1);
    struct frame_world world = {hub->config, &hub->drivers, hub->devices,
                                hub->rules,  hub->alarms,   hub->feed};
    hub->frame = frame_create(&world, 42);
}

static inline void hub_drop_world(struct hub *hub)
{
    frame_destroy(hub->frame);
    feed_destroy(hub->feed);
    alarms_destroy(hub->alarms);
    rules_destroy(hub->rules);
    devices_destroy(hub->devices);
    config_destroy(hub->config);
    drivers_fini(&hub->drivers);
}

static inline void hub_on_door(uv_async_t *door)
{
    struct hub *hub = door->data;
    if (hub->work == NULL)
        return; /* async sends coalesce: this one was heard already */
    hub->work(hub, hub->argument);
    hub->work = NULL;
    sem_post(&hub->done);
}

static inline void *hub_run(void *hub)
{
    uv_run(&((struct hub *)hub)->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Runs it on the loop's thread and waits for it. */
static inline void hub_call(struct hub *hub, void (*work)(struct hub *, void *), void *argument)
{
    hub->argument = argument;
    hub->work = work;
    uv_async_send(&hub->door);
    sem_wait(&hub->done);
}

static inline int hub_start(struct hub *hub, const struct web_options *options, struct diag *diag)
{
    *hub = (struct hub){0};
    hub_make_world(hub);
    uv_loop_init(&hub->loop);
    uv_async_init(&hub->loop, &hub->door, hub_on_door);
    hub->door.data = hub;
    sem_init(&hub->done, 0, 0);
    int code = web_create(&hub->web, &hub->loop, options, hub->frame, diag);
    if (code != 0) {
        uv_close((uv_handle_t *)&hub->door, NULL);
        uv_run(&hub->loop, UV_RUN_DEFAULT);
        int open = uv_loop_close(&hub->loop);
        sem_destroy(&hub->done);
        hub_drop_world(hub);
        return open == 0 ? code : -9999;
    }
    hub->port = web_port(hub->web);
    pthread_create(&hub->thread, NULL, hub_run, hub);
    return 0;
}

static inline void hub_on_stop(struct hub *hub, void *argument)
{
    web_stop(hub->web, argument);
    uv_close((uv_handle_t *)&hub->door, NULL);
}

/* Returns what uv_loop_close() said: 0 if nothing was left open. */
static inline int hub_stop(struct hub *hub)
{
    hub_call(hub, hub_on_stop, (void *)(uintptr_t) "closing time");
    pthread_join(hub->thread, NULL);
    web_destroy(hub->web);
    sem_destroy(&hub->done);
    hub_drop_world(hub);
    return uv_loop_close(&hub->loop);
}

/* ---- raw sockets ---- */

/* From another loopback address, if not NULL. */
static inline int raw_open_from(const struct hub *hub, const char *from)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 15};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (from != NULL) {
        inet_pton(AF_INET, from, &address.sin_addr);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
            abort();
    }
    address.sin_port = htons((uint16_t)hub->port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        abort();
    return fd;
}

static inline int raw_open(const struct hub *hub)
{
    return raw_open_from(hub, NULL);
}

/* False when the other side closed meanwhile. */
static inline bool raw_send(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

static inline bool raw_read(int fd, void *bytes, size_t count)
{
    char *at = bytes;
    while (count > 0) {
        ssize_t got = recv(fd, at, count, 0);
        if (got <= 0)
            return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}

/* Until the other side closes; terminated. */
static inline size_t raw_read_all(int fd, char *out, size_t bytes)
{
    size_t have = 0;
    while (have < bytes - 1) {
        ssize_t got = recv(fd, out + have, bytes - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    out[have] = '\0';
    return have;
}

/* The head of an answer, terminated, and nothing beyond it. */
static inline bool raw_read_head(int fd, char *out, size_t bytes)
{
    size_t have = 0;
    while (have < bytes - 1 && raw_read(fd, out + have, 1)) {
        out[++have] = '\0';
        if (have >= 4 && memcmp(out + have - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    out[have] = '\0';
    return false;
}

static inline int raw_status(const char *answer)
{
    int status = 0;
    return sscanf(answer, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

/* Puts the hub's port where the text says {port}. */
static inline void raw_fill(char *out, size_t bytes, const char *text, int port)
{
    size_t have = 0;
    while (*text != '\0' && have < bytes - 8) {
        if (strncmp(text, "{port}", 6) == 0) {
            have += (size_t)snprintf(out + have, bytes - have, "%d", port);
            text += 6;
        } else {
            out[have++] = *text++;
        }
    }
    out[have] = '\0';
}

/* ---- WebSocket ---- */

#define WS_UPGRADE                                                                                 \
    "GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"          \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                                              \
    "Sec-WebSocket-Protocol: lumbar.live.v1\r\n"

/* Opens /live; the status of the answer goes to *status. */
static inline int ws_open(const struct hub *hub, const char *request, char *head, size_t bytes)
{
    char text[4096];
    raw_fill(text, sizeof(text), request, hub->port);
    int fd = raw_open(hub);
    raw_send(fd, text, strlen(text));
    raw_read_head(fd, head, bytes);
    return fd;
}

static inline size_t ws_encode(uint8_t *out, uint8_t first, const void *payload, size_t count)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    size_t length = 0;
    out[length++] = first;
    if (count < 126) {
        out[length++] = (uint8_t)(0x80 | count);
    } else {
        out[length++] = 0x80 | 126;
        out[length++] = (uint8_t)(count >> 8);
        out[length++] = (uint8_t)count;
    }
    memcpy(out + length, mask, 4);
    length += 4;
    for (size_t i = 0; i < count; i++)
        out[length++] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    return length;
}

static inline bool ws_send(int fd, uint8_t first, const void *payload, size_t count)
{
    uint8_t bytes[8192];
    assert(count < sizeof(bytes) - 16);
    return raw_send(fd, bytes, ws_encode(bytes, first, payload, count));
}

/* Reads one frame: its opcode with the FIN bit, -1 at the end. */
static inline int ws_read(int fd, uint8_t *payload, size_t room, size_t *count)
{
    uint8_t head[2], more[8];
    if (!raw_read(fd, head, 2))
        return -1;
    size_t length = head[1] & 0x7f;
    if (length == 126) {
        if (!raw_read(fd, more, 2))
            return -1;
        length = (size_t)more[0] << 8 | more[1];
    } else if (length == 127) {
        if (!raw_read(fd, more, 8))
            return -1;
        length = 0;
        for (int i = 0; i < 8; i++)
            length = length << 8 | more[i];
    }
    if (length > room || !raw_read(fd, payload, length))
        return -1;
    *count = length;
    return head[0];
}

/* Reads frames until the close; its code, 0 when the connection ended without one. */
static inline int ws_read_close(int fd)
{
    static _Thread_local uint8_t payload[70000];
    size_t count;
    for (;;) {
        int first = ws_read(fd, payload, sizeof(payload), &count);
        if (first < 0)
            return 0;
        if ((first & 0x0f) == 8)
            return count >= 2 ? payload[0] << 8 | payload[1] : 1005;
    }
}

#endif
