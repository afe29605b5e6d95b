/* The inner loop of all least squares: X'X of a few hundred rows, column by column.
 *
 * Sums are kept in 8 lanes (row r adds to lane r mod 8, by a fused multiply-add), so that a
 * vector of any width gives the same bytes. Entry (i, j) with i <= j < n lies at
 * tile_at(n, i, j). Leaks: the shapes. (Where a processor has no fused multiply-add, the C
 * library's stands in, correct but slow and not without branches.) */
#ifndef COMMON_NUM_TILE_H
#define COMMON_NUM_TILE_H

#include <stddef.h>

enum { TILE_LANES = 8, TILE_ROWS = 256 };

/* The upper triangle of an n x n matrix, row by row. */
static inline size_t tile_at(size_t n, size_t i, size_t j)
{
    return i * n - i * (i + 1) / 2 + j;
}
static inline size_t tile_entries(size_t n)
{
    return n * (n + 1) / 2;
}

/* Adds the products of `columns` (n columns of TILE_ROWS rows each, 64-byte aligned; those
 * after `rows`, a multiple of TILE_LANES, do not count) to `lanes`: tile_entries(n) times
 * TILE_LANES, 64-byte aligned. */
void tile_add(const double *columns, size_t n, size_t rows, double *lanes);
/* The lanes of `entries` numbers summed pairwise; `sums` may be where the lanes begin. */
void tile_sum(const double *lanes, size_t entries, double *sums);
/* Square roots of n numbers, n a multiple of TILE_LANES, in place, 64-byte aligned. */
void tile_sqrt(double *numbers, size_t n);

#endif
