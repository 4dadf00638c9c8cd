#include "publish.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <MQTTAsync.h>

#include "base/clock.h"
#include "core/tape_note.h"

#define IN_FLIGHT_MAX 200
#define PATIENT_S     15
#define TOPIC_BYTES   (TAPE_TOPIC_MAX + 1)

struct link {
    MQTTAsync client;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    bool connected, failed;
    unsigned in_flight;
    uint64_t confirmed;
};

/* ---- Paho's threads ---- */

static void tell(struct link *link, bool failed, bool connected, unsigned confirmed)
{
    pthread_mutex_lock(&link->mutex);
    link->failed |= failed;
    link->connected |= connected;
    link->in_flight -= confirmed;
    link->confirmed += confirmed;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->mutex);
}

static void on_connected(void *user, MQTTAsync_successData *data)
{
    (void)data;
    tell(user, false, true, 0);
}

static void on_sent(void *user, MQTTAsync_successData *data)
{
    (void)data;
    tell(user, false, false, 1);
}

static void on_failure(void *user, MQTTAsync_failureData *data)
{
    (void)data;
    tell(user, true, false, 0);
}

static void on_lost(void *user, char *cause)
{
    (void)cause;
    tell(user, true, false, 0);
}

/* ---- waiting for them ---- */

typedef bool ready_fn(const struct link *link);

static bool is_connected(const struct link *link)
{
    return link->connected;
}

static bool has_room(const struct link *link)
{
    return link->in_flight < IN_FLIGHT_MAX;
}

static bool has_nothing_left(const struct link *link)
{
    return link->in_flight == 0;
}

/* False: it failed, or nothing came of it in time. */
static bool wait_until(struct link *link, ready_fn *ready)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENT_S;
    pthread_mutex_lock(&link->mutex);
    while (!link->failed && !ready(link) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&link->changed, &link->mutex, &until);
    bool is_ready = !link->failed && ready(link);
    pthread_mutex_unlock(&link->mutex);
    return is_ready;
}

static int connect_to(struct link *link, const char *broker, struct diag *diag)
{
    char uri[300], name[48];
    snprintf(uri, sizeof(uri), "tcp://%s", broker);
    snprintf(name, sizeof(name), "lumbarctl-%ld", (long)getpid());
    if (strchr(broker, ':') == NULL ||
        MQTTAsync_create(&link->client, uri, name, MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
            MQTTASYNC_SUCCESS)
        return diag_set(diag, ERR_SYNTAX, "a broker is HOST:PORT, not '%s'", broker);
    MQTTAsync_setCallbacks(link->client, link, on_lost, NULL, NULL);
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.cleansession = 1;
    options.maxInflight = IN_FLIGHT_MAX;
    options.connectTimeout = PATIENT_S;
    options.onSuccess = on_connected;
    options.onFailure = on_failure;
    options.context = link;
    if (MQTTAsync_connect(link->client, &options) != MQTTASYNC_SUCCESS ||
        !wait_until(link, is_connected))
        return diag_set(diag, ERR_IO, "no broker takes a connection at %s", broker);
    return 0;
}

static bool send_one(struct link *link, const struct tape_message *message)
{
    char topic[TOPIC_BYTES];
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    if (!wait_until(link, has_room))
        return false;
    memcpy(topic, message->topic, message->topic_bytes);
    topic[message->topic_bytes] = '\0';
    options.onSuccess = on_sent;
    options.onFailure = on_failure;
    options.context = link;
    pthread_mutex_lock(&link->mutex);
    link->in_flight++;
    pthread_mutex_unlock(&link->mutex);
    return MQTTAsync_send(link->client, topic, (int)message->payload_bytes, message->payload, 1, 0,
                          &options) == MQTTASYNC_SUCCESS;
}

/* ---- the recording's time ---- */

struct pace {
    double speed;
    bool begun;
    int64_t first_ms, began_ns;
};

static void wait_for_its_time(struct pace *pace, int64_t received_ms)
{
    if (pace->speed <= 0)
        return;
    if (!pace->begun)
        *pace = (struct pace){pace->speed, true, received_ms, clock_mono_ns()};
    double after_ns = (double)(received_ms - pace->first_ms) * 1e6 / pace->speed;
    int64_t at = pace->began_ns + (int64_t)after_ns;
    struct timespec until = {at / 1000000000, at % 1000000000};
    if (after_ns > 0)
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
}

static int send_all(struct link *link, struct tape_packer *packer, struct tape_reader *reader,
                    struct pace pace, struct publish_result *result)
{
    struct tape_part part;
    struct tape_message message;
    uint32_t topic;
    for (enum tape_step step; (step = tape_next(reader, &part)) != TAPE_END;) {
        bool sound = step == TAPE_BLOCK && (part.block.kind != TAPE_MESSAGES ||
                                            tape_unpack(packer, &part.block, part.stored));
        if (!sound)
            result->damaged_bytes += part.bytes;
        while (sound && part.block.kind == TAPE_MESSAGES &&
               tape_message(packer, &message, &topic)) {
            if (note_is(&message, NULL)) /* the hub's own, not a device's */
                continue;
            wait_for_its_time(&pace, message.received_ms);
            if (!send_one(link, &message))
                return ERR_IO;
        }
    }
    return wait_until(link, has_nothing_left) ? 0 : ERR_IO;
}

int publish_tape(struct tape_reader *reader, const char *broker, double speed,
                 struct publish_result *result, struct diag *diag)
{
    /* Outlives this function: Paho's threads may still hold it, and the process ends soon. */
    static struct link link = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};
    struct tape_packer *packer = tape_packer_create();
    *result = (struct publish_result){0};
    if (packer == NULL)
        return diag_set(diag, ERR_MEMORY, "out of memory");
    int code = connect_to(&link, broker, diag);
    if (code == 0 && send_all(&link, packer, reader, (struct pace){.speed = speed}, result) != 0)
        code = diag_set(diag, ERR_IO, "the broker at %s was lost, or does not confirm", broker);
    if (link.connected) {
        MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
        options.timeout = 1000;
        MQTTAsync_disconnect(link.client, &options);
    }
    pthread_mutex_lock(&link.mutex);
    result->messages = link.confirmed;
    pthread_mutex_unlock(&link.mutex);
    tape_packer_destroy(packer);
    return code;
}
