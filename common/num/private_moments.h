/* Private numbers of rows, sums and sums of squares, per class and column: what naive Bayes and
 * standardising are made of.
 *
 * A cell is an integer q in -Q..Q on the grid of its bounds, Q = PRIVATE_MOMENT_STEPS. A row of
 * weight above 0 and class c changes, of all classes' numbers,
 *   counts   that of c by 1:                                    l1 = 1,       l2^2 = 1
 *   sums     those of c by q_1..q_d, |q| <= Q:                  l1 = d Q,     l2^2 = d Q^2
 *   squares  those of c by q^2 - Q^2/2, in -Q^2/2..Q^2/2:       l1 = d Q^2/2, l2^2 = d Q^4/4
 * (less Q^2/2, which the number of rows restores: half the sensitivity). A label that is no
 * class changes nothing. The three are released one after the other, a sixth of `amount` for
 * counts, a half for sums, a third for squares; the classes need no share of their own, since a
 * row is in one.
 *
 * After the release (post-processing): a count below the deviation of its noise counts as that;
 * a variance is no less than about the deviation of its own noise; means and variances of
 * classes are drawn to those of all classes together by as much as their noise outweighs what
 * may set classes apart (the posterior mean for normal noise); all lie in their bounds.
 * Statuses: APEX_E_USAGE (NUM_OPTION: no column or class, more than 512 columns; NUM_RANGE:
 * bounds), APEX_E_MEMORY, private_release.h.
 * Leaks: rows, columns, classes; released integers. */
#ifndef COMMON_NUM_PRIVATE_MOMENTS_H
#define COMMON_NUM_PRIVATE_MOMENTS_H

#include "common/num/private_count.h"

enum { PRIVATE_MOMENT_STEPS = 1 << 14, PRIVATE_COLUMNS_MAX = 512 };

struct private_moments_options {
    size_t n_columns, n_classes;
    const struct private_bounds *bounds; /* n_columns */
};
struct private_moments {
    int64_t *counts;         /* n_classes, as released */
    double *share;           /* n_classes: above 0, together 1 */
    double *mean, *variance; /* n_classes x n_columns, row-major, in the columns' units */
    double *mean_noise; /* n_classes x n_columns: variance of the noise in each mean, or NULL */
};
/* Arrays of m are lent by the caller, written only on APEX_OK. With n_classes 1 labels are not
 * looked at: all rows are of class 0. */
apex_status private_moments(const struct num_source *rows,
                            const struct private_moments_options *options, uint64_t amount,
                            struct private_run *run, struct private_moments *m,
                            struct num_place *place);

/* The exact integers: n_classes counts, then n_classes x n_columns sums, then as many squares.
 */
void private_moments_add(const void *options, const struct num_block *block, int64_t *values);

#endif
