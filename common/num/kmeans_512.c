/* k-means with AVX-512 and VNNI: scores of 8 rows, sums of 32 rows per instruction. */
#include "common/num/kmeans_kernel.h"
#include "common/num/simd.h"

#if SIMD_X86
#include <immintrin.h>
#include <math.h>

#define LEVEL target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma,bmi2") SIMD_FAST
#define WIDE __attribute__((LEVEL))
#define WIDE_INLINE static inline __attribute__((always_inline, LEVEL))

/* 32 rows against all centroids; d is 2 or 3, and known to the compiler. */
WIDE_INLINE void label_few(const struct kmeans_table *t, const int32_t *const *column, size_t d,
                           size_t at, uint32_t *label)
{
    __m512d x[3][4], best[4];
    __m512i index[4], number = _mm512_setzero_si512(), one = _mm512_set1_epi64(1);
    for (size_t v = 0; v < 4; v++) {
        best[v] = _mm512_set1_pd(INFINITY);
        index[v] = _mm512_setzero_si512();
        for (size_t j = 0; j < d; j++)
            x[j][v] = _mm512_sub_pd(_mm512_cvtepi32_pd(_mm256_loadu_si256(
                                        (const __m256i *)(column[j] + at + 8 * v))),
                                    _mm512_set1_pd(t->centre[j]));
    }
    for (size_t c = 0; c < t->k; c++) {
        const double *coefficient = table_coefficient(t, d, c);
        for (size_t v = 0; v < 4; v++) {
            __m512d score = _mm512_set1_pd(t->square[c]);
            for (size_t j = 0; j < d; j++)
                score = _mm512_fmadd_pd(x[j][v], _mm512_set1_pd(coefficient[j * KMEANS_GROUP]),
                                        score);
            __mmask8 less = _mm512_cmp_pd_mask(score, best[v], _CMP_LT_OQ);
            best[v] = _mm512_min_pd(score, best[v]);
            index[v] = _mm512_mask_mov_epi64(index[v], less, number);
        }
        number = _mm512_add_epi64(number, one);
    }
    for (size_t v = 0; v < 4; v++)
        _mm256_storeu_si256((__m256i *)(label + at + 8 * v), _mm512_cvtepi64_epi32(index[v]));
}

WIDE static void label_2(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                         uint32_t *label)
{
    for (size_t at = 0; at < n; at += 32)
        label_few(t, column, 2, at, label);
}

WIDE static void label_3(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                         uint32_t *label)
{
    for (size_t at = 0; at < n; at += 32)
        label_few(t, column, 3, at, label);
}

/* 16 rows against 8 centroids: scores[centroid][vector]. */
WIDE_INLINE void scores_16(const double (*x)[16], const double *coefficient,
                           const double *square, size_t d, __m512d score[8][2])
{
    for (size_t c = 0; c < 8; c++)
        score[c][0] = score[c][1] = _mm512_set1_pd(square[c]);
    for (size_t j = 0; j < d; j++, coefficient += KMEANS_GROUP) {
        __m512d x0 = _mm512_load_pd(x[j]), x1 = _mm512_load_pd(x[j] + 8);
        for (size_t c = 0; c < 8; c++) {
            __m512d b = _mm512_set1_pd(coefficient[c]);
            score[c][0] = _mm512_fmadd_pd(x0, b, score[c][0]);
            score[c][1] = _mm512_fmadd_pd(x1, b, score[c][1]);
        }
    }
}

WIDE_INLINE void label_16(const struct kmeans_table *t, const double (*x)[16], uint32_t *label)
{
    __m512d best[2] = {_mm512_set1_pd(INFINITY), _mm512_set1_pd(INFINITY)}, score[8][2];
    __m512i index[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()},
            number = _mm512_setzero_si512(), one = _mm512_set1_epi64(1);
    for (size_t g = 0; g < t->groups; g++) {
        scores_16(x, t->coefficient + g * t->d * KMEANS_GROUP, t->square + g * KMEANS_GROUP,
                  t->d, score);
        for (size_t c = 0; c < 8; c++) {
            for (size_t v = 0; v < 2; v++) {
                __mmask8 less = _mm512_cmp_pd_mask(score[c][v], best[v], _CMP_LT_OQ);
                best[v] = _mm512_min_pd(score[c][v], best[v]);
                index[v] = _mm512_mask_mov_epi64(index[v], less, number);
            }
            number = _mm512_add_epi64(number, one);
        }
    }
    for (size_t v = 0; v < 2; v++)
        _mm256_storeu_si256((__m256i *)(label + 8 * v), _mm512_cvtepi64_epi32(index[v]));
}

WIDE static void label_many(const struct kmeans_table *t, const int32_t *const *column,
                            size_t n, uint32_t *label)
{
    _Alignas(64) double x[64][16];
    for (size_t at = 0; at < n; at += 16) {
        for (size_t j = 0; j < t->d; j++)
            for (size_t v = 0; v < 16; v += 8)
                _mm512_store_pd(x[j] + v,
                                _mm512_sub_pd(_mm512_cvtepi32_pd(_mm256_loadu_si256(
                                                  (const __m256i *)(column[j] + at + v))),
                                              _mm512_set1_pd(t->centre[j])));
        label_16(t, (const double(*)[16])x, label + at);
    }
}

static void label_512(const struct kmeans_table *t, const int32_t *const *column, size_t n,
                      uint32_t *label)
{
    if (t->d == 2)
        label_2(t, column, n, label);
    else if (t->d == 3)
        label_3(t, column, n, label);
    else
        label_many(t, column, n, label);
}

/* Rows i and 16 + i stand beside each other: two blends instead of a pack across lanes. */
WIDE static void split_512(const int32_t *column, size_t n, int16_t *high, int16_t *low)
{
    const __mmask32 odd = 0xaaaaaaaa;
    const __m512i half = _mm512_set1_epi16((short)0x8000);
    for (size_t i = 0; i < n; i += 32) {
        __m512i a = _mm512_loadu_si512(column + i), b = _mm512_loadu_si512(column + i + 16);
        __m512i h = _mm512_mask_blend_epi16(odd, _mm512_srli_epi32(a, 16), b),
                l = _mm512_mask_blend_epi16(odd, a, _mm512_slli_epi32(b, 16));
        _mm512_storeu_si512(high + i, h);
        _mm512_storeu_si512(low + i, _mm512_xor_si512(l, half));
    }
}

WIDE static void order_512(const uint32_t *label, size_t n, uint16_t *ordered)
{
    for (size_t i = 0; i < n; i += 32)
        _mm512_storeu_si512(
            ordered + i,
            _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_loadu_si512(label + i),
                                    _mm512_slli_epi32(_mm512_loadu_si512(label + i + 16), 16)));
}

enum { VECTORS = KMEANS_VECTOR / 32 };

/* 256 rows for two centroids: which rows are theirs, as words of 1 and 0, stays in registers
 * while all planes pass. */
WIDE_INLINE void sum_pair(const uint16_t *ordered, const int16_t *planes, size_t n_planes,
                          size_t stride, size_t c, int32_t *sums)
{
    const __m512i one = _mm512_set1_epi16(1), first = _mm512_set1_epi16((short)c),
                  second = _mm512_set1_epi16((short)(c + 1));
    __m512i mine[VECTORS], next[VECTORS];
    int32_t *sums_next = sums + (n_planes + 1) * KMEANS_LANES;
    __m512i n_mine = _mm512_load_si512(sums + n_planes * KMEANS_LANES),
            n_next = _mm512_load_si512(sums_next + n_planes * KMEANS_LANES);
    for (size_t v = 0; v < VECTORS; v++) {
        __m512i label = _mm512_loadu_si512(ordered + 32 * v);
        mine[v] = _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(label, first), one);
        next[v] = _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(label, second), one);
        n_mine = _mm512_dpwssd_epi32(n_mine, mine[v], one);
        n_next = _mm512_dpwssd_epi32(n_next, next[v], one);
    }
    _mm512_store_si512(sums + n_planes * KMEANS_LANES, n_mine);
    _mm512_store_si512(sums_next + n_planes * KMEANS_LANES, n_next);
    for (size_t p = 0; p < n_planes; p++) {
        __m512i a = _mm512_load_si512(sums + p * KMEANS_LANES),
                b = _mm512_load_si512(sums_next + p * KMEANS_LANES);
        for (size_t v = 0; v < VECTORS; v++) {
            __m512i plane = _mm512_loadu_si512(planes + p * stride + 32 * v);
            a = _mm512_dpwssd_epi32(a, mine[v], plane);
            b = _mm512_dpwssd_epi32(b, next[v], plane);
        }
        _mm512_store_si512(sums + p * KMEANS_LANES, a);
        _mm512_store_si512(sums_next + p * KMEANS_LANES, b);
    }
}

WIDE static void sum_512(const uint16_t *ordered, const int16_t *planes, size_t n_planes,
                         size_t stride, size_t n, size_t k, int32_t *sums)
{
    for (size_t c = 0; c < k; c += 2, sums += 2 * (n_planes + 1) * KMEANS_LANES)
        for (size_t at = 0; at < n; at += KMEANS_VECTOR)
            sum_pair(ordered + at, planes + at, n_planes, stride, c, sums);
}

/* Sixteen values at a time: two registers are a table that one instruction looks rows up in. */
enum { TABLE = 16 };

WIDE static void own_512(const double *values, size_t step, size_t k, const uint32_t *label,
                         size_t n, double *own)
{
    for (size_t first = 0; first < k; first += TABLE) {
        double table[TABLE] = {0};
        for (size_t c = first; c < k && c < first + TABLE; c++)
            table[c - first] = values[c * step];
        __m512d low = _mm512_loadu_pd(table), high = _mm512_loadu_pd(table + TABLE / 2);
        __m512i here = _mm512_set1_epi64((long long)(first / TABLE));
        for (size_t at = 0; at < n; at += 8) {
            __m512i wanted =
                _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(label + at)));
            __m512d before = first ? _mm512_loadu_pd(own + at) : _mm512_setzero_pd();
            __mmask8 mine = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(wanted, 4), here);
            _mm512_storeu_pd(
                own + at,
                _mm512_mask_mov_pd(before, mine, _mm512_permutex2var_pd(low, wanted, high)));
        }
    }
}

const struct kmeans_kernel kmeans_kernel_512 = {label_512, split_512, order_512, sum_512,
                                                own_512};
#endif
