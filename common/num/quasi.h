/* The least value of a smooth convex function of many numbers, from values and gradients alone:
 * L-BFGS begun from a known part of the curvature, with the same halving of steps, stopping
 * rule and leaks as common/num/newton.h. Source: Nocedal and Wright, Numerical Optimization,
 * algorithms 7.4 and 7.5. */
#ifndef COMMON_NUM_QUASI_H
#define COMMON_NUM_QUASI_H

#include "common/num/newton.h"

enum { QUASI_MEMORY = 16 };

/* solve() makes v the solution x of B x = v, B symmetric, positive definite and about the
 * Hessian.
 */
apex_status quasi_minimise(const struct convex *f, const struct convex_options *options,
                           void (*solve)(void *context, double *v), void *solve_context,
                           double *at, struct convex_result *result);

#endif
