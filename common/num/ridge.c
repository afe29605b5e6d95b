#include "common/num/ridge.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/column.h"
#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/gram.h"
#include "common/num/leak.h"
#include "common/num/refuse.h"
#include "common/num/simd.h"
#include "common/num/solve.h"
#include "common/num/standard.h"
#include "common/num/tile.h"

#include <float.h>
#include <stdlib.h>

/* What a column's part unexplained by those before it, as a share of its variance, has to
 * exceed: products carry about 1e-14, and digits lost beyond this are more than are left. */
#define RIDGE_LEAST_SHARE 1e-10

static size_t model_len(size_t d)
{
    return sizeof(struct ridge) + 4 * d * sizeof(double);
}

apex_status ridge_new(size_t n_columns, struct ridge **model)
{
    if (n_columns == 0 || n_columns >= GRAM_COLUMNS_MAX) return APEX_E_USAGE;
    struct ridge *m = calloc(1, model_len(n_columns));
    if (!m) return APEX_E_MEMORY;
    m->n_columns = n_columns;
    m->mean = (double *)(void *)(m + 1);
    m->sd = m->mean + n_columns;
    m->coefficient = m->sd + n_columns;
    m->raw = m->coefficient + n_columns;
    *model = m;
    return APEX_OK;
}

void ridge_free(struct ridge *model)
{
    if (model) wipe(model, model_len(model->n_columns));
    free(model);
}

/* The equations of one fit: products of standardised columns, alpha on the diagonal. */
struct equations {
    size_t d;
    double *a, *b, *right, *scratch; /* d x d, d, d, d */
};

/* A constant column is 0 but for rounding: it is made so. Returns the first one, d if none. */
static size_t equations_fill(const double *gram, double alpha, const struct ridge *model,
                             struct equations *e)
{
    const size_t d = e->d, m = d + 1;
    const double *product = gram_products(gram, m);
    size_t constant = d;
    for (size_t j = 0; j < d; j++) {
        double square = product[tile_at(m, j, j)];
        uint64_t varies = standard_varies(model->mean[j], square, gram[0]);
        constant ^= (constant ^ j) & (size_t)(~varies & exact_mask(constant == d));
        e->scratch[j] = exact_select(varies, 1.0 / model->sd[j], 0.0);
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++)
            e->a[i * d + j] = product[tile_at(m, j, i)] * e->scratch[i] * e->scratch[j];
        e->a[i * d + i] += alpha;
        e->right[i] = e->b[i] = product[tile_at(m, i, d)] * e->scratch[i];
    }
    return constant;
}

static apex_status equations_judge(size_t constant, struct cholesky found, size_t d,
                                   const struct ridge_options *options, struct num_place *place)
{
    if (options->alpha > 0 || options->drop) return APEX_OK;
    num_leak(&constant, sizeof constant);
    num_leak(&found.first, sizeof found.first);
    if (constant < d) return refuse(place, NUM_CONSTANT, constant);
    if (found.first < d) return refuse(place, NUM_SINGULAR, found.first);
    return APEX_OK;
}

/* Back to raw units, and how well the training rows are explained: with (A + alpha I) b = c,
 * what is left of the target's squares is y'y - b'c - alpha b'b. */
static void model_finish(const double *gram, double alpha, const struct equations *e,
                         struct ridge *model)
{
    const size_t d = e->d, m = d + 1;
    const double all = gram_products(gram, m)[tile_at(m, d, d)];
    double left = all;
    model->weight = gram[0];
    model->intercept = model->raw_intercept = gram_means(gram)[d];
    for (size_t j = 0; j < d; j++) {
        model->coefficient[j] = e->b[j];
        model->raw[j] = e->b[j] / model->sd[j];
        model->raw_intercept -= model->raw[j] * model->mean[j];
        left -= e->b[j] * (e->right[j] + alpha * e->b[j]);
    }
    left = exact_select(exact_mask(left > 0.0), left, 0.0);
    model->rmse = exact_sqrt(left / gram[0]);
    uint64_t varies = standard_varies(gram_means(gram)[d], all, gram[0]);
    model->r2 = exact_select(varies, 1.0 - left / exact_select(varies, all, 1.0), 0.0);
}

static apex_status model_solve(const double *gram, const struct ridge_options *options,
                               struct equations *e, struct ridge *model,
                               struct num_place *place)
{
    const size_t d = e->d, m = d + 1;
    for (size_t j = 0; j < d; j++) {
        double mean = gram_means(gram)[j], square = gram_products(gram, m)[tile_at(m, j, j)];
        model->mean[j] = mean;
        model->sd[j] = options->standardise ? standard_deviation(mean, square, gram[0]) : 1;
    }
    size_t constant = equations_fill(gram, options->alpha, model, e);
    struct cholesky found = cholesky_factor(e->a, d, RIDGE_LEAST_SHARE, e->scratch);
    TRY(equations_judge(constant, found, d, options, place));
    model->n_dropped = found.dependent;
    cholesky_solve(e->a, d, e->b);
    model_finish(gram, options->alpha, e, model);
    return APEX_OK;
}

apex_status ridge_finish(const double *gram, const struct ridge_options *options,
                         struct ridge *model, struct num_place *place)
{
    struct equations e = {.d = model->n_columns};
    size_t room;
    if (!(options->alpha >= 0 && options->alpha <= DBL_MAX)) return APEX_E_USAGE;
    TRY(gram_finish(e.d + 1, gram, place));
    if (!size_mul(e.d + 3, e.d * sizeof(double), &room)) return APEX_E_LIMIT;
    e.a = malloc(room);
    if (!e.a) return APEX_E_MEMORY;
    e.b = e.a + e.d * e.d;
    e.right = e.b + e.d;
    e.scratch = e.right + e.d;
    apex_status status = model_solve(gram, options, &e, model, place);
    wipe(e.a, room);
    free(e.a);
    return status;
}

apex_status ridge_fit(const struct num_source *source, const struct ridge_options *options,
                      struct ridge *model, struct num_place *place)
{
    if (source->n_columns != model->n_columns) return APEX_E_USAGE;
    size_t len = gram_len(model->n_columns + 1) * sizeof(double);
    double *gram = malloc(len);
    if (!gram) return APEX_E_MEMORY;
    apex_status status = gram_fit(options->threads, source, true, gram, place);
    if (status == APEX_OK) status = ridge_finish(gram, options, model, place);
    wipe(gram, len);
    free(gram);
    return status;
}

/* Rows done at a time, so that what is written stays near while the columns pass. */
enum { PREDICT_ROWS = 512 };

COLUMN_INLINE void predict_body(const struct ridge *m, const struct num_block *b, double *out)
{
    size_t rows = column_rows(b->n);
    for (size_t from = 0; from < rows; from += PREDICT_ROWS) {
        size_t chunk = rows - from < PREDICT_ROWS ? rows - from : PREDICT_ROWS;
        column_affine(b->column, m->n_columns, m->mean, m->raw, m->intercept, from, chunk,
                      out + from);
    }
}
SIMD_512 static void predict_512(const struct ridge *m, const struct num_block *b, double *out)
{
    predict_body(m, b, out);
}
SIMD_256 static void predict_256(const struct ridge *m, const struct num_block *b, double *out)
{
    predict_body(m, b, out);
}
static void predict_any(const struct ridge *m, const struct num_block *b, double *out)
{
    predict_body(m, b, out);
}

void ridge_predict(const struct ridge *model, const struct num_block *block, double *prediction)
{
    switch (simd_level()) {
    case SIMD_LEVEL_512: predict_512(model, block, prediction); return;
    case SIMD_LEVEL_256: predict_256(model, block, prediction); return;
    default: predict_any(model, block, prediction);
    }
}
