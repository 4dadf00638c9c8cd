/*
 * Numbers that look random and are the same for the same seed, on every machine.
 *
 * SplitMix64 (Steele, Lea, Flood 2014). Not for secrets. Pure; a struct prng is its whole state.
 */
#ifndef LUMBAR_SIM_PRNG_H
#define LUMBAR_SIM_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

/* A stream of its own for each (seed, stream): rooms and devices do not disturb each other. */
struct prng prng_seed(uint64_t seed, uint64_t stream);

uint64_t prng_next(struct prng *prng);
double prng_between(struct prng *prng, double low, double high); /* low <= x < high */
bool prng_chance(struct prng *prng, double probability);
double prng_normal(struct prng *prng, double sigma); /* mean 0; never beyond 6 sigma */

#endif
