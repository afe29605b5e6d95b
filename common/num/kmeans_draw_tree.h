/* The passes of kmeans_draw.h on boxes of rows: the same bytes, for rows that a candidate is
 * too far from to change are left out in whole boxes. Not oblivious. For kmeans_seed.c, beside
 * the draw it was made for, whose shares and sums it keeps up to date.
 *
 * No row of a box is nearer to a candidate than the box is, in rounded numbers too: differences
 * are exact, and squares and sums round in order. Sums of shares are whole numbers of units
 * (kmeans_draw.h), so what changes is added and taken off. Leaks: rows, through branches and
 * addresses. */
#ifndef COMMON_NUM_KMEANS_DRAW_TREE_H
#define COMMON_NUM_KMEANS_DRAW_TREE_H

#include "common/num/kmeans_draw.h"

struct draw_tree;
/* Weights and coordinates of the draw are in place; d <= ORDER_DIMS_MAX. APEX_E_MEMORY,
 * APEX_E_LIMIT. */
apex_status draw_tree_new(struct kmeans_draw *draw, struct draw_tree **tree);
void draw_tree_free(struct draw_tree *tree);
/* As kmeans_draw_pair, _try and _take. */
void draw_tree_pair(const struct draw_tree *tree, const double unit[2], double *candidate);
void draw_tree_try(const struct draw_tree *tree, const double *candidate, double left[2]);
void draw_tree_take(struct draw_tree *tree, const double *centroid, bool first);

#endif
