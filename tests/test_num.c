#include "common/num/exact.h"
#include "common/num/random.h"
#include "common/num/select.h"
#include "tests/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t seed[32] = {1, 2, 3};

static void sines_and_logarithms_are_within_two_units_of_long_double(void **state)
{
    double worst = 0;
    (void)state;
    for (int i = -3600; i <= 3600; i++) {
        double degrees = i / 10.0 + 0.0123456789, s, c;
        if (fabs(degrees) > 360) continue;
        long double x = (long double)degrees * 3.14159265358979323846264338327950288L / 180;
        exact_sincos_degrees(degrees, &s, &c);
        worst = fmax(worst, fmax(fabs((double)(s - sinl(x))), fabs((double)(c - cosl(x)))));
    }
    CHECK(worst < 2 * DBL_EPSILON);
    for (int i = 0; i <= 10000; i++) {
        double x = i / 10000.0;
        CHECK(fabs((double)(exact_asin(x) - asinl(x))) <=
              4 * DBL_EPSILON * (1 + x / sqrt(1.0001 - x * x)));
        double y = exp((i - 5000) / 20.0);
        CHECK(fabs((double)(exact_log(y) - logl(y))) <=
              2 * DBL_EPSILON * fmax(1, fabs(exact_log(y))));
    }
}

static void distances_are_those_of_the_haversine_formula(void **state)
{
    static const struct {
        double a, b, c, d, km;
    } cases[] = {{0, 0, 0, 180, 20015.114352},
                 {90, 0, -90, 0, 20015.114352},
                 {0, 179.999, 0, -179.999, 0.222390},
                 {51.4778, 0, 48.8567, 2.3508, 335.5},
                 {10, 20, 10, 20, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p[3], q[3];
        exact_unit(cases[i].a, cases[i].b, p);
        exact_unit(cases[i].c, cases[i].d, q);
        double km = exact_distance_km(p, q);
        CHECK(fabs(km - cases[i].km) < 1e-6 * cases[i].km + (cases[i].km == 335.5 ? 2 : 1e-6));
    }
}

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void selection_is_what_sorting_finds(void **state)
{
    struct random_state r;
    double numbers[200], sorted[200], work[200];
    (void)state;
    random_seed(&r, seed, 11);
    for (int round = 0; round < 400; round++) {
        size_t n = 1 + random_next(&r) % 200;
        for (size_t i = 0; i < n;
             i++) /* many ties in every third round, order and reverse order in some */
            numbers[i] = round % 3 == 0   ? (double)(random_next(&r) % 4)
                         : round % 7 == 1 ? (double)i
                         : round % 7 == 2 ? -(double)i
                                          : random_unit(&r);
        memcpy(sorted, numbers, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, number_order);
        for (size_t k = 0; k < n; k++) {
            memcpy(work, numbers, n * sizeof *work);
            CHECK(select_kth(work, n, k) == sorted[k]);
            for (size_t i = 0; i < n; i++)
                CHECK(i < k ? work[i] <= sorted[k] : work[i] >= sorted[k]);
        }
        double at = (double)(n - 1) * 0.95;
        size_t i = (size_t)at;
        memcpy(work, numbers, n * sizeof *work);
        CHECK(select_quantile(work, n, 0.95) ==
              (i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i])
                         : sorted[n - 1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sines_and_logarithms_are_within_two_units_of_long_double),
        cmocka_unit_test(distances_are_those_of_the_haversine_formula),
        cmocka_unit_test(selection_is_what_sorting_finds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
