/* What the broker hands to the hub, in Paho's thread: any topic with any payload. A heartbeat is
 * taken for one only where it can be, nothing beyond the caps is given on, and everything else is,
 * byte for byte.
 *
 * Input: length of the topic (1 byte; 255: the heartbeat's own), the topic, the payload.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/topic.h"
#include "io/mqtt_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEARTBEAT "lumbar/v1/hub/lumbard/heartbeat"

static struct mqtt mqtt;
static struct {
    const uint8_t *topic, *payload;
    size_t topic_bytes, payload_bytes;
    unsigned given;
} sent;

static void must(bool right)
{
    if (!right)
        abort();
}

static bool on_message(void *user, const char *topic, size_t topic_bytes, const void *payload,
                       size_t payload_bytes, int qos)
{
    must(user == &sent && qos == 0);
    must(topic_bytes == sent.topic_bytes && memcmp(topic, sent.topic, topic_bytes) == 0);
    must(payload_bytes == sent.payload_bytes &&
         (payload_bytes == 0 || memcmp(payload, sent.payload, payload_bytes) == 0));
    sent.given++;
    return true;
}

static void prepare(void)
{
    /* Paho's own heap keeps account of what it gives from the first client on. */
    must(MQTTAsync_create(&mqtt.client, "tcp://127.0.0.1:1", "fuzz", MQTTCLIENT_PERSISTENCE_NONE,
                          NULL) == MQTTASYNC_SUCCESS);
    pthread_mutex_init(&mqtt.lock, NULL);
    mqtt.on_message = on_message;
    mqtt.user = &sent;
    strcpy(mqtt.heartbeat_topic, HEARTBEAT);
    mqtt.heartbeat_bytes = sizeof(HEARTBEAT) - 1;
}

/* As Paho hands it over: both are ours to free, and the topic has its NUL. */
static void arrive(void)
{
    MQTTAsync_message *message = MQTTAsync_malloc(sizeof(*message));
    char *topic = MQTTAsync_malloc(sent.topic_bytes + 1);
    *message = (MQTTAsync_message)MQTTAsync_message_initializer;
    message->payload = MQTTAsync_malloc(sent.payload_bytes + 1);
    message->payloadlen = (int)sent.payload_bytes;
    if (sent.payload_bytes > 0)
        memcpy(message->payload, sent.payload, sent.payload_bytes);
    memcpy(topic, sent.topic, sent.topic_bytes);
    topic[sent.topic_bytes] = '\0';
    must(mqtt_on_arrived(&mqtt, topic, (int)sent.topic_bytes, message) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (mqtt.on_message == NULL)
        prepare();
    if (size == 0)
        return 0;
    bool own = data[0] == 255;
    sent.topic_bytes = own ? sizeof(HEARTBEAT) - 1 : data[0];
    sent.topic = own ? (const uint8_t *)HEARTBEAT : data + 1;
    size_t skip = own ? 1 : 1 + sent.topic_bytes;
    if (skip > size || sent.topic_bytes == 0)
        return 0;
    sent.payload = data + skip;
    sent.payload_bytes = size - skip;
    sent.given = 0;
    mqtt.state.heartbeat_ns = mqtt.state.heard_mono_ns = 0;
    uint64_t oversize = mqtt.oversize;
    int64_t before = clock_mono_ns();
    arrive();
    bool beat = own || (sent.topic_bytes == mqtt.heartbeat_bytes &&
                        memcmp(sent.topic, HEARTBEAT, sent.topic_bytes) == 0);
    bool large = !beat && sent.payload_bytes > MQTT_PAYLOAD_MAX;
    must(sent.given == (beat || large ? 0 : 1));
    must(mqtt.oversize - oversize == large);
    if (mqtt.state.heard_mono_ns != 0) /* it was sent before it came back */
        must(beat && mqtt.state.heard_mono_ns >= before && mqtt.state.heartbeat_ns >= 0 &&
             mqtt.state.heartbeat_ns < mqtt.state.heard_mono_ns);
    return 0;
}
