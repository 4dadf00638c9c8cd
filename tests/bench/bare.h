/*
 * The measure of all: a Paho subscriber with the hub's options that only counts.
 */
#ifndef LUMBAR_BENCH_BARE_H
#define LUMBAR_BENCH_BARE_H

#include <stdatomic.h>
#include <stdint.h>

/* Connects to the broker, subscribes to the devices' telemetry, and counts until it is killed. Call
 * in a process of its own. */
_Noreturn void bare_run(int port, _Atomic uint64_t *count);

#endif
