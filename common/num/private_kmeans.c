#include "common/num/private_kmeans.h"

#include "common/base/try.h"
#include "common/num/kmeans.h"

#include <math.h>
#include <stdlib.h>

/* Points on an even grid that k-means takes: the widest bounds are 2^30 steps. */
struct scaled {
    int32_t *column[PRIVATE_TREE_DIMS_MAX];
    uint32_t *weights;
    uint64_t *counts;
    double middle[PRIVATE_TREE_DIMS_MAX], step, share; /* weight steps per row */
};

static void scaled_free(struct scaled *s)
{
    for (size_t j = 0; j < PRIVATE_TREE_DIMS_MAX; j++)
        free(s->column[j]);
    free(s->weights);
    free(s->counts);
}

static apex_status scaled_new(const struct private_points *p, size_t k, struct scaled *s)
{
    s->weights = malloc(p->n * sizeof *s->weights);
    s->counts = malloc(k * sizeof *s->counts);
    for (size_t j = 0; j < p->d; j++)
        s->column[j] = malloc(p->n * sizeof *s->column[j]);
    for (size_t j = 0; j < p->d; j++)
        if (!s->column[j]) return APEX_E_MEMORY;
    return s->weights && s->counts ? APEX_OK : APEX_E_MEMORY;
}

static void scaled_fill(const struct private_points *p, const struct private_bounds *bounds,
                        struct scaled *s)
{
    double widest = 0;
    for (size_t j = 0; j < p->d; j++) {
        double width = bounds[j].max - bounds[j].min;
        widest = width > widest ? width : widest;
        s->middle[j] = bounds[j].min + width / 2;
    }
    s->step = widest / (1 << 30);
    s->share = p->total < 1 << 26 ? 16 : 1;
    for (size_t i = 0; i < p->n; i++) {
        double w = p->weight[i] * s->share + 0.5;
        s->weights[i] = w < 1 ? 1 : w > 4e9 ? 4000000000u : (uint32_t)w;
        for (size_t j = 0; j < p->d; j++)
            s->column[j][i] = (int32_t)floor((p->column[j][i] - s->middle[j]) / s->step + 0.5);
    }
}

static apex_status cluster(const struct private_points *p, const struct scaled *s, size_t k,
                           unsigned restarts, const uint8_t *seed,
                           struct private_kmeans *result, struct num_place *place)
{
    struct kmeans_arrays arrays = {.n = p->n, .d = p->d, .weights = s->weights};
    for (size_t j = 0; j < p->d; j++)
        arrays.column[j] = s->column[j];
    const struct kmeans_source source = kmeans_source_of_arrays(&arrays);
    const struct kmeans_options options = {.k = k, .restarts = restarts, .seed = seed};
    struct kmeans_result found = {.centroids = result->centroids, .weights = s->counts};
    double all = 0;
    TRY(kmeans_fit(&source, &options, &found, place));
    for (size_t c = 0; c < k; c++) {
        for (size_t j = 0; j < p->d; j++)
            result->centroids[c * p->d + j] =
                s->middle[j] + result->centroids[c * p->d + j] * s->step;
        result->weights[c] = (double)s->counts[c] / s->share;
        all += (double)s->counts[c];
    }
    result->deviation = sqrt(found.inertia / all) * s->step;
    return APEX_OK;
}

apex_status private_kmeans_of_points(const struct private_points *points,
                                     const struct private_bounds *bounds, size_t k,
                                     unsigned restarts, const uint8_t seed[static 32],
                                     struct private_kmeans *result, struct num_place *place)
{
    struct scaled s = {0};
    if (k == 0) return private_refuse(place, NUM_OPTION, 3, APEX_E_USAGE);
    if (points->n < k) return private_refuse(place, NUM_FEWER_THAN_K, points->n, APEX_E_DATA);
    apex_status status = scaled_new(points, k, &s);
    if (status == APEX_OK) {
        scaled_fill(points, bounds, &s);
        status = cluster(points, &s, k, restarts, seed, result, place);
    }
    scaled_free(&s);
    result->n_points = points->n;
    result->depth = points->depth;
    return status;
}

apex_status private_kmeans_fit(const struct num_source *rows,
                               const struct private_kmeans_options *options, uint64_t amount,
                               struct private_run *run, struct private_kmeans *result,
                               struct num_place *place)
{
    struct private_points *points = NULL;
    if (options->k == 0) return private_refuse(place, NUM_OPTION, 3, APEX_E_USAGE);
    TRY(private_tree_fit(rows, &options->tree, amount, run, &points, place));
    apex_status status =
        private_kmeans_of_points(points, options->tree.bounds, options->k, options->restarts,
                                 options->seed, result, place);
    private_points_free(points);
    return status;
}
