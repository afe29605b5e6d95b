#include "common/num/private_logistic.h"

#include "common/base/try.h"
#include "common/num/exact_inline.h"
#include "common/num/private_noise.h"
#include "common/num/simd.h"

#include <math.h>
#include <stdlib.h>

enum { R = PRIVATE_ROW_STEPS, E = PRIVATE_ERROR_STEPS, T = PRIVATE_TILE_ROWS };

#define MOMENTUM 0.8

/* E (sigmoid(w.z) - y) in -E..E: cut to it by integers, whatever w.z was. */
static inline __attribute__((always_inline)) void errors_body(const struct private_tile *tile,
                                                              const double *w, size_t width,
                                                              const int32_t *positive,
                                                              int32_t *error)
{
    double margin[T] = {0};
    for (size_t j = 0; j < width; j++)
        for (size_t i = 0; i < T; i++)
            margin[i] += w[j] * tile->z[j][i];
    for (size_t i = 0; i < T; i++) {
        double p = exact_sigmoid_of(margin[i], exact_exp_decay(margin[i]));
        error[i] = private_within((int32_t)(p * E + 0.5), E) - (positive[i] & E);
    }
}

/* Sums of 32 products stay below 2^27. */
static inline __attribute__((always_inline)) void gradient_body(const struct private_tile *tile,
                                                                const double *w, size_t width,
                                                                const int32_t *positive,
                                                                int64_t *values)
{
    int32_t error[T];
    errors_body(tile, w, width, positive, error);
    for (size_t j = 0; j < width; j++) {
        int32_t sum = 0;
        for (size_t i = 0; i < T; i++)
            sum += error[i] * tile->z[j][i];
        values[j] += sum;
    }
}

#if SIMD_X86
SIMD_512 static void gradient_512(const struct private_tile *tile, const double *w,
                                  size_t width, const int32_t *positive, int64_t *values)
{
    gradient_body(tile, w, width, positive, values);
}
SIMD_256 static void gradient_256(const struct private_tile *tile, const double *w,
                                  size_t width, const int32_t *positive, int64_t *values)
{
    gradient_body(tile, w, width, positive, values);
}
#endif
static void gradient_any(const struct private_tile *tile, const double *w, size_t width,
                         const int32_t *positive, int64_t *values)
{
    gradient_body(tile, w, width, positive, values);
}

static void gradient_tile(const struct private_tile *tile, const double *w, size_t width,
                          const int32_t *positive, int64_t *values)
{
#if SIMD_X86
    enum simd_level level = simd_level();
    if (level == SIMD_LEVEL_512) {
        gradient_512(tile, w, width, positive, values);
        return;
    }
    if (level == SIMD_LEVEL_256) {
        gradient_256(tile, w, width, positive, values);
        return;
    }
#endif
    gradient_any(tile, w, width, positive, values);
}

void private_gradient_add(const void *gradient, const struct num_block *block, int64_t *values)
{
    const struct private_gradient *g = gradient;
    size_t width = private_view_width(g->view);
    double w[PRIVATE_WIDTH_MAX];
    struct private_tile tile;
    for (size_t j = 0; j < width; j++)
        w[j] = g->w[j] * (g->view->length / R);
    for (size_t first = 0; first < block->n; first += T) {
        int32_t positive[T] = {0};
        private_tile_make(g->view, block, first, &tile);
        for (size_t i = 0; i < tile.n; i++)
            positive[i] = -(int32_t)(block->label[first + i] == 1);
        gradient_tile(&tile, w, width, positive, values);
    }
    wipe(&tile, width * sizeof *tile.z);
}

/* What a fit works on; arrays of the view's width. */
struct descent {
    const struct num_source *rows;
    struct private_run *run;
    struct private_view view;
    int64_t *values;
    double *w, *speed, *mean;
    double count, penalty; /* rows, at least 1 */
    unsigned rounds;
};

/* The deviation of one release of all of `amount`, over what one row can do. */
static apex_status noise_alone(const struct descent *d, uint64_t amount, double *deviation,
                               struct num_place *place)
{
    struct private_noise noise;
    if (d->run->budget->pure)
        TRY(private_noise_laplace(E * R, amount, &noise, place));
    else
        TRY(private_noise_gaussian((uint64_t)E * R * E * R, amount, &noise, place));
    *deviation = sqrt(noise.variance) / ((double)E * R);
    return APEX_OK;
}

/* Measured on the shared sets: rounds as signal over noise allows. Laplace noise grows with the
 * number of rounds, Gaussian noise with its root. */
static apex_status rounds_choose(struct descent *d, uint64_t amount, unsigned wanted,
                                 struct num_place *place)
{
    double deviation;
    TRY(noise_alone(d, amount, &deviation, place));
    double signal = d->count / (deviation * sqrt((double)private_view_width(&d->view)));
    double rounds = d->run->budget->pure ? sqrt(signal) : signal / 3;
    rounds = rounds < 5 ? 5 : rounds > 60 ? 60 : rounds;
    d->rounds = wanted ? wanted : (unsigned)rounds;
    return amount / d->rounds > 0 ? APEX_OK
                                  : private_refuse(place, NUM_BUDGET, 0, APEX_E_USAGE);
}

static apex_status round_do(struct descent *d, uint64_t amount, struct num_place *place)
{
    const size_t width = private_view_width(&d->view);
    const struct private_gradient gradient = {&d->view, d->w};
    const struct private_summing summing = {.rows = d->rows,
                                            .threads = d->run->threads,
                                            .n_values = width,
                                            .add = private_gradient_add,
                                            .context = &gradient};
    struct private_statistic s = {.what = "gradients",
                                  .values = d->values,
                                  .n = width,
                                  .l1 = (uint64_t)E * R,
                                  .l2_squared = (uint64_t)E * R * E * R};
    TRY(private_sum(&summing, d->values));
    TRY(private_release(&s, amount, d->run->budget, d->run->random, place));
    /* The loss of a row curves by at most length^2 / 4: steps of the inverse. */
    const double length = d->view.length, unit = length / ((double)E * R);
    const double step = 1 / (length * length / 4 + d->penalty / d->count);
    for (size_t j = 0; j < width; j++) {
        double slope =
            ((double)d->values[j] * unit + (j ? d->penalty * d->w[j] : 0)) / d->count;
        d->speed[j] = MOMENTUM * d->speed[j] - step * slope;
        d->w[j] += d->speed[j];
    }
    return APEX_OK;
}

static apex_status descend(struct descent *d, uint64_t amount, struct num_place *place)
{
    const size_t width = private_view_width(&d->view);
    const unsigned half = d->rounds / 2;
    for (unsigned t = 0; t < d->rounds; t++) {
        TRY(round_do(d, amount / d->rounds, place));
        for (size_t j = 0; t >= half && j < width; j++)
            d->mean[j] += d->w[j] / (d->rounds - half);
    }
    return APEX_OK;
}

static apex_status fit_in(struct descent *d, const struct private_logistic_options *options,
                          uint64_t amount, double *shift, double *scale,
                          struct private_logistic *model, struct num_place *place)
{
    const size_t n = options->n_columns;
    const struct private_view_options wanted = {n, false, options->scaling, options->bounds};
    struct private_view_found found = {.shift = shift, .scale = scale};
    TRY(private_view_fit(d->rows, &wanted, amount / 5, d->run, &found, place));
    d->count = found.count > 1 ? found.count : 1;
    amount -= found.spent;
    TRY(rounds_choose(d, amount, options->rounds, place));
    TRY(descend(d, amount, place));
    model->rounds = d->rounds;
    model->intercept = d->mean[0];
    for (size_t j = 0; j < n; j++) {
        model->coefficient[j] = d->mean[1 + j] * scale[j];
        model->intercept -= model->coefficient[j] * shift[j];
    }
    return APEX_OK;
}

static apex_status options_check(const struct num_source *rows,
                                 const struct private_logistic_options *o,
                                 struct num_place *place)
{
    if (o->n_columns == 0 || o->n_columns >= PRIVATE_COLUMNS_MAX ||
        o->n_columns != rows->n_columns)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    if (!(o->penalty >= 0 && o->penalty < 1e100))
        return private_refuse(place, NUM_OPTION, 1, APEX_E_USAGE);
    if (!(o->length == 0 || (o->length > 1e-6 && o->length < 1e6)))
        return private_refuse(place, NUM_OPTION, 2, APEX_E_USAGE);
    if (!private_rows_have(rows, false))
        return private_refuse(place, NUM_OPTION, 3, APEX_E_USAGE);
    if (o->rounds > PRIVATE_ROUNDS_MAX)
        return private_refuse(place, NUM_OPTION, 4, APEX_E_USAGE);
    if (rows->n_rows >> 30) return private_refuse(place, NUM_RANGE, 0, APEX_E_LIMIT);
    return APEX_OK;
}

apex_status private_logistic_fit(const struct num_source *rows,
                                 const struct private_logistic_options *options,
                                 uint64_t amount, struct private_run *run,
                                 struct private_logistic *model, struct num_place *place)
{
    TRY(options_check(rows, options, place));
    const size_t n = options->n_columns, width = 1 + n;
    const bool pure = run->budget->pure;
    double *doubles = calloc(5 * width, sizeof *doubles);
    int64_t *values = calloc(width, sizeof *values);
    apex_status status = APEX_E_MEMORY;
    if (doubles && values) {
        double *shift = doubles, *scale = doubles + width;
        struct descent d = {.rows = rows,
                            .run = run,
                            .values = values,
                            .w = doubles + 2 * width,
                            .speed = doubles + 3 * width,
                            .mean = doubles + 4 * width,
                            .penalty = options->penalty};
        d.view = (struct private_view){.n_columns = n,
                                       .absolutes = pure,
                                       .bounds = options->bounds,
                                       .shift = shift,
                                       .scale = scale};
        d.view.length = options->length > 0 ? options->length
                        : pure              ? 0.7 * (double)width
                                            : 0.7 * sqrt((double)width);
        status = fit_in(&d, options, amount, shift, scale, model, place);
    }
    if (values) wipe(values, width * sizeof *values);
    free(values);
    free(doubles);
    return status;
}
