#include "io/web.h"

#include <math.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "io/web_state.h"

#define FRAME_MS         16    /* a room's strips: a display frame */
#define WALL_MS          100   /* the wall's numbers, which nobody reads faster; alarms do not wait */
#define WATCHES_A_SECOND 20    /* of one browser; each may ask for five minutes of strips */
#define UNSENT_BYTES     65536 /* in the kernel, before a socket counts as slow */

_Static_assert(LWS_PRE <= FRAME_HEADROOM, "a frame leaves room for the WebSocket header");
_Static_assert(FRAME_MAX_BYTES + LWS_PRE < 65536, "a frame is written in one piece");

static void ask(struct client *client, int64_t now_ms)
{
    client->asked = true;
    client->asked_ms = now_ms;
    lws_callback_on_writable(client->wsi);
}

static int hang_up(struct client *client, enum lws_close_status status, const char *why)
{
    client->live = false;
    lws_close_reason(client->wsi, status, (unsigned char *)(uintptr_t)why, strlen(why));
    return -1;
}

/* What is kept from whoever came in by it. */
static void draw_veil(struct client *client)
{
    const struct access *who = &client->access;
    struct frame_veil veil = {.sight = access_sight(who),
                              .glass = who->kind == ACCESS_LOGIN && who->role == ROLE_LEAD};
    if (!who->glass)
        veil.rooms = who->rooms;
    frame_set_veil(&client->cursor, &veil);
}

int web_live_open(struct client *client)
{
    client->upgraded = client->live = true;
    draw_veil(client);
    /* So that "writable" means that what was written is nearly gone: the next frame is then made
     * from what is new, instead of waiting in the kernel. */
    int bytes = UNSENT_BYTES;
    setsockopt(lws_get_socket_fd(client->wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes,
               sizeof(bytes));
    return 0;
}

void web_live_bye(struct web *web, struct client *client, const char *reason)
{
    uint8_t *bytes;
    size_t count = frame_bye(web->frame, reason, web_hub_ms(web), &bytes);
    if (count > 0 && !lws_partial_buffered(client->wsi))
        lws_write(client->wsi, bytes, count, LWS_WRITE_BINARY);
    hang_up(client, LWS_CLOSE_STATUS_GOINGAWAY, "");
    /* Despite its name this closes politely. Returning -1 from a WRITEABLE would not: Debian's lws
     * is built with a self-test that closes a second time, and that one kills. */
    lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
}

const double web_latency_bounds[WEB_LATENCY_BOUNDS] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.025,
                                                       0.05,  0.1,   0.2,   0.5,  1};

void web_heard(struct web *web, uint32_t room, int64_t mono_ns)
{
    if (room != 0 && room <= CONFIG_ROOMS_MAX && web->heard_ns[room] == 0)
        web->heard_ns[room] = mono_ns;
}

/* Frames of the wall have a slower cadence, as they should. */
static void note_latency(struct web *web, uint32_t room)
{
    if (room == 0 || room > CONFIG_ROOMS_MAX || web->heard_ns[room] == 0)
        return;
    double took_s = (double)(clock_mono_ns() - web->heard_ns[room]) / 1e9;
    unsigned at = 0;
    while (at < WEB_LATENCY_BOUNDS && took_s > web_latency_bounds[at])
        at++;
    web->latency.counts[at]++;
    web->latency.sum_s += took_s;
    web->heard_ns[room] = 0;
}

double web_latency_share(const struct web_latency *latency, double share)
{
    uint64_t all = 0, sum = 0;
    for (unsigned i = 0; i <= WEB_LATENCY_BOUNDS; i++)
        all += latency->counts[i];
    for (unsigned i = 0; i < WEB_LATENCY_BOUNDS; i++) {
        sum += latency->counts[i];
        if (all > 0 && (double)sum >= share * (double)all)
            return web_latency_bounds[i];
    }
    return all > 0 ? (double)INFINITY : (double)NAN;
}

int web_live_write(struct web *web, struct client *client)
{
    /* lws would copy what we write now: it comes back when it is rid of the rest. */
    if (!client->live || lws_partial_buffered(client->wsi))
        return 0;
    client->asked = false;
    uint8_t *bytes;
    int64_t now = web_mono_ms();
    size_t count = frame_next(web->frame, &client->cursor, web_hub_ms(web), &bytes);
    if (count == 0)
        return 0;
    web->frames++;
    note_latency(web, client->cursor.room);
    /* From the tick that asked, lest the socket's few microseconds stretch the cadence. */
    client->next_ms = (client->cursor.room == 0 ? WALL_MS : FRAME_MS) +
                      (now - client->asked_ms <= 2 ? client->asked_ms : now);
    if (lws_write(client->wsi, bytes, count, LWS_WRITE_BINARY) < (int)count)
        return -1;
    if (frame_due(web->frame, &client->cursor))
        ask(client, now); /* the rest of a backlog: it does not wait for the cadence */
    return 0;
}

/* A frame at once where the socket has room. To ask first costs a turn of the loop and four calls of
 * epoll a frame, which is more than the frame; asking remains for sockets that are behind. */
static void give(struct web *web, struct client *client, int64_t now_ms)
{
    if (lws_send_pipe_choked(client->wsi)) {
        ask(client, now_ms);
        return;
    }
    client->asked_ms = now_ms;
    if (web_live_write(web, client) < 0)
        lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static bool watches_too_often(struct client *client, int64_t now_ms)
{
    if (now_ms - client->watch_ms >= 1000) {
        client->watch_ms = now_ms;
        client->watches = 0;
    }
    return ++client->watches > WATCHES_A_SECOND;
}

static int take_watch(struct web *web, struct client *client)
{
    int64_t now = web_mono_ms();
    size_t count = client->part_bytes;
    client->part_bytes = 0;
    if (watches_too_often(client, now)) {
        web->refused++;
        return hang_up(client, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too often");
    }
    if (frame_watch(web->frame, &client->cursor, client->part, count, web_hub_ms(web)) != 0) {
        web->refused++;
        return hang_up(client, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "no Watch");
    }
    if (!api_may_watch(&web->api, &client->access, client->cursor.room)) {
        web->refused++;
        return hang_up(client, LWS_CLOSE_STATUS_POLICY_VIOLATION, "not yours to see");
    }
    if (client->cursor.room <=
        CONFIG_ROOMS_MAX) /* nobody may have watched it: that waited for none */
        web->heard_ns[client->cursor.room] = 0;
    if (web->on_watch != NULL)
        web->on_watch(web->people, &client->access, client->cursor.room);
    ask(client, now);
    return 0;
}

void web_look_again(struct web *web, const char *reason)
{
    for (unsigned i = 0; web->still_may != NULL && i < web->places; i++) {
        struct client *client = &web->clients[i];
        if (!client->live)
            continue;
        if (!web->still_may(web->people, &client->access) ||
            !api_may_watch(&web->api, &client->access, client->cursor.room))
            web_live_bye(web, client, reason);
        else
            draw_veil(client);
    }
}

int web_live_receive(struct web *web, struct client *client, const void *in, size_t bytes)
{
    struct lws *wsi = client->wsi;
    if (!client->live)
        return 0; /* said before it saw our close, which still has to go out */
    if (!lws_frame_is_binary(wsi)) {
        web->refused++;
        return hang_up(client, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "binary only");
    }
    size_t rest = lws_remaining_packet_payload(wsi), room = WEB_WATCH_BYTES - client->part_bytes;
    if (bytes > room || rest > room - bytes) {
        web->refused++;
        return hang_up(client, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too long");
    }
    memcpy(client->part + client->part_bytes, in, bytes);
    client->part_bytes += bytes;
    return lws_is_final_fragment(wsi) ? take_watch(web, client) : 0;
}

static void on_tick(uv_timer_t *timer)
{
    struct web *web = timer->data;
    int64_t now = web_mono_ms(), later = INT64_MAX;
    web->tick_ms = now;
    for (unsigned i = 0; i < web->places; i++) {
        struct client *client = &web->clients[i];
        if (!client->live || !frame_due(web->frame, &client->cursor))
            continue;
        if (client->asked)
            web->skipped++;
        else if (client->next_ms <= now)
            give(web, client, now);
        else if (client->next_ms < later)
            later = client->next_ms;
    }
    if (later != INT64_MAX)
        uv_timer_start(&web->tick, on_tick, (uint64_t)(later - now), 0);
}

void web_news(struct web *web)
{
    if (web->stopping || uv_is_active((uv_handle_t *)&web->tick))
        return;
    int64_t wait = web->tick_ms + FRAME_MS - web_mono_ms();
    for (unsigned i = 0; i < web->places; i++)
        if (web->clients[i].live) {
            uv_timer_start(&web->tick, on_tick, wait > 0 ? (uint64_t)wait : 0, 0);
            return;
        }
}

void web_alarm(struct web *web)
{
    int64_t now = web_mono_ms();
    if (web->stopping)
        return;
    for (unsigned i = 0; i < web->places; i++) {
        struct client *client = &web->clients[i];
        if (client->live && !client->asked && frame_due(web->frame, &client->cursor))
            ask(client, now);
    }
}

void web_stats(const struct web *web, struct web_stats *stats)
{
    *stats = (struct web_stats){.latency = web->latency,
                                .frames = web->frames,
                                .skipped = web->skipped,
                                .refused = web->refused,
                                .requests = web->requests};
    for (unsigned i = 0; i < web->places; i++) {
        stats->clients += web->clients[i].wsi != NULL;
        stats->watching += web->clients[i].live && web->clients[i].cursor.watching;
    }
}
