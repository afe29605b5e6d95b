#include "contracts/cluster/answer.h"

#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

void to_coordinates(const double *degrees, bool sphere, double *centroid)
{
    double unit[3];
    if (!sphere) {
        for (size_t d = 0; d < 2; d++)
            centroid[d] = degrees[d] / GEO_DEGREE;
        return;
    }
    exact_unit(degrees[0], degrees[1], unit);
    for (size_t d = 0; d < 3; d++)
        centroid[d] = unit[d] * GEO_VECTOR;
}

/* Latitude and longitude of a direction, by exact_asin alone. */
void to_degrees(const double *centroid, bool sphere, double *degrees)
{
    if (!sphere) {
        for (size_t d = 0; d < 2; d++)
            degrees[d] = centroid[d] * GEO_DEGREE;
        return;
    }
    double x = centroid[0], y = centroid[1], z = centroid[2], flat = sqrt(x * x + y * y),
           length = sqrt(x * x + y * y + z * z);
    const double turn = 180.0 / 3.14159265358979323846;
    double latitude = length > 0 ? exact_asin(fabs(z) / length) * turn : 0;
    double east = flat > 0 ? exact_asin(fabs(y) / flat) * turn : 0;
    degrees[0] = z < 0 ? -latitude : latitude;
    degrees[1] = (x < 0 ? 180.0 - east : east) * (y < 0 ? -1 : 1);
}

double centroid_length(const double *centroid, bool sphere)
{
    double sum = 0;
    for (size_t d = 0; sphere && d < 3; d++)
        sum += centroid[d] / GEO_VECTOR * (centroid[d] / GEO_VECTOR);
    return sphere ? fmax(sqrt(sum), 1 / GEO_VECTOR) : 1;
}

static void progress(void *context, unsigned percent)
{
    apex_progress(context, percent * 9 / 10);
}

static void fit_out(struct answer *a, const struct kmeans_result *r, bool sphere)
{
    double unit = sphere ? EARTH_RADIUS_KM / GEO_VECTOR : GEO_DEGREE;
    apex_json_text(a->run, "function", apex_function(a->run), strlen(apex_function(a->run)));
    apex_json_text(a->run, "metric", sphere ? "great-circle" : "planar", sphere ? 12 : 6);
    double inertia = r->inertia * unit * unit;
    struct release_rules rules = release_rules_of(a->run);
    apex_json_number(
        a->run, "inertia",
        release_to(inertia, release_precision(&rules, inertia, a->measure.weighed_of_all)));
    apex_json_text(a->run, "inertia_unit", sphere ? "km2 (chord)" : "degree2", sphere ? 11 : 7);
    apex_json_integer(a->run, "rounds", r->rounds);
    apex_json_bool(a->run, "converged", r->converged);
    if (r->seed_rows > 0 && r->seed_rows < a->places.n)
        apex_json_integer(a->run, "start_of_rows_drawn", (int64_t)r->seed_rows);
}

apex_status sites_fit(struct answer *a, const double *start, bool sphere)
{
    struct num_place place = {NUM_FINE, 0};
    struct kmeans_options o = {.k = a->k,
                               .restarts = (unsigned)apex_param_number(a->run, "restarts"),
                               .threads = apex_threads(a->run),
                               .max_rounds = (unsigned)apex_param_number(a->run, "max_rounds"),
                               .mode =
                                   apex_oblivious(a->run) ? KMEANS_OBLIVIOUS : KMEANS_PRUNED,
                               .start = start,
                               .seed = apex_seed(a->run),
                               .progress = progress,
                               .context = a->run};
    size_t d = a->measure.source.d;
    struct kmeans_result r = {.centroids = calloc(a->k * d, sizeof(double)),
                              .from = calloc(a->k * d, sizeof(double)),
                              .weights = a->weight};
    if (!r.centroids || !r.from) return APEX_E_MEMORY;
    fault_refuse(a->run, kmeans_fit(&a->measure.source, &o, &r, &place), &place);
    for (size_t c = 0; c < a->k; c++)
        to_degrees(r.centroids + c * d, sphere, a->site + 2 * c);
    a->measure.centroids = r.centroids;
    if (!r.converged && !release_is_loose(&a->measure.rules)) a->from = r.from;
    TRY(answer_measure(a));
    fit_out(a, &r, sphere);
    return APEX_OK;
}
