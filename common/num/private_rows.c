#include "common/num/private_rows.h"

#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/parallel.h"
#include "common/num/vec.h"

#include <math.h>
#include <stdlib.h>

enum { T = PRIVATE_TILE_ROWS, R = PRIVATE_ROW_STEPS };

#define SIGNAL_LEAST 5.0

/* One column of a tile before it is cut: numbers past n are zeros, like rows without weight. */
static void column_scale(const struct private_view *v, size_t j, const double *cells, size_t n,
                         const double *counts, double *out)
{
    const double factor = v->scale[j] * (R / v->length);
    for (size_t i = 0; i < n; i++)
        out[i] = (private_clamp(cells[i], v->bounds[j]) - v->shift[j]) * factor * counts[i];
}

/* What each row is multiplied by to be no longer than R. */
static void factors_make(const struct private_view *v, double (*x)[T], size_t width,
                         double *factor)
{
    double length[T] = {0};
    for (size_t j = 0; j < width; j++)
        for (size_t i = 0; i < T; i++)
            length[i] += v->absolutes ? fabs(x[j][i]) : x[j][i] * x[j][i];
    for (size_t i = 0; i < T; i++) {
        double l = v->absolutes ? length[i] : exact_sqrt(length[i]);
        factor[i] = R / vec_greatest(l, R);
    }
}

void private_tile_make(const struct private_view *view, const struct num_block *block,
                       size_t first, struct private_tile *tile)
{
    double x[PRIVATE_WIDTH_MAX][T], counts[T] = {0}, factor[T];
    size_t width = private_view_width(view), d = view->n_columns;
    size_t n = block->n - first < T ? block->n - first : T;
    memset(x, 0, width * sizeof *x);
    for (size_t i = 0; i < n; i++)
        counts[i] = (double)private_counts_row(block->weight[first + i]);
    for (size_t i = 0; i < n; i++)
        x[0][i] = counts[i] * (R / view->length);
    for (size_t j = 0; j < d; j++)
        column_scale(view, j, block->column[j] + first, n, counts, x[1 + j]);
    if (view->target) column_scale(view, d, block->target + first, n, counts, x[1 + d]);
    factors_make(view, x, width, factor);
    tile->n = n;
    for (size_t j = 0; j < width; j++)
        for (size_t i = 0; i < T; i++)
            tile->z[j][i] = (int32_t)(x[j][i] * factor[i]);
    wipe(x, width * sizeof *x);
}

/* The target as one more column. */
struct widened {
    const struct num_source *rows;
    const double *column[PARALLEL_THREADS_MAX][PRIVATE_WIDTH_MAX];
};

static void widened_block(void *context, size_t index, unsigned thread, struct num_block *out)
{
    struct widened *w = context;
    const double **column = w->column[thread];
    w->rows->block(w->rows->context, index, thread, out);
    for (size_t j = 0; j < out->n_columns; j++)
        column[j] = out->column[j];
    column[out->n_columns] = out->target;
    out->column = column;
    out->n_columns++;
}

static apex_status moments_of_all(const struct num_source *rows,
                                  const struct private_view_options *options, uint64_t amount,
                                  struct private_run *run, struct private_moments *m,
                                  struct num_place *place)
{
    struct private_moments_options wanted = {
        .n_columns = options->n_columns, .n_classes = 1, .bounds = options->bounds};
    if (!options->target) return private_moments(rows, &wanted, amount, run, m, place);
    struct widened *w = calloc(1, sizeof *w);
    if (!w) return APEX_E_MEMORY;
    w->rows = rows;
    struct num_source wide = *rows;
    wide.n_columns++;
    wide.block = widened_block;
    wide.context = w;
    wanted.n_columns++;
    apex_status status = private_moments(&wide, &wanted, amount, run, m, place);
    free(w);
    return status;
}

/* What the number of rows is counted with: each row is in class 0 of one. */
static void rows_add(const void *context, const struct num_block *block, int64_t *values)
{
    (void)context;
    for (size_t i = 0; i < block->n; i++)
        *values += private_counts_row(block->weight[i]);
}

static apex_status rows_release(const struct num_source *rows, uint64_t amount,
                                struct private_run *run, int64_t *count, double *variance,
                                struct num_place *place)
{
    const struct private_summing summing = {
        .rows = rows, .threads = run->threads, .n_values = 1, .add = rows_add};
    struct private_statistic s = {
        .what = "number of rows", .values = count, .n = 1, .l1 = 1, .l2_squared = 1};
    TRY(private_sum(&summing, count));
    TRY(private_release(&s, amount, run->budget, run->random, place));
    *variance = s.variance;
    return APEX_OK;
}

static void scale_by_bounds(const struct private_view_options *options, size_t width,
                            struct private_view_found *found)
{
    for (size_t j = 0; j < width; j++) {
        double half = (options->bounds[j].max - options->bounds[j].min) / 2;
        found->shift[j] = options->bounds[j].min + half;
        found->scale[j] = 1 / half;
    }
}

/* Are means and deviations worth their price? Measured on the shared sets: from where rows are
 * 10 times the noise of a count, and the root of the number of columns, on. */
static bool worth_it(const struct private_view_options *options, size_t width, double count,
                     double variance)
{
    if (options->scaling != PRIVATE_SCALE_CHOSEN) return options->scaling == PRIVATE_SCALE_ROWS;
    return count > SIGNAL_LEAST * sqrt(variance * (double)width);
}

apex_status private_view_fit(const struct num_source *rows,
                             const struct private_view_options *options, uint64_t amount,
                             struct private_run *run, struct private_view_found *found,
                             struct num_place *place)
{
    const size_t width = options->n_columns + (options->target ? 1 : 0);
    int64_t count = 0;
    double share, variance;
    struct private_moments m = {&count, &share, found->shift, found->scale, NULL};
    if (options->n_columns == 0 || width > PRIVATE_COLUMNS_MAX ||
        rows->n_columns != options->n_columns)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    TRY(private_bounds_check(options->bounds, width, place));
    found->spent = amount / 8;
    TRY(rows_release(rows, found->spent, run, &count, &variance, place));
    found->count = (double)count;
    scale_by_bounds(options, width, found);
    if (!worth_it(options, width, found->count, variance)) return APEX_OK;
    TRY(moments_of_all(rows, options, amount - found->spent, run, &m, place));
    found->spent = amount;
    found->count = (double)count;
    for (size_t j = 0; j < width; j++)
        found->scale[j] = 1 / sqrt(found->scale[j]);
    return APEX_OK;
}
