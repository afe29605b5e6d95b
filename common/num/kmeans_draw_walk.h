/* The tree of kmeans_draw_tree.h and the walks down it, one per instruction level: for
 * kmeans_draw_tree.c and kmeans_draw_walk.c alone. */
#ifndef COMMON_NUM_KMEANS_DRAW_WALK_H
#define COMMON_NUM_KMEANS_DRAW_WALK_H

#include "common/num/kmeans_boxes.h"
#include "common/num/kmeans_draw.h"
#include "common/num/vec.h"

enum { DRAW_BLOCK = 64 * DRAW_LANES }; /* rows whose lanes are summed, to find one drawn */

struct draw_tree {
    struct kmeans_draw *draw;
    struct order_rows rows; /* those with a weight, and their numbers in the draw */
    struct boxes boxes;
    /* By place in the order, zeros at the end. */
    double *near;   /* squared distance to the nearest centroid; without weights it is `left` */
    double *weight; /* or NULL: 1 each */
    double *left;   /* near times weight: the share */
    double *most[BOXES_LEVELS_MAX]; /* the greatest `near` of each node */
    double *leaf_sum;               /* shares, in the draw's units, as all sums */
    double *block_sum;              /* blocks of the draw's rows x DRAW_LANES */
    size_t n_blocks;
};

/* By how much a candidate would make the sum of all shares less. */
double draw_walk_try(const struct draw_tree *t, const double *candidate);
/* Shares are what they are with one more centroid. */
void draw_walk_take(struct draw_tree *t, const double *centroid);

#endif
