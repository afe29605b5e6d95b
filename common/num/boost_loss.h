/* Losses of boosting: where scores begin, and each round's gradients as
 * integers. */
#ifndef COMMON_NUM_BOOST_LOSS_H
#define COMMON_NUM_BOOST_LOSS_H

#include "common/num/boost_rows.h"

#define BOOST_SUM_MOST 1e100 /* of weights, and of weight times squared target */

/* model->base from the weighted shares of the classes, or the weighted mean;
 * all scores there. APEX_E_DATA: NUM_ONE_CLASS, NUM_EMPTY_CLASS; NUM_RANGE at
 * d: sums above BOOST_SUM_MOST. */
apex_status boost_base(struct boost_rows *r, struct boost_model *model,
                       struct num_place *place);
/* gh of all rows and scores, and what their units are worth. Logistic: g = w (p
 * - y), h = w p (1 - p). Softmax of K classes: h times K / (K - 1) (Friedman
 * 2001, algorithm 6). Squared: g = w (score - y), h = w. */
void boost_gradients(struct boost_rows *r, enum boost_loss loss);

#endif
