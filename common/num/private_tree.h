/* A private map of where rows lie, in 2 or 3 dimensions: a tree of cells with noisy counts, as
 * weighted points.
 *
 * The box of the bounds is halved along every dimension into 2^d cells, these again, `depth`
 * times at most. Level after level the children of the cells worth splitting are counted. A row
 * is in one cell of a level at most, so a level is one release of counts: l1 = 1, l2^2 = 1.
 * Which cells are split is decided by earlier releases, and levels add up (private_budget.h);
 * what is not spent because no cell is left to split stays in the budget. Budget: a sixteenth
 * of `amount` for the number of rows, the rest by level, each level 2^(1/2) as much as the one
 * above it.
 *
 * After the release (post-processing): counts are made consistent (a cell is the sum of its
 * children) by the least squares estimate given each release's variance, and none negative:
 * what a cell's children lack or have too much is shared among those above 0, and leaves with
 * less than three deviations of their noise are taken for empty where a sibling is not. Each
 * leaf becomes a point in its middle with its count as weight. Rows outside the bounds count in
 * the cell at the edge. A row's place does not show in addresses: it is compared with every
 * cell of the level.
 *
 * APEX_E_USAGE: NUM_OPTION: 0 columns (d not 2 or 3, or more than the rows'); 1 depth above
 * PRIVATE_DEPTH_MAX[d]; 2 cells_max below 2^d or above 65536. NUM_RANGE: bounds. APEX_E_MEMORY,
 * private_release.h. Leaks: rows, options; released integers (and so which cells there are).
 * Sources: Cormode, Procopiuc, Srivastava, Shen and Yu, Differentially private spatial
 * decompositions, ICDE 2012 (levels' budgets); Hay, Rastogi, Miklau and Suciu, Boosting the
 * accuracy of differentially private histograms through consistency, VLDB 2010, generalised to
 * variances that differ by level and leaves that do. */
#ifndef COMMON_NUM_PRIVATE_TREE_H
#define COMMON_NUM_PRIVATE_TREE_H

#include "common/num/private_count.h"

enum { PRIVATE_TREE_DIMS_MAX = 3, PRIVATE_CELLS_MAX = 65536 };
static const unsigned PRIVATE_DEPTH_MAX[PRIVATE_TREE_DIMS_MAX + 1] = {0, 0, 15, 10};

struct private_tree_options {
    size_t d; /* the first columns of the rows */
    const struct private_bounds *bounds;
    unsigned depth;   /* 0: chosen from the released number of rows and the budget */
    size_t cells_max; /* counted on one level; 0: 4096 */
};
/* Ours; freed by private_points_free. */
struct private_points {
    size_t n, d;
    double *column[PRIVATE_TREE_DIMS_MAX]; /* n each, inside the bounds */
    double *weight;                        /* n, above 0 */
    double total;                          /* their sum: the number of rows, nearly */
    unsigned depth;                        /* levels that were released */
};
apex_status private_tree_fit(const struct num_source *rows,
                             const struct private_tree_options *options, uint64_t amount,
                             struct private_run *run, struct private_points **points,
                             struct num_place *place);
void private_points_free(struct private_points *points);

/* The exact integers of one level: rows per cell of a list. A cell's code: bit b of
 * coordinate j's place among 2^level is bit d b + j. */
struct private_level {
    const struct private_tree_options *options;
    unsigned level;
    size_t n_cells;
    const uint32_t *codes;
};
void private_level_add(const void *level, const struct num_block *block, int64_t *values);

#endif
