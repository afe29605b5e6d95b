/* The exact functions that kernels have in their inner loops, as bodies without a branch, so
 * that they become vectors at each level of simd.h and give the bytes of common/num/exact.h
 * there: additions, multiplications and divisions in a fixed order, selects by bits. Include
 * this in a kernel's own .c file; elsewhere call exact.h. Leaks: nothing. */
#ifndef COMMON_NUM_EXACT_INLINE_H
#define COMMON_NUM_EXACT_INLINE_H

#include <stdint.h>
#include <string.h>

#define EXACT_INLINE static inline __attribute__((always_inline, unused))

#define EXACT_LN2_HIGH 6.93147180369123816490e-01
#define EXACT_LN2_LOW 1.90821492927058770002e-10
#define EXACT_LOG2_E 1.44269504088896338700e+00
/* 1.5 * 2^52: adding it rounds to an integer, which then stands in the low bits. */
#define EXACT_ROUND 6755399441055744.0
/* The arguments between which exp is neither 0 nor infinite. */
#define EXACT_EXP_LEAST (-745.13321910194110842)
#define EXACT_EXP_MOST 709.78271289338399684

EXACT_INLINE uint64_t exact_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

EXACT_INLINE double exact_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* All ones or zeros. */
EXACT_INLINE uint64_t exact_mask(int condition)
{
    return (uint64_t)0 - (uint64_t)(condition != 0);
}

EXACT_INLINE double exact_select(uint64_t mask, double yes, double no)
{
    return exact_of_bits((exact_bits(yes) & mask) | (exact_bits(no) & ~mask));
}

EXACT_INLINE double exact_abs(double x)
{
    return exact_of_bits(exact_bits(x) & UINT64_C(0x7fffffffffffffff));
}

/* e^r on |r| <= 0.35: Taylor to r^13, the rest is below 2^-57. */
EXACT_INLINE double exact_exp_small(double r)
{
    double p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
    p = 1.0 / 39916800.0 + r * p;
    p = 1.0 / 3628800.0 + r * p;
    p = 1.0 / 362880.0 + r * p;
    p = 1.0 / 40320.0 + r * p;
    p = 1.0 / 5040.0 + r * p;
    p = 1.0 / 720.0 + r * p;
    p = 1.0 / 120.0 + r * p;
    p = 1.0 / 24.0 + r * p;
    p = 1.0 / 6.0 + r * p;
    p = 0.5 + r * p;
    return 1.0 + (r + (r * r) * p);
}

/* e^x for -708 <= x <= 709, where 2^k is a normal number: x = k log 2 + r. */
EXACT_INLINE double exact_exp_normal(double x)
{
    double shifted = x * EXACT_LOG2_E + EXACT_ROUND, k = shifted - EXACT_ROUND;
    double r = (x - k * EXACT_LN2_HIGH) - k * EXACT_LN2_LOW;
    uint64_t power = (exact_bits(shifted) + 1023) << 52;
    return exact_exp_small(r) * exact_of_bits(power);
}

EXACT_INLINE double exact_clamp(double x, double least, double most)
{
    x = exact_select(exact_mask(x < least), least, x);
    return exact_select(exact_mask(x > most), most, x);
}

/* e^x; x beyond the range of doubles counts as its end. 2^k in two halves, so that the result
 * may be subnormal. */
EXACT_INLINE double exact_exp_inline(double x)
{
    x = exact_clamp(x, EXACT_EXP_LEAST, EXACT_EXP_MOST);
    double shifted = x * EXACT_LOG2_E + EXACT_ROUND, k = shifted - EXACT_ROUND;
    double r = (x - k * EXACT_LN2_HIGH) - k * EXACT_LN2_LOW;
    double shifted_half = k * 0.5 + EXACT_ROUND;
    uint64_t half = exact_bits(shifted_half), rest = exact_bits(shifted) - half;
    /* Both hold EXACT_ROUND's own bits; in the difference they are gone. */
    return exact_exp_small(r) * exact_of_bits((half + 1023) << 52) *
           exact_of_bits((rest + 1023) << 52);
}

/* 2 artanh(s) for |s| <= 0.1716: s^23 / 23 is the last term. */
EXACT_INLINE double exact_artanh_twice(double s)
{
    double z = s * s, p = 1.0 / 23.0;
    p = 1.0 / 21.0 + z * p;
    p = 1.0 / 19.0 + z * p;
    p = 1.0 / 17.0 + z * p;
    p = 1.0 / 15.0 + z * p;
    p = 1.0 / 13.0 + z * p;
    p = 1.0 / 11.0 + z * p;
    p = 1.0 / 9.0 + z * p;
    p = 1.0 / 7.0 + z * p;
    p = 1.0 / 5.0 + z * p;
    p = 1.0 / 3.0 + z * p;
    return 2.0 * (s + s * z * p);
}

/* log x, x > 0, finite, normal: log(2^e m) = e log 2 + 2 artanh((m - 1) / (m + 1)), m in
 * [sqrt(1/2), sqrt 2). */
EXACT_INLINE double exact_log_inline(double x)
{
    const uint64_t two_52 = UINT64_C(0x4330000000000000); /* 2^52: an integer in its low bits */
    uint64_t bits = exact_bits(x);
    double m =
        exact_of_bits((bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000));
    uint64_t above = exact_mask(m > 1.4142135623730951);
    double e = exact_of_bits((bits >> 52) | two_52) - (4503599627370496.0 + 1023.0);
    e += exact_select(above, 1.0, 0.0);
    m *= exact_select(above, 0.5, 1.0);
    double s = (m - 1.0) / (m + 1.0);
    return e * EXACT_LN2_HIGH + (e * EXACT_LN2_LOW + exact_artanh_twice(s));
}

/* log(1 + u) for 0 <= u <= 1, u as small as you like: above sqrt 2 - 1 by way of (1 + u) / 2.
 */
EXACT_INLINE double exact_log1p_unit(double u)
{
    uint64_t above = exact_mask(u > 0.41421356237309505);
    double s = (u - exact_select(above, 1.0, 0.0)) / (u + exact_select(above, 3.0, 2.0));
    double high = exact_select(above, EXACT_LN2_HIGH, 0.0);
    double low = exact_select(above, EXACT_LN2_LOW, 0.0);
    return high + (low + exact_artanh_twice(s));
}

/* e^-|x|, 0 (not subnormal) below 2^-1021: what sigmoid and log(1 + e^x) are made of. */
EXACT_INLINE double exact_exp_decay(double x)
{
    double a = exact_abs(x);
    uint64_t near = exact_mask(a < 708.0);
    return exact_select(near, exact_exp_normal(-exact_select(near, a, 0.0)), 0.0);
}

/* 1 / (1 + e^-x), given decay = exact_exp_decay(x): no digits are lost at either end. */
EXACT_INLINE double exact_sigmoid_of(double x, double decay)
{
    return exact_select(exact_mask(x < 0.0), decay, 1.0) / (1.0 + decay);
}

/* log(1 + e^x), given decay = exact_exp_decay(x). */
EXACT_INLINE double exact_log1p_exp_of(double x, double decay)
{
    return exact_select(exact_mask(x > 0.0), x, 0.0) + exact_log1p_unit(decay);
}

/* Taylor polynomials on |x| <= pi/4: the first term left out is below 2^-58. */
EXACT_INLINE double exact_sin_small(double x)
{
    double z = x * x;
    double p = -1.0 / 1307674368000.0 + z * (1.0 / 355687428096000.0);
    p = 1.0 / 6227020800.0 + z * p;
    p = -1.0 / 39916800.0 + z * p;
    p = 1.0 / 362880.0 + z * p;
    p = -1.0 / 5040.0 + z * p;
    p = 1.0 / 120.0 + z * p;
    p = -1.0 / 6.0 + z * p;
    return x + x * z * p;
}

EXACT_INLINE double exact_cos_small(double x)
{
    double z = x * x;
    double p = 1.0 / 20922789888000.0;
    p = -1.0 / 87178291200.0 + z * p;
    p = 1.0 / 479001600.0 + z * p;
    p = -1.0 / 3628800.0 + z * p;
    p = 1.0 / 40320.0 + z * p;
    p = -1.0 / 720.0 + z * p;
    p = 1.0 / 24.0 + z * p;
    p = -0.5 + z * p;
    return 1.0 + z * p;
}

/* Of |degrees| <= 360. In degrees the reduction by quarter turns is exact; the quarter's number
 * stands in the low bits, its first bit swaps the two, its second turns both around. */
EXACT_INLINE void exact_sincos_inline(double degrees, double *sine, double *cosine)
{
    double shifted = degrees * (1.0 / 90.0) + EXACT_ROUND, quarters = shifted - EXACT_ROUND;
    double x = (degrees - 90.0 * quarters) * (3.14159265358979323846 / 180.0);
    double s = exact_sin_small(x), c = exact_cos_small(x);
    uint64_t q = exact_bits(shifted), odd = (uint64_t)0 - (q & 1);
    uint64_t turn_sine = (q & 2) << 62, turn_cosine = ((q + 1) & 2) << 62;
    *sine = exact_of_bits(exact_bits(exact_select(odd, c, s)) ^ turn_sine);
    *cosine = exact_of_bits(exact_bits(exact_select(odd, s, c)) ^ turn_cosine);
}

#endif
