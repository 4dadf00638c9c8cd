#include "io/webhook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/post.h"
#include "io/webhook_tls.h"

#define WIRE_BYTES  4096 /* in one read, and one write of TLS */
#define REPLY_BYTES 16   /* of an answer: as much as says how it went */

struct webhook_target {
    struct post_place place;
    char word[POST_WORD_BYTES];
    struct tls_trust *trust; /* NULL: http */
};

struct post {
    size_t bytes;
    unsigned attempts;
    char body[WEBHOOK_BODY_BYTES];
};

/* One attempt at a time: it looks for an address, connects, writes, reads, and is closed. */
struct webhook {
    uv_loop_t *loop;
    struct webhook_patience patience;
    struct webhook_target *target;
    struct post posts[WEBHOOK_POSTS];
    unsigned first, count;
    uint64_t sent, failed, dropped;
    char error[160];
    struct log_limit failing, giving_up;

    bool busy;   /* an attempt is under way, its end included */
    bool ending; /* it is at its end */
    bool done;   /* it was answered well */
    bool looking, open, timing, stopping;
    uv_getaddrinfo_t look;
    uv_tcp_t socket;
    uv_connect_t connect;
    uv_write_t write;
    uv_timer_t timer; /* of the attempt, or until the next */
    struct tls *tls;
    bool shaken;
    char wire[WIRE_BYTES], in[WIRE_BYTES];
    char request[POST_HEAD_BYTES + WEBHOOK_BODY_BYTES];
    size_t request_bytes;
    char reply[REPLY_BYTES];
    size_t reply_bytes;
};

static void begin(struct webhook *webhook);

/* ---- Where to ---- */

int webhook_target_create(struct webhook_target **out, const struct webhook_options *options,
                          struct diag *diag)
{
    *out = NULL;
    if (options->url[0] == '\0')
        return 0;
    struct webhook_target *target = calloc(1, sizeof(*target));
    if (target == NULL)
        return diag_set(diag, ERR_MEMORY, "%s", err_words(ERR_MEMORY));
    int code = post_read_place(&target->place, options->url, diag);
    if (code == 0 && snprintf(target->word, sizeof(target->word), "%s", options->word) >=
                         (int)sizeof(target->word))
        code = diag_set(diag, ERR_LIMIT, "a token has at most %d bytes", POST_WORD_BYTES - 1);
    if (code == 0 && target->place.tls)
        code = tls_trust_create(&target->trust, options->ca_file, diag);
    if (code != 0) {
        webhook_target_destroy(target);
        return code;
    }
    *out = target;
    return 0;
}

void webhook_target_destroy(struct webhook_target *target)
{
    if (target == NULL)
        return;
    tls_trust_destroy(target->trust);
    explicit_bzero(target->word, sizeof(target->word));
    free(target);
}

/* ---- The end of an attempt ---- */

__attribute__((format(printf, 2, 3))) static void complain(struct webhook *webhook,
                                                           const char *format, ...)
{
    va_list args;
    if (webhook->error[0] != '\0') /* the first is the reason, what follows comes of it */
        return;
    va_start(args, format);
    vsnprintf(webhook->error, sizeof(webhook->error), format, args);
    va_end(args);
}

static void drop_first(struct webhook *webhook)
{
    webhook->first = (webhook->first + 1) % WEBHOOK_POSTS;
    webhook->count--;
}

static void give_up(struct webhook *webhook, const char *why)
{
    webhook->dropped++;
    if (log_limit_hit(&webhook->giving_up, clock_mono_ns() / 1000000) > 0)
        log_error("webhook: an alarm could not be told, %s (%llu in all)", why,
                  (unsigned long long)webhook->dropped);
}

static void on_wait_over(uv_timer_t *timer)
{
    struct webhook *webhook = timer->data;
    webhook->timing = false;
    begin(webhook);
}

static void count(struct webhook *webhook)
{
    webhook->sent += webhook->done;
    webhook->failed += !webhook->done;
    if (!webhook->done && !webhook->stopping &&
        log_limit_hit(&webhook->failing, clock_mono_ns() / 1000000) > 0)
        log_warn("webhook: %s (%llu attempts in all)", webhook->error,
                 (unsigned long long)webhook->failed);
}

/* All of the attempt is closed: on to the next, or to the same once more. */
static void finish(struct webhook *webhook)
{
    if (webhook->looking || webhook->open)
        return;
    struct post *post = &webhook->posts[webhook->first];
    webhook->busy = webhook->ending = false;
    tls_destroy(webhook->tls);
    webhook->tls = NULL;
    count(webhook);
    if (webhook->stopping || webhook->count == 0)
        return;
    bool forgotten = post->attempts == 0; /* another target: what was tried is not there any more */
    if (!forgotten && !webhook->done && post->attempts < webhook->patience.attempts) {
        webhook->timing = true;
        uint64_t wait_ms = (uint64_t)webhook->patience.first_ms << (post->attempts - 1);
        uv_timer_start(&webhook->timer, on_wait_over, wait_ms, 0);
        return;
    }
    if (!forgotten && !webhook->done)
        give_up(webhook, webhook->error);
    if (!forgotten)
        drop_first(webhook);
    begin(webhook);
}

static void on_closed(uv_handle_t *handle)
{
    struct webhook *webhook = handle->data;
    webhook->open = false;
    finish(webhook);
}

/* Safe to call at any step, and again. */
static void end_attempt(struct webhook *webhook)
{
    webhook->ending = true;
    uv_timer_stop(&webhook->timer);
    if (webhook->looking)
        uv_cancel((uv_req_t *)&webhook->look); /* it comes back with a code either way */
    if (webhook->open && !uv_is_closing((uv_handle_t *)&webhook->socket))
        uv_close((uv_handle_t *)&webhook->socket, on_closed);
    else
        finish(webhook);
}

static void fail(struct webhook *webhook, const char *what, int code)
{
    complain(webhook, "%s: %s", what, uv_strerror(code));
    end_attempt(webhook);
}

static void on_late(uv_timer_t *timer)
{
    struct webhook *webhook = timer->data;
    complain(webhook, "no answer within %u ms", webhook->patience.answer_ms);
    end_attempt(webhook);
}

/* ---- Writing and reading ---- */

static void on_written(uv_write_t *write, int status)
{
    struct webhook *webhook = write->data;
    if (status != 0 && status != UV_ECANCELED)
        fail(webhook, "writing", status);
}

/* Bytes that stay where they are until they are written; one at a time is under way. */
static void send_bytes(struct webhook *webhook, char *bytes, size_t count)
{
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)count);
    webhook->write.data = webhook;
    int code = uv_write(&webhook->write, (uv_stream_t *)&webhook->socket, &buffer, 1, on_written);
    if (code != 0)
        fail(webhook, "writing", code);
}

/* What TLS has to say. It is small, and the socket empty: what does not go at once fails. */
static bool flush_tls(struct webhook *webhook)
{
    size_t count;
    while ((count = tls_drain(webhook->tls, webhook->wire, sizeof(webhook->wire))) > 0) {
        uv_buf_t buffer = uv_buf_init(webhook->wire, (unsigned)count);
        if (uv_try_write((uv_stream_t *)&webhook->socket, &buffer, 1) != (int)count) {
            complain(webhook, "writing: it takes nothing");
            end_attempt(webhook);
            return false;
        }
    }
    return true;
}

static void take_reply(struct webhook *webhook, const char *bytes, size_t count)
{
    size_t room = sizeof(webhook->reply) - webhook->reply_bytes;
    memcpy(webhook->reply + webhook->reply_bytes, bytes, count < room ? count : room);
    webhook->reply_bytes += count < room ? count : room;
    int status = post_read_status(webhook->reply, webhook->reply_bytes);
    if (status == 0)
        return;
    webhook->done = status >= 200 && status < 300;
    if (status < 0)
        complain(webhook, "its answer is no HTTP");
    else if (!webhook->done)
        complain(webhook, "it answered %d", status);
    end_attempt(webhook);
}

static void take_wire(struct webhook *webhook, const char *bytes, size_t count)
{
    char plain[REPLY_BYTES], words[100];
    int state = tls_feed(webhook->tls, bytes, count) ? 1 : -1;
    if (state > 0 && !webhook->shaken) {
        state = tls_shake(webhook->tls);
        if (state > 0) {
            webhook->shaken = true;
            if (!tls_write(webhook->tls, webhook->request, webhook->request_bytes))
                state = -1;
        }
    }
    if (state < 0) {
        complain(webhook, "TLS: %s", tls_error(webhook->tls, words, sizeof(words)));
        flush_tls(webhook);
        end_attempt(webhook);
        return;
    }
    if (!flush_tls(webhook) || !webhook->shaken)
        return;
    int got = 0;
    while (!webhook->ending && (got = tls_read(webhook->tls, plain, sizeof(plain))) > 0)
        take_reply(webhook, plain, (size_t)got);
    if (got < 0) {
        complain(webhook, "it hung up without an answer");
        end_attempt(webhook);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct webhook *webhook = stream->data;
    if (count < 0) {
        if (count == UV_EOF)
            complain(webhook, "it hung up without an answer");
        complain(webhook, "reading: %s", uv_strerror((int)count));
        end_attempt(webhook);
    } else if (count > 0 && webhook->tls != NULL) {
        take_wire(webhook, buffer->base, (size_t)count);
    } else if (count > 0) {
        take_reply(webhook, buffer->base, (size_t)count);
    }
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    struct webhook *webhook = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(webhook->in, sizeof(webhook->in));
}

/* ---- The way there ---- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct webhook *webhook = connect->data;
    if (status != 0) {
        if (status != UV_ECANCELED)
            fail(webhook, "connecting", status);
        return;
    }
    uv_read_start((uv_stream_t *)&webhook->socket, on_room, on_read);
    if (webhook->tls == NULL) {
        send_bytes(webhook, webhook->request, webhook->request_bytes);
        return;
    }
    tls_shake(webhook->tls);
    flush_tls(webhook);
}

/* Each attempt takes the next address, so that one that is not served is not tried for ever. */
static const struct addrinfo *choose(const struct webhook *webhook, const struct addrinfo *found)
{
    unsigned turns = webhook->posts[webhook->first].attempts;
    const struct addrinfo *at = found;
    while (turns-- > 1)
        at = at->ai_next != NULL ? at->ai_next : found;
    return at;
}

static void on_address(uv_getaddrinfo_t *look, int status, struct addrinfo *found)
{
    struct webhook *webhook = look->data;
    webhook->looking = false;
    if (status != 0 || webhook->ending) {
        if (status != 0) /* of 0, uv_strerror() would make up words, and leak them */
            complain(webhook, "its name: %s", uv_strerror(status));
        uv_freeaddrinfo(found);
        end_attempt(webhook);
        return;
    }
    uv_tcp_init(webhook->loop, &webhook->socket);
    webhook->socket.data = webhook->connect.data = webhook;
    webhook->open = true;
    int code = uv_tcp_connect(&webhook->connect, &webhook->socket,
                              choose(webhook, found)->ai_addr, on_connected);
    uv_freeaddrinfo(found);
    if (code != 0)
        fail(webhook, "connecting", code);
}

static bool write_request(struct webhook *webhook, const struct post *post)
{
    const struct webhook_target *target = webhook->target;
    size_t head = post_write_head(webhook->request, &target->place, target->word, post->bytes);
    memcpy(webhook->request + head, post->body, post->bytes);
    webhook->request_bytes = head + post->bytes;
    webhook->reply_bytes = 0;
    webhook->shaken = false;
    if (target->trust != NULL)
        webhook->tls = tls_create(target->trust, target->place.host);
    return head > 0 && (target->trust == NULL || webhook->tls != NULL);
}

static void begin(struct webhook *webhook)
{
    if (webhook->busy || webhook->timing || webhook->stopping || webhook->count == 0 ||
        webhook->target == NULL)
        return;
    struct post *post = &webhook->posts[webhook->first];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    webhook->busy = true;
    webhook->done = false;
    webhook->error[0] = '\0';
    post->attempts++;
    snprintf(port, sizeof(port), "%u", webhook->target->place.port);
    uv_timer_start(&webhook->timer, on_late, webhook->patience.answer_ms, 0);
    webhook->look.data = webhook;
    int code = write_request(webhook, post)
                   ? uv_getaddrinfo(webhook->loop, &webhook->look, on_address,
                                    webhook->target->place.host, port, &hints)
                   : UV_ENOMEM;
    webhook->looking = code == 0;
    if (code != 0)
        fail(webhook, "its name", code);
}

/* ---- For everybody ---- */

int webhook_create(struct webhook **out, uv_loop_t *loop, struct webhook_patience patience,
                   struct diag *diag)
{
    struct webhook *webhook = calloc(1, sizeof(*webhook));
    *out = webhook;
    if (webhook == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for what the webhook is told");
    webhook->loop = loop;
    webhook->patience = patience;
    uv_timer_init(loop, &webhook->timer);
    webhook->timer.data = webhook;
    return 0;
}

void webhook_aim(struct webhook *webhook, struct webhook_target *target)
{
    webhook_target_destroy(webhook->target);
    webhook->target = target;
    if (target == NULL) {
        webhook->count = 0;
        if (webhook->busy)
            end_attempt(webhook);
    }
}

bool webhook_is_aimed(const struct webhook *webhook)
{
    return webhook->target != NULL;
}

int webhook_post(struct webhook *webhook, const char *body, size_t bytes)
{
    if (webhook->target == NULL || webhook->stopping)
        return 0;
    if (bytes > WEBHOOK_BODY_BYTES)
        return ERR_LIMIT;
    if (webhook->count == WEBHOOK_POSTS) {
        /* The first is on its way: the one behind it is the oldest that waits. */
        unsigned second = (webhook->first + 1) % WEBHOOK_POSTS;
        webhook->posts[second] = webhook->posts[webhook->first];
        drop_first(webhook);
        give_up(webhook, "too many wait");
    }
    struct post *post = &webhook->posts[(webhook->first + webhook->count++) % WEBHOOK_POSTS];
    post->attempts = 0;
    post->bytes = bytes;
    memcpy(post->body, body, bytes);
    begin(webhook);
    return 0;
}

void webhook_stats(const struct webhook *webhook, struct webhook_stats *stats)
{
    *stats = (struct webhook_stats){.sent = webhook->sent,
                                    .failed = webhook->failed,
                                    .dropped = webhook->dropped,
                                    .waiting = webhook->count};
    snprintf(stats->error, sizeof(stats->error), "%s", webhook->error);
}

void webhook_stop(struct webhook *webhook)
{
    webhook->stopping = true;
    if (webhook->busy)
        end_attempt(webhook);
    uv_close((uv_handle_t *)&webhook->timer, NULL);
}

void webhook_destroy(struct webhook *webhook)
{
    if (webhook == NULL)
        return;
    webhook_target_destroy(webhook->target);
    free(webhook);
}
