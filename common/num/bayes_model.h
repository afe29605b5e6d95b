/* From counts, means and variances to a model: what both forms of bayes.h end with. */
#ifndef COMMON_NUM_BAYES_MODEL_H
#define COMMON_NUM_BAYES_MODEL_H

#include "common/num/bayes.h"

/* What is wrong with the options, as bayes.h says it. */
apex_status bayes_options_check(const struct bayes_options *options, struct num_place *place);
/* Moments of every class, before smoothing. weight and rows: classes; mean and variance:
 * classes x features, population variances. A class without weight has mean and variance 0. */
struct bayes_moments {
    const double *weight, *rows, *mean, *variance;
    double unseen; /* rows that count, of no class */
    double shift[BAYES_DIMS_MAX];
    size_t n_shifts; /* features, or 0 */
};
apex_status bayes_of_moments(const struct bayes_options *options, const struct bayes_moments *m,
                             struct bayes **model, struct num_place *place);
apex_status bayes_fault(struct num_place *place, apex_status status, enum num_fault fault,
                        size_t at);
/* Labels (n at most BLOCK_ROWS) and joint of columns of doubles. */
void bayes_classify(const struct bayes *model, const double *const *column, size_t n,
                    uint32_t *labels, double *joint);

#endif
