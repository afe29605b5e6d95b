/* Private linear regression, from sums of products with noise (sufficient statistics).
 *
 * Each row is a vector z of integers of length at most R (private_rows.h: a one, the columns,
 * the target), and counts in the products of its numbers: 128 z_i^2, and 181 z_i z_j for i < j.
 * One row more or less changes them by at most
 *     l2^2 = sum 128^2 z_i^4 + sum 181^2 z_i^2 z_j^2 <= 128^2 (sum z_i^2)^2 <= 2^14 R^4
 *     l1   = sum 128 z_i^2 + sum 181 |z_i z_j| <= 128 (sum |z_i|)^2 <= 2^7 R^2
 * since 181^2 < 2 * 128^2. (A product off the diagonal counts twice in the length of z z', so
 * it can have half the noise's variance: hence 181 = 128 sqrt 2.) In pure budgets length is in
 * absolutes.
 * Budget: a quarter of `amount` for the view (private_rows.h), the rest for the products.
 *
 * After the release (post-processing): with C the centred products of columns and c those with
 * the target, both noisy, C is made positive by its eigenvalues l: coefficients are
 * V diag(g(l)) V' c, g(l) = m / (m^2 + s^2), m = max(l, 0) + alpha, where s^2 is the noise's
 * variance times the number of columns. That is the solution of least mean error of C b = c
 * when c's error is the noise and b has a prior of variance 1 / d; where there is no noise it
 * is ridge's. Shortening a row scales its one, columns and target alike, so a linear relation
 * still holds in it: it weighs less.
 *
 * APEX_E_USAGE: NUM_OPTION: 0 columns (n_columns is not the rows', or 0, or above 255);
 * 1 alpha negative or not a number; 2 length not 0 or within 1e-6..1e6; 3 no target. NUM_RANGE:
 * bounds. APEX_E_LIMIT (NUM_RANGE): more than 2^30 rows. APEX_E_MEMORY, private_release.h.
 * Leaks: rows, columns, options; released integers. Sources: Vu and Slavkovic, ICDMW 2009;
 * Wang, Revisiting differentially private linear regression, UAI 2018. */
#ifndef COMMON_NUM_PRIVATE_RIDGE_H
#define COMMON_NUM_PRIVATE_RIDGE_H

#include "common/num/private_rows.h"
#include "common/num/ridge.h"

enum { PRIVATE_RIDGE_COLUMNS_MAX = 255 };

struct private_ridge_options {
    size_t n_columns;
    const struct private_bounds *bounds; /* n_columns, then the target's */
    double alpha;                        /* of coefficients of standardised columns */
    double length;                       /* rows longer than this are shortened; 0: the root of
                                            their mean square */
    enum private_scaling scaling; /* chosen: by rows, which measured better at every budget */
};
/* A model for ridge_predict; its weight, r2 and rmse are made of released numbers too. */
apex_status private_ridge_fit(const struct num_source *rows,
                              const struct private_ridge_options *options, uint64_t amount,
                              struct private_run *run, struct ridge **model,
                              struct num_place *place);

/* The exact integers: the upper triangle of width x width products, row after row. */
void private_products_add(const void *view, const struct num_block *block, int64_t *values);

#endif
