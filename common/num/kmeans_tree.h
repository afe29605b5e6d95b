/* A round of k-means that looks at boxes of rows instead of rows, exact all the same: for
 * kmeans.c, which chooses it with KMEANS_PRUNED. Not oblivious.
 *
 * Rows with a weight are copied, ordered along a Hilbert curve, and put into leaves of
 * TREE_LEAF rows; VEC nodes make one of the next level. A node knows its bounding box and what
 * its rows sum to. A round goes down with the centroids that may be nearest to some row of a
 * box; where one is left, the node's sums are its own.
 *
 * A score (kmeans.h) is a linear function of the row. So over a box, how much less good
 * centroid c is than a is least in a corner, and c is left out if even that is more than what
 * scores can be wrong by from rounding: then no row of the box, as kmeans_kernel.h scores it,
 * prefers c. In a leaf the same operations find the same centroid. Sums are whole numbers. So
 * all that comes out has the bytes of the other ways.
 *
 * Leaks: the rows' geometry and weights, through branches and addresses, to who sees either.
 * Sources: Kanungo, Mount, Netanyahu, Piatko, Silverman and Wu, An efficient k-means clustering
 * algorithm: analysis and implementation, IEEE PAMI 24(7), 2002 (the filter; there on a k-d
 * tree); Kamel and Faloutsos, Hilbert R-tree, VLDB 1994 (the tree). */
#ifndef COMMON_NUM_KMEANS_TREE_H
#define COMMON_NUM_KMEANS_TREE_H

#include "common/num/kmeans_order.h"
#include "common/num/kmeans_step.h"

struct kmeans_tree;
/* Whether rows of d columns may be put into a tree: d <= ORDER_DIMS_MAX, n <= UINT32_MAX. */
bool kmeans_tree_fits(const struct kmeans_source *source);
/* Reads all chunks once; nothing of the source is kept. APEX_E_USAGE, NUM_OPTION 4: chunks do
 * not add up to n rows, or some have weights and others none. APEX_E_MEMORY, APEX_E_LIMIT, and
 * what chunk() answers. Memory: while it is made two copies of the rows and 2 bytes a row, then
 * one and, for d = 2, 2 bytes a row. */
apex_status kmeans_tree_new(const struct kmeans_source *source, size_t k, bool weighted,
                            unsigned threads, struct kmeans_tree **tree,
                            struct num_place *place);
void kmeans_tree_free(struct kmeans_tree *tree);
/* What kmeans_partial adds up over all chunks. */
void kmeans_tree_sum(struct kmeans_tree *tree, const struct kmeans_table *table,
                     struct kmeans_sums *sums);

#endif
