#include "wire.h"

#include <string.h>

uint16_t wire_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint8_t *put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static size_t head_write(uint8_t *out, uint8_t first, size_t length)
{
    size_t bytes = 0;
    out[bytes++] = first;
    do {
        uint8_t digit = length & 0x7f;
        length >>= 7;
        out[bytes++] = (uint8_t)(digit | (length > 0 ? 0x80 : 0));
    } while (length > 0);
    return bytes;
}

size_t wire_publish(uint8_t *out, const char *topic, size_t topic_bytes, const uint8_t *payload,
                    size_t bytes, unsigned id)
{
    size_t length = 2 + topic_bytes + (id != 0 ? 2 : 0) + bytes;
    uint8_t *at = out + head_write(out, PUBLISH | (id != 0 ? 2 : 0), length);
    at = put_u16(at, topic_bytes);
    memcpy(at, topic, topic_bytes);
    at += topic_bytes;
    if (id != 0)
        at = put_u16(at, id);
    memcpy(at, payload, bytes);
    return (size_t)(at - out) + bytes;
}

bool wire_matches(const char *filter, const char *topic, size_t bytes)
{
    const char *end = topic + bytes;
    for (; *filter != '\0'; filter++) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            while (topic < end && *topic != '/')
                topic++;
        } else if (topic < end && *filter == *topic) {
            topic++;
        } else {
            return false;
        }
    }
    return topic == end;
}

size_t wire_whole(const uint8_t *in, size_t bytes, size_t *head)
{
    size_t length = 0;
    for (size_t i = 1; i < bytes && i < 5; i++) {
        length |= (size_t)(in[i] & 0x7f) << (7 * (i - 1));
        if (in[i] < 0x80) {
            *head = i + 1;
            return *head + length <= bytes ? *head + length : 0;
        }
    }
    return 0;
}
