/* Gaussian naive Bayes: per class and feature a mean and a variance; a row goes to the class of
 * greatest joint log-likelihood.
 *
 * Variances are of the population, plus epsilon = 1e-9 times the largest variance of a feature
 * over all rows (as scikit-learn 1.2 does). Sums are compensated (Neumaier), so that the order
 * of rows shifts nothing above the last bits; rows come in a fixed order anyway. Priors are the
 * classes' shares of the rows. Ties go to the lower class. partial: bayes_sums per block of
 * rows; merge: bayes_merge; finish: bayes_finish. Two passes: means first, then squares.
 * APEX_E_USAGE: no class or no feature; APEX_E_DATA: a class without rows (bayes_finish).
 * APEX_E_MEMORY. Leaks: rows, features, classes; label-indexed sums leak labels through
 * addresses. Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
 * section 6.6.3. */
#ifndef COMMON_NUM_BAYES_H
#define COMMON_NUM_BAYES_H

#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

struct bayes {
    size_t n_classes, n_features;
    uint64_t *counts;                       /* classes */
    double *mean, *variance;                /* classes x features, row-major */
    double *log_prior;                      /* classes */
    double *log_norm;                       /* classes: -1/2 sum of log(2 pi variance) */
    double *sum, *carry;                    /* classes x features: the pass in hand */
    double *all_sum, *all_carry, *all_mean; /* features: over all rows */
};
apex_status bayes_new(size_t n_classes, size_t n_features, struct bayes **b);
void bayes_free(struct bayes *b);
/* Pass 1: rows of one class each. `row`: n_features finite numbers. */
void bayes_add_mean(struct bayes *b, const double *row, uint32_t label);
void bayes_means_done(struct bayes *b);
/* Pass 2: the same rows again. */
void bayes_add_square(struct bayes *b, const double *row, uint32_t label);
apex_status bayes_finish(struct bayes *b);
uint32_t bayes_predict(const struct bayes *b, const double *row);

#endif
