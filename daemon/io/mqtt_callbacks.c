#include "io/mqtt_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "core/topic.h"

#define STEADY_NS      (10000 * MS) /* up for so long: the next backoff begins anew */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 8000

void mqtt_complain(struct mqtt *mqtt, const char *sentence)
{
    snprintf(mqtt->state.last_error, sizeof(mqtt->state.last_error), "%s", sentence);
    mqtt->state.failures++;
    uint64_t count = log_limit_hit(&mqtt->complaint, clock_mono_ns() / MS);
    if (count == 1)
        log_warn("mqtt: %s; trying again", sentence);
    else if (count > 1)
        log_warn("mqtt: %s; trying again (%" PRIu64 " times since)", sentence, count);
}

/* 1, 2, 4, 8 s, less up to a quarter, so that hubs which lost one broker do not return as one. */
static int64_t backoff_ns(struct mqtt *mqtt)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uint32_t)clock_mono_ns();
    if (mqtt->backoff_ms == 0)
        mqtt->backoff_ms = BACKOFF_MIN_MS;
    else if (mqtt->backoff_ms < BACKOFF_MAX_MS)
        mqtt->backoff_ms *= 2;
    return (int64_t)(mqtt->backoff_ms - random % (mqtt->backoff_ms / 4)) * MS;
}

void mqtt_link_to(struct mqtt *mqtt, enum link link)
{
    mqtt->link = link;
    pthread_cond_broadcast(&mqtt->changed);
}

/* The connection is gone: a new one after a while. A client id that two hubs share makes each throw
 * out the other; only a connection that held for a time starts the backoff anew. */
void mqtt_link_lost(struct mqtt *mqtt)
{
    int64_t now = clock_mono_ns();
    if (mqtt->up_ns != 0 && now - mqtt->up_ns > STEADY_NS)
        mqtt->backoff_ms = 0;
    mqtt->up_ns = 0;
    mqtt->retry_ns = now + backoff_ns(mqtt);
    mqtt_link_to(mqtt, LINK_DOWN);
}

void mqtt_on_connected(void *context, MQTTAsync_successData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_CONNECTING)
        mqtt_link_to(mqtt, LINK_CONNECTED);
    pthread_mutex_unlock(&mqtt->lock);
}

static const char *connack_words(int code)
{
    switch (code) {
    case 1:
        return "the broker does not speak MQTT 3.1.1";
    case 2:
        return "the broker refuses the client id";
    case 3:
        return "the broker is not ready";
    case 4:
        return "the broker refuses user name or password";
    case 5:
        return "the broker does not let this user in: user name, password or certificate";
    default:
        return NULL;
    }
}

void mqtt_on_connect_failed(void *context, MQTTAsync_failureData *data)
{
    struct mqtt *mqtt = context;
    char sentence[256];
    pthread_mutex_lock(&mqtt->lock);
    const char *words = connack_words(data->code);
    if (words != NULL)
        snprintf(sentence, sizeof(sentence), "%s", words);
    else if (mqtt->tls_reason[0] != '\0')
        snprintf(sentence, sizeof(sentence), "no TLS with %.60s:%d: %s", mqtt->host, mqtt->port,
                 mqtt->tls_reason);
    else
        snprintf(sentence, sizeof(sentence), "no connection with %.60s:%d%s", mqtt->host,
                 mqtt->port, mqtt->tls ? " (or its certificate names another host)" : "");
    if (mqtt->link == LINK_CONNECTING) {
        mqtt_complain(mqtt, sentence);
        mqtt_link_lost(mqtt);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

void mqtt_on_lost(void *context, char *cause)
{
    struct mqtt *mqtt = context;
    (void)cause;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link != LINK_DOWN && mqtt->link != LINK_CONNECTING) {
        mqtt_complain(mqtt, "the connection with the broker was lost");
        mqtt_link_lost(mqtt);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

void mqtt_on_disconnected(void *context, MQTTAsync_successData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_LEAVING)
        mqtt_link_lost(mqtt);
    pthread_mutex_unlock(&mqtt->lock);
}

void mqtt_on_subscribed(void *context, MQTTAsync_successData *data)
{
    struct mqtt *mqtt = context;
    const char *refused = NULL;
    /* The heartbeat is the last of at least two filters (mqtt_create), so there is a list. */
    for (unsigned i = 0; i < mqtt->filter_count; i++)
        if (data->alt.qosList[i] == MQTT_BAD_SUBSCRIBE)
            refused = mqtt->filters[i];
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_SUBSCRIBING && refused != NULL) {
        char sentence[sizeof(mqtt->state.last_error)];
        snprintf(sentence, sizeof(sentence), "the broker refuses the subscription to %.80s",
                 refused);
        mqtt_complain(mqtt, sentence);
        mqtt_link_to(mqtt, LINK_FAILED);
    } else if (mqtt->link == LINK_SUBSCRIBING) {
        mqtt_link_to(mqtt, LINK_SUBSCRIBED);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

void mqtt_on_subscribe_failed(void *context, MQTTAsync_failureData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_SUBSCRIBING) {
        mqtt_complain(mqtt, "the broker did not take the subscriptions");
        mqtt_link_to(mqtt, LINK_FAILED);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

/* A message has ended: QoS 1 by its PUBACK, QoS 0 by its last byte in the socket. */
void mqtt_on_published(void *context, MQTTAsync_successData *data)
{
    const struct ticket *ticket = context;
    struct mqtt *mqtt = ticket->owner;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (ticket == &mqtt->farewell)
        mqtt->farewell_done = true;
    else if (ticket->number >= mqtt->head && ticket->number < mqtt->sent &&
             !mqtt_out_at(mqtt, ticket->number)->done) {
        mqtt_out_at(mqtt, ticket->number)->done = true;
        mqtt->state.published++;
        mqtt_out_retire(mqtt);
    }
    pthread_cond_broadcast(&mqtt->changed);
    pthread_mutex_unlock(&mqtt->lock);
}

static void take_heartbeat(struct mqtt *mqtt, const MQTTAsync_message *message)
{
    char text[24] = "";
    if (message->payloadlen <= 0 || (size_t)message->payloadlen >= sizeof(text))
        return;
    memcpy(text, message->payload, (size_t)message->payloadlen);
    int64_t sent = strtoll(text, NULL, 10);
    int64_t now = clock_mono_ns();
    if (sent <= 0 || sent > now)
        return;
    pthread_mutex_lock(&mqtt->lock);
    mqtt->state.heartbeat_ns = now - sent;
    mqtt->state.heard_mono_ns = now;
    pthread_mutex_unlock(&mqtt->lock);
}

/* How many messages the broker has dropped since it began, for any of its clients. */
static void take_dropped(struct mqtt *mqtt, const MQTTAsync_message *message)
{
    char text[24] = "";
    if (message->payloadlen <= 0 || (size_t)message->payloadlen >= sizeof(text))
        return;
    memcpy(text, message->payload, (size_t)message->payloadlen);
    pthread_mutex_lock(&mqtt->lock);
    mqtt->state.dropped = strtoull(text, NULL, 10);
    mqtt->state.tells_dropped = true;
    pthread_mutex_unlock(&mqtt->lock);
}

/* Paho sends the PUBACK when its callback returns, whatever it returns, and there is no other way
 * to keep it from that than not to return. It holds Paho's mutex meanwhile: the hub is deaf from
 * here on, which is right for one that is about to _exit, and is ended here for one that is not. */
static _Noreturn void never_acknowledge(void)
{
    struct timespec rest = {.tv_sec = MQTT_REFUSED_MS / 1000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    log_error("mqtt: a message could not be kept and must not be acknowledged; aborting");
    abort();
}

int mqtt_on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct mqtt *mqtt = context;
    size_t bytes = topic_length > 0 ? (size_t)topic_length : strlen(topic);
    size_t payload_bytes = (size_t)message->payloadlen;
    if (bytes == mqtt->heartbeat_bytes && memcmp(topic, mqtt->heartbeat_topic, bytes) == 0) {
        take_heartbeat(mqtt, message);
    } else if (bytes == sizeof(MQTT_DROPPED_TOPIC) - 1 &&
               memcmp(topic, MQTT_DROPPED_TOPIC, bytes) == 0) {
        take_dropped(mqtt, message);
    } else if (bytes > TOPIC_MAX_BYTES || payload_bytes > MQTT_PAYLOAD_MAX) {
        /* It can never be used: acknowledged, or the broker would send it for ever. */
        atomic_fetch_add_explicit(&mqtt->oversize, 1, memory_order_relaxed);
    } else if (!mqtt->on_message(mqtt->user, topic, bytes, message->payload, payload_bytes,
                                 message->qos) &&
               message->qos > 0) {
        never_acknowledge();
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* OpenSSL's "thread:error:number:library:function:reason:file:line:data": keeps the reason. */
int mqtt_on_tls_error(const char *line, size_t length, void *context)
{
    struct mqtt *mqtt = context;
    (void)length;
    const char *reason = strstr(line, "error:");
    for (int i = 0; i < 4 && reason != NULL; i++) {
        reason = strchr(reason, ':');
        if (reason != NULL)
            reason++;
    }
    if (reason == NULL)
        return 1;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->tls_reason[0] == '\0')
        snprintf(mqtt->tls_reason, sizeof(mqtt->tls_reason), "%.*s", (int)strcspn(reason, ":\n"),
                 reason);
    pthread_mutex_unlock(&mqtt->lock);
    return 1;
}
