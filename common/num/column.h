/* Bodies that kernels over columns share: sums in a fixed number of lanes, so that a vector of
 * any width gives the same bytes, and weights that are 0 behind the last row. For inclusion in
 * a kernel's .c file; see simd.h. Rows come in multiples of COLUMN_LANES. Leaks: the lengths.
 */
#ifndef COMMON_NUM_COLUMN_H
#define COMMON_NUM_COLUMN_H

#include "common/num/block.h"
#include "common/num/exact_inline.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COLUMN_INLINE static inline __attribute__((always_inline, unused))
#define COLUMN_RESTRICT __restrict__

enum { COLUMN_LANES = 32 };

/* n rows and what it takes to a multiple of the lanes; at most BLOCK_ROWS for a block. */
COLUMN_INLINE size_t column_rows(size_t n)
{
    return (n + COLUMN_LANES - 1) / COLUMN_LANES * COLUMN_LANES;
}

/* A copy with zeros behind row n. */
COLUMN_INLINE void column_pad(const double *from, size_t n, double *COLUMN_RESTRICT to)
{
    memcpy(to, from, n * sizeof *to);
    memset(to + n, 0, (column_rows(n) - n) * sizeof *to);
}

COLUMN_INLINE double column_fold(double lane[COLUMN_LANES])
{
    for (size_t half = COLUMN_LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

COLUMN_INLINE double column_sum(const double *x, size_t rows)
{
    double lane[COLUMN_LANES] = {0};
    for (size_t r = 0; r < rows; r += COLUMN_LANES)
        for (size_t l = 0; l < COLUMN_LANES; l++)
            lane[l] += x[r + l];
    return column_fold(lane);
}

COLUMN_INLINE double column_dot(const double *x, const double *y, size_t rows)
{
    double lane[COLUMN_LANES] = {0};
    for (size_t r = 0; r < rows; r += COLUMN_LANES)
        for (size_t l = 0; l < COLUMN_LANES; l++)
            lane[l] += x[r + l] * y[r + l];
    return column_fold(lane);
}

/* x where the row counts, else 0: a cell of a row that does not may be so large that what is
 * made of it is no number, which times 0 would still be none. */
COLUMN_INLINE double column_counted(double weight, double x)
{
    return exact_select(exact_mask(weight > 0.0), x, 0.0);
}

/* sums[0] = sum of w (x - mean), sums[1] = sum of w (x - mean)^2. */
COLUMN_INLINE void column_moments(const double *x, const double *weight, double mean,
                                  size_t rows, double sums[2])
{
    double first[COLUMN_LANES] = {0}, second[COLUMN_LANES] = {0};
    for (size_t r = 0; r < rows; r += COLUMN_LANES)
        for (size_t l = 0; l < COLUMN_LANES; l++) {
            double z = column_counted(weight[r + l], x[r + l] - mean), wz = weight[r + l] * z;
            first[l] += wz;
            second[l] += wz * z;
        }
    sums[0] = column_fold(first);
    sums[1] = column_fold(second);
}

COLUMN_INLINE void column_pad_labels(const uint32_t *from, size_t n,
                                     uint32_t *COLUMN_RESTRICT to)
{
    memcpy(to, from, n * sizeof *to);
    memset(to + n, 0, (column_rows(n) - n) * sizeof *to);
}

/* The weight of the rows of one class. */
COLUMN_INLINE double column_class_sum(const uint32_t *label, uint32_t class,
                                      const double *weight, size_t rows)
{
    double lane[COLUMN_LANES] = {0};
    for (size_t r = 0; r < rows; r += COLUMN_LANES)
        for (size_t l = 0; l < COLUMN_LANES; l++)
            lane[l] += exact_select(exact_mask(label[r + l] == class), weight[r + l], 0.0);
    return column_fold(lane);
}

/* out[r] = constant + sum_j factor_j (column_j[from + r] - mean_j), columns added in order. */
COLUMN_INLINE void column_affine(const double *const *column, size_t d, const double *mean,
                                 const double *factor, double constant, size_t from,
                                 size_t rows, double *COLUMN_RESTRICT out)
{
    size_t j = 0;
    for (size_t r = 0; r < rows; r++)
        out[r] = constant;
    for (; j + 4 <= d; j += 4) {
        const double *a = column[j] + from, *b = column[j + 1] + from;
        const double *c = column[j + 2] + from, *e = column[j + 3] + from;
        const double am = mean[j], bm = mean[j + 1], cm = mean[j + 2], em = mean[j + 3];
        const double af = factor[j], bf = factor[j + 1], cf = factor[j + 2], ef = factor[j + 3];
        for (size_t r = 0; r < rows; r++)
            out[r] = (((out[r] + af * (a[r] - am)) + bf * (b[r] - bm)) + cf * (c[r] - cm)) +
                     ef * (e[r] - em);
    }
    for (; j < d; j++) {
        const double *a = column[j] + from, am = mean[j], af = factor[j];
        for (size_t r = 0; r < rows; r++)
            out[r] += af * (a[r] - am);
    }
}

#endif
