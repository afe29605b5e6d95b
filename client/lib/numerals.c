/* Sixteen bytes that end where the cell ends hold all of it, digits in their places. What lies
 * before the cell is masked out, the point is closed up by moving what stands left of it one to
 * the right, and three multiply-adds join digits to pairs, pairs to fours, fours to eights.
 * Source of the joining: W. Muła, SIMD-ized conversion of numbers, 2011 and later. */
#include "client/lib/numerals.h"

#include "common/num/simd.h"

#include <stdbool.h>
#include <string.h>

#if SIMD_X86
#include <immintrin.h>
#endif

static bool numeral_read(const uint8_t *at, size_t len, int64_t *value, uint8_t *places)
{
    bool minus = len > 0 && at[0] == '-';
    uint64_t v = 0;
    size_t point = len; /* place of the point, or the end */
    if (len == 0 || len > NUMERAL_LEN_MAX) return false;
    for (size_t i = minus; i < len; i++) {
        unsigned digit = (unsigned)at[i] - '0';
        if (digit > 9 && (at[i] != '.' || point < len)) return false;
        if (digit > 9)
            point = i;
        else
            v = v * 10 + digit;
    }
    if (at[len - 1] < '0' || at[len - 1] > '9') return false;
    *value = minus ? -(int64_t)v : (int64_t)v;
    *places = (uint8_t)(point < len ? len - 1 - point : 0);
    return true;
}

static size_t read_any(const uint8_t *text, const uint32_t *stop, const uint32_t *len, size_t n,
                       int64_t *value, uint8_t *places)
{
    size_t i = 0;
    while (i < n && numeral_read(text + stop[i] - len[i], len[i], &value[i], &places[i]))
        i++;
    return i;
}

#if SIMD_X86
/* In each 128-bit lane: how many bytes stand behind this one, and the points' weights, which
 * tell where the point is when there is one. */
#define BEHIND 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#define WEIGHT 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1
enum { MINUS_WEIGHT = 128, PLACES_MASK = 31, EIGHT_DIGITS = 100000000 };
static const uint8_t behind[64] = {BEHIND, BEHIND, BEHIND, BEHIND};
static const uint8_t weight[64] = {WEIGHT, WEIGHT, WEIGHT, WEIGHT};
#define FOURFOLD(i) i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i
static const uint8_t spread[64] = {FOURFOLD(0), FOURFOLD(4), FOURFOLD(8), FOURFOLD(12)};

SIMD_512 static inline __m512i cells_load_512(const uint8_t *text, const uint32_t *stop)
{
    const uint8_t *from = text - NUMERAL_LEN_MAX;
    __m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(from + stop[0])));
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const void *)(from + stop[1])), 1);
    x = _mm512_inserti32x4(x, _mm_loadu_si128((const void *)(from + stop[2])), 2);
    return _mm512_inserti32x4(x, _mm_loadu_si128((const void *)(from + stop[3])), 3);
}

/* Sixteen digits a lane to their number, twice in the lane. */
SIMD_512 static inline __m512i digits_join_512(__m512i digits)
{
    __m512i pairs = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
    __m512i fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(100 | 1 << 16));
    __m512i eights = _mm512_madd_epi16(_mm512_packus_epi32(fours, fours),
                                       _mm512_set1_epi32(10000 | 1 << 16));
    return _mm512_add_epi64(_mm512_mul_epu32(eights, _mm512_set1_epi64(EIGHT_DIGITS)),
                            _mm512_srli_epi64(eights, 32));
}

SIMD_512 static inline bool four_read_512(const uint8_t *text, const uint32_t *stop,
                                          const uint32_t *len, int64_t *value, uint8_t *places)
{
    const uint64_t first = UINT64_C(0x0001000100010001), last = first << 15;
    const __m512i after = _mm512_loadu_si512(behind), zero = _mm512_setzero_si512();
    __m512i x = cells_load_512(text, stop);
    __m128i lens = _mm_loadu_si128((const void *)len);
    __m512i n = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(lens), _mm512_loadu_si512(spread));
    __m512i d = _mm512_sub_epi8(x, _mm512_set1_epi8('0'));
    __mmask64 in = _mm512_cmplt_epu8_mask(after, n);
    __mmask64 digit = _mm512_mask_cmplt_epu8_mask(in, d, _mm512_set1_epi8(10));
    __mmask64 point = _mm512_mask_cmpeq_epi8_mask(in, x, _mm512_set1_epi8('.'));
    __mmask64 minus = _mm512_mask_cmpeq_epi8_mask(
        _mm512_cmpeq_epi8_mask(after, _mm512_sub_epi8(n, _mm512_set1_epi8(1))), x,
        _mm512_set1_epi8('-'));
    uint64_t points = point;
    bool plain = (digit | point | minus) == in && (digit & last) == last &&
                 (points & ((points | last) - first)) == 0 && /* one a lane at most */
                 _mm_cmpgt_epu32_mask(lens, _mm_set1_epi32(NUMERAL_LEN_MAX)) == 0;
    if (!plain) return false;
    __m512i w = _mm512_maskz_loadu_epi8(point, weight);
    w = _mm512_mask_mov_epi8(w, minus, _mm512_set1_epi8((char)MINUS_WEIGHT));
    w = _mm512_sad_epu8(w, zero);
    w = _mm512_add_epi64(w, _mm512_shuffle_epi32(w, _MM_PERM_BADC));
    /* Places, one more than that of a point; what stands left of it moves. No point: none. */
    __m512i at = _mm512_and_si512(w, _mm512_set1_epi64(PLACES_MASK));
    __m512i left = _mm512_sub_epi8(_mm512_shuffle_epi8(at, zero), _mm512_set1_epi8(1));
    d = _mm512_maskz_mov_epi8(digit, d);
    d = _mm512_mask_mov_epi8(d, _mm512_cmpge_epu8_mask(after, left), _mm512_bslli_epi128(d, 1));
    __m512i v = digits_join_512(d);
    v = _mm512_mask_sub_epi64(v, _mm512_test_epi64_mask(w, _mm512_set1_epi64(MINUS_WEIGHT)),
                              zero, v);
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6);
    _mm256_storeu_si256((void *)value,
                        _mm512_castsi512_si256(_mm512_permutexvar_epi64(even, v)));
    at = _mm512_sub_epi64(_mm512_max_epu64(at, _mm512_set1_epi64(1)), _mm512_set1_epi64(1));
    __m128i four = _mm512_cvtepi64_epi8(_mm512_permutexvar_epi64(even, at));
    memcpy(places, &four, NUMERALS_AT_ONCE);
    return true;
}

SIMD_512 static size_t read_512(const uint8_t *text, const uint32_t *stop, const uint32_t *len,
                                size_t n, int64_t *value, uint8_t *places)
{
    size_t i = 0;
    while (i < n && four_read_512(text, stop + i, len + i, value + i, places + i))
        i += NUMERALS_AT_ONCE;
    return i < n ? i : n;
}

SIMD_256 static inline __m256i digits_join_256(__m256i digits)
{
    __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(100 | 1 << 16));
    __m256i eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours),
                                       _mm256_set1_epi32(10000 | 1 << 16));
    return _mm256_add_epi64(_mm256_mul_epu32(eights, _mm256_set1_epi64x(EIGHT_DIGITS)),
                            _mm256_srli_epi64(eights, 32));
}

/* The same as for four, with masks as bytes. */
SIMD_256 static inline bool two_read_256(const uint8_t *text, const uint32_t *stop,
                                         const uint32_t *len, int64_t *value, uint8_t *places)
{
    const uint32_t first = 0x00010001, last = first << 15;
    const __m256i after = _mm256_loadu_si256((const void *)behind),
                  zero = _mm256_setzero_si256(), one = _mm256_set1_epi8(1);
    const uint8_t *from = text - NUMERAL_LEN_MAX;
    if (len[0] > NUMERAL_LEN_MAX || len[1] > NUMERAL_LEN_MAX) return false;
    __m256i x = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const void *)(from + stop[0]))),
        _mm_loadu_si128((const void *)(from + stop[1])), 1);
    __m256i n = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi8((char)len[0])),
                                        _mm_set1_epi8((char)len[1]), 1);
    __m256i d = _mm256_sub_epi8(x, _mm256_set1_epi8('0'));
    __m256i in = _mm256_cmpgt_epi8(n, after);
    __m256i digit =
        _mm256_and_si256(in, _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(9)), d));
    __m256i point = _mm256_and_si256(in, _mm256_cmpeq_epi8(x, _mm256_set1_epi8('.')));
    __m256i minus = _mm256_and_si256(_mm256_cmpeq_epi8(after, _mm256_sub_epi8(n, one)),
                                     _mm256_cmpeq_epi8(x, _mm256_set1_epi8('-')));
    __m256i known = _mm256_or_si256(_mm256_or_si256(digit, point), minus);
    uint32_t points = (uint32_t)_mm256_movemask_epi8(point);
    bool plain = _mm256_movemask_epi8(_mm256_cmpeq_epi8(known, in)) == -1 &&
                 ((uint32_t)_mm256_movemask_epi8(digit) & last) == last &&
                 (points & ((points | last) - first)) == 0;
    if (!plain) return false;
    __m256i w = _mm256_and_si256(point, _mm256_loadu_si256((const void *)weight));
    w = _mm256_or_si256(w, _mm256_and_si256(minus, _mm256_set1_epi8((char)MINUS_WEIGHT)));
    w = _mm256_sad_epu8(w, zero);
    w = _mm256_add_epi64(w, _mm256_shuffle_epi32(w, 0x4e));
    __m256i at = _mm256_and_si256(w, _mm256_set1_epi64x(PLACES_MASK));
    __m256i left = _mm256_sub_epi8(_mm256_shuffle_epi8(at, zero), one);
    d = _mm256_and_si256(d, digit);
    d = _mm256_blendv_epi8(d, _mm256_slli_si256(d, 1),
                           _mm256_cmpeq_epi8(_mm256_max_epu8(after, left), after));
    __m256i v = digits_join_256(d);
    __m256i sign = _mm256_cmpgt_epi64(w, _mm256_set1_epi64x(MINUS_WEIGHT - 1));
    v = _mm256_sub_epi64(_mm256_xor_si256(v, sign), sign);
    value[0] = _mm256_extract_epi64(v, 0);
    value[1] = _mm256_extract_epi64(v, 2);
    unsigned a = (unsigned)_mm256_extract_epi32(at, 0),
             b = (unsigned)_mm256_extract_epi32(at, 4);
    places[0] = (uint8_t)(a - (a > 0));
    places[1] = (uint8_t)(b - (b > 0));
    return true;
}

SIMD_256 static size_t read_256(const uint8_t *text, const uint32_t *stop, const uint32_t *len,
                                size_t n, int64_t *value, uint8_t *places)
{
    size_t i = 0;
    while (i < n && two_read_256(text, stop + i, len + i, value + i, places + i))
        i += 2;
    return i < n ? i : n;
}
#endif

size_t numerals_read(const uint8_t *text, uint32_t *stop, uint32_t *len, size_t n,
                     int64_t *value, uint8_t *places)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    for (size_t i = n; n > 0 && i < n + NUMERALS_AT_ONCE; i++) {
        stop[i] = stop[n - 1];
        len[i] = len[n - 1];
    }
    if (level == SIMD_LEVEL_512) return read_512(text, stop, len, n, value, places);
    if (level == SIMD_LEVEL_256) return read_256(text, stop, len, n, value, places);
#endif
    return read_any(text, stop, len, n, value, places);
}
