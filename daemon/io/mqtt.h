/*
 * MQTT: the broker, over Paho MQTTAsync (3.1.1, persistent session, QoS 1).
 *
 * One thread besides Paho's own pair; the loop never calls Paho. on_message runs in Paho's receiver
 * before the PUBACK is sent, so what it has kept is safe to acknowledge; it may only keep the
 * message. Everything else of Paho is called by the mqtt-out thread: connect (for ever, with
 * backoff 1..8 s and jitter), subscribe after each connect, publish, and the heartbeat each 400 ms
 * through the broker, which also ends Paho's 100 ms idle sleep. No heartbeat for 15 s: reconnect.
 * Retained status "online" on lumbar/v1/hub/<client_id>/status, with "offline" as last will.
 * The loop talks to the out thread by a bounded queue: full means refused and counted.
 */
#ifndef LUMBAR_IO_MQTT_H
#define LUMBAR_IO_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MQTT_FILTERS_MAX     64
#define MQTT_FILTER_BYTES    256
#define MQTT_OUT_MAX         1024 /* messages waiting to be published */
#define MQTT_OUT_TOPIC_BYTES 192
#define MQTT_OUT_BYTES       1536   /* payload of one */
#define MQTT_PAYLOAD_MAX     16384u /* of a message that the hub takes */

struct mqtt_options {
    const char *host;
    int port;
    const char *client_id;
    const char *username, *password; /* "" without */
    bool tls;
    const char *ca_file, *certificate_file, *key_file;
    const char (*filters)[MQTT_FILTER_BYTES];
    unsigned filter_count;
};

/* Paho's thread. False: it could not be kept. QoS 0 is then gone; QoS 1 must not be acknowledged,
 * and Paho acknowledges whatever a callback returns: so this thread never returns, and the process
 * is expected to leave by _exit within MQTT_REFUSED_MS, else it aborts. Only a stopping spool may
 * refuse QoS 1. */
#define MQTT_REFUSED_MS 10000
typedef bool mqtt_message_cb(void *user, const char *topic, size_t topic_bytes, const void *payload,
                             size_t payload_bytes, int qos);

/* The mqtt-out thread: connected or disconnected. */
typedef void mqtt_change_cb(void *user);

struct mqtt_state {
    bool connected;        /* and subscribed */
    int64_t heartbeat_ns;  /* hub to broker and back, the last one */
    int64_t heard_mono_ns; /* when the last heartbeat came back; 0: never */
    uint64_t connects, failures, published;
    uint64_t refused;   /* the out queue was full, or QoS 0 while disconnected */
    uint64_t dropped;   /* by the broker since it began, for any of its clients; */
    bool tells_dropped; /* which it says */
    unsigned waiting;   /* in the out queue, those on their way among them */
    uint64_t oversize;  /* topic or payload over the caps: acknowledged and dropped */
    char last_error[128];
};

/* Holds the files for TLS against each other; one sentence says what is wrong. mqtt_create() does
 * it too. */
int mqtt_check_tls(const struct mqtt_options *options, struct diag *diag);

struct mqtt;

int mqtt_create(struct mqtt **out, const struct mqtt_options *options, mqtt_message_cb *on_message,
                mqtt_change_cb *on_change, void *user, struct diag *diag);
int mqtt_start(struct mqtt *mqtt, struct diag *diag);

/* Any thread: queues a message; copies it. False: refused (queue full, or too long). QoS 1 waits in
 * the queue for the broker; QoS 0 has three quarters of the queue at most, and none while
 * disconnected. */
bool mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t payload_bytes,
                  int qos, bool retained);

void mqtt_state(const struct mqtt *mqtt, struct mqtt_state *state);

/* Of the retained status, which each connection sets to "online"; the caller may say more there. */
const char *mqtt_status_topic(const struct mqtt *mqtt);

/* Publishes what waits and the offline status, disconnects; gives up after limit_ms. Blocks: the
 * caller sees to it that on_message can still keep (or refuse) what comes meanwhile. */
void mqtt_stop(struct mqtt *mqtt, int limit_ms);

/* After stop. Frees our side, unless a thread of Paho's may still come back to it; Paho's client is
 * left to _exit: its destruction races with its threads. */
void mqtt_destroy(struct mqtt *mqtt);

#endif
