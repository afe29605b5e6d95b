/* The cells of a private tree, between private_tree.c, which counts them, and
 * private_tree_cells.c, which works on released counts alone. */
#ifndef COMMON_NUM_PRIVATE_TREE_CELLS_H
#define COMMON_NUM_PRIVATE_TREE_CELLS_H

#include "common/num/private_tree.h"

enum { CELL_NONE = 0 }; /* the root is nobody's child */

/* Cells lie level after level, children of one cell side by side. */
struct cell {
    uint32_t code;  /* among the cells of its level */
    uint32_t child; /* the first of 2^d, or CELL_NONE */
    double count, variance;
};
struct tree {
    const struct private_tree_options *options;
    size_t d, fan, cells_max;
    unsigned depth;
    size_t n, room;
    struct cell *cells;
    size_t first; /* of the level in hand; it goes to the end */
};

/* Makes the released counts consistent and none negative. */
void tree_settle(struct tree *t);
/* The leaves above 0. `p` is zeroed; what it holds is freed by private_points_free. */
apex_status tree_points(const struct tree *t, struct private_points *p);

#endif
