/* Means and population standard deviations of columns, in one pass over blocks.
 *
 * A partial or total holds standard_len(d) doubles: the weight, d means, d sums of w (x -
 * mean)^2; made block by block about the block's own mean and merged by the exact update, as in
 * common/num/gram.h. A column that is constant but for rounding (sd <= 16 units in the last
 * place of its mean) gets sd 1, so that standardised it is 0. Rows of weight 0 count for
 * nothing. A total begins zeroed.
 * standard_fit: APEX_E_USAGE: no columns; APEX_E_DATA with NUM_NO_ROWS, or with NUM_RANGE at a
 * column whose squares overflow; APEX_E_MEMORY, APEX_E_LIMIT. Leaks: the shapes, and which of
 * these statuses. */
#ifndef COMMON_NUM_STANDARD_H
#define COMMON_NUM_STANDARD_H

#include "common/num/block.h"
#include "common/num/fault.h"
#include "include/apex/status.h"

#include <stddef.h>

static inline size_t standard_len(size_t d)
{
    return 1 + 2 * d;
}
/* Scratch of one thread, 64-byte aligned: BLOCK_ROWS doubles. */
void standard_partial(const struct num_block *block, double *scratch, double *partial);
void standard_merge(size_t d, double *total, const double *partial);
/* mean and sd: d each. */
apex_status standard_finish(size_t d, const double *total, double *mean, double *sd,
                            struct num_place *place);
apex_status standard_fit(unsigned threads, const struct num_source *source, double *mean,
                         double *sd, struct num_place *place);

/* Of one column: all ones where it is not constant as described above, else 0; and its standard
 * deviation, 1 where it is constant. */
uint64_t standard_varies(double mean, double squares, double weight);
double standard_deviation(double mean, double squares, double weight);

#endif
