/* How many sites? Inertia and silhouette for a range of k. Fits are of at most CHOOSE_ROWS rows
 * and silhouettes of at most CHOOSE_PAIRED, drawn evenly by row number; the answer says so. */
#include "common/num/choose.h"

#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "contracts/cluster/answer.h"
#include "contracts/cluster/sample.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

enum { CHOOSE_ROWS = 1 << 16, CHOOSE_PAIRED = 2048 };

struct choosing {
    struct answer *a;
    struct release_rules rules;
    struct sample rows, paired;
    bool sphere;
    double *centroids; /* k_most x d */
    uint32_t *labels;
    size_t k_least, k_most;
    double *inertia, *silhouette; /* of each k, as told */
};

static apex_status fit(struct choosing *w, size_t k, double *inertia)
{
    struct num_place place = {NUM_FINE, 0};
    struct apex_run *run = w->a->run;
    const struct kmeans_options o = {.k = k,
                                     .restarts = (unsigned)apex_param_number(run, "restarts"),
                                     .threads = apex_threads(run),
                                     .mode =
                                         apex_oblivious(run) ? KMEANS_OBLIVIOUS : KMEANS_PRUNED,
                                     .seed = apex_seed(run)};
    struct kmeans_result r = {.centroids = w->centroids};
    struct kmeans_source source = kmeans_source_of_arrays(&w->rows.arrays);
    double unit = w->sphere ? EARTH_RADIUS_KM / GEO_VECTOR : GEO_DEGREE;
    fault_refuse(run, kmeans_fit(&source, &o, &r, &place), &place);
    *inertia = r.inertia * unit * unit;
    return APEX_OK;
}

static apex_status pair(struct choosing *w, size_t k, double *silhouette)
{
    struct num_place place = {NUM_FINE, 0};
    struct kmeans_chunk chunk = {.n = w->paired.n, .weights = w->paired.weight};
    size_t d = w->paired.arrays.d;
    memcpy(chunk.column, w->paired.arrays.column, sizeof chunk.column);
    TRY(kmeans_assign(w->centroids, k, d, &chunk, w->labels, NULL));
    *silhouette = NAN; /* one cluster has none */
    apex_status s = choose_silhouette(&chunk, d, w->labels, k, silhouette, &place);
    return s == APEX_E_DATA ? APEX_OK : s;
}

/* Told to what one row could change: inertia as sites tells it, and a silhouette lies between
 * -1 and 1. */
static apex_status one(struct choosing *w, size_t k, size_t at)
{
    double inertia, silhouette;
    TRY(fit(w, k, &inertia));
    TRY(pair(w, k, &silhouette));
    w->inertia[at] =
        release_to(inertia, release_precision(&w->rules, inertia, w->rows.all.rows));
    w->silhouette[at] =
        release_to(silhouette, release_precision(&w->rules, 2, w->paired.all.rows));
    apex_progress(w->a->run, (unsigned)(100 * (at + 1) / (w->k_most - w->k_least + 1)));
    return APEX_OK;
}

static void curve_out(const struct choosing *w)
{
    struct apex_run *run = w->a->run;
    size_t n = w->k_most - w->k_least + 1, best = SIZE_MAX;
    apex_json_array(run, "k");
    for (size_t i = 0; i < n; i++) {
        apex_json_object(run, NULL);
        apex_json_integer(run, "k", (int64_t)(w->k_least + i));
        apex_json_number(run, "inertia", w->inertia[i]);
        if (!isnan(w->silhouette[i])) {
            apex_json_number(run, "silhouette", w->silhouette[i]);
            if (best == SIZE_MAX || w->silhouette[i] > w->silhouette[best]) best = i;
        }
        apex_json_end(run);
    }
    apex_json_end(run);
    apex_json_integer(run, "elbow", (int64_t)(w->k_least + choose_elbow(w->inertia, n)));
    if (best != SIZE_MAX)
        apex_json_integer(run, "best_silhouette", (int64_t)(w->k_least + best));
}

static void head_out(const struct choosing *w)
{
    const struct places *p = &w->a->places;
    struct apex_run *run = w->a->run;
    apex_json_object(run, NULL);
    apex_json_text(run, "function", "choose_k", 8);
    apex_json_text(run, "metric", w->sphere ? "great-circle" : "planar", w->sphere ? 12 : 6);
    apex_json_text(run, "inertia_unit", w->sphere ? "km2 (chord)" : "degree2",
                   w->sphere ? 11 : 7);
    apex_json_integer(run, "rows", (int64_t)p->all.rows);
    release_count(run, &w->rules, "rows_dropped", p->n_dropped);
    if (w->rows.n < p->n) apex_json_integer(run, "of_rows_drawn", (int64_t)w->rows.n);
    if (w->paired.n < p->n)
        apex_json_integer(run, "silhouette_of_rows_drawn", (int64_t)w->paired.n);
}

static void range_check(struct choosing *w)
{
    struct apex_run *run = w->a->run;
    w->k_least = (size_t)apex_param_number(run, "k_least");
    w->k_most = (size_t)apex_param_number(run, "k_most");
    if (w->k_most < w->k_least)
        apex_refuse(run, APEX_REFUSE_PARAMETER, "k_most is below k_least");
    if (w->k_most > release_k_most(&w->rules, w->rows.all.rows))
        apex_refuse(run, APEX_REFUSE_K,
                    "k_most is above the number of rows divided by minimum_rows");
}

static apex_status open_all(struct choosing *w)
{
    w->sphere = strcmp(apex_param_text(w->a->run, "metric"), "great-circle") == 0;
    TRY(sample_open(&w->a->places, CHOOSE_ROWS, w->sphere, &w->rows));
    TRY(sample_open(&w->a->places, CHOOSE_PAIRED, w->sphere, &w->paired));
    range_check(w);
    w->centroids = calloc(w->k_most * 3, sizeof *w->centroids);
    w->labels = malloc((w->paired.n + 1) * sizeof *w->labels);
    w->inertia = calloc(w->k_most, sizeof *w->inertia);
    w->silhouette = calloc(w->k_most, sizeof *w->silhouette);
    return w->centroids && w->labels && w->inertia && w->silhouette ? APEX_OK : APEX_E_MEMORY;
}

apex_status choose_k(struct answer *a)
{
    struct choosing w = {.a = a, .rules = release_rules_of(a->run)};
    TRY(open_all(&w));
    for (size_t k = w.k_least; k <= w.k_most; k++)
        TRY(one(&w, k, k - w.k_least));
    head_out(&w);
    curve_out(&w);
    apex_json_end(a->run);
    sample_clear(&w.rows);
    sample_clear(&w.paired);
    free(w.centroids);
    free(w.labels);
    free(w.inertia);
    free(w.silhouette);
    return APEX_OK;
}
