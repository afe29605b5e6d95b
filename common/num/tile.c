#include "common/num/tile.h"

#include "common/num/simd.h"

#include <math.h>
#include <stdbool.h>
#if SIMD_X86
#include <immintrin.h>
#endif

/* Rows of the triangle are taken DOWN at a time: a triangle of them on the diagonal, then tiles
 * of DOWN x ACROSS to its right. 24 sums and what they are made of fit 32 registers. */
enum { DOWN = 6, ACROSS = 4 };

#define INLINE static inline __attribute__((always_inline))

struct tile {
    const double *left, *right; /* first column of either side */
    size_t rows;
    double *sum[DOWN]; /* lanes of the first entry of each row of the tile */
};

#if SIMD_X86

INLINE SIMD_512 void rectangle_512(const struct tile *t, size_t across)
{
    __m512d sum[DOWN][ACROSS];
#pragma GCC unroll 8
    for (size_t i = 0; i < DOWN; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < across; j++)
            sum[i][j] = _mm512_load_pd(t->sum[i] + TILE_LANES * j);
    for (size_t r = 0; r < t->rows; r += TILE_LANES) {
        __m512d left[DOWN];
#pragma GCC unroll 8
        for (size_t i = 0; i < DOWN; i++)
            left[i] = _mm512_load_pd(t->left + i * TILE_ROWS + r);
#pragma GCC unroll 8
        for (size_t j = 0; j < across; j++) {
            __m512d right = _mm512_load_pd(t->right + j * TILE_ROWS + r);
#pragma GCC unroll 8
            for (size_t i = 0; i < DOWN; i++)
                sum[i][j] = _mm512_fmadd_pd(left[i], right, sum[i][j]);
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < DOWN; i++)
#pragma GCC unroll 8
        for (size_t j = 0; j < across; j++)
            _mm512_store_pd(t->sum[i] + TILE_LANES * j, sum[i][j]);
}

INLINE SIMD_512 void triangle_512(const struct tile *t, size_t down)
{
    __m512d sum[DOWN][DOWN];
#pragma GCC unroll 8
    for (size_t i = 0; i < down; i++)
#pragma GCC unroll 8
        for (size_t j = i; j < down; j++)
            sum[i][j] = _mm512_load_pd(t->sum[i] + TILE_LANES * (j - i));
    for (size_t r = 0; r < t->rows; r += TILE_LANES) {
        __m512d column[DOWN];
#pragma GCC unroll 8
        for (size_t i = 0; i < down; i++)
            column[i] = _mm512_load_pd(t->left + i * TILE_ROWS + r);
#pragma GCC unroll 8
        for (size_t i = 0; i < down; i++)
#pragma GCC unroll 8
            for (size_t j = i; j < down; j++)
                sum[i][j] = _mm512_fmadd_pd(column[i], column[j], sum[i][j]);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < down; i++)
#pragma GCC unroll 8
        for (size_t j = i; j < down; j++)
            _mm512_store_pd(t->sum[i] + TILE_LANES * (j - i), sum[i][j]);
}

#define TRIANGLE_512(n)                                                                        \
    case n: triangle_512(t, n); return
SIMD_512 static void diagonal_512(const struct tile *t, size_t down)
{
    switch (down) {
        TRIANGLE_512(1);
        TRIANGLE_512(2);
        TRIANGLE_512(3);
        TRIANGLE_512(4);
        TRIANGLE_512(5);
    default: triangle_512(t, 6);
    }
}

SIMD_512 static void beside_512(const struct tile *t, size_t across)
{
    switch (across) {
    case 1: rectangle_512(t, 1); return;
    case 2: rectangle_512(t, 2); return;
    case 3: rectangle_512(t, 3); return;
    default: rectangle_512(t, 4);
    }
}

/* 16 registers: one half of the lanes at a time, and at most 6 x 2 sums. */
INLINE SIMD_256 void strip_256(const struct tile *t, size_t down, size_t across)
{
    for (size_t half = 0; half < TILE_LANES; half += 4) {
        __m256d sum[DOWN][2];
#pragma GCC unroll 8
        for (size_t i = 0; i < down; i++)
#pragma GCC unroll 8
            for (size_t j = 0; j < across; j++)
                sum[i][j] = _mm256_load_pd(t->sum[i] + TILE_LANES * j + half);
        for (size_t r = half; r < t->rows; r += TILE_LANES) {
            __m256d right[2];
#pragma GCC unroll 8
            for (size_t j = 0; j < across; j++)
                right[j] = _mm256_load_pd(t->right + j * TILE_ROWS + r);
#pragma GCC unroll 8
            for (size_t i = 0; i < down; i++) {
                __m256d left = _mm256_load_pd(t->left + i * TILE_ROWS + r);
#pragma GCC unroll 8
                for (size_t j = 0; j < across; j++)
                    sum[i][j] = _mm256_fmadd_pd(left, right[j], sum[i][j]);
            }
        }
#pragma GCC unroll 8
        for (size_t i = 0; i < down; i++)
#pragma GCC unroll 8
            for (size_t j = 0; j < across; j++)
                _mm256_store_pd(t->sum[i] + TILE_LANES * j + half, sum[i][j]);
    }
}

/* Columns of the triangle: the one at j has the rows 0..j above it. */
SIMD_256 static void diagonal_256(const struct tile *t, size_t down)
{
    for (size_t j = 0; j < down; j++) {
        struct tile column = *t;
        column.right = t->left + j * TILE_ROWS;
        for (size_t i = 0; i <= j; i++)
            column.sum[i] = t->sum[i] + TILE_LANES * (j - i);
        switch (j) {
        case 0: strip_256(&column, 1, 1); break;
        case 1: strip_256(&column, 2, 1); break;
        case 2: strip_256(&column, 3, 1); break;
        case 3: strip_256(&column, 4, 1); break;
        case 4: strip_256(&column, 5, 1); break;
        default: strip_256(&column, 6, 1);
        }
    }
}

SIMD_256 static void beside_256(const struct tile *t, size_t across)
{
    struct tile part = *t;
    for (size_t j = 0; j < across; j += 2) {
        if (across - j >= 2)
            strip_256(&part, DOWN, 2);
        else
            strip_256(&part, DOWN, 1);
        part.right += 2 * TILE_ROWS;
        for (size_t i = 0; i < DOWN; i++)
            part.sum[i] += 2 * TILE_LANES;
    }
}

#endif

static void products_any(const double *left, const double *right, size_t rows, double *sum)
{
    for (size_t r = 0; r < rows; r += TILE_LANES)
        for (size_t l = 0; l < TILE_LANES; l++)
            sum[l] = fma(left[r + l], right[r + l], sum[l]);
}

static void diagonal_any(const struct tile *t, size_t down)
{
    for (size_t i = 0; i < down; i++)
        for (size_t j = i; j < down; j++)
            products_any(t->left + i * TILE_ROWS, t->left + j * TILE_ROWS, t->rows,
                         t->sum[i] + TILE_LANES * (j - i));
}

static void beside_any(const struct tile *t, size_t across)
{
    for (size_t i = 0; i < DOWN; i++)
        for (size_t j = 0; j < across; j++)
            products_any(t->left + i * TILE_ROWS, t->right + j * TILE_ROWS, t->rows,
                         t->sum[i] + TILE_LANES * j);
}

struct level {
    void (*diagonal)(const struct tile *t, size_t down);
    void (*beside)(const struct tile *t, size_t across);
};

static struct level level_here(void)
{
#if SIMD_X86
    switch (simd_level()) {
    case SIMD_LEVEL_512: return (struct level){diagonal_512, beside_512};
    case SIMD_LEVEL_256: return (struct level){diagonal_256, beside_256};
    default: break;
    }
#endif
    return (struct level){diagonal_any, beside_any};
}

void tile_add(const double *columns, size_t n, size_t rows, double *lanes)
{
    const struct level level = level_here();
    for (size_t i = 0; i < n; i += DOWN) {
        size_t down = n - i < DOWN ? n - i : DOWN;
        struct tile t = {.left = columns + i * TILE_ROWS, .rows = rows};
        for (size_t k = 0; k < down; k++)
            t.sum[k] = lanes + TILE_LANES * tile_at(n, i + k, i + k);
        level.diagonal(&t, down);
        for (size_t j = i + DOWN; j < n; j += ACROSS) {
            t.right = columns + j * TILE_ROWS;
            for (size_t k = 0; k < DOWN; k++)
                t.sum[k] = lanes + TILE_LANES * tile_at(n, i + k, j);
            level.beside(&t, n - j < ACROSS ? n - j : ACROSS);
        }
    }
}

void tile_sum(const double *lanes, size_t entries, double *sums)
{
    for (size_t e = 0; e < entries; e++) {
        const double *l = lanes + TILE_LANES * e;
        sums[e] = ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
    }
}

/* By instruction: the C library's checks the sign with a branch. */
#if SIMD_X86
SIMD_512 static void sqrt_512(double *numbers, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm512_store_pd(numbers + i, _mm512_sqrt_pd(_mm512_load_pd(numbers + i)));
}

static void sqrt_any(double *numbers, size_t n)
{
    for (size_t i = 0; i < n; i += 2)
        _mm_store_pd(numbers + i, _mm_sqrt_pd(_mm_load_pd(numbers + i)));
}
#else
static void sqrt_any(double *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = sqrt(numbers[i]);
}
#endif

void tile_sqrt(double *numbers, size_t n)
{
#if SIMD_X86
    if (simd_level() == SIMD_LEVEL_512) {
        sqrt_512(numbers, n);
        return;
    }
#endif
    sqrt_any(numbers, n);
}
