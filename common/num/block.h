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

#include "include/apex/status.h"

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

/* Where a kernel finds its rows, block after block, as often as it has passes. block() fills
 * `out` with block `index`, valid until the same thread asks for its next one; it may be asked
 * by several threads at once, in any order, and gives the same rows each time. */
struct num_source {
    size_t n_rows, n_columns, n_blocks;
    void (*block)(void *context, size_t index, unsigned thread, struct num_block *out);
    void *context;
};

/* Rows that lie in plain arrays. Whole blocks of 64-byte aligned arrays are used in place,
 * others are copied to a room per thread. The arrays and the list of columns (not the struct)
 * outlive the source. */
struct num_arrays {
    size_t n_rows, n_columns;
    const double *const *column; /* n_columns arrays of n_rows */
    const double *weight;        /* n_rows, or NULL: 1 each */
    const double *target;        /* n_rows, or NULL */
    const uint32_t *label;       /* n_rows, or NULL */
};
/* APEX_E_MEMORY, APEX_E_LIMIT. */
apex_status num_source_of_arrays(const struct num_arrays *arrays, struct num_source *source);
void num_source_of_arrays_free(struct num_source *source);

#endif
