#include "common/num/bayes.h"

#include "common/base/size.h"
#include "common/num/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPSILON_SHARE 1e-9 /* scikit-learn's var_smoothing */
#define TWO_PI 6.28318530717958647692

apex_status bayes_new(size_t n_classes, size_t n_features, struct bayes **out)
{
    size_t cells;
    if (n_classes == 0 || n_features == 0) return APEX_E_USAGE;
    if (!size_mul(n_classes, n_features, &cells)) return APEX_E_LIMIT;
    struct bayes *b = calloc(1, sizeof *b);
    if (!b) return APEX_E_MEMORY;
    *b = (struct bayes){.n_classes = n_classes,
                        .n_features = n_features,
                        .counts = calloc(n_classes, sizeof(uint64_t)),
                        .mean = calloc(cells, sizeof(double)),
                        .variance = calloc(cells, sizeof(double)),
                        .sum = calloc(cells, sizeof(double)),
                        .carry = calloc(cells, sizeof(double)),
                        .log_prior = calloc(n_classes, sizeof(double)),
                        .log_norm = calloc(n_classes, sizeof(double)),
                        .all_sum = calloc(n_features, sizeof(double)),
                        .all_carry = calloc(n_features, sizeof(double)),
                        .all_mean = calloc(n_features, sizeof(double))};
    if (!b->counts || !b->mean || !b->variance || !b->sum || !b->carry || !b->log_prior ||
        !b->log_norm || !b->all_sum || !b->all_carry || !b->all_mean) {
        bayes_free(b);
        return APEX_E_MEMORY;
    }
    *out = b;
    return APEX_OK;
}

void bayes_free(struct bayes *b)
{
    if (!b) return;
    void *const parts[] = {b->counts,    b->mean,     b->variance, b->sum,       b->carry,
                           b->log_prior, b->log_norm, b->all_sum,  b->all_carry, b->all_mean};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
    free(b);
}

/* Neumaier's compensated sum. */
static void add(double *sum, double *carry, double x)
{
    double t = *sum + x;
    *carry += fabs(*sum) >= fabs(x) ? (*sum - t) + x : (x - t) + *sum;
    *sum = t;
}

void bayes_add_mean(struct bayes *b, const double *row, uint32_t label)
{
    double *sum = b->sum + label * b->n_features, *carry = b->carry + label * b->n_features;
    b->counts[label]++;
    for (size_t f = 0; f < b->n_features; f++) {
        add(&sum[f], &carry[f], row[f]);
        add(&b->all_sum[f], &b->all_carry[f], row[f]);
    }
}

static uint64_t rows_of(const struct bayes *b)
{
    uint64_t n = 0;
    for (size_t c = 0; c < b->n_classes; c++)
        n += b->counts[c];
    return n;
}

void bayes_means_done(struct bayes *b)
{
    uint64_t n = rows_of(b);
    for (size_t c = 0; c < b->n_classes; c++)
        for (size_t f = 0; f < b->n_features; f++) {
            size_t at = c * b->n_features + f;
            b->mean[at] = b->counts[c] ? (b->sum[at] + b->carry[at]) / (double)b->counts[c] : 0;
            b->sum[at] = b->carry[at] = 0;
        }
    for (size_t f = 0; f < b->n_features; f++) {
        b->all_mean[f] = n ? (b->all_sum[f] + b->all_carry[f]) / (double)n : 0;
        b->all_sum[f] = b->all_carry[f] = 0;
    }
}

void bayes_add_square(struct bayes *b, const double *row, uint32_t label)
{
    for (size_t f = 0; f < b->n_features; f++) {
        size_t at = label * b->n_features + f;
        double d = row[f] - b->mean[at], all = row[f] - b->all_mean[f];
        add(&b->sum[at], &b->carry[at], d * d);
        add(&b->all_sum[f], &b->all_carry[f], all * all);
    }
}

static double epsilon_of(const struct bayes *b, uint64_t n)
{
    double most = 0;
    for (size_t f = 0; f < b->n_features; f++) {
        double v = (b->all_sum[f] + b->all_carry[f]) / (double)n;
        if (v > most) most = v;
    }
    /* All rows equal: any positive width serves, as no row can be told from another. */
    return most > 0 ? EPSILON_SHARE * most : EPSILON_SHARE;
}

apex_status bayes_finish(struct bayes *b)
{
    uint64_t n = rows_of(b);
    if (n == 0) return APEX_E_DATA;
    double epsilon = epsilon_of(b, n);
    for (size_t c = 0; c < b->n_classes; c++) {
        if (b->counts[c] == 0) return APEX_E_DATA;
        b->log_prior[c] = exact_log((double)b->counts[c] / (double)n);
        b->log_norm[c] = 0;
        for (size_t f = 0; f < b->n_features; f++) {
            size_t at = c * b->n_features + f;
            b->variance[at] = (b->sum[at] + b->carry[at]) / (double)b->counts[c] + epsilon;
            b->log_norm[c] -= 0.5 * exact_log(TWO_PI * b->variance[at]);
            b->sum[at] =
                1.0 /
                b->variance[at]; /* the sums are done; from here on, widths to predict with */
        }
    }
    return APEX_OK;
}

uint32_t bayes_predict(const struct bayes *b, const double *row)
{
    uint32_t best = 0;
    double most = -INFINITY;
    for (size_t c = 0; c < b->n_classes; c++) {
        double sum = 0;
        for (size_t f = 0; f < b->n_features; f++) {
            size_t at = c * b->n_features + f;
            double d = row[f] - b->mean[at];
            sum += d * d * b->sum[at];
        }
        double score = b->log_prior[c] + b->log_norm[c] - 0.5 * sum;
        if (score > most) {
            most = score;
            best = (uint32_t)c;
        }
    }
    return best;
}
