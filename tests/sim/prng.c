#include "prng.h"

struct prng prng_seed(uint64_t seed, uint64_t stream)
{
    struct prng prng = {.state = seed};
    prng.state = prng_next(&prng) ^ (stream * 0x9e3779b97f4a7c15u);
    prng_next(&prng);
    return prng;
}

uint64_t prng_next(struct prng *prng)
{
    prng->state += 0x9e3779b97f4a7c15u;
    uint64_t z = prng->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double prng_between(struct prng *prng, double low, double high)
{
    double unit = (double)(prng_next(prng) >> 11) * 0x1p-53;
    return low + (high - low) * unit;
}

bool prng_chance(struct prng *prng, double probability)
{
    return prng_between(prng, 0, 1) < probability;
}

double prng_normal(struct prng *prng, double sigma)
{
    /* The sum of twelve: normal enough for a sensor's noise, and bounded. */
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += prng_between(prng, 0, 1);
    return (sum - 6) * sigma;
}
