/* Exact sums of a tile of rows, class by class, in words of 64 bits.
 *
 * Per row and pair of coordinates there are four words: the two squares, and
 *     x word = x + 2^31 | (x^2 >> 56) << 40 | 1 << 55     the 1 counts rows
 *     y word = y + 2^31 | (y^2 >> 56) << 40
 * so that one masked addition each sums them over at most 256 rows without a carry from field
 * to field: 2^8 coordinates stay below 2^40, 2^8 tops of squares (at most 2^6) below 2^15.
 * Squares are summed modulo 2^64; the sum of their tops, times 2^56, is at most 2^64 below the
 * true sum, which names it. Lanes are unpacked tile by tile into sums that cannot overflow. */
#ifndef COMMON_NUM_BAYES_TILE_H
#define COMMON_NUM_BAYES_TILE_H

#include <stddef.h>
#include <stdint.h>

enum {
    BAYES_ROWS = 1024,
    BAYES_LANE_ROWS = 256,
    BAYES_LANES = 8,   /* at most */
    BAYES_CLASSES = 4, /* classes taken at once: sums have room for a multiple of it */
    BAYES_SUMS = 7,    /* rows, x, y, low and high half of x^2, the same of y^2 */
};
struct bayes_tile {
    size_t n; /* rows, a multiple of 32; those that do not count have label -1 */
    _Alignas(64) int64_t label[BAYES_ROWS];
    _Alignas(64) uint64_t x[BAYES_ROWS], y[BAYES_ROWS], xx[BAYES_ROWS], yy[BAYES_ROWS];
};
/* sums: classes x BAYES_SUMS x BAYES_LANES, 64-byte aligned. */
void bayes_tile_fill(struct bayes_tile *t, const int32_t *x, const int32_t *y, size_t n);
void bayes_tile_add(const struct bayes_tile *t, size_t n_classes, uint64_t *sums);

#endif
