/*
 * The measure of all: a Paho subscriber with the hub's options that only counts.
 */
#ifndef LUMBAR_BENCH_BARE_H
#define LUMBAR_BENCH_BARE_H

#include <stdatomic.h>
#include <stdint.h>

/* Shared with the process that watches it. Zero it before use. */
struct bare_shared {
    _Atomic uint64_t count; /* messages that came */
    _Atomic int subscribed;
};

/* Connects to the broker, subscribes to the devices' telemetry, and counts until it is killed. Call
 * in a process of its own. */
_Noreturn void bare_run(int port, struct bare_shared *shared);

#endif
