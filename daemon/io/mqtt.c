#include "io/mqtt_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define OUT_QOS0_MAX (MQTT_OUT_MAX - MQTT_OUT_MAX / 4)

/* Text for Paho, NULL for what is not set. */
static char *keep(const char *text)
{
    return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

static int check_options(const struct mqtt_options *options, struct diag *diag)
{
    if (options->filter_count == 0 || options->filter_count > MQTT_FILTERS_MAX)
        return diag_set(diag, ERR_RANGE, "%u subscriptions, where 1 to %d are possible",
                        options->filter_count, MQTT_FILTERS_MAX);
    if (options->client_id[0] == '\0' || strpbrk(options->client_id, "/+#") != NULL ||
        strlen(options->client_id) >= sizeof(((struct mqtt *)0)->client_id))
        return diag_set(diag, ERR_SYNTAX, "\"%s\" cannot be a client id", options->client_id);
    return options->tls ? mqtt_check_tls(options, diag) : 0;
}

static void take_options(struct mqtt *mqtt, const struct mqtt_options *options)
{
    mqtt->host = keep(options->host);
    mqtt->port = options->port;
    mqtt->username = keep(options->username);
    mqtt->password = keep(options->password);
    mqtt->tls = options->tls;
    if (mqtt->tls) {
        mqtt->ca_file = keep(options->ca_file);
        mqtt->certificate_file = keep(options->certificate_file);
        mqtt->key_file = keep(options->key_file);
    }
    snprintf(mqtt->client_id, sizeof(mqtt->client_id), "%s", options->client_id);
    snprintf(mqtt->status_topic, sizeof(mqtt->status_topic), "lumbar/v1/hub/%s/status",
             mqtt->client_id);
    mqtt->heartbeat_bytes = (size_t)snprintf(mqtt->heartbeat_topic, sizeof(mqtt->heartbeat_topic),
                                             "lumbar/v1/hub/%s/heartbeat", mqtt->client_id);
    mqtt->filter_count = options->filter_count;
    memcpy(mqtt->filters, options->filters, options->filter_count * sizeof(mqtt->filters[0]));
}

static int create_client(struct mqtt *mqtt, struct diag *diag)
{
    char uri[320];
    const char *host = mqtt->host != NULL ? mqtt->host : "127.0.0.1";
    if (strchr(host, ':') != NULL)
        snprintf(uri, sizeof(uri), "%s://[%s]:%d", mqtt->tls ? "ssl" : "tcp", host, mqtt->port);
    else
        snprintf(uri, sizeof(uri), "%s://%s:%d", mqtt->tls ? "ssl" : "tcp", host, mqtt->port);
    /* Paho would trace every packet, the password among them, to a file named here. */
    unsetenv("MQTT_C_CLIENT_TRACE");
    /* It words a trace of every call and packet for a buffer that nobody reads, unless told not to:
     * a fourth of what it costs to receive a message. */
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    int code =
        MQTTAsync_create(&mqtt->client, uri, mqtt->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (code == MQTTASYNC_SUCCESS)
        code = MQTTAsync_setCallbacks(mqtt->client, mqtt, mqtt_on_lost, mqtt_on_arrived, NULL);
    if (code != MQTTASYNC_SUCCESS)
        return diag_set(diag, ERR_IO, "no MQTT client for %s: %s", uri, MQTTAsync_strerror(code));
    return 0;
}

static void free_all(struct mqtt *mqtt)
{
    if (mqtt->password != NULL)
        explicit_bzero(mqtt->password, strlen(mqtt->password));
    free(mqtt->host);
    free(mqtt->username);
    free(mqtt->password);
    free(mqtt->ca_file);
    free(mqtt->certificate_file);
    free(mqtt->key_file);
    pthread_cond_destroy(&mqtt->changed);
    pthread_mutex_destroy(&mqtt->lock);
    free(mqtt);
}

int mqtt_create(struct mqtt **out, const struct mqtt_options *options, mqtt_message_cb *on_message,
                mqtt_change_cb *on_change, void *user, struct diag *diag)
{
    int code = check_options(options, diag);
    if (code != 0)
        return code;
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
    if (mqtt == NULL)
        return diag_set(diag, ERR_MEMORY, "no memory for the MQTT queue");
    mqtt->on_message = on_message;
    mqtt->on_change = on_change;
    mqtt->user = user;
    mqtt->farewell.owner = mqtt;
    take_options(mqtt, options);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&mqtt->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&mqtt->lock, NULL);
    code = create_client(mqtt, diag);
    if (code != 0) {
        free_all(mqtt);
        return code;
    }
    *out = mqtt;
    return 0;
}

int mqtt_start(struct mqtt *mqtt, struct diag *diag)
{
    /* Signals are the loop's; Paho's threads are started by this one and inherit its mask. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&mqtt->thread, NULL, mqtt_run_out, mqtt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return diag_set(diag, ERR_MEMORY, "cannot start the mqtt-out thread: %s", strerror(code));
    pthread_setname_np(mqtt->thread, "mqtt-out");
    mqtt->started = true;
    return 0;
}

/* Is there room for this one? Acknowledgements to devices (QoS 0) are said again anyway: they may
 * not take the room of alarms. */
static bool out_admits(const struct mqtt *mqtt, int qos)
{
    uint64_t waiting = mqtt->tail - mqtt->head;
    if (mqtt->stopping)
        return false;
    if (qos == 0)
        return mqtt->link == LINK_UP && waiting < OUT_QOS0_MAX;
    return waiting < MQTT_OUT_MAX;
}

bool mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t payload_bytes,
                  int qos, bool retained)
{
    size_t topic_bytes = strlen(topic);
    pthread_mutex_lock(&mqtt->lock);
    bool room = topic_bytes < MQTT_OUT_TOPIC_BYTES && payload_bytes <= MQTT_OUT_BYTES &&
                out_admits(mqtt, qos);
    if (room) {
        struct out *out = mqtt_out_at(mqtt, mqtt->tail++);
        memcpy(out->topic, topic, topic_bytes + 1);
        if (payload_bytes > 0)
            memcpy(out->payload, payload, payload_bytes);
        out->payload_bytes = (uint16_t)payload_bytes;
        out->qos = (uint8_t)qos;
        out->retained = retained;
        out->done = false;
        if (mqtt->link == LINK_UP)
            pthread_cond_broadcast(&mqtt->changed);
    } else {
        mqtt->state.refused++;
    }
    pthread_mutex_unlock(&mqtt->lock);
    return room;
}

void mqtt_state(const struct mqtt *mqtt, struct mqtt_state *state)
{
    struct mqtt *locked = (struct mqtt *)mqtt; /* the lock is no part of what it says */
    pthread_mutex_lock(&locked->lock);
    *state = mqtt->state;
    state->waiting = (unsigned)(mqtt->tail - mqtt->head);
    pthread_mutex_unlock(&locked->lock);
    state->oversize = atomic_load_explicit(&mqtt->oversize, memory_order_relaxed);
}

const char *mqtt_status_topic(const struct mqtt *mqtt)
{
    return mqtt->status_topic;
}

void mqtt_stop(struct mqtt *mqtt, int limit_ms)
{
    if (mqtt == NULL || !mqtt->started)
        return;
    int64_t limit = clock_mono_ns() + limit_ms * MS;
    struct timespec until = {limit / (1000 * MS), limit % (1000 * MS)};
    pthread_mutex_lock(&mqtt->lock);
    mqtt->stopping = true;
    pthread_cond_broadcast(&mqtt->changed);
    int code = 0;
    while (!mqtt->finished && code == 0)
        code = pthread_cond_timedwait(&mqtt->changed, &mqtt->lock, &until);
    bool finished = mqtt->finished;
    pthread_mutex_unlock(&mqtt->lock);
    /* One that hangs in Paho is left to _exit. */
    if (finished && !mqtt->joined) {
        pthread_join(mqtt->thread, NULL);
        mqtt->joined = true;
    }
}

void mqtt_destroy(struct mqtt *mqtt)
{
    if (mqtt == NULL || (mqtt->started && !(mqtt->joined && mqtt->quiet)))
        return;
    free_all(mqtt);
}
