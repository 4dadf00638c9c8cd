#include "io/mqtt_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define HEARTBEAT_NS (400 * MS)
#define SILENCE_NS   (15000 * MS) /* no heartbeat for so long: the way is broken */
#define ANSWER_NS    (20000 * MS) /* a step of connecting that takes longer has failed */
#define LEAVE_NS     (5000 * MS)
#define OUT_WINDOW   64 /* given to Paho and not yet ended */
#define KEEPALIVE_S  10

struct out *mqtt_out_at(struct mqtt *mqtt, uint64_t number)
{
    return &mqtt->queue[(number - mqtt->base) % MQTT_OUT_MAX];
}

void mqtt_out_retire(struct mqtt *mqtt)
{
    while (mqtt->head < mqtt->sent && mqtt_out_at(mqtt, mqtt->head)->done)
        mqtt->head++;
    if (mqtt->head == mqtt->tail)
        mqtt->base = mqtt->head;
}

/* After a connection was lost: what was not acknowledged is sent again. Paho sends its own copy of
 * some of it as well; the order is the same, so the last word of each topic stays the last. */
static void out_rewind(struct mqtt *mqtt)
{
    for (uint64_t number = mqtt->head; number < mqtt->sent; number++)
        if (mqtt_out_at(mqtt, number)->qos == 0)
            mqtt_out_at(mqtt, number)->done = true;
    mqtt_out_retire(mqtt);
    mqtt->sent = mqtt->head;
}

/* --- the out thread, which alone calls Paho ----------------------------------------------------
 */

static int start_connect(struct mqtt *mqtt)
{
    char status[32];
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    snprintf(status, sizeof(status), "{\"state\":\"offline\"}");
    will.topicName = mqtt->status_topic;
    will.message = status;
    will.retained = 1;
    will.qos = 1;
    ssl.enableServerCertAuth = 1;
    ssl.verify = 1; /* the default, 0, takes any host's certificate */
    ssl.disableDefaultTrustStore = 1;
    ssl.trustStore = mqtt->ca_file;
    ssl.keyStore = mqtt->certificate_file;
    ssl.privateKey = mqtt->key_file;
    ssl.ssl_error_cb = mqtt_on_tls_error;
    ssl.ssl_error_context = mqtt;
    options.keepAliveInterval = KEEPALIVE_S;
    options.cleansession = 0;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.automaticReconnect = 0;
    options.connectTimeout = 10;
    options.username = mqtt->username;
    options.password = mqtt->password;
    options.will = &will;
    options.ssl = mqtt->tls ? &ssl : NULL;
    options.onSuccess = mqtt_on_connected;
    options.onFailure = mqtt_on_connect_failed;
    options.context = mqtt;
    return MQTTAsync_connect(mqtt->client, &options);
}

static int start_subscribe(struct mqtt *mqtt)
{
    static char dropped[] = MQTT_DROPPED_TOPIC; /* Paho wants what it might write to */
    char *topics[MQTT_FILTERS_MAX + 2];
    int qos[MQTT_FILTERS_MAX + 2];
    for (unsigned i = 0; i < mqtt->filter_count; i++) {
        topics[i] = mqtt->filters[i];
        qos[i] = 1;
    }
    topics[mqtt->filter_count] = mqtt->heartbeat_topic;
    topics[mqtt->filter_count + 1] = dropped; /* the last: a broker may refuse it, or not know it */
    qos[mqtt->filter_count] = qos[mqtt->filter_count + 1] = 0;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = mqtt_on_subscribed;
    response.onFailure = mqtt_on_subscribe_failed;
    response.context = mqtt;
    return MQTTAsync_subscribeMany(mqtt->client, (int)mqtt->filter_count + 2, topics, qos,
                                   &response);
}

static int start_disconnect(struct mqtt *mqtt)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.onSuccess = mqtt_on_disconnected;
    options.context = mqtt;
    return MQTTAsync_disconnect(mqtt->client, &options);
}

static int send_status(struct mqtt *mqtt, const char *status, struct ticket *ticket)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = ticket != NULL ? mqtt_on_published : NULL;
    response.context = ticket;
    return MQTTAsync_send(mqtt->client, mqtt->status_topic, (int)strlen(status), status, 1, 1,
                          &response);
}

static void send_heartbeat(struct mqtt *mqtt)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRId64, clock_mono_ns());
    MQTTAsync_send(mqtt->client, mqtt->heartbeat_topic, length, text, 0, 0, NULL);
}

/* Each act_ function is entered and left with the lock held, does what its state of the link wants
 * done, and returns when to look again. Paho is called with the lock released, and its callback may
 * come before the call returns: so the link is moved on before the call. */

static int64_t act_down(struct mqtt *mqtt, int64_t now)
{
    if (now < mqtt->retry_ns)
        return mqtt->retry_ns;
    mqtt->link = LINK_CONNECTING;
    mqtt->limit_ns = now + ANSWER_NS;
    mqtt->tls_reason[0] = '\0';
    pthread_mutex_unlock(&mqtt->lock);
    int code = start_connect(mqtt);
    pthread_mutex_lock(&mqtt->lock);
    if (code != MQTTASYNC_SUCCESS && mqtt->link == LINK_CONNECTING) {
        char sentence[64];
        snprintf(sentence, sizeof(sentence), "cannot connect: %.40s", MQTTAsync_strerror(code));
        mqtt_complain(mqtt, sentence);
        mqtt_link_lost(mqtt);
    }
    return now;
}

static int64_t act_connected(struct mqtt *mqtt, int64_t now)
{
    mqtt->link = LINK_SUBSCRIBING;
    mqtt->limit_ns = now + ANSWER_NS;
    pthread_mutex_unlock(&mqtt->lock);
    int code = start_subscribe(mqtt);
    pthread_mutex_lock(&mqtt->lock);
    if (code != MQTTASYNC_SUCCESS && mqtt->link == LINK_SUBSCRIBING) {
        mqtt_complain(mqtt, "cannot subscribe");
        mqtt->link = LINK_FAILED;
    }
    return now;
}

static int64_t act_waiting(struct mqtt *mqtt, int64_t now)
{
    if (now < mqtt->limit_ns)
        return mqtt->limit_ns;
    mqtt_complain(mqtt, "the broker does not answer");
    mqtt->link = LINK_FAILED;
    return now;
}

static int64_t act_subscribed(struct mqtt *mqtt, int64_t now)
{
    mqtt->link = LINK_UP;
    mqtt->up_ns = mqtt->beat_ns = now;
    mqtt->state.connects++;
    out_rewind(mqtt);
    uint64_t failed = mqtt->complaint.count;
    mqtt->complaint = (struct log_limit){0};
    pthread_mutex_unlock(&mqtt->lock);
    log_notice("mqtt: connected with %s:%d as %s (after %" PRIu64 " failures)", mqtt->host,
               mqtt->port, mqtt->client_id, failed);
    int code = send_status(mqtt, "{\"state\":\"online\",\"version\":\"" LUMBAR_VERSION "\"}", NULL);
    pthread_mutex_lock(&mqtt->lock);
    /* Where the broker still says "offline", for the last will was sent, nobody would believe the
     * hub's alarms: rather begin anew. */
    if (code != MQTTASYNC_SUCCESS && mqtt->link == LINK_UP) {
        mqtt_complain(mqtt, "cannot say that the hub is online");
        mqtt->link = LINK_FAILED;
    }
    return now;
}

static int64_t act_failed(struct mqtt *mqtt, int64_t now)
{
    mqtt->link = LINK_LEAVING;
    mqtt->limit_ns = now + LEAVE_NS;
    pthread_mutex_unlock(&mqtt->lock);
    int code = start_disconnect(mqtt);
    pthread_mutex_lock(&mqtt->lock);
    if (code != MQTTASYNC_SUCCESS && mqtt->link == LINK_LEAVING)
        mqtt_link_lost(mqtt);
    return now;
}

static int64_t act_leaving(struct mqtt *mqtt, int64_t now)
{
    if (now < mqtt->limit_ns)
        return mqtt->limit_ns;
    mqtt_link_lost(mqtt);
    return now;
}

/* Gives Paho the next message. False: it takes none now. */
static bool send_next(struct mqtt *mqtt)
{
    uint64_t number = mqtt->sent++;
    struct out *place = mqtt_out_at(mqtt, number);
    if (place->done) {
        mqtt_out_retire(mqtt);
        return true;
    }
    struct out out = *place;
    struct ticket *ticket = &mqtt->tickets[number % MQTT_OUT_MAX];
    *ticket = (struct ticket){mqtt, number};
    pthread_mutex_unlock(&mqtt->lock);
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = mqtt_on_published;
    response.context = ticket;
    int code = MQTTAsync_send(mqtt->client, out.topic, out.payload_bytes, out.payload, out.qos,
                              out.retained, &response);
    pthread_mutex_lock(&mqtt->lock);
    if (code == MQTTASYNC_BAD_UTF8_STRING) {
        mqtt_out_at(mqtt, number)->done = true; /* can never be sent */
        mqtt_out_retire(mqtt);
    } else if (code != MQTTASYNC_SUCCESS) {
        mqtt->sent = number;
        return false;
    }
    return true;
}

/* The last word, when all else is said. The will is not sent after a proper goodbye. */
static int64_t act_farewell(struct mqtt *mqtt, int64_t now)
{
    if (mqtt->farewell_done) {
        mqtt->link = LINK_FAILED;
        return now;
    }
    if (!mqtt->farewell_sent) {
        mqtt->farewell_sent = true;
        pthread_mutex_unlock(&mqtt->lock);
        int code = send_status(mqtt, "{\"state\":\"offline\"}", &mqtt->farewell);
        pthread_mutex_lock(&mqtt->lock);
        if (code != MQTTASYNC_SUCCESS) /* nobody would ever tell that it is said */
            mqtt->farewell_done = true;
        return now;
    }
    return mqtt->beat_ns;
}

static int64_t act_up(struct mqtt *mqtt, int64_t now)
{
    int64_t heard =
        mqtt->state.heard_mono_ns > mqtt->up_ns ? mqtt->state.heard_mono_ns : mqtt->up_ns;
    if (now - heard > SILENCE_NS) {
        mqtt_complain(mqtt, "the heartbeat does not come back from the broker");
        mqtt->link = LINK_FAILED;
        return now;
    }
    if (now >= mqtt->beat_ns) {
        mqtt->beat_ns = now + HEARTBEAT_NS;
        pthread_mutex_unlock(&mqtt->lock);
        send_heartbeat(mqtt);
        pthread_mutex_lock(&mqtt->lock);
        return now;
    }
    if (mqtt->sent < mqtt->tail && mqtt->sent - mqtt->head < OUT_WINDOW)
        return send_next(mqtt) ? now : mqtt->beat_ns;
    if (mqtt->stopping && mqtt->head == mqtt->tail)
        return act_farewell(mqtt, now);
    return mqtt->beat_ns;
}

static int64_t act(struct mqtt *mqtt, int64_t now)
{
    switch (mqtt->link) {
    case LINK_DOWN:
        return act_down(mqtt, now);
    case LINK_CONNECTED:
        return act_connected(mqtt, now);
    case LINK_SUBSCRIBED:
        return act_subscribed(mqtt, now);
    case LINK_UP:
        return act_up(mqtt, now);
    case LINK_FAILED:
        return act_failed(mqtt, now);
    case LINK_LEAVING:
        return act_leaving(mqtt, now);
    case LINK_CONNECTING:
    case LINK_SUBSCRIBING:
        break;
    }
    return act_waiting(mqtt, now);
}

/* Says a change of the link, once, with no lock held. True: it did, so look at everything anew. */
static bool tell(struct mqtt *mqtt)
{
    bool connected = mqtt->link == LINK_UP;
    if (connected == mqtt->state.connected)
        return false;
    mqtt->state.connected = connected;
    pthread_mutex_unlock(&mqtt->lock);
    if (mqtt->on_change != NULL)
        mqtt->on_change(mqtt->user);
    pthread_mutex_lock(&mqtt->lock);
    return true;
}

void *mqtt_run_out(void *context)
{
    struct mqtt *mqtt = context;
    pthread_mutex_lock(&mqtt->lock);
    /* Where nobody answers there is nothing to say goodbye to. */
    while (!mqtt->stopping || (mqtt->link != LINK_DOWN && mqtt->link != LINK_CONNECTING)) {
        int64_t now = clock_mono_ns();
        enum link before = mqtt->link;
        int64_t again = act(mqtt, now);
        if (tell(mqtt) || again <= now || mqtt->link != before)
            continue;
        struct timespec until = {again / (1000 * MS), again % (1000 * MS)};
        pthread_cond_timedwait(&mqtt->changed, &mqtt->lock, &until);
    }
    mqtt->quiet = mqtt->link == LINK_DOWN;
    mqtt->finished = true;
    pthread_cond_broadcast(&mqtt->changed);
    pthread_mutex_unlock(&mqtt->lock);
    return NULL;
}
