#include "common/num/private_moments.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/private_match.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>

enum { Q = PRIVATE_MOMENT_STEPS };

/* Sums of q and of q^2 - Q^2/2 over rows of one code. */
static inline __attribute__((always_inline)) void sums_body(const int32_t *q,
                                                            const uint32_t *codes, size_t n,
                                                            uint32_t code, int64_t *sum,
                                                            int64_t *square)
{
    int32_t s = 0; /* 2^12 rows of 2^14 */
    int64_t r = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t in = -(int32_t)(codes[i] == code);
        s += q[i] & in;
        r += (q[i] * q[i] - Q * (Q / 2)) & in;
    }
    *sum += s;
    *square += r;
}

#if SIMD_X86
SIMD_512 static void sums_512(const int32_t *q, const uint32_t *codes, size_t n, uint32_t code,
                              int64_t *sum, int64_t *square)
{
    sums_body(q, codes, n, code, sum, square);
}
SIMD_256 static void sums_256(const int32_t *q, const uint32_t *codes, size_t n, uint32_t code,
                              int64_t *sum, int64_t *square)
{
    sums_body(q, codes, n, code, sum, square);
}
#endif
static void sums_any(const int32_t *q, const uint32_t *codes, size_t n, uint32_t code,
                     int64_t *sum, int64_t *square)
{
    sums_body(q, codes, n, code, sum, square);
}

static void sums_add(const int32_t *q, const uint32_t *codes, size_t n, uint32_t code,
                     int64_t *sum, int64_t *square)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        sums_512(q, codes, n, code, sum, square);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        sums_256(q, codes, n, code, sum, square);
        return;
    }
#endif
    sums_any(q, codes, n, code, sum, square);
}

void private_moments_add(const void *options, const struct num_block *block, int64_t *values)
{
    const struct private_moments_options *o = options;
    size_t d = o->n_columns, k = o->n_classes;
    uint32_t codes[BLOCK_ROWS];
    int32_t q[BLOCK_ROWS];
    for (size_t i = 0; i < block->n; i++)
        codes[i] = (k > 1 ? block->label[i] : 0) |
                   ((uint32_t)private_counts_row(block->weight[i]) - 1);
    for (uint32_t c = 0; c < k; c++)
        private_match(codes, block->n, &c, 1, values + c);
    for (size_t j = 0; j < d; j++) {
        private_grid(block->column[j], block->n, o->bounds[j], 2 * Q, q);
        for (size_t i = 0; i < block->n; i++)
            q[i] -= Q;
        for (uint32_t c = 0; c < k; c++)
            sums_add(q, codes, block->n, c, values + k + c * d + j,
                     values + k + (k + c) * d + j);
    }
    wipe(codes, sizeof codes);
    wipe(q, sizeof q);
}

static apex_status moments_release(int64_t *values, const struct private_moments_options *o,
                                   uint64_t amount, struct private_run *run,
                                   double variances[3], struct num_place *place)
{
    const uint64_t d = o->n_columns, k = o->n_classes, one = Q, two = (uint64_t)Q * Q / 2;
    struct private_statistic parts[3] = {
        {.what = "class counts", .values = values, .n = k, .l1 = 1, .l2_squared = 1},
        {.what = "sums",
         .values = values + k,
         .n = k * d,
         .l1 = d * one,
         .l2_squared = d * one * one},
        {.what = "sums of squares",
         .values = values + k + k * d,
         .n = k * d,
         .l1 = d * two,
         .l2_squared = d * two * two}};
    const uint64_t amounts[3] = {amount / 6, amount / 2, amount - amount / 6 - amount / 2};
    for (unsigned p = 0; p < 3; p++) {
        TRY(private_release(&parts[p], amounts[p], run->budget, run->random, place));
        variances[p] = parts[p].variance;
    }
    variances[1] /= (double)Q * Q;
    variances[2] /= (double)Q * Q * Q * Q;
    return APEX_OK;
}

/* A number of rows that one may divide by. */
static double rows_of(double count, double variance)
{
    double least = 1 + sqrt(variance);
    return count > least ? count : least;
}

static double within(double x, double least, double most)
{
    return x < least ? least : x > most ? most : x;
}

/* Mean and variance on the grid's scale, -1..1, and the variances of the noise in them. */
struct estimate {
    double mean, variance, mean_noise, variance_noise;
};
static const double least_variance = 1.0 / 12 / Q / Q; /* of rounding to the grid */

/* From released sums of one class (parts 1) or of all together. The mean's own noise makes its
 * square too large on average, and so the variance too small: it is added back. */
static struct estimate estimate_of(double sum, double squares, double count, double parts,
                                   const double *noise)
{
    struct estimate e;
    double rows = rows_of(count, parts * noise[0]), per = parts / (rows * rows);
    e.mean = within(sum / rows, -1, 1);
    e.mean_noise = (noise[1] + e.mean * e.mean * noise[0]) * per;
    e.variance = squares / rows + 0.5 * count / rows - e.mean * e.mean + e.mean_noise;
    e.variance_noise = (noise[2] + noise[0] / 4) * per + 4 * e.mean * e.mean * e.mean_noise;
    return e;
}

/* A variance above 0 that one may divide by: what was estimated where this is far above its
 * noise, and no less than about the noise's deviation where it is not. */
static double settled(double variance, double noise)
{
    double v = variance > 0 ? variance : 0;
    return within((v + sqrt(v * v + 4 * noise)) / 2, least_variance, 1);
}

/* The estimate of a class drawn to that of all, as far as noise outweighs what may set classes
 * apart: their means by `spread`, their variances by as much as the variance itself. */
static struct estimate drawn(struct estimate e, double mean, double variance, double spread)
{
    double own = spread / (spread + e.mean_noise), square = variance * variance;
    double own_variance = square / (square + e.variance_noise);
    e.mean = mean + own * (e.mean - mean);
    e.mean_noise *= own;
    e.variance = variance + own_variance * (e.variance - variance);
    e.variance = within(e.variance, variance / 16 + least_variance, 1);
    return e;
}

/* One column, from released integers alone. */
static void column_finish(const struct private_moments_options *o, const int64_t *values,
                          size_t j, const double *noise, struct private_moments *m)
{
    const size_t d = o->n_columns, k = o->n_classes;
    const int64_t *sums = values + k + j, *squares = values + k + k * d + j;
    const double half = (o->bounds[j].max - o->bounds[j].min) / 2;
    double sum = 0, square = 0, count = 0, inside = 0, inside_noise = 0;
    for (size_t c = 0; c < k; c++) {
        struct estimate e = estimate_of((double)sums[c * d] / Q, (double)squares[c * d] / Q / Q,
                                        (double)values[c], 1, noise);
        sum += (double)sums[c * d] / Q;
        square += (double)squares[c * d] / Q / Q;
        count += (double)values[c];
        inside += m->share[c] * e.variance;
        inside_noise += m->share[c] * m->share[c] * e.variance_noise;
    }
    struct estimate all = estimate_of(sum, square, count, (double)k, noise);
    double spread = settled(all.variance, all.variance_noise);
    double within_classes = settled(inside, inside_noise);
    for (size_t c = 0; c < k; c++) {
        struct estimate e = estimate_of((double)sums[c * d] / Q, (double)squares[c * d] / Q / Q,
                                        (double)values[c], 1, noise);
        if (k > 1)
            e = drawn(e, all.mean, within_classes, spread);
        else
            e.variance = spread;
        m->mean[c * d + j] = o->bounds[j].min + half * (1 + e.mean);
        m->variance[c * d + j] = half * half * e.variance;
        if (m->mean_noise) m->mean_noise[c * d + j] = half * half * e.mean_noise;
    }
}

static void moments_finish(const struct private_moments_options *o, const int64_t *values,
                           const double *noise, struct private_moments *m)
{
    double all = 0;
    for (size_t c = 0; c < o->n_classes; c++) {
        m->counts[c] = values[c];
        m->share[c] = values[c] > 1 ? (double)values[c] : 1;
        all += m->share[c];
    }
    for (size_t c = 0; c < o->n_classes; c++)
        m->share[c] /= all;
    for (size_t j = 0; j < o->n_columns; j++)
        column_finish(o, values, j, noise, m);
}

apex_status private_moments(const struct num_source *rows,
                            const struct private_moments_options *options, uint64_t amount,
                            struct private_run *run, struct private_moments *m,
                            struct num_place *place)
{
    size_t d = options->n_columns, k = options->n_classes, n_values = 0;
    double noise[3];
    if (d == 0 || d > PRIVATE_COLUMNS_MAX || d > rows->n_columns || k == 0 ||
        k > PRIVATE_BINS_MAX || (k > 1 && !private_rows_have(rows, false)))
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    TRY(private_bounds_check(options->bounds, d, place));
    if (!size_mul(2 * d + 1, k, &n_values)) return APEX_E_LIMIT;
    int64_t *values = calloc(n_values, sizeof *values);
    if (!values) return APEX_E_MEMORY;
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = n_values,
                                            .add = private_moments_add,
                                            .context = options};
    apex_status status = private_sum(&summing, values);
    if (status == APEX_OK) status = moments_release(values, options, amount, run, noise, place);
    if (status == APEX_OK) moments_finish(options, values, noise, m);
    wipe(values, n_values * sizeof *values);
    free(values);
    return status;
}
