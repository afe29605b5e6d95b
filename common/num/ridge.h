/* Linear regression: ordinary least squares (alpha 0) and ridge, from one pass over the rows.
 *
 * Minimises sum of w (y - b0 - sum_j b_j z_j)^2 + alpha sum_j b_j^2, z_j = (x_j - mean_j) /
 * sd_j with the training rows' means and population standard deviations (sd 1 for a constant
 * column, and for all where standardise is false); b0 is not penalised. A column that follows
 * from those before it (its share not explained by them is below 1e-10) or is constant is
 * refused where alpha is 0, or gets coefficient 0 where `drop` is set.
 *   partial / merge: common/num/gram.h with the target as last column; finish: ridge_finish
 *   coefficient  of z, raw of x: y = raw_intercept + sum_j raw_j x_j
 *   r2, rmse     on the training rows, weighted; r2 is 0 where the target is constant
 * Statuses: those of gram_fit, and APEX_E_USAGE: alpha is negative or not a number;
 * APEX_E_DATA: NUM_CONSTANT or NUM_SINGULAR at a column. Leaks: the shapes, which of these
 * statuses. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
 * sections 3.2 and 3.4. */
#ifndef COMMON_NUM_RIDGE_H
#define COMMON_NUM_RIDGE_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>

struct ridge_options {
    double alpha;
    bool standardise, drop;
    unsigned threads;
};
struct ridge {
    size_t n_columns, n_dropped;
    double *mean, *sd, *coefficient, *raw; /* n_columns each */
    double intercept, raw_intercept;
    double weight, r2, rmse;
};
apex_status ridge_new(size_t n_columns, struct ridge **model);
void ridge_free(struct ridge *model);
apex_status ridge_finish(const double *gram, const struct ridge_options *options,
                         struct ridge *model, struct num_place *place);
apex_status ridge_fit(const struct num_source *source, const struct ridge_options *options,
                      struct ridge *model, struct num_place *place);
/* prediction: room for BLOCK_ROWS doubles, 64-byte aligned; the first n are written (and
 * rubbish up to the next multiple of 32). */
void ridge_predict(const struct ridge *model, const struct num_block *block,
                   double *prediction);

#endif
