/*
 * Inside of io/mqtt: what its sources share; nobody else includes it.
 *
 * mqtt.c is called by the loop, mqtt_out.c is the thread that calls Paho, mqtt_callbacks.c is
 * called by Paho's threads, mqtt_tls.c looks at files before any of them runs.
 */
#ifndef LUMBAR_IO_MQTT_CLIENT_H
#define LUMBAR_IO_MQTT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include <MQTTAsync.h>

#include "base/log.h"
#include "io/mqtt.h"

#define MS INT64_C(1000000) /* in ns */

/* Paho's callbacks move the link on to a state in which the out thread has something to do. */
enum link {
    LINK_DOWN,        /* out thread: connect when retry_ns is reached */
    LINK_CONNECTING,  /* waits for CONNACK */
    LINK_CONNECTED,   /* out thread: subscribe */
    LINK_SUBSCRIBING, /* waits for SUBACK */
    LINK_SUBSCRIBED,  /* out thread: say that we are online */
    LINK_UP,          /* out thread: heartbeat, queue */
    LINK_FAILED,      /* out thread: disconnect */
    LINK_LEAVING,     /* waits for the end of a disconnect */
};

struct out {
    char topic[MQTT_OUT_TOPIC_BYTES];
    uint8_t payload[MQTT_OUT_BYTES];
    uint16_t payload_bytes;
    uint8_t qos;
    bool retained, done;
};

/* What Paho gives back when a message has ended. It may come twice, or late, after a reconnect: the
 * number tells a message that is gone from the one that has its place in the queue now. */
struct ticket {
    struct mqtt *owner;
    uint64_t number;
};

#define MQTT_DROPPED_TOPIC "$SYS/broker/publish/messages/dropped"

struct mqtt {
    /* Fixed at create. */
    MQTTAsync client;
    mqtt_message_cb *on_message;
    mqtt_change_cb *on_change;
    void *user;
    char *host, *username, *password, *ca_file, *certificate_file, *key_file;
    bool tls;
    int port;
    char client_id[64];
    char status_topic[128], heartbeat_topic[128];
    size_t heartbeat_bytes; /* of the topic */
    char filters[MQTT_FILTERS_MAX][MQTT_FILTER_BYTES];
    unsigned filter_count;

    _Atomic uint64_t oversize;

    /* Lock order: Paho's mutex, which its callbacks hold, then this one. So nothing of Paho is
     * called with it held. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    enum link link;
    int64_t retry_ns; /* LINK_DOWN: when to connect */
    int64_t limit_ns; /* of the states that wait: when they have failed */
    int64_t up_ns;    /* since when it is up */
    int64_t beat_ns;  /* when the next heartbeat is due */
    unsigned backoff_ms;
    char tls_reason[80]; /* the first one of this attempt */
    struct log_limit complaint;
    struct mqtt_state state;

    /* The queue: numbers head..sent were given to Paho, sent..tail wait. Its places are used anew
     * from the first whenever it is empty, so memory is touched only as it fills. */
    uint64_t head, sent, tail, base;
    struct out queue[MQTT_OUT_MAX];
    struct ticket tickets[MQTT_OUT_MAX];

    struct ticket farewell; /* of the offline status */
    bool stopping, farewell_sent, farewell_done, finished, joined, started;
    bool quiet; /* finished, and no callback of Paho's is to come */
    pthread_t thread;
};

/* Under the lock. */
struct out *mqtt_out_at(struct mqtt *mqtt, uint64_t number);
void mqtt_out_retire(struct mqtt *mqtt); /* what has ended leaves the head of the queue */
void mqtt_complain(struct mqtt *mqtt, const char *sentence);
void mqtt_link_to(struct mqtt *mqtt, enum link link);
void mqtt_link_lost(struct mqtt *mqtt); /* down; connects again after the backoff */

/* Paho's callbacks; the context is the client, or the ticket of a message. */
void mqtt_on_connected(void *context, MQTTAsync_successData *data);
void mqtt_on_connect_failed(void *context, MQTTAsync_failureData *data);
void mqtt_on_lost(void *context, char *cause);
void mqtt_on_disconnected(void *context, MQTTAsync_successData *data);
void mqtt_on_subscribed(void *context, MQTTAsync_successData *data);
void mqtt_on_subscribe_failed(void *context, MQTTAsync_failureData *data);
void mqtt_on_published(void *context, MQTTAsync_successData *data);
int mqtt_on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message);
int mqtt_on_tls_error(const char *line, size_t length, void *context);

/* The out thread; the context is the client. */
void *mqtt_run_out(void *context);

#endif
