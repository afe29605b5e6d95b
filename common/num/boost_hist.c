#include "common/num/boost_tree.h"

#if SIMD_X86
#include <immintrin.h>
#endif

/* What the rows of one node add, all other rows zeros. One form for all
 * processors: 16 bits each, one-hot products added up in 32 bits. A block's
 * sums are below 4096 x 32512 < 2^27. */
struct wide {
    int16_t g[BLOCK_ROWS], h[BLOCK_ROWS], live[BLOCK_ROWS], x[BLOCK_ROWS];
};
_Static_assert(sizeof(struct wide) == BOOST_HIST_SCRATCH, "scratch");

BOOST_BODY void wide_make_body(const struct boost_hist_rows *r, uint8_t which, struct wide *w)
{
    for (size_t i = 0; i < r->n; i++) {
        int32_t mine = -(int32_t)(r->node[i] == which), gh = r->gh[i] & mine;
        w->g[i] = (int16_t)gh;
        w->h[i] = (int16_t)(gh >> 16);
        w->live[i] = (int16_t)(r->live[i] & mine);
    }
}
BOOST_LEVELS(static, wide_make,
             (const struct boost_hist_rows *r, uint8_t which, struct wide *w), (r, which, w))

BOOST_BODY void wide_add_body(struct wide *w, const uint8_t *bins, size_t n, size_t padded,
                              int64_t *hist)
{
    for (size_t i = 0; i < n; i++)
        w->x[i] = bins[i];
    for (size_t b = 0; b < padded; b += 2) {
        int32_t g0 = 0, h0 = 0, live0 = 0, g1 = 0, h1 = 0, live1 = 0;
        for (size_t i = 0; i < n; i++) {
            int16_t in0 = w->x[i] == (int16_t)b, in1 = w->x[i] == (int16_t)(b + 1);
            g0 += w->g[i] * in0;
            h0 += w->h[i] * in0;
            live0 += w->live[i] * in0;
            g1 += w->g[i] * in1;
            h1 += w->h[i] * in1;
            live1 += w->live[i] * in1;
        }
        hist[b] += g0;
        hist[b + 1] += g1;
        hist[padded + b] += h0;
        hist[padded + b + 1] += h1;
        hist[2 * padded + b] += live0;
        hist[2 * padded + b + 1] += live1;
    }
}
BOOST_LEVELS(static, wide_add,
             (struct wide * w, const uint8_t *bins, size_t n, size_t padded, int64_t *hist),
             (w, bins, n, padded, hist))

#if SIMD_X86
/* With byte products (VNNI) and byte permutes (VBMI): each number as two signed
 * digits of eight bits, five planes a strip of 64 rows, four bins at a time. */
enum { G_LOW, G_HIGH, H_LOW, H_HIGH, LIVE, PLANES, BINS_AT_ONCE = 4 };
#if defined(__clang__)
#define BYTES_512                                                                              \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx512vbmi,avx2")))
#else
#define BYTES_512                                                                              \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx512vbmi,avx2,"     \
                          "prefer-vector-width=512"),                                          \
                   optimize("O3")))
#endif

BYTES_512 static void bytes_make(const struct boost_hist_rows *r, uint8_t which, int8_t *plane)
{
    for (size_t at = 0; at < r->n; at += BOOST_STRIP, plane += PLANES * BOOST_STRIP)
        for (size_t s = 0; s < BOOST_STRIP; s++) {
            int32_t mine = -(int32_t)(r->node[at + s] == which), gh = r->gh[at + s] & mine;
            int32_t g = (int16_t)gh, h = gh >> 16;
            int8_t g_low = (int8_t)g, h_low = (int8_t)h;
            plane[G_LOW * BOOST_STRIP + s] = g_low;
            plane[G_HIGH * BOOST_STRIP + s] = (int8_t)((g - g_low) >> 8);
            plane[H_LOW * BOOST_STRIP + s] = h_low;
            plane[H_HIGH * BOOST_STRIP + s] = (int8_t)((h - h_low) >> 8);
            plane[LIVE * BOOST_STRIP + s] = (int8_t)(r->live[at + s] & mine);
        }
}

/* Four vectors of 16 numbers to their four sums. */
BYTES_512 static inline __m128i sums_of(const __m512i v[BINS_AT_ONCE])
{
    __m512i a =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    __m512i b =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    __m512i c = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    __m256i d = _mm256_add_epi32(_mm512_castsi512_si256(c), _mm512_extracti64x4_epi64(c, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
}

BYTES_512 static inline void sums_add(int64_t *to, __m128i sums)
{
    __m256i old = _mm256_loadu_si256((const void *)to);
    _mm256_storeu_si256((void *)to, _mm256_add_epi64(old, _mm256_cvtepi32_epi64(sums)));
}

/* A permute of this window, from 64 - bin on, tells which rows are of the bin.
 */
static const uint8_t one_hot[128] = {[64] = 1};

BYTES_512 static void bytes_add(const int8_t *planes, const uint8_t *bins, size_t n,
                                size_t padded, int64_t *hist)
{
    for (size_t b = 0; b < padded; b += BINS_AT_ONCE) {
        __m512i sum[PLANES][BINS_AT_ONCE], table[BINS_AT_ONCE];
        const __m512i group = _mm512_set1_epi8((char)(b & 0xC0)),
                      above = _mm512_set1_epi8((char)0xC0);
        for (size_t j = 0; j < BINS_AT_ONCE; j++)
            table[j] = _mm512_loadu_si512(one_hot + 64 - ((b + j) & 63));
        for (size_t p = 0; p < PLANES; p++)
            for (size_t j = 0; j < BINS_AT_ONCE; j++)
                sum[p][j] = _mm512_setzero_si512();
        const int8_t *plane = planes;
        for (size_t at = 0; at < n; at += BOOST_STRIP, plane += PLANES * BOOST_STRIP) {
            __m512i x = _mm512_load_si512(bins + at);
            __mmask64 here = _mm512_cmpeq_epi8_mask(_mm512_and_si512(x, above), group);
            for (size_t j = 0; j < BINS_AT_ONCE; j++) {
                __m512i in = _mm512_maskz_permutexvar_epi8(here, x, table[j]);
                for (size_t p = 0; p < PLANES; p++)
                    sum[p][j] = _mm512_dpbusd_epi32(sum[p][j], in,
                                                    _mm512_load_si512(plane + p * BOOST_STRIP));
            }
        }
        for (size_t j = 0; j < BINS_AT_ONCE; j++) {
            sum[G_LOW][j] =
                _mm512_add_epi32(sum[G_LOW][j], _mm512_slli_epi32(sum[G_HIGH][j], 8));
            sum[H_LOW][j] =
                _mm512_add_epi32(sum[H_LOW][j], _mm512_slli_epi32(sum[H_HIGH][j], 8));
        }
        sums_add(hist + b, sums_of(sum[G_LOW]));
        sums_add(hist + padded + b, sums_of(sum[H_LOW]));
        sums_add(hist + 2 * padded + b, sums_of(sum[LIVE]));
    }
}

static bool bytes_here(void)
{
    return simd_level() == SIMD_LEVEL_512 && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512vbmi");
}
#endif

void boost_hist_add(const struct boost_hist_rows *r, uint8_t which, void *scratch,
                    int64_t *hist)
{
    size_t padded = boost_bins_padded(r->n_bins);
#if SIMD_X86
    if (bytes_here()) {
        bytes_make(r, which, scratch);
        for (size_t f = 0; f < r->d; f++)
            bytes_add(scratch, r->bins + f * r->n, r->n, padded, hist + f * 3 * padded);
        return;
    }
#endif
    wide_make(r, which, scratch);
    for (size_t f = 0; f < r->d; f++)
        wide_add(scratch, r->bins + f * r->n, r->n, padded, hist + f * 3 * padded);
}
