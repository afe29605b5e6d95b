/* The contract `cluster`: sites for the union of the parties' places. docs/contracts/cluster.md
 * tells its mathematics. sites     k-means; per site its place, rows, contributors and radius
 *   weighted_sites  the same, each row weighing what its int64 column says
 *   coverage  of sites that are given: the share of rows within a radius, and how far rows are
 * from their nearest site */
#include "common/base/try.h"
#include "common/num/exact.h"
#include "common/num/kmeans.h"
#include "common/num/parallel.h"
#include "common/num/select.h"
#include "contracts/cluster/places.h"

#include <math.h>
#include <stdlib.h>

#define DEGREE_PER_UNIT 1e-7
#define UNIT_VECTOR_SCALE 1073741824.0 /* 2^30: 6 mm on the ground */

enum { MEASURE_BLOCK = 8192 };

struct answer {
    struct apex_run *run;
    struct places places;
    struct release_rules rules;
    size_t k;
    double *site;              /* k x 2: latitude, longitude in degrees */
    uint32_t *label;           /* of each row */
    double *distance_km;       /* of each row to its site */
    struct release_cell *cell; /* k */
    struct release_cell *inside,
        all_inside; /* rows within the radius, of each site and of all */
    double *weight; /* k: sums, when weighted */
    double radius_km;
};

static apex_status answer_open(struct answer *a, size_t k)
{
    a->k = k;
    a->site = calloc(2 * k, sizeof *a->site);
    a->label = malloc((a->places.n + 1) * sizeof *a->label);
    a->distance_km = malloc((a->places.n + 1) * sizeof *a->distance_km);
    a->cell = calloc(k, sizeof *a->cell);
    a->inside = calloc(k, sizeof *a->inside);
    a->weight = calloc(k, sizeof *a->weight);
    return a->site && a->label && a->distance_km && a->cell && a->inside && a->weight
               ? APEX_OK
               : APEX_E_MEMORY;
}

static void row_unit(const struct places *p, size_t i, double unit[3])
{
    exact_unit(p->latitude[i] * DEGREE_PER_UNIT, p->longitude[i] * DEGREE_PER_UNIT, unit);
}

static void count_row(struct release_cell *cell, size_t party)
{
    cell->rows++;
    cell->by_party[party]++;
}

struct measuring {
    struct answer *a;
    double (*unit)[3]; /* of the sites */
};

static void measure_block(void *context, size_t block, unsigned thread)
{
    struct measuring *m = context;
    size_t first = block * MEASURE_BLOCK, n = m->a->places.n;
    size_t end = first + MEASURE_BLOCK < n ? first + MEASURE_BLOCK : n;
    (void)thread;
    for (size_t i = first; i < end; i++) {
        double here[3];
        row_unit(&m->a->places, i, here);
        m->a->distance_km[i] = exact_distance_km(here, m->unit[m->a->label[i]]);
    }
}

static void count_rows(struct answer *a)
{
    for (size_t i = 0; i < a->places.n; i++) {
        uint32_t site = a->label[i];
        count_row(&a->cell[site], a->places.party[i]);
        a->weight[site] += a->places.weight ? a->places.weight[i] : 1;
        if (a->distance_km[i] > a->radius_km) continue;
        count_row(&a->inside[site], a->places.party[i]);
        count_row(&a->all_inside, a->places.party[i]);
    }
}

/* Rows of each site by party, and every row's distance to its site. */
static apex_status measure(struct answer *a)
{
    struct measuring m = {a, malloc(a->k * sizeof *m.unit)};
    if (!m.unit) return APEX_E_MEMORY;
    for (size_t c = 0; c < a->k; c++)
        exact_unit(a->site[2 * c], a->site[2 * c + 1], m.unit[c]);
    parallel_blocks(apex_threads(a->run), (a->places.n + MEASURE_BLOCK - 1) / MEASURE_BLOCK,
                    measure_block, &m);
    free(m.unit);
    count_rows(a);
    for (size_t c = 0; c < a->k; c++)
        a->cell[c].reason = release_judge(&a->rules, &a->cell[c]);
    return APEX_OK;
}

/* A maximum rests on one row. What is told instead is the greatest distance that at least
 * minimum_rows rows reach; with a minimum of 1 that is the maximum. Other quantiles are not
 * told beyond it. */
static void spread_out(const struct answer *a, double *distances, size_t n)
{
    uint64_t least = a->rules.minimum_rows < n ? a->rules.minimum_rows : n;
    double most = select_kth(distances, n, n - (size_t)least);
    double median = select_quantile(distances, n, 0.5),
           p95 = select_quantile(distances, n, 0.95);
    apex_json_number(a->run, "median_km", median < most ? median : most);
    apex_json_number(a->run, "p95_km", p95 < most ? p95 : most);
    apex_json_number(a->run, "max_km", most);
}

static void site_out(struct answer *a, size_t c, double *distances, size_t n)
{
    char words[120];
    apex_json_object(a->run, NULL);
    apex_json_integer(a->run, "site", (int64_t)c);
    if (a->cell[c].reason != RELEASE_OK) {
        release_words(&a->rules, a->cell[c].reason, words);
        apex_json_text(a->run, "suppressed", words, strlen(words));
        apex_json_end(a->run);
        return;
    }
    apex_json_number(a->run, "latitude", a->site[2 * c]);
    apex_json_number(a->run, "longitude", a->site[2 * c + 1]);
    apex_json_integer(a->run, "rows", (int64_t)a->cell[c].rows);
    apex_json_integer(a->run, "contributors",
                      (int64_t)release_contributors(&a->cell[c], a->rules.n_parties));
    if (a->places.weight) apex_json_number(a->run, "weight", a->weight[c]);
    release_share(a->run, &a->rules, "within_radius", &a->inside[c], &a->cell[c]);
    spread_out(a, distances, n);
    apex_json_end(a->run);
}

/* Rows sorted by site: the distances of site c stand at start[c] .. start[c + 1]. */
static apex_status sites_out(struct answer *a)
{
    size_t *start = calloc(a->k + 2, sizeof *start);
    double *by_site = malloc((a->places.n + 1) * sizeof *by_site);
    if (!start || !by_site) return APEX_E_MEMORY;
    for (size_t i = 0; i < a->places.n; i++)
        start[a->label[i] + 2]++;
    for (size_t c = 2; c <= a->k + 1; c++)
        start[c] += start[c - 1];
    for (size_t i = 0; i < a->places.n; i++)
        by_site[start[a->label[i] + 1]++] = a->distance_km[i];
    apex_json_array(a->run, "sites");
    for (size_t c = 0; c < a->k; c++)
        site_out(a, c, by_site + start[c], start[c + 1] - start[c]);
    apex_json_end(a->run);
    free(start);
    free(by_site);
    return APEX_OK;
}

/* With one site hidden, the number of all rows would give its rows away. */
static bool totals_hidden(const struct answer *a, size_t *hidden)
{
    uint64_t rows = 0;
    *hidden = 0;
    for (size_t c = 0; c < a->k; c++) {
        if (a->cell[c].reason == RELEASE_OK) continue;
        ++*hidden;
        rows += a->cell[c].rows;
    }
    return *hidden == 1 || (*hidden > 0 && rows < a->rules.minimum_rows);
}

static apex_status answer_out(struct answer *a)
{
    size_t hidden;
    TRY(measure(a));
    bool quiet = totals_hidden(a, &hidden);
    if (quiet)
        apex_json_null(a->run, "rows");
    else
        apex_json_integer(a->run, "rows", (int64_t)a->places.n);
    release_count(a->run, &a->rules, "rows_dropped", a->places.n_dropped);
    apex_json_integer(a->run, "contributors",
                      (int64_t)release_contributors(&a->places.all, a->rules.n_parties));
    apex_json_integer(a->run, "k", (int64_t)a->k);
    apex_json_integer(a->run, "suppressed_sites", (int64_t)hidden);
    apex_json_number(a->run, "radius_km", a->radius_km);
    release_share(a->run, &a->rules, "within_radius", &a->all_inside, &a->places.all);
    TRY(sites_out(a));
    apex_json_object(a->run, "distance");
    spread_out(a, a->distance_km, a->places.n);
    apex_json_end(a->run);
    return APEX_OK;
}

/* What k-means sees: planar units, or unit vectors. */
static apex_status coordinates(const struct places *p, bool sphere,
                               struct kmeans_arrays *points, int32_t *vector[3])
{
    *points = (struct kmeans_arrays){
        .n = p->n, .d = 2, .column = {p->latitude, p->longitude}, .weights = p->weight};
    if (!sphere) return APEX_OK;
    for (size_t d = 0; d < 3; d++) {
        vector[d] = malloc((p->n + 1) * sizeof *vector[d]);
        if (!vector[d]) return APEX_E_MEMORY;
        points->column[d] = vector[d];
    }
    points->d = 3;
    for (size_t i = 0; i < p->n; i++) {
        double unit[3];
        row_unit(p, i, unit);
        for (size_t d = 0; d < 3; d++)
            vector[d][i] = (int32_t)lrint(unit[d] * UNIT_VECTOR_SCALE);
    }
    return APEX_OK;
}

static void to_coordinates(const double *degrees, bool sphere, double *centroid)
{
    double unit[3];
    if (!sphere) {
        for (size_t d = 0; d < 2; d++)
            centroid[d] = degrees[d] / DEGREE_PER_UNIT;
        return;
    }
    exact_unit(degrees[0], degrees[1], unit);
    for (size_t d = 0; d < 3; d++)
        centroid[d] = unit[d] * UNIT_VECTOR_SCALE;
}

/* Latitude and longitude of a direction, by exact_asin alone. */
static void to_degrees(const double *centroid, bool sphere, double *degrees)
{
    if (!sphere) {
        for (size_t d = 0; d < 2; d++)
            degrees[d] = centroid[d] * DEGREE_PER_UNIT;
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

static apex_status sites_fit(struct answer *a, const struct kmeans_arrays *points,
                             const double *start, bool sphere)
{
    struct kmeans_options o = {.k = a->k,
                               .restarts = (unsigned)apex_param_number(a->run, "restarts"),
                               .threads = apex_threads(a->run),
                               .max_rounds = (unsigned)apex_param_number(a->run, "max_rounds"),
                               .seed = apex_seed(a->run),
                               .progress = progress,
                               .context = a->run};
    struct kmeans_result r = {.centroids = calloc(a->k * points->d, sizeof(double))};
    struct kmeans_chunk all = {.n = points->n, .weights = points->weights};
    double *from = start ? calloc(a->k * points->d, sizeof *from) : NULL;
    if (!r.centroids || (start && !from)) return APEX_E_MEMORY;
    for (size_t c = 0; start && c < a->k; c++)
        to_coordinates(start + 2 * c, sphere, from + c * points->d);
    o.start = from;
    struct kmeans_source source = kmeans_source_of_arrays(points);
    TRY(kmeans_fit(&source, &o, &r, NULL));
    for (size_t j = 0; j < points->d; j++)
        all.column[j] = points->column[j];
    TRY(kmeans_assign(r.centroids, a->k, points->d, &all, a->label, NULL));
    for (size_t c = 0; c < a->k; c++)
        to_degrees(r.centroids + c * points->d, sphere, a->site + 2 * c);
    double unit = sphere ? EARTH_RADIUS_KM / UNIT_VECTOR_SCALE : DEGREE_PER_UNIT;
    apex_json_text(a->run, "function", apex_function(a->run), strlen(apex_function(a->run)));
    apex_json_text(a->run, "metric", sphere ? "great-circle" : "planar", sphere ? 12 : 6);
    apex_json_number(a->run, "inertia", r.inertia * unit * unit);
    apex_json_text(a->run, "inertia_unit", sphere ? "km2 (chord)" : "degree2", sphere ? 11 : 7);
    apex_json_integer(a->run, "rounds", r.rounds);
    apex_json_bool(a->run, "converged", r.converged);
    return APEX_OK;
}

static apex_status sites(struct answer *a)
{
    const double *start;
    struct kmeans_arrays points;
    int32_t *vector[3] = {NULL, NULL, NULL};
    bool sphere = strcmp(apex_param_text(a->run, "metric"), "great-circle") == 0;
    size_t n_start = apex_param_points(a->run, "start", 2, &start),
           k = n_start ? n_start : (size_t)apex_param_number(a->run, "k");
    /* The rule that closes the hole of k = n: every centroid could rest on minimum_rows rows.
     */
    if (k > a->places.n / a->rules.minimum_rows)
        apex_refuse(a->run, APEX_REFUSE_K,
                    "k is above the number of rows divided by minimum_rows");
    TRY(answer_open(a, k));
    TRY(coordinates(&a->places, sphere, &points, vector));
    apex_json_object(a->run, NULL);
    TRY(sites_fit(a, &points, n_start ? start : NULL, sphere));
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

static void nearest_site(struct answer *a, double (*unit)[3], size_t i)
{
    double here[3], best = INFINITY;
    row_unit(&a->places, i, here);
    for (size_t c = 0; c < a->k; c++) {
        double x = here[0] - unit[c][0], y = here[1] - unit[c][1], z = here[2] - unit[c][2],
               d = x * x + y * y + z * z;
        if (d >= best) continue;
        best = d;
        a->label[i] = (uint32_t)c;
    }
}

static apex_status coverage(struct answer *a)
{
    const double *given;
    size_t k = apex_param_points(a->run, "sites", 2, &given);
    if (k == 0)
        apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: at least one place is needed");
    TRY(answer_open(a, k));
    double(*unit)[3] = malloc(k * sizeof *unit);
    if (!unit) return APEX_E_MEMORY;
    for (size_t c = 0; c < k; c++) {
        if (fabs(given[2 * c]) > 90 || fabs(given[2 * c + 1]) > 180)
            apex_refuse(a->run, APEX_REFUSE_PARAMETER, "sites: a place is not on the Earth");
        memcpy(a->site + 2 * c, given + 2 * c, 2 * sizeof *given);
        exact_unit(given[2 * c], given[2 * c + 1], unit[c]);
    }
    for (size_t i = 0; i < a->places.n; i++)
        nearest_site(a, unit, i);
    free(unit);
    apex_json_object(a->run, NULL);
    apex_json_text(a->run, "function", "coverage", 8);
    TRY(answer_out(a));
    apex_json_end(a->run);
    return APEX_OK;
}

apex_status apex_contract(struct apex_run *run)
{
    struct answer a = {.run = run,
                       .rules = release_rules_of(run),
                       .radius_km = apex_param_number(run, "radius_km")};
    bool cluster = strcmp(apex_function(run), "coverage") != 0;
    TRY(places_load(run, strcmp(apex_function(run), "weighted_sites") == 0, &a.places));
    release_demand(run, &a.rules, &a.places.all);
    return cluster ? sites(&a) : coverage(&a);
}
