/* Weighted means and centred products of columns, X'WX about the means, in one pass: all that
 * means, variances, correlations and least squares need.
 *
 * The columns are the block's features and, where asked for, its target behind them: m in all.
 * A partial or total holds gram_len(m) doubles: the weight, m means, and the upper triangle of
 * sums of w (x_i - mean_i)(x_j - mean_j), as tile_at(m, i, j) counts. A block is centred about
 * its own means, which are then corrected by what rounding left, and blocks are merged by the
 * exact update for centred products: nothing cancels, however far the means are from 0. Rows
 * of weight 0 count for nothing. A total begins zeroed.
 * gram_fit: APEX_E_USAGE: a target is wanted and there is none, or m is 0 or above
 * GRAM_COLUMNS_MAX; APEX_E_DATA with NUM_NO_ROWS, or with NUM_RANGE at a column whose squares
 * overflow; APEX_E_MEMORY, APEX_E_LIMIT. Leaks: the shapes, and which of these statuses.
 * Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing
 * sample variances, 1979. */
#ifndef COMMON_NUM_GRAM_H
#define COMMON_NUM_GRAM_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { GRAM_COLUMNS_MAX = 2048 };

size_t gram_len(size_t m);
static inline const double *gram_means(const double *gram)
{
    return gram + 1;
}
static inline const double *gram_products(const double *gram, size_t m)
{
    return gram + 1 + m;
}
/* Bytes of scratch of one thread, 64-byte aligned. */
size_t gram_room(size_t m);
void gram_partial(const struct num_block *block, bool target, void *room, double *partial);
void gram_merge(size_t m, double *total, const double *partial);
/* Whether the sums can be used. */
apex_status gram_finish(size_t m, const double *total, struct num_place *place);
apex_status gram_fit(unsigned threads, const struct num_source *source, bool target,
                     double *total, struct num_place *place);

#endif
