#include "common/num/private_count.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/private_match.h"

#include <math.h>
#include <stdlib.h>

/* Codes of rows that do not count become PRIVATE_NO_CODE. */
static void codes_mask(const struct num_block *block, uint32_t *codes)
{
    for (size_t i = 0; i < block->n; i++)
        codes[i] |= (uint32_t)private_counts_row(block->weight[i]) - 1;
}

/* Values 0..n-1, as many at a time as fit. */
static void match_all(const uint32_t *codes, size_t n, size_t n_values, int64_t *counts)
{
    uint32_t values[256];
    for (size_t first = 0; first < n_values; first += 256) {
        size_t m = n_values - first < 256 ? n_values - first : 256;
        for (size_t v = 0; v < m; v++)
            values[v] = (uint32_t)(first + v);
        private_match(codes, n, values, m, counts + first);
    }
}

void private_classes_add(const void *classes, const struct num_block *block, int64_t *values)
{
    const struct private_classes *c = classes;
    uint32_t codes[BLOCK_ROWS];
    memcpy(codes, block->label, block->n * sizeof *codes);
    codes_mask(block, codes);
    match_all(codes, block->n, c->n_classes, values);
    wipe(codes, sizeof codes);
}

void private_bins_add(const void *options, const struct num_block *block, int64_t *values)
{
    const struct private_bin_options *o = options;
    uint32_t codes[BLOCK_ROWS];
    private_bins(block->column[o->column], block->n, o->bounds, (uint32_t)o->n_bins, codes);
    codes_mask(block, codes);
    match_all(codes, block->n, o->n_bins, values);
    wipe(codes, sizeof codes);
}

static apex_status counts_release(const char *what, const struct private_summing *summing,
                                  uint64_t amount, struct private_run *run, int64_t *counts,
                                  double *variance, struct num_place *place)
{
    struct private_statistic s = {
        .what = what, .values = counts, .n = summing->n_values, .l1 = 1, .l2_squared = 1};
    TRY(private_sum(summing, counts));
    TRY(private_release(&s, amount, run->budget, run->random, place));
    if (variance) *variance = s.variance;
    return APEX_OK;
}

apex_status private_class_counts(const struct num_source *rows, size_t n_classes,
                                 uint64_t amount, struct private_run *run, int64_t *counts,
                                 double *variance, struct num_place *place)
{
    const struct private_classes classes = {n_classes};
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = n_classes,
                                            .add = private_classes_add,
                                            .context = &classes};
    if (n_classes == 0 || n_classes > PRIVATE_BINS_MAX || !private_rows_have(rows, false))
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    return counts_release("class counts", &summing, amount, run, counts, variance, place);
}

apex_status private_histogram(const struct num_source *rows, size_t column,
                              struct private_bounds bounds, size_t n_bins, uint64_t amount,
                              struct private_run *run, int64_t *counts, double *variance,
                              struct num_place *place)
{
    const struct private_bin_options options = {column, n_bins, bounds};
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = n_bins,
                                            .add = private_bins_add,
                                            .context = &options};
    if (n_bins == 0 || n_bins > PRIVATE_BINS_MAX || column >= rows->n_columns)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    TRY(private_bounds_check(&bounds, 1, place));
    return counts_release("histogram", &summing, amount, run, counts, variance, place);
}

void private_sums_add(const void *options, const struct num_block *block, int64_t *values)
{
    const struct private_sum_options *o = options;
    int32_t grid[BLOCK_ROWS];
    for (size_t i = 0; i < block->n; i++)
        values[0] += private_counts_row(block->weight[i]);
    for (size_t j = 0; j < o->n_columns; j++) {
        int64_t sum = 0;
        private_grid(block->column[j], block->n, o->bounds[j], 2 * PRIVATE_SUM_STEPS, grid);
        for (size_t i = 0; i < block->n; i++)
            sum += (grid[i] - PRIVATE_SUM_STEPS) * private_counts_row(block->weight[i]);
        values[1 + j] += sum;
    }
    wipe(grid, sizeof grid);
}

/* From released integers alone. */
static void means_make(const struct private_bounds *bounds, size_t d, const int64_t *values,
                       double count_variance, double variance, struct private_means *means)
{
    double n = values[0] > 1 ? (double)values[0] : 1;
    means->count = values[0];
    for (size_t j = 0; j < d; j++) {
        double half = (bounds[j].max - bounds[j].min) / 2;
        double m = (double)values[1 + j] / n / PRIVATE_SUM_STEPS;
        m = m < -1 ? -1 : m > 1 ? 1 : m;
        means->mean[j] = bounds[j].min + half * (1 + m);
        if (means->deviation)
            means->deviation[j] =
                half / n *
                sqrt(variance / ((double)PRIVATE_SUM_STEPS * PRIVATE_SUM_STEPS) +
                     m * m * count_variance);
    }
}

static apex_status means_release(int64_t *values, size_t d, uint64_t amount,
                                 struct private_run *run, double variances[2],
                                 struct num_place *place)
{
    struct private_statistic count = {
        .what = "number of rows", .values = values, .n = 1, .l1 = 1, .l2_squared = 1};
    struct private_statistic sums = {.what = "sums",
                                     .values = values + 1,
                                     .n = d,
                                     .l1 = d * (uint64_t)PRIVATE_SUM_STEPS,
                                     .l2_squared =
                                         d * (uint64_t)PRIVATE_SUM_STEPS * PRIVATE_SUM_STEPS};
    TRY(private_release(&count, amount / 4, run->budget, run->random, place));
    TRY(private_release(&sums, amount - amount / 4, run->budget, run->random, place));
    variances[0] = count.variance;
    variances[1] = sums.variance;
    return APEX_OK;
}

apex_status private_means(const struct num_source *rows, const struct private_bounds *bounds,
                          uint64_t amount, struct private_run *run, struct private_means *means,
                          struct num_place *place)
{
    size_t d = rows->n_columns;
    double variances[2];
    const struct private_sum_options options = {d, bounds};
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = 1 + d,
                                            .add = private_sums_add,
                                            .context = &options};
    if (d == 0 || d > PRIVATE_BINS_MAX)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    TRY(private_bounds_check(bounds, d, place));
    int64_t *values = calloc(1 + d, sizeof *values);
    if (!values) return APEX_E_MEMORY;
    apex_status status = private_sum(&summing, values);
    if (status == APEX_OK) status = means_release(values, d, amount, run, variances, place);
    if (status == APEX_OK) means_make(bounds, d, values, variances[0], variances[1], means);
    wipe(values, (1 + d) * sizeof *values);
    free(values);
    return status;
}
