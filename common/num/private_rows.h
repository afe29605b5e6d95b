/* Rows as short vectors of integers: standardised by public numbers, cut off at a public
 * length.
 *
 * z = (1, (x_1 - shift_1) scale_1, .., (x_d - shift_d) scale_d [, the target likewise]), cells
 * first clamped to their bounds, times PRIVATE_ROW_STEPS / length; a vector that is longer than
 * PRIVATE_ROW_STEPS is shortened to it, and every number is cut off towards 0. So for every row
 * there can be, exactly and in integers,
 *     sum z^2 <= R^2 (length in squares), or sum |z| <= R (in absolutes), R =
 * PRIVATE_ROW_STEPS: factors are rounded by at most 2^-50 of R^2, which is less than the next
 * integer is away. A row of weight 0 is all zeros. Nothing here is released; what is made of it
 * is. Leaks: the shapes. */
#ifndef COMMON_NUM_PRIVATE_ROWS_H
#define COMMON_NUM_PRIVATE_ROWS_H

#include "common/num/private_moments.h"

enum {
    PRIVATE_ROW_STEPS = 1 << 12,
    PRIVATE_TILE_ROWS = 32,
    PRIVATE_WIDTH_MAX = PRIVATE_COLUMNS_MAX + 2
};

/* How rows are seen; public, from options and released numbers. */
struct private_view {
    size_t n_columns;
    bool target;                         /* the last number of z is the target */
    bool absolutes;                      /* how length is measured */
    double length;                       /* in standardised units */
    const struct private_bounds *bounds; /* n_columns, and one for the target */
    const double *shift, *scale;         /* likewise */
};
static inline size_t private_view_width(const struct private_view *v)
{
    return 1 + v->n_columns + (v->target ? 1 : 0);
}
struct private_tile {
    size_t n;                                        /* rows of the tile */
    int32_t z[PRIVATE_WIDTH_MAX][PRIVATE_TILE_ROWS]; /* rows past n are zeros */
};
/* Rows first .. first + PRIVATE_TILE_ROWS of a block, as far as there are. */
void private_tile_make(const struct private_view *view, const struct num_block *block,
                       size_t first, struct private_tile *tile);

/* Shifts and scales that make numbers comparable, and the number of rows, as released.
 *   PRIVATE_SCALE_ROWS    (x - mean) / deviation of all rows, from private_moments.h
 *   PRIVATE_SCALE_BOUNDS  the middle of the bounds and half their width, which cost nothing
 *   PRIVATE_SCALE_CHOSEN  the former where the number of rows is far above the noise, released
 *                         first: below that, means and deviations are mostly noise
 * Takes an eighth of `amount` for the number of rows, the rest for moments if wanted; `spent`
 * says how much it was.
 *   shift, scale  n_columns, and one more with a target; lent
 *   bounds        likewise
 * APEX_E_USAGE (NUM_OPTION): n_columns is not that of the rows; private_moments.h. */
enum private_scaling { PRIVATE_SCALE_CHOSEN, PRIVATE_SCALE_ROWS, PRIVATE_SCALE_BOUNDS };
struct private_view_options {
    size_t n_columns;
    bool target;
    enum private_scaling scaling;
    const struct private_bounds *bounds;
};
struct private_view_found {
    double *shift, *scale, count;
    uint64_t spent;
};
apex_status private_view_fit(const struct num_source *rows,
                             const struct private_view_options *options, uint64_t amount,
                             struct private_run *run, struct private_view_found *found,
                             struct num_place *place);

#endif
