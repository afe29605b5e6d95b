/* The least value of a smooth convex function of a few hundred numbers, by Newton's steps.
 *
 * States: each round solves hessian * step = gradient, then halves the step until the value
 * falls by a part of what the slope promises (Armijo). Where the next gradient is foreseen to
 * be below the tolerance no Hessian is asked for; should that prove wrong, the last one serves
 * once more, and is made anew when the gradient does not fall tenfold. Ends when the gradient's
 * length is at most the tolerance, after max_rounds, or where no step helps. Leaks (they are
 * the function's, not a row's): rounds, halvings, whether it ends. Source: Boyd and
 * Vandenberghe, Convex Optimization, section 9.5. */
#ifndef COMMON_NUM_NEWTON_H
#define COMMON_NUM_NEWTON_H

#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>

struct convex {
    size_t n;
    /* Value, gradient (n) and, unless NULL, Hessian (n x n row-major, its lower triangle). */
    apex_status (*evaluate)(void *context, const double *at, double *value, double *gradient,
                            double *hessian);
    void *context;
};
struct convex_options {
    double tolerance; /* of the gradient's length */
    unsigned max_rounds;
};
struct convex_result {
    double value, gradient; /* its length */
    unsigned rounds, evaluations;
    bool converged;
    /* Of Newton's: rows of the first Hessian that depend on those before, the first of them (n
     * if none), and the least that a pivot kept of what it was in the first Hessian. */
    size_t dependent;
    double flattened;
};
/* `at`: n numbers, where to begin, then the best found. APEX_E_MEMORY, APEX_E_LIMIT, and what
 * evaluate answers. */
apex_status newton_minimise(const struct convex *f, const struct convex_options *options,
                            double *at, struct convex_result *result);

/* For linesearches: whether a value falls enough. Values this near are the same but for
 * rounding. */
bool convex_falls(double before, double after, double promised);
double convex_length(const double *v, size_t n);

#endif
