/*
 * Blocking raw sockets that say to a web server what a browser would not, and WebSocket by hand.
 */
#ifndef LUMBAR_TESTS_WEB_RAW_H
#define LUMBAR_TESTS_WEB_RAW_H

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* From another loopback address, if not NULL. */
static inline int raw_open_from(int port, const char *from)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 15};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (from != NULL) {
        inet_pton(AF_INET, from, &address.sin_addr);
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
            abort();
    }
    address.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        abort();
    return fd;
}

static inline int raw_open(int port)
{
    return raw_open_from(port, NULL);
}

/* False when the other side closed meanwhile. */
static inline bool raw_send(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

static inline bool raw_read(int fd, void *bytes, size_t count)
{
    char *at = bytes;
    while (count > 0) {
        ssize_t got = recv(fd, at, count, 0);
        if (got <= 0)
            return false;
        at += got;
        count -= (size_t)got;
    }
    return true;
}

/* Until the other side closes; terminated. */
static inline size_t raw_read_all(int fd, char *out, size_t bytes)
{
    size_t have = 0;
    while (have < bytes - 1) {
        ssize_t got = recv(fd, out + have, bytes - 1 - have, 0);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    out[have] = '\0';
    return have;
}

/* The head of an answer, terminated, and nothing beyond it. */
static inline bool raw_read_head(int fd, char *out, size_t bytes)
{
    size_t have = 0;
    while (have < bytes - 1 && raw_read(fd, out + have, 1)) {
        out[++have] = '\0';
        if (have >= 4 && memcmp(out + have - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    out[have] = '\0';
    return false;
}

static inline int raw_status(const char *answer)
{
    int status = 0;
    return sscanf(answer, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

/* Puts the hub's port where the text says {port}. */
static inline void raw_fill(char *out, size_t bytes, const char *text, int port)
{
    size_t have = 0;
    while (*text != '\0' && have < bytes - 8) {
        if (strncmp(text, "{port}", 6) == 0) {
            have += (size_t)snprintf(out + have, bytes - have, "%d", port);
            text += 6;
        } else {
            out[have++] = *text++;
        }
    }
    out[have] = '\0';
}

/* ---- WebSocket ---- */

#define WS_UPGRADE                                                                                 \
    "GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"          \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                                              \
    "Sec-WebSocket-Protocol: lumbar.live.v1\r\n"

/* Opens /live; the status of the answer goes to *status. */
static inline int ws_open(int port, const char *request, char *head, size_t bytes)
{
    char text[4096];
    raw_fill(text, sizeof(text), request, port);
    int fd = raw_open(port);
    raw_send(fd, text, strlen(text));
    raw_read_head(fd, head, bytes);
    return fd;
}

static inline size_t ws_encode(uint8_t *out, uint8_t first, const void *payload, size_t count)
{
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    size_t length = 0;
    out[length++] = first;
    if (count < 126) {
        out[length++] = (uint8_t)(0x80 | count);
    } else {
        out[length++] = 0x80 | 126;
        out[length++] = (uint8_t)(count >> 8);
        out[length++] = (uint8_t)count;
    }
    memcpy(out + length, mask, 4);
    length += 4;
    for (size_t i = 0; i < count; i++)
        out[length++] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    return length;
}

static inline bool ws_send(int fd, uint8_t first, const void *payload, size_t count)
{
    uint8_t bytes[8192];
    assert(count < sizeof(bytes) - 16);
    return raw_send(fd, bytes, ws_encode(bytes, first, payload, count));
}

/* Reads one frame: its opcode with the FIN bit, -1 at the end. */
static inline int ws_read(int fd, uint8_t *payload, size_t room, size_t *count)
{
    uint8_t head[2], more[8];
    if (!raw_read(fd, head, 2))
        return -1;
    size_t length = head[1] & 0x7f;
    if (length == 126) {
        if (!raw_read(fd, more, 2))
            return -1;
        length = (size_t)more[0] << 8 | more[1];
    } else if (length == 127) {
        if (!raw_read(fd, more, 8))
            return -1;
        length = 0;
        for (int i = 0; i < 8; i++)
            length = length << 8 | more[i];
    }
    if (length > room || !raw_read(fd, payload, length))
        return -1;
    *count = length;
    return head[0];
}

/* Reads frames until the close; its code, 0 when the connection ended without one. */
static inline int ws_read_close(int fd)
{
    static _Thread_local uint8_t payload[70000];
    size_t count;
    for (;;) {
        int first = ws_read(fd, payload, sizeof(payload), &count);
        if (first < 0)
            return 0;
        if ((first & 0x0f) == 8)
            return count >= 2 ? payload[0] << 8 | payload[1] : 1005;
    }
}

#endif
