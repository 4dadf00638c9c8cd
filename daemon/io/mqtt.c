#include "io/mqtt.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <MQTTAsync.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/topic.h"

#define MS             INT64_C(1000000) /* in ns */
#define HEARTBEAT_NS   (400 * MS)
#define SILENCE_NS     (15000 * MS) /* no heartbeat for so long: the way is broken */
#define ANSWER_NS      (20000 * MS) /* a step of connecting that takes longer has failed */
#define LEAVE_NS       (5000 * MS)
#define STEADY_NS      (10000 * MS) /* up for so long: the next backoff begins anew */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 8000
#define OUT_WINDOW     64 /* given to Paho and not yet ended */
#define OUT_QOS0_MAX   (MQTT_OUT_MAX / 4 * 3)
#define KEEPALIVE_S    10

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

/* --- under the lock ------------------------------------------------------------------------- */

static struct out *out_at(struct mqtt *mqtt, uint64_t number)
{
    return &mqtt->queue[(number - mqtt->base) % MQTT_OUT_MAX];
}

static void out_retire(struct mqtt *mqtt)
{
    while (mqtt->head < mqtt->sent && out_at(mqtt, mqtt->head)->done)
        mqtt->head++;
    if (mqtt->head == mqtt->tail)
        mqtt->base = mqtt->head;
}

/* After a connection was lost: what was not acknowledged is sent again. Paho sends its own copy of
 * some of it as well; the order is the same, so the last word of each topic stays the last. */
static void out_rewind(struct mqtt *mqtt)
{
    for (uint64_t number = mqtt->head; number < mqtt->sent; number++)
        if (out_at(mqtt, number)->qos == 0)
            out_at(mqtt, number)->done = true;
    out_retire(mqtt);
    mqtt->sent = mqtt->head;
}

static void complain(struct mqtt *mqtt, const char *sentence)
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

static void link_to(struct mqtt *mqtt, enum link link)
{
    mqtt->link = link;
    pthread_cond_broadcast(&mqtt->changed);
}

/* The connection is gone: a new one after a while. A client id that two hubs share makes each throw
 * out the other; only a connection that held for a time starts the backoff anew. */
static void link_lost(struct mqtt *mqtt)
{
    int64_t now = clock_mono_ns();
    if (mqtt->up_ns != 0 && now - mqtt->up_ns > STEADY_NS)
        mqtt->backoff_ms = 0;
    mqtt->up_ns = 0;
    mqtt->retry_ns = now + backoff_ns(mqtt);
    link_to(mqtt, LINK_DOWN);
}

/* --- Paho's threads --------------------------------------------------------------------------- */

static void on_connected(void *context, MQTTAsync_successData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_CONNECTING)
        link_to(mqtt, LINK_CONNECTED);
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

static void on_connect_failed(void *context, MQTTAsync_failureData *data)
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
        complain(mqtt, sentence);
        link_lost(mqtt);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

static void on_lost(void *context, char *cause)
{
    struct mqtt *mqtt = context;
    (void)cause;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link != LINK_DOWN && mqtt->link != LINK_CONNECTING) {
        complain(mqtt, "the connection with the broker was lost");
        link_lost(mqtt);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_LEAVING)
        link_lost(mqtt);
    pthread_mutex_unlock(&mqtt->lock);
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
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
        complain(mqtt, sentence);
        link_to(mqtt, LINK_FAILED);
    } else if (mqtt->link == LINK_SUBSCRIBING) {
        link_to(mqtt, LINK_SUBSCRIBED);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData *data)
{
    struct mqtt *mqtt = context;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (mqtt->link == LINK_SUBSCRIBING) {
        complain(mqtt, "the broker did not take the subscriptions");
        link_to(mqtt, LINK_FAILED);
    }
    pthread_mutex_unlock(&mqtt->lock);
}

/* A message has ended: QoS 1 by its PUBACK, QoS 0 by its last byte in the socket. */
static void on_published(void *context, MQTTAsync_successData *data)
{
    const struct ticket *ticket = context;
    struct mqtt *mqtt = ticket->owner;
    (void)data;
    pthread_mutex_lock(&mqtt->lock);
    if (ticket == &mqtt->farewell)
        mqtt->farewell_done = true;
    else if (ticket->number >= mqtt->head && ticket->number < mqtt->sent &&
             !out_at(mqtt, ticket->number)->done) {
        out_at(mqtt, ticket->number)->done = true;
        mqtt->state.published++;
        out_retire(mqtt);
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

static int on_arrived(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct mqtt *mqtt = context;
    size_t bytes = topic_length > 0 ? (size_t)topic_length : strlen(topic);
    size_t payload_bytes = (size_t)message->payloadlen;
    if (bytes == mqtt->heartbeat_bytes && memcmp(topic, mqtt->heartbeat_topic, bytes) == 0) {
        take_heartbeat(mqtt, message);
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
static int on_tls_error(const char *line, size_t length, void *context)
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
    ssl.ssl_error_cb = on_tls_error;
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
    options.onSuccess = on_connected;
    options.onFailure = on_connect_failed;
    options.context = mqtt;
    return MQTTAsync_connect(mqtt->client, &options);
}

static int start_subscribe(struct mqtt *mqtt)
{
    char *topics[MQTT_FILTERS_MAX + 1];
    int qos[MQTT_FILTERS_MAX + 1];
    for (unsigned i = 0; i < mqtt->filter_count; i++) {
        topics[i] = mqtt->filters[i];
        qos[i] = 1;
    }
    topics[mqtt->filter_count] = mqtt->heartbeat_topic;
    qos[mqtt->filter_count] = 0;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_subscribed;
    response.onFailure = on_subscribe_failed;
    response.context = mqtt;
    return MQTTAsync_subscribeMany(mqtt->client, (int)mqtt->filter_count + 1, topics, qos,
                                   &response);
}

static int start_disconnect(struct mqtt *mqtt)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.onSuccess = on_disconnected;
    options.context = mqtt;
    return MQTTAsync_disconnect(mqtt->client, &options);
}

static int send_status(struct mqtt *mqtt, const char *status, struct ticket *ticket)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = ticket != NULL ? on_published : NULL;
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
        complain(mqtt, sentence);
        link_lost(mqtt);
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
        complain(mqtt, "cannot subscribe");
        mqtt->link = LINK_FAILED;
    }
    return now;
}

static int64_t act_waiting(struct mqtt *mqtt, int64_t now)
{
    if (now < mqtt->limit_ns)
        return mqtt->limit_ns;
    complain(mqtt, "the broker does not answer");
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
    send_status(mqtt, "{\"state\":\"online\",\"version\":\"" LUMBAR_VERSION "\"}", NULL);
    pthread_mutex_lock(&mqtt->lock);
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
        link_lost(mqtt);
    return now;
}

static int64_t act_leaving(struct mqtt *mqtt, int64_t now)
{
    if (now < mqtt->limit_ns)
        return mqtt->limit_ns;
    link_lost(mqtt);
    return now;
}

/* Gives Paho the next message. False: it takes none now. */
static bool send_next(struct mqtt *mqtt)
{
    uint64_t number = mqtt->sent++;
    struct out *place = out_at(mqtt, number);
    if (place->done) {
        out_retire(mqtt);
        return true;
    }
    struct out out = *place;
    struct ticket *ticket = &mqtt->tickets[number % MQTT_OUT_MAX];
    *ticket = (struct ticket){mqtt, number};
    pthread_mutex_unlock(&mqtt->lock);
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_published;
    response.context = ticket;
    int code = MQTTAsync_send(mqtt->client, out.topic, out.payload_bytes, out.payload, out.qos,
                              out.retained, &response);
    pthread_mutex_lock(&mqtt->lock);
    if (code == MQTTASYNC_BAD_UTF8_STRING) {
        out_at(mqtt, number)->done = true; /* can never be sent */
        out_retire(mqtt);
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
        send_status(mqtt, "{\"state\":\"offline\"}", &mqtt->farewell);
        pthread_mutex_lock(&mqtt->lock);
        return now;
    }
    return mqtt->beat_ns;
}

static int64_t act_up(struct mqtt *mqtt, int64_t now)
{
    int64_t heard =
        mqtt->state.heard_mono_ns > mqtt->up_ns ? mqtt->state.heard_mono_ns : mqtt->up_ns;
    if (now - heard > SILENCE_NS) {
        complain(mqtt, "the heartbeat does not come back from the broker");
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

static void *run_out(void *context)
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

/* --- the loop --------------------------------------------------------------------------------- */

/* Text for Paho, NULL for what is not set. */
static char *keep(const char *text)
{
    return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

static int check_file(const char *what, const char *file, struct diag *diag)
{
    if (file[0] != '\0' && access(file, R_OK) != 0)
        return diag_set(diag, ERR_IO, "cannot read the broker's %s %s: %s", what, file,
                        strerror(errno));
    return 0;
}

static int check_options(const struct mqtt_options *options, struct diag *diag)
{
    if (options->filter_count == 0 || options->filter_count > MQTT_FILTERS_MAX)
        return diag_set(diag, ERR_RANGE, "%u subscriptions, where 1 to %d are possible",
                        options->filter_count, MQTT_FILTERS_MAX);
    if (options->client_id[0] == '\0' || strpbrk(options->client_id, "/+#") != NULL ||
        strlen(options->client_id) >= sizeof(((struct mqtt *)0)->client_id))
        return diag_set(diag, ERR_SYNTAX, "\"%s\" cannot be a client id", options->client_id);
    if (!options->tls)
        return 0;
    if (options->ca_file[0] == '\0')
        return diag_set(diag, ERR_CONFLICT, "TLS to the broker needs a ca_file to trust");
    if ((options->certificate_file[0] == '\0') != (options->key_file[0] == '\0'))
        return diag_set(diag, ERR_CONFLICT, "certificate_file and key_file go together");
    int code = check_file("ca_file", options->ca_file, diag);
    if (code == 0)
        code = check_file("certificate_file", options->certificate_file, diag);
    if (code == 0)
        code = check_file("key_file", options->key_file, diag);
    return code;
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
    int code =
        MQTTAsync_create(&mqtt->client, uri, mqtt->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (code == MQTTASYNC_SUCCESS)
        code = MQTTAsync_setCallbacks(mqtt->client, mqtt, on_lost, on_arrived, NULL);
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
    int code = pthread_create(&mqtt->thread, NULL, run_out, mqtt);
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
        struct out *out = out_at(mqtt, mqtt->tail++);
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
    pthread_mutex_unlock(&locked->lock);
    state->oversize = atomic_load_explicit(&mqtt->oversize, memory_order_relaxed);
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
