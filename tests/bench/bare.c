#include "bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <MQTTAsync.h>

struct bare {
    MQTTAsync client;
    struct bare_shared *shared;
};

static int on_arrived(void *context, char *topic, int topic_bytes, MQTTAsync_message *message)
{
    struct bare_shared *shared = context;
    (void)topic_bytes;
    atomic_fetch_add_explicit(&shared->count, 1, memory_order_relaxed);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_lost(void *context, char *cause)
{
    (void)context, (void)cause;
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    struct bare_shared *shared = context;
    (void)data;
    shared->subscribed = 1;
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    const char *filter = "lumbar/v1/posture/+/telemetry";
    const struct bare *bare = context;
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    (void)data;
    response.onSuccess = on_subscribed;
    response.context = bare->shared;
    if (MQTTAsync_subscribe(bare->client, filter, 1, &response) != MQTTASYNC_SUCCESS)
        fprintf(stderr, "bare: no subscription\n");
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
    (void)context;
    fprintf(stderr, "bare: no connection: %d\n", data->code);
    _exit(1);
}

_Noreturn void bare_run(int port, struct bare_shared *shared)
{
    char uri[64];
    struct bare bare = {.shared = shared};
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%d", port);
    if (MQTTAsync_create(&bare.client, uri, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
            MQTTASYNC_SUCCESS ||
        MQTTAsync_setCallbacks(bare.client, shared, on_lost, on_arrived, NULL) != MQTTASYNC_SUCCESS)
        _exit(1);
    options.keepAliveInterval = 10;
    options.cleansession = 0;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.onSuccess = on_connected;
    options.onFailure = on_failed;
    options.context = &bare;
    if (MQTTAsync_connect(bare.client, &options) != MQTTASYNC_SUCCESS)
        _exit(1);
    for (;;)
        pause();
}
