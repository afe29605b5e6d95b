/* k-means with AVX2 and FMA: scores of 4 rows, sums of 16 rows per instruction. */
#include "common/num/kmeans_kernel.h"
#include "common/num/simd.h"

#if SIMD_X86
#include <immintrin.h>
#include <math.h>

#define NARROW_INLINE                                                                          \
    static inline __attribute__((always_inline, target("avx2,fma,bmi2") SIMD_FAST))

/* 16 rows against all centroids; d is 2 or 3, and known to the compiler. */
NARROW_INLINE void label_few(const struct kmeans_table *t, const int32_t *const *column,
                             size_t d, size_t at, uint32_t *label)
{
    __m256d x[3][4], best[4];
    __m256i index = _mm256_setzero_si256(), number = _mm256_setzero_si256(),
            one = _mm256_set1_epi16(1);
    for (size_t v = 0; v < 4; v++) {
        best[v] = _mm256_set1_pd(INFINITY);
        for (size_t j = 0; j < d; j++)
            x[j][v] = _mm256_sub_pd(
                _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(column[j] + at + 4 * v))),
                _mm256_set1_pd(t->centre[j]));
    }
    for (size_t c = 0; c < t->k; c++) {
        const double *coefficient = table_coefficient(t, d, c);
        __m256i less[4];
        for (size_t v = 0; v < 4; v++) {
            __m256d score = _mm256_set1_pd(t->square[c]);
            for (size_t j = 0; j < d; j++)
                score = _mm256_fmadd_pd(x[j][v], _mm256_set1_pd(coefficient[j * KMEANS_GROUP]),
                                        score);
            less[v] = _mm256_castpd_si256(_mm256_cmp_pd(score, best[v], _CMP_LT_OQ));
            best[v] = _mm256_min_pd(score, best[v]);
        }
        /* Two bytes a row, in the order 0 1 4 5 8 9 12 13 | 2 3 6 7 10 11 14 15, undone at the
         * end. */
        __m256i any = _mm256_packs_epi16(_mm256_packs_epi32(less[0], less[1]),
                                         _mm256_packs_epi32(less[2], less[3]));
        index = _mm256_blendv_epi8(index, number, any);
        number = _mm256_add_epi16(number, one);
    }
    _Alignas(32) uint16_t word[16];
    _mm256_store_si256((__m256i *)word, index);
    for (size_t i = 0; i < 16; i++)
        label[at + i] = word[(i & 2) << 2 | (i & 12) >> 1 | (i & 1)];
}

SIMD_256 static void label_2(const struct kmeans_table *t, const int32_t *const *column,
                             size_t n, uint32_t *label)
{
    for (size_t at = 0; at < n; at += 16)
        label_few(t, column, 2, at, label);
}

SIMD_256 static void label_3(const struct kmeans_table *t, const int32_t *const *column,
                             size_t n, uint32_t *label)
{
    for (size_t at = 0; at < n; at += 16)
        label_few(t, column, 3, at, label);
}

/* 8 rows against 4 centroids. */
NARROW_INLINE void scores_8(const double (*x)[8], const double *coefficient,
                            const double *square, size_t d, __m256d score[4][2])
{
    for (size_t c = 0; c < 4; c++)
        score[c][0] = score[c][1] = _mm256_set1_pd(square[c]);
    for (size_t j = 0; j < d; j++, coefficient += KMEANS_GROUP) {
        __m256d x0 = _mm256_load_pd(x[j]), x1 = _mm256_load_pd(x[j] + 4);
        for (size_t c = 0; c < 4; c++) {
            __m256d b = _mm256_set1_pd(coefficient[c]);
            score[c][0] = _mm256_fmadd_pd(x0, b, score[c][0]);
            score[c][1] = _mm256_fmadd_pd(x1, b, score[c][1]);
        }
    }
}

NARROW_INLINE void label_8(const struct kmeans_table *t, const double (*x)[8], uint32_t *label)
{
    __m256d best[2] = {_mm256_set1_pd(INFINITY), _mm256_set1_pd(INFINITY)}, score[4][2];
    __m256d index[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
    __m256i number = _mm256_setzero_si256(), one = _mm256_set1_epi64x(1);
    for (size_t c = 0; c < t->groups * KMEANS_GROUP; c += 4) {
        scores_8(x, table_coefficient(t, t->d, c), t->square + c, t->d, score);
        for (size_t e = 0; e < 4; e++) {
            for (size_t v = 0; v < 2; v++) {
                __m256d less = _mm256_cmp_pd(score[e][v], best[v], _CMP_LT_OQ);
                best[v] = _mm256_min_pd(score[e][v], best[v]);
                index[v] = _mm256_blendv_pd(index[v], _mm256_castsi256_pd(number), less);
            }
            number = _mm256_add_epi64(number, one);
        }
    }
    _Alignas(32) uint64_t wide[8];
    _mm256_store_pd((double *)wide, index[0]);
    _mm256_store_pd((double *)wide + 4, index[1]);
    for (size_t i = 0; i < 8; i++)
        label[i] = (uint32_t)wide[i];
}

SIMD_256 static void label_many(const struct kmeans_table *t, const int32_t *const *column,
                                size_t n, uint32_t *label)
{
    _Alignas(32) double x[64][8];
    for (size_t at = 0; at < n; at += 8) {
        for (size_t j = 0; j < t->d; j++)
            for (size_t v = 0; v < 8; v += 4)
                _mm256_store_pd(x[j] + v,
                                _mm256_sub_pd(_mm256_cvtepi32_pd(_mm_loadu_si128(
                                                  (const __m128i *)(column[j] + at + v))),
                                              _mm256_set1_pd(t->centre[j])));
        label_8(t, (const double(*)[8])x, label + at);
    }
}

static void label_256(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                      uint32_t *label)
{
    if (t->d == 2)
        label_2(t, column, n, label);
    else if (t->d == 3)
        label_3(t, column, n, label);
    else
        label_many(t, column, n, label);
}

/* Rows i and 8 + i stand beside each other. */
SIMD_256 static void split_256(const int32_t *column, size_t n, int16_t *high, int16_t *low)
{
    const __m256i half = _mm256_set1_epi16((short)0x8000);
    for (size_t i = 0; i < n; i += 16) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(column + i)),
                b = _mm256_loadu_si256((const __m256i *)(column + i + 8));
        __m256i h = _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa),
                l = _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa);
        _mm256_storeu_si256((__m256i *)(high + i), h);
        _mm256_storeu_si256((__m256i *)(low + i), _mm256_xor_si256(l, half));
    }
}

SIMD_256 static void order_256(const uint32_t *label, size_t n, uint16_t *ordered)
{
    for (size_t i = 0; i < n; i += 16) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(label + i)),
                b = _mm256_loadu_si256((const __m256i *)(label + i + 8));
        _mm256_storeu_si256((__m256i *)(ordered + i),
                            _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa));
    }
}

enum { VECTORS = 4 };

/* 64 rows for two centroids, whose rows are words of -1: sums are taken off. */
NARROW_INLINE void sum_pair(const uint16_t *ordered, const int16_t *planes, size_t n_planes,
                            size_t stride, size_t c, int32_t *sums)
{
    const __m256i first = _mm256_set1_epi16((short)c),
                  second = _mm256_set1_epi16((short)(c + 1));
    __m256i mine[VECTORS], next[VECTORS];
    int32_t *sums_next = sums + (n_planes + 1) * KMEANS_LANES;
    __m256i *n_mine = (__m256i *)(sums + n_planes * KMEANS_LANES),
            *n_next = (__m256i *)(sums_next + n_planes * KMEANS_LANES);
    __m256i a = _mm256_setzero_si256(), b = _mm256_setzero_si256();
    const __m256i minus = _mm256_set1_epi16(-1);
    for (size_t v = 0; v < VECTORS; v++) {
        __m256i label = _mm256_loadu_si256((const __m256i *)(ordered + 16 * v));
        mine[v] = _mm256_cmpeq_epi16(label, first);
        next[v] = _mm256_cmpeq_epi16(label, second);
        a = _mm256_add_epi16(a, mine[v]);
        b = _mm256_add_epi16(b, next[v]);
    }
    _mm256_store_si256(
        n_mine, _mm256_add_epi32(_mm256_load_si256(n_mine), _mm256_madd_epi16(a, minus)));
    _mm256_store_si256(
        n_next, _mm256_add_epi32(_mm256_load_si256(n_next), _mm256_madd_epi16(b, minus)));
    for (size_t p = 0; p < n_planes; p++) {
        __m256i *to_mine = (__m256i *)(sums + p * KMEANS_LANES),
                *to_next = (__m256i *)(sums_next + p * KMEANS_LANES);
        a = _mm256_load_si256(to_mine);
        b = _mm256_load_si256(to_next);
        for (size_t v = 0; v < VECTORS; v++) {
            __m256i plane = _mm256_loadu_si256((const __m256i *)(planes + p * stride + 16 * v));
            a = _mm256_sub_epi32(a, _mm256_madd_epi16(mine[v], plane));
            b = _mm256_sub_epi32(b, _mm256_madd_epi16(next[v], plane));
        }
        _mm256_store_si256(to_mine, a);
        _mm256_store_si256(to_next, b);
    }
}

SIMD_256 static void sum_256(const uint16_t *ordered, const int16_t *planes, size_t n_planes,
                             size_t stride, size_t n, size_t k, int32_t *sums)
{
    for (size_t c = 0; c < k; c += 2, sums += 2 * (n_planes + 1) * KMEANS_LANES)
        for (size_t at = 0; at < n; at += 16 * VECTORS)
            sum_pair(ordered + at, planes + at, n_planes, stride, c, sums);
}

SIMD_256 static void own_256(const double *values, size_t step, size_t k, const uint32_t *label,
                             size_t n, double *own)
{
    const __m256i one = _mm256_set1_epi64x(1);
    for (size_t at = 0; at < n; at += 16) {
        __m256i wanted[4], number = _mm256_setzero_si256();
        __m256d mine[4];
        for (size_t v = 0; v < 4; v++) {
            wanted[v] =
                _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(label + at + 4 * v)));
            mine[v] = _mm256_setzero_pd();
        }
        for (size_t c = 0; c < k; c++) {
            __m256d value = _mm256_set1_pd(values[c * step]);
            for (size_t v = 0; v < 4; v++) {
                __m256d is = _mm256_castsi256_pd(_mm256_cmpeq_epi64(wanted[v], number));
                mine[v] = _mm256_or_pd(mine[v], _mm256_and_pd(is, value));
            }
            number = _mm256_add_epi64(number, one);
        }
        for (size_t v = 0; v < 4; v++)
            _mm256_storeu_pd(own + at + 4 * v, mine[v]);
    }
}

const struct kmeans_kernel kmeans_kernel_256 = {label_256, split_256, order_256, sum_256,
                                                own_256};
#endif
