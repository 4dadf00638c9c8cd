/*
 * What asks a device to show itself, as protobuf of proto/identify.proto. Pure.
 */
#ifndef LUMBAR_CORE_IDENTIFY_H
#define LUMBAR_CORE_IDENTIFY_H

#include <stddef.h>
#include <stdint.h>

#define IDENTIFY_MAX_BYTES 8
#define IDENTIFY_MAX_S     60
#define IDENTIFY_DEFAULT_S 10

/* Writes the message into out (IDENTIFY_MAX_BYTES); returns its length. seconds: IDENTIFY_MAX_S at
 * most; 0 ends it. */
size_t identify_write(uint8_t *out, uint32_t seconds);

#endif
