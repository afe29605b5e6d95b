/* A model to the precision that its rows allow, before it is used, left or told: who takes it,
 * or what it says of rows of its own, with one row more or less would otherwise find that row
 * in the last digits. Every number is rounded to about twice what one row can move it by (which
 * is release_precision), a row lying within REACH standard deviations of the mean, or within
 * those that n rows can lie. Coefficients move more where columns follow from each other; that
 * is not looked at (docs/contracts/regress.md). */
#include "common/base/try.h"
#include "contracts/lib/learner.h"

#include <math.h>
#include <stdlib.h>

static const double REACH = 4;

struct rounding {
    struct frame *frame;
    const struct release_rules *rules;
    uint64_t rows;
};

/* How far one of n rows can be from the mean, in standard deviations. Source: Samuelson, How
 * deviant can you be?, 1968. */
static double reach_of(uint64_t rows)
{
    return fmin(REACH, sqrt((double)rows));
}

static void number_round(const struct rounding *r, double reach, uint64_t rows, double *x)
{
    *x = release_to(*x, release_precision(r->rules, reach, rows));
}

/* A variance stays above 0: of few rows it is the least that can be told apart from it. */
static void variance_round(const struct rounding *r, double reach, uint64_t rows, double *x)
{
    double precision = release_precision(r->rules, reach, rows);
    if (*x > 0) *x = fmax(release_to(*x, precision), precision);
}

static void moments_round(const struct rounding *r, uint64_t rows, double *mean,
                          double *variance)
{
    double reach = reach_of(rows);
    variance_round(r, reach * reach * *variance, rows, variance);
    number_round(r, reach * sqrt(*variance), rows, mean);
}

static apex_status bayes_round(const struct rounding *r, struct bayes *b)
{
    for (size_t i = 0; i < b->n_classes * b->n_features; i++)
        moments_round(r, b->counts[i / b->n_features], &b->mean[i], &b->variance[i]);
    return bayes_ready(b, NULL);
}

/* The columns' means and deviations, as coefficients of them are told in both units. */
static void columns_round(const struct rounding *r, double *mean, double *sd, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double variance = sd[j] * sd[j];
        moments_round(r, r->rows, &mean[j], &variance);
        sd[j] = sqrt(variance);
    }
}

/* How far a standardised column's row can lie: a text of few rows lies far. */
static double column_reach(const struct rounding *r, size_t j, double mean, double sd)
{
    if (!r->frame->encoding->features[j].is_category) return reach_of(r->rows);
    return fmax(fabs(mean), fabs(1 - mean)) / sd;
}

/* One line: what it says where all columns have their means, and how that changes with each. */
struct line {
    double *intercept, *raw_intercept, *coefficient, *raw;
};

/* The same line from the columns' rounded means and deviations, then to the precision it has:
 * at the means it moves by what a row is off by, a coefficient by that times the row's place.
 */
static void line_round(const struct rounding *r, const double off[2], const double *mean,
                       const double *sd, size_t n, const struct line *l)
{
    *l->intercept = *l->raw_intercept;
    for (size_t j = 0; j < n; j++)
        *l->intercept += l->raw[j] * mean[j];
    number_round(r, off[0], r->rows, l->intercept);
    *l->raw_intercept = *l->intercept;
    for (size_t j = 0; j < n; j++) {
        l->coefficient[j] = l->raw[j] * sd[j];
        number_round(r, column_reach(r, j, mean[j], sd[j]) * off[1], r->rows,
                     &l->coefficient[j]);
        l->raw[j] = l->coefficient[j] / sd[j];
        *l->raw_intercept -= l->raw[j] * mean[j];
    }
}

static void ridge_round(const struct rounding *r, struct ridge *m)
{
    const struct line line = {&m->intercept, &m->raw_intercept, m->coefficient, m->raw};
    double reach = reach_of(r->rows), rest = 1 - m->r2;
    const double off[2] = {reach * (rest > 0 ? m->rmse / sqrt(rest) : m->rmse),
                           reach * m->rmse};
    columns_round(r, m->mean, m->sd, m->n_columns);
    line_round(r, off, m->mean, m->sd, m->n_columns, &line);
}

/* A row is off by a share of 1, and the loss bends by a quarter of each row's at most. */
static void logistic_round(const struct rounding *r, struct logistic *m)
{
    static const double off[2] = {4, 4};
    columns_round(r, m->mean, m->sd, m->n_columns);
    for (size_t o = 0; o < m->n_outputs; o++) {
        const struct line line = {&m->intercept[o], &m->raw_intercept[o],
                                  m->coefficient + o * m->n_columns, m->raw + o * m->n_columns};
        line_round(r, off, m->mean, m->sd, m->n_columns, &line);
    }
}

/* The target's standard deviation about the first score. */
static double target_sd(struct frame *f, double base)
{
    double sum = 0, rows = 0;
    for (size_t i = 0; i < f->source.n_blocks; i++) {
        struct num_block b;
        f->source.block(f, i, 0, &b);
        for (size_t j = 0; j < b.n; j++) {
            double off = b.target[j] - base;
            sum += off * off * b.weight[j];
            rows += b.weight[j];
        }
    }
    return rows > 0 ? sqrt(sum / rows) : 0;
}

/* Of each column of numbers a standard deviation, taken about an edge in its midst. */
static void columns_sd(struct frame *f, const struct boost_model *m, double *sd)
{
    double *sum = sd + m->n_features, rows = 0;
    for (size_t i = 0; i < f->source.n_blocks; i++) {
        struct num_block b;
        f->source.block(f, i, 0, &b);
        for (size_t j = 0; j < b.n; j++)
            rows += b.weight[j];
        for (size_t c = 0; c < m->n_features; c++) {
            double edge = m->edges[c * (m->n_bins - 1)], about = isfinite(edge) ? edge : 0;
            for (size_t j = 0; j < b.n; j++) {
                double off = b.column[c][j] - about;
                sum[c] += off * b.weight[j];
                sd[c] += off * off * b.weight[j];
            }
        }
    }
    for (size_t c = 0; c < m->n_features && rows > 0; c++)
        sd[c] = sqrt(fmax(0, sd[c] / rows - sum[c] / rows * (sum[c] / rows)));
}

/* An edge lies midway between two rows' numbers; whoever knows one of them knows the other. A
 * threshold is rounded as its edge, which is not looked up. */
static void thresholds_round(const struct boost_model *m, const double *precision)
{
    for (size_t i = 0; i < m->n_trees * m->n_nodes; i++) {
        double own = 0;
        for (size_t c = 0; c < m->n_features; c++)
            own += precision[c] * (double)(m->feature[i] == c);
        m->threshold[i] = release_to(m->threshold[i], own);
    }
}

static apex_status edges_round(const struct rounding *r, const struct boost_model *m)
{
    double *precision = calloc(2 * m->n_features, sizeof *precision);
    if (!precision) return APEX_E_MEMORY;
    columns_sd(r->frame, m, precision);
    for (size_t c = 0; c < m->n_features; c++) {
        precision[c] =
            r->frame->encoding->features[c].is_category
                ? 0
                : release_precision(r->rules, reach_of(r->rows) * precision[c], r->rows);
        for (size_t e = c * (m->n_bins - 1); e < (c + 1) * (m->n_bins - 1); e++)
            m->edges[e] = release_to(m->edges[e], precision[c]);
    }
    thresholds_round(m, precision);
    free(precision);
    return APEX_OK;
}

/* Of classes a leaf moves by a row's share of 1 over a quarter of its rows at most. */
static apex_status boost_round(const struct rounding *r, const struct learner_options *options,
                               struct boost_model *m)
{
    bool numbers = m->loss == BOOST_SQUARED;
    double reach = numbers ? reach_of(r->rows) * target_sd(r->frame, m->base[0]) : 4;
    if (numbers) number_round(r, reach, r->rows, &m->base[0]);
    for (size_t i = 0; i < m->n_trees * m->n_leaves; i++)
        number_round(r, options->rate * reach, m->leaf_rows[i] ? m->leaf_rows[i] : 1,
                     &m->value[i]);
    for (size_t f = 0; f < m->n_features; f++)
        number_round(r, reach * reach, 1, &m->importance[f]);
    return edges_round(r, m);
}

apex_status learner_round(struct frame *frame, const struct learner_options *options,
                          struct learner *l)
{
    struct rounding r = {.frame = frame, .rules = frame->choice.rules};
    struct release_cell all;
    if (!r.rules) return APEX_OK;
    TRY(frame_count(frame, &all));
    r.rows = all.rows;
    switch (l->kind) {
    case LEARNER_BAYES: return bayes_round(&r, l->bayes);
    case LEARNER_LOGISTIC: logistic_round(&r, l->logistic); break;
    case LEARNER_LINEAR: ridge_round(&r, l->ridge); break;
    case LEARNER_BOOST: return boost_round(&r, options, &l->boost);
    case LEARNER_CONSTANT: break;
    }
    return APEX_OK;
}
