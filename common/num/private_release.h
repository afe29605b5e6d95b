/* Integers about rows, made private: the only way from rows to an answer in private_*.
 *
 * A statistic is n integers that are sums over rows: with one row more or less they change by
 * at most l1 in the sum of absolute values and at most l2_squared in the sum of squares. Each
 * mechanism's header proves these two for its statistics; everything after the release is made
 * of released integers and public options alone and costs nothing (post-processing). Noise has
 * a variance that is public, and depends on no row. */
#ifndef COMMON_NUM_PRIVATE_RELEASE_H
#define COMMON_NUM_PRIVATE_RELEASE_H

#include "common/num/block.h"
#include "common/num/private_budget.h"
#include "common/num/private_random.h"

struct private_statistic {
    const char *what; /* a literal, for the list of spends */
    int64_t *values;  /* exact before, released after */
    size_t n;
    uint64_t l1, l2_squared;
    double variance; /* out: of the noise of each */
};
/* Debits `amount` (the budget's units), then adds discrete Laplace noise of
 * scale l1 / epsilon or discrete Gaussian noise of variance l2_squared / 2 rho
 * to each integer. When it fails nothing is changed and nothing spent.
 * Statuses: private_budget.h, private_noise.h. Leaks: the released integers;
 * private_noise.h. */
apex_status private_release(struct private_statistic *s, uint64_t amount,
                            struct private_budget *budget, struct private_random *random,
                            struct num_place *place);

/* Sums of n_values integers over all blocks; `add` adds a block's into zeroed
 * or part-filled values (context: public, read only). Any order of blocks gives
 * the same integers. APEX_E_MEMORY, APEX_E_LIMIT. */
struct private_summing {
    const struct num_source *rows;
    unsigned threads;
    size_t n_values;
    void (*add)(const void *context, const struct num_block *block, int64_t *values);
    const void *context;
};
apex_status private_sum(const struct private_summing *s, int64_t *values);

/* Do rows come with a target, or with labels? Rows that are none do. */
bool private_rows_have(const struct num_source *rows, bool target);

/* Public limits of a column: a cell below or above counts as the limit, and one
 * that is not a number as min. */
struct private_bounds {
    double min, max;
};
/* min < max, and max - min within 1e-100..1e100, so that no square of it overflows or vanishes.
 * APEX_E_USAGE (NUM_RANGE, at the column). */
apex_status private_bounds_check(const struct private_bounds *bounds, size_t n,
                                 struct num_place *place);
/* Cells to integers 0..steps on an even grid from min to max, to the nearest;
 * no branch. For a row of weight 0 the integer is there too; multiply by
 * private_counts_row(). steps <= 2^30 */
void private_grid(const double *cells, size_t n, struct private_bounds bounds, uint32_t steps,
                  int32_t *grid);
/* Cells to bins 0..n_bins-1 of equal width over the bounds; no branch. n_bins
 * <= 2^30 */
void private_bins(const double *cells, size_t n, struct private_bounds bounds, uint32_t n_bins,
                  uint32_t *bins);
/* 1 if the row has a weight above 0, else 0: a row counts once or not at all,
 * because what a weight may be has no public bound. */
static inline int64_t private_counts_row(double weight)
{
    return weight > 0;
}
/* x within 0..most, for most - x within an int32_t; no branch. */
static inline int32_t private_within(int32_t x, int32_t most)
{
    int32_t over = (x & ~(x >> 31)) - most;
    return most + (over & over >> 31);
}
/* A cell within its bounds; one that is not a number is min. No branch. */
double private_clamp(double cell, struct private_bounds bounds);

#endif
