/* Private logistic regression for two classes (label 1 against all others), by gradient descent
 * on all rows with noise in every gradient.
 *
 * Each row is a vector z of integers of length at most R (private_rows.h: a one and the
 * columns). In a round with coefficients w (public: made of released integers) it adds
 *     e z,  e = round(E (sigmoid(w.z) - y)),  |e| <= E,
 * to the gradient: integers of which one row changes the sum of squares by at most E^2 R^2, or
 * in pure budgets the sum of absolutes by at most E R. Each round is one release; rounds add
 * up, adaptive as they are (private_budget.h). So the guarantee is that of the noise alone:
 * whatever the optimiser does, wherever it stops, and whatever sigmoid rounds to, since e is
 * cut to -E..E in integers. (Objective perturbation, Chaudhuri, Monteleoni and Sarwate 2011,
 * gives about the same accuracy here but is private only at the exact minimum; output
 * perturbation measured worse. docs/differential-privacy.md has figures.)
 * Budget: a fifth of `amount` for the view (private_rows.h), the rest in equal rounds. Their
 * number, if not given, grows with the released number of rows over the noise: more rounds
 * where noise allows. Steps have momentum; the answer is the mean of the second half's
 * coefficients.
 *
 * APEX_E_USAGE: NUM_OPTION: 0 columns (not the rows', 0 or above 511); 1 penalty negative or
 * not a number; 2 length not 0 or within 1e-6..1e6; 3 no labels; 4 more than 1000 rounds.
 * NUM_RANGE: bounds. APEX_E_LIMIT (NUM_RANGE): more than 2^30 rows. APEX_E_MEMORY,
 * private_release.h. A budget too small to be cut into its parts is refused before the rounds
 * begin. Leaks: rows, columns, options; released integers and what is made of them (rounds).
 * Sources: Song, Chaudhuri and Sarwate, GlobalSIP 2013; Bassily, Smith and Thakurta, FOCS 2014;
 * the accounting is Bun and Steinke's 2016. */
#ifndef COMMON_NUM_PRIVATE_LOGISTIC_H
#define COMMON_NUM_PRIVATE_LOGISTIC_H

#include "common/num/private_rows.h"

enum { PRIVATE_ERROR_STEPS = 1 << 10, PRIVATE_ROUNDS_MAX = 1000 };

struct private_logistic_options {
    size_t n_columns;
    const struct private_bounds *bounds; /* n_columns */
    double penalty;                      /* penalty / 2 |w|^2, of standardised columns */
    double length;   /* rows longer than this are shortened; 0: 0.7 times the
                        root of their mean square */
    unsigned rounds; /* 0: chosen */
    enum private_scaling scaling;
};
struct private_logistic {
    double *coefficient; /* n_columns, in the columns' units; lent by the caller */
    double intercept;    /* P(label 1) = sigmoid(intercept + sum coefficient x) */
    unsigned rounds;
};
apex_status private_logistic_fit(const struct num_source *rows,
                                 const struct private_logistic_options *options,
                                 uint64_t amount, struct private_run *run,
                                 struct private_logistic *model, struct num_place *place);

/* The exact integers of one round: the gradient, one number per number of z. */
struct private_gradient {
    const struct private_view *view;
    const double *w; /* per standardised unit; finite */
};
void private_gradient_add(const void *gradient, const struct num_block *block, int64_t *values);

#endif
