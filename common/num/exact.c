#include "common/num/exact.h"

#include "common/num/exact_inline.h"
#include "common/num/simd.h"

#include <math.h>
#if SIMD_X86
#include <immintrin.h>
#endif

#define PI 3.14159265358979323846

/* Taylor polynomials on |x| <= pi/4: the first term left out is below 2^-58. */
static double sin_small(double x)
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

static double cos_small(double x)
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

/* In degrees the reduction by quarter turns is exact. */
void exact_sincos_degrees(double degrees, double *sine, double *cosine)
{
    double quarters = degrees / 90.0;
    int q = (int)(quarters + (quarters < 0 ? -0.5 : 0.5));
    double x = (degrees - 90.0 * q) * (PI / 180.0), s = sin_small(x), c = cos_small(x);
    switch (q & 3) {
    case 0:
        *sine = s;
        *cosine = c;
        return;
    case 1:
        *sine = c;
        *cosine = -s;
        return;
    case 2:
        *sine = -s;
        *cosine = -c;
        return;
    default: *sine = -c; *cosine = s;
    }
}

/* asin x = 2 asin(x / sqrt(2 (1 + sqrt(1 - x^2)))): halved until Taylor's series is short. */
double exact_asin(double x)
{
    double factor = 1;
    if (x <= 0) return 0;
    if (x > 1) x = 1;
    while (x > 0.125) {
        x = x / sqrt(2.0 * (1.0 + sqrt((1.0 - x) * (1.0 + x))));
        factor *= 2;
    }
    double z = x * x, term = x, sum = x;
    for (int n = 1; n <= 10; n++) {
        term = term * z * (2 * n - 1) / (2 * n);
        sum += term / (2 * n + 1);
    }
    return factor * sum;
}

double exact_log(double x)
{
    return exact_log_inline(x);
}

double exact_exp(double x)
{
    return exact_exp_inline(x);
}

double exact_sigmoid(double x)
{
    return exact_sigmoid_of(x, exact_exp_decay(x));
}

double exact_log1p_exp(double x)
{
    return exact_log1p_exp_of(x, exact_exp_decay(x));
}

/* By instruction: the C library's looks at the sign first. */
double exact_sqrt(double x)
{
#if SIMD_X86
    return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x)));
#else
    return sqrt(x);
#endif
}

void exact_unit(double latitude, double longitude, double unit[3])
{
    double slat, clat, slon, clon;
    exact_sincos_degrees(latitude, &slat, &clat);
    exact_sincos_degrees(longitude, &slon, &clon);
    unit[0] = clat * clon;
    unit[1] = clat * slon;
    unit[2] = slat;
}

double exact_distance_km(const double p[3], const double q[3])
{
    double x = p[0] - q[0], y = p[1] - q[1], z = p[2] - q[2];
    return 2.0 * EARTH_RADIUS_KM * exact_asin(0.5 * sqrt(x * x + y * y + z * z));
}
