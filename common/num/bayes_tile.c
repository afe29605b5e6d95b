#include "common/num/bayes_tile.h"

#include "common/num/simd.h"

#include <string.h>

enum { TOP_AT = 40, ROW_AT = 55, TOP_SHIFT = 56 };
#define X_MASK ((UINT64_C(1) << TOP_AT) - 1)
#define TOP_MASK ((UINT64_C(1) << (ROW_AT - TOP_AT)) - 1)
#define HALF_MASK UINT64_C(0xffffffff)
#define BIAS INT64_C(0x80000000)

static inline __attribute__((always_inline)) void words_fill(const int32_t *restrict x,
                                                             size_t n, uint64_t row,
                                                             uint64_t *restrict word,
                                                             uint64_t *restrict square)
{
    for (size_t i = 0; i < n; i++) {
        int64_t wide = x[i];
        uint64_t squared = (uint64_t)(wide * wide);
        word[i] = (uint64_t)(wide + BIAS) | (squared >> TOP_SHIFT) << TOP_AT | row;
        square[i] = squared;
    }
}

static inline __attribute__((always_inline)) void fill(struct bayes_tile *t, const int32_t *x,
                                                       const int32_t *y, size_t n)
{
    words_fill(x, n, UINT64_C(1) << ROW_AT, t->x, t->xx);
    if (y) words_fill(y, n, 0, t->y, t->yy);
}
#if SIMD_X86
SIMD_512 static void fill_512(struct bayes_tile *t, const int32_t *x, const int32_t *y,
                              size_t n)
{
    fill(t, x, y, n);
}
SIMD_256 static void fill_256(struct bayes_tile *t, const int32_t *x, const int32_t *y,
                              size_t n)
{
    fill(t, x, y, n);
}
#endif

void bayes_tile_fill(struct bayes_tile *t, const int32_t *x, const int32_t *y, size_t n)
{
    t->n = (n + 31) / 32 * 32;
    if (!y) {
        memset(t->y, 0, sizeof t->y);
        memset(t->yy, 0, sizeof t->yy);
    }
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        fill_512(t, x, y, n);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        fill_256(t, x, y, n);
        return;
    }
#endif
    fill(t, x, y, n);
}

/* One lane's words of one class into its sums, `lanes` apart. */
static void lane_unpack(const uint64_t word[4], uint64_t *sums)
{
    uint64_t top_x = word[0] >> TOP_AT & TOP_MASK, top_y = word[1] >> TOP_AT & TOP_MASK;
    uint64_t rest_x = word[2] - (top_x << TOP_SHIFT), rest_y = word[3] - (top_y << TOP_SHIFT);
    sums[0 * BAYES_LANES] += word[0] >> ROW_AT;
    sums[1 * BAYES_LANES] += word[0] & X_MASK;
    sums[2 * BAYES_LANES] += word[1] & X_MASK;
    sums[3 * BAYES_LANES] += rest_x & HALF_MASK;
    sums[4 * BAYES_LANES] += (top_x << 24) + (rest_x >> 32);
    sums[5 * BAYES_LANES] += rest_y & HALF_MASK;
    sums[6 * BAYES_LANES] += (top_y << 24) + (rest_y >> 32);
}

static void add_any(const struct bayes_tile *t, size_t n_classes, uint64_t *sums)
{
    for (size_t c = 0; c < n_classes; c++, sums += BAYES_SUMS * BAYES_LANES)
        for (size_t first = 0; first < t->n; first += BAYES_LANE_ROWS) {
            size_t end = first + BAYES_LANE_ROWS < t->n ? first + BAYES_LANE_ROWS : t->n;
            uint64_t word[4] = {0};
            for (size_t i = first; i < end; i++) {
                uint64_t mask = (uint64_t)0 - (uint64_t)(t->label[i] == (int64_t)c);
                word[0] += t->x[i] & mask;
                word[1] += t->y[i] & mask;
                word[2] += t->xx[i] & mask;
                word[3] += t->yy[i] & mask;
            }
            lane_unpack(word, sums);
        }
}

#if SIMD_X86
#include <immintrin.h>

/* The same as lane_unpack, for all lanes. */
SIMD_512 static inline __attribute__((always_inline)) void unpack_512(const __m512i word[4],
                                                                      uint64_t *sums)
{
    const __m512i top_mask = _mm512_set1_epi64((long long)TOP_MASK),
                  x_mask = _mm512_set1_epi64((long long)X_MASK),
                  half = _mm512_set1_epi64((long long)HALF_MASK);
    __m512i part[BAYES_SUMS];
    part[0] = _mm512_srli_epi64(word[0], ROW_AT);
    for (int k = 0; k < 2; k++) {
        __m512i top = _mm512_and_si512(_mm512_srli_epi64(word[k], TOP_AT), top_mask);
        __m512i rest = _mm512_sub_epi64(word[2 + k], _mm512_slli_epi64(top, TOP_SHIFT));
        part[1 + k] = _mm512_and_si512(word[k], x_mask);
        part[3 + 2 * k] = _mm512_and_si512(rest, half);
        part[4 + 2 * k] =
            _mm512_add_epi64(_mm512_slli_epi64(top, 24), _mm512_srli_epi64(rest, 32));
    }
    for (int k = 0; k < BAYES_SUMS; k++) {
        __m512i *at = (__m512i *)(void *)(sums + k * BAYES_LANES);
        _mm512_store_si512(at, _mm512_add_epi64(_mm512_load_si512(at), part[k]));
    }
}

SIMD_512 static void add_512(const struct bayes_tile *t, size_t n_classes, uint64_t *sums)
{
    for (size_t c = 0; c < n_classes; c += BAYES_CLASSES) {
        __m512i word[BAYES_CLASSES][4], number[BAYES_CLASSES];
#pragma GCC unroll 4
        for (int j = 0; j < BAYES_CLASSES; j++) {
            number[j] = _mm512_set1_epi64((long long)c + j);
            for (int k = 0; k < 4; k++)
                word[j][k] = _mm512_setzero_si512();
        }
        for (size_t i = 0; i < t->n; i += 8) {
            __m512i label = _mm512_load_si512(t->label + i), x = _mm512_load_si512(t->x + i),
                    y = _mm512_load_si512(t->y + i), xx = _mm512_load_si512(t->xx + i),
                    yy = _mm512_load_si512(t->yy + i);
#pragma GCC unroll 4
            for (int j = 0; j < BAYES_CLASSES; j++) {
                __mmask8 own = _mm512_cmpeq_epi64_mask(label, number[j]);
                word[j][0] = _mm512_mask_add_epi64(word[j][0], own, word[j][0], x);
                word[j][1] = _mm512_mask_add_epi64(word[j][1], own, word[j][1], y);
                word[j][2] = _mm512_mask_add_epi64(word[j][2], own, word[j][2], xx);
                word[j][3] = _mm512_mask_add_epi64(word[j][3], own, word[j][3], yy);
            }
        }
#pragma GCC unroll 4
        for (int j = 0; j < BAYES_CLASSES; j++)
            unpack_512(word[j], sums + (c + (size_t)j) * BAYES_SUMS * BAYES_LANES);
    }
}

SIMD_256 static void add_256(const struct bayes_tile *t, size_t n_classes, uint64_t *sums)
{
    for (size_t c = 0; c < n_classes; c += 2) {
        __m256i word[2][4];
        const __m256i number[2] = {_mm256_set1_epi64x((long long)c),
                                   _mm256_set1_epi64x((long long)c + 1)};
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            word[0][k] = word[1][k] = _mm256_setzero_si256();
        for (size_t i = 0; i < t->n; i += 4) {
            const __m256i label = _mm256_load_si256((const void *)(t->label + i)),
                          x = _mm256_load_si256((const void *)(t->x + i)),
                          y = _mm256_load_si256((const void *)(t->y + i)),
                          xx = _mm256_load_si256((const void *)(t->xx + i)),
                          yy = _mm256_load_si256((const void *)(t->yy + i));
#pragma GCC unroll 2
            for (int j = 0; j < 2; j++) {
                __m256i own = _mm256_cmpeq_epi64(label, number[j]);
                word[j][0] = _mm256_add_epi64(word[j][0], _mm256_and_si256(x, own));
                word[j][1] = _mm256_add_epi64(word[j][1], _mm256_and_si256(y, own));
                word[j][2] = _mm256_add_epi64(word[j][2], _mm256_and_si256(xx, own));
                word[j][3] = _mm256_add_epi64(word[j][3], _mm256_and_si256(yy, own));
            }
        }
        for (size_t j = 0; j < 2; j++) {
            uint64_t lane[4][4], one[4];
            for (int k = 0; k < 4; k++)
                _mm256_storeu_si256((void *)lane[k], word[j][k]);
            for (int l = 0; l < 4; l++) {
                for (int k = 0; k < 4; k++)
                    one[k] = lane[k][l];
                lane_unpack(one, sums + (c + j) * BAYES_SUMS * BAYES_LANES + l);
            }
        }
    }
}
#endif

void bayes_tile_add(const struct bayes_tile *t, size_t n_classes, uint64_t *sums)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        add_512(t, n_classes, sums);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        add_256(t, n_classes, sums);
        return;
    }
#endif
    add_any(t, n_classes, sums);
}
