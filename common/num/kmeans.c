#include "common/num/kmeans.h"

#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/kmeans_step.h"
#include "common/num/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fit {
    const struct kmeans_points *p;
    const struct kmeans_options *o;
    struct step step;
    double *centroids; /* k x d, the try in hand */
    uint32_t *labels;
    double *nearest; /* n: squared distance to the start's points so far */
    double *trial;   /* n */
    uint64_t *sizes;
};

static apex_status fit_open(struct fit *f)
{
    size_t n = f->p->n, kd = f->o->k * f->p->d;
    f->centroids = calloc(kd, sizeof *f->centroids);
    f->labels = malloc(n * sizeof *f->labels);
    f->nearest = malloc(n * sizeof *f->nearest);
    f->trial = malloc(n * sizeof *f->trial);
    f->sizes = calloc(f->o->k, sizeof *f->sizes);
    if (!f->centroids || !f->labels || !f->nearest || !f->trial || !f->sizes)
        return APEX_E_MEMORY;
    return step_open(&f->step, f->p, f->o->k, f->o->threads);
}

static void fit_close(struct fit *f)
{
    free(f->centroids);
    free(f->labels);
    free(f->nearest);
    free(f->trial);
    free(f->sizes);
    step_close(&f->step);
}

/* Lloyd's rounds. The labels of the last round belong to the centroids reported: the last round
 * changes neither. */
static double rounds_run(struct fit *f, unsigned *rounds, bool *converged)
{
    double inertia = 0;
    memset(f->labels, 0xff, f->p->n * sizeof *f->labels);
    *converged = false;
    for (*rounds = 0; !*converged && (f->o->max_rounds == 0 || *rounds < f->o->max_rounds);
         ++*rounds) {
        bool changed;
        inertia = step_assign(&f->step, f->centroids, f->labels, &changed);
        *converged = !changed;
        if (changed) step_move(&f->step, f->centroids);
    }
    if (!*converged) { /* stopped early: assign once more, so that all belong together */
        bool changed;
        inertia = step_assign(&f->step, f->centroids, f->labels, &changed);
    }
    return inertia;
}

static double weight_of(const struct kmeans_points *p, size_t i)
{
    return p->weights ? p->weights[i] : 1.0;
}

static void point_copy(const struct kmeans_points *p, size_t i, double *centroid)
{
    for (size_t d = 0; d < p->d; d++)
        centroid[d] = p->coordinate[d][i];
}

/* The row at which the running sum of weight * nearest passes `aim`. */
static size_t row_at(const struct fit *f, const double *nearest, double aim)
{
    double sum = 0;
    size_t last = 0;
    for (size_t i = 0; i < f->p->n; i++) {
        double share = weight_of(f->p, i) * (nearest ? nearest[i] : 1.0);
        if (share <= 0) continue;
        sum += share;
        last = i;
        if (sum > aim) return i;
    }
    return last;
}

/* Distances to the candidate where they are less; returns the sum that would be left. */
static double candidate_try(struct fit *f, size_t row, const double *nearest, double *trial)
{
    double at[KMEANS_DIMS_MAX];
    point_copy(f->p, row, at);
    return step_nearest(&f->step, at, nearest, trial);
}

/* One more start point: the best of a few drawn in proportion to squared distance. */
static void start_add(struct fit *f, struct random_state *r, size_t c, unsigned trials,
                      double *left)
{
    size_t best_row = 0;
    double best = INFINITY;
    for (unsigned t = 0; t < trials; t++) {
        size_t row = row_at(f, f->nearest, random_unit(r) * *left);
        double sum = candidate_try(f, row, f->nearest, f->trial);
        if (sum >= best) continue;
        best = sum;
        best_row = row;
    }
    *left = candidate_try(f, best_row, f->nearest, f->trial);
    double *swap = f->nearest;
    f->nearest = f->trial;
    f->trial = swap;
    point_copy(f->p, best_row, f->centroids + c * f->p->d);
}

static void start_make(struct fit *f, unsigned restart)
{
    struct random_state r;
    double total = 0;
    random_seed(&r, f->o->seed, restart);
    for (size_t i = 0; i < f->p->n; i++)
        total += weight_of(f->p, i);
    size_t first = row_at(f, NULL, random_unit(&r) * total);
    point_copy(f->p, first, f->centroids);
    double left = candidate_try(f, first, NULL, f->nearest);
    unsigned trials = 2 + (unsigned)exact_log((double)f->o->k);
    for (size_t c = 1; c < f->o->k; c++)
        start_add(f, &r, c, trials, &left);
}

static void keep_best(const struct fit *f, double inertia, unsigned rounds, bool converged,
                      struct kmeans_result *r)
{
    memcpy(r->centroids, f->centroids, f->o->k * f->p->d * sizeof *r->centroids);
    memcpy(r->labels, f->labels, f->p->n * sizeof *r->labels);
    r->inertia = inertia;
    r->rounds = rounds;
    r->converged = converged;
}

static void fit_run(struct fit *f, struct kmeans_result *r)
{
    unsigned tries = f->o->start ? 1 : f->o->restarts ? f->o->restarts : 1;
    for (unsigned t = 0; t < tries; t++) {
        unsigned rounds;
        bool converged;
        if (f->o->start)
            memcpy(f->centroids, f->o->start, f->o->k * f->p->d * sizeof *f->centroids);
        else
            start_make(f, t);
        double inertia = rounds_run(f, &rounds, &converged);
        if (t == 0 || inertia < r->inertia) keep_best(f, inertia, rounds, converged, r);
        if (f->o->progress) f->o->progress(f->o->context, (t + 1) * 100 / tries);
    }
    memset(r->sizes, 0, f->o->k * sizeof *r->sizes);
    for (size_t i = 0; i < f->p->n; i++)
        r->sizes[r->labels[i]]++;
}

static bool any_weight(const struct kmeans_points *p)
{
    if (!p->weights) return true;
    for (size_t i = 0; i < p->n; i++)
        if (p->weights[i]) return true;
    return false;
}

apex_status kmeans_fit(const struct kmeans_points *points, const struct kmeans_options *options,
                       struct kmeans_result *result)
{
    struct fit f = {.p = points, .o = options};
    if (points->n == 0 || options->k == 0 || options->k > points->n || points->d < 2 ||
        points->d > KMEANS_DIMS_MAX)
        return APEX_E_USAGE;
    if (!any_weight(points) || (!options->start && !options->seed)) return APEX_E_USAGE;
    apex_status s = fit_open(&f);
    if (s == APEX_OK) fit_run(&f, result);
    fit_close(&f);
    return s;
}
