/*
 * The acknowledgement to a device, as protobuf of proto/ack.proto. Pure.
 */
#ifndef LUMBAR_CORE_ACK_H
#define LUMBAR_CORE_ACK_H

#include <stddef.h>
#include <stdint.h>

#define ACK_MAX_BYTES 32

/* Writes the message into out (ACK_MAX_BYTES); returns its length. */
size_t ack_write(uint8_t *out, uint64_t boot_id, uint64_t sequence);

#endif
