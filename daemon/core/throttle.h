/*
 * How often a secret may be tried: by account and by address, without a lock that a stranger could
 * put on somebody's account.
 *
 * Each key has a burst of tries, and gets one back every so often. Keys share a fixed number of
 * places, by a keyed hash: who invents names or addresses pushes nobody out, and at worst waits
 * with strangers. An address that an account was last entered from is tried by the pair of both,
 * so that guesses from elsewhere keep nobody out of their own place. Pure: time and seed are given.
 */
#ifndef LUMBAR_CORE_THROTTLE_H
#define LUMBAR_CORE_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_PLACES 4096

struct throttle_pace {
    int burst;         /* tries at once */
    int64_t period_ms; /* and then one each */
};
extern const struct throttle_pace throttle_account, throttle_address; /* a proxy is one address */

struct throttle {
    uint64_t seed;
    int64_t due_ms[THROTTLE_PLACES]; /* when all tries would be back */
};

uint64_t throttle_key(const struct throttle *throttle, const void *bytes, size_t count,
                      uint64_t kind);

/* 0: it may be tried, and is counted; else how long to wait, and nothing changed. */
int64_t throttle_try(struct throttle *throttle, const struct throttle_pace *pace, uint64_t key,
                     int64_t now_ms);
/* It was right. */
void throttle_give_back(struct throttle *throttle, const struct throttle_pace *pace, uint64_t key);

#endif
