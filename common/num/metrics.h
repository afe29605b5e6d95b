/* How good predictions are: sums over blocks of rows, of weighted rows throughout (1 each for
 * the usual figures). Sums begin zeroed and are merged in block order. Labels and predicted
 * classes are compared, never indexes. Where a denominator is 0 a figure is 0. No statuses.
 * Leaks: the shapes. Sources: the definitions of scikit-learn 1.2's user guide, section 3.3;
 * Chan, Golub and LeVeque 1979 for merged squares. */
#ifndef COMMON_NUM_METRICS_H
#define COMMON_NUM_METRICS_H

#include "common/num/block.h"

#include <stddef.h>
#include <stdint.h>

/* Regression: block.target against predictions (n). */
struct regression_sums {
    double weight, mean, squares; /* of the target, about its mean */
    double errors_squared, errors;
};
struct regression_figures {
    double weight, r2, rmse, mae; /* r2 is 0 where the target is constant */
};
void regression_partial(const struct num_block *block, const double *prediction,
                        struct regression_sums *partial);
void regression_merge(struct regression_sums *total, const struct regression_sums *partial);
void regression_finish(const struct regression_sums *total, struct regression_figures *figures);

/* Classification: block.label against predicted classes (n, below n_classes), and unless NULL
 * probabilities (a column of n per class). A partial or total holds class_len() doubles: the
 * weight, the summed log-loss (of probabilities not below DBL_EPSILON), and the confusion
 * matrix, n_classes x n_classes, row = true class. */
static inline size_t class_len(size_t n_classes)
{
    return 2 + n_classes * n_classes;
}
static inline const double *class_confusion(const double *total)
{
    return total + 2;
}
enum { CLASS_ROOM = 3 * BLOCK_ROWS }; /* doubles of scratch, 64-byte aligned */
void class_partial(const struct num_block *block, size_t n_classes, const uint32_t *predicted,
                   const double *const *probability, double *scratch, double *partial);
void class_merge(size_t n_classes, double *total, const double *partial);
struct class_figures {
    double weight, accuracy, log_loss;
    double balanced_accuracy; /* the mean recall of the classes that have rows */
};
void class_finish(size_t n_classes, const double *total, struct class_figures *figures);
/* Of one class; recall and precision are 0 where there is nothing to find, or nothing found. */
void class_rates(size_t n_classes, const double *total, size_t class, double *recall,
                 double *precision);

/* Rows whose score is at least a threshold are called positive. */
struct threshold_sums {
    double true_positive, false_positive, positive, negative; /* weights */
};
void threshold_partial(const struct num_block *block, const double *score, uint32_t positive,
                       const double *threshold, size_t n_thresholds, double *scratch,
                       struct threshold_sums *partial); /* n_thresholds; scratch: CLASS_ROOM */
void threshold_merge(struct threshold_sums *total, const struct threshold_sums *partial);
void threshold_rates(const struct threshold_sums *total, double *recall, double *precision);

#endif
