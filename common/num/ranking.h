/* How well scores put the rows of one class above the others: area under the ROC curve, average
 * precision, and the share of hits among the best.
 *
 * Rows of equal score count as one step of either curve (area: half of their pairs), so that
 * the order of rows shows nowhere. Any weights; a row of weight 0 counts for nothing. Fill keys
 * and marks block by block, then finish sorts both in place with the network of sort.h.
 *   average precision  sum over steps of (recall gained) x (precision there)
 *   top                of the best floor(top x weight) (a step cut in proportion), the share
 *                      that is positive; top in 0..1
 * APEX_E_DATA: NUM_NO_POSITIVE: all weight is in one class (at 0: no positive row, at 1: no
 * negative); APEX_E_USAGE: top out of range. Leaks: n, which of these statuses. Sources:
 * Fawcett, An introduction to ROC analysis, 2006; scikit-learn 1.2, roc_auc_score and
 * average_precision_score. */
#ifndef COMMON_NUM_RANKING_H
#define COMMON_NUM_RANKING_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stddef.h>
#include <stdint.h>

struct ranking {
    double auc, average_precision, top;
    double positive, negative; /* weights */
};
/* keys, marks: n of the block each, where this block's rows begin. */
void ranking_fill(const struct num_block *block, const double *score, uint32_t positive,
                  double *keys, uint64_t *marks);
apex_status ranking_finish(double *keys, uint64_t *marks, size_t n, double top,
                           struct ranking *ranking, struct num_place *place);

#endif
