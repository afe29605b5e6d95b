#include "common/num/boost_loss.h"

#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/exact_inline.h"
#include "common/num/leak.h"
#include "common/num/parallel.h"
#include "common/num/reduce.h"

#include <stdlib.h>

enum { LANES = 8 };

/* Sums over the rows of one label (squared loss: over all rows). */
struct sums {
    double weight, target, square; /* target, square: times weight */
    uint64_t rows;
};

/* Eight sums side by side, added up in order. */
BOOST_BODY void sums_of_body(const double *weight, const double *target, size_t n, double label,
                             bool all, struct sums *sums)
{
    double w[LANES] = {0}, t[LANES] = {0}, q[LANES] = {0};
    uint64_t rows[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            double x = weight[i + l], y = target[i + l];
            uint64_t mine = exact_mask(y == label) | exact_mask(all);
            x = exact_of_bits(exact_bits(x) & mine);
            w[l] += x;
            t[l] += x * y;
            q[l] += x * y * y;
            rows[l] += exact_mask(x > 0) & 1;
        }
    for (size_t l = 0; l < LANES; l++) {
        sums->weight += w[l];
        sums->target += t[l];
        sums->square += q[l];
        sums->rows += rows[l];
    }
}
BOOST_LEVELS(static, sums_of,
             (const double *weight, const double *target, size_t n, double label, bool all,
              struct sums *sums),
             (weight, target, n, label, all, sums))

struct base {
    const struct boost_rows *r;
    size_t n_sums;
    bool all;
};

static void base_partial(void *context, size_t block, unsigned thread, void *partial)
{
    const struct base *b = context;
    struct sums *sums = partial;
    size_t first = boost_first(block), n = boost_count(b->r, block);
    (void)thread;
    for (size_t k = 0; k < b->n_sums; k++)
        sums_of(b->r->weight + first, b->r->target + first, n, (double)k, b->all, &sums[k]);
}

static void base_merge(void *context, void *total, const void *partial)
{
    const struct base *b = context;
    struct sums *to = total;
    const struct sums *from = partial;
    for (size_t k = 0; k < b->n_sums; k++) {
        to[k].weight += from[k].weight;
        to[k].target += from[k].target;
        to[k].square += from[k].square;
        to[k].rows += from[k].rows;
    }
}

static apex_status fault_at(struct num_place *place, enum num_fault fault, size_t at)
{
    if (place) *place = (struct num_place){fault, at};
    return APEX_E_DATA;
}

static apex_status range_judge(const struct sums *sums, size_t n, size_t d,
                               struct num_place *place)
{
    uint8_t wide = 0;
    for (size_t k = 0; k < n; k++)
        wide |= !(sums[k].weight < BOOST_SUM_MOST) | !(sums[k].square < BOOST_SUM_MOST);
    num_leak(&wide, sizeof wide);
    return wide ? fault_at(place, NUM_RANGE, d) : APEX_OK;
}

static apex_status classes_judge(const struct sums *sums, size_t n, struct num_place *place)
{
    uint8_t filled[BOOST_CLASSES_MAX] = {0};
    size_t n_filled = 0, one = 0, empty = n;
    for (size_t k = 0; k < n; k++)
        filled[k] = sums[k].rows > 0;
    num_leak(filled, n);
    for (size_t k = n; k-- > 0;) {
        n_filled += filled[k];
        if (filled[k])
            one = k;
        else
            empty = k;
    }
    if (n_filled < 2) return fault_at(place, NUM_ONE_CLASS, one);
    return empty < n ? fault_at(place, NUM_EMPTY_CLASS, empty) : APEX_OK;
}

static void base_set(const struct sums *sums, struct boost_model *m)
{
    double total = 0;
    if (m->loss == BOOST_SQUARED) {
        m->base[0] = sums[0].target / sums[0].weight;
        return;
    }
    if (m->loss == BOOST_LOGISTIC) {
        m->base[0] = exact_log(sums[1].weight / sums[0].weight);
        return;
    }
    for (size_t k = 0; k < m->n_scores; k++)
        total += sums[k].weight;
    for (size_t k = 0; k < m->n_scores; k++)
        m->base[k] = exact_log(sums[k].weight / total);
}

apex_status boost_base(struct boost_rows *r, struct boost_model *m, struct num_place *place)
{
    size_t n_sums = m->loss == BOOST_LOGISTIC ? 2 : m->n_scores;
    struct sums *sums = calloc(n_sums, sizeof *sums);
    if (!sums) return APEX_E_MEMORY;
    struct base base = {r, n_sums, m->loss == BOOST_SQUARED};
    const struct reduction reduction = {r->n_blocks, n_sums * sizeof *sums, base_partial,
                                        base_merge, &base};
    apex_status s = reduce_blocks(r->threads, &reduction, sums);
    if (s == APEX_OK) s = range_judge(sums, n_sums, r->d, place);
    if (s == APEX_OK && m->loss != BOOST_SQUARED) s = classes_judge(sums, n_sums, place);
    if (s == APEX_OK) base_set(sums, m);
    free(sums);
    for (size_t k = 0; k < r->n_scores && s == APEX_OK; k++)
        for (size_t i = 0; i < r->n_padded; i++)
            r->score[k * r->n_padded + i] = m->base[k];
    return s;
}

/* Rounded to the nearest integer, halves to even; |x| < 2^31. */
BOOST_BODY int32_t rounded(double x)
{
    return (int32_t)((x + EXACT_ROUND) - EXACT_ROUND);
}

BOOST_BODY int32_t packed(double g, double h)
{
    uint32_t low = (uint32_t)rounded(g) & 0xffff, high = (uint32_t)rounded(h) << 16;
    return (int32_t)(low | high);
}

struct scales {
    double g, h; /* units per 1 */
};

BOOST_BODY void logistic_body(const double *score, const double *target, const double *weight,
                              size_t n, struct scales scale, int32_t *gh)
{
    for (size_t i = 0; i < n; i++) {
        double p = exact_sigmoid_of(score[i], exact_exp_decay(score[i]));
        gh[i] =
            packed(weight[i] * (p - target[i]) * scale.g, weight[i] * (p * (1 - p)) * scale.h);
    }
}
BOOST_LEVELS(static, logistic,
             (const double *score, const double *target, const double *weight, size_t n,
              struct scales scale, int32_t *gh),
             (score, target, weight, n, scale, gh))

BOOST_BODY void squared_body(const double *score, const double *target, const double *weight,
                             size_t n, struct scales scale, int32_t *gh)
{
    for (size_t i = 0; i < n; i++)
        gh[i] = packed(weight[i] * (score[i] - target[i]) * scale.g, weight[i] * scale.h);
}
BOOST_LEVELS(static, squared,
             (const double *score, const double *target, const double *weight, size_t n,
              struct scales scale, int32_t *gh),
             (score, target, weight, n, scale, gh))

/* The greatest |g| of a block under the squared loss. */
BOOST_BODY void residual_most_body(const double *score, const double *target,
                                   const double *weight, size_t n, double *most)
{
    double m[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            double g = exact_abs(weight[i + l] * (score[i + l] - target[i + l]));
            m[l] = exact_select(exact_mask(g > m[l]), g, m[l]);
        }
    for (size_t l = 0; l < LANES; l++)
        *most = exact_select(exact_mask(m[l] > *most), m[l], *most);
}
BOOST_LEVELS(static, residual_most,
             (const double *score, const double *target, const double *weight, size_t n,
              double *most),
             (score, target, weight, n, most))

/* A strip of rows, all classes: e^(score - greatest), their sum, then each
 * class. score and gh of class k lie k * stride further on. */
enum { SOFT = 16 };
struct soft {
    const double *score, *target, *weight;
    int32_t *gh;
    size_t stride, k;
    struct scales scale;
    double factor; /* K / (K - 1) */
};
BOOST_BODY void softmax_strip(const struct soft *f, double *e, size_t at)
{
    double most[SOFT], sum[SOFT] = {0};
    for (size_t s = 0; s < SOFT; s++)
        most[s] = f->score[at + s];
    for (size_t k = 1; k < f->k; k++)
        for (size_t s = 0; s < SOFT; s++) {
            double x = f->score[k * f->stride + at + s];
            most[s] = exact_select(exact_mask(x > most[s]), x, most[s]);
        }
    for (size_t k = 0; k < f->k; k++)
        for (size_t s = 0; s < SOFT; s++) {
            e[k * SOFT + s] = exact_exp_decay(f->score[k * f->stride + at + s] - most[s]);
            sum[s] += e[k * SOFT + s];
        }
    for (size_t k = 0; k < f->k; k++)
        for (size_t s = 0; s < SOFT; s++) {
            double p = e[k * SOFT + s] / sum[s], w = f->weight[at + s];
            double y =
                exact_of_bits(exact_bits(1.0) & exact_mask(f->target[at + s] == (double)k));
            f->gh[k * f->stride + at + s] =
                packed(w * (p - y) * f->scale.g, w * (p * (1 - p)) * f->factor * f->scale.h);
        }
}
BOOST_BODY void softmax_body(const struct soft *f, size_t n)
{
    double e[BOOST_CLASSES_MAX * SOFT];
    for (size_t at = 0; at < n; at += SOFT)
        softmax_strip(f, e, at);
}
BOOST_LEVELS(static, softmax, (const struct soft *f, size_t n), (f, n))

struct gradients {
    struct boost_rows *r;
    enum boost_loss loss;
    struct scales scale;
    double factor, most[PARALLEL_THREADS_MAX];
};

static void residual_block(void *context, size_t block, unsigned thread)
{
    struct gradients *g = context;
    const struct boost_rows *r = g->r;
    size_t first = boost_first(block);
    residual_most(r->score + first, r->target + first, r->weight + first, boost_count(r, block),
                  &g->most[thread]);
}

static void gradient_block(void *context, size_t block, unsigned thread)
{
    const struct gradients *g = context;
    const struct boost_rows *r = g->r;
    size_t first = boost_first(block), n = boost_count(r, block);
    const double *score = r->score + first, *target = r->target + first,
                 *weight = r->weight + first;
    int32_t *gh = r->gh + first;
    const struct soft soft = {score,       target,      weight,   gh,
                              r->n_padded, r->n_scores, g->scale, g->factor};
    (void)thread;
    switch (g->loss) {
    case BOOST_LOGISTIC: logistic(score, target, weight, n, g->scale, gh); return;
    case BOOST_SQUARED: squared(score, target, weight, n, g->scale, gh); return;
    case BOOST_SOFTMAX: softmax(&soft, n); return;
    }
}

/* Units per 1, so that `most` becomes BOOST_UNITS; 0 where nothing is left to
 * tell apart. */
static double scale_of(double most, double *unit)
{
    uint64_t some = exact_mask(most > 1e-290);
    *unit = exact_select(some, most / BOOST_UNITS, 0.0);
    return exact_select(some, BOOST_UNITS / exact_select(some, most, 1.0), 0.0);
}

void boost_gradients(struct boost_rows *r, enum boost_loss loss)
{
    struct gradients g = {.r = r, .loss = loss, .factor = 1};
    double g_most = r->weight_most, h_most = 0.25 * r->weight_most;
    if (loss == BOOST_SOFTMAX) {
        g.factor = (double)r->n_scores / ((double)r->n_scores - 1);
        h_most *= g.factor;
    }
    if (loss == BOOST_SQUARED) {
        parallel_blocks(r->threads, r->n_blocks, residual_block, &g);
        g_most = 0;
        for (size_t t = 0; t < r->threads; t++)
            g_most = exact_select(exact_mask(g.most[t] > g_most), g.most[t], g_most);
        h_most = r->weight_most;
    }
    g.scale.g = scale_of(g_most, &r->g_unit);
    g.scale.h = scale_of(h_most, &r->h_unit);
    parallel_blocks(r->threads, r->n_blocks, gradient_block, &g);
}
