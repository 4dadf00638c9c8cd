#include "link.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define QUEUE          512
#define ACK_BYTES      64
#define TOPIC_BYTES    128
#define PENDING_MAX    2000 /* on their way to the broker */
#define RETRY_FIRST_MS 250
#define RETRY_MAX_MS   8000
#define CONNECT_MAX_S  10

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

struct heard {
    char topic[TOPIC_BYTES];
    uint8_t bytes[ACK_BYTES];
    size_t length;
};

struct link {
    MQTTAsync client;
    char *const *topics;
    unsigned topic_count;
    struct link_account account;
    int qos[64];
    struct link_events events;
    _Atomic int state;
    _Atomic unsigned ups; /* how often it came up */
    _Atomic unsigned pending;
    unsigned ups_told;
    int64_t retry_at_ms, retry_ms;
    bool said_down;

    pthread_mutex_t lock; /* of the queue */
    struct heard queue[QUEUE];
    unsigned head, tail; /* head: next to be read */
};

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct link *link = context;
    atomic_store(&link->state, LINK_UP);
    atomic_fetch_add(&link->ups, 1);
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    struct link *link = context;
    atomic_store(&link->state, LINK_DOWN);
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    (void)data;
    struct link *link = context;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = on_subscribed;
    options.onFailure = on_failed;
    options.context = link;
    if (MQTTAsync_subscribeMany(link->client, (int)link->topic_count, link->topics, link->qos,
                                &options) != MQTTASYNC_SUCCESS)
        atomic_store(&link->state, LINK_DOWN);
}

static void on_lost(void *context, char *cause)
{
    (void)cause;
    struct link *link = context;
    atomic_store(&link->pending, 0);
    atomic_store(&link->state, LINK_DOWN);
}

static int on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    (void)topic_length; /* 0: terminated, as all our topics are */
    struct link *link = context;
    size_t topic_bytes = strlen(topic);
    size_t length = (size_t)message->payloadlen;
    pthread_mutex_lock(&link->lock);
    bool fits = topic_bytes < TOPIC_BYTES && length <= ACK_BYTES && link->tail - link->head < QUEUE;
    if (fits) {
        struct heard *heard = &link->queue[link->tail++ % QUEUE];
        memcpy(heard->topic, topic, topic_bytes + 1);
        memcpy(heard->bytes, message->payload, length);
        heard->length = length;
    }
    pthread_mutex_unlock(&link->lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

int link_create(struct link **out, const char *uri, const char *client_id,
                const struct link_account *account, const char *const *topics, unsigned count,
                const struct link_events *events, struct diag *diag)
{
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for a connection");
    link->events = *events;
    link->account = *account;
    link->topics = (char *const *)(uintptr_t)topics;
    link->topic_count = count;
    link->retry_ms = RETRY_FIRST_MS;
    pthread_mutex_init(&link->lock, NULL);
    int result = MQTTAsync_create(&link->client, uri, client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (result == MQTTASYNC_SUCCESS)
        result = MQTTAsync_setCallbacks(link->client, link, on_lost, on_arrived, NULL);
    if (result != MQTTASYNC_SUCCESS) {
        free(link);
        return diag_set(diag, ERR_IO, "%s: %s", uri, MQTTAsync_strerror(result));
    }
    *out = link;
    return 0;
}

static void connect_to_broker(struct link *link)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.keepAliveInterval = 20;
    options.cleansession = 1;
    options.connectTimeout = CONNECT_MAX_S;
    options.maxInflight = 1000;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.onSuccess = on_connected;
    options.onFailure = on_failed;
    options.context = link;
    options.username = link->account.name;
    options.password = link->account.password;
    atomic_store(&link->state, LINK_CONNECTING);
    if (MQTTAsync_connect(link->client, &options) != MQTTASYNC_SUCCESS)
        atomic_store(&link->state, LINK_DOWN);
}

static void retry(struct link *link, int64_t now_ms)
{
    if (now_ms < link->retry_at_ms)
        return;
    /* The clock's last digits are jitter enough to keep many connections apart. */
    link->retry_at_ms = now_ms + link->retry_ms + now_ms % (link->retry_ms / 2);
    link->retry_ms = link->retry_ms * 2 < RETRY_MAX_MS ? link->retry_ms * 2 : RETRY_MAX_MS;
    connect_to_broker(link);
}

static bool take(struct link *link, struct heard *out)
{
    pthread_mutex_lock(&link->lock);
    bool any = link->head != link->tail;
    if (any)
        *out = link->queue[link->head++ % QUEUE];
    pthread_mutex_unlock(&link->lock);
    return any;
}

void link_poll(struct link *link, int64_t now_ms)
{
    struct heard heard;
    while (take(link, &heard))
        link->events.on_message(link->events.user, heard.topic, heard.bytes, heard.length);
    unsigned ups = atomic_load(&link->ups);
    if (ups != link->ups_told) {
        link->ups_told = ups;
        link->retry_ms = RETRY_FIRST_MS;
        link->retry_at_ms = now_ms;
        link->said_down = false;
        atomic_store(&link->pending, 0);
        link->events.on_up(link->events.user);
    }
    if (atomic_load(&link->state) == LINK_DOWN)
        retry(link, now_ms);
}

bool link_is_up(struct link *link)
{
    return atomic_load(&link->state) == LINK_UP;
}

static void on_done(struct link *link)
{
    /* After a lost connection the count begins again at 0: never below. */
    unsigned pending = atomic_load(&link->pending);
    while (pending > 0 && !atomic_compare_exchange_weak(&link->pending, &pending, pending - 1))
        ;
}

static void on_delivered(void *context, MQTTAsync_successData *data)
{
    (void)data;
    on_done(context);
}

static void on_undelivered(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    on_done(context);
}

bool link_publish(struct link *link, const char *topic, const uint8_t *bytes, size_t length)
{
    if (!link_is_up(link) || atomic_load(&link->pending) >= PENDING_MAX)
        return false;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = on_delivered;
    options.onFailure = on_undelivered;
    options.context = link;
    atomic_fetch_add(&link->pending, 1);
    if (MQTTAsync_send(link->client, topic, (int)length, bytes, 1, 0, &options) ==
        MQTTASYNC_SUCCESS)
        return true;
    on_done(link);
    return false;
}

unsigned link_pending(struct link *link)
{
    return atomic_load(&link->pending);
}

void link_disconnect(struct link *link)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.timeout = 100;
    MQTTAsync_disconnect(link->client, &options);
}
