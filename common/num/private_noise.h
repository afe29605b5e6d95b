/* Exact discrete noise for private answers: Laplace (pure epsilon) and Gaussian (zCDP).
 *
 * Arithmetic is in integers throughout; no draw rounds a real number, so there is nothing for
 * an attack on floating-point noise (Mironov, CCS 2012) to hold on to. The distance from the
 * exact distributions is below 2^-250 a draw: 1/e is compared to 256 binary digits, and loops
 * have bounds that are reached with less than that probability.
 *
 *   Laplace   P(x) proportional to exp(-|x| / b); b = l1 / epsilon. Adding it to integers of
 *             which one row changes the sum of absolute values by at most l1 is epsilon-DP.
 *   Gaussian  P(x) proportional to exp(-x^2 / 2 s^2); s^2 = l2_squared / (2 rho), rounded up.
 *             Adding it to integers of which one row changes the sum of squares by at most
 *             l2_squared is rho-zCDP (theorem 4 there: D_alpha <= alpha delta^2 / 2 s^2 for
 *             each coordinate, and these add up).
 *
 * Leaks: how often a proposal was rejected, which is independent of the noise that is returned
 * (trials are independent and stop at the first accepted one) and of all rows; else nothing but
 * events of probability below 2^-40 a draw: loops run for a fixed number of rounds under a
 * mask, and go on only if those were not enough. (Samplers whose time follows the noise undo
 * it: Jin et al., Are We There Yet?, IEEE S&P 2022.) Source: Canonne, Kamath and Steinke, The
 * Discrete Gaussian for Differential Privacy, NeurIPS 2020, algorithms 1 to 3. */
#ifndef COMMON_NUM_PRIVATE_NOISE_H
#define COMMON_NUM_PRIVATE_NOISE_H

#include "common/num/fault.h"
#include "common/num/private_random.h"
#include "include/apex/status.h"

#include <stdbool.h>

/* Laplace: scale b = t / q. Gaussian: s^2 = t p / q, t about s: the scale of
 * its proposals. */
struct private_noise {
    bool gaussian;
    uint64_t t, p, q;
    double variance;
};
/* APEX_E_USAGE (NUM_BUDGET): the budget is 0. APEX_E_LIMIT (NUM_RANGE): the
 * scale is above 2^50. A sensitivity of 0 is one of 1. */
apex_status private_noise_laplace(uint64_t l1, uint64_t epsilon_micro, struct private_noise *n,
                                  struct num_place *place);
apex_status private_noise_gaussian(uint64_t l2_squared, uint64_t rho_nano,
                                   struct private_noise *n, struct num_place *place);
/* Below 2^62 in absolute value. */
int64_t private_noise_draw(const struct private_noise *n, struct private_random *random);

/* The parts, for tests: all ones with probability exp(-a / b), 0 <= a <= b, 0 <
 * b < 2^120. */
uint64_t private_bernoulli_exp(struct private_random *random, unsigned __int128 a,
                               unsigned __int128 b);

#endif
