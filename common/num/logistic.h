/* Logistic regression (two classes) and softmax regression (more), with an L2 penalty, taken to
 * the optimum: the gradient's length per unit of weight falls below 1e-9.
 *
 * Minimises C sum of w (log-loss) + 1/2 sum b_kj^2 over coefficients of z_j = (x_j - mean_j) /
 * sd_j (training means and population deviations, 1 for a constant column), or of x_j where
 * standardise is false; intercepts are free, and sum to 0 over the classes of a softmax. Two
 * classes have one row of coefficients, for the higher class; this is scikit-learn's
 * LogisticRegression(C=C). C = INFINITY: no penalty.
 *   labels  below n_classes; a class without weight is refused, or with skip_empty left out:
 *           it is predicted with probability 0
 *   coefficient, raw  n_outputs x n_columns, of z and of x; intercept, raw_intercept likewise
 *   loss    mean log-loss of the training rows
 * Few parameters (up to LOGISTIC_NEWTON_MAX) take Newton's steps, begun from the optimum of
 * every 16th block where there are many; more take quasi-Newton steps. APEX_E_USAGE: shapes
 * that do not fit, C not above 0, no labels. APEX_E_DATA: NUM_NO_ROWS; NUM_RANGE at a column;
 * NUM_ONE_CLASS or NUM_EMPTY_CLASS at a class; without penalty NUM_SINGULAR at a column that
 * depends on those before it, and NUM_NOT_CONVERGED at the rounds where classes are separable,
 * or max_rounds too few (the model holds what was reached). APEX_E_MEMORY, APEX_E_LIMIT. Leaks:
 * the shapes, which classes have rows, rounds and halvings of steps, which of these statuses.
 * Sources: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 4.4;
 * Nocedal and Wright, Numerical Optimization, section 7.2. */
#ifndef COMMON_NUM_LOGISTIC_H
#define COMMON_NUM_LOGISTIC_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOGISTIC_CLASSES_MAX = 1024, LOGISTIC_COLUMNS_MAX = 2048, LOGISTIC_NEWTON_MAX = 512 };

struct logistic_options {
    size_t n_classes;
    double c;
    bool standardise, skip_empty;
    unsigned max_rounds; /* 0: 100 of Newton's, 2000 of quasi-Newton's */
    unsigned threads;
};
struct logistic {
    size_t n_classes, n_columns, n_seen, n_outputs;
    uint32_t *seen;                        /* n_seen classes with rows, ascending */
    double *class_weight;                  /* n_classes */
    double *mean, *sd;                     /* n_columns */
    double *coefficient, *raw;             /* n_outputs x n_columns */
    double *intercept, *raw_intercept;     /* n_outputs */
    double weight, loss, objective_length; /* of the gradient per weight */
    unsigned rounds;
};
apex_status logistic_new(size_t n_classes, size_t n_columns, struct logistic **model);
void logistic_free(struct logistic *model);
apex_status logistic_fit(const struct num_source *source,
                         const struct logistic_options *options, struct logistic *model,
                         struct num_place *place);

/* probability: n_classes columns of room for BLOCK_ROWS doubles, 64-byte aligned; the first n
 * of each are written (and rubbish up to the next multiple of 32). */
void logistic_predict(const struct logistic *model, const struct num_block *block,
                      double *const *probability);
/* The class of greatest probability, the lower one on a tie; label: n. */
void logistic_choose(const double *const *probability, size_t n_classes, size_t n,
                     uint32_t *label);

#endif
