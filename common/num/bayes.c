#include "common/num/bayes_model.h"

#include "common/base/size.h"
#include "common/base/try.h"
#include "common/base/wipe.h"
#include "common/num/exact.h"
#include "common/num/leak.h"
#include "common/num/vec.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define SMOOTHING 1e-9 /* scikit-learn's var_smoothing */
#define TWO_PI 6.28318530717958647692

apex_status bayes_fault(struct num_place *place, apex_status status, enum num_fault fault,
                        size_t at)
{
    if (place) *place = (struct num_place){fault, at};
    return status;
}

apex_status bayes_options_check(const struct bayes_options *o, struct num_place *place)
{
    if (o->n_classes == 0) return bayes_fault(place, APEX_E_DATA, NUM_NO_ROWS, 0);
    if (o->n_classes == 1) return bayes_fault(place, APEX_E_DATA, NUM_ONE_CLASS, 0);
    if (o->n_classes > UINT32_MAX) return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 0);
    if (o->n_features == 0) return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 1);
    if (!(o->smoothing >= 0) || o->smoothing > DBL_MAX)
        return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 2);
    for (size_t c = 0; o->prior && c < o->n_classes; c++)
        if (!(o->prior[c] > 0) || o->prior[c] > DBL_MAX)
            return bayes_fault(place, APEX_E_USAGE, NUM_OPTION, 3);
    return APEX_OK;
}

/* One piece of memory: the struct, then its arrays. */
apex_status bayes_new(size_t n_classes, size_t n_features, struct bayes **out)
{
    size_t cells, numbers, len;
    if (n_classes == 0 || n_features == 0) return APEX_E_USAGE;
    if (!size_mul(n_classes, n_features, &cells) || !size_mul(cells, 4, &numbers) ||
        !size_add(numbers, n_features, &numbers) || !size_mul(n_classes, 3, &len) ||
        !size_add(numbers, len, &numbers) || !size_mul(numbers, sizeof(double), &len) ||
        !size_add(len, sizeof(struct bayes), &len))
        return APEX_E_LIMIT;
    struct bayes *b = calloc(1, len);
    if (!b) return APEX_E_MEMORY;
    double *at = (double *)(b + 1);
    b->n_classes = n_classes;
    b->n_features = n_features;
    b->counts = (uint64_t *)at;
    b->prior = at + n_classes;
    b->mean = b->prior + n_classes;
    b->variance = b->mean + cells;
    b->shift = b->variance + cells;
    b->constant = b->shift + n_features;
    *out = b;
    return APEX_OK;
}

void bayes_free(struct bayes *b)
{
    if (!b) return;
    wipe(b->counts, (2 * b->n_classes + 2 * b->n_classes * b->n_features + b->n_features +
                     b->n_classes * (1 + 2 * b->n_features)) *
                        sizeof(double));
    free(b);
}

/* 1 / sqrt(2 variance), and -scale (mean - shift). */
static double class_ready(struct bayes *b, size_t c, double *worst_of)
{
    size_t d = b->n_features;
    double *constant = b->constant + c * (1 + 2 * d), sum = exact_log(b->prior[c]);
    for (size_t f = 0; f < d; f++) {
        double variance = b->variance[c * d + f], scale = exact_sqrt(0.5 / variance);
        constant[1 + 2 * f] = scale;
        constant[2 + 2 * f] = -scale * (b->mean[c * d + f] - b->shift[f]);
        sum -= 0.5 * exact_log(TWO_PI * variance);
        /* Finite and normal, or it shows: infinity - infinity is not a number. */
        worst_of[f] += (constant[2 + 2 * f] - constant[2 + 2 * f]) + (scale - scale) +
                       vec_one(!((variance >= DBL_MIN) & (variance <= DBL_MAX / 8)));
    }
    constant[0] = sum;
    return sum - sum;
}

apex_status bayes_ready(struct bayes *b, struct num_place *place)
{
    size_t d = b->n_features, first = SIZE_MAX;
    double *bad = calloc(d, sizeof *bad), sum = 0;
    if (!bad) return APEX_E_MEMORY;
    for (size_t c = 0; c < b->n_classes; c++)
        sum += class_ready(b, c, bad);
    for (size_t f = d; f-- > 0;) {
        size_t mask = vec_mask(bad[f] != 0);
        first = (first & ~mask) | (f & mask);
    }
    /* a prior that is not above 0 and finite */
    size_t mask = vec_mask(first == SIZE_MAX) & vec_mask(sum != 0);
    first = (first & ~mask) | (d & mask);

    free(bad);
    num_leak(&first, sizeof first);
    return first == SIZE_MAX ? APEX_OK : bayes_fault(place, APEX_E_DATA, NUM_RANGE, first);
}

/* The first class with fewer rows than wanted, n_classes if rows have no class, or SIZE_MAX. */
static size_t class_missing(const struct bayes_options *o, const struct bayes_moments *m)
{
    double least = o->rows_min ? (double)o->rows_min : 1;
    size_t unseen = vec_mask(m->unseen > 0), at = o->n_classes | ~unseen;
    for (size_t c = o->n_classes; c-- > 0;) {
        size_t few = ~vec_mask((m->rows[c] >= least) & (m->weight[c] > 0));
        at = (at & ~few) | (c & few);
    }
    return at;
}

static double weight_of_all(const struct bayes_options *o, const struct bayes_moments *m)
{
    double sum = 0;
    for (size_t c = 0; c < o->n_classes; c++)
        sum += m->weight[c];
    return sum;
}

/* The variance of a feature over all rows, from those of the classes. */
static double variance_of_all(const struct bayes_options *o, const struct bayes_moments *m,
                              size_t f, double all)
{
    double mean = 0, sum = 0;
    for (size_t c = 0; c < o->n_classes; c++)
        mean += m->weight[c] / all * m->mean[c * o->n_features + f];
    for (size_t c = 0; c < o->n_classes; c++) {
        double away = m->mean[c * o->n_features + f] - mean;
        sum += m->weight[c] / all * (m->variance[c * o->n_features + f] + away * away);
    }
    return sum;
}

static double epsilon_of(const struct bayes_options *o, const struct bayes_moments *m,
                         double all)
{
    double smoothing = o->smoothing > 0 ? o->smoothing : SMOOTHING, most = 0;
    for (size_t f = 0; f < o->n_features; f++)
        most = vec_greatest(variance_of_all(o, m, f, all), most);
    /* All rows equal: any width above 0 serves, as no row can be told from another. */
    return smoothing * (most + vec_one(most == 0));
}

static void model_fill(const struct bayes_options *o, const struct bayes_moments *m, double all,
                       struct bayes *b)
{
    double priors = 0;
    b->epsilon = epsilon_of(o, m, all);
    for (size_t c = 0; o->prior && c < o->n_classes; c++)
        priors += o->prior[c];
    for (size_t c = 0; c < o->n_classes; c++) {
        b->counts[c] = (uint64_t)(int64_t)m->rows[c];
        b->prior[c] = o->prior ? o->prior[c] / priors : m->weight[c] / all;
    }
    for (size_t i = 0; i < o->n_classes * o->n_features; i++) {
        b->mean[i] = m->mean[i];
        b->variance[i] = m->variance[i] + b->epsilon;
    }
    if (m->n_shifts) memcpy(b->shift, m->shift, m->n_shifts * sizeof *m->shift);
}

apex_status bayes_of_moments(const struct bayes_options *o, const struct bayes_moments *m,
                             struct bayes **out, struct num_place *place)
{
    struct bayes *b;
    double all = weight_of_all(o, m);
    size_t missing = class_missing(o, m);
    unsigned char none = !(all > 0);
    num_leak(&none, sizeof none);
    num_leak(&missing, sizeof missing);
    if (none) return bayes_fault(place, APEX_E_DATA, NUM_NO_ROWS, 0);
    if (missing != SIZE_MAX) return bayes_fault(place, APEX_E_DATA, NUM_EMPTY_CLASS, missing);
    TRY(bayes_new(o->n_classes, o->n_features, &b));
    model_fill(o, m, all, b);
    apex_status s = bayes_ready(b, place);
    if (s != APEX_OK) {
        bayes_free(b);
        return s;
    }
    *out = b;
    return APEX_OK;
}
