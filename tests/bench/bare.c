#include "bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <MQTTAsync.h>

static int on_arrived(void *context, char *topic, int topic_bytes, MQTTAsync_message *message)
{
    _Atomic uint64_t *count = context;
    (void)topic_bytes;
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_lost(void *context, char *cause)
{
    (void)context, (void)cause;
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
    const char *filter = "lumbar/v1/posture/+/telemetry";
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    (void)data;
    if (MQTTAsync_subscribe(context, filter, 1, &response) != MQTTASYNC_SUCCESS)
        fprintf(stderr, "bare: no subscription\n");
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
    (void)context;
    fprintf(stderr, "bare: no connection: %d\n", data->code);
    _exit(1);
}

_Noreturn void bare_run(int port, _Atomic uint64_t *count)
{
    char uri[64];
    MQTTAsync client;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%d", port);
    if (MQTTAsync_create(&client, uri, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
            MQTTASYNC_SUCCESS ||
        MQTTAsync_setCallbacks(client, count, on_lost, on_arrived, NULL) != MQTTASYNC_SUCCESS)
        _exit(1);
    options.keepAliveInterval = 10;
    options.cleansession = 0;
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.onSuccess = on_connected;
    options.onFailure = on_failed;
    options.context = client;
    if (MQTTAsync_connect(client, &options) != MQTTASYNC_SUCCESS)
        _exit(1);
    for (;;)
        pause();
}
