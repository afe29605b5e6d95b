/* The contract `cluster`: sites for the union of the parties' places. docs/contracts/cluster.md
 * tells its mathematics.
 *   sites           k-means; per site its place, rows, contributors and radius
 *   weighted_sites  the same, each row weighing what its int64 column says
 *   coverage        of sites that are given: the share of rows within a radius, and how far
 * rows are from their nearest site */
#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/geo.h"
#include "contracts/cluster/measure.h"
#include "contracts/lib/fault.h"

#include <math.h>
#include <stdlib.h>

#define KM_OF_DEGREE 111.195 /* of a great circle */

struct answer {
    struct apex_run *run;
    struct places places;
    struct measure measure;
    size_t k;
    double *site; /* k x 2: latitude, longitude in degrees */
    uint64_t *weight;
};

static apex_status answer_open(struct answer *a, size_t k)
{
    a->k = k;
    a->site = calloc(2 * k, sizeof *a->site);
    a->weight = calloc(k, sizeof *a->weight);
    a->measure = (struct measure){.places = &a->places,
                                  .k = k,
                                  .site = a->site,
                                  .radius_km = apex_param_number(a->run, "radius_km"),
                                  .rules = release_rules_of(a->run)};
    return a->site && a->weight ? APEX_OK : APEX_E_MEMORY;
}

static void spread_out(struct apex_run *run, const struct spread *s)
{
    apex_json_number(run, "median_km", s->told ? s->median_km : NAN);
    apex_json_number(run, "p95_km", s->told ? s->p95_km : NAN);
    apex_json_number(run, "max_km", s->told ? s->most_km : NAN);
}

/* The place of a site that k-means found, to the precision that one row could move it by. */
static void place_out(struct answer *a, size_t c, double reach_km)
{
    const struct measure *m = &a->measure;
    double reach = m->centroids ? reach_km / KM_OF_DEGREE : 0, sine, cosine;
    exact_sincos_degrees(a->site[2 * c], &sine, &cosine);
    double flat = cosine > 0.01 ? cosine : 0.01;
    apex_json_number(
        a->run, "latitude",
        release_to(a->site[2 * c], release_precision(&m->rules, reach, m->present[c])));
    apex_json_number(a->run, "longitude",
                     release_to(a->site[2 * c + 1],
                                release_precision(&m->rules, reach / flat, m->present[c])));
}

static void site_out(struct answer *a, size_t c)
{
    const struct measure *m = &a->measure;
    char words[120];
    apex_json_object(a->run, NULL);
    apex_json_integer(a->run, "site", (int64_t)c);
    if (m->cell[c].reason != RELEASE_OK) {
        release_words(&m->rules, m->cell[c].reason, words);
        apex_json_text(a->run, "suppressed", words, strlen(words));
        apex_json_end(a->run);
        return;
    }
    struct spread spread = measure_spread(m, c),
                  near = spread.told ? spread : measure_spread(m, m->k);
    place_out(a, c, near.most_km);
    apex_json_integer(a->run, "rows", (int64_t)m->present[c]);
    apex_json_integer(a->run, "contributors",
                      (int64_t)release_contributors(&m->cell[c], m->rules.n_parties));
    if (a->places.weighted) apex_json_number(a->run, "weight", (double)a->weight[c]);
    release_share(a->run, &m->rules, "within_radius", &m->inside[c], &m->cell[c]);
    spread_out(a->run, &spread);
    apex_json_end(a->run);
}

/* Rows within the radius (or, outside, beyond it) of every site, hidden where the site's share
 * is not told. */
static bool shares_fit(const struct measure *m, bool outside, struct release_cell *part)
{
    for (size_t c = 0; c < m->k; c++) {
        bool told = m->cell[c].reason == RELEASE_OK &&
                    release_share_told(&m->rules, &m->inside[c], &m->cell[c]);
        part[c] = m->inside[c];
        for (size_t p = 0; outside && p < m->rules.n_parties; p++)
            part[c].by_party[p] = m->cell[c].by_party[p] - m->inside[c].by_party[p];
        if (outside) part[c].rows = m->cell[c].rows - m->inside[c].rows;
        part[c].reason = told ? RELEASE_OK : release_judge(&m->rules, &part[c]);
        if (!told && part[c].reason == RELEASE_OK) part[c].reason = RELEASE_WITHHELD;
    }
    return release_total_fits(&m->rules, part, m->k);
}

/* The share of all rows, unless a site's that is not told would follow. */
static apex_status all_inside_out(struct answer *a)
{
    const struct measure *m = &a->measure;
    struct release_cell *part = calloc(m->k, sizeof *part);
    if (!part) return APEX_E_MEMORY;
    if (shares_fit(m, false, part) && shares_fit(m, true, part))
        release_share(a->run, &m->rules, "within_radius", &m->all_inside, &a->places.all);
    else
        apex_json_null(a->run, "within_radius");
    free(part);
    return APEX_OK;
}

static apex_status answer_out(struct answer *a)
{
    const struct measure *m = &a->measure;
    struct apex_run *run = a->run;
    size_t hidden = 0;
    TRY(measure_all(&a->measure));
    for (size_t c = 0; c < m->k; c++)
        hidden += m->cell[c].reason != RELEASE_OK;
    if (!release_total_fits(&m->rules, m->cell, m->k)) /* a hidden site would follow */
        apex_json_null(run, "rows");
    else
        apex_json_integer(run, "rows", (int64_t)a->places.n_present);
    release_count(run, &m->rules, "rows_dropped", a->places.n_dropped);
    apex_json_integer(run, "contributors",
                      (int64_t)release_contributors(&a->places.all, m->rules.n_parties));
    apex_json_integer(run, "k", (int64_t)a->k);
    apex_json_integer(run, "suppressed_sites", (int64_t)hidden);
    apex_json_number(run, "radius_km", m->radius_km);
    TRY(all_inside_out(a));
    if (m->n_sample < a->places.n)
        apex_json_integer(run, "distances_of_rows_drawn", (int64_t)m->n_sample);
    apex_json_array(run, "sites");
    for (size_t c = 0; c < a->k; c++)
        site_out(a, c);
    apex_json_end(run);
    struct spread all = measure_spread(m, m->k);
    apex_json_object(run, "distance");
    spread_out(run, &all);
    apex_json_end(run);
    return APEX_OK;
}

static void to_coordinates(const double *degrees, bool sphere, double *centroid)
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
static void to_degrees(const double *centroid, bool sphere, double *degrees)
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
        release_to(inertia, release_precision(&rules, inertia, a->places.n_present)));
    apex_json_text(a->run, "inertia_unit", sphere ? "km2 (chord)" : "degree2", sphere ? 11 : 7);
    apex_json_integer(a->run, "rounds", r->rounds);
    apex_json_bool(a->run, "converged", r->converged);
    if (r->seed_rows > 0 && r->seed_rows < a->places.n)
        apex_json_integer(a->run, "start_of_rows_drawn", (int64_t)r->seed_rows);
}

static apex_status sites_fit(struct answer *a, const double *start, bool sphere)
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
                              .weights = a->weight};
    if (!r.centroids) return APEX_E_MEMORY;
    fault_refuse(a->run, kmeans_fit(&a->measure.source, &o, &r, &place), &place);
    for (size_t c = 0; c < a->k; c++)
        to_degrees(r.centroids + c * d, sphere, a->site + 2 * c);
    a->measure.centroids = r.centroids;
    fit_out(a, &r, sphere);
    return APEX_OK;
}

static apex_status sites(struct answer *a)
{
    const double *given;
    struct release_rules rules = release_rules_of(a->run);
    bool sphere = strcmp(apex_param_text(a->run, "metric"), "great-circle") == 0;
    size_t n_start = apex_param_points(a->run, "start", 2, &given),
           k = n_start ? n_start : (size_t)apex_param_number(a->run, "k");
    /* The rule that closes the hole of k = n: every centroid could rest on minimum_rows rows.
     */
    if (k > release_k_most(&rules, a->places.all.rows))
        apex_refuse(a->run, APEX_REFUSE_K,
                    "k is above the number of rows divided by minimum_rows");
    TRY(answer_open(a, k));
    TRY(places_source(&a->places, sphere, &a->measure.source));
    double *start = n_start ? calloc(k * a->measure.source.d, sizeof *start) : NULL;
    if (n_start && !start) return APEX_E_MEMORY;
    for (size_t c = 0; c < n_start; c++)
        to_coordinates(given + 2 * c, sphere, start + c * a->measure.source.d);
    apex_json_object(a->run, NULL);
    TRY(sites_fit(a, start, sphere));
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

static apex_status coverage(struct answer *a)
{
    const double *given;
    size_t k = apex_param_points(a->run, "sites", 2, &given);
    if (k == 0)
        apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: at least one place is needed");
    TRY(answer_open(a, k));
    for (size_t c = 0; c < k; c++) {
        if (fabs(given[2 * c]) > 90 || fabs(given[2 * c + 1]) > 180)
            apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: a place is not on the Earth");
        memcpy(a->site + 2 * c, given + 2 * c, 2 * sizeof *given);
    }
    apex_json_object(a->run, NULL);
    apex_json_text(a->run, "function", "coverage", 8);
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    struct answer a = {.run = run};
    struct release_rules rules = release_rules_of(run);
    TRY(places_open(run, strcmp(apex_function(run), "weighted_sites") == 0, &a.places));
    release_demand(run, &rules, &a.places.all);
    return strcmp(apex_function(run), "coverage") != 0 ? sites(&a) : coverage(&a);
}
