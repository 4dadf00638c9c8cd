#include "dashboard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.pb-c.h"
#include "usage.h"

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "dashboard: %s: %s\n", what, strerror(errno));
    exit(2);
}

void samples_add(struct samples *samples, int64_t ns)
{
    if (samples->count == samples->room) {
        samples->room = samples->room * 2 + 1024;
        samples->ns = realloc(samples->ns, samples->room * sizeof(*samples->ns));
        if (samples->ns == NULL)
            give_up("samples");
    }
    samples->ns[samples->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void samples_sort(struct samples *samples)
{
    if (samples->count > 0)
        qsort(samples->ns, samples->count, sizeof(*samples->ns), by_size);
}

double samples_ms(const struct samples *samples, double share)
{
    if (samples->count == 0)
        return -1;
    size_t at = (size_t)((double)samples->count * share);
    return (double)samples->ns[at < samples->count ? at : samples->count - 1] / 1e6;
}

void samples_clear(struct samples *samples)
{
    free(samples->ns);
    *samples = (struct samples){0};
}

/* --- WebSocket --- */

static void ws_send(struct dashboard *dashboard, uint8_t opcode, const uint8_t *bytes, size_t count)
{
    uint8_t frame[6 + 125] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | count)};
    /* Masked by a key of zeros, which is a key like any other. */
    if (count > 125)
        count = 125;
    if (count > 0)
        memcpy(frame + 6, bytes, count);
    if (send(dashboard->fd, frame, 6 + count, MSG_NOSIGNAL) != (ssize_t)(6 + count))
        give_up("send");
}

static void shake_hands(const struct dashboard *dashboard, int port)
{
    char text[1024];
    int length = snprintf(text, sizeof(text),
                          "GET /live HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                          "Origin: http://127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: bHVtYmFyIGJlbmNoIGtleQ==\r\n"
                          "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n",
                          port, port);
    if (send(dashboard->fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        give_up("handshake");
    /* To the end of the answer's head, byte by byte: frames may follow at once. */
    for (length = 0; length < (int)sizeof(text) - 1; length++) {
        if (recv(dashboard->fd, text + length, 1, 0) != 1)
            give_up("handshake");
        text[length + 1] = '\0';
        if (length > 3 && strcmp(text + length - 3, "\r\n\r\n") == 0)
            break;
    }
    if (strstr(text, " 101 ") == NULL) {
        fprintf(stderr, "dashboard: refused: %s\n", text);
        exit(2);
    }
}

void dashboard_open(struct dashboard *dashboard, int port, unsigned room)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t watch[64];
    Lumbar__Live__V1__Watch message = LUMBAR__LIVE__V1__WATCH__INIT;
    dashboard->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(dashboard->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        give_up("connect");
    shake_hands(dashboard, port);
    message.has_room = message.has_backlog_s = 1;
    message.room = room;
    message.backlog_s = 1;
    ws_send(dashboard, 2, watch, lumbar__live__v1__watch__pack(&message, watch));
    dashboard->rule_id = dashboard->rotation = -1;
    dashboard->held = 0;
    memset(dashboard->code, -1, sizeof(dashboard->code));
}

void dashboard_close(struct dashboard *dashboard)
{
    if (dashboard->fd > 0)
        close(dashboard->fd);
    dashboard->fd = 0;
}

/* --- frames --- */

static void take_hello(struct dashboard *dashboard, const Lumbar__Live__V1__Hello *hello)
{
    for (size_t i = 0; i < hello->n_metrics; i++)
        if (strcmp(hello->metrics[i]->name, "lumbar_rotation") == 0) {
            dashboard->rotation = (int)hello->metrics[i]->id;
            dashboard->rotation_min = hello->metrics[i]->min;
            dashboard->rotation_step = hello->metrics[i]->step;
        }
    for (size_t i = 0; dashboard->rule != NULL && i < hello->n_rules; i++)
        if (strcmp(hello->rules[i]->name, dashboard->rule) == 0)
            dashboard->rule_id = (int)hello->rules[i]->id;
}

static void take_device(struct dashboard *dashboard, const Lumbar__Live__V1__Device *device)
{
    int number;
    if (device->id < DASHBOARD_IDS && device->name != NULL &&
        sscanf(device->name, "p-%d", &number) == 1)
        dashboard->device_of[device->id] = number;
}

static void take_alarm(struct dashboard *dashboard, const Lumbar__Live__V1__Alarm *alarm,
                       int64_t now)
{
    if ((int)alarm->rule != dashboard->rule_id || alarm->device >= DASHBOARD_IDS)
        return;
    int device = dashboard->device_of[alarm->device] - 1;
    if (device < 0 || device >= SOURCE_DEVICES_MAX)
        return;
    dashboard->on[device] = alarm->presence == LUMBAR__LIVE__V1__ALARM__PRESENCE__ON;
    dashboard->alarm_ns[device] = now;
}

static void time_value(struct dashboard *dashboard, uint32_t device, double value, int64_t now)
{
    int code = source_value_code(value);
    int index = dashboard->device_of[device] - 1;
    if (code < 0 || index < 0 || code == dashboard->code[device])
        return;
    dashboard->code[device] = code;
    if (dashboard->sampling)
        samples_add(dashboard->values, now - dashboard->shared->code_ns[index][code]);
}

static void take_points(struct dashboard *dashboard, const Lumbar__Live__V1__Points *points,
                        int64_t now)
{
    if (points->device >= DASHBOARD_IDS)
        return;
    for (size_t c = 0; c < points->n_columns; c++) {
        const Lumbar__Live__V1__Points__Column *column = points->columns[c];
        if ((int)column->metric != dashboard->rotation)
            continue;
        int64_t quantised = 0;
        for (size_t i = 0; i < column->n_delta; i++) {
            quantised += column->delta[i];
            time_value(dashboard, points->device,
                       dashboard->rotation_min + (double)quantised * dashboard->rotation_step, now);
        }
    }
}

static void take_health(struct dashboard *dashboard, const Lumbar__Live__V1__Health *health,
                        int64_t now)
{
    dashboard->broker = health->broker;
    dashboard->lost = health->refused + health->dropped;
    if (health->messages == dashboard->messages)
        return;
    dashboard->messages = health->messages;
    dashboard->messages_ns = now;
}

static void take_frame(struct dashboard *dashboard, const uint8_t *bytes, size_t count, int64_t now)
{
    dashboard->frames++;
    dashboard->bytes += count;
    if (!dashboard->decode)
        return;
    Lumbar__Live__V1__Frame *frame = lumbar__live__v1__frame__unpack(NULL, count, bytes);
    if (frame == NULL)
        give_up("a frame that is none");
    if (frame->hello != NULL)
        take_hello(dashboard, frame->hello);
    for (size_t i = 0; i < frame->n_devices; i++)
        take_device(dashboard, frame->devices[i]);
    for (size_t i = 0; i < frame->n_alarms; i++)
        take_alarm(dashboard, frame->alarms[i], now);
    for (size_t i = 0; i < frame->n_points; i++)
        take_points(dashboard, frame->points[i], now);
    if (frame->health != NULL)
        take_health(dashboard, frame->health, now);
    lumbar__live__v1__frame__free_unpacked(frame, NULL);
}

/* The next whole WebSocket frame: its length with its head; 0: not yet. */
static size_t ws_whole(const uint8_t *in, size_t held, size_t *head)
{
    if (held < 2)
        return 0;
    size_t length = in[1] & 0x7f;
    *head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (held < *head)
        return 0;
    if (length == 126)
        length = (size_t)(in[2] << 8 | in[3]);
    else if (length == 127)
        length = (size_t)in[7] << 16 | (size_t)in[8] << 8 | in[9];
    return held >= *head + length ? *head + length : 0;
}

static void on_readable(struct dashboard *dashboard)
{
    ssize_t got = recv(dashboard->fd, dashboard->in + dashboard->held,
                       sizeof(dashboard->in) - dashboard->held, MSG_DONTWAIT);
    int64_t now = usage_mono_ns();
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        give_up("the hub hung up");
    dashboard->held += (size_t)got;
    size_t done = 0, head = 0, length;
    while ((length = ws_whole(dashboard->in + done, dashboard->held - done, &head)) > 0) {
        const uint8_t *frame = dashboard->in + done;
        if ((frame[0] & 0x0f) == 9)
            ws_send(dashboard, 10, frame + head, length - head);
        else if ((frame[0] & 0x0f) == 2)
            take_frame(dashboard, frame + head, length - head, now);
        done += length;
    }
    dashboard->held -= done;
    memmove(dashboard->in, dashboard->in + done, dashboard->held);
}

void dashboards_run(struct dashboard *const *dashboards, unsigned count, int ms)
{
    struct pollfd polls[DASHBOARDS_MAX];
    int64_t end = usage_mono_ns() + ms * INT64_C(1000000);
    for (unsigned i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = dashboards[i]->fd, .events = POLLIN};
    for (int64_t left; (left = end - usage_mono_ns()) > 0;) {
        if (poll(polls, count, (int)(left / 1000000 + 1)) <= 0)
            continue;
        for (unsigned i = 0; i < count; i++)
            if (polls[i].revents != 0)
                on_readable(dashboards[i]);
    }
}
