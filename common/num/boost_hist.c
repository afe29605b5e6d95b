#include "common/num/boost_tree.h"

#if SIMD_X86
#include <immintrin.h>
#endif

#include <string.h>

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

BOOST_BODY void wide_bins(struct wide *w, const uint8_t *bins, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w->x[i] = bins[i];
}

#if SIMD_X86
/* Two bins at a time; a row in the bin is -1, hence the differences. */
#define WIDE_ADD(name, target, vector, width, load, set1, equal, product, minus, zero)         \
    target static inline int32_t name##_sum(vector v)                                          \
    {                                                                                          \
        int32_t lane[(width) / 2], sum = 0;                                                    \
        memcpy(lane, &v, sizeof lane);                                                         \
        for (size_t l = 0; l < (width) / 2; l++)                                               \
            sum += lane[l];                                                                    \
        return sum;                                                                            \
    }                                                                                          \
    target static void name(struct wide *w, const uint8_t *bins, size_t n, size_t padded,      \
                            int64_t *hist)                                                     \
    {                                                                                          \
        wide_bins(w, bins, n);                                                                 \
        for (size_t b = 0; b < padded; b += 2) {                                               \
            vector g0 = zero(), h0 = g0, live0 = g0, g1 = g0, h1 = g0, live1 = g0;             \
            const vector bin0 = set1((int16_t)b), bin1 = set1((int16_t)(b + 1));               \
            for (size_t i = 0; i < n; i += (width)) {                                          \
                vector x = load((const void *)(w->x + i)), g = load((const void *)(w->g + i)), \
                       h = load((const void *)(w->h + i)),                                     \
                       live = load((const void *)(w->live + i));                               \
                vector in0 = equal(x, bin0), in1 = equal(x, bin1);                             \
                g0 = minus(g0, product(in0, g));                                               \
                h0 = minus(h0, product(in0, h));                                               \
                live0 = minus(live0, product(in0, live));                                      \
                g1 = minus(g1, product(in1, g));                                               \
                h1 = minus(h1, product(in1, h));                                               \
                live1 = minus(live1, product(in1, live));                                      \
            }                                                                                  \
            hist[b] += name##_sum(g0);                                                         \
            hist[b + 1] += name##_sum(g1);                                                     \
            hist[padded + b] += name##_sum(h0);                                                \
            hist[padded + b + 1] += name##_sum(h1);                                            \
            hist[2 * padded + b] += name##_sum(live0);                                         \
            hist[2 * padded + b + 1] += name##_sum(live1);                                     \
        }                                                                                      \
    }
WIDE_ADD(wide_add_256, SIMD_256, __m256i, 16, _mm256_load_si256, _mm256_set1_epi16,
         _mm256_cmpeq_epi16, _mm256_madd_epi16, _mm256_sub_epi32, _mm256_setzero_si256)
WIDE_ADD(wide_add_any, BOOST_O3, __m128i, 8, _mm_load_si128, _mm_set1_epi16, _mm_cmpeq_epi16,
         _mm_madd_epi16, _mm_sub_epi32, _mm_setzero_si128)

static void wide_add(struct wide *w, const uint8_t *bins, size_t n, size_t padded,
                     int64_t *hist)
{
    if (simd_level() == SIMD_LEVEL_ANY)
        wide_add_any(w, bins, n, padded, hist);
    else
        wide_add_256(w, bins, n, padded, hist);
}
#else
static void wide_add(struct wide *w, const uint8_t *bins, size_t n, size_t padded,
                     int64_t *hist)
{
    wide_bins(w, bins, n);
    for (size_t b = 0; b < padded; b++) {
        int32_t g = 0, h = 0, live = 0;
        for (size_t i = 0; i < n; i++) {
            int32_t in = -(int32_t)(w->x[i] == (int16_t)b);
            g += w->g[i] & in;
            h += w->h[i] & in;
            live += w->live[i] & in;
        }
        hist[b] += g;
        hist[padded + b] += h;
        hist[2 * padded + b] += live;
    }
}
#endif

#if SIMD_X86
/* With byte products (VNNI) and byte permutes (VBMI): each number as two signed
 * digits of eight bits, five planes a strip of 64 rows, four bins at a time. */
enum { G_LOW, G_HIGH, H_LOW, H_HIGH, LIVE, PLANES };
BOOST_BYTES static void bytes_make(const struct boost_hist_rows *r, uint8_t which,
                                   int8_t *plane)
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

/* Four vectors of 16 numbers to their four sums, added to numbers of 64 bits. */
BOOST_BYTES static inline void sums_add(int64_t *to, __m512i a, __m512i b, __m512i c, __m512i d)
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all =
        _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    __m128i sums =
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    __m256i old = _mm256_loadu_si256((const void *)to);
    _mm256_storeu_si256((void *)to, _mm256_add_epi64(old, _mm256_cvtepi32_epi64(sums)));
}

/* The two digits of a number joined. */
BOOST_BYTES static inline __m512i joined(__m512i low, __m512i high)
{
    return _mm512_add_epi32(low, _mm512_slli_epi32(high, 8));
}

/* A permute of this window, from 64 - bin on, tells which rows are of the bin. */
static const uint8_t one_hot[128] = {[64] = 1};

/* Four bins in registers a, b, c, d. An array of them would go through memory; so would the
 * product as an intrinsic of GCC 12. */
#define FOUR(sum) __m512i sum##_a = zero, sum##_b = zero, sum##_c = zero, sum##_d = zero
#define TABLE(bin) _mm512_loadu_si512(one_hot + 64 - ((bin)&63))
#define IN(table) _mm512_maskz_permutexvar_epi8(here, x, table)
#define ADD(sum, in) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(in), "v"(part))
#define PLANE(sum, number)                                                                     \
    {                                                                                          \
        __m512i part = _mm512_load_si512(plane + (number)*BOOST_STRIP);                        \
        ADD(sum##_a, in_a);                                                                    \
        ADD(sum##_b, in_b);                                                                    \
        ADD(sum##_c, in_c);                                                                    \
        ADD(sum##_d, in_d);                                                                    \
    }
#define JOINED(low, high)                                                                      \
    joined(low##_a, high##_a), joined(low##_b, high##_b), joined(low##_c, high##_c),           \
        joined(low##_d, high##_d)

BOOST_BYTES static void bytes_add(const int8_t *planes, const uint8_t *bins, size_t n,
                                  size_t padded, int64_t *hist)
{
    const __m512i zero = _mm512_setzero_si512(), above = _mm512_set1_epi8((char)0xC0);
    for (size_t b = 0; b < padded; b += 4) {
        const __m512i group = _mm512_set1_epi8((char)(b & 0xC0)), table_a = TABLE(b),
                      table_b = TABLE(b + 1), table_c = TABLE(b + 2), table_d = TABLE(b + 3);
        const int8_t *plane = planes;
        FOUR(g_low);
        FOUR(g_high);
        FOUR(h_low);
        FOUR(h_high);
        FOUR(live);
        for (size_t at = 0; at < n; at += BOOST_STRIP, plane += PLANES * BOOST_STRIP) {
            __m512i x = _mm512_load_si512(bins + at);
            __mmask64 here = _mm512_cmpeq_epi8_mask(_mm512_and_si512(x, above), group);
            __m512i in_a = IN(table_a), in_b = IN(table_b), in_c = IN(table_c),
                    in_d = IN(table_d);
            PLANE(g_low, G_LOW)
            PLANE(g_high, G_HIGH)
            PLANE(h_low, H_LOW)
            PLANE(h_high, H_HIGH)
            PLANE(live, LIVE)
        }
        sums_add(hist + b, JOINED(g_low, g_high));
        sums_add(hist + padded + b, JOINED(h_low, h_high));
        sums_add(hist + 2 * padded + b, live_a, live_b, live_c, live_d);
    }
}
#endif

void boost_hist_add(const struct boost_hist_rows *r, uint8_t which, void *scratch,
                    int64_t *hist)
{
    size_t padded = boost_bins_padded(r->n_bins);
#if SIMD_X86
    if (boost_bytes()) {
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
