#include "common/num/exact.h"

#include "common/num/exact_inline.h"
#include "common/num/simd.h"

#include <math.h>
#if SIMD_X86
#include <immintrin.h>
#endif

#define PI 3.14159265358979323846

void exact_sincos_degrees(double degrees, double *sine, double *cosine)
{
    exact_sincos_inline(degrees, sine, cosine);
}

/* asin x = 2 asin(x / sqrt(2 (1 + sqrt(1 - x^2)))): halved four times, below 0.1, and there
 * Taylor's series is short. */
double exact_asin(double x)
{
    x = exact_clamp(x, 0.0, 1.0);
    for (int i = 0; i < 4; i++)
        x = x / exact_sqrt(2.0 * (1.0 + exact_sqrt((1.0 - x) * (1.0 + x))));
    double z = x * x, term = x, sum = x;
    for (int n = 1; n <= 10; n++) {
        term = term * z * (2 * n - 1) / (2 * n);
        sum += term / (2 * n + 1);
    }
    return 16.0 * sum;
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
    return 2.0 * EARTH_RADIUS_KM * exact_asin(0.5 * exact_sqrt(x * x + y * y + z * z));
}
