/* A small deterministic generator for seeding kernels (not for keys). Source: xoshiro256**,
 * Blackman and Vigna 2018; state filled from the run's 32-byte seed and a stream number. */
#ifndef COMMON_NUM_RANDOM_H
#define COMMON_NUM_RANDOM_H

#include <stdint.h>

struct random_state {
    uint64_t s[4];
};
void random_seed(struct random_state *r, const uint8_t seed[32], uint64_t stream);
uint64_t random_next(struct random_state *r);
double random_unit(struct random_state *r); /* in [0, 1) */

#endif
