#include "common/num/private_eigen.h"

#include <math.h>

/* Rows and columns p and q turned by an angle of sine s and cosine c. */
static void rotate(double *a, double *vectors, size_t n, size_t p, size_t q, double s, double c)
{
    for (size_t k = 0; k < n; k++) {
        double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        x = vectors[k * n + p];
        y = vectors[k * n + q];
        vectors[k * n + p] = c * x - s * y;
        vectors[k * n + q] = s * x + c * y;
    }
}

/* The angle, at most 45 degrees, that makes a_pq 0. */
static void angle(double pp, double pq, double qq, double *s, double *c)
{
    double tau = (qq - pp) / (2 * pq);
    double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));
    *c = 1 / sqrt(1 + t * t);
    *s = t * *c;
}

static double off_diagonal(const double *a, size_t n, double *all)
{
    double off = 0;
    *all = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            *all += a[i * n + j] * a[i * n + j];
            off += i == j ? 0 : a[i * n + j] * a[i * n + j];
        }
    return off;
}

void private_eigen(double *a, size_t n, double *vectors)
{
    double s, c, all;
    for (size_t i = 0; i < n * n; i++)
        vectors[i] = i % (n + 1) == 0;
    for (unsigned sweep = 0; sweep < EIGEN_SWEEPS; sweep++) {
        double off = off_diagonal(a, n, &all);
        if (!(off > 1e-30 * all)) return;
        for (size_t p = 0; p + 1 < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                if (fabs(a[p * n + q]) < 1e-300) continue;
                angle(a[p * n + p], a[p * n + q], a[q * n + q], &s, &c);
                rotate(a, vectors, n, p, q, s, c);
            }
    }
}
