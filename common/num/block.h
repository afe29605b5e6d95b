/* Rows as kernels see them: a block of at most BLOCK_ROWS rows, column by column, as doubles.
 *
 * Blocks are cut at multiples of BLOCK_ROWS of the rows' number in the whole, whatever the
 * chunks or tables they came in, and partial sums are merged in block order: so neither threads
 * nor chunks show in a sum of doubles. Columns are 64-byte aligned with room for BLOCK_ROWS
 * numbers each; those after row n are finite and count for nothing. A row that does not count
 * (a cell is missing, another split) has weight 0 and finite cells: leaving it out would show
 * in addresses. */
#ifndef COMMON_NUM_BLOCK_H
#define COMMON_NUM_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK_ROWS = 4096 };

struct num_block {
    size_t n, n_columns;         /* rows, features */
    const double *const *column; /* n_columns pointers */
    const double *weight;        /* n: 0 or more; never NULL */
    const double *target;        /* n: regression, or NULL */
    const uint32_t *label;       /* n: classification, below the number of classes (rows of
                                    weight 0 too), or NULL */
};

#endif
