#include "common/num/private_ridge.h"

#include "common/base/try.h"
#include "common/num/private_eigen.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>

enum { R = PRIVATE_ROW_STEPS, ON = 128, OFF = 181 };

static size_t triangle(size_t width)
{
    return width * (width + 1) / 2;
}

/* Products of 32 rows stay below 2^29. */
static inline __attribute__((always_inline)) void products_body(const struct private_tile *tile,
                                                                size_t width, int64_t *values)
{
    size_t at = 0;
    for (size_t i = 0; i < width; i++)
        for (size_t j = i; j < width; j++, at++) {
            int32_t sum = 0;
            for (size_t r = 0; r < PRIVATE_TILE_ROWS; r++)
                sum += tile->z[i][r] * tile->z[j][r];
            values[at] += (int64_t)sum * (i == j ? ON : OFF);
        }
}

#if SIMD_X86
SIMD_512 static void products_512(const struct private_tile *tile, size_t width,
                                  int64_t *values)
{
    products_body(tile, width, values);
}
SIMD_256 static void products_256(const struct private_tile *tile, size_t width,
                                  int64_t *values)
{
    products_body(tile, width, values);
}
#endif
static void products_any(const struct private_tile *tile, size_t width, int64_t *values)
{
    products_body(tile, width, values);
}

static void products(const struct private_tile *tile, size_t width, int64_t *values)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        products_512(tile, width, values);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        products_256(tile, width, values);
        return;
    }
#endif
    products_any(tile, width, values);
}

void private_products_add(const void *view, const struct num_block *block, int64_t *values)
{
    const struct private_view *v = view;
    struct private_tile tile;
    for (size_t first = 0; first < block->n; first += PRIVATE_TILE_ROWS) {
        private_tile_make(v, block, first, &tile);
        products(&tile, private_view_width(v), values);
    }
    wipe(&tile, private_view_width(v) * sizeof *tile.z);
}

/* What is left to do once the products are released: all of size width, standardised units. */
struct solving {
    size_t d;
    double *product, *vectors, *solution; /* (d + 2)^2, d^2, d */
    double rows, noise; /* rows > 0; deviation of a product off the diagonal */
    double gain;        /* sum of c b: what the model explains */
};

/* Integers to a square matrix in standardised units. */
static void products_read(struct solving *s, const int64_t *values, double length)
{
    size_t width = s->d + 2;
    double unit = (length / R) * (length / R);
    for (size_t i = 0; i < width; i++)
        for (size_t j = i; j < width; j++) {
            double x = (double)*values++ * unit / (i == j ? ON : OFF);
            s->product[i * width + j] = s->product[j * width + i] = x;
        }
}

/* Products about the means, weighted as rows were. */
static void products_centre(struct solving *s)
{
    size_t width = s->d + 2;
    double *a = s->product;
    for (size_t i = 1; i < width; i++)
        for (size_t j = 1; j < width; j++)
            a[i * width + j] -= a[i * width] * (a[j] / s->rows);
}

static void solve(struct solving *s, double alpha)
{
    size_t d = s->d, width = d + 2;
    const double *a = s->product;
    double *matrix = s->vectors + d * d, spread = s->noise * s->noise * (double)d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            matrix[i * d + j] = a[(1 + i) * width + 1 + j];
    private_eigen(matrix, d, s->vectors);
    memset(s->solution, 0, d * sizeof *s->solution);
    for (size_t e = 0; e < d; e++) {
        double l = matrix[e * d + e], m = (l > 0 ? l : 0) + alpha, share = 0;
        for (size_t i = 0; i < d; i++)
            share += s->vectors[i * d + e] * a[(1 + i) * width + 1 + d];
        share *= m > 0 ? m / (m * m + spread) : 0;
        for (size_t i = 0; i < d; i++)
            s->solution[i] += s->vectors[i * d + e] * share;
    }
    s->gain = 0;
    for (size_t i = 0; i < d; i++)
        s->gain += s->solution[i] * a[(1 + i) * width + 1 + d];
}

/* Back to the columns' units. */
static void model_fill(const struct solving *s, const double *shift, const double *scale,
                       struct ridge *model)
{
    size_t d = s->d, width = d + 2;
    const double *a = s->product;
    double target = 1 / scale[d], intercept = a[1 + d] / s->rows;
    double total = a[(1 + d) * width + 1 + d];
    for (size_t j = 0; j < d; j++) {
        model->mean[j] = shift[j];
        model->sd[j] = 1 / scale[j];
        model->coefficient[j] = s->solution[j] * target;
        model->raw[j] = model->coefficient[j] * scale[j];
        intercept -= s->solution[j] * (a[1 + j] / s->rows);
    }
    model->intercept = model->raw_intercept = shift[d] + target * intercept;
    for (size_t j = 0; j < d; j++)
        model->raw_intercept -= model->raw[j] * shift[j];
    model->weight = s->rows;
    model->r2 = total > 0 ? s->gain / total : 0;
    model->r2 = model->r2 < 0 ? 0 : model->r2 > 1 ? 1 : model->r2;
    model->rmse = target * sqrt(total > 0 ? (1 - model->r2) * total / s->rows : 0);
}

static apex_status products_release(const struct num_source *rows,
                                    const struct private_view *view, uint64_t amount,
                                    struct private_run *run, struct private_statistic *s,
                                    struct num_place *place)
{
    const struct private_summing summing = {.rows = rows,
                                            .threads = run->threads,
                                            .n_values = s->n,
                                            .add = private_products_add,
                                            .context = view};
    TRY(private_sum(&summing, s->values));
    return private_release(s, amount, run->budget, run->random, place);
}

/* All memory of a fit, in one piece of doubles and integers. */
struct room {
    double *shift, *scale;
    int64_t *values;
    struct solving solving;
};

static apex_status fit_in(const struct num_source *rows,
                          const struct private_ridge_options *options, uint64_t amount,
                          struct private_run *run, struct room *room, struct ridge *model,
                          struct num_place *place)
{
    const size_t d = options->n_columns;
    const enum private_scaling scaling =
        options->scaling == PRIVATE_SCALE_BOUNDS ? PRIVATE_SCALE_BOUNDS : PRIVATE_SCALE_ROWS;
    const struct private_view_options wanted = {d, true, scaling, options->bounds};
    struct private_view view = {.n_columns = d,
                                .target = true,
                                .absolutes = run->budget->pure,
                                .bounds = options->bounds,
                                .shift = room->shift,
                                .scale = room->scale};
    struct private_statistic s = {.what = "products",
                                  .values = room->values,
                                  .n = triangle(d + 2),
                                  .l1 = (uint64_t)ON * R * R,
                                  .l2_squared = (uint64_t)ON * ON * R * R * R * R};
    struct private_view_found found = {.shift = room->shift, .scale = room->scale};
    view.length = options->length > 0 ? options->length
                  : view.absolutes    ? (double)(d + 2)
                                      : sqrt((double)(d + 2));
    TRY(private_view_fit(rows, &wanted, amount / 4, run, &found, place));
    TRY(products_release(rows, &view, amount - found.spent, run, &s, place));
    const double unit = (view.length / R) * (view.length / R);
    room->solving.noise = sqrt(s.variance) * unit / OFF;
    products_read(&room->solving, room->values, view.length);
    double least = 1 + sqrt(s.variance) * unit / ON;
    room->solving.rows = room->solving.product[0] > least ? room->solving.product[0] : least;
    products_centre(&room->solving);
    solve(&room->solving, options->alpha);
    model_fill(&room->solving, room->shift, room->scale, model);
    return APEX_OK;
}

static apex_status options_check(const struct num_source *rows,
                                 const struct private_ridge_options *o, struct num_place *place)
{
    if (o->n_columns == 0 || o->n_columns > PRIVATE_RIDGE_COLUMNS_MAX ||
        o->n_columns != rows->n_columns)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    if (!(o->alpha >= 0 && o->alpha < 1e100))
        return private_refuse(place, NUM_OPTION, 1, APEX_E_USAGE);
    if (!(o->length == 0 || (o->length > 1e-6 && o->length < 1e6)))
        return private_refuse(place, NUM_OPTION, 2, APEX_E_USAGE);
    if (!private_rows_have(rows, true))
        return private_refuse(place, NUM_OPTION, 3, APEX_E_USAGE);
    if (rows->n_rows >> 30) return private_refuse(place, NUM_RANGE, 0, APEX_E_LIMIT);
    return APEX_OK;
}

apex_status private_ridge_fit(const struct num_source *rows,
                              const struct private_ridge_options *options, uint64_t amount,
                              struct private_run *run, struct ridge **model,
                              struct num_place *place)
{
    TRY(options_check(rows, options, place));
    const size_t d = options->n_columns, width = d + 2;
    struct ridge *made = NULL;
    TRY(ridge_new(d, &made));
    double *doubles = calloc(2 * (d + 1) + width * width + 2 * d * d + d, sizeof *doubles);
    int64_t *values = calloc(triangle(width), sizeof *values);
    apex_status status = APEX_E_MEMORY;
    if (doubles && values) {
        struct room room = {doubles, doubles + d + 1, values, {.d = d}};
        room.solving.product = room.scale + d + 1;
        room.solving.vectors = room.solving.product + width * width;
        room.solving.solution = room.solving.vectors + 2 * d * d;
        status = fit_in(rows, options, amount, run, &room, made, place);
    }
    if (values) wipe(values, triangle(width) * sizeof *values);
    free(values);
    free(doubles);
    if (status == APEX_OK)
        *model = made;
    else
        ridge_free(made);
    return status;
}
