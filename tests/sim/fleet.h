/*
 * All devices of a run and the connections that carry them.
 *
 * Some devices share a connection (a device is a topic); with accounts each has its own. One
 * thread; time is given.
 */
#ifndef LUMBAR_SIM_FLEET_H
#define LUMBAR_SIM_FLEET_H

#include "device.h"
#include "options.h"

#define FLEET_PER_LINK 32

struct fleet;

/* Makes room for `count` devices on the options' broker, with their accounts there. */
int fleet_create(struct fleet **out, const struct options *options, unsigned count,
                 struct diag *diag);

/* The next device; the fleet owns it. See device_init(). */
struct device *fleet_add(struct fleet *fleet, enum kind kind, const char *name, uint32_t columns,
                         uint64_t seed, int64_t batch_ms);

/* Connects: after the last fleet_add(). */
int fleet_start(struct fleet *fleet, struct diag *diag);

/* Sends what is due and hears what came. `all`: also what is not yet due. */
void fleet_pump(struct fleet *fleet, int64_t now_ms, bool all);

/* Are all devices connected? */
bool fleet_is_up(struct fleet *fleet);

/* Messages not yet taken by the broker. */
uint64_t fleet_pending(struct fleet *fleet);

struct device_counts fleet_counts(const struct fleet *fleet);

/* Says goodbye; the process then leaves by _exit(), see link_disconnect(). */
void fleet_stop(struct fleet *fleet);

/* A number that no earlier start of this device used. */
uint64_t fleet_boot_id(void);

#endif
