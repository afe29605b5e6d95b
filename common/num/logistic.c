#include "common/num/logistic.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/gram.h"
#include "common/num/leak.h"
#include "common/num/logistic_first.h"
#include "common/num/logistic_pass.h"
#include "common/num/newton.h"
#include "common/num/quasi.h"
#include "common/num/reduce.h"
#include "common/num/refuse.h"
#include "common/num/scratch.h"
#include "common/num/solve.h"
#include "common/num/standard.h"
#include "common/num/tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The gradient's length per unit of weight at an optimum. */
#define LOGISTIC_TOLERANCE 1e-9
/* A start from a sample need not be better than what the sample tells: about 1 / sqrt(n). */
#define SAMPLE_TOLERANCE 1e-5
/* Without a penalty: curvature that fell to this share along the way belongs to coefficients
 * that would grow for ever. (A class as rare as 1e-6 leaves 4e-6.) Loss as small means the
 * same. */
#define FLATTENED_SHARE 1e-7
enum { SAMPLE_STRIDE = 16, SAMPLE_BLOCKS_LEAST = 64, SAMPLE_ROUNDS = 20 };

static bool known(bool condition)
{
    num_leak(&condition, sizeof condition);
    return condition;
}

/* A fit in hand. */
struct fit {
    const struct num_source *source;
    const struct logistic_options *options;
    struct logistic *model;
    struct scratch scratch;
    struct loss loss;
    double *inverse, *penalty; /* d; d + 1 */
    double *total;
    size_t stride;  /* of blocks looked at */
    double weight;  /* of their rows */
    double sampled; /* weight of every SAMPLE_STRIDE-th block */
};

/* Whether a penalty decides the size of this coefficient of a class; 0 is the intercept. */
static bool penalised(const struct fit *f, size_t i)
{
    return i > 0 && isfinite(f->options->c);
}

/* Which classes there are: public from here on. */
static apex_status classes_find(struct fit *f, const double *count, struct num_place *place)
{
    struct logistic *m = f->model;
    m->n_seen = 0;
    for (size_t k = 0; k < m->n_classes; k++) {
        m->class_weight[k] = count[k];
        if (known(count[k] > 0))
            m->seen[m->n_seen++] = (uint32_t)k;
        else if (!f->options->skip_empty)
            return refuse(place, NUM_EMPTY_CLASS, k);
    }
    if (m->n_seen < 2) return refuse(place, NUM_ONE_CLASS, m->n_seen ? m->seen[0] : 0);
    m->n_outputs = m->n_seen == 2 ? 1 : m->n_seen;
    return APEX_OK;
}

/* Means, deviations and classes. */
static apex_status first_pass(struct fit *f, struct num_place *place)
{
    struct logistic *m = f->model;
    const size_t d = m->n_columns, len = standard_len(d) + m->n_classes;
    double *total = calloc(len, sizeof *total);
    if (!total) return APEX_E_MEMORY;
    apex_status status = logistic_first(f->options->threads, f->source, m->n_classes,
                                        SAMPLE_STRIDE, total, &f->sampled);
    if (status == APEX_OK) status = standard_finish(d, total, m->mean, m->sd, place);
    if (status == APEX_OK) status = classes_find(f, total + standard_len(d), place);
    m->weight = f->weight = total[0];
    wipe(total, len * sizeof *total);
    free(total);
    return status;
}

/* Later passes: the function to be minimised, per unit of weight. */
static void loss_block(void *context, size_t index, unsigned thread, void *partial)
{
    const struct fit *f = context;
    struct num_block block;
    f->source->block(f->source->context, index * f->stride, thread, &block);
    loss_partial(&f->loss, &block, scratch_of(&f->scratch, thread), partial);
}

static void loss_add(void *context, void *total, const void *partial)
{
    const struct fit *f = context;
    loss_merge(&f->loss, total, partial);
}

/* The lower triangle. A softmax does not change when one number is added to a coefficient of
 * all classes: where no penalty decides, curvature is made up along that direction, in which
 * the gradient is 0. */
static void hessian_fill(const struct fit *f, double *hessian)
{
    const size_t n = f->model->n_columns + 1, outputs = f->model->n_outputs, all = n * outputs;
    for (size_t k = 0; k < outputs; k++)
        for (size_t i = 0; i < n; i++) {
            double *row = hessian + (k * n + i) * all;
            for (size_t l = 0; l <= k; l++)
                for (size_t j = 0; j < (l == k ? i + 1 : n); j++)
                    row[l * n + j] =
                        loss_hessian_at(&f->loss, f->total, k, i, l, j) / f->weight;
            row[k * n + i] += f->penalty[i];
        }
    for (size_t i = 0; i < n && outputs > 1; i++) {
        double mean = 0;
        for (size_t k = 0; k < outputs; k++)
            mean += hessian[(k * n + i) * (all + 1)] / (double)outputs;
        if (penalised(f, i)) continue;
        for (size_t k = 0; k < outputs; k++)
            for (size_t l = 0; l <= k; l++)
                hessian[(k * n + i) * all + l * n + i] += mean;
    }
}

static apex_status evaluate(void *context, const double *at, double *value, double *gradient,
                            double *hessian)
{
    struct fit *f = context;
    const size_t n = f->model->n_columns + 1, all = n * f->model->n_outputs;
    f->loss.parameter = at;
    f->loss.hessian = hessian != NULL;
    const size_t len = loss_len(&f->loss) * sizeof(double);
    const struct reduction r = {(f->source->n_blocks + f->stride - 1) / f->stride, len,
                                loss_block, loss_add, f};
    memset(f->total, 0, len);
    TRY(reduce_blocks(f->scratch.threads, &r, f->total));
    *value = f->total[0] / f->weight;
    for (size_t p = 0; p < all; p++) {
        double penalty = f->penalty[p % n];
        *value += 0.5 * penalty * at[p] * at[p];
        gradient[p] = f->total[1 + p] / f->weight + penalty * at[p];
    }
    if (hessian) hessian_fill(f, hessian);
    return APEX_OK;
}

/* Quasi-Newton: what is known of the curvature is, class by class, that of a class's share of
 * rows, q (1 - q) Z'WZ. */
struct known_curvature {
    size_t n, outputs;
    double *factor, *scratch; /* outputs x n x n; n */
};

static void curvature_solve(void *context, double *v)
{
    const struct known_curvature *k = context;
    for (size_t o = 0; o < k->outputs; o++)
        cholesky_solve(k->factor + o * k->n * k->n, k->n, v + o * k->n);
}

static void curvature_fill(const struct fit *f, const double *gram, struct known_curvature *c)
{
    const size_t n = c->n, d = n - 1;
    const double *product = gram_products(gram, d);
    for (size_t o = 0; o < c->outputs; o++) {
        double *b = c->factor + o * n * n;
        double q = f->model->class_weight[f->model->seen[o]] / f->weight, share = q * (1 - q);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < i; j++)
                b[i * n + j] = j == 0 ? 0
                                      : share * product[tile_at(d, j - 1, i - 1)] / f->weight *
                                            f->inverse[i - 1] * f->inverse[j - 1];
            /* 1 on the diagonal also where a constant column has 0: it stays where it is. */
            b[i * n + i] = share * (1 + 1e-9) + f->penalty[i];
        }
        (void)cholesky_factor(b, n, 1e-12, c->scratch);
    }
}

static apex_status quasi_run(struct fit *f, const struct convex *function,
                             const struct convex_options *options, double *at,
                             struct convex_result *result, struct num_place *place)
{
    const size_t d = f->model->n_columns, n = d + 1;
    struct known_curvature c = {.n = n, .outputs = f->model->n_outputs};
    size_t len;
    if (!size_mul(c.outputs + 2, n * n * sizeof(double), &len)) return APEX_E_LIMIT;
    c.factor = malloc(len);
    if (!c.factor) return APEX_E_MEMORY;
    double *gram = c.factor + c.outputs * n * n; /* shorter than n x n */
    c.scratch = gram + n * n;
    apex_status status = gram_fit(f->options->threads, f->source, false, gram, place);
    if (status == APEX_OK) {
        curvature_fill(f, gram, &c);
        status = quasi_minimise(function, options, curvature_solve, &c, at, result);
    }
    wipe(c.factor, len);
    free(c.factor);
    return status;
}

/* Newton's steps on a sample of blocks, then from there on all. */
static apex_status newton_run(struct fit *f, const struct convex *function,
                              const struct convex_options *options, double *at,
                              struct convex_result *result)
{
    unsigned before = 0;
    if (f->source->n_blocks >= SAMPLE_BLOCKS_LEAST && isfinite(f->options->c) &&
        known(f->sampled > 0)) {
        const struct convex_options rough = {SAMPLE_TOLERANCE, SAMPLE_ROUNDS};
        const double weight = f->weight;
        f->stride = SAMPLE_STRIDE;
        f->weight = f->sampled;
        apex_status status = newton_minimise(function, &rough, at, result);
        f->stride = 1;
        f->weight = weight;
        TRY(status);
        before = result->rounds;
        if (!result->converged) memset(at, 0, function->n * sizeof *at);
    }
    TRY(newton_minimise(function, options, at, result));
    result->rounds += before;
    return APEX_OK;
}

static void model_fill(struct fit *f, double *at)
{
    struct logistic *m = f->model;
    const size_t d = m->n_columns, n = d + 1, outputs = m->n_outputs;
    for (size_t i = 0; i < n && outputs > 1; i++) {
        double mean = 0;
        if (penalised(f, i)) continue;
        for (size_t k = 0; k < outputs; k++)
            mean += at[k * n + i] / (double)outputs;
        for (size_t k = 0; k < outputs; k++)
            at[k * n + i] -= mean;
    }
    for (size_t k = 0; k < outputs; k++) {
        m->intercept[k] = m->raw_intercept[k] = at[k * n];
        for (size_t j = 0; j < d; j++) {
            double b = at[k * n + 1 + j];
            m->coefficient[k * d + j] = b;
            m->raw[k * d + j] = b * f->inverse[j];
            m->raw_intercept[k] -= m->raw[k * d + j] * m->mean[j];
        }
    }
}

/* What a penalty does not hold may grow for ever, or depend on other columns. */
static apex_status judge(struct fit *f, const struct convex_result *result,
                         struct num_place *place)
{
    const size_t n = f->model->n_columns + 1;
    bool free = !isfinite(f->options->c);
    size_t dependent = result->dependent;
    num_leak(&dependent, sizeof dependent);
    if (free && dependent < n * f->model->n_outputs && dependent % n > 0)
        return refuse(place, NUM_SINGULAR, dependent % n - 1);
    if (free &&
        known((result->flattened < FLATTENED_SHARE) | (f->model->loss < FLATTENED_SHARE)))
        return refuse(place, NUM_NOT_CONVERGED, result->rounds);
    return result->converged ? APEX_OK : refuse(place, NUM_NOT_CONVERGED, result->rounds);
}

static apex_status fit_run(struct fit *f, double *at, struct num_place *place)
{
    struct logistic *m = f->model;
    const struct convex function = {loss_parameters(&f->loss), evaluate, f};
    const bool newton = function.n <= LOGISTIC_NEWTON_MAX;
    unsigned most = f->options->max_rounds ? f->options->max_rounds : newton ? 100 : 2000;
    const struct convex_options options = {LOGISTIC_TOLERANCE, most};
    struct convex_result result;
    if (newton)
        TRY(newton_run(f, &function, &options, at, &result));
    else
        TRY(quasi_run(f, &function, &options, at, &result, place));
    m->rounds = result.rounds;
    m->objective_length = result.gradient;
    m->loss = result.value;
    for (size_t p = 0; p < function.n; p++)
        m->loss -= 0.5 * f->penalty[p % (m->n_columns + 1)] * at[p] * at[p];
    model_fill(f, at);
    return judge(f, &result, place);
}

/* Room: the penalty per coefficient, 1 / sd, parameters, and the sums of a pass. */
static apex_status fit_prepared(struct fit *f, struct num_place *place)
{
    const struct logistic *m = f->model;
    const size_t d = m->n_columns;
    f->loss = (struct loss){
        .n_columns = d, .n_outputs = m->n_outputs, .seen = m->seen, .mean = m->mean};
    size_t parameters = loss_parameters(&f->loss), room;
    f->loss.hessian = parameters <= LOGISTIC_NEWTON_MAX;
    if (!size_mul(loss_len(&f->loss) + parameters + 2 * d + 1, sizeof(double), &room))
        return APEX_E_LIMIT;
    TRY(scratch_new(f->options->threads, loss_room(&f->loss), &f->scratch));
    double *memory = calloc(1, room), *at = memory + 2 * d + 1;
    apex_status status = APEX_E_MEMORY;
    if (memory) {
        f->penalty = memory;
        f->loss.inverse = f->inverse = memory + d + 1;
        f->total = at + parameters;
        for (size_t j = 0; j < d; j++) {
            double of_x = f->options->standardise ? 1 : 1 / m->sd[j];
            f->inverse[j] = 1 / m->sd[j];
            f->penalty[1 + j] = of_x * of_x / (f->options->c * f->weight);
        }
        status = fit_run(f, at, place);
        wipe(memory, room);
    }
    free(memory);
    scratch_free(&f->scratch);
    return status;
}

apex_status logistic_fit(const struct num_source *source,
                         const struct logistic_options *options, struct logistic *model,
                         struct num_place *place)
{
    struct fit f = {.source = source, .options = options, .model = model, .stride = 1};
    if (source->n_columns != model->n_columns || options->n_classes != model->n_classes ||
        !(options->c > 0))
        return APEX_E_USAGE;
    TRY(first_pass(&f, place));
    return fit_prepared(&f, place);
}
