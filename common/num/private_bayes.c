#include "common/num/private_bayes.h"

#include "common/base/try.h"

#include <stdlib.h>

#define LEAST_SHARE 1e-3 /* of a column's variance */

/* The variance of a column over all classes: of the means, and within. */
static double variance_of_all(const struct private_moments *m, size_t n_classes, size_t d,
                              size_t j)
{
    double mean = 0, sum = 0;
    for (size_t c = 0; c < n_classes; c++)
        mean += m->share[c] * m->mean[c * d + j];
    for (size_t c = 0; c < n_classes; c++) {
        double off = m->mean[c * d + j] - mean;
        sum += m->share[c] * (off * off + m->variance[c * d + j]);
    }
    return sum;
}

static void variances_widen(struct private_moments *m, size_t n_classes, size_t d)
{
    for (size_t j = 0; j < d; j++) {
        double least = LEAST_SHARE * variance_of_all(m, n_classes, d, j);
        for (size_t c = 0; c < n_classes; c++)
            m->variance[c * d + j] += m->mean_noise[c * d + j] + least;
    }
}

static apex_status model_fill(const struct num_source *rows,
                              const struct private_moments_options *options, uint64_t amount,
                              struct private_run *run, struct bayes *b, int64_t *counts,
                              double *mean_noise, struct num_place *place)
{
    struct private_moments m = {counts, b->prior, b->mean, b->variance, mean_noise};
    TRY(private_moments(rows, options, amount, run, &m, place));
    variances_widen(&m, options->n_classes, options->n_columns);
    for (size_t c = 0; c < options->n_classes; c++)
        b->counts[c] = counts[c] > 0 ? (uint64_t)counts[c] : 0;
    return bayes_ready(b, place);
}

apex_status private_bayes_fit(const struct num_source *rows,
                              const struct private_moments_options *options, uint64_t amount,
                              struct private_run *run, struct bayes **model,
                              struct num_place *place)
{
    size_t k = options->n_classes, d = options->n_columns;
    struct bayes *b = NULL;
    if (k < 2) return private_refuse(place, NUM_ONE_CLASS, 0, APEX_E_DATA);
    if (d == 0 || d > PRIVATE_COLUMNS_MAX || k > PRIVATE_BINS_MAX)
        return private_refuse(place, NUM_OPTION, 0, APEX_E_USAGE);
    TRY(bayes_new(k, d, &b));
    int64_t *counts = calloc(k, sizeof *counts);
    double *mean_noise = calloc(k * d, sizeof *mean_noise);
    apex_status status = counts && mean_noise ? model_fill(rows, options, amount, run, b,
                                                           counts, mean_noise, place)
                                              : APEX_E_MEMORY;
    free(counts);
    free(mean_noise);
    if (status == APEX_OK)
        *model = b;
    else
        bayes_free(b);
    return status;
}
