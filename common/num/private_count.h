/* Private counts, histograms and means.
 *
 * Sensitivity, adding or removing one row of weight above 0 (a row of weight 0 is none):
 *   counts  the row is in exactly one class or bin, which changes by 1: l1 = 1, l2^2 = 1,
 *           whatever the number of bins. A label that is no class is in none.
 *   sums    a cell is an integer in -SUM_STEPS..SUM_STEPS, so d sums change together by at most
 *           l1 = d SUM_STEPS, l2^2 = d SUM_STEPS^2; the number of rows by 1, as a count.
 *
 * Cells outside the public bounds count as the bound, so one row cannot pull a mean further
 * than its bounds, and wide bounds cost accuracy: the noise of a mean is of the order of
 * (max - min) / (n epsilon) for one column. Released counts may be negative or wrong in the
 * small; nobody should round them to "none".
 *
 * The budget: `amount` units for all of a call. Means: a quarter for the number of rows, the
 * rest for sums. Statuses: APEX_E_USAGE (NUM_OPTION: no class, bin or column; NUM_RANGE:
 * bounds), private_release.h, private_sum(). Leaks: rows, columns, classes, bins; released
 * integers. */
#ifndef COMMON_NUM_PRIVATE_COUNT_H
#define COMMON_NUM_PRIVATE_COUNT_H

#include "common/num/private_release.h"

enum { PRIVATE_SUM_STEPS = 1 << 20, PRIVATE_BINS_MAX = 1 << 20 };

/* What every mechanism needs of its run. */
struct private_run {
    struct private_budget *budget;
    struct private_random *random;
    unsigned threads;
};

/* counts: n_classes released integers; variance (or NULL): of the noise of
 * each. */
apex_status private_class_counts(const struct num_source *rows, size_t n_classes,
                                 uint64_t amount, struct private_run *run, int64_t *counts,
                                 double *variance, struct num_place *place);
/* Of one column, n_bins of equal width over its bounds. */
apex_status private_histogram(const struct num_source *rows, size_t column,
                              struct private_bounds bounds, size_t n_bins, uint64_t amount,
                              struct private_run *run, int64_t *counts, double *variance,
                              struct num_place *place);
/* Of all columns; bounds and means: one each. Means lie in their bounds. */
struct private_means {
    int64_t count;     /* released; may be negative */
    double *mean;      /* n_columns; lent by the caller */
    double *deviation; /* n_columns: of the noise of each mean; lent, or NULL */
};
apex_status private_means(const struct num_source *rows, const struct private_bounds *bounds,
                          uint64_t amount, struct private_run *run, struct private_means *means,
                          struct num_place *place);

/* The exact integers, for tests of sensitivity: context and values of
 * private_summing. */
struct private_classes {
    size_t n_classes;
};
void private_classes_add(const void *classes, const struct num_block *block, int64_t *values);
struct private_bin_options {
    size_t column, n_bins;
    struct private_bounds bounds;
};
void private_bins_add(const void *options, const struct num_block *block, int64_t *values);
struct private_sum_options {
    size_t n_columns;
    const struct private_bounds *bounds;
};
/* values: the number of rows, then the sums. */
void private_sums_add(const void *options, const struct num_block *block, int64_t *values);

#endif
