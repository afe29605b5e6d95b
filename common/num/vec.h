/* Eight doubles at a time, at each instruction level: a kernel's body is written once with V
 * and VF(...) and included once per level (LEVEL = 512, 256 or any), and every lane computes
 * the same at all of them. fma is one rounding on all levels (without the instruction, the C
 * library's).
 *
 *     #define LEVEL 512
 *     #include "common/num/x_body.h"   defines SIMD_LEVEL(f) functions named LEVELED(f)
 *     #undef LEVEL ...
 *
 * A mask holds a lane's truth; select(m, a, b) is a where m is true, else b, without a branch;
 * bits(m) has bit i set where lane i is true. total() adds the lanes in any order: of whole
 * numbers alone, whose sums are exact. most() is the greatest lane.
 */
#ifndef COMMON_NUM_VEC_H
#define COMMON_NUM_VEC_H

#include "common/num/simd.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 8 };

#define VEC_JOIN_(a, b) a##_##b
#define VEC_JOIN(a, b) VEC_JOIN_(a, b)
#define LEVELED(name) VEC_JOIN(name, LEVEL)
#define V struct LEVELED(vec)
#define VM LEVELED(vec_mask)
#define VF(name) LEVELED(vec_##name)
#define VEC_INLINE static inline __attribute__((always_inline, unused))

#if SIMD_X86
#include <immintrin.h>

struct vec_512 {
    __m512d v;
};
typedef __mmask8 vec_mask_512;
struct vec_256 {
    __m256d a, b;
};
typedef struct vec_256 vec_mask_256;

/* One operation of one instruction on both: NAME(vec X..) = OP_512 or OP_256 of each half. */
#define VEC_TWO(name, op)                                                                      \
    SIMD_512 VEC_INLINE struct vec_512 vec_##name##_512(struct vec_512 x, struct vec_512 y) {  \
        return (struct vec_512){_mm512_##op##_pd(x.v, y.v)};                                   \
    } SIMD_256 VEC_INLINE struct vec_256 vec_##name##_256(struct vec_256 x,                    \
                                                          struct vec_256 y) {                  \
        return (struct vec_256){_mm256_##op##_pd(x.a, y.a), _mm256_##op##_pd(x.b, y.b)};       \
    }
#define VEC_THREE(name, op)                                                                    \
    SIMD_512 VEC_INLINE struct vec_512 vec_##name##_512(struct vec_512 x, struct vec_512 y,    \
                                                        struct vec_512 z) {                    \
        return (struct vec_512){_mm512_##op##_pd(x.v, y.v, z.v)};                              \
    } SIMD_256 VEC_INLINE struct vec_256 vec_##name##_256(struct vec_256 x, struct vec_256 y,  \
                                                          struct vec_256 z) {                  \
        return (struct vec_256){_mm256_##op##_pd(x.a, y.a, z.a),                               \
                                _mm256_##op##_pd(x.b, y.b, z.b)};                              \
    }
VEC_TWO(add, add)
VEC_TWO(sub, sub)
VEC_TWO(mul, mul)
VEC_TWO(div, div)
VEC_TWO(min, min)       /* x < y ? x : y */
VEC_TWO(max, max)       /* x > y ? x : y */
VEC_THREE(fma, fmadd)   /* x y + z */
VEC_THREE(fnma, fnmadd) /* z - x y */

SIMD_512 VEC_INLINE struct vec_512 vec_load_512(const double *p)
{
    return (struct vec_512){_mm512_loadu_pd(p)};
}
SIMD_256 VEC_INLINE struct vec_256 vec_load_256(const double *p)
{
    return (struct vec_256){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}
SIMD_512 VEC_INLINE struct vec_512 vec_load_int_512(const int32_t *p)
{
    return (struct vec_512){_mm512_cvtepi32_pd(_mm256_loadu_si256((const __m256i *)p))};
}
SIMD_256 VEC_INLINE struct vec_256 vec_load_int_256(const int32_t *p)
{
    return (struct vec_256){_mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)p)),
                            _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(p + 4)))};
}
SIMD_512 VEC_INLINE void vec_store_512(double *p, struct vec_512 x)
{
    _mm512_storeu_pd(p, x.v);
}
SIMD_256 VEC_INLINE void vec_store_256(double *p, struct vec_256 x)
{
    _mm256_storeu_pd(p, x.a);
    _mm256_storeu_pd(p + 4, x.b);
}
SIMD_512 VEC_INLINE struct vec_512 vec_set_512(double x)
{
    return (struct vec_512){_mm512_set1_pd(x)};
}
SIMD_256 VEC_INLINE struct vec_256 vec_set_256(double x)
{
    return (struct vec_256){_mm256_set1_pd(x), _mm256_set1_pd(x)};
}
SIMD_512 VEC_INLINE vec_mask_512 vec_greater_512(struct vec_512 x, struct vec_512 y)
{
    return _mm512_cmp_pd_mask(x.v, y.v, _CMP_GT_OQ);
}
SIMD_256 VEC_INLINE vec_mask_256 vec_greater_256(struct vec_256 x, struct vec_256 y)
{
    return (struct vec_256){_mm256_cmp_pd(x.a, y.a, _CMP_GT_OQ),
                            _mm256_cmp_pd(x.b, y.b, _CMP_GT_OQ)};
}
SIMD_512 VEC_INLINE vec_mask_512 vec_equal_512(struct vec_512 x, struct vec_512 y)
{
    return _mm512_cmp_pd_mask(x.v, y.v, _CMP_EQ_OQ);
}
SIMD_256 VEC_INLINE vec_mask_256 vec_equal_256(struct vec_256 x, struct vec_256 y)
{
    return (struct vec_256){_mm256_cmp_pd(x.a, y.a, _CMP_EQ_OQ),
                            _mm256_cmp_pd(x.b, y.b, _CMP_EQ_OQ)};
}
SIMD_512 VEC_INLINE unsigned vec_bits_512(vec_mask_512 m)
{
    return m;
}
SIMD_256 VEC_INLINE unsigned vec_bits_256(vec_mask_256 m)
{
    return (unsigned)_mm256_movemask_pd(m.a) | (unsigned)_mm256_movemask_pd(m.b) << 4;
}
SIMD_512 VEC_INLINE double vec_total_512(struct vec_512 x)
{
    return _mm512_reduce_add_pd(x.v);
}
SIMD_256 VEC_INLINE double vec_total_256(struct vec_256 x)
{
    __m256d four = _mm256_add_pd(x.a, x.b);
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(two) + _mm_cvtsd_f64(_mm_unpackhi_pd(two, two));
}
SIMD_512 VEC_INLINE double vec_most_512(struct vec_512 x)
{
    return _mm512_reduce_max_pd(x.v);
}
SIMD_256 VEC_INLINE double vec_most_256(struct vec_256 x)
{
    __m256d four = _mm256_max_pd(x.a, x.b);
    __m128d two = _mm_max_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}
SIMD_512 VEC_INLINE struct vec_512 vec_select_512(vec_mask_512 m, struct vec_512 x,
                                                  struct vec_512 y)
{
    return (struct vec_512){_mm512_mask_blend_pd(m, y.v, x.v)};
}
SIMD_256 VEC_INLINE struct vec_256 vec_select_256(vec_mask_256 m, struct vec_256 x,
                                                  struct vec_256 y)
{
    return (struct vec_256){_mm256_blendv_pd(y.a, x.a, m.a), _mm256_blendv_pd(y.b, x.b, m.b)};
}
#endif

/* Any machine: the same in plain C; masks are words of ones or zeros. */
struct vec_any {
    double v[VEC];
};
typedef struct {
    uint64_t m[VEC];
} vec_mask_any;

/* A where all bits of `mask` are set, b where none is. */
VEC_INLINE double vec_pick(uint64_t mask, double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

/* All ones where the condition holds, else 0, and 1 or 0 as a double: outside of vectors, where
 * the compiler is not to see that there are two cases, or it branches on them. */
VEC_INLINE uint64_t vec_mask(int condition)
{
    uint64_t mask = -(uint64_t)(condition != 0);
    __asm__("" : "+r"(mask));
    return mask;
}
VEC_INLINE double vec_one(int condition)
{
    return vec_pick(vec_mask(condition), 1, 0);
}
/* The greater, without a branch (the C library's fmax has some); b if either is not a number.
 */
VEC_INLINE double vec_greatest(double a, double b)
{
    return vec_pick(vec_mask(a > b), a, b);
}
/* The lesser, likewise. */
VEC_INLINE double vec_least(double a, double b)
{
    return vec_pick(vec_mask(a < b), a, b);
}
/* x, but 0 for what rounding brought below it; not a number stays so. */
VEC_INLINE double vec_positive(double x)
{
    return vec_pick(vec_mask(x < 0), 0, x);
}
/* The nearest integer of |x| < 2^51, the even one of two: as adding rounds. */
VEC_INLINE double vec_nearest(double x)
{
    const double big = 0x1.8p52;
    return (x + big) - big;
}

#define VEC_ANY(name, arguments, expression)                                                   \
    VEC_INLINE struct vec_any vec_##name##_any arguments {                                     \
        struct vec_any r;                                                                      \
        for (int i = 0; i < VEC; i++)                                                          \
            r.v[i] = expression;                                                               \
        return r;                                                                              \
    }
VEC_ANY(load, (const double *p), p[i])
VEC_ANY(load_int, (const int32_t *p), p[i])
VEC_ANY(set, (double x), x)
VEC_ANY(add, (struct vec_any x, struct vec_any y), x.v[i] + y.v[i])
VEC_ANY(sub, (struct vec_any x, struct vec_any y), x.v[i] - y.v[i])
VEC_ANY(mul, (struct vec_any x, struct vec_any y), x.v[i] * y.v[i])
VEC_ANY(div, (struct vec_any x, struct vec_any y), x.v[i] / y.v[i])
VEC_ANY(min, (struct vec_any x, struct vec_any y),
        vec_pick(-(uint64_t)(x.v[i] < y.v[i]), x.v[i], y.v[i]))
VEC_ANY(max, (struct vec_any x, struct vec_any y),
        vec_pick(-(uint64_t)(x.v[i] > y.v[i]), x.v[i], y.v[i]))
VEC_ANY(fma, (struct vec_any x, struct vec_any y, struct vec_any z),
        fma(x.v[i], y.v[i], z.v[i]))
VEC_ANY(fnma, (struct vec_any x, struct vec_any y, struct vec_any z),
        fma(-x.v[i], y.v[i], z.v[i]))
VEC_ANY(select, (vec_mask_any m, struct vec_any x, struct vec_any y),
        vec_pick(m.m[i], x.v[i], y.v[i]))

VEC_INLINE void vec_store_any(double *p, struct vec_any x)
{
    memcpy(p, x.v, sizeof x.v);
}
VEC_INLINE vec_mask_any vec_greater_any(struct vec_any x, struct vec_any y)
{
    vec_mask_any r;
    for (int i = 0; i < VEC; i++)
        r.m[i] = -(uint64_t)(x.v[i] > y.v[i]);
    return r;
}
VEC_INLINE vec_mask_any vec_equal_any(struct vec_any x, struct vec_any y)
{
    vec_mask_any r;
    for (int i = 0; i < VEC; i++)
        r.m[i] = -(uint64_t)(x.v[i] == y.v[i]);
    return r;
}
VEC_INLINE unsigned vec_bits_any(vec_mask_any m)
{
    unsigned bits = 0;
    for (int i = 0; i < VEC; i++)
        bits |= (unsigned)(m.m[i] & 1) << i;
    return bits;
}
VEC_INLINE double vec_total_any(struct vec_any x)
{
    double sum = 0;
    for (int i = 0; i < VEC; i++)
        sum += x.v[i];
    return sum;
}
VEC_INLINE double vec_most_any(struct vec_any x)
{
    double most = x.v[0];
    for (int i = 1; i < VEC; i++)
        most = vec_greatest(x.v[i], most);
    return most;
}

#if SIMD_X86
#define SIMD_OF_512 SIMD_512
#define SIMD_OF_256 SIMD_256
#endif
#define SIMD_OF_any
#define SIMD_LEVEL VEC_JOIN(SIMD_OF, LEVEL)

/* Sixteen lanes, summed as a tree: the order is the same everywhere. */
VEC_INLINE double vec_sum16(const double lanes[16])
{
    double s[16];
    memcpy(s, lanes, sizeof s);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            s[i] += s[i + width];
    return s[0];
}

/* Calls the function compiled for this machine's level. */
#if SIMD_X86
#define VEC_DISPATCH(name, ...)                                                                \
    do {                                                                                       \
        enum simd_level vec_level_ = simd_level();                                             \
        if (vec_level_ == SIMD_LEVEL_512)                                                      \
            name##_512(__VA_ARGS__);                                                           \
        else if (vec_level_ == SIMD_LEVEL_256)                                                 \
            name##_256(__VA_ARGS__);                                                           \
        else                                                                                   \
            name##_any(__VA_ARGS__);                                                           \
    } while (0)
#else
#define VEC_DISPATCH(name, ...) name##_any(__VA_ARGS__)
#endif

#endif
