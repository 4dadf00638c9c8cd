/*
 * MQTT 3.1.1 packets, as far as the source needs them.
 */
#ifndef LUMBAR_BENCH_WIRE_H
#define LUMBAR_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet { /* first bytes; the broker's answers are whole */
              CONNECT = 0x10,
              CONNACK = 0x20,
              PUBLISH = 0x30,
              PUBACK = 0x40,
              SUBSCRIBE = 0x80,
              SUBACK = 0x90,
              PINGREQ = 0xc0,
              PINGRESP = 0xd0,
              DISCONNECT = 0xe0,
};

uint16_t wire_u16(const uint8_t *at);

/* A PUBLISH; id 0: QoS 0. Returns its length. */
size_t wire_publish(uint8_t *out, const char *topic, size_t topic_bytes, const uint8_t *payload,
                    size_t bytes, unsigned id);

/* Does the topic fit the filter, with its + and #? */
bool wire_matches(const char *filter, const char *topic, size_t bytes);

/* The next whole packet's length with its head, 0 if there is none yet. */
size_t wire_whole(const uint8_t *in, size_t bytes, size_t *head);

#endif
