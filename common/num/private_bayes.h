/* Private Gaussian naive Bayes: shares, means and variances of classes from private_moments.h,
 * whose guarantee, sensitivity and statuses are this one's. The model is made of released
 * integers, so predicting with it costs nothing more.
 *
 * A variance that noise made too small would claim a certainty that nobody has: to each the
 * variance of its mean's noise is added, and 1e-3 of the column's variance about the mean of
 * all classes. APEX_E_DATA (NUM_ONE_CLASS): fewer than two classes.
 * Leaks: rows, columns, classes; released integers. Sources: Vaidya, Shafiq, Basu and Hong,
 * Differentially private naive Bayes classification, WI 2013; for the model, bayes.h. */
#ifndef COMMON_NUM_PRIVATE_BAYES_H
#define COMMON_NUM_PRIVATE_BAYES_H

#include "common/num/bayes.h"
#include "common/num/private_moments.h"

/* The model is the caller's, freed by bayes_free; its counts are the released ones, 0 where
 * these are negative. */
apex_status private_bayes_fit(const struct num_source *rows,
                              const struct private_moments_options *options, uint64_t amount,
                              struct private_run *run, struct bayes **model,
                              struct num_place *place);

#endif
