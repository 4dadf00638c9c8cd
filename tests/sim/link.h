/*
 * A connection to the broker that carries some devices: Eclipse Paho MQTTAsync, MQTT 3.1.1, QoS 1,
 * clean session (the devices hold what is not confirmed, so the broker need not).
 *
 * Threads: Paho's callbacks only move a connection state and put acknowledgements into a bounded
 * queue (when it is full, the newest is dropped: the hub says it again). All else belongs to the
 * thread that calls link_poll(). Reconnects for ever, after 0.25 s to 8 s with jitter.
 */
#ifndef LUMBAR_SIM_LINK_H
#define LUMBAR_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct link;

struct link_events {
    void (*on_up)(void *user); /* connected and subscribed, each time */
    void (*on_message)(void *user, const char *topic, const uint8_t *bytes, size_t length);
    void *user;
};

struct link_account {
    const char *name, *password; /* NULL: none is asked for */
};

/* The account, and topics[0..count), what it subscribes to, are kept by the caller while the link
 * lives. */
int link_create(struct link **out, const char *uri, const char *client_id,
                const struct link_account *account, const char *const *topics, unsigned count,
                const struct link_events *events, struct diag *diag);

/* Calls back what happened since the last call, and connects when it is time to. */
void link_poll(struct link *link, int64_t now_ms);

bool link_is_up(struct link *link);

/* Hands a message to Paho with QoS 1; false when it is not connected or too much is on its way. */
bool link_publish(struct link *link, const char *topic, const uint8_t *bytes, size_t length);

/* Messages that the broker has not acknowledged. */
unsigned link_pending(struct link *link);

/* Says goodbye to the broker. Paho's threads may outlive this: leave the process by _exit(). */
void link_disconnect(struct link *link);

#endif
