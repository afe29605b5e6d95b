/* Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations, cyclic by rows.
 *   a        n x n, row-major, symmetric and finite; its diagonal becomes the eigenvalues
 *   vectors  n x n; column i belongs to eigenvalue i
 * At most EIGEN_SWEEPS sweeps; they end when what is off the diagonal is 0 to rounding. Works
 * on released numbers: not oblivious. Source: Golub and Van Loan, Matrix Computations,
 * section 8.5.
 */
#ifndef COMMON_NUM_PRIVATE_EIGEN_H
#define COMMON_NUM_PRIVATE_EIGEN_H

#include <stddef.h>

enum { EIGEN_SWEEPS = 40 };
void private_eigen(double *a, size_t n, double *vectors);

#endif
