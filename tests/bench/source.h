/*
 * The source: a minimal MQTT 3.1.1 broker with a load generator in it, in one thread.
 *
 * It takes clients (CONNECT, SUBSCRIBE, PUBLISH, PUBACK, PINGREQ, DISCONNECT), routes what they
 * publish to whom it matches (QoS 0; nothing is retained), and itself publishes the telemetry of D
 * posture wearables to the first client that subscribes to it, its sink: 5 rows a message, real
 * protobuf, a boot id and a growing sequence per device. QoS 1 keeps `window` messages in flight;
 * when the sink comes back under the same client id they are sent again, with DUP. A ledger keeps
 * what was published and what was acknowledged.
 * With `connect_port` it is no broker but a client of one, and publishes the same there.
 * It is no broker for a clinic: no retained messages, no QoS 2, no passwords, no limits.
 */
#ifndef LUMBAR_BENCH_SOURCE_H
#define LUMBAR_BENCH_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_DEVICES_MAX 1000
#define SOURCE_WINDOW_MAX  1000
#define SOURCE_CODES       128 /* values that a device's rotation goes through, then anew */
#define SOURCE_EXTRA_MAX   2048

/* Shared with other processes, which watch and steer. Zero it before use. */
struct source_shared {
    _Atomic uint64_t published, acknowledged; /* messages; published: without repeats */
    _Atomic uint64_t rate;                    /* messages a second of all devices; 0: none */
    _Atomic uint64_t until; /* publishes no more than so many; UINT64_MAX: for ever */
    _Atomic int stop;
    /* When the device last gave this value of lumbar_rotation: source_code_value(). */
    _Atomic int64_t code_ns[SOURCE_DEVICES_MAX][SOURCE_CODES];
    /* The device bends to 30 deg while `bent` is set; when it first said so, or said it was over.
     */
    _Atomic int bent[SOURCE_DEVICES_MAX];
    _Atomic int64_t bent_ns[SOURCE_DEVICES_MAX];
};

#define SOURCE_FLAT_OUT UINT64_MAX /* as rate: as fast as the window allows */

struct source_options {
    int port;         /* to listen on; 0: any free one */
    int connect_port; /* not 0: be a client of the broker there */
    unsigned devices; /* p-0001 ... */
    unsigned window;  /* QoS 1 in flight */
    int qos;
    size_t extra_bytes; /* of random payload, in a field that no plugin knows */
    bool lean; /* five samples a message, not 34 */
    bool ledger;
    const char *sink_topic; /* who subscribes to it is the sink; NULL: to the devices' telemetry */
    struct source_shared *shared;
};

struct source;

struct source *source_create(const struct source_options *options); /* exits on failure */
void source_destroy(struct source *source);
int source_port(const struct source *source);

/* Serves and publishes for so long, or until shared->stop. */
void source_run(struct source *source, int ms);

/* Sends one message of another's making to the sink, QoS 1. False: no sink, or no room now. */
bool source_send(struct source *source, const char *topic, const void *payload, size_t bytes);

/* From now on acknowledgements are lost, until the sink comes back: it is then sent what it has
 * already used. */
void source_lose_acknowledgements(struct source *source);

bool source_has_sink(const struct source *source); /* connected and subscribed */
unsigned source_in_flight(const struct source *source);

/* The ledger. Sequences are 1, 2, 3 ... */
uint64_t source_published(const struct source *source, unsigned device);
bool source_is_acknowledged(const struct source *source, unsigned device, uint64_t sequence);

/* The value of lumbar_rotation, in deg, for a message of this sequence, and back. */
double source_code_value(uint64_t sequence);
int source_value_code(double value); /* -1: none */

int source_topic(char *out, size_t bytes, unsigned device); /* its length */
/* The device of a topic of the source's; -1 if it is none. */
int source_device_of(const char *topic, size_t bytes);
/* Sequence of a message of the source's; 0 if it is none. */
uint64_t source_sequence_of(const uint8_t *payload, size_t bytes);

#endif
