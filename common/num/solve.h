/* Symmetric systems of equations A x = b, A positive definite, by Cholesky's A = L L'.
 *
 *   a        n x n, row-major; only the lower triangle is read, L takes its place
 *   least    a pivot at most this share of its diagonal entry means that the row depends on
 * those before it: its part of the solution is then 0 and the others are solved without it
 * Never divides by 0; every step is taken whatever the numbers are. Statuses: none; the count
 * of dependent rows and the first of them are returned. Leaks: n. Source: Golub and Van Loan,
 * Matrix Computations, section 4.2. */
#ifndef COMMON_NUM_SOLVE_H
#define COMMON_NUM_SOLVE_H

#include <stddef.h>

struct cholesky {
    size_t dependent, first; /* rows; the first of them, n if none */
    double least_pivot;      /* the least share of its diagonal entry a pivot had */
};
/* scratch: n doubles */
struct cholesky cholesky_factor(double *a, size_t n, double least, double *scratch);
/* b becomes x. */
void cholesky_solve(const double *factor, size_t n, double *b);

#endif
