#include "common/num/solve.h"

#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/simd.h"

/* a -= factor * b, over n numbers. */
EXACT_INLINE void subtract_body(double *__restrict__ a, const double *__restrict__ b, size_t n,
                                double factor)
{
    for (size_t i = 0; i < n; i++)
        a[i] -= factor * b[i];
}
SIMD_512 static void subtract_512(double *a, const double *b, size_t n, double factor)
{
    subtract_body(a, b, n, factor);
}
SIMD_256 static void subtract_256(double *a, const double *b, size_t n, double factor)
{
    subtract_body(a, b, n, factor);
}
static void subtract_any(double *a, const double *b, size_t n, double factor)
{
    subtract_body(a, b, n, factor);
}

typedef void (*subtract)(double *a, const double *b, size_t n, double factor);

static subtract subtract_here(void)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: return subtract_512;
    case SIMD_LEVEL_256: return subtract_256;
    default: return subtract_any;
    }
}

/* A dependent row keeps the pivot 0: its column of L is 0, and solving gives it 0. */
struct cholesky cholesky_factor(double *a, size_t n, double least, double *scratch)
{
    const subtract row_subtract = subtract_here();
    struct cholesky found = {.first = n, .least_pivot = 1};
    double *original = scratch;
    for (size_t i = 0; i < n; i++)
        original[i] = a[i * n + i];
    for (size_t j = 0; j < n; j++) {
        double pivot = a[j * n + j];
        uint64_t sound = exact_mask((pivot > least * original[j]) & (original[j] > 0.0));
        double share = pivot / exact_select(exact_mask(original[j] > 0.0), original[j], 1.0);
        found.least_pivot =
            exact_select(exact_mask(share < found.least_pivot), share, found.least_pivot);
        found.first ^=
            (found.first ^ j) & (size_t)~sound & (size_t)exact_mask(found.first == n);
        found.dependent += (size_t)(~sound & 1);
        double root = exact_sqrt(exact_select(sound, pivot, 0.0));
        double inverse = exact_select(sound, 1.0 / exact_select(sound, root, 1.0), 0.0);
        a[j * n + j] = root;
        /* The column, copied to where row j has room for it: right of its diagonal. */
        double *column = a + j * n;
        for (size_t i = j + 1; i < n; i++)
            column[i] = a[i * n + j] *= inverse;
        for (size_t i = j + 1; i < n; i++)
            row_subtract(a + i * n + j + 1, column + j + 1, i - j, column[i]);
    }
    return found;
}

void cholesky_solve(const double *factor, size_t n, double *b)
{
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t step = 0; step < n; step++) {
            size_t i = pass ? n - 1 - step : step;
            double sum = b[i], pivot = factor[i * n + i];
            /* L, and its transpose beside it: row i right of the diagonal is column i. */
            for (size_t k = pass ? i + 1 : 0; k < (pass ? n : i); k++)
                sum -= factor[i * n + k] * b[k];
            uint64_t sound = exact_mask(pivot > 0.0);
            b[i] = exact_select(sound, sum / exact_select(sound, pivot, 1.0), 0.0);
        }
}
