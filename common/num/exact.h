/* Elementary functions that give the same bytes on every machine: plain IEEE 754 operations in
 * a fixed order. (The C library's differ between processors: it picks variants at run time.)
 * Errors are below 2 units in the last place of a double near 1, as tests/test_num.c measures
 * against long double. Leaks: whether an argument is in range, nothing else. */
#ifndef COMMON_NUM_EXACT_H
#define COMMON_NUM_EXACT_H

#define EARTH_RADIUS_KM 6371.0088 /* IUGG mean radius */

/* Of an angle in degrees, |degrees| <= 360. */
void exact_sincos_degrees(double degrees, double *sine, double *cosine);
double exact_asin(double x); /* 0 <= x <= 1 (clamped) */
double exact_log(double x);  /* x > 0, finite, normal */
/* No branch follows the argument in these four and in exact_log. For whole columns there are
 * the bodies in common/num/exact_inline.h. */
double exact_exp(double x);     /* x beyond -745.13 .. 709.78 counts as that end: never 0,
                                   never infinite; the last bits go below e^-708 */
double exact_sigmoid(double x); /* 1 / (1 + e^-x): 0 below -708 */
double exact_sqrt(double x);    /* x >= 0: correctly rounded, as everywhere, without a branch */
double exact_log1p_exp(double x); /* log(1 + e^x) */
/* Great-circle distance in km. Source: haversine through the chord, 2 R asin(|p - q| / 2). */
double exact_distance_km(const double p[3], const double q[3]);
/* The unit vector of a place. */
void exact_unit(double latitude, double longitude, double unit[3]);

#endif
