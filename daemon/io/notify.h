/*
 * systemd's notification socket: READY, RELOADING, STOPPING, STATUS, WATCHDOG. Does nothing where
 * NOTIFY_SOCKET is not set. Any thread.
 */
#ifndef LUMBAR_IO_NOTIFY_H
#define LUMBAR_IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Is there a service manager, which starts the hub anew when it ends? */
bool notify_is_heard(void);

/* Sends "READY=1\nSTATUS=..." as given. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the watchdog wants to be fed, in ms: half of WATCHDOG_USEC; 0: not at all. */
int64_t notify_watchdog_ms(void);

#endif
